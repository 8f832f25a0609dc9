//! Groups against a naive database: maps to which rows are applied.

use std::collections::HashMap;
use std::time::Duration;

use messages::{Actor, CommandId, EventType, Fingerprint, Payload, StoreId, StreamName, TenantId};
use proptest::prelude::*;

use super::*;
use crate::entropy::Entropy;
use crate::key::{KeyChange, KeyRecord, KeyScope, KeyState, KeyUse};
use crate::unit::{Cause, Claim, Timer, TimerName};

/// A database of maps.
#[derive(Clone)]
struct Database {
    head: Head,
    newest: HashMap<StreamKey, Newest>,
    keys: HashMap<KeyScope, KeyRecord>,
    claims: HashMap<Claim, StreamName>,
    timers: HashMap<TimerName, Timer>,
    cursors: HashMap<Box<str>, Cursor>,
    log: Vec<RecordedEvent>,
}

fn store() -> StoreId {
    StoreId::from_bytes([7; 16])
}

impl Database {
    fn new() -> Self {
        let start = chain::start(store());
        let (position, recorded) = (Position::START, Timestamp::from_micros(1_000));
        Self {
            head: Head { store: store(), position, hash: start, recorded, published: position },
            newest: HashMap::new(),
            keys: HashMap::new(),
            claims: HashMap::new(),
            timers: HashMap::new(),
            cursors: HashMap::new(),
            log: Vec::new(),
        }
    }

    fn found(&self) -> Found {
        Found {
            newest: self.newest.clone(),
            keys: self.keys.clone(),
            claims: self.claims.clone(),
            timers: self.timers.iter().map(|(name, timer)| (name.clone(), timer.due)).collect(),
            cursors: self.cursors.clone(),
        }
    }

    /// Runs the units as one group; gives each unit's answer.
    fn run(&mut self, units: &[UnitOfWork]) -> Vec<Result<Appended, Refusal>> {
        let now = self.head.recorded.after(Duration::from_micros(5));
        let mut admission = Admission::new(self.head, self.found(), now);
        let answers = units.iter().enumerate().map(|(index, unit)| admission.admit(index, &sealed(unit))).collect();
        let (rows, head, _) = admission.finish();
        self.apply(rows);
        self.head = head;
        answers
    }

    fn apply(&mut self, rows: Rows) {
        for event in rows.events {
            let key = StreamKey::new(event.metadata.tenant.clone(), event.metadata.stream.clone());
            let newest = Newest { version: event.metadata.stream_version, event: event.header.event };
            let _ = self.newest.insert(key, newest);
            self.log.push(event);
        }
        for scope in rows.keys_removed {
            assert!(self.keys.remove(&scope).is_some(), "a removed key was not there");
        }
        for changed in rows.keys_changed {
            // What the statement on rows that were there writes, and no more.
            let record = self.keys.get_mut(&changed.scope).expect("a changed key was not there");
            (record.state, record.changed, record.answer) = (changed.state, changed.changed, changed.answer);
        }
        for record in rows.keys_new {
            assert!(self.keys.insert(record.scope.clone(), record).is_none(), "a new key was there");
        }
        for claim in rows.claims_removed {
            assert!(self.claims.remove(&claim).is_some(), "a removed claim was not there");
        }
        for (claim, stream) in rows.claims_new {
            assert!(self.claims.insert(claim, stream).is_none(), "a new claim was there");
        }
        for timer in rows.timers_new {
            assert!(self.timers.insert(timer.name.clone(), timer).is_none(), "a new timer was there");
        }
        for timer in rows.timers_changed {
            assert!(self.timers.insert(timer.name.clone(), timer).is_some(), "a changed timer was not there");
        }
        for name in rows.timers_removed {
            assert!(self.timers.remove(&name).is_some(), "a removed timer was not there");
        }
        self.cursors.extend(rows.cursors);
    }

