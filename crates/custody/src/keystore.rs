//! Where keys rest.
//!
//! A [`KeystoreDirectory`] is a folder with one file `<label>.json` per key, in the form of the Web3 secret-storage definition,
//! version 3, with a member `lastro` that names label and purpose (readers of the definition ignore members they do not know).
//! Files are mode 0600, the folder is made with mode 0700; a file is written beside its name, synced, and linked to its name,
//! which fails if that is taken: half a key or a lost key cannot come of it.

mod v3;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;
use zeroize::Zeroizing;

pub use self::v3::{
    PBKDF2_ROUNDS_MAX, SCRYPT_MEMORY_BYTES_MAX, SCRYPT_PARALLELISM_MAX, ScryptCost, ScryptCostError, V3Error,
};
use crate::custody::KeyInfo;
use crate::key::{KeyLabel, Purpose};
use crate::passphrase::Passphrase;
use crate::secret::{SECRET_BYTES, Secret};
use crate::signer::Signer;
use crate::token::{Token, TokenError};

/// The longest keystore file, in bytes. Real ones have some 500 to 800.
pub const KEYSTORE_FILE_BYTES_MAX: usize = 64 * 1024;

/// Where keys rest. A variant whose keys never leave it signs by itself.
#[derive(Debug)]
pub enum KeyStore {
    /// Encrypted files in a folder. The passphrase of a key decrypts its file, and the key is in this process from then on.
    Directory(KeystoreDirectory),
    /// A hardware token. The passphrase is its PIN, the same for all its keys, and they stay there.
    Token(Token),
}

impl KeyStore {
    /// Opens the key, so that custody can sign with it.
    pub(crate) fn open_key(
        &self,
        label: &KeyLabel,
        passphrase: &Passphrase,
    ) -> Result<(Purpose, Signer), KeystoreError> {
        match self {
            Self::Directory(directory) => {
                directory.open_key(label, passphrase).map(|(purpose, secret)| (purpose, Signer::Process(secret)))
            }
            Self::Token(token) => {
                let opened = token.open_key(label, passphrase);
                let (purpose, key) = opened.map_err(|source| KeystoreError::Token { label: label.clone(), source })?;
                Ok((purpose, Signer::Token(key)))
            }
        }
    }
}

/// A folder of encrypted key files.
#[derive(Debug, Clone)]
pub struct KeystoreDirectory {
    path: PathBuf,
}

/// A key could not be made, read or listed.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The operating system refused. Nothing was changed.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is a key with this label, and keys are never overwritten.
    #[error("there is a key `{label}` in `{}` already", path.display())]
    LabelTaken {
        /// The label.
        label: KeyLabel,
        /// The folder.
        path: PathBuf,
    },
    /// There is no such key.
    #[error("there is no key `{label}` in `{}`", path.display())]
    NoSuchKey {
        /// The label.
        label: KeyLabel,
        /// The folder.
        path: PathBuf,
    },
    /// The file is longer than any keystore file.
    #[error("`{}` is longer than {max} bytes, so it is no keystore file", path.display(), max = KEYSTORE_FILE_BYTES_MAX)]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file is not in the form of the definition, or the passphrase is wrong.
    #[error("cannot use key file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: V3Error,
    },
    /// The file names another label than its own: it was renamed or exchanged by hand.
    #[error("key file `{}` says that it holds key `{found}`", path.display())]
    LabelDiffers {
        /// The file.
        path: PathBuf,
        /// The label in it.
        found: String,
    },
    /// The file has no label and purpose of ours. Import it.
    #[error("key file `{}` names no label and purpose, import it first", path.display())]
    NotImported {
        /// The file.
        path: PathBuf,
    },
    /// The token does not open the key. [`TokenError::next_step`] says who can mend it.
    #[error("cannot open key `{label}` of a token")]
    Token {
        /// The label.
        label: KeyLabel,
        /// Why not.
        source: TokenError,
    },
    /// The machine gave no random bytes.
    #[error("the system gave no random bytes")]
    Random {
        /// Why not.
        source: getrandom::Error,
    },
}

