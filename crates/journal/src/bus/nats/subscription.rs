//! Hands a consumer what follows its cursor, and tells it when to read the feed instead.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::{Subject, jetstream};
use futures_util::{FutureExt as _, StreamExt as _, future, stream};
use messages::{Position, RecordedEvent, StoreId};
use tracing::{info, warn};

use super::connection::{Nats, NatsError};
use super::poison;
use crate::bus::sequence::{self, Judgement};
use crate::bus::{BusName, Next, ReadFeed, backoff};
use crate::cursor::Cursor;
use crate::feed;

/// How many acknowledgements are under way at once.
const ACKNOWLEDGEMENTS_MAX: usize = 256;

/// What a message is answered with, by the protocol of JetStream: done; never again.
const ACKNOWLEDGED: &str = "+ACK";
const TERMINATED: &str = "+TERM";

/// How a subscription behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionConfig {
    /// How many events are handed over at once at most; so many more may be on their way.
    pub batch_events_max: usize,
    /// After so long the server hands a message again that was not acknowledged. Longer than a batch takes to apply.
    pub acknowledge_within: Duration,
    /// The server gives a sign of life so often; when two are missing, the subscription begins anew.
    pub heartbeat: Duration,
    /// When nothing came for so long, the feed is read to be sure.
    pub idle_read_after: Duration,
}

impl SubscriptionConfig {
    /// The usual: 512 events, 30 s, 5 s, 30 s.
    #[must_use]
    pub const fn usual() -> Self {
        Self {
            batch_events_max: 512,
            acknowledge_within: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
            idle_read_after: Duration::from_secs(30),
        }
    }
}

/// What a subscription has seen since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionCounts {
    /// Messages that came.
    pub messages: u64,
    /// Events that were handed over.
    pub events: u64,
    /// Messages whose event was applied already.
    pub duplicates: u64,
    /// Times that the feed had to be read because of a gap.
    pub gaps: u64,
    /// Messages that are no event of this store: they do not decode, are private, of another store, or have a wrong hash.
    pub poison: u64,
    /// Acknowledgements that the server did not confirm; their messages come again.
    pub unconfirmed: u64,
    /// Times that the subscription began, the first included.
    pub beginnings: u64,
}

/// Reads the events of one store for one reader.
pub struct NatsSubscription {
    nats: Nats,
    reader: BusName,
    store: BusName,
    config: SubscriptionConfig,
    messages: Option<Stream>,
    /// What came and is not behind the cursor yet, in the order of places.
    held: Vec<Held>,
    /// The cursor and the missing place for which the feed was read last, in vain if they are met again.
    asked: Option<(Position, Position)>,
    /// The other store that was told of last: each is told of once.
    other_store: Option<StoreId>,
    failures: u32,
    counts: SubscriptionCounts,
}

/// A message that is not acknowledged yet.
struct Held {
    store: StoreId,
    position: Position,
    /// `None` once it was handed over.
    event: Option<RecordedEvent>,
    /// Where its acknowledgement goes.
    reply: Option<Subject>,
}

impl Nats {
    /// Reads the store's events for a reader. Readers of different names each get all events; processes that read under one name
    /// share them. Begins when [`NatsSubscription::next`] is first called.
    #[must_use]
    pub fn subscribe(&self, reader: BusName, store: BusName, config: SubscriptionConfig) -> NatsSubscription {
        NatsSubscription {
            nats: self.clone(),
            reader,
            store,
            config,
            messages: None,
            held: Vec::new(),
            asked: None,
            other_store: None,
            failures: 0,
            counts: SubscriptionCounts::default(),
        }
    }
}

impl NatsSubscription {
    /// Waits for what follows `cursor`, which is where the consumer stands by what it has *committed*: everything up to it is
    /// acknowledged here, and nothing else ever is.
    ///
    /// Trouble with the servers is waited out, with a line in the log for each attempt.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped: what came is held or comes again.
    pub async fn next(&mut self, cursor: &Cursor) -> Next {
        loop {
            self.acknowledge_up_to(cursor).await;
            if let Some(next) = self.next_of_held(cursor).await {
                return next;
            }
            if self.messages.is_none() {
                self.begin().await;
                return Next::ReadFeed(ReadFeed::Started);
            }
            if let Some(reason) = self.receive().await {
                return Next::ReadFeed(reason);
            }
        }
    }

