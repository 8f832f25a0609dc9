//! World state: accounts, storage and code, as persistent maps, and the change that a block makes to them.
//!
//! A [`WorldState`] is cheap to clone and never changes under a reader: each block publishes a new one that shares what
//! it did not touch. Readers of old blocks therefore need no lock and no undo log; the ledger keeps the newest few.

mod tries;

pub(crate) use tries::WorldTries;

use crate::executor::Code;
use crate::genesis::GenesisAccount;
use alloy_primitives::map::DefaultHashBuilder;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use alloy_trie::KECCAK_EMPTY;
use archery::ArcTK;
use rpds::HashTrieMap;
use std::hash::Hash;

type Map<K, V> = HashTrieMap<K, V, ArcTK, DefaultHashBuilder>;

fn empty_map<K: Eq + Hash, V>() -> Map<K, V> {
    HashTrieMap::new_with_hasher_and_ptr_kind(DefaultHashBuilder::default())
}

/// One account.
#[derive(Clone)]
pub(crate) struct AccountState {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Keccak-256 of the code; [`KECCAK_EMPTY`] without code.
    pub code_hash: B256,
    storage: Map<U256, U256>,
}

impl Default for AccountState {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK_EMPTY, storage: empty_map() }
    }
}

impl AccountState {
    /// The value of a storage slot; zero where nothing was written.
    pub(crate) fn slot(&self, slot: &U256) -> U256 {
        self.storage.get(slot).copied().unwrap_or_default()
    }
}

/// All accounts after one block.
#[derive(Clone)]
pub(crate) struct WorldState {
    accounts: Map<Address, AccountState>,
    codes: Map<B256, Code>,
}

impl Default for WorldState {
    fn default() -> Self {
        Self { accounts: empty_map(), codes: empty_map() }
    }
}

/// The change that a block makes. What it does not name stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct StateDiff {
    /// Changed accounts, ascending by address, each once.
    pub accounts: Vec<AccountDiff>,
    /// Code that was not there before.
    pub codes: Vec<Bytes>,
}

/// The change of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct AccountDiff {
    /// Which account.
    pub address: Address,
    /// True if the account is gone: destroyed, or empty by EIP-161. The other fields then mean nothing.
    pub is_deleted: bool,
    /// True if the storage from before the block is gone.
    pub is_storage_cleared: bool,
    /// Nonce after the block.
    pub nonce: u64,
    /// Balance in wei after the block.
    pub balance: U256,
    /// Code hash after the block.
    pub code_hash: B256,
    /// Slots with their new values; zero deletes. Ascending by slot.
    pub slots: Vec<SlotDiff>,
}

/// The change of one storage slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct SlotDiff {
    /// Which slot.
    pub slot: U256,
    /// Its value after the block.
    pub value: U256,
}

impl StateDiff {
    /// How many accounts and slots change.
    pub(crate) fn changes(&self) -> usize {
        self.accounts.iter().map(|account| 1 + account.slots.len()).sum()
    }

    /// The accounts of block 0, seen as a change of the empty state.
    pub(crate) fn from_genesis(accounts: &[(Address, GenesisAccount)]) -> Self {
        let mut diff = Self::default();
        for (address, account) in accounts {
            let code_hash = if account.code.is_empty() { KECCAK_EMPTY } else { keccak256(&account.code) };
            if !account.code.is_empty() {
                diff.codes.push(account.code.clone());
            }
            let slots = account.storage.iter().map(|(slot, value)| SlotDiff { slot: *slot, value: *value }).collect();
            let (nonce, balance) = (account.nonce, account.balance);
            diff.accounts.push(AccountDiff {
                address: *address,
                nonce,
                balance,
                code_hash,
                slots,
                ..AccountDiff::default()
            });
        }
        diff
    }
}

impl WorldState {
    /// An account, or `None` where there is none.
    pub(crate) fn account(&self, address: &Address) -> Option<&AccountState> {
        self.accounts.get(address)
    }

    /// The value of a storage slot; zero where nothing was written.
    pub(crate) fn slot(&self, address: &Address, slot: &U256) -> U256 {
        self.account(address).map(|account| account.slot(slot)).unwrap_or_default()
    }

    /// Code by its hash.
    pub(crate) fn code(&self, code_hash: &B256) -> Option<&Code> {
        self.codes.get(code_hash)
    }

    /// The runtime code of an account; empty for a plain or absent one.
    pub(crate) fn code_of(&self, address: &Address) -> Bytes {
        let code = self.account(address).and_then(|account| self.code(&account.code_hash));
        code.map(Code::bytes).unwrap_or_default()
    }

    /// Whether an account has storage, but neither nonce nor code: only a genesis can make one (EIP-7610).
    pub(crate) fn has_storage_alone(&self, address: &Address) -> bool {
        let is_such = |account: &AccountState| {
            account.nonce == 0 && account.code_hash == KECCAK_EMPTY && !account.storage.is_empty()
        };
        self.account(address).is_some_and(is_such)
    }

    /// All accounts, in no order that means anything.
    fn accounts(&self) -> impl Iterator<Item = (&Address, &AccountState)> {
        self.accounts.iter()
    }

    /// Applies a block's change.
    pub(crate) fn apply(&mut self, diff: &StateDiff) {
        for bytes in &diff.codes {
            let code = Code::new(bytes.clone());
            self.codes.insert_mut(code.hash(), code);
        }
        for account in &diff.accounts {
            self.apply_account(account);
        }
    }

    fn apply_account(&mut self, diff: &AccountDiff) {
        if diff.is_deleted {
            let _ = self.accounts.remove_mut(&diff.address);
            return;
        }
        let mut storage = match self.accounts.get(&diff.address) {
            Some(account) if !diff.is_storage_cleared => account.storage.clone(),
            _ => empty_map(),
        };
        for change in &diff.slots {
            if change.value.is_zero() {
                let _ = storage.remove_mut(&change.slot);
            } else {
                storage.insert_mut(change.slot, change.value);
            }
        }
        let account = AccountState { nonce: diff.nonce, balance: diff.balance, code_hash: diff.code_hash, storage };
        self.accounts.insert_mut(diff.address, account);
    }
}
