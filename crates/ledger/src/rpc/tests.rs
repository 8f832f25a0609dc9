//! Every method, called in process through the module that the sockets serve.

mod blocks;
mod calls;
mod filters;
mod hostile_input;
mod proofs;
mod refusals;
mod servers;
mod subscriptions;

use super::{RpcOptions, module};
use crate::node::{Ledger, NodeOptions, Sealer};
use crate::testing::{self, contract, emitter, open_repeatable, word};
use crate::transaction::SignedTransaction;
use crate::transaction::testing::{address, call};
use alloy_primitives::{Address, B256, Bytes, TxKind};
use jsonrpsee::RpcModule;
use node_errors::Meaning;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A ledger whose blocks are the same in every run, and its methods.
struct Node {
    _folder: TempDir,
    runtime: Runtime,
    ledger: Ledger,
    sealer: Sealer,
    module: RpcModule<()>,
}

impl Node {
    fn new() -> Self {
        Self::with(&testing::genesis(), NodeOptions::default(), RpcOptions::default())
    }

    fn of(genesis: &Value) -> Self {
        Self::with(genesis, NodeOptions::default(), RpcOptions::default())
    }

    fn with(genesis: &Value, options: NodeOptions, rpc: RpcOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ledger, sealer) = open_repeatable(folder.path(), genesis, options);
        let module = module(ledger.clone(), rpc);
        Self { _folder: folder, runtime: Runtime::new().unwrap(), ledger, sealer, module }
    }

    /// The whole answer to a request: an object with `result` or `error`.
    fn answer(&self, method: &str, params: &Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let (answer, _) = self.runtime.block_on(self.module.raw_json_request(&request, 16)).unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }

    fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, &params);
        assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        answer["result"].clone()
    }

    fn refused(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, &params);
        assert!(answer.get("result").is_none(), "{method} {params}: {answer}");
        answer["error"].clone()
    }

    /// Asserts that a request is refused with Besu's code and words for `meaning`, and returns our explanation.
    fn refused_as(&self, method: &str, params: Value, meaning: Meaning) -> Value {
        let error = self.refused(method, params.clone());
        let besu = node_errors::besu(meaning);
        let expected = (json!(besu.code), json!(besu.message));
        assert_eq!((error["code"].clone(), error["message"].clone()), expected, "{method} {params}: {error}");
        error["data"].clone()
    }

    fn send(&self, transaction: &SignedTransaction) -> B256 {
        let hash = self.ask("eth_sendRawTransaction", json!([transaction.raw()]));
        assert_eq!(hash, json!(transaction.hash()));
        transaction.hash()
    }

    fn seal(&mut self) {
        let _ = self.sealer.seal_next().unwrap();
    }

    fn seal_many(&mut self, blocks: usize) {
        (0..blocks).for_each(|_| self.seal());
    }

    /// Deploys `code` as the next transaction of `name`, in a block of its own.
    fn deploy(&mut self, name: &str, code: Bytes) -> Address {
        let nonce = self.ledger.next_nonce(&address(name));
        let _ = self.send(&call(name, nonce, TxKind::Create, code));
        self.seal();
        address(name).create(nonce)
    }

    /// Calls `target` as the next transaction of `name`. It waits for a block.
    fn call(&self, name: &str, target: Address, input: Bytes) -> B256 {
        let nonce = self.ledger.next_nonce(&address(name));
        self.send(&call(name, nonce, TxKind::Call(target), input))
    }
}

/// JSON with a line per value, for snapshots.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// Calldata for [`emitter`]: logs `data` under `topic`.
fn emission(topic: u64, data: u64) -> Bytes {
    [word(topic), word(data)].concat().into()
}

/// A ledger with a contract in block 1, and in block 2 a success, a revert and a plain transfer of nothing.
fn busy() -> Node {
    let mut node = Node::new();
    let target = node.deploy("ana", contract());
    let _ = node.call("ana", target, word(8));
    let _ = node.call("ana", target, word(9));
    let _ = node.call("bia", address("ana"), Bytes::new());
    node.seal();
    node
}

