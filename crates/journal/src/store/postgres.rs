//! A store in a schema of a PostgreSQL database, which several processes may share.
//!
//! One connection writes this process's groups, some read. A group begins by locking the head row, and so waits for the groups
//! of other processes; what it reads afterwards includes all that they committed. The writer's connection is in its slot between
//! groups only: a group that is dropped, or fails for another reason than a unit's statement, takes its connection with it, the
//! server rolls back, and the next group connects anew.

mod connection;
mod foreign;
mod inserts;
mod stretch;

use std::sync::Arc;

use messages::{Position, RecordedEvent, StoreId, Timestamp};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres};
use tokio::sync::{Mutex, OwnedMutexGuard};

use self::connection::{READER_WAIT_MAX, Target, bounded, connect};
pub(crate) use self::foreign::ForeignCommits;
pub(super) use self::inserts::write as write_rows;
use super::rows::{self, Connected as _, failed};
use super::schema::{self, Dialect};
use super::tables::POSTGRES_CATALOGUE;
use super::{
    Durability, Found, GroupMark, Head, OpenError, Rows, StoreConfig, StoreError, Stretch, Wanted, WriteError,
};
use crate::narrow;

/// The store.
#[derive(Debug)]
pub(crate) struct PostgresBackend {
    target: Target,
    writer: Arc<Mutex<Writer>>,
    readers: PgPool,
    store: StoreId,
    appender: Arc<Appender>,
}

/// Who this process is among those that append, and where it tells the others.
#[derive(Debug)]
struct Appender {
    id: [u8; 16],
    channel: String,
}

/// The place of the one connection that writes, while no group has it.
#[derive(Debug, Default)]
struct Writer {
    connection: Option<PgConnection>,
    is_closed: bool,
}

/// A group's transaction, which holds the head row.
#[derive(Debug)]
pub(crate) struct PostgresGroup {
    writer: OwnedMutexGuard<Writer>,
    connection: PgConnection,
    head: Head,
    appender: Arc<Appender>,
    /// Whether the connection is not to be trusted any more.
    is_broken: bool,
}

/// Begins a transaction and locks the head, in one round trip.
const BEGIN: &str = "BEGIN;
    SELECT store_id, position, event_hash, recorded_us, published_position FROM head FOR UPDATE";

/// A migration waits so long for another process that migrates, and its statements take as long as they take.
const MIGRATION: &str = "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'";

impl PostgresBackend {
    /// Opens the store, makes its schema if it is not there, and brings its tables up to date.
    pub(crate) async fn open(
        url: &str,
        schema: &str,
        config: &StoreConfig,
        appender_id: [u8; 16],
    ) -> Result<Self, OpenError> {
        let Reached { target, mut connection, dialect, .. } = reach(url, schema, config.durability).await?;
        let store = target.name().to_owned();
        let failed = |doing| schema::refused(doing, &store);
        schema::migrate(&mut connection, &dialect, &POSTGRES_CATALOGUE, &store, config).await?;
        schema::enter_appender(&mut connection, &appender_id, config.clock.now()).await.map_err(failed("enter"))?;
        let head = rows::head(&mut connection).await;
        let head = head.map_err(|error| failed("read the head of")(sqlx::Error::Decode(Box::new(error))))?;
        let readers = PgPoolOptions::new()
            .max_connections(config.readers_max.max(1))
            .acquire_timeout(READER_WAIT_MAX)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| Box::pin(connection::is_alive(connection, meta.idle_for)))
            .connect_lazy_with(target.reader());
        let writer = Arc::new(Mutex::new(Writer { connection: Some(connection), is_closed: false }));
        let appender = Arc::new(Appender { id: appender_id, channel: format!("lastro_{schema}") });
        Ok(Self { target, writer, readers, store: head.store, appender })
    }

    /// Begins a group: waits for those of other processes, for a bounded time.
    pub(crate) async fn begin(&self) -> Result<PostgresGroup, StoreError> {
        let (writer, mut connection) = self.idle_writer().await?;
        let begun = bounded(sqlx::raw_sql(BEGIN).fetch_all(&mut connection)).await;
        let rows = begun.map_err(failed("begin a group"))?;
        let head = rows.first().map_or_else(|| Err(rows::headless()), rows::head_of)?;
        if head.store != self.store {
            return Err(rows::replaced());
        }
        let appender = Arc::clone(&self.appender);
        Ok(PostgresGroup { writer, connection, head, appender, is_broken: false })
    }

    /// Takes the writer's connection out of its slot, or a new one. If it is not put back, it is closed.
    async fn idle_writer(&self) -> Result<(OwnedMutexGuard<Writer>, PgConnection), StoreError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        if writer.is_closed {
            return Err(StoreError::Closed);
        }
        let connection = match writer.connection.take() {
            Some(connection) => connection,
            None => connect(self.target.writer()).await.map_err(failed("connect"))?,
        };
        Ok((writer, connection))
    }

    /// The store's id, as it was when it was opened.
    pub(crate) const fn store(&self) -> StoreId {
        self.store
    }

    /// A connection to read with.
    pub(crate) async fn reader(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        self.readers.acquire().await.map_err(failed("get a connection to read with"))
    }

    pub(crate) async fn expire_keys(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let (mut writer, mut connection) = self.idle_writer().await?;
        let expired = rows::expire_keys(&mut connection, before, limit).await?;
        writer.connection = Some(connection);
        Ok(expired)
    }

    /// Tells when other processes committed events.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached.
    pub(crate) async fn foreign_commits(&self) -> Result<ForeignCommits, StoreError> {
        ForeignCommits::listen(self.target.reader(), &self.appender).await
    }

    /// Closes the connections.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        writer.is_closed = true;
        if let Some(connection) = writer.connection.take() {
            drop(bounded(connection.close()).await);
        }
    }
}

