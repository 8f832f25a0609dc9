//! The tables, their migrations, and the head of a new store.
//!
//! The SQL is written once. Column types are BIGINT, TEXT and BYTEA; SQLite gives the last one NUMERIC affinity, which leaves
//! blobs as they are. What differs is said by [`Dialect`].
//!
//! No index is unique but primary keys: rows are looked up by 64-bit hashes of their names, two names may share one, and the
//! names are compared after the look-up. Uniqueness is decided by the group that holds the head.

use messages::{StoreId, Timestamp, chain};

use super::rows::{Connected, StoredRow as _, signed};
use super::tables::{self, Catalogue};
use super::{Head, OpenError, StateRows, StoreConfig};
use crate::unit::Parameter;

/// The tables of the journal. Each entry brings them from its index to the next version. Entries are never changed, only added.
const JOURNAL: &[&str] = &[FIRST, READING_SIDE];

const FIRST: &str = "
    -- One row: the end of the log. Whoever appends locks it.
    CREATE TABLE head (
        one BIGINT PRIMARY KEY CHECK (one = 1), store_id BYTEA NOT NULL, position BIGINT NOT NULL,
        event_hash BYTEA NOT NULL, recorded_us BIGINT NOT NULL, published_position BIGINT NOT NULL);

    -- One row per process: the number of its last group, by which it learns what became of a commit without an answer.
    CREATE TABLE appenders (
        appender_id BYTEA NOT NULL PRIMARY KEY, group_number BIGINT NOT NULL, changed_us BIGINT NOT NULL);

    -- The log. previous_published is -1 for an event that does not leave the store.
    CREATE TABLE events (
        position BIGINT PRIMARY KEY, stream_hash BIGINT NOT NULL, stream_version BIGINT NOT NULL,
        recorded_us BIGINT NOT NULL, previous_published BIGINT NOT NULL, event_id BYTEA NOT NULL, salt BYTEA NOT NULL,
        metadata BYTEA NOT NULL, payload BYTEA NOT NULL, event_hash BYTEA NOT NULL);
    CREATE INDEX events_stream ON events (stream_hash, stream_version);
    CREATE INDEX events_published ON events (position) WHERE previous_published >= 0;

    -- Idempotency keys. The second index grows at its end alone, and no change of a key moves it: expiry follows it.
    CREATE TABLE command_keys (
        key_hash BIGINT NOT NULL, position BIGINT NOT NULL, state BIGINT NOT NULL, changed_us BIGINT NOT NULL,
        tenant TEXT NOT NULL, client TEXT NOT NULL, key TEXT NOT NULL, fingerprint BYTEA NOT NULL,
        command_id BYTEA NOT NULL, location TEXT NOT NULL, answer BYTEA);
    CREATE INDEX command_keys_hash ON command_keys (key_hash);
    CREATE INDEX command_keys_position ON command_keys (position);

    CREATE TABLE claims (
        claim_hash BIGINT NOT NULL, tenant TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, stream TEXT NOT NULL);
    CREATE INDEX claims_hash ON claims (claim_hash);

    CREATE TABLE timers (
        timer_hash BIGINT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL, due_us BIGINT NOT NULL,
        payload BYTEA NOT NULL);
    CREATE INDEX timers_hash ON timers (timer_hash);
    CREATE INDEX timers_due ON timers (due_us);

    -- How far consumers have come in the logs of other stores, or in this one.
    CREATE TABLE cursors (
        consumer TEXT NOT NULL PRIMARY KEY, store_id BYTEA NOT NULL, position BIGINT NOT NULL,
        event_hash BYTEA NOT NULL);
";

/// The error that a store cannot be opened; `store` has no secrets.
pub(super) fn refused(doing: &'static str, store: &str) -> impl FnOnce(sqlx::Error) -> OpenError {
    move |source| OpenError::Sql { doing, store: store.to_owned(), source }
}

