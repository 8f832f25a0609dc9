//! What comes in: an event of a service is a request, or none; a request is taken, or refused with the reason.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::Address;
use journal::{Handler, HandlerError, Reaction};
use messages::event::DecodeError;
use messages::ledger::{TransactionRequested, Watch};
use messages::{EventBody as _, EventId, RecordedEvent};

use super::groups::Groups;
use super::reading::{self, Asked};
use super::with_cause;
use crate::chain::Core;
use crate::intent::{Intent, IntentKey};
use crate::outcome::call_of;
use crate::store::{Origin, RequestRefusal, StoreError, WATCHED_MAX, WaitingRequest};

/// How many events are remembered whose unit of work may have been refused.
const TRIED_EVENTS_MAX: usize = 2_048;

/// Handles the events of a service.
pub(super) struct Door {
    requester: String,
    /// What the service's keys begin with.
    prefix: String,
    core: Arc<Core>,
    groups: Arc<Groups>,
    /// Events that were handled before. A unit is refused where the key is in use, and the event comes again: only then what uses
    /// the key is looked for.
    tried: Mutex<HashSet<EventId>>,
}

/// What becomes of a request.
enum Verdict {
    Taken(Box<WaitingRequest>, Intent),
    Refused {
        code: &'static str,
        reason: String,
    },
    /// It is what is done under its key already.
    Repeated,
}

impl Door {
    pub(super) fn new(requester: &str, core: Arc<Core>, groups: Arc<Groups>) -> Self {
        Self { requester: requester.to_owned(), prefix: format!("{requester}/"), core, groups, tried: Mutex::default() }
    }

    async fn judge(&self, request: TransactionRequested, event: &RecordedEvent) -> Result<Verdict, StoreError> {
        let refused = |code, reason: String| Ok(Verdict::Refused { code, reason });
        let Asked { intent, .. } = match reading::read(&request) {
            Ok(asked) => asked,
            Err(error) => return refused("malformed", with_cause(&error)),
        };
        if !request.key.starts_with(&self.prefix) {
            return refused("foreign_key", format!("the key does not begin with `{}`", self.prefix));
        }
        let profile = &self.core.profile;
        // What fails with any gas is known before there is a limit.
        let checked = match request.gas_limit {
            Some(_) => intent.check(profile),
            None => intent.gas_bounds(profile).map(drop),
        };
        if let Err(error) = checked {
            return refused("cannot_succeed", error.to_string());
        }
        let waiting = WaitingRequest { key: intent.key.clone(), request, origin: Origin::of(event) };
        if self.comes_first(event.header.event) {
            return Ok(Verdict::Taken(Box::new(waiting), intent));
        }
        match self.use_of_key(&waiting, &intent).await? {
            KeyUse::Free => Ok(Verdict::Taken(Box::new(waiting), intent)),
            KeyUse::Same => Ok(Verdict::Repeated),
            KeyUse::Other => refused("key_used", "the key was used for another transaction".to_owned()),
        }
    }

    /// Whether the event comes for the first time, as far as is remembered.
    fn comes_first(&self, event: EventId) -> bool {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if tried.len() >= TRIED_EVENTS_MAX {
            tried.clear();
        }
        tried.insert(event)
    }

    async fn use_of_key(&self, waiting: &WaitingRequest, intent: &Intent) -> Result<KeyUse, StoreError> {
        let key: &IntentKey = &waiting.key;
        if let Some(there) = self.core.store.waiting_under(key).await? {
            return Ok(if there.request == waiting.request { KeyUse::Same } else { KeyUse::Other });
        }
        let Some(stored) = self.core.store.intent(key).await?.filter(|stored| !stored.is_refused()) else {
            return Ok(KeyUse::Free);
        };
        // What was estimated is in the signed bytes alone.
        let estimated = call_of(&stored).and_then(|signed| signed.gas);
        let gas_limit = waiting.request.gas_limit.or(estimated).unwrap_or_default();
        let with_gas = Intent { gas_limit, ..intent.clone() };
        let is_same = stored.fingerprint == with_gas.fingerprint(stored.sender, self.core.profile.chain_id);
        Ok(if is_same { KeyUse::Same } else { KeyUse::Other })
    }

