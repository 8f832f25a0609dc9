//! Every way to be refused, with Besu's code and words for it.

use super::*;
use crate::executor::InvalidReason;
use crate::pool::PoolLimits;
use crate::rpc::errors::invalid_meaning;
use crate::transaction::testing::{key, priced, sign, signed_bytes};
use alloy_consensus::{TxEip1559, TxEip7702, TxLegacy};

/// A genesis of the rules that `config` names.
fn rules(config: Value) -> Value {
    let mut genesis = testing::genesis();
    genesis["config"] = config;
    genesis
}

fn refused_raw(node: &Node, raw: &Bytes, meaning: Meaning) -> String {
    node.refused_as("eth_sendRawTransaction", json!([raw]), meaning).as_str().unwrap().to_owned()
}

fn legacy() -> TxLegacy {
    TxLegacy { chain_id: Some(1337), gas_limit: 100_000, to: TxKind::Call(Address::ZERO), ..TxLegacy::default() }
}

#[test]
fn bytes_that_are_no_transaction_of_this_network() {
    let node = Node::new();
    let raw = |transaction: TxLegacy| signed_bytes(transaction, &key("ana"));
    assert_eq!(
        refused_raw(&node, &Bytes::from(vec![0; 131_073]), Meaning::ExceedsTransactionSize),
        "the transaction has 131073 bytes, at most 131072 are taken"
    );
    let _ = refused_raw(&node, &Bytes::from_static(&[0xc0]), Meaning::InvalidTransactionParams);
    let _ = refused_raw(&node, &Bytes::new(), Meaning::InvalidTransactionParams);
    let foreign = raw(TxLegacy { chain_id: Some(1), ..legacy() });
    assert_eq!(
        refused_raw(&node, &foreign, Meaning::WrongChainId),
        "the transaction is for chain 1, this is chain 1337"
    );
    let _ = refused_raw(&node, &raw(TxLegacy { chain_id: None, ..legacy() }), Meaning::ChainIdRequired);
    let dynamic = signed_bytes(TxEip1559 { chain_id: 1337, ..TxEip1559::default() }, &key("ana"));
    let data = refused_raw(&node, &dynamic, Meaning::InvalidTransactionType);
    assert_eq!(data, "transactions of type 2 are not valid under berlin rules");
    // The last 32 bytes are s: an s in the upper half of the curve's order is malleable (EIP-2).
    let mut malleable = raw(legacy()).to_vec();
    let from = malleable.len() - 32;
    malleable[from..].fill(0xff);
    let _ = refused_raw(&node, &malleable.into(), Meaning::InvalidSignature);
}

#[test]
fn gas_and_code_beyond_the_limits() {
    let node = Node::new();
    let with = |node: &Node, gas_limit, input: Bytes, meaning| {
        let creation = TxLegacy { gas_limit, input, to: TxKind::Create, ..legacy() };
        refused_raw(node, sign(creation, "ana").raw(), meaning)
    };
    assert_eq!(
        with(&node, 52_999, Bytes::new(), Meaning::IntrinsicGasExceedsLimit),
        "gas limit 52999 is below the intrinsic gas 53000"
    );
    let data = with(&node, 1_000_000_001, Bytes::new(), Meaning::ExceedsTransactionGasLimit);
    assert_eq!(data, "gas limit 1000000001 is above the 1000000000 of a transaction");
    let mut small = testing::genesis();
    small["gasLimit"] = json!("0x186a0");
    assert_eq!(
        with(&Node::of(&small), 100_001, Bytes::new(), Meaning::ExceedsBlockGasLimit),
        "gas limit 100001 is above the 100000 of a block"
    );
    let osaka = Node::of(&rules(json!({ "chainId": 1337, "zeroBaseFee": true, "londonBlock": 0, "osakaTime": 0 })));
    let data = with(&osaka, 16_777_217, Bytes::new(), Meaning::ExceedsTransactionGasLimit);
    assert_eq!(data, "gas limit 16777217 is above the 16777216 of a transaction");
    let data = with(&osaka, 10_000_000, Bytes::from(vec![0; 49_153]), Meaning::InitcodeTooLarge);
    assert_eq!(data, "the creation code has 49153 bytes, at most 49152 are taken");
}

