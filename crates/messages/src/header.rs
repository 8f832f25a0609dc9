//! The fixed part of an event that the hash chain covers and that even another tenant's export shows.

use crate::ids::{EventId, Position, StoreId};
use crate::time::Timestamp;

/// Whether an event leaves its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It stays in its service.
    Private,
    /// Others read it. It names the published event before it, so that a consumer knows a gap from a private event.
    Published {
        /// The place of the published event before this, or [`Position::START`].
        previous: Position,
    },
}

/// Place, identity and time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The store that recorded it.
    pub store: StoreId,
    /// Its place there.
    pub position: Position,
    /// Its identifier.
    pub event: EventId,
    /// When the store recorded it: the store's clock, never before its predecessor's time.
    pub recorded: Timestamp,
    /// Whether it leaves the store.
    pub visibility: Visibility,
}

/// What stands for [`Visibility::Private`] in the place of a position: no position is so high.
const PRIVATE: u64 = u64::MAX;

impl Header {
    /// Length of [`Self::to_bytes`]: store 16, position 8, event 16, time 8, previous published 8.
    pub const BYTES: usize = 56;

    /// Its bytes, as they are hashed and stored: integers are big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let previous = match self.visibility {
            Visibility::Private => PRIVATE,
            Visibility::Published { previous } => previous.number(),
        };
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(self.store.as_bytes());
        bytes[16..24].copy_from_slice(&self.position.number().to_be_bytes());
        bytes[24..40].copy_from_slice(self.event.as_bytes());
        bytes[40..48].copy_from_slice(&self.recorded.micros().to_be_bytes());
        bytes[48..].copy_from_slice(&previous.to_be_bytes());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let visibility = match u64::from_be_bytes(array(&bytes[48..])) {
            PRIVATE => Visibility::Private,
            previous => Visibility::Published { previous: Position::new(previous) },
        };
        Self {
            store: StoreId::from_bytes(array(&bytes[..16])),
            position: Position::new(u64::from_be_bytes(array(&bytes[16..24]))),
            event: EventId::from_bytes(array(&bytes[24..40])),
            recorded: Timestamp::from_micros(i64::from_be_bytes(array(&bytes[40..48]))),
            visibility,
        }
    }
}

/// The slice as an array. Callers slice constant ranges of an array, so that the length is right.
fn array<const N: usize>(slice: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(slice);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_header_and_come_back(bytes in any::<[[u8; 28]; 2]>()) {
            let bytes: [u8; Header::BYTES] = bytes.concat().try_into().unwrap();
            prop_assert_eq!(Header::from_bytes(&bytes).to_bytes(), bytes);
        }
    }
}
