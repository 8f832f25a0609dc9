//! `eth_call` and `eth_estimateGas`.

use super::*;
use crate::testing::{hoarder, refuser};
use crate::transaction::testing::sign;
use alloy_consensus::TxLegacy;
use alloy_primitives::U64;

fn estimate(node: &Node, request: Value) -> u64 {
    serde_json::from_value::<U64>(node.ask("eth_estimateGas", json!([request]))).unwrap().to()
}

/// Whether a transaction of ana's with this gas limit succeeds.
fn succeeds_with(node: &mut Node, to: TxKind, input: Bytes, gas_limit: u64) -> bool {
    let nonce = node.ledger.next_nonce(&address("ana"));
    let hash =
        node.send(&sign(TxLegacy { chain_id: Some(1337), nonce, gas_limit, to, input, ..TxLegacy::default() }, "ana"));
    node.seal();
    node.ledger.mined(&hash).unwrap().receipt().is_success
}

#[test]
fn an_estimate_is_enough_and_one_gas_less_is_not() {
    let mut node = Node::new();
    let target = node.deploy("ana", hoarder());
    let input = Bytes::from_static(&[1]);
    let needed = estimate(&node, json!({ "from": address("ana"), "to": target, "data": input }));
    // EIP-150: the inner call gets 63/64 of what is left, so that the limit lies above what is used.
    assert!(succeeds_with(&mut node, TxKind::Call(target), input.clone(), needed));
    let used = node.ledger.block(2).unwrap().receipts[0].gas_used;
    assert!(needed > used + 5_000, "needs {needed}, uses {used}");
    let mut other = Node::new();
    let target = other.deploy("ana", hoarder());
    assert!(!succeeds_with(&mut other, TxKind::Call(target), input, needed - 1));
}

#[test]
fn an_estimate_covers_refunds_and_creations() {
    let mut node = Node::new();
    let creation = estimate(&node, json!({ "from": address("ana"), "data": contract() }));
    assert!(!succeeds_with(&mut node, TxKind::Create, contract(), creation - 1));
    assert!(succeeds_with(&mut node, TxKind::Create, contract(), creation));
    let target = address("ana").create(1);
    assert!(succeeds_with(&mut node, TxKind::Call(target), word(8), 100_000));
    // Clearing the slot is refunded after the end: it must be paid first.
    let clearing = estimate(&node, json!({ "from": address("ana"), "to": target, "data": word(0) }));
    assert!(!succeeds_with(&mut node, TxKind::Call(target), word(0), clearing - 1));
    assert!(succeeds_with(&mut node, TxKind::Call(target), word(0), clearing));
    assert!(node.ledger.block(5).unwrap().receipts[0].gas_used < clearing);
}

#[test]
fn an_access_list_is_paid_for_and_used() {
    let node = busy();
    let target = address("ana").create(0);
    let list = json!([{ "address": target, "storageKeys": [B256::ZERO] }]);
    let plain = estimate(&node, json!({ "to": target, "data": word(2) }));
    let listed = estimate(&node, json!({ "to": target, "data": word(2), "accessList": list }));
    // EIP-2930: 2,400 for the address, 1,900 for the slot; EIP-2929: the slot is then warm, which saves 2,100.
    assert_eq!(listed, plain + 2_400 + 1_900 - 2_100);
}

#[test]
fn a_call_sees_the_state_of_the_block_that_it_names_and_its_surroundings() {
    let node = busy();
    // Returns NUMBER, TIMESTAMP and BLOCKHASH(NUMBER - 1).
    let probe = "0x4360005242602052600143034060405260606000f3";
    let at = |block: &str| node.ask("eth_call", json!([{ "data": probe }, block]));
    for number in 1..=2_u64 {
        let header = node.ledger.header(number).unwrap();
        let expected = [word(number).as_ref(), &word(header.timestamp), header.parent_hash.as_slice()].concat();
        assert_eq!(at(&format!("0x{number:x}")), json!(Bytes::from(expected)));
    }
    let odd = json!([{ "to": address("ana").create(0), "data": word(7) }, "latest"]);
    let before = json!([{ "to": address("ana").create(0), "data": word(7) }, "earliest"]);
    assert_eq!(node.refused("eth_call", odd)["data"], json!(word(7)));
    assert_eq!(node.ask("eth_call", before), json!("0x"), "there was no contract yet");
}

#[test]
fn a_revert_carries_its_bytes_and_its_reason_in_words() {
    let mut node = Node::new();
    let target = node.deploy("ana", refuser());
    for method in ["eth_call", "eth_estimateGas"] {
        let error = node.refused(method, json!([{ "to": target }]));
        assert_eq!((&error["code"], &error["message"]), (&json!(3), &json!("Execution reverted: no")));
        assert!(error["data"].as_str().unwrap().starts_with("0x08c379a0"));
    }
    let plain = node.deploy("ana", contract());
    let error = node.refused("eth_call", json!([{ "to": plain, "data": word(1) }, "latest"]));
    assert_eq!(error, json!({ "code": 3, "message": "Execution reverted", "data": word(1) }));
}

#[test]
fn a_halt_and_a_call_that_cannot_begin_are_told_apart() {
    let mut node = Node::new();
    let target = node.deploy("ana", hoarder());
    let starved = json!([{ "to": target, "gas": "0x5300" }]);
    assert_eq!(node.refused_as("eth_call", starved.clone(), Meaning::ExecutionHalted), json!("Out of gas"));
    assert_eq!(node.refused_as("eth_estimateGas", starved, Meaning::ExecutionHalted), json!("Out of gas"));
    let tight = json!([{ "to": target, "gas": "0x10" }]);
    let data = node.refused_as("eth_call", tight, Meaning::IntrinsicGasExceedsLimit);
    assert_eq!(data, json!("gas limit 16 is below the intrinsic gas 21000"));
    let poor = json!([{ "from": address("ana"), "to": target, "gasPrice": "0x1", "value": "0x1" }]);
    let _ = node.refused_as("eth_call", poor, Meaning::UpfrontCostExceedsBalance);
    let _ = node.refused_as("eth_call", json!([{ "to": target }, "0x99"]), Meaning::BlockNotFound);
    let overridden = json!([{ "to": target }, "latest", { target.to_string(): { "balance": "0x1" } }]);
    let data = node.refused_as("eth_call", overridden, Meaning::InvalidCallParams);
    assert_eq!(data, json!("state overrides are not supported"));
}

#[test]
fn a_call_is_bounded_by_the_node_and_by_the_block() {
    let mut small = testing::genesis();
    small["gasLimit"] = json!("0x186a0");
    // Returns GAS.
    let gas_left = json!([{ "data": "0x5a60005260206000f3" }]);
    let gas = |genesis: &Value| {
        let answer = Node::of(genesis).ask("eth_call", gas_left.clone());
        serde_json::from_value::<alloy_primitives::U256>(answer).unwrap().to::<u64>()
    };
    assert!((40_000_000..50_000_000).contains(&gas(&testing::genesis())));
    assert!(gas(&small) < 100_000);
}

#[test]
fn under_osaka_a_call_may_use_more_gas_than_a_transaction() {
    let mut osaka = testing::genesis();
    osaka["config"] = json!({ "chainId": 1337, "zeroBaseFee": true, "londonBlock": 0, "osakaTime": 0 });
    let node = Node::of(&osaka);
    assert_eq!(node.ask("eth_call", json!([{ "to": address("ana") }])), json!("0x"));
    assert_eq!(estimate(&node, json!({ "to": address("ana") })), 21_000);
}
