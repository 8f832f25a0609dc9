//! Incremental Merkle-Patricia trie over 32-byte keys that are already hashed: the state trie and the storage tries.
//!
//! What Ethereum's yellow paper (appendix D) calls the secure trie, kept in memory: nodes live in arenas and name their
//! children by index, and every node remembers its *reference* (the bytes by which its parent names it: the node's
//! own RLP if that is shorter than 32 bytes, its Keccak-256 otherwise). A change makes the nodes on its path forget
//! theirs, so that [`Trie::root`] encodes and hashes only what was touched since it was last asked.
//!
//! Invariants:
//! * All keys are 32 bytes (64 nibbles), so no key is a prefix of another, branches carry no value, and recursion is at
//!   most 64 deep.
//! * A branch has at least two children; an extension's child is a branch. A set of leaves therefore has one shape,
//!   whatever the order of insertions and removals.
//! * A leaf's path is the part of its key below its own depth, and an extension's path is the nibbles of its key from its
//!   own depth to its end: a node that moves up or down keeps its bytes and only forgets its reference.
//! * A node with a known reference has only descendants with known references.
//!
//! What it must not know: accounts, slots, blocks, disk. It holds no lock and keeps no history.

mod arena;
mod encode;
mod node;

#[cfg(test)]
mod tests;

use alloy_primitives::{B256, Bytes};
use alloy_trie::EMPTY_ROOT_HASH;

use self::arena::Arena;
use self::encode::{encode_branch, encode_extension, encode_leaf};
use self::node::{Branch, Extension, LeafNode, NodeIndex, NodeKind, NodeReference};
use self::node::{KEY_NIBBLES, first_difference, nibble};

/// Room for the longest node, a branch with 16 hashed children (3 + 16 * 33 + 1 bytes), and then some.
const NODE_BYTES_USUAL: usize = 640;

/// What a leaf of the trie holds.
pub(crate) trait Leaf {
    /// Appends the value as the trie stores it (for an account and for a slot: its RLP). Must not be empty, since an
    /// empty value means absence in Ethereum's tries, and must not change while the value is in the trie.
    fn encode_rlp(&self, out: &mut Vec<u8>);
}

/// Number of live nodes of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeCounts {
    /// Leaves, one per key.
    pub(crate) leaves: usize,
    /// Branches of 16 children.
    pub(crate) branches: usize,
    /// Extensions: shared parts of paths above a branch.
    pub(crate) extensions: usize,
}

/// A Merkle-Patricia trie from hashed keys to values of type `V`. See the module's documentation.
///
/// # Panics
/// An operation that would need more than `NODES_PER_KIND_MAX` live nodes of one kind
/// (2^30: far beyond the memory of any machine this runs on) panics with a sentence.
#[derive(Clone)]
pub(crate) struct Trie<V> {
    root: NodeIndex,
    leaves: Arena<LeafNode<V>>,
    branches: Arena<Branch>,
    extensions: Arena<Extension>,
}

impl<V> Default for Trie<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> std::fmt::Debug for Trie<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trie").field("nodes", &self.node_counts()).finish_non_exhaustive()
    }
}

impl<V> Trie<V> {
    /// A trie without keys, whose root is [`EMPTY_ROOT_HASH`].
    pub(crate) const fn new() -> Self {
        Self { root: NodeIndex::EMPTY, leaves: Arena::new(), branches: Arena::new(), extensions: Arena::new() }
    }

