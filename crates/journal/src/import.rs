//! Makes a store of an export: a logical backup brought back, or the way from SQLite to PostgreSQL and back.
//!
//! The store has the same identifier, the same log with the same hashes, and the same tables: a repeated command has its old
//! answer, timers fire once, consumers go on at their cursors. An export of the new store is the file it was made of, byte for
//! byte, but for the time at which it was made.
//!
//! Failure first: everything is verified while it is read, and one transaction holds all of it. A process that dies leaves a mark,
//! with which the place cannot be opened as a store ([`crate::OpenError::HalfImported`]); the import is then done again, from
//! the beginning. Whoever fails without dying leaves nothing.

mod rows;

use std::path::Path;

use messages::{Position, StoreId, TenantId, Timestamp};
use tokio::sync::mpsc::{self, Receiver};

use self::rows::{Target, target};
use crate::audit::{
    Head as AuditHead, OnProgress, Progress, ReadFileError, Scope, Verified, VerifiedPage, VerifyError, head_of,
    read_verified,
};
use crate::store::{
    FillError, Filling, Head, ImportMark, OpenError, PortableTable, StoreConfig, StoreError, journal_tables,
};

/// How many pages wait for being written: of about a megabyte each.
const QUEUE_PAGES_MAX: usize = 2;

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// The store, its last event and the hash there: compare it with what was anchored.
    pub head: AuditHead,
    /// How many events.
    pub events: u64,
    /// How many rows of tables.
    pub rows: u64,
    /// When the export was made.
    pub made: Timestamp,
}

/// A store was not imported. What was at the place before is still there, unless it was a store in which nothing was ever written.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is a store already. Name another place.
    #[error("`{place}` holds store {store} at place {position}: an import goes into an empty place")]
    NotEmpty {
        /// The place, without secrets.
        place: String,
        /// The store there.
        store: StoreId,
        /// How far its log goes.
        position: Position,
    },
    /// There is a table that is not an empty store's. Name another place: nothing that is there is dropped.
    #[error("`{place}` has table `{table}`, which is not that of an empty store")]
    InTheWay {
        /// The place, without secrets.
        place: String,
        /// The table.
        table: String,
    },
    /// The export is one tenant's part. Import the export of everything.
    #[error("the export is the part of tenant `{tenant}`: no store can be made of it")]
    Part {
        /// The tenant.
        tenant: TenantId,
    },
    /// The export does not begin with the first event.
    #[error("the export begins after place {after}, a store begins after place 0")]
    Begins {
        /// The place before its first event.
        after: Position,
    },
    /// The export has tables of a newer release, or of another service. Use the release that wrote it.
    #[error("the {what} of the export have version {found}, this release knows versions up to {known}")]
    Newer {
        /// `journal` or `state rows`.
        what: &'static str,
        /// The version found.
        found: i64,
        /// The newest version that is known.
        known: usize,
    },
    /// A table of the export is not one that the store has.
    #[error("table `{table}` of the export does not fit the store: {why}")]
    Table {
        /// The table.
        table: String,
        /// What does not fit.
        why: String,
    },
    /// A row of the export is not of its table's form.
    #[error("row {row} of table `{table}` of the export is wrong: {why}")]
    Row {
        /// The table.
        table: String,
        /// Which row, from 1.
        row: u64,
        /// What is wrong.
        why: String,
    },
    /// The export is wrong: the first wrong event or table is named.
    #[error("the export is not as it was written")]
    Verify(#[source] VerifyError),
    /// The operating system does not give the export. Whether it is right is not known.
    #[error("the export cannot be read")]
    Unreadable(#[source] ReadFileError),
    /// The place cannot be opened.
    #[error("the place to import into cannot be used")]
    Open(#[from] OpenError),
    /// The store cannot be written.
    #[error("the store cannot be written")]
    Store(#[from] StoreError),
    /// The caller broke it off.
    #[error("the import was broken off after {events} of {events_total} events")]
    BrokenOff {
        /// Events read.
        events: u64,
        /// Events to be read.
        events_total: u64,
    },
}

impl From<FillError> for ImportError {
    fn from(error: FillError) -> Self {
        match error {
            FillError::Open(error) => Self::Open(error),
            FillError::InTheWay { place, table } => Self::InTheWay { place, table },
            FillError::NotEmpty { store, id, position } => Self::NotEmpty { place: store, store: id, position },
        }
    }
}

impl From<VerifyError> for ImportError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::File(error @ ReadFileError::Io { .. }) => Self::Unreadable(error),
            error => Self::Verify(error),
        }
    }
}

impl From<ReadFileError> for ImportError {
    fn from(error: ReadFileError) -> Self {
        VerifyError::from(error).into()
    }
}

