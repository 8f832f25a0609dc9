//! A lane: the transactions of one sender, in the order of their nonces.

mod estimate;
mod part;

use std::sync::Arc;

use alloy_primitives::{Address, B256};
use custody::policy::{Approval, Policy, Spent};
use custody::{SignError, SignedTransaction};

pub use self::estimate::{ESTIMATE_MARGIN_PERCENT, EstimateError};
pub(crate) use self::part::Wanted;
use crate::chain::{Core, LaneError, LaneState};
use crate::intent::{Intent, IntentError, IntentKey};
use crate::policy::reference;
use crate::retirement::KeyRetirement;
use crate::store::{Admission, LaneRow, NewTransaction, Pending, RequestedBy, StoreError, StoredIntent, TakeError};
use crate::window::LaneWindow;

/// How often an intent is stored anew because its lane moved meanwhile. Each time somebody else's intent got in before it.
const ADMISSIONS_MAX: u32 = 32;

/// The transactions of one sender. Cheap to clone; all lanes of a sender are one.
#[derive(Clone)]
pub struct Lane {
    pub(crate) core: Arc<Core>,
    pub(crate) state: Arc<LaneState>,
}

/// An intent is stored as a transaction and the node has it, or it has an end already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its key.
    pub key: IntentKey,
    /// The transaction's hash, computed here.
    pub hash: B256,
    /// Who sends it.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Where the contract will be that it creates.
    pub created_address: Option<Address>,
    /// Whether the key had been submitted before: this is the same transaction.
    pub is_repeated: bool,
}

/// The intent was not submitted, or the node does not have it for certain.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// It can never succeed as it stands; it took no nonce.
    #[error("intent `{key}` cannot be sent")]
    Intent {
        /// The key; it is free.
        key: IntentKey,
        /// Why not.
        source: IntentError,
    },
    /// The key belongs to another intent. Nothing was done.
    #[error("intent key `{key}` was used for another intent")]
    KeyUsedOtherwise {
        /// The key.
        key: IntentKey,
    },
    /// Custody does not sign it, or the key's policy refuses it, which is told in the log; it took no nonce.
    #[error("intent `{key}` was not signed")]
    Sign {
        /// The key; it is free.
        key: IntentKey,
        /// Why not.
        source: Box<SignError>,
    },
    /// The key's policy was changed meanwhile, and this process has another. Nothing was stored; start it with the present one.
    #[error("intent `{key}` was not stored")]
    OtherPolicy {
        /// The key; it is free.
        key: IntentKey,
        /// Which policies these are.
        source: Box<LaneError>,
    },
    /// Nothing can be sent by this sender until somebody acts (fund it, permit it, mend the configuration), then
    /// [`Lane::resume`]; if the intent was stored already, it is sent then. Or a person paused the lane for every process that
    /// shares the store, and nothing was stored: [`Chain::resume_lane`](crate::Chain::resume_lane).
    #[error("lane of {sender} is paused: {reason}")]
    Paused {
        /// The sender.
        sender: Address,
        /// What the node said, or the person.
        reason: String,
    },
    /// The sender's key is retired, for ever, and nothing was stored. Submit it to the successor's lane.
    #[error("intent `{key}` was not stored: {retirement}")]
    Retired {
        /// The key; it is free.
        key: IntentKey,
        /// Since when, by whose order, and who comes after it.
        retirement: Box<KeyRetirement>,
    },
    /// The node refused it for good; it has no effect, and its key is free.
    #[error("intent `{key}` was refused: {reason}")]
    Refused {
        /// The key.
        key: IntentKey,
        /// What the node said.
        reason: String,
    },
    /// The attempts are used up, and nobody knows whether the node has it; or it is held back, and the lane has not moved for as
    /// long as all attempts take. It is stored: submit the same key again, or wait for its outcome, and the same bytes are sent
    /// again.
    #[error("it is unknown whether the node has intent `{key}` (transaction {hash}): {reason}")]
    Unsettled {
        /// The key.
        key: IntentKey,
        /// The transaction.
        hash: B256,
        /// What the last attempt met with.
        reason: String,
    },
    /// Another process that shares the store took the lane: this one was away for longer than its lease. Whether the key is
    /// stored, the other one knows; nothing new leaves from here before the lane is ours again.
    #[error("the lane of {sender} is another process's, intent `{key}` was not stored")]
    LaneLost {
        /// The key.
        key: IntentKey,
        /// The sender.
        sender: Address,
    },
    /// Others were stored before it each time it tried. Nothing was stored; submit it again.
    #[error("intent `{key}` found no place in its lane in {max} attempts", max = ADMISSIONS_MAX)]
    Contended {
        /// The key.
        key: IntentKey,
    },
    /// The store failed. Submit the same key again when it is mended: what was stored is found.
    #[error("intent `{key}` could not be stored")]
    Store {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: StoreError,
    },
}