impl KeystoreDirectory {
    /// Uses the folder, and makes it (mode 0700) if it is not there.
    ///
    /// # Errors
    ///
    /// The folder can be neither found nor made.
    pub fn open(path: &Path) -> Result<Self, KeystoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| io_error("make the folder", path, source))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Makes a new key from the system's random bytes and stores it. It takes as long as `cost` says, some 0.4 s by default.
    ///
    /// # Errors
    ///
    /// The label is taken, or the file cannot be written; then there is no key.
    pub fn create_key(
        &self,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
        cost: ScryptCost,
    ) -> Result<KeyInfo, KeystoreError> {
        self.store(label, purpose, &random_secret()?, passphrase, cost)
    }

    /// Takes over a keystore file that another program wrote, under a label and purpose of ours, encrypted anew.
    ///
    /// # Errors
    ///
    /// The file cannot be read, the passphrase is wrong, or the label is taken.
    pub fn import(
        &self,
        file: &Path,
        label: &KeyLabel,
        purpose: Purpose,
        passphrase: &Passphrase,
        cost: ScryptCost,
    ) -> Result<KeyInfo, KeystoreError> {
        self.store(label, purpose, &open_file(file, passphrase)?, passphrase, cost)
    }

    /// The keys of the folder, by label, as their files say; nothing is decrypted. Files of other programs are left out: those
    /// that are not named as a key is, JSON without our member `lastro`, and what is longer than any key file.
    ///
    /// # Errors
    ///
    /// The folder or one of its files cannot be read, or a file of ours is broken. One that is named as a key is and is no JSON
    /// counts as ours: it may be a damaged key, and nobody would miss it in a list.
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeystoreError> {
        let entries = fs::read_dir(&self.path).map_err(|source| io_error("list", &self.path, source))?;
        let mut keys = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| io_error("list", &self.path, source))?.path();
            let Some(label) = label_of_file_name(&path).filter(|_| path.is_file()) else { continue };
            if let Some(ours) = read_if_ours(&path)? {
                keys.push(ours.info(&label, &path)?);
            }
        }
        keys.sort_by(|a, b| a.label.cmp(&b.label));
        Ok(keys)
    }

    /// Opens the key and lets it go again: shows that file and passphrase belong together.
    ///
    /// # Errors
    ///
    /// There is no such key, its file is broken, or the passphrase is wrong.
    pub fn check(&self, label: &KeyLabel, passphrase: &Passphrase) -> Result<KeyInfo, KeystoreError> {
        let (purpose, secret) = self.open_key(label, passphrase)?;
        Ok(KeyInfo { label: label.clone(), purpose, address: secret.address(), is_test_key: false })
    }

    fn open_key(&self, label: &KeyLabel, passphrase: &Passphrase) -> Result<(Purpose, Secret), KeystoreError> {
        let path = self.file_of(label);
        let parsed = match read_file(&path) {
            Err(KeystoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(KeystoreError::NoSuchKey { label: label.clone(), path: self.path.clone() });
            }
            other => other?,
        };
        let purpose = parsed.info(label, &path)?.purpose;
        let secret = parsed.decrypt(passphrase).map_err(|source| file_error(&path, source))?;
        Ok((purpose, secret))
    }

    fn store(
        &self,
        label: &KeyLabel,
        purpose: Purpose,
        secret: &Secret,
        passphrase: &Passphrase,
        cost: ScryptCost,
    ) -> Result<KeyInfo, KeystoreError> {
        let path = self.file_of(label);
        if path.exists() {
            return Err(KeystoreError::LabelTaken { label: label.clone(), path: self.path.clone() });
        }
        let mut random = v3::Randomness { salt: [0; 32], iv: [0; 16], id: Uuid::new_v4() };
        fill_random(&mut random.salt)?;
        fill_random(&mut random.iv)?;
        let sealed = v3::KeyFile::encrypt(secret, label, purpose, passphrase, cost, &random);
        self.write_new(label, &path, sealed.to_json().as_bytes())?;
        Ok(KeyInfo { label: label.clone(), purpose, address: secret.address(), is_test_key: false })
    }

    /// Writes the file whole under its name, or not at all: `link` refuses a name that is taken, also by a process that was
    /// quicker.
    fn write_new(&self, label: &KeyLabel, path: &Path, content: &[u8]) -> Result<(), KeystoreError> {
        let partial = self.path.join(format!(".{label}.{}.partial", Uuid::new_v4()));
        let written = write_synced(&partial, content);
        let linked = written.and_then(|()| match fs::hard_link(&partial, path) {
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
                Err(KeystoreError::LabelTaken { label: label.clone(), path: self.path.clone() })
            }
            other => other.map_err(|source| io_error("create", path, source)),
        });
        // The partial file is encrypted; if it cannot be removed, it is only untidy.
        drop(fs::remove_file(&partial));
        linked?;
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|source| io_error("sync", &self.path, source))
    }

    /// The file of the key with this label, whether there is one or not.
    #[must_use]
    pub fn file_of(&self, label: &KeyLabel) -> PathBuf {
        self.path.join(format!("{label}.json"))
    }
}

