//! The one ledger with a public network's chain id on which test keys sign: the Drex sandbox that this process runs itself.
//!
//! A signature carries the chain id and nothing else of a network, so test keys are refused on the chain ids of public
//! networks, the Drex pilot's among them. Programs written for the pilot expect its chain id all the same, also on a laptop.
//! Three things together keep the exception harmless:
//!
//! * It is bound to one **genesis hash**, that of the sandbox, which differs from the pilot's. Whoever opens the custody
//!   takes the hash from the ledger that it holds open and speaks to in its own process, never from a node at a URL.
//! * Sandbox keys are **derived with that hash**. The same label gives another key here than on the embedded network, and
//!   would give another on a sandbox with another genesis: the addresses hold something on this ledger and nowhere else,
//!   so that a transaction that somebody carried to another network moves nothing there.
//! * The network is fixed when the custody is opened; a custody for another network cannot be turned into this one.

use alloy_primitives::{B256, b256};

use crate::network::{Network, ProfileName};

/// The Drex pilot's chain id, which its sandbox has too.
pub const SANDBOX_CHAIN_ID: u64 = 381_660_001;

/// Hash of block 0 of the sandbox. Another genesis is another network: it needs a decision here, not only a new file there.
pub const SANDBOX_GENESIS_HASH: B256 = b256!("195407f9883e5bf7daafe77634b8018b4ecf971c1477650bc2a4da53c8f0228a");

/// The profile of the pilot's network.
const PROFILE: &str = "drex-kit";

/// The ledger is not the sandbox, so test keys with the pilot's chain id are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "profile `{}` with chain id {} and genesis {genesis_hash} is not the sandbox, which is profile `{PROFILE}` with chain id {SANDBOX_CHAIN_ID} and genesis {SANDBOX_GENESIS_HASH}",
    network.profile, network.chain_id
)]
pub struct NotTheSandbox {
    network: Network,
    genesis_hash: B256,
}

/// Proof that a network was found to be the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sandbox {
    genesis_hash: B256,
}

impl Sandbox {
    pub(crate) fn recognise(network: &Network, genesis_hash: B256) -> Result<Self, NotTheSandbox> {
        let is_named = network.profile.as_str() == PROFILE && network.chain_id == SANDBOX_CHAIN_ID;
        if !is_named || genesis_hash != SANDBOX_GENESIS_HASH {
            return Err(NotTheSandbox { network: network.clone(), genesis_hash });
        }
        Ok(Self { genesis_hash })
    }

    /// What a key's label is joined to before it is hashed.
    pub(crate) fn domain(self) -> String {
        format!("lastro sandbox key: {}", self.genesis_hash)
    }
}

impl ProfileName {
    /// The profile of the Drex pilot's network and of its sandbox.
    pub fn drex_kit() -> Self {
        Self::of_literal(PROFILE)
    }
}

#[cfg(test)]
mod tests {
    use alloy_consensus::{SignableTransaction as _, TxLegacy};

    use super::*;
    use crate::custody::Custody;
    use crate::key::{KeyLabel, Purpose};

    fn network(profile: &str, chain_id: u64) -> Network {
        Network { profile: ProfileName::parse(profile).unwrap(), chain_id }
    }

    fn label() -> KeyLabel {
        KeyLabel::parse("bank-a").unwrap()
    }

    #[test]
    fn only_the_sandbox_itself_is_the_sandbox() {
        let other = B256::repeat_byte(0x11);
        let refused = [
            (network("drex-kit", SANDBOX_CHAIN_ID), other),
            (network("drex-kit", SANDBOX_CHAIN_ID), B256::with_last_byte(1)),
            (network("drex-kit", 1337), SANDBOX_GENESIS_HASH),
            (network("besu-private", SANDBOX_CHAIN_ID), SANDBOX_GENESIS_HASH),
            (network("embedded", SANDBOX_CHAIN_ID), SANDBOX_GENESIS_HASH),
        ];
        for (network, genesis) in refused {
            let error = Custody::for_sandbox(network.clone(), genesis).unwrap_err();
            assert!(error.to_string().contains(&genesis.to_string()), "{error}");
            assert!(Custody::new(network).add_test_key(label(), Purpose::Transactions).is_err());
        }
        assert!(Custody::for_sandbox(network("drex-kit", SANDBOX_CHAIN_ID), SANDBOX_GENESIS_HASH).is_ok());
    }

    #[test]
    fn the_name_of_the_profile_alone_allows_nothing() {
        let mut custody = Custody::new(network("drex-kit", SANDBOX_CHAIN_ID));
        assert!(custody.add_test_key(label(), Purpose::Transactions).is_err());
    }

    #[test]
    fn a_sandbox_key_signs_for_the_sandbox_and_is_no_key_of_the_embedded_network() {
        let sandbox = network("drex-kit", SANDBOX_CHAIN_ID);
        let mut custody = Custody::for_sandbox(sandbox, SANDBOX_GENESIS_HASH).unwrap();
        let address = custody.add_test_key(label(), Purpose::Transactions).unwrap();
        let transaction = |chain_id| TxLegacy { chain_id: Some(chain_id), gas_limit: 21_000, ..Default::default() };
        let unsigned = transaction(SANDBOX_CHAIN_ID).encoded_for_signing();
        let signed = custody.sign_transaction(&label(), &unsigned, SANDBOX_CHAIN_ID).unwrap();
        assert_eq!(signed.sender, address);
        assert!(custody.sign_transaction(&label(), &transaction(1337).encoded_for_signing(), 1337).is_err());
        assert_eq!(custody.reveal_test_key(&label()).unwrap().len(), 66);
        let mut embedded = Custody::new(network("embedded", 1337));
        assert_ne!(embedded.add_test_key(label(), Purpose::Transactions).unwrap(), address);
    }
}