/// A transaction with a place in the store's queue.
pub(crate) struct Queued {
    stored: StoredIntent,
    pending: Pending,
}

/// What the store says of an intent before anything is done.
enum Known {
    /// Nothing but refusals: this attempt is the next.
    Free { attempt: i64 },
    /// It was submitted before, and is not refused.
    Repeated(Box<StoredIntent>),
}

impl SubmitError {
    /// Whether the key's policy refuses it.
    fn is_by_policy(&self) -> bool {
        matches!(self, Self::Sign { source, .. } if matches!(**source, SignError::Policy { .. }))
    }
}

impl Lane {
    /// Who sends.
    pub fn sender(&self) -> Address {
        self.state.sender
    }

    /// How many of its transactions are offered to the node at once, as learnt up to now, and how many wait for their turn.
    pub fn window(&self) -> LaneWindow {
        self.core.windows.of(self.state.sender).view()
    }

    /// Stores the intent as a signed transaction, then sends it until the node has it. Many may be submitted at once: their
    /// transactions share commits. The same key with the same intent is the same transaction, never a second one.
    ///
    /// A node takes only so many transactions of a sender ahead of the ledger. One further ahead than the lane's [`window`] reaches
    /// is stored at once, and offered when its turn comes: this waits for it as long as the lane moves. What is answered is always
    /// that the node has it. Whoever does not want to wait may drop this: the lane offers what is stored all the same.
    ///
    /// [`window`]: Self::window
    ///
    /// # Errors
    ///
    /// See [`SubmitError`], which says for each case whether the key is free.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the intent may be stored or not, sent or not. Submit the same key again to know.
    pub async fn submit(&self, intent: &Intent) -> Result<Submitted, SubmitError> {
        self.check(intent)?;
        for _ in 0..ADMISSIONS_MAX {
            let attempt = match self.known(intent).await? {
                Known::Free { attempt } => attempt,
                Known::Repeated(stored) => return self.core.deliver_again(*stored).await,
            };
            let Some(queued) = self.queue(intent, attempt, None).await? else { continue };
            if let Some(stored) = self.admitted(intent, queued).await? {
                return self.core.deliver_new(&self.state, stored).await;
            }
        }
        Err(SubmitError::Contended { key: intent.key.clone() })
    }

    /// Submits the intents with nonces in the order of the list, in as few commits as possible, and sends them in that order.
    /// One that fails does not keep the others back, and each has its own result, in the order of the list.
    ///
    /// # Cancel safety
    ///
    /// As with [`Lane::submit`].
    pub async fn submit_all(&self, intents: &[Intent]) -> Vec<Result<Submitted, SubmitError>> {
        let wanted = intents.iter().map(|intent| Wanted { intent, requested: None }).collect();
        let queue = self.queue_part(wanted, |_| true).await;
        let mut results = Vec::with_capacity(intents.len());
        for (intent, queued) in intents.iter().zip(queue) {
            results.push(match queued {
                Err(error) => Err(error),
                // It was there before.
                Ok(None) => self.submit(intent).await,
                Ok(Some(queued)) => self.submit_queued(intent, queued).await,
            });
        }
        results
    }

