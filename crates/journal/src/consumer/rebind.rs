//! Putting a consumer's cursor elsewhere, after its feed was replaced or rewound: a person's decision, which costs something.

use std::fmt;

use messages::{EventType, NameError, Payload, PayloadError, Position, StreamName};
use serde::Serialize;

use crate::appender::AppendError;
use crate::cursor::Cursor;
use crate::feed::{Feed, FeedError};
use crate::store::{Store, StoreError};
use crate::unit::{Audience, Cause, Expected, NewEvent, UnitOfWork};

/// Where a consumer is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RebindTo {
    /// At the first event.
    Start,
    /// After the last event that there is now.
    Head,
    /// After the event at this position.
    After(Position),
}

/// A rebinding as it would be done, and what it costs. Its text says so to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// The consumer.
    pub consumer: Box<str>,
    /// Where it stands; `None` if it never moved.
    pub from: Option<Cursor>,
    /// Where it would stand.
    pub to: Cursor,
    /// So many events at most would be handled again. Effects without idempotency keys would be there twice.
    pub handled_again_max: u64,
    /// So many events at most would never be handled.
    pub never_handled_max: u64,
}

/// A consumer was not rebound.
#[derive(Debug, thiserror::Error)]
pub enum RebindError {
    /// There is no such place in the log.
    #[error("there is no event at {position}: the log ends at {head}")]
    NoEvent {
        /// The position that was asked for.
        position: Position,
        /// The end of the log.
        head: Position,
    },
    /// The reason is missing or too long.
    #[error("a reason of {bytes} bytes is not of 1 to {max}", max = REASON_BYTES_MAX)]
    Reason {
        /// Its length.
        bytes: usize,
    },
    /// What is recorded cannot be written as JSON.
    #[error("the rebinding cannot be recorded")]
    Payload(#[source] PayloadError),
    /// The stream's name is refused: a bug, which a test finds.
    #[error("the rebinding cannot be recorded")]
    Stream(#[source] NameError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Store(#[from] StoreError),
    /// The consumer moved meanwhile (stop it first), or the cursor cannot be written.
    #[error("the consumer was not rebound")]
    Append(#[source] AppendError),
}

impl Rebinding {
    /// What it would cost to go on elsewhere.
    ///
    /// # Errors
    ///
    /// If there is no such place, or a store cannot be read.
    pub async fn plan(consumer: &str, feed: &Feed, store: &Store, to: RebindTo) -> Result<Self, RebindError> {
        let log = feed.store();
        let head = log.head().await?;
        let to = match to {
            RebindTo::Head => head,
            RebindTo::Start | RebindTo::After(Position::START) => Cursor::start(log.id()),
            RebindTo::After(position) => {
                let event = log.events_after(Position::new(position.number() - 1), 1).await?.pop();
                event.as_ref().map(crate::feed::after).ok_or(RebindError::NoEvent { position, head: head.position })?
            }
        };
        let from = store.cursor(consumer).await?;
        let (handled_again_max, never_handled_max) = cost(feed, from, to, head.position).await?;
        Ok(Self { consumer: consumer.into(), from, to, handled_again_max, never_handled_max })
    }

    /// Does it, unless the consumer has moved since the plan was made. What is parked stays parked.
    ///
    /// # Errors
    ///
    /// If it moved, or the store cannot be written.
    pub async fn apply(&self, store: &Store) -> Result<(), RebindError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.advance(&self.consumer, self.from, self.to);
        store.append(unit).await.map(|_| ()).map_err(RebindError::Append)
    }

    /// As [`Self::apply`], with an event in the store that says who did it and why: of type `journal.consumer_rebound`, private, in
    /// the stream [`REBOUND_STREAM`] of the cause's tenant. Gives its place.
    ///
    /// # Errors
    ///
    /// If the reason is empty or too long, the consumer moved, or the store cannot be written.
    pub async fn apply_recorded(&self, store: &Store, cause: &Cause, reason: &str) -> Result<Position, RebindError> {
        if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
            return Err(RebindError::Reason { bytes: reason.len() });
        }
        let stream = StreamName::parse(REBOUND_STREAM).map_err(RebindError::Stream)?;
        let payload = Payload::of(&Rebound {
            consumer: &self.consumer,
            from: self.from.map(Place::of),
            to: Place::of(self.to),
            handled_again_max: self.handled_again_max,
            never_handled_max: self.never_handled_max,
            reason,
        });
        let event = NewEvent {
            id: store.event_id(),
            event_type: EventType::of("journal.consumer_rebound"),
            type_version: 1,
            payload: payload.map_err(RebindError::Payload)?,
            audience: Audience::Private,
        };
        let mut unit = UnitOfWork::new();
        let _ = unit.append(cause, stream, Expected::Any, vec![event]).advance(&self.consumer, self.from, self.to);
        store.append(unit).await.map(|appended| appended.position).map_err(RebindError::Append)
    }
}

/// The stream with the events of all rebindings.
pub const REBOUND_STREAM: &str = "journal/rebindings";

/// The most bytes of a reason.
pub const REASON_BYTES_MAX: usize = 1_000;

/// The payload of `journal.consumer_rebound`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rebound<'a> {
    consumer: &'a str,
    from: Option<Place>,
    to: Place,
    handled_again_max: u64,
    never_handled_max: u64,
    reason: &'a str,
}

/// A cursor in a payload.
#[derive(Serialize)]
struct Place {
    store: String,
    position: u64,
    hash: String,
}

impl Place {
    fn of(cursor: Cursor) -> Self {
        let Cursor { store, position, hash } = cursor;
        Self { store: store.to_string(), position: position.number(), hash: hash.to_string() }
    }
}

/// How many events would be handled again, and how many never, at most.
async fn cost(feed: &Feed, from: Option<Cursor>, to: Cursor, head: Position) -> Result<(u64, u64), StoreError> {
    let between = |low: Position, high: Position| high.number().saturating_sub(low.number());
    let Some(from) = from else { return Ok((0, to.position.number())) };
    match feed.page(from, 1).await {
        Ok(_) => Ok((between(to.position, from.position), between(from.position, to.position))),
        // What was read is not this log: nothing is known of which of its events were handled.
        Err(FeedError::Replaced { .. } | FeedError::Rewound { .. }) => {
            Ok((between(to.position, head), to.position.number()))
        }
        Err(FeedError::Store(error)) => Err(error),
    }
}

impl fmt::Display for Rebinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { consumer, to, handled_again_max, never_handled_max, .. } = self;
        write!(
            f,
            "consumer `{consumer}` goes on after {}: up to {handled_again_max} events are handled again (their effects are there \
             twice unless they have idempotency keys), up to {never_handled_max} events are never handled",
            to.position
        )
    }
}
