//! Blocks, transactions, receipts and fees: their shape in JSON, and what is answered for what is not there.

use super::*;
use crate::transaction::testing::sign;
use alloy_consensus::{TxEip1559, TxEip2930};
use insta::assert_snapshot;

/// London's rules with a base fee that begins at 7 wei.
fn london() -> Value {
    let mut genesis = testing::genesis();
    genesis["config"] = json!({ "chainId": 1337, "londonBlock": 0 });
    genesis["baseFeePerGas"] = json!("0x7");
    genesis["gasLimit"] = json!("0x1c9c380");
    genesis
}

#[test]
fn blocks_transactions_and_receipts_have_besus_shape() {
    let node = busy();
    assert_snapshot!("block_0", pretty(&node.ask("eth_getBlockByNumber", json!(["earliest", false]))));
    assert_snapshot!("block_2_with_hashes", pretty(&node.ask("eth_getBlockByNumber", json!(["latest", false]))));
    assert_snapshot!("block_2_with_transactions", pretty(&node.ask("eth_getBlockByNumber", json!(["0x2", true]))));
    assert_snapshot!("receipts_of_block_1", pretty(&node.ask("eth_getBlockReceipts", json!(["0x1"]))));
    assert_snapshot!("receipts_of_block_2", pretty(&node.ask("eth_getBlockReceipts", json!(["latest"]))));
}

#[test]
fn a_receipt_and_a_transaction_are_the_same_by_every_way_to_them() {
    let node = busy();
    let block = node.ledger.block(2).unwrap();
    let receipts = node.ask("eth_getBlockReceipts", json!([block.header.hash()]));
    let full = node.ask("eth_getBlockByHash", json!([block.header.hash(), true]));
    for (index, transaction) in block.transactions.iter().enumerate() {
        let hash = json!(transaction.hash());
        assert_eq!(node.ask("eth_getTransactionReceipt", json!([hash])), receipts[index]);
        let place = format!("0x{index:x}");
        for (method, params) in [
            ("eth_getTransactionByHash", json!([hash])),
            ("eth_getTransactionByBlockNumberAndIndex", json!(["0x2", place])),
            ("eth_getTransactionByBlockHashAndIndex", json!([block.header.hash(), place])),
        ] {
            assert_eq!(node.ask(method, params), full["transactions"][index], "{method}");
        }
    }
}

#[test]
fn a_waiting_transaction_has_no_block_and_counts_as_pending() {
    let node = Node::new();
    let hash = node.call("ana", address("bia"), Bytes::new());
    let waiting = node.ask("eth_getTransactionByHash", json!([hash]));
    assert_eq!(
        (&waiting["blockHash"], &waiting["blockNumber"], &waiting["from"]),
        (&Value::Null, &Value::Null, &json!(address("ana")))
    );
    assert_eq!(node.ask("eth_getTransactionReceipt", json!([hash])), Value::Null);
    let count = |tag: &str| node.ask("eth_getTransactionCount", json!([address("ana"), tag]));
    assert_eq!((count("latest"), count("pending")), (json!("0x0"), json!("0x1")));
}

#[test]
fn what_is_not_there_is_null() {
    let node = Node::new();
    let nothing = B256::repeat_byte(0xee);
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x99", false])),
        ("eth_getBlockByHash", json!([nothing, false])),
        ("eth_getBlockReceipts", json!(["0x99"])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x99"])),
        ("eth_getBlockTransactionCountByHash", json!([nothing])),
        ("eth_getTransactionByHash", json!([nothing])),
        ("eth_getTransactionReceipt", json!([nothing])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x0", "0x0"])),
        ("eth_getTransactionByBlockHashAndIndex", json!([nothing, "0x0"])),
        ("qbft_getValidatorsByBlockNumber", json!(["0x99"])),
        ("qbft_getValidatorsByBlockHash", json!([nothing])),
    ] {
        assert_eq!(node.ask(method, params), Value::Null, "{method}");
    }
    assert_eq!(node.ask("eth_getBalance", json!([address("nobody"), "latest"])), json!("0x0"));
    assert_eq!(node.ask("eth_getTransactionCount", json!([address("nobody")])), json!("0x0"));
    assert_eq!(node.ask("eth_getCode", json!([address("nobody")])), json!("0x"));
    assert_eq!(node.ask("eth_getStorageAt", json!([address("nobody"), "0x5"])), json!(B256::ZERO));
}

#[test]
fn a_block_can_be_named_by_tag_number_hash_or_eip_1898_object() {
    let node = busy();
    let (ana, hash) = (address("ana"), node.ledger.header(1).unwrap().hash());
    let count = |block: Value| node.ask("eth_getTransactionCount", json!([ana, block]));
    for head in ["latest", "safe", "finalized", "pending"] {
        assert_eq!(count(json!(head)), json!("0x3"), "{head}");
    }
    assert_eq!(count(json!("earliest")), json!("0x0"));
    for first in [json!("0x1"), json!(hash), json!({ "blockHash": hash }), json!({ "blockNumber": "0x1" })] {
        assert_eq!(count(first.clone()), json!("0x1"), "{first}");
    }
}

#[test]
fn fees_follow_eip_1559_where_the_network_has_them() {
    let mut node = Node::of(&london());
    let first = TxEip1559 {
        chain_id: 1337,
        gas_limit: 21_000,
        max_fee_per_gas: 100,
        max_priority_fee_per_gas: 2,
        to: TxKind::Call(address("bia")),
        ..TxEip1559::default()
    };
    let second = TxEip2930 {
        chain_id: 1337,
        nonce: 1,
        gas_price: 50,
        gas_limit: 21_000,
        to: TxKind::Call(address("bia")),
        ..TxEip2930::default()
    };
    let _ = node.send(&sign(first, "rico"));
    let _ = node.send(&sign(second, "rico"));
    node.seal_many(2);
    assert_snapshot!("london_transactions", pretty(&node.ask("eth_getBlockByNumber", json!(["0x1", true]))));
    assert_snapshot!("london_receipts", pretty(&node.ask("eth_getBlockReceipts", json!(["0x1"]))));
    assert_snapshot!("fee_history", pretty(&node.ask("eth_feeHistory", json!([3, "latest", [25.0, 75.0]]))));
    assert_eq!(node.ask("eth_feeHistory", json!(["0x3", "latest"]))["oldestBlock"], json!("0x0"));
    assert_eq!(node.ask("eth_gasPrice", json!([])), json!("0x7"));
}

#[test]
fn a_header_has_the_fields_of_its_fork() {
    let mut prague = testing::genesis();
    prague["config"] = json!({ "chainId": 1337, "zeroBaseFee": true, "londonBlock": 0, "pragueTime": 0 });
    let mut node = Node::of(&prague);
    node.seal();
    assert_snapshot!("prague_block", pretty(&node.ask("eth_getBlockByNumber", json!(["latest", false]))));
}