    /// Lets a lane send again that was paused by a node's answer; a person's pause stays. What was stored is sent by whoever waits for its outcome, or by the same key.
    pub fn resume(&self) {
        self.state.resume();
    }

    async fn submit_queued(&self, intent: &Intent, queued: Queued) -> Result<Submitted, SubmitError> {
        match self.admitted(intent, queued).await? {
            Some(stored) => self.core.deliver_new(&self.state, stored).await,
            None => self.submit(intent).await,
        }
    }

    fn check(&self, intent: &Intent) -> Result<(), SubmitError> {
        let failed = |source| SubmitError::Intent { key: intent.key.clone(), source };
        intent.check(&self.core.profile).map_err(failed)
    }

    /// What the store has under the key. On a paused lane only what has an end already is answered.
    async fn known(&self, intent: &Intent) -> Result<Known, SubmitError> {
        let stored = self.stored(intent).await?;
        let has_ended = stored.as_ref().is_some_and(|stored| stored.outcome.is_some() && !stored.is_refused());
        let paused = self.state.paused().or_else(|| self.core.stopped().cloned());
        if let Some(reason) = paused.filter(|_| !has_ended) {
            return Err(SubmitError::Paused { sender: self.state.sender, reason });
        }
        Ok(match stored {
            None => Known::Free { attempt: 1 },
            Some(refused) if refused.is_refused() => Known::Free { attempt: refused.attempt + 1 },
            Some(stored) => Known::Repeated(Box::new(stored)),
        })
    }

    /// Takes the next nonce, signs, and takes a place in the store's queue: under the lane's lock, so that places come in the
    /// order of nonces. Nothing has left this process yet. `None` if the key was taken meanwhile, and all is to be looked at again.
    async fn queue(
        &self,
        intent: &Intent,
        attempt: i64,
        requested: Option<RequestedBy>,
    ) -> Result<Option<Queued>, SubmitError> {
        let mut row = self.state.row.lock().await;
        self.queue_next(&mut row, intent, attempt, requested, None).await
    }

    /// The same under the lane's lock. What was signed before for the lane's next nonce is not signed again.
    async fn queue_next(
        &self,
        row: &mut LaneRow,
        intent: &Intent,
        attempt: i64,
        requested: Option<RequestedBy>,
        signed: Option<StoredIntent>,
    ) -> Result<Option<Queued>, SubmitError> {
        self.core.check_not_barred(&self.state, row, &intent.key).await?;
        let signed = match signed.filter(|signed| signed.nonce == row.next_nonce) {
            Some(signed) => Ok((signed, None)),
            None => self.sign(intent, attempt, row),
        };
        let signed = match signed {
            Err(refused) if refused.is_by_policy() => {
                self.sign_on_what_is_stored(intent, attempt, requested.as_ref(), row).await?
            }
            signed => Some(signed?),
        };
        let Some((mut stored, spent)) = signed else { return Ok(None) };
        stored.origin = requested.as_ref().map(|requested| Box::new(requested.origin.clone()));
        #[cfg(test)]
        self.core.broadcast_before_commit(&stored).await;
        let new = NewTransaction {
            key: stored.key.clone(),
            attempt,
            fingerprint: stored.fingerprint,
            subject: stored.subject.clone(),
            sender: stored.sender,
            nonce: stored.nonce,
            fence: row.fence,
            hash: stored.hash,
            raw: stored.raw.clone(),
            created_address: stored.created_address,
            policy: self.core.custody.policy(&self.state.label).map(Policy::hash),
            approvals: spent.as_ref().map(|now| self.approvals_used(intent, now)).unwrap_or_default(),
            spent: spent.map(|now| (row.spent.clone(), now)),
            requested,
        };
        // This may be dropped while it waits for a place, and then nothing of it must be thought to be spent or not.
        let pending = self.core.store.enqueue(&new).await;
        let pending = pending.map_err(|source| SubmitError::Store { key: intent.key.clone(), source })?;
        row.next_nonce += 1;
        if let Some((_, now)) = new.spent {
            row.spent = now;
        }
        Ok(Some(Queued { stored, pending }))
    }

