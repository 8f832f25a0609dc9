//! The nodes of the trie, how they name each other, and nibbles of keys.

use alloy_primitives::{B256, keccak256};

use super::arena::Slot;

/// Nibbles of a key: two for each of its 32 bytes.
pub(super) const KEY_NIBBLES: usize = 64;

/// Children of a branch: one for each value of a nibble.
pub(super) const BRANCH_CHILDREN: usize = 16;

/// Nodes of one kind that an index can tell apart: 32 bits less two for the kind.
pub(super) const NODES_PER_KIND_MAX: u32 = 1 << KIND_SHIFT;

const KIND_SHIFT: u32 = 30;
const KIND_LEAF: u32 = 0;
const KIND_BRANCH: u32 = 1;
const KIND_EXTENSION: u32 = 2;
const KIND_EMPTY: u32 = 3;

/// Names a node, or the absence of one: the kind in the two high bits, the slot in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeIndex(u32);

/// What a [`NodeIndex`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeKind {
    Empty,
    Leaf(Slot),
    Branch(Slot),
    Extension(Slot),
}

impl NodeIndex {
    /// No node.
    pub(super) const EMPTY: Self = Self(KIND_EMPTY << KIND_SHIFT);

    pub(super) fn leaf(slot: Slot) -> Self {
        Self(KIND_LEAF << KIND_SHIFT | slot)
    }

    pub(super) fn branch(slot: Slot) -> Self {
        Self(KIND_BRANCH << KIND_SHIFT | slot)
    }

    pub(super) fn extension(slot: Slot) -> Self {
        Self(KIND_EXTENSION << KIND_SHIFT | slot)
    }

    pub(super) fn kind(self) -> NodeKind {
        let slot = self.0 & (NODES_PER_KIND_MAX - 1);
        match self.0 >> KIND_SHIFT {
            KIND_LEAF => NodeKind::Leaf(slot),
            KIND_BRANCH => NodeKind::Branch(slot),
            KIND_EXTENSION => NodeKind::Extension(slot),
            _ => NodeKind::Empty,
        }
    }
}

/// A key and its value. Its path is the nibbles of `key` from its own depth on.
#[derive(Clone)]
pub(super) struct LeafNode<V> {
    pub(super) key: B256,
    pub(super) reference: NodeReference,
    pub(super) value: V,
}

/// A fork: at least two children.
#[derive(Clone)]
pub(super) struct Branch {
    pub(super) children: [NodeIndex; BRANCH_CHILDREN],
    pub(super) reference: NodeReference,
}

impl Branch {
    pub(super) fn new() -> Self {
        Self { children: [NodeIndex::EMPTY; BRANCH_CHILDREN], reference: NodeReference::UNKNOWN }
    }

    /// The only child that is left and its position, or nothing if there are more.
    pub(super) fn only_child(&self) -> Option<(usize, NodeIndex)> {
        let mut present = self.children.iter().enumerate().filter(|(_, child)| **child != NodeIndex::EMPTY);
        let (position, child) = present.next()?;
        present.next().is_none().then_some((position, *child))
    }
}

/// A stretch of path without forks above a branch: the nibbles of `key` from its own depth to `end`, the depth of the
/// child. The nibbles of `key` above its own depth are those of every key below it; the ones after `end` mean nothing.
#[derive(Clone)]
pub(super) struct Extension {
    pub(super) key: B256,
    end: u8,
    pub(super) child: NodeIndex,
    pub(super) reference: NodeReference,
}

impl Extension {
    pub(super) fn new(key: B256, end: usize, child: NodeIndex) -> Self {
        let end = u8::try_from(end).expect("a depth in the trie is at most 64");
        Self { key, end, child, reference: NodeReference::UNKNOWN }
    }

    /// Depth of the child.
    pub(super) fn end(&self) -> usize {
        usize::from(self.end)
    }
}

/// Longest RLP of a node that stands for itself in its parent; a longer one is named by its hash.
const INLINE_BYTES_MAX: u8 = 31;

/// First byte of the RLP of a string of 32 bytes.
const RLP_HASH_PREFIX: u8 = 0xa0;

/// How a parent names a node (yellow paper, appendix D, function n): its RLP if that is at most 31 bytes long, else the
/// RLP of its Keccak-256. Or that this is not known, since something below has changed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NodeReference {
    /// [`UNKNOWN`](Self::UNKNOWN), the length of what stands inline, or 33 for a hash.
    length: u8,
    bytes: [u8; 33],
}

impl NodeReference {
    /// To be computed when the root is next asked.
    pub(super) const UNKNOWN: Self = Self { length: 0, bytes: [0; 33] };

    /// What a branch says of a child that it does not have: the RLP of the empty string.
    pub(super) const OF_NOTHING: Self = {
        let mut bytes = [0; 33];
        bytes[0] = alloy_rlp::EMPTY_STRING_CODE;
        Self { length: 1, bytes }
    };

    const HASH_LENGTH: u8 = 33;

    /// The reference of the node with this RLP.
    pub(super) fn of(node_rlp: &[u8]) -> Self {
        let mut bytes = [0; 33];
        match u8::try_from(node_rlp.len()) {
            Ok(length @ ..=INLINE_BYTES_MAX) => {
                bytes[..node_rlp.len()].copy_from_slice(node_rlp);
                Self { length, bytes }
            }
            _ => {
                bytes[0] = RLP_HASH_PREFIX;
                bytes[1..].copy_from_slice(keccak256(node_rlp).as_slice());
                Self { length: Self::HASH_LENGTH, bytes }
            }
        }
    }

    pub(super) fn is_known(&self) -> bool {
        self.length != 0
    }

    /// The bytes that stand in the parent.
    pub(super) fn as_bytes(&self) -> &[u8] {
        debug_assert!(self.is_known(), "a node was encoded before its children's references were known");
        &self.bytes[..usize::from(self.length)]
    }

    /// The node's hash, or nothing if its RLP stands inline.
    pub(super) fn hash(&self) -> Option<B256> {
        (self.length == Self::HASH_LENGTH).then(|| B256::from_slice(&self.bytes[1..]))
    }
}

/// The nibble of `key` at `depth`, 0 to 15.
pub(super) fn nibble(key: &B256, depth: usize) -> usize {
    let byte = usize::from(key[depth / 2]);
    if depth.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f }
}

/// `key` with its nibble at `depth` set to `value`, 0 to 15.
pub(super) fn with_nibble(key: &B256, depth: usize, value: usize) -> B256 {
    let value = u8::try_from(value).expect("a nibble is at most 15");
    let mut key = *key;
    let byte = &mut key[depth / 2];
    *byte = if depth.is_multiple_of(2) { (*byte & 0x0f) | (value << 4) } else { (*byte & 0xf0) | value };
    key
}

/// The first depth in `from..to` at which the nibbles of two keys differ, or `to` if there is none.
pub(super) fn first_difference(left: &B256, right: &B256, from: usize, to: usize) -> usize {
    (from..to).find(|depth| nibble(left, *depth) != nibble(right, *depth)).unwrap_or(to)
}
