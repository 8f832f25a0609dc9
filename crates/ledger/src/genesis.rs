//! Besu's genesis file: what every node of a network must agree on.
//!
//! Read strictly: a key that Besu does not know is an error that names the nearest known one, and a key that Besu knows
//! but this ledger cannot honour is refused rather than ignored. Keys of `config` are case-insensitive, as in Besu.

mod config;
mod fields;

pub use config::{NetworkConfig, QbftConfig};

use crate::extra_data::{ExtraData, ExtraDataError, Form};
use crate::forks::Fork;
use alloy_consensus::Header;
use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_RECEIPTS, EMPTY_TRANSACTIONS, EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bytes, U256, b256};
use fields::Object;
use serde_json::Value;

/// The longest genesis file that is read. Real ones with preloaded contracts stay below 1 MiB.
pub const GENESIS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The mix hash of every BFT block ("ctical byzantine fault tolerance"), by which clients recognise the consensus.
pub const BFT_MIX_HASH: B256 = b256!("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365");
/// Base fee of the first London block where the genesis gives none: 1 gwei (EIP-1559).
const INITIAL_BASE_FEE_WEI: u64 = 1_000_000_000;
/// Nonces in a genesis allocation beyond this are refused: EIP-2681 ends nonces at 2^64 - 2.
const NONCE_MAX: u64 = u64::MAX - 1;

/// An account that exists from block 0 on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GenesisAccount {
    /// Wei.
    pub balance: U256,
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Runtime code; empty for a plain account.
    pub code: Bytes,
    /// Storage slots that are not zero.
    pub storage: Vec<(U256, U256)>,
}

/// A parsed genesis file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Chain id, forks, consensus.
    pub config: NetworkConfig,
    /// Seconds since 1970 of block 0.
    pub timestamp: u64,
    /// Gas limit of block 0 and the target of all later ones.
    pub gas_limit: u64,
    /// Decoded extra data: the first validators.
    pub extra_data: ExtraData,
    /// Free 8 bytes of block 0.
    pub nonce: u64,
    /// Difficulty of block 0, 1 on BFT networks.
    pub difficulty: U256,
    /// Mix hash of block 0, [`BFT_MIX_HASH`] on BFT networks.
    pub mix_hash: B256,
    /// Beneficiary of block 0.
    pub coinbase: Address,
    /// Base fee of block 0 where London holds there and the network has one.
    pub base_fee_per_gas: Option<u64>,
    /// Accounts of block 0, ascending by address.
    pub accounts: Vec<(Address, GenesisAccount)>,
}

