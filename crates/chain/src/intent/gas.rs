//! What a transaction costs before its first instruction.

use crate::profile::Rules;

/// The longest code of a contract, in bytes (EIP-170).
pub const CODE_BYTES_MAX: usize = 24_576;

/// The longest creation code since Shanghai, in bytes: twice the code (EIP-3860).
pub const INITCODE_BYTES_MAX: usize = 2 * CODE_BYTES_MAX;

/// The most gas of one transaction since Osaka: 2^24 (EIP-7825).
pub const TRANSACTION_GAS_MAX: u64 = 1 << 24;

/// Every transaction (yellow paper, appendix G).
const BASE: u64 = 21_000;
/// A creation, on top (EIP-2).
const CREATION: u64 = 32_000;
/// A zero byte of data (yellow paper, appendix G), and any other since Istanbul (EIP-2028).
const ZERO_BYTE: u64 = 4;
const OTHER_BYTE: u64 = 16;
/// A word of creation code since Shanghai (EIP-3860).
const INITCODE_WORD: u64 = 2;
const WORD_BYTES: u64 = 32;
/// The floor since Prague (EIP-7623): 10 for each token; a zero byte is one token, any other is four.
const FLOOR_PER_TOKEN: u64 = 10;
const TOKENS_OTHER_BYTE: u64 = 4;

/// The least gas limit with which a transaction without access list is valid.
///
/// ```
/// use chain::{Rules, intrinsic_gas};
///
/// assert_eq!(intrinsic_gas(&[], false, Rules::Berlin), 21_000);
/// assert_eq!(intrinsic_gas(&[0, 1], true, Rules::Berlin), 21_000 + 32_000 + 4 + 16);
/// ```
pub fn intrinsic_gas(data: &[u8], is_creation: bool, rules: Rules) -> u64 {
    let zeros = count(data.iter().filter(|&&byte| byte == 0).count());
    let length = count(data.len());
    let others = length - zeros;
    let words = if rules >= Rules::Shanghai { length.div_ceil(WORD_BYTES) } else { 0 };
    let creation = if is_creation { CREATION + words * INITCODE_WORD } else { 0 };
    let standard = BASE + zeros * ZERO_BYTE + others * OTHER_BYTE + creation;
    let floor = BASE + (zeros + others * TOKENS_OTHER_BYTE) * FLOOR_PER_TOKEN;
    if rules >= Rules::Prague { standard.max(floor) } else { standard }
}

/// A count of bytes in memory as gas is counted.
fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("memory is smaller than 2^64 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shanghai_counts_words_of_creation_code_and_prague_has_a_floor() {
        assert_eq!(intrinsic_gas(&[1; 33], true, Rules::Paris), 53_000 + 33 * 16);
        assert_eq!(intrinsic_gas(&[1; 33], true, Rules::Shanghai), 53_000 + 33 * 16 + 4);
        assert_eq!(intrinsic_gas(&[1; 33], false, Rules::Shanghai), 21_000 + 33 * 16);
        assert_eq!(intrinsic_gas(&[1; 33], false, Rules::Prague), 21_000 + 33 * 40);
        assert_eq!(intrinsic_gas(&[0; 10], false, Rules::Prague), 21_000 + 10 * 10);
    }
}
