//! The database of person keys: SQLite or PostgreSQL, and the few things that are said in two ways.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, Postgres, Row as _, Sqlite, SqlitePool};

use super::errors::KeysError;
use crate::store::Place;
use crate::unit::Parameter;

/// How long a statement waits for a connection.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How many connections a process has to PostgreSQL.
const CONNECTIONS_MAX: u32 = 4;

/// A database of person keys.
#[derive(Debug, Clone)]
pub(super) enum Database {
    /// One connection, which locks the file: a second process is refused by SQLite.
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction. What is dropped without commit is rolled back.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A row of either.
pub(super) enum Record {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

pub(super) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> KeysError {
    move |source| KeysError::Sql { doing, source }
}

/// SQLite's code of a file that another process has locked.
const BUSY: &str = "5";

/// SQLite's code of a file that is no database.
const NO_DATABASE: &str = "26";

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|found| found == code)
}

fn not_opened(error: sqlx::Error) -> KeysError {
    if has_code(&error, BUSY) { KeysError::Busy } else { failed("open")(error) }
}

async fn has_table(path: &Path) -> Result<bool, sqlx::Error> {
    const SQL: &str = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'person_keys'";
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::ZERO);
    let mut connection = options.disable_statement_logging().connect().await?;
    let row = sqlx::query(SQL).fetch_one(&mut connection).await.and_then(|row| row.try_get::<i64, _>(0));
    drop(connection.close().await);
    row.map(|tables| tables > 0)
}

async fn has_table_in_schema(url: &str, schema: &str) -> Result<bool, sqlx::Error> {
    const SQL: &str = "SELECT COUNT(*) FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'person_keys'";
    let mut connection = postgres_options(url, schema)?.connect().await?;
    let row = sqlx::query(SQL).bind(schema).fetch_one(&mut connection).await;
    drop(connection.close().await);
    row.and_then(|row| row.try_get::<i64, _>(0)).map(|tables| tables > 0)
}

