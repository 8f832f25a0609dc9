//! Filling an empty place with a whole store, in one transaction.
//!
//! First a mark is committed, then everything is written in one transaction whose commit takes the mark away. A process that dies
//! in between leaves the mark alone: nobody can open the place as a store, and the next import begins anew. Whoever fails
//! without dying removes the mark too, and with it whatever empty store was there.

use std::future::Future;
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
use super::{Head, OpenError, Place, Rows, StateRows, Store, StoreConfig, StoreError, postgres, sqlite};
use crate::cursor::Cursor;
use crate::query::Value;

/// How many rows of a table one statement inserts: with the widest table of 256 columns, fewer values than either database takes.
pub(crate) const INSERT_ROWS_MAX: usize = 64;

/// Between two pages of the export the transaction waits for a disk, and not for an answer as groups do.
const PATIENT: &str = "SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// What stands at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Occupied {
    /// Nothing, or a store in which nothing was ever written.
    Empty,
    /// An import that was begun, or that waits for others.
    Marked(ImportMark),
    /// A store.
    Store { id: StoreId, position: Position, cursor: Cursor },
    /// A table that is not the store's, or in which something was written: nothing goes there.
    InTheWay { table: String },
}

/// The tables of a service, and how many rows each has in a store that was just made.
type Known = Vec<(String, i64)>;

/// A place cannot be filled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FillError {
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is a store already.
    #[error("there is a store already")]
    NotEmpty { store: String, id: StoreId, position: Position },
    /// There is something else.
    #[error("there is a table that is not an empty store's")]
    InTheWay { place: String, table: String },
}

/// The transaction.
#[derive(Debug)]
pub(crate) struct Filling {
    connection: Connection,
    place: Place,
    /// Schema or file, without secrets.
    name: String,
    dialect: Dialect,
    known: Known,
    /// Whether the schema was made for this.
    is_schema_made: bool,
    /// Held until the file is whole, or gone.
    lock: Option<ProcessLock>,
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

    /// For one who only looks. `None` if there is no file.
    async fn to_look(place: &Place) -> Result<Option<Self>, sqlx::Error> {
        match place {
            Place::Sqlite { path } if !path.exists() => Ok(None),
            Place::Sqlite { path } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).read_only(true);
                let connection = options.disable_statement_logging().connect().await?;
                Ok(Some(Self::Sqlite(connection)))
            }
            Place::Postgres { url, schema } => {
                let options: sqlx::postgres::PgConnectOptions = url.parse()?;
                let options =
                    options.options([("search_path", schema.as_str()), ("default_transaction_read_only", "on")]);
                let connection = options.disable_statement_logging().connect().await?;
                Ok(Some(Self::Postgres(connection)))
            }
        }
    }

    async fn close(self) {
        // Whoever is gone already needs no end.
        drop(match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        });
    }
}

impl Occupied {
    fn check_free(self, name: &str) -> Result<(), FillError> {
        match self {
            Self::Empty | Self::Marked(_) => Ok(()),
            Self::Store { id, position, .. } => Err(FillError::NotEmpty { store: name.to_owned(), id, position }),
            Self::InTheWay { table } => Err(FillError::InTheWay { place: name.to_owned(), table }),
        }
    }
}

impl Filling {
    /// Removes a store that is marked as half made; anything else is left alone.
    pub(crate) async fn discard(config: &StoreConfig) -> Result<(), OpenError> {
        if !matches!(look(config).await, Ok(Occupied::Marked(_))) {
            return Ok(());
        }
        let mut filling = Self::reach(config).await?;
        let catalogue = filling.connection.catalogue();
        let removed = on_either!(&mut filling.connection, connection => {
            discard(connection, &filling.dialect, catalogue, &filling.known).await
        });
        let is_removed = removed.map_err(schema::refused("remove what is left of", &filling.name))?;
        filling.close(is_removed).await;
        Ok(())
    }

