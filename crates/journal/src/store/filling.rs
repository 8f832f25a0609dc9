//! Filling an empty place with a whole store, in one transaction.
//!
//! First a mark is committed, then everything is written in one transaction whose commit takes the mark away. A process that dies
//! in between leaves the mark alone: nobody can open the place as a store, and the next import begins anew. Whoever fails
//! without dying removes the mark too, and with it whatever empty store was there.

use std::path::{Path, PathBuf};

use messages::{Position, RecordedEvent, StoreId};
use process_lock::ProcessLock;
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Database, Encode, PgConnection, Postgres, Sqlite,
    SqliteConnection, Type,
};

use super::rows::{self, Connected, StoredRow as _, failed};
use super::schema::{self, Dialect, ImportMark};
use super::tables::{self, Catalogue, ColumnKind, POSTGRES_CATALOGUE, PortableTable, SQLITE_CATALOGUE};
use super::{Head, OpenError, Place, Rows, StoreConfig, StoreError, postgres, sqlite};
use crate::cursor::Cursor;
use crate::query::Value;

/// How many rows of a table one statement inserts: with the widest table of 256 columns, fewer values than either database takes.
pub(crate) const INSERT_ROWS_MAX: usize = 64;

/// Between two pages of the export the transaction waits for a disk, and not for an answer as groups do.
const PATIENT: &str = "SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occupied {
    /// Nothing, or a store in which nothing was ever written.
    Empty,
    /// An import that was begun, or that waits for others.
    Marked(ImportMark),
    /// A store.
    Store { id: StoreId, position: Position, cursor: Cursor },
}

/// A place cannot be filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is a store already.
    #[error("there is a store already")]
    NotEmpty { store: String, id: StoreId, position: Position },
}

/// The transaction.
#[derive(Debug)]
pub(crate) struct Filling {
    connection: Connection,
    place: Place,
    /// Schema or file, without secrets.
    name: String,
    dialect: Dialect,
    /// Whether the schema was made for this.
    is_schema_made: bool,
    /// Held for its lock alone.
    _lock: Option<ProcessLock>,
}

#[derive(Debug)]
enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

macro_rules! on_either {
    ($which:expr, $connection:ident => $call:expr) => {
        match $which {
            Connection::Sqlite($connection) => $call,
            Connection::Postgres($connection) => $call,
        }
    };
}

impl Connection {
    const fn catalogue(&self) -> &'static Catalogue {
        match self {
            Self::Sqlite(_) => &SQLITE_CATALOGUE,
            Self::Postgres(_) => &POSTGRES_CATALOGUE,
        }
    }
}

impl Filling {
    /// Removes a store that is marked as half made; anything else is left alone.
    pub(crate) async fn discard(config: &StoreConfig) -> Result<(), OpenError> {
        if !matches!(look(&config.place).await, Ok(Occupied::Marked(_))) {
            return Ok(());
        }
        let mut filling = Self::reach(config).await?;
        let catalogue = filling.connection.catalogue();
        let removed =
            on_either!(&mut filling.connection, connection => discard(connection, &filling.dialect, catalogue).await);
        let is_removed = removed.map_err(schema::refused("remove what is left of", &filling.name))?;
        let place = filling.place.clone();
        filling.close().await;
        if let (Place::Sqlite { path }, true) = (&place, is_removed) {
            remove_file(path);
        }
        Ok(())
    }

    /// Marks an empty place and begins the transaction. The journal's tables are made.
    pub(crate) async fn begin(config: &StoreConfig) -> Result<Self, FillError> {
        // A store that is there is not even touched. What cannot be looked at is told when it is reached.
        if let Ok(Occupied::Store { id, position, .. }) = look(&config.place).await {
            let store = match &config.place {
                Place::Sqlite { path } => path.display().to_string(),
                Place::Postgres { schema, .. } => schema.clone(),
            };
            return Err(FillError::NotEmpty { store, id, position });
        }
        let mut filling = Self::reach(config).await?;
        match filling.mark_empty().await {
            Ok(Occupied::Store { id, position, .. }) => {
                return Err(FillError::NotEmpty { store: filling.name, id, position });
            }
            Ok(Occupied::Empty | Occupied::Marked(_)) => {}
            Err(error) => return Err(schema::refused("begin to fill", &filling.name)(error).into()),
        }
        let begun = on_either!(&mut filling.connection, connection => begin(connection, &filling.dialect).await);
        begun.map_err(schema::refused("begin to fill", &filling.name))?;
        if let Connection::Postgres(connection) = &mut filling.connection {
            let patient = connection.run_script(PATIENT).await;
            patient.map_err(schema::refused("begin to fill", &filling.name))?;
        }
        Ok(filling)
    }

