//! What a group writes: one statement per table and kind of change, rows given as arrays, column by column.
//!
//! What is inserted is unnested in the list of columns, side by side: PostgreSQL keeps the rows of `FROM unnest(…)` aside before it
//! uses the first, which cost a tenth of all that groups take.

use messages::RecordedEvent;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, Postgres};

use super::Appender;
use super::connection::bounded;
use super::foreign::sender;
use crate::key::KeyScope;
use crate::store::rows::{as_many, failed, previous_published, signed, stream_hash};
use crate::store::{GroupMark, Head, Rows, StoreError};
use crate::unit::{Claim, Timer, TimerName};

type Bound<'q> = Query<'q, Postgres, PgArguments>;

/// One column of some rows.
fn column<'r, T, C>(rows: &'r [T], value: impl Fn(&'r T) -> C) -> Vec<C> {
    rows.iter().map(value).collect()
}

/// Runs a statement that must change as many rows as it is given.
async fn run(
    connection: &mut PgConnection,
    what: &'static str,
    rows: usize,
    query: Bound<'_>,
) -> Result<(), StoreError> {
    let done = bounded(query.execute(connection)).await.map_err(failed("write rows"))?;
    as_many(what, rows, done.rows_affected())
}

/// Writes all but statements, cursors and head. Removals come first: what is removed may be taken by another.
pub(in crate::store) async fn write(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    write_events(connection, &rows.events).await?;
    remove_keys(connection, rows).await?;
    change_keys(connection, rows).await?;
    insert_keys(connection, rows).await?;
    write_claims(connection, rows).await?;
    write_timers(connection, rows).await
}

pub(super) async fn write_events(connection: &mut PgConnection, events: &[RecordedEvent]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO events (position, stream_hash, stream_version, recorded_us, previous_published,
            event_id, salt, metadata, payload, event_hash)
        SELECT unnest($1::bigint[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bigint[]),
            unnest($5::bigint[]), unnest($6::bytea[]), unnest($7::bytea[]), unnest($8::bytea[]),
            unnest($9::bytea[]), unnest($10::bytea[])";
    if events.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(SQL)
        .bind(column(events, |event| signed(event.header.position.number())))
        .bind(column(events, |event| stream_hash(&event.metadata)))
        .bind(column(events, |event| signed(event.metadata.stream_version.number())))
        .bind(column(events, |event| event.header.recorded.micros()))
        .bind(column(events, |event| previous_published(event.header.visibility)))
        .bind(column(events, |event| event.header.event.as_bytes().as_slice()))
        .bind(column(events, |event| event.salt.as_slice()))
        .bind(column(events, |event| &*event.metadata_bytes))
        .bind(column(events, |event| event.payload.as_bytes()))
        .bind(column(events, |event| event.hash.as_bytes().as_slice()));
    run(connection, "event", events.len(), query).await
}

/// The four columns by which keys are found again.
fn bind_scopes<'q>(query: Bound<'q>, scopes: &[&KeyScope]) -> Bound<'q> {
    query
        .bind(column(scopes, |scope| scope.narrow()))
        .bind(column(scopes, |scope| scope.tenant().as_str()))
        .bind(column(scopes, |scope| scope.client()))
        .bind(column(scopes, |scope| scope.key()))
}

async fn remove_keys(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM command_keys AS it
        USING unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS gone (key_hash, tenant, client, key)
        WHERE it.key_hash = gone.key_hash AND it.tenant = gone.tenant AND it.client = gone.client AND it.key = gone.key";
    let scopes: Vec<&KeyScope> = rows.keys_removed.iter().collect();
    if scopes.is_empty() {
        return Ok(());
    }
    run(connection, "idempotency key", scopes.len(), bind_scopes(sqlx::query(SQL), &scopes)).await
}

async fn change_keys(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE command_keys AS it
        SET state = changed.state, changed_us = changed.changed_us, answer = changed.answer
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bytea[])
            AS changed (key_hash, tenant, client, key, state, changed_us, answer)
        WHERE it.key_hash = changed.key_hash AND it.tenant = changed.tenant AND it.client = changed.client
            AND it.key = changed.key";
    let keys = &rows.keys_changed[..];
    if keys.is_empty() {
        return Ok(());
    }
    let query = bind_scopes(sqlx::query(SQL), &column(keys, |key| &key.scope))
        .bind(column(keys, |key| key.state.number()))
        .bind(column(keys, |key| key.changed.micros()))
        .bind(column(keys, |key| key.answer.as_deref()));
    run(connection, "idempotency key", keys.len(), query).await
}

async fn insert_keys(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO command_keys (key_hash, tenant, client, key, position, state, changed_us,
            fingerprint, command_id, location, answer)
        SELECT unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]),
            unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::bigint[]), unnest($8::bytea[]),
            unnest($9::bytea[]), unnest($10::text[]), unnest($11::bytea[])";
    let keys = &rows.keys_new[..];
    if keys.is_empty() {
        return Ok(());
    }
    let query = bind_scopes(sqlx::query(SQL), &column(keys, |key| &key.scope))
        .bind(column(keys, |key| signed(key.position.number())))
        .bind(column(keys, |key| key.state.number()))
        .bind(column(keys, |key| key.changed.micros()))
        .bind(column(keys, |key| key.fingerprint.as_bytes().as_slice()))
        .bind(column(keys, |key| key.command.as_bytes().as_slice()))
        .bind(column(keys, |key| &*key.location))
        .bind(column(keys, |key| key.answer.as_deref()));
    run(connection, "idempotency key", keys.len(), query).await
}

