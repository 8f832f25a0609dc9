//! The node's key: it names the validator and signs committed seals. The platform's keys are `custody`'s, not ours.

use crate::extra_data::SEAL_BYTES;
use alloy_primitives::{Address, B256, hex, keccak256};
use secp256k1::{Message, SECP256K1, SecretKey, ecdsa};
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Only the owner reads a key file.
const KEY_FILE_MODE: u32 = 0o600;

/// A secp256k1 key in Besu's file form: 32 bytes in hexadecimal, with or without 0x.
#[derive(Clone)]
pub struct NodeKey {
    secret: SecretKey,
    address: Address,
}

/// A node key cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NodeKeyError {
    /// The file cannot be opened, read or written.
    #[error("cannot access the node key file `{}`", path.display())]
    Access {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content is no key. It is not repeated, since it may be most of one.
    #[error("`{}` does not hold a node key: 32 bytes in hexadecimal, not zero and below the curve's order", path.display())]
    Malformed {
        /// The key file.
        path: PathBuf,
    },
}

impl NodeKey {
    /// A new random key.
    ///
    /// # Panics
    /// If the system has no randomness: nothing safe could follow.
    pub fn generate() -> Self {
        loop {
            let mut bytes = [0_u8; 32];
            getrandom::fill(&mut bytes).expect("the system gives random bytes");
            // All but about 2^-128 of the values are keys.
            if let Ok(secret) = SecretKey::from_byte_array(bytes) {
                return Self::from_secret(secret);
            }
        }
    }

    fn from_secret(secret: SecretKey) -> Self {
        let public = secret.public_key(SECP256K1).serialize_uncompressed();
        Self { secret, address: Address::from_slice(&keccak256(&public[1..])[12..]) }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`NodeKeyError::Access`] if it cannot be read, [`NodeKeyError::Malformed`] if it holds no key.
    pub fn load(path: &Path) -> Result<Self, NodeKeyError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| NodeKeyError::Access { path: path.into(), source })?;
        let malformed = || NodeKeyError::Malformed { path: path.into() };
        let bytes = hex::decode(text.trim()).map_err(|_| malformed())?;
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| malformed())?;
        SecretKey::from_byte_array(bytes).map(Self::from_secret).map_err(|_| malformed())
    }

    /// Writes a new key file that only its owner can read.
    ///
    /// # Errors
    /// [`NodeKeyError::Access`], also if the file exists: a key is never overwritten.
    pub fn save_new(&self, path: &Path) -> Result<(), NodeKeyError> {
        let access = |source| NodeKeyError::Access { path: path.into(), source };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(KEY_FILE_MODE).open(path).map_err(access)?;
        let text = format!("0x{}\n", hex::encode(self.secret.secret_bytes()));
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(access)
    }

    /// The validator's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// A committed seal over `hash`: r, s (in the lower half of the order) and v as 0 or 1.
    pub fn seal(&self, hash: B256) -> [u8; SEAL_BYTES] {
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret);
        let (recovery, compact) = signature.serialize_compact();
        let mut seal = [0_u8; SEAL_BYTES];
        seal[..64].copy_from_slice(&compact);
        seal[64] = u8::from(i32::from(recovery) == 1);
        seal
    }
}

/// The address that made a seal over `hash`, or `None` where no key did.
pub fn recover_sealer(seal: &[u8; SEAL_BYTES], hash: B256) -> Option<Address> {
    let recovery = ecdsa::RecoveryId::try_from(i32::from(seal[64])).ok()?;
    let signature = ecdsa::RecoverableSignature::from_compact(&seal[..64], recovery).ok()?;
    let public = SECP256K1.recover_ecdsa(Message::from_digest(hash.0), &signature).ok()?.serialize_uncompressed();
    Some(Address::from_slice(&keccak256(&public[1..])[12..]))
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NodeKey").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_key_is_loaded_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = NodeKey::generate();
        key.save_new(&path).unwrap();
        assert_eq!(NodeKey::load(&path).unwrap().address(), key.address());
        assert!(matches!(key.save_new(&path), Err(NodeKeyError::Access { .. })));
    }

    #[test]
    fn a_malformed_key_file_is_not_repeated_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "0xdeadbeef").unwrap();
        let text = NodeKey::load(&path).unwrap_err().to_string();
        assert!(text.contains("does not hold a node key") && !text.contains("deadbeef"), "{text}");
    }

    #[test]
    fn a_seal_recovers_to_its_maker_and_debug_hides_the_secret() {
        let key = NodeKey::generate();
        let hash = keccak256(b"block");
        assert_eq!(recover_sealer(&key.seal(hash), hash), Some(key.address()));
        assert!(!format!("{key:?}").contains(&hex::encode(key.secret.secret_bytes())));
    }
}
