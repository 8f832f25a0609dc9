//! Reading the newest blocks, and what became of the transactions in them.

use alloy_primitives::{Bytes, U256};
use serde_json::{Value, json};

use super::super::ask::{Asker, address, amount, hash, number};
use super::super::observation::{Nothing, Seen, SeenBlock, SeenReverts, Unseen};
use super::super::seal::BftExtra;

/// How many of the newest blocks are read: with four validators each has built some sixteen of them.
const BLOCKS_MAX: u64 = 64;
/// Most receipts that are looked at.
const RECEIPTS_MAX: usize = 64;
/// Most transactions of a block whose hashes are kept.
const TRANSACTIONS_MAX: usize = 10_000;

const BLOCK: &str = "eth_getBlockByNumber";
const RECEIPT: &str = "eth_getTransactionReceipt";
const TRANSACTION: &str = "eth_getTransactionByHash";

/// The newest blocks without block 0, oldest first, and what our clock said when the newest had been read.
pub(super) async fn newest(asker: &Asker, now_seconds: fn() -> u64) -> (Seen<Vec<SeenBlock>>, u64) {
    let head = match asker.ask(BLOCK, json!(["latest", false])).await {
        Ok(value) => read(&value),
        Err(unseen) => Err(unseen),
    };
    let now = now_seconds();
    (before(asker, head).await, now)
}

async fn before(asker: &Asker, head: Seen<SeenBlock>) -> Seen<Vec<SeenBlock>> {
    let head = head?;
    let first = head.number.saturating_sub(BLOCKS_MAX - 1).max(1);
    let mut blocks = Vec::new();
    for height in first..head.number {
        let value = asker.ask(BLOCK, json!([format!("0x{height:x}"), false])).await?;
        let block = read(&value)?;
        if block.number != height {
            return Err(Unseen::Unreadable { method: BLOCK });
        }
        blocks.push(block);
    }
    blocks.push(head);
    Ok(blocks)
}

fn read(value: &Value) -> Seen<SeenBlock> {
    let extra = value["extraData"].as_str().and_then(|text| text.parse::<Bytes>().ok());
    let transactions = value["transactions"].as_array().ok_or(Unseen::Unreadable { method: BLOCK })?;
    let hashes = transactions.iter().take(TRANSACTIONS_MAX).map(|one| hash(BLOCK, one));
    let base_fee = value.get("baseFeePerGas").filter(|fee| !fee.is_null());
    Ok(SeenBlock {
        number: number(BLOCK, &value["number"])?,
        hash: hash(BLOCK, &value["hash"])?,
        parent_hash: hash(BLOCK, &value["parentHash"])?,
        timestamp_seconds: number(BLOCK, &value["timestamp"])?,
        proposer: address(BLOCK, &value["miner"])?,
        gas_limit: number(BLOCK, &value["gasLimit"])?,
        base_fee_wei: base_fee.map(|fee| amount(BLOCK, fee)).transpose()?,
        transactions: hashes.collect::<Seen<_>>()?,
        extra: extra.and_then(|bytes| BftExtra::read(&bytes)),
    })
}

/// Looks for reverted transactions, newest first, and whether their receipts say why.
pub(super) async fn reverts(asker: &Asker, blocks: &[SeenBlock]) -> Seen<SeenReverts> {
    let mut seen = SeenReverts { with_reason: 0, without_reason: 0 };
    let newest = blocks.iter().rev().flat_map(|block| block.transactions.iter().rev());
    for transaction in newest.take(RECEIPTS_MAX) {
        let receipt = asker.ask(RECEIPT, json!([transaction])).await?;
        if number(RECEIPT, &receipt["status"])? != 0 {
            continue;
        }
        if receipt["revertReason"].is_string() {
            seen.with_reason += 1;
        } else if !has_used_all(asker, transaction, &receipt).await? {
            seen.without_reason += 1;
        }
    }
    let is_any = seen.with_reason > 0 || seen.without_reason > 0;
    if is_any { Ok(seen) } else { Err(Unseen::Nothing(Nothing::NoRevert)) }
}

/// Whether a transaction failed for want of gas, which has no reason to give.
async fn has_used_all(asker: &Asker, transaction: &impl serde::Serialize, receipt: &Value) -> Seen<bool> {
    let used: U256 = amount(RECEIPT, &receipt["gasUsed"])?;
    let found = asker.ask(TRANSACTION, json!([transaction])).await?;
    Ok(used >= amount(TRANSACTION, &found["gas"])?)
}
