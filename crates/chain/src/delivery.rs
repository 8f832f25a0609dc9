//! Gets stored bytes to the node, and decides what an answer means for the intent.
//!
//! One transaction is offered again and again, always the same bytes, until an answer settles it or the attempts are used up.
//! What the settled answer means is decided in one place, [`Core::conclude`].

use std::sync::atomic::Ordering;

use alloy_primitives::{Address, B256, Bytes};
use node_errors::{Meaning, NextStep};

use crate::chain::{Core, LaneState};
use crate::dearer::price_of;
use crate::intent::IntentKey;
use crate::lane::{SubmitError, Submitted, submitted};
use crate::outcome::{Outcome, Refusal};
use crate::profile::FeeModel;
use crate::rpc::{At, RpcError};
use crate::settlement::displaced;
use crate::store::{StoreError, StoredIntent, TakeError};

/// How many blocks are searched, from the head down, for the transaction that used a nonce: 1,024 times the time of a block,
/// so 256 s where a block takes 250 ms, 17 minutes where it takes 1 s. What lies further back stays unsettled, for a person.
const PROOF_BLOCKS_MAX: u64 = 1024;

/// How many answers must say that a transaction offers too little before it is made dearer: what blocks ask for may fall.
const TOO_CHEAP_ANSWERS: u32 = 3;

/// A transaction to be sent: an intent's, or the empty one that competes with it for the nonce.
pub(crate) struct Outgoing<'a> {
    key: &'a IntentKey,
    sender: Address,
    nonce: u64,
    hash: B256,
    raw: &'a Bytes,
    /// The other of the two, where there are two.
    rival: Option<B256>,
    /// The intent's own transaction at lower prices.
    earlier: &'a [B256],
}

impl<'a> Outgoing<'a> {
    /// What is to be sent for the intent as it stands.
    pub(crate) fn of(intent: &'a StoredIntent) -> Self {
        let StoredIntent { key, sender, nonce, hash, raw, cancelling, earlier, .. } = intent;
        let (sender, nonce, hash) = (*sender, *nonce, *hash);
        match cancelling {
            None => Self { key, sender, nonce, hash, raw, rival: None, earlier },
            Some((_, filler)) => {
                Self { key, sender, nonce, hash: filler.hash, raw: &filler.raw, rival: Some(hash), earlier }
            }
        }
    }

    pub(crate) fn sender(&self) -> Address {
        self.sender
    }

    pub(crate) fn nonce(&self) -> u64 {
        self.nonce
    }

    /// What does the same, the dearest first: one that a node has is as good as another.
    fn as_good(&self) -> impl Iterator<Item = B256> {
        let earlier = if self.rival.is_none() { self.earlier } else { &[] };
        std::iter::once(self.hash).chain(earlier.iter().rev().copied())
    }

    fn has_a_price(&self) -> bool {
        self.rival.is_none() && price_of(self.raw).is_some_and(|(_, fees)| fees != FeeModel::Free)
    }

    fn is_ours(&self, hash: B256) -> bool {
        self.hash == hash || self.rival == Some(hash) || self.earlier.contains(&hash)
    }
}

/// What is known after all offers.
pub(crate) enum Delivered {
    /// The node has it.
    Taken,
    /// The node refuses it for good. `is_certain` if that is the answer to the first offer of all that this delivery made, and it is
    /// the intent's first delivery; of other deliveries of the same bytes the store knows. After an earlier offer it is not: a proxy
    /// that passes a request on twice shows one of two answers, so that one who was asked to wait may have been taken all the same.
    Refused { reason: String, is_certain: bool },
    /// Another transaction used its nonce; this is the proof.
    Displaced { by: B256 },
    /// Nothing of this sender is taken until somebody acts.
    Paused { reason: String },
    /// Its price is too low for the node.
    TooCheap { reason: String },
    /// The attempts are used up.
    Unsettled { reason: String },
}