    fn take(&self, waiting: &WaitingRequest, intent: &Intent) -> Result<Reaction, StoreError> {
        let group = &waiting.request.lane_group;
        match self.groups.lane_for(group, intent, self.core.profile.chain_id) {
            Some(lane) => {
                #[cfg(test)]
                let waiting = &self.planted(waiting);
                Ok(Reaction::Unit(Box::new(self.core.store.taking(waiting, lane)?)))
            }
            None => {
                let reason = format!("there is no lane group `{group}`");
                self.refuse(&waiting.origin, waiting.key.to_string(), "unknown_lane_group", reason)
            }
        }
    }

    #[cfg(test)]
    fn planted(&self, waiting: &WaitingRequest) -> WaitingRequest {
        let mut waiting = waiting.clone();
        if self.core.mutant == Some(crate::simulation::Mutant::NotPinned) {
            waiting.request.order_subject = None;
        }
        waiting
    }

    /// Begins or ends that the service reads what a contract logs. What cannot be is parked, for a person: it has no answer.
    async fn watch(&self, watch: &Watch, event: &RecordedEvent) -> Result<Reaction, HandlerError> {
        let (Watch::Begun(watched) | Watch::Ended(watched)) = watch;
        if watched.chain_id != self.core.profile.chain_id {
            return Ok(Reaction::Nothing);
        }
        let poison = |why: String| HandlerError::Poison { why };
        let address = watched.address.parse::<Address>();
        let address = address.map_err(|error| poison(format!("`{}` is no address: {error}", watched.address)))?;
        let (origin, store) = (Origin::of(event), &self.core.store);
        let unit = match watch {
            Watch::Ended(_) => store.unwatching(&origin, &self.requester, address),
            Watch::Begun(_) => {
                let others = store.watched().await.map_err(of_store)?;
                if others.len() >= WATCHED_MAX && !others.contains(&address) {
                    return Err(poison(format!("{WATCHED_MAX} contracts are watched already, which is the limit")));
                }
                store.watching(&origin, &self.requester, address)
            }
        };
        Ok(Reaction::Unit(Box::new(unit.map_err(of_store)?)))
    }

    fn refuse(&self, origin: &Origin, key: String, code: &str, reason: String) -> Result<Reaction, StoreError> {
        tracing::warn!(key, code, reason, "a request is refused");
        let refusal = RequestRefusal::new(code, reason);
        Ok(Reaction::Unit(Box::new(self.core.store.refusing(origin, key, refusal)?)))
    }
}

/// How a request's key is used.
enum KeyUse {
    Free,
    /// For the same.
    Same,
    Other,
}

impl Handler for Door {
    async fn handle(&self, event: &RecordedEvent) -> Result<Reaction, HandlerError> {
        let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
        // A person upgrades this release, or has the requester mended: until then no end can be told.
        let poison = |error: DecodeError| HandlerError::Poison { why: error.to_string() };
        let request = match TransactionRequested::decode(event_type, version, &event.payload) {
            Ok(request) => request,
            Err(DecodeError::UnknownType { .. }) => {
                return match Watch::decode(event_type, version, &event.payload) {
                    Ok(watch) => self.watch(&watch, event).await,
                    Err(DecodeError::UnknownType { .. }) => Ok(Reaction::Nothing),
                    Err(error) => Err(poison(error)),
                };
            }
            Err(error) => return Err(poison(error)),
        };
        if request.chain_id != self.core.profile.chain_id {
            return Ok(Reaction::Nothing);
        }
        let key = request.key.clone();
        let reaction = match self.judge(request, event).await {
            Ok(Verdict::Taken(waiting, intent)) => self.take(&waiting, &intent),
            Ok(Verdict::Refused { code, reason }) => self.refuse(&Origin::of(event), key, code, reason),
            Ok(Verdict::Repeated) => Ok(Reaction::Nothing),
            Err(error) => Err(error),
        };
        reaction.map_err(of_store)
    }
}

fn of_store(error: StoreError) -> HandlerError {
    match &error {
        StoreError::Append(_) | StoreError::Read(_) => HandlerError::Transient { why: error.to_string() },
        StoreError::Event(_) | StoreError::Name(_) | StoreError::Damaged { .. } => {
            HandlerError::Poison { why: error.to_string() }
        }
    }
}
