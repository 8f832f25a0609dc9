//! What somebody wants done on the ledger, before it is a transaction.

mod gas;

use std::fmt;
use std::ops::RangeInclusive;

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use custody::policy::Approval;

pub use self::gas::{CODE_BYTES_MAX, INITCODE_BYTES_MAX, TRANSACTION_GAS_MAX, intrinsic_gas};
use crate::profile::{FeeModel, Profile, Rules};

/// The longest idempotency key, in bytes.
pub const INTENT_KEY_BYTES_MAX: usize = 200;

/// The longest signed transaction that Besu and geth take, in bytes: 128 KiB, data and all else together.
const TRANSACTION_BYTES_MAX: usize = 128 * 1024;

/// What is kept free for all but the data, in bytes. Type, numbers at their widest, target, signature and the lengths of lists
/// come to some 200.
const TRANSACTION_OVERHEAD_BYTES_MAX: usize = 512;

/// The longest calldata or creation code, in bytes: what a node takes in one transaction, less all else that is in it.
pub const DATA_BYTES_MAX: usize = TRANSACTION_BYTES_MAX - TRANSACTION_OVERHEAD_BYTES_MAX;

/// An idempotency key: the same key is the same intent, for ever. 1 to 200 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentKey(String);

/// The text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("intent key has {bytes} bytes or a character that is not printable ASCII; 1 to {max} are allowed", max = INTENT_KEY_BYTES_MAX)]
pub struct IntentKeyError {
    bytes: usize,
}

impl IntentKey {
    /// Reads a key.
    ///
    /// # Errors
    ///
    /// The text is empty, too long, or not printable ASCII.
    pub fn parse(text: &str) -> Result<Self, IntentKeyError> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > INTENT_KEY_BYTES_MAX || !is_plain {
            return Err(IntentKeyError { bytes: text.len() });
        }
        Ok(Self(text.to_owned()))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key as the store holds it: it was parsed before it was written.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for IntentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing to be done on the ledger by one sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The idempotency key.
    pub key: IntentKey,
    /// The contract that is called, or the creation of one.
    pub target: TxKind,
    /// Calldata, or creation code with its arguments.
    pub data: Bytes,
    /// The network's coin that goes with it; zero for almost everything.
    pub value_wei: U256,
    /// The most gas it may use.
    pub gas_limit: u64,
    /// What it is, for people who look at a list of transactions. Not part of the intent's identity.
    pub subject: String,
    /// Approvals of it, where the key's policy takes some: see [`Intent::command_hash`]. Not part of the intent's identity, and not
    /// looked at for a key without a policy.
    pub approvals: Vec<Approval>,
}

impl Intent {
    /// A call of a contract's function, without coin.
    pub fn call(key: IntentKey, contract: Address, data: Bytes, gas_limit: u64, subject: impl Into<String>) -> Self {
        let (target, subject) = (contract.into(), subject.into());
        Self { key, target, data, value_wei: U256::ZERO, gas_limit, subject, approvals: Vec::new() }
    }

    /// The creation of a contract, without coin. Its address is known as soon as it is submitted.
    pub fn create(key: IntentKey, code: Bytes, gas_limit: u64, subject: impl Into<String>) -> Self {
        let (target, subject) = (TxKind::Create, subject.into());
        Self { key, target, data: code, value_wei: U256::ZERO, gas_limit, subject, approvals: Vec::new() }
    }

    /// What makes two intents the same: everything but key and subject, and whoever sends it where.
    pub(crate) fn fingerprint(&self, sender: Address, chain_id: u64) -> B256 {
        let mut bytes = Vec::with_capacity(self.data.len() + 128);
        bytes.extend_from_slice(b"lastro intent v1");
        bytes.extend_from_slice(&chain_id.to_be_bytes());
        bytes.extend_from_slice(sender.as_slice());
        bytes.push(u8::from(self.target.is_create()));
        bytes.extend_from_slice(self.target.to().copied().unwrap_or_default().as_slice());
        bytes.extend_from_slice(&self.value_wei.to_be_bytes::<32>());
        bytes.extend_from_slice(&self.gas_limit.to_be_bytes());
        bytes.extend_from_slice(&self.data);
        keccak256(bytes)
    }

