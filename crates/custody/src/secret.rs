//! A private key in memory: wiped when dropped, never printed, used for one thing.

use std::fmt;

use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Signature, keccak256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use zeroize::Zeroizing;

/// Bytes of a private key.
pub(crate) const SECRET_BYTES: usize = 32;

/// The bytes are no private key of secp256k1: zero, or not below the curve's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no private key of secp256k1")]
pub struct NotAPrivateKey;

/// A private key and its address.
pub(crate) struct Secret {
    bytes: Zeroizing<[u8; SECRET_BYTES]>,
    address: Address,
}

impl Secret {
    pub(crate) fn new(bytes: Zeroizing<[u8; SECRET_BYTES]>) -> Result<Self, NotAPrivateKey> {
        let address = with_key(&bytes, |key| address_of(&PublicKey::from_secret_key(SECP256K1, key)))?;
        Ok(Self { bytes, address })
    }

    pub(crate) fn address(&self) -> Address {
        self.address
    }

    pub(crate) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.bytes
    }

    /// Signs the hash by RFC 6979, with a low `s`.
    ///
    /// # Panics
    ///
    /// If the signature has a high `s` or does not recover to the key's address: a fault of the machine or of the library,
    /// after which nothing that this process signs can be trusted.
    pub(crate) fn sign(&self, hash: B256) -> Signature {
        let message = Message::from_digest(hash.0);
        let signed = with_key(&self.bytes, |key| SECP256K1.sign_ecdsa_recoverable(message, key));
        let signed = signed.expect("the bytes were a private key when the secret was made");
        let (parity, compact) = signed.serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(parity) & 1 == 1);
        assert!(signature.normalize_s().is_none(), "a signature with a high s was about to leave custody");
        let recovered = recover_signer(&signature, hash).ok();
        assert_eq!(recovered, Some(self.address), "a signature does not recover to the address of its key");
        signature
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret(*** of {})", self.address)
    }
}

/// Lends the library its own form of the key and wipes that afterwards.
fn with_key<T>(bytes: &[u8; SECRET_BYTES], use_it: impl FnOnce(&SecretKey) -> T) -> Result<T, NotAPrivateKey> {
    let mut key = SecretKey::from_byte_array(*bytes).map_err(|_| NotAPrivateKey)?;
    let result = use_it(&key);
    key.non_secure_erase();
    Ok(result)
}

/// The last 20 bytes of the hash of the uncompressed point without its prefix (yellow paper, appendix F).
pub(crate) fn address_of(key: &PublicKey) -> Address {
    Address::from_slice(&keccak256(&key.serialize_uncompressed()[1..])[12..])
}
