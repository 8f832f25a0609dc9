//! The form of a key file: Web3 secret-storage definition, version 3.
//!
//! Source: <https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/>. Read are `scrypt` and
//! `pbkdf2` with `hmac-sha256`; written is `scrypt`. The cipher is `aes-128-ctr`, the mac keccak-256 of the derived key's bytes
//! 16 to 32 and the cipher text.

use std::path::Path;

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use alloy_primitives::{Address, hex, keccak256};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::KeystoreError;
use crate::custody::KeyInfo;
use crate::key::{KeyLabel, Purpose};
use crate::passphrase::Passphrase;
use crate::secret::{NotAPrivateKey, SECRET_BYTES, Secret};

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

const VERSION: u32 = 3;
const DERIVED_BYTES: usize = 32;
const MAC_BYTES: usize = 32;
const IV_BYTES: usize = 16;

/// The longest salt that is read, in bytes. The definition's examples have 32.
const SALT_BYTES_MAX: usize = 1024;

/// The most memory that a file can make the reader use: 128 · n · r bytes. geth writes 256 MiB at its strongest.
pub const SCRYPT_MEMORY_BYTES_MAX: u64 = 1 << 30;

/// The most that a file can multiply the reader's work by: scrypt's `p`. geth writes 1 or 6, the definition's example has 8.
pub const SCRYPT_PARALLELISM_MAX: u32 = 16;

/// The most rounds of PBKDF2 that a file can ask for, some seconds of work. The definition's example has 262,144.
pub const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

/// How much work and memory a guess at the passphrase costs: scrypt's parameters, within the bounds of this module.
///
/// ```
/// use custody::ScryptCost;
///
/// assert_eq!(ScryptCost::STANDARD, ScryptCost::new(1 << 17, 8, 1)?);
/// assert!(ScryptCost::new(1 << 30, 8, 1).is_err()); // would take a terabyte
/// # Ok::<(), custody::keystore::ScryptCostError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScryptCost {
    n: u64,
    r: u32,
    p: u32,
}

/// The parameters are out of bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScryptCostError {
    /// `n` is not a power of two above 1.
    #[error("scrypt n is {n}, not a power of two above 1")]
    NotAPowerOfTwo {
        /// The value.
        n: u64,
    },
    /// 128 · n · r bytes are more than the reader gives.
    #[error("scrypt with n {n} and r {r} takes more than {max} bytes of memory", max = SCRYPT_MEMORY_BYTES_MAX)]
    Memory {
        /// The value of `n`.
        n: u64,
        /// The value of `r`.
        r: u32,
    },
    /// `p` is zero or too large.
    #[error("scrypt p is {p}, not 1 to {max}", max = SCRYPT_PARALLELISM_MAX)]
    Parallelism {
        /// The value.
        p: u32,
    },
    /// scrypt itself does not allow the combination.
    #[error("scrypt does not allow n {n}, r {r}, p {p} together")]
    Combination {
        /// The value of `n`.
        n: u64,
        /// The value of `r`.
        r: u32,
        /// The value of `p`.
        p: u32,
    },
}

impl ScryptCost {
    /// 128 MiB and some 0.4 s per guess (OWASP password storage cheat sheet, scrypt: n = 2^17, r = 8, p = 1).
    pub const STANDARD: Self = Self { n: 1 << 17, r: 8, p: 1 };

    /// Takes scrypt's parameters: cost `n`, block size `r`, parallelism `p`.
    ///
    /// # Errors
    ///
    /// One of them, or the memory they need together, is out of bounds.
    pub fn new(n: u64, r: u32, p: u32) -> Result<Self, ScryptCostError> {
        if n < 2 || !n.is_power_of_two() {
            return Err(ScryptCostError::NotAPowerOfTwo { n });
        }
        let memory_bytes = n.checked_mul(u64::from(r)).and_then(|blocks| blocks.checked_mul(128));
        if memory_bytes.is_none_or(|bytes| bytes > SCRYPT_MEMORY_BYTES_MAX) {
            return Err(ScryptCostError::Memory { n, r });
        }
        if p == 0 || p > SCRYPT_PARALLELISM_MAX {
            return Err(ScryptCostError::Parallelism { p });
        }
        let cost = Self { n, r, p };
        cost.params().ok_or(ScryptCostError::Combination { n, r, p }).map(|_| cost)
    }