    async fn reach(config: &StoreConfig) -> Result<Self, OpenError> {
        let place = config.place.clone();
        match &config.place {
            Place::Sqlite { path } => {
                let lock = Some(sqlite::take_lock(path)?);
                let name = path.display().to_string();
                let connection = sqlite::filling_options(path, config.durability).connect().await;
                let connection = Connection::Sqlite(connection.map_err(schema::refused("open", &name))?);
                Ok(Self { connection, place, name, dialect: sqlite::dialect(), is_schema_made: false, _lock: lock })
            }
            Place::Postgres { url, schema } => {
                let reached = postgres::reach(url, schema, config.durability).await?;
                let name = reached.name().to_owned();
                let postgres::Reached { connection, dialect, is_made, .. } = reached;
                let connection = Connection::Postgres(connection);
                Ok(Self { connection, place, name, dialect, is_schema_made: is_made, _lock: None })
            }
        }
    }

    /// Puts the mark in place of an empty store or of an earlier mark. What was there before is told.
    async fn mark_empty(&mut self) -> Result<Occupied, sqlx::Error> {
        let catalogue = self.connection.catalogue();
        on_either!(&mut self.connection, connection => {
            connection.run_script(&self.dialect.begin).await?;
            let occupied = occupied(connection, catalogue).await?;
            if !matches!(occupied, Occupied::Store { .. }) {
                drop_tables(connection, catalogue).await?;
                schema::set_mark(connection, Some(ImportMark::Begun)).await?;
            }
            connection.run_script("COMMIT").await?;
            Ok(occupied)
        })
    }

    /// Makes the service's tables of a version, without rows, and gives them.
    pub(crate) async fn make_state_tables(
        &mut self,
        config: &StoreConfig,
        version: usize,
    ) -> Result<Vec<PortableTable>, StoreError> {
        let catalogue = self.connection.catalogue();
        on_either!(&mut self.connection, connection => {
            let made = schema::make_state_tables(connection, config, version).await;
            made.map_err(failed("make the tables of state rows"))?;
            let tables = tables::state_tables(connection, catalogue).await?;
            for table in &tables {
                // What a migration puts into its tables is among the rows that follow.
                let emptied = connection.run_script(&format!("DELETE FROM \"{}\"", table.name)).await;
                emptied.map_err(failed("empty a table of state rows"))?;
            }
            Ok(tables)
        })
    }

    /// Writes events.
    pub(crate) async fn events(&mut self, events: Vec<RecordedEvent>) -> Result<(), StoreError> {
        self.rows(&Rows { events, ..Rows::default() }).await
    }

    /// Writes new keys, claims and timers.
    pub(crate) async fn rows(&mut self, rows: &Rows) -> Result<(), StoreError> {
        match &mut self.connection {
            Connection::Sqlite(connection) => sqlite::write_rows(connection, rows).await,
            Connection::Postgres(connection) => postgres::write_rows(connection, rows).await,
        }
    }

    /// Writes cursors.
    pub(crate) async fn cursors(&mut self, cursors: &[(Box<str>, Cursor)]) -> Result<(), StoreError> {
        on_either!(&mut self.connection, connection => rows::store_cursors(connection, cursors).await)
    }

