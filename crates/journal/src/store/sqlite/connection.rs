//! How connections to the file are set up, and the statements that are written once on them.

use std::path::Path;
use std::time::Duration;

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Sqlite, SqliteConnection};

use crate::limits::PAGE_EVENTS_MAX;
use crate::store::Durability;
use crate::store::rows::{Connected, Probes};
use crate::unit::Parameter;

/// How long a connection waits for one that an earlier life of this process has not closed yet, or for the end of a checkpoint.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long a reader waits for a free connection.
pub(super) const READER_WAIT_MAX: Duration = Duration::from_secs(30);

/// The writer's page cache: 64 MiB. Keys and streams are looked up at random places of their indexes, 20 bytes a key: the inner
/// pages and, up to some million keys, the leaves stay in memory.
const WRITER_CACHE_KIB: u32 = 64 * 1024;

/// The page caches of all readers together: 64 MiB.
const READERS_CACHE_KIB: u32 = 64 * 1024;

/// The write-ahead log is brought into the file when it has so many pages of 4 KiB: 64 MiB. A page that many groups change is
/// then written to the file once.
const CHECKPOINT_PAGES: u32 = 16 * 1024;

/// To what the write-ahead log's file is cut after a checkpoint: 128 MiB.
const WAL_BYTES_MAX: u32 = 128 * 1024 * 1024;

/// How many rows wait between SQLite's thread and the reader: a quarter of the longest page.
const ROWS_BUFFERED: usize = PAGE_EVENTS_MAX / 4;

fn options(path: &Path, cache_kib: u32) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_WAIT_MAX)
        .row_buffer_size(ROWS_BUFFERED)
        // A negative size is in KiB.
        .pragma("cache_size", format!("-{cache_kib}"))
        .disable_statement_logging()
}

pub(super) fn writer_options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    let synchronous = match durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::ProcessOnly => SqliteSynchronous::Off,
    };
    options(path, WRITER_CACHE_KIB)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .pragma("journal_size_limit", WAL_BYTES_MAX.to_string())
}

/// For the one transaction that fills a store: its rows go into the file itself, and what they replace is kept beside it until the
/// commit, which is next to nothing. Through the write-ahead log every page would be written twice.
pub(in crate::store) fn filling_options(path: &Path, durability: Durability) -> SqliteConnectOptions {
    writer_options(path, durability).journal_mode(SqliteJournalMode::Delete)
}

pub(super) fn reader_options(path: &Path, readers_max: u32) -> SqliteConnectOptions {
    options(path, READERS_CACHE_KIB / readers_max.max(1)).read_only(true)
}

/// A query with its parameters.
fn bound(sql: &'static str, parameters: Vec<Parameter>) -> Query<'static, Sqlite, SqliteArguments> {
    parameters.into_iter().fold(sqlx::query(sql), |query, parameter| match parameter {
        Parameter::Integer(integer) => query.bind(integer),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
    })
}

impl Connected for SqliteConnection {
    type Row = SqliteRow;

    const PROBES: Probes = Probes {
        streams: "SELECT events.stream_hash, events.stream_version, events.position, events.event_id, events.metadata
            FROM json_each($1) AS wanted CROSS JOIN events WHERE events.position =
                (SELECT position FROM events WHERE stream_hash = wanted.value ORDER BY stream_version DESC LIMIT 1)",
        keys: "SELECT tenant, client, key, fingerprint, command_id, state, location, answer, position, changed_us
            FROM command_keys WHERE key_hash IN (SELECT value FROM json_each($1))",
        claims: "SELECT tenant, kind, value, stream FROM claims WHERE claim_hash IN (SELECT value FROM json_each($1))",
        timers: "SELECT tenant, name, due_us FROM timers WHERE timer_hash IN (SELECT value FROM json_each($1))",
        consumers: "SELECT consumer, store_id, position, event_hash FROM cursors
            WHERE consumer IN (SELECT value FROM json_each($1))",
    };

    async fn fetch(&mut self, sql: &'static str, parameters: Vec<Parameter>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        bound(sql, parameters).fetch_all(self).await
    }

    async fn fetch_by_numbers(&mut self, sql: &'static str, numbers: Vec<i64>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(sql).bind(serde_json::Value::from(numbers).to_string()).fetch_all(self).await
    }

    async fn fetch_by_texts(&mut self, sql: &'static str, texts: Vec<&str>) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(sql).bind(serde_json::Value::from(texts).to_string()).fetch_all(self).await
    }

    async fn execute(&mut self, sql: &'static str, parameters: Vec<Parameter>) -> Result<u64, sqlx::Error> {
        Ok(bound(sql, parameters).execute(self).await?.rows_affected())
    }

    async fn run_script(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self).await.map(|_| ())
    }
}