/// Makes a store of an export at the place that `config` names, with the service's own tables that `config` has. The place must be
/// empty: no store, or one in which nothing was ever written. Open the store afterwards as any other.
///
/// Memory is bounded by some pages of a megabyte, and about 50 bytes for each stream.
///
/// # Errors
///
/// See [`ImportError`].
///
/// # Cancel safety
///
/// If it is dropped, the place is marked as half made and cannot be opened until an import comes to its end. To leave nothing,
/// break it off by `on_progress`.
pub async fn import(path: &Path, config: &StoreConfig, on_progress: OnProgress) -> Result<Imported, ImportError> {
    import_marked(path, config, None, on_progress).await
}

/// As [`import`]; a mark keeps the store from being opened until it is released.
pub(crate) async fn import_marked(
    path: &Path,
    config: &StoreConfig,
    mark: Option<ImportMark>,
    on_progress: OnProgress,
) -> Result<Imported, ImportError> {
    let events_total = check_head(path)?;
    let filling = Filling::begin(config).await?;
    let (sender, pages) = mpsc::channel(QUEUE_PAGES_MAX);
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_verified(&path, &sender));
    let mut importing = Importing { filling, config, targets: journal_tables(), on_progress, events: 0, events_total };
    let filled = importing.fill(pages).await;
    let read = reading.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    let outcome = match (read, filled) {
        (Err(error), _) => Err(error.into()),
        (Ok(()), Err(error)) => Err(error),
        (Ok(()), Ok(verified)) => Ok(verified),
    };
    match outcome {
        Ok(verified) => {
            importing.filling.finish(&head(&verified), mark).await?;
            let Verified { report, trailer, made, .. } = verified;
            Ok(Imported { head: report.head, events: report.events, rows: trailer.rows, made })
        }
        Err(error) => {
            importing.filling.give_up().await;
            Err(error)
        }
    }
}

/// Refuses what is no whole store before anything is touched. Gives how many events it promises.
fn check_head(path: &Path) -> Result<u64, ImportError> {
    let head = head_of(path)?;
    match head.scope {
        Scope::Tenant(tenant) => Err(ImportError::Part { tenant }),
        Scope::Whole if head.after.position != Position::START => {
            Err(ImportError::Begins { after: head.after.position })
        }
        Scope::Whole => Ok(head.up_to.position.number()),
    }
}

/// The store's head. A store without events was recorded when its export was made: its first event comes later.
fn head(verified: &Verified) -> Head {
    let AuditHead { store, position, hash } = verified.report.head;
    let recorded = verified.recorded.unwrap_or(verified.made);
    Head { store, position, hash, recorded, published: verified.published }
}

struct Importing<'a> {
    filling: Filling,
    config: &'a StoreConfig,
    /// The tables that rows may go into.
    targets: Vec<PortableTable>,
    on_progress: OnProgress,
    events: u64,
    events_total: u64,
}

impl Importing<'_> {
    /// Writes pages until the end, which says that all was right.
    async fn fill(&mut self, mut pages: Receiver<VerifiedPage>) -> Result<Verified, ImportError> {
        let (mut into, mut seen): (Option<Target>, Vec<String>) = (None, Vec::new());
        while let Some(page) = pages.recv().await {
            match page {
                VerifiedPage::Events(events) => {
                    self.events += events.len() as u64;
                    self.filling.events(events).await?;
                }
                VerifiedPage::Table(exported) => {
                    if seen.contains(&exported.name) {
                        return Err(ImportError::Table {
                            table: exported.name,
                            why: "it stands there twice".to_owned(),
                        });
                    }
                    let found = self.targets.iter().find(|target| target.exported_name() == exported.name);
                    into = Some(target(found, &exported)?);
                    seen.push(exported.name);
                }
                VerifiedPage::Rows(rows) => match &mut into {
                    Some(target) if target.is_versions() => {
                        if let Some((rows, version)) = target.versions(&rows, self.config)? {
                            self.targets.extend(self.filling.make_state_tables(&rows, version).await?);
                        }
                    }
                    Some(target) => target.write(&mut self.filling, rows).await?,
                    None => panic!("rows were read before their table"),
                },
                VerifiedPage::End(verified) => {
                    self.check_all(&seen)?;
                    return Ok(*verified);
                }
            }
            self.tell()?;
        }
        // The reader ended without an end: its error is the one that counts.
        Err(ImportError::Store(StoreError::Closed))
    }

    /// A store has all of its tables, also those without rows.
    fn check_all(&self, seen: &[String]) -> Result<(), ImportError> {
        let mut names = self.targets.iter().map(PortableTable::exported_name);
        match names.find(|name| !seen.contains(name)) {
            Some(table) => Err(ImportError::Table { table, why: "it is missing".to_owned() }),
            None => Ok(()),
        }
    }

    fn tell(&mut self) -> Result<(), ImportError> {
        let Self { events, events_total, .. } = *self;
        if (self.on_progress)(Progress { events, events_total }).is_break() {
            return Err(ImportError::BrokenOff { events, events_total });
        }
        Ok(())
    }
}
