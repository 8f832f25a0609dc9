//! Admission: what is checked before a transaction may wait for a block.

use super::Ledger;
use crate::executor::transaction_gas_max;
use crate::forks::Fork;
use crate::pool::PoolError;
use crate::state::WorldState;
use crate::transaction::{SignedTransaction, TransactionError};
use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::sync::Arc;
use std::time::Instant;

/// The ledger does not take a transaction. Nothing of it is kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubmitError {
    /// The bytes, the signature or the chain are wrong.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The pool refuses it.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// It was sealed before.
    #[error("the transaction is already in block {block}")]
    AlreadyMined {
        /// The block.
        block: u64,
    },
    /// The gas limit does not cover the transaction's own bytes.
    #[error("gas limit {gas_limit} is below the intrinsic gas {intrinsic}")]
    IntrinsicGas {
        /// Its gas limit.
        gas_limit: u64,
        /// What it costs before anything runs.
        intrinsic: u64,
    },
    /// No block could hold it.
    #[error("gas limit {gas_limit} is above the {max} of a block")]
    BlockGasLimit {
        /// Its gas limit.
        gas_limit: u64,
        /// The genesis's gas limit.
        max: u64,
    },
    /// More than one transaction may ask for: by this node's options, or by EIP-7825 from Osaka on.
    #[error("gas limit {gas_limit} is above the {max} of a transaction")]
    TransactionGasLimit {
        /// Its gas limit.
        gas_limit: u64,
        /// The limit.
        max: u64,
    },
    /// The creation code is longer than EIP-3860 allows, from Shanghai on.
    #[error("the creation code has {bytes} bytes, at most {max} are taken")]
    InitcodeTooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// It offers less than the base fee.
    #[error("it offers {offered} wei per gas, the base fee is {base_fee}")]
    BelowBaseFee {
        /// Wei per gas that it offers at most.
        offered: u128,
        /// The next block's base fee.
        base_fee: u64,
    },
    /// The sender has code: a contract sends no transactions (EIP-3607).
    #[error("the sender {sender} is a contract, which sends no transactions (EIP-3607)")]
    SenderIsContract {
        /// The sender.
        sender: Address,
    },
    /// The tip is above the highest fee.
    #[error("the priority fee is above the highest fee")]
    PriorityFee,
    /// The sender cannot pay value and highest fee.
    #[error("the sender has {balance} wei and may need {cost}")]
    Balance {
        /// Wei that it has.
        balance: U256,
        /// Wei that it may need.
        cost: U256,
    },
}

impl Ledger {
    /// Takes a signed transaction into the pool and returns its hash. It is not final: it waits for a block.
    ///
    /// # Errors
    /// [`SubmitError`]; the ledger is then as it was.
    pub(crate) fn submit(&self, raw: Bytes) -> Result<B256, SubmitError> {
        let transaction = SignedTransaction::decode(raw)?;
        let hash = transaction.hash();
        let head = self.head();
        let fork = self.next_fork(&head);
        transaction.check_network(self.chain_id(), fork)?;
        if let Some((block, _)) = self.shared.chain.read().place_of(&hash) {
            return Err(SubmitError::AlreadyMined { block });
        }
        self.check_gas(&transaction, &head, fork)?;
        {
            let mut pool = self.shared.pool.lock();
            // Read under the pool's lock: a block that is published meanwhile settles with the pool after this.
            let state = self.shared.chain.read().head_state();
            let account_nonce = check_account(&transaction, &state)?;
            pool.add(Arc::new(transaction), account_nonce, Instant::now())?;
        }
        // Without subscribers nobody hears it.
        let _ = self.shared.pending.send(hash);
        Ok(hash)
    }

    fn check_gas(&self, transaction: &SignedTransaction, head: &Header, fork: Fork) -> Result<(), SubmitError> {
        let envelope = transaction.envelope();
        let gas_limit = envelope.gas_limit();
        let max = self.shared.genesis.gas_limit;
        if gas_limit > max {
            return Err(SubmitError::BlockGasLimit { gas_limit, max });
        }
        let max = self.shared.options.transaction_gas_max.min(transaction_gas_max(fork));
        if gas_limit > max {
            return Err(SubmitError::TransactionGasLimit { gas_limit, max });
        }
        let (bytes, max) = (envelope.input().len(), self.shared.executor.initcode_bytes_max(fork));
        if envelope.is_create() && bytes > max {
            return Err(SubmitError::InitcodeTooLong { bytes, max });
        }
        let intrinsic = self.shared.executor.intrinsic_gas(transaction, fork);
        if gas_limit < intrinsic {
            return Err(SubmitError::IntrinsicGas { gas_limit, intrinsic });
        }
        let offered = envelope.max_fee_per_gas();
        if envelope.max_priority_fee_per_gas().is_some_and(|tip| tip > offered) {
            return Err(SubmitError::PriorityFee);
        }
        match self.next_base_fee_wei(head, fork) {
            Some(base_fee) if offered < u128::from(base_fee) => Err(SubmitError::BelowBaseFee { offered, base_fee }),
            _ => Ok(()),
        }
    }
}

/// How the code of an account begins that has set another one's as its own (EIP-7702): it still sends transactions.
const DELEGATION: [u8; 3] = [0xef, 0x01, 0x00];

/// Checks the sender's code (EIP-3607) and balance, and returns the nonce of its account.
fn check_account(transaction: &SignedTransaction, state: &WorldState) -> Result<u64, SubmitError> {
    let account = state.account(&transaction.sender());
    let (nonce, balance) = account.map_or((0, U256::ZERO), |account| (account.nonce, account.balance));
    let code = state.code_of(&transaction.sender());
    if !code.is_empty() && !code.starts_with(&DELEGATION) {
        return Err(SubmitError::SenderIsContract { sender: transaction.sender() });
    }
    let cost = transaction.upfront_cost_wei();
    if balance < cost {
        return Err(SubmitError::Balance { balance, cost });
    }
    Ok(nonce)
}
