//! `eth_call` and `eth_estimateGas`.

use super::errors::{answer, invalid_meaning, reverted};
use super::{Context, RpcResult, eth, parse};
use crate::executor::{Call, CallOutcome};
use crate::node::Ledger;
use alloy_eips::BlockId;
use alloy_primitives::{Bytes, TxKind, U64};
use alloy_rpc_types_eth::TransactionRequest;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use node_errors::Meaning;
use serde_json::Value;

/// Gas of a plain transfer, the least that a transaction can use.
const TRANSFER_GAS: u64 = 21_000;

pub(super) fn register(module: &mut RpcModule<Context>) -> Result<(), RegisterMethodError> {
    let _ = module.register_blocking_method("eth_call", |params, context, _| call(&params, &context.ledger))?;
    let _ =
        module.register_blocking_method("eth_estimateGas", |params, context, _| estimate(&params, &context.ledger))?;
    Ok(())
}

/// Block and call of the parameters.
fn request(params: &Params<'_>, ledger: &Ledger) -> RpcResult<(u64, Call)> {
    let (request, id, overrides): (TransactionRequest, Option<BlockId>, Option<Value>) =
        parse(params, 3, Meaning::InvalidCallParams)?;
    if overrides.as_ref().and_then(Value::as_object).is_some_and(|map| !map.is_empty()) {
        return Err(answer(Meaning::InvalidCallParams, "state overrides are not supported"));
    }
    let number = eth::number_of_id(ledger, id)?;
    let block_gas = ledger.header(number).map_or(0, |header| header.gas_limit);
    let gas_max = ledger.shared.options.call_gas_max.min(block_gas);
    let gas_price = request.gas_price.or(request.max_fee_per_gas).unwrap_or(0);
    let call = Call {
        from: request.from.unwrap_or_default(),
        to: request.to.unwrap_or(TxKind::Create),
        input: request.input.into_input().unwrap_or_default(),
        value: request.value.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(gas_max).min(gas_max),
        gas_price,
        access_list: request.access_list.unwrap_or_default(),
        is_balance_checked: gas_price > 0,
    };
    Ok((number, call))
}

fn run(ledger: &Ledger, number: u64, call: Call) -> RpcResult<CallOutcome> {
    let unavailable = || answer(Meaning::WorldStateUnavailable, "only the newest states are kept");
    let outcome = ledger.call(number, call).ok_or_else(unavailable)?;
    outcome.map_err(|reason| answer(invalid_meaning(&reason), &reason.to_string()))
}

fn call(params: &Params<'_>, ledger: &Ledger) -> RpcResult<Bytes> {
    let (number, call) = request(params, ledger)?;
    match run(ledger, number, call)? {
        CallOutcome::Returned { output, .. } => Ok(output),
        CallOutcome::Reverted { output, .. } => Err(reverted(&output)),
        CallOutcome::Halted { reason, .. } => Err(answer(Meaning::ExecutionHalted, &reason)),
    }
}

/// The least gas limit with which the call succeeds, by halving: gas used alone is not enough where a contract hands
/// only a part of its gas on (EIP-150), or where refunds are paid at the end.
fn estimate(params: &Params<'_>, ledger: &Ledger) -> RpcResult<U64> {
    let (number, call) = request(params, ledger)?;
    let succeeds_with = |gas_limit: u64| run(ledger, number, Call { gas_limit, ..call.clone() });
    let used = match succeeds_with(call.gas_limit)? {
        CallOutcome::Returned { gas_used, .. } => gas_used,
        CallOutcome::Reverted { output, .. } => return Err(reverted(&output)),
        CallOutcome::Halted { reason, .. } => return Err(answer(Meaning::ExecutionHalted, &reason)),
    };
    let (mut too_little, mut enough) = (used.saturating_sub(1).max(TRANSFER_GAS - 1), call.gas_limit);
    // What the first run used is most often enough: try it before halving from the cap.
    if used < enough && is_success(&succeeds_with(used)) {
        return Ok(U64::from(used));
    }
    while too_little + 1 < enough {
        let middle = (too_little + (enough - too_little) / 2).min(too_little.saturating_mul(3));
        if is_success(&succeeds_with(middle)) { enough = middle } else { too_little = middle }
    }
    Ok(U64::from(enough))
}

fn is_success(outcome: &RpcResult<CallOutcome>) -> bool {
    matches!(outcome, Ok(CallOutcome::Returned { .. }))
}