    /// Number of keys.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.leaves.live()
    }

    /// Whether there is no key.
    pub(crate) fn is_empty(&self) -> bool {
        self.root == NodeIndex::EMPTY
    }

    /// Number of live nodes of each kind.
    pub(crate) fn node_counts(&self) -> NodeCounts {
        NodeCounts { leaves: self.leaves.live(), branches: self.branches.live(), extensions: self.extensions.live() }
    }

    /// Bytes that the arenas hold from the allocator, free slots included; what values own elsewhere is not counted.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        self.leaves.memory_bytes() + self.branches.memory_bytes() + self.extensions.memory_bytes()
    }

    /// The value at `key`.
    pub(crate) fn get(&self, key: &B256) -> Option<&V> {
        let (mut node, mut depth) = (self.root, 0);
        loop {
            match node.kind() {
                NodeKind::Empty => return None,
                NodeKind::Leaf(slot) => {
                    let leaf = &self.leaves[slot];
                    return (leaf.key == *key).then_some(&leaf.value);
                }
                NodeKind::Branch(slot) => {
                    node = self.branches[slot].children[nibble(key, depth)];
                    depth += 1;
                }
                NodeKind::Extension(slot) => {
                    // The path itself is not compared: where it differs, the leaf below has another key.
                    let extension = &self.extensions[slot];
                    (node, depth) = (extension.child, extension.end());
                }
            }
        }
    }

    /// Sets the value at `key`, in place of the one before if there was one.
    pub(crate) fn insert(&mut self, key: &B256, value: V) {
        self.root = self.insert_at(self.root, 0, key, value);
    }

    /// Removes `key`. Nothing happens, and no reference is forgotten, if it is absent. The value itself is dropped when its place
    /// in the arena is used again.
    pub(crate) fn remove(&mut self, key: &B256) {
        if self.get(key).is_some() {
            self.root = self.remove_at(self.root, 0, key);
        }
    }

    /// Inserts below `node`, which stands at `depth`, and returns the node that stands there afterwards.
    fn insert_at(&mut self, node: NodeIndex, depth: usize, key: &B256, value: V) -> NodeIndex {
        match node.kind() {
            NodeKind::Empty => self.new_leaf(key, value),
            NodeKind::Leaf(slot) => {
                let leaf = &mut self.leaves[slot];
                leaf.reference = NodeReference::UNKNOWN;
                if leaf.key == *key {
                    leaf.value = value;
                    return node;
                }
                let other = leaf.key;
                let fork = first_difference(&other, key, depth, KEY_NIBBLES);
                self.fork_at(depth, fork, (other, node), key, value)
            }
            NodeKind::Branch(slot) => {
                let child = self.branches[slot].children[nibble(key, depth)];
                let child = self.insert_at(child, depth + 1, key, value);
                let branch = &mut self.branches[slot];
                branch.children[nibble(key, depth)] = child;
                branch.reference = NodeReference::UNKNOWN;
                node
            }
            NodeKind::Extension(slot) => {
                let extension = &mut self.extensions[slot];
                extension.reference = NodeReference::UNKNOWN;
                let (other, end, child) = (extension.key, extension.end(), extension.child);
                let fork = first_difference(&other, key, depth, end);
                if fork == end {
                    self.extensions[slot].child = self.insert_at(child, end, key, value);
                    return node;
                }
                // What is left of the extension below the fork keeps its node; if nothing is left, the child stands there.
                let below = if fork + 1 == end {
                    self.extensions.release(slot);
                    child
                } else {
                    node
                };
                self.fork_at(depth, fork, (other, below), key, value)
            }
        }
    }

    /// Makes a branch at depth `fork` for a node that was there and a new leaf, with an extension above it that reaches up to
    /// `depth` if there is a distance.
    fn fork_at(&mut self, depth: usize, fork: usize, other: (B256, NodeIndex), key: &B256, value: V) -> NodeIndex {
        let (other_key, other_node) = other;
        let leaf = self.new_leaf(key, value);
        let mut branch = Branch::new();
        branch.children[nibble(&other_key, fork)] = other_node;
        branch.children[nibble(key, fork)] = leaf;
        let branch = NodeIndex::branch(self.branches.allocate(branch));
        if fork == depth { branch } else { self.new_extension(*key, fork, branch) }
    }

    /// Removes a key that is present below `node`, which stands at `depth`, and returns the node that stands there afterwards.
    fn remove_at(&mut self, node: NodeIndex, depth: usize, key: &B256) -> NodeIndex {
        match node.kind() {
            NodeKind::Empty => unreachable!("a key that was found in the trie is not on its own path"),
            NodeKind::Leaf(slot) => {
                self.leaves.release(slot);
                NodeIndex::EMPTY
            }
            NodeKind::Branch(slot) => {
                let child = self.branches[slot].children[nibble(key, depth)];
                let child = self.remove_at(child, depth + 1, key);
                let branch = &mut self.branches[slot];
                branch.children[nibble(key, depth)] = child;
                branch.reference = NodeReference::UNKNOWN;
                let Some((position, only)) = branch.only_child() else { return node };
                self.branches.release(slot);
                self.pull_up(only, depth, position, key)
            }
            NodeKind::Extension(slot) => {
                let extension = &self.extensions[slot];
                let (child, end) = (extension.child, extension.end());
                let child = self.remove_at(child, end, key);
                match child.kind() {
                    NodeKind::Branch(_) => {
                        let extension = &mut self.extensions[slot];
                        extension.child = child;
                        extension.reference = NodeReference::UNKNOWN;
                        node
                    }
                    // The branch below is gone, and what took its place was told so by `pull_up`: it covers this path too.
                    NodeKind::Leaf(_) | NodeKind::Extension(_) => {
                        self.extensions.release(slot);
                        child
                    }
                    NodeKind::Empty => unreachable!("the branch below an extension lost both its children at once"),
                }
            }
        }
    }

    /// Lets `only`, the last child (at `position`) of a branch that stood at `depth` on the path of `key`, take the branch's
    /// place. Leaves and extensions just have a longer path there; a branch needs an extension of one nibble above it.
    fn pull_up(&mut self, only: NodeIndex, depth: usize, position: usize, key: &B256) -> NodeIndex {
        match only.kind() {
            NodeKind::Empty => unreachable!("the only child of a branch is empty"),
            NodeKind::Leaf(slot) => {
                self.leaves[slot].reference = NodeReference::UNKNOWN;
                only
            }
            NodeKind::Extension(slot) => {
                self.extensions[slot].reference = NodeReference::UNKNOWN;
                only
            }
            NodeKind::Branch(_) => self.new_extension(node::with_nibble(key, depth, position), depth + 1, only),
        }
    }

    fn new_leaf(&mut self, key: &B256, value: V) -> NodeIndex {
        NodeIndex::leaf(self.leaves.allocate(LeafNode { key: *key, reference: NodeReference::UNKNOWN, value }))
    }

    fn new_extension(&mut self, key: B256, end: usize, child: NodeIndex) -> NodeIndex {
        NodeIndex::extension(self.extensions.allocate(Extension::new(key, end, child)))
    }

    fn reference(&self, node: NodeIndex) -> &NodeReference {
        match node.kind() {
            NodeKind::Empty => &NodeReference::OF_NOTHING,
            NodeKind::Leaf(slot) => &self.leaves[slot].reference,
            NodeKind::Branch(slot) => &self.branches[slot].reference,
            NodeKind::Extension(slot) => &self.extensions[slot].reference,
        }
    }

    fn set_reference(&mut self, node: NodeIndex, reference: NodeReference) {
        match node.kind() {
            NodeKind::Empty => unreachable!("nothing has no place for a reference"),
            NodeKind::Leaf(slot) => self.leaves[slot].reference = reference,
            NodeKind::Branch(slot) => self.branches[slot].reference = reference,
            NodeKind::Extension(slot) => self.extensions[slot].reference = reference,
        }
    }
}