    /// The chain holds, positions have no gap, versions neither, published events name their predecessors.
    fn check(&self) {
        let (mut hash, mut published) = (chain::start(store()), Position::START);
        let mut versions: HashMap<StreamName, u64> = HashMap::new();
        for (index, event) in self.log.iter().enumerate() {
            assert_eq!(event.header.position.number(), index as u64 + 1);
            assert_eq!(event.hash, event.hash_after(hash));
            hash = event.hash;
            if let Visibility::Published { previous } = event.header.visibility {
                assert_eq!(previous, published);
                published = event.header.position;
            }
            let version = versions.entry(event.metadata.stream.clone()).or_default();
            *version += 1;
            assert_eq!(event.metadata.stream_version.number(), *version);
        }
        assert_eq!((self.head.hash, self.head.published), (hash, published));
    }
}

/// The unit as it is submitted. Its salts depend on nothing but itself.
fn sealed(unit: &UnitOfWork) -> UnitOfWork {
    let mut unit = unit.clone();
    unit.seal(&Entropy::seeded(1));
    unit
}

fn tenant() -> TenantId {
    TenantId::parse("bank").unwrap()
}

fn stream(number: u8) -> StreamName {
    StreamName::parse(&format!("asset/{number}")).unwrap()
}

fn cause() -> Cause {
    Cause {
        tenant: tenant(),
        actor: Actor::new("ana", "app", None).unwrap(),
        command: CommandId::from_bytes([1; 16]),
        correlation: CommandId::from_bytes([1; 16]),
        causation: None,
        trace_parent: None,
    }
}

fn event(id: u8, audience: Audience) -> NewEvent {
    NewEvent {
        id: EventId::from_bytes([id; 16]),
        event_type: EventType::of("test.happened"),
        type_version: 1,
        payload: Payload::of(&id).unwrap(),
        audience,
    }
}

fn scope(number: u8) -> KeyScope {
    KeyScope::new(tenant(), "app", &format!("k{number}")).unwrap()
}

fn key(number: u8, body: u8, state: KeyState) -> KeyUse {
    KeyUse {
        scope: scope(number),
        fingerprint: Fingerprint::from_bytes([body; 32]),
        command: CommandId::from_bytes([number; 16]),
        state,
        location: "/v1/x".into(),
        answer: None,
    }
}

fn claim(number: u8) -> Claim {
    Claim { tenant: tenant(), kind: "isin".into(), value: format!("v{number}").into() }
}

fn timer_name(number: u8) -> TimerName {
    TimerName { tenant: tenant(), name: format!("t{number}").into() }
}

fn due(number: u8) -> Timestamp {
    Timestamp::from_micros(i64::from(number))
}

fn cursor(number: u8) -> Cursor {
    Cursor { store: store(), position: Position::new(u64::from(number)), hash: chain::start(store()) }
}

/// One thing that a unit does, from three numbers of a small range. Every change of a key is among them.
fn step(unit: &mut UnitOfWork, kind: u8, a: u8, b: u8) {
    let audience = if b.is_multiple_of(2) { Audience::Private } else { Audience::Published };
    let events = vec![event(a.wrapping_mul(16).wrapping_add(b), audience)];
    let _ = match kind % 11 {
        0 => unit.append(&cause(), stream(a), Expected::Any, events),
        1 => unit.append(&cause(), stream(a), Expected::Version(StreamVersion::new(u64::from(b))), events),
        2 => unit.use_key(key(a, b % 2, KeyState::Accepted)),
        3 => {
            let change = [KeyChange::Act, KeyChange::Finish(None), KeyChange::Refuse(None), KeyChange::Release];
            unit.change_key(scope(a), change[usize::from(b % 4)].clone())
        }
        4 => unit.claim(claim(a), stream(b)),
        5 => unit.release_claim(claim(a), stream(b)),
        6 => unit.set_timer(Timer { name: timer_name(a), due: due(b), payload: Payload::of(&b).unwrap() }),
        7 => unit.cancel_timer(timer_name(a)),
        8 => unit.fire_timer(timer_name(a), due(b)),
        9 => unit.advance("views", (a > 0).then(|| cursor(a)), cursor(b)),
        _ => unit.confirm(tenant(), stream(a), Expected::Version(StreamVersion::new(u64::from(b)))),
    };
}

