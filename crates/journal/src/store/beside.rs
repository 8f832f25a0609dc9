//! Tables beside a store, in a file or schema of their own: what a view keeps, with the cursor of what it has folded.
//!
//! They hold nothing that cannot be folded again, so their commits are not synced: after a loss of power they may stand at an
//! earlier place, rows and cursor together.

use std::path::PathBuf;
use std::time::Duration;

use messages::{Hash, Position, StoreId};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection,
    SqlitePool,
};

use super::rows::{self, Connected, failed};
use super::{Place, StoreError};
use crate::cursor::Cursor;
use crate::projection::{Query as Question, TableRows, Write};
use crate::query::Value;
use crate::unit::Parameter;

/// How many connections answer a view's queries.
const READERS_MAX: u32 = 4;

/// How long a connection, or a lock on the file, is awaited.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The page cache of each connection to a file: 16 MiB, in KiB, which SQLite writes as a negative number.
const CACHE: &str = "-16384";

/// How many rows one statement inserts, from the largest. Each size is a statement of its own, prepared once.
const CHUNKS: [usize; 3] = [64, 8, 1];

/// The most bytes of a schema's name. Source: PostgreSQL 15, section 4.1.1: longer names are cut silently.
const SCHEMA_BYTES_MAX: usize = 63;

/// Where such tables are.
#[derive(Clone)]
pub(crate) enum Beside {
    File(PathBuf),
    Schema { options: Box<PgConnectOptions>, schema: String },
}

/// The tables, opened.
#[derive(Debug)]
pub(crate) enum Tables {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

const CURSOR: &str = "CREATE TABLE view_cursor (
    one BIGINT PRIMARY KEY CHECK (one = 1), store_id BYTEA NOT NULL, position BIGINT NOT NULL, event_hash BYTEA NOT NULL)";

const SET_CURSOR: &str = "INSERT INTO view_cursor (one, store_id, position, event_hash) VALUES (1, $1, $2, $3)";

const MOVE_CURSOR: &str = "UPDATE view_cursor SET store_id = $1, position = $2, event_hash = $3
    WHERE store_id = $4 AND position = $5 AND event_hash = $6";

impl Beside {
    /// The tables of this name beside the store at `place`: `<store>.views/<name>.db`, or the schema `<schema>_view_<name>`.
    pub(crate) fn at(place: &Place, name: &str) -> Result<Self, StoreError> {
        match place {
            Place::Sqlite { path } => {
                let mut folder = path.clone().into_os_string();
                folder.push(".views");
                Ok(Self::File(PathBuf::from(folder).join(format!("{name}.db"))))
            }
            Place::Postgres { url, schema } => {
                let schema = format!("{schema}_view_{name}");
                if schema.len() > SCHEMA_BYTES_MAX {
                    let why = format!(
                        "a schema's name of {} bytes is longer than {SCHEMA_BYTES_MAX}: `{schema}`",
                        schema.len()
                    );
                    return Err(failed("name the schema of a view")(sqlx::Error::Configuration(why.into())));
                }
                let options: PgConnectOptions = url.parse().map_err(failed("read the address of a view"))?;
                let options = options.application_name("lastro").disable_statement_logging().options([
                    ("search_path", schema.as_str()),
                    ("synchronous_commit", "off"),
                    ("lock_timeout", "5s"),
                    ("statement_timeout", "30s"),
                    ("idle_in_transaction_session_timeout", "10s"),
                ]);
                Ok(Self::Schema { options: Box::new(options), schema })
            }
        }
    }

    /// Makes the tables anew, empty, with the cursor at `start`. What was there before is removed.
    pub(crate) async fn make(&self, tables: &str, start: Cursor) -> Result<(), StoreError> {
        self.remove().await?;
        let making = failed("make the tables of a view");
        let result = match self {
            Self::File(path) => {
                if let Some(folder) = path.parent() {
                    let made = tokio::fs::create_dir_all(folder).await;
                    made.map_err(|error| failed("make the folder of views")(error.into()))?;
                }
                async {
                    let mut connection = sqlite_options(path).create_if_missing(true).connect().await?;
                    fill(&mut connection, "BEGIN IMMEDIATE", tables, start).await?;
                    connection.close().await
                }
                .await
            }
            Self::Schema { options, schema } => {
                async {
                    let mut connection = options.connect().await?;
                    // Of two processes that make the same tables, one fails and finds those of the other.
                    let begin = format!("BEGIN; SET LOCAL synchronous_commit = on; CREATE SCHEMA {schema}");
                    fill(&mut connection, &begin, tables, start).await?;
                    connection.close().await
                }
                .await
            }
        };
        result.map_err(making)
    }

