//! The EVM's view of a world state.

use super::BlockHashes;
use crate::state::WorldState;
use alloy_primitives::{Address, B256, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use std::convert::Infallible;

/// Reads accounts, storage and code of one state, and hashes of earlier blocks.
pub(super) struct StateReader<'a> {
    pub(super) state: &'a WorldState,
    pub(super) hashes: BlockHashes<'a>,
}

impl DatabaseRef for StateReader<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.state.account(&address).map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: self.state.code(&account.code_hash).map(super::Code::to_evm),
            ..AccountInfo::default()
        }))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, Infallible> {
        Ok(self.state.code(&code_hash).map(super::Code::to_evm).unwrap_or_default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.state.slot(&address, &slot))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok((self.hashes)(number))
    }
}