fn units() -> impl Strategy<Value = Vec<UnitOfWork>> {
    let one = prop::collection::vec((0..11_u8, 0..3_u8, 0..4_u8), 0..4).prop_map(|steps| {
        let mut unit = UnitOfWork::new();
        for (kind, a, b) in steps {
            step(&mut unit, kind, a, b);
        }
        unit
    });
    prop::collection::vec(one, 0..24)
}

fn is_same(one: &Database, other: &Database) -> bool {
    one.log == other.log
        && one.keys == other.keys
        && one.claims == other.claims
        && one.timers == other.timers
        && one.cursors == other.cursors
        && one.head == other.head
}

proptest! {
    #[test]
    fn a_refused_unit_leaves_no_trace(units in units()) {
        let (mut with, mut without) = (Database::new(), Database::new());
        let answers = with.run(&units);
        with.check();
        let admitted: Vec<_> =
            units.into_iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(unit, _)| unit).collect();
        let again = without.run(&admitted);
        prop_assert_eq!(again, answers.into_iter().filter(Result::is_ok).collect::<Vec<_>>());
        prop_assert!(is_same(&with, &without));
    }

    #[test]
    fn where_a_group_ends_makes_no_difference(units in units(), cut in 0..24_usize) {
        let (mut whole, mut halves) = (Database::new(), Database::new());
        let answers: Vec<_> = whole.run(&units).into_iter().map(|a| a.map(|a| a.versions)).collect();
        let (front, back) = units.split_at(cut.min(units.len()));
        let mut in_two = halves.run(front);
        in_two.extend(halves.run(back));
        halves.check();
        // Times differ, and with them hashes; what was admitted and what stands does not.
        prop_assert_eq!(in_two.into_iter().map(|a| a.map(|a| a.versions)).map(strip).collect::<Vec<_>>(),
            answers.into_iter().map(strip).collect::<Vec<_>>());
        prop_assert_eq!(&whole.claims, &halves.claims);
        prop_assert_eq!(&whole.timers, &halves.timers);
        prop_assert_eq!(&whole.cursors, &halves.cursors);
        // Of a key everything but the times, which differ.
        let keys = |database: &Database| -> std::collections::BTreeMap<KeyScope, KeyRecord> {
            let timeless = |record: &KeyRecord| KeyRecord { changed: Timestamp::from_micros(0), ..record.clone() };
            database.keys.iter().map(|(scope, record)| (scope.clone(), timeless(record))).collect()
        };
        prop_assert_eq!(keys(&whole), keys(&halves));
    }
}

/// The refusal without the times that its record may carry.
fn strip(answer: Result<Vec<StreamVersion>, Refusal>) -> Result<Vec<StreamVersion>, std::mem::Discriminant<Refusal>> {
    answer.map_err(|refusal| std::mem::discriminant(&refusal))
}

fn refusal(build: impl FnOnce(&mut UnitOfWork)) -> Refusal {
    let mut database = Database::new();
    let mut first = UnitOfWork::new();
    let _ = first
        .append(&cause(), stream(1), Expected::Any, vec![event(1, Audience::Private)])
        .use_key(key(1, 1, KeyState::Done))
        .claim(claim(1), stream(1))
        .set_timer(Timer { name: timer_name(1), due: due(9), payload: Payload::of(&1).unwrap() })
        .advance("views", None, cursor(1));
    let mut second = UnitOfWork::new();
    build(&mut second);
    let answers = database.run(&[first, second]);
    assert!(answers[0].is_ok());
    answers[1].clone().unwrap_err()
}