/// The secret in a keystore file of any program.
pub(crate) fn open_file(file: &Path, passphrase: &Passphrase) -> Result<Secret, KeystoreError> {
    read_file(file)?.decrypt(passphrase).map_err(|source| file_error(file, source))
}

fn write_synced(path: &Path, content: &[u8]) -> Result<(), KeystoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(|source| io_error("write", path, source))
}

fn read_file(path: &Path) -> Result<v3::KeyFile, KeystoreError> {
    v3::KeyFile::parse(&read_content(path)?).map_err(|source| file_error(path, source))
}

fn read_if_ours(path: &Path) -> Result<Option<v3::KeyFile>, KeystoreError> {
    let content = match read_content(path) {
        Err(KeystoreError::TooLong { .. }) => return Ok(None),
        other => other?,
    };
    v3::KeyFile::parse_if_ours(&content).map_err(|source| file_error(path, source))
}

fn read_content(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    let mut content = Vec::new();
    let limit = u64::try_from(KEYSTORE_FILE_BYTES_MAX + 1).expect("64 KiB fit in u64");
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content));
    let length = read.map_err(|source| io_error("read", path, source))?;
    if length > KEYSTORE_FILE_BYTES_MAX {
        return Err(KeystoreError::TooLong { path: path.to_owned() });
    }
    Ok(content)
}

fn label_of_file_name(path: &Path) -> Option<KeyLabel> {
    let name = path.file_name()?.to_str()?;
    KeyLabel::parse(name.strip_suffix(".json")?).ok()
}

fn random_secret() -> Result<Secret, KeystoreError> {
    // 32 random bytes are no key once in 2^128; the loop ends at the first that are.
    loop {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        fill_random(bytes.as_mut())?;
        if let Ok(secret) = Secret::new(bytes) {
            return Ok(secret);
        }
    }
}

