//! Idempotency keys within a group.

use std::collections::{BTreeSet, HashMap, HashSet};

use messages::{Position, Timestamp};

use super::Refusal;
use crate::key::{KeyChange, KeyRecord, KeyScope, KeyUse};
use crate::mutant::{Mutant, is_planted};
use crate::store::Rows;
use crate::unit::UnitOfWork;

/// Keys as they stand after the units admitted so far.
pub(super) struct Keys {
    now: HashMap<KeyScope, KeyRecord>,
    stored: HashSet<KeyScope>,
    touched: BTreeSet<KeyScope>,
    /// Those that were used in this group: nothing is left of an earlier use, which was released before.
    used: HashSet<KeyScope>,
}

impl Keys {
    pub(super) fn new(found: HashMap<KeyScope, KeyRecord>) -> Self {
        Self { stored: found.keys().cloned().collect(), now: found, touched: BTreeSet::new(), used: HashSet::new() }
    }

    pub(super) fn check(&self, unit: &UnitOfWork) -> Result<(), Refusal> {
        let used = unit.key.iter().map(|key| (&key.scope, &key.fingerprint));
        let free = unit.key_free.iter().map(|(scope, fingerprint)| (scope, fingerprint));
        if let Some((record, fingerprint)) =
            used.chain(free).find_map(|(scope, fingerprint)| Some((self.now.get(scope)?, fingerprint)))
            && !is_planted(Mutant::NoKeyCheck)
        {
            let record = Box::new(record.clone());
            let is_same = record.fingerprint == *fingerprint;
            return Err(if is_same { Refusal::KeyRepeated { record } } else { Refusal::KeyReused { record } });
        }
        for (index, (scope, change)) in unit.key_changes.iter().enumerate() {
            let earlier = unit.key_changes[..index].iter().filter(|(other, _)| other == scope);
            let mut state = match &unit.key {
                Some(key) if key.scope == *scope => Some(key.state),
                _ => self.now.get(scope).map(|record| record.state),
            };
            for (_, change) in earlier {
                // Each was checked in its turn.
                state = state.and_then(|state| change.apply(state).unwrap_or(None));
            }
            if state.is_none_or(|state| change.apply(state).is_err()) {
                return Err(Refusal::KeyState { key: scope.key().into(), found: state });
            }
        }
        Ok(())
    }

    pub(super) fn apply(&mut self, unit: &UnitOfWork, position: Position, recorded: Timestamp) {
        if let Some(key) = &unit.key {
            let _ = self.touched.insert(key.scope.clone());
            let _ = self.used.insert(key.scope.clone());
            drop(self.now.insert(key.scope.clone(), record(key, position, recorded)));
        }
        for (scope, change) in &unit.key_changes {
            let _ = self.touched.insert(scope.clone());
            let Some(record) = self.now.get_mut(scope) else { continue };
            // The change was checked.
            match change.apply(record.state).unwrap_or(None) {
                Some(state) => {
                    record.state = state;
                    record.changed = recorded;
                    if let KeyChange::Finish(answer) | KeyChange::Refuse(answer) = change {
                        record.answer.clone_from(answer);
                    }
                }
                None => drop(self.now.remove(scope)),
            }
        }
    }

    pub(super) fn write(mut self, rows: &mut Rows) {
        for scope in self.touched {
            match (self.now.remove(&scope), self.stored.contains(&scope)) {
                (Some(record), false) => rows.keys_new.push(record),
                (Some(record), true) if self.used.contains(&scope) => {
                    rows.keys_removed.push(scope);
                    rows.keys_new.push(record);
                }
                (Some(record), true) => rows.keys_changed.push(record),
                (None, true) => rows.keys_removed.push(scope),
                (None, false) => {}
            }
        }
    }
}

fn record(key: &KeyUse, position: Position, recorded: Timestamp) -> KeyRecord {
    KeyRecord {
        scope: key.scope.clone(),
        fingerprint: key.fingerprint,
        command: key.command,
        state: key.state,
        location: key.location.clone(),
        answer: key.answer.clone(),
        position,
        changed: recorded,
    }
}
