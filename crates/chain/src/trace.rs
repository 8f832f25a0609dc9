//! What one node says of a stored attempt now, beside what the store says, and what that means. Nothing is sent.

use alloy_primitives::{Address, B256};

use crate::inspect::{TransactionDetail, TransactionState};
use crate::outcome::Outcome;
use crate::rpc::{At, Rpc, RpcError};

/// How many blocks are searched, from the head down, for the transaction that used a nonce.
pub const USER_BLOCKS_MAX: u64 = 1_024;

/// Where a node has a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Neither in its pool nor in a block.
    Nowhere,
    /// In its pool.
    InPool,
    /// In a block.
    InBlock {
        /// The block's number.
        number: u64,
        /// Its hash.
        hash: B256,
        /// Whether the transaction did what it was to do.
        is_success: bool,
        /// The gas that it used.
        gas_used: u64,
    },
}

/// Which other transaction used a nonce that neither the attempt's nor the empty one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsedBy {
    /// None, as far as is known.
    NoOther,
    /// This one.
    Other {
        /// Its hash.
        hash: B256,
        /// Its block's number.
        block_number: u64,
    },
    /// Somebody, more than [`USER_BLOCKS_MAX`] blocks below the head.
    LongAgo,
}

/// What a node says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeView {
    /// Its chain id.
    pub chain_id: u64,
    /// Hash of its block 0; `None` if it has none.
    pub genesis: Option<B256>,
    /// The number of its head.
    pub head: u64,
    /// How many transactions of the sender are in its blocks: the lane's nonce there.
    pub sender_count: u64,
    /// Where it has the attempt's transaction, at whichever price.
    pub original: Sight,
    /// Where it has the empty one that competes with it, if there is one.
    pub empty: Option<Sight>,
    /// Who used the nonce, if not ours.
    pub used_by: UsedBy,
}

/// What a node's words and the store's mean together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The node is on another ledger than the store's.
    OtherLedger,
    /// The store has an end, and the node says the same.
    Agrees,
    /// The store has an end from a block that the node does not have yet.
    NodeBehind,
    /// The store has an end, and the node has something else: one of the two is on a ledger that was changed.
    Contradicts,
    /// It is in a block, and nobody has stored that yet.
    MinedNotStored,
    /// The empty transaction is in a block, and nobody has stored that yet.
    CancelledNotStored,
    /// A stranger's transaction used the nonce, and nobody has stored that yet.
    DisplacedNotStored,
    /// It is in the node's pool, and its turn has come.
    InPool,
    /// It is in the node's pool, and waits for lower nonces of its lane.
    WaitsForLower,
    /// The node does not have it, and its turn has come: the lane stands still.
    Lost,
    /// The node does not have it, nor lower nonces of its lane.
    LostBehindLower,
    /// The nonce was used, too long ago for this search to say by whom.
    UsedLongAgo,
}

impl Verdict {
    /// Its name, the same in every language.
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherLedger => "other_ledger",
            Self::Agrees => "agrees",
            Self::NodeBehind => "node_behind",
            Self::Contradicts => "contradicts",
            Self::MinedNotStored => "mined_not_stored",
            Self::CancelledNotStored => "cancelled_not_stored",
            Self::DisplacedNotStored => "displaced_not_stored",
            Self::InPool => "in_pool",
            Self::WaitsForLower => "waits_for_lower",
            Self::Lost => "lost",
            Self::LostBehindLower => "lost_behind_lower",
            Self::UsedLongAgo => "used_long_ago",
        }
    }
}

