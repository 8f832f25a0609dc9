//! Idempotency keys within a group.

use std::collections::HashMap;

use messages::{Position, Timestamp};

use super::Refusal;
use crate::key::{KeyChange, KeyRecord, KeyScope, KeyUse};
use crate::mutant::{Mutant, is_planted};
use crate::store::Rows;
use crate::unit::UnitOfWork;

/// Keys as they stand after the units admitted so far.
pub(super) struct Keys {
    now: HashMap<KeyScope, Known>,
    /// Those that are to be written, in the order in which they were touched first.
    touched: Vec<KeyScope>,
}

/// What is known of a key.
#[derive(Default)]
struct Known {
    /// As it stands; `None` if it is free.
    record: Option<KeyRecord>,
    is_stored: bool,
    /// It was used in this group: nothing is left of an earlier use, which was released before.
    is_used: bool,
    is_touched: bool,
}

impl Keys {
    pub(super) fn new(found: HashMap<KeyScope, KeyRecord>) -> Self {
        let stored = |record| Known { record: Some(record), is_stored: true, ..Known::default() };
        let now = found.into_iter().map(|(scope, record)| (scope, stored(record))).collect();
        Self { now, touched: Vec::new() }
    }

    fn record(&self, scope: &KeyScope) -> Option<&KeyRecord> {
        self.now.get(scope)?.record.as_ref()
    }

    /// What is known of a key that is to be written.
    fn touch(&mut self, scope: &KeyScope) -> &mut Known {
        let known = self.now.entry(scope.clone()).or_default();
        if !std::mem::replace(&mut known.is_touched, true) {
            self.touched.push(scope.clone());
        }
        known
    }

    pub(super) fn check(&self, unit: &UnitOfWork) -> Result<(), Refusal> {
        let used = unit.key.iter().map(|key| (&key.scope, &key.fingerprint));
        let free = unit.key_free.iter().map(|(scope, fingerprint)| (scope, fingerprint));
        if let Some((record, fingerprint)) =
            used.chain(free).find_map(|(scope, fingerprint)| Some((self.record(scope)?, fingerprint)))
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
                _ => self.record(scope).map(|record| record.state),
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
            let known = self.touch(&key.scope);
            known.is_used = true;
            known.record = Some(record(key, position, recorded));
        }
        for (scope, change) in &unit.key_changes {
            let Known { record: now, .. } = self.touch(scope);
            let Some(record) = now else { continue };
            // The change was checked.
            match change.apply(record.state).unwrap_or(None) {
                Some(state) => {
                    record.state = state;
                    record.changed = recorded;
                    if let KeyChange::Finish(answer) | KeyChange::Refuse(answer) = change {
                        record.answer.clone_from(answer);
                    }
                }
                None => *now = None,
            }
        }
    }

    pub(super) fn write(mut self, rows: &mut Rows) {
        for scope in self.touched {
            let Known { record, is_stored, is_used, .. } = self.now.remove(&scope).unwrap_or_default();
            match (record, is_stored) {
                (Some(record), false) => rows.keys_new.push(record),
                (Some(record), true) if is_used => {
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
