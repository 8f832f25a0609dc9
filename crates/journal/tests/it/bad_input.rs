//! Input that is too large or is not what it says: refused with the limit's name and value, and nothing is written.

use insta::assert_snapshot;
use journal::key::{ANSWER_BYTES_MAX, KEY_BYTES_MAX, LOCATION_BYTES_MAX};
use journal::limits::{UNIT_BYTES_MAX, UNIT_EVENTS_MAX, UNIT_ROWS_MAX, UNIT_STATEMENTS_MAX};
use journal::store::Durability;
use journal::{
    Audience, Claim, Expected, KeyChange, KeyScope, KeyUse, NewEvent, Parameter, Place, Statement, Store, StoreConfig,
    Timer, TimerName, UnitOfWork,
};
use messages::{Payload, Position, StreamName, Timestamp};

use crate::decide::counter;

struct Ground {
    store: Store,
    _folder: tempfile::TempDir,
}

impl Ground {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite { path: folder.path().join("bad.db") };
        let config = StoreConfig { durability: Durability::ProcessOnly, ..StoreConfig::at(place) };
        Self { store: Store::open(&config).await.unwrap(), _folder: folder }
    }

    fn event(&self, text: &str) -> NewEvent {
        let event = counter::new_event(&self.store, 1, "k", Audience::Private);
        NewEvent { payload: Payload::of(&text).unwrap(), ..event }
    }

    /// A unit that is right, with one event and a key.
    fn unit(&self) -> UnitOfWork {
        let command = counter::new_command(&self.store);
        let mut unit = UnitOfWork::new();
        let events = vec![self.event("x")];
        let _ = unit.append(&counter::cause(command), counter::stream("s"), Expected::Any, events);
        let _ = unit.use_key(counter::key_use("k", command));
        unit
    }

    /// The error of a unit with something bad in it. Nothing of the unit is written.
    async fn refusal(&self, spoil: impl FnOnce(&mut UnitOfWork)) -> String {
        let mut unit = self.unit();
        spoil(&mut unit);
        let error = self.store.append(unit).await.unwrap_err().to_string();
        assert_eq!(self.store.head().await.unwrap().position, Position::START, "something was written");
        assert_eq!(self.store.key(&counter::scope("k")).await.unwrap(), None, "the key was burned");
        error
    }
}

fn cause() -> journal::Cause {
    counter::cause(messages::CommandId::from_bytes([1; 16]))
}

fn timer(name: &str) -> Timer {
    let name = TimerName { tenant: counter::tenant(), name: name.into() };
    Timer { name, due: Timestamp::from_micros(1), payload: Payload::of(&1).unwrap() }
}

fn claim(kind: &str, value: &str) -> Claim {
    Claim { tenant: counter::tenant(), kind: kind.into(), value: value.into() }
}

