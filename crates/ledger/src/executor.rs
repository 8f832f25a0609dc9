//! Execution: the only module that names revm.
//!
//! A block is executed in one journal: its transactions see each other's effects, and one [`StateDiff`] against the state
//! before the block comes out. An invalid transaction is refused and leaves nothing; a reverted one is included, pays and
//! leaves its receipt.

mod code;
mod diff;
mod environment;
mod evm;
mod reader;

pub(crate) use code::Code;
pub(crate) use environment::{BlockContext, transaction_gas_max};

use crate::forks::Fork;
use crate::receipt::{REVERT_BYTES_MAX, Receipt};
use crate::state::{StateDiff, WorldState};
use crate::transaction::SignedTransaction;
use alloy_consensus::Transaction as _;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use environment::{evm, transaction_env};
use evm::{Evm, EvmError};
use revm::context::TxEnv;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction, Output};
use revm::primitives::eip3860::MAX_INITCODE_SIZE;

const LEGACY_TYPE: u8 = 0;
const ACCESS_LIST_TYPE: u8 = 1;

/// Hash of an earlier block, for `BLOCKHASH`.
pub(crate) type BlockHashes<'a> = &'a (dyn Fn(u64) -> B256 + Sync);

/// What executing needs to know of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Executor {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Longest runtime code in bytes; `None` for EIP-170's 24,576.
    pub contract_bytes_max: Option<usize>,
}

/// A transaction that cannot be in a block at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidReason {
    /// Its nonce was used before.
    #[error("nonce {found} is below the account's {expected}")]
    NonceTooLow {
        /// Nonce of the transaction.
        found: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// An earlier transaction of the sender is missing.
    #[error("nonce {found} is above the account's {expected}")]
    NonceTooHigh {
        /// Nonce of the transaction.
        found: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// The sender cannot pay value and highest fee.
    #[error("the sender has {balance} wei and may need {cost}")]
    Balance {
        /// Wei that it has.
        balance: U256,
        /// Wei that it may need.
        cost: U256,
    },
    /// The gas limit does not cover the transaction's own bytes.
    #[error("gas limit {gas_limit} is below the intrinsic gas {intrinsic}")]
    IntrinsicGas {
        /// Gas limit of the transaction.
        gas_limit: u64,
        /// What it costs before anything runs.
        intrinsic: u64,
    },
    /// It offers less than the block's base fee.
    #[error("the fee per gas is below the base fee")]
    BelowBaseFee,
    /// The creation code is longer than EIP-3860 allows.
    #[error("the creation code is longer than allowed")]
    InitcodeTooLarge,
    /// Another rule of the fork is broken.
    #[error("{0}")]
    Other(String),
}

/// One executed transaction of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Executed {
    /// Its receipt; cumulative gas is within the block.
    pub receipt: Receipt,
}

/// How a call without a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    /// It returned.
    Returned {
        /// Returned bytes.
        output: Bytes,
        /// Gas used after refunds.
        gas_used: u64,
    },
    /// It reverted with these bytes.
    Reverted {
        /// What `REVERT` returned.
        output: Bytes,
        /// Gas used.
        gas_used: u64,
    },
    /// It ran out of gas or met an invalid instruction.
    Halted {
        /// What stopped it, in words.
        reason: String,
        /// Gas used.
        gas_used: u64,
    },
}

/// A call without a transaction, as `eth_call` and `eth_estimateGas` make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Call {
    /// Who calls.
    pub from: Address,
    /// Which contract, or a creation.
    pub to: TxKind,
    /// Calldata or creation code.
    pub input: Bytes,
    /// Wei sent along.
    pub value: U256,
    /// Most gas that it may use.
    pub gas_limit: u64,
    /// Price per gas in wei; 0 also where the block has a base fee.
    pub gas_price: u128,
    /// Addresses and slots that are warm from the start (EIP-2930).
    pub access_list: AccessList,
    /// Whether the caller must own value and fees.
    pub is_balance_checked: bool,
}

