//! Tests of what the executor adds to the EVM: the change of a block, and calls. The EVM itself is judged by Ethereum's
//! state tests (`ethereum_tests`).

use super::*;
use crate::state::StateDiff;
use crate::testing::{contract, word};
use crate::transaction::testing::{address, call};

const EXECUTOR: Executor = Executor { chain_id: 1337, contract_bytes_max: None };

fn block() -> BlockContext {
    BlockContext::new(1, 1_000, 30_000_000, 0, Address::ZERO, Fork::Berlin)
}

fn run(state: &WorldState, transactions: &[SignedTransaction]) -> StateDiff {
    let hashes = |_: u64| B256::ZERO;
    let mut run = EXECUTOR.begin(state, &hashes, &block(), B256::ZERO);
    for transaction in transactions {
        assert!(run.execute(transaction).unwrap().receipt.is_success);
    }
    run.finish()
}

fn ask(state: &WorldState, to: TxKind, input: Bytes, gas_limit: u64) -> CallOutcome {
    let hashes = |_: u64| B256::ZERO;
    let call = Call { from: address("ana"), to, input, gas_limit, ..Call::default() };
    EXECUTOR.call(state, &hashes, &block(), call).unwrap()
}

#[test]
fn blocks_of_one_and_one_block_of_all_change_the_state_alike() {
    let target = address("ana").create(0);
    let transactions = [
        call("ana", 0, TxKind::Create, contract()),
        call("ana", 1, TxKind::Call(target), word(8)),
        call("ana", 2, TxKind::Call(target), word(2)),
    ];
    let mut one_by_one = WorldState::default();
    for transaction in &transactions {
        let diff = run(&one_by_one, std::slice::from_ref(transaction));
        one_by_one.apply(&diff);
    }
    let mut at_once = WorldState::default();
    at_once.apply(&run(&at_once, &transactions));
    let root = |state: &WorldState| crate::state::WorldTries::of(state).root();
    assert_eq!(root(&one_by_one), root(&at_once));
    assert_eq!(at_once.slot(&target, &U256::ZERO), U256::from(2));
}

#[test]
fn a_slot_that_returns_to_its_value_within_a_block_is_no_change() {
    let target = address("ana").create(0);
    let mut state = WorldState::default();
    state.apply(&run(
        &state,
        &[call("ana", 0, TxKind::Create, contract()), call("ana", 1, TxKind::Call(target), word(8))],
    ));
    let diff =
        run(&state, &[call("ana", 2, TxKind::Call(target), word(6)), call("ana", 3, TxKind::Call(target), word(8))]);
    assert_eq!(diff.accounts.iter().map(|account| account.address).collect::<Vec<_>>(), [address("ana")]);
}

#[test]
fn an_invalid_transaction_leaves_nothing() {
    let state = WorldState::default();
    let hashes = |_: u64| B256::ZERO;
    let mut run = EXECUTOR.begin(&state, &hashes, &block(), B256::ZERO);
    let error = run.execute(&call("ana", 3, TxKind::Create, contract())).unwrap_err();
    assert_eq!(error, InvalidReason::NonceTooHigh { found: 3, expected: 0 });
    assert_eq!((run.gas_used(), run.finish()), (0, StateDiff::default()));
}

#[test]
fn a_call_returns_reverts_or_halts_and_changes_nothing() {
    let target = address("ana").create(0);
    let mut state = WorldState::default();
    state.apply(&run(&state, &[call("ana", 0, TxKind::Create, contract())]));
    assert!(matches!(ask(&state, TxKind::Call(target), word(8), 100_000), CallOutcome::Returned { .. }));
    let reverted = ask(&state, TxKind::Call(target), word(7), 100_000);
    assert!(matches!(&reverted, CallOutcome::Reverted { output, .. } if *output == word(7)), "{reverted:?}");
    let halted = ask(&state, TxKind::Call(target), word(8), 23_000);
    assert!(matches!(&halted, CallOutcome::Halted { reason, .. } if reason == "Out of gas"), "{halted:?}");
    assert_eq!(state.slot(&target, &U256::ZERO), U256::ZERO);
}

#[test]
fn rules_without_a_base_fee_do_not_know_push0() {
    let shanghai = BlockContext { fork: Fork::Shanghai, ..block() };
    let hashes = |_: u64| B256::ZERO;
    let state = WorldState::default();
    let probe = Call {
        to: TxKind::Create,
        input: Bytes::from_static(&[0x5f, 0x5f, 0xf3]),
        gas_limit: 100_000,
        ..Call::default()
    };
    let with = |block: &BlockContext| EXECUTOR.call(&state, &hashes, block, probe.clone()).unwrap();
    assert!(matches!(with(&shanghai), CallOutcome::Returned { .. }));
    assert!(matches!(with(&block()), CallOutcome::Halted { reason, .. } if reason == "Bad instruction"));
}
