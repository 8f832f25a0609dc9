//! Reading, written once for both stores.

use messages::header::Visibility;
use messages::{Position, RecordedEvent, StoreId, StreamVersion, Timestamp};

use super::stored::{
    StoredRow, cursor_of, damaged, event_columns, event_of, head_of, key_columns, key_of, signed, timer_of,
};
use super::{Connected, failed, headless};
use crate::cursor::Cursor;
use crate::key::{KeyRecord, KeyScope};
use crate::store::{Head, StoreError, StreamKey};
use crate::unit::{Parameter, Timer};

const HEAD: &str = "SELECT store_id, position, event_hash, recorded_us, published_position FROM head";

const EVENTS_AFTER: &str =
    concat!("SELECT ", event_columns!(), " FROM events WHERE position > $1 ORDER BY position LIMIT $2");

const PUBLISHED_AFTER: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE position > $1 AND previous_published >= 0 ORDER BY position LIMIT $2"
);

const STREAM_AFTER: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE stream_hash = $1 AND (stream_version, position) > ($2, $3)
     ORDER BY stream_version, position LIMIT $4"
);

const KEY: &str = concat!("SELECT ", key_columns!(), " FROM command_keys WHERE key_hash = $1");

const CURSOR: &str = "SELECT consumer, store_id, position, event_hash FROM cursors WHERE consumer = $1";

const TIMERS_DUE: &str =
    "SELECT tenant, name, due_us, payload FROM timers WHERE due_us <= $1 ORDER BY due_us, tenant, name LIMIT $2";

const NEXT_DUE: &str = "SELECT due_us FROM timers ORDER BY due_us LIMIT 1";

/// All that look something up in a table that grows.
#[cfg(test)]
pub(super) const LOOK_UPS: &[&str] = &[EVENTS_AFTER, PUBLISHED_AFTER, STREAM_AFTER, KEY, CURSOR, TIMERS_DUE, NEXT_DUE];

/// The head; a store without one is damaged.
pub(in crate::store) async fn head(connection: &mut impl Connected) -> Result<Head, StoreError> {
    let rows = connection.fetch(HEAD, vec![]).await.map_err(failed("read the head"))?;
    rows.first().map_or_else(|| Err(headless()), head_of)
}

/// Events after a position. A gap is damage.
pub(in crate::store) async fn events_after(
    connection: &mut impl Connected,
    store: StoreId,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let events = page(connection, EVENTS_AFTER, store, after, limit).await?;
    let mut expected = after;
    for event in &events {
        expected = expected.next();
        if event.header.position != expected {
            return Err(damaged("event", format!("position {expected}"), "it is missing"));
        }
    }
    Ok(events)
}

/// Published events after a position. Each names the one before it; if that is not there, it is damage.
pub(in crate::store) async fn published_after(
    connection: &mut impl Connected,
    store: StoreId,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let events = page(connection, PUBLISHED_AFTER, store, after, limit).await?;
    let mut before: Option<Position> = None;
    for event in &events {
        let Visibility::Published { previous } = event.header.visibility else { continue };
        let is_linked = before.map_or(previous <= after, |before| previous == before);
        if !is_linked {
            let why = format!("the published event at {previous}, which it names, does not stand before it");
            return Err(damaged("event", format!("position {}", event.header.position), why));
        }
        before = Some(event.header.position);
    }
    Ok(events)
}

async fn page(
    connection: &mut impl Connected,
    sql: &'static str,
    store: StoreId,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let parameters = vec![Parameter::Integer(signed(after.number())), Parameter::Integer(signed(limit))];
    let rows = connection.fetch(sql, parameters).await.map_err(failed("read events"))?;
    rows.iter().map(|row| event_of(row, store)).collect()
}

/// A stream's events after a version. Events of another stream whose name has the same hash are passed over; a gap in the
/// versions is damage.
pub(in crate::store) async fn stream_after(
    connection: &mut impl Connected,
    store: StoreId,
    stream: &StreamKey,
    after: StreamVersion,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut events: Vec<RecordedEvent> = Vec::new();
    let mut from = (after, i64::MAX);
    let mut expected = after.next();
    while events.len() < limit {
        let page_size = limit - events.len();
        let parameters = [stream.narrow(), signed(from.0.number()), from.1, signed(page_size)];
        let parameters = parameters.into_iter().map(Parameter::Integer).collect();
        let rows = connection.fetch(STREAM_AFTER, parameters).await.map_err(failed("read a stream"))?;
        for row in &rows {
            let event = event_of(row, store)?;
            from = (event.metadata.stream_version, signed(event.header.position.number()));
            if event.metadata.tenant != stream.tenant || event.metadata.stream != stream.stream {
                continue;
            }
            if event.metadata.stream_version != expected {
                let place = format!("position {}", event.header.position);
                let why =
                    format!("its stream has version {} where {expected} must stand", event.metadata.stream_version);
                return Err(damaged("event", place, why));
            }
            expected = expected.next();
            events.push(event);
        }
        if rows.len() < page_size {
            break;
        }
    }
    Ok(events)
}

/// The key's record.
pub(in crate::store) async fn key(
    connection: &mut impl Connected,
    scope: &KeyScope,
) -> Result<Option<KeyRecord>, StoreError> {
    let parameters = vec![Parameter::Integer(scope.narrow())];
    for row in connection.fetch(KEY, parameters).await.map_err(failed("read an idempotency key"))? {
        let record = key_of(&row)?;
        if record.scope == *scope {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// The consumer's cursor.
pub(in crate::store) async fn cursor(
    connection: &mut impl Connected,
    consumer: &str,
) -> Result<Option<Cursor>, StoreError> {
    let parameters = vec![Parameter::Text(consumer.to_owned())];
    let rows = connection.fetch(CURSOR, parameters).await.map_err(failed("read a cursor"))?;
    rows.first().map(|row| cursor_of(row).map(|(_, cursor)| cursor)).transpose()
}

/// Timers that are due, earliest first.
pub(in crate::store) async fn timers_due(
    connection: &mut impl Connected,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Timer>, StoreError> {
    let parameters = vec![Parameter::Integer(now.micros()), Parameter::Integer(signed(limit))];
    let rows = connection.fetch(TIMERS_DUE, parameters).await.map_err(failed("read timers"))?;
    rows.iter().map(timer_of).collect()
}

/// When the next timer is due.
pub(in crate::store) async fn next_due(connection: &mut impl Connected) -> Result<Option<Timestamp>, StoreError> {
    let rows = connection.fetch(NEXT_DUE, vec![]).await.map_err(failed("read the next timer"))?;
    let due = rows.first().map(|row| row.time(0)).transpose();
    due.map_err(|why| damaged("timer", "the next that is due", why))
}

/// The number of the last group that the process with this identifier committed; 0 before the first. That its row is gone says
/// nothing of its groups, and is an error.
pub(in crate::store) async fn last_group_number(
    connection: &mut impl Connected,
    appender_id: &[u8; 16],
) -> Result<u64, StoreError> {
    const SQL: &str = "SELECT group_number FROM appenders WHERE appender_id = $1";
    let parameters = vec![Parameter::Bytes(appender_id.to_vec())];
    let rows = connection.fetch(SQL, parameters).await.map_err(failed("read the last group's number"))?;
    let number = rows.first().map_or_else(|| Err("it is not there".to_owned()), |row| row.count(0));
    number.map_err(|why| damaged("appender", "the row of this process", why))
}