/// Buffers that one walk over many nodes uses again and again.
struct Scratch {
    node: Vec<u8>,
    value: Vec<u8>,
}

impl Scratch {
    fn new() -> Self {
        Self { node: Vec::with_capacity(NODE_BYTES_USUAL), value: Vec::new() }
    }
}

impl<V: Leaf> Trie<V> {
    /// The root hash. Costs one encoding and at most one Keccak-256 per node touched since it was last asked.
    pub(crate) fn root(&mut self) -> B256 {
        if self.is_empty() {
            return EMPTY_ROOT_HASH;
        }
        self.refresh(self.root, 0, &mut Scratch::new());
        // The 64 nibbles of a path take 32 bytes where they are written out and 17 for each branch between them.
        self.reference(self.root).hash().expect("a path of 64 nibbles does not fit into a node of 31 bytes")
    }

    /// The RLP of the nodes from the root down on the path of `key`, as in the answer of `eth_getProof` (EIP-1186): up to
    /// the leaf if the key is present, else up to the node that shows its absence; empty for an empty trie. Nodes that
    /// stand inside their parent are not listed on their own. Brings the root up to date first.
    pub(crate) fn proof(&mut self, key: &B256) -> Vec<Bytes> {
        let _root: B256 = self.root();
        let mut scratch = Scratch::new();
        let mut proof = Vec::new();
        let (mut node, mut depth) = (self.root, 0);
        while node != NodeIndex::EMPTY {
            if self.reference(node).hash().is_some() {
                self.encode(node, depth, &mut scratch);
                proof.push(Bytes::copy_from_slice(&scratch.node));
            }
            (node, depth) = self.step_down(node, depth, key);
        }
        proof
    }