/// The genesis file cannot be used. Paths are written as in `config.qbft.epochLength`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The file is longer than this ledger reads.
    #[error("the genesis has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// Length of the file.
        bytes: usize,
        /// [`GENESIS_BYTES_MAX`].
        max: usize,
    },
    /// The file is not JSON.
    #[error("the genesis is not JSON: {reason} (line {line}, column {column})")]
    NotJson {
        /// What the parser found.
        reason: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
    },
    /// A key is neither Besu's nor a comment.
    #[error("`{path}` is no key of a genesis{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownKey {
        /// Where it stands.
        path: String,
        /// The known key that looks most like it.
        nearest: Option<String>,
    },
    /// A required key is missing.
    #[error("`{path}` is missing: {expected}")]
    Missing {
        /// Where it should stand.
        path: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A value has the wrong form.
    #[error("`{path}` is {found}, but must be {expected}")]
    Invalid {
        /// Where it stands.
        path: String,
        /// The value, cut if long.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// Besu knows the key, but this ledger cannot do what it asks for.
    #[error("`{path}` asks for what this ledger does not do: {reason}")]
    Unsupported {
        /// Where it stands.
        path: String,
        /// What to change.
        reason: String,
    },
    /// `extraData` is not QBFT's.
    #[error("`extraData` does not hold QBFT's validators")]
    ExtraData(#[source] ExtraDataError),
    /// `extraData` names nobody who could seal a block.
    #[error("`extraData` names no validator, so nobody could ever seal a block")]
    NoValidator,
}

impl Genesis {
    /// Reads a genesis file.
    ///
    /// # Errors
    /// See [`GenesisError`]; each names the place and what is expected there.
    pub fn parse(bytes: &[u8]) -> Result<Self, GenesisError> {
        if bytes.len() > GENESIS_BYTES_MAX {
            return Err(GenesisError::TooLong { bytes: bytes.len(), max: GENESIS_BYTES_MAX });
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| GenesisError::NotJson {
            reason: error.to_string().split(" at line").next().unwrap_or_default().to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        let mut top = Object::new("", &value, false)?;
        let genesis = Self::read(&mut top)?;
        // Besu and geth write these into exported files; block 0 fixes their values.
        for ignored in ["number", "gasUsed", "parentHash", "excessBlobGas", "blobGasUsed", "comment"] {
            top.ignore(ignored);
        }
        top.finish()?;
        genesis.check_first_rules()?;
        Ok(genesis)
    }

    fn read(top: &mut Object<'_>) -> Result<Self, GenesisError> {
        let config = config::read(top)?;
        let extra_data = top.bytes("extraData")?.ok_or_else(|| top.missing("extraData", "QBFT's validators in RLP"))?;
        let extra_data = ExtraData::decode(&extra_data).map_err(GenesisError::ExtraData)?;
        if extra_data.validators.is_empty() {
            return Err(GenesisError::NoValidator);
        }
        Ok(Self {
            config,
            timestamp: top.quantity("timestamp")?.unwrap_or(0),
            gas_limit: top.quantity("gasLimit")?.ok_or_else(|| top.missing("gasLimit", "the gas limit of a block"))?,
            extra_data,
            nonce: top.quantity("nonce")?.unwrap_or(0),
            difficulty: U256::from(top.quantity("difficulty")?.unwrap_or(1)),
            mix_hash: top.hash("mixHash")?.unwrap_or(BFT_MIX_HASH),
            coinbase: top.address("coinbase")?.unwrap_or_default(),
            base_fee_per_gas: top.quantity("baseFeePerGas")?,
            accounts: read_accounts(top)?,
        })
    }

    fn check_first_rules(&self) -> Result<(), GenesisError> {
        if self.config.forks.at(1, self.timestamp).is_some() {
            return Ok(());
        }
        Err(GenesisError::Unsupported {
            path: "config".to_owned(),
            reason:
                "no fork that is active in block 1 is `byzantiumBlock` or newer; name one, such as `berlinBlock: 0`"
                    .to_owned(),
        })
    }

    /// The rules of a block.
    ///
    /// # Panics
    /// Never for a genesis that was parsed: it has rules from block 1 on, and forks only add.
    pub fn rules_at(&self, number: u64, timestamp: u64) -> Fork {
        let fork = self.config.forks.at(number.max(1), timestamp.max(self.timestamp));
        fork.expect("a parsed genesis has rules from block 1 on")
    }

    /// The header of block 0, whose state root the caller knows from the allocation.
    pub fn header(&self, state_root: B256) -> Header {
        // Block 0 has the rules that are named for block 0, not those of block 1.
        let fork = self.config.forks.at(0, self.timestamp);
        let from = |first: Fork| fork.is_some_and(|fork| fork >= first);
        Header {
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.coinbase,
            state_root,
            transactions_root: EMPTY_TRANSACTIONS,
            receipts_root: EMPTY_RECEIPTS,
            difficulty: self.difficulty,
            gas_limit: self.gas_limit,
            timestamp: self.timestamp,
            extra_data: self.extra_data.encode(Form::Full),
            mix_hash: self.mix_hash,
            nonce: B64::from(self.nonce),
            base_fee_per_gas: from(Fork::London).then(|| self.first_base_fee_wei()),
            withdrawals_root: from(Fork::Shanghai).then_some(EMPTY_WITHDRAWALS),
            blob_gas_used: from(Fork::Cancun).then_some(0),
            excess_blob_gas: from(Fork::Cancun).then_some(0),
            parent_beacon_block_root: from(Fork::Cancun).then_some(B256::ZERO),
            requests_hash: from(Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        }
    }

    /// Base fee, in wei, of the first block under London's rules.
    pub fn first_base_fee_wei(&self) -> u64 {
        let fixed = if self.config.zero_base_fee { Some(0) } else { self.config.fixed_base_fee_wei };
        fixed.or(self.base_fee_per_gas).unwrap_or(INITIAL_BASE_FEE_WEI)
    }
}

fn read_accounts(top: &mut Object<'_>) -> Result<Vec<(Address, GenesisAccount)>, GenesisError> {
    let Some(mut alloc) = top.object("alloc")? else { return Ok(Vec::new()) };
    let mut accounts = Vec::new();
    for key in alloc.keys() {
        let address = fields::parse_address(&alloc.path_of(&key), &key)?;
        let Some(mut account) = alloc.object(&key)? else { continue };
        accounts.push((address, read_account(&mut account)?));
        account.finish()?;
    }
    accounts.sort_by_key(|(address, _)| *address);
    if let Some(pair) = accounts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(GenesisError::Invalid {
            path: "alloc".to_owned(),
            found: format!("naming {} twice", pair[0].0),
            expected: "a list of distinct addresses".to_owned(),
        });
    }
    Ok(accounts)
}

fn read_account(account: &mut Object<'_>) -> Result<GenesisAccount, GenesisError> {
    // Besu's files name test accounts with their private keys; they mean nothing to the chain.
    for ignored in ["comment", "privateKey", "version"] {
        account.ignore(ignored);
    }
    let nonce = account.quantity("nonce")?.unwrap_or(0);
    if nonce > NONCE_MAX {
        return Err(account.invalid("nonce", &nonce.to_string(), format!("at most {NONCE_MAX} (EIP-2681)")));
    }
    let balance = account.wide_quantity("balance")?.unwrap_or_default();
    let code = account.bytes("code")?.unwrap_or_default();
    let mut storage = Vec::new();
    if let Some(mut slots) = account.object("storage")? {
        for key in slots.keys() {
            let slot = fields::parse_wide_quantity(&slots.path_of(&key), &Value::String(key.clone()))?;
            let value = slots.wide_quantity(&key)?.unwrap_or_default();
            if !value.is_zero() {
                storage.push((slot, value));
            }
        }
    }
    storage.sort_unstable();
    Ok(GenesisAccount { balance, nonce, code, storage })
}

#[cfg(test)]
mod tests;
