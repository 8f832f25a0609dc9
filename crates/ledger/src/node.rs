//! The running ledger: opened from its data directory, sealing blocks, answering questions.
//!
//! ```text
//! submit ─► checks, sender ─► pool ─► sealer: execute → tries → header → seal → log (fdatasync) ─► publish
//! call, blocks, receipts ◄── chain: headers, indexes, newest blocks and states ◄──────────────────────┘
//! ```
//! One thread seals. Readers take a lock only to look things up, never while anything is executed or read from disk.

mod admission;
mod queries;
mod replay;
mod sealer;
mod sealing;

pub(crate) use admission::SubmitError;
pub(crate) use queries::Mined;
pub use replay::{OpenError, Recovered};
pub use sealer::{SealError, Sealer};
pub use sealing::Sealing;

use crate::block::Block;
use crate::chain::Chain;
use crate::clock::Clock;
use crate::data_dir::DataDir;
use crate::executor::Executor;
use crate::forks::Fork;
use crate::genesis::Genesis;
use crate::log::{Log, LogOptions, LogReader, SEGMENT_BYTES_MAX};
use crate::pool::{Pool, PoolLimits};
use crate::state::WorldTries;
use alloy_primitives::{Address, B256};
use parking_lot::{Condvar, Mutex, RwLock};
use replay::{Replay, open_error};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Blocks that a slow subscriber may lag behind before it misses some: few, since each is kept whole until it was read.
const BLOCK_EVENTS_KEPT: usize = 64;
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
    /// Where timestamps come from.
    pub clock: Clock,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            pool: PoolLimits::default(),
            transaction_gas_max: 1_000_000_000,
            call_gas_max: 50_000_000,
            block_transactions_max: 20_000,
            clock: Clock::System,
        }
    }
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

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ledger").field("chain_id", &self.chain_id()).field("head", &self.head().number).finish()
    }
}

impl Ledger {
    /// Opens the ledger of a data directory and recovers its state. It does not seal yet: see [`Sealer::start`].
    ///
    /// # Errors
    /// [`OpenError`]; the log is then as it was.
    pub fn open(data_dir: DataDir, options: NodeOptions) -> Result<(Self, Recovered, Sealer), OpenError> {
        let genesis = data_dir.genesis().clone();
        let mut replay = Replay::new();
        let log_options = LogOptions { segment_bytes_max: SEGMENT_BYTES_MAX };
        let opened =
            Log::open(&data_dir.log_path(), data_dir.genesis_hash(), log_options, |number, position, payload| {
                replay.take(number, position, payload)
            });
        let (mut log, recovered) = opened.map_err(open_error)?;
        replay.begin_if_empty(&genesis, &mut log)?;
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

    /// New blocks, from now on.
    pub(crate) fn subscribe_blocks(&self) -> broadcast::Receiver<Arc<Block>> {
        self.shared.blocks.subscribe()
    }

    /// Hashes of transactions that enter the pool, from now on.
    pub(crate) fn subscribe_pending(&self) -> broadcast::Receiver<B256> {
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
    let newest_rules = genesis.config.forks.at(u64::MAX, u64::MAX);
    let is_free = genesis.config.zero_base_fee || newest_rules.is_none_or(|fork| fork < Fork::London);
    if is_free { PoolLimits { price_bump_percent: 0, ..limits } } else { limits }
}

#[cfg(test)]
mod tests;
