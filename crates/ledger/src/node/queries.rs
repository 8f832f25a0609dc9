//! What can be asked of a ledger: blocks, transactions, states, calls on them, and the next block's rules.

use super::Ledger;
use crate::block::Block;
use crate::executor::{BlockContext, Call, CallOutcome, InvalidReason};
use crate::forks::Fork;
use crate::header::SealedHeader;
use crate::receipt::Receipt;
use crate::state::WorldState;
use crate::transaction::SignedTransaction;
use alloy_consensus::Header;
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{Address, B256};
use std::sync::Arc;
use std::time::Duration;

/// A block with the place of one of its transactions.
#[derive(Clone, Debug)]
pub(crate) struct Mined {
    /// The block.
    pub(crate) block: Arc<Block>,
    /// Index of the transaction in it.
    pub(crate) index: usize,
}

impl Mined {
    /// The transaction.
    pub(crate) fn transaction(&self) -> &Arc<SignedTransaction> {
        &self.block.transactions[self.index]
    }

    /// Its receipt.
    pub(crate) fn receipt(&self) -> &Receipt {
        &self.block.receipts[self.index]
    }

    /// Index, in the block, of the first log of this transaction.
    pub(crate) fn first_log_index(&self) -> u64 {
        self.block.receipts[..self.index].iter().map(|receipt| receipt.logs.len() as u64).sum()
    }
}

impl Ledger {
    /// The newest header.
    pub fn head(&self) -> Arc<SealedHeader> {
        Arc::clone(self.shared.chain.read().head())
    }

    /// EIP-155 chain id.
    pub fn chain_id(&self) -> u64 {
        self.shared.executor.chain_id
    }

    /// Hash of block 0.
    pub fn genesis_hash(&self) -> B256 {
        self.shared.genesis_hash
    }

    /// Shortest time between two blocks.
    pub fn block_period(&self) -> Duration {
        self.shared.block_period
    }

    /// This node's validator address.
    pub fn validator(&self) -> Address {
        self.shared.validator
    }

    /// The header of a block.
    pub(crate) fn header(&self, number: u64) -> Option<Arc<SealedHeader>> {
        self.shared.chain.read().header(number).cloned()
    }

    /// Number of the block with this hash.
    pub(crate) fn number_of(&self, hash: &B256) -> Option<u64> {
        self.shared.chain.read().number_of(hash)
    }

    /// A block; an old one is read from the log.
    pub(crate) fn block(&self, number: u64) -> Option<Arc<Block>> {
        let located = self.shared.chain.read().locate(number)?;
        Some(located.load(&self.shared.log_reader))
    }

    /// A transaction that is in a block.
    pub(crate) fn mined(&self, transaction: &B256) -> Option<Mined> {
        let (number, index) = self.shared.chain.read().place_of(transaction)?;
        Some(Mined { block: self.block(number)?, index: index as usize })
    }

    /// A transaction that waits for a block.
    pub(crate) fn waiting(&self, transaction: &B256) -> Option<Arc<SignedTransaction>> {
        self.shared.pool.lock().get(transaction).cloned()
    }

    /// The state after a block, if it is one of the newest [`crate::chain::STATES_KEPT`].
    pub(crate) fn state(&self, number: u64) -> Option<WorldState> {
        self.shared.chain.read().state(number)
    }

    /// The newest header with its state.
    pub(crate) fn head_and_state(&self) -> (Arc<SealedHeader>, WorldState) {
        let chain = self.shared.chain.read();
        (Arc::clone(chain.head()), chain.head_state())
    }

    /// The nonce that a new transaction of `sender` should have, counting what waits.
    pub(crate) fn next_nonce(&self, sender: &Address) -> u64 {
        let pool = self.shared.pool.lock();
        // Read under the pool's lock: a block that is published meanwhile settles with the pool after this.
        let state = self.shared.chain.read().head_state();
        let account_nonce = state.account(sender).map_or(0, |account| account.nonce);
        pool.next_nonce(sender, account_nonce)
    }

    /// Runs a call on the state after block `number`, in the context of that block.
    ///
    /// # Errors
    /// [`InvalidReason`] where it could not even begin; `None` where the state is not kept.
    pub(crate) fn call(&self, number: u64, call: Call) -> Option<Result<CallOutcome, InvalidReason>> {
        let (header, state, hashes) = {
            let chain = self.shared.chain.read();
            (Arc::clone(chain.header(number)?), chain.state(number)?, chain.hashes_up_to(number.saturating_sub(1)))
        };
        let context = self.context(&header);
        let newest = number.saturating_sub(1);
        let lookup = |wanted: u64| hash_at(&hashes, newest, wanted);
        Some(self.shared.executor.call(&state, &lookup, &context, call))
    }

    /// Rules of the block after `header`, if it were sealed now.
    pub(crate) fn next_fork(&self, header: &Header) -> Fork {
        let next = header.timestamp.saturating_add(self.shared.block_period.as_secs());
        self.shared.genesis.rules_at(header.number + 1, next.max(self.shared.options.clock.unix_seconds()))
    }

    /// Base fee, in wei, of the block after `parent`; `None` before London.
    pub(crate) fn next_base_fee_wei(&self, parent: &Header, fork: Fork) -> Option<u64> {
        if fork < Fork::London {
            return None;
        }
        let config = &self.shared.genesis.config;
        if config.zero_base_fee || config.fixed_base_fee_wei.is_some() {
            return Some(self.shared.genesis.first_base_fee_wei());
        }
        let Some(base_fee) = parent.base_fee_per_gas else { return Some(self.shared.genesis.first_base_fee_wei()) };
        Some(calc_next_block_base_fee(parent.gas_used, parent.gas_limit, base_fee, BaseFeeParams::ethereum()))
    }

    /// The execution context of a sealed block.
    pub(super) fn context(&self, header: &Header) -> BlockContext {
        let fork = self.shared.genesis.rules_at(header.number, header.timestamp);
        let base_fee_wei = header.base_fee_per_gas.unwrap_or(0);
        let beneficiary = self.shared.genesis.config.qbft.mining_beneficiary.unwrap_or(header.beneficiary);
        BlockContext::new(header.number, header.timestamp, header.gas_limit, base_fee_wei, beneficiary, fork)
    }
}

/// Hash of block `wanted` from a list that begins with block `newest` and goes down; zero outside of it.
pub(super) fn hash_at(newest_first: &[B256], newest: u64, wanted: u64) -> B256 {
    let distance = newest.checked_sub(wanted).and_then(|distance| usize::try_from(distance).ok());
    distance.and_then(|distance| newest_first.get(distance)).copied().unwrap_or_default()
}
