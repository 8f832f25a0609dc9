//! Commands on one stream, decided one after another on the state that includes what is decided but not yet committed.
//!
//! A stream's state is kept in memory. A command is decided on it, its unit is put in the writer's queue, and the state moves on at
//! once, so that a hot stream brings as many commands into one group as callers bring. Each unit names the event that it was
//! decided after. If an earlier one of the stream is not committed after all, or another process wrote to the stream, the writer
//! refuses what was built on it; the state is read anew and the command decided anew.
//!
//! A refusal, too, is given only after the writer has confirmed the state that it was decided on: nobody is refused because of
//! something that never was.

mod snapshot;

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use messages::{DecodeError, EventBody, EventId, Payload, PayloadError, RecordedEvent, StreamName, StreamVersion};
use parking_lot::Mutex;

use self::snapshot::Snapshot;
use crate::appender::{self, Answer, AppendError};
use crate::group::{Appended, Refusal};
use crate::key::{KeyRecord, KeyUse};
use crate::limits::PAGE_EVENTS_MAX;
use crate::mutant::{Mutant, is_planted};
use crate::store::{Store, StoreError, StreamKey};
use crate::unit::{Audience, Cause, Expected, NewEvent, UnitOfWork};

/// How often a command is decided anew before its caller is told that the stream is too busy.
pub const DECIDE_ATTEMPTS_MAX: u32 = 32;

/// How many streams' states are kept in memory at most.
pub const CACHED_STREAMS_MAX: usize = 10_000;

/// A kind of stream: its events, and the state that they fold to.
pub trait Aggregate: Send + Sync + 'static {
    /// What commands are decided on; its default is that of an empty stream.
    type State: Default + Send;
    /// The events.
    type Event: EventBody + Send;

    /// The state after an event.
    fn apply(state: &mut Self::State, event: &Self::Event);

    /// After how many events of a stream its state is written down, so that it is not read whole. `None`: never, which suits
    /// streams that stay short.
    const SNAPSHOT_EVERY: Option<NonZeroU64> = None;

    /// The form of what [`Self::to_snapshot`] gives, and the meaning of [`Self::apply`]: raise it when either changes. Snapshots
    /// of another form are ignored.
    const SNAPSHOT_FORM: u32 = 1;

    /// The state as it is written down; `None` if it cannot be.
    fn to_snapshot(_: &Self::State) -> Option<Payload> {
        None
    }

    /// The state that was written down in today's form; `None` if it is not understood: the stream is read whole then.
    fn from_snapshot(_: &Payload) -> Option<Self::State> {
        None
    }
}

/// What a command asks to be written.
#[derive(Debug)]
pub struct Decision<E> {
    /// Events for the command's stream.
    pub events: Vec<(E, Audience)>,
    /// What is written with them: claims, timers, statements, events of other streams.
    pub with: UnitOfWork,
}

impl<E> Decision<E> {
    /// Events alone.
    #[must_use]
    pub fn of(events: Vec<(E, Audience)>) -> Self {
        Self { events, with: UnitOfWork::new() }
    }
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It was written.
    Done(Appended),
    /// The same request was made before under its key; this is what is known of the first.
    Repeated(Box<KeyRecord>),
}

/// A command was not written.
#[derive(Debug, thiserror::Error)]
pub enum DecideError<R: std::fmt::Debug> {
    /// The command is refused on the stream's state. Its key stays free.
    #[error("the command is refused: {0:?}")]
    Refused(R),
    /// Other commands, of other processes too, were faster each time. The same may succeed later.
    #[error("stream `{stream}` moved on during each of {attempts} attempts")]
    Busy {
        /// The stream.
        stream: StreamName,
        /// How often it was decided.
        attempts: u32,
    },
    /// The unit of work was not committed, or it is not known whether it was.
    #[error("the command was not written")]
    Append(#[source] AppendError),
    /// The stream cannot be read.
    #[error("stream `{stream}` cannot be read")]
    Load {
        /// The stream.
        stream: StreamName,
        /// Why not.
        source: LoadError,
    },
    /// An event's payload is refused.
    #[error("an event of the command is refused")]
    Payload(#[from] PayloadError),
}

/// A stream cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database cannot be read.
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
    /// An event in it is not understood.
    #[error("the event of version {version} is not understood")]
    Decode {
        /// Its version in the stream.
        version: StreamVersion,
        /// Why not.
        source: DecodeError,
    },
}

/// The streams of one kind in one store.
pub struct Streams<A: Aggregate> {
    store: Store,
    slots: Mutex<HashMap<StreamKey, Arc<Slot<A>>>>,
    uses: AtomicU64,
}

/// A stream in memory. The lock is held while a command is decided and queued, so that the order in the queue is that of the
/// decisions.
struct Slot<A: Aggregate> {
    used: AtomicU64,
    folded: tokio::sync::Mutex<Folded<A>>,
}

struct Folded<A: Aggregate> {
    state: A::State,
    version: StreamVersion,
    newest: Option<EventId>,
    is_loaded: bool,
    /// Counts how often the state was thrown away: whoever was decided on an older one does not throw away a newer.
    epoch: u64,
}

impl<A: Aggregate> Folded<A> {
    fn expected(&self) -> Expected {
        let newest = self.newest.filter(|_| !is_planted(Mutant::VersionWithoutEvent));
        newest.map_or(Expected::Version(self.version), |newest| Expected::After(self.version, newest))
    }

