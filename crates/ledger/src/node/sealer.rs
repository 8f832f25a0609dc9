//! The sealing thread: builds, executes, seals, writes and publishes one block after another.

use super::{Ledger, Sealer, Sealing, Shared, hash_at, unix_seconds};
use crate::block::{Block, encode_record};
use crate::executor::BlockContext;
use crate::extra_data::ExtraData;
use crate::forks::Fork;
use crate::genesis::BFT_MIX_HASH;
use crate::header::SealedHeader;
use crate::log::AppendError;
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
use tracing::{debug, error, info, warn};

/// Share of the block period that building may take, in per cent; Besu's `block-txs-selection-max-time` is 75.
const BUILD_SHARE_PERCENT: u32 = 75;
/// Building always gets this long, so that the shortest periods still take transactions.
const BUILD_TIME_MIN: Duration = Duration::from_millis(100);
/// How often transactions that wait for a gap are looked over.
const EXPIRY_PERIOD: Duration = Duration::from_secs(60);

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

/// A block that was executed but is not sealed yet.
struct Built {
    context: BlockContext,
    transactions: Vec<Arc<SignedTransaction>>,
    receipts: Vec<Receipt>,
    invalid: Vec<Arc<SignedTransaction>>,
    diff: StateDiff,
    gas_used: u64,
}

/// Stops the process if the sealing thread panics: a half-made block must not go on being served.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the sealing thread panicked, the process stops");
            std::process::abort();
        }
    }
}

impl Sealer {
    /// Starts the sealing thread.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn start(self) -> Sealing {
        let ledger = self.ledger.clone();
        let thread = std::thread::Builder::new().name("sealer".to_owned()).spawn(move || self.run());
        Sealing { ledger, thread: Some(thread.expect("the system starts a thread")) }
    }

    fn run(mut self) {
        let _guard = AbortOnPanic;
        let shared = Arc::clone(&self.ledger.shared);
        let mut due = Instant::now() + first_wait(&shared);
        let mut expiry_due = Instant::now() + EXPIRY_PERIOD;
        info!(data_dir = %self.data_dir.path().display(), validator = %shared.validator, "sealing begins");
        while !shared.wait_until(due) {
            if let Err(failure) = self.seal_next() {
                error!(error = %failure, "sealing stops: what is on disk is unknown");
                let _ = shared.failure.send_replace(Some(Arc::new(failure)));
                return;
            }
            let now = Instant::now();
            due = (due + shared.block_period).max(now);
            if now >= expiry_due {
                expiry_due = now + EXPIRY_PERIOD;
                let expired = shared.pool.lock().expire(now);
                if expired > 0 {
                    warn!(expired, "transactions waited too long for an earlier nonce and were dropped");
                }
            }
        }
        info!(head = self.ledger.head().number, "sealing ends");
    }

    /// Builds, seals, writes and publishes one block.
    ///
    /// # Errors
    /// [`SealError`]: nothing was published, and this sealer must not go on.
    pub(super) fn seal_next(&mut self) -> Result<Arc<Block>, SealError> {
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
        let state_root = {
            let mut tries = self.ledger.shared.tries.lock();
            tries.apply(diff);
            tries.root()
        };
        let header = self.header(&parent, &built, state_root);
        let block = Block { header: Arc::new(header), transactions: transactions.clone(), receipts: receipts.clone() };
        let block = Arc::new(block);
        let payload = encode_record(&block, diff.clone());
        let position = self.log.append(&payload).map_err(|source: AppendError| SealError::Log {
            number: block.header.number,
            source: Box::new(source),
        })?;
        self.publish(&block, position, next_state, invalid);
        Ok(block)
    }

    fn publish(
        &self,
        block: &Arc<Block>,
        position: crate::log::RecordPosition,
        state: WorldState,
        invalid: &[Arc<SignedTransaction>],
    ) {
        let shared = &self.ledger.shared;
        shared.chain.write().push(Arc::clone(block), position, state);
        shared.pool.lock().settle(&block.transactions, invalid);
        // Without subscribers nobody hears it.
        let _ = shared.blocks.send(Arc::clone(block));
        debug!(number = block.header.number, transactions = block.transactions.len(), gas_used = block.header.gas_used, "block sealed");
    }

    fn build(&self, parent: &SealedHeader, state: &WorldState, hashes: &[B256]) -> Built {
        let shared = &self.ledger.shared;
        let context = next_context(&self.ledger, parent);
        let deadline = Instant::now() + build_time(shared.block_period);
        let lookup = |wanted: u64| hash_at(hashes, parent.number, wanted);
        let mut run = shared.executor.begin(state, &lookup, &context, parent.hash());
        let candidates = shared.pool.lock().take_ready(shared.options.block_transactions_max);
        let (mut transactions, mut receipts, mut invalid) = (Vec::new(), Vec::new(), Vec::new());
        let mut left_from = candidates.len();
        for (index, transaction) in candidates.iter().enumerate() {
            let is_late = index > 0 && index % 64 == 0 && Instant::now() >= deadline;
            if is_late || !run.fits(transaction.envelope().gas_limit()) {
                left_from = index;
                break;
            }
            match run.execute(transaction) {
                Ok(executed) => {
                    transactions.push(Arc::clone(transaction));
                    receipts.push(executed.receipt);
                }
                Err(reason) => {
                    warn!(hash = %transaction.hash(), %reason, "a waiting transaction became invalid and was dropped");
                    invalid.push(Arc::clone(transaction));
                }
            }
        }
        shared.pool.lock().put_back(&candidates[left_from..]);
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
    let timestamp = unix_seconds().max(parent.timestamp.saturating_add(shared.block_period.as_secs()));
    let number = parent.number + 1;
    let fork = shared.genesis.rules_at(number, timestamp);
    let base_fee_wei = ledger.next_base_fee_wei(parent, fork).unwrap_or(0);
    let beneficiary = shared.genesis.config.qbft.mining_beneficiary.unwrap_or(shared.validator);
    BlockContext::new(number, timestamp, shared.genesis.gas_limit, base_fee_wei, beneficiary, fork)
}

fn build_time(block_period: Duration) -> Duration {
    (block_period * BUILD_SHARE_PERCENT / 100).max(BUILD_TIME_MIN)
}

/// How long the first block must wait: until the period after the head has passed, so that no timestamp lies ahead of
/// the clock; at most one period.
fn first_wait(shared: &Shared) -> Duration {
    let head = shared.chain.read().head().timestamp;
    let earliest = head.saturating_add(shared.block_period.as_secs());
    let ahead = Duration::from_secs(earliest.saturating_sub(unix_seconds()));
    ahead.min(shared.block_period)
}
