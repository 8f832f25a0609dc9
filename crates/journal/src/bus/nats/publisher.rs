//! Puts a store's published events on the bus: in order, each at least once.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::context::{PublishAckFuture, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use messages::header::Visibility;
use messages::{Position, RecordedEvent, frame};
use tracing::warn;

use super::connection::{Nats, NatsError};
use super::poison;
use crate::bus::{BusName, backoff};
use crate::cursor::Cursor;
use crate::feed;

/// How many messages are under way at most before the oldest must be confirmed.
const UNCONFIRMED_MAX: usize = 256;

/// An event cannot be published, however often it is tried: a bug, or a server that was configured anew.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The event is private.
    #[error("the event at {position} is private")]
    Private {
        /// Its place.
        position: Position,
    },
    /// The server's limit for messages went below what this event needs. Raise its `max_payload`.
    #[error(
        "the event at {position} makes a message of {bytes} bytes, more than the server takes: raise its `max_payload`"
    )]
    TooLong {
        /// Its place.
        position: Position,
        /// The length of its frame; NATS headers come to it.
        bytes: usize,
    },
}

/// What a publisher has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublishCounts {
    /// Messages that the server has confirmed.
    pub confirmed: u64,
    /// Those among them that it had already.
    pub duplicates: u64,
    /// Attempts that failed and were repeated.
    pub failures: u64,
}

/// Publishes the events of one store.
#[derive(Debug)]
pub struct NatsPublisher {
    pub(super) nats: Nats,
    pub(super) store: BusName,
    counts: PublishCounts,
}

/// The newest message under a store's name.
pub(super) enum Newest {
    Event(Cursor),
    NoEvent,
}

/// A message under way.
struct Unconfirmed {
    position: Position,
    bytes: usize,
    confirmation: PublishAckFuture,
}

/// What the server knows a message by for as long as it looks for duplicates: store, place, and the first eight bytes of the
/// event's hash. Without the hash, what a restored store says at a place would be taken for what it said there before.
fn message_id(event: &RecordedEvent) -> String {
    let hash = event.hash.to_string();
    format!("{}-{}-{}", event.header.store, event.header.position, hash.get(..16).unwrap_or(&hash))
}

/// Why a round of messages stopped.
enum Stopped {
    ForGood(PublishError),
    ForNow(NatsError),
}

impl Nats {
    /// A publisher for the store with this name.
    #[must_use]
    pub fn publisher(&self, store: BusName) -> NatsPublisher {
        NatsPublisher { nats: self.clone(), store, counts: PublishCounts::default() }
    }
}

impl NatsPublisher {
    /// Publishes events, in their order, and returns when the server has confirmed them all. What the server does not confirm is
    /// sent again, after waits that grow to 5 s, until it does; each failure is logged. The caller moves its cursor afterwards, not
    /// before.
    ///
    /// # Errors
    ///
    /// If an event cannot be published at all.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, some of the events are published, and more may be. They are published again when the caller comes again
    /// from its cursor; the server knows them by their identifiers, and readers by their places.
    pub async fn publish(&mut self, events: &[RecordedEvent]) -> Result<(), PublishError> {
        let mut left = events;
        let mut failures = 0;
        loop {
            let (confirmed, stopped) = self.publish_round(left).await;
            left = left.get(confirmed..).unwrap_or_default();
            let error = match stopped {
                None => return Ok(()),
                Some(Stopped::ForGood(error)) => return Err(error),
                Some(Stopped::ForNow(error)) => error,
            };
            failures = if confirmed > 0 { 1 } else { failures + 1 };
            self.counts.failures += 1;
            let wait = backoff::wait(failures, &self.nats.entropy);
            self.log(&error, failures, wait, left.len());
            tokio::time::sleep(wait).await;
        }
    }

