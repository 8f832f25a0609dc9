//! Rows as values. Whatever a row holds, reading it gives a value or says what is damaged; it never panics.

use std::fmt::Display;

use messages::header::Visibility;
use messages::{
    CommandId, EventId, Fingerprint, Hash, Header, Metadata, Payload, Position, RecordedEvent, StoreId, StreamName,
    StreamVersion, TenantId, Timestamp,
};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::cursor::Cursor;
use crate::key::{KeyRecord, KeyScope, KeyState};
use crate::query::Value;
use crate::store::{Head, Newest, StoreError};
use crate::unit::{Claim, Timer, TimerName};

/// What is wrong with a row.
type Why = String;

/// A row of either store. Columns are counted from 0.
pub(in crate::store) trait StoredRow: Send {
    /// A BIGINT.
    fn integer(&self, column: usize) -> Result<i64, Why>;
    /// A TEXT.
    fn text(&self, column: usize) -> Result<&str, Why>;
    /// Bytes, which may be NULL.
    fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, Why>;
    /// So many bytes.
    fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Why>;
    /// All columns, of whatever type they are.
    fn values(&self) -> Result<Vec<Value>, Why>;

    /// Bytes.
    fn bytes(&self, column: usize) -> Result<&[u8], Why> {
        self.optional_bytes(column)?.ok_or_else(|| format!("column {column} is NULL"))
    }

    /// A BIGINT that counts something.
    fn count(&self, column: usize) -> Result<u64, Why> {
        let integer = self.integer(column)?;
        u64::try_from(integer).map_err(|_| format!("column {column} is negative: {integer}"))
    }

    /// A BIGINT that is a place in the log.
    fn position(&self, column: usize) -> Result<Position, Why> {
        self.count(column).map(Position::new)
    }

    /// A BIGINT that is a time.
    fn time(&self, column: usize) -> Result<Timestamp, Why> {
        self.integer(column).map(Timestamp::from_micros)
    }

    /// A TEXT that is a tenant.
    fn tenant(&self, column: usize) -> Result<TenantId, Why> {
        TenantId::parse(self.text(column)?).map_err(|error| error.to_string())
    }
}

impl StoredRow for SqliteRow {
    fn integer(&self, column: usize) -> Result<i64, Why> {
        self.try_get(column).map_err(why)
    }

    fn text(&self, column: usize) -> Result<&str, Why> {
        self.try_get(column).map_err(why)
    }

    fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, Why> {
        self.try_get(column).map_err(why)
    }

    fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Why> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|_| format!("column {column} has {} bytes, not {N}", bytes.len()))
    }

    fn values(&self) -> Result<Vec<Value>, Why> {
        super::values::of_sqlite(self)
    }
}

impl StoredRow for PgRow {
    fn integer(&self, column: usize) -> Result<i64, Why> {
        self.try_get(column).map_err(why)
    }

    fn text(&self, column: usize) -> Result<&str, Why> {
        self.try_get(column).map_err(why)
    }

    fn optional_bytes(&self, column: usize) -> Result<Option<&[u8]>, Why> {
        self.try_get(column).map_err(why)
    }

    fn array<const N: usize>(&self, column: usize) -> Result<[u8; N], Why> {
        self.try_get(column).map_err(why)
    }

    fn values(&self) -> Result<Vec<Value>, Why> {
        super::values::of_postgres(self)
    }
}

pub(super) fn why(error: sqlx::Error) -> Why {
    match error {
        sqlx::Error::ColumnDecode { index, source } => format!("column {index}: {source}"),
        other => other.to_string(),
    }
}

/// The error that a row is damaged.
pub(in crate::store) fn damaged(what: &'static str, place: impl Display, why: impl Display) -> StoreError {
    StoreError::Damaged { what, place: place.to_string(), why: why.to_string() }
}

/// A number for a BIGINT column. Nothing that is counted here gets to its end; a reader may ask for places beyond.
pub(in crate::store) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// The column `stream_hash` of an event: [`crate::store::StreamKey::narrow`] without the key.
pub(in crate::store) fn stream_hash(metadata: &Metadata) -> i64 {
    crate::narrow::hash(&[metadata.tenant.as_str(), metadata.stream.as_str()])
}

/// What stands in the column `previous_published` of an event that does not leave the store.
const PRIVATE: i64 = -1;

/// The column `previous_published` of an event.
pub(in crate::store) fn previous_published(visibility: Visibility) -> i64 {
    match visibility {
        Visibility::Private => PRIVATE,
        Visibility::Published { previous } => signed(previous.number()),
    }
}

/// The columns that [`event_of`] reads.
macro_rules! event_columns {
    () => {
        "position, stream_version, recorded_us, previous_published, event_id, salt, metadata, payload, event_hash"
    };
}
pub(super) use event_columns;

pub(super) fn event_of(row: &impl StoredRow, store: StoreId) -> Result<RecordedEvent, StoreError> {
    read_event(row, store).map_err(|why| {
        let place =
            row.integer(0).map_or_else(|_| "an unknown position".to_owned(), |number| format!("position {number}"));
        damaged("event", place, why)
    })
}

