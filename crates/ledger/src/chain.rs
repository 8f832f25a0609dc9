//! The blocks: what is kept in memory to find them, and how the rest is read back from the log.
//!
//! In memory: every header and log position (about 1 KiB a block), where each transaction is (about 60 bytes each), the
//! newest [`BLOCKS_KEPT`] blocks whole and the newest [`STATES_KEPT`] states; fewer of both under load, since what they
//! cost depends on what is in them. Older blocks come from the log, older states are gone.

use crate::block::{Block, decode_record};
use crate::header::SealedHeader;
use crate::log::{LogReader, RecordPosition};
use crate::state::WorldState;
use alloy_primitives::B256;
use alloy_primitives::map::DefaultHashBuilder;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Newest blocks that are kept decoded.
pub(crate) const BLOCKS_KEPT: usize = 256;
/// Newest states that calls can be made on; Besu's default for Bonsai is 512 blocks.
pub(crate) const STATES_KEPT: usize = 512;
/// Bytes, in the log, of the blocks that are kept decoded. Decoded, a transfer with its receipt takes some four times its
/// 500 bytes there: 200 MiB.
const RECENT_BYTES_KEPT: u64 = 50 * 1024 * 1024;
/// Accounts and slots that changed between the states that are kept: at some 1 KiB for what two states do not share, 1 GiB.
const CHANGES_KEPT: usize = 1_000_000;
/// As many states are kept however much changed between them, so that a call on a block just seen finds it.
const STATES_KEPT_MIN: usize = 8;
/// How far `BLOCKHASH` looks back.
const BLOCK_HASHES: u64 = 256;

type Index<K, V> = HashMap<K, V, DefaultHashBuilder>;

/// The canonical chain. There is one: with one sealer nothing is ever reorganised.
pub(crate) struct Chain {
    headers: Vec<Arc<SealedHeader>>,
    positions: Vec<RecordPosition>,
    by_hash: Index<B256, u64>,
    transactions: Index<B256, (u64, u32)>,
    /// Newest blocks, each with its bytes in the log.
    recent: VecDeque<(Arc<Block>, u32)>,
    /// Bytes of all in `recent`.
    recent_bytes: u64,
    states: VecDeque<KeptState>,
    /// Changes in `states`.
    states_changes: usize,
}

/// The state after a block, and how many accounts and slots the block changed.
struct KeptState {
    state: WorldState,
    changes: usize,
}

/// Where a block is to be found.
pub(crate) enum Located {
    /// Decoded, in memory.
    Recent(Arc<Block>),
    /// In the log.
    Stored(Arc<SealedHeader>, RecordPosition),
}

impl Located {
    /// The block. Reads the disk for an old one: not to be called under a lock.
    ///
    /// # Panics
    /// If the log no longer holds what it held when the block was written: a disk that loses committed bytes makes every
    /// further answer worthless.
    pub(crate) fn load(self, log: &LogReader) -> Arc<Block> {
        match self {
            Self::Recent(block) => block,
            Self::Stored(header, position) => {
                let payload = log.read(position).expect("a committed block can be read back");
                let (block, _) =
                    decode_record(&payload, |_| SealedHeader::clone(&header)).expect("it was decoded before");
                Arc::new(block)
            }
        }
    }
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self {
            headers: Vec::new(),
            positions: Vec::new(),
            by_hash: Index::default(),
            transactions: Index::default(),
            recent: VecDeque::new(),
            recent_bytes: 0,
            states: VecDeque::new(),
            states_changes: 0,
        }
    }

    /// Adds the next block, the state after it, and how many accounts and slots it changed.
    ///
    /// # Panics
    /// If it does not extend the chain: only a bug could hand over such a block.
    pub(crate) fn push(&mut self, block: Arc<Block>, position: RecordPosition, state: WorldState, changes: usize) {
        let number = block.header.number;
        assert_eq!(number, self.headers.len() as u64, "a block must extend the chain");
        for (index, transaction) in (0_u32..).zip(&block.transactions) {
            let _ = self.transactions.insert(transaction.hash(), (number, index));
        }
        let _ = self.by_hash.insert(block.header.hash(), number);
        self.headers.push(Arc::clone(&block.header));
        self.positions.push(position);
        self.recent_bytes += u64::from(position.payload_bytes());
        self.recent.push_back((block, position.payload_bytes()));
        self.states_changes += changes;
        self.states.push_back(KeptState { state, changes });
        self.forget_old();
    }

    fn forget_old(&mut self) {
        while self.recent.len() > BLOCKS_KEPT || (self.recent.len() > 1 && self.recent_bytes > RECENT_BYTES_KEPT) {
            let Some((_, bytes)) = self.recent.pop_front() else { break };
            self.recent_bytes -= u64::from(bytes);
        }
        while self.states.len() > STATES_KEPT
            || (self.states.len() > STATES_KEPT_MIN && self.states_changes > CHANGES_KEPT)
        {
            let Some(oldest) = self.states.pop_front() else { break };
            self.states_changes -= oldest.changes;
        }
    }

    /// The newest header.
    ///
    /// # Panics
    /// Never once the ledger is open: block 0 is there.
    pub(crate) fn head(&self) -> &Arc<SealedHeader> {
        self.headers.last().expect("an open ledger has block 0")
    }

    /// The newest state. A cheap clone.
    pub(crate) fn head_state(&self) -> WorldState {
        self.states.back().expect("an open ledger has the state of its head").state.clone()
    }

    /// The header of a block.
    pub(crate) fn header(&self, number: u64) -> Option<&Arc<SealedHeader>> {
        self.headers.get(usize::try_from(number).ok()?)
    }

    /// Number of the block with this hash.
    pub(crate) fn number_of(&self, hash: &B256) -> Option<u64> {
        self.by_hash.get(hash).copied()
    }

    /// Block and index of a transaction.
    pub(crate) fn place_of(&self, transaction: &B256) -> Option<(u64, u32)> {
        self.transactions.get(transaction).copied()
    }

    /// Where a block is.
    pub(crate) fn locate(&self, number: u64) -> Option<Located> {
        let from_end = usize::try_from(self.head().number.checked_sub(number)?).ok()?;
        if let Some(index) = self.recent.len().checked_sub(from_end + 1) {
            return Some(Located::Recent(Arc::clone(&self.recent[index].0)));
        }
        let index = usize::try_from(number).ok()?;
        Some(Located::Stored(Arc::clone(&self.headers[index]), self.positions[index]))
    }

    /// The state after a block, if it is still kept.
    pub(crate) fn state(&self, number: u64) -> Option<WorldState> {
        let from_end = usize::try_from(self.head().number.checked_sub(number)?).ok()?;
        let index = self.states.len().checked_sub(from_end + 1)?;
        Some(self.states[index].state.clone())
    }

    /// Hashes that `BLOCKHASH` may see while the block after `number` runs, newest first.
    pub(crate) fn hashes_up_to(&self, number: u64) -> Vec<B256> {
        let first = number.saturating_sub(BLOCK_HASHES - 1);
        (first..=number).rev().filter_map(|number| self.header(number)).map(|header| header.hash()).collect()
    }
}
