//! Parked events: those that could not be handled, and those of the same stream behind them.

use std::collections::HashMap;

use messages::{Hash, Position, RecordedEvent, StoreId, StreamName, TenantId, Timestamp};

use super::failure::{Interruption, chain};
use super::{Consumer, Handler, HandlerError, Reaction};
use crate::appender::AppendError;
use crate::cursor::Cursor;
use crate::feed::FeedError;
use crate::group::Refusal;
use crate::query::Value;
use crate::store::{Store, StoreError, StreamKey};
use crate::unit::{Parameter, Statement, UnitOfWork};

/// How many events of one consumer may be parked. More means that the handler is at fault, and the consumer stops.
pub const PARKED_EVENTS_MAX: usize = 10_000;

/// How many bytes of a reason are kept.
pub(crate) const REASON_BYTES_MAX: usize = 1_000;

/// An event that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The consumer that could not handle it.
    pub consumer: Box<str>,
    /// Which event.
    pub event: Cursor,
    /// Whose.
    pub tenant: TenantId,
    /// Its stream, which waits behind it.
    pub stream: StreamName,
    /// Why it could not be handled, or that it waits behind another.
    pub reason: String,
    /// How often it was tried; 0 if it only waits behind another.
    pub attempts: u32,
    /// Since when it is parked.
    pub since: Timestamp,
}

/// A parked event was not brought to an end. It and those behind it stay parked.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// It is not parked: it was retried or skipped before.
    #[error("consumer `{consumer}` has no parked event at {position}")]
    NotParked {
        /// The consumer.
        consumer: Box<str>,
        /// The position that was given.
        position: Position,
    },
    /// It, or one of its stream before it, fails still.
    #[error("the event at {position} fails still: {why}")]
    Fails {
        /// Which event.
        position: Position,
        /// Why.
        why: String,
    },
    /// The event cannot be read any more.
    #[error("the event at {position} cannot be read")]
    Feed {
        /// Which event.
        position: Position,
        /// Why not.
        source: FeedError,
    },
    /// The store of the effects cannot be read.
    #[error("what is parked cannot be read")]
    Store(#[from] StoreError),
    /// The effect was not written, or it is not known whether it was: what is parked tells.
    #[error("the effect of the event at {position} was not written")]
    Append {
        /// Which event.
        position: Position,
        /// Why not.
        source: AppendError,
    },
}

/// A parked event was not skipped.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// It is not parked: it was retried or skipped before.
    #[error("consumer `{consumer}` has no parked event at {position}")]
    NotParked {
        /// The consumer.
        consumer: Box<str>,
        /// The position that was given.
        position: Position,
    },
    /// It was not written.
    #[error("that the event at {position} is skipped was not written")]
    Append {
        /// Which event.
        position: Position,
        /// Why not.
        source: AppendError,
    },
}

const COLUMNS_OF_ALL: &str =
    "SELECT consumer, position, store_id, event_hash, tenant, stream, reason, attempts, parked_us
    FROM parked WHERE consumer = $1 ORDER BY position LIMIT $2";

const OLDEST_OF_STREAM: &str =
    "SELECT consumer, position, store_id, event_hash, tenant, stream, reason, attempts, parked_us
    FROM parked WHERE consumer = $1 AND (tenant, stream) = (
        SELECT tenant, stream FROM parked WHERE consumer = $1 AND position = $2)
    ORDER BY position LIMIT 1";

const OLDEST_OF_THIS_STREAM: &str =
    "SELECT consumer, position, store_id, event_hash, tenant, stream, reason, attempts, parked_us
    FROM parked WHERE consumer = $1 AND tenant = $2 AND stream = $3 ORDER BY position LIMIT 1";

/// An event may be parked already: whoever was rebound to an earlier place meets it again.
const PARK: &str =
    "INSERT INTO parked (consumer, position, store_id, event_hash, tenant, stream, reason, attempts, parked_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (consumer, position) DO UPDATE SET store_id = excluded.store_id, event_hash = excluded.event_hash,
        tenant = excluded.tenant, stream = excluded.stream, reason = excluded.reason, attempts = excluded.attempts,
        parked_us = excluded.parked_us";

/// Changes no row if nothing of the stream is parked any more: a person retried it meanwhile. A row that is there may be that of
/// another event: of a log that was rewound.
const PARK_BEHIND: &str =
    "INSERT INTO parked (consumer, position, store_id, event_hash, tenant, stream, reason, attempts, parked_us)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
    WHERE EXISTS (SELECT 1 FROM parked WHERE consumer = $1 AND tenant = $5 AND stream = $6 AND position <= $2)
    ON CONFLICT (consumer, position) DO UPDATE SET
        reason = CASE WHEN parked.event_hash = excluded.event_hash THEN parked.reason ELSE excluded.reason END,
        attempts = CASE WHEN parked.event_hash = excluded.event_hash THEN parked.attempts ELSE excluded.attempts END,
        store_id = excluded.store_id, event_hash = excluded.event_hash, tenant = excluded.tenant,
        stream = excluded.stream, parked_us = excluded.parked_us";

