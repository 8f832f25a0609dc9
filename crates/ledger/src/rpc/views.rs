//! How blocks, transactions, receipts and logs look in JSON.

use crate::block::Block;
use crate::header::SealedHeader;
use crate::node::Mined;
use crate::receipt::Receipt;
use crate::transaction::SignedTransaction;
use alloy_consensus::transaction::Recovered;
use alloy_consensus::{
    Receipt as ConsensusReceipt, ReceiptEnvelope, ReceiptWithBloom, Transaction as _, TxEnvelope, TxType,
};
use alloy_primitives::{Bytes, U256};
use alloy_rpc_types_eth::{
    Block as RpcBlock, BlockTransactions, Header as RpcHeader, Log as RpcLog, Transaction as RpcTransaction,
    TransactionReceipt, Withdrawals,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// A receipt with Besu's `revertReason`, which it adds when it runs with `--revert-reason-enabled`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ReceiptView {
    #[serde(flatten)]
    inner: TransactionReceipt<ReceiptEnvelope<RpcLog>>,
    #[serde(rename = "revertReason", skip_serializing_if = "Option::is_none")]
    revert_reason: Option<Bytes>,
}

pub(super) fn header(header: &SealedHeader) -> RpcHeader {
    RpcHeader {
        hash: header.hash(),
        inner: header.header().clone(),
        // Every block of a BFT chain has difficulty 1.
        total_difficulty: Some(U256::from(header.number.saturating_add(1))),
        size: None,
    }
}

pub(super) fn block(block: &Block, is_full: bool) -> RpcBlock<RpcTransaction<TxEnvelope>> {
    let transactions = if is_full {
        BlockTransactions::Full((0..block.transactions.len()).map(|index| transaction_at(block, index)).collect())
    } else {
        BlockTransactions::Hashes(block.transactions.iter().map(|transaction| transaction.hash()).collect())
    };
    let mut header = header(&block.header);
    let raw: usize = block.transactions.iter().map(|transaction| transaction.raw().len()).sum();
    header.size = Some(U256::from(alloy_rlp::encode(block.header.header()).len().saturating_add(raw)));
    let withdrawals = block.header.withdrawals_root.map(|_| Withdrawals::default());
    RpcBlock { header, uncles: Vec::new(), transactions, withdrawals }
}

pub(super) fn transaction_at(block: &Block, index: usize) -> RpcTransaction<TxEnvelope> {
    let transaction = &block.transactions[index];
    RpcTransaction {
        inner: recovered(transaction),
        block_hash: Some(block.header.hash()),
        block_number: Some(block.header.number),
        transaction_index: Some(index as u64),
        effective_gas_price: Some(effective_gas_price(transaction, block.header.base_fee_per_gas)),
        block_timestamp: Some(block.header.timestamp),
    }
}

pub(super) fn waiting(transaction: &SignedTransaction) -> RpcTransaction<TxEnvelope> {
    RpcTransaction {
        inner: recovered(transaction),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: Some(transaction.envelope().max_fee_per_gas()),
        block_timestamp: None,
    }
}

fn recovered(transaction: &SignedTransaction) -> Recovered<TxEnvelope> {
    Recovered::new_unchecked(transaction.envelope().clone(), transaction.sender())
}

fn effective_gas_price(transaction: &SignedTransaction, base_fee: Option<u64>) -> u128 {
    transaction.envelope().effective_gas_price(base_fee)
}

pub(super) fn receipt(mined: &Mined, first_log_index: u64) -> ReceiptView {
    let (header, receipt, transaction) = (&mined.block.header, mined.receipt(), mined.transaction());
    let logs = logs_of(&mined.block, mined.index, first_log_index).collect();
    let consensus =
        ConsensusReceipt { status: receipt.is_success.into(), cumulative_gas_used: receipt.cumulative_gas_used, logs };
    let with_bloom = ReceiptWithBloom { receipt: consensus, logs_bloom: receipt.bloom() };
    let ty = TxType::try_from(receipt.ty).unwrap_or(TxType::Legacy);
    let inner = TransactionReceipt {
        inner: ReceiptEnvelope::from_typed(ty, with_bloom),
        transaction_hash: transaction.hash(),
        transaction_index: Some(mined.index as u64),
        block_hash: Some(header.hash()),
        block_number: Some(header.number),
        gas_used: receipt.gas_used,
        effective_gas_price: effective_gas_price(transaction, header.base_fee_per_gas),
        blob_gas_used: None,
        blob_gas_price: None,
        from: transaction.sender(),
        to: transaction.envelope().to(),
        contract_address: receipt.contract_address(),
    };
    ReceiptView { inner, revert_reason: (!receipt.revert.is_empty()).then(|| receipt.revert.clone()) }
}

/// The logs of one transaction, numbered within the block from `first_log_index`.
pub(super) fn logs_of(block: &Block, index: usize, first_log_index: u64) -> impl Iterator<Item = RpcLog> + '_ {
    let receipt: &Receipt = &block.receipts[index];
    let hash = block.transactions[index].hash();
    (first_log_index..).zip(&receipt.logs).map(move |(log_index, log)| RpcLog {
        inner: log.clone(),
        block_hash: Some(block.header.hash()),
        block_number: Some(block.header.number),
        block_timestamp: Some(block.header.timestamp),
        transaction_hash: Some(hash),
        transaction_index: Some(index as u64),
        log_index: Some(log_index),
        removed: false,
    })
}

/// All logs of a block.
pub(super) fn logs(block: &Block) -> Vec<RpcLog> {
    let mut logs = Vec::new();
    for index in 0..block.transactions.len() {
        let first = logs.len() as u64;
        logs.extend(logs_of(block, index, first));
    }
    logs
}

/// The namespaces of the registered methods, each with version 1.0.
pub(super) fn rpc_modules(names: &[&'static str]) -> BTreeMap<&'static str, &'static str> {
    names.iter().filter_map(|name| name.split_once('_')).map(|(namespace, _)| (namespace, "1.0")).collect()
}
