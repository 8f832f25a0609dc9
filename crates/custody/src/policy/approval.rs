//! What a person signs to approve something, and how that is checked.

use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Signature, keccak256};

use crate::policy::time::UnixTime;

/// What the bytes of a statement begin with. The first byte keeps it apart from every transaction (EIP-191).
const DOMAIN: &[u8] = b"\x19Lastro approval\x01";

/// A person's statement that something may be done, before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whose key signs.
    pub approver: Address,
    /// In which role.
    pub role: String,
    /// Hash of what is approved: [`Command::hash`](crate::policy::Command::hash),
    /// [`Policy::change_hash`](crate::policy::Policy::change_hash) or
    /// [`Policy::retirement_hash`](crate::policy::Policy::retirement_hash).
    pub subject: B256,
    /// When it was made. It does not count before.
    pub issued_at: UnixTime,
    /// From when on it does not count any more: at most [`APPROVAL_LIFE_S_MAX`](crate::policy::APPROVAL_LIFE_S_MAX) after it was
    /// issued.
    pub expires_at: UnixTime,
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What was signed.
    pub statement: Statement,
    /// By whom the statement says, or so it is checked.
    pub signature: Signature,
}

impl Statement {
    /// What the approver signs: keccak-256 of the domain, approver (20 bytes), both times (8 bytes each, big-endian), subject (32
    /// bytes) and role (the rest). All but the last have fixed lengths, so no two statements have the same bytes.
    pub fn hash(&self) -> B256 {
        let Self { approver, role, subject, issued_at, expires_at } = self;
        let (issued_at, expires_at) = (issued_at.0.to_be_bytes(), expires_at.0.to_be_bytes());
        let parts = [DOMAIN, approver.as_slice(), &issued_at, &expires_at, subject.as_slice(), role.as_bytes()];
        keccak256(parts.concat())
    }
}

impl Approval {
    /// Whether the signature is the approver's, in the one form that it may have (low `s`).
    pub fn is_genuine(&self) -> bool {
        // It gives nobody for a high `s`.
        recover_signer(&self.signature, self.statement.hash()).is_ok_and(|signer| signer == self.statement.approver)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, uint};
    use proptest::prelude::*;

    use super::*;
    use crate::key::KeyLabel;
    use crate::test_key;

    const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

    #[test]
    fn the_bytes_of_a_statement_do_not_change() {
        let statement = Statement {
            approver: Address::repeat_byte(0x11),
            role: "treasury".to_owned(),
            subject: B256::repeat_byte(0x22),
            issued_at: UnixTime(3),
            expires_at: UnixTime(4),
        };
        let mut bytes = b"\x19Lastro approval\x01".to_vec();
        bytes.extend([0x11; 20]);
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]);
        bytes.extend([0x22; 32]);
        bytes.extend(b"treasury");
        assert_eq!(statement.hash(), keccak256(bytes));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        #[test]
        fn a_signature_holds_for_the_statement_that_was_signed_and_no_other(
            subject: [u8; 32], role in "[a-z]{1,8}", issued: u64, expires: u64, change in 0..5_usize,
        ) {
            let key = test_key::derive("test", &KeyLabel::parse("ana").unwrap()).unwrap();
            let (issued_at, expires_at) = (UnixTime(issued), UnixTime(expires));
            let statement = Statement { approver: key.address(), role, subject: subject.into(), issued_at, expires_at };
            let signature = key.sign(statement.hash());
            let mut approval = Approval { statement, signature };
            prop_assert!(approval.is_genuine());
            let high = Signature::new(signature.r(), ORDER - signature.s(), !signature.v());
            let malleable = Approval { signature: high, ..approval.clone() };
            prop_assert!(!malleable.is_genuine());
            match change {
                0 => approval.statement.approver = Address::repeat_byte(1),
                1 => approval.statement.role.push('x'),
                2 => approval.statement.subject.0[0] ^= 1,
                3 => approval.statement.issued_at.0 ^= 1,
                _ => approval.statement.expires_at.0 ^= 1,
            }
            prop_assert!(!approval.is_genuine());
        }
    }
}
