//! Callers of a store: each makes a command, waits for its answer, and makes the next.

use super::place::TestPlace;
use crate::figures::{Sample, per_second};
use anyhow::{Result, anyhow};
use journal::aggregate::{Aggregate, Command, Decided, Decision, Streams};
use journal::{Audience, Cause, Expected, KeyScope, KeyState, KeyUse, NewEvent, Store, UnitOfWork};
use messages::{Actor, DecodeError, EventBody, EventType, Fingerprint, Payload, PayloadError, StreamName, TenantId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Bytes of an event's payload.
pub(crate) const PAYLOAD_BYTES: usize = 300;

/// How the store is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// Units of one event on streams of their own, with a key.
    Units {
        /// How many at once.
        callers: usize,
    },
    /// Commands that are decided on a stream's state.
    Decided {
        /// How many callers at once.
        callers: usize,
        /// How many streams they share.
        streams: usize,
    },
}

/// What a measurement gave.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    /// How many.
    pub(crate) count: u64,
    /// In what time.
    pub(crate) elapsed: Duration,
    /// How long each took, in microseconds.
    pub(crate) latencies: Sample,
}

impl Figure {
    /// How many per second.
    pub(crate) fn per_second(&self) -> u64 {
        per_second(self.count, self.elapsed)
    }
}

/// The middle one by rate: on a shared machine one measurement may be a quarter beside it.
pub(crate) fn median(mut figures: Vec<Figure>) -> Option<Figure> {
    figures.sort_by_key(Figure::per_second);
    let middle = figures.len() / 2;
    figures.into_iter().nth(middle)
}

/// Opens a fresh store at the place and puts it under load.
pub(crate) async fn measure(place: &TestPlace, load: Load, time: Duration) -> Result<Figure> {
    let store = Store::open(&place.fresh().await?).await?;
    let figure = run(&store, load, time).await?;
    store.close().await;
    Ok(figure)
}

/// Puts a store under load.
pub(crate) async fn run(store: &Store, load: Load, time: Duration) -> Result<Figure> {
    let streams = Arc::new(Streams::<Tally>::new(store.clone()));
    let mut callers: JoinSet<Result<Vec<u64>>> = JoinSet::new();
    let started = Instant::now();
    let end = started + time;
    match load {
        Load::Units { callers: count } => {
            for caller in 0..count {
                let _ = callers.spawn(append_units(store.clone(), caller, end));
            }
        }
        Load::Decided { callers: count, streams: shared } => {
            for caller in 0..count {
                let _ = callers.spawn(decide(Arc::clone(&streams), store.clone(), caller % shared, end));
            }
        }
    }
    let mut latencies_us = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies_us.extend(caller??);
    }
    let elapsed = started.elapsed();
    Ok(Figure { count: latencies_us.len() as u64, elapsed, latencies: Sample::new(latencies_us) })
}

async fn append_units(store: Store, caller: usize, end: Instant) -> Result<Vec<u64>> {
    let mut latencies = Vec::new();
    let stream = StreamName::parse(&format!("load/{caller}/{}", random(&store)))?;
    while Instant::now() < end {
        let began = Instant::now();
        let cause = cause(&store)?;
        let event = NewEvent {
            id: store.event_id(),
            event_type: EventType::of("bench.happened"),
            type_version: 1,
            payload: payload()?,
            audience: Audience::Published,
        };
        let mut unit = UnitOfWork::new();
        let key = key(&store, &cause)?;
        let _ = unit.append(&cause, stream.clone(), Expected::Any, vec![event]).use_key(key);
        let _ = store.append(unit).await?;
        latencies.push(micros(began));
    }
    Ok(latencies)
}

async fn decide(streams: Arc<Streams<Tally>>, store: Store, stream: usize, end: Instant) -> Result<Vec<u64>> {
    let mut latencies = Vec::new();
    let stream = StreamName::parse(&format!("tally/{stream}"))?;
    while Instant::now() < end {
        let began = Instant::now();
        let cause = cause(&store)?;
        let command = Command { key: Some(key(&store, &cause)?), stream: stream.clone(), cause };
        let one_more = |_: &u64| -> Result<_, String> { Ok(Decision::of(vec![(Counted, Audience::Published)])) };
        let decided = streams.decide(&command, one_more).await?;
        if matches!(decided, Decided::Repeated(_)) {
            return Err(anyhow!("a random key was used twice"));
        }
        latencies.push(micros(began));
    }
    Ok(latencies)
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn random(store: &Store) -> String {
    let mut bytes = [0; 16];
    store.entropy().fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// The cause of a command that is given now.
pub(crate) fn cause(store: &Store) -> Result<Cause> {
    let command = store.entropy().command_id(store.clock().now());
    Ok(Cause {
        tenant: TenantId::parse("bank-a")?,
        actor: Actor::new("ana.souza", "back-office", None)?,
        command,
        correlation: command,
        causation: None,
        trace_parent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
    })
}

fn key(store: &Store, cause: &Cause) -> Result<KeyUse> {
    Ok(KeyUse {
        scope: KeyScope::new(cause.tenant.clone(), "back-office", &random(store))?,
        fingerprint: Fingerprint::of("count", "/v1/tallies", &serde_json::Value::Null),
        command: cause.command,
        state: KeyState::Done,
        location: "/v1/tallies/1".into(),
        answer: None,
    })
}

/// JSON of exactly [`PAYLOAD_BYTES`].
pub(crate) fn payload() -> Result<Payload> {
    let frame = br#"{"units":"1000","note":""}"#.len();
    let text = format!(r#"{{"units":"1000","note":"{}"}}"#, "x".repeat(PAYLOAD_BYTES - frame));
    Ok(Payload::parse(text.into_bytes())?)
}

/// A stream that counts.
struct Tally;

/// One more.
struct Counted;

impl Aggregate for Tally {
    type State = u64;
    type Event = Counted;

    fn apply(state: &mut u64, _: &Counted) {
        *state += 1;
    }
}

impl EventBody for Counted {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        let note = payload().map_err(|error| PayloadError::NotExact { why: error.to_string() })?;
        Ok((EventType::of("bench.counted"), 1, note))
    }

    fn decode(_: &EventType, _: u32, _: &Payload) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}
