//! The audit chain, to the byte. `docs/journal-format.md` says the same for whoever writes a verifier.
//!
//! ```text
//! start         = SHA-256("lastro.journal.start.v1" ‖ store id)
//! payload_hash  = SHA-256(salt ‖ payload)
//! metadata_hash = SHA-256(salt ‖ metadata)
//! event_hash    = SHA-256("lastro.journal.event.v1" ‖ event_hash of the event before ‖ header ‖ metadata_hash ‖ payload_hash)
//! ```
//!
//! The salt is 16 random bytes per event: whoever sees only the hashes of another tenant's event cannot try out what it may have
//! said.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::header::Header;
use crate::ids::StoreId;

/// Stands in front of what the hash of a store's place 0 is made of.
pub const START_DOMAIN: &[u8; 23] = b"lastro.journal.start.v1";

/// Stands in front of what an event's hash is made of.
pub const EVENT_DOMAIN: &[u8; 23] = b"lastro.journal.event.v1";

/// Random bytes that an event's content is hashed with.
pub const SALT_BYTES: usize = 16;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Length in bytes.
    pub const BYTES: usize = 32;

    /// The hash that these bytes are.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The hash at place 0 of a store, before its first event.
#[must_use]
pub fn start(store: StoreId) -> Hash {
    sha256(&[START_DOMAIN, store.as_bytes()])
}

/// The hash of an event's payload or metadata, under its salt.
#[must_use]
pub fn content(salt: &[u8; SALT_BYTES], bytes: &[u8]) -> Hash {
    sha256(&[salt, bytes])
}

/// The hash of an event, given that of the event before it.
#[must_use]
pub fn event(previous: Hash, header: &Header, metadata: Hash, payload: Hash) -> Hash {
    sha256(&[EVENT_DOMAIN, previous.as_bytes(), &header.to_bytes(), metadata.as_bytes(), payload.as_bytes()])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Hash(hasher.finalize().into())
}
