//! Test keys: anybody can derive them, so they are good for nothing but the embedded ledger.

use alloy_primitives::keccak256;
use zeroize::Zeroizing;

use crate::key::KeyLabel;
use crate::network::ProfileName;
use crate::secret::{NotAPrivateKey, Secret};

/// A test key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestKeyError {
    /// The network is not the embedded ledger. Make a key in a keystore.
    #[error(
        "test key `{label}` is refused on profile `{profile}` with chain id {chain_id}: anybody can derive it; only the embedded ledger takes it"
    )]
    NotEmbedded {
        /// The key.
        label: KeyLabel,
        /// The network's profile.
        profile: ProfileName,
        /// The network's chain id.
        chain_id: u64,
    },
    /// There is a key with this label already.
    #[error("there is a key `{label}` already")]
    LabelTaken {
        /// The label.
        label: KeyLabel,
    },
    /// The label's hash is no private key; it happens to one label in 2^128. Choose another.
    #[error("label `{label}` gives no key, choose another")]
    NoKey {
        /// The label.
        label: KeyLabel,
        /// What is wrong with the hash.
        source: NotAPrivateKey,
    },
}

/// What labels of the embedded network's test keys are joined to.
pub(crate) const EMBEDDED_DOMAIN: &str = "lastro test key";

/// The key of a label: keccak-256 of `<domain>: <label>` in ASCII.
pub(crate) fn derive(domain: &str, label: &KeyLabel) -> Result<Secret, TestKeyError> {
    let hash = keccak256(format!("{domain}: {label}"));
    Secret::new(Zeroizing::new(hash.0)).map_err(|source| TestKeyError::NoKey { label: label.clone(), source })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::address;

    use super::*;

    #[test]
    fn the_derivation_does_not_change() {
        let secret = derive(EMBEDDED_DOMAIN, &KeyLabel::parse("bank-a").unwrap()).unwrap();
        assert_eq!(secret.bytes(), &keccak256(b"lastro test key: bank-a").0);
        assert_eq!(secret.address(), address!("3a485bd5ccb7d309086f8041ebfa1d03474a1a0a"));
    }
}
