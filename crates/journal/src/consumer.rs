//! Consumers: whoever reacts to the events of a feed, with one effect per event.
//!
//! The reaction to an event is a unit of work; the consumer's cursor moves in the same unit, by compare-and-set. Whatever dies
//! when, an event's effect and the cursor after it are there together or not at all. Of two instances of a consumer one moves the
//! cursor; the other's units are refused, and it stands by.
//!
//! An event that cannot be handled is *parked*, after some attempts or at once, in the unit that moves the cursor past it. Later
//! events of its stream are parked behind it, in order; other streams go on. A person retries or skips what is parked.
//!
//! A reaction that is decided on a stream of its own store is a command with an idempotency key made of consumer and event: it
//! goes through [`crate::Streams::decide`], and [`Reaction::Nothing`] is returned once it is done. Handled twice, it repeats.

mod failure;
mod page;
mod parked;
mod rebind;
mod stand_by;

use std::sync::Arc;

use messages::{Position, RecordedEvent};
use tokio::sync::watch;

use self::failure::{Interruption, Trouble};
use crate::appender::AppendError;
use crate::cursor::Cursor;
use crate::feed::{Feed, FeedError};
use crate::key::KEY_BYTES_MAX;
use crate::retry::{RETRY, Retry};
use crate::store::{Store, StoreError};
use crate::task::{Stop, Task};
use crate::unit::UnitOfWork;

pub(crate) use self::failure::chain;
pub use self::parked::{PARKED_EVENTS_MAX, Parked, RetryError, SkipError, parked, skip};
pub(crate) use self::parked::{cut, one_row};
pub use self::rebind::{REASON_BYTES_MAX, REBOUND_STREAM, RebindError, RebindTo, Rebinding};

/// How many events are handled at most before their units are awaited.
pub const CONSUMER_PAGE_EVENTS_MAX: usize = 512;

/// What an event makes a consumer do.
#[derive(Debug)]
pub enum Reaction {
    /// Nothing, or nothing more: the event does not concern it, or a command with a key of its own is done.
    Nothing,
    /// This is written together with the consumer's cursor. The unit should say on what it was decided (versions of streams,
    /// numbers of state rows): what moved meanwhile refuses it, and the event is handled anew.
    Unit(Box<UnitOfWork>),
}

/// An event or timer could not be handled. The text is kept with what is parked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    /// It may succeed later: somebody did not answer, or was busy.
    #[error("{why}")]
    Transient {
        /// What failed.
        why: String,
    },
    /// It would fail again, until a person changes something: the event is parked at once.
    #[error("{why}")]
    Poison {
        /// What is wrong.
        why: String,
    },
}

/// Handles the events of a feed. A function that does not wait is a handler, too.
pub trait Handler: Send + Sync + 'static {
    /// What an event makes the consumer do. Called again for the same event after every failure, of the store too: what it does
    /// itself, other than through the unit that it gives, must be safe to repeat.
    fn handle(&self, event: &RecordedEvent) -> impl Future<Output = Result<Reaction, HandlerError>> + Send;
}

impl<F> Handler for F
where
    F: Fn(&RecordedEvent) -> Result<Reaction, HandlerError> + Send + Sync + 'static,
{
    async fn handle(&self, event: &RecordedEvent) -> Result<Reaction, HandlerError> {
        self(event)
    }
}

/// When an event is handled, relative to the effects of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A page of events is handled while their units wait for their commits: fast. What a handler reads may lack the effects of
    /// some events before; a unit that was decided on it is refused and the event handled anew.
    PageAtOnce,
    /// The effects of all events before are committed: for handlers that read what they wrote.
    EachCommitted,
}

/// A consumer of a feed.
#[derive(Debug)]
pub struct Consumer<H> {
    name: Box<str>,
    feed: Feed,
    store: Store,
    handler: H,
    pace: Pace,
    retry: Retry,
    status: watch::Sender<ConsumerStatus>,
}

/// What a consumer is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerStatus {
    /// What its instance in this process is at.
    pub phase: Phase,
    /// Where it stands as far as this process knows; `None` before its first step.
    pub cursor: Option<Cursor>,
}

/// What an instance of a consumer is at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// It has not begun.
    #[default]
    New,
    /// It handles events, or waits for some.
    Working,
    /// Something failed; it waits before the next attempt.
    Waiting {
        /// The event that fails; `None` if a store does.
        position: Option<Position>,
        /// How often it failed.
        failures: u32,
        /// What failed last.
        why: String,
    },
    /// Another instance is at work.
    StandingBy,
    /// It was stopped, or ended by an error.
    Ended,
}