/// A schema, connected to by one connection that writes.
pub(super) struct Reached {
    target: Target,
    pub(super) connection: PgConnection,
    pub(super) dialect: Dialect,
    /// Whether the schema was made just now.
    pub(super) is_made: bool,
}

impl Reached {
    /// Schema, database and host, without secrets.
    pub(super) fn name(&self) -> &str {
        self.target.name()
    }
}

/// Connects to a schema, and makes it if it is not there.
pub(super) async fn reach(url: &str, schema: &str, durability: Durability) -> Result<Reached, OpenError> {
    if !is_schema_name(schema) {
        return Err(OpenError::SchemaName { schema: schema.to_owned() });
    }
    let options: PgConnectOptions = url.parse().map_err(schema::refused("read the address of", schema))?;
    let target = Target::new(options, schema, durability);
    let failed = |doing| schema::refused(doing, target.name());
    let mut connection = connect(target.writer()).await.map_err(failed("connect to"))?;
    let begin = format!("{MIGRATION}; SELECT pg_advisory_xact_lock({})", narrow::hash(&["lastro.migration", schema]));
    let made = make_schema(&mut connection, schema, &begin).await;
    let is_made = made.map_err(failed("make the schema of"))?;
    Ok(Reached { target, connection, dialect: Dialect { begin, integer_key: "BIGINT" }, is_made })
}

/// The most bytes of a schema's name: PostgreSQL's limit of 63, less what is put in front for channels.
const SCHEMA_BYTES_MAX: usize = 40;

fn is_schema_name(schema: &str) -> bool {
    schema.len() <= SCHEMA_BYTES_MAX
        && schema.starts_with(|c: char| c.is_ascii_lowercase())
        && schema.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Makes the schema if it is not there, and says whether it did. Whoever may not make schemas can use one that is.
async fn make_schema(connection: &mut PgConnection, schema: &str, begin: &str) -> Result<bool, sqlx::Error> {
    const SQL: &str = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE nspname = $1";
    connection.run_script(begin).await?;
    let found: i64 = sqlx::query_scalar(SQL).bind(schema).fetch_one(&mut *connection).await?;
    if found == 0 {
        // The name has letters, digits and `_` alone; in quotation marks it may be a word of SQL.
        let _ = sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA \"{schema}\""))).execute(&mut *connection).await?;
    }
    connection.run_script("COMMIT").await?;
    Ok(found == 0)
}

impl PostgresGroup {
    pub(crate) const fn head(&self) -> &Head {
        &self.head
    }

    pub(crate) async fn stretch_from(&mut self, start: Position) -> Result<Stretch, StoreError> {
        let stretch = stretch::read(&mut self.connection, start, self.head.position).await;
        self.is_broken |= stretch.is_err();
        stretch
    }

    pub(crate) async fn find(&mut self, wanted: &Wanted) -> Result<Found, StoreError> {
        let found = rows::find(&mut self.connection, wanted).await;
        self.is_broken |= found.is_err();
        found
    }

    pub(crate) async fn write_events(&mut self, events: &[RecordedEvent]) -> Result<(), WriteError> {
        let written = inserts::write_events(&mut self.connection, events).await;
        self.is_broken |= written.is_err();
        written.map_err(WriteError::Store)
    }

    pub(crate) async fn write(&mut self, rows: &Rows, head: &Head, mark: GroupMark) -> Result<(), WriteError> {
        let written = self.write_all(rows, head, mark).await;
        self.is_broken |= matches!(written, Err(WriteError::Store(_)));
        written
    }

    async fn write_all(&mut self, rows: &Rows, head: &Head, mark: GroupMark) -> Result<(), WriteError> {
        let connection = &mut self.connection;
        rows::run_statements(connection, &rows.statements).await?;
        inserts::write(connection, rows).await.map_err(WriteError::Store)?;
        rows::store_cursors(connection, &rows.cursors).await.map_err(WriteError::Store)?;
        let is_told = head.position > self.head.position;
        let moved = inserts::move_head(connection, head, &self.appender, mark, is_told).await;
        moved.map_err(WriteError::Store)
    }

    pub(crate) async fn last_group_number(&mut self) -> Result<u64, StoreError> {
        let number = rows::last_group_number(&mut self.connection, &self.appender.id).await;
        self.is_broken |= number.is_err();
        number
    }

    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        self.connection.run_script("COMMIT").await.map_err(failed("commit a group"))?;
        self.writer.connection = Some(self.connection);
        Ok(())
    }

    pub(crate) async fn give_up(mut self) {
        if !self.is_broken && self.connection.run_script("ROLLBACK").await.is_ok() {
            self.writer.connection = Some(self.connection);
        }
    }
}
