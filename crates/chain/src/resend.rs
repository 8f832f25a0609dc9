//! What is sent again without being asked for: after a silence, after a restart, and where a lane waits for its lowest nonce.
//!
//! Whoever waits for an outcome speaks for its whole lane, since it waits for all that is before it, and who submitted that may
//! be gone. One speaks at a time, and not more often than twice in a silence, however many wait.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Address;
use tokio::time::Instant;

use crate::chain::Core;
use crate::delivery::Outgoing;
use crate::lane::SubmitError;
use crate::outcome::OutcomeError;
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
            self.send_each(&open).await;
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
        let open = self.announced(intent.sender, 0, u64::MAX).await.map_err(failed)?;
        let Some((lowest, others)) = open.split_first() else { return Ok(()) };
        // Nobody else may care what becomes of the lowest, and all others wait for it.
        match self.deliver_again(lowest.clone()).await {
            Ok(_) => {}
            Err(SubmitError::Store { key, source }) => return Err(OutcomeError::Store { key, source }),
            Err(error) => tracing::warn!(key = %lowest.key, %error, "the transaction is not with the node yet"),
        }
        self.send_each(others).await;
        Ok(())
    }

    /// Offers once each stored transaction of the sender with a lower nonce, in order.
    pub(crate) async fn send_lower(&self, tx: &Outgoing<'_>) {
        match self.announced(tx.sender(), 0, tx.nonce()).await {
            Ok(lower) => self.send_each(&lower).await,
            Err(error) => tracing::warn!(%error, "lower nonces cannot be read"),
        }
    }

    /// The same where a node finds the nonce too far ahead: mostly its turn just comes later, so not too often.
    pub(crate) async fn send_lower_now_and_then(&self, tx: &Outgoing<'_>) {
        if let Some(_speaking) = self.spoken.begin(tx.sender(), self.profile.silence_max / 2) {
            self.send_lower(tx).await;
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

    async fn send_each(&self, open: &[StoredIntent]) {
        for intent in open {
            if self.stopped().is_some() {
                return;
            }
            let answer = self.rpc.send_raw_transaction(Outgoing::of(intent).raw()).await;
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