const READING_SIDE: &str = "
    -- Events that a consumer could not handle, and those of the same stream behind them.
    CREATE TABLE parked (
        consumer TEXT NOT NULL, position BIGINT NOT NULL, store_id BYTEA NOT NULL, event_hash BYTEA NOT NULL,
        tenant TEXT NOT NULL, stream TEXT NOT NULL, reason TEXT NOT NULL, attempts BIGINT NOT NULL,
        parked_us BIGINT NOT NULL, PRIMARY KEY (consumer, position));
    CREATE INDEX parked_streams ON parked (consumer, tenant, stream, position);

    -- Timers that could not be fired. Such a row counts only as long as its timer stands.
    CREATE TABLE parked_timers (
        tenant TEXT NOT NULL, name TEXT NOT NULL, due_us BIGINT NOT NULL, reason TEXT NOT NULL, attempts BIGINT NOT NULL,
        parked_us BIGINT NOT NULL, PRIMARY KEY (tenant, name));

    -- What a person decided to leave out, for good: an event of a consumer (position), or a timer (name and due time).
    CREATE TABLE skipped (
        what TEXT NOT NULL, consumer TEXT NOT NULL, position BIGINT NOT NULL, tenant TEXT NOT NULL, name TEXT NOT NULL,
        reason TEXT NOT NULL, attempts BIGINT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, skipped_us BIGINT NOT NULL);
    CREATE INDEX skipped_when ON skipped (skipped_us);

    -- States of long streams, which spare reading them whole.
    CREATE TABLE snapshots (
        stream_hash BIGINT NOT NULL, tenant TEXT NOT NULL, stream TEXT NOT NULL, stream_version BIGINT NOT NULL,
        event_id BYTEA NOT NULL, form_version BIGINT NOT NULL, payload BYTEA NOT NULL);
    CREATE INDEX snapshots_hash ON snapshots (stream_hash);

    -- Which generation of a view its queries read, and which is being built beside it; 0 is none.
    CREATE TABLE views (
        name TEXT NOT NULL PRIMARY KEY, live BIGINT NOT NULL, live_version BIGINT NOT NULL,
        building BIGINT NOT NULL, building_version BIGINT NOT NULL, newest BIGINT NOT NULL);
";

/// What one store says in another way.
#[derive(Debug)]
pub(super) struct Dialect {
    /// How a migration's transaction begins: it keeps other processes out until it ends.
    pub(super) begin: String,
    /// The type of a number that is a table's primary key.
    pub(super) integer_key: &'static str,
}

/// One of the two sets of tables.
struct Tables {
    what: &'static str,
    /// By version, from 1.
    scripts: Vec<String>,
}

impl Tables {
    fn known(&self) -> i64 {
        i64::try_from(self.scripts.len()).unwrap_or(i64::MAX)
    }
}

/// Brings the tables of a store up to date, each version in a transaction of its own, and makes the head of a new store.
///
/// # Panics
///
/// If the service's migrations are not numbered from 1 without gaps.
pub(super) async fn migrate(
    connection: &mut impl Connected,
    dialect: &Dialect,
    catalogue: &Catalogue,
    store: &str,
    config: &StoreConfig,
) -> Result<(), OpenError> {
    let result = bring_up_to_date(connection, dialect, catalogue, store, config).await;
    if result.is_err() {
        // Of the transaction that failed nothing stays; if the connection is gone too, the database sees to that.
        drop(connection.run_script("ROLLBACK").await);
    }
    result
}

fn journal_tables(dialect: &Dialect) -> Tables {
    let script = |sql: &&str| sql.replace("BIGINT PRIMARY KEY", &format!("{} PRIMARY KEY", dialect.integer_key));
    Tables { what: "journal", scripts: JOURNAL.iter().map(script).collect() }
}

fn state_tables(rows: &StateRows) -> Tables {
    let in_order = rows.migrations.iter().zip(1..).all(|(migration, number)| migration.version == number);
    assert!(in_order, "migrations of state rows are numbered from 1 without gaps");
    Tables { what: rows.name, scripts: rows.migrations.iter().map(|migration| migration.sql.to_owned()).collect() }
}

/// The service that the store is of: the one whose tables it has; if it has none, the only one that it may be of.
async fn service(
    connection: &mut impl Connected,
    store: &str,
    config: &StoreConfig,
) -> Result<Option<StateRows>, OpenError> {
    const SQL: &str = "SELECT what FROM schema_versions WHERE what <> 'journal' AND what <> 'import' ORDER BY what";
    let failed = || refused("read the versions of", store);
    let found = connection.fetch(SQL, vec![]).await.map_err(failed())?;
    let Some(first) = found.first() else {
        return Ok(match config.state_rows {
            [only] => Some(*only),
            _ => None,
        });
    };
    let name = first.text(0).map_err(|why| failed()(sqlx::Error::Decode(why.into())))?;
    let known = config.state_rows.iter().find(|known| known.name == name);
    let other = || OpenError::OtherService { store: store.to_owned(), found: name.to_owned() };
    known.copied().map(Some).ok_or_else(other)
}