/// What one offer was met with.
#[derive(Debug)]
pub(crate) enum Offer {
    Taken,
    Refused(String),
    /// Nobody knows whether the node has it.
    Unknown(String),
    /// The node says that it does not have it, and may take it later.
    Later(String),
    /// The node does not take it at its price.
    TooCheap(String),
    /// The nonce is used or held by something: look.
    LookUp(String),
    /// The node misses a lower nonce of the sender.
    LowerMissing(String),
    /// The node has as many of the sender as it takes: the lane's window has shrunk, and the turn of this one comes.
    TooFarAhead(String),
    Pause(String),
}

impl Offer {
    /// Whether the node does not have it, or that is not known, and it may take it later.
    pub(crate) fn is_to_be_offered_again(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::Later(_) | Self::TooCheap(_) | Self::LowerMissing(_) | Self::TooFarAhead(_) => {
                true
            }
            Self::Taken | Self::Refused(_) | Self::LookUp(_) | Self::Pause(_) => false,
        }
    }
}

/// What looking at the ledger showed.
enum Seen {
    Ours,
    Displaced { by: B256 },
    NotYet,
}

impl Core {
    /// Sends a transaction that was stored just now.
    pub(crate) async fn deliver_new(&self, lane: &LaneState, intent: StoredIntent) -> Result<Submitted, SubmitError> {
        if let Some(reason) = lane.paused() {
            return Err(SubmitError::Paused { sender: lane.sender, reason });
        }
        self.deliver(intent, true).await
    }

    /// Sends a transaction that may have been sent before, or that its first delivery may be sending now.
    pub(crate) async fn deliver_again(&self, intent: StoredIntent) -> Result<Submitted, SubmitError> {
        if intent.outcome.is_some() {
            return Ok(submitted(&intent, true));
        }
        let intent = self.announce_again(intent).await?;
        match &intent.outcome {
            None => {}
            Some(Outcome::Mined(_)) => return Ok(submitted(&intent, true)),
            Some(Outcome::Refused(refusal)) => {
                return Err(SubmitError::Refused { key: intent.key.clone(), reason: refusal.reason.clone() });
            }
        }
        self.deliver(intent, false).await
    }

    /// Offers it until that is settled, at higher prices if its own is too low.
    async fn deliver(&self, mut intent: StoredIntent, is_fresh: bool) -> Result<Submitted, SubmitError> {
        loop {
            let is_first = is_fresh && intent.earlier.is_empty();
            let delivered = self.offer_until_settled(&Outgoing::of(&intent), is_first).await;
            let Delivered::TooCheap { reason } = delivered else {
                return self.conclude(&intent, delivered, !is_fresh).await;
            };
            let dearer = self.at_a_higher_price(&intent).await;
            match dearer.map_err(|source| SubmitError::Store { key: intent.key.clone(), source })? {
                Some(dearer) => intent = dearer,
                None => {
                    // Whoever gives up leaves it to the lane's keeper.
                    self.windows.of(intent.sender).leave(intent.nonce);
                    return self.conclude(&intent, Delivered::Unsettled { reason }, !is_fresh).await;
                }
            }
        }
    }

    /// Says in the store, before any byte leaves, that its first delivery is no longer the only one that sends the intent. The
    /// store puts this and giving back the nonce in an order: whichever comes second finds the other and holds off.
    async fn announce_again(&self, intent: StoredIntent) -> Result<StoredIntent, SubmitError> {
        #[cfg(test)]
        if self.mutant == Some(crate::simulation::Mutant::SentAgainUnannounced) {
            return Ok(intent);
        }
        let announced = self.store.send_again(&intent).await;
        announced.map_err(|source| SubmitError::Store { key: intent.key, source })
    }

    /// Decides what the answer means for the intent, and stores that.
    pub(crate) async fn conclude(
        &self,
        intent: &StoredIntent,
        delivered: Delivered,
        is_repeated: bool,
    ) -> Result<Submitted, SubmitError> {
        let key = intent.key.clone();
        match delivered {
            Delivered::Taken => Ok(submitted(intent, is_repeated)),
            Delivered::Unsettled { reason } | Delivered::TooCheap { reason } => {
                Err(SubmitError::Unsettled { key, hash: intent.hash, reason })
            }
            Delivered::Paused { reason } => {
                self.pause_lane(intent.sender, &reason).await;
                Err(SubmitError::Paused { sender: intent.sender, reason })
            }
            Delivered::Displaced { by } => self.displaced(intent, by, is_repeated).await,
            Delivered::Refused { reason, .. } if intent.cancelling.is_some() => {
                // Not even an empty transaction is taken: the sender or the node is not as the profile says.
                self.pause_lane(intent.sender, &reason).await;
                Err(SubmitError::Paused { sender: intent.sender, reason })
            }
            Delivered::Refused { reason, is_certain } => self.refuse(intent, reason, is_certain, is_repeated).await,
        }
    }