fn read_event(row: &impl StoredRow, store: StoreId) -> Result<RecordedEvent, Why> {
    let visibility = match row.integer(3)? {
        PRIVATE => Visibility::Private,
        _ => Visibility::Published { previous: row.position(3)? },
    };
    let header = Header {
        store,
        position: row.position(0)?,
        event: EventId::from_bytes(row.array(4)?),
        recorded: row.time(2)?,
        visibility,
    };
    let metadata_bytes = row.bytes(6)?;
    let metadata = Metadata::decode(metadata_bytes).map_err(|error| error.to_string())?;
    let (column, inside) = (row.count(1)?, metadata.stream_version);
    if inside.number() != column {
        return Err(format!("its column says version {column}, its metadata {inside}"));
    }
    Ok(RecordedEvent {
        header,
        metadata,
        metadata_bytes: metadata_bytes.into(),
        payload: Payload::from_stored(row.bytes(7)?),
        salt: row.array(5)?,
        hash: Hash::new(row.array(8)?),
    })
}

/// Columns: `store_id`, `position`, `event_hash`, `recorded_us`, `published_position`.
pub(in crate::store) fn head_of(row: &impl StoredRow) -> Result<Head, StoreError> {
    let read = || {
        Ok(Head {
            store: StoreId::from_bytes(row.array(0)?),
            position: row.position(1)?,
            hash: Hash::new(row.array(2)?),
            recorded: row.time(3)?,
            published: row.position(4)?,
        })
    };
    read().map_err(|why: Why| damaged("head", "its only row", why))
}

/// The columns that [`key_of`] reads.
macro_rules! key_columns {
    () => {
        "tenant, client, key, fingerprint, command_id, state, location, answer, position, changed_us"
    };
}
pub(super) use key_columns;

pub(super) fn key_of(row: &impl StoredRow) -> Result<KeyRecord, StoreError> {
    let read = || {
        let scope = KeyScope::new(row.tenant(0)?, row.text(1)?, row.text(2)?).map_err(|error| error.to_string())?;
        let number = row.integer(5)?;
        Ok(KeyRecord {
            scope,
            fingerprint: Fingerprint::from_bytes(row.array(3)?),
            command: CommandId::from_bytes(row.array(4)?),
            state: KeyState::from_number(number).ok_or_else(|| format!("{number} is no state"))?,
            location: row.text(6)?.into(),
            answer: row.optional_bytes(7)?.map(Into::into),
            position: row.position(8)?,
            changed: row.time(9)?,
        })
    };
    read().map_err(|why: Why| damaged("idempotency key", named(row, 2), why))
}

/// Columns: `tenant`, `name`, `due_us`, `payload`.
pub(super) fn timer_of(row: &impl StoredRow) -> Result<Timer, StoreError> {
    let payload = row.bytes(3).map(Payload::from_stored).map_err(|why| damaged("timer", named(row, 1), why))?;
    let (name, due) = due_of(row)?;
    Ok(Timer { name, due, payload })
}

/// Columns: `tenant`, `name`, `due_us`.
pub(super) fn due_of(row: &impl StoredRow) -> Result<(TimerName, Timestamp), StoreError> {
    let read = || Ok((TimerName { tenant: row.tenant(0)?, name: row.text(1)?.into() }, row.time(2)?));
    read().map_err(|why: Why| damaged("timer", named(row, 1), why))
}

/// Columns: `tenant`, `kind`, `value`, `stream`.
pub(super) fn claim_of(row: &impl StoredRow) -> Result<(Claim, StreamName), StoreError> {
    let read = || {
        let claim = Claim { tenant: row.tenant(0)?, kind: row.text(1)?.into(), value: row.text(2)?.into() };
        let stream = StreamName::parse(row.text(3)?).map_err(|error| error.to_string())?;
        Ok((claim, stream))
    };
    read().map_err(|why: Why| damaged("claim", named(row, 2), why))
}

/// Columns: `consumer`, `store_id`, `position`, `event_hash`.
pub(super) fn cursor_of(row: &impl StoredRow) -> Result<(Box<str>, Cursor), StoreError> {
    let read = || {
        let store = StoreId::from_bytes(row.array(1)?);
        let cursor = Cursor { store, position: row.position(2)?, hash: Hash::new(row.array(3)?) };
        Ok((row.text(0)?.into(), cursor))
    };
    read().map_err(|why: Why| damaged("cursor", named(row, 0), why))
}

/// The newest event with some hash of a stream's name, and whose it is.
/// Columns: `stream_hash`, `stream_version`, `position`, `event_id`, `metadata`.
pub(super) struct Candidate {
    pub(super) stream_hash: i64,
    pub(super) position: Position,
    pub(super) metadata: Metadata,
    pub(super) newest: Newest,
}

pub(super) fn candidate_of(row: &impl StoredRow) -> Result<Candidate, StoreError> {
    let read = || {
        let newest = Newest { version: StreamVersion::new(row.count(1)?), event: EventId::from_bytes(row.array(3)?) };
        let metadata = Metadata::decode(row.bytes(4)?).map_err(|error| error.to_string())?;
        Ok(Candidate { stream_hash: row.integer(0)?, position: row.position(2)?, metadata, newest })
    };
    read().map_err(|why: Why| damaged("event", format!("position {}", row.integer(2).unwrap_or(-1)), why))
}

/// What the row calls itself, for an error.
fn named(row: &impl StoredRow, column: usize) -> String {
    row.text(column).map_or_else(|_| "an unknown name".to_owned(), |name| format!("`{name}`"))
}
