//! A private key in memory: wiped when dropped, never printed, used for one thing.

use std::fmt;

use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
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
        let signature = signature_of(&signed);
        assert!(signature.normalize_s().is_none(), "a signature with a high s was about to leave custody");
        let recovered = SECP256K1.recover_ecdsa(message, &signed).map(|key| address_of(&key));
        assert_eq!(recovered, Ok(self.address), "a signature does not recover to the address of its key");
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

pub(crate) fn signature_of(signed: &RecoverableSignature) -> Signature {
    let (parity, compact) = signed.serialize_compact();
    let (r, s) = compact.split_at(32);
    Signature::new(U256::from_be_slice(r), U256::from_be_slice(s), i32::from(parity) & 1 == 1)
}

/// Who signed the hash; none if the numbers are no signature.
pub(crate) fn recover(hash: B256, signature: &Signature) -> Option<Address> {
    let compact = [signature.r().to_be_bytes::<32>(), signature.s().to_be_bytes::<32>()].concat();
    let id = if signature.v() { RecoveryId::One } else { RecoveryId::Zero };
    let signed = RecoverableSignature::from_compact(&compact, id).ok()?;
    SECP256K1.recover_ecdsa(Message::from_digest(hash.0), &signed).ok().map(|key| address_of(&key))
}
