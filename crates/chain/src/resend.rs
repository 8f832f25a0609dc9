//! What is sent again without being asked for: after a restart, after blocks in which the ledger's nonce of a lane did not move,
//! after a silence, and where a lane waits for its lowest nonce.
//!
//! A lane's keeper speaks for it, and whoever waits for an outcome, since it waits for all that is before it, and who submitted that
//! may be gone. One speaks at a time; those who wait not more often than twice in a silence, however many they are.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use tokio::time::Instant;

use crate::chain::Core;
use crate::delivery::{Offer, Outgoing};
use crate::lane::SubmitError;
use crate::outcome::OutcomeError;
use crate::rpc::At;
use crate::store::{StoreError, StoredIntent};

/// The most transactions of a lane that one round sends again, the lowest first: more than any node keeps for a sender ahead of
/// its turn (Besu's layered pool: 200).
pub(crate) const ROUND_MAX: u64 = 256;

/// Which lanes are spoken for, and when that was done last.
#[derive(Debug, Default)]
pub(crate) struct Spoken(Mutex<HashMap<Address, Turn>>);

#[derive(Debug, Clone, Copy)]
enum Turn {
    Speaking,
    SpokenAt(Instant),
}

/// The right to speak for a lane, until it is dropped.
struct Speaking<'a> {
    spoken: &'a Spoken,
    sender: Address,
}

impl Spoken {
    fn turns(&self) -> MutexGuard<'_, HashMap<Address, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to speak, unless somebody else does, or did in the time of the pause.
    fn begin(&self, sender: Address, pause: Duration) -> Option<Speaking<'_>> {
        let mut turns = self.turns();
        match turns.get(&sender) {
            Some(Turn::Speaking) => None,
            Some(Turn::SpokenAt(at)) if at.elapsed() < pause => None,
            _ => {
                let _ = turns.insert(sender, Turn::Speaking);
                Some(Speaking { spoken: self, sender })
            }
        }
    }
}

impl Drop for Speaking<'_> {
    fn drop(&mut self) {
        let _ = self.spoken.turns().insert(self.sender, Turn::SpokenAt(Instant::now()));
    }
}

impl Core {
    /// Offers once what the sender has stored without an end. What an answer means is left to whoever waits for the outcome.
    pub(crate) async fn recover(&self, sender: Address) {
        let mut from = 0;
        while self.stopped().is_none() {
            let open = match self.announced(sender, from, u64::MAX).await {
                Ok(open) => open,
                Err(error) => return tracing::warn!(%sender, %error, "what the lane left open cannot be read"),
            };
            let _ = self.recovered.fetch_add(open.len(), Ordering::Relaxed);
            self.send_each(sender, &open).await;
            match open.last() {
                Some(last) => from = last.nonce + 1,
                None => return,
            }
        }
    }

    /// After a silence: if the node does not have the transaction, or what its lane waits for, the lane is sent again from its
    /// lowest nonce on, also what comes after the transaction: whoever waits for one after the other would miss each only after
    /// those before it, a silence later each.
    pub(crate) async fn speak_again(&self, intent: &StoredIntent) -> Result<(), OutcomeError> {
        #[cfg(test)]
        if self.mutant == Some(crate::simulation::Mutant::NeverAgain) {
            return Ok(());
        }
        if self.stopped().is_some() {
            return Ok(());
        }
        let Some(_speaking) = self.spoken.begin(intent.sender, self.profile.silence_max / 2) else { return Ok(()) };
        let failed = |source| OutcomeError::Store { key: intent.key.clone(), source };
        let Some(lowest) = self.store.lowest_open(intent.sender).await.map_err(failed)? else { return Ok(()) };
        if self.is_known(&Outgoing::of(&lowest)).await && self.is_known(&Outgoing::of(intent)).await {
            return Ok(());
        }
        // A lane of which this process is not the holder has no keeper to do this.
        if let Ok(count) = self.rpc.transaction_count(intent.sender, At::Latest).await {
            let _ = self.windows.of(intent.sender).ledger_has(count);
        }
        match self.speak(intent.sender, 0).await {
            Ok(()) => Ok(()),
            Err(source) => Err(failed(source)),
        }
    }

    /// After blocks in which the ledger's nonce did not move: if the node does not have the transaction with that nonce, the lane is
    /// sent again from there on. The pace is that of blocks, whatever a silence is. If the node has it, it is
    /// made dearer where that can be.
    pub(crate) async fn mend(&self, sender: Address) -> Result<(), StoreError> {
        #[cfg(test)]
        if matches!(
            self.mutant,
            Some(crate::simulation::Mutant::NeverAgain | crate::simulation::Mutant::OnlyAfterSilence)
        ) {
            return Ok(());
        }
        let Some(next) = self.windows.of(sender).view().ledger_nonce else { return Ok(()) };
        let Some(_speaking) = self.spoken.begin(sender, Duration::ZERO) else { return Ok(()) };
        let missing = self.store.open_between(sender, next, next).await?;
        let Some(missing) = missing.first() else { return Ok(()) };
        if self.is_known(&Outgoing::of(missing)).await {
            return self.quicken(missing).await;
        }
        self.speak(sender, next).await
    }

