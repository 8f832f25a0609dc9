//! What a group writes: new rows by multi-row `VALUES` in chunks, changes and removals one by one.
//!
//! A statement through the driver costs a change of threads, so rows go in chunks; parameters are plain `?`, since numbered ones
//! are searched by name for each value that is bound.

use std::sync::LazyLock;

use messages::{RecordedEvent, StreamName};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use crate::key::{KeyRecord, KeyScope};
use crate::store::rows::{as_many, failed, previous_published, signed, stream_hash};
use crate::store::{Rows, StoreError};
use crate::unit::{Claim, Timer, TimerName};

type Bound = Query<'static, Sqlite, SqliteArguments>;

/// How many rows one statement inserts, from the largest. Each size is a statement of its own, prepared once.
const CHUNKS: [usize; 4] = [32, 8, 4, 1];

/// The statements that insert into one table, by chunk.
struct Insert([String; CHUNKS.len()]);

impl Insert {
    fn into(table: &str, columns: &[&str]) -> Self {
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let columns = columns.join(", ");
        Self(CHUNKS.map(|rows| format!("INSERT INTO {table} ({columns}) VALUES {}", vec![&*row; rows].join(", "))))
    }
}

static EVENTS: LazyLock<Insert> = LazyLock::new(|| {
    let columns = [
        "position",
        "stream_hash",
        "stream_version",
        "recorded_us",
        "previous_published",
        "event_id",
        "salt",
        "metadata",
        "payload",
        "event_hash",
    ];
    Insert::into("events", &columns)
});

static KEYS: LazyLock<Insert> = LazyLock::new(|| {
    let columns = [
        "key_hash",
        "position",
        "state",
        "changed_us",
        "tenant",
        "client",
        "key",
        "fingerprint",
        "command_id",
        "location",
        "answer",
    ];
    Insert::into("command_keys", &columns)
});

static CLAIMS: LazyLock<Insert> =
    LazyLock::new(|| Insert::into("claims", &["claim_hash", "tenant", "kind", "value", "stream"]));

static TIMERS: LazyLock<Insert> =
    LazyLock::new(|| Insert::into("timers", &["timer_hash", "tenant", "name", "due_us", "payload"]));

/// Writes all but statements, cursors and head. Removals come first: what is removed may be taken by another.
pub(in crate::store) async fn write(connection: &mut SqliteConnection, rows: &Rows) -> Result<(), StoreError> {
    write_events(connection, &rows.events).await?;
    write_keys(connection, rows).await?;
    write_claims(connection, rows).await?;
    write_timers(connection, rows).await
}

pub(super) async fn write_events(
    connection: &mut SqliteConnection,
    events: &[RecordedEvent],
) -> Result<(), StoreError> {
    insert(connection, &EVENTS, events, |query, event| {
        query
            .bind(signed(event.header.position.number()))
            .bind(stream_hash(&event.metadata))
            .bind(signed(event.metadata.stream_version.number()))
            .bind(event.header.recorded.micros())
            .bind(previous_published(event.header.visibility))
            .bind(event.header.event.as_bytes().as_slice())
            .bind(event.salt.as_slice())
            .bind(&*event.metadata_bytes)
            .bind(event.payload.as_bytes())
            .bind(event.hash.as_bytes().as_slice())
    })
    .await
    .map_err(failed("write events"))
}

/// Inserts rows chunk by chunk.
async fn insert<T>(
    connection: &mut SqliteConnection,
    into: &'static Insert,
    mut rows: &[T],
    bind: impl Fn(Bound, &T) -> Bound,
) -> Result<(), sqlx::Error> {
    for (size, sql) in CHUNKS.into_iter().zip(&into.0) {
        while let Some((chunk, rest)) = rows.split_at_checked(size) {
            let query = chunk.iter().fold(sqlx::query(sql.as_str()), &bind);
            let _ = query.execute(&mut *connection).await?;
            rows = rest;
        }
    }
    Ok(())
}