fn fill_random(bytes: &mut [u8]) -> Result<(), KeystoreError> {
    getrandom::fill(bytes).map_err(|source| KeystoreError::Random { source })
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeystoreError {
    KeystoreError::Io { action, path: path.to_owned(), source }
}

fn file_error(path: &Path, source: V3Error) -> KeystoreError {
    KeystoreError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::custody::Custody;
    use crate::network::{Network, ProfileName};

    fn cheap() -> ScryptCost {
        ScryptCost::new(2, 8, 1).unwrap()
    }

    fn label(text: &str) -> KeyLabel {
        KeyLabel::parse(text).unwrap()
    }

    fn directory() -> (tempfile::TempDir, KeystoreDirectory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = KeystoreDirectory::open(&folder.path().join("keys")).unwrap();
        (folder, directory)
    }

    #[test]
    fn a_key_that_was_made_opens_with_its_passphrase_alone() {
        let (_folder, directory) = directory();
        let passphrase = Passphrase::of_text("correct horse");
        let made = directory.create_key(&label("bank"), Purpose::Transactions, &passphrase, cheap()).unwrap();
        let (purpose, secret) = directory.open_key(&label("bank"), &passphrase).unwrap();
        assert_eq!((purpose, secret.address()), (Purpose::Transactions, made.address));
        let refused = directory.open_key(&label("bank"), &Passphrase::of_text("wrong horse"));
        assert!(matches!(refused, Err(KeystoreError::File { source: V3Error::WrongPassphrase, .. })));
        assert_eq!(directory.list().unwrap(), vec![made]);
    }

    #[test]
    fn files_are_for_their_owner_alone_and_nothing_else_is_left() {
        let (_folder, directory) = directory();
        let _ = directory.create_key(&label("a"), Purpose::Statements, &Passphrase::of_text("x"), cheap()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory.file_of(&label("a"))), 0o600);
        assert_eq!(mode(&directory.path), 0o700);
        assert_eq!(fs::read_dir(&directory.path).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (_folder, directory) = directory();
        let passphrase = Passphrase::of_text("x");
        let first = directory.create_key(&label("a"), Purpose::Transactions, &passphrase, cheap()).unwrap();
        let again = directory.create_key(&label("a"), Purpose::Transactions, &passphrase, cheap());
        assert!(matches!(again, Err(KeystoreError::LabelTaken { .. })));
        let late = directory.write_new(&label("a"), &directory.file_of(&label("a")), b"{}");
        assert!(matches!(late, Err(KeystoreError::LabelTaken { .. })));
        assert_eq!(directory.open_key(&label("a"), &passphrase).unwrap().1.address(), first.address);
    }

    #[test]
    fn a_missing_renamed_or_oversized_file_is_named() {
        let (_folder, directory) = directory();
        let passphrase = Passphrase::of_text("x");
        let missing = directory.open_key(&label("a"), &passphrase);
        assert!(matches!(missing, Err(KeystoreError::NoSuchKey { .. })));
        let _ = directory.create_key(&label("a"), Purpose::Transactions, &passphrase, cheap()).unwrap();
        fs::rename(directory.file_of(&label("a")), directory.file_of(&label("b"))).unwrap();
        let renamed = directory.open_key(&label("b"), &passphrase);
        assert!(matches!(renamed, Err(KeystoreError::LabelDiffers { found, .. }) if found == "a"));
        fs::write(directory.file_of(&label("c")), vec![b' '; KEYSTORE_FILE_BYTES_MAX + 1]).unwrap();
        assert!(matches!(directory.open_key(&label("c"), &passphrase), Err(KeystoreError::TooLong { .. })));
    }

    #[test]
    fn a_file_of_another_program_is_opened_where_it_lies_and_leaves_no_copy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("UTC--foreign");
        fs::write(&file, v3::tests::SCRYPT_VECTOR).unwrap();
        let network = Network { profile: ProfileName::parse("besu-private").unwrap(), chain_id: 1337 };
        let mut custody = Custody::new(network);
        let mut open = |path: &Path, passphrase: &str| {
            custody.open_file(path, &label("foreign"), Purpose::Transactions, &Passphrase::of_text(passphrase))
        };
        assert!(matches!(
            open(&file, "wrong horse"),
            Err(KeystoreError::File { source: V3Error::WrongPassphrase, .. })
        ));
        assert!(matches!(open(&folder.path().join("absent"), "x"), Err(KeystoreError::Io { action: "read", .. })));
        assert_eq!(open(&file, "testpassword").unwrap(), v3::tests::VECTOR_ADDRESS);
        assert_eq!(custody.address(&label("foreign")).unwrap(), v3::tests::VECTOR_ADDRESS);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&file, vec![b' '; KEYSTORE_FILE_BYTES_MAX + 1]).unwrap();
        let long = custody.open_file(&file, &label("long"), Purpose::Transactions, &Passphrase::of_text("x"));
        assert!(matches!(long, Err(KeystoreError::TooLong { .. })));
    }

    #[test]
    fn a_list_leaves_out_files_of_other_programs() {
        let (_folder, directory) = directory();
        let made = directory.create_key(&label("a"), Purpose::Statements, &Passphrase::of_text("x"), cheap()).unwrap();
        let write = |name: &str, content: &[u8]| fs::write(directory.path.join(name), content).unwrap();
        write("package.json", br#"{ "name": "x", "version": "1.0.0" }"#);
        write("list.json", b"[1, 2]");
        write("geth.json", v3::tests::SCRYPT_VECTOR.as_bytes());
        write("package-lock.json", &[b' '; KEYSTORE_FILE_BYTES_MAX + 1]);
        write("UTC--2026.json", b"{");
        fs::create_dir(directory.path.join("folder.json")).unwrap();
        assert_eq!(directory.list().unwrap(), [made]);
    }

    #[test]
    fn a_list_names_a_broken_file_of_ours() {
        let (_folder, directory) = directory();
        let _ = directory.create_key(&label("a"), Purpose::Statements, &Passphrase::of_text("x"), cheap()).unwrap();
        let file = directory.file_of(&label("a"));
        let whole = fs::read_to_string(&file).unwrap();
        for broken in [&whole[..whole.len() / 2], &whole.replace("crypto", "crypt"), r#"{ "lastro": 1 }"#, ""] {
            fs::write(&file, broken).unwrap();
            let refused = directory.list();
            assert!(
                matches!(&refused, Err(KeystoreError::File { path, .. }) if *path == file),
                "{broken}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_file_of_another_program_is_imported_before_it_is_used() {
        let (folder, directory) = directory();
        let file = directory.file_of(&label("foreign"));
        fs::write(&file, v3::tests::SCRYPT_VECTOR).unwrap();
        let passphrase = Passphrase::of_text("testpassword");
        assert!(matches!(directory.open_key(&label("foreign"), &passphrase), Err(KeystoreError::NotImported { .. })));
        let moved = folder.path().join("UTC--foreign");
        fs::rename(&file, &moved).unwrap();
        let imported =
            directory.import(&moved, &label("foreign"), Purpose::Transactions, &passphrase, cheap()).unwrap();
        let (_, secret) = directory.open_key(&label("foreign"), &passphrase).unwrap();
        assert_eq!(secret.address(), imported.address);
        assert_eq!(secret.address(), v3::tests::VECTOR_ADDRESS);
    }
}
