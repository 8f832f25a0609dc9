//! The manifest: what a backup holds. Its bytes are a contract; `docs/journal-format.md` says what the fields mean.

use std::io::Read as _;
use std::path::Path;

use messages::{Hash, Position, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit::Head;

/// The most bytes of a manifest: some thousand stores.
pub const MANIFEST_BYTES_MAX: u64 = 1024 * 1024;

/// The manifest's name in its folder.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

const FORMAT: &str = "lastro.backup";
const VERSION: u32 = 1;

/// What stands in place of the checksum when it is made.
const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    format: String,
    version: u32,
    made_microseconds: i64,
    held_microseconds: u64,
    /// The stores, in the order of their names.
    pub stores: Vec<BackupStore>,
    /// The keys of persons, if they are part of it.
    pub persons: Option<BackupFile>,
    checksum: String,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupFile {
    /// Its name in the folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, as 64 hexadecimal digits.
    pub sha256: String,
}

/// A store of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupStore {
    /// Its name: letters, digits and `_`.
    pub name: String,
    store: String,
    position: u64,
    hash: String,
    /// How many rows its tables have.
    pub rows: u64,
    /// Its export.
    pub file: BackupFile,
}

impl Manifest {
    pub(super) fn new(
        made: Timestamp,
        held: std::time::Duration,
        stores: Vec<BackupStore>,
        persons: Option<BackupFile>,
    ) -> Self {
        let mut manifest = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            made_microseconds: made.micros(),
            held_microseconds: u64::try_from(held.as_micros()).unwrap_or(u64::MAX),
            stores,
            persons,
            checksum: NO_CHECKSUM.to_owned(),
        };
        manifest.checksum = hex(&Sha256::digest(manifest.encode()));
        manifest
    }

    /// When it was made.
    #[must_use]
    pub const fn made(&self) -> Timestamp {
        Timestamp::from_micros(self.made_microseconds)
    }

    /// For how many microseconds the appenders were held.
    #[must_use]
    pub const fn held_us(&self) -> u64 {
        self.held_microseconds
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // A structure of texts and numbers can always be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest; an error says what is wrong with it.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(folder.join(MANIFEST_FILE)).map_err(|error| error.to_string())?;
        let read = file.take(MANIFEST_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        if read as u64 > MANIFEST_BYTES_MAX {
            return Err(format!("it has more than {MANIFEST_BYTES_MAX} bytes"));
        }
        let manifest: Self = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        if manifest.format != FORMAT {
            return Err(format!("its format is `{}`, not `{FORMAT}`", manifest.format));
        }
        if manifest.version != VERSION {
            return Err(format!("it has version {}, this release reads version {VERSION}", manifest.version));
        }
        let unsigned = Self { checksum: NO_CHECKSUM.to_owned(), ..manifest.clone() };
        let checksum = hex(&Sha256::digest(unsigned.encode()));
        // Other spaces, or another order of fields, are not what was written either.
        if checksum != manifest.checksum || manifest.encode() != bytes {
            return Err(format!(
                "it was changed: its checksum is {}, and from it follows {checksum}",
                manifest.checksum
            ));
        }
        manifest.check_names()?;
        Ok(manifest)
    }

    /// Names of files come from a file that somebody may have written by hand: none may lead out of the folder.
    fn check_names(&self) -> Result<(), String> {
        for store in &self.stores {
            if !super::check_name(&store.name) || store.file.name != export_file(&store.name) {
                return Err(format!("`{}` in file `{}` is no store of a backup", store.name, store.file.name));
            }
            let _ = store.head().ok_or_else(|| format!("the head of `{}` is none", store.name))?;
        }
        match &self.persons {
            Some(file) if file.name != PERSONS_FILE => Err(format!("`{}` is no file of person keys", file.name)),
            _ => Ok(()),
        }
    }
}

/// The file of person keys.
pub(super) const PERSONS_FILE: &str = "persons.keys";

/// The file of a store.
pub(super) fn export_file(name: &str) -> String {
    format!("{name}.export")
}

impl BackupStore {
    pub(super) fn new(name: String, head: Head, rows: u64, file: BackupFile) -> Self {
        let (store, hash) = (head.store.to_string(), head.hash.to_string());
        Self { name, store, position: head.position.number(), hash, rows, file }
    }

    /// How far its log goes. It is there in every manifest that was read or made.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        let store = StoreId::new(self.store.parse::<uuid::Uuid>().ok()?);
        let hash = Hash::new(digits(&self.hash)?);
        Some(Head { store, position: Position::new(self.position), hash })
    }
}

impl BackupFile {
    /// What a file is.
    pub(super) fn of(folder: &Path, name: &str) -> std::io::Result<Self> {
        let mut file = std::fs::File::open(folder.join(name))?;
        let (mut hasher, mut buffer, mut bytes) = (Sha256::new(), vec![0; 1024 * 1024], 0);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            bytes += read as u64;
        }
        Ok(Self { name: name.to_owned(), bytes, sha256: hex(&hasher.finalize()) })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 32 bytes from 64 hexadecimal digits.
fn digits(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}