    fn params(self) -> Option<scrypt::Params> {
        scrypt::Params::new(u8::try_from(self.n.ilog2()).ok()?, self.r, self.p).ok()
    }
}

/// A key file does not give its key. None of the texts holds anything of the key or the passphrase.
#[derive(Debug, thiserror::Error)]
pub enum V3Error {
    /// It is no JSON object of the definition's form.
    #[error("it is not a version 3 secret-storage file")]
    Form {
        /// Where it differs.
        source: serde_json::Error,
    },
    /// Its version is another.
    #[error("its version is {found}, not {expected}", expected = VERSION)]
    Version {
        /// The version it names.
        found: u32,
    },
    /// A member's bytes are no hexadecimal text or not as many as they must be.
    #[error("its member `{member}` is not {expected} in hexadecimal")]
    Bytes {
        /// The member.
        member: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// Its cipher is another than `aes-128-ctr`.
    #[error("its cipher is `{found}`, not `aes-128-ctr`")]
    Cipher {
        /// The cipher it names.
        found: String,
    },
    /// Its pseudo-random function is another than `hmac-sha256`.
    #[error("its pbkdf2 function is `{found}`, not `hmac-sha256`")]
    Function {
        /// The function it names.
        found: String,
    },
    /// Its derived key is not 32 bytes long.
    #[error("its derived key is {found} bytes long, not {expected}", expected = DERIVED_BYTES)]
    DerivedLength {
        /// The length it names.
        found: u32,
    },
    /// It asks for more work or memory than the reader gives.
    #[error("it asks for a scrypt cost out of bounds")]
    Cost {
        /// Which bound.
        source: ScryptCostError,
    },
    /// It asks for no round of PBKDF2, or for too many.
    #[error("it asks for {found} rounds of pbkdf2, not 1 to {max}", max = PBKDF2_ROUNDS_MAX)]
    Rounds {
        /// The rounds it names.
        found: u32,
    },
    /// The mac does not match: the passphrase is wrong, or the file was changed.
    #[error("the passphrase is wrong, or the file was damaged")]
    WrongPassphrase,
    /// The mac matches and what it protects is no key.
    #[error("what it holds is no key")]
    NotAKey {
        /// What is wrong with it.
        source: NotAPrivateKey,
    },
    /// The key's address is not the one that the file names.
    #[error("it names address {named} and holds the key of {held}")]
    AddressDiffers {
        /// The address in the file.
        named: Address,
        /// The key's address.
        held: Address,
    },
}

/// Bytes that must never repeat, and the file's id.
pub(super) struct Randomness {
    pub(super) salt: [u8; 32],
    pub(super) iv: [u8; IV_BYTES],
    pub(super) id: Uuid,
}

/// A key file as parsed. All its members are public; what is secret is encrypted in `ciphertext`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeyFile {
    version: u32,
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lastro: Option<Ours>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ours {
    label: String,
    purpose: Purpose,
}

#[derive(Debug, Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    #[serde(flatten)]
    kdf: Kdf,
    mac: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Kdf {
    Scrypt { dklen: u32, n: u64, r: u32, p: u32, salt: String },
    Pbkdf2 { dklen: u32, c: u32, prf: String, salt: String },
}

impl KeyFile {
    pub(super) fn parse(content: &[u8]) -> Result<Self, V3Error> {
        let file: Self = serde_json::from_slice(content).map_err(|source| V3Error::Form { source })?;
        if file.version != VERSION {
            return Err(V3Error::Version { found: file.version });
        }
        Ok(file)
    }

    /// Parses JSON that has our member, whatever else is wrong with it; gives nothing for other JSON.
    pub(super) fn parse_if_ours(content: &[u8]) -> Result<Option<Self>, V3Error> {
        let value: serde_json::Value = serde_json::from_slice(content).map_err(|source| V3Error::Form { source })?;
        value.get("lastro").map(|_| Self::parse(content)).transpose()
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a key file is plain members and strings")
    }

