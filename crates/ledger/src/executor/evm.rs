//! The EVM with EIP-7610: a contract is not created at an address that has storage, even if it has neither nonce nor code.
//!
//! Only a genesis can make such an account, so the EVM underneath, which looks at nonce and code alone, meets none on
//! Ethereum's main network. Here a genesis is anybody's.

use super::environment::PlainEvm;
use crate::state::WorldState;
use alloy_primitives::{Address, Bytes};
use revm::SystemCallEvm;
use revm::bytecode::{Bytecode, opcode};
use revm::context::result::{EVMError, ExecutionResult, InvalidTransaction};
use revm::context::{ContextSetters, ContextTr, FrameStack, JournalTr, TxEnv};
use revm::handler::evm::{ContextDbError, FrameInitResult, FrameTr};
use revm::handler::{EthFrame, EvmTr, FrameInitOrResult, FrameResult, Handler, ItemOrResult, MainnetHandler};
use revm::interpreter::FrameInput;
use revm::interpreter::interpreter::ExtBytecode;
use revm::interpreter::interpreter_action::FrameInit;
use revm::state::EvmState;
use std::convert::Infallible;

/// Why the EVM did not run a transaction.
pub(super) type EvmError = EVMError<Infallible, InvalidTransaction>;
type Inner<'a> = PlainEvm<'a>;

/// The EVM over one state.
pub(super) struct Evm<'a> {
    pub(super) inner: Inner<'a>,
    state: &'a WorldState,
}

impl<'a> Evm<'a> {
    pub(super) fn new(inner: Inner<'a>, state: &'a WorldState) -> Self {
        Self { inner, state }
    }

    /// Executes one transaction; its effects stay in the journal.
    pub(super) fn transact(&mut self, transaction: TxEnv) -> Result<ExecutionResult, EvmError> {
        self.inner.ctx.set_tx(transaction);
        MainnetHandler::<Self, EvmError, EthFrame>::default().run(self)
    }

    /// Calls a system contract, which creates nothing.
    pub(super) fn system_call(&mut self, contract: Address, input: Bytes) -> Result<ExecutionResult, EvmError> {
        self.inner.system_call_one(contract, input)
    }

    /// All effects since the EVM was made.
    pub(super) fn finalize(&mut self) -> EvmState {
        self.inner.ctx.journal_mut().finalize()
    }
}

impl<'a> EvmTr for Evm<'a> {
    type Context = <Inner<'a> as EvmTr>::Context;
    type Instructions = <Inner<'a> as EvmTr>::Instructions;
    type Precompiles = <Inner<'a> as EvmTr>::Precompiles;
    type Frame = EthFrame;

    fn all(&self) -> (&Self::Context, &Self::Instructions, &Self::Precompiles, &FrameStack<EthFrame>) {
        self.inner.all()
    }

    fn all_mut(
        &mut self,
    ) -> (&mut Self::Context, &mut Self::Instructions, &mut Self::Precompiles, &mut FrameStack<EthFrame>) {
        self.inner.all_mut()
    }

    /// A creation that collides fails as EIP-684 has it: at once, with all its gas. The frame's code is replaced by an
    /// invalid instruction, which does just that.
    fn frame_init(
        &mut self,
        input: <EthFrame as FrameTr>::FrameInit,
    ) -> Result<FrameInitResult<'_, EthFrame>, ContextDbError<Self::Context>> {
        let is_creation = is_creation(&input);
        let mut started = self.inner.frame_init(input)?;
        if is_creation
            && let ItemOrResult::Item(frame) = &mut started
            && self.state.has_storage_alone(&frame.interpreter.input.target_address)
        {
            frame.interpreter.bytecode = ExtBytecode::new(Bytecode::new_legacy(Bytes::from_static(&[opcode::INVALID])));
        }
        Ok(started)
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<EthFrame>, ContextDbError<Self::Context>> {
        self.inner.frame_run()
    }

    fn frame_return_result(
        &mut self,
        result: FrameResult,
    ) -> Result<Option<FrameResult>, ContextDbError<Self::Context>> {
        self.inner.frame_return_result(result)
    }
}

fn is_creation(input: &FrameInit) -> bool {
    matches!(input.frame_input, FrameInput::Create(_))
}