#[test]
fn nonces_and_places_in_the_pool() {
    let pool = PoolLimits { transactions_max: 2, ..PoolLimits::default() };
    let mut node =
        Node::with(&testing::genesis(), NodeOptions { pool, ..NodeOptions::default() }, RpcOptions::default());
    let send = |nonce| call("ana", nonce, TxKind::Call(Address::ZERO), Bytes::new());
    let first = send(0);
    let _ = node.send(&first);
    let _ = refused_raw(&node, first.raw(), Meaning::AlreadyKnown);
    let data = refused_raw(&node, send(200).raw(), Meaning::NonceTooDistant);
    assert_eq!(data, "nonce 200 is 200 ahead of the account's, at most 200 are kept");
    let _ = node.send(&send(1));
    let _ = refused_raw(&node, send(2).raw(), Meaning::PoolFull);
    node.seal();
    assert_eq!(refused_raw(&node, first.raw(), Meaning::NonceTooLow), "the transaction is already in block 1");
    let other = call("ana", 0, TxKind::Create, Bytes::new());
    assert_eq!(refused_raw(&node, other.raw(), Meaning::NonceTooLow), "nonce 0 was used, the account's next is 2");
}

#[test]
fn prices_and_balances() {
    let mut london = rules(json!({ "chainId": 1337, "londonBlock": 0 }));
    london["baseFeePerGas"] = json!("0x64");
    let node = Node::of(&london);
    let dynamic = |max_fee_per_gas, max_priority_fee_per_gas| {
        let to = TxKind::Call(Address::ZERO);
        let fees = TxEip1559 {
            chain_id: 1337,
            gas_limit: 21_000,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            ..TxEip1559::default()
        };
        sign(fees, "rico").raw().clone()
    };
    // Block 0 is empty, so that block 1 costs an eighth less than its 100.
    let data = refused_raw(&node, &dynamic(87, 0), Meaning::GasPriceBelowBaseFee);
    assert_eq!(data, "it offers 87 wei per gas, the base fee is 88");
    let _ = refused_raw(&node, &dynamic(200, 201), Meaning::PriorityFeeAboveMaxFee);
    let poor = priced("ana", 0, 100, TxKind::Create, Bytes::new());
    assert_eq!(
        refused_raw(&node, poor.raw(), Meaning::UpfrontCostExceedsBalance),
        "the sender has 0 wei and may need 100000000"
    );
    let _ = node.send(&priced("rico", 0, 200, TxKind::Create, Bytes::new()));
    let cheaper = priced("rico", 0, 219, TxKind::Create, Bytes::new());
    let data = refused_raw(&node, cheaper.raw(), Meaning::ReplacementUnderpriced);
    assert_eq!(data, "a transaction with nonce 0 waits with a price of 200, 220 would replace it");
    let _ = node.send(&priced("rico", 0, 220, TxKind::Create, Bytes::new()));
    let request = json!([{ "from": address("rico"), "to": address("ana"), "gasPrice": "0x1" }]);
    let _ = node.refused_as("eth_call", request, Meaning::GasPriceBelowBaseFee);
}

#[test]
fn a_set_code_transaction_without_authorizations() {
    let node = Node::of(&rules(json!({ "chainId": 1337, "zeroBaseFee": true, "londonBlock": 0, "pragueTime": 0 })));
    let empty = TxEip7702 { chain_id: 1337, gas_limit: 100_000, ..TxEip7702::default() };
    let data = refused_raw(&node, &signed_bytes(empty, &key("ana")), Meaning::InvalidTransactionParams);
    assert_eq!(data, "a set-code transaction needs at least one authorization (EIP-7702)");
}

