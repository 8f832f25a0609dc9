//! The running ledger: opened from its data directory, sealing blocks, answering questions.
//!
//! ```text
//! submit ─► checks, sender ─► pool ─► sealer: execute → tries → header → seal → log (fdatasync) ─► publish
//! call, blocks, receipts ◄── chain: headers, indexes, newest blocks and states ◄──────────────────────┘
//! ```
//! One thread seals. Readers take a lock only to look things up, never while anything is executed or read from disk.

mod admission;
mod sealer;

pub use admission::SubmitError;
pub use sealer::SealError;

use crate::block::{Block, RecordError, decode_record, encode_record};
use crate::chain::Chain;
use crate::data_dir::{DataDir, genesis_block};
use crate::executor::{BlockContext, Call, CallOutcome, Executor, InvalidReason};
use crate::forks::Fork;
use crate::genesis::Genesis;
use crate::header::{HeaderError, SealedHeader};
use crate::log::{Log, LogOptions, LogReader, SEGMENT_BYTES_MAX};
use crate::pool::{Pool, PoolLimits};
use crate::receipt::Receipt;
use crate::state::{WorldState, WorldTries};
use crate::transaction::SignedTransaction;
use alloy_consensus::Header;
use alloy_eips::eip1559::{BaseFeeParams, calc_next_block_base_fee};
use alloy_primitives::{Address, B256};
use parking_lot::{Condvar, Mutex, RwLock};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};

/// Blocks that a slow subscriber may lag behind before it misses some.
const BLOCK_EVENTS_KEPT: usize = 1_024;
/// Pending transactions that a slow subscriber may lag behind before it misses some.
const PENDING_EVENTS_KEPT: usize = 16_384;

/// What a process may choose for its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeOptions {
    /// Limits of the pool.
    pub pool: PoolLimits,
    /// Most gas that one transaction may ask for, whatever the block allows: on networks with a block limit of 2^53 one
    /// endless loop would otherwise stop the chain. 1e9 is about three seconds of the costliest loop.
    pub transaction_gas_max: u64,
    /// Most gas that a call or an estimate may use; Besu's `rpc-gas-cap` is 50 million.
    pub call_gas_max: u64,
    /// Most transactions in a block.
    pub block_transactions_max: usize,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            pool: PoolLimits::default(),
            transaction_gas_max: 1_000_000_000,
            call_gas_max: 50_000_000,
            block_transactions_max: 20_000,
        }
    }
}

/// What opening found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Number of the newest block.
    pub head: u64,
    /// A block that was being written when the process died, in words; it was never final and is gone.
    pub dropped_tail: Option<String>,
}

/// The ledger cannot be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log cannot be read: damage, another chain, the file system.
    #[error("the ledger's log cannot be used")]
    Log {
        /// What is wrong, with its place.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What the user can do about it.
        hint: Option<&'static str>,
    },
    /// The state that the log's blocks make is not the one that the newest header promises.
    #[error("the state after block {number} has root {found}, but its header says {expected}")]
    StateRoot {
        /// The newest block.
        number: u64,
        /// Root in its header.
        expected: B256,
        /// Root of the rebuilt state.
        found: B256,
    },
    /// The newest block is not sealed by this network's validators.
    #[error("the newest block is not sealed by its validators")]
    Head(#[from] HeaderError),
}

/// A record of the log does not continue the chain.
#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("block {number} names parent {found}, but the block before it is {expected}")]
    Parent { number: u64, expected: B256, found: B256 },
    #[error("block {found} stands where block {expected} should be")]
    Number { expected: u64, found: u64 },
}

