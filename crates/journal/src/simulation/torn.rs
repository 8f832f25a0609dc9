//! SQLite's files as a loss of power leaves them: the write-ahead log cut, changed or followed by rubbish at any byte; and a disk
//! that is full.

use std::path::{Path, PathBuf};

use messages::{Payload, Position};

use super::bank::{self, BankEvent, Kind, Order, Wish};
use super::check::check_chain;
use super::random::Random;
use crate::appender::AppendError;
use crate::entropy::Entropy;
use crate::store::{Durability, Place, Store, StoreConfig};
use crate::unit::{Audience, Expected, Statement, UnitOfWork};

/// How many files are torn.
const SEEDS: u64 = 150;

/// A unit that was answered: its order, the place of its last event, and how long the write-ahead log was then.
struct Answered {
    order: Order,
    position: Position,
    wal_bytes: u64,
}

async fn open(path: &Path, seed: u64) -> Store {
    let config = StoreConfig {
        entropy: Entropy::seeded(seed),
        durability: Durability::ProcessOnly,
        state_rows: bank::STATE_ROWS,
        ..StoreConfig::at(Place::Sqlite { path: path.to_owned() })
    };
    Store::open(&config).await.unwrap()
}

fn beside(path: &Path, end: &str) -> PathBuf {
    PathBuf::from(format!("{}{end}", path.display()))
}

fn unit(store: &Store, order: &Order, events: u64) -> UnitOfWork {
    let command = store.entropy().command_id(store.clock().now());
    let events =
        (0..events).map(|_| BankEvent { kind: Kind::Deposited, order: order.number, amount: 1 }.appended(store));
    let mut unit = UnitOfWork::new();
    let stream = bank::stream(order.number % 3);
    let _ = unit.append(&bank::cause(command), stream, Expected::Any, events.collect()).use_key(order.key(command, 0));
    unit
}

/// Writes some units, one group each, and gives what was answered.
async fn write(path: &Path, random: &mut Random) -> Vec<Answered> {
    let mut answered = Vec::new();
    let lives = 1 + random.below(2);
    for life in 0..lives {
        let store = open(path, random.next()).await;
        for _ in 0..1 + random.below(12) {
            let number = answered.len() as u64;
            let order = Order { number, wish: Wish::Deposit { account: 0, amount: 1 }, flaw: None };
            let position = store.append(unit(&store, &order, 1 + random.below(3))).await.unwrap().position;
            let wal_bytes = std::fs::metadata(beside(path, "-wal")).unwrap().len();
            answered.push(Answered { order, position, wal_bytes });
        }
        if life + 1 < lives {
            // What is closed in order is brought into the file, and the write-ahead log begins anew.
            store.close().await;
            for answered in &mut answered {
                answered.wal_bytes = 0;
            }
        } else {
            // Its files are looked at as they are; nothing of it is at work.
            let _ = std::fs::copy(path, beside(path, ".copy")).unwrap();
            let _ = std::fs::copy(beside(path, "-wal"), beside(path, ".copy-wal")).unwrap();
            store.close().await;
        }
    }
    answered
}

/// Harms the copy's write-ahead log and gives up to which byte it is whole.
fn tear(wal: &Path, random: &mut Random) -> u64 {
    let mut bytes = std::fs::read(wal).unwrap();
    let place = random.below(bytes.len() as u64);
    let index = usize::try_from(place).unwrap();
    let whole = match random.below(3) {
        0 => {
            bytes.truncate(index);
            place
        }
        1 => {
            bytes[index] ^= 1 << random.below(8);
            place
        }
        _ => {
            let length = bytes.len() as u64;
            bytes.extend((0..1 + random.below(9_000)).map(|_| random.next().to_le_bytes()[0]));
            length
        }
    };
    std::fs::write(wal, bytes).unwrap();
    whole
}

async fn play(seed: u64, folder: &Path) -> Result<(), String> {
    let mut random = Random::new(seed);
    let path = folder.join(format!("{seed}.db"));
    let answered = write(&path, &mut random).await;
    let copy = beside(&path, ".copy");
    let whole = tear(&beside(&copy, "-wal"), &mut random);
    let expected =
        answered.iter().filter(|answered| answered.wal_bytes <= whole).map(|answered| answered.position).max();
    let store = open(&copy, random.next()).await;
    let log = store.events_after(Position::START, 1_000).await.map_err(|error| format!("{error:?}"))?;
    check_chain(&store, log.iter()).await?;
    let end = log.last().map(|event| event.header.position);
    if end != expected {
        return Err(format!("whole up to byte {whole}, the log ends at {end:?} and not at {expected:?}"));
    }
    for Answered { order, position, .. } in &answered {
        let key = store.key(&order.scope()).await.map_err(|error| format!("{error:?}"))?;
        if key.is_some() != (Some(*position) <= expected) {
            return Err(format!("the unit that ends at {position} is torn, the log ends at {expected:?}: {key:?}"));
        }
    }
    let next = Order { number: 1_000, wish: Wish::Deposit { account: 0, amount: 1 }, flaw: None };
    let appended = store.append(unit(&store, &next, 1)).await.map_err(|error| format!("{error:?}"))?;
    store.close().await;
    if appended.position == end.unwrap_or_default().next() {
        Ok(())
    } else {
        Err(format!("{appended:?} after {end:?}"))
    }
}

#[tokio::test]
async fn a_torn_file_holds_the_whole_groups_before_the_tear_and_nothing_else() {
    let folder = super::folder();
    for seed in 0..SEEDS {
        let result = play(seed, folder.path()).await;
        assert!(result.is_ok(), "seed {seed}: {result:?}");
    }
}

fn set_limit(sql: &'static str) -> UnitOfWork {
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(Statement { sql, parameters: Vec::new(), rows_expected: None });
    unit
}

#[tokio::test]
async fn a_full_disk_refuses_what_has_no_room_and_loses_nothing() {
    let folder = super::folder();
    let store = open(&folder.path().join("full.db"), 1).await;
    // The file may not grow beyond what it has: a full disk, as the database sees it.
    let _ = store.append(set_limit("PRAGMA max_page_count = 1")).await.unwrap();
    let large = |number: u64| {
        let order = Order { number, wish: Wish::Deposit { account: 0, amount: 1 }, flaw: None };
        let mut unit = unit(&store, &order, 1);
        let mut event = BankEvent { kind: Kind::Noted, order: number, amount: 0 }.appended(&store);
        event.payload = Payload::of(&"x".repeat(20_000)).unwrap();
        event.audience = Audience::Private;
        let command = store.entropy().command_id(store.clock().now());
        let _ = unit.append(&bank::cause(command), bank::stream(9), Expected::Any, vec![event]);
        unit
    };
    let (mut last, mut number) = (Position::START, 0);
    let refused = loop {
        match store.append(large(number)).await {
            Ok(appended) => last = appended.position,
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 1_000, "the disk never was full");
    };
    assert!(matches!(refused, AppendError::Store { .. }), "{refused:?}");
    let log = store.events_after(Position::START, 4_000).await.unwrap();
    check_chain(&store, log.iter()).await.unwrap();
    assert_eq!(store.head().await.unwrap().position, last);
    // There is room again, and the same unit goes through.
    let _ = store.append(set_limit("PRAGMA max_page_count = 1000000")).await.unwrap();
    let appended = store.append(large(number)).await.unwrap();
    assert_eq!(appended.position.number(), last.number() + 2);
    store.close().await;
}