#[test]
fn parameters_of_the_wrong_form() {
    let node = Node::new();
    let hash = json!("0x12");
    let cases = [
        ("eth_getBlockByNumber", json!(["ten", false]), Meaning::InvalidBlockNumberParams),
        ("eth_getBlockByNumber", json!([]), Meaning::InvalidBlockNumberParams),
        ("eth_getBlockByHash", json!([hash, false]), Meaning::InvalidBlockHashParams),
        ("eth_getBlockReceipts", json!([{}]), Meaning::InvalidBlockParams),
        ("eth_getBlockTransactionCountByNumber", json!([7.5]), Meaning::InvalidBlockNumberParams),
        ("eth_getBlockTransactionCountByHash", json!([hash]), Meaning::InvalidBlockHashParams),
        ("eth_getTransactionByHash", json!([hash]), Meaning::InvalidTransactionHashParams),
        ("eth_getTransactionReceipt", json!([null]), Meaning::InvalidTransactionHashParams),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x0", "x"]), Meaning::InvalidTransactionIndexParams),
        ("eth_getTransactionByBlockHashAndIndex", json!([hash, "0x0"]), Meaning::InvalidTransactionIndexParams),
        ("eth_sendRawTransaction", json!(["zz"]), Meaning::InvalidTransactionParams),
        ("eth_sendRawTransaction", json!({ "raw": "0x" }), Meaning::InvalidTransactionParams),
        ("eth_getBalance", json!(["0x12", "latest"]), Meaning::InvalidAddressParams),
        ("eth_getTransactionCount", json!([]), Meaning::InvalidAddressParams),
        ("eth_getCode", json!([true]), Meaning::InvalidAddressParams),
        ("eth_getStorageAt", json!([address("ana"), "zz"]), Meaning::InvalidPositionParams),
        ("eth_getProof", json!([address("ana"), "0x0", "latest"]), Meaning::InvalidStorageKeysParams),
        ("eth_call", json!(["0x"]), Meaning::InvalidCallParams),
        ("eth_estimateGas", json!([{ "to": "0x12" }]), Meaning::InvalidCallParams),
        ("eth_feeHistory", json!(["many", "latest", []]), Meaning::InvalidBlockCountParams),
        ("eth_feeHistory", json!([1_025, "latest", []]), Meaning::InvalidBlockCountParams),
        ("eth_feeHistory", json!([0, "latest", []]), Meaning::InvalidBlockCountParams),
        ("eth_feeHistory", json!([1, "latest", [90.0, 10.0]]), Meaning::InvalidRewardPercentilesParams),
        ("eth_feeHistory", json!([1, "latest", vec![1.0; 101]]), Meaning::InvalidRewardPercentilesParams),
        ("eth_getLogs", json!([{ "address": 5 }]), Meaning::InvalidFilterParams),
        ("eth_newFilter", json!([[]]), Meaning::InvalidFilterParams),
        ("eth_getFilterChanges", json!(["first"]), Meaning::InvalidFilterIdParams),
        ("eth_getFilterLogs", json!([]), Meaning::InvalidFilterIdParams),
        ("eth_uninstallFilter", json!([{}]), Meaning::InvalidFilterIdParams),
        ("web3_sha3", json!(["0x1"]), Meaning::InvalidDataParams),
        ("qbft_getValidatorsByBlockNumber", json!(["soon"]), Meaning::InvalidBlockNumberParams),
        ("qbft_getValidatorsByBlockHash", json!([1]), Meaning::InvalidBlockHashParams),
    ];
    for (method, params, meaning) in cases {
        assert!(node.refused_as(method, params, meaning).is_string(), "{method} explains itself");
    }
    let data = node.refused_as("eth_getCode", json!([address("ana"), "latest", 1, 2]), Meaning::InvalidAddressParams);
    assert_eq!(data, json!("4 parameters were given, at most 2 are taken"));
}

#[test]
fn blocks_and_states_that_are_not_there() {
    let mut node = Node::new();
    let missing = json!([address("ana"), "0x99"]);
    assert_eq!(node.refused_as("eth_getBalance", missing, Meaning::BlockNotFound), Value::Null);
    let _ =
        node.refused_as("eth_getCode", json!([address("ana"), { "blockHash": B256::ZERO }]), Meaning::BlockNotFound);
    let _ = node.refused_as("eth_feeHistory", json!(["0x1", "0x99", []]), Meaning::BlockNotFound);
    node.seal_many(crate::chain::STATES_KEPT);
    let oldest = json!([address("rico"), "0x1"]);
    assert_eq!(node.ask("eth_getBalance", oldest), json!("0xde0b6b3a7640000"));
    for (method, params) in
        [("eth_getBalance", json!([address("rico"), "0x0"])), ("eth_call", json!([{ "to": address("rico") }, "0x0"]))]
    {
        let data = node.refused_as(method, params, Meaning::WorldStateUnavailable);
        assert_eq!(data, json!("only the newest states are kept"));
    }
}

#[test]
fn methods_that_a_node_without_keys_does_not_have() {
    let node = Node::new();
    let transaction = json!([{ "from": address("ana"), "to": address("bia") }]);
    let _ = node.refused_as("eth_sendTransaction", transaction, Meaning::SendTransactionNotSupported);
    let error = node.refused("eth_sign", json!([address("ana"), "0x"]));
    let besu = node_errors::besu(Meaning::MethodNotFound);
    assert_eq!((&error["code"], &error["message"]), (&json!(besu.code), &json!(besu.message)));
}

#[test]
fn what_a_call_cannot_meet_has_its_meaning_all_the_same() {
    let nonce = |found, expected| {
        (InvalidReason::NonceTooLow { found, expected }, InvalidReason::NonceTooHigh { found, expected })
    };
    let (low, high) = nonce(1, 2);
    assert_eq!((invalid_meaning(&low), invalid_meaning(&high)), (Meaning::NonceTooLow, Meaning::NonceTooHigh));
    assert_eq!(invalid_meaning(&InvalidReason::InitcodeTooLarge), Meaning::InitcodeTooLarge);
    assert_eq!(invalid_meaning(&InvalidReason::Other(String::new())), Meaning::InvalidCallParams);
}