    /// Acknowledges what the consumer has committed, and ends. The server keeps the reader's place.
    pub async fn close(mut self, cursor: &Cursor) -> SubscriptionCounts {
        self.acknowledge_up_to(cursor).await;
        self.counts
    }

    /// What the subscription has seen.
    #[must_use]
    pub const fn counts(&self) -> SubscriptionCounts {
        self.counts
    }

    /// Acknowledges what is held up to the cursor, and waits until the server has noted it. What it does not note comes again and
    /// is a duplicate then.
    async fn acknowledge_up_to(&mut self, cursor: &Cursor) {
        let is_behind = |held: &Held| held.store == cursor.store && held.position <= cursor.position;
        let behind = || self.held.iter().filter(|held| is_behind(held));
        let duplicates = behind().filter(|held| held.event.is_some()).count() as u64;
        let replies: Vec<Subject> = behind().filter_map(|held| held.reply.clone()).collect();
        self.answer(replies, ACKNOWLEDGED).await;
        self.counts.duplicates += duplicates;
        self.held.retain(|held| !is_behind(held));
    }

    async fn answer(&mut self, replies: Vec<Subject>, answer: &'static str) {
        let client = &self.nats.client;
        let answers = replies.into_iter().map(|reply| client.request(reply, answer.into()));
        let unconfirmed = stream::iter(answers)
            .buffer_unordered(ACKNOWLEDGEMENTS_MAX)
            .filter(|confirmed| future::ready(confirmed.is_err()))
            .count()
            .await;
        self.counts.unconfirmed += unconfirmed as u64;
    }

    /// What can be said from what is held, whose first is behind the cursor.
    async fn next_of_held(&mut self, cursor: &Cursor) -> Option<Next> {
        let mut stands = *cursor;
        let mut run = Vec::new();
        let mut stopped = None;
        let mut index = 0;
        while let Some(held) = self.held.get_mut(index) {
            let Some(event) = &held.event else {
                stopped = (held.position > stands.position).then_some(Stop::NotApplied);
                break;
            };
            match sequence::judge(&stands, event) {
                // A second copy of one that is handed over now; it is acknowledged with it.
                Judgement::Duplicate => {}
                Judgement::Follows if run.len() < self.config.batch_events_max => {
                    stands = feed::after(event);
                    run.extend(held.event.take());
                }
                Judgement::Follows => break,
                Judgement::Gap { missing } => {
                    stopped = Some(Stop::Gap { missing });
                    break;
                }
                other => {
                    stopped = Some(Stop::Poison { index, judgement: other });
                    break;
                }
            }
            index += 1;
        }
        if !run.is_empty() {
            self.counts.events += run.len() as u64;
            self.asked = None;
            return Some(Next::Events(run));
        }
        match stopped? {
            Stop::NotApplied => {
                // Their messages come again; the feed has them now.
                self.held.retain(|held| held.event.is_some());
                Some(Next::ReadFeed(ReadFeed::NotApplied))
            }
            Stop::Gap { missing } => self.gap(cursor, missing),
            Stop::Poison { index, judgement } => self.refuse(index, judgement).await.map(Next::ReadFeed),
        }
    }

    /// Asks for the feed, once for each place: if what is missing was not there either, the messages are let go, and come again
    /// when the server has waited for their acknowledgement in vain.
    fn gap(&mut self, cursor: &Cursor, missing: Position) -> Option<Next> {
        if self.asked == Some((cursor.position, missing)) {
            let (store, cursor) = (self.store.as_str(), cursor.position);
            warn!(store, %cursor, %missing, "events on the bus are ahead of the feed, waiting for them to come again");
            self.held.clear();
            self.asked = None;
            return None;
        }
        self.asked = Some((cursor.position, missing));
        self.counts.gaps += 1;
        Some(Next::ReadFeed(ReadFeed::Gap { missing }))
    }