    /// Ends an intent that the node refuses for good. Its nonce is given back if that is safe; if not, an empty transaction
    /// competes for it, and the ledger decides.
    async fn refuse(
        &self,
        intent: &StoredIntent,
        reason: String,
        is_certain: bool,
        is_repeated: bool,
    ) -> Result<Submitted, SubmitError> {
        let failed = |source| SubmitError::Store { key: intent.key.clone(), source };
        let Some(lane) = self.lane_of(intent.sender).await else {
            return Err(SubmitError::Unsettled { key: intent.key.clone(), hash: intent.hash, reason });
        };
        // Held across the store's answer, so that nobody takes the next nonce while this one may be given back.
        let mut row = lane.row.lock().await;
        if is_certain && row.next_nonce == intent.nonce + 1 {
            let is_given_back = self.store.give_back(intent, row.fence, &reason).await.map_err(failed)?;
            if is_given_back {
                row.next_nonce = intent.nonce;
                self.windows.of(intent.sender).given_back(intent.nonce);
                self.turns.send_modify(|turns| *turns += 1);
                return Err(SubmitError::Refused { key: intent.key.clone(), reason });
            }
        }
        let began = self.begin_cancelling(&lane, row, intent, &reason).await?;
        let Some(cancelling) = began else {
            // It has ended meanwhile, is being cancelled already, or the lane is another process's now. Nothing new is sent.
            return Err(SubmitError::Unsettled { key: intent.key.clone(), hash: intent.hash, reason });
        };
        match self.offer_until_settled(&Outgoing::of(&cancelling), false).await {
            Delivered::Refused { reason, .. } | Delivered::Paused { reason } => lane.pause(&reason),
            Delivered::Taken
            | Delivered::Displaced { .. }
            | Delivered::TooCheap { .. }
            | Delivered::Unsettled { .. } => {}
        }
        // Which of the two is mined, whoever waits for the outcome will see.
        Ok(submitted(&cancelling, is_repeated))
    }

    /// Ends an intent whose nonce another transaction used, if that is still what is to be said.
    async fn displaced(&self, intent: &StoredIntent, by: B256, is_repeated: bool) -> Result<Submitted, SubmitError> {
        let failed = |source| SubmitError::Store { key: intent.key.clone(), source };
        // Another delivery may have stored an end meanwhile, or the empty transaction that is ours too.
        let now = self.store.attempt(intent).await.map_err(failed)?;
        match (&now.outcome, &now.cancelling) {
            (Some(Outcome::Refused(refusal)), _) => {
                return Err(SubmitError::Refused { key: now.key.clone(), reason: refusal.reason.clone() });
            }
            (Some(Outcome::Mined(_)), _) => return Ok(submitted(&now, is_repeated)),
            (None, Some((_, filler))) if filler.hash == by => return Ok(submitted(&now, is_repeated)),
            (None, _) if now.is_own(by) => return Ok(submitted(&now, is_repeated)),
            (None, _) => {}
        }
        let reason = displaced(intent.nonce, by);
        if self.is_followed() {
            // One node's word; the followed blocks say whether it is so.
            return Err(SubmitError::Unsettled { key: now.key, hash: now.hash, reason });
        }
        tracing::error!(sender = %intent.sender, key = %intent.key, reason, "somebody else sends with our key");
        self.end_displaced(intent, &reason).await.map_err(failed)?;
        Err(SubmitError::Refused { key: now.key, reason })
    }

