//! The JSON that nodes write, and the platform's own form of it. Members that nobody here needs are passed over.

use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U64};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct WireAnswer {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Option<WireError>,
}

#[derive(Deserialize)]
pub(crate) struct WireError {
    pub(crate) code: i64,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) data: Option<Value>,
}

/// An answer without a result.
pub(crate) enum NoResult {
    /// The node says why.
    Error(WireError),
    /// Nobody can read it; what is wrong with it.
    Unreadable(&'static str),
}

/// The result in the answer to the request with this id.
pub(crate) fn result_of(id: u64, answer: &str) -> Result<Value, NoResult> {
    let parsed: WireAnswer =
        serde_json::from_str(answer).map_err(|_| NoResult::Unreadable("the answer is no JSON-RPC"))?;
    match parsed.error {
        // A node that could not read the request cannot repeat its id.
        Some(error) if parsed.id == json!(id) || parsed.id.is_null() => Err(NoResult::Error(error)),
        None if parsed.id == json!(id) => Ok(parsed.result),
        _ => Err(NoResult::Unreadable("the answer is to another request")),
    }
}

/// The result or the error in an answer, whatever its id; `None` if nobody can read it.
pub(super) fn said(answer: &str) -> Option<Result<Value, WireError>> {
    let parsed: WireAnswer = serde_json::from_str(answer).ok()?;
    Some(parsed.error.map_or(Ok(parsed.result), Err))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireReceipt {
    transaction_hash: B256,
    block_hash: B256,
    block_number: U64,
    transaction_index: U64,
    gas_used: U64,
    status: U64,
    contract_address: Option<Address>,
    #[serde(default)]
    revert_reason: Option<Bytes>,
    logs: Vec<WireLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: U64,
    block_hash: B256,
    transaction_hash: B256,
    log_index: U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTransaction {
    hash: B256,
    from: Address,
    nonce: U64,
    #[serde(default)]
    block_number: Option<U64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBlock {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    transactions: Vec<WireTransaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireBlockName {
    number: U64,
    hash: B256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSealedBlock {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    logs_bloom: Bloom,
    receipts_root: B256,
    transactions: Vec<WireSealedTransaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSealedTransaction {
    hash: B256,
    from: Address,
    to: Option<Address>,
    nonce: U64,
    #[serde(default, rename = "type")]
    ty: Option<U64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireSealedReceipt {
    transaction_hash: B256,
    block_hash: B256,
    cumulative_gas_used: U64,
    status: U64,
    #[serde(default, rename = "type")]
    ty: Option<U64>,
    #[serde(default)]
    revert_reason: Option<Bytes>,
    logs: Vec<WireSealedLog>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSealedLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_hash: B256,
    transaction_hash: B256,
}

/// Which block a node has at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockName {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// A block with what its receipts are held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedBlock {
    pub(crate) number: u64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) timestamp_seconds: u64,
    pub(crate) logs_bloom: Bloom,
    pub(crate) receipts_root: B256,
    pub(crate) transactions: Vec<SealedTransaction>,
}

/// A transaction of a [`SealedBlock`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedTransaction {
    pub(crate) hash: B256,
    pub(crate) from: Address,
    pub(crate) to: Option<Address>,
    pub(crate) nonce: u64,
    /// Its EIP-2718 type; `None` where the node does not say it.
    pub(crate) ty: Option<u64>,
}

/// A receipt with all that enters into the block's receipts root, and with what it says of its own place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedReceipt {
    pub(crate) transaction_hash: B256,
    pub(crate) block_hash: B256,
    pub(crate) cumulative_gas_used: u64,
    pub(crate) is_success: bool,
    /// The EIP-2718 type of its transaction; `None` where the node does not say it.
    pub(crate) ty: Option<u64>,
    pub(crate) revert_data: Option<Bytes>,
    pub(crate) logs: Vec<SealedLog>,
}

/// A log of a [`SealedReceipt`], with what it says of its own place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedLog {
    pub(crate) log: Log,
    pub(crate) block_hash: B256,
    pub(crate) transaction_hash: B256,
}

/// What became of a mined transaction, as the node says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub transaction_hash: B256,
    /// The block it is in.
    pub block_hash: B256,
    /// That block's number.
    pub block_number: u64,
    /// Its place in the block, from 0.
    pub transaction_index: u64,
    /// The gas it used.
    pub gas_used: u64,
    /// Whether it was executed to its end. If not, it paid for gas and changed nothing else.
    pub is_success: bool,
    /// The contract that it was to create, as the node says: Besu and geth name it for a creation that failed too.
    pub contract_address: Option<Address>,
    /// The revert's bytes, where the node keeps them (Besu with `--revert-reason-enabled`).
    pub revert_data: Option<Bytes>,
    /// Its logs, in order.
    pub logs: Vec<Log>,
}

/// A log with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Address, topics and data.
    pub log: Log,
    /// The block it is in.
    pub block_hash: B256,
    /// That block's number.
    pub block_number: u64,
    /// The transaction that wrote it.
    pub transaction_hash: B256,
    /// Its place in the block, from 0.
    pub log_index: u64,
}

/// A transaction that a node has in its pool or in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenTransaction {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// The number of its block; `None` while it is in the pool.
    pub block_number: Option<u64>,
}