/// A block being executed.
pub(crate) struct BlockRun<'a> {
    evm: Evm<'a>,
    state: &'a WorldState,
    fork: Fork,
    gas_limit: u64,
    gas_used: u64,
}

impl Executor {
    /// Begins a block on `state`, and makes the system calls that its fork asks for.
    pub(crate) fn begin<'a>(
        &self,
        state: &'a WorldState,
        hashes: BlockHashes<'a>,
        block: &BlockContext,
        parent_hash: B256,
    ) -> BlockRun<'a> {
        let evm = evm(self, state, hashes, block);
        let mut run = BlockRun { evm, state, fork: block.fork, gas_limit: block.gas_limit, gas_used: 0 };
        run.system_calls(parent_hash);
        run
    }

    /// Runs a call on `state` and throws its effects away.
    ///
    /// # Errors
    /// [`InvalidReason`] where it could not even begin.
    pub(crate) fn call(
        &self,
        state: &WorldState,
        hashes: BlockHashes<'_>,
        block: &BlockContext,
        call: Call,
    ) -> Result<CallOutcome, InvalidReason> {
        let mut evm = evm(self, state, hashes, block);
        evm.inner.ctx.cfg.disable_nonce_check = true;
        evm.inner.ctx.cfg.disable_eip3607 = true;
        evm.inner.ctx.cfg.disable_block_gas_limit = true;
        evm.inner.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
        evm.inner.ctx.cfg.disable_base_fee = call.gas_price == 0;
        evm.inner.ctx.cfg.disable_balance_check = !call.is_balance_checked;
        let env = TxEnv {
            caller: call.from,
            gas_limit: call.gas_limit,
            gas_price: call.gas_price,
            kind: call.to,
            value: call.value,
            data: call.input,
            chain_id: Some(self.chain_id),
            // A legacy transaction would leave its access list without effect.
            tx_type: if call.access_list.is_empty() { LEGACY_TYPE } else { ACCESS_LIST_TYPE },
            access_list: call.access_list,
            ..TxEnv::default()
        };
        let result = evm.transact(env).map_err(invalid_reason)?;
        Ok(call_outcome(result))
    }

    /// Longest creation code in bytes: from Shanghai on twice the longest runtime code (EIP-3860); no limit before.
    pub(crate) fn initcode_bytes_max(&self, fork: Fork) -> usize {
        if fork < Fork::Shanghai {
            return usize::MAX;
        }
        self.contract_bytes_max.map_or(MAX_INITCODE_SIZE, |bytes| bytes.saturating_mul(2))
    }

    /// Gas that a transaction costs before anything runs: its bytes, its access list, a creation (EIP-2028, EIP-2930,
    /// EIP-3860); from Prague on at least the floor of EIP-7623.
    pub(crate) fn intrinsic_gas(&self, transaction: &SignedTransaction, fork: Fork) -> u64 {
        let spec = environment::spec_id(fork);
        let gas = revm::context_interface::cfg::gas::calculate_initial_tx_gas_for_tx(
            transaction_env(transaction),
            spec,
            None,
        );
        gas.initial_total_gas().max(gas.floor_gas())
    }
}