    async fn end_displaced(&self, intent: &StoredIntent, reason: &str) -> Result<(), StoreError> {
        self.store.settle(intent, &Outcome::Refused(Refusal { reason: reason.to_owned() })).await?;
        self.turns.send_modify(|turns| *turns += 1);
        if let Some(lane) = self.lane_of(intent.sender).await {
            match self.reload(&lane, intent.nonce + 1).await {
                Ok(()) | Err(TakeError::Held) => {}
                Err(TakeError::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    async fn pause_lane(&self, sender: Address, reason: &str) {
        if let Some(lane) = self.lane_of(sender).await {
            lane.pause(reason);
        }
    }

    /// Offers the same bytes, whenever it is their turn in the lane's window, until an answer settles them, the attempts are used
    /// up, or the lane does not move for as long as all attempts would take.
    async fn offer_until_settled(&self, tx: &Outgoing<'_>, is_fresh: bool) -> Delivered {
        let (window, patience) = (self.windows.of(tx.sender), self.profile.offers.whole());
        let (mut last, mut too_cheap) = (String::new(), 0);
        for attempt in 1..=self.profile.offers.attempts_max {
            if let Err(held_back) = window.turn(tx.nonce, patience).await {
                return Delivered::Unsettled { reason: held_back.to_string() };
            }
            last = match self.offer(tx).await {
                Offer::Taken => return Delivered::Taken,
                Offer::Refused(reason) => {
                    return Delivered::Refused { reason, is_certain: is_fresh && attempt == 1 };
                }
                Offer::Pause(reason) => return Delivered::Paused { reason },
                Offer::Unknown(reason) => {
                    #[cfg(test)]
                    if self.mutant == Some(crate::simulation::Mutant::NewNonceAfterUnknown) {
                        return Delivered::Refused { reason, is_certain: true };
                    }
                    reason
                }
                Offer::Later(reason) => reason,
                Offer::TooCheap(reason) => {
                    too_cheap += 1;
                    if too_cheap >= TOO_CHEAP_ANSWERS && tx.has_a_price() {
                        return Delivered::TooCheap { reason };
                    }
                    reason
                }
                Offer::LookUp(reason) => match self.look_for(tx).await {
                    Ok(Seen::Ours) => return Delivered::Taken,
                    Ok(Seen::Displaced { by }) => return Delivered::Displaced { by },
                    Ok(Seen::NotYet) => reason,
                    Err(error) => error.to_string(),
                },
                Offer::LowerMissing(reason) => {
                    self.send_lower(tx).await;
                    reason
                }
                Offer::TooFarAhead(reason) if !window.has_turn(tx.nonce) => {
                    last = reason;
                    continue;
                }
                // Not even the lowest is taken: the node is behind the ledger that was seen.
                Offer::TooFarAhead(reason) => reason,
            };
            tracing::warn!(key = %tx.key, nonce = tx.nonce, attempt, reason = last, "the transaction is offered again");
            tokio::time::sleep(self.profile.offers.pause_after(attempt)).await;
        }
        // Whoever gives up leaves it to the lane's keeper.
        window.leave(tx.nonce);
        Delivered::Unsettled { reason: last }
    }

    /// Sends the bytes once and reads the answer, from which the lane's window learns.
    pub(crate) async fn offer(&self, tx: &Outgoing<'_>) -> Offer {
        if let Some(reason) = self.stopped() {
            return Offer::Pause(reason.clone());
        }
        let (offer, window) = (self.send(tx).await, self.windows.of(tx.sender));
        if matches!(offer, Offer::Taken) {
            window.taken();
        }
        if matches!(offer, Offer::TooFarAhead(_)) {
            let _ = self.too_far_ahead.fetch_add(1, Ordering::Relaxed);
            #[cfg(test)]
            if self.mutant == Some(crate::simulation::Mutant::NothingLearnt) {
                return offer;
            }
            window.refused(tx.nonce);
        }
        offer
    }

    async fn send(&self, tx: &Outgoing<'_>) -> Offer {
        match self.rpc.send_raw_transaction(tx.raw).await {
            Ok(hash) if hash == tx.hash => Offer::Taken,
            Ok(hash) => {
                let _ = self.wrong_hashes.fetch_add(1, Ordering::Relaxed);
                tracing::error!(key = %tx.key, ours = %tx.hash, named = %hash, "the node names another hash than ours");
                match self.rpc.transaction(tx.hash).await {
                    Ok(Some(_)) => Offer::Taken,
                    _ => Offer::Unknown(format!("the node named hash {hash} instead of {}", tx.hash)),
                }
            }
            Err(error) => read_refusal(&error),
        }
    }

    /// Looks whether the ledger has the transaction, or has proof that it never will: another one with its sender and nonce
    /// in a block. A count above the nonce alone proves nothing, since nodes behind one address may differ.
    async fn look_for(&self, tx: &Outgoing<'_>) -> Result<Seen, RpcError> {
        for hash in tx.as_good() {
            if self.rpc.transaction(hash).await?.is_some() {
                return Ok(Seen::Ours);
            }
        }
        if self.rpc.transaction_count(tx.sender, At::Latest).await? <= tx.nonce {
            return Ok(Seen::NotYet);
        }
        let head = self.rpc.block_number().await?;
        for number in (head.saturating_sub(PROOF_BLOCKS_MAX)..=head).rev() {
            let Some(block) = self.rpc.block(At::Number(number)).await? else { continue };
            let used = block.transactions.iter().find(|seen| seen.sender == tx.sender && seen.nonce == tx.nonce);
            if let Some(seen) = used {
                let is_final = head - number >= self.profile.finality_blocks;
                return Ok(match tx.is_ours(seen.hash) {
                    true => Seen::Ours,
                    false if is_final => Seen::Displaced { by: seen.hash },
                    // The block may go, and ours come back.
                    false => Seen::NotYet,
                });
            }
        }
        Ok(Seen::NotYet)
    }

    /// The transaction as the node sees it now: whether it has it at all, at whichever price.
    pub(crate) async fn is_known(&self, tx: &Outgoing<'_>) -> bool {
        for hash in tx.as_good() {
            if matches!(self.rpc.transaction(hash).await, Ok(Some(_))) {
                return true;
            }
        }
        false
    }

    /// A planted defect: the bytes leave before they are stored.
    #[cfg(test)]
    pub(crate) async fn broadcast_before_commit(&self, intent: &StoredIntent) {
        if self.mutant == Some(crate::simulation::Mutant::BroadcastBeforeCommit) {
            drop(self.rpc.send_raw_transaction(&intent.raw).await);
        }
    }
}

/// What an error means for a transaction that was offered.
fn read_refusal(error: &RpcError) -> Offer {
    let (text, answer) = match error {
        RpcError::NotSent { reason, .. } => return Offer::Later(reason.clone()),
        RpcError::OutcomeUnknown { reason, .. } => return Offer::Unknown(reason.clone()),
        RpcError::Answered { answer, .. } => (format!("{} ({})", answer.message, answer.code), answer),
    };
    let Some(row) = answer.row else { return Offer::Unknown(text) };
    match row.meaning.next_step() {
        NextStep::AwaitReceipt => Offer::Taken,
        NextStep::LookUpByHash => Offer::LookUp(text),
        NextStep::ShrinkWindow => Offer::TooFarAhead(text),
        // Something holds the nonce: ours at another price, or a stranger's.
        NextStep::Reprice if row.meaning == Meaning::ReplacementUnderpriced => Offer::LookUp(text),
        NextStep::Reprice => Offer::TooCheap(text),
        NextStep::WaitAndSendSameBytes | NextStep::OtherNode => Offer::Later(text),
        NextStep::RepairLowerNonce => Offer::LowerMissing(text),
        // The last four are answers to questions; to a transaction they say nothing.
        NextStep::SendSameBytesAgain | NextStep::AskForLess | NextStep::NotThere | NextStep::SubscribeAgain => {
            Offer::Unknown(text)
        }
        NextStep::Refuse | NextStep::DecodeRevert | NextStep::FixRequest => Offer::Refused(text),
        NextStep::PauseSender | NextStep::StopAndAlarm | NextStep::OtherMethod => Offer::Pause(text),
    }
}