/// A block, as far as the platform reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the block before it.
    pub parent_hash: B256,
    /// When it was made, in seconds since 1970.
    pub timestamp_seconds: u64,
    /// Its transactions, in order.
    pub transactions: Vec<BlockTransaction>,
}

/// A transaction in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockTransaction {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
}

fn integer(quantity: U64) -> u64 {
    quantity.to::<u64>()
}

impl From<WireReceipt> for Receipt {
    fn from(wire: WireReceipt) -> Self {
        Self {
            transaction_hash: wire.transaction_hash,
            block_hash: wire.block_hash,
            block_number: integer(wire.block_number),
            transaction_index: integer(wire.transaction_index),
            gas_used: integer(wire.gas_used),
            is_success: wire.status == U64::from(1),
            contract_address: wire.contract_address,
            revert_data: wire.revert_reason,
            logs: wire.logs.into_iter().map(|log| LogEntry::from(log).log).collect(),
        }
    }
}

impl From<WireLog> for LogEntry {
    fn from(wire: WireLog) -> Self {
        Self {
            log: Log::new_unchecked(wire.address, wire.topics, wire.data),
            block_hash: wire.block_hash,
            block_number: integer(wire.block_number),
            transaction_hash: wire.transaction_hash,
            log_index: integer(wire.log_index),
        }
    }
}

impl From<WireTransaction> for SeenTransaction {
    fn from(wire: WireTransaction) -> Self {
        let block_number = wire.block_number.map(integer);
        Self { hash: wire.hash, sender: wire.from, nonce: integer(wire.nonce), block_number }
    }
}

impl From<WireBlock> for Block {
    fn from(wire: WireBlock) -> Self {
        let plain =
            |wire: WireTransaction| BlockTransaction { hash: wire.hash, sender: wire.from, nonce: integer(wire.nonce) };
        Self {
            number: integer(wire.number),
            hash: wire.hash,
            parent_hash: wire.parent_hash,
            timestamp_seconds: integer(wire.timestamp),
            transactions: wire.transactions.into_iter().map(plain).collect(),
        }
    }
}

impl From<WireBlockName> for BlockName {
    fn from(wire: WireBlockName) -> Self {
        Self { number: integer(wire.number), hash: wire.hash }
    }
}

impl From<WireSealedBlock> for SealedBlock {
    fn from(wire: WireSealedBlock) -> Self {
        let sealed = |wire: WireSealedTransaction| SealedTransaction {
            hash: wire.hash,
            from: wire.from,
            to: wire.to,
            nonce: integer(wire.nonce),
            ty: wire.ty.map(integer),
        };
        Self {
            number: integer(wire.number),
            hash: wire.hash,
            parent_hash: wire.parent_hash,
            timestamp_seconds: integer(wire.timestamp),
            logs_bloom: wire.logs_bloom,
            receipts_root: wire.receipts_root,
            transactions: wire.transactions.into_iter().map(sealed).collect(),
        }
    }
}

impl From<WireSealedReceipt> for SealedReceipt {
    fn from(wire: WireSealedReceipt) -> Self {
        let sealed = |wire: WireSealedLog| SealedLog {
            log: Log::new_unchecked(wire.address, wire.topics, wire.data),
            block_hash: wire.block_hash,
            transaction_hash: wire.transaction_hash,
        };
        Self {
            transaction_hash: wire.transaction_hash,
            block_hash: wire.block_hash,
            cumulative_gas_used: integer(wire.cumulative_gas_used),
            is_success: wire.status == U64::from(1),
            ty: wire.ty.map(integer),
            revert_data: wire.revert_reason,
            logs: wire.logs.into_iter().map(sealed).collect(),
        }
    }
}