    /// Writes at most [`INSERT_ROWS_MAX`] rows of any table. Each has as many values as the table has columns, of their kinds.
    pub(crate) async fn insert(&mut self, table: &PortableTable, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
        let inserted = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let sql = insert_sql(table, rows.len(), |_| "?".to_owned());
                let query = bind_all(sqlx::query::<Sqlite>(AssertSqlSafe(sql)), table, rows);
                query.execute(connection).await.map(|_| ())
            }
            Connection::Postgres(connection) => {
                let sql = insert_sql(table, rows.len(), |number| format!("${number}"));
                let query = bind_all(sqlx::query::<Postgres>(AssertSqlSafe(sql)), table, rows);
                query.execute(connection).await.map(|_| ())
            }
        };
        inserted.map_err(failed("write rows of a table"))
    }

    /// Writes the head and commits. The mark goes, or says that the store waits for others.
    pub(crate) async fn finish(mut self, head: &Head, mark: Option<ImportMark>) -> Result<(), StoreError> {
        const DOING: &str = "finish an import";
        on_either!(&mut self.connection, connection => {
            schema::write_head(connection, head).await.map_err(failed(DOING))?;
            schema::set_mark(connection, mark).await.map_err(failed(DOING))?;
            connection.run_script("COMMIT").await.map_err(failed(DOING))?;
        });
        self.close().await;
        Ok(())
    }

    /// Rolls back and removes the mark.
    pub(crate) async fn give_up(mut self) {
        let is_schema_made = self.is_schema_made;
        let removed = on_either!(&mut self.connection, connection => remove_mark(connection).await);
        if let (Ok(()), Place::Postgres { schema, .. }, true) = (&removed, &self.place, is_schema_made) {
            let sql = format!("DROP SCHEMA \"{schema}\"");
            drop(on_either!(&mut self.connection, connection => connection.run_script(&sql).await));
        }
        let file = match &self.place {
            Place::Sqlite { path } if removed.is_ok() => Some(path.clone()),
            _ => None,
        };
        if let Err(error) = removed {
            tracing::warn!(store = %self.name, %error, "the mark of an import that was given up cannot be removed");
        }
        self.close().await;
        if let Some(path) = file {
            remove_file(&path);
        }
    }

    async fn close(self) {
        drop(match self.connection {
            Connection::Sqlite(connection) => connection.close().await,
            Connection::Postgres(connection) => connection.close().await,
        });
    }
}

/// What stands at a place. Nothing is made.
pub(crate) async fn look(place: &Place) -> Result<Occupied, StoreError> {
    const DOING: &str = "look what stands at a place";
    match place {
        Place::Sqlite { path } if !path.exists() => Ok(Occupied::Empty),
        Place::Sqlite { path } => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
            let mut connection = options.disable_statement_logging().connect().await.map_err(failed(DOING))?;
            let occupied = occupied(&mut connection, &SQLITE_CATALOGUE).await;
            drop(connection.close().await);
            occupied.map_err(failed(DOING))
        }
        Place::Postgres { url, schema } => {
            let options: sqlx::postgres::PgConnectOptions = url.parse().map_err(failed(DOING))?;
            let options = options.options([("search_path", schema.as_str()), ("default_transaction_read_only", "on")]);
            let mut connection = options.disable_statement_logging().connect().await.map_err(failed(DOING))?;
            let occupied = occupied(&mut connection, &POSTGRES_CATALOGUE).await;
            drop(connection.close().await);
            occupied.map_err(failed(DOING))
        }
    }
}

/// Takes the mark from a store that was filled and waited for others.
pub(crate) async fn release(config: &StoreConfig) -> Result<(), OpenError> {
    let mut filling = Filling::reach(config).await?;
    let released = on_either!(&mut filling.connection, connection => schema::set_mark(connection, None).await);
    let released = released.map_err(schema::refused("release", &filling.name));
    filling.close().await;
    released
}

async fn begin(connection: &mut impl Connected, dialect: &Dialect) -> Result<(), sqlx::Error> {
    connection.run_script(&dialect.begin).await?;
    schema::make_journal_tables(connection, dialect).await
}

