//! Sealing one block: build, execute, seal, write, publish.

use super::Ledger;
use super::queries::hash_at;
use crate::block::{Block, encode_record};
use crate::data_dir::DataDir;
use crate::executor::{BlockContext, InvalidReason};
use crate::extra_data::ExtraData;
use crate::forks::Fork;
use crate::genesis::BFT_MIX_HASH;
use crate::header::SealedHeader;
use crate::log::{AppendError, Log};
use crate::receipt::{Receipt, block_bloom, receipts_root, transactions_root};
use crate::state::{StateDiff, WorldState};
use crate::transaction::SignedTransaction;
use alloy_consensus::Header;
use alloy_consensus::Transaction as _;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{B256, Bytes, U256};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{debug, warn};

/// Where a block ends before its gas does: its record must stay below the log's longest payload (128 MiB) whatever its last
/// transaction logs.
const BLOCK_BYTES_MAX: u64 = 96 * 1024 * 1024;
/// The least that a byte of log data costs (`LOGDATA` of the Yellow Paper): the most bytes that gas can buy.
const GAS_OF_LOG_BYTE: u64 = 8;
/// Address, topics and lengths of one log in a record.
const LOG_BYTES: usize = 160;
/// Share of the block period that building may take, in per cent; Besu's `block-txs-selection-max-time` is 75.
const BUILD_SHARE_PERCENT: u32 = 75;
/// Building always gets this long, so that the shortest periods still take transactions.
const BUILD_TIME_MIN: Duration = Duration::from_millis(100);
/// Sealing has stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The block could not be made durable. What is on disk is unknown, so nothing more is sealed.
    #[error("block {number} could not be written to the log")]
    Log {
        /// The block that was being written.
        number: u64,
        /// What the log said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What only the sealing thread touches: the log, the node's key, the lock of the data directory.
#[derive(Debug)]
pub struct Sealer {
    pub(super) ledger: Ledger,
    pub(super) data_dir: DataDir,
    pub(super) log: Log,
}

/// A block that was executed but is not sealed yet.
struct Built {
    context: BlockContext,
    transactions: Vec<Arc<SignedTransaction>>,
    receipts: Vec<Receipt>,
    invalid: Vec<Arc<SignedTransaction>>,
    diff: StateDiff,
    gas_used: u64,
}

impl Sealer {
    /// Builds, seals, writes and publishes one block.
    ///
    /// # Errors
    /// [`SealError`]: nothing was published, and this sealer must not go on.
    pub(crate) fn seal_next(&mut self) -> Result<Arc<Block>, SealError> {
        let (parent, state, hashes) = {
            let chain = self.ledger.shared.chain.read();
            let head = Arc::clone(chain.head());
            let hashes = chain.hashes_up_to(head.number);
            (head, chain.head_state(), hashes)
        };
        let built = self.build(&parent, &state, &hashes);
        let Built { transactions, receipts, invalid, diff, .. } = &built;
        let mut next_state = state;
        next_state.apply(diff);
        // Held until the block is published, so that whoever proves something finds tries and head of one block.
        let shared = Arc::clone(&self.ledger.shared);
        let mut tries = shared.tries.lock();
        tries.apply(diff);
        let header = self.header(&parent, &built, tries.root());
        let block = Block { header: Arc::new(header), transactions: transactions.clone(), receipts: receipts.clone() };
        let block = Arc::new(block);
        let payload = encode_record(&block, diff.clone());
        let position = self
            .log
            .append(&payload)
            .map_err(|source: AppendError| SealError::Log { number: block.header.number, source: Box::new(source) })?;
        shared.chain.write().push(Arc::clone(&block), position, next_state, diff.changes());
        drop(tries);
        self.tell(&block, invalid);
        Ok(block)
    }

    /// Settles with the pool, and tells subscribers.
    fn tell(&self, block: &Arc<Block>, invalid: &[Arc<SignedTransaction>]) {
        let shared = &self.ledger.shared;
        shared.pool.lock().settle(&block.transactions, invalid);
        // Without subscribers nobody hears it.
        let _ = shared.blocks.send(Arc::clone(block));
        debug!(
            number = block.header.number,
            transactions = block.transactions.len(),
            gas_used = block.header.gas_used,
            "block sealed"
        );
    }

    fn build(&self, parent: &SealedHeader, state: &WorldState, hashes: &[B256]) -> Built {
        let shared = &self.ledger.shared;
        let context = next_context(&self.ledger, parent);
        let deadline = Instant::now() + build_time(shared.block_period);
        let lookup = |wanted: u64| hash_at(hashes, parent.number, wanted);
        let mut run = shared.executor.begin(state, &lookup, &context, parent.hash());
        let candidates = shared.pool.lock().take_ready(shared.options.block_transactions_max);
        let (mut transactions, mut receipts, mut invalid) = (Vec::new(), Vec::new(), Vec::new());
        let (mut left, mut bytes, mut is_full) = (Vec::new(), 0_u64, false);
        for transaction in &candidates {
            let gas_limit = transaction.envelope().gas_limit();
            let bytes_max =
                bytes.saturating_add(transaction.raw().len() as u64).saturating_add(gas_limit / GAS_OF_LOG_BYTE);
            let is_too_much = !transactions.is_empty() && (bytes_max > BLOCK_BYTES_MAX || Instant::now() >= deadline);
            is_full = is_full || is_too_much || !run.fits(gas_limit);
            if is_full {
                left.push(Arc::clone(transaction));
                continue;
            }
            match run.execute(transaction) {
                Ok(executed) => {
                    bytes = bytes.saturating_add(kept_bytes(transaction, &executed.receipt));
                    transactions.push(Arc::clone(transaction));
                    receipts.push(executed.receipt);
                }
                // The base fee rose, or an earlier nonce fell out of this block: they wait for another one.
                Err(InvalidReason::BelowBaseFee | InvalidReason::NonceTooHigh { .. }) => {
                    left.push(Arc::clone(transaction));
                }
                Err(reason) => {
                    warn!(hash = %transaction.hash(), %reason, "a waiting transaction became invalid and was dropped");
                    invalid.push(Arc::clone(transaction));
                }
            }
        }
        shared.pool.lock().put_back(&left);
        let gas_used = run.gas_used();
        Built { context, transactions, receipts, invalid, diff: run.finish(), gas_used }
    }

    fn header(&self, parent: &SealedHeader, built: &Built, state_root: B256) -> SealedHeader {
        let context = &built.context;
        let raw: Vec<&Bytes> = built.transactions.iter().map(|transaction| transaction.raw()).collect();
        let from = |first: Fork| context.fork >= first;
        let header = Header {
            parent_hash: parent.hash(),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.ledger.shared.validator,
            state_root,
            transactions_root: transactions_root(&raw),
            receipts_root: receipts_root(&built.receipts),
            logs_bloom: block_bloom(&built.receipts),
            difficulty: U256::from(1),
            number: context.number,
            gas_limit: context.gas_limit,
            gas_used: built.gas_used,
            timestamp: context.timestamp,
            mix_hash: BFT_MIX_HASH,
            base_fee_per_gas: from(Fork::London).then_some(context.base_fee_wei),
            withdrawals_root: from(Fork::Shanghai).then_some(EMPTY_WITHDRAWALS),
            blob_gas_used: from(Fork::Cancun).then_some(0),
            excess_blob_gas: from(Fork::Cancun).then_some(0),
            parent_beacon_block_root: from(Fork::Cancun).then_some(B256::ZERO),
            requests_hash: from(Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        };
        let extra = ExtraData { validators: vec![self.ledger.shared.validator], ..ExtraData::default() };
        SealedHeader::seal(header, extra, self.data_dir.key())
    }
}

/// The context of the block after `parent`, sealed now. From one second on, timestamps keep the period apart (Besu's
/// header rule); below, that rule is absent and several blocks share a second.
fn next_context(ledger: &Ledger, parent: &SealedHeader) -> BlockContext {
    let shared = &ledger.shared;
    let timestamp =
        shared.options.clock.unix_seconds().max(parent.timestamp.saturating_add(shared.block_period.as_secs()));
    let number = parent.number + 1;
    let fork = shared.genesis.rules_at(number, timestamp);
    let base_fee_wei = ledger.next_base_fee_wei(parent, fork).unwrap_or(0);
    let beneficiary = shared.genesis.config.qbft.mining_beneficiary.unwrap_or(shared.validator);
    BlockContext::new(number, timestamp, shared.genesis.gas_limit, base_fee_wei, beneficiary, fork)
}

/// About what a transaction takes in the block's record.
fn kept_bytes(transaction: &SignedTransaction, receipt: &Receipt) -> u64 {
    let logs: usize = receipt.logs.iter().map(|log| LOG_BYTES + log.data.data.len()).sum();
    (transaction.raw().len() + receipt.revert.len() + logs) as u64
}

fn build_time(block_period: Duration) -> Duration {
    (block_period * BUILD_SHARE_PERCENT / 100).max(BUILD_TIME_MIN)
}
