//! What a revert says, as far as Solidity itself defines it. Errors that a contract declares are decoded by whoever knows the
//! contract, from the same raw bytes.

use std::fmt;

use alloy_primitives::{B256, Bytes, U256};

/// The longest reason that is read, in bytes.
const REASON_BYTES_MAX: usize = 4 * 1024;

/// `Error(string)` and `Panic(uint256)`: the selectors (Solidity documentation, "Panic via assert and Error via require").
const ERROR_SELECTOR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC_SELECTOR: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// A revert's bytes, read as far as Solidity defines them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revert {
    /// No bytes: a `revert()` without reason, a failed check of the compiler, or no gas left.
    Silent,
    /// `require(…, "reason")` or `revert("reason")`.
    Reason(String),
    /// `assert`, overflow, index out of bounds and the like; the code says which.
    Panic(U256),
    /// A contract's own error: its selector and the raw bytes, selector included.
    Custom {
        /// The first four bytes.
        selector: [u8; 4],
        /// All of them.
        data: Bytes,
    },
    /// Bytes that are no error of Solidity.
    Opaque(Bytes),
}

impl Revert {
    /// Reads the bytes.
    ///
    /// ```
    /// use alloy_primitives::{Bytes, U256, hex};
    /// use chain::Revert;
    ///
    /// let overflow = hex!("4e487b710000000000000000000000000000000000000000000000000000000000000011");
    /// assert_eq!(Revert::decode(&Bytes::from(overflow)), Revert::Panic(U256::from(0x11)));
    /// assert_eq!(Revert::decode(&Bytes::new()), Revert::Silent);
    /// ```
    pub fn decode(data: &Bytes) -> Self {
        let Some((selector, arguments)) = data.split_first_chunk::<4>() else {
            return if data.is_empty() { Self::Silent } else { Self::Opaque(data.clone()) };
        };
        let read = match *selector {
            ERROR_SELECTOR => string_argument(arguments).map(Self::Reason),
            PANIC_SELECTOR => B256::try_from(arguments).ok().map(|word| Self::Panic(word.into())),
            _ if arguments.len().is_multiple_of(32) => Some(Self::Custom { selector: *selector, data: data.clone() }),
            _ => None,
        };
        read.unwrap_or_else(|| Self::Opaque(data.clone()))
    }
}

/// The one argument of `Error(string)`: its offset (32), its length, its bytes.
fn string_argument(arguments: &[u8]) -> Option<String> {
    let word = |index: usize| {
        let bytes = arguments.get(index * 32..index * 32 + 32)?;
        usize::try_from(U256::from_be_slice(bytes)).ok()
    };
    let length = (word(0)? == 32).then(|| word(1))??;
    if length > REASON_BYTES_MAX {
        return None;
    }
    String::from_utf8(arguments.get(64..64 + length)?.to_vec()).ok()
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("reverted without a reason"),
            Self::Reason(reason) => write!(f, "reverted: {reason}"),
            Self::Panic(code) => write!(f, "panicked with code {code:#x} ({})", panic_text(*code)),
            Self::Custom { data, .. } => write!(f, "reverted with the contract's error {data}"),
            Self::Opaque(data) => write!(f, "reverted with {data}"),
        }
    }
}

/// What a panic's code means (Solidity documentation, 0.8.x).
fn panic_text(code: U256) -> &'static str {
    match u8::try_from(code).unwrap_or(u8::MAX) {
        0x00 => "inserted by the compiler",
        0x01 => "assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "not a value of the enum",
        0x22 => "storage byte array is encoded wrongly",
        0x31 => "pop on an empty array",
        0x32 => "index out of bounds",
        0x41 => "too much memory",
        0x51 => "call of an uninitialised function",
        _ => "unknown to Solidity",
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;
    use proptest::prelude::*;

    use super::*;

    /// `Error("no")` as solc encodes it.
    const NO: [u8; 100] = hex!(
        "08c379a0"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000002"
        "6e6f000000000000000000000000000000000000000000000000000000000000"
    );

    #[test]
    fn what_solidity_defines_is_read() {
        let text = |data: &[u8]| Revert::decode(&Bytes::copy_from_slice(data)).to_string();
        assert_eq!(text(&NO), "reverted: no");
        assert_eq!(text(&[]), "reverted without a reason");
        let mut panic = PANIC_SELECTOR.to_vec();
        panic.extend_from_slice(&U256::from(0x32).to_be_bytes::<32>());
        assert_eq!(text(&panic), "panicked with code 0x32 (index out of bounds)");
        assert_eq!(text(&[1, 2, 3, 4]), "reverted with the contract's error 0x01020304");
        assert_eq!(text(&[1, 2, 3]), "reverted with 0x010203");
    }

    #[test]
    fn a_reason_that_lies_about_its_length_is_shown_raw() {
        let mut lying = NO;
        lying[67] = 0xff;
        assert!(matches!(Revert::decode(&Bytes::copy_from_slice(&lying)), Revert::Opaque(_)));
        let huge = [&ERROR_SELECTOR[..], &U256::from(32).to_be_bytes::<32>(), &[0xff; 32]].concat();
        assert!(matches!(Revert::decode(&huge.into()), Revert::Opaque(_)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(data: Vec<u8>, selector in prop::sample::select(vec![ERROR_SELECTOR, PANIC_SELECTOR])) {
            let _ = Revert::decode(&Bytes::from(data.clone())).to_string();
            let _ = Revert::decode(&[&selector[..], &data].concat().into()).to_string();
        }
    }
}