/// A node did not say what was asked.
#[derive(Debug, thiserror::Error)]
#[error("the node does not say where the transaction is")]
pub struct TraceError(#[from] RpcError);

/// Asks the node about the attempt.
///
/// # Errors
///
/// The node does not answer, or not what was asked.
pub async fn trace(rpc: &Rpc, attempt: &TransactionDetail) -> Result<NodeView, TraceError> {
    let (chain_id, genesis) = (rpc.chain_id().await?, rpc.block(At::Number(0)).await?.map(|block| block.hash));
    let mut original = sight(rpc, attempt.hash).await?;
    for &earlier in attempt.earlier_hashes.iter().rev() {
        if original == Sight::Nowhere {
            original = sight(rpc, earlier).await?;
        }
    }
    let empty = match &attempt.cancelling {
        Some(cancelling) => Some(sight(rpc, cancelling.hash).await?),
        None => None,
    };
    // After the transactions: what is not there by now was not there when it was asked for.
    let sender_count = rpc.transaction_count(attempt.sender, At::Latest).await?;
    let head = rpc.block_number().await?;
    let is_ours = [Some(&original), empty.as_ref()].into_iter().flatten().any(|sight| *sight != Sight::Nowhere);
    let used_by = match sender_count > attempt.nonce && !is_ours {
        true => used_by(rpc, attempt.sender, attempt.nonce, head).await?,
        false => UsedBy::NoOther,
    };
    Ok(NodeView { chain_id, genesis, head, sender_count, original, empty, used_by })
}

async fn sight(rpc: &Rpc, hash: B256) -> Result<Sight, RpcError> {
    if let Some(receipt) = rpc.receipt(hash).await? {
        let (number, hash, is_success) = (receipt.block_number, receipt.block_hash, receipt.is_success);
        return Ok(Sight::InBlock { number, hash, is_success, gas_used: receipt.gas_used });
    }
    Ok(if rpc.transaction(hash).await?.is_some() { Sight::InPool } else { Sight::Nowhere })
}

async fn used_by(rpc: &Rpc, sender: Address, nonce: u64, head: u64) -> Result<UsedBy, RpcError> {
    for number in (head.saturating_sub(USER_BLOCKS_MAX)..=head).rev() {
        let Some(block) = rpc.block(At::Number(number)).await? else { continue };
        let used = block.transactions.iter().find(|seen| seen.sender == sender && seen.nonce == nonce);
        if let Some(seen) = used {
            return Ok(UsedBy::Other { hash: seen.hash, block_number: number });
        }
    }
    Ok(UsedBy::LongAgo)
}

impl NodeView {
    /// What this means for the attempt, whose store belongs to the ledger with this chain id and block 0.
    pub fn verdict(&self, attempt: &TransactionDetail, chain_id: u64, genesis: B256) -> Verdict {
        if (self.chain_id, self.genesis) != (chain_id, Some(genesis)) {
            return Verdict::OtherLedger;
        }
        match attempt.state() {
            TransactionState::Sent | TransactionState::Cancelling => self.of_open(attempt.nonce),
            TransactionState::Succeeded | TransactionState::Reverted | TransactionState::Refused => {
                attempt.outcome.as_ref().map_or(Verdict::Contradicts, |outcome| self.of_ended(outcome))
            }
        }
    }

    fn of_open(&self, nonce: u64) -> Verdict {
        match (&self.original, &self.empty, self.used_by) {
            (Sight::InBlock { .. }, ..) => Verdict::MinedNotStored,
            (_, Some(Sight::InBlock { .. }), _) => Verdict::CancelledNotStored,
            (_, _, UsedBy::Other { .. }) => Verdict::DisplacedNotStored,
            (_, _, UsedBy::LongAgo) => Verdict::UsedLongAgo,
            (Sight::InPool, ..) | (_, Some(Sight::InPool), _) if self.sender_count < nonce => Verdict::WaitsForLower,
            (Sight::InPool, ..) | (_, Some(Sight::InPool), _) => Verdict::InPool,
            (Sight::Nowhere, ..) if self.sender_count < nonce => Verdict::LostBehindLower,
            (Sight::Nowhere, ..) => Verdict::Lost,
        }
    }

    fn of_ended(&self, outcome: &Outcome) -> Verdict {
        match (outcome, &self.original) {
            (Outcome::Mined(mined), Sight::InBlock { hash, is_success, .. }) => {
                let is_same = *hash == mined.block_hash && *is_success == mined.execution.is_success();
                if is_same { Verdict::Agrees } else { Verdict::Contradicts }
            }
            (Outcome::Mined(mined), Sight::Nowhere | Sight::InPool) if self.head < mined.block_number => {
                Verdict::NodeBehind
            }
            (Outcome::Mined(_), Sight::Nowhere | Sight::InPool) => Verdict::Contradicts,
            (Outcome::Refused(_), Sight::Nowhere) => Verdict::Agrees,
            // A refused transaction is never to be seen again: its nonce is given to another one, or used.
            (Outcome::Refused(_), Sight::InBlock { .. }) => Verdict::Contradicts,
            (Outcome::Refused(_), Sight::InPool) => Verdict::Agrees,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Cancelling;
    use crate::outcome::{Execution, Mined, Refusal};
    use crate::{IntentKey, Outcome};

    const NONCE: u64 = 7;

    fn attempt(is_cancelling: bool, outcome: Option<Outcome>) -> TransactionDetail {
        let cancelling = Cancelling { reason: "no".to_owned(), hash: B256::repeat_byte(2), raw: vec![2].into() };
        TransactionDetail {
            key: IntentKey::parse("k").unwrap(),
            attempt: 1,
            sender: Address::ZERO,
            nonce: NONCE,
            hash: B256::repeat_byte(1),
            earlier_hashes: Vec::new(),
            raw: vec![1].into(),
            fingerprint: B256::ZERO,
            subject: String::new(),
            created_address: None,
            signed: None,
            is_sent_again: false,
            cancelling: is_cancelling.then_some(cancelling),
            outcome,
            has_logs: true,
        }
    }

    fn mined() -> Outcome {
        Outcome::Mined(Mined {
            hash: B256::repeat_byte(1),
            block_number: 5,
            block_hash: B256::repeat_byte(5),
            transaction_index: 0,
            gas_used: 21_000,
            created_address: None,
            execution: Execution::Succeeded,
            logs: Vec::new(),
        })
    }

    fn in_block(hash: u8) -> Sight {
        Sight::InBlock { number: 5, hash: B256::repeat_byte(hash), is_success: true, gas_used: 21_000 }
    }

    fn view(original: Sight, sender_count: u64) -> NodeView {
        let (genesis, used_by) = (Some(B256::ZERO), UsedBy::NoOther);
        NodeView { chain_id: 1337, genesis, head: 9, sender_count, original, empty: None, used_by }
    }

    #[test]
    fn each_sight_of_an_open_attempt_has_its_meaning() {
        let other = UsedBy::Other { hash: B256::repeat_byte(9), block_number: 5 };
        let cases = [
            (view(in_block(5), 8), Verdict::MinedNotStored),
            (view(Sight::InPool, 7), Verdict::InPool),
            (view(Sight::InPool, 3), Verdict::WaitsForLower),
            (view(Sight::Nowhere, 7), Verdict::Lost),
            (view(Sight::Nowhere, 3), Verdict::LostBehindLower),
            (NodeView { used_by: other, ..view(Sight::Nowhere, 8) }, Verdict::DisplacedNotStored),
            (NodeView { used_by: UsedBy::LongAgo, ..view(Sight::Nowhere, 8) }, Verdict::UsedLongAgo),
            (NodeView { empty: Some(in_block(5)), ..view(Sight::Nowhere, 8) }, Verdict::CancelledNotStored),
            (NodeView { empty: Some(Sight::InPool), ..view(Sight::Nowhere, 7) }, Verdict::InPool),
            (NodeView { genesis: None, ..view(in_block(5), 8) }, Verdict::OtherLedger),
            (NodeView { chain_id: 1, ..view(in_block(5), 8) }, Verdict::OtherLedger),
        ];
        for (view, verdict) in cases {
            assert_eq!(view.verdict(&attempt(view.empty.is_some(), None), 1337, B256::ZERO), verdict, "{view:?}");
        }
    }

    #[test]
    fn an_end_is_held_against_what_the_node_has() {
        let refused = || Outcome::Refused(Refusal { reason: "no".to_owned() });
        let cases = [
            (mined(), view(in_block(5), 8), Verdict::Agrees),
            (mined(), view(in_block(6), 8), Verdict::Contradicts),
            (mined(), view(Sight::Nowhere, 7), Verdict::Contradicts),
            (mined(), NodeView { head: 4, ..view(Sight::InPool, 7) }, Verdict::NodeBehind),
            (refused(), view(Sight::Nowhere, 7), Verdict::Agrees),
            (refused(), view(in_block(5), 8), Verdict::Contradicts),
        ];
        for (outcome, view, verdict) in cases {
            assert_eq!(view.verdict(&attempt(false, Some(outcome)), 1337, B256::ZERO), verdict, "{view:?}");
        }
    }
}
