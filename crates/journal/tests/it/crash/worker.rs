//! A process under load that somebody will kill: it writes under keys, and says what it sends and what is done.
//!
//! It is this test program once more, told by its environment what to do. It reads from its input the keys that an earlier life
//! has not seen the end of, and sends them first. Lines of its output:
//!
//! ```text
//! sent KEY
//! done KEY POSITION
//! ```

use std::io::BufRead as _;
use std::sync::Arc;

use journal::store::{Durability, Migration, StateRows};
use journal::{
    AppendError, Audience, Cursor, DecideError, Decided, Decision, Expected, Parameter, Place, Refusal, Statement,
    Store, StoreConfig, Streams, UnitOfWork,
};
use messages::{CommandId, Position};
use tokio::task::JoinSet;

use crate::decide::counter::{self, Counted, Counter};

/// Names the worker, and what it works on.
pub(super) const TOLD: &str = "LASTRO_JOURNAL_WORKER";

/// The name of the test that is the worker.
pub(super) const TEST: &str = "crash::worker::a_worker_does_what_it_is_told";

pub(super) const CONSUMER: &str = "seen";

/// How many events each stream has, as state rows.
pub(super) const STATE_ROWS: &[StateRows] = &[StateRows { name: "state rows", migrations: MIGRATIONS }];

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, sql: "CREATE TABLE totals (stream TEXT NOT NULL PRIMARY KEY, events BIGINT NOT NULL)" }];

const CALLERS: usize = 12;

/// What a key asks for: its last digit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To be counted on the one stream that all callers go at.
    Hot,
    /// An event of the caller's own stream.
    Own,
    /// Events of two streams in one unit.
    Pair,
}

impl Wish {
    pub(super) fn of(key: &str) -> Self {
        match key.bytes().last() {
            Some(b'0'..=b'3') => Self::Hot,
            Some(b'4'..=b'6') => Self::Own,
            _ => Self::Pair,
        }
    }

    pub(super) const fn events(self) -> usize {
        match self {
            Self::Hot | Self::Own => 1,
            Self::Pair => 2,
        }
    }
}

pub(super) fn config(place: &Place) -> StoreConfig {
    StoreConfig { durability: Durability::Full, state_rows: STATE_ROWS, ..StoreConfig::at(place.clone()) }
}

/// The place as text for the environment, and back.
pub(super) fn place_text(place: &Place) -> String {
    match place {
        Place::Sqlite { path } => format!("sqlite {}", path.display()),
        Place::Postgres { url, schema } => format!("postgres {url} {schema}"),
    }
}

fn place(text: &str) -> Place {
    let parts: Vec<&str> = text.split(' ').collect();
    match parts[..] {
        ["sqlite", path] => Place::Sqlite { path: path.into() },
        ["postgres", url, schema] => Place::Postgres { url: url.to_owned(), schema: schema.to_owned() },
        _ => panic!("no place: {text}"),
    }
}

/// Not told anything, it is a test of the text that it is told with.
#[test]
fn a_worker_does_what_it_is_told() {
    let Ok(told) = std::env::var(TOLD) else {
        let stores = [
            Place::Sqlite { path: "/tmp/a.db".into() },
            Place::Postgres { url: "postgres://a@b/c".to_owned(), schema: "s".to_owned() },
        ];
        assert!(stores.iter().all(|store| place(&place_text(store)) == *store));
        return;
    };
    let (name, told) = told.split_once(' ').unwrap();
    let (until, told) = told.split_once(' ').unwrap();
    let open: Vec<String> = std::io::stdin().lock().lines().map(Result::unwrap).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work(name, &place(told), open, until == "repeated"));
}

