//! RLP of the trie's nodes (yellow paper, appendix D) and of paths in them (appendix C, "hex prefix").

use alloy_primitives::B256;
use alloy_rlp::{Encodable, Header};

use super::node::{BRANCH_CHILDREN, KEY_NIBBLES, NodeReference, nibble};

/// Flag in the first nibble of a path: the node is a leaf.
const FLAG_LEAF: u8 = 0x20;

/// Flag in the first nibble of a path: the number of nibbles is odd, and the first of them follows at once.
const FLAG_ODD: u8 = 0x10;

/// Longest path: 64 nibbles and a byte of flags.
const PATH_BYTES_MAX: usize = KEY_NIBBLES / 2 + 1;

/// Appends the RLP of a leaf at `depth`.
pub(super) fn encode_leaf(key: &B256, depth: usize, value: &[u8], out: &mut Vec<u8>) {
    let mut buffer = [0; PATH_BYTES_MAX];
    let path = encode_path(key, depth, KEY_NIBBLES, FLAG_LEAF, &mut buffer);
    Header { list: true, payload_length: path.length() + value.length() }.encode(out);
    path.encode(out);
    value.encode(out);
}

/// Appends the RLP of an extension from `depth` to `end`.
pub(super) fn encode_extension(key: &B256, depth: usize, end: usize, child: &NodeReference, out: &mut Vec<u8>) {
    let mut buffer = [0; PATH_BYTES_MAX];
    let path = encode_path(key, depth, end, 0, &mut buffer);
    let child = child.as_bytes();
    Header { list: true, payload_length: path.length() + child.len() }.encode(out);
    path.encode(out);
    out.extend_from_slice(child);
}

/// Appends the RLP of a branch: its children, and no value.
pub(super) fn encode_branch(children: &[&NodeReference; BRANCH_CHILDREN], out: &mut Vec<u8>) {
    let children_bytes: usize = children.iter().map(|child| child.as_bytes().len()).sum();
    Header { list: true, payload_length: children_bytes + 1 }.encode(out);
    for child in children {
        out.extend_from_slice(child.as_bytes());
    }
    out.push(alloy_rlp::EMPTY_STRING_CODE);
}

/// Packs the nibbles `from..to` of `key`, flags first.
fn encode_path<'a>(key: &B256, from: usize, to: usize, flags: u8, buffer: &'a mut [u8; PATH_BYTES_MAX]) -> &'a [u8] {
    let nibble_at = |depth| u8::try_from(nibble(key, depth)).expect("a nibble is at most 15");
    let is_odd = (to - from) % 2 == 1;
    buffer[0] = if is_odd { flags | FLAG_ODD | nibble_at(from) } else { flags };
    let pairs_start = from + usize::from(is_odd);
    let mut length = 1;
    for depth in (pairs_start..to).step_by(2) {
        buffer[length] = nibble_at(depth) << 4 | nibble_at(depth + 1);
        length += 1;
    }
    &buffer[..length]
}