/// Everything that the threads of a ledger share.
pub(crate) struct Shared {
    pub(crate) genesis: Genesis,
    genesis_hash: B256,
    pub(crate) block_period: Duration,
    pub(crate) validator: Address,
    pub(crate) options: NodeOptions,
    pub(crate) executor: Executor,
    pub(crate) pool: Mutex<Pool>,
    pub(crate) chain: RwLock<Chain>,
    /// Tries of the newest block: the sealer changes them, proofs read them.
    pub(crate) tries: Mutex<WorldTries>,
    log_reader: LogReader,
    blocks: broadcast::Sender<Arc<Block>>,
    pending: broadcast::Sender<B256>,
    stop: Mutex<bool>,
    stop_changed: Condvar,
    failure: watch::Sender<Option<Arc<SealError>>>,
}

/// A ledger. Cheap to clone; all clones are the same ledger.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
}

/// The sealing thread. Dropping it stops sealing after the block in work.
#[derive(Debug)]
#[must_use = "sealing stops when this is dropped"]
pub struct Sealing {
    ledger: Ledger,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ledger").field("chain_id", &self.chain_id()).field("head", &self.head().number).finish()
    }
}

/// A block with the place of one of its transactions.
#[derive(Clone, Debug)]
pub struct Mined {
    /// The block.
    pub block: Arc<Block>,
    /// Index of the transaction in it.
    pub index: usize,
}

impl Mined {
    /// The transaction.
    pub fn transaction(&self) -> &Arc<SignedTransaction> {
        &self.block.transactions[self.index]
    }

    /// Its receipt.
    pub fn receipt(&self) -> &Receipt {
        &self.block.receipts[self.index]
    }

    /// Index, in the block, of the first log of this transaction.
    pub fn first_log_index(&self) -> u64 {
        self.block.receipts[..self.index].iter().map(|receipt| receipt.logs.len() as u64).sum()
    }
}

impl Ledger {
    /// Opens the ledger of a data directory and recovers its state. It does not seal yet: see [`Self::start_sealing`].
    ///
    /// # Errors
    /// [`OpenError`]; the log is then as it was.
    pub fn open(data_dir: DataDir, options: NodeOptions) -> Result<(Self, Recovered, Sealer), OpenError> {
        let genesis = data_dir.genesis().clone();
        let mut replay = Replay::new();
        let log_options = LogOptions { segment_bytes_max: SEGMENT_BYTES_MAX };
        let opened = Log::open(&data_dir.log_path(), data_dir.genesis_hash(), log_options, |number, position, payload| {
            replay.take(number, position, payload)
        });
        let (mut log, recovered) = opened.map_err(open_error)?;
        if replay.next_number == 0 {
            replay.begin(&genesis, &mut log)?;
        }
        let tries = replay.finish()?;
        let executor =
            Executor { chain_id: genesis.config.chain_id, contract_bytes_max: genesis.config.contract_bytes_max };
        let shared = Shared {
            genesis_hash: data_dir.genesis_hash(),
            block_period: data_dir.block_period(),
            validator: data_dir.key().address(),
            options: NodeOptions { pool: pool_limits(options.pool, &genesis), ..options },
            executor,
            pool: Mutex::new(Pool::new(pool_limits(options.pool, &genesis))),
            chain: RwLock::new(replay.chain),
            tries: Mutex::new(tries),
            log_reader: log.reader(),
            blocks: broadcast::channel(BLOCK_EVENTS_KEPT).0,
            pending: broadcast::channel(PENDING_EVENTS_KEPT).0,
            stop: Mutex::new(false),
            stop_changed: Condvar::new(),
            failure: watch::channel(None).0,
            genesis,
        };
        let ledger = Self { shared: Arc::new(shared) };
        let dropped_tail = recovered.dropped_tail.map(|tail| tail.to_string());
        let recovered = Recovered { head: ledger.head().number, dropped_tail };
        let sealer = Sealer { ledger: ledger.clone(), data_dir, log };
        Ok((ledger, recovered, sealer))
    }

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
    pub fn header(&self, number: u64) -> Option<Arc<SealedHeader>> {
        self.shared.chain.read().header(number).cloned()
    }

    /// Number of the block with this hash.
    pub fn number_of(&self, hash: &B256) -> Option<u64> {
        self.shared.chain.read().number_of(hash)
    }