async fn occupied(connection: &mut impl Connected, catalogue: &Catalogue) -> Result<Occupied, sqlx::Error> {
    /// A group counts up the number of its process, whatever it writes. Rows of processes are kept for a time only, so what
    /// units write without events is looked for, too.
    const WRITTEN: &str = "SELECT (SELECT COUNT(*) FROM appenders WHERE group_number > 0)
        + (SELECT COUNT(*) FROM command_keys) + (SELECT COUNT(*) FROM claims) + (SELECT COUNT(*) FROM timers)
        + (SELECT COUNT(*) FROM cursors)";
    let decoded = |error: StoreError| sqlx::Error::Decode(Box::new(error));
    let names = tables::all_names(connection, catalogue).await.map_err(decoded)?;
    let has = |name: &str| names.iter().any(|found| found == name);
    if names.is_empty() {
        return Ok(Occupied::Empty);
    }
    if has("schema_versions")
        && let Some(mark) = schema::mark(connection).await?
    {
        return Ok(Occupied::Marked(mark));
    }
    let head = rows::head(connection).await.map_err(decoded)?;
    let rows = connection.fetch(WRITTEN, vec![]).await?;
    let written = rows.first().map_or(Ok(0), |row| row.integer(0)).map_err(|why| sqlx::Error::Decode(why.into()))?;
    if head.position == Position::START && written == 0 {
        return Ok(Occupied::Empty);
    }
    let cursor = Cursor { store: head.store, position: head.position, hash: head.hash };
    Ok(Occupied::Store { id: head.store, position: head.position, cursor })
}

/// Removes all tables: of a place that is empty or marked, these are ours and hold nothing.
async fn drop_tables(connection: &mut impl Connected, catalogue: &Catalogue) -> Result<(), sqlx::Error> {
    let names = tables::all_names(connection, catalogue).await.map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    for name in names {
        connection.run_script(&format!("DROP TABLE \"{name}\"")).await?;
    }
    Ok(())
}

/// Whether there was a mark, with which all went.
async fn discard(
    connection: &mut impl Connected,
    dialect: &Dialect,
    catalogue: &Catalogue,
) -> Result<bool, sqlx::Error> {
    connection.run_script(&dialect.begin).await?;
    let is_marked = matches!(occupied(connection, catalogue).await?, Occupied::Marked(_));
    if is_marked {
        drop_tables(connection, catalogue).await?;
    }
    connection.run_script("COMMIT").await?;
    Ok(is_marked)
}

async fn remove_mark(connection: &mut impl Connected) -> Result<(), sqlx::Error> {
    connection.run_script("ROLLBACK").await?;
    connection.run_script("DROP TABLE schema_versions").await
}

/// The file of a store that was not made. It holds no table.
fn remove_file(path: &Path) {
    for end in ["", "-journal", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        // What cannot be removed is an empty database, which the next import takes.
        drop(std::fs::remove_file(PathBuf::from(file)));
    }
}

fn insert_sql(table: &PortableTable, rows: usize, place: impl Fn(usize) -> String) -> String {
    let width = table.columns.len();
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO \"{}\" ({}) VALUES {}", table.name, table.column_list(), rows.join(", "))
}

/// Binds the values of rows. A null is of its column's type, which PostgreSQL wants to know.
fn bind_all<'q, DB: Database>(
    query: Query<'q, DB, DB::Arguments>,
    table: &PortableTable,
    rows: Vec<Vec<Value>>,
) -> Query<'q, DB, DB::Arguments>
where
    Option<i64>: Encode<'q, DB> + Type<DB>,
    Option<String>: Encode<'q, DB> + Type<DB>,
    Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
{
    let cells =
        rows.into_iter().flat_map(|row| table.columns.iter().map(|column| column.kind).zip(row).collect::<Vec<_>>());
    cells.fold(query, |query, (kind, value)| match (kind, value) {
        (_, Value::Integer(number)) => query.bind(Some(number)),
        (_, Value::Text(text)) => query.bind(Some(text)),
        (_, Value::Bytes(bytes)) => query.bind(Some(bytes)),
        (ColumnKind::Integer, Value::Null) => query.bind(None::<i64>),
        (ColumnKind::Text, Value::Null) => query.bind(None::<String>),
        (ColumnKind::Bytes, Value::Null) => query.bind(None::<Vec<u8>>),
    })
}