#[test]
fn a_key_released_and_used_again_in_one_group_is_that_of_its_new_request() {
    let mut database = Database::new();
    let mut first = UnitOfWork::new();
    let _ = first.use_key(key(1, 1, KeyState::Accepted));
    assert!(database.run(&[first])[0].is_ok());
    let (mut release, mut again) = (UnitOfWork::new(), UnitOfWork::new());
    let _ = release.change_key(scope(1), KeyChange::Release);
    let other = KeyUse { location: "/v1/y".into(), ..key(1, 2, KeyState::Accepted) };
    let _ = again.use_key(other.clone());
    assert!(database.run(&[release, again]).iter().all(Result::is_ok));
    let record = &database.keys[&scope(1)];
    assert_eq!((record.fingerprint, &record.location), (other.fingerprint, &other.location));
}

#[test]
fn every_refusal_names_what_stands_in_the_way() {
    let text = |build: &dyn Fn(&mut UnitOfWork)| refusal(|unit| build(unit)).to_string();
    let version = |number| Expected::Version(StreamVersion::new(number));
    assert_eq!(
        text(&|unit| drop(unit.append(&cause(), stream(1), version(0), vec![event(2, Audience::Private)]).clone())),
        "stream `asset/1` has version 1, or other events up to it, not the version 0 that was decided on"
    );
    let other = Expected::After(StreamVersion::new(1), EventId::from_bytes([9; 16]));
    assert!(text(&|unit| drop(unit.confirm(tenant(), stream(1), other).clone())).contains("other events up to it"));
    assert_eq!(
        text(&|unit| drop(unit.use_key(key(1, 1, KeyState::Done)).clone())),
        "idempotency key `k1` was used before by the same request"
    );
    assert_eq!(
        text(&|unit| drop(unit.use_key(key(1, 2, KeyState::Done)).clone())),
        "idempotency key `k1` was used before by a request with another body or path"
    );
    assert_eq!(
        text(&|unit| drop(unit.change_key(scope(1), KeyChange::Release).clone())),
        "idempotency key `k1` is done, which the change does not allow"
    );
    assert_eq!(
        text(&|unit| drop(unit.change_key(scope(2), KeyChange::Act).clone())),
        "idempotency key `k2` is free, which the change does not allow"
    );
    assert_eq!(text(&|unit| drop(unit.claim(claim(1), stream(2)).clone())), "isin `v1` belongs to stream `asset/1`");
    assert_eq!(
        text(&|unit| drop(unit.release_claim(claim(1), stream(2)).clone())),
        "isin `v1` does not belong to stream `asset/2`"
    );
    assert_eq!(
        text(&|unit| drop(unit.fire_timer(timer_name(1), due(8)).clone())),
        "timer `t1` is not there with the due time 8 µs"
    );
    assert_eq!(
        text(&|unit| drop(unit.advance("views", None, cursor(2)).clone())),
        "consumer `views` stands elsewhere than was thought"
    );
}

#[test]
fn what_was_decided_after_an_event_is_refused_when_another_took_its_place() {
    let mut database = Database::new();
    let mut foreign = UnitOfWork::new();
    let _ = foreign.append(&cause(), stream(1), Expected::Any, vec![event(1, Audience::Private)]);
    let mut mine = UnitOfWork::new();
    let expected = Expected::After(StreamVersion::new(1), EventId::from_bytes([2; 16]));
    let _ = mine.append(&cause(), stream(1), expected, vec![event(3, Audience::Private)]);
    let answers = database.run(&[foreign, mine]);
    assert!(matches!(answers[1], Err(Refusal::VersionConflict { .. })), "{:?}", answers[1]);
}

#[test]
fn time_never_runs_backwards_in_the_log() {
    let mut database = Database::new();
    let mut unit = UnitOfWork::new();
    let _ = unit.append(&cause(), stream(1), Expected::Any, vec![event(1, Audience::Published)]);
    let mut admission = Admission::new(database.head, database.found(), Timestamp::from_micros(-5));
    let appended = admission.admit(0, &sealed(&unit)).unwrap();
    assert_eq!(appended.recorded, database.head.recorded);
    database.apply(admission.finish().0);
    assert_eq!(database.log[0].header.recorded, Timestamp::from_micros(1_000));
}