    /// The next node on the path of `key` and its depth; nothing below a leaf, and nothing where the path parts from `key`.
    fn step_down(&self, node: NodeIndex, depth: usize, key: &B256) -> (NodeIndex, usize) {
        match node.kind() {
            NodeKind::Empty | NodeKind::Leaf(_) => (NodeIndex::EMPTY, depth),
            NodeKind::Branch(slot) => (self.branches[slot].children[nibble(key, depth)], depth + 1),
            NodeKind::Extension(slot) => {
                let extension = &self.extensions[slot];
                let end = extension.end();
                let is_on_path = first_difference(&extension.key, key, depth, end) == end;
                (if is_on_path { extension.child } else { NodeIndex::EMPTY }, end)
            }
        }
    }

    /// Makes the references of `node` and of all below it known, children first.
    fn refresh(&mut self, node: NodeIndex, depth: usize, scratch: &mut Scratch) {
        if self.reference(node).is_known() {
            return;
        }
        match node.kind() {
            NodeKind::Empty | NodeKind::Leaf(_) => {}
            NodeKind::Branch(slot) => {
                for child in self.branches[slot].children {
                    self.refresh(child, depth + 1, scratch);
                }
            }
            NodeKind::Extension(slot) => {
                let extension = &self.extensions[slot];
                self.refresh(extension.child, extension.end(), scratch);
            }
        }
        self.encode(node, depth, scratch);
        self.set_reference(node, NodeReference::of(&scratch.node));
    }

    /// Writes the RLP of a node, whose children's references are known, into `scratch.node`.
    fn encode(&self, node: NodeIndex, depth: usize, scratch: &mut Scratch) {
        let Scratch { node: out, value } = scratch;
        out.clear();
        match node.kind() {
            NodeKind::Empty => unreachable!("nothing has no encoding of its own"),
            NodeKind::Leaf(slot) => {
                let leaf = &self.leaves[slot];
                value.clear();
                leaf.value.encode_rlp(value);
                encode_leaf(&leaf.key, depth, value, out);
            }
            NodeKind::Branch(slot) => {
                encode_branch(&self.branches[slot].children.map(|child| self.reference(child)), out);
            }
            NodeKind::Extension(slot) => {
                let extension = &self.extensions[slot];
                encode_extension(&extension.key, depth, extension.end(), self.reference(extension.child), out);
            }
        }
    }
}
