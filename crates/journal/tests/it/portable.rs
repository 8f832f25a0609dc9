//! Stores that are carried elsewhere: imports, backups, restores. Every test plays on both kinds of store.

mod backup;
mod import;
mod rebind;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use journal::audit::{OnProgress, Scope, export};
use journal::clock::ManualClock;
use journal::store::{Durability, Migration, StateRows};
use journal::{
    Audience, Claim, Clock, Cursor, Expected, Feed, Parameter, Place, Statement, Store, StoreConfig, Streams, Timer,
    TimerName, UnitOfWork,
};
use messages::{Payload, Position, TenantId, Timestamp};
use tempfile::TempDir;
use test_servers::Postgres;

use crate::decide::counter::{Counter, cause, command, new_command, new_event, stream, tenant};

/// State rows with everything that a database could order, pad or read in its own way; the first version has rows of its own.
const STATE_ROWS: &[StateRows] = &[StateRows { name: "state rows", migrations: MIGRATIONS }];

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sql: "CREATE TABLE notes (name TEXT NOT NULL, number BIGINT, seal BYTEA, PRIMARY KEY (name));
              INSERT INTO notes (name, number) VALUES ('from the migration', 1)",
    },
    Migration { version: 2, sql: "ALTER TABLE notes ADD COLUMN rest TEXT; CREATE TABLE bare (number BIGINT)" },
];

/// A place for stores and files, and the clock that the stores have.
struct Ground {
    folder: TempDir,
    url: Option<String>,
    clock: ManualClock,
}

/// One of SQLite and one of PostgreSQL.
fn grounds() -> [Ground; 2] {
    let ground = |url| Ground {
        folder: tempfile::tempdir().unwrap(),
        url,
        clock: ManualClock::at(Timestamp::from_micros(1_700_000_000_000_000)),
    };
    [ground(None), ground(Some(Postgres::shared().unwrap().database().unwrap()))]
}

impl Ground {
    fn config(&self, name: &str) -> StoreConfig {
        let place = match &self.url {
            None => Place::Sqlite { path: self.file(&format!("{name}.db")) },
            Some(url) => Place::Postgres { url: url.clone(), schema: name.to_owned() },
        };
        let clock = Clock::Manual(self.clock.clone());
        StoreConfig { clock, durability: Durability::ProcessOnly, state_rows: STATE_ROWS, ..StoreConfig::at(place) }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self, name: &str) -> Store {
        Store::open(&self.config(name)).await.unwrap()
    }

    /// The bytes of an export of a store.
    async fn exported(&self, store: &Store) -> Vec<u8> {
        let file = self.file("export");
        let _ = export(store, Scope::Whole, &file).await.unwrap();
        std::fs::read(file).unwrap()
    }
}

fn quiet() -> OnProgress {
    Box::new(|_| ControlFlow::Continue(()))
}

/// How often a test with [`cut_after`] plays its lives: how many polls work takes depends on how busy the machine is.
const ROUNDS_MAX: u32 = 5;

/// Polls a future so many times at most, then drops it wherever it stands: its result, if it had one before.
async fn cut_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
        std::task::Poll::Pending => {
            left -= 1;
            std::task::Poll::Pending
        }
    })
    .await
}

fn statement(sql: &'static str, parameters: Vec<Parameter>) -> Statement {
    Statement { sql, parameters, rows_expected: Some(1) }
}

fn other_tenant() -> TenantId {
    TenantId::parse("other").unwrap()
}

/// Fills a store with a little of everything: several streams and tenants, keys in two states, claims, timers, cursors, what is
/// parked and skipped, state rows.
async fn fill(store: &Store) {
    let counters = Streams::<Counter>::new(store.clone());
    for (name, key) in [("one", "k1"), ("one", "k2"), ("Two", "é"), ("two", "K1"), ("Zwei", "_"), ("one", "k3")] {
        let decide = |state: &u64| {
            let counted = crate::decide::counter::Counted { number: state + 1, key: key.to_owned() };
            Ok::<_, ()>(journal::Decision::of(vec![(counted, Audience::Published)]))
        };
        let _ = counters.decide(&command(store, name, key), decide).await.unwrap();
    }
    let mut unit = UnitOfWork::new();
    let mut of_other = cause(new_command(store));
    of_other.tenant = other_tenant();
    let _ = unit.append(&of_other, stream("one"), Expected::Any, vec![new_event(store, 1, "x", Audience::Private)]);
    for (value, number) in [("a", 3), ("B", 1), ("é", 2), ("Z\u{1F600}", 4), ("", 5)] {
        let claim = Claim { tenant: tenant(), kind: "isin".into(), value: format!("v{value}").into() };
        let _ = unit.claim(claim, stream("one"));
        let name =
            TimerName { tenant: if number == 3 { other_tenant() } else { tenant() }, name: format!("t{value}").into() };
        let due = Timestamp::from_micros(1_700_000_000_000_000 + number * 1_000_000);
        let _ = unit.set_timer(Timer { name, due, payload: Payload::of(&number).unwrap() });
        let row =
            vec![Parameter::Text(value.to_owned()), Parameter::Integer(number), Parameter::Bytes(vec![0, 255, 10])];
        let _ = unit.statement(statement("INSERT INTO notes (name, number, seal) VALUES ($1, $2, $3)", row));
    }
    for number in [7, -7, 7] {
        let _ = unit.statement(statement("INSERT INTO bare (number) VALUES ($1)", vec![Parameter::Integer(number)]));
    }
    let _ = unit.statement(statement("INSERT INTO bare (number) VALUES (NULL)", vec![]));
    let _ = store.append(unit).await.unwrap();
    let event = store.events_after(Position::START, 1).await.unwrap().remove(0);
    let at = Cursor { store: store.id(), position: event.header.position, hash: event.hash };
    let mut unit = UnitOfWork::new();
    let _ = unit.advance("c", None, at).advance("a consumer", None, Cursor::start(store.id()));
    let _ = store.append(unit).await.unwrap();
    park(store).await;
}

/// Something parked, and something skipped: an event that cannot be handled, and a person who decides.
async fn park(store: &Store) {
    let poison = |_: &messages::RecordedEvent| Err(journal::HandlerError::Poison { why: "'\u{1F600}".to_owned() });
    let consumer = std::sync::Arc::new(journal::Consumer::new("p", Feed::Own(store.clone()), store.clone(), poison));
    let task = consumer.start();
    let mut parked = Vec::new();
    // Each poll is one look at the database, which takes its time: the loop ends when all are parked.
    while parked.len() < 7 {
        parked = consumer.parked().await.unwrap();
        tokio::task::yield_now().await;
    }
    task.stop().await.unwrap();
    journal::consumer::skip(store, "p", parked[6].event.position, "ana", "it is of no use").await.unwrap();
}

/// Changes a byte of a file and writes it under another name.
fn flipped(bytes: &[u8], at: usize, to: &Path) {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 0x10;
    std::fs::write(to, bytes).unwrap();
}