    fn forget(&mut self) {
        *self = Self { epoch: self.epoch + 1, ..Self::empty() };
    }

    fn empty() -> Self {
        Self { state: A::State::default(), version: StreamVersion::EMPTY, newest: None, is_loaded: false, epoch: 0 }
    }

    fn apply(&mut self, event: &A::Event, id: EventId) {
        A::apply(&mut self.state, event);
        self.version = self.version.next();
        self.newest = Some(id);
    }
}

impl<A: Aggregate> std::fmt::Debug for Streams<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").field("store", &self.store.id()).field("cached", &self.slots.lock().len()).finish()
    }
}

/// A command: on which stream, because of what, under which key.
#[derive(Debug, Clone)]
pub struct Command {
    /// Because of what, by whom, for whom.
    pub cause: Cause,
    /// The stream that it is decided on.
    pub stream: StreamName,
    /// Its idempotency key; a command without one may be written twice if its caller repeats it.
    pub key: Option<KeyUse>,
}

/// How a try at a command ended.
enum Tried<R> {
    Decided(Decided),
    Refused(R),
    DecideAnew,
}

impl<A: Aggregate> Streams<A> {
    /// The streams of this kind in a store. Use one for all commands of a process: states are shared through it.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, slots: Mutex::default(), uses: AtomicU64::new(0) }
    }

    /// Decides a command and writes what it asks for. `decide` may be called again if the stream moved meanwhile.
    ///
    /// # Errors
    ///
    /// See [`DecideError`].
    ///
    /// # Cancel safety
    ///
    /// A command whose caller has gone is written or not; its key tells.
    pub async fn decide<R: std::fmt::Debug>(
        &self,
        command: &Command,
        mut decide: impl FnMut(&A::State) -> Result<Decision<A::Event>, R>,
    ) -> Result<Decided, DecideError<R>> {
        for _ in 0..DECIDE_ATTEMPTS_MAX {
            match self.attempt(command, &mut decide).await? {
                Tried::Decided(decided) => return Ok(decided),
                Tried::Refused(refusal) => return Err(DecideError::Refused(refusal)),
                Tried::DecideAnew => {}
            }
        }
        Err(DecideError::Busy { stream: command.stream.clone(), attempts: DECIDE_ATTEMPTS_MAX })
    }

    /// What a stream's state is, with everything that is committed.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn read<T>(
        &self,
        tenant: &messages::TenantId,
        stream: &StreamName,
        look: impl FnOnce(&A::State, StreamVersion) -> T,
    ) -> Result<T, LoadError> {
        let mut folded = Folded::<A>::empty();
        let key = StreamKey::new(tenant.clone(), stream.clone());
        load(&self.store, &key, &mut folded).await?;
        Ok(look(&folded.state, folded.version))
    }

    async fn attempt<R: std::fmt::Debug>(
        &self,
        command: &Command,
        decide: &mut impl FnMut(&A::State) -> Result<Decision<A::Event>, R>,
    ) -> Result<Tried<R>, DecideError<R>> {
        let key = StreamKey::new(command.cause.tenant.clone(), command.stream.clone());
        let slot = self.slot(&key);
        let mut folded = slot.folded.lock().await;
        if !folded.is_loaded {
            let loaded = load(&self.store, &key, &mut folded).await;
            loaded.map_err(|source| DecideError::Load { stream: command.stream.clone(), source })?;
        }
        let epoch = folded.epoch;
        let before = folded.version;
        let (answer, refusal) = match decide(&folded.state) {
            Ok(decision) => (self.enqueue(command, &mut folded, decision).await?, None),
            Err(refusal) if is_planted(Mutant::RefusalUnconfirmed) => return Ok(Tried::Refused(refusal)),
            Err(refusal) => (self.enqueue_confirmation(command, &folded).await?, Some(refusal)),
        };
        let snapshot = Snapshot::due::<A>(before, &folded);
        drop(folded);
        let ended = appender::answered(answer).await;
        if let (Ok(_), Some(snapshot)) = (&ended, snapshot) {
            snapshot.keep(&self.store, &key).await;
        }
        // What was decided and not committed is in the state. A refusal put nothing there: the state is wrong only if the stream
        // has moved on.
        let is_stale = match &ended {
            Ok(_) => false,
            Err(AppendError::Refused(Refusal::VersionConflict { .. })) => true,
            Err(_) => refusal.is_none(),
        };
        if is_stale {
            let mut folded = slot.folded.lock().await;
            if folded.epoch == epoch {
                folded.forget();
            }
        }
        match (ended, refusal) {
            (Ok(_), Some(refusal)) => Ok(Tried::Refused(refusal)),
            (Ok(appended), None) => Ok(Tried::Decided(Decided::Done(appended))),
            (Err(AppendError::Refused(Refusal::KeyRepeated { record })), _) => {
                Ok(Tried::Decided(Decided::Repeated(record)))
            }
            (Err(AppendError::Refused(Refusal::VersionConflict { stream, .. })), _) if stream == command.stream => {
                Ok(Tried::DecideAnew)
            }
            (Err(error), _) => Err(DecideError::Append(error)),
        }
    }

    /// Queues the decision and moves the state on.
    async fn enqueue<R: std::fmt::Debug>(
        &self,
        command: &Command,
        folded: &mut Folded<A>,
        decision: Decision<A::Event>,
    ) -> Result<Answer, DecideError<R>> {
        let Decision { events, with: mut unit } = decision;
        let mut new_events = Vec::with_capacity(events.len());
        for (event, audience) in &events {
            let (event_type, type_version, payload) = event.encode()?;
            let id = self.store.event_id();
            new_events.push(NewEvent { id, event_type, type_version, payload, audience: *audience });
        }
        let ids: Vec<EventId> = new_events.iter().map(|event| event.id).collect();
        if new_events.is_empty() {
            let _ = unit.confirm(command.cause.tenant.clone(), command.stream.clone(), folded.expected());
        } else {
            let _ = unit.append(&command.cause, command.stream.clone(), folded.expected(), new_events);
        }
        if let Some(key) = &command.key {
            let _ = unit.use_key(key.clone());
        }
        let answer = self.store.submit(unit).await.map_err(DecideError::Append)?;
        for ((event, _), id) in events.iter().zip(ids) {
            folded.apply(event, id);
        }
        Ok(answer)
    }

    /// Queues the question whether the state that refused a command is the stream's, and its key free.
    async fn enqueue_confirmation<R: std::fmt::Debug>(
        &self,
        command: &Command,
        folded: &Folded<A>,
    ) -> Result<Answer, DecideError<R>> {
        let mut unit = UnitOfWork::new();
        let _ = unit.confirm(command.cause.tenant.clone(), command.stream.clone(), folded.expected());
        if let Some(key) = &command.key {
            let _ = unit.require_free_key(key.scope.clone(), key.fingerprint);
        }
        self.store.submit(unit).await.map_err(DecideError::Append)
    }

    fn slot(&self, key: &StreamKey) -> Arc<Slot<A>> {
        let use_number = self.uses.fetch_add(1, Ordering::Relaxed);
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(key) {
            slot.used.store(use_number, Ordering::Relaxed);
            return Arc::clone(slot);
        }
        if slots.len() >= CACHED_STREAMS_MAX {
            evict(&mut slots);
        }
        let slot =
            Arc::new(Slot { used: AtomicU64::new(use_number), folded: tokio::sync::Mutex::new(Folded::empty()) });
        drop(slots.insert(key.clone(), Arc::clone(&slot)));
        slot
    }
}

