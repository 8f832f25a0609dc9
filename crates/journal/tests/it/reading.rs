//! The reading side: feeds, consumers, timers, views, snapshots, the end of keys. Every test plays on both kinds of store.

mod consumers;
mod expiry;
mod feeds;
mod parking;
mod snapshots;
mod timers;
mod two_processes;
mod views;

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use journal::clock::ManualClock;
use journal::retry::Retry;
use journal::store::{Durability, Migration, StateRows};
use journal::{
    Audience, Cause, Clock, Entropy, Expected, HandlerError, NewEvent, Parameter, Place, Reaction, Statement, Store,
    StoreConfig, UnitOfWork,
};
use messages::{Actor, EventType, Payload, Position, RecordedEvent, StreamName, TenantId, Timestamp};
use tempfile::TempDir;
use test_servers::Postgres;

/// How long a condition is awaited: much longer than it takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

const QUICK: Retry =
    Retry { wait_first: Duration::from_millis(1), wait_max: Duration::from_millis(5), attempts_max: 3 };

/// What the tests' handlers write: one row per effect, so that a second effect of an event shows.
const EFFECTS: &[Migration] = &[Migration {
    version: 1,
    sql: "CREATE TABLE effects (number BIGINT PRIMARY KEY, position BIGINT NOT NULL);
          CREATE TABLE effects_made (one BIGINT PRIMARY KEY, count BIGINT NOT NULL);
          INSERT INTO effects_made (one, count) VALUES (1, 0)",
}];

/// A place for stores, and the clock that they have.
struct World {
    folder: TempDir,
    url: Option<String>,
    clock: ManualClock,
}

/// One of SQLite and one of PostgreSQL.
fn worlds() -> [World; 2] {
    let world = |url| World {
        folder: tempfile::tempdir().unwrap(),
        url,
        clock: ManualClock::at(Timestamp::from_micros(1_700_000_000_000_000)),
    };
    [world(None), world(Some(Postgres::shared().unwrap().database().unwrap()))]
}

impl World {
    fn config(&self, name: &str) -> StoreConfig {
        let place = match &self.url {
            None => Place::Sqlite { path: self.folder.path().join(format!("{name}.db")) },
            Some(url) => Place::Postgres { url: url.clone(), schema: name.to_owned() },
        };
        let clock = Clock::Manual(self.clock.clone());
        StoreConfig {
            clock,
            durability: Durability::ProcessOnly,
            state_rows: &[StateRows { name: "state rows", migrations: EFFECTS }],
            ..StoreConfig::at(place)
        }
    }

    async fn open(&self, name: &str) -> Store {
        Store::open(&self.config(name)).await.unwrap()
    }
}

fn tenant() -> TenantId {
    TenantId::parse("bank_a").unwrap()
}

fn stream(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

fn event(store: &Store, what: &str, audience: Audience) -> NewEvent {
    NewEvent {
        id: store.event_id(),
        event_type: EventType::of("test.happened"),
        type_version: 1,
        payload: Payload::of(&what).unwrap(),
        audience,
    }
}

fn cause(store: &Store) -> Cause {
    let command = Entropy::System.command_id(store.clock().now());
    let actor = Actor::new("ana@bank", "console", None).unwrap();
    Cause { tenant: tenant(), actor, command, correlation: command, causation: None, trace_parent: None }
}

/// Publishes events given as `stream:what`, each in a unit of its own.
async fn publish(store: &Store, events: &str) -> Position {
    let mut position = Position::START;
    for text in events.split_whitespace() {
        let (name, what) = text.split_once(':').unwrap();
        let mut unit = UnitOfWork::new();
        let _ = unit.append(&cause(store), stream(name), Expected::Any, vec![event(store, what, Audience::Published)]);
        position = store.append(unit).await.unwrap().position;
    }
    position
}

/// Publishes events of `streams` streams in turn, in units of 100.
async fn publish_many(store: &Store, count: usize, streams: usize) -> Position {
    let mut position = store.head().await.unwrap().position;
    for first in (0..count).step_by(100) {
        let mut unit = UnitOfWork::new();
        for number in first..count.min(first + 100) {
            let name = stream(&format!("s{}", number % streams));
            let _ = unit.append(&cause(store), name, Expected::Any, vec![event(store, "x", Audience::Published)]);
        }
        position = store.append(unit).await.unwrap().position;
    }
    position
}

fn said(event: &RecordedEvent) -> String {
    serde_json::from_slice(event.payload.as_bytes()).unwrap()
}

/// The effect of something at a position: it has a number of its own, so that the order shows and two effects both stay.
fn effect(position: u64) -> UnitOfWork {
    let one = |sql, parameters| Statement { sql, parameters, rows_expected: Some(1) };
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(one("UPDATE effects_made SET count = count + 1 WHERE one = 1", vec![])).statement(one(
        "INSERT INTO effects (number, position) SELECT count, $1 FROM effects_made",
        vec![Parameter::Integer(position.try_into().unwrap())],
    ));
    unit
}

/// The positions of all effects, in the order in which they were made.
async fn effects(store: &Store) -> Vec<u64> {
    let rows = store.rows("SELECT position FROM effects ORDER BY number", &[]).await.unwrap();
    rows.iter().map(|row| row[0].integer().unwrap().try_into().unwrap()).collect()
}

/// A handler's answer: the effect of the event.
fn react(event: &RecordedEvent) -> Result<Reaction, HandlerError> {
    Ok(Reaction::Unit(Box::new(effect(event.header.position.number()))))
}

async fn wait_until(what: &str, mut is_met: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(LIMIT, async {
        while !is_met().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain: {what}");
}

/// Waits until a consumer's cursor is at a position.
async fn wait_for_cursor(store: &Store, consumer: &str, position: Position) {
    wait_until("the cursor", async || {
        store.cursor(consumer).await.unwrap().is_some_and(|cursor| cursor.position >= position)
    })
    .await;
}

/// The longest life of a future that is cut: one that has nothing more to do is not polled any more.
const LIFE_MAX: Duration = Duration::from_millis(200);

/// Polls a future so many times at most, then drops it wherever it stands: its result, if it had one before.
async fn cut_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    let life = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    });
    tokio::time::timeout(LIFE_MAX, life).await.unwrap_or(None)
}
