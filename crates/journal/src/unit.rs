//! The unit of work: everything that one decision changes, committed whole or not at all.

use std::sync::Arc;

use messages::{
    Actor, CommandId, EventId, EventType, Fingerprint, Hash, Payload, StreamName, StreamVersion, TenantId, Timestamp,
    chain,
};

use crate::cursor::Cursor;
use crate::entropy::Entropy;
use crate::key::{KeyChange, KeyScope, KeyUse};
use crate::store::StreamKey;

/// Because of what, by whom, and for whom events are written: from the gateway's verified identity, or from the event that is
/// reacted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who did it.
    pub actor: Actor,
    /// The command.
    pub command: CommandId,
    /// The command at the beginning of the story.
    pub correlation: CommandId,
    /// The event that is reacted to.
    pub causation: Option<EventId>,
    /// The trace, as the W3C's `traceparent`; at most [`messages::metadata::TRACE_PARENT_BYTES_MAX`] bytes.
    pub trace_parent: Option<Arc<str>>,
}

impl Cause {
    /// Of a command with which a story begins: nothing was reacted to.
    #[must_use]
    pub const fn beginning(tenant: TenantId, actor: Actor, command: CommandId) -> Self {
        Self { tenant, actor, command, correlation: command, causation: None, trace_parent: None }
    }
}

/// The version that a stream must have for an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Exactly this; [`StreamVersion::EMPTY`] for a stream that must not exist yet.
    Version(StreamVersion),
    /// Exactly this, and this event is its newest. What was decided on events that are not committed yet is bound to them: had
    /// another process written as many events instead, the version alone would not tell.
    After(StreamVersion, EventId),
    /// Whatever it has: what is written does not depend on what is there.
    Any,
}

/// Whether an event leaves its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// It stays in its service.
    Private,
    /// Other services read it.
    Published,
}

/// An event to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its identifier. [`crate::Store::event_id`] makes one; using one twice is a bug.
    pub id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// The version of the payload's form.
    pub type_version: u32,
    /// What it says.
    pub payload: Payload,
    /// Whether it leaves the store.
    pub audience: Audience,
}

/// Events for one stream.
#[derive(Debug, Clone)]
pub(crate) struct Append {
    pub(crate) cause: Cause,
    pub(crate) key: StreamKey,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<NewEvent>,
    /// One for each event, from when the unit is submitted.
    pub(crate) seals: Vec<Seal>,
}

/// What is made of an event's payload before its place is known, and so without the writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seal {
    pub(crate) salt: [u8; chain::SALT_BYTES],
    pub(crate) payload: Hash,
}

impl Seal {
    fn of(event: &NewEvent, entropy: &Entropy) -> Self {
        let mut salt = [0; chain::SALT_BYTES];
        entropy.fill(&mut salt);
        Self { salt, payload: chain::content(&salt, event.payload.as_bytes()) }
    }
}

/// A value that only one stream may have, an ISIN for instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Whose.
    pub tenant: TenantId,
    /// What kind of value.
    pub kind: Box<str>,
    /// The value. Kind and value have at most [`crate::key::KEY_BYTES_MAX`] bytes each.
    pub value: Box<str>,
}

impl Claim {
    pub(crate) fn narrow(&self) -> i64 {
        crate::narrow::hash(&[self.tenant.as_str(), &self.kind, &self.value])
    }
}

/// A timer's name, unique in its tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerName {
    /// Whose.
    pub tenant: TenantId,
    /// What it is for, as in `order/ord_018f…/expiry`: at most [`crate::key::KEY_BYTES_MAX`] bytes.
    pub name: Box<str>,
}

impl TimerName {
    pub(crate) fn narrow(&self) -> i64 {
        crate::narrow::hash(&[self.tenant.as_str(), &self.name])
    }
}

/// A command that becomes due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Its name. Setting a timer that exists replaces it.
    pub name: TimerName,
    /// When.
    pub due: Timestamp,
    /// What is due, in the service's own words.
    pub payload: Payload,
}

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// For a BIGINT column.
    Integer(i64),
    /// For a TEXT column.
    Text(String),
    /// For a BYTEA or BLOB column.
    Bytes(Vec<u8>),
}

impl Parameter {
    /// The bytes that it takes, counted towards the limits of a unit.
    pub(crate) const fn bytes(&self) -> usize {
        match self {
            Self::Integer(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A statement on the service's own state rows, in the SQL that both stores understand: `$1`, `ON CONFLICT`, columns BIGINT,
/// TEXT and BYTEA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: &'static str,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// How many rows it must change; another number refuses the unit. `None` if any number will do.
    pub rows_expected: Option<u64>,
}

/// A consumer's step: from where it must stand to where it stands afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Advance {
    pub(crate) consumer: Box<str>,
    /// `None` if the consumer must not have a cursor yet.
    pub(crate) from: Option<Cursor>,
    pub(crate) to: Cursor,
}

/// What a unit does with a timer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimerChange {
    Set(Timer),
    /// Removes it if it is there.
    Cancel(TimerName),
    /// Removes it; refused if it is not there with this due time.
    Fire(TimerName, Timestamp),
}

impl TimerChange {
    /// Which timer.
    pub(crate) const fn name(&self) -> &TimerName {
        match self {
            Self::Set(timer) => &timer.name,
            Self::Cancel(name) | Self::Fire(name, _) => name,
        }
    }

