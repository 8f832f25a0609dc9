//! Block 0 of the pilot networks, against a reading of their files that shares nothing with the ledger's: the state root
//! by alloy's builder over the raw allocation, the hash by alloy's header over the raw fields. The networks' profiles name the
//! same hash.

use super::shared;
use crate::data_dir::genesis_block;
use crate::genesis::Genesis;
use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_RECEIPTS, EMPTY_TRANSACTIONS};
use alloy_primitives::{Address, B64, B256, Bytes, U256, hex, keccak256};
use alloy_trie::root::{state_root_unhashed, storage_root_unhashed};
use alloy_trie::{KECCAK_EMPTY, TrieAccount};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    nonce: U256,
    timestamp: U256,
    extra_data: Bytes,
    gas_limit: U256,
    difficulty: U256,
    mix_hash: B256,
    coinbase: Address,
    alloc: BTreeMap<Address, Account>,
}

#[derive(Deserialize)]
struct Account {
    balance: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    storage: BTreeMap<String, String>,
}

fn word(text: &str) -> U256 {
    U256::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

impl Account {
    fn in_trie(&self) -> TrieAccount {
        let slots = self.storage.iter().map(|(slot, value)| (B256::from(word(slot)), word(value)));
        let code = hex::decode(&self.code).unwrap();
        TrieAccount {
            nonce: 0,
            balance: U256::from_str_radix(&self.balance, 10).unwrap(),
            storage_root: storage_root_unhashed(slots.filter(|(_, value)| !value.is_zero())),
            code_hash: if code.is_empty() { KECCAK_EMPTY } else { keccak256(code) },
        }
    }
}

fn agrees(bytes: &[u8], profile: &str) {
    let file: File = serde_json::from_slice(bytes).unwrap();
    let state_root = state_root_unhashed(file.alloc.iter().map(|(address, account)| (*address, account.in_trie())));
    // Both files begin before London, so that the header has no later fields.
    let header = Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: file.coinbase,
        state_root,
        transactions_root: EMPTY_TRANSACTIONS,
        receipts_root: EMPTY_RECEIPTS,
        difficulty: file.difficulty,
        gas_limit: file.gas_limit.to(),
        timestamp: file.timestamp.to(),
        extra_data: file.extra_data,
        mix_hash: file.mix_hash,
        nonce: B64::from(file.nonce.to::<u64>()),
        ..Header::default()
    };
    let (found, _) = genesis_block(&Genesis::parse(bytes).unwrap());
    assert_eq!(found.state_root, state_root);
    assert_eq!(found.hash(), header.hash_slow());
    let file = format!("{}/../chain/profiles/{profile}.toml", env!("CARGO_MANIFEST_DIR"));
    let line = format!("genesis_hash = \"{}\"", found.hash());
    assert!(std::fs::read_to_string(&file).unwrap().contains(&line), "{file} does not say {line}");
}

#[test]
fn block_0_of_rede_blockchain_brasil_is_what_its_file_makes() {
    let Some(bytes) = shared("rbb/genesis.json") else { return };
    agrees(&bytes, "rbb");
}

#[test]
fn block_0_of_the_drex_kit_is_what_its_file_makes() {
    let Some(bytes) = shared("drex-kit/genesis.json") else { return };
    agrees(&bytes, "drex-kit");
}