/// Every wait at the server has an end: a process that was stopped in a transaction does not make others wait for ever.
fn postgres_options(url: &str, schema: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("lastro person keys");
    Ok(options.disable_statement_logging().options([
        ("search_path", schema),
        ("lock_timeout", "5s"),
        ("statement_timeout", "10min"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]))
}

impl Database {
    /// Whether a place holds person keys. Nothing is made.
    pub(super) async fn has_keys(place: &Place) -> Result<bool, KeysError> {
        match place {
            Place::Sqlite { path } if !path.is_file() => Ok(false),
            Place::Sqlite { path } => match has_table(path).await {
                Err(error) if has_code(&error, NO_DATABASE) => Ok(false),
                found => found.map_err(not_opened),
            },
            Place::Postgres { url, schema } => has_table_in_schema(url, schema).await.map_err(failed("open")),
        }
    }

    pub(super) async fn connect(place: &Place) -> Result<Self, KeysError> {
        match place {
            Place::Sqlite { path } => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .locking_mode(SqliteLockingMode::Exclusive)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    // What is freed is overwritten, in the file as in the pages that change.
                    .pragma("secure_delete", "ON")
                    .busy_timeout(Duration::ZERO)
                    .disable_statement_logging();
                let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(WAIT_MAX);
                Ok(Self::Sqlite(pool.connect_with(options).await.map_err(not_opened)?))
            }
            Place::Postgres { url, schema } => {
                let options = postgres_options(url, schema).map_err(failed("open"))?;
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS_MAX).acquire_timeout(WAIT_MAX);
                Ok(Self::Postgres(pool.connect_with(options).await.map_err(failed("open"))?))
            }
        }
    }

    pub(super) async fn begin(&self) -> Result<Transaction, KeysError> {
        Ok(match self {
            Self::Sqlite(pool) => {
                // The writer's lock comes first, so that no read of the transaction is out of date when it writes.
                Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed("begin"))?)
            }
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await.map_err(failed("begin"))?),
        })
    }

    /// Begins a transaction that sees one state of all tables.
    pub(super) async fn begin_snapshot(&self) -> Result<Transaction, KeysError> {
        match self {
            Self::Sqlite(_) => self.begin().await,
            Self::Postgres(pool) => {
                let begun = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await;
                Ok(Transaction::Postgres(begun.map_err(failed("begin"))?))
            }
        }
    }

    pub(super) async fn fetch(&self, sql: &'static str, parameters: Vec<Parameter>) -> Result<Vec<Record>, KeysError> {
        let rows = match self {
            Self::Sqlite(pool) => on_sqlite(sql, parameters).fetch_all(pool).await.map(sqlite_records),
            Self::Postgres(pool) => on_postgres(sql, parameters).fetch_all(pool).await.map(postgres_records),
        };
        rows.map_err(failed("read"))
    }

    /// Removes from disk, as far as the database can, what was overwritten.
    pub(super) async fn scrub(&self) -> Result<(), KeysError> {
        match self {
            Self::Sqlite(pool) => {
                let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(pool).await;
                let is_busy: i64 =
                    row.and_then(|row| row.try_get(0)).map_err(failed("empty the write-ahead log of"))?;
                if is_busy == 0 { Ok(()) } else { Err(KeysError::Busy) }
            }
            Self::Postgres(pool) => {
                let vacuumed = sqlx::query("VACUUM person_keys").execute(pool).await;
                vacuumed.map(|_| ()).map_err(failed("vacuum"))
            }
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    pub(super) async fn fetch(
        &mut self,
        sql: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<Record>, KeysError> {
        let rows = match self {
            Self::Sqlite(inner) => on_sqlite(sql, parameters).fetch_all(&mut **inner).await.map(sqlite_records),
            Self::Postgres(inner) => on_postgres(sql, parameters).fetch_all(&mut **inner).await.map(postgres_records),
        };
        rows.map_err(failed("read"))
    }

    /// Runs a statement and gives how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &'static str, parameters: Vec<Parameter>) -> Result<u64, KeysError> {
        let changed = match self {
            Self::Sqlite(inner) => {
                on_sqlite(sql, parameters).execute(&mut **inner).await.map(|result| result.rows_affected())
            }
            Self::Postgres(inner) => {
                on_postgres(sql, parameters).execute(&mut **inner).await.map(|result| result.rows_affected())
            }
        };
        changed.map_err(failed("write"))
    }

    pub(super) async fn commit(self) -> Result<(), KeysError> {
        let committed = match self {
            Self::Sqlite(inner) => inner.commit().await,
            Self::Postgres(inner) => inner.commit().await,
        };
        committed.map_err(failed("commit"))
    }
}

fn on_sqlite(sql: &'static str, parameters: Vec<Parameter>) -> Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
    parameters.into_iter().fold(sqlx::query(sql), |query, parameter| match parameter {
        Parameter::Integer(number) => query.bind(number),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
    })
}

fn on_postgres(sql: &'static str, parameters: Vec<Parameter>) -> Query<'static, Postgres, sqlx::postgres::PgArguments> {
    parameters.into_iter().fold(sqlx::query(sql), |query, parameter| match parameter {
        Parameter::Integer(number) => query.bind(number),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
    })
}

fn sqlite_records(rows: Vec<SqliteRow>) -> Vec<Record> {
    rows.into_iter().map(Record::Sqlite).collect()
}

fn postgres_records(rows: Vec<PgRow>) -> Vec<Record> {
    rows.into_iter().map(Record::Postgres).collect()
}

impl Record {
    pub(super) fn integer(&self, column: usize) -> Result<i64, KeysError> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(failed("understand a row of"))
    }

    pub(super) fn text(&self, column: usize) -> Result<&str, KeysError> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(failed("understand a row of"))
    }

    pub(super) fn bytes(&self, column: usize) -> Result<&[u8], KeysError> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(failed("understand a row of"))
    }

    pub(super) fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], KeysError> {
        let bytes = self.bytes(column)?;
        bytes
            .try_into()
            .map_err(|_| KeysError::Damaged { why: format!("column {column} has {} bytes, not {N}", bytes.len()) })
    }
}