    /// The timer that stands afterwards.
    pub(crate) const fn timer(&self) -> Option<&Timer> {
        match self {
            Self::Set(timer) => Some(timer),
            Self::Cancel(_) | Self::Fire(..) => None,
        }
    }
}

/// Everything that one decision changes.
#[derive(Debug, Clone, Default)]
pub struct UnitOfWork {
    pub(crate) appends: Vec<Append>,
    /// Streams that must stand where they were read, without events being appended to them.
    pub(crate) confirmed: Vec<(TenantId, StreamName, Expected)>,
    pub(crate) key: Option<KeyUse>,
    /// A key that must be free, without being used.
    pub(crate) key_free: Option<(KeyScope, Fingerprint)>,
    pub(crate) key_changes: Vec<(KeyScope, KeyChange)>,
    /// Claims taken, each with the stream that takes it.
    pub(crate) claims: Vec<(Claim, StreamName)>,
    pub(crate) claims_released: Vec<(Claim, StreamName)>,
    pub(crate) timers: Vec<TimerChange>,
    pub(crate) advances: Vec<Advance>,
    pub(crate) statements: Vec<Statement>,
}

impl UnitOfWork {
    /// One that changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends events to a stream of the cause's tenant, which must have the version expected when the unit is committed.
    pub fn append(
        &mut self,
        cause: &Cause,
        stream: StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> &mut Self {
        let key = StreamKey::new(cause.tenant.clone(), stream);
        self.appends.push(Append { cause: cause.clone(), key, expected, events, seals: Vec::new() });
        self
    }

    /// Draws the events' salts and hashes their payloads: what can be done before the writer has the unit.
    pub(crate) fn seal(&mut self, entropy: &Entropy) {
        for append in &mut self.appends {
            append.seals = append.events.iter().map(|event| Seal::of(event, entropy)).collect();
        }
    }

    /// Refuses the unit unless the stream stands where it was read. What was decided on its state holds then.
    pub fn confirm(&mut self, tenant: TenantId, stream: StreamName, expected: Expected) -> &mut Self {
        self.confirmed.push((tenant, stream, expected));
        self
    }

    /// Refuses the unit if the key is in use, and does not use it.
    pub fn require_free_key(&mut self, scope: KeyScope, fingerprint: Fingerprint) -> &mut Self {
        self.key_free = Some((scope, fingerprint));
        self
    }

    /// Uses an idempotency key: if it is in use already, the unit is refused with its record.
    pub fn use_key(&mut self, key: KeyUse) -> &mut Self {
        self.key = Some(key);
        self
    }

    /// Moves a key that is in use.
    pub fn change_key(&mut self, scope: KeyScope, change: KeyChange) -> &mut Self {
        self.key_changes.push((scope, change));
        self
    }

    /// Takes a value for a stream. Taking what the stream has already changes nothing.
    pub fn claim(&mut self, claim: Claim, stream: StreamName) -> &mut Self {
        self.claims.push((claim, stream));
        self
    }

    /// Gives a value back; refused if another stream has it.
    pub fn release_claim(&mut self, claim: Claim, stream: StreamName) -> &mut Self {
        self.claims_released.push((claim, stream));
        self
    }

    /// Sets a timer, or replaces it.
    pub fn set_timer(&mut self, timer: Timer) -> &mut Self {
        self.timers.push(TimerChange::Set(timer));
        self
    }

    /// Removes a timer if it is there.
    pub fn cancel_timer(&mut self, name: TimerName) -> &mut Self {
        self.timers.push(TimerChange::Cancel(name));
        self
    }

    /// Applies a timer that is due: it is removed, and the unit is refused if it is not there with this due time any more.
    pub fn fire_timer(&mut self, name: TimerName, due: Timestamp) -> &mut Self {
        self.timers.push(TimerChange::Fire(name, due));
        self
    }

    /// Moves a consumer's cursor; refused unless it stands at `from` (`None`: it has none yet).
    pub fn advance(&mut self, consumer: &str, from: Option<Cursor>, to: Cursor) -> &mut Self {
        self.advances.push(Advance { consumer: consumer.into(), from, to });
        self
    }

    /// Runs a statement on the service's state rows.
    pub fn statement(&mut self, statement: Statement) -> &mut Self {
        self.statements.push(statement);
        self
    }
}
