//! A store: where it is, how it is opened, and its handle.

mod backend;
mod beside;
mod filling;
mod hold;
mod others;
mod postgres;
mod rows;
mod schema;
mod snapshot;
mod sqlite;
mod step;
mod tables;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use messages::{Position, RecordedEvent, StoreId, StreamName, StreamVersion, TenantId, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use self::postgres::PostgresBackend;
use self::sqlite::SqliteBackend;

pub(crate) use self::backend::{
    Backend, Found, Group, GroupMark, Head, Newest, Rows, StreamKey, Stretch, Wanted, WriteError,
};
pub(crate) use self::beside::{Batch, Beside, Tables};
pub(crate) use self::filling::{FillError, Filling, INSERT_ROWS_MAX, Occupied, look, release};
pub(crate) use self::hold::{Hold, Holder};
pub(crate) use self::schema::{ImportMark, JOURNAL_VERSION};
pub(crate) use self::snapshot::Snapshot;
#[cfg(test)]
pub(crate) use self::step::Step;
pub(crate) use self::tables::{PortableTable, VERSIONS, journal_tables};
use crate::appender::{self, Answer, AppendError, Appender, Committed, KnownStreams, Submission};
use crate::clock::Clock;
use crate::cursor::Cursor;
use crate::entropy::Entropy;
use crate::group::Appended;
use crate::key::{KeyRecord, KeyScope};
use crate::limits::{PAGE_EVENTS_MAX, QUEUE_UNITS_MAX};
use crate::query::Value;
use crate::unit::{Parameter, Timer, UnitOfWork};

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file, which belongs to one process at a time.
    Sqlite {
        /// The file. It is made if it is not there; its folder must be.
        path: PathBuf,
    },
    /// A schema of a PostgreSQL database, which several processes may share.
    Postgres {
        /// How to connect, as in `postgres://user@host/database`. It may hold a password and is never printed.
        url: String,
        /// The schema, a name of lower-case letters, digits and `_`, made if it is not there.
        schema: String,
    },
}

impl Place {
    /// What a person would call it: the file's name without its ending, or the schema.
    #[must_use]
    pub fn short_name(&self) -> String {
        match self {
            Self::Sqlite { path } => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Postgres { schema, .. } => schema.clone(),
        }
    }

    /// A text by which places are put in one order by everybody. It may hold a password.
    pub(crate) fn order(&self) -> String {
        match self {
            Self::Sqlite { path } => path.display().to_string(),
            Self::Postgres { url, schema } => format!("{url} {schema}"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            Self::Postgres { schema, .. } => f.debug_struct("Postgres").field("schema", schema).finish_non_exhaustive(),
        }
    }
}

/// How much a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It survives loss of power.
    Full,
    /// It survives the end of the process alone. For simulations, whose thousands of lives would wait for the disk.
    ProcessOnly,
}

/// A table or index of a service's own state rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1 without gaps. What a number does never changes.
    pub version: i64,
    /// The statements, in the SQL that both stores understand, separated by `;`. BLOB columns are written `BYTEA`.
    pub sql: &'static str,
}

/// A service's own tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRows {
    /// Under which name a store keeps their version: a store of one service is not taken for another's.
    pub name: &'static str,
    /// How they are made, in order.
    pub migrations: &'static [Migration],
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where it is.
    pub place: Place,
    /// What tells the time.
    pub clock: Clock,
    /// Where random bytes come from.
    pub entropy: Entropy,
    /// What a commit promises.
    pub durability: Durability,
    /// How many connections read.
    pub readers_max: u32,
    /// How long an append is tried again while the database cannot be reached, before its caller is told.
    pub patience: Duration,
    /// The service's own state rows, or none. Whoever opens stores of any service names all that it knows: then a store has
    /// those that it was made with, and a new one none.
    pub state_rows: &'static [StateRows],
}

/// How long an append is tried again if nothing else is said: longer than a restart of PostgreSQL takes.
pub const PATIENCE: Duration = Duration::from_secs(30);