    /// The newest message under the store's name; `None` if there is none. What does not decode is no event.
    pub(super) async fn newest(&self) -> Result<Option<Newest>, NatsError> {
        let failed =
            |error: Box<dyn std::error::Error + Send + Sync>| self.nats.error("give the newest message", error);
        let stream = self.nats.context.get_stream_no_info(&*self.nats.stream);
        let stream = stream.await.map_err(|error| failed(error.into()))?;
        match stream.get_last_raw_message_by_subject(&self.all_subjects()).await {
            Ok(message) => Ok(Some(
                poison::decode(&message.payload).map_or(Newest::NoEvent, |event| Newest::Event(feed::after(&event))),
            )),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Takes all messages under the store's name from the stream.
    pub(super) async fn purge(&self) -> Result<u64, NatsError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| self.nats.error("purge messages", error);
        let stream = self.nats.context.get_stream_no_info(&*self.nats.stream);
        let stream = stream.await.map_err(|error| failed(error.into()))?;
        let purged = stream.purge().filter(self.all_subjects()).await;
        purged.map(|purged| purged.purged).map_err(|error| failed(error.into()))
    }

    fn all_subjects(&self) -> String {
        Nats::subject(&self.store, ">")
    }

    fn log(&self, error: &NatsError, failures: u32, wait: Duration, events_left: usize) {
        let (store, cause) = (self.store.as_str(), &error.source);
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        warn!(store, failures, wait_ms, events_left, %error, %cause, "events are not on the bus yet, publishing them again");
    }

    /// What the publisher has done.
    #[must_use]
    pub const fn counts(&self) -> PublishCounts {
        self.counts
    }

    /// Sends all events once, and gives how many of the first are confirmed without one missing.
    async fn publish_round(&mut self, events: &[RecordedEvent]) -> (usize, Option<Stopped>) {
        let mut under_way = VecDeque::with_capacity(UNCONFIRMED_MAX.min(events.len()));
        let mut confirmed = 0;
        let mut unsent = events.iter();
        loop {
            if under_way.len() < UNCONFIRMED_MAX
                && let Some(event) = unsent.next()
            {
                match self.send(event).await {
                    Ok(sent) => under_way.push_back(sent),
                    Err(stopped) => return (confirmed, Some(stopped)),
                }
                continue;
            }
            let Some(oldest) = under_way.pop_front() else { return (confirmed, None) };
            if let Err(stopped) = self.confirm(oldest).await {
                return (confirmed, Some(stopped));
            }
            confirmed += 1;
        }
    }

    async fn send(&self, event: &RecordedEvent) -> Result<Unconfirmed, Stopped> {
        let position = event.header.position;
        if event.header.visibility == Visibility::Private {
            return Err(Stopped::ForGood(PublishError::Private { position }));
        }
        let frame = frame::encode_whole(event);
        let bytes = frame.len();
        let message = PublishMessage::build()
            .payload(frame.into())
            .message_id(message_id(event))
            .expected_stream(&self.nats.stream);
        let subject = Nats::subject(&self.store, event.metadata.event_type.as_str());
        match self.nats.context.send_publish(subject, message).await {
            Ok(confirmation) => Ok(Unconfirmed { position, bytes, confirmation }),
            Err(error) => Err(self.stopped(position, bytes, error)),
        }
    }

    async fn confirm(&mut self, sent: Unconfirmed) -> Result<(), Stopped> {
        match sent.confirmation.await {
            Ok(confirmation) => {
                self.counts.confirmed += 1;
                self.counts.duplicates += u64::from(confirmation.duplicate);
                Ok(())
            }
            Err(error) => Err(self.stopped(sent.position, sent.bytes, error)),
        }
    }

    fn stopped(
        &self,
        position: Position,
        bytes: usize,
        error: async_nats::jetstream::context::PublishError,
    ) -> Stopped {
        if error.kind() == PublishErrorKind::MaxPayloadExceeded {
            return Stopped::ForGood(PublishError::TooLong { position, bytes });
        }
        Stopped::ForNow(self.nats.error("take an event", error))
    }
}
