//! How an intent ends, and waiting for it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, Log};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::chain::{Chain, Core};
use crate::intent::IntentKey;
use crate::revert::Revert;
use crate::rpc::{At, CallRequest, Receipt, RpcError};
use crate::store::{StoreError, StoredIntent};

/// The most bytes of a revert that are kept: a reason in words has some hundred. Longer ones are on the ledger.
pub const REVERT_BYTES_MAX: usize = 64 * 1024;

/// How an intent ended. It is final: it is stored and never changes, unless a refused key is submitted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its transaction is in a final block.
    Mined(Mined),
    /// It has no effect and never will have.
    Refused(Refusal),
}

/// A transaction in a final block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mined {
    /// Its hash.
    pub hash: B256,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: B256,
    /// Its place in the block, from 0.
    pub transaction_index: u64,
    /// The gas it used.
    pub gas_used: u64,
    /// The contract that it was to create; there only if it succeeded.
    pub created_address: Option<Address>,
    /// Whether it did what it was to do.
    pub execution: Execution,
    /// Its logs, in order; none if it reverted.
    pub logs: Vec<Log>,
}

/// Whether a mined transaction did what it was to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution {
    /// It did.
    Succeeded,
    /// It used its nonce and gas, and changed nothing else.
    Reverted {
        /// The raw bytes of the error: from the receipt where the node keeps them, else from a call on the state before and
        /// then after the block. `None` if neither reverts, as can be if other transactions in the block were the cause, if
        /// there was no time to ask, and if it is longer than [`REVERT_BYTES_MAX`].
        data: Option<Bytes>,
    },
}

impl Execution {
    /// It reverted with these bytes, as far as they are kept.
    pub(crate) fn reverted(data: Option<Bytes>) -> Self {
        Self::Reverted { data: data.filter(|data| data.len() <= REVERT_BYTES_MAX) }
    }

    /// Whether it did what it was to do.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded)
    }

    /// The raw bytes of the error, if it reverted and they are known.
    pub fn revert_data(&self) -> Option<&Bytes> {
        match self {
            Self::Succeeded | Self::Reverted { data: None } => None,
            Self::Reverted { data: Some(data) } => Some(data),
        }
    }

    /// The error as far as Solidity itself defines it.
    pub fn revert(&self) -> Option<Revert> {
        self.revert_data().map(Revert::decode)
    }
}

/// Why an intent has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the node said, or what was found on the ledger.
    pub reason: String,
}

/// The outcome cannot be given yet.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// Nothing was ever submitted under this key.
    #[error("there is no intent `{key}`")]
    NoSuchIntent {
        /// The key.
        key: IntentKey,
    },
    /// The time is up. The intent is stored; ask again.
    #[error("intent `{key}` has no outcome after {waited_ms} ms")]
    TimedOut {
        /// The key.
        key: IntentKey,
        /// How long was waited.
        waited_ms: u128,
    },
    /// The transaction is in a final block, but its logs are longer than the store keeps, and the node does not give them.
    /// Ask again, or another node.
    #[error("cannot read the logs of intent `{key}` from the node: {reason}")]
    Logs {
        /// The key.
        key: IntentKey,
        /// What the node said.
        reason: String,
    },
    /// The ledger is another than was followed: nothing is sent or believed any more. Find out which one is right, and start
    /// again.
    #[error("intent `{key}` has no outcome, and is not waited for: {reason}")]
    Stopped {
        /// The key.
        key: IntentKey,
        /// What was found.
        reason: String,
    },
    /// The store failed.
    #[error("cannot read or store the outcome of intent `{key}`")]
    Store {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: StoreError,
    },
}

