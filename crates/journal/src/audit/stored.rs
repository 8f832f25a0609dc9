//! A store's rows as an audit sees them: read by connections of its own that cannot write, and not through the code that usually
//! reads them. What is kept beside an event to find it by is compared with the event.

use std::str::FromStr as _;
use std::sync::Arc;

use messages::frame::Frame;
use messages::header::Visibility;
use messages::{EventId, Hash, Header, Metadata, Payload, Position, RecordedEvent, StoreId, Timestamp};
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, PgConnection, Row as _, SqliteConnection};

use super::report::Wrong;
use super::stretch::Border;
use crate::store::{Place, StoreError};

const HEAD: &str = "SELECT position, event_hash, recorded_us, published_position, store_id FROM head";

const EVENTS: &str =
    "SELECT position, stream_hash, stream_version, recorded_us, previous_published, event_id, salt, metadata,
    payload, event_hash FROM events WHERE position >= $1 AND position <= $2 ORDER BY position";

/// A connection that reads a store.
#[derive(Debug)]
pub(crate) enum StoredReader {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What the store says of its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredHead {
    pub(crate) store: StoreId,
    pub(crate) last: Border,
    pub(crate) published: Position,
}

pub(crate) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Sql { doing, source: Arc::new(source) }
}

impl StoredReader {
    pub(crate) async fn connect(place: &Place) -> Result<Self, StoreError> {
        let failed = || failed("connect to the store");
        match place {
            Place::Sqlite { path } => {
                let options = SqliteConnectOptions::new().filename(path).read_only(true).row_buffer_size(ROWS_BUFFERED);
                let connection = options.disable_statement_logging().connect().await.map_err(failed())?;
                Ok(Self::Sqlite(connection))
            }
            Place::Postgres { url, schema } => {
                let options = PgConnectOptions::from_str(url).map_err(failed())?.application_name("lastro audit");
                let options =
                    options.options([("search_path", schema.as_str()), ("default_transaction_read_only", "on")]);
                let connection = options.disable_statement_logging().connect().await.map_err(failed())?;
                Ok(Self::Postgres(connection))
            }
        }
    }

    /// The rows from one place to another, both included. Of a store with a gap these are fewer than asked for.
    pub(crate) async fn rows(&mut self, from: Position, to: Position) -> Result<Vec<Stored>, StoreError> {
        let (from, to) = (signed(from), signed(to));
        let rows: Result<Vec<Stored>, sqlx::Error> = match self {
            Self::Sqlite(connection) => {
                let rows = sqlx::query(EVENTS).bind(from).bind(to).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Stored::Sqlite).collect())
            }
            Self::Postgres(connection) => {
                let rows = sqlx::query(EVENTS).bind(from).bind(to).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Stored::Postgres).collect())
            }
        };
        rows.map_err(failed("read events"))
    }

    pub(crate) async fn head(&mut self) -> Result<StoredHead, StoreError> {
        let row = match self {
            Self::Sqlite(connection) => sqlx::query(HEAD).fetch_one(connection).await.map(Stored::Sqlite),
            Self::Postgres(connection) => sqlx::query(HEAD).fetch_one(connection).await.map(Stored::Postgres),
        };
        let row = row.map_err(failed("read the head"))?;
        let read = || {
            let recorded = Some(Timestamp::from_micros(row.integer(2, "recorded_us")?));
            let hash = Hash::new(row.array(1, "event_hash")?);
            let last = Border { position: row.place(0, "position")?, hash, recorded };
            let store = StoreId::from_bytes(row.array(4, "store_id")?);
            Ok(StoredHead { store, last, published: row.place(3, "published_position")? })
        };
        read().map_err(|why: String| StoreError::Damaged { what: "head", place: "its only row".to_owned(), why })
    }
}

/// How many rows wait between SQLite's thread and the reader.
const ROWS_BUFFERED: usize = 1_024;

/// A row of either store.
pub(crate) enum Stored {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Stored {
    fn integer(&self, column: usize, name: &str) -> Result<i64, String> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(|error| format!("column `{name}`: {error}"))
    }

    fn bytes(&self, column: usize, name: &str) -> Result<&[u8], String> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(|error| format!("column `{name}`: {error}"))
    }

    fn array<const N: usize>(&self, column: usize, name: &str) -> Result<[u8; N], String> {
        let bytes = self.bytes(column, name)?;
        bytes.try_into().map_err(|_| format!("column `{name}` has {} bytes, not {N}", bytes.len()))
    }

    fn place(&self, column: usize, name: &str) -> Result<Position, String> {
        let number = self.integer(column, name)?;
        let number = u64::try_from(number).map_err(|_| format!("column `{name}` is negative: {number}"))?;
        Ok(Position::new(number))
    }

    /// The place that the row says it has.
    pub(crate) fn position(&self) -> Option<Position> {
        self.place(0, "position").ok()
    }

    /// What an event says of itself to the one after it.
    pub(crate) fn border(&self) -> Option<Border> {
        let recorded = Some(Timestamp::from_micros(self.integer(3, "recorded_us").ok()?));
        let hash = Hash::new(self.array(9, "event_hash").ok()?);
        Some(Border { position: self.position()?, hash, recorded })
    }

    /// The event; an error if a column is not of its form, or does not follow from the event.
    pub(crate) fn frame(&self, store: StoreId) -> Result<Frame, Wrong> {
        let event = self.event(store).map_err(|why| Wrong::Form { why })?;
        let kept =
            |column| self.integer(column, "").map_or_else(|_| "no number".to_owned(), |number| number.to_string());
        let metadata = &event.metadata;
        let stream_hash = crate::narrow::hash(&[metadata.tenant.as_str(), metadata.stream.as_str()]).to_string();
        let stream_version = metadata.stream_version.to_string();
        for (index, column, expected) in [(1, "stream_hash", stream_hash), (2, "stream_version", stream_version)] {
            let found = kept(index);
            if found != expected {
                return Err(Wrong::Column { column, expected, found });
            }
        }
        Ok(Frame::Whole(Box::new(event)))
    }

    fn event(&self, store: StoreId) -> Result<RecordedEvent, String> {
        /// What stands in `previous_published` of an event that does not leave the store.
        const PRIVATE: i64 = -1;
        let visibility = match self.integer(4, "previous_published")? {
            PRIVATE => Visibility::Private,
            _ => Visibility::Published { previous: self.place(4, "previous_published")? },
        };
        let header = Header {
            store,
            position: self.place(0, "position")?,
            event: EventId::from_bytes(self.array(5, "event_id")?),
            recorded: Timestamp::from_micros(self.integer(3, "recorded_us")?),
            visibility,
        };
        let metadata_bytes = self.bytes(7, "metadata")?;
        Ok(RecordedEvent {
            header,
            metadata: Metadata::decode(metadata_bytes).map_err(|error| error.to_string())?,
            metadata_bytes: metadata_bytes.into(),
            payload: Payload::from_stored(self.bytes(8, "payload")?),
            salt: self.array(6, "salt")?,
            hash: Hash::new(self.array(9, "event_hash")?),
        })
    }
}

/// A place for a BIGINT column. Nothing gets beyond its end.
fn signed(position: Position) -> i64 {
    i64::try_from(position.number()).unwrap_or(i64::MAX)
}
