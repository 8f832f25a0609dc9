//! The 64-bit hashes by which rows are looked up. An index on them stays small and in memory where one on texts does not.
//!
//! Two texts may share a hash. The indexes are therefore not unique, and whoever looks up compares the texts.

use sha2::{Digest as _, Sha256};

/// The first eight bytes of the SHA-256 over the parts, each with its length in front.
pub(crate) fn hash(parts: &[&str]) -> i64 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(first)
}
