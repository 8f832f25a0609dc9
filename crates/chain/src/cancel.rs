//! Cancelling: an empty transaction competes with a stored one for its nonce, and the ledger decides between the two.
//!
//! It is what is left where a node refuses a transaction that it may have all the same, and what a person orders for one that is
//! not wanted any more. Dying half-way leaves either nothing, or both transactions stored: then whoever waits for the outcome, or
//! the next process with the lane, sends the empty one.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use tokio::sync::MutexGuard;

use crate::chain::{Chain, Core, LaneError, LaneState};
use crate::dearer::fees_to_replace;
use crate::intent::{Intent, IntentKey, intrinsic_gas};
use crate::lane::{SubmitError, Submitted};
use crate::outcome::{Mined, Outcome};
use crate::pause::OperatorText;
use crate::policy::reference;
use crate::profile::Profile;
use crate::store::{Filler, LaneRow, StoreError, StoredIntent, TakeError};

/// An empty transaction is stored that competes with the intent's.
#[derive(Debug)]
pub struct CancelBegun {
    /// The intent's key.
    pub key: IntentKey,
    /// Its nonce.
    pub nonce: u64,
    /// Hash of its transaction.
    pub hash: B256,
    /// Hash of the empty one.
    pub empty_hash: B256,
    /// Why the intent is not wanted any more: the reason of its refusal if the empty one wins.
    pub reason: String,
    /// Whether somebody had begun this before: then that reason stands.
    pub is_repeated: bool,
    /// Whether the node has the empty one. If not, whoever waits for the outcome sends it again.
    pub delivery: Result<Submitted, SubmitError>,
}

/// Which transaction used the nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Winner<'a> {
    /// The intent's own: it was too late to cancel it.
    Original(&'a Mined),
    /// The empty one: the intent has no effect.
    Empty,
    /// A stranger's, as the reason says: the intent has no effect either.
    Foreign(&'a str),
}

impl CancelBegun {
    /// Who won, as the intent's outcome says.
    pub fn winner<'a>(&self, outcome: &'a Outcome) -> Winner<'a> {
        match outcome {
            Outcome::Mined(mined) => Winner::Original(mined),
            // The store keeps this reason for a refusal by the empty transaction, and another for each other one.
            Outcome::Refused(refusal) if refusal.reason == self.reason => Winner::Empty,
            Outcome::Refused(refusal) => Winner::Foreign(&refusal.reason),
        }
    }
}

/// An intent is not being cancelled by this call. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// Nothing was ever submitted under this key.
    #[error("there is no intent `{key}`")]
    NoSuchIntent {
        /// The key.
        key: IntentKey,
    },
    /// It has an end, which never changes.
    #[error("intent `{key}` has ended already")]
    Ended {
        /// The key.
        key: IntentKey,
        /// How.
        outcome: Box<Outcome>,
    },
    /// Custody does not have the sender's key, which must sign the empty transaction.
    #[error("the key of {sender}, who sent intent `{key}`, is not there")]
    NoKey {
        /// The key of the intent.
        key: IntentKey,
        /// The sender.
        sender: Address,
    },
    /// The sender's lane cannot be taken.
    #[error("intent `{key}` cannot be cancelled without its lane")]
    Lane {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: LaneError,
    },
    /// Another process took the lane just now. Stop it, or do it again there.
    #[error("the lane of {sender} is another process's, intent `{key}` is not being cancelled")]
    LaneLost {
        /// The key.
        key: IntentKey,
        /// The sender.
        sender: Address,
    },
    /// The empty transaction was not signed, or not stored.
    #[error("no empty transaction for intent `{key}` was stored")]
    NotStored {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: SubmitError,
    },
    /// The store cannot be read.
    #[error("cannot read intent `{key}`")]
    Store {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: StoreError,
    },
}

impl Chain {
    /// Has an empty transaction compete with an intent that has no end for its nonce, and sends it; [`Chain::outcome`] says then
    /// which of the two won. Taking the lane for this sends nothing before the empty one is stored, so that a transaction that the
    /// node has lost does not come back first. A node that has it takes no other of the same price in its place.
    ///
    /// # Errors
    ///
    /// See [`CancelError`].
    ///
    /// # Cancel safety
    ///
    /// When dropped, the empty transaction may be stored or not. Call it again to know: what is stored is sent, never another.
    pub async fn cancel(
        &self,
        key: &IntentKey,
        why: &OperatorText,
        who: &OperatorText,
    ) -> Result<CancelBegun, CancelError> {
        self.core.cancel(key, &format!("cancelled by {who}: {why}")).await
    }
}

