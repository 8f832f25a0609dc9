//! The chain, its transactions and accounts; and the small `net_`, `web3_` and `qbft_` methods.

use super::errors::{answer, plain, submit_meaning};
use super::{Context, RpcResult, parse, told, views};
use crate::extra_data::ExtraData;
use crate::node::{Ledger, Mined};
use crate::state::WorldState;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rpc_types_eth::FeeHistory;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use node_errors::Meaning;
use serde_json::{Value, json};

/// What `web3_clientVersion` answers.
const CLIENT_VERSION: &str = concat!("lastro/v", env!("CARGO_PKG_VERSION"));
/// Most blocks of one `eth_feeHistory`; Besu's bound.
const FEE_HISTORY_BLOCKS_MAX: u64 = 1_024;
/// Most percentiles of one `eth_feeHistory`; one per hundredth is all that can differ.
const FEE_PERCENTILES_MAX: usize = 100;
/// Most slots of one `eth_getProof`.
const PROOF_SLOTS_MAX: usize = 1_024;

pub(super) fn register(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    register_network(module)?;
    register_blocks(module)?;
    register_transactions(module)?;
    register_accounts(module)?;
    register_fees(module)
}

fn register_network(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_method("eth_chainId", |_, context, _| told(U64::from(context.ledger.chain_id())))?;
    let _ = module.register_method("net_version", |_, context, _| context.ledger.chain_id().to_string())?;
    let _ = module.register_method("net_listening", |_, _, _| true)?;
    let _ = module.register_method("net_peerCount", |_, _, _| told(U64::ZERO))?;
    let _ = module.register_method("web3_clientVersion", |_, _, _| CLIENT_VERSION)?;
    let _ = module.register_method("web3_sha3", |params, _, _| -> RpcResult<B256> {
        let (bytes,): (Bytes,) = parse(&params, 1, Meaning::InvalidDataParams)?;
        Ok(keccak256(bytes))
    })?;
    let _ = module.register_method("eth_syncing", |_, _, _| false)?;
    let _ = module.register_method("eth_accounts", |_, _, _| Vec::<Address>::new())?;
    let _ = module.register_method("eth_coinbase", |_, context, _| told(context.ledger.validator()))?;
    let _ = module.register_method("eth_mining", |_, _, _| true)?;
    // A node without keys: Besu answers this method with the way to go instead.
    let _ = module.register_method("eth_sendTransaction", |_, _, _| -> RpcResult<B256> {
        Err(plain(Meaning::SendTransactionNotSupported))
    })?;
    let _ =
        module.register_blocking_method("qbft_getValidatorsByBlockNumber", |params, context, _| -> RpcResult<_> {
            let (tag,): (BlockNumberOrTag,) = parse(&params, 1, Meaning::InvalidBlockNumberParams)?;
            Ok(validators(&context.ledger, number(&context.ledger, tag)))
        })?;
    let _ = module.register_blocking_method("qbft_getValidatorsByBlockHash", |params, context, _| -> RpcResult<_> {
        let (hash,): (B256,) = parse(&params, 1, Meaning::InvalidBlockHashParams)?;
        Ok(validators(&context.ledger, context.ledger.number_of(&hash)))
    })?;
    Ok(())
}

fn validators(ledger: &Ledger, number: Option<u64>) -> Option<Vec<Address>> {
    let header = ledger.header(number?)?;
    ExtraData::decode(&header.extra_data).ok().map(|extra| extra.validators)
}

/// The number behind a tag; `None` for a block that is not there. `safe` and `finalized` are the head: with one sealer
/// a block is final once it is on disk.
pub(super) fn number(ledger: &Ledger, tag: BlockNumberOrTag) -> Option<u64> {
    let head = ledger.head().number;
    match tag {
        BlockNumberOrTag::Earliest => Some(0),
        BlockNumberOrTag::Number(number) => (number <= head).then_some(number),
        BlockNumberOrTag::Latest | BlockNumberOrTag::Pending | BlockNumberOrTag::Safe | BlockNumberOrTag::Finalized => {
            Some(head)
        }
    }
}

