//! What the outside knows: what callers were told, and what was seen to be wrong. It survives every death.

use std::collections::BTreeMap;
use std::sync::Arc;

use messages::{CommandId, Position, Timestamp};
use parking_lot::Mutex;

/// How an order ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It has its effect, by this command, and the last of its events is here.
    Done { command: CommandId, position: Position },
    /// The account had too little, on some state between these two places of the log.
    Insufficient { first: Position, last: Position },
    /// It was refused for another reason, or the store could not write it: there is no effect.
    Nothing,
    /// Nobody will ask again; it has its effect or not.
    Open,
}

/// What a caller knows of its order.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Told {
    /// It was sent, and no answer has come.
    pub(super) is_sent: bool,
    /// A try of it may have had its effect.
    pub(super) is_open: bool,
    pub(super) end: Option<End>,
}

/// How often something came to pass.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) done: u64,
    pub(super) insufficient: u64,
    pub(super) refused: u64,
    pub(super) gave_up: u64,
    pub(super) unknown: u64,
    pub(super) unavailable: u64,
    pub(super) repeated: u64,
    pub(super) reused: u64,
    pub(super) cancelled: u64,
    pub(super) set_back: u64,
    pub(super) cursor_lost: u64,
    pub(super) timer_lost: u64,
    pub(super) settled: u64,
    pub(super) deaths: u64,
}

impl Counts {
    fn all(&mut self) -> [&mut u64; 14] {
        [
            &mut self.done,
            &mut self.insufficient,
            &mut self.refused,
            &mut self.gave_up,
            &mut self.unknown,
            &mut self.unavailable,
            &mut self.repeated,
            &mut self.reused,
            &mut self.cancelled,
            &mut self.set_back,
            &mut self.cursor_lost,
            &mut self.timer_lost,
            &mut self.settled,
            &mut self.deaths,
        ]
    }

    pub(super) fn add(&mut self, mut other: Self) {
        for (mine, theirs) in self.all().into_iter().zip(other.all()) {
            *mine += *theirs;
        }
    }

    pub(super) fn least(mut self) -> u64 {
        self.all().into_iter().map(|count| *count).min().unwrap_or(0)
    }
}

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) told: BTreeMap<u64, Told>,
    /// The last place of the log that anybody was told of.
    pub(super) acknowledged: Position,
    /// The latest time that the clock has ever shown.
    pub(super) latest: Timestamp,
    pub(super) counts: Counts,
    violation: Option<String>,
}

/// The facts, shared by all lives of all processes.
#[derive(Debug, Clone, Default)]
pub(super) struct Knowledge(Arc<Mutex<Facts>>);

impl Knowledge {
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Facts) -> T) -> T {
        look(&mut self.0.lock())
    }

    pub(super) fn count(&self, counter: impl FnOnce(&mut Counts) -> &mut u64) {
        self.with(|facts| *counter(&mut facts.counts) += 1);
    }

    /// Something is wrong. The first thing that is wrong is kept.
    pub(super) fn violated(&self, what: String) {
        self.with(|facts| {
            let _ = facts.violation.get_or_insert(what);
        });
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.with(|facts| facts.violation.clone())
    }
}
