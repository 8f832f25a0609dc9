//! What a contract reverted with: its own error with the arguments by name, a text, a panic of the compiler, or nothing.

use crate::artifacts;
use alloy_dyn_abi::{DynSolValue, JsonAbiExt};
use alloy_json_abi::Error as AbiError;
use alloy_primitives::{Bytes, FixedBytes, U256};
use alloy_sol_types::{Panic, Revert as RevertText, SolError};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

/// A decoded revert.
#[derive(Clone, Debug, PartialEq)]
pub enum Revert {
    /// An error that one of our contracts declares.
    Custom {
        /// Its name, such as `CBDCAccountNotEnabled`.
        name: String,
        /// Its arguments, by the names that the contract gives them.
        arguments: Vec<(String, DynSolValue)>,
    },
    /// `require(…, "text")`.
    Text(String),
    /// A check of the Solidity compiler failed: overflow (0x11), division by zero (0x12), a bad index (0x32) …
    Panic(U256),
    /// Nothing was returned: a call of a wrong contract, or out of gas inside it.
    Empty,
    /// Bytes of a contract that is not ours.
    Unknown(Bytes),
}

static ERRORS: LazyLock<BTreeMap<FixedBytes<4>, AbiError>> = LazyLock::new(|| {
    let mut errors = BTreeMap::new();
    for (_, abi) in artifacts::abis() {
        errors.extend(abi.errors().map(|error| (error.selector(), error.clone())));
    }
    errors
});

/// Decodes what a call or transaction reverted with.
pub fn decode(bytes: &[u8]) -> Revert {
    if bytes.is_empty() {
        return Revert::Empty;
    }
    if let Ok(text) = RevertText::abi_decode(bytes) {
        return Revert::Text(text.reason().to_owned());
    }
    if let Ok(panic) = Panic::abi_decode(bytes) {
        return Revert::Panic(panic.code);
    }
    custom(bytes).unwrap_or_else(|| Revert::Unknown(Bytes::copy_from_slice(bytes)))
}

fn custom(bytes: &[u8]) -> Option<Revert> {
    let (selector, data) = bytes.split_first_chunk::<4>()?;
    let error = ERRORS.get(&FixedBytes::from(*selector))?;
    let values = error.abi_decode_input(data).ok()?;
    let names = error.inputs.iter().map(|input| input.name.clone());
    Some(Revert::Custom { name: error.name.clone(), arguments: names.zip(values).collect() })
}

impl fmt::Display for Revert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custom { name, arguments } => {
                let shown: Vec<String> =
                    arguments.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect();
                write!(formatter, "{name}({})", shown.join(", "))
            }
            Self::Text(text) => formatter.write_str(text),
            Self::Panic(code) => write!(formatter, "panic 0x{code:02x}"),
            Self::Empty => formatter.write_str("reverted without a reason"),
            Self::Unknown(bytes) => write!(formatter, "unknown error {bytes}"),
        }
    }
}

/// A value as text for people: a checksummed address, digits, hexadecimal bytes.
pub(crate) fn shown(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Address(address) => address.to_checksum(None),
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Bool(flag) => flag.to_string(),
        DynSolValue::String(text) => format!("\"{text}\""),
        DynSolValue::FixedBytes(word, size) => Bytes::copy_from_slice(&word[..*size]).to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drex::RealDigital;
    use alloy_dyn_abi::{DynSolType, Specifier};
    use alloy_primitives::{Address, B256};

    #[test]
    fn a_contracts_own_error_is_named_with_its_arguments() {
        let error = RealDigital::ERC20InsufficientAllowance {
            spender: Address::ZERO,
            allowance: U256::from(5),
            needed: U256::from(9),
        };
        assert_eq!(
            decode(&error.abi_encode()).to_string(),
            "ERC20InsufficientAllowance(spender: 0x0000000000000000000000000000000000000000, allowance: 5, needed: 9)"
        );
    }

    #[test]
    fn texts_panics_silence_and_strangers_are_told_apart() {
        let text = RevertText::from("RealDigitalDefaultAccount: Not authorized Account").abi_encode();
        assert_eq!(decode(&text), Revert::Text("RealDigitalDefaultAccount: Not authorized Account".to_owned()));
        assert_eq!(decode(&Panic { code: U256::from(0x11) }.abi_encode()).to_string(), "panic 0x11");
        assert_eq!(decode(&[]), Revert::Empty);
        assert_eq!(decode(&[1, 2, 3, 4]).to_string(), "unknown error 0x01020304");
        assert_eq!(decode(&[1, 2]), Revert::Unknown(Bytes::from_static(&[1, 2])));
    }

    /// A value of a type that errors carry.
    fn sample(kind: &DynSolType) -> DynSolValue {
        match kind {
            DynSolType::Address => DynSolValue::Address(Address::repeat_byte(7)),
            DynSolType::Bool => DynSolValue::Bool(true),
            DynSolType::Bytes => DynSolValue::Bytes(vec![7; 5]),
            DynSolType::FixedBytes(size) => {
                let mut word = B256::ZERO;
                word[..*size].fill(7);
                DynSolValue::FixedBytes(word, *size)
            }
            DynSolType::String => DynSolValue::String("seven".to_owned()),
            DynSolType::Uint(bits) => DynSolValue::Uint(U256::from(7), *bits),
            DynSolType::Tuple(members) => DynSolValue::Tuple(members.iter().map(sample).collect()),
            other => panic!("no sample of {other}"),
        }
    }

    #[test]
    fn every_error_of_every_artifact_is_named_with_its_arguments() {
        let mut names: BTreeMap<FixedBytes<4>, String> = BTreeMap::new();
        for (contract, abi) in artifacts::abis() {
            for error in abi.errors() {
                let values: Vec<DynSolValue> =
                    error.inputs.iter().map(|input| sample(&input.resolve().unwrap())).collect();
                let encoded = DynSolValue::Tuple(values.clone()).abi_encode_params();
                let bytes = [error.selector().as_slice(), &encoded].concat();
                let inputs = error.inputs.iter().map(|input| input.name.clone());
                let expected = Revert::Custom { name: error.name.clone(), arguments: inputs.zip(values).collect() };
                assert_eq!(decode(&bytes), expected, "{contract}");
                let other = names.insert(error.selector(), error.signature());
                assert!(other.is_none_or(|other| other == error.signature()), "{contract}: two errors, one selector");
            }
        }
        assert!(names.len() > 60, "{}", names.len());
    }

    #[test]
    fn no_prefix_of_a_revert_panics() {
        let error =
            RealDigital::ERC20InsufficientBalance { sender: Address::ZERO, balance: U256::ZERO, needed: U256::MAX };
        let bytes = error.abi_encode();
        for length in 0..bytes.len() {
            let _ = decode(&bytes[..length]);
        }
    }
}