#[test]
fn what_does_not_parse_says_its_limit() {
    assert_snapshot!(Payload::of(&"x".repeat(70_000)).unwrap_err(), @"a payload of 70002 bytes is longer than 65536");
    let key = KeyScope::new(counter::tenant(), "app", &"k".repeat(10_240)).unwrap_err();
    assert_snapshot!(key, @"idempotency key has 10240 bytes, more than 255");
    let name = StreamName::parse("account/\u{0}1").unwrap_err();
    assert_snapshot!(name, @r"stream name has the character '\0' at byte 8; allowed are letters, digits and `-_./:`");
    let number = Payload::parse(br#"{"amount":9007199254740993}"#.as_slice()).unwrap_err().to_string();
    let (number, _place) = number.split_once(" at line").unwrap();
    assert_snapshot!(number, @"a payload is no exact JSON: the number 9007199254740993 is beyond 9007199254740991, which not every reader holds exactly; write it as a string");
}

#[tokio::test]
async fn a_unit_with_too_many_of_something_says_of_what() {
    let ground = Ground::new().await;
    let append = |unit: &mut UnitOfWork, events| {
        let _ = unit.append(&cause(), counter::stream("t"), Expected::Any, events);
    };
    let many = (0..UNIT_EVENTS_MAX).map(|_| ground.event("x")).collect();
    assert_snapshot!(ground.refusal(|unit| append(unit, many)).await, @"a unit of work with 1001 events has more than 1000");
    // 64 KiB each, quotes included, with 300 bytes of metadata each; and the event that the unit has already.
    let large = (0..64).map(|_| ground.event(&"x".repeat(Payload::BYTES_MAX - 2))).collect();
    assert_snapshot!(ground.refusal(|unit| append(unit, large)).await, @"a unit of work with 4213807 bytes has more than 4194304");
    assert_snapshot!(ground.refusal(|unit| append(unit, Vec::new())).await, @"an append to stream `t` has no events");
    let statement = Statement { sql: "DELETE FROM nowhere", parameters: Vec::new(), rows_expected: None };
    let statements = |unit: &mut UnitOfWork| {
        for _ in 0..=UNIT_STATEMENTS_MAX {
            let _ = unit.statement(statement.clone());
        }
    };
    assert_snapshot!(ground.refusal(statements).await, @"a unit of work with 257 statements has more than 256");
    let timers = |unit: &mut UnitOfWork| {
        for number in 0..=UNIT_ROWS_MAX {
            let _ = unit.set_timer(timer(&number.to_string()));
        }
    };
    assert_snapshot!(ground.refusal(timers).await, @"a unit of work with 1001 keys, claims, timers, cursors and confirmed streams has more than 1000");
    let confirmed = |unit: &mut UnitOfWork| {
        for _ in 0..=UNIT_ROWS_MAX {
            let _ = unit.confirm(counter::tenant(), counter::stream("s"), Expected::Any);
        }
    };
    assert_snapshot!(ground.refusal(confirmed).await, @"a unit of work with 1001 keys, claims, timers, cursors and confirmed streams has more than 1000");
}

#[tokio::test]
async fn bytes_count_wherever_they_stand_in_a_unit() {
    let ground = Ground::new().await;
    let payload = Payload::of(&"x".repeat(Payload::BYTES_MAX - 2)).unwrap();
    let timers = |unit: &mut UnitOfWork| {
        for number in 0..64 {
            let _ = unit.set_timer(Timer { payload: payload.clone(), ..timer(&number.to_string()) });
        }
    };
    assert_snapshot!(ground.refusal(timers).await, @"a unit of work with 4194607 bytes has more than 4194304");
    let answers = |unit: &mut UnitOfWork| {
        for _ in 0..256 {
            let change = KeyChange::Finish(Some(vec![0; ANSWER_BYTES_MAX].into()));
            let _ = unit.change_key(counter::scope("other"), change);
        }
    };
    assert_snapshot!(ground.refusal(answers).await, @"a unit of work with 4194607 bytes has more than 4194304");
    let parameters = vec![Parameter::Bytes(vec![0; UNIT_BYTES_MAX])];
    let statement = Statement { sql: "DELETE FROM nowhere WHERE x = $1", parameters, rows_expected: None };
    let statement = ground.refusal(|unit| drop(unit.statement(statement).clone())).await;
    assert_snapshot!(statement, @"a unit of work with 4194607 bytes has more than 4194304");
}

#[tokio::test]
async fn a_name_that_not_every_store_can_hold_is_refused_before_it_reaches_one() {
    let ground = Ground::new().await;
    let claim_of = |kind: &'static str, value: &'static str| {
        move |unit: &mut UnitOfWork| {
            let _ = unit.claim(claim(kind, value), counter::stream("s"));
        }
    };
    assert_snapshot!(ground.refusal(claim_of("is\u{0}in", "1")).await, @"kind of claim has a control character");
    assert_snapshot!(ground.refusal(claim_of("isin", "")).await, @"claimed value is empty");
    assert_snapshot!(ground.refusal(|unit| drop(unit.set_timer(timer("t\n")).clone())).await, @"timer name has a control character");
    let start = journal::Cursor::start(ground.store.id());
    assert_snapshot!(ground.refusal(|unit| drop(unit.advance("\u{0}", None, start).clone())).await, @"consumer name has a control character");
    let key =
        KeyUse { location: "/v1/\u{0}".into(), ..counter::key_use("k", messages::CommandId::from_bytes([1; 16])) };
    assert_snapshot!(ground.refusal(|unit| drop(unit.use_key(key).clone())).await, @"location has a control character");
}

#[tokio::test]
async fn a_unit_with_something_too_long_says_what_it_is() {
    let ground = Ground::new().await;
    let long = "x".repeat(KEY_BYTES_MAX + 1);
    let key = |unit: &mut UnitOfWork, location: usize, answer: usize| {
        let mut key = counter::key_use("k", messages::CommandId::from_bytes([1; 16]));
        key.location = "x".repeat(location).into();
        key.answer = Some(vec![0; answer].into());
        let _ = unit.use_key(key);
    };
    assert_snapshot!(ground.refusal(|unit| key(unit, LOCATION_BYTES_MAX + 1, 0)).await, @"location has 501 bytes, more than 500");
    assert_snapshot!(ground.refusal(|unit| key(unit, 1, ANSWER_BYTES_MAX + 1)).await, @"answer has 16385 bytes, more than 16384");
    let kind = ground
        .refusal(|unit| {
            let _ = unit.claim(claim(&long, "1"), counter::stream("s"));
        })
        .await;
    assert_snapshot!(kind, @"kind of claim has 256 bytes, more than 255");
    let value = ground
        .refusal(|unit| {
            let _ = unit.claim(claim("isin", &long), counter::stream("s"));
        })
        .await;
    assert_snapshot!(value, @"claimed value has 256 bytes, more than 255");
    let name = ground
        .refusal(|unit| {
            let _ = unit.set_timer(timer(&long));
        })
        .await;
    assert_snapshot!(name, @"timer name has 256 bytes, more than 255");
    let start = journal::Cursor::start(ground.store.id());
    let consumer = ground
        .refusal(|unit| {
            let _ = unit.advance(&long, None, start);
        })
        .await;
    assert_snapshot!(consumer, @"consumer name has 256 bytes, more than 255");
    let traced = journal::Cause { trace_parent: Some("0".repeat(129).into()), ..cause() };
    let events = vec![ground.event("x")];
    let trace = ground
        .refusal(|unit| {
            let _ = unit.append(&traced, counter::stream("t"), Expected::Any, events);
        })
        .await;
    assert_snapshot!(trace, @"trace parent has 129 bytes, more than 128");
}

#[tokio::test]
async fn what_is_exactly_at_its_limit_is_written() {
    let ground = Ground::new().await;
    let (longest, command) = ("x".repeat(KEY_BYTES_MAX), messages::CommandId::from_bytes([1; 16]));
    let mut unit = UnitOfWork::new();
    let mut key = counter::key_use(&longest, command);
    key.location = "x".repeat(LOCATION_BYTES_MAX).into();
    key.answer = Some(vec![7; ANSWER_BYTES_MAX].into());
    let mut events: Vec<NewEvent> = (1..UNIT_EVENTS_MAX).map(|_| ground.event("x")).collect();
    events.push(ground.event(&"x".repeat(Payload::BYTES_MAX - 2)));
    let name = counter::stream(&"x".repeat(StreamName::BYTES_MAX));
    let _ = unit.append(&cause(), name, Expected::Any, events).use_key(key.clone());
    let _ = unit.claim(claim(&longest, &longest), counter::stream("s")).set_timer(timer(&longest));
    assert_eq!(ground.store.append(unit).await.unwrap().events, UNIT_EVENTS_MAX as u64);
    let record = ground.store.key(&counter::scope(&longest)).await.unwrap().unwrap();
    assert_eq!((record.location, record.answer), (key.location, key.answer));
    assert_eq!(ground.store.timers_due(Timestamp::from_micros(1), 9).await.unwrap(), [timer(&longest)]);
}
