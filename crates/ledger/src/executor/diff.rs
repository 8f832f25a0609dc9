//! From the EVM's journal to a [`StateDiff`].

use super::Code;
use crate::state::{AccountDiff, SlotDiff, StateDiff, WorldState};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_trie::KECCAK_EMPTY;
use revm::state::{Account, EvmState};
use std::collections::BTreeMap;

/// The change that `journal` makes to `before`. The journal's own "original" values are per transaction, so every value
/// is compared with the state before the block.
pub(super) fn state_diff(before: &WorldState, journal: EvmState) -> StateDiff {
    let mut diff = StateDiff::default();
    let mut codes: BTreeMap<B256, Bytes> = BTreeMap::new();
    for (address, account) in journal {
        if !account.is_touched() {
            continue;
        }
        let Some(change) = account_diff(before, address, &account) else { continue };
        if !change.is_deleted && change.code_hash != KECCAK_EMPTY && before.code(&change.code_hash).is_none() {
            let code = account.info.code.clone().unwrap_or_default();
            let _ = codes.insert(change.code_hash, Code::from_evm(code).bytes());
        }
        diff.accounts.push(change);
    }
    diff.accounts.sort_unstable_by_key(|account| account.address);
    diff.codes = codes.into_values().collect();
    diff
}

fn account_diff(before: &WorldState, address: Address, account: &Account) -> Option<AccountDiff> {
    let old = before.account(&address);
    // The local mark says that the account was destroyed and not used again in the block; the global one alone says
    // that it came back to life after it.
    if account.is_selfdestructed_locally() || account.info.is_empty() {
        return old.map(|_| AccountDiff { address, is_deleted: true, ..AccountDiff::default() });
    }
    let is_storage_cleared = account.is_selfdestructed() || account.is_created();
    let old_slot = |slot: &U256| match old {
        Some(old) if !is_storage_cleared => old.slot(slot),
        _ => U256::ZERO,
    };
    let changed = account.storage.iter().filter(|(slot, entry)| entry.present_value != old_slot(slot));
    let mut slots: Vec<SlotDiff> =
        changed.map(|(slot, entry)| SlotDiff { slot: *slot, value: entry.present_value }).collect();
    slots.sort_unstable_by_key(|change| change.slot);
    let info = &account.info;
    let is_same = old.is_some_and(|old| {
        (old.nonce, old.balance, old.code_hash) == (info.nonce, info.balance, info.code_hash) && !is_storage_cleared
    });
    if is_same && slots.is_empty() {
        return None;
    }
    Some(AccountDiff {
        address,
        is_deleted: false,
        is_storage_cleared: is_storage_cleared && old.is_some(),
        nonce: info.nonce,
        balance: info.balance,
        code_hash: info.code_hash,
        slots,
    })
}
