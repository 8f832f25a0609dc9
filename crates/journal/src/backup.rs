//! Backups: one cut of all stores of a process, written as exports with a manifest, restored as they were.
//!
//! Appenders are held between two groups, a read snapshot is opened on each store, then they go on: no store is ahead of another.
//! An effect in one store that an event of another caused is in the cut with its cause. What is written afterwards, from the
//! snapshots, takes as long as it takes and holds nobody up.
//!
//! ```text
//! DIR/manifest.json     which stores, how far, and the SHA-256 of each file; written last
//! DIR/NAME.export       a store, as `docs/journal-format.md` says
//! DIR/persons.keys      the keys of persons: keep this file for a shorter time, and elsewhere
//! ```
//!
//! Failure first: a folder with that name is whole. It is written under another name and renamed when all of it is on disk. A
//! restore verifies everything before it touches anything, and no store of it can be opened before all are there.

mod cut;
mod manifest;
mod restore;
mod writing;

pub use self::cut::{Cut, CutError, HOLD_MAX};
pub use self::manifest::{BackupFile, BackupStore, MANIFEST_BYTES_MAX, Manifest};
pub use self::restore::{Backup, Drilled, RestoreStoresError};
pub use self::writing::{BackupError, check_folder, check_name};