impl StoreConfig {
    /// The usual: system's clock and randomness, full durability, four readers, no state rows.
    #[must_use]
    pub const fn at(place: Place) -> Self {
        Self {
            place,
            clock: Clock::System,
            entropy: Entropy::System,
            durability: Durability::Full,
            readers_max: 4,
            patience: PATIENCE,
            state_rows: &[],
        }
    }
}

/// A store cannot be opened. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The lock file beside the store cannot be used.
    #[error(transparent)]
    Lock(process_lock::ProcessLockError),
    /// Another process has the store open. Stop it, or use another store.
    #[error("store `{}` is held by {holder}", path.display())]
    Held {
        /// The store.
        path: PathBuf,
        /// The process, as it wrote itself into the lock file.
        holder: process_lock::Holder,
    },
    /// The store was written by a newer release. Upgrade this one.
    #[error("{what} of store `{store}` has version {found}, this release knows versions up to {known}")]
    Newer {
        /// The store, without secrets.
        store: String,
        /// `journal` or `state rows`.
        what: &'static str,
        /// The version found.
        found: i64,
        /// The newest version that is known.
        known: i64,
    },
    /// The store is another service's. Name another.
    #[error("store `{store}` has the tables `{found}` of another service")]
    OtherService {
        /// The store, without secrets.
        store: String,
        /// The name of that service's tables.
        found: String,
    },
    /// What is there is no store, and is left as it is. Name another place.
    #[error("`{store}` is no store: it has a table `{table}` and no log")]
    NoStore {
        /// The place, without secrets.
        store: String,
        /// A table that is there.
        table: String,
    },
    /// An import into the store did not come to its end, or the restore that it is part of. Do it again: it begins anew.
    #[error("store `{store}` is half made: {} did not come to its end", if *is_filled { "the restore that it is part of" } else { "its import" })]
    HalfImported {
        /// The store, without secrets.
        store: String,
        /// Whether the store itself is whole, and only others of its backup are missing.
        is_filled: bool,
    },
    /// The schema's name is none.
    #[error(
        "`{schema}` is no name of a schema: it has 1 to 40 lower-case letters, digits and `_`, and begins with a letter"
    )]
    SchemaName {
        /// The name.
        schema: String,
    },
    /// The head row cannot be read, or is damaged.
    #[error("cannot read the head of store `{store}`")]
    Head {
        /// The store, without secrets.
        store: String,
        /// Why not.
        source: StoreError,
    },
    /// The database refused, or cannot be reached.
    #[error("cannot {doing} store `{store}`")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// The store, without secrets.
        store: String,
        /// Why not.
        source: sqlx::Error,
    },
}

/// The database refused, cannot be reached, or holds what it must not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused or cannot be reached.
    #[error("cannot {doing}")]
    Sql {
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: Arc<sqlx::Error>,
    },
    /// A row is not what was written: somebody changed the database. `lastro journal verify` finds the place.
    #[error("{what} at {place} is damaged: {why}")]
    Damaged {
        /// What was read.
        what: &'static str,
        /// Where: a position, a key's or a timer's name.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same may succeed later: the database could not be reached, was busy, restarting, or gave the transaction up.
    /// What is not transient is a bug, a full disk, or damage.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sql { source, .. } => rows::is_transient(source),
            Self::Damaged { .. } | Self::Closed => false,
        }
    }
}

/// A unit of work with a place in the queue. It is committed or refused whether or not somebody waits for it.
#[derive(Debug)]
pub struct Queued {
    answer: Answer,
}

impl Queued {
    /// Waits until the unit is committed.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; only [`AppendError::Unknown`] leaves open whether it was written.
    ///
    /// # Cancel safety
    ///
    /// The unit is committed or refused all the same.
    pub async fn committed(self) -> Result<Appended, AppendError> {
        appender::answered(self.answer).await
    }
}

/// A handle on a store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    backend: Arc<Backend>,
    queue: parking_lot::Mutex<Option<mpsc::Sender<Submission>>>,
    writer: parking_lot::Mutex<Option<JoinHandle<()>>>,
    /// Listens to other processes, once somebody follows the log.
    others: parking_lot::Mutex<Option<JoinHandle<()>>>,
    committed: watch::Sender<Committed>,
    clock: Clock,
    entropy: Entropy,
    id: StoreId,
    place: Place,
}

