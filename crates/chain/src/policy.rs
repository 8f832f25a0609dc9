//! Policies of keys, as lanes keep to them: which one a key has, what it has spent, and how the policy is changed.
//!
//! Custody decides; what makes the decision hold lies in the store. What a key has spent is committed with the signed bytes, under
//! the lane's token, so that neither a crash nor a second process gives a limit or an approval twice. And a key that was used under a
//! policy is used under that very text, or under one that two persons put in its place: a file that somebody edited is refused.

use alloy_primitives::{Address, B256, keccak256};
use custody::policy::{Approval, Authorisation, Command, Policy, Refusal, UnixTime};
use custody::{KeyLabel, UnknownKey};

use crate::chain::{Chain, Core, LaneError};
use crate::intent::{Intent, IntentKey};
use crate::store::{LaneEvent, LaneRow, PolicyMark, StoreError, TakeError};

const REFERENCE_DOMAIN: &[u8] = b"lastro intent key v1";

/// The policy of a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePolicyError {
    /// Custody has no such key.
    #[error("the key whose policy is to change is not there")]
    Key(#[source] UnknownKey),
    /// The key was opened without the policy that is to be its next one. Set it with [`custody::Custody::set_policy`].
    #[error("key `{label}` has no policy in this process: give it the next one first")]
    NoNext {
        /// The key.
        label: KeyLabel,
    },
    /// What was given as the present policy is not the one that the key has.
    #[error("{}", present_words(*found, *stored))]
    NotPresent {
        /// The version given.
        found: u64,
        /// That of the key's policy; `None` if it has none yet.
        stored: Option<u64>,
    },
    /// Another process has the key's lane: stop it, so that nothing is signed under the present policy any more.
    #[error("another process holds the lane of {sender}")]
    Held {
        /// The key's address.
        sender: Address,
    },
    /// The present policy refuses the change.
    #[error("the policy of key `{label}` refuses its change")]
    Refused {
        /// The key.
        label: KeyLabel,
        /// Why.
        source: Box<Refusal>,
    },
    /// The store failed.
    #[error("cannot store the change of a policy")]
    Store(#[source] StoreError),
}

fn present_words(found: u64, stored: Option<u64>) -> String {
    match stored {
        Some(stored) => {
            format!("the key has the policy of version {stored} and another text than the one given, version {found}")
        }
        None => format!("the key has no policy yet, and so none of version {found}"),
    }
}

impl Intent {
    /// The intent with approvals of it, for a key whose policy takes some.
    #[must_use]
    pub fn approved_by(self, approvals: Vec<Approval>) -> Self {
        Self { approvals, ..self }
    }

    /// What approvers of the intent sign for, if this sender sends it on this chain: [`Command::hash`] with the intent's key as
    /// reference (keccak-256 of `lastro intent key v1` and the key). So approvals are for one key, which is one transaction. What was
    /// approved, signed and then refused by the node takes another key, and other approvals.
    pub fn command_hash(&self, sender: Address, chain_id: u64) -> B256 {
        let (target, value_wei, input) = (self.target.to().copied(), self.value_wei, &self.data);
        Command { chain_id, sender, target, value_wei, input, reference: reference(&self.key) }.hash()
    }
}

/// What keeps an intent's command apart from an equal one.
pub(crate) fn reference(key: &IntentKey) -> B256 {
    keccak256([REFERENCE_DOMAIN, key.as_str().as_bytes()].concat())
}

impl Chain {
    /// Puts the policy that custody has for the key in the place of `present`, the one that its transactions were signed under so
    /// far, if two persons approve that: see [`Policy::check_change`]. Until then [`Chain::lane`] refuses the key. The change and its
    /// approvals are told in the log.
    ///
    /// # Errors
    ///
    /// See [`ChangePolicyError`]; then the key has the policy that it had.
    pub async fn change_policy(
        &self,
        label: &KeyLabel,
        present: &Policy,
        approvals: &[Approval],
    ) -> Result<(), ChangePolicyError> {
        let core = &self.core;
        let sender = core.custody.address(label).map_err(ChangePolicyError::Key)?;
        let next = core.custody.policy(label).ok_or_else(|| ChangePolicyError::NoNext { label: label.clone() })?;
        let stored = core.store.policy(sender).await.map_err(ChangePolicyError::Store)?;
        let not_present =
            || ChangePolicyError::NotPresent { found: present.version(), stored: stored.map(|stored| stored.version) };
        if stored != Some(PolicyMark::of(present)) {
            return Err(not_present());
        }
        // Whoever had the lane signs nothing any more.
        let row = core.store.take_lane(sender, 0).await.map_err(|error| match error {
            TakeError::Held => ChangePolicyError::Held { sender },
            TakeError::Store(source) => ChangePolicyError::Store(source),
        })?;
        let by = Authorisation { now: core.store.now(), approvals, spent: &row.spent };
        let changed = match present.check_change(sender, next, &by) {
            Err(refusal) => Err(ChangePolicyError::Refused { label: label.clone(), source: Box::new(refusal) }),
            Ok(spent) => {
                let policies = [present, next].map(PolicyMark::of);
                let told = LaneEvent::policy_changed(sender, policies, approvals);
                let changed = core.store.change_policy(sender, row.fence, policies, told, [&row.spent, &spent]).await;
                changed.map_err(ChangePolicyError::Store)
            }
        };
        // Whoever has the policy that the key has now takes it; a lane that this process has open takes it anew.
        core.store.release_lane(sender, row.fence).await;
        if changed? { Ok(()) } else { Err(not_present()) }
    }
}

impl Core {
    /// Refuses a key whose policy is another than the one that it was used under, and notes the first that it has. Whoever calls this
    /// has the lane.
    pub(crate) async fn check_policy(&self, label: &KeyLabel, sender: Address) -> Result<(), LaneError> {
        let Some(first) = self.first_policy(label, sender).await? else { return Ok(()) };
        let is_noted = self.store.begin_policy(sender, first).await.map_err(LaneError::Store)?;
        if is_noted { Ok(()) } else { Err(LaneError::Held { sender }) }
    }

    /// Refuses a key whose policy is another than the one that it was used under, and gives its policy if that is its first.
    pub(crate) async fn first_policy(
        &self,
        label: &KeyLabel,
        sender: Address,
    ) -> Result<Option<PolicyMark>, LaneError> {
        let found = self.custody.policy(label).map(PolicyMark::of);
        let stored = self.store.policy(sender).await.map_err(LaneError::Store)?;
        match (stored, found) {
            (None, Some(first)) => Ok(Some(first)),
            (stored, found) if stored == found => Ok(None),
            (stored, found) => Err(LaneError::OtherPolicy {
                label: label.clone(),
                stored: stored.map_or(0, |stored| stored.version),
                found: found.map(|found| found.version),
            }),
        }
    }

    /// What the key's policy is asked with.
    pub(crate) fn authorisation<'a>(&self, approvals: &'a [Approval], row: &'a LaneRow) -> Authorisation<'a> {
        Authorisation { now: self.store.now(), approvals, spent: &row.spent }
    }
}

/// Seconds of a time in microseconds. Before 1970 it is 1970.
pub(crate) fn seconds(micros: i64) -> UnixTime {
    UnixTime(u64::try_from(micros / 1_000_000).unwrap_or(0))
}
