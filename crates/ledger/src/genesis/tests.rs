//! Tests of the genesis reader: what real files mean, and what each kind of mistake is answered.

mod oracle;

use super::*;
use crate::forks::Activation;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const VALIDATOR: &str = "0xf83aa00000000000000000000000000000000000000000000000000000000000000000d5948cbed6ba98fd722a54126edec5f20f1df0c713fcc080c0";

fn minimal() -> Value {
    json!({
        "config": { "chainId": 1337, "berlinBlock": 0, "qbft": { "blockPeriodSeconds": 2 } },
        "gasLimit": "0x1fffffffffffff",
        "extraData": VALIDATOR,
        "alloc": { "fe3b557e8fb62b89f4916b721be55ceb828dbd73": { "balance": "90000000000000000000000" } }
    })
}

fn parse(value: &Value) -> Result<Genesis, GenesisError> {
    Genesis::parse(value.to_string().as_bytes())
}

/// The error of the minimal genesis with `pointer` set to `value`.
fn error_with(pointer: &str, value: Value) -> String {
    let mut genesis = minimal();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let _ = genesis.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
    parse(&genesis).unwrap_err().to_string()
}

/// A file of the shared data folder, or `None`, said aloud, where it is absent.
fn shared(file: &str) -> Option<Vec<u8>> {
    let root = std::env::var("LASTRO_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").into());
    let path = PathBuf::from(root).join("data").join(file);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there (LASTRO_SHARED)", path.display());
    }
    bytes
}

#[test]
fn a_minimal_genesis_has_besus_defaults() {
    let genesis = parse(&minimal()).unwrap();
    assert_eq!(genesis.config.qbft.block_period, Duration::from_secs(2));
    assert_eq!((genesis.config.qbft.epoch_length_blocks, genesis.difficulty), (30_000, U256::from(1)));
    assert_eq!(genesis.mix_hash, BFT_MIX_HASH);
    assert_eq!(genesis.accounts[0].1.balance, U256::from(90_000_u64) * U256::from(10).pow(U256::from(18)));
}

#[test]
fn the_genesis_of_rede_blockchain_brasil_is_berlin() {
    let Some(bytes) = shared("rbb/genesis.json") else { return };
    let genesis = Genesis::parse(&bytes).unwrap();
    assert_eq!((genesis.config.chain_id, genesis.gas_limit), (12_120_014, 16_000_000));
    assert_eq!(genesis.rules_at(1, 2_000_000_000), Fork::Berlin);
    assert_eq!((genesis.extra_data.validators.len(), genesis.accounts.len()), (1, 2));
    assert_eq!(genesis.config.contract_bytes_max, Some(2_147_483_647));
}

#[test]
fn the_genesis_of_the_drex_kit_is_shanghai_from_block_1_today() {
    let Some(bytes) = shared("drex-kit/genesis.json") else { return };
    let genesis = Genesis::parse(&bytes).unwrap();
    assert_eq!((genesis.config.chain_id, genesis.extra_data.validators.len()), (381_660_001, 4));
    assert_eq!(genesis.rules_at(1, 1_790_000_000), Fork::Shanghai);
    assert_eq!(genesis.rules_at(1, genesis.timestamp), Fork::Istanbul);
    assert!(genesis.config.zero_base_fee);
    assert_eq!(genesis.accounts[0].1.storage.len(), 3);
}

#[test]
fn a_header_has_the_fields_of_its_fork() {
    let mut genesis = parse(&minimal()).unwrap();
    assert_eq!(genesis.header(B256::ZERO).base_fee_per_gas, None);
    genesis.config.forks.add(Fork::Prague, Activation::Time(0));
    let header = genesis.header(B256::ZERO);
    assert_eq!((header.base_fee_per_gas, header.blob_gas_used), (Some(INITIAL_BASE_FEE_WEI), Some(0)));
    assert_eq!((header.withdrawals_root, header.requests_hash), (Some(EMPTY_WITHDRAWALS), Some(EMPTY_REQUESTS_HASH)));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        ("/config/berlinBlok", json!(0), "`config.berlinBlok` is no key of a genesis; did you mean `berlinBlock`?"),
        (
            "/config/qbft/epochlenght",
            json!(1),
            "`config.qbft.epochlenght` is no key of a genesis; did you mean `epochLength`?",
        ),
        ("/zzz", json!(0), "`zzz` is no key of a genesis"),
        (
            "/config/chainId",
            json!("12x"),
            "`config.chainId` is `\"12x\"`, but must be a number from 0 to 2^256 - 1, decimal or 0x-hexadecimal",
        ),
        ("/config/chainId", json!(null), "`config.chainId` is missing: the network's EIP-155 id"),
        ("/coinbase", json!("0x12"), "`coinbase` is `0x12`, but must be an address: 20 bytes in hexadecimal"),
        ("/alloc", json!({ "0xzz": {} }), "`alloc.0xzz` is `0xzz`, but must be an address: 20 bytes in hexadecimal"),
        ("/extraData", json!("0x00"), "`extraData` does not hold QBFT's validators"),
        (
            "/extraData",
            json!(format!("0xe5a0{}c0c080c0", "00".repeat(32))),
            "`extraData` names no validator, so nobody could ever seal a block",
        ),
        (
            "/config/ibft2",
            json!({}),
            "`config.ibft2` asks for what this ledger does not do: its headers differ; use `qbft`",
        ),
        (
            "/config/qbft/blockReward",
            json!("5"),
            "`config.qbft.blockReward` asks for what this ledger does not do: blocks pay no reward here; set it to 0",
        ),
        ("/config/qbft/blockPeriodSeconds", json!(0), "`config.qbft.blockPeriodSeconds` is 0, but must be at least 1"),
        ("/gasLimit", json!(null), "`gasLimit` is missing: the gas limit of a block"),
    ];
    for (pointer, value, expected) in cases {
        assert_eq!(error_with(pointer, value), expected, "{pointer}");
    }
}

#[test]
fn a_file_that_is_not_json_is_told_where() {
    let error = Genesis::parse(b"{\n  \"config\": }").unwrap_err();
    assert_eq!(error.to_string(), "the genesis is not JSON: expected value (line 2, column 13)");
}

#[test]
fn no_fork_or_one_that_begins_later_is_refused() {
    let mut genesis = minimal();
    genesis["config"]["berlinBlock"] = json!(7);
    assert!(parse(&genesis).unwrap_err().to_string().contains("no fork that is active in block 1"));
}