/// A consumer ended. Nothing is half done: it can be started again when the cause is gone.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// Its cursor is not of the feed's log, or the feed is damaged.
    #[error("consumer `{consumer}` cannot go on")]
    Feed {
        /// The consumer.
        consumer: Box<str>,
        /// Why not.
        source: FeedError,
    },
    /// The store of its effects is closed or damaged.
    #[error("consumer `{consumer}` cannot go on")]
    Store {
        /// The consumer.
        consumer: Box<str>,
        /// Why not.
        source: StoreError,
    },
    /// Its cursor or what it parked cannot be written.
    #[error("consumer `{consumer}` cannot write how far it has come")]
    Append {
        /// The consumer.
        consumer: Box<str>,
        /// Why not.
        source: AppendError,
    },
    /// It parks event after event: the handler is at fault, not the events.
    #[error(
        "consumer `{consumer}` has {parked} parked events, the limit is {max}: correct what it cannot handle, then retry them"
    )]
    TooManyParked {
        /// The consumer.
        consumer: Box<str>,
        /// How many there are.
        parked: usize,
        /// The limit.
        max: usize,
    },
}

impl<H: Handler> Consumer<H> {
    /// A consumer of `feed` whose effects go to `store`, where its cursor is. If it has none yet, it begins with the first event.
    ///
    /// # Panics
    ///
    /// If the name is empty or longer than [`KEY_BYTES_MAX`].
    #[must_use]
    pub fn new(name: &str, feed: Feed, store: Store, handler: H) -> Self {
        assert!(!name.is_empty() && name.len() <= KEY_BYTES_MAX, "a consumer's name has 1 to {KEY_BYTES_MAX} bytes");
        let status = watch::Sender::new(ConsumerStatus::default());
        Self { name: name.into(), feed, store, handler, pace: Pace::PageAtOnce, retry: RETRY, status }
    }

    /// With another pace than [`Pace::PageAtOnce`].
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// With other waits and attempts than [`RETRY`].
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is doing, now and whenever that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<ConsumerStatus> {
        self.status.subscribe()
    }

    /// Starts it in the background.
    pub fn start(self: &Arc<Self>) -> Task<ConsumerError> {
        let consumer = Arc::clone(self);
        Task::start(|stop| async move { consumer.run(stop).await })
    }

    /// Handles events until it is stopped.
    ///
    /// # Errors
    ///
    /// If the feed was replaced or rewound, a store is damaged or closed, or too much is parked.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped anywhere and run again: each event has its effect once.
    pub async fn run(&self, stop: Stop) -> Result<(), ConsumerError> {
        let mut trouble = Trouble::default();
        let ended = loop {
            if stop.is_requested() {
                break Ok(());
            }
            let interruption = match self.session(&stop, &mut trouble).await {
                Ok(()) => break Ok(()),
                Err(interruption) => interruption,
            };
            if let Err(error) = self.recover(interruption, &mut trouble, &stop).await {
                break Err(error);
            }
        };
        self.status.send_modify(|status| status.phase = Phase::Ended);
        ended
    }

    /// Waits as long as the interruption asks for; an error if nothing helps but a person.
    async fn recover(
        &self,
        interruption: Interruption,
        trouble: &mut Trouble,
        stop: &Stop,
    ) -> Result<(), ConsumerError> {
        let consumer = self.name.clone();
        match interruption {
            Interruption::Moved => return self.stand_by(stop).await,
            Interruption::Again => {}
            Interruption::Event { position, why, verdict } => {
                trouble.add(position, why, verdict);
                tracing::warn!(consumer = %self.name, %position, failures = trouble.failures(), why = trouble.why(), "an event could not be handled");
            }
            Interruption::Unavailable { why } => {
                tracing::warn!(consumer = %self.name, why, "a store cannot be reached");
                trouble.add_outage(why);
            }
            Interruption::Feed(source) => return Err(ConsumerError::Feed { consumer, source }),
            Interruption::Store(source) => return Err(ConsumerError::Store { consumer, source }),
            Interruption::Append(source) => return Err(ConsumerError::Append { consumer, source }),
            Interruption::TooManyParked { parked } => {
                return Err(ConsumerError::TooManyParked { consumer, parked, max: PARKED_EVENTS_MAX });
            }
        }
        if let Some(wait) = trouble.wait(&self.retry, self.store.entropy()) {
            self.set_phase(trouble.phase());
            stop.or_after(wait).await;
        }
        Ok(())
    }

    fn set_phase(&self, phase: Phase) {
        self.status.send_modify(|status| status.phase = phase);
    }
}