    /// A block; an old one is read from the log.
    pub fn block(&self, number: u64) -> Option<Arc<Block>> {
        let located = self.shared.chain.read().locate(number)?;
        Some(located.load(&self.shared.log_reader))
    }

    /// A transaction that is in a block.
    pub fn mined(&self, transaction: &B256) -> Option<Mined> {
        let (number, index) = self.shared.chain.read().place_of(transaction)?;
        Some(Mined { block: self.block(number)?, index: index as usize })
    }

    /// A transaction that waits for a block.
    pub fn waiting(&self, transaction: &B256) -> Option<Arc<SignedTransaction>> {
        self.shared.pool.lock().get(transaction).cloned()
    }

    /// The state after a block, if it is one of the newest [`crate::chain::STATES_KEPT`].
    pub fn state(&self, number: u64) -> Option<WorldState> {
        self.shared.chain.read().state(number)
    }

    /// The newest header with its state.
    pub fn head_and_state(&self) -> (Arc<SealedHeader>, WorldState) {
        let chain = self.shared.chain.read();
        (Arc::clone(chain.head()), chain.head_state())
    }

    /// The nonce that a new transaction of `sender` should have, counting what waits.
    pub fn next_nonce(&self, sender: &Address) -> u64 {
        let (_, state) = self.head_and_state();
        let account_nonce = state.account(sender).map_or(0, |account| account.nonce);
        self.shared.pool.lock().next_nonce(sender, account_nonce)
    }