    /// What the file says of its key without the passphrase.
    pub(super) fn info(&self, label: &KeyLabel, path: &Path) -> Result<KeyInfo, KeystoreError> {
        let Some(ours) = &self.lastro else {
            return Err(KeystoreError::NotImported { path: path.to_owned() });
        };
        if ours.label != label.as_str() {
            return Err(KeystoreError::LabelDiffers { path: path.to_owned(), found: ours.label.clone() });
        }
        let address = self.named_address().map_err(|source| super::file_error(path, source))?;
        let address = address.ok_or_else(|| KeystoreError::NotImported { path: path.to_owned() })?;
        Ok(KeyInfo { label: label.clone(), purpose: ours.purpose, address, is_test_key: false })
    }

    pub(super) fn encrypt(
        secret: &Secret,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
        cost: ScryptCost,
        random: &Randomness,
    ) -> Self {
        let derived = derive_scrypt(passphrase, &random.salt, cost);
        let mut text = *secret.bytes();
        apply_cipher(&derived, &random.iv, &mut text);
        let mac = mac_of(&derived, &text);
        let (ScryptCost { n, r, p }, dklen) = (cost, 32);
        Self {
            version: VERSION,
            id: random.id.to_string(),
            address: Some(hex::encode(secret.address())),
            crypto: Crypto {
                cipher: "aes-128-ctr".to_owned(),
                cipherparams: CipherParams { iv: hex::encode(random.iv) },
                ciphertext: hex::encode(text),
                kdf: Kdf::Scrypt { dklen, n, r, p, salt: hex::encode(random.salt) },
                mac: hex::encode(mac),
            },
            lastro: Some(Ours { label: label.as_str().to_owned(), purpose }),
        }
    }

    pub(super) fn decrypt(&self, passphrase: &Passphrase) -> Result<Secret, V3Error> {
        let crypto = &self.crypto;
        if crypto.cipher != "aes-128-ctr" {
            return Err(V3Error::Cipher { found: crypto.cipher.clone() });
        }
        let iv: [u8; IV_BYTES] = fixed_bytes(&crypto.cipherparams.iv, "iv", "16 bytes")?;
        let mac: [u8; MAC_BYTES] = fixed_bytes(&crypto.mac, "mac", "32 bytes")?;
        let text: [u8; SECRET_BYTES] = fixed_bytes(&crypto.ciphertext, "ciphertext", "32 bytes")?;
        let derived = crypto.kdf.derive(passphrase)?;
        if mac_of(&derived, &text) != mac {
            return Err(V3Error::WrongPassphrase);
        }
        let mut bytes = Zeroizing::new(text);
        apply_cipher(&derived, &iv, &mut bytes);
        let secret = Secret::new(bytes).map_err(|source| V3Error::NotAKey { source })?;
        match self.named_address()? {
            Some(named) if named != secret.address() => Err(V3Error::AddressDiffers { named, held: secret.address() }),
            _ => Ok(secret),
        }
    }

    fn named_address(&self) -> Result<Option<Address>, V3Error> {
        let named = self.address.as_ref().filter(|text| !text.is_empty());
        named.map(|text| fixed_bytes(text, "address", "20 bytes").map(Address::new)).transpose()
    }
}

impl Kdf {
    fn derive(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; DERIVED_BYTES]>, V3Error> {
        match self {
            Self::Scrypt { dklen, n, r, p, salt } => {
                check_length(*dklen)?;
                let cost = ScryptCost::new(*n, *r, *p).map_err(|source| V3Error::Cost { source })?;
                Ok(derive_scrypt(passphrase, &salt_bytes(salt)?, cost))
            }
            Self::Pbkdf2 { dklen, c, prf, salt } => {
                check_length(*dklen)?;
                if prf != "hmac-sha256" {
                    return Err(V3Error::Function { found: prf.clone() });
                }
                if *c == 0 || *c > PBKDF2_ROUNDS_MAX {
                    return Err(V3Error::Rounds { found: *c });
                }
                let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
                pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.as_bytes(), &salt_bytes(salt)?, *c, derived.as_mut());
                Ok(derived)
            }
        }
    }
}

