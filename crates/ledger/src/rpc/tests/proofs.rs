//! `eth_getProof`, judged by alloy's verifier.

use super::*;
use alloy_primitives::{U256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{EMPTY_ROOT_HASH, KECCAK_EMPTY, Nibbles, TrieAccount};

fn field<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// The account that a proof states, after its nodes were verified against the state root of the head.
fn verified_account(node: &Node, proof: &Value) -> TrieAccount {
    let account = TrieAccount {
        nonce: field::<alloy_primitives::U64>(&proof["nonce"]).to(),
        balance: field(&proof["balance"]),
        storage_root: field(&proof["storageHash"]),
        code_hash: field(&proof["codeHash"]),
    };
    let nodes: Vec<Bytes> = field(&proof["accountProof"]);
    let key = Nibbles::unpack(keccak256(field::<Address>(&proof["address"])));
    let is_absent =
        account == TrieAccount { storage_root: EMPTY_ROOT_HASH, code_hash: KECCAK_EMPTY, ..TrieAccount::default() };
    let expected = (!is_absent).then(|| alloy_rlp::encode(account));
    verify_proof(node.ledger.head().state_root, key, expected, &nodes).unwrap();
    account
}

#[test]
fn accounts_and_slots_are_proved_and_so_is_absence() {
    let node = busy();
    let target = address("ana").create(0);
    let slots = [U256::ZERO, U256::from(1), U256::MAX];
    let proof = node.ask("eth_getProof", json!([target, slots, "latest"]));
    let account = verified_account(&node, &proof);
    assert_eq!(account.code_hash, keccak256(node.ledger.head_and_state().1.code_of(&target)));
    for (slot, entry) in slots.iter().zip(proof["storageProof"].as_array().unwrap()) {
        let (value, nodes): (U256, Vec<Bytes>) = (field(&entry["value"]), field(&entry["proof"]));
        assert_eq!(
            (field::<U256>(&entry["key"]), value),
            (*slot, if slot.is_zero() { U256::from(8) } else { U256::ZERO })
        );
        let expected = (!value.is_zero()).then(|| alloy_rlp::encode(value));
        verify_proof(account.storage_root, Nibbles::unpack(keccak256(B256::from(*slot))), expected, &nodes).unwrap();
    }
    let rich = verified_account(&node, &node.ask("eth_getProof", json!([address("rico"), [], "latest"])));
    assert_eq!((rich.balance, rich.storage_root), (U256::from(10).pow(U256::from(18)), EMPTY_ROOT_HASH));
    let nobody = node.ask("eth_getProof", json!([address("nobody"), ["0x0"], "latest"]));
    assert_eq!(verified_account(&node, &nobody).code_hash, KECCAK_EMPTY);
    assert_eq!(nobody["storageProof"], json!([{ "key": "0x0", "value": "0x0", "proof": [] }]));
}

#[test]
fn proofs_are_made_of_the_newest_block_alone_and_of_a_bounded_number_of_slots() {
    let node = busy();
    let data = node.refused_as("eth_getProof", json!([address("ana"), [], "0x1"]), Meaning::WorldStateUnavailable);
    assert_eq!(data, json!("proofs are made for the newest block alone; ask again"));
    let slots = vec!["0x0"; 1_025];
    let data =
        node.refused_as("eth_getProof", json!([address("ana"), slots, "latest"]), Meaning::InvalidStorageKeysParams);
    assert_eq!(data, json!("1025 slots were asked for, at most 1024 are proved"));
}
