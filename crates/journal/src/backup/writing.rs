//! Writing a cut into a folder.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use messages::Timestamp;

use super::cut::{Cut, Part, audit_head};
use super::manifest::{BackupFile, BackupStore, MANIFEST_FILE, Manifest, PERSONS_FILE, export_file};
use crate::audit::{ExportError, OnProgress, Scope, export_snapshot};
use crate::personal::{PersonKeys, RestoreError};

/// A backup was not written. There is no folder with its name, and the stores go on.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something under its name already. Name another folder.
    #[error("`{}` is there already, and is not empty", path.display())]
    There {
        /// The folder.
        path: PathBuf,
    },
    /// The folder's path does not end with a name, as `..` does not. Name the folder.
    #[error("`{}` ends with no name of a folder", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// Another process writes this backup, or one that wrote it died. If none does, remove the folder.
    #[error("`{}` is there: a backup that is being written, or did not come to its end", path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A store cannot be written.
    #[error("store `{name}` cannot be written")]
    Store {
        /// The store.
        name: String,
        /// Why not.
        source: ExportError,
    },
    /// The keys of persons cannot be written.
    #[error("the keys of persons cannot be written")]
    Persons(#[from] RestoreError),
}

/// Whether it can be a store's name in a backup: part of a file's name, and a schema's.
#[must_use]
pub fn check_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 40 && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_plain)
}

/// The folder under the name that it has until it is whole. Dropped before, it goes with all that is in it.
struct Partial {
    path: PathBuf,
    is_complete: bool,
}

impl Cut {
    /// Writes the backup into a folder that is not there yet, or is empty. The keys of persons are read after the cut: all persons
    /// of the cut are among them, and whoever was erased since is not.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, there is no folder.
    pub async fn write(
        self,
        folder: &Path,
        persons: Option<&PersonKeys>,
        made: Timestamp,
        on_progress: impl FnMut(&str) -> OnProgress,
    ) -> Result<Manifest, BackupError> {
        let mut on_progress = on_progress;
        let mut partial = Partial::make(folder)?;
        let held = self.held;
        let mut stores = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            let on_progress = on_progress(&part.name);
            stores.push(write_part(part, &partial.path, made, on_progress).await?);
        }
        stores.sort_by(|one, other| one.name.cmp(&other.name));
        let persons = match persons {
            None => None,
            Some(keys) => {
                keys.backup(&partial.path.join(PERSONS_FILE)).await?;
                Some(measured(&partial.path, PERSONS_FILE).await?)
            }
        };
        let manifest = Manifest::new(made, held, stores, persons);
        partial.complete(folder, &manifest)?;
        Ok(manifest)
    }
}

async fn write_part(
    mut part: Part,
    folder: &Path,
    made: Timestamp,
    on_progress: OnProgress,
) -> Result<BackupStore, BackupError> {
    let file = export_file(&part.name);
    let path = folder.join(&file);
    let exported = export_snapshot(&mut part.snapshot, &part.head, made, Scope::Whole, &path, on_progress).await;
    part.snapshot.close().await;
    let trailer = exported.map_err(|source| BackupError::Store { name: part.name.clone(), source })?;
    let file = measured(folder, &file).await?;
    Ok(BackupStore::new(part.name, audit_head(&part.head), trailer.rows, file))
}

/// Reads a file back: what is hashed is what is on disk.
async fn measured(folder: &Path, name: &str) -> Result<BackupFile, BackupError> {
    let (path, folder, name) = (folder.join(name), folder.to_owned(), name.to_owned());
    let measuring = tokio::task::spawn_blocking(move || BackupFile::of(&folder, &name));
    let measured = measuring.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    measured.map_err(|source| BackupError::Io { doing: "read back", path, source })
}

/// Refuses a folder that a backup cannot be written to, as [`Cut::write`] does: before anybody is held for it. Nothing is made.
///
/// # Errors
///
/// If it has no name, holds something, or cannot be looked into.
pub fn check_folder(folder: &Path) -> Result<(), BackupError> {
    let _ = partial_path(folder)?;
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(false) => Ok(()),
        Ok(true) => Err(BackupError::There { path: folder.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("look into", folder)(error)),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { doing, path, source }
}

/// Beside the folder, also if its path ends with `/`.
fn partial_path(folder: &Path) -> Result<PathBuf, BackupError> {
    let name = folder.file_name().ok_or_else(|| BackupError::NoName { path: folder.to_owned() })?;
    let mut partial = name.to_owned();
    partial.push(".partial");
    Ok(folder.with_file_name(partial))
}

impl Partial {
    fn make(folder: &Path) -> Result<Self, BackupError> {
        check_folder(folder)?;
        let path = partial_path(folder)?;
        match fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(BackupError::Unfinished { path }),
            Err(error) => return Err(failed("make", &path)(error)),
        }
        let partial = Self { path, is_complete: false };
        restrict(&partial.path).map_err(failed("restrict", &partial.path))?;
        Ok(partial)
    }

    /// Writes the manifest, brings everything to disk, and gives the folder its name.
    fn complete(&mut self, folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
        let path = self.path.join(MANIFEST_FILE);
        let written = (|| {
            let mut file = File::create(&path)?;
            file.write_all(&manifest.encode())?;
            file.sync_all()?;
            File::open(&self.path)?.sync_all()?;
            fs::rename(&self.path, folder)
        })();
        written.map_err(|source| BackupError::Io { doing: "finish", path: folder.to_owned(), source })?;
        self.is_complete = true;
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        synced.map_err(|source| BackupError::Io { doing: "sync the folder of", path: folder.to_owned(), source })
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_complete {
            // It was made here, and all in it is ours. What cannot be removed is named by the next backup.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// Nobody but the owner reads what everybody said.
fn restrict(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