    /// Finds what can be known to fail before a nonce is taken.
    pub(crate) fn check(&self, profile: &Profile) -> Result<(), IntentError> {
        let (gas_limit, bounds) = (self.gas_limit, self.gas_bounds(profile)?);
        if gas_limit < *bounds.start() {
            return Err(IntentError::GasBelowIntrinsic { gas_limit, least: *bounds.start() });
        }
        if gas_limit > *bounds.end() {
            return Err(IntentError::GasAboveLimit { gas_limit, most: *bounds.end() });
        }
        Ok(())
    }

    /// The least and the most gas that it may ask for; or what fails with any. Its own gas limit is not looked at.
    pub(crate) fn gas_bounds(&self, profile: &Profile) -> Result<RangeInclusive<u64>, IntentError> {
        let (is_creation, length_bytes) = (self.target.is_create(), self.data.len());
        if length_bytes > DATA_BYTES_MAX {
            return Err(IntentError::DataTooLong { length_bytes });
        }
        if is_creation && profile.rules >= Rules::Shanghai && length_bytes > INITCODE_BYTES_MAX {
            return Err(IntentError::InitcodeTooLong { length_bytes });
        }
        let least = intrinsic_gas(&self.data, is_creation, profile.rules);
        let cap = if profile.rules >= Rules::Osaka { TRANSACTION_GAS_MAX } else { u64::MAX };
        let most = profile.block_gas_limit.min(cap);
        if least > most {
            return Err(IntentError::GasAboveLimit { gas_limit: least, most });
        }
        Ok(least..=most)
    }

    /// The bytes to sign for this nonce.
    pub(crate) fn unsigned(&self, profile: &Profile, nonce: u64) -> Vec<u8> {
        let (gas_limit, to, value, input) = (self.gas_limit, self.target, self.value_wei, self.data.clone());
        let legacy = |gas_price| {
            let chain_id = Some(profile.chain_id);
            TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input: input.clone() }.encoded_for_signing()
        };
        match profile.fees {
            FeeModel::Free => legacy(0),
            FeeModel::Legacy { gas_price_wei } => legacy(gas_price_wei),
            FeeModel::Eip1559 { max_fee_per_gas_wei, max_priority_fee_per_gas_wei } => TxEip1559 {
                chain_id: profile.chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max_fee_per_gas_wei,
                max_priority_fee_per_gas: max_priority_fee_per_gas_wei,
                to,
                value,
                access_list: Default::default(),
                input,
            }
            .encoded_for_signing(),
        }
    }
}

