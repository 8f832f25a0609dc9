//! Ledgers of a model: blocks with real blooms and receipts roots, of which nothing was ever executed.

use alloy_consensus::proofs::calculate_receipt_root;
use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, LogData, U64, U256, keccak256, logs_bloom};
use serde_json::{Value, json};

use crate::follower::{FollowedBlock, FollowedTransaction};
use crate::simulation::random::Random;

#[derive(Debug, Clone)]
pub(super) struct ModelTransaction {
    pub(super) hash: B256,
    pub(super) from: Address,
    to: Option<Address>,
    nonce: u64,
    ty: TxType,
    pub(super) is_success: bool,
    pub(super) gas_used: u64,
    pub(super) logs: Vec<Log>,
}

#[derive(Debug, Clone)]
pub(super) struct ModelBlock {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) parent_hash: B256,
    pub(super) transactions: Vec<ModelTransaction>,
    logs_bloom: Bloom,
    receipts_root: B256,
}

/// Blocks on top of these; the salt makes them others than those of another salt.
pub(super) fn grow(mut chain: Vec<ModelBlock>, length: usize, salt: u64, random: &mut Random) -> Vec<ModelBlock> {
    while chain.len() < length {
        let parent_hash = chain.last().map_or(B256::ZERO, |parent| parent.hash);
        let number = chain.len() as u64;
        let count = if number == 0 { 0 } else { random.below(4) };
        let transactions = (0..count).map(|_| transaction(random)).collect();
        chain.push(ModelBlock::seal(number, parent_hash, transactions, salt));
    }
    chain
}

fn transaction(random: &mut Random) -> ModelTransaction {
    let is_success = !random.per_mille(200);
    let logs = if is_success { (0..random.below(4)).map(|_| log(random)).collect() } else { Vec::new() };
    let types = [TxType::Legacy, TxType::Eip2930, TxType::Eip1559];
    ModelTransaction {
        hash: word(random),
        from: Address::from_word(word(random)),
        to: (!random.per_mille(100)).then(|| Address::from_word(word(random))),
        nonce: random.below(1000),
        ty: types[usize::try_from(random.below(3)).unwrap()],
        is_success,
        gas_used: 21_000 + random.below(100_000),
        logs,
    }
}

fn log(random: &mut Random) -> Log {
    let topics = (0..random.below(3)).map(|_| word(random)).collect();
    let data = Bytes::from(vec![7; usize::try_from(random.below(100)).unwrap()]);
    Log { address: Address::from_word(word(random)), data: LogData::new_unchecked(topics, data) }
}

pub(super) fn word(random: &mut Random) -> B256 {
    B256::from(U256::from_limbs([random.next(), random.next(), random.next(), random.next()]))
}

impl ModelBlock {
    /// The block with header fields that fit its transactions.
    pub(super) fn seal(number: u64, parent_hash: B256, transactions: Vec<ModelTransaction>, salt: u64) -> Self {
        let mut gas = 0;
        let receipts: Vec<ReceiptEnvelope> = transactions
            .iter()
            .map(|tx| {
                gas += tx.gas_used;
                let status = Eip658Value::Eip658(tx.is_success);
                let receipt = Receipt { status, cumulative_gas_used: gas, logs: tx.logs.clone() };
                ReceiptEnvelope::from_typed(tx.ty, ReceiptWithBloom { logs_bloom: logs_bloom(&tx.logs), receipt })
            })
            .collect();
        let receipts_root = calculate_receipt_root(&receipts);
        let logs_bloom = receipts.iter().fold(Bloom::ZERO, |all, receipt| all | *receipt.logs_bloom());
        let place = [number.to_be_bytes(), salt.to_be_bytes()].concat();
        let hash = keccak256([&place[..], &parent_hash[..], &receipts_root[..]].concat());
        Self { number, hash, parent_hash, transactions, logs_bloom, receipts_root }
    }

    pub(super) fn header(&self, is_full: bool) -> Value {
        let full = |tx: &ModelTransaction| {
            let ty = U64::from(u8::from(tx.ty));
            json!({ "hash": tx.hash, "from": tx.from, "to": tx.to, "nonce": U64::from(tx.nonce), "type": ty })
        };
        let hashes = |tx: &ModelTransaction| json!(tx.hash);
        let form: &dyn Fn(&ModelTransaction) -> Value = if is_full { &full } else { &hashes };
        json!({
            "number": U64::from(self.number), "hash": self.hash, "parentHash": self.parent_hash,
            "timestamp": U64::from(self.number), "logsBloom": self.logs_bloom, "receiptsRoot": self.receipts_root,
            "transactions": self.transactions.iter().map(form).collect::<Vec<_>>(),
        })
    }

    /// Its receipts; `keeps_reverts` as Besu does with `--revert-reason-enabled`.
    pub(super) fn receipts(&self, keeps_reverts: bool) -> Vec<Value> {
        let mut gas = 0;
        let receipt = |tx: &ModelTransaction| {
            gas += tx.gas_used;
            let log = |log: &Log| {
                json!({
                    "address": log.address, "topics": log.topics(), "data": log.data.data,
                    "blockHash": self.hash, "transactionHash": tx.hash,
                })
            };
            let mut receipt = json!({
                "transactionHash": tx.hash, "blockHash": self.hash, "cumulativeGasUsed": U64::from(gas),
                "status": U64::from(u64::from(tx.is_success)), "logs": tx.logs.iter().map(log).collect::<Vec<_>>(),
            });
            if keeps_reverts && !tx.is_success {
                receipt["revertReason"] = json!("0x08c379a0");
            }
            receipt
        };
        self.transactions.iter().map(receipt).collect()
    }

    /// What a follower must give for it, but for reverts.
    pub(super) fn followed(&self) -> FollowedBlock {
        let mut first_log_index = 0;
        let transaction = |(index, tx): (usize, &ModelTransaction)| {
            let followed = FollowedTransaction {
                hash: tx.hash,
                index: index as u64,
                from: tx.from,
                to: tx.to,
                nonce: tx.nonce,
                is_success: tx.is_success,
                gas_used: tx.gas_used,
                created_address: (tx.to.is_none() && tx.is_success).then(|| tx.from.create(tx.nonce)),
                revert_data: None,
                first_log_index,
                logs: tx.logs.clone(),
            };
            first_log_index += tx.logs.len() as u64;
            followed
        };
        FollowedBlock {
            transactions: self.transactions.iter().enumerate().map(transaction).collect(),
            number: self.number,
            hash: self.hash,
            parent_hash: self.parent_hash,
            timestamp_seconds: self.number,
        }
    }
}
