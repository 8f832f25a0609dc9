//! Opening: chain and state from the log, by its diffs, without executing anything.

use crate::block::{Block, RecordError, decode_record, encode_record};
use crate::chain::Chain;
use crate::data_dir::genesis_block;
use crate::genesis::Genesis;
use crate::header::{HeaderError, SealedHeader};
use crate::log::{Log, RecordPosition};
use crate::state::{WorldState, WorldTries};
use alloy_consensus::Header;
use alloy_primitives::B256;
use std::sync::Arc;

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
pub(super) enum ReplayError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("block {number} names parent {found}, but the block before it is {expected}")]
    Parent { number: u64, expected: B256, found: B256 },
    #[error("block {found} stands where block {expected} should be")]
    Number { expected: u64, found: u64 },
}

pub(super) fn open_error(error: crate::log::OpenError<ReplayError>) -> OpenError {
    let hint = match &error {
        crate::log::OpenError::Damaged(damage) => Some(damage.hint()),
        _ => None,
    };
    OpenError::Log { source: Box::new(error), hint }
}

/// Rebuilds chain and state from the log, by its diffs, without executing anything.
pub(super) struct Replay {
    pub(super) chain: Chain,
    state: WorldState,
    next_number: u64,
}

impl Replay {
    pub(super) fn new() -> Self {
        Self { chain: Chain::new(), state: WorldState::default(), next_number: 0 }
    }

    /// Takes the next record of the log.
    pub(super) fn take(&mut self, number: u64, position: RecordPosition, payload: &[u8]) -> Result<(), ReplayError> {
        // Checksums vouch for the bytes; seals are checked on the newest block, which commits to all before it.
        let seal =
            |header: Header| if number == 0 { SealedHeader::genesis(header) } else { SealedHeader::trust(header) };
        let (block, diff) = decode_record(payload, seal)?;
        if block.header.number != number {
            return Err(ReplayError::Number { expected: number, found: block.header.number });
        }
        if number > 0 && block.header.parent_hash != self.chain.head().hash() {
            let (expected, found) = (self.chain.head().hash(), block.header.parent_hash);
            return Err(ReplayError::Parent { number, expected, found });
        }
        self.state.apply(&diff);
        self.chain.push(Arc::new(block), position, self.state.clone(), diff.changes());
        self.next_number = number + 1;
        Ok(())
    }

    /// Writes block 0 if the log is empty.
    pub(super) fn begin_if_empty(&mut self, genesis: &Genesis, log: &mut Log) -> Result<(), OpenError> {
        if self.next_number > 0 {
            return Ok(());
        }
        let (header, diff) = genesis_block(genesis);
        let block = Block { header: Arc::new(header), transactions: Vec::new(), receipts: Vec::new() };
        self.state.apply(&diff);
        let changes = diff.changes();
        let payload = encode_record(&block, diff);
        let position = log.append(&payload).map_err(|error| OpenError::Log { source: Box::new(error), hint: None })?;
        self.chain.push(Arc::new(block), position, self.state.clone(), changes);
        self.next_number = 1;
        Ok(())
    }

    /// Checks what the records made, and builds the tries of the newest block.
    pub(super) fn finish(&self) -> Result<WorldTries, OpenError> {
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
