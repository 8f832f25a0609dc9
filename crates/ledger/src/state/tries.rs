//! The state trie and the storage tries of the newest block.

use super::{AccountDiff, SlotDiff, StateDiff, WorldState};
use crate::trie::{Leaf, Trie};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use std::collections::HashMap;

/// A storage value: its RLP is the number without leading zeros.
#[derive(Clone)]
struct SlotValue(U256);

impl Leaf for SlotValue {
    fn encode_rlp(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Leaf for TrieAccount {
    fn encode_rlp(&self, out: &mut Vec<u8>) {
        self.encode(out);
    }
}

/// Tries over hashed keys (the "secure" tries of the Yellow Paper). Only the newest block's are kept.
#[derive(Default)]
pub(crate) struct WorldTries {
    accounts: Trie<TrieAccount>,
    storages: HashMap<Address, Trie<SlotValue>>,
}

impl WorldTries {
    /// The tries of a whole state: what recovery builds once instead of block by block.
    pub(crate) fn of(state: &WorldState) -> Self {
        let mut tries = Self::default();
        for (address, account) in state.accounts() {
            let slots = account.storage.iter().map(|(slot, value)| SlotDiff { slot: *slot, value: *value });
            tries.apply_account(&AccountDiff {
                address: *address,
                nonce: account.nonce,
                balance: account.balance,
                code_hash: account.code_hash,
                slots: slots.collect(),
                ..AccountDiff::default()
            });
        }
        tries
    }

    /// Applies a block's change. The root is computed by [`Self::root`], so that many changes can be applied first.
    pub(crate) fn apply(&mut self, diff: &StateDiff) {
        for account in &diff.accounts {
            self.apply_account(account);
        }
    }

    fn apply_account(&mut self, diff: &AccountDiff) {
        let key = keccak256(diff.address);
        if diff.is_deleted {
            let _ = self.storages.remove(&diff.address);
            self.accounts.remove(&key);
            return;
        }
        if diff.is_storage_cleared {
            let _ = self.storages.remove(&diff.address);
        }
        let storage_root = self.apply_slots(diff);
        let account = TrieAccount { nonce: diff.nonce, balance: diff.balance, storage_root, code_hash: diff.code_hash };
        self.accounts.insert(&key, account);
    }

    fn apply_slots(&mut self, diff: &AccountDiff) -> B256 {
        if diff.slots.is_empty() {
            return self.storages.get_mut(&diff.address).map_or(EMPTY_ROOT_HASH, Trie::root);
        }
        let storage = self.storages.entry(diff.address).or_default();
        for change in &diff.slots {
            let key = keccak256(change.slot.to_be_bytes::<32>());
            if change.value.is_zero() { storage.remove(&key) } else { storage.insert(&key, SlotValue(change.value)) }
        }
        let root = storage.root();
        if storage.is_empty() {
            let _ = self.storages.remove(&diff.address);
        }
        root
    }

    /// The state root.
    pub(crate) fn root(&mut self) -> B256 {
        self.accounts.root()
    }

    /// Merkle proof of an account, from the root down.
    pub(crate) fn account_proof(&mut self, address: &Address) -> Vec<Bytes> {
        self.accounts.proof(&keccak256(address))
    }

    /// Root of an account's storage and the proof of one of its slots.
    pub(crate) fn storage_proof(&mut self, address: &Address, slot: &U256) -> Vec<Bytes> {
        let key = keccak256(slot.to_be_bytes::<32>());
        self.storages.get_mut(address).map(|storage| storage.proof(&key)).unwrap_or_default()
    }

    /// Root of an account's storage.
    pub(crate) fn storage_root(&mut self, address: &Address) -> B256 {
        self.storages.get_mut(address).map_or(EMPTY_ROOT_HASH, Trie::root)
    }
}