impl BlockRun<'_> {
    /// EIP-4788 and EIP-2935 write the parent's beacon root and hash, where the genesis holds their contracts.
    fn system_calls(&mut self, parent_hash: B256) {
        let calls =
            [(Fork::Cancun, BEACON_ROOTS_ADDRESS, B256::ZERO), (Fork::Prague, HISTORY_STORAGE_ADDRESS, parent_hash)];
        for (first, contract, input) in calls {
            if self.fork >= first && !self.state.code_of(&contract).is_empty() {
                // A system call that fails leaves nothing, and the block goes on (EIP-4788, "Block processing").
                let _ = self.evm.system_call(contract, input.0.into());
            }
        }
    }

    /// Gas used so far.
    pub(crate) fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// Whether a transaction with this gas limit still fits.
    pub(crate) fn fits(&self, gas_limit: u64) -> bool {
        self.gas_limit.checked_sub(self.gas_used).is_some_and(|left| gas_limit <= left)
    }

    /// Executes one transaction.
    ///
    /// # Errors
    /// [`InvalidReason`] if it cannot be in this block; it then left no effect.
    pub(crate) fn execute(&mut self, transaction: &SignedTransaction) -> Result<Executed, InvalidReason> {
        let result = self.evm.transact(transaction_env(transaction)).map_err(invalid_reason)?;
        let gas_used = result.tx_gas_used();
        self.gas_used = self.gas_used.saturating_add(gas_used);
        // The address that a creation takes is said whether it succeeded or not, as Besu says it.
        let is_creation = transaction.envelope().is_create();
        let created = if is_creation { transaction.sender().create(transaction.nonce()) } else { Address::ZERO };
        let (is_success, revert, logs) = parts(result);
        let ty = transaction.envelope().tx_type() as u8;
        let receipt = Receipt { ty, is_success, gas_used, cumulative_gas_used: self.gas_used, logs, created, revert };
        Ok(Executed { receipt })
    }

    /// Ends the block: its change against the state before it.
    pub(crate) fn finish(mut self) -> StateDiff {
        let changed = self.evm.finalize();
        diff::state_diff(self.state, changed)
    }
}

fn parts(result: ExecutionResult) -> (bool, Bytes, Vec<Log>) {
    match result {
        ExecutionResult::Success { logs, .. } => (true, Bytes::new(), logs),
        ExecutionResult::Revert { output, .. } => {
            (false, output.slice(..output.len().min(REVERT_BYTES_MAX)), Vec::new())
        }
        ExecutionResult::Halt { .. } => (false, Bytes::new(), Vec::new()),
    }
}

fn call_outcome(result: ExecutionResult) -> CallOutcome {
    let gas_used = result.tx_gas_used();
    match result {
        ExecutionResult::Success { output, .. } => {
            let output = match output {
                Output::Call(bytes) | Output::Create(bytes, _) => bytes,
            };
            CallOutcome::Returned { output, gas_used }
        }
        ExecutionResult::Revert { output, .. } => CallOutcome::Reverted { output, gas_used },
        ExecutionResult::Halt { reason, .. } => CallOutcome::Halted { reason: halt_reason(&reason), gas_used },
    }
}

/// Besu's words for a halt.
fn halt_reason(reason: &HaltReason) -> String {
    match reason {
        HaltReason::OutOfGas(_) => "Out of gas".to_owned(),
        HaltReason::OpcodeNotFound | HaltReason::InvalidFEOpcode | HaltReason::NotActivated => {
            "Bad instruction".to_owned()
        }
        HaltReason::InvalidJump => "Bad jump destination".to_owned(),
        HaltReason::StackUnderflow => "Stack underflow".to_owned(),
        HaltReason::StackOverflow => "Stack overflow".to_owned(),
        HaltReason::CreateContractSizeLimit => "Code too large".to_owned(),
        HaltReason::CreateCollision => "Contract address collision".to_owned(),
        other => format!("{other:?}"),
    }
}

fn invalid_reason(error: EvmError) -> InvalidReason {
    let EVMError::Transaction(invalid) = error else { return InvalidReason::Other(error.to_string()) };
    match invalid {
        InvalidTransaction::NonceTooLow { tx, state } => InvalidReason::NonceTooLow { found: tx, expected: state },
        InvalidTransaction::NonceTooHigh { tx, state } => InvalidReason::NonceTooHigh { found: tx, expected: state },
        InvalidTransaction::LackOfFundForMaxFee { fee, balance } => {
            InvalidReason::Balance { balance: *balance, cost: *fee }
        }
        InvalidTransaction::CallGasCostMoreThanGasLimit { initial_gas, gas_limit } => {
            InvalidReason::IntrinsicGas { gas_limit, intrinsic: initial_gas }
        }
        InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
            InvalidReason::IntrinsicGas { gas_limit, intrinsic: gas_floor }
        }
        InvalidTransaction::GasPriceLessThanBasefee => InvalidReason::BelowBaseFee,
        InvalidTransaction::CreateInitCodeSizeLimit => InvalidReason::InitcodeTooLarge,
        other => InvalidReason::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
