//! What the EVM is told about the block, the network and the transaction.

use super::evm::Evm;
use super::reader::StateReader;
use super::{BlockHashes, Executor};
use crate::forks::Fork;
use crate::genesis::BFT_MIX_HASH;
use crate::state::WorldState;
use crate::transaction::SignedTransaction;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use revm::context::{BlockEnv, CfgEnv, Context, Journal, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database_interface::WrapDatabaseRef;
use revm::primitives::eip7825;
use revm::primitives::hardfork::SpecId;
use revm::{MainBuilder, MainContext, MainnetEvm};

type Database<'a> = WrapDatabaseRef<StateReader<'a>>;
/// revm's EVM over one state.
pub(super) type PlainEvm<'a> = MainnetEvm<Context<BlockEnv, TxEnv, CfgEnv, Database<'a>, Journal<Database<'a>>>>;

/// A block as its transactions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockContext {
    /// Block number.
    pub number: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Most gas in the block.
    pub gas_limit: u64,
    /// Wei per gas that is burnt; 0 before London and on free-gas networks.
    pub base_fee_wei: u64,
    /// `COINBASE`: who gets the fees.
    pub beneficiary: Address,
    /// `DIFFICULTY` before Shanghai: 1 on BFT networks.
    pub difficulty: U256,
    /// `PREVRANDAO` from Shanghai on: on BFT networks the mix hash constant (Besu since 26.6.1).
    pub prev_randao: B256,
    /// Rules.
    pub fork: Fork,
}

impl BlockContext {
    /// A context with a BFT network's constants.
    pub(crate) fn new(
        number: u64,
        timestamp: u64,
        gas_limit: u64,
        base_fee_wei: u64,
        beneficiary: Address,
        fork: Fork,
    ) -> Self {
        let (difficulty, prev_randao) = (U256::from(1), BFT_MIX_HASH);
        Self { number, timestamp, gas_limit, base_fee_wei, beneficiary, difficulty, prev_randao, fork }
    }
}

/// Most gas of one transaction: 2^24 from Osaka on (EIP-7825), no limit before.
pub(crate) fn transaction_gas_max(fork: Fork) -> u64 {
    if fork >= Fork::Osaka { eip7825::TX_GAS_LIMIT_CAP } else { u64::MAX }
}

/// revm's name of a fork.
pub(super) fn spec_id(fork: Fork) -> SpecId {
    match fork {
        Fork::Byzantium => SpecId::BYZANTIUM,
        Fork::Petersburg => SpecId::PETERSBURG,
        Fork::Istanbul => SpecId::ISTANBUL,
        Fork::Berlin => SpecId::BERLIN,
        Fork::London => SpecId::LONDON,
        Fork::Shanghai => SpecId::SHANGHAI,
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka => SpecId::OSAKA,
    }
}

/// An EVM over `state` for a block.
pub(super) fn evm<'a>(
    executor: &Executor,
    state: &'a WorldState,
    hashes: BlockHashes<'a>,
    block: &BlockContext,
) -> Evm<'a> {
    let mut cfg = CfgEnv::new_with_spec(spec_id(block.fork));
    cfg.chain_id = executor.chain_id;
    cfg.limit_contract_code_size = executor.contract_bytes_max;
    // Permissioned networks lift the code size; EIP-3860 then allows twice that for creation code.
    cfg.limit_contract_initcode_size = executor.contract_bytes_max.map(|bytes| bytes.saturating_mul(2));
    let block_env = BlockEnv {
        number: U256::from(block.number),
        beneficiary: block.beneficiary,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee_wei,
        difficulty: block.difficulty,
        prevrandao: Some(block.prev_randao),
        // No blobs: no excess, and the least price.
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 }),
        ..BlockEnv::default()
    };
    let database = WrapDatabaseRef(StateReader { state, hashes });
    let inner = Context::mainnet().with_db(database).with_cfg(cfg).with_block(block_env).build_mainnet();
    Evm::new(inner, state)
}

/// A transaction as the EVM wants it.
pub(super) fn transaction_env(transaction: &SignedTransaction) -> TxEnv {
    let envelope = transaction.envelope();
    let mut env = TxEnv {
        tx_type: envelope.tx_type() as u8,
        caller: transaction.sender(),
        gas_limit: envelope.gas_limit(),
        gas_price: envelope.max_fee_per_gas(),
        kind: envelope.kind(),
        value: envelope.value(),
        data: envelope.input().clone(),
        nonce: envelope.nonce(),
        chain_id: envelope.chain_id(),
        access_list: envelope.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: envelope.max_priority_fee_per_gas(),
        blob_hashes: envelope.blob_versioned_hashes().map(<[B256]>::to_vec).unwrap_or_default(),
        max_fee_per_blob_gas: envelope.max_fee_per_blob_gas().unwrap_or_default(),
        ..TxEnv::default()
    };
    if let Some(authorizations) = envelope.authorization_list() {
        env.set_signed_authorization(authorizations.to_vec());
    }
    env
}