fn bind_claims<'q>(query: Bound<'q>, claims: &[&Claim]) -> Bound<'q> {
    query
        .bind(column(claims, |claim| claim.narrow()))
        .bind(column(claims, |claim| claim.tenant.as_str()))
        .bind(column(claims, |claim| &*claim.kind))
        .bind(column(claims, |claim| &*claim.value))
}

async fn write_claims(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    const REMOVE: &str = "DELETE FROM claims AS it
        USING unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS gone (claim_hash, tenant, kind, value)
        WHERE it.claim_hash = gone.claim_hash AND it.tenant = gone.tenant AND it.kind = gone.kind
            AND it.value = gone.value";
    const INSERT: &str = "INSERT INTO claims (claim_hash, tenant, kind, value, stream)
        SELECT unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[])";
    let removed: Vec<&Claim> = rows.claims_removed.iter().collect();
    if !removed.is_empty() {
        run(connection, "claim", removed.len(), bind_claims(sqlx::query(REMOVE), &removed)).await?;
    }
    let new = &rows.claims_new[..];
    if new.is_empty() {
        return Ok(());
    }
    let query = bind_claims(sqlx::query(INSERT), &column(new, |(claim, _)| claim))
        .bind(column(new, |(_, stream)| stream.as_str()));
    run(connection, "claim", new.len(), query).await
}

fn bind_names<'q>(query: Bound<'q>, names: &[&TimerName]) -> Bound<'q> {
    query
        .bind(column(names, |name| name.narrow()))
        .bind(column(names, |name| name.tenant.as_str()))
        .bind(column(names, |name| &*name.name))
}

async fn write_timers(connection: &mut PgConnection, rows: &Rows) -> Result<(), StoreError> {
    const REMOVE: &str = "DELETE FROM timers AS it
        USING unnest($1::bigint[], $2::text[], $3::text[]) AS gone (timer_hash, tenant, name)
        WHERE it.timer_hash = gone.timer_hash AND it.tenant = gone.tenant AND it.name = gone.name";
    const UNPARK: &str = "DELETE FROM parked_timers AS it USING unnest($1::text[], $2::text[]) AS gone (tenant, name)
        WHERE it.tenant = gone.tenant AND it.name = gone.name";
    const CHANGE: &str = "UPDATE timers AS it SET due_us = changed.due_us, payload = changed.payload
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
            AS changed (timer_hash, tenant, name, due_us, payload)
        WHERE it.timer_hash = changed.timer_hash AND it.tenant = changed.tenant AND it.name = changed.name";
    const INSERT: &str = "INSERT INTO timers (timer_hash, tenant, name, due_us, payload)
        SELECT unnest($1::bigint[]), unnest($2::text[]), unnest($3::text[]), unnest($4::bigint[]),
            unnest($5::bytea[])";
    let removed: Vec<&TimerName> = rows.timers_removed.iter().collect();
    if !removed.is_empty() {
        run(connection, "timer", removed.len(), bind_names(sqlx::query(REMOVE), &removed)).await?;
    }
    let no_longer_parked = rows.timers_no_longer_parked();
    if !no_longer_parked.is_empty() {
        let query = sqlx::query(UNPARK)
            .bind(column(&no_longer_parked, |name| name.tenant.as_str()))
            .bind(column(&no_longer_parked, |name| &*name.name));
        let _ = bounded(query.execute(&mut *connection)).await.map_err(failed("write rows"))?;
    }
    for (sql, timers) in [(CHANGE, &rows.timers_changed), (INSERT, &rows.timers_new)] {
        if !timers.is_empty() {
            run(connection, "timer", timers.len(), bind_timers(sqlx::query(sql), timers)).await?;
        }
    }
    Ok(())
}

fn bind_timers<'q>(query: Bound<'q>, timers: &[Timer]) -> Bound<'q> {
    bind_names(query, &column(timers, |timer| &timer.name))
        .bind(column(timers, |timer| timer.due.micros()))
        .bind(column(timers, |timer| timer.payload.as_bytes()))
}

/// Writes the new head and this process's mark in one round trip, and tells the other processes if there are events.
pub(super) async fn move_head(
    connection: &mut PgConnection,
    head: &Head,
    appender: &Appender,
    mark: GroupMark,
    is_told: bool,
) -> Result<(), StoreError> {
    macro_rules! moving {
        ($returning:literal) => {
            concat!(
                "WITH appender AS (
                    INSERT INTO appenders (appender_id, group_number, changed_us) VALUES ($1, $2, $8)
                    ON CONFLICT (appender_id) DO UPDATE
                    SET group_number = excluded.group_number, changed_us = excluded.changed_us)
                UPDATE head SET recorded_us = $3, position = $4, event_hash = $5, published_position = $6
                WHERE store_id = $7",
                $returning
            )
        };
    }
    let sql = if is_told { moving!(" RETURNING pg_notify($9, $10)") } else { moving!("") };
    let mut query = sqlx::query(sql)
        .bind(appender.id.as_slice())
        .bind(signed(mark.number))
        .bind(head.recorded.micros())
        .bind(signed(head.position.number()))
        .bind(head.hash.as_bytes().as_slice())
        .bind(signed(head.published.number()))
        .bind(head.store.as_bytes().as_slice())
        .bind(mark.written.micros());
    if is_told {
        query = query.bind(&*appender.channel).bind(sender(&appender.id));
    }
    let done = bounded(query.execute(connection)).await.map_err(failed("write the head"))?;
    as_many("head", 1, done.rows_affected())
}