    /// Opens the tables; `None` if they are not there.
    pub(crate) async fn open(&self) -> Result<Option<Tables>, StoreError> {
        let tables = match self {
            Self::File(path) => {
                if !tokio::fs::try_exists(path).await.unwrap_or(false) {
                    return Ok(None);
                }
                let pool = |max| {
                    SqlitePoolOptions::new().max_connections(max).acquire_timeout(WAIT_MAX).test_before_acquire(false)
                };
                Tables::Sqlite {
                    writer: pool(1).connect_lazy_with(sqlite_options(path)),
                    readers: pool(READERS_MAX).connect_lazy_with(sqlite_options(path).read_only(true)),
                }
            }
            Self::Schema { options, .. } => {
                let pool = PgPoolOptions::new().max_connections(READERS_MAX + 1).acquire_timeout(WAIT_MAX);
                Tables::Postgres(pool.connect_lazy_with((**options).clone()))
            }
        };
        match tables.cursor().await {
            Ok(_) => Ok(Some(tables)),
            Err(error) if error.is_transient() => Err(error),
            // Half made, or gone.
            Err(error) => {
                tracing::info!(error = %error, "the tables of a view are not there");
                tables.close().await;
                Ok(None)
            }
        }
    }

    /// Removes the tables if they are there.
    pub(crate) async fn remove(&self) -> Result<(), StoreError> {
        let removing = failed("remove the tables of a view");
        match self {
            Self::File(path) => {
                for end in ["", "-wal", "-shm", "-journal"] {
                    let mut file = path.clone().into_os_string();
                    file.push(end);
                    match tokio::fs::remove_file(file).await {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(removing(error.into()));
                        }
                        _ => {}
                    }
                }
                Ok(())
            }
            Self::Schema { options, schema } => {
                let remove = async {
                    let mut connection = options.connect().await?;
                    connection.run_script(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?;
                    connection.close().await
                };
                remove.await.map_err(removing)
            }
        }
    }
}

fn sqlite_options(path: &std::path::Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(WAIT_MAX)
        .pragma("cache_size", CACHE)
        .disable_statement_logging()
}

async fn fill(connection: &mut impl Connected, begin: &str, tables: &str, start: Cursor) -> Result<(), sqlx::Error> {
    connection.run_script(begin).await?;
    connection.run_script(CURSOR).await?;
    connection.run_script(tables).await?;
    let _ = connection.execute(SET_CURSOR, columns(start)).await?;
    connection.run_script("COMMIT").await
}

fn columns(cursor: Cursor) -> Vec<Parameter> {
    vec![
        Parameter::Bytes(cursor.store.as_bytes().to_vec()),
        Parameter::Integer(rows::signed(cursor.position.number())),
        Parameter::Bytes(cursor.hash.as_bytes().to_vec()),
    ]
}

/// What is written by a batch of events.
pub(crate) struct Batch<'a, W> {
    pub(crate) from: Cursor,
    pub(crate) to: Cursor,
    /// What must be known of the rows as they are.
    pub(crate) questions: &'a [Question],
    /// What is written, given the answers.
    pub(crate) write: W,
}

impl Tables {
    /// How far the tables have come.
    pub(crate) async fn cursor(&self) -> Result<Cursor, StoreError> {
        let rows = self.query("SELECT store_id, position, event_hash FROM view_cursor", &[]).await?;
        let read = || {
            let [store, position, hash] = rows.first()?.as_slice() else { return None };
            Some(Cursor {
                store: StoreId::from_bytes(store.bytes()?.try_into().ok()?),
                position: Position::new(position.integer()?.try_into().ok()?),
                hash: Hash::new(hash.bytes()?.try_into().ok()?),
            })
        };
        let why = || "a column is not what it must be".to_owned();
        read().ok_or_else(|| StoreError::Damaged {
            what: "cursor of a view",
            place: "its only row".to_owned(),
            why: why(),
        })
    }

    pub(crate) async fn query(
        &self,
        sql: &'static str,
        parameters: &[Parameter],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        const GET: &str = "get a connection to a view";
        match self {
            Self::Sqlite { readers, .. } => {
                rows::query(&mut *readers.acquire().await.map_err(failed(GET))?, sql, parameters).await
            }
            Self::Postgres(pool) => {
                rows::query(&mut *pool.acquire().await.map_err(failed(GET))?, sql, parameters).await
            }
        }
    }

