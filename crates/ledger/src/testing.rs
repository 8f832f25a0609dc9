//! Ledgers and contracts for tests. Contracts are written in opcodes, since no compiler is wanted here.

use crate::clock::Clock;
use crate::data_dir::{DataDir, InitOptions};
use crate::node::{Ledger, NodeOptions, Recovered, Sealer};
use crate::node_key::NodeKey;
use crate::transaction::testing::address;
use alloy_primitives::{Bytes, U256, hex};
use serde_json::{Value, json};
use std::path::Path;

/// A key for nodes whose headers must be the same in every run.
const NODE_KEY: &str = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";

/// Creation code that leaves `runtime` behind: copies what follows it, and returns that.
pub(crate) fn creation_of(runtime: &[u8]) -> Bytes {
    let [high, low] = u16::try_from(runtime.len()).unwrap().to_be_bytes();
    // codecopy(0, 13, length); return(0, length)
    let mut code = vec![0x61, high, low, 0x80, 0x60, 0x0d, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3, 0xfe];
    code.extend_from_slice(runtime);
    code.into()
}

/// Stores the first word of its calldata in slot 0, logs it and ends; reverts with the word if it is odd.
pub(crate) fn contract() -> Bytes {
    creation_of(&hex!(
        "600035" // word
        "80600116" // word, word & 1
        "6018" "57" // jump to revert if odd
        "80600055" // slot 0 := word
        "600052" "60206000a0" // log0(word)
        "00" "00" // stop
        "5b" // 0x18: jumpdest
        "60005260206000fd" // revert(word)
    ))
}

/// Logs the second word of its calldata under the first as its topic.
pub(crate) fn emitter() -> Bytes {
    creation_of(&hex!(
        "60206020600037" // calldatacopy(0, 32, 32)
        "600035" "60206000a1" // log1(0, 32, word)
        "00"
    ))
}

/// Called with anything, it calls itself with nothing and all its gas, and reverts if that fails; called with nothing, it
/// fills twenty slots. The inner call gets 63/64 of the gas (EIP-150), so that it needs more than it uses.
pub(crate) fn hoarder() -> Bytes {
    creation_of(&hex!(
        "36" "6013" "57" // to the outer part if there is calldata
        "6014" // counter
        "5b" "808055" "60019003" "80" "6006" "57" "00" // 0x06: slot counter := counter, until it is 0
        "5b" "600080808080" "30" "5a" "f1" // 0x13: call(gas, self, 0, nothing)
        "15" "6022" "57" "00"
        "5b" "600080fd" // 0x22: revert
    ))
}

/// Reverts with `Error("no")`, as Solidity's `require` does.
pub(crate) fn refuser() -> Bytes {
    let mut runtime = hex!("6064" "600c" "6000" "39" "6064" "6000" "fd").to_vec();
    runtime.extend_from_slice(&hex!("08c379a0"));
    runtime.extend_from_slice(&word(0x20));
    runtime.extend_from_slice(&word(2));
    runtime.extend_from_slice(&hex!("6e6f"));
    runtime.resize(12 + 100, 0);
    creation_of(&runtime)
}

/// A number as a word of calldata.
pub(crate) fn word(value: u64) -> Bytes {
    U256::from(value).to_be_bytes::<32>().into()
}

/// A network of Berlin's rules with free gas and a rich account named `rico`.
pub(crate) fn genesis() -> Value {
    json!({
        "config": { "chainId": 1337, "berlinBlock": 0, "qbft": { "blockPeriodSeconds": 1, "xBlockPeriodMilliseconds": 20 } },
        "gasLimit": "0x1fffffffffffff",
        "extraData": "0xf83aa00000000000000000000000000000000000000000000000000000000000000000d5948cbed6ba98fd722a54126edec5f20f1df0c713fcc080c0",
        "alloc": { address("rico").to_string(): { "balance": "1000000000000000000" } }
    })
}

/// A data directory for `genesis`, with a key of its own.
pub(crate) fn init(path: &Path, genesis: &Value) -> DataDir {
    let options = InitOptions { key: None, is_adopting: true };
    DataDir::init(path, genesis.to_string().as_bytes(), options).unwrap()
}

/// The ledger of a data directory.
pub(crate) fn open(path: &Path) -> (Ledger, Recovered, Sealer) {
    Ledger::open(DataDir::open(path).unwrap(), NodeOptions::default()).unwrap()
}

/// A fresh ledger whose blocks are the same in every run: its key is fixed, and its clock stands so far back that each
/// block's time is one second after the one before.
pub(crate) fn open_repeatable(path: &Path, genesis: &Value, options: NodeOptions) -> (Ledger, Sealer) {
    let key = path.join("given.key");
    std::fs::write(&key, NODE_KEY).unwrap();
    let init = InitOptions { key: Some(NodeKey::load(&key).unwrap()), is_adopting: true };
    let mut genesis = genesis.clone();
    genesis["timestamp"] = json!("0x6a000000");
    genesis["config"]["qbft"] = json!({ "blockPeriodSeconds": 1 });
    let data_dir = DataDir::init(path, genesis.to_string().as_bytes(), init).unwrap();
    let options = NodeOptions { clock: Clock::starting_at(0), ..options };
    let (ledger, _, sealer) = Ledger::open(data_dir, options).unwrap();
    (ledger, sealer)
}
