//! A head: which store, how far, and the hash that covers everything up to there. What is anchored.

use std::fmt;

use messages::{Hash, Position, StoreId};

use crate::cursor::Cursor;

/// The place of a store's log and the hash of its event there.
///
/// Whoever keeps a head where the store's owner cannot change it (on a ledger, with an auditor) can prove later whether the log
/// up to there is still the same. The fields are those that an anchor on a ledger takes: `bytes16 store`, `uint64 position`,
/// `bytes32 hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// The store.
    pub store: StoreId,
    /// The place.
    pub position: Position,
    /// The hash of the event there; [`messages::chain::start`] at place 0.
    pub hash: Hash,
}

impl Head {
    /// Length of [`Self::to_bytes`]: store 16, position 8, hash 32.
    pub const BYTES: usize = 56;

    /// Its bytes, the same for ever: store, position (big-endian), hash, as `abi.encodePacked` gives them.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(self.store.as_bytes());
        bytes[16..24].copy_from_slice(&self.position.number().to_be_bytes());
        bytes[24..].copy_from_slice(self.hash.as_bytes());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let (mut store, mut position, mut hash) = ([0; 16], [0; 8], [0; Hash::BYTES]);
        store.copy_from_slice(&bytes[..16]);
        position.copy_from_slice(&bytes[16..24]);
        hash.copy_from_slice(&bytes[24..]);
        let position = Position::new(u64::from_be_bytes(position));
        Self { store: StoreId::from_bytes(store), position, hash: Hash::new(hash) }
    }
}

impl From<Cursor> for Head {
    fn from(cursor: Cursor) -> Self {
        Self { store: cursor.store, position: cursor.position, hash: cursor.hash }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} of {}", self.hash, self.position, self.store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_the_same_bytes_for_ever() {
        let head =
            Head { store: StoreId::from_bytes([1; 16]), position: Position::new(0x0203), hash: Hash::new([4; 32]) };
        let bytes = [&[1; 16][..], &[0, 0, 0, 0, 0, 0, 2, 3], &[4; 32]].concat();
        assert_eq!(head.to_bytes().as_slice(), bytes);
        assert_eq!(Head::from_bytes(&head.to_bytes()), head);
    }
}