/// The block that an id names: by number, tag, hash, or EIP-1898 object; the head if none is given.
pub(super) fn number_of_id(ledger: &Ledger, id: Option<BlockId>) -> RpcResult<u64> {
    let found = match id {
        None => Some(ledger.head().number),
        Some(BlockId::Number(tag)) => number(ledger, tag),
        Some(BlockId::Hash(hash)) => ledger.number_of(&hash.block_hash),
    };
    found.ok_or_else(|| plain(Meaning::BlockNotFound))
}

fn register_blocks(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_method("eth_blockNumber", |_, context, _| told(U64::from(context.ledger.head().number)))?;
    let _ = module.register_blocking_method("eth_getBlockByNumber", |params, context, _| -> RpcResult<_> {
        let (tag, is_full): (BlockNumberOrTag, Option<bool>) = parse(&params, 2, Meaning::InvalidBlockNumberParams)?;
        let block = number(&context.ledger, tag).and_then(|number| context.ledger.block(number));
        Ok(block.map(|block| views::block(&block, is_full.unwrap_or(false))))
    })?;
    let _ = module.register_blocking_method("eth_getBlockByHash", |params, context, _| -> RpcResult<_> {
        let (hash, is_full): (B256, Option<bool>) = parse(&params, 2, Meaning::InvalidBlockHashParams)?;
        let block = context.ledger.number_of(&hash).and_then(|number| context.ledger.block(number));
        Ok(block.map(|block| views::block(&block, is_full.unwrap_or(false))))
    })?;
    let _ = module.register_blocking_method("eth_getBlockReceipts", |params, context, _| -> RpcResult<_> {
        let (id,): (BlockId,) = parse(&params, 1, Meaning::InvalidBlockParams)?;
        let block = number_of_id(&context.ledger, Some(id)).ok().and_then(|number| context.ledger.block(number));
        let receipts = |block: std::sync::Arc<crate::block::Block>| -> Vec<_> {
            let mut first_log_index = 0;
            let mut view = |index| {
                let view = views::receipt(&Mined { block: block.clone(), index }, first_log_index);
                first_log_index += block.receipts[index].logs.len() as u64;
                view
            };
            (0..block.transactions.len()).map(&mut view).collect()
        };
        Ok(block.map(receipts))
    })?;
    let _ = module.register_blocking_method(
        "eth_getBlockTransactionCountByNumber",
        |params, context, _| -> RpcResult<_> {
            let (tag,): (BlockNumberOrTag,) = parse(&params, 1, Meaning::InvalidBlockNumberParams)?;
            let block = number(&context.ledger, tag).and_then(|number| context.ledger.block(number));
            Ok(block.map(|block| U64::from(block.transactions.len())))
        },
    )?;
    let _ = module.register_blocking_method(
        "eth_getBlockTransactionCountByHash",
        |params, context, _| -> RpcResult<_> {
            let (hash,): (B256,) = parse(&params, 1, Meaning::InvalidBlockHashParams)?;
            let block = context.ledger.number_of(&hash).and_then(|number| context.ledger.block(number));
            Ok(block.map(|block| U64::from(block.transactions.len())))
        },
    )?;
    Ok(())
}

fn register_transactions(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_method("eth_sendRawTransaction", |params, context, _| send_raw(&params, context))?;
    let _ = module.register_blocking_method("eth_getTransactionByHash", |params, context, _| -> RpcResult<_> {
        let (hash,): (B256,) = parse(&params, 1, Meaning::InvalidTransactionHashParams)?;
        let mined = || context.ledger.mined(&hash).map(|mined| views::transaction_at(&mined.block, mined.index));
        let waiting = || context.ledger.waiting(&hash).map(|transaction| views::waiting(&transaction));
        // Mined is asked again last: between the two questions it may have left the pool for a block.
        Ok(mined().or_else(waiting).or_else(mined))
    })?;
    let _ = module.register_blocking_method("eth_getTransactionReceipt", |params, context, _| -> RpcResult<_> {
        let (hash,): (B256,) = parse(&params, 1, Meaning::InvalidTransactionHashParams)?;
        Ok(context.ledger.mined(&hash).map(|mined| views::receipt(&mined, mined.first_log_index())))
    })?;
    let _ = module.register_blocking_method(
        "eth_getTransactionByBlockNumberAndIndex",
        |params, context, _| -> RpcResult<_> {
            let (tag, index): (BlockNumberOrTag, U64) = parse(&params, 2, Meaning::InvalidTransactionIndexParams)?;
            Ok(transaction_in(&context.ledger, number(&context.ledger, tag), index))
        },
    )?;
    let _ = module.register_blocking_method(
        "eth_getTransactionByBlockHashAndIndex",
        |params, context, _| -> RpcResult<_> {
            let (hash, index): (B256, U64) = parse(&params, 2, Meaning::InvalidTransactionIndexParams)?;
            Ok(transaction_in(&context.ledger, context.ledger.number_of(&hash), index))
        },
    )?;
    Ok(())
}

