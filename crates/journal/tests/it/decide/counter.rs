//! A stream that counts: each event has the number after the one before it, so that a lost update shows.

use journal::{Aggregate, Audience, Cause, Command, KeyScope, KeyState, KeyUse, NewEvent, Store};
use messages::{
    Actor, CommandId, DecodeError, EventBody, EventType, Fingerprint, Payload, PayloadError, StreamName, TenantId,
    event,
};
use serde::{Deserialize, Serialize};

/// It was counted, by the order with this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counted {
    pub(crate) number: u64,
    pub(crate) key: String,
}

impl EventBody for Counted {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok((EventType::of("test.counted"), 1, Payload::of(self)?))
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        event::decode_payload(event_type, version, payload, &[])
    }
}

/// The aggregate.
pub(crate) struct Counter;

impl Aggregate for Counter {
    type State = u64;
    type Event = Counted;

    fn apply(state: &mut u64, event: &Counted) {
        assert_eq!(event.number, *state + 1, "an update was lost, or was built on one that never was");
        *state = event.number;
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::parse("bank").unwrap()
}

pub(crate) fn stream(name: &str) -> StreamName {
    StreamName::parse(name).unwrap()
}

pub(crate) fn cause(command: CommandId) -> Cause {
    let actor = Actor::new("ana", "app", None).unwrap();
    Cause { tenant: tenant(), actor, command, correlation: command, causation: None, trace_parent: None }
}

pub(crate) fn new_command(store: &Store) -> CommandId {
    store.entropy().command_id(store.clock().now())
}

pub(crate) fn scope(key: &str) -> KeyScope {
    KeyScope::new(tenant(), "app", key).unwrap()
}

pub(crate) fn key_use(key: &str, command: CommandId) -> KeyUse {
    KeyUse {
        scope: scope(key),
        fingerprint: Fingerprint::of("count", "/v1/counts", &serde_json::json!(key)),
        command,
        state: KeyState::Done,
        location: "/v1/counts/1".into(),
        answer: None,
    }
}

/// The command to count on a stream, under a key.
pub(crate) fn command(store: &Store, name: &str, key: &str) -> Command {
    let command = new_command(store);
    Command { cause: cause(command), stream: stream(name), key: Some(key_use(key, command)) }
}

/// An event that is appended without regard to what is there.
pub(crate) fn new_event(store: &Store, number: u64, key: &str, audience: Audience) -> NewEvent {
    let (event_type, type_version, payload) = Counted { number, key: key.to_owned() }.encode().unwrap();
    NewEvent { id: store.event_id(), event_type, type_version, payload, audience }
}