/// Changes no row if one of the stream before it is still parked: the order within a stream is kept.
const TAKE: &str = "DELETE FROM parked WHERE consumer = $1 AND position = $2 AND store_id = $3 AND NOT EXISTS (
    SELECT 1 FROM parked AS earlier WHERE earlier.consumer = $1 AND earlier.tenant = parked.tenant
        AND earlier.stream = parked.stream AND earlier.position < $2)";

const FAILED_AGAIN: &str =
    "UPDATE parked SET attempts = attempts + 1, reason = $3 WHERE consumer = $1 AND position = $2";

const RECORD_SKIP: &str =
    "INSERT INTO skipped (what, consumer, position, tenant, name, reason, attempts, who, why, skipped_us)
    SELECT 'event', consumer, position, tenant, stream, reason, attempts, $3, $4, $5
    FROM parked WHERE consumer = $1 AND position = $2";

const SKIP: &str = "DELETE FROM parked WHERE consumer = $1 AND position = $2";

/// The parked events of a consumer whose effects go to `store`, in order.
///
/// # Errors
///
/// If the database cannot be read, or a row is damaged.
pub async fn parked(store: &Store, consumer: &str) -> Result<Vec<Parked>, StoreError> {
    let limit = Parameter::Integer(count(PARKED_EVENTS_MAX));
    let rows = store.rows(COLUMNS_OF_ALL, &[Parameter::Text(consumer.to_owned()), limit]).await?;
    rows.iter().map(|row| parked_of(row)).collect()
}

/// Leaves a parked event out for good, and keeps who decided so and why. What is parked behind it waits for a retry.
///
/// # Errors
///
/// If it is not parked, or the store cannot be written.
pub async fn skip(store: &Store, consumer: &str, position: Position, who: &str, why: &str) -> Result<(), SkipError> {
    let key = || vec![Parameter::Text(consumer.to_owned()), Parameter::Integer(count(position.number()))];
    let mut record = key();
    record.extend([
        Parameter::Text(cut(who).to_owned()),
        Parameter::Text(cut(why).to_owned()),
        Parameter::Integer(store.clock().now().micros()),
    ]);
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(one_row(RECORD_SKIP, record)).statement(one_row(SKIP, key()));
    match store.append(unit).await {
        Ok(_) => Ok(()),
        Err(AppendError::Refused(Refusal::StateRows { .. })) => {
            Err(SkipError::NotParked { consumer: consumer.into(), position })
        }
        Err(source) => Err(SkipError::Append { position, source }),
    }
}