/// Works until it is killed, or until what is open is done.
async fn work(name: &str, place: &Place, open: Vec<String>, only_open: bool) {
    let store = Store::open(&config(place)).await.unwrap();
    let streams = Arc::new(Streams::<Counter>::new(store.clone()));
    let consumer = tokio::spawn(consume(store.clone()));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mine: Vec<String> = open.iter().skip(caller).step_by(CALLERS).cloned().collect();
        let (name, store, streams) = (name.to_owned(), store.clone(), Arc::clone(&streams));
        let _ = callers.spawn(async move {
            for key in mine {
                bring_to_an_end(&store, &streams, &key).await;
            }
            for number in (0_u64..).take_while(|_| !only_open) {
                bring_to_an_end(&store, &streams, &format!("{name}-{caller}-{number}")).await;
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    consumer.abort();
    drop(consumer.await);
    while consume_page(&store).await != Ok(0) {}
    store.close().await;
}

async fn bring_to_an_end(store: &Store, streams: &Streams<Counter>, key: &str) {
    say(&format!("sent {key}"));
    let position = loop {
        if let Some(position) = send(store, streams, key).await {
            break position;
        }
    };
    say(&format!("done {key} {position}"));
}

#[expect(clippy::print_stdout, reason = "a worker's output is what its tests listen to")]
fn say(line: &str) {
    println!("{line}");
}

async fn send(store: &Store, streams: &Streams<Counter>, key: &str) -> Option<Position> {
    if Wish::of(key) != Wish::Hot {
        return appended(key, store.append(unit(store, key)).await.map(|appended| appended.position));
    }
    let command = counter::command(store, "hot", key);
    let decided = streams.decide(&command, |state| {
        let event = Counted { number: *state + 1, key: key.to_owned() };
        let mut decision = Decision::of(vec![(event, Audience::Published)]);
        let _ = decision.with.statement(one_more("hot"));
        Ok::<_, ()>(decision)
    });
    match decided.await {
        Ok(Decided::Done(appended)) => Some(appended.position),
        Ok(Decided::Repeated(record)) => Some(record.position),
        Err(DecideError::Append(error)) => appended(key, Err(error)),
        Err(DecideError::Busy { .. } | DecideError::Load { .. }) => None,
        Err(error) => panic!("{key}: {error:?}"),
    }
}

/// The place of what is written; nothing if it must be sent again.
fn appended(key: &str, result: Result<Position, AppendError>) -> Option<Position> {
    match result {
        Ok(position) => Some(position),
        Err(AppendError::Refused(Refusal::KeyRepeated { record })) => Some(record.position),
        Err(AppendError::Unknown { .. } | AppendError::Unavailable { .. }) => None,
        Err(error) => panic!("{key}: {error:?}"),
    }
}

fn unit(store: &Store, key: &str) -> UnitOfWork {
    let command = counter::new_command(store);
    let mut unit = UnitOfWork::new();
    let (own, _) = key.rsplit_once('-').unwrap();
    let streams = [format!("own/{own}"), "pair".to_owned()];
    for stream in &streams[..Wish::of(key).events()] {
        let event = counter::new_event(store, 0, key, Audience::Private);
        let _ = unit.append(&counter::cause(command), counter::stream(stream), Expected::Any, vec![event]);
        let _ = unit.statement(one_more(stream));
    }
    let _ = unit.use_key(counter::key_use(key, command));
    unit
}

fn one_more(stream: &str) -> Statement {
    Statement {
        sql: "INSERT INTO totals (stream, events) VALUES ($1, 1)
            ON CONFLICT (stream) DO UPDATE SET events = totals.events + 1",
        parameters: vec![Parameter::Text(stream.to_owned())],
        rows_expected: Some(1),
    }
}

/// Reacts to what is published, beside the same consumer in other processes.
async fn consume(store: Store) {
    let mut committed = store.committed();
    loop {
        if consume_page(&store).await == Ok(0) {
            drop(committed.changed().await);
        }
    }
}

/// How many events were reacted to; an error if another process was faster, or the store is away.
async fn consume_page(store: &Store) -> Result<usize, ()> {
    let mut from = store.cursor(CONSUMER).await.map_err(drop)?;
    let after = from.map_or(Position::START, |cursor| cursor.position);
    let page = store.published_after(after, 50).await.map_err(drop)?;
    for event in &page {
        let to = Cursor { store: store.id(), position: event.header.position, hash: event.hash };
        let seen = counter::new_event(store, event.header.position.number(), "seen", Audience::Private);
        let command = CommandId::new(store.event_id().uuid());
        let mut unit = UnitOfWork::new();
        let _ = unit
            .append(&counter::cause(command), counter::stream("seen"), Expected::Any, vec![seen])
            .statement(one_more("seen"))
            .advance(CONSUMER, from, to);
        drop(store.append(unit).await.map_err(drop)?);
        from = Some(to);
    }
    Ok(page.len())
}
