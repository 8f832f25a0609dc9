//! The master key, which wraps the keys of persons. It is never in their database.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::cipher::{CipherKey, DoesNotOpen, KEY_BYTES, NONCE_BYTES, TAG_BYTES};
use super::value::PersonId;
use crate::entropy::Entropy;

/// Where a master key comes from.
///
/// A security module would be a second variant: wrapping and unwrapping are all that is asked of a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasterKeySource {
    /// A file with 32 bytes as 64 hexadecimal digits or as base64, that nobody but its owner may read.
    File {
        /// The file.
        path: PathBuf,
    },
}

/// A master key cannot be had. No error holds anything of the file's content.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    /// The file cannot be read.
    #[error("cannot read the master key `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Others may read the file. Take that right from them, and rotate the key: they may have it.
    #[error("the master key `{}` has mode {mode:03o}, others than its owner may use it; it must be 600 or 400", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file does not hold 32 bytes in one of the two forms.
    #[error("the master key `{}` is neither 64 hexadecimal digits nor 32 bytes as base64", path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
}

/// Which master key it is, without saying what it is: the first 16 bytes of a SHA-256 over a domain and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId([u8; 16]);

impl MasterKeyId {
    pub(super) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A master key in memory: wiped when dropped, never printed.
pub struct MasterKey {
    id: MasterKeyId,
    key: CipherKey,
}

/// Stands in front of what a master key's identifier is made of.
const ID_DOMAIN: &[u8] = b"lastro.personal.master.v1";

/// Stands in front of the associated data of wrapped keys.
const WRAP_DOMAIN: &[u8] = b"lastro.personal.wrapped.v1";

/// More than any form of 32 bytes has, with an end of line.
const FILE_BYTES_MAX: usize = 100;

/// Length of a wrapped key: nonce, key, tag.
pub(super) const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

impl MasterKey {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, others may read it, or it holds something else.
    pub fn load(source: &MasterKeySource) -> Result<Self, MasterKeyError> {
        let MasterKeySource::File { path } = source;
        let failed = |source| MasterKeyError::Io { path: path.clone(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The opened file is asked, not its name: between two looks the name may come to mean another.
            let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
            if mode & 0o177 != 0 {
                return Err(MasterKeyError::Open { path: path.clone(), mode });
            }
        }
        // With its full capacity from the start, the text is never copied to a longer place.
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX));
        let read = file.take(FILE_BYTES_MAX as u64).read_to_string(&mut text);
        let _ = read.map_err(|source| MasterKeyError::Io { path: path.clone(), source })?;
        let mut key = CipherKey::blank();
        let is_key = decode(text.trim(), key.bytes_mut());
        if is_key { Ok(Self::of(key)) } else { Err(MasterKeyError::Form { path: path.clone() }) }
    }

    fn of(key: CipherKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(ID_DOMAIN);
        hasher.update(key.bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        Self { id: MasterKeyId(id), key }
    }

    /// Which one it is.
    #[must_use]
    pub const fn id(&self) -> MasterKeyId {
        self.id
    }

    /// Wraps a person's key, bound to the person.
    pub(super) fn wrap(&self, person: PersonId, key: &CipherKey, entropy: &Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let wrapped = self.key.encrypt(&nonce, key.bytes(), &wrap_data(person));
        [nonce.as_slice(), &wrapped].concat()
    }

    pub(super) fn unwrap(&self, person: PersonId, wrapped: &[u8]) -> Result<CipherKey, DoesNotOpen> {
        let (nonce, encrypted) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
        let plain = self.key.decrypt(nonce, encrypted, &wrap_data(person))?;
        let mut key = CipherKey::blank();
        if plain.len() != KEY_BYTES {
            return Err(DoesNotOpen);
        }
        key.bytes_mut().copy_from_slice(&plain);
        Ok(key)
    }
}

fn wrap_data(person: PersonId) -> Vec<u8> {
    [WRAP_DOMAIN, person.as_bytes()].concat()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey(*** {})", self.id)
    }
}

/// Reads 64 hexadecimal digits or 32 bytes as base64 into `key`; says whether it was one of them.
fn decode(text: &str, key: &mut [u8; KEY_BYTES]) -> bool {
    if text.len() != 2 * KEY_BYTES {
        let decoded = STANDARD.decode(text).map(Zeroizing::new);
        return decoded.is_ok_and(|bytes| {
            bytes.len() == KEY_BYTES && {
                key.copy_from_slice(&bytes);
                true
            }
        });
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    for (byte, pair) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else { return false };
        *byte = high << 4 | low;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;

    fn loaded(folder: &Path, text: &str, mode: u32) -> Result<MasterKey, MasterKeyError> {
        let path = folder.join("master");
        drop(std::fs::remove_file(&path));
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        MasterKey::load(&MasterKeySource::File { path })
    }

    #[test]
    fn both_forms_give_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let hex = loaded(folder.path(), &format!("{}\n", "0a".repeat(32)), 0o600).unwrap();
        let base64 = loaded(folder.path(), &STANDARD.encode([0x0a; 32]), 0o400).unwrap();
        assert_eq!(hex.id(), base64.id());
        assert_eq!(format!("{hex:?}"), format!("MasterKey(*** {})", hex.id()));
    }

    #[test]
    fn a_file_that_others_read_or_that_is_no_key_is_refused_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o644, 0o640, 0o604, 0o660] {
            assert!(
                matches!(loaded(folder.path(), &"0a".repeat(32), mode), Err(MasterKeyError::Open { .. })),
                "{mode:o}"
            );
        }
        for text in ["", "secret", &"0g".repeat(32), &"0a".repeat(31), &"0a".repeat(60)] {
            let error = loaded(folder.path(), text, 0o600).unwrap_err();
            assert!(matches!(error, MasterKeyError::Form { .. }), "{error}");
            assert!(text.is_empty() || !format!("{error:?} {error}").contains(text));
        }
    }

    #[test]
    fn a_wrapped_key_opens_for_its_person_and_master_alone() {
        let entropy = Entropy::seeded(1);
        let [one, other] = [1, 2].map(|_| MasterKey::of(CipherKey::random(&entropy)));
        let (ana, rui) = (PersonId::from_bytes([1; 16]), PersonId::from_bytes([2; 16]));
        let key = CipherKey::random(&entropy);
        let wrapped = one.wrap(ana, &key, &entropy);
        assert_eq!(wrapped.len(), WRAPPED_BYTES);
        assert_eq!(one.unwrap(ana, &wrapped).unwrap().bytes(), key.bytes());
        assert!(one.unwrap(rui, &wrapped).is_err() && other.unwrap(ana, &wrapped).is_err());
        for place in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[place] ^= 1;
            assert!(one.unwrap(ana, &changed).is_err(), "byte {place}");
            assert!(one.unwrap(ana, &wrapped[..place]).is_err(), "cut to {place}");
        }
    }
}
