//! XChaCha20-Poly1305 under keys that are wiped when they are dropped.

use std::fmt;

use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::aead::Payload;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use crate::entropy::Entropy;

pub(super) const KEY_BYTES: usize = 32;
pub(super) const NONCE_BYTES: usize = 24;
pub(super) const TAG_BYTES: usize = 16;

/// A key. It stays at its place on the heap, so that no copy is left behind when its owner moves.
pub(super) struct CipherKey(Box<Zeroizing<[u8; KEY_BYTES]>>);

/// The bytes do not open: another key, another place, or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DoesNotOpen;

impl CipherKey {
    /// Of zeros, to be filled at its place.
    pub(super) fn blank() -> Self {
        Self(Box::new(Zeroizing::new([0; KEY_BYTES])))
    }

    pub(super) fn random(entropy: &Entropy) -> Self {
        let mut key = Self::blank();
        entropy.fill(key.bytes_mut());
        key
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8; KEY_BYTES] {
        &mut self.0
    }

    /// Encrypts under a nonce that was never used with this key: a random one.
    ///
    /// # Panics
    ///
    /// If the text is longer than the cipher takes, 256 GiB.
    pub(super) fn encrypt(&self, nonce: &[u8; NONCE_BYTES], plain: &[u8], associated: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: associated };
        let encrypted = XChaCha20Poly1305::new((&**self.0).into()).encrypt(nonce.into(), payload);
        encrypted.expect("a text within our limits is far shorter than the cipher's longest")
    }

    pub(super) fn decrypt(
        &self,
        nonce: &[u8; NONCE_BYTES],
        encrypted: &[u8],
        associated: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let payload = Payload { msg: encrypted, aad: associated };
        let plain = XChaCha20Poly1305::new((&**self.0).into()).decrypt(nonce.into(), payload);
        plain.map(Zeroizing::new).map_err(|_| DoesNotOpen)
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vector of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
    #[test]
    fn the_cipher_is_the_one_of_the_draft() {
        let mut key = CipherKey::blank();
        for (byte, value) in key.bytes_mut().iter_mut().zip(0x80..) {
            *byte = value;
        }
        let nonce: [u8; NONCE_BYTES] = std::array::from_fn(|index| 0x40 + u8::try_from(index).unwrap());
        let associated = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
        let encrypted = key.encrypt(&nonce, plain, &associated);
        assert_eq!(encrypted[..4], [0xbd, 0x6d, 0x17, 0x9d]);
        let tag = [0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79, 0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49];
        assert_eq!(encrypted[plain.len()..], tag);
        assert_eq!(key.decrypt(&nonce, &encrypted, &associated).unwrap().as_slice(), plain);
    }
}
