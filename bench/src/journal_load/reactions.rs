//! Reactions: how long after a command was given another service has its event in hand, in one process and through NATS.

use super::Line;
use super::callers::{Figure, cause};
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::{Context, Result};
use journal::bus::nats::{Login, Nats, NatsConfig, NatsStream, SubscriptionConfig};
use journal::bus::{BusName, Next};
use journal::{Audience, Consumer, Cursor, Expected, Feed, NewEvent, Reaction, Store, UnitOfWork, feed};
use messages::{EventType, Payload, RecordedEvent, StreamName};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Commands per second, of all callers together.
const COMMANDS_PER_SECOND: u64 = 2_000;

/// How many callers give them.
const CALLERS: u64 = 64;

/// How long the last events may take to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(30);

/// How many events of the feed are read at once when the bus cannot say what follows.
const FEED_EVENTS_MAX: usize = 1_024;

/// When commands were given, and how long their events took to arrive.
struct Watch {
    started: Instant,
    arrivals_us: Mutex<Vec<u64>>,
}

impl Watch {
    fn new() -> Self {
        Self { started: Instant::now(), arrivals_us: Mutex::default() }
    }

    /// The payload of a command that is given now.
    fn stamp(&self) -> Result<Payload> {
        let frame = br#"{"at_us":"00000000000000000000","note":""}"#.len();
        let note = "x".repeat(super::callers::PAYLOAD_BYTES - frame);
        let at = self.started.elapsed().as_micros();
        Ok(Payload::parse(format!(r#"{{"at_us":"{at:020}","note":"{note}"}}"#).into_bytes())?)
    }

    /// Notes an event that has arrived.
    fn arrived(&self, event: &RecordedEvent) {
        let now = self.started.elapsed().as_micros();
        let at: Option<u128> = serde_json::from_slice::<serde_json::Value>(event.payload.as_bytes())
            .ok()
            .and_then(|payload| payload.get("at_us")?.as_str()?.parse().ok());
        let micros = at.map_or(u64::MAX, |at| u64::try_from(now.saturating_sub(at)).unwrap_or(u64::MAX));
        self.arrivals_us.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
    }

    fn count(&self) -> u64 {
        self.arrivals_us.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Waits until all commands' events are there.
    async fn figure(&self, commands: u64, elapsed: Duration) -> Result<Figure> {
        let all = async {
            while self.count() < commands {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let arrived = tokio::time::timeout(ARRIVAL_MAX, all).await;
        arrived.with_context(|| format!("{} of {commands} events arrived within {ARRIVAL_MAX:?}", self.count()))?;
        let arrivals = self.arrivals_us.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Figure { count: commands, elapsed, latencies: Sample::new(arrivals) })
    }
}

/// A consumer of another store in the same process is woken by the commit.
pub(crate) async fn in_process(place: &TestPlace, time: Duration) -> Result<Line> {
    let (source, reader) = open_two(place).await?;
    let watch = Arc::new(Watch::new());
    let seen = Arc::clone(&watch);
    let handler = move |event: &RecordedEvent| {
        seen.arrived(event);
        Ok(Reaction::Nothing)
    };
    let consumer = Arc::new(Consumer::new("bench.reader", Feed::Published(source.clone()), reader.clone(), handler));
    let task = consumer.start();
    let (commands, elapsed) = give_commands(&source, &watch, time).await?;
    let figure = watch.figure(commands, elapsed).await?;
    task.stop().await?;
    source.close().await;
    reader.close().await;
    Ok(Line { what: "command to reaction in the process", figure, goal_per_second: None, goal_p99_ms: Some(20) })
}

/// A publisher puts the events on a NATS server of the run's own, and a subscription takes them from there.
pub(crate) async fn through_nats(place: &TestPlace, time: Duration) -> Result<Line> {
    let server = test_servers::Nats::start().context("no NATS server could be started")?;
    let (source, reader) = open_two(place).await?;
    let config = NatsConfig {
        servers: vec![server.url()],
        connection_name: "bench".to_owned(),
        login: Login::None,
        tls: None,
        stream: NatsStream { bytes_max: 256 << 20, ..NatsStream::usual(1) },
        connect_wait_max: Duration::from_secs(30),
    };
    let nats = Nats::connect(&config, source.entropy()).await?;
    let name = |text| BusName::parse(text);
    let mut publisher = nats.publisher(name("bench")?);
    let watch = Arc::new(Watch::new());
    let mut tasks: JoinSet<Result<()>> = JoinSet::new();
    let published = source.clone();
    let _ = tasks.spawn(async move {
        let Err(ended) = publisher.run(&published).await;
        Err(ended.into())
    });
    let mut subscription = nats.subscribe(name("bench-reader")?, name("bench")?, SubscriptionConfig::usual());
    let (feed_store, own, seen) = (source.clone(), reader.clone(), Arc::clone(&watch));
    let _ = tasks.spawn(async move {
        let mut cursor = Cursor::start(feed_store.id());
        loop {
            match subscription.next(&cursor).await {
                Next::Events(events) => cursor = note(&own, &seen, cursor, &events).await?,
                Next::ReadFeed(_) => loop {
                    let events = feed_store.published_after(cursor.position, FEED_EVENTS_MAX).await?;
                    if events.is_empty() {
                        break;
                    }
                    cursor = note(&own, &seen, cursor, &events).await?;
                },
            }
        }
    });
    let (commands, elapsed) = give_commands(&source, &watch, time).await?;
    let figure = watch.figure(commands, elapsed).await;
    if let Some(ended) = tasks.try_join_next() {
        ended??;
    }
    tasks.shutdown().await;
    source.close().await;
    reader.close().await;
    Ok(Line { what: "command to reaction through NATS", figure: figure?, goal_per_second: None, goal_p99_ms: Some(40) })
}

/// Notes events, and commits the reader's cursor as a service does.
async fn note(own: &Store, watch: &Watch, cursor: Cursor, events: &[RecordedEvent]) -> Result<Cursor> {
    let Some(last) = events.last() else { return Ok(cursor) };
    events.iter().for_each(|event| watch.arrived(event));
    let to = feed::after(last);
    let mut unit = UnitOfWork::new();
    let from = (cursor != Cursor::start(cursor.store)).then_some(cursor);
    let _ = unit.advance("bench.reader", from, to);
    let _ = own.append(unit).await?;
    Ok(to)
}

async fn open_two(place: &TestPlace) -> Result<(Store, Store)> {
    let config = place.fresh().await?;
    let reader = TestPlace::beside(&config);
    Ok((Store::open(&config).await?, Store::open(&reader).await?))
}

/// Gives commands at the set rate for so long: how many, in what time.
async fn give_commands(store: &Store, watch: &Arc<Watch>, time: Duration) -> Result<(u64, Duration)> {
    let each = Duration::from_secs(1) * u32::try_from(CALLERS)? / u32::try_from(COMMANDS_PER_SECOND)?;
    let commands_each = COMMANDS_PER_SECOND * time.as_secs() / CALLERS;
    let started = Instant::now();
    let mut callers: JoinSet<Result<()>> = JoinSet::new();
    for caller in 0..CALLERS {
        let (store, watch) = (store.clone(), Arc::clone(watch));
        // The callers take turns instead of all calling at once.
        let first = each * u32::try_from(caller)? / u32::try_from(CALLERS)?;
        let _ = callers.spawn(async move {
            let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + first, each);
            let stream = StreamName::parse(&format!("load/{caller}"))?;
            for _ in 0..commands_each {
                let _ = turns.tick().await;
                let event = NewEvent {
                    id: store.event_id(),
                    event_type: EventType::of("bench.happened"),
                    type_version: 1,
                    payload: watch.stamp()?,
                    audience: Audience::Published,
                };
                let mut unit = UnitOfWork::new();
                let _ = unit.append(&cause(&store)?, stream.clone(), Expected::Any, vec![event]);
                let _ = store.append(unit).await?;
            }
            Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    Ok((commands_each * CALLERS, started.elapsed()))
}
