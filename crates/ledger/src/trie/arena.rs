//! A growing array of nodes of one kind, whose released slots are used again.

use std::ops::{Index, IndexMut};

use super::node::NODES_PER_KIND_MAX;

/// Place of a node in the arena of its kind; below [`NODES_PER_KIND_MAX`].
pub(super) type Slot = u32;

/// Nodes of one kind. A released slot keeps its old content until it is given out again.
#[derive(Clone)]
pub(super) struct Arena<T> {
    slots: Vec<T>,
    free: Vec<Slot>,
}

impl<T> Arena<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Number of slots that are in use.
    pub(super) fn live(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Bytes held from the allocator.
    #[cfg(test)]
    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<T>() + self.free.capacity() * size_of::<Slot>()
    }

    /// Stores a node and says where.
    ///
    /// # Panics
    /// If [`NODES_PER_KIND_MAX`] nodes are live.
    pub(super) fn allocate(&mut self, node: T) -> Slot {
        if let Some(slot) = self.free.pop() {
            self[slot] = node;
            return slot;
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot < NODES_PER_KIND_MAX);
        let slot = slot.expect("a trie cannot hold more than 2^30 nodes of one kind");
        self.slots.push(node);
        slot
    }

    /// Takes a slot back. Nobody may name it until it is given out again.
    pub(super) fn release(&mut self, slot: Slot) {
        self.free.push(slot);
    }
}

impl<T> Index<Slot> for Arena<T> {
    type Output = T;

    fn index(&self, slot: Slot) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> IndexMut<Slot> for Arena<T> {
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.slots[slot as usize]
    }
}
