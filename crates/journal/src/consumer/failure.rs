//! What interrupts a consumer, and what it remembers of the event that fails.

use std::time::Duration;

use messages::Position;

use super::Phase;
use crate::appender::AppendError;
use crate::entropy::Entropy;
use crate::feed::FeedError;
use crate::group::Refusal;
use crate::retry::Retry;
use crate::store::StoreError;

/// What becomes of an event that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again, until attempts end.
    Again,
    /// It is parked.
    Park,
    /// Its effect is there already, under its key: the cursor moves on.
    PassOver,
}

/// Why a consumer reads its cursor anew.
#[derive(Debug)]
pub(super) enum Interruption {
    /// The cursor is elsewhere: another instance is at work.
    Moved,
    /// What it knew has changed, or it is not known what was written: look again, nothing failed.
    Again,
    /// This event could not be handled.
    Event { position: Position, why: String, verdict: Verdict },
    /// A store cannot be reached at present.
    Unavailable { why: String },
    /// The feed cannot be read on.
    Feed(FeedError),
    /// The store of the effects cannot be read.
    Store(StoreError),
    /// The store of the effects cannot be written.
    Append(AppendError),
    /// Too many events are parked.
    TooManyParked { parked: usize },
}

impl From<FeedError> for Interruption {
    fn from(error: FeedError) -> Self {
        if error.is_transient() { Self::Unavailable { why: chain(&error) } } else { Self::Feed(error) }
    }
}

impl From<StoreError> for Interruption {
    fn from(error: StoreError) -> Self {
        if error.is_transient() { Self::Unavailable { why: chain(&error) } } else { Self::Store(error) }
    }
}

/// What a unit was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The effect of an event.
    Effect,
    /// The event is parked, or the cursor moves alone.
    Bookkeeping,
    /// The event is parked behind one of its stream, which must still be parked.
    Behind,
}

/// What it means that a unit was not committed.
pub(super) fn judge(consumer: &str, position: Position, purpose: Purpose, error: AppendError) -> Interruption {
    let event = |error: &AppendError, verdict| Interruption::Event { position, why: chain(error), verdict };
    match &error {
        AppendError::Refused(Refusal::CursorMoved { consumer: moved, .. }) if **moved == *consumer => {
            Interruption::Moved
        }
        AppendError::Refused(Refusal::StateRows { .. }) if purpose == Purpose::Behind => Interruption::Again,
        AppendError::Unavailable { .. } => Interruption::Unavailable { why: chain(&error) },
        // The cursor tells whether it was written.
        AppendError::Unknown { .. } => Interruption::Unavailable { why: chain(&error) },
        AppendError::Closed => Interruption::Append(error),
        // The disk may be full. Nothing can be parked either.
        AppendError::Store { .. } if purpose != Purpose::Effect => Interruption::Unavailable { why: chain(&error) },
        _ if purpose != Purpose::Effect => Interruption::Append(error),
        AppendError::Refused(Refusal::KeyRepeated { .. }) => event(&error, Verdict::PassOver),
        AppendError::Refused(Refusal::KeyReused { .. }) | AppendError::Limit(_) => event(&error, Verdict::Park),
        AppendError::Refused(_) | AppendError::Store { .. } => event(&error, Verdict::Again),
    }
}

/// The error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The event that fails at present. Events are handled in order, so there is one at most.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    event: Option<Failing>,
    /// How often a store could not be reached since something last succeeded.
    outages: u32,
    outage_why: String,
}

#[derive(Debug)]
struct Failing {
    position: Position,
    failures: u32,
    why: String,
    verdict: Verdict,
}

impl Trouble {
    pub(super) fn add(&mut self, position: Position, why: String, verdict: Verdict) {
        self.outages = 0;
        let before = self.event.take().filter(|failing| failing.position == position);
        let failures = before.map_or(0, |failing| failing.failures) + 1;
        self.event = Some(Failing { position, failures, why, verdict });
    }

    pub(super) fn add_outage(&mut self, why: String) {
        self.outages = self.outages.saturating_add(1);
        self.outage_why = why;
    }

    /// Something was committed.
    pub(super) const fn outage_ended(&mut self) {
        self.outages = 0;
    }

    /// What becomes of the event at this position, how often it failed, and why.
    pub(super) fn verdict(&self, position: Position, attempts_max: u32) -> Option<(Verdict, u32, &str)> {
        let failing = self.event.as_ref().filter(|failing| failing.position == position)?;
        let verdict = match failing.verdict {
            Verdict::Again if failing.failures >= attempts_max => Verdict::Park,
            verdict => verdict,
        };
        Some((verdict, failing.failures, &failing.why))
    }

    /// How long to wait before the next attempt.
    pub(super) fn wait(&self, retry: &Retry, entropy: &Entropy) -> Option<Duration> {
        if self.outages > 0 {
            return Some(retry.wait(self.outages, entropy));
        }
        match &self.event {
            Some(failing) if failing.verdict == Verdict::Again && failing.failures < retry.attempts_max => {
                Some(retry.wait(failing.failures, entropy))
            }
            _ => None,
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.event.as_ref().map_or(0, |failing| failing.failures)
    }

    pub(super) fn why(&self) -> &str {
        self.event.as_ref().map_or("", |failing| &failing.why)
    }

    pub(super) fn phase(&self) -> Phase {
        if self.outages > 0 {
            return Phase::Waiting { position: None, failures: self.outages, why: self.outage_why.clone() };
        }
        let position = self.event.as_ref().map(|failing| failing.position);
        Phase::Waiting { position, failures: self.failures(), why: self.why().to_owned() }
    }
}
