//! The limits of a store, by name. Each has its own error, which says the value and the limit.

use messages::metadata::TRACE_PARENT_BYTES_MAX;

use crate::key::{ANSWER_BYTES_MAX, KEY_BYTES_MAX, LOCATION_BYTES_MAX};
use crate::unit::{Parameter, TimerChange, UnitOfWork};

/// How many events one unit of work may append.
pub const UNIT_EVENTS_MAX: usize = 1_000;

/// How many bytes one unit of work may have: payloads and metadata of events, payloads of timers, kept answers, and parameters of
/// statements. 4 MiB.
pub const UNIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many statements on state rows one unit of work may have.
pub const UNIT_STATEMENTS_MAX: usize = 256;

/// How many keys, claims, timers, cursors and confirmed streams together one unit of work may touch.
pub const UNIT_ROWS_MAX: usize = 1_000;

/// How many units share one transaction at most.
pub const GROUP_UNITS_MAX: usize = 512;

/// How many bytes of units share one transaction at most, unless a single unit has more: 8 MiB.
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
    /// A text in it is empty, or has a control character, which not every store can hold.
    #[error("{what} {why}")]
    NotPlain {
        /// Which.
        what: &'static str,
        /// Why it is refused.
        why: &'static str,
    },
    /// An append without events, which says nothing.
    #[error("an append to stream `{stream}` has no events")]
    NoEvents {
        /// The stream.
        stream: Box<str>,
    },
}

impl UnitOfWork {
    /// Checks the unit against all limits, and gives the bytes that it takes, roughly.
    pub(crate) fn check_limits(&self) -> Result<usize, LimitError> {
        let events: usize = self.appends.iter().map(|append| append.events.len()).sum();
        let rows = self.key_changes.len() + self.claims.len() + self.claims_released.len();
        let rows = rows + self.timers.len() + self.advances.len() + self.confirmed.len();
        at_most("events", events, UNIT_EVENTS_MAX)?;
        at_most("statements", self.statements.len(), UNIT_STATEMENTS_MAX)?;
        at_most("keys, claims, timers, cursors and confirmed streams", rows, UNIT_ROWS_MAX)?;
        let mut bytes = self.bytes_beside_events();
        for append in &self.appends {
            if append.events.is_empty() {
                return Err(LimitError::NoEvents { stream: append.key.stream.as_str().into() });
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

    fn bytes_beside_events(&self) -> usize {
        let timers = self.timers.iter().filter_map(TimerChange::timer).map(|timer| timer.payload.as_bytes().len());
        let answers = self.key_changes.iter().filter_map(|(_, change)| change.answer()).map(<[u8]>::len);
        let parameters = self.statements.iter().flat_map(|statement| &statement.parameters).map(Parameter::bytes);
        timers.chain(answers).chain(parameters).sum()
    }

    fn check_texts(&self) -> Result<(), LimitError> {
        if let Some(key) = &self.key {
            short("location", key.location.len(), LOCATION_BYTES_MAX)?;
            without_controls("location", &key.location)?;
            short("answer", key.answer.as_deref().map_or(0, <[u8]>::len), ANSWER_BYTES_MAX)?;
        }
        for answer in self.key_changes.iter().filter_map(|(_, change)| change.answer()) {
            short("answer", answer.len(), ANSWER_BYTES_MAX)?;
        }
        for (claim, _) in self.claims.iter().chain(&self.claims_released) {
            plain("kind of claim", &claim.kind)?;
            plain("claimed value", &claim.value)?;
        }
        for change in &self.timers {
            plain("timer name", &change.name().name)?;
        }
        for advance in &self.advances {
            plain("consumer name", &advance.consumer)?;
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

/// A name, or another value by which something is found.
fn plain(what: &'static str, text: &str) -> Result<(), LimitError> {
    short(what, text.len(), KEY_BYTES_MAX)?;
    if text.is_empty() {
        return Err(LimitError::NotPlain { what, why: "is empty" });
    }
    without_controls(what, text)
}

fn without_controls(what: &'static str, text: &str) -> Result<(), LimitError> {
    if text.chars().any(char::is_control) {
        return Err(LimitError::NotPlain { what, why: "has a control character" });
    }
    Ok(())
}