impl Store {
    /// Opens a store, makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// If it is held by another process, was written by a newer release, or the database refuses.
    pub async fn open(config: &StoreConfig) -> Result<Self, OpenError> {
        let (store, writer) = Self::open_with_writer(config).await?;
        *store.shared.writer.lock() = Some(tokio::spawn(writer));
        Ok(store)
    }

    /// Opens a store and hands out its writer, which whoever asked must poll. A simulation drops it at any await.
    pub(crate) async fn open_with_writer(
        config: &StoreConfig,
    ) -> Result<(Self, impl Future<Output = ()> + Send + 'static), OpenError> {
        let mut appender_id = [0; 16];
        config.entropy.fill(&mut appender_id);
        let backend = Arc::new(open_backend(config, appender_id).await?);
        let head = backend.head().await.map_err(|error| head_unread(config, error))?;
        let committed = watch::Sender::new(Committed { position: head.position, timer_changes: 0 });
        let (queue, submissions) = mpsc::channel(QUEUE_UNITS_MAX);
        let appender = Appender {
            backend: Arc::clone(&backend),
            clock: config.clock.clone(),
            entropy: config.entropy.clone(),
            patience: config.patience,
            committed: committed.clone(),
            group_number: 0,
            known: KnownStreams::default(),
        };
        let shared = Shared {
            backend,
            queue: parking_lot::Mutex::new(Some(queue)),
            writer: parking_lot::Mutex::new(None),
            others: parking_lot::Mutex::new(None),
            committed,
            clock: config.clock.clone(),
            entropy: config.entropy.clone(),
            id: head.store,
            place: config.place.clone(),
        };
        Ok((Self { shared: Arc::new(shared) }, appender.serve(submissions)))
    }

    /// Commits a unit of work.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; only [`AppendError::Unknown`] leaves open whether it was written.
    ///
    /// # Cancel safety
    ///
    /// A unit whose caller has gone is committed or refused all the same, unless it was still waiting for a place in the queue.
    pub async fn append(&self, unit: UnitOfWork) -> Result<Appended, AppendError> {
        self.enqueue(unit).await?.committed().await
    }

    /// Puts a unit of work in the queue. Its place there is its place among this process's units, so that whoever must keep an
    /// order need not wait for each commit.
    ///
    /// # Errors
    ///
    /// If the unit is over a limit, or the store is closed. Nothing will be written then.
    ///
    /// # Cancel safety
    ///
    /// A unit without a place in the queue yet is not written.
    pub async fn enqueue(&self, unit: UnitOfWork) -> Result<Queued, AppendError> {
        Ok(Queued { answer: self.submit(unit).await? })
    }

    /// The same, for whoever waits for the bare answer.
    pub(crate) async fn submit(&self, unit: UnitOfWork) -> Result<Answer, AppendError> {
        let (submission, answer) = Submission::new(unit, &self.shared.entropy)?;
        let queue = self.shared.queue.lock().clone();
        let queue = queue.ok_or(AppendError::Closed)?;
        queue.send(submission).await.map_err(|_| AppendError::Closed)?;
        Ok(answer)
    }

    /// Finishes what is waiting and closes the database. Other handles get [`AppendError::Closed`] from now on.
    pub async fn close(&self) {
        drop(self.shared.queue.lock().take());
        self.shared.stop_listening();
        let writer = self.shared.writer.lock().take();
        if let Some(writer) = writer {
            drop(writer.await);
        }
        self.shared.backend.close().await;
    }

    /// The store's identifier.
    #[must_use]
    pub fn id(&self) -> StoreId {
        self.shared.id
    }

