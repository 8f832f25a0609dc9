//! The sandbox's network: the pilot's rules and chain id, with a genesis of our own.
//!
//! Facts of the pilot's genesis (chain id, forks, free gas, gas limit, timestamp, five seconds between blocks, an epoch of
//! 30,000 blocks) are kept. Its validators were the central bank's, so one of our own seals; the contract that told nodes
//! whom to connect to is left out, since there is one node. The validator's key is public, like all keys of the sandbox:
//! with it the genesis, and so its hash, is the same everywhere, which custody asks for before it takes test keys.

use crate::failure::{Failure, FailureKind};
use crate::ledger_command::data_dir_failure;
use crate::ledger_command::run::check_period;
use crate::own_ledger::{OwnDirectory, keep, make_directory};
use alloy_primitives::keccak256;
use chain::{NetworkProfile, Profile};
use custody::Custody;
use custody::sandbox::SANDBOX_CHAIN_ID;
use ledger::data_dir::InitOptions;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// What the validator's key is the Keccak-256 of.
const VALIDATOR_LABEL: &str = "lastro drex sandbox: validator";
/// Its address.
const VALIDATOR: &str = "00607ab902c035479be906ab2a66adf65b2f9e95";

/// Opens the directory of a sandbox, or makes it.
///
/// # Errors
/// [`Failure`] if it cannot be used, belongs to another network, or the period is none.
pub(super) fn open(path: &Path, block_period: Duration) -> Result<OwnDirectory, Failure> {
    let folder = path.join("ledger");
    if !folder.join("network.json").exists() {
        make_directory(&folder)?;
        keep(&folder.join("node.key"), &format!("{}\n", keccak256(VALIDATOR_LABEL)))?;
    }
    let options = InitOptions { key: None, is_adopting: false };
    let mut directory = OwnDirectory::open_or_init(path, SANDBOX_CHAIN_ID, genesis, options)?;
    let data_dir = directory.data_dir_mut();
    check_period(data_dir, block_period)?;
    data_dir.set_block_period(block_period).map_err(data_dir_failure)?;
    // Refused before anything is written beside it; custody looks again when it is opened for the running ledger.
    let _ = custody(data_dir.genesis_hash())?;
    Ok(directory)
}

/// Custody for the ledger with this hash of block 0, which this process must hold open.
///
/// # Errors
/// [`FailureKind::Environment`] if it is not the sandbox's: test keys sign nowhere else.
pub(super) fn custody(genesis_hash: alloy_primitives::B256) -> Result<Custody, Failure> {
    Custody::for_sandbox(profile().network(), genesis_hash).map_err(|error| {
        let hint = "choose another with `--data-dir`, or look inside with `lastro ledger inspect`";
        Failure::new(FailureKind::Environment, error).with_hint(hint)
    })
}

/// What is sent with: the pilot's profile, at the pace of a ledger in the same process.
pub(super) fn profile() -> Profile {
    let kit = NetworkProfile::drex_kit().sending(SANDBOX_CHAIN_ID).expect("the pilot's profile is for its chain id");
    let embedded = Profile::embedded(SANDBOX_CHAIN_ID, kit.rules, kit.block_gas_limit);
    Profile { name: kit.name, ..embedded }
}

fn genesis() -> Vec<u8> {
    let genesis = json!({
        "config": {
            "chainId": SANDBOX_CHAIN_ID,
            "muirGlacierBlock": 0,
            "londonBlock": 2_592_800,
            "zeroBaseFee": true,
            "shanghaiTime": 1_737_394_200,
            "qbft": { "blockPeriodSeconds": 5, "epochLength": 30_000, "requestTimeoutSeconds": 10 },
        },
        "nonce": "0x0",
        "timestamp": "0x58ee40ba",
        "gasLimit": format!("0x{:x}", profile().block_gas_limit),
        "difficulty": "0x1",
        "mixHash": "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365",
        "coinbase": "0x0000000000000000000000000000000000000000",
        "extraData": format!("0xf83aa0{}d594{VALIDATOR}c080c0", "00".repeat(32)),
        "alloc": {},
    });
    genesis.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use custody::sandbox::SANDBOX_GENESIS_HASH;
    use ledger::node_key::NodeKey;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_genesis_is_the_one_that_custody_knows() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), keccak256(VALIDATOR_LABEL).to_string()).unwrap();
        let key = NodeKey::load(&folder.path().join("key")).unwrap();
        assert_eq!(alloy_primitives::hex::encode(key.address()), VALIDATOR);
        let mut directory = open(&folder.path().join("sandbox"), SECOND).unwrap();
        assert_eq!(directory.data_dir_mut().genesis_hash(), SANDBOX_GENESIS_HASH);
    }

    #[test]
    fn another_network_with_the_same_chain_id_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let genesis = String::from_utf8(genesis()).unwrap().replace("0x58ee40ba", "0x58ee40bb");
        let options = InitOptions { key: None, is_adopting: true };
        let made = OwnDirectory::open_or_init(folder.path(), SANDBOX_CHAIN_ID, || genesis.into_bytes(), options);
        drop(made.unwrap());
        let refused = open(folder.path(), SECOND).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Environment);
        assert!(refused.error.to_string().contains("is not the sandbox"), "{}", refused.error);
    }
}
