//! A block as the follower gives it, and where a follower stands.

use alloy_primitives::{Address, B256, Bytes, Log};

/// The last block that the caller has stored. The next block's parent must be this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
}

/// The ledger that is followed, as the caller's store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowedLedger {
    /// Its chain id (EIP-155).
    pub chain_id: u64,
    /// The hash of its block 0.
    pub genesis_hash: B256,
}

impl FollowedLedger {
    /// Where somebody stands who has stored nothing yet: the next block is number 1. Block 0 has no transactions.
    pub fn beginning(&self) -> Cursor {
        Cursor { number: 0, hash: self.genesis_hash }
    }
}

/// A final block with everything that its transactions left behind. Its receipts and logs are those that its header's receipts
/// root names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedBlock {
    /// Its number.
    pub number: u64,
    /// Its hash, as the nodes say.
    pub hash: B256,
    /// The hash of the block before it, which was given before it.
    pub parent_hash: B256,
    /// When it was made, in seconds since 1970.
    pub timestamp_seconds: u64,
    /// Its transactions, in order.
    pub transactions: Vec<FollowedTransaction>,
}

/// A transaction in a final block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedTransaction {
    /// Its hash.
    pub hash: B256,
    /// Its place in the block, from 0.
    pub index: u64,
    /// Who sent it.
    pub from: Address,
    /// Whom it called; `None` if it was to create a contract.
    pub to: Option<Address>,
    /// Its nonce.
    pub nonce: u64,
    /// Whether it was executed to its end. If not, it paid for gas and changed nothing else.
    pub is_success: bool,
    /// The gas that it used alone.
    pub gas_used: u64,
    /// The contract that it created; `None` if it failed or was to create none. Computed from sender and nonce.
    pub created_address: Option<Address>,
    /// The revert's bytes, if a node keeps them. No root covers them: one node's word, for people to read.
    pub revert_data: Option<Bytes>,
    /// The place of its first log among the block's logs, from 0; the others follow it.
    pub first_log_index: u64,
    /// Its logs, in order.
    pub logs: Vec<Log>,
}

/// What a block takes in memory beside its transactions: its own fields.
const BLOCK_BYTES: usize = size_of::<FollowedBlock>();

impl FollowedBlock {
    /// Where a follower stands who has stored this block.
    pub fn cursor(&self) -> Cursor {
        Cursor { number: self.number, hash: self.hash }
    }

    /// What it takes in memory, in bytes, as far as a sender decides it.
    pub(super) fn bytes(&self) -> usize {
        let log_bytes = |log: &Log| size_of::<Log>() + log.topics().len() * 32 + log.data.data.len();
        let transaction_bytes = |transaction: &FollowedTransaction| {
            let logs: usize = transaction.logs.iter().map(log_bytes).sum();
            size_of::<FollowedTransaction>() + logs + transaction.revert_data.as_ref().map_or(0, |data| data.len())
        };
        BLOCK_BYTES + self.transactions.iter().map(transaction_bytes).sum::<usize>()
    }

    /// Takes over the reverts' bytes where this copy has none: only some nodes keep them.
    pub(super) fn fill_reverts(&mut self, other: &Self) {
        for (own, other) in self.transactions.iter_mut().zip(&other.transactions) {
            if own.revert_data.is_none() {
                own.revert_data.clone_from(&other.revert_data);
            }
        }
    }
}
