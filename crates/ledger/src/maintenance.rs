//! Looking inside a data directory, and cutting a damaged log, while no ledger runs on it.

use crate::block::decode_record;
use crate::data_dir::{DataDir, DataDirError};
use crate::header::SealedHeader;
use crate::log::{self, DirectoryError, Log, LogOptions, RepairError, SEGMENT_BYTES_MAX};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a data directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Hash of block 0.
    pub genesis_hash: B256,
    /// Shortest time between two blocks.
    pub block_period: Duration,
    /// This node's validator.
    pub validator: Address,
    /// Segments of the log.
    pub segments: usize,
    /// Whole records, block 0 among them.
    pub blocks: u64,
    /// Bytes of the log's whole records and headers.
    pub bytes: u64,
    /// The newest whole block; `None` before the ledger first ran, or if an earlier record is damaged.
    pub head: Option<Head>,
    /// A record that was being written when the process died: it will be dropped at the next start.
    pub torn_tail: Option<String>,
    /// Damage that `run` refuses, and what can be done about it.
    pub damage: Option<Damaged>,
}

/// The newest block of an inspected log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Root of the state after it.
    pub state_root: B256,
    /// Transactions in all blocks.
    pub transactions: u64,
}

/// Damage in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Place and kind.
    pub what: String,
    /// What the user can do.
    pub hint: &'static str,
}

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Blocks that are still there, block 0 among them.
    pub kept_blocks: u64,
    /// Bytes that were cut off; 0 if nothing was wrong.
    pub dropped_bytes: u64,
    /// Blocks that were cut off, where they could be counted.
    pub dropped_blocks: Option<u64>,
    /// Files that keep what was cut off.
    pub kept_in: Vec<PathBuf>,
}

/// A data directory cannot be inspected or repaired.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The directory itself.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The log cannot be read at all.
    #[error("the log of `{}` cannot be read", path.display())]
    Log {
        /// The data directory.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn log_error(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> MaintenanceError {
    MaintenanceError::Log { path: path.into(), source: Box::new(source) }
}

/// Looks inside a data directory. Changes nothing but needs its lock, so that it never reports a block that is being
/// written as damage.
///
/// # Errors
/// [`MaintenanceError`]; damage of records is no error but part of the answer.
pub fn inspect(path: &Path) -> Result<Inspection, MaintenanceError> {
    let data_dir = DataDir::open(path)?;
    let log = log::inspect(&data_dir.log_path()).map_err(|error: DirectoryError| log_error(path, error))?;
    let damage = log.first_damage.as_ref().map(|damage| Damaged { what: damage.to_string(), hint: damage.hint() });
    let is_readable = damage.is_none() && log.torn_tail.is_none();
    Ok(Inspection {
        chain_id: data_dir.genesis().config.chain_id,
        genesis_hash: data_dir.genesis_hash(),
        block_period: data_dir.block_period(),
        validator: data_dir.key().address(),
        segments: log.segments.len(),
        blocks: log.records,
        bytes: log.bytes,
        head: if is_readable { read_head(&data_dir)? } else { None },
        torn_tail: log.torn_tail.map(|tail| tail.to_string()),
        damage,
    })
}

fn read_head(data_dir: &DataDir) -> Result<Option<Head>, MaintenanceError> {
    let mut head: Option<Head> = None;
    let mut transactions = 0;
    let options = LogOptions { segment_bytes_max: SEGMENT_BYTES_MAX };
    let opened = Log::open(&data_dir.log_path(), data_dir.genesis_hash(), options, |number, _, payload| {
        let seal =
            |header: Header| if number == 0 { SealedHeader::genesis(header) } else { SealedHeader::trust(header) };
        let (block, _) = decode_record(payload, seal)?;
        transactions += block.transactions.len() as u64;
        let (hash, header) = (block.header.hash(), block.header.header());
        head = Some(Head { number, hash, timestamp: header.timestamp, state_root: header.state_root, transactions });
        Ok::<(), crate::block::RecordError>(())
    });
    let _ = opened.map_err(|error| log_error(data_dir.path(), error))?;
    Ok(head)
}

/// Cuts a damaged log before its first damaged record. What is cut off stays in files beside the log.
///
/// # Errors
/// [`MaintenanceError`], among others if another process has the directory, or if nothing of the log is whole.
pub fn repair_drop_tail(path: &Path) -> Result<Repaired, MaintenanceError> {
    let data_dir = DataDir::open(path)?;
    let repaired = log::repair_drop_tail(&data_dir.log_path()).map_err(|error: RepairError| log_error(path, error))?;
    Ok(Repaired {
        kept_blocks: repaired.kept_records,
        dropped_bytes: repaired.dropped_bytes(),
        dropped_blocks: repaired.dropped_records,
        kept_in: repaired.dropped.into_iter().map(|piece| piece.kept_in).collect(),
    })
}