/// Refuses a database that has tables and is no store: what would be made in it would not be found by whoever made them.
async fn check_is_store_or_empty(
    connection: &mut impl Connected,
    catalogue: &Catalogue,
    store: &str,
) -> Result<(), OpenError> {
    let names = tables::all_names(connection, catalogue).await;
    let names = names.map_err(|source| OpenError::Head { store: store.to_owned(), source })?;
    if names.iter().any(|name| name == "head") {
        return Ok(());
    }
    match names.into_iter().find(|name| name != tables::VERSIONS) {
        Some(table) => Err(OpenError::NoStore { store: store.to_owned(), table }),
        None => Ok(()),
    }
}

async fn bring_up_to_date(
    connection: &mut impl Connected,
    dialect: &Dialect,
    catalogue: &Catalogue,
    store: &str,
    config: &StoreConfig,
) -> Result<(), OpenError> {
    let failed = |doing| refused(doing, store);
    // All versions are checked before anything is changed.
    begin(connection, dialect).await.map_err(failed("read the versions of"))?;
    if let Some(mark) = mark(connection).await.map_err(failed("read the versions of"))? {
        return Err(OpenError::HalfImported { store: store.to_owned(), is_filled: mark == ImportMark::Filled });
    }
    check_is_store_or_empty(connection, catalogue, store).await?;
    let service = service(connection, store, config).await?;
    let tables: Vec<Tables> =
        std::iter::once(journal_tables(dialect)).chain(service.as_ref().map(state_tables)).collect();
    for set in &tables {
        let _ = version(connection, set, store).await?;
    }
    connection.run_script("COMMIT").await.map_err(failed("read the versions of"))?;
    for set in &tables {
        loop {
            begin(connection, dialect).await.map_err(failed("bring up to date"))?;
            let found = version(connection, set, store).await?;
            let script = usize::try_from(found).ok().and_then(|index| set.scripts.get(index));
            if let Some(script) = script {
                connection.run_script(script).await.map_err(failed("bring up to date"))?;
                if set.what == "journal" && found == 0 {
                    make_head(connection, config).await.map_err(failed("make the head of"))?;
                }
                set_version(connection, set.what, found + 1).await.map_err(failed("bring up to date"))?;
            }
            connection.run_script("COMMIT").await.map_err(failed("bring up to date"))?;
            if script.is_none() {
                break;
            }
        }
    }
    Ok(())
}

const VERSIONS: &str =
    "CREATE TABLE IF NOT EXISTS schema_versions (what TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)";

async fn begin(connection: &mut impl Connected, dialect: &Dialect) -> Result<(), sqlx::Error> {
    connection.run_script(&dialect.begin).await?;
    connection.run_script(VERSIONS).await
}

/// The version found; an error if it is newer than any that is known.
async fn version(connection: &mut impl Connected, tables: &Tables, store: &str) -> Result<i64, OpenError> {
    const SQL: &str = "SELECT version FROM schema_versions WHERE what = $1";
    let failed = || refused("read the versions of", store);
    let rows = connection.fetch(SQL, vec![Parameter::Text(tables.what.to_owned())]).await.map_err(failed())?;
    let found = rows.first().map_or(Ok(0), |row| row.integer(0));
    let found = found.map_err(|why| failed()(sqlx::Error::Decode(why.into())))?;
    let known = tables.known();
    if found > known {
        return Err(OpenError::Newer { store: store.to_owned(), what: tables.what, found, known });
    }
    Ok(found)
}

async fn set_version(connection: &mut impl Connected, what: &str, version: i64) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO schema_versions (what, version) VALUES ($1, $2)
        ON CONFLICT (what) DO UPDATE SET version = excluded.version";
    let parameters = vec![Parameter::Text(what.to_owned()), Parameter::Integer(version)];
    connection.execute(SQL, parameters).await.map(|_| ())
}

/// The mark of a store that is being imported, in the table of versions. Whoever opens a store looks for it.
const MARK: &str = "import";

/// How far the import of a store has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportMark {
    /// It was begun, and nothing of it is there.
    Begun,
    /// All is there, and the store waits for the others of its backup.
    Filled,
}

impl ImportMark {
    const fn number(self) -> i64 {
        match self {
            Self::Begun => 1,
            Self::Filled => 2,
        }
    }
}

