//! A store in a SQLite file, which belongs to one process.
//!
//! One connection writes, some read; the write-ahead log lets them do so at the same time. The writer's connection stays in its
//! slot. Whoever drops a group, or its future in the middle of a statement, leaves a transaction open there; whoever comes next
//! rolls it back, and opens the connection anew if that fails.

mod connection;
mod inserts;

use std::path::Path;
use std::sync::Arc;

use messages::{RecordedEvent, StoreId, Timestamp};
use process_lock::{ProcessLock, ProcessLockError};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub(super) use self::connection::filling_options;
use self::connection::{READER_WAIT_MAX, reader_options, writer_options};
pub(super) use self::inserts::write as write_rows;
use super::rows::{self, Connected, failed};
use super::schema::{self, Dialect};
use super::tables::SQLITE_CATALOGUE;
use super::{Found, GroupMark, Head, OpenError, Rows, StoreConfig, StoreError, Wanted, WriteError};

/// The store.
#[derive(Debug)]
pub(crate) struct SqliteBackend {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
    store: StoreId,
    appender_id: [u8; 16],
    /// Taken away when the store is closed, so that another process may open it.
    lock: parking_lot::Mutex<Option<ProcessLock>>,
}

/// The place of the one connection that writes.
#[derive(Debug)]
struct Writer {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    /// Whether a transaction may be open.
    is_open: bool,
    is_closed: bool,
}

/// A group's transaction.
#[derive(Debug)]
pub(crate) struct SqliteGroup {
    writer: OwnedMutexGuard<Writer>,
    head: Head,
    appender_id: [u8; 16],
}

/// What SQLite says in its own way.
pub(super) fn dialect() -> Dialect {
    Dialect { begin: "BEGIN IMMEDIATE".to_owned(), integer_key: "INTEGER" }
}

/// Takes the lock beside the store, or says who has it.
pub(super) fn take_lock(path: &Path) -> Result<ProcessLock, OpenError> {
    ProcessLock::take_beside(path).map_err(|error| match error {
        ProcessLockError::Held { holder, .. } => OpenError::Held { path: path.to_owned(), holder },
        unusable @ ProcessLockError::Io { .. } => OpenError::Lock(unusable),
    })
}

impl SqliteBackend {
    /// Opens the store, makes it if it is not there, and brings its tables up to date.
    pub(crate) async fn open(path: &Path, config: &StoreConfig, appender_id: [u8; 16]) -> Result<Self, OpenError> {
        let lock = take_lock(path)?;
        let store = path.display().to_string();
        let failed = |doing| schema::refused(doing, &store);
        let options = writer_options(path, config.durability);
        let mut connection = options.connect().await.map_err(failed("open"))?;
        let dialect = dialect();
        schema::migrate(&mut connection, &dialect, &SQLITE_CATALOGUE, &store, config).await?;
        schema::enter_appender(&mut connection, &appender_id, config.clock.now()).await.map_err(failed("enter"))?;
        let head = rows::head(&mut connection).await;
        let head = head.map_err(|error| failed("read the head of")(sqlx::Error::Decode(Box::new(error))))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(config.readers_max.max(1))
            .acquire_timeout(READER_WAIT_MAX)
            .test_before_acquire(false)
            .connect_lazy_with(reader_options(path, config.readers_max));
        let writer = Writer { options, connection: Some(connection), is_open: false, is_closed: false };
        let (writer, lock) = (Arc::new(Mutex::new(writer)), parking_lot::Mutex::new(Some(lock)));
        Ok(Self { writer, readers, store: head.store, appender_id, lock })
    }

    /// Begins a group.
    pub(crate) async fn begin(&self) -> Result<SqliteGroup, StoreError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let connection = writer.ready().await?;
        let begun = connection.execute("BEGIN IMMEDIATE", vec![]).await;
        if begun.is_err() {
            writer.is_open = false;
        }
        let _ = begun.map_err(failed("begin a group"))?;
        let head = match rows::head(writer.open_connection()?).await {
            Ok(head) if head.store == self.store => head,
            other => {
                writer.roll_back().await;
                return Err(other.map_or_else(|error| error, |_| rows::replaced()));
            }
        };
        Ok(SqliteGroup { writer, head, appender_id: self.appender_id })
    }

    /// The store's id, as it was when it was opened.
    pub(crate) const fn store(&self) -> StoreId {
        self.store
    }

    /// A connection to read with.
    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(failed("get a connection to read with"))
    }

    pub(crate) async fn expire_keys(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let expired = rows::expire_keys(writer.ready().await?, before, limit).await;
        // The statement was a transaction of its own.
        writer.is_open = false;
        expired
    }

    /// Closes the connections and gives the lock back.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        writer.is_closed = true;
        writer.disconnect().await;
        drop(self.lock.lock().take());
    }
}

impl Writer {
    /// The connection, without a transaction. From now on one may be open.
    async fn ready(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.is_closed {
            return Err(StoreError::Closed);
        }
        if self.is_open {
            self.roll_back().await;
        }
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await.map_err(failed("connect"))?);
        }
        self.is_open = true;
        self.open_connection()
    }

    fn open_connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::Closed)
    }

    /// Rolls back; if that fails, for instance because there is no transaction, the connection is closed, which does so too.
    async fn roll_back(&mut self) {
        if let Some(connection) = &mut self.connection
            && connection.execute("ROLLBACK", vec![]).await.is_err()
        {
            self.disconnect().await;
        }
        self.is_open = false;
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.close().await);
        }
        self.is_open = false;
    }
}

impl SqliteGroup {
    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) async fn find(&mut self, wanted: &Wanted) -> Result<Found, StoreError> {
        rows::find(self.writer.open_connection()?, wanted).await
    }

    pub(crate) async fn write_events(&mut self, events: &[RecordedEvent]) -> Result<(), WriteError> {
        let connection = self.writer.open_connection().map_err(WriteError::Store)?;
        inserts::write_events(connection, events).await.map_err(WriteError::Store)
    }

    pub(crate) async fn write(&mut self, rows: &Rows, head: &Head, mark: GroupMark) -> Result<(), WriteError> {
        let connection = self.writer.open_connection().map_err(WriteError::Store)?;
        rows::run_statements(connection, &rows.statements).await?;
        inserts::write(connection, rows).await.map_err(WriteError::Store)?;
        rows::store_cursors(connection, &rows.cursors).await.map_err(WriteError::Store)?;
        rows::move_head(connection, head, &self.appender_id, mark).await.map_err(WriteError::Store)
    }

    pub(crate) async fn last_group_number(&mut self) -> Result<u64, StoreError> {
        rows::last_group_number(self.writer.open_connection()?, &self.appender_id).await
    }

    /// Commits. If that fails the transaction stays open until the next group begins.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = self.writer.open_connection()?.execute("COMMIT", vec![]).await;
        let _ = committed.map_err(failed("commit a group"))?;
        self.writer.is_open = false;
        Ok(())
    }

    pub(crate) async fn give_up(mut self) {
        self.writer.roll_back().await;
    }
}
