//! The limits of a store, by name. Each has its own error, which says the value and the limit.

use messages::metadata::TRACE_PARENT_BYTES_MAX;

use crate::key::{ANSWER_BYTES_MAX, KEY_BYTES_MAX, KeyChange, LOCATION_BYTES_MAX};
use crate::unit::UnitOfWork;

/// How many events one unit of work may append.
pub const UNIT_EVENTS_MAX: usize = 1_000;

/// How many bytes of metadata and payload one unit of work may append: 4 MiB.
pub const UNIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many statements on state rows one unit of work may have.
pub const UNIT_STATEMENTS_MAX: usize = 256;

/// How many keys, claims, timers and cursors together one unit of work may touch.
pub const UNIT_ROWS_MAX: usize = 1_000;

/// How many units share one transaction at most.
pub const GROUP_UNITS_MAX: usize = 512;

/// How many bytes of events share one transaction at most, unless a single unit has more: 8 MiB.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How many units wait for the next group at most before callers wait too.
pub const QUEUE_UNITS_MAX: usize = 4_096;

/// How many events one page of a reading has at most.
pub const PAGE_EVENTS_MAX: usize = 4_096;

/// A unit of work is over a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// It has more of something than a unit may have.
    #[error("a unit of work with {count} {what} has more than {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// A text or answer in it is longer than it may be.
    #[error("{what} has {bytes} bytes, more than {bytes_max}")]
    TooLong {
        /// Which.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// An append without events, which says nothing.
    #[error("an append to stream `{stream}` has no events")]
    NoEvents {
        /// The stream.
        stream: Box<str>,
    },
}

impl UnitOfWork {
    /// Checks the unit against all limits, and gives the bytes that its events take, roughly.
    pub(crate) fn check_limits(&self) -> Result<usize, LimitError> {
        let events: usize = self.appends.iter().map(|append| append.events.len()).sum();
        let rows = self.key_changes.len() + self.claims.len() + self.claims_released.len();
        let rows = rows + self.timers.len() + self.advances.len();
        at_most("events", events, UNIT_EVENTS_MAX)?;
        at_most("statements", self.statements.len(), UNIT_STATEMENTS_MAX)?;
        at_most("keys, claims, timers and cursors", rows, UNIT_ROWS_MAX)?;
        let mut bytes = 0;
        for append in &self.appends {
            if append.events.is_empty() {
                return Err(LimitError::NoEvents { stream: append.stream.as_str().into() });
            }
            bytes +=
                append.events.iter().map(|event| event.payload.as_bytes().len() + METADATA_BYTES_USUAL).sum::<usize>();
            let trace_parent = append.cause.trace_parent.as_deref().unwrap_or_default();
            short("trace parent", trace_parent.len(), TRACE_PARENT_BYTES_MAX)?;
        }
        at_most("bytes", bytes, UNIT_BYTES_MAX)?;
        self.check_texts()?;
        Ok(bytes)
    }

    fn check_texts(&self) -> Result<(), LimitError> {
        if let Some(key) = &self.key {
            short("location", key.location.len(), LOCATION_BYTES_MAX)?;
            short("answer", key.answer.as_deref().map_or(0, <[u8]>::len), ANSWER_BYTES_MAX)?;
        }
        for (_, change) in &self.key_changes {
            if let KeyChange::Finish(Some(answer)) | KeyChange::Refuse(Some(answer)) = change {
                short("answer", answer.len(), ANSWER_BYTES_MAX)?;
            }
        }
        for (claim, _) in self.claims.iter().chain(&self.claims_released) {
            short("kind of claim", claim.kind.len(), KEY_BYTES_MAX)?;
            short("claimed value", claim.value.len(), KEY_BYTES_MAX)?;
        }
        for change in &self.timers {
            short("timer name", change.name().name.len(), KEY_BYTES_MAX)?;
        }
        for advance in &self.advances {
            short("consumer name", advance.consumer.len(), KEY_BYTES_MAX)?;
        }
        Ok(())
    }
}

/// What an event's metadata takes, counted towards the limits on bytes before it is written.
const METADATA_BYTES_USUAL: usize = 300;

const fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), LimitError> {
    if count > max { Err(LimitError::TooMany { what, count, max }) } else { Ok(()) }
}

const fn short(what: &'static str, bytes: usize, bytes_max: usize) -> Result<(), LimitError> {
    if bytes > bytes_max { Err(LimitError::TooLong { what, bytes, bytes_max }) } else { Ok(()) }
}
