//! Keys of `AddressDiscovery`: the Keccak-256 of a contract's name.
//!
//! Source: the pilot's kit, whose scripts look contracts up as `ethers.utils.id(name)`.

use alloy_primitives::{B256, keccak256};

/// The key of a contract by its name, such as `RealDigital`.
pub fn key(name: &str) -> B256 {
    keccak256(name)
}

/// The keys of a bank's token, from the eight characters of its CNPJ root: as they are, and as the pilot's scripts write the
/// number that they are, without leading zeros (`00000000`, which is a bank's, is `0`). The pilot's contracts wrote the zeros,
/// so both are registered; they are one key where nothing leads. A root with letters is no number of the pilot's and has one.
pub fn real_tokenizado_keys(cnpj8: &str) -> Vec<B256> {
    let number = if cnpj8.bytes().all(|byte| byte.is_ascii_digit()) { cnpj8.parse::<u32>().ok() } else { None };
    let padded = key(&format!("RealTokenizado@{cnpj8}"));
    let unpadded = number.map(|number| key(&format!("RealTokenizado@{number}"))).filter(|key| *key != padded);
    std::iter::once(padded).chain(unpadded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    #[test]
    fn keys_are_those_of_the_pilot() {
        assert_eq!(key("RealDigital"), b256!("aa9d7a10cd9d6320f512fbaa2a90a93f77175e260b93f3d8f757fdb48f89b882"));
        assert_eq!(key("TPFtOperation1052"), b256!("c07c5ff30b2ea9507cac94567c8f9d0ebf51b59dcec488ec2592927f1ed2f093"));
    }

    #[test]
    fn a_root_with_leading_zeros_has_two_keys() {
        let keys = real_tokenizado_keys("00000191");
        assert_eq!(keys[0], b256!("1a3e1b8c951a63a3db1477426d9883fa75d64d06ea0ff1e0234c145c77587d20"));
        assert_eq!(keys[1], b256!("9c8b983d3408ec27c5e3e9955413d9fa0925f5d09d15a13cd7ebbe51d222ba54"));
        assert_eq!(real_tokenizado_keys("11111111").len(), 1);
    }

    #[test]
    fn the_root_of_zeros_is_the_number_zero_and_letters_are_no_number() {
        let keys = real_tokenizado_keys("00000000");
        assert_eq!(keys, [key("RealTokenizado@00000000"), key("RealTokenizado@0")]);
        assert_eq!(real_tokenizado_keys("0ABC0001"), [key("RealTokenizado@0ABC0001")]);
    }
}