fn check_length(found: u32) -> Result<(), V3Error> {
    let is_right = usize::try_from(found) == Ok(DERIVED_BYTES);
    if is_right { Ok(()) } else { Err(V3Error::DerivedLength { found }) }
}

fn derive_scrypt(passphrase: &Passphrase, salt: &[u8], cost: ScryptCost) -> Zeroizing<[u8; DERIVED_BYTES]> {
    let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
    let params = cost.params().expect("a cost is checked when it is made");
    scrypt::scrypt(passphrase.as_bytes(), salt, &params, derived.as_mut())
        .expect("32 bytes are a length scrypt allows");
    derived
}

/// Encrypts and decrypts: the counter mode is its own inverse. The key is the first half of the derived one.
fn apply_cipher(derived: &[u8; DERIVED_BYTES], iv: &[u8; IV_BYTES], text: &mut [u8; SECRET_BYTES]) {
    let mut key = Zeroizing::new([0_u8; 16]);
    key.copy_from_slice(&derived[..16]);
    Aes128Ctr::new(&(*key).into(), &(*iv).into()).apply_keystream(text);
}

fn mac_of(derived: &[u8; DERIVED_BYTES], text: &[u8; SECRET_BYTES]) -> [u8; MAC_BYTES] {
    let mut input = Zeroizing::new([0_u8; 16 + SECRET_BYTES]);
    input[..16].copy_from_slice(&derived[16..]);
    input[16..].copy_from_slice(text);
    keccak256(input.as_slice()).0
}

fn salt_bytes(text: &str) -> Result<Vec<u8>, V3Error> {
    let failed = V3Error::Bytes { member: "salt", expected: "1 to 1024 bytes" };
    match hex::decode(text) {
        Ok(salt) if (1..=SALT_BYTES_MAX).contains(&salt.len()) => Ok(salt),
        _ => Err(failed),
    }
}

fn fixed_bytes<const N: usize>(text: &str, member: &'static str, expected: &'static str) -> Result<[u8; N], V3Error> {
    hex::decode_to_array(text).map_err(|_| V3Error::Bytes { member, expected })
}

#[cfg(test)]
pub(super) mod tests {
    use alloy_primitives::address;
    use proptest::prelude::*;

    use super::*;