/// Runs one statement per row; each must change exactly one.
async fn run_each<T>(
    connection: &mut SqliteConnection,
    what: &'static str,
    sql: &'static str,
    rows: &[T],
    bind: impl Fn(Bound, &T) -> Bound,
) -> Result<(), StoreError> {
    for row in rows {
        let done = bind(sqlx::query(sql), row).execute(&mut *connection).await.map_err(failed("change rows"))?;
        as_many(what, 1, done.rows_affected())?;
    }
    Ok(())
}

async fn write_keys(connection: &mut SqliteConnection, rows: &Rows) -> Result<(), StoreError> {
    const REMOVE: &str = "DELETE FROM command_keys WHERE key_hash = ? AND tenant = ? AND client = ? AND key = ?";
    const CHANGE: &str = "UPDATE command_keys SET state = ?, changed_us = ?, answer = ?
        WHERE key_hash = ? AND tenant = ? AND client = ? AND key = ?";
    let named = |query: Bound, scope: &KeyScope| {
        query.bind(scope.narrow()).bind(scope.tenant().as_str()).bind(scope.client()).bind(scope.key())
    };
    run_each(connection, "idempotency key", REMOVE, &rows.keys_removed, named).await?;
    let changed = |query: Bound, key: &KeyRecord| {
        let query = query.bind(key.state.number()).bind(key.changed.micros()).bind(key.answer.as_deref());
        named(query, &key.scope)
    };
    run_each(connection, "idempotency key", CHANGE, &rows.keys_changed, changed).await?;
    let new = |query: Bound, key: &KeyRecord| {
        query
            .bind(key.scope.narrow())
            .bind(signed(key.position.number()))
            .bind(key.state.number())
            .bind(key.changed.micros())
            .bind(key.scope.tenant().as_str())
            .bind(key.scope.client())
            .bind(key.scope.key())
            .bind(key.fingerprint.as_bytes().as_slice())
            .bind(key.command.as_bytes().as_slice())
            .bind(&*key.location)
            .bind(key.answer.as_deref())
    };
    insert(connection, &KEYS, &rows.keys_new, new).await.map_err(failed("write keys"))
}

async fn write_claims(connection: &mut SqliteConnection, rows: &Rows) -> Result<(), StoreError> {
    const REMOVE: &str = "DELETE FROM claims WHERE claim_hash = ? AND tenant = ? AND kind = ? AND value = ?";
    let named = |query: Bound, claim: &Claim| {
        query.bind(claim.narrow()).bind(claim.tenant.as_str()).bind(&*claim.kind).bind(&*claim.value)
    };
    run_each(connection, "claim", REMOVE, &rows.claims_removed, named).await?;
    let new = |query, (claim, stream): &(Claim, StreamName)| named(query, claim).bind(stream.as_str());
    insert(connection, &CLAIMS, &rows.claims_new, new).await.map_err(failed("write claims"))
}

async fn write_timers(connection: &mut SqliteConnection, rows: &Rows) -> Result<(), StoreError> {
    const REMOVE: &str = "DELETE FROM timers WHERE timer_hash = ? AND tenant = ? AND name = ?";
    const UNPARK: &str = "DELETE FROM parked_timers WHERE tenant = ? AND name = ?";
    const CHANGE: &str = "UPDATE timers SET due_us = ?, payload = ? WHERE timer_hash = ? AND tenant = ? AND name = ?";
    let named = |query: Bound, name: &TimerName| query.bind(name.narrow()).bind(name.tenant.as_str()).bind(&*name.name);
    run_each(connection, "timer", REMOVE, &rows.timers_removed, named).await?;
    for name in rows.timers_no_longer_parked() {
        let query = sqlx::query(UNPARK).bind(name.tenant.as_str()).bind(&*name.name);
        let _ = query.execute(&mut *connection).await.map_err(failed("write timers"))?;
    }
    let changed =
        |query: Bound, timer: &Timer| named(query.bind(timer.due.micros()).bind(timer.payload.as_bytes()), &timer.name);
    run_each(connection, "timer", CHANGE, &rows.timers_changed, changed).await?;
    let new =
        |query: Bound, timer: &Timer| named(query, &timer.name).bind(timer.due.micros()).bind(timer.payload.as_bytes());
    insert(connection, &TIMERS, &rows.timers_new, new).await.map_err(failed("write timers"))
}