#[test]
fn every_method_answers_a_plain_question() {
    let node = busy();
    let (ana, target) = (address("ana"), address("ana").create(0));
    let block = node.ledger.block(2).unwrap();
    let (block_hash, hash) = (block.header.hash(), block.transactions[0].hash());
    let validator = node.ledger.validator();
    let questions = [
        ("eth_chainId", json!([]), json!("0x539")),
        ("net_version", json!([]), json!("1337")),
        ("net_listening", json!([]), json!(true)),
        ("net_peerCount", json!([]), json!("0x0")),
        ("web3_clientVersion", json!([]), json!(concat!("lastro/v", env!("CARGO_PKG_VERSION")))),
        (
            "web3_sha3",
            json!(["0x68656c6c6f"]),
            json!("0x1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8"),
        ),
        ("eth_syncing", json!([]), json!(false)),
        ("eth_accounts", json!([]), json!([])),
        ("eth_coinbase", json!([]), json!(validator)),
        ("eth_mining", json!([]), json!(true)),
        ("eth_blockNumber", json!([]), json!("0x2")),
        ("eth_gasPrice", json!([]), json!("0x0")),
        ("eth_maxPriorityFeePerGas", json!([]), json!("0x0")),
        ("eth_getBalance", json!([address("rico"), "latest"]), json!("0xde0b6b3a7640000")),
        ("eth_getTransactionCount", json!([ana, "latest"]), json!("0x3")),
        ("eth_getCode", json!([ana, "latest"]), json!("0x")),
        ("eth_getStorageAt", json!([target, "0x0", "latest"]), json!(word(8))),
        ("eth_call", json!([{ "to": target, "data": word(2) }, "latest"]), json!("0x")),
        ("eth_estimateGas", json!([{ "from": ana, "to": ana }]), json!("0x5208")),
        ("eth_getBlockTransactionCountByNumber", json!(["0x2"]), json!("0x3")),
        ("eth_getBlockTransactionCountByHash", json!([block_hash]), json!("0x3")),
        ("qbft_getValidatorsByBlockNumber", json!(["latest"]), json!([validator])),
        ("qbft_getValidatorsByBlockHash", json!([block_hash]), json!([validator])),
        ("rpc_modules", json!([]), json!({ "eth": "1.0", "net": "1.0", "qbft": "1.0", "web3": "1.0" })),
        ("eth_newFilter", json!([{}]), json!("0x1")),
        ("eth_newBlockFilter", json!([]), json!("0x2")),
        ("eth_newPendingTransactionFilter", json!([]), json!("0x3")),
        ("eth_getFilterChanges", json!(["0x1"]), json!([])),
        ("eth_uninstallFilter", json!(["0x3"]), json!(true)),
    ];
    for (method, params, expected) in &questions {
        assert_eq!(node.ask(method, params.clone()), *expected, "{method}");
    }
    // Answers with much in them: their shape is in `blocks`, `filters` and `proofs`.
    let long = [
        ("eth_getBlockByNumber", json!(["0x2", false])),
        ("eth_getBlockByHash", json!([block_hash, true])),
        ("eth_getBlockReceipts", json!(["0x2"])),
        ("eth_getTransactionByHash", json!([hash])),
        ("eth_getTransactionReceipt", json!([hash])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["0x2", "0x0"])),
        ("eth_getTransactionByBlockHashAndIndex", json!([block_hash, "0x0"])),
        ("eth_getLogs", json!([{ "fromBlock": "earliest" }])),
        ("eth_getFilterLogs", json!(["0x1"])),
        ("eth_getProof", json!([ana, [], "latest"])),
        ("eth_feeHistory", json!(["0x2", "latest", []])),
    ];
    for (method, params) in &long {
        assert!(!node.ask(method, params.clone()).is_null(), "{method}");
    }
    let asked: BTreeSet<&str> =
        questions.iter().map(|(method, ..)| *method).chain(long.map(|(method, _)| method)).collect();
    let elsewhere = ["eth_sendRawTransaction", "eth_sendTransaction", "eth_subscribe", "eth_unsubscribe"];
    let known: BTreeSet<&str> = node.module.method_names().filter(|name| !elsewhere.contains(name)).collect();
    assert_eq!(asked, known, "each method is asked here");
}