/// Forgets the half of the streams that was used longest ago, but none that is in use.
fn evict<A: Aggregate>(slots: &mut HashMap<StreamKey, Arc<Slot<A>>>) {
    let mut used: Vec<u64> = slots.values().map(|slot| slot.used.load(Ordering::Relaxed)).collect();
    let middle = used.len() / 2;
    let (_, median, _) = used.select_nth_unstable(middle);
    let median = *median;
    slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.used.load(Ordering::Relaxed) >= median);
}

async fn load<A: Aggregate>(store: &Store, key: &StreamKey, folded: &mut Folded<A>) -> Result<(), LoadError> {
    let epoch = folded.epoch;
    *folded = Folded { epoch, ..snapshot::load(store, key).await?.unwrap_or_else(Folded::empty) };
    loop {
        let page = store.stream_after(&key.tenant, &key.stream, folded.version, PAGE_EVENTS_MAX).await?;
        for event in &page {
            let decoded = decode::<A>(event)?;
            folded.apply(&decoded, event.header.event);
        }
        if page.len() < PAGE_EVENTS_MAX {
            folded.is_loaded = true;
            return Ok(());
        }
    }
}

fn decode<A: Aggregate>(event: &RecordedEvent) -> Result<A::Event, LoadError> {
    let metadata = &event.metadata;
    A::Event::decode(&metadata.event_type, metadata.type_version, &event.payload)
        .map_err(|source| LoadError::Decode { version: metadata.stream_version, source })
}