fn send_raw(params: &Params<'_>, context: &Context) -> RpcResult<B256> {
    let (raw,): (Bytes,) = parse(params, 1, Meaning::InvalidTransactionParams)?;
    context.ledger.submit(raw).map_err(|error| answer(submit_meaning(&error), &error.to_string()))
}

fn transaction_in(
    ledger: &Ledger,
    number: Option<u64>,
    index: U64,
) -> Option<alloy_rpc_types_eth::Transaction<alloy_consensus::TxEnvelope>> {
    let block = ledger.block(number?)?;
    let index = usize::try_from(index.to::<u64>()).ok().filter(|index| *index < block.transactions.len())?;
    Some(views::transaction_at(&block, index))
}

/// The state after the block that an id names.
pub(super) fn state(ledger: &Ledger, id: Option<BlockId>) -> RpcResult<WorldState> {
    let number = number_of_id(ledger, id)?;
    ledger.state(number).ok_or_else(|| answer(Meaning::WorldStateUnavailable, "only the newest states are kept"))
}

fn register_accounts(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_method("eth_getBalance", |params, context, _| -> RpcResult<U256> {
        let (address, id): (Address, Option<BlockId>) = parse(&params, 2, Meaning::InvalidAddressParams)?;
        Ok(state(&context.ledger, id)?.account(&address).map(|account| account.balance).unwrap_or_default())
    })?;
    let _ = module.register_method("eth_getTransactionCount", |params, context, _| -> RpcResult<U64> {
        let (address, id): (Address, Option<BlockId>) = parse(&params, 2, Meaning::InvalidAddressParams)?;
        if id == Some(BlockId::pending()) {
            return Ok(U64::from(context.ledger.next_nonce(&address)));
        }
        let state = state(&context.ledger, id)?;
        Ok(U64::from(state.account(&address).map_or(0, |account| account.nonce)))
    })?;
    let _ = module.register_method("eth_getCode", |params, context, _| -> RpcResult<Bytes> {
        let (address, id): (Address, Option<BlockId>) = parse(&params, 2, Meaning::InvalidAddressParams)?;
        Ok(state(&context.ledger, id)?.code_of(&address))
    })?;
    let _ = module.register_method("eth_getStorageAt", |params, context, _| -> RpcResult<B256> {
        let (address, slot, id): (Address, U256, Option<BlockId>) = parse(&params, 3, Meaning::InvalidPositionParams)?;
        Ok(state(&context.ledger, id)?.slot(&address, &slot).into())
    })?;
    let _ = module.register_blocking_method("eth_getProof", |params, context, _| proof(&params, &context))?;
    Ok(())
}

fn proof(params: &Params<'_>, context: &Context) -> RpcResult<Value> {
    let (address, slots, id): (Address, Vec<U256>, Option<BlockId>) =
        parse(params, 3, Meaning::InvalidStorageKeysParams)?;
    if slots.len() > PROOF_SLOTS_MAX {
        let explanation = format!("{} slots were asked for, at most {PROOF_SLOTS_MAX} are proved", slots.len());
        return Err(answer(Meaning::InvalidStorageKeysParams, &explanation));
    }
    // Tries are kept for the newest block alone; under their lock it cannot move on.
    let mut tries = context.ledger.shared.tries.lock();
    let (head, state) = context.ledger.head_and_state();
    if number_of_id(&context.ledger, id)? != head.number || tries.root() != head.state_root {
        return Err(answer(Meaning::WorldStateUnavailable, "proofs are made for the newest block alone; ask again"));
    }
    let account = state.account(&address).cloned().unwrap_or_default();
    let mut storage_proof = Vec::with_capacity(slots.len());
    for slot in &slots {
        let proof = tries.storage_proof(&address, slot);
        storage_proof.push(json!({ "key": slot, "value": account.slot(slot), "proof": proof }));
    }
    Ok(json!({
        "address": address,
        "accountProof": tries.account_proof(&address),
        "balance": account.balance,
        "codeHash": account.code_hash,
        "nonce": U64::from(account.nonce),
        "storageHash": tries.storage_root(&address),
        "storageProof": storage_proof,
    }))
}