    /// Writes a batch and moves the cursor, in one transaction. Whether the cursor stood where the batch begins; if not, nothing
    /// is written.
    ///
    /// Cancel safety: if it is dropped, the transaction is rolled back, or committed whole.
    pub(crate) async fn write<W>(&self, batch: Batch<'_, W>) -> Result<bool, StoreError>
    where
        W: FnOnce(Vec<Vec<Vec<Value>>>) -> Vec<Write>,
    {
        const BEGIN: &str = "begin a view's transaction";
        const COMMIT: &str = "commit a view's transaction";
        match self {
            Self::Sqlite { writer, .. } => {
                let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed(BEGIN))?;
                if !write_batch(&mut *transaction, batch).await? {
                    return Ok(false);
                }
                transaction.commit().await.map_err(failed(COMMIT))?;
            }
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await.map_err(failed(BEGIN))?;
                if !write_batch(&mut *transaction, batch).await? {
                    return Ok(false);
                }
                transaction.commit().await.map_err(failed(COMMIT))?;
            }
        }
        Ok(true)
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

async fn write_batch<C, W>(connection: &mut C, batch: Batch<'_, W>) -> Result<bool, StoreError>
where
    C: Inserting,
    W: FnOnce(Vec<Vec<Vec<Value>>>) -> Vec<Write>,
{
    const DOING: &str = "write a view";
    let mut parameters = columns(batch.to);
    parameters.extend(columns(batch.from));
    // The row is locked from here on: another process that folds the same events waits, and finds the cursor moved.
    if connection.execute(MOVE_CURSOR, parameters).await.map_err(failed(DOING))? == 0 {
        return Ok(false);
    }
    let mut answers = Vec::with_capacity(batch.questions.len());
    for question in batch.questions {
        answers.push(rows::query(connection, question.sql, &question.parameters).await?);
    }
    for write in (batch.write)(answers) {
        match write {
            Write::Statement(statement) => {
                let changed = connection.execute(statement.sql, statement.parameters).await.map_err(failed(DOING))?;
                if let Some(expected) = statement.rows_expected.filter(|expected| *expected != changed) {
                    let why = format!("a statement changed {changed} rows and not {expected}");
                    return Err(StoreError::Damaged { what: "view", place: format!("`{}`", statement.sql), why });
                }
            }
            Write::Rows(rows) => insert(connection, rows).await.map_err(failed(DOING))?,
        }
    }
    Ok(true)
}

async fn insert(connection: &mut impl Inserting, table: TableRows) -> Result<(), sqlx::Error> {
    let TableRows { insert, conflict, rows } = table;
    let mut rows = rows.into_iter();
    for chunk in CHUNKS {
        while rows.len() >= chunk {
            let taken: Vec<Vec<Parameter>> = rows.by_ref().take(chunk).collect();
            let width = taken.first().map_or(0, Vec::len);
            assert!(taken.iter().all(|row| row.len() == width), "rows of one table have as many columns each");
            connection.insert(insert, conflict, width, taken).await?;
        }
    }
    Ok(())
}

/// A connection that inserts rows in chunks: places of values are written in another way on each store, since SQLite searches
/// numbered ones by name.
trait Inserting: Connected {
    fn insert(
        &mut self,
        insert: &str,
        conflict: &str,
        width: usize,
        rows: Vec<Vec<Parameter>>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

impl Inserting for SqliteConnection {
    async fn insert(
        &mut self,
        insert: &str,
        conflict: &str,
        width: usize,
        rows: Vec<Vec<Parameter>>,
    ) -> Result<(), sqlx::Error> {
        let sql = chunk_sql(insert, conflict, width, rows.len(), |_| "?".to_owned());
        let query: Query<'_, Sqlite, SqliteArguments> = sqlx::query(AssertSqlSafe(sql));
        let query = rows.into_iter().flatten().fold(query, |query, value| match value {
            Parameter::Integer(integer) => query.bind(integer),
            Parameter::Text(text) => query.bind(text),
            Parameter::Bytes(bytes) => query.bind(bytes),
        });
        query.execute(self).await.map(|_| ())
    }
}

impl Inserting for PgConnection {
    async fn insert(
        &mut self,
        insert: &str,
        conflict: &str,
        width: usize,
        rows: Vec<Vec<Parameter>>,
    ) -> Result<(), sqlx::Error> {
        let sql = chunk_sql(insert, conflict, width, rows.len(), |number| format!("${number}"));
        let query: Query<'_, Postgres, PgArguments> = sqlx::query(AssertSqlSafe(sql));
        let query = rows.into_iter().flatten().fold(query, |query, value| match value {
            Parameter::Integer(integer) => query.bind(integer),
            Parameter::Text(text) => query.bind(text),
            Parameter::Bytes(bytes) => query.bind(bytes),
        });
        query.execute(self).await.map(|_| ())
    }
}

/// `insert VALUES (…), (…) conflict`; `place` gives the name of the n-th value, from 1.
fn chunk_sql(insert: &str, conflict: &str, width: usize, rows: usize, place: impl Fn(usize) -> String) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("{insert} VALUES {} {conflict}", rows.join(", "))
}
