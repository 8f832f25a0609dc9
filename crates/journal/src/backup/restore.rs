//! Bringing a backup back, and trying that out.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use messages::StoreId;

use super::manifest::{BackupFile, BackupStore, Manifest};
use crate::audit::{
    ExportError, ExportReader, Head as AuditHead, OnProgress, ReadFileError, Scope, Source, VerifyError, VerifyOptions,
    export_place, verify,
};
use crate::import::{ImportError, Imported, import_marked};
use crate::personal::{Erasure, MasterKeySource, PersonKeys, PersonKeysConfig, PersonsBackedUp, RestoreError};
use crate::store::{
    Filling, ImportMark, Occupied, OpenError, Place, StateRows, StoreConfig, StoreError, look, release,
};

/// A backup whose manifest was read.
#[derive(Debug, Clone)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
}

/// What a drill has shown of a store: restored elsewhere it verifies, stands where the manifest says, and its own export is the
/// backup's file, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drilled {
    /// The store's name.
    pub name: String,
    /// Its head.
    pub head: AuditHead,
    /// Events that were verified.
    pub events: u64,
    /// Rows of its tables.
    pub rows: u64,
}

/// A backup was not restored. What was there before is still there, unless it was a store in which nothing was ever written.
#[derive(Debug, thiserror::Error)]
pub enum RestoreStoresError {
    /// The manifest is missing or damaged. Without it a backup is none; its exports can be imported one by one.
    #[error("the manifest in `{}` cannot be used: {why}", folder.display())]
    Manifest {
        /// The backup's folder.
        folder: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A file is missing, or not the one that the manifest names.
    #[error("`{name}` of the backup is not as it was written: {why}")]
    File {
        /// The file.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// An export is wrong in itself.
    #[error("store `{name}` of the backup does not verify")]
    Verify {
        /// The store.
        name: String,
        /// The first wrong event or table.
        source: VerifyError,
    },
    /// An export could not be verified to its end: it was broken off, or the machine was in the way. It may be right.
    #[error("store `{name}` of the backup was not verified to its end")]
    Unverified {
        /// The store.
        name: String,
        /// Why not.
        source: VerifyError,
    },
    /// An export is right in itself, and ends elsewhere than the manifest says.
    #[error("store `{name}` ends at {found}, the manifest says {expected}")]
    Head {
        /// The store.
        name: String,
        /// What the manifest says.
        expected: String,
        /// What the store says.
        found: String,
    },
    /// There are not as many places as stores, or one place is given twice.
    #[error("{places} different places are given for {stores} stores")]
    Places {
        /// How many places.
        places: usize,
        /// How many stores.
        stores: usize,
    },
    /// A store is there already. Nothing is overwritten: name other places.
    #[error("the place for store `{name}` holds store {found} already")]
    There {
        /// The store of the backup.
        name: String,
        /// The store that is there.
        found: StoreId,
    },
    /// A place has a table that is not an empty store's. Nothing is dropped: name other places.
    #[error("the place for store `{name}` has table `{table}`, which is not that of an empty store")]
    InTheWay {
        /// The store of the backup.
        name: String,
        /// The table.
        table: String,
    },
    /// A place cannot be looked at.
    #[error("the place for store `{name}` cannot be read")]
    Place {
        /// The store.
        name: String,
        /// Why not.
        source: StoreError,
    },
    /// A store cannot be made of its export.
    #[error("store `{name}` was not restored")]
    Import {
        /// The store.
        name: String,
        /// Why not.
        source: Box<ImportError>,
    },
    /// A store is whole and cannot be opened for use yet. Restore again: it goes on where it was.
    #[error("store `{name}` is restored, and still marked as half made")]
    Release {
        /// The store.
        name: String,
        /// Why.
        source: OpenError,
    },
    /// The backup has no keys of persons.
    #[error("the backup has no keys of persons")]
    NoPersons,
    /// The keys of persons cannot be read, or were not restored. Nothing of them is there.
    #[error("the keys of persons cannot be used")]
    Persons(#[from] RestoreError),
    /// What a drill restored cannot be exported again.
    #[error("store `{name}` was restored and cannot be exported again")]
    Export {
        /// The store.
        name: String,
        /// Why not.
        source: ExportError,
    },
    /// What a drill restored is another store than was backed up.
    #[error("store `{name}` is another one after it was restored: its export has the SHA-256 {found}, not {expected}")]
    Differs {
        /// The store.
        name: String,
        /// The backup's file.
        expected: String,
        /// The export of what was restored.
        found: String,
    },
}

impl Backup {
    /// Reads the manifest in a folder.
    ///
    /// # Errors
    ///
    /// If it is missing, damaged, or of a newer release.
    pub fn open(folder: &Path) -> Result<Self, RestoreStoresError> {
        let manifest = Manifest::read(folder);
        let manifest = manifest.map_err(|why| RestoreStoresError::Manifest { folder: folder.to_owned(), why })?;
        Ok(Self { folder: folder.to_owned(), manifest })
    }

    /// What it holds.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks every file against the manifest, every event and table, and every head. `on_progress` gives what is told of a store.
    ///
    /// # Errors
    ///
    /// The first file, event or table that is wrong.
    pub async fn verify(
        &self,
        workers: NonZeroUsize,
        mut on_progress: impl FnMut(&str) -> OnProgress,
    ) -> Result<(), RestoreStoresError> {
        for store in &self.manifest.stores {
            self.check_file(&store.file).await?;
            let options = VerifyOptions { anchors: Vec::new(), workers, on_progress: on_progress(&store.name) };
            let report = verify(Source::Export(self.folder.join(&store.file.name)), options).await;
            let report = report.map_err(|source| not_verified(&store.name, source))?;
            check_head(store, report.head)?;
        }
        match &self.manifest.persons {
            Some(file) => self.check_file(file).await,
            None => Ok(()),
        }
    }

    async fn check_file(&self, expected: &BackupFile) -> Result<(), RestoreStoresError> {
        let wrong = |why: String| RestoreStoresError::File { name: expected.name.clone(), why };
        let found =
            measured(self.folder.clone(), expected.name.clone()).await.map_err(|error| wrong(error.to_string()))?;
        if found.bytes != expected.bytes {
            return Err(wrong(format!("it has {} bytes, the manifest says {}", found.bytes, expected.bytes)));
        }
        if found.sha256 != expected.sha256 {
            return Err(wrong(format!("it has the SHA-256 {}, the manifest says {}", found.sha256, expected.sha256)));
        }
        Ok(())
    }

    /// Restores all stores, each into the place that `into` has at its index in the manifest. Everything is verified first, nothing
    /// is overwritten, and no store can be opened before all are there. If a restore died, the next one ends it.
    ///
    /// # Errors
    ///
    /// See [`RestoreStoresError`].
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, what was begun cannot be opened until a restore comes to its end. To leave nothing, break it off by
    /// `on_progress`.
    pub async fn restore(
        &self,
        into: &[StoreConfig],
        workers: NonZeroUsize,
        mut on_progress: impl FnMut(&str) -> OnProgress,
    ) -> Result<Vec<Imported>, RestoreStoresError> {
        self.check_places(into)?;
        self.verify(workers, &mut on_progress).await?;
        let is_there = self.look(into).await?;
        let mut restored = Vec::with_capacity(into.len());
        for ((store, config), is_there) in self.manifest.stores.iter().zip(into).zip(&is_there) {
            if *is_there {
                continue;
            }
            let path = self.folder.join(&store.file.name);
            match import_marked(&path, config, Some(ImportMark::Filled), on_progress(&store.name)).await {
                Ok(imported) => restored.push(imported),
                Err(source) => {
                    withdraw(into).await;
                    return Err(RestoreStoresError::Import { name: store.name.clone(), source: Box::new(source) });
                }
            }
        }
        for (store, config) in self.manifest.stores.iter().zip(into) {
            let released = release(config).await;
            released.map_err(|source| RestoreStoresError::Release { name: store.name.clone(), source })?;
        }
        Ok(restored)
    }

    fn check_places(&self, into: &[StoreConfig]) -> Result<(), RestoreStoresError> {
        let stores = self.manifest.stores.len();
        let is_twice =
            |index: usize, config: &StoreConfig| into[..index].iter().any(|other| other.place == config.place);
        let places = into.iter().enumerate().filter(|(index, config)| !is_twice(*index, config)).count();
        if places == stores && into.len() == stores {
            Ok(())
        } else {
            Err(RestoreStoresError::Places { places, stores })
        }
    }

    /// Which stores an earlier restore has left whole and open for use. Only a restore that died while it opened one after the
    /// other leaves some so and others marked; otherwise whatever is there is somebody's.
    async fn look(&self, into: &[StoreConfig]) -> Result<Vec<bool>, RestoreStoresError> {
        let mut found = Vec::with_capacity(into.len());
        for (store, config) in self.manifest.stores.iter().zip(into) {
            let occupied = look(config).await;
            found.push(occupied.map_err(|source| RestoreStoresError::Place { name: store.name.clone(), source })?);
        }
        let was_releasing = found.contains(&Occupied::Marked(ImportMark::Filled));
        let mut is_there = Vec::with_capacity(into.len());
        for (store, occupied) in self.manifest.stores.iter().zip(found) {
            is_there.push(match occupied {
                Occupied::Empty | Occupied::Marked(_) => false,
                Occupied::Store { cursor, .. } if was_releasing && store.head() == Some(cursor.into()) => true,
                Occupied::InTheWay { table } => {
                    return Err(RestoreStoresError::InTheWay { name: store.name.clone(), table });
                }
                Occupied::Store { id, .. } => {
                    return Err(RestoreStoresError::There { name: store.name.clone(), found: id });
                }
            });
        }
        Ok(is_there)
    }

    /// Refuses places that [`Self::restore`] would refuse, before anything else is done. Nothing is made.
    ///
    /// # Errors
    ///
    /// If they are not as many as stores, or hold something.
    pub async fn check_into(&self, into: &[StoreConfig]) -> Result<(), RestoreStoresError> {
        self.check_places(into)?;
        self.look(into).await.map(drop)
    }

    /// Who is in the keys of persons, if they are part of the backup; with a master key, every key is unwrapped too.
    ///
    /// # Errors
    ///
    /// If the file is not as it was written, or a key does not unwrap.
    pub async fn persons(
        &self,
        master: Option<MasterKeySource>,
    ) -> Result<Option<PersonsBackedUp>, RestoreStoresError> {
        let Some(file) = &self.manifest.persons else { return Ok(None) };
        self.check_file(file).await?;
        let path = self.folder.join(&file.name);
        let reading = tokio::task::spawn_blocking(move || PersonsBackedUp::read(&path, master.as_ref()));
        let read = reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Ok(read.map(Some)?)
    }

    /// Restores the keys of persons into an empty place, and erases again whom the register has erased since; see
    /// [`PersonKeys::restore`].
    ///
    /// # Errors
    ///
    /// If the backup has none, the file is not as it was written, or the place is not empty.
    pub async fn restore_persons(
        &self,
        config: &PersonKeysConfig,
        later: &[Erasure],
    ) -> Result<PersonKeys, RestoreStoresError> {
        let file = self.manifest.persons.as_ref().ok_or(RestoreStoresError::NoPersons)?;
        self.check_file(file).await?;
        Ok(PersonKeys::restore(config, &self.folder.join(&file.name), later).await?)
    }

    /// Restores the backup into an empty folder, verifies what was restored, and compares it with the manifest and, by an export of
    /// its own, with the backup's file. `state_rows` are the tables of all services that the stores may be of.
    ///
    /// # Errors
    ///
    /// The first thing that is not as it should be.
    pub async fn drill(
        &self,
        folder: &Path,
        state_rows: &'static [StateRows],
        workers: NonZeroUsize,
        mut on_progress: impl FnMut(&str) -> OnProgress,
    ) -> Result<Vec<Drilled>, RestoreStoresError> {
        let place = |store: &BackupStore| Place::Sqlite { path: folder.join(format!("{}.db", store.name)) };
        let config = |store| StoreConfig { state_rows, ..StoreConfig::at(place(store)) };
        let configs: Vec<StoreConfig> = self.manifest.stores.iter().map(config).collect();
        let _ = self.restore(&configs, workers, &mut on_progress).await?;
        let mut drilled = Vec::with_capacity(configs.len());
        for (store, config) in self.manifest.stores.iter().zip(&configs) {
            drilled.push(self.compare(store, config, folder, workers, &mut on_progress).await?);
        }
        Ok(drilled)
    }

    async fn compare(
        &self,
        store: &BackupStore,
        config: &StoreConfig,
        folder: &Path,
        workers: NonZeroUsize,
        on_progress: &mut impl FnMut(&str) -> OnProgress,
    ) -> Result<Drilled, RestoreStoresError> {
        let name = || store.name.clone();
        let options = VerifyOptions { anchors: Vec::new(), workers, on_progress: on_progress(&store.name) };
        let report = verify(Source::Store(config.place.clone()), options).await;
        let report = report.map_err(|source| not_verified(&store.name, source))?;
        check_head(store, report.head)?;
        let reader = ExportReader::open(&self.folder.join(&store.file.name));
        let unread = |error: ReadFileError| not_verified(&store.name, error.into());
        let made = reader.map_err(unread)?.head().made;
        let (file, again) = (format!("{}.again", store.file.name), folder.join(format!("{}.again", store.file.name)));
        let exported = export_place(&config.place, made, Scope::Whole, &again, on_progress(&store.name)).await;
        let trailer = exported.map_err(|source| RestoreStoresError::Export { name: name(), source })?;
        let found = measured(folder.to_owned(), file).await;
        let found = found.map_err(|error| RestoreStoresError::File { name: name(), why: error.to_string() })?;
        if found.sha256 != store.file.sha256 {
            let (expected, found) = (store.file.sha256.clone(), found.sha256);
            return Err(RestoreStoresError::Differs { name: name(), expected, found });
        }
        Ok(Drilled { name: name(), head: report.head, events: report.events, rows: trailer.rows })
    }
}

/// A store that is wrong is told from one of which nobody knows.
fn not_verified(name: &str, source: VerifyError) -> RestoreStoresError {
    let name = name.to_owned();
    match source {
        VerifyError::Event { .. } | VerifyError::End { .. } | VerifyError::AnchorBeyond { .. } => {
            RestoreStoresError::Verify { name, source }
        }
        VerifyError::BrokenOff { .. } | VerifyError::Store(_) | VerifyError::File(ReadFileError::Io { .. }) => {
            RestoreStoresError::Unverified { name, source }
        }
        VerifyError::File(_) => RestoreStoresError::Verify { name, source },
    }
}

fn check_head(store: &BackupStore, found: AuditHead) -> Result<(), RestoreStoresError> {
    let expected = store.head();
    if expected == Some(found) {
        return Ok(());
    }
    let expected = expected.map_or_else(|| "nothing".to_owned(), |head| head.to_string());
    Err(RestoreStoresError::Head { name: store.name.clone(), expected, found: found.to_string() })
}

/// Takes back what this restore has made: stores that are still marked.
async fn withdraw(into: &[StoreConfig]) {
    for config in into {
        if let Err(error) = Filling::discard(config).await {
            tracing::warn!(%error, "a store of a restore that failed is left behind, marked as half made");
        }
    }
}

async fn measured(folder: PathBuf, name: String) -> std::io::Result<BackupFile> {
    let measuring = tokio::task::spawn_blocking(move || BackupFile::of(&folder, &name));
    measuring.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