    /// The definition's example for scrypt; the passphrase is `testpassword`.
    pub(in crate::keystore) const SCRYPT_VECTOR: &str = r#"{ "crypto" : { "cipher" : "aes-128-ctr",
        "cipherparams" : { "iv" : "83dbcc02d8ccb40e466191a123791e0e" },
        "ciphertext" : "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c", "kdf" : "scrypt",
        "kdfparams" : { "dklen" : 32, "n" : 262144, "r" : 1, "p" : 8,
            "salt" : "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19" },
        "mac" : "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097" },
        "id" : "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version" : 3 }"#;

    /// The definition's example for pbkdf2, same passphrase, same key.
    const PBKDF2_VECTOR: &str = r#"{ "crypto" : { "cipher" : "aes-128-ctr",
        "cipherparams" : { "iv" : "6087dab2f9fdbbfaddc31a909735c1e6" },
        "ciphertext" : "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf" : "pbkdf2",
        "kdfparams" : { "c" : 262144, "dklen" : 32, "prf" : "hmac-sha256",
            "salt" : "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd" },
        "mac" : "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2" },
        "id" : "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version" : 3 }"#;

    const VECTOR_KEY: [u8; 32] = hex!("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d");
    pub(in crate::keystore) const VECTOR_ADDRESS: Address = address!("008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");

    fn open(content: &str, passphrase: &str) -> Result<Secret, V3Error> {
        KeyFile::parse(content.as_bytes())?.decrypt(&Passphrase::of_text(passphrase))
    }

    #[test]
    fn the_published_vectors_open() {
        for vector in [SCRYPT_VECTOR, PBKDF2_VECTOR] {
            let secret = open(vector, "testpassword").unwrap();
            assert_eq!(secret.bytes(), &VECTOR_KEY);
            assert_eq!(secret.address(), VECTOR_ADDRESS);
        }
    }

    #[test]
    fn a_wrong_passphrase_and_a_changed_file_are_refused() {
        assert!(matches!(open(PBKDF2_VECTOR, "testpasswore"), Err(V3Error::WrongPassphrase)));
        let changed = PBKDF2_VECTOR.replace("5318b4d5", "5318b4d6");
        assert!(matches!(open(&changed, "testpassword"), Err(V3Error::WrongPassphrase)));
    }

    #[test]
    fn a_hostile_file_gets_neither_memory_nor_time() {
        let refused = |from: &str, to: &str| open(&SCRYPT_VECTOR.replace(from, to), "x").unwrap_err();
        for n in ["1073741824", "18446744073709551615", "9223372036854775808", "0", "1", "262143"] {
            assert!(matches!(refused("262144", n), V3Error::Cost { .. }), "n {n}");
        }
        assert!(matches!(refused(r#""r" : 1"#, r#""r" : 4294967295"#), V3Error::Cost { .. }));
        assert!(matches!(refused(r#""r" : 1"#, r#""r" : 0"#), V3Error::Cost { .. }));
        assert!(matches!(refused(r#""p" : 8"#, r#""p" : 17"#), V3Error::Cost { .. }));
        assert!(matches!(refused(r#""p" : 8"#, r#""p" : 0"#), V3Error::Cost { .. }));
        assert!(matches!(refused(r#""dklen" : 32"#, r#""dklen" : 4000000000"#), V3Error::DerivedLength { .. }));
        let rounds = PBKDF2_VECTOR.replace("262144", "4294967295");
        assert!(matches!(open(&rounds, "x"), Err(V3Error::Rounds { .. })));
    }

    #[test]
    fn a_malformed_file_is_refused_with_its_member() {
        let refused = |from: &str, to: &str| open(&SCRYPT_VECTOR.replace(from, to), "x").unwrap_err();
        assert!(matches!(refused("aes-128-ctr", "aes-128-cbc"), V3Error::Cipher { .. }));
        assert!(matches!(refused("83dbcc02", "83dbcc"), V3Error::Bytes { member: "iv", .. }));
        assert!(matches!(refused("2103ac29", "zz03ac29"), V3Error::Bytes { member: "mac", .. }));
        assert!(matches!(refused("d172bf74", ""), V3Error::Bytes { member: "ciphertext", .. }));
        assert!(matches!(refused(r#""version" : 3"#, r#""version" : 1"#), V3Error::Version { found: 1 }));
        assert!(matches!(refused("scrypt", "argon2id"), V3Error::Form { .. }));
        assert!(matches!(open(&PBKDF2_VECTOR.replace("hmac-sha256", "hmac-sha1"), "x"), Err(V3Error::Function { .. })));
        assert!(matches!(open("", "x"), Err(V3Error::Form { .. })));
    }

    #[test]
    fn a_file_that_names_another_address_is_refused() {
        let named = PBKDF2_VECTOR
            .replace(r#""version""#, r#""address": "0000000000000000000000000000000000000001", "version""#);
        assert!(matches!(open(&named, "testpassword"), Err(V3Error::AddressDiffers { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read(key: [u8; 32], salt: [u8; 32], iv: [u8; 16], passphrase in ".{1,40}") {
            prop_assume!(Secret::new(Zeroizing::new(key)).is_ok());
            let secret = Secret::new(Zeroizing::new(key)).unwrap();
            let (label, cost) = (KeyLabel::parse("a").unwrap(), ScryptCost::new(4, 1, 1).unwrap());
            let (passphrase, random) = (Passphrase::of_text(&passphrase), Randomness { salt, iv, id: Uuid::nil() });
            let json = KeyFile::encrypt(&secret, &label, Purpose::Transactions, &passphrase, cost, &random).to_json();
            prop_assert!(!json.contains(&hex::encode(key)));
            let read = KeyFile::parse(json.as_bytes()).unwrap().decrypt(&passphrase).unwrap();
            prop_assert_eq!(read.bytes(), &key);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(content: Vec<u8>) {
            drop(KeyFile::parse(&content));
        }
    }
}