    /// The approvals, if the policy's decision has used them.
    fn approvals_used(&self, intent: &Intent, now: &Spent) -> Vec<Approval> {
        let command = intent.command_hash(self.state.sender, self.core.profile.chain_id);
        if now.commands.contains_key(&command) { intent.approvals.clone() } else { Vec::new() }
    }

    /// A policy's refusal was decided on what is queued and may never be stored, or on this very intent's own first use. Decides once
    /// more on what is stored; `None` if the intent itself is stored by now.
    async fn sign_on_what_is_stored(
        &self,
        intent: &Intent,
        attempt: i64,
        requested: Option<&RequestedBy>,
        row: &mut LaneRow,
    ) -> Result<Option<(StoredIntent, Option<Spent>)>, SubmitError> {
        // Whoever was queued before this has been stored or not when it is answered, and nobody is queued meanwhile.
        self.take_again(&intent.key, row).await?;
        if self.stored(intent).await?.is_some_and(|stored| stored.attempt >= attempt) {
            return Ok(None);
        }
        match self.sign(intent, attempt, row) {
            Ok(signed) => Ok(Some(signed)),
            Err(refused) => Err(self.told(intent, requested, refused).await?),
        }
    }

    /// Reads where the lane is, as its holder; what another one left open is sent.
    async fn take_again(&self, key: &IntentKey, row: &mut LaneRow) -> Result<(), SubmitError> {
        let (core, state) = (&self.core, &self.state);
        let fence_before = row.fence;
        match core.store.take_lane(state.sender, 0).await {
            Ok(taken) => {
                core.windows.of(state.sender).stored_below(taken.next_nonce);
                *row = taken;
            }
            Err(TakeError::Store(source)) => return Err(SubmitError::Store { key: key.clone(), source }),
            Err(TakeError::Held) => {
                core.forget_lane(state).await;
                return Err(SubmitError::LaneLost { key: key.clone(), sender: state.sender });
            }
        }
        if let Err(error) = core.check_policy(&state.label, state.sender).await {
            core.forget_lane(state).await;
            core.store.release_lane(state.sender, row.fence).await;
            return Err(SubmitError::OtherPolicy { key: key.clone(), source: Box::new(error) });
        }
        core.keep_lane(state).await;
        if row.fence != fence_before + 1 {
            core.recover(state.sender).await;
        }
        Ok(())
    }

    /// The intent if it is stored; `None` if the lane moved or the key was taken, and all is to be looked at again.
    pub(crate) async fn admitted(&self, intent: &Intent, queued: Queued) -> Result<Option<StoredIntent>, SubmitError> {
        let failed = |source| SubmitError::Store { key: intent.key.clone(), source };
        let admission = queued.pending.admitted().await;
        if let Ok(Admission::Stored) = admission {
            self.core.windows.of(self.state.sender).stored_below(queued.stored.nonce + 1);
            return Ok(Some(queued.stored));
        }
        // The nonce was not used, or that is not known: the store says where the lane is.
        self.take_again(&intent.key, &mut *self.state.row.lock().await).await?;
        admission.map_err(failed).map(|_| None)
    }

    /// The intent as stored before under its key.
    async fn stored(&self, intent: &Intent) -> Result<Option<StoredIntent>, SubmitError> {
        let failed = |source| SubmitError::Store { key: intent.key.clone(), source };
        let stored = self.core.store.intent(&intent.key).await.map_err(failed)?;
        let ours = intent.fingerprint(self.state.sender, self.core.profile.chain_id);
        match stored {
            Some(stored) if !stored.is_refused() && stored.fingerprint != ours => {
                Err(SubmitError::KeyUsedOtherwise { key: intent.key.clone() })
            }
            other => Ok(other),
        }
    }