impl Chain {
    /// Waits until the intent has ended, at most as long as `wait_max`. While it waits it looks at each new head, and after a
    /// silence sends the same bytes again if the node does not know the transaction. Many may wait at once.
    ///
    /// # Errors
    ///
    /// See [`OutcomeError`].
    ///
    /// # Cancel safety
    ///
    /// Can be dropped at any time, and asked again.
    pub async fn outcome(&self, key: &IntentKey, wait_max: Duration) -> Result<Outcome, OutcomeError> {
        match timeout(wait_max, self.core.follow(key)).await {
            Ok(ended) => ended,
            Err(_) => Err(OutcomeError::TimedOut { key: key.clone(), waited_ms: wait_max.as_millis() }),
        }
    }
}

impl Core {
    /// Whether ends are stored from followed blocks.
    pub(crate) fn is_followed(&self) -> bool {
        self.followers.load(Ordering::Relaxed) > 0
    }

    async fn follow(&self, key: &IntentKey) -> Result<Outcome, OutcomeError> {
        let failed = |source| OutcomeError::Store { key: key.clone(), source };
        let (mut turns, mut end) = (self.turns.subscribe(), self.waiters.wait(key));
        let (mut head, mut heard) = (None, Instant::now());
        let mut intent = self.stored(key).await?;
        loop {
            if let Some(outcome) = intent.outcome.take() {
                return self.with_logs(&intent, outcome).await;
            }
            if let Some(reason) = self.stopped() {
                return Err(OutcomeError::Stopped { key: key.clone(), reason: reason.clone() });
            }
            // Where the ledger is followed, each end comes from a block on which its nodes agree; else whoever waits looks for it
            // at each new head. Following may end and begin meanwhile.
            let is_followed = self.is_followed();
            if is_followed {
                head = None;
            } else {
                head = head.or_else(|| Some(self.head.subscribe()));
                match self.find_end_at(&intent, head.as_mut()).await {
                    Ok(Some(outcome)) => {
                        self.store.settle(&intent, &outcome).await.map_err(failed)?;
                        return Ok(outcome);
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%key, %error, "the outcome cannot be read now"),
                }
            }
            tokio::select! {
                // The rarest first, so that none is starved.
                biased;
                () = sleep_until(heard + self.profile.silence_max) => {
                    self.speak_again(&intent).await?;
                    intent = self.stored(key).await?;
                    heard = Instant::now();
                }
                _ = turns.changed() => intent = self.stored(key).await?,
                // Told, or the key has a new waiter since another attempt at it ended: the store knows.
                _ = end.changed() => {
                    let told = end.borrow().clone();
                    match told {
                        Some((attempt, outcome)) if attempt == intent.attempt => return Ok(outcome),
                        _ => {}
                    }
                    intent = self.stored(key).await?;
                    end = self.waiters.wait(key);
                }
                () = moved(head.as_mut()) => {}
            }
        }
    }

    /// The outcome with its logs: those that were too long to be kept are on the ledger for good.
    async fn with_logs(&self, intent: &StoredIntent, outcome: Outcome) -> Result<Outcome, OutcomeError> {
        match outcome {
            Outcome::Mined(mined) if intent.is_without_logs => {
                let unread = |reason: String| OutcomeError::Logs { key: intent.key.clone(), reason };
                let receipt = self.rpc.receipt(mined.hash).await.map_err(|error| unread(error.to_string()))?;
                let receipt = receipt.filter(|receipt| receipt.block_hash == mined.block_hash);
                let receipt =
                    receipt.ok_or_else(|| unread("the node does not have the receipt any more".to_owned()))?;
                Ok(Outcome::Mined(Mined { logs: receipt.logs, ..mined }))
            }
            outcome => Ok(outcome),
        }
    }

    async fn stored(&self, key: &IntentKey) -> Result<StoredIntent, OutcomeError> {
        let stored = self.store.intent(key).await;
        let stored = stored.map_err(|source| OutcomeError::Store { key: key.clone(), source })?;
        stored.ok_or_else(|| OutcomeError::NoSuchIntent { key: key.clone() })
    }