fn register_fees(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_method("eth_gasPrice", |_, context, _| told(U256::from(base_fee(&context.ledger))))?;
    let _ = module.register_method("eth_maxPriorityFeePerGas", |_, _, _| told(U256::ZERO))?;
    let _ = module
        .register_blocking_method("eth_feeHistory", |params, context, _| fee_history(&params, &context.ledger))?;
    Ok(())
}

fn base_fee(ledger: &Ledger) -> u64 {
    let head = ledger.head();
    ledger.next_base_fee_wei(&head, ledger.next_fork(&head)).unwrap_or(0)
}

fn fee_history(params: &Params<'_>, ledger: &Ledger) -> RpcResult<FeeHistory> {
    let (count, newest, percentiles): (Value, BlockNumberOrTag, Option<Vec<f64>>) =
        parse(params, 3, Meaning::InvalidBlockCountParams)?;
    // Clients send the count as a quantity or as a plain number.
    let count = match &count {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse::<U64>().ok().map(|count| count.to::<u64>()),
        _ => None,
    };
    let count = count.filter(|count| (1..=FEE_HISTORY_BLOCKS_MAX).contains(count)).ok_or_else(|| {
        answer(Meaning::InvalidBlockCountParams, &format!("the block count is from 1 to {FEE_HISTORY_BLOCKS_MAX}"))
    })?;
    if percentiles.as_ref().is_some_and(|percentiles| !are_percentiles(percentiles)) {
        let explanation = format!("at most {FEE_PERCENTILES_MAX} percentiles from 0 to 100 are taken, ascending");
        return Err(answer(Meaning::InvalidRewardPercentilesParams, &explanation));
    }
    let newest = number(ledger, newest).ok_or_else(|| plain(Meaning::BlockNotFound))?;
    let oldest = newest.saturating_sub(count - 1);
    let headers: Vec<_> = (oldest..=newest).filter_map(|number| ledger.header(number)).collect();
    let mut base_fee_per_gas: Vec<u128> =
        headers.iter().map(|header| u128::from(header.base_fee_per_gas.unwrap_or(0))).collect();
    let next = ledger.header(newest + 1).map(|header| header.base_fee_per_gas.unwrap_or(0));
    base_fee_per_gas.push(u128::from(next.unwrap_or_else(|| base_fee(ledger))));
    // Tips are zero on these networks; a reward of zero per percentile says so.
    let reward = percentiles.map(|percentiles| vec![vec![0; percentiles.len()]; headers.len()]);
    Ok(FeeHistory {
        gas_used_ratio: headers.iter().map(|header| gas_used_ratio(header.gas_used, header.gas_limit)).collect(),
        base_fee_per_gas,
        base_fee_per_blob_gas: vec![0; headers.len() + 1],
        blob_gas_used_ratio: vec![0.0; headers.len()],
        oldest_block: oldest,
        reward,
    })
}

fn are_percentiles(percentiles: &[f64]) -> bool {
    let is_ascending = percentiles.windows(2).all(|pair| pair[0] <= pair[1]);
    percentiles.len() <= FEE_PERCENTILES_MAX
        && is_ascending
        && percentiles.iter().all(|one| (0.0..=100.0).contains(one))
}

/// A share for display, as the method's form wants it; nothing is decided by it.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "the JSON-RPC form is a fraction in floating point"
)]
fn gas_used_ratio(used: u64, limit: u64) -> f64 {
    used as f64 / limit.max(1) as f64
}