    /// Tells the log that the key's policy refuses the intent, if it is that.
    async fn told(
        &self,
        intent: &Intent,
        requested: Option<&RequestedBy>,
        refused: SubmitError,
    ) -> Result<SubmitError, SubmitError> {
        let SubmitError::Sign { source, .. } = &refused else { return Ok(refused) };
        let SignError::Policy { source: refusal, .. } = source.as_ref() else { return Ok(refused) };
        let origin = requested.map(|requested| &requested.origin);
        let told = self.core.store.tell_refused(self.state.sender, intent, refusal, origin).await;
        told.map_err(|source| SubmitError::Store { key: intent.key.clone(), source })?;
        Ok(refused)
    }

    /// The transaction, and what the key has spent then if it has a policy.
    fn sign(&self, intent: &Intent, attempt: i64, row: &LaneRow) -> Result<(StoredIntent, Option<Spent>), SubmitError> {
        let (chain_id, nonce) = (self.core.profile.chain_id, row.next_nonce);
        let (custody, label) = (&self.core.custody, &self.state.label);
        if custody.policy(label).is_none() {
            return self.sign_without_policy(intent, attempt, nonce).map(|signed| (signed, None));
        }
        let unsigned = intent.unsigned(&self.core.profile, nonce);
        let by = self.core.authorisation(&intent.approvals, row);
        let signed = custody.sign_transaction_approved(label, &unsigned, chain_id, reference(&intent.key), &by);
        let (signed, spent) = signed.map_err(|source| not_signed(intent, source))?;
        Ok((self.to_be_stored(intent, attempt, nonce, signed), Some(spent)))
    }

    fn sign_without_policy(&self, intent: &Intent, attempt: i64, nonce: u64) -> Result<StoredIntent, SubmitError> {
        let (profile, label) = (&self.core.profile, &self.state.label);
        let unsigned = intent.unsigned(profile, nonce);
        let signed = self.core.custody.sign_transaction(label, &unsigned, profile.chain_id);
        let signed = signed.map_err(|source| not_signed(intent, source))?;
        Ok(self.to_be_stored(intent, attempt, nonce, signed))
    }

    fn to_be_stored(&self, intent: &Intent, attempt: i64, nonce: u64, signed: SignedTransaction) -> StoredIntent {
        assert_eq!(
            (signed.sender, signed.nonce),
            (self.state.sender, nonce),
            "custody signed for another sender or nonce than the lane's"
        );
        StoredIntent {
            key: intent.key.clone(),
            attempt,
            fingerprint: intent.fingerprint(signed.sender, self.core.profile.chain_id),
            subject: intent.subject.clone(),
            sender: signed.sender,
            nonce,
            hash: signed.hash,
            raw: signed.raw,
            earlier: Vec::new(),
            created_address: intent.target.is_create().then(|| signed.sender.create(nonce)),
            cancelling: None,
            outcome: None,
            is_without_logs: false,
            origin: None,
        }
    }
}

fn not_signed(intent: &Intent, source: SignError) -> SubmitError {
    SubmitError::Sign { key: intent.key.clone(), source: Box::new(source) }
}

impl Core {
    /// Reads where the lane is, and moves it to the nonce at least. Whoever queued before this is counted in. If another
    /// process had the lane meanwhile, what that one left open is sent.
    pub(crate) async fn reload(&self, lane: &LaneState, nonce_min: u64) -> Result<(), TakeError> {
        let mut row = lane.row.lock().await;
        let fence_before = row.fence;
        *row = self.store.take_lane(lane.sender, nonce_min).await?;
        self.windows.of(lane.sender).stored_below(row.next_nonce);
        let is_continued = row.fence == fence_before + 1;
        drop(row);
        if !is_continued {
            self.recover(lane.sender).await;
        }
        Ok(())
    }
}

pub(crate) fn submitted(stored: &StoredIntent, is_repeated: bool) -> Submitted {
    Submitted {
        key: stored.key.clone(),
        hash: stored.hash,
        sender: stored.sender,
        nonce: stored.nonce,
        created_address: stored.created_address,
        is_repeated,
    }
}