    /// Marks an empty place and begins the transaction. The journal's tables are made.
    pub(crate) async fn begin(config: &StoreConfig) -> Result<Self, FillError> {
        // A store that is there is not even touched. What cannot be looked at is told when it is reached.
        if let Ok(occupied) = look(config).await {
            let name = match &config.place {
                Place::Sqlite { path } => path.display().to_string(),
                Place::Postgres { schema, .. } => schema.clone(),
            };
            occupied.check_free(&name)?;
        }
        let mut filling = Self::reach(config).await?;
        match filling.mark_empty().await {
            Ok(occupied) => occupied.check_free(&filling.name)?,
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
        let known = known_tables(config).await.map_err(schema::refused("look for the tables of", "a new store"))?;
        match &config.place {
            Place::Sqlite { path } => {
                let lock = Some(sqlite::take_lock(path)?);
                let name = path.display().to_string();
                let connection = sqlite::filling_options(path, config.durability).connect().await;
                let connection = Connection::Sqlite(connection.map_err(schema::refused("open", &name))?);
                let dialect = sqlite::dialect();
                Ok(Self { connection, place, name, dialect, known, is_schema_made: false, lock })
            }
            Place::Postgres { url, schema } => {
                let reached = postgres::reach(url, schema, config.durability).await?;
                let name = reached.name().to_owned();
                let postgres::Reached { connection, dialect, is_made, .. } = reached;
                let connection = Connection::Postgres(connection);
                Ok(Self { connection, place, name, dialect, known, is_schema_made: is_made, lock: None })
            }
        }
    }

    /// Puts the mark in place of an empty store or of an earlier mark. What was there before is told.
    async fn mark_empty(&mut self) -> Result<Occupied, sqlx::Error> {
        let catalogue = self.connection.catalogue();
        on_either!(&mut self.connection, connection => {
            connection.run_script(&self.dialect.begin).await?;
            let occupied = occupied(connection, catalogue, &self.known).await?;
            if matches!(occupied, Occupied::Empty | Occupied::Marked(_)) {
                drop_tables(connection, catalogue, &self.known).await?;
                schema::set_mark(connection, Some(ImportMark::Begun)).await?;
            }
            connection.run_script("COMMIT").await?;
            Ok(occupied)
        })
    }

    /// Makes the service's tables of a version, without rows, and gives them.
    pub(crate) async fn make_state_tables(
        &mut self,
        rows: &StateRows,
        version: usize,
    ) -> Result<Vec<PortableTable>, StoreError> {
        let catalogue = self.connection.catalogue();
        on_either!(&mut self.connection, connection => {
            let made = schema::make_state_tables(connection, rows, version).await;
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

    /// Writes the head and commits. The mark goes, or says that the store waits for others. What fails before the commit leaves
    /// nothing; if the commit itself fails, nobody knows whether it took place, and what is there is left to the next import.
    pub(crate) async fn finish(mut self, head: &Head, mark: Option<ImportMark>) -> Result<(), StoreError> {
        const DOING: &str = "finish an import";
        let written = on_either!(&mut self.connection, connection => end(connection, head, mark).await);
        if let Err(error) = written {
            self.give_up().await;
            return Err(failed(DOING)(error));
        }
        let committed = on_either!(&mut self.connection, connection => connection.run_script("COMMIT").await);
        self.close(false).await;
        committed.map_err(failed(DOING))
    }

    /// Rolls back and removes the mark.
    pub(crate) async fn give_up(mut self) {
        let is_schema_made = self.is_schema_made;
        let removed = on_either!(&mut self.connection, connection => remove_mark(connection).await);
        if let (Ok(()), Place::Postgres { schema, .. }, true) = (&removed, &self.place, is_schema_made) {
            let sql = format!("DROP SCHEMA \"{schema}\"");
            drop(on_either!(&mut self.connection, connection => connection.run_script(&sql).await));
        }
        let is_removed = removed.is_ok();
        if let Err(error) = removed {
            tracing::warn!(store = %self.name, %error, "the mark of an import that was given up cannot be removed");
        }
        self.close(is_removed).await;
    }

    /// Ends the connection. The file of a store that was not made goes before the lock does: whoever gets that next makes a file
    /// of its own.
    async fn close(self, is_nothing_left: bool) {
        self.connection.close().await;
        if let (Place::Sqlite { path }, true) = (&self.place, is_nothing_left) {
            remove_file(path);
        }
        drop(self.lock);
    }
}

/// What stands at a place. Nothing is made.
pub(crate) async fn look(config: &StoreConfig) -> Result<Occupied, StoreError> {
    const DOING: &str = "look what stands at a place";
    let known = known_tables(config).await.map_err(failed(DOING))?;
    let Some(mut connection) = Connection::to_look(&config.place).await.map_err(failed(DOING))? else {
        return Ok(Occupied::Empty);
    };
    let catalogue = connection.catalogue();
    let occupied = on_either!(&mut connection, connection => occupied(connection, catalogue, &known).await);
    connection.close().await;
    occupied.map_err(failed(DOING))
}

impl Store {
    /// Whether there is a store at a place, whole or half made. Nothing is made.
    ///
    /// # Errors
    ///
    /// If the place cannot be looked at.
    pub async fn is_at(place: &Place) -> Result<bool, StoreError> {
        const DOING: &str = "look what stands at a place";
        let connected = Connection::to_look(place).await.map_err(failed(DOING))?;
        let Some(mut connection) = connected else { return Ok(false) };
        let catalogue = connection.catalogue();
        let is_store = on_either!(&mut connection, connection => is_store(connection, catalogue).await);
        connection.close().await;
        is_store.map_err(failed(DOING))
    }
}

async fn is_store(connection: &mut impl Connected, catalogue: &Catalogue) -> Result<bool, sqlx::Error> {
    let names = tables::all_names(connection, catalogue).await.map_err(decoded)?;
    let has = |name: &str| names.iter().any(|found| found == name);
    Ok(has("head") || (has(tables::VERSIONS) && schema::mark(connection).await?.is_some()))
}

/// Takes the mark from a store that was filled and waited for others.
pub(crate) async fn release(config: &StoreConfig) -> Result<(), OpenError> {
    let mut filling = Filling::reach(config).await?;
    let released = on_either!(&mut filling.connection, connection => schema::set_mark(connection, None).await);
    let released = released.map_err(schema::refused("release", &filling.name));
    filling.close(false).await;
    released
}

async fn begin(connection: &mut impl Connected, dialect: &Dialect) -> Result<(), sqlx::Error> {
    connection.run_script(&dialect.begin).await?;
    schema::make_journal_tables(connection, dialect).await
}

async fn end(connection: &mut impl Connected, head: &Head, mark: Option<ImportMark>) -> Result<(), sqlx::Error> {
    schema::write_head(connection, head).await?;
    schema::set_mark(connection, mark).await
}

/// The tables of the services that the store may be of, as they are in a new one. Their statements are of the language that both databases understand: they
/// are asked of one in memory.
async fn known_tables(config: &StoreConfig) -> Result<Known, sqlx::Error> {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
    schema::set_mark(&mut connection, None).await?;
    schema::make_journal_tables(&mut connection, &sqlite::dialect()).await?;
    for rows in config.state_rows {
        schema::make_state_tables(&mut connection, rows, usize::MAX).await?;
    }
    let mut known = Known::new();
    for table in tables::state_tables(&mut connection, &SQLITE_CATALOGUE).await.map_err(decoded)? {
        let rows = connection.rows_of(&table.name).await?;
        known.push((table.name, rows));
    }
    drop(connection.close().await);
    Ok(known)
}

fn decoded(error: StoreError) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

/// A connection that counts the rows of any table.
trait Counts: Connected {
    fn rows_of(&mut self, table: &str) -> impl Future<Output = Result<i64, sqlx::Error>> + Send;
}

fn count_of(table: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{table}\""))
}

impl Counts for SqliteConnection {
    async fn rows_of(&mut self, table: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(count_of(table)).fetch_one(self).await
    }
}

impl Counts for PgConnection {
    async fn rows_of(&mut self, table: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(count_of(table)).fetch_one(self).await
    }
}

async fn occupied(connection: &mut impl Counts, catalogue: &Catalogue, known: &Known) -> Result<Occupied, sqlx::Error> {
    let names = tables::all_names(connection, catalogue).await.map_err(decoded)?;
    let has = |name: &str| names.iter().any(|found| found == name);
    let in_the_way = |other: Option<&String>| other.map(|table| Occupied::InTheWay { table: table.clone() });
    let other = in_the_way(names.iter().find(|name| !is_ours(name, known)));
    if has(tables::VERSIONS)
        && let Some(mark) = schema::mark(connection).await?
    {
        return Ok(other.unwrap_or(Occupied::Marked(mark)));
    }
    if !has("head") {
        // No store: whatever else there is stays. A store that was never made to its end has no more than its versions.
        let table = in_the_way(names.iter().find(|name| *name != tables::VERSIONS));
        return Ok(table.unwrap_or(Occupied::Empty));
    }
    let head = rows::head(connection).await.map_err(decoded)?;
    if head.position != Position::START || is_written(connection).await? {
        let cursor = Cursor { store: head.store, position: head.position, hash: head.hash };
        return Ok(Occupied::Store { id: head.store, position: head.position, cursor });
    }
    for (table, rows_of_new) in known.iter().filter(|(table, _)| has(table)) {
        if connection.rows_of(table).await? != *rows_of_new {
            return Ok(Occupied::InTheWay { table: table.clone() });
        }
    }
    Ok(other.unwrap_or(Occupied::Empty))
}

/// Whether units were written to a store without events. A group counts up the number of its process, whatever it writes. Rows of
/// processes are kept for a time only, so what units write is looked for, too.
async fn is_written(connection: &mut impl Counts) -> Result<bool, sqlx::Error> {
    const GROUPS: &str = "SELECT COUNT(*) FROM appenders WHERE group_number > 0";
    let rows = connection.fetch(GROUPS, vec![]).await?;
    let mut written =
        rows.first().map_or(Ok(0), |row| row.integer(0)).map_err(|why| sqlx::Error::Decode(why.into()))?;
    for table in tables::journal_tables().iter().filter(|table| table.name != tables::VERSIONS) {
        written += connection.rows_of(&table.name).await?;
    }
    Ok(written != 0)
}

fn is_ours(name: &str, known: &Known) -> bool {
    tables::is_journals(name) || known.iter().any(|(table, _)| table == name)
}

/// Removes the tables of a place that is empty or marked. What is not ours stays.
async fn drop_tables(connection: &mut impl Connected, catalogue: &Catalogue, known: &Known) -> Result<(), sqlx::Error> {
    let names = tables::all_names(connection, catalogue).await.map_err(decoded)?;
    for name in names.iter().filter(|name| is_ours(name, known)) {
        connection.run_script(&format!("DROP TABLE \"{name}\"")).await?;
    }
    Ok(())
}

/// Whether there was a mark, with which all went.
async fn discard(
    connection: &mut impl Counts,
    dialect: &Dialect,
    catalogue: &Catalogue,
    known: &Known,
) -> Result<bool, sqlx::Error> {
    connection.run_script(&dialect.begin).await?;
    let is_marked = matches!(occupied(connection, catalogue, known).await?, Occupied::Marked(_));
    if is_marked {
        drop_tables(connection, catalogue, known).await?;
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

#[cfg(test)]
mod tests {
    use messages::{Hash, Timestamp};

    use super::*;

    /// A filling of which the head cannot be written any more.
    async fn spoilt(config: &StoreConfig, head: &Head) -> Filling {
        let mut filling = Filling::begin(config).await.unwrap();
        on_either!(&mut filling.connection, connection => schema::write_head(connection, head).await.unwrap());
        filling
    }

    #[tokio::test]
    async fn what_cannot_be_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let (store, position) = (StoreId::from_bytes([7; 16]), Position::START);
        let (hash, recorded) = (Hash::new([1; 32]), Timestamp::from_micros(0));
        let head = Head { store, position, hash, recorded, published: position };
        let url = test_servers::Postgres::shared().unwrap().database().unwrap();
        for place in [Place::Sqlite { path: path.clone() }, Place::Postgres { url, schema: "spoilt".to_owned() }] {
            let config = StoreConfig::at(place);
            let refused = spoilt(&config, &head).await.finish(&head, None).await;
            assert!(refused.is_err(), "a second head was written");
            assert_eq!(look(&config).await.unwrap(), Occupied::Empty);
            assert!(!Store::is_at(&config.place).await.unwrap());
        }
        assert!(!path.exists());
    }
}
