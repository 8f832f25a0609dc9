//! One state of a whole store, read by a connection of its own that cannot write, while others append.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use messages::{Position, RecordedEvent, StoreId, TenantId};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::rows::{self, Connected as _, StoredRow as _, failed};
use super::tables::{self, POSTGRES_CATALOGUE, PortableTable, SQLITE_CATALOGUE};
use super::{Head, Place, StoreError};
use crate::query::Value;

/// How many rows wait between SQLite's thread and the reader.
const ROWS_BUFFERED: usize = 1_024;

/// The page cache of the reader of a file: 64 MiB, in KiB, which SQLite writes as a negative number.
const CACHE: &str = "-65536";

/// Rows of a table, as they come.
pub(crate) type RowStream<'a> = Pin<Box<dyn Stream<Item = Result<Vec<Value>, StoreError>> + Send + 'a>>;

/// The connection, and the snapshot once it is taken.
#[derive(Debug)]
pub(crate) enum Snapshot {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Snapshot {
    /// Connects. The snapshot is taken by [`Self::take`].
    pub(crate) async fn connect(place: &Place) -> Result<Self, StoreError> {
        let failed = || failed("connect to the store");
        match place {
            Place::Sqlite { path } => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true).row_buffer_size(ROWS_BUFFERED);
                let options = options.pragma("cache_size", CACHE).disable_statement_logging();
                Ok(Self::Sqlite(options.connect().await.map_err(failed())?))
            }
            Place::Postgres { url, schema } => {
                let options: PgConnectOptions = url.parse().map_err(failed())?;
                let options = options.application_name("lastro snapshot").disable_statement_logging().options([
                    ("search_path", schema.as_str()),
                    ("default_transaction_read_only", "on"),
                    // It is read for as long as the file takes that it is written into.
                    ("statement_timeout", "0"),
                    ("idle_in_transaction_session_timeout", "0"),
                ]);
                Ok(Self::Postgres(options.connect().await.map_err(failed())?))
            }
        }
    }

    /// Takes the snapshot: what was committed before is in it, nothing else ever. Gives the head.
    pub(crate) async fn take(&mut self) -> Result<Head, StoreError> {
        let begin = failed("begin a snapshot");
        match self {
            Self::Sqlite(connection) => {
                connection.run_script("BEGIN").await.map_err(begin)?;
                rows::head(connection).await
            }
            Self::Postgres(connection) => {
                connection.run_script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(begin)?;
                rows::head(connection).await
            }
        }
    }

    /// Events after a position, without a gap, at most `limit`.
    pub(crate) async fn events_after(
        &mut self,
        store: StoreId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        match self {
            Self::Sqlite(connection) => rows::events_after(connection, store, after, limit).await,
            Self::Postgres(connection) => rows::events_after(connection, store, after, limit).await,
        }
    }

    /// All tables that an export of the whole store has, in its order.
    pub(crate) async fn tables(&mut self) -> Result<Vec<PortableTable>, StoreError> {
        let mut all = tables::journal_tables();
        all.extend(match self {
            Self::Sqlite(connection) => tables::state_tables(connection, &SQLITE_CATALOGUE).await?,
            Self::Postgres(connection) => tables::state_tables(connection, &POSTGRES_CATALOGUE).await?,
        });
        Ok(all)
    }

    /// A table's rows, or those of one tenant, in the order that exports have.
    pub(crate) fn rows(&mut self, table: &PortableTable, tenant: Option<&TenantId>) -> RowStream<'_> {
        const DOING: &str = "read a table";
        let name = table.exported_name();
        let damaged = move |why| StoreError::Damaged { what: "row", place: format!("table `{name}`"), why };
        // The first table has no tenants.
        let tenant = tenant.filter(|_| table.name != tables::VERSIONS).map(ToString::to_string);
        match self {
            Self::Sqlite(connection) => {
                let sql = AssertSqlSafe(table.select("COLLATE BINARY", tenant.is_some()));
                let query = tenant.into_iter().fold(sqlx::query(sql), |query, tenant| query.bind(tenant));
                let rows = query.fetch(connection);
                Box::pin(rows.map(move |row| row.map_err(failed(DOING))?.values().map_err(&damaged)))
            }
            Self::Postgres(connection) => {
                let sql = AssertSqlSafe(table.select("COLLATE \"C\"", tenant.is_some()));
                let query = tenant.into_iter().fold(sqlx::query(sql), |query, tenant| query.bind(tenant));
                let rows = query.fetch(connection);
                Box::pin(rows.map(move |row| row.map_err(failed(DOING))?.values().map_err(&damaged)))
            }
        }
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        // Nothing was written: if the connection is gone already, so is the snapshot.
        drop(match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        });
    }
}