    /// Runs a call on the state after block `number`, in the context of that block.
    ///
    /// # Errors
    /// [`InvalidReason`] where it could not even begin; `None` where the state is not kept.
    pub fn call(&self, number: u64, call: Call) -> Option<Result<CallOutcome, InvalidReason>> {
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
    pub fn next_fork(&self, header: &Header) -> Fork {
        let next = header.timestamp.saturating_add(self.shared.block_period.as_secs());
        self.shared.genesis.rules_at(header.number + 1, next.max(unix_seconds()))
    }

    /// Base fee, in wei, of the block after `parent`; `None` before London.
    pub fn next_base_fee_wei(&self, parent: &Header, fork: Fork) -> Option<u64> {
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
    fn context(&self, header: &Header) -> BlockContext {
        let fork = self.shared.genesis.rules_at(header.number, header.timestamp);
        let base_fee_wei = header.base_fee_per_gas.unwrap_or(0);
        let beneficiary = self.shared.genesis.config.qbft.mining_beneficiary.unwrap_or(header.beneficiary);
        BlockContext::new(header.number, header.timestamp, header.gas_limit, base_fee_wei, beneficiary, fork)
    }

    /// New blocks, from now on.
    pub fn subscribe_blocks(&self) -> broadcast::Receiver<Arc<Block>> {
        self.shared.blocks.subscribe()
    }

    /// Hashes of transactions that enter the pool, from now on.
    pub fn subscribe_pending(&self) -> broadcast::Receiver<B256> {
        self.shared.pending.subscribe()
    }

    /// Waits until sealing has failed for good. The process should then stop: what is on disk is unknown.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost if it is dropped.
    pub async fn failed(&self) -> Arc<SealError> {
        let mut failure = self.shared.failure.subscribe();
        loop {
            if let Some(error) = failure.borrow_and_update().clone() {
                return error;
            }
            if failure.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

fn pool_limits(limits: PoolLimits, genesis: &Genesis) -> PoolLimits {
    // Where gas is free, no price is higher than another: Besu then lets an equal price replace.
    let is_free = genesis.config.zero_base_fee || !genesis.config.forks.at(u64::MAX, u64::MAX).is_some_and(|fork| fork >= Fork::London);
    if is_free { PoolLimits { price_bump_percent: 0, ..limits } } else { limits }
}

/// Hash of block `wanted` from a list that begins with block `newest` and goes down; zero outside of it.
fn hash_at(newest_first: &[B256], newest: u64, wanted: u64) -> B256 {
    let distance = newest.checked_sub(wanted).and_then(|distance| usize::try_from(distance).ok());
    distance.and_then(|distance| newest_first.get(distance)).copied().unwrap_or_default()
}

/// Seconds since 1970 by the system's clock; 0 if it is set before then.
fn unix_seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_secs())
}

fn open_error(error: crate::log::OpenError<ReplayError>) -> OpenError {
    let hint = match &error {
        crate::log::OpenError::Damaged(damage) => Some(damage.hint()),
        _ => None,
    };
    OpenError::Log { source: Box::new(error), hint }
}

/// Rebuilds chain and state from the log, by its diffs, without executing anything.
struct Replay {
    chain: Chain,
    state: WorldState,
    next_number: u64,
}

impl Replay {
    fn new() -> Self {
        Self { chain: Chain::new(), state: WorldState::default(), next_number: 0 }
    }

    fn take(&mut self, number: u64, position: crate::log::RecordPosition, payload: &[u8]) -> Result<(), ReplayError> {
        // Checksums vouch for the bytes; seals are checked on the newest block, which commits to all before it.
        let seal = |header: Header| if number == 0 { SealedHeader::genesis(header) } else { SealedHeader::trust(header) };
        let (block, diff) = decode_record(payload, seal)?;
        if block.header.number != number {
            return Err(ReplayError::Number { expected: number, found: block.header.number });
        }
        if number > 0 && block.header.parent_hash != self.chain.head().hash() {
            let (expected, found) = (self.chain.head().hash(), block.header.parent_hash);
            return Err(ReplayError::Parent { number, expected, found });
        }
        self.state.apply(&diff);
        self.chain.push(Arc::new(block), position, self.state.clone());
        self.next_number = number + 1;
        Ok(())
    }

    fn begin(&mut self, genesis: &Genesis, log: &mut Log) -> Result<(), OpenError> {
        let (header, diff) = genesis_block(genesis);
        let block = Block { header: Arc::new(header), transactions: Vec::new(), receipts: Vec::new() };
        self.state.apply(&diff);
        let payload = encode_record(&block, diff);
        let position =
            log.append(&payload).map_err(|error| OpenError::Log { source: Box::new(error), hint: None })?;
        self.chain.push(Arc::new(block), position, self.state.clone());
        self.next_number = 1;
        Ok(())
    }

    fn finish(&self) -> Result<WorldTries, OpenError> {
        let head = self.chain.head();
        if head.number > 0 {
            let _ = SealedHeader::check(head.header().clone())?;
        }
        let mut tries = WorldTries::of(&self.state);
        let found = tries.root();
        if found != head.state_root {
            return Err(OpenError::StateRoot { number: head.number, expected: head.state_root, found });
        }
        Ok(tries)
    }
}

/// What only the sealing thread touches: the log, the node's key, the lock of the data directory.
#[derive(Debug)]
pub struct Sealer {
    ledger: Ledger,
    data_dir: DataDir,
    log: Log,
}

impl Sealing {
    /// Stops sealing and waits until the block in work is on disk. The data directory is then free.
    pub fn stop(mut self) {
        self.stop_and_join();
    }

    fn stop_and_join(&mut self) {
        *self.ledger.shared.stop.lock() = true;
        let _ = self.ledger.shared.stop_changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the sealer has stopped the process already.
            let _ = thread.join();
        }
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.stop_and_join();
    }
}

impl Shared {
    /// Waits until `due` or until the ledger is stopped; true if it was stopped.
    fn wait_until(&self, due: Instant) -> bool {
        let mut stop = self.stop.lock();
        while !*stop {
            if self.stop_changed.wait_until(&mut stop, due).timed_out() {
                break;
            }
        }
        *stop
    }
}

#[cfg(test)]
pub(crate) mod tests;