impl Core {
    async fn cancel(&self, key: &IntentKey, reason: &str) -> Result<CancelBegun, CancelError> {
        let intent = self.open_intent(key).await?;
        let (cancelling, is_repeated) = match intent.cancelling {
            Some(_) => (intent, true),
            None => self.begun(&intent, reason).await?,
        };
        let (nonce, hash, sender) = (cancelling.nonce, cancelling.hash, cancelling.sender);
        let Some((reason, filler)) = cancelling.cancelling.clone() else {
            return Err(CancelError::LaneLost { key: key.clone(), sender });
        };
        let delivery = self.deliver_again(cancelling).await;
        Ok(CancelBegun { key: key.clone(), nonce, hash, empty_hash: filler.hash, reason, is_repeated, delivery })
    }

    async fn open_intent(&self, key: &IntentKey) -> Result<StoredIntent, CancelError> {
        let stored = self.store.intent(key).await;
        let stored = stored.map_err(|source| CancelError::Store { key: key.clone(), source })?;
        let mut stored = stored.ok_or_else(|| CancelError::NoSuchIntent { key: key.clone() })?;
        match stored.outcome.take() {
            None => Ok(stored),
            Some(outcome) => Err(CancelError::Ended { key: key.clone(), outcome: Box::new(outcome) }),
        }
    }

    /// The intent with an empty transaction beside it, and whether somebody else stored that one.
    async fn begun(&self, intent: &StoredIntent, reason: &str) -> Result<(StoredIntent, bool), CancelError> {
        let (key, sender) = (&intent.key, intent.sender);
        let label = self.key_of(sender).ok_or_else(|| CancelError::NoKey { key: key.clone(), sender })?;
        let held = self.held_lane(&label).await;
        let (lane, is_new) = held.map_err(|source| CancelError::Lane { key: key.clone(), source })?;
        let mut begun = self.begin_cancelling(&lane, lane.row.lock().await, intent, reason).await;
        if matches!(begun, Ok(None)) && self.open_intent(key).await?.cancelling.is_none() {
            // Another process had the lane meanwhile. If that one is gone, it is ours again.
            begun = match self.reload(&lane, 0).await {
                Ok(()) => self.begin_cancelling(&lane, lane.row.lock().await, intent, reason).await,
                Err(TakeError::Held) => Ok(None),
                Err(TakeError::Store(source)) => return Err(CancelError::Store { key: key.clone(), source }),
            };
        }
        if is_new {
            // Now that the empty one is stored, or is known not to be.
            self.recover(sender).await;
            self.keep(&lane);
        }
        match begun.map_err(|source| CancelError::NotStored { key: key.clone(), source })? {
            Some(cancelling) => Ok((cancelling, false)),
            // Somebody else ended it or cancels it, or has the lane: the latter is seen by neither being so.
            None => self.open_intent(key).await.map(|now| (now, true)),
        }
    }

    /// Stores the empty transaction that competes with the intent, and gives the intent as it stands then; `None` if it has ended
    /// meanwhile, is being cancelled already, or the lane is another process's.
    pub(crate) async fn begin_cancelling(
        &self,
        lane: &Arc<LaneState>,
        row: MutexGuard<'_, LaneRow>,
        intent: &StoredIntent,
        reason: &str,
    ) -> Result<Option<StoredIntent>, SubmitError> {
        let (fence, filler) = (row.fence, self.filler(lane, &row, intent)?);
        drop(row);
        let stored = self.store.cancel(intent, fence, &filler, reason).await;
        if !stored.map_err(|source| SubmitError::Store { key: intent.key.clone(), source })? {
            return Ok(None);
        }
        self.turns.send_modify(|turns| *turns += 1);
        Ok(Some(StoredIntent { cancelling: Some((reason.to_owned(), filler)), ..intent.clone() }))
    }

    /// The empty transaction with the intent's nonce: from the sender to itself, at a price by which a node that has the original takes
    /// it instead, where transactions have one.
    fn filler(&self, lane: &LaneState, row: &LaneRow, intent: &StoredIntent) -> Result<Filler, SubmitError> {
        let empty = Intent {
            key: intent.key.clone(),
            target: lane.sender.into(),
            data: Bytes::new(),
            value_wei: U256::ZERO,
            gas_limit: intrinsic_gas(&[], false, self.profile.rules),
            subject: String::new(),
            approvals: Vec::new(),
        };
        let dearer = Profile { fees: fees_to_replace(intent, self.profile.fees.to_replace()), ..self.profile.clone() };
        let unsigned = empty.unsigned(&dearer, intent.nonce);
        // Every policy allows it, at any time; it spends nothing, so that nothing is to be stored of it.
        let signed = match self.custody.policy(&lane.label) {
            None => self.custody.sign_transaction(&lane.label, &unsigned, self.profile.chain_id),
            Some(_) => {
                let by = self.authorisation(&[], row);
                let reference = reference(&intent.key);
                let signed = self.custody.sign_transaction_approved(
                    &lane.label,
                    &unsigned,
                    self.profile.chain_id,
                    reference,
                    &by,
                );
                signed.map(|(signed, _)| signed)
            }
        };
        let signed =
            signed.map_err(|source| SubmitError::Sign { key: intent.key.clone(), source: Box::new(source) })?;
        Ok(Filler { hash: signed.hash, raw: signed.raw })
    }
}