    /// Looks for the end, as of the newest head that is known.
    async fn find_end_at(
        &self,
        intent: &StoredIntent,
        head: Option<&mut watch::Receiver<u64>>,
    ) -> Result<Option<Outcome>, RpcError> {
        let number = match head {
            Some(head) => *head.borrow_and_update(),
            None => self.rpc.block_number().await?,
        };
        self.find_end(intent, number).await
    }

    /// Asks for the receipt of the transaction, at whichever price, and of the empty one that competes with it.
    async fn find_end(&self, intent: &StoredIntent, head: u64) -> Result<Option<Outcome>, RpcError> {
        for own in intent.earlier.iter().chain([&intent.hash]).rev() {
            if let Some(receipt) = self.final_receipt(*own, head).await? {
                return Ok(Some(Outcome::Mined(self.mined(intent, receipt).await)));
            }
        }
        let Some((reason, filler)) = &intent.cancelling else { return Ok(None) };
        let is_filled = self.final_receipt(filler.hash, head).await?.is_some();
        Ok(is_filled.then(|| Outcome::Refused(Refusal { reason: reason.clone() })))
    }

    async fn final_receipt(&self, hash: B256, head: u64) -> Result<Option<Receipt>, RpcError> {
        let receipt = self.rpc.receipt(hash).await?;
        Ok(receipt.filter(|receipt| {
            let is_ours = receipt.transaction_hash == hash;
            if !is_ours {
                tracing::error!(asked = %hash, named = %receipt.transaction_hash, "the receipt is of another transaction");
            }
            let depth = self.profile.finality_blocks;
            is_ours && (depth == 0 || head >= receipt.block_number.saturating_add(depth))
        }))
    }

    async fn mined(&self, intent: &StoredIntent, receipt: Receipt) -> Mined {
        let execution = if receipt.is_success {
            Execution::Succeeded
        } else {
            Execution::reverted(self.revert_data(intent, &receipt).await)
        };
        Mined {
            hash: receipt.transaction_hash,
            block_number: receipt.block_number,
            block_hash: receipt.block_hash,
            transaction_index: receipt.transaction_index,
            gas_used: receipt.gas_used,
            created_address: intent.created_address.filter(|_| receipt.is_success),
            execution,
            logs: receipt.logs,
        }
    }

    async fn revert_data(&self, intent: &StoredIntent, receipt: &Receipt) -> Option<Bytes> {
        match &receipt.revert_data {
            Some(data) => Some(data.clone()),
            None => self.revert_by_call(intent, receipt.block_number).await,
        }
    }

    /// The revert's bytes, by the same call on the state before and then after its block.
    pub(crate) async fn revert_by_call(&self, intent: &StoredIntent, block_number: u64) -> Option<Bytes> {
        let call = call_of(intent)?;
        for number in [block_number.saturating_sub(1), block_number] {
            match self.rpc.call(&call, At::Number(number)).await {
                Ok(_) => {}
                Err(error) => match error.revert_data() {
                    Some(data) => return Some(data),
                    None => tracing::debug!(key = %intent.key, %error, "the revert cannot be called again"),
                },
            }
        }
        None
    }
}

/// Waits until the head moves, if heads are looked at.
async fn moved(head: Option<&mut watch::Receiver<u64>>) {
    match head {
        Some(head) => drop(head.changed().await),
        None => std::future::pending().await,
    }
}

/// The transaction as a call, read from its signed bytes.
pub(crate) fn call_of(intent: &StoredIntent) -> Option<CallRequest> {
    use alloy_consensus::transaction::Transaction as _;
    use alloy_eips::eip2718::Decodable2718 as _;

    let signed = alloy_consensus::TxEnvelope::decode_2718_exact(&intent.raw).ok()?;
    Some(CallRequest {
        from: Some(intent.sender),
        to: signed.to(),
        data: signed.input().clone(),
        value_wei: signed.value(),
        gas: Some(signed.gas_limit()),
    })
}
