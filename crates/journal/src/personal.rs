//! Personal data (LGPD, Lei 13.709/2018): fields of payloads that can be made unreadable for good without touching the log.
//!
//! A field that says something of a person is a [`Personal`] in memory, which prints `***` and has no JSON of its own. Before it
//! goes into a payload it is *sealed* under a key of that person; the payload holds a [`Sealed`] text. The keys are in a database
//! of their own ([`PersonKeys`]), each wrapped by a master key that is not there. Erasing a person overwrites the wrapped key:
//! the log, its hash chain, exports and backups stay as they are, and every reader gets [`Opened::Erased`].
//!
//! # Why XChaCha20-Poly1305
//!
//! A person's key seals many values from several processes that share no counter, so nonces are drawn at random. With 24 bytes
//! that is safe for any number of values (draft-irtf-cfrg-xchacha-03, section 1); AES-GCM's 12 bytes allow 2^32 per key (NIST SP
//! 800-38D, section 8.3) and need an AES instruction to be free of timing differences.
//!
//! # What erasing reaches, and when
//!
//! * **At once**: the row in the database, and the key in this process's memory. Other processes forget it within
//!   [`KEY_KEPT_MAX`].
//! * **SQLite**: `secure_delete` overwrites what is freed, and the write-ahead log is brought into the file and cut to nothing
//!   before [`PersonKeys::erase`] answers. What the file system or the disk keeps of blocks that were given up is out of reach.
//! * **PostgreSQL**: the old row version goes with the `VACUUM` that follows, its bytes when the page is used again; the
//!   write-ahead log and its archive keep it for as long as they are kept.
//! * **Backups** of the keys hold the wrapped key until they are deleted: keep them for [`BACKUP_KEPT_DAYS_MAX`] days at most, and
//!   never together with the log's own backups.
//!
//! What is left anywhere is a *wrapped* key. [`PersonKeys::rotate`] wraps all living keys anew; once the old master key is
//! destroyed, nothing that was left behind can be unwrapped. Rotate at least as often as an erasure must be complete.

mod backup;
mod cache;
mod cipher;
mod database;
mod erasure;
mod errors;
mod field;
mod keys;
mod master;
mod rotation;
mod schema;
mod value;

pub use self::backup::{BACKUP_KEPT_DAYS_MAX, PersonsBackedUp};
pub use self::cache::{KEPT_KEYS_MAX, KEY_KEPT_MAX};
pub use self::erasure::{
    Erasure, ErasureRequest, LegalBasis, REFERENCE_BYTES_MAX, REQUESTER_BYTES_MAX, RegisterBroken,
};
pub use self::errors::{EraseError, KeysError, OpenKeysError, RestoreError, RotateError, SealError, UnsealError};
pub use self::field::Field;
pub use self::keys::{PersonKeys, PersonKeysConfig};
pub use self::master::{MasterKey, MasterKeyError, MasterKeyId, MasterKeySource};
pub use self::rotation::Rotation;
pub use self::value::{Opened, PLAIN_BYTES_MAX, PersonId, Personal, Sealed, SealedError};