    /// Takes a message out for good that is no event of this store.
    async fn refuse(&mut self, index: usize, judgement: Judgement) -> Option<ReadFeed> {
        let held = self.held.remove(index);
        let (store, position) = (self.store.as_str(), held.position);
        warn!(store, %position, ?judgement, "a message is no event of the store, it is dropped");
        self.counts.poison += 1;
        self.answer(held.reply.into_iter().collect(), TERMINATED).await;
        match judgement {
            Judgement::OtherStore { found } if self.other_store.replace(found) != Some(found) => {
                Some(ReadFeed::OtherStore { found })
            }
            Judgement::WrongHash => Some(ReadFeed::WrongHash { position }),
            _ => None,
        }
    }

    /// Waits for a message and takes all that came with it. A reason to read the feed, if there is one.
    async fn receive(&mut self) -> Option<ReadFeed> {
        let messages = self.messages.as_mut()?;
        let Ok(first) = tokio::time::timeout(self.config.idle_read_after, messages.next()).await else {
            return Some(ReadFeed::Idle);
        };
        let mut came = vec![first];
        while came.len() < self.config.batch_events_max
            && let Some(message) = self.messages.as_mut().and_then(|messages| messages.next().now_or_never())
        {
            let is_over = !matches!(message, Some(Ok(_)));
            came.push(message);
            if is_over {
                break;
            }
        }
        let mut poison = Vec::new();
        for message in came {
            match message {
                Some(Ok(message)) => poison.extend(self.hold(message)),
                Some(Err(error)) => self.lose_stream(&error.to_string()),
                None => self.lose_stream("it ended"),
            }
        }
        self.held.sort_by_key(|held| held.position);
        self.answer(poison, TERMINATED).await;
        None
    }

    /// Holds a message, or gives its reply if it is no event.
    fn hold(&mut self, mut message: jetstream::Message) -> Option<Subject> {
        self.counts.messages += 1;
        let reply = message.message.reply.take();
        match poison::decode(&message.payload) {
            Ok(event) => {
                let (store, position) = (event.header.store, event.header.position);
                self.held.push(Held { store, position, event: Some(event), reply });
                None
            }
            Err(error) => {
                let (store, subject) = (self.store.as_str(), message.subject.as_str());
                warn!(store, subject, %error, "a message is no event, it is dropped");
                self.counts.poison += 1;
                reply
            }
        }
    }

    fn lose_stream(&mut self, why: &str) {
        let (reader, store) = (self.reader.as_str(), self.store.as_str());
        info!(reader, store, why, "the subscription begins anew");
        self.messages = None;
    }

    /// Begins to pull messages, however long it takes.
    async fn begin(&mut self) {
        loop {
            match self.pull().await {
                Ok(messages) => {
                    self.messages = Some(messages);
                    self.failures = 0;
                    self.counts.beginnings += 1;
                    return;
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    let wait = backoff::wait(self.failures, &self.nats.entropy);
                    let (reader, failures, cause) = (self.reader.as_str(), self.failures, &error.source);
                    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                    warn!(reader, failures, wait_ms, %error, %cause, "cannot subscribe, trying again");
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn pull(&self) -> Result<Stream, NatsError> {
        let (context, stream) = (&self.nats.context, &*self.nats.stream);
        let consumer = context.create_consumer_on_stream(self.consumer_config(), stream);
        let consumer = consumer.await.map_err(|error| self.nats.error("make a consumer", error))?;
        let pull =
            consumer.stream().max_messages_per_batch(self.config.batch_events_max).heartbeat(self.config.heartbeat);
        let messages = pull.expires(self.config.heartbeat * 4).messages();
        messages.await.map_err(|error| self.nats.error("hand out messages", error))
    }

    fn consumer_config(&self) -> Config {
        let name = format!("{}__{}", self.reader, self.store);
        let unacknowledged_max = i64::try_from(self.config.batch_events_max * 4).unwrap_or(i64::MAX);
        Config {
            durable_name: Some(name.clone()),
            name: Some(name),
            // A new reader begins with the feed; what is on the bus before is in it.
            deliver_policy: DeliverPolicy::New,
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.config.acknowledge_within,
            max_ack_pending: unacknowledged_max,
            filter_subject: Nats::subject(&self.store, ">"),
            ..Default::default()
        }
    }
}

/// Why no more of what is held follows.
enum Stop {
    NotApplied,
    Gap { missing: Position },
    Poison { index: usize, judgement: Judgement },
}

impl std::fmt::Debug for NatsSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsSubscription")
            .field("reader", &self.reader)
            .field("store", &self.store)
            .field("held", &self.held.len())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