/// The intent can never succeed as it stands. It took no nonce, and its key is free.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// There are more bytes than a node takes in one transaction.
    #[error("the intent carries {length_bytes} bytes, a node takes {max}", max = DATA_BYTES_MAX)]
    DataTooLong {
        /// How many there are.
        length_bytes: usize,
    },
    /// The creation code is longer than EIP-3860 allows.
    #[error("the creation code has {length_bytes} bytes, the network's rules allow {max}", max = INITCODE_BYTES_MAX)]
    InitcodeTooLong {
        /// How many there are.
        length_bytes: usize,
    },
    /// The gas limit does not even pay for the transaction's bytes.
    #[error("gas limit {gas_limit} is below {least}, what the transaction costs before its first instruction")]
    GasBelowIntrinsic {
        /// The intent's limit.
        gas_limit: u64,
        /// The least that is needed.
        least: u64,
    },
    /// The gas limit is more than fits in a block, or than the rules allow one transaction.
    #[error("gas limit {gas_limit} is above {most}, the most that one transaction may ask for here")]
    GasAboveLimit {
        /// The intent's limit.
        gas_limit: u64,
        /// The most that is allowed.
        most: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(rules: Rules) -> Profile {
        Profile::embedded(1337, rules, 30_000_000)
    }

    fn call(gas_limit: u64) -> Intent {
        let key = IntentKey::parse("k").unwrap();
        Intent::call(key, Address::repeat_byte(1), Bytes::from_static(&[0, 1]), gas_limit, "a call")
    }

    #[test]
    fn a_key_is_short_and_printable() {
        for bad in ["", "a\n", "ç", &"a".repeat(201)] {
            assert!(IntentKey::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(IntentKey::parse(&"a".repeat(200)).unwrap().as_str().len(), 200);
    }

    #[test]
    fn what_can_never_succeed_is_known_before_a_nonce_is_taken() {
        let berlin = profile(Rules::Berlin);
        assert_eq!(call(21_020).check(&berlin), Ok(()));
        assert_eq!(
            call(21_019).check(&berlin),
            Err(IntentError::GasBelowIntrinsic { gas_limit: 21_019, least: 21_020 })
        );
        assert_eq!(call(30_000_000).check(&berlin), Ok(()));
        assert!(matches!(call(30_000_001).check(&berlin), Err(IntentError::GasAboveLimit { most: 30_000_000, .. })));
        assert!(matches!(
            call(TRANSACTION_GAS_MAX + 1).check(&profile(Rules::Osaka)),
            Err(IntentError::GasAboveLimit { most: TRANSACTION_GAS_MAX, .. })
        ));
        // With so little gas in a block no limit is right.
        let tight = Profile { block_gas_limit: 21_019, ..profile(Rules::Berlin) };
        let expected = Err(IntentError::GasAboveLimit { gas_limit: 21_020, most: 21_019 });
        assert_eq!((call(0).gas_bounds(&tight), call(0).gas_bounds(&berlin)), (expected, Ok(21_020..=30_000_000)));
        let too_long = Intent { data: vec![0; DATA_BYTES_MAX + 1].into(), ..call(30_000_000) };
        assert!(matches!(too_long.check(&berlin), Err(IntentError::DataTooLong { .. })));
    }

    #[test]
    fn the_longest_data_fits_in_a_transaction_with_the_widest_numbers() {
        let fees = [
            FeeModel::Legacy { gas_price_wei: u128::MAX },
            FeeModel::Eip1559 { max_fee_per_gas_wei: u128::MAX, max_priority_fee_per_gas_wei: u128::MAX },
        ];
        for fees in fees {
            // EIP-2294: the largest chain id whose signature's `v` fits in 64 bits.
            let profile = Profile { chain_id: u64::MAX / 2 - 36, fees, ..profile(Rules::London) };
            let mut custody = custody::Custody::new(profile.network());
            let label = custody::KeyLabel::parse("sender").unwrap();
            let _ = custody.add_test_key(label.clone(), custody::Purpose::Transactions).unwrap();
            let data = vec![0xff; DATA_BYTES_MAX].into();
            let longest = Intent { data, value_wei: U256::MAX, gas_limit: u64::MAX, ..call(0) };
            let unsigned = longest.unsigned(&profile, u64::MAX - 1);
            let signed = custody.sign_transaction(&label, &unsigned, profile.chain_id).unwrap();
            assert!(signed.raw.len() <= TRANSACTION_BYTES_MAX, "{fees:?}: {}", signed.raw.len());
        }
    }

    #[test]
    fn creation_code_is_limited_since_shanghai() {
        let code = Bytes::from(vec![0; INITCODE_BYTES_MAX + 1]);
        let creation = Intent::create(IntentKey::parse("k").unwrap(), code, 30_000_000, "a creation");
        assert_eq!(creation.check(&profile(Rules::Paris)), Ok(()));
        assert!(matches!(creation.check(&profile(Rules::Shanghai)), Err(IntentError::InitcodeTooLong { .. })));
    }

    #[test]
    fn each_part_but_the_texts_makes_another_intent() {
        let (sender, base) = (Address::repeat_byte(9), call(50_000));
        let of = |intent: &Intent| intent.fingerprint(sender, 1337);
        let same = Intent { subject: "in other words".to_owned(), ..base.clone() };
        assert_eq!(of(&same), of(&base));
        let others = [
            Intent { gas_limit: 50_001, ..base.clone() },
            Intent { value_wei: U256::from(1), ..base.clone() },
            Intent { data: Bytes::from_static(&[0, 2]), ..base.clone() },
            Intent { target: Address::repeat_byte(2).into(), ..base.clone() },
            Intent { target: TxKind::Create, ..base.clone() },
        ];
        for other in &others {
            assert_ne!(of(other), of(&base));
        }
        assert_ne!(base.fingerprint(Address::repeat_byte(8), 1337), of(&base));
        assert_ne!(base.fingerprint(sender, 1338), of(&base));
    }
}