/// The mark that is there. The table of versions must be.
pub(super) async fn mark(connection: &mut impl Connected) -> Result<Option<ImportMark>, sqlx::Error> {
    const SQL: &str = "SELECT version FROM schema_versions WHERE what = 'import'";
    let rows = connection.fetch(SQL, vec![]).await?;
    let number = rows.first().map(|row| row.integer(0)).transpose();
    let number = number.map_err(|why| sqlx::Error::Decode(why.into()))?;
    Ok(number.map(|number| if number == ImportMark::Filled.number() { ImportMark::Filled } else { ImportMark::Begun }))
}

/// Sets the mark, or removes it. The table of versions is made if it is not there.
pub(super) async fn set_mark(connection: &mut impl Connected, mark: Option<ImportMark>) -> Result<(), sqlx::Error> {
    connection.run_script(VERSIONS).await?;
    match mark {
        Some(mark) => set_version(connection, MARK, mark.number()).await,
        None => connection.run_script("DELETE FROM schema_versions WHERE what = 'import'").await,
    }
}

/// Makes the journal's tables in the transaction that is open, without a head.
pub(super) async fn make_journal_tables(connection: &mut impl Connected, dialect: &Dialect) -> Result<(), sqlx::Error> {
    make_tables(connection, &journal_tables(dialect), usize::MAX).await
}

/// Makes the service's tables in the transaction that is open, up to a version. The version must be known.
pub(super) async fn make_state_tables(
    connection: &mut impl Connected,
    rows: &StateRows,
    version: usize,
) -> Result<(), sqlx::Error> {
    make_tables(connection, &state_tables(rows), version).await
}

async fn make_tables(connection: &mut impl Connected, tables: &Tables, version: usize) -> Result<(), sqlx::Error> {
    let mut made = 0;
    for script in tables.scripts.iter().take(version) {
        connection.run_script(script).await?;
        made += 1;
    }
    if made == 0 { Ok(()) } else { set_version(connection, tables.what, made).await }
}

/// The newest version of the journal's tables that is known.
pub(crate) const JOURNAL_VERSION: usize = JOURNAL.len();

/// Writes the head of a store that is imported.
pub(super) async fn write_head(connection: &mut impl Connected, head: &Head) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO head (one, store_id, position, event_hash, recorded_us, published_position)
        VALUES (1, $1, $2, $3, $4, $5)";
    let parameters = vec![
        Parameter::Bytes(head.store.as_bytes().to_vec()),
        Parameter::Integer(signed(head.position.number())),
        Parameter::Bytes(head.hash.as_bytes().to_vec()),
        Parameter::Integer(head.recorded.micros()),
        Parameter::Integer(signed(head.published.number())),
    ];
    connection.execute(SQL, parameters).await.map(|_| ())
}

/// The head of a new store: its identifier, and place 0.
async fn make_head(connection: &mut impl Connected, config: &StoreConfig) -> Result<(), sqlx::Error> {
    const SQL: &str = "INSERT INTO head (one, store_id, position, event_hash, recorded_us, published_position)
        VALUES (1, $1, 0, $2, $3, 0)";
    let now: Timestamp = config.clock.now();
    let store: StoreId = config.entropy.store_id(now);
    let parameters = vec![
        Parameter::Bytes(store.as_bytes().to_vec()),
        Parameter::Bytes(chain::start(store).as_bytes().to_vec()),
        Parameter::Integer(now.micros()),
    ];
    connection.execute(SQL, parameters).await.map(|_| ())
}

/// How long the row of a process that writes nothing is kept: 30 days, in microseconds. It is needed between a commit and the
/// question what became of it, which takes seconds. Age is measured by the newest row, so that a clock that went wrong here
/// removes nobody.
const APPENDER_KEPT_US: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// Enters this process among those that append, and removes those that have not appended for long.
pub(super) async fn enter_appender(
    connection: &mut impl Connected,
    appender_id: &[u8; 16],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    const OLD: &str = "DELETE FROM appenders WHERE changed_us < (SELECT MAX(changed_us) FROM appenders) - $1";
    const NEW: &str = "INSERT INTO appenders (appender_id, group_number, changed_us) VALUES ($1, 0, $2)
        ON CONFLICT (appender_id) DO NOTHING";
    let _ = connection.execute(OLD, vec![Parameter::Integer(APPENDER_KEPT_US)]).await?;
    let parameters = vec![Parameter::Bytes(appender_id.to_vec()), Parameter::Integer(now.micros())];
    connection.execute(NEW, parameters).await.map(|_| ())
}