    /// Sends the sender's lowest transactions without an end again, of nonces from `from` on: the first of them until that is
    /// settled, the others once.
    async fn speak(&self, sender: Address, from: u64) -> Result<(), StoreError> {
        let open = self.announced(sender, from, u64::MAX).await?;
        let Some((lowest, others)) = open.split_first() else { return Ok(()) };
        // Nobody else may care what becomes of the lowest, and all others wait for it.
        match self.deliver_again(lowest.clone()).await {
            Ok(_) => {}
            Err(SubmitError::Store { source, .. }) => return Err(source),
            Err(error) => tracing::warn!(key = %lowest.key, %error, "the transaction is not with the node yet"),
        }
        self.send_each(sender, others).await;
        Ok(())
    }

    /// Offers what waits in the lane's window for nobody, as far as its turn has come. What the node does not take now is offered at
    /// the next head; what it refuses for good is left to whoever waits, or to [`Self::mend`].
    pub(crate) async fn offer_left(&self, sender: Address) -> Result<(), StoreError> {
        let window = self.windows.of(sender);
        loop {
            let mut due = window.take_due();
            let (Some(&first), Some(&last)) = (due.first(), due.last()) else { return Ok(()) };
            let open = match self.announced(sender, first, last.saturating_add(1)).await {
                Ok(open) => open,
                Err(error) => {
                    due.iter().for_each(|&nonce| window.leave(nonce));
                    return Err(error);
                }
            };
            // What one reading does not reach is due still; what it does not have has ended.
            let is_whole = (open.len() as u64) < ROUND_MAX;
            let reached = open.last().filter(|_| !is_whole).map_or(last, |intent| intent.nonce);
            for nonce in due.split_off(&(reached + 1)) {
                window.leave(nonce);
            }
            for intent in open.iter().filter(|intent| due.contains(&intent.nonce)) {
                let is_later =
                    !window.has_turn(intent.nonce) || self.offer(&Outgoing::of(intent)).await.is_to_be_offered_again();
                if is_later {
                    due.split_off(&intent.nonce).iter().for_each(|&nonce| window.leave(nonce));
                    return Ok(());
                }
            }
        }
    }

    /// Offers once each stored transaction of the sender with a lower nonce, in order.
    pub(crate) async fn send_lower(&self, tx: &Outgoing<'_>) {
        match self.announced(tx.sender(), 0, tx.nonce()).await {
            Ok(lower) => self.send_each(tx.sender(), &lower).await,
            Err(error) => tracing::warn!(%error, "lower nonces cannot be read"),
        }
    }

    /// The sender's lowest transactions without an end, of nonces from `from` on and below `below`, announced as sent again.
    async fn announced(&self, sender: Address, from: u64, below: u64) -> Result<Vec<StoredIntent>, StoreError> {
        #[cfg(test)]
        if self.mutant == Some(crate::simulation::Mutant::SentAgainUnannounced) {
            return self.store.open_between(sender, from, below.saturating_sub(1)).await;
        }
        self.store.announce_open(sender, from, below, ROUND_MAX).await
    }

    /// Offers each once, as far as the lane's window reaches; what lies behind it is left to the lane's keeper.
    async fn send_each(&self, sender: Address, open: &[StoredIntent]) {
        let window = self.windows.of(sender);
        for intent in open {
            if self.stopped().is_some() {
                return;
            }
            if !window.has_turn(intent.nonce) {
                window.leave(intent.nonce);
                continue;
            }
            let answer = self.offer(&Outgoing::of(intent)).await;
            if matches!(answer, Offer::TooFarAhead(_)) {
                window.leave(intent.nonce);
            }
            tracing::info!(key = %intent.key, nonce = intent.nonce, ?answer, "a stored transaction was sent again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_speaks_for_a_lane_at_a_time_and_not_too_often() {
        let (spoken, pause) = (Spoken::default(), Duration::from_secs(3));
        let (one, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let speaking = spoken.begin(one, pause).unwrap();
        assert!(spoken.begin(one, pause).is_none(), "somebody speaks");
        assert!(spoken.begin(other, pause).is_some(), "another lane");
        drop(speaking);
        assert!(spoken.begin(one, pause).is_none(), "somebody spoke just now");
        tokio::time::advance(pause).await;
        assert!(spoken.begin(one, pause).is_some());
    }
}
