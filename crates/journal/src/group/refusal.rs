//! Why a unit of work is refused. Nothing of it was written, and the other units of its group are as if it had not been there.

use messages::{StreamName, StreamVersion, Timestamp};

use crate::cursor::Cursor;
use crate::key::{KeyRecord, KeyState};

/// A unit of work is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else wrote to the stream meanwhile. Read it again and decide anew.
    #[error(
        "stream `{stream}` has version {found}, or other events up to it, not the version {expected} that was decided on"
    )]
    VersionConflict {
        /// The stream.
        stream: StreamName,
        /// The version that was decided on.
        expected: StreamVersion,
        /// The version that it has.
        found: StreamVersion,
    },
    /// The key was used before by the same request: its record holds the answer.
    #[error("idempotency key `{}` was used before by the same request", record.scope.key())]
    KeyRepeated {
        /// What is known of the first.
        record: Box<KeyRecord>,
    },
    /// The key was used before by another request. Use a key of its own for each request.
    #[error("idempotency key `{}` was used before by a request with another body or path", record.scope.key())]
    KeyReused {
        /// What is known of the first.
        record: Box<KeyRecord>,
    },
    /// The key is not in use, or its state does not allow the change.
    #[error("idempotency key `{key}` is {}, which the change does not allow", found.map_or("free", KeyState::name))]
    KeyState {
        /// The key.
        key: Box<str>,
        /// The state it is in; `None` if it is free.
        found: Option<KeyState>,
    },
    /// Another stream has the value.
    #[error("{kind} `{value}` belongs to stream `{holder}`")]
    ClaimTaken {
        /// What kind of value.
        kind: Box<str>,
        /// The value.
        value: Box<str>,
        /// The stream that has it.
        holder: StreamName,
    },
    /// The value to be given back is not the stream's.
    #[error("{kind} `{value}` does not belong to stream `{stream}`")]
    ClaimNotHeld {
        /// What kind of value.
        kind: Box<str>,
        /// The value.
        value: Box<str>,
        /// The stream that would give it back.
        stream: StreamName,
    },
    /// The timer was fired, cancelled or set anew meanwhile.
    #[error("timer `{name}` is not there with the due time {due}")]
    TimerGone {
        /// Its name.
        name: Box<str>,
        /// The due time that was expected.
        due: Timestamp,
    },
    /// The consumer's cursor is elsewhere: another instance of it is at work, or it was rebound.
    #[error("consumer `{consumer}` stands elsewhere than was thought")]
    CursorMoved {
        /// The consumer.
        consumer: Box<str>,
        /// Where it should have stood.
        expected: Option<Box<Cursor>>,
        /// Where it stands.
        stands_at: Option<Box<Cursor>>,
    },
    /// A statement changed another number of state rows than it must: they moved meanwhile.
    #[error("a statement changed {changed} state rows and not {expected}: {sql}")]
    StateRows {
        /// The statement.
        sql: &'static str,
        /// How many it should have changed.
        expected: u64,
        /// How many it would have changed.
        changed: u64,
    },
}
