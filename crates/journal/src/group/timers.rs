//! Timers within a group.

use std::collections::{BTreeMap, HashMap};

use messages::Timestamp;

use super::Refusal;
use crate::mutant::{Mutant, is_planted};
use crate::store::Rows;
use crate::unit::{Timer, TimerChange, TimerName, UnitOfWork};

/// Timers as they stand after the units admitted so far.
pub(super) struct Timers {
    stored: HashMap<TimerName, Timestamp>,
    /// What the group's units did: `None` for a timer that is gone.
    changed: BTreeMap<TimerName, Option<Timer>>,
}

impl Timers {
    pub(super) fn new(found: HashMap<TimerName, Timestamp>) -> Self {
        Self { stored: found, changed: BTreeMap::new() }
    }

    pub(super) fn check(&self, unit: &UnitOfWork) -> Result<(), Refusal> {
        let mut mine: HashMap<&TimerName, Option<Timestamp>> = HashMap::new();
        for change in &unit.timers {
            let name = change.name();
            let due_now = mine.get(name).copied().unwrap_or_else(|| self.due(name));
            if let TimerChange::Fire(_, due) = change
                && due_now != Some(*due)
                && !is_planted(Mutant::TimerUnfenced)
            {
                return Err(Refusal::TimerGone { name: name.name.clone(), due: *due });
            }
            let _ = mine.insert(name, change.timer().map(|timer| timer.due));
        }
        Ok(())
    }

    fn due(&self, name: &TimerName) -> Option<Timestamp> {
        match self.changed.get(name) {
            Some(changed) => changed.as_ref().map(|timer| timer.due),
            None => self.stored.get(name).copied(),
        }
    }

    pub(super) fn apply(&mut self, unit: &UnitOfWork) {
        for change in &unit.timers {
            drop(self.changed.insert(change.name().clone(), change.timer().cloned()));
        }
    }

    pub(super) fn write(self, rows: &mut Rows) {
        for (name, timer) in self.changed {
            match (timer, self.stored.contains_key(&name)) {
                (Some(timer), false) => rows.timers_new.push(timer),
                (Some(timer), true) => rows.timers_changed.push(timer),
                (None, true) => rows.timers_removed.push(name),
                (None, false) => {}
            }
        }
    }
}
