//! How far a consumer has read: which store, which place, and the hash of the event there.

use messages::{Hash, Position, StoreId, chain};

/// A place in the log of a store, which can be told from the same place of a store that was replaced or rewound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The store that is read.
    pub store: StoreId,
    /// The last event that was read.
    pub position: Position,
    /// Its hash.
    pub hash: Hash,
}

impl Cursor {
    /// Before the first event of a store.
    #[must_use]
    pub fn start(store: StoreId) -> Self {
        Self { store, position: Position::START, hash: chain::start(store) }
    }
}