    /// Where the store is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.shared.place
    }

    /// A group that waits for all others and keeps the next from beginning until it is given up.
    pub(crate) async fn begin_group(&self) -> Result<Group, StoreError> {
        self.shared.backend.begin().await
    }

    /// What tells the store's time.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Where the store's random bytes come from.
    #[must_use]
    pub fn entropy(&self) -> &Entropy {
        &self.shared.entropy
    }

    /// A new event's identifier.
    #[must_use]
    pub fn event_id(&self) -> messages::EventId {
        self.shared.entropy.event_id(self.shared.clock.now())
    }

    /// How far the log has come, and a wake-up whenever it goes on.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<Committed> {
        self.shared.committed.subscribe()
    }

    /// The same, of commits by other processes too, which are told some seconds late at most.
    #[must_use]
    pub fn committed_by_all(&self) -> watch::Receiver<Committed> {
        self.listen_to_others();
        self.committed()
    }

    /// The end of the log: a cursor that stands after its last event.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn head(&self) -> Result<Cursor, StoreError> {
        let head = self.shared.backend.head().await?;
        Ok(Cursor { store: head.store, position: head.position, hash: head.hash })
    }

    /// Events after a position, in order and without a gap, at most `limit` and [`PAGE_EVENTS_MAX`].
    ///
    /// # Errors
    ///
    /// If the database cannot be read, or an event in it is damaged.
    pub async fn events_after(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.shared.backend.events_after(after, limit.min(PAGE_EVENTS_MAX)).await
    }

    /// Published events after a position, in order, at most `limit` and [`PAGE_EVENTS_MAX`].
    ///
    /// # Errors
    ///
    /// If the database cannot be read, or an event in it is damaged.
    pub async fn published_after(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        self.shared.backend.published_after(after, limit.min(PAGE_EVENTS_MAX)).await
    }

    /// A stream's events after a version, in order, at most `limit` and [`PAGE_EVENTS_MAX`].
    ///
    /// # Errors
    ///
    /// If the database cannot be read, or an event in it is damaged.
    pub async fn stream_after(
        &self,
        tenant: &TenantId,
        stream: &StreamName,
        after: StreamVersion,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let key = StreamKey::new(tenant.clone(), stream.clone());
        self.shared.backend.stream_after(&key, after, limit.min(PAGE_EVENTS_MAX)).await
    }

    /// What is known of an idempotency key; `None` if it is free.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn key(&self, scope: &KeyScope) -> Result<Option<KeyRecord>, StoreError> {
        self.shared.backend.key(scope).await
    }

    /// Where a consumer stands; `None` if it never moved.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn cursor(&self, consumer: &str) -> Result<Option<Cursor>, StoreError> {
        self.shared.backend.cursor(consumer).await
    }

    /// Timers that are due at `now`, earliest first, at most `limit`.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Timer>, StoreError> {
        self.shared.backend.timers_due(now, limit).await
    }

    /// When the next timer is due; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.shared.backend.next_due().await
    }

    /// Rows of the service's own tables, by a query in the SQL that both stores understand. It must bound its rows itself, by a
    /// key or a `LIMIT`, and select BIGINT, TEXT and BYTEA alone.
    ///
    /// # Errors
    ///
    /// If the database cannot be read or refuses the query, or a column is of another type.
    pub async fn rows(&self, sql: &'static str, parameters: &[Parameter]) -> Result<Vec<Vec<Value>>, StoreError> {
        self.shared.backend.query(sql, parameters).await
    }

    /// Removes keys whose effect is final and that changed last before `before`, at most `limit`; gives how many.
    ///
    /// # Errors
    ///
    /// If the database refuses.
    pub async fn expire_keys(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.shared.backend.expire_keys(before, limit).await
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without a sender the writer finishes what waits and ends by itself; its task is not cut off.
        drop(self.queue.lock().take());
        self.stop_listening();
    }
}

async fn open_backend(config: &StoreConfig, appender_id: [u8; 16]) -> Result<Backend, OpenError> {
    Ok(match &config.place {
        Place::Sqlite { path } => Backend::Sqlite(Box::new(SqliteBackend::open(path, config, appender_id).await?)),
        Place::Postgres { url, schema } => {
            Backend::Postgres(Box::new(PostgresBackend::open(url, schema, config, appender_id).await?))
        }
    })
}

fn head_unread(config: &StoreConfig, error: StoreError) -> OpenError {
    let store = match &config.place {
        Place::Sqlite { path } => path.display().to_string(),
        Place::Postgres { schema, .. } => schema.clone(),
    };
    OpenError::Head { store, source: error }
}
