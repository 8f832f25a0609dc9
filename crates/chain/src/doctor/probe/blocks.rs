//! Reading the newest blocks, several at once, and what became of the transactions in them.

use alloy_primitives::{B256, Bytes, U256};
use serde_json::{Value, json};

use super::super::ask::{AT_ONCE, Asker, address, all, amount, hash, number};
use super::super::date::http_date_seconds;
use super::super::observation::{Nothing, Seen, SeenBlock, SeenReverts, Unseen};
use super::super::seal::BftExtra;

/// How many of the newest blocks are read at least: with four validators each has built sixteen of them.
const BLOCKS_USUAL: u64 = 64;
/// And at most, however many validators there are.
const BLOCKS_MAX: u64 = 256;
/// In so many blocks for each validator everybody has had a turn, also if some rounds failed.
const BLOCKS_OF_A_VALIDATOR: u64 = 2;
/// Most receipts that are looked at.
const RECEIPTS_MAX: usize = 64;
/// Most transactions of a block whose hashes are kept.
const TRANSACTIONS_MAX: usize = 10_000;

const BLOCK: &str = "eth_getBlockByNumber";
const RECEIPT: &str = "eth_getTransactionReceipt";
const TRANSACTION: &str = "eth_getTransactionByHash";

/// Clocks when the newest block was answered, in seconds since 1970.
pub(super) struct Clocks {
    pub(super) ours: u64,
    pub(super) nodes: Option<u64>,
}

/// The newest block. Clocks are read right with its answer: with each further question they would be further apart.
pub(super) async fn newest(asker: &Asker, now_seconds: fn() -> u64) -> (Seen<SeenBlock>, Clocks) {
    let head = asker.ask(BLOCK, json!(["latest", false])).await;
    let nodes = asker.server_date().as_deref().and_then(http_date_seconds);
    let clocks = Clocks { ours: now_seconds(), nodes };
    (head.and_then(|value| read(&value)), clocks)
}

/// The head and the blocks before it as far as they can be read without a gap, without block 0, oldest first; and why there
/// are no more.
pub(super) async fn up_to(asker: &Asker, head: SeenBlock, validators: usize) -> (Vec<SeenBlock>, Option<Unseen>) {
    let turns = u64::try_from(validators).unwrap_or(BLOCKS_MAX).saturating_mul(BLOCKS_OF_A_VALIDATOR);
    let first = head.number.saturating_sub(turns.clamp(BLOCKS_USUAL, BLOCKS_MAX) - 1).max(1);
    let heights: Vec<u64> = (first..head.number).rev().collect();
    let mut blocks = vec![head];
    let mut cut = None;
    for some in heights.chunks(AT_ONCE) {
        for block in all(some.iter().map(|height| at(asker, *height))).await {
            match block {
                Ok(block) if cut.is_none() => blocks.push(block),
                Ok(_) => {}
                Err(unseen) => cut = cut.or(Some(unseen)),
            }
        }
        if cut.is_some() {
            break;
        }
    }
    blocks.reverse();
    (blocks, cut)
}

async fn at(asker: &Asker, height: u64) -> Seen<SeenBlock> {
    let block = read(&asker.ask(BLOCK, json!([format!("0x{height:x}"), false])).await?)?;
    if block.number == height { Ok(block) } else { Err(Unseen::Unreadable { method: BLOCK }) }
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

/// Looks for reverted transactions, newest first, and whether their receipts say why. What was seen before something could not
/// be is kept.
pub(super) async fn reverts(asker: &Asker, blocks: &[SeenBlock]) -> Seen<SeenReverts> {
    let mut seen = SeenReverts { with_reason: 0, without_reason: 0 };
    let newest = blocks.iter().rev().flat_map(|block| block.transactions.iter().rev());
    let transactions: Vec<B256> = newest.take(RECEIPTS_MAX).copied().collect();
    let mut unseen = None;
    for some in transactions.chunks(AT_ONCE) {
        for reason in all(some.iter().map(|transaction| has_reason(asker, *transaction))).await {
            match reason {
                Ok(Some(true)) => seen.with_reason += 1,
                Ok(Some(false)) => seen.without_reason += 1,
                Ok(None) => {}
                Err(why) => unseen = unseen.or(Some(why)),
            }
        }
        if unseen.is_some() {
            break;
        }
    }
    let is_any = seen.with_reason > 0 || seen.without_reason > 0;
    if is_any { Ok(seen) } else { Err(unseen.unwrap_or(Unseen::Nothing(Nothing::NoRevert))) }
}

/// Whether a receipt says why its transaction reverted; `None` if it did not, or has no reason to give.
async fn has_reason(asker: &Asker, transaction: B256) -> Seen<Option<bool>> {
    let receipt = asker.ask(RECEIPT, json!([transaction])).await?;
    if number(RECEIPT, &receipt["status"])? != 0 {
        return Ok(None);
    }
    if receipt["revertReason"].is_string() {
        return Ok(Some(true));
    }
    Ok(if has_used_all(asker, transaction, &receipt).await? { None } else { Some(false) })
}

/// Whether a transaction failed for want of gas, which has no reason to give.
async fn has_used_all(asker: &Asker, transaction: B256, receipt: &Value) -> Seen<bool> {
    let used: U256 = amount(RECEIPT, &receipt["gasUsed"])?;
    let found = asker.ask(TRANSACTION, json!([transaction])).await?;
    Ok(used >= amount(TRANSACTION, &found["gas"])?)
}
