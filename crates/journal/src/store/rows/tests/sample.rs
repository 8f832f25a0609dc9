//! Rows to write: events with a right chain, keys, claims, timers.

use messages::header::Visibility;
use messages::{
    Actor, CommandId, EventId, EventType, Fingerprint, Header, Metadata, Payload, RecordedEvent, StreamName,
    StreamVersion, TenantId, Timestamp,
};

use super::stand::{BEGINNING, commit};
use crate::key::{KeyRecord, KeyScope, KeyState};
use crate::store::{Backend, Head, Rows, StreamKey};
use crate::unit::{Audience, Claim, Timer, TimerName};

pub(super) fn tenant() -> TenantId {
    TenantId::parse("bank_a").unwrap()
}

pub(super) fn stream(name: &str) -> StreamKey {
    StreamKey::new(tenant(), StreamName::parse(name).unwrap())
}

/// The event after the head, which moves on.
pub(super) fn event(head: &mut Head, name: &str, version: u64, audience: Audience) -> RecordedEvent {
    let position = head.position.next();
    let number = u8::try_from(position.number() % 256).unwrap();
    let metadata = Metadata {
        tenant: tenant(),
        stream: StreamName::parse(name).unwrap(),
        stream_version: StreamVersion::new(version),
        event_type: EventType::of("test.happened"),
        type_version: 1,
        actor: Actor::new("maria", "web", None).unwrap(),
        command: CommandId::from_bytes([number; 16]),
        correlation: CommandId::from_bytes([number; 16]),
        causation: None,
        trace_parent: None,
    };
    let visibility = match audience {
        Audience::Private => Visibility::Private,
        Audience::Published => Visibility::Published { previous: std::mem::replace(&mut head.published, position) },
    };
    let mut id = [number; 16];
    id[..8].copy_from_slice(&position.number().to_be_bytes());
    let recorded = Timestamp::from_micros(head.recorded.micros() + 1);
    let header = Header { store: head.store, position, event: EventId::from_bytes(id), recorded, visibility };
    let mut event = RecordedEvent {
        header,
        metadata_bytes: metadata.encode().into(),
        metadata,
        payload: Payload::parse(format!(r#" {{"n": {position}, "text": "\u0000 é '" }} "#).into_bytes()).unwrap(),
        // Zeros, high bytes and what looks like text: nothing may touch them.
        salt: [0, 255, b'0', b'\'', b'\\', number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0],
        hash: head.hash,
    };
    event.hash = event.hash_after(head.hash);
    (head.position, head.hash, head.recorded) = (position, event.hash, recorded);
    event
}

pub(super) fn scope(key: &str) -> KeyScope {
    KeyScope::new(tenant(), "web", key).unwrap()
}

pub(super) fn key(name: &str, state: KeyState, answer: Option<&[u8]>, head: &Head) -> KeyRecord {
    KeyRecord {
        scope: scope(name),
        fingerprint: Fingerprint::from_bytes([0xfe; 32]),
        command: CommandId::from_bytes([0; 16]),
        state,
        location: "/v1/assets/ast_1?x='\\".into(),
        answer: answer.map(Into::into),
        position: head.position,
        changed: head.recorded,
    }
}

pub(super) fn claim(value: &str) -> Claim {
    Claim { tenant: tenant(), kind: "isin".into(), value: value.into() }
}

pub(super) fn timer_name(name: &str) -> TimerName {
    TimerName { tenant: tenant(), name: name.into() }
}

pub(super) fn timer(name: &str, due_us: i64) -> Timer {
    let payload = Payload::parse(br#"{"due":true}"#.as_slice()).unwrap();
    Timer { name: timer_name(name), due: Timestamp::from_micros(BEGINNING.micros() + due_us), payload }
}

/// Commits a group with one private event per entry: stream and version.
pub(super) async fn events(backend: &Backend, group_number: u64, entries: &[(&str, u64)]) -> Vec<RecordedEvent> {
    let mut head = backend.head().await.unwrap();
    let make = |(name, version): &(&str, u64)| event(&mut head, name, *version, Audience::Private);
    let events: Vec<RecordedEvent> = entries.iter().map(make).collect();
    commit(backend, group_number, &Rows { events: events.clone(), ..Rows::default() }, &head).await;
    events
}