impl<H: Handler> Consumer<H> {
    /// Its parked events, in order.
    ///
    /// # Errors
    ///
    /// If the database cannot be read, or a row is damaged.
    pub async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        parked(&self.store, &self.name).await
    }

    /// Handles the parked events of the stream of the event at `position`, from the oldest to the newest, each in the unit that
    /// ends its parking. Gives how many. It may run while the consumer does, here or in another process.
    ///
    /// # Errors
    ///
    /// If nothing is parked there, or an event fails still: it and those behind it stay parked.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped anywhere; an event is handled and not parked any more, or neither.
    pub async fn retry(&self, position: Position) -> Result<u64, RetryError> {
        let key = [Parameter::Text(self.name.to_string()), Parameter::Integer(count(position.number()))];
        let rows = self.store.rows(OLDEST_OF_STREAM, &key).await?;
        let mut oldest = rows.first().map(|row| parked_of(row)).transpose()?;
        if oldest.is_none() {
            return Err(RetryError::NotParked { consumer: self.name.clone(), position });
        }
        let mut handled = 0;
        while let Some(event) = oldest {
            handled += u64::from(self.retry_one(&event).await?);
            let stream = [
                Parameter::Text(self.name.to_string()),
                Parameter::Text(event.tenant.as_str().to_owned()),
                Parameter::Text(event.stream.as_str().to_owned()),
            ];
            let rows = self.store.rows(OLDEST_OF_THIS_STREAM, &stream).await?;
            oldest = rows.first().map(|row| parked_of(row)).transpose()?;
        }
        Ok(handled)
    }

    /// Whether this call handled it; if not, another did meanwhile.
    async fn retry_one(&self, parked: &Parked) -> Result<bool, RetryError> {
        let position = parked.event.position;
        let event = self.feed.event_at(parked.event).await;
        let event = event.map_err(|source| RetryError::Feed { position, source })?;
        let mut unit = match self.handler.handle(&event).await {
            Ok(Reaction::Nothing) => UnitOfWork::new(),
            Ok(Reaction::Unit(unit)) => *unit,
            Err(error @ (HandlerError::Poison { .. } | HandlerError::Transient { .. })) => {
                return Err(self.failed_again(position, chain(&error)).await);
            }
        };
        let _ = unit.statement(self.take(parked));
        match self.store.append(unit).await {
            Ok(_) => Ok(true),
            Err(AppendError::Refused(Refusal::StateRows { sql: TAKE, .. })) => Ok(false),
            // The effect is there, under its key.
            Err(AppendError::Refused(Refusal::KeyRepeated { .. })) => {
                let mut unit = UnitOfWork::new();
                let _ = unit.statement(self.take(parked));
                let taken = self.store.append(unit).await;
                taken.map(|_| true).map_err(|source| RetryError::Append { position, source })
            }
            Err(error @ (AppendError::Refused(_) | AppendError::Limit(_) | AppendError::Store { .. })) => {
                Err(self.failed_again(position, chain(&error)).await)
            }
            Err(source) => Err(RetryError::Append { position, source }),
        }
    }

    fn take(&self, parked: &Parked) -> Statement {
        let parameters = vec![
            Parameter::Text(self.name.to_string()),
            Parameter::Integer(count(parked.event.position.number())),
            Parameter::Bytes(parked.event.store.as_bytes().to_vec()),
        ];
        one_row(TAKE, parameters)
    }

    /// Writes down that it failed once more.
    async fn failed_again(&self, position: Position, why: String) -> RetryError {
        let parameters = vec![
            Parameter::Text(self.name.to_string()),
            Parameter::Integer(count(position.number())),
            Parameter::Text(cut(&why).to_owned()),
        ];
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement { sql: FAILED_AGAIN, parameters, rows_expected: None });
        match self.store.append(unit).await {
            Ok(_) => RetryError::Fails { position, why },
            Err(source) => RetryError::Append { position, source },
        }
    }

    /// Streams with parked events and the first position of each, and how many events are parked.
    pub(super) async fn parked_streams(&self) -> Result<(HashMap<StreamKey, Position>, usize), Interruption> {
        let parked = self.parked().await?;
        let mut streams = HashMap::new();
        for event in &parked {
            let stream = StreamKey::new(event.tenant.clone(), event.stream.clone());
            let _ = streams.entry(stream).or_insert(event.event.position);
        }
        Ok((streams, parked.len()))
    }

    /// The unit that parks an event.
    pub(super) fn park(&self, event: &RecordedEvent, failures: u32, why: &str) -> UnitOfWork {
        self.parking(PARK, event, failures, why)
    }

    /// The unit that parks an event behind another of its stream; refused if none is parked any more.
    pub(super) fn park_behind(&self, event: &RecordedEvent) -> UnitOfWork {
        self.parking(PARK_BEHIND, event, 0, "an earlier event of its stream is parked")
    }

    fn parking(&self, sql: &'static str, event: &RecordedEvent, failures: u32, why: &str) -> UnitOfWork {
        let parameters = vec![
            Parameter::Text(self.name.to_string()),
            Parameter::Integer(count(event.header.position.number())),
            Parameter::Bytes(event.header.store.as_bytes().to_vec()),
            Parameter::Bytes(event.hash.as_bytes().to_vec()),
            Parameter::Text(event.metadata.tenant.as_str().to_owned()),
            Parameter::Text(event.metadata.stream.as_str().to_owned()),
            Parameter::Text(cut(why).to_owned()),
            Parameter::Integer(failures.into()),
            Parameter::Integer(self.store.clock().now().micros()),
        ];
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(one_row(sql, parameters));
        unit
    }
}

/// A statement that must change one row.
pub(crate) const fn one_row(sql: &'static str, parameters: Vec<Parameter>) -> Statement {
    Statement { sql, parameters, rows_expected: Some(1) }
}

/// A number for a BIGINT column. Nothing that is counted here gets to its end.
fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// As much of a text as is kept. PostgreSQL takes no character 0.
pub(crate) fn cut(text: &str) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    &text[..text.floor_char_boundary(REASON_BYTES_MAX)]
}

fn parked_of(row: &[Value]) -> Result<Parked, StoreError> {
    read_parked(row).ok_or_else(|| {
        let place =
            row.get(1).and_then(Value::integer).map_or_else(String::new, |position| format!("position {position}"));
        StoreError::Damaged { what: "parked event", place, why: "a column is not what it must be".to_owned() }
    })
}

fn read_parked(row: &[Value]) -> Option<Parked> {
    let [consumer, position, store, hash, tenant, stream, reason, attempts, since] = row else { return None };
    let event = Cursor {
        store: StoreId::from_bytes(store.bytes()?.try_into().ok()?),
        position: Position::new(position.integer()?.try_into().ok()?),
        hash: Hash::new(hash.bytes()?.try_into().ok()?),
    };
    Some(Parked {
        consumer: consumer.text()?.into(),
        event,
        tenant: TenantId::parse(tenant.text()?).ok()?,
        stream: StreamName::parse(stream.text()?).ok()?,
        reason: reason.text()?.to_owned(),
        attempts: attempts.integer()?.try_into().ok()?,
        since: Timestamp::from_micros(since.integer()?),
    })
}
