//! What a network is expected to be: read from data, compared with live nodes, and the source of what is sent with.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use custody::ProfileName;

use super::{FeeModel, Pace, Profile, Rules};

/// The files of the profiles that ship, in the order in which they are listed.
const SHIPPED_FILES: [(&str, &str); 4] = [
    ("embedded.toml", include_str!("../../profiles/embedded.toml")),
    ("besu-private.toml", include_str!("../../profiles/besu-private.toml")),
    ("rbb.toml", include_str!("../../profiles/rbb.toml")),
    ("drex-kit.toml", include_str!("../../profiles/drex-kit.toml")),
];

static SHIPPED: LazyLock<Vec<NetworkProfile>> = LazyLock::new(|| {
    let read = |(file, text): &(&str, &str)| super::file::parse(file, text).expect("a shipped profile is whole");
    SHIPPED_FILES.iter().map(read).collect()
});

/// What a network must be, one value or a least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected<T> {
    /// This and nothing else.
    Exactly(T),
    /// This or more; rules: these or later ones.
    AtLeast(T),
}

impl<T: Copy + Ord> Expected<T> {
    /// The least that is expected: what may be relied on.
    pub fn least(self) -> T {
        match self {
            Self::Exactly(value) | Self::AtLeast(value) => value,
        }
    }

    /// Whether a network on which this was seen is what is expected.
    pub fn allows(self, seen: T) -> bool {
        match self {
            Self::Exactly(value) => seen == value,
            Self::AtLeast(value) => seen >= value,
        }
    }
}

/// How validators agree on blocks. With both, a block is final when it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consensus {
    /// QBFT.
    Qbft,
    /// IBFT 2.0.
    Ibft2,
}

impl fmt::Display for Consensus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Qbft => "QBFT",
            Self::Ibft2 => "IBFT 2.0",
        })
    }
}

/// Which of Besu's transaction pools a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// `--tx-pool=sequenced`: a queue with a greatest number of transactions.
    Sequenced,
    /// `--tx-pool=layered`, Besu's default: bounded by memory.
    Layered,
}

impl PoolKind {
    /// How many transactions of one sender the pool takes ahead of the ledger where its operator has not said otherwise. Sequenced: a
    /// thousandth of 4096, rounded up (`--tx-pool-limit-by-account-percentage` 0.001, `--tx-pool-max-size` 4096). Layered: 200
    /// (`--tx-pool-max-future-by-sender`; release notes of Besu 23.10.0). Both refuse a nonce that is so far ahead or further.
    pub const fn window_start(self) -> u64 {
        match self {
            Self::Sequenced => 5,
            Self::Layered => 200,
        }
    }
}

impl fmt::Display for PoolKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sequenced => "sequenced",
            Self::Layered => "layered",
        })
    }
}

/// What a permissioning contract decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Governs {
    /// Which transactions nodes let in.
    Accounts,
    /// Which nodes connect.
    Nodes,
}

impl fmt::Display for Governs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accounts => "accounts",
            Self::Nodes => "nodes",
        })
    }
}

/// A contract that nodes ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissioningContract {
    /// What it decides.
    pub governs: Governs,
    /// Where it stands.
    pub address: Address,
}

/// A network of a profile that is known by its chain id, and by its genesis where two share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownChain {
    /// What people call it.
    pub label: String,
    /// Its chain id.
    pub chain_id: u64,
    /// Hash of its block 0, if it is known.
    pub genesis_hash: Option<B256>,
    /// The time between two blocks, if it is fixed.
    pub block_period: Option<Duration>,
    /// The time before a block without transactions, if it is known: as long, or longer (`emptyblockperiodseconds`).
    pub empty_block_period: Option<Duration>,
}

/// What a network is expected to be. Where something is `None` or empty, nothing is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkProfile {
    /// Its name.
    pub name: ProfileName,
    /// Its EVM rules. What is sent relies on the least of them.
    pub rules: Expected<Rules>,
    /// The gas limit of its blocks. What is sent relies on the least.
    pub block_gas_limit: Expected<u64>,
    /// What transactions offer for gas, and so the most that nodes may ask.
    pub fees: FeeModel,
    /// How its validators agree.
    pub consensus: Option<Consensus>,
    /// How many blocks must follow before a block is final.
    pub finality_blocks: u64,
    /// Which pool its nodes have.
    pub pool: Option<PoolKind>,
    /// The contracts that its nodes ask.
    pub permissioning: Vec<PermissioningContract>,
    /// The networks that it describes; empty if any chain id will do.
    pub chains: Vec<KnownChain>,
    /// How often the head is asked for while somebody waits.
    pub head_poll: Duration,
    /// How long nothing is heard of a transaction before it is looked up.
    pub silence_max: Duration,
    /// How a transaction is offered to a node.
    pub offers: Pace,
    /// How many transactions of one sender are offered ahead of the ledger, before a node has refused any: the file's, or what the
    /// pool takes by default ([`PoolKind::window_start`]).
    pub window_start: u64,
    /// How often a transaction that no block takes is offered anew at a price an eighth higher, where transactions have one.
    pub price_steps_max: u32,
}

/// The profile is for other chains than the one that was named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profile `{profile}` is for chain {}, not for chain {chain_id}", list(known))]
pub struct OtherChain {
    /// The profile.
    pub profile: ProfileName,
    /// The chain that was named.
    pub chain_id: u64,
    /// Those that the profile is for.
    pub known: Vec<u64>,
}

fn list(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<String>>().join(" or ")
}

impl NetworkProfile {
    /// The profiles that ship with the platform.
    pub fn shipped() -> &'static [Self] {
        &SHIPPED
    }

    /// The shipped profile of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::shipped().iter().find(|profile| profile.name.as_str() == name)
    }

    /// The file of a shipped profile, as it is in the sources.
    pub fn shipped_text(name: &str) -> Option<&'static str> {
        let file = format!("{name}.toml");
        SHIPPED_FILES.iter().find(|(shipped, _)| *shipped == file).map(|(_, text)| *text)
    }

    /// The ledger that the binary carries.
    pub fn embedded() -> &'static Self {
        Self::named("embedded").expect("the embedded ledger's profile ships")
    }

    /// The Drex pilot's network, and its sandbox.
    pub fn drex_kit() -> &'static Self {
        Self::named("drex-kit").expect("the pilot's profile ships")
    }

    /// Whether the profile may be used for this chain id.
    pub fn is_for(&self, chain_id: u64) -> bool {
        self.chains.is_empty() || self.chains.iter().any(|chain| chain.chain_id == chain_id)
    }

    /// The chain ids that it is for, each once; empty if any will do.
    pub fn chain_ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = Vec::new();
        for chain in &self.chains {
            if !ids.contains(&chain.chain_id) {
                ids.push(chain.chain_id);
            }
        }
        ids
    }

    /// The network with this chain id; among several that share it the one with this genesis, or the first of those of
    /// which no genesis is known, or the first.
    pub fn chain(&self, chain_id: u64, genesis: Option<B256>) -> Option<&KnownChain> {
        let of_id = || self.chains.iter().filter(move |chain| chain.chain_id == chain_id);
        let same = of_id().find(|chain| genesis.is_some() && chain.genesis_hash == genesis);
        same.or_else(|| of_id().find(|chain| chain.genesis_hash.is_none())).or_else(|| of_id().next())
    }

    /// What is sent with on the chain of this id: the least that is expected of the network, so that it holds on each.
    ///
    /// # Errors
    ///
    /// The profile is for other chains.
    pub fn sending(&self, chain_id: u64) -> Result<Profile, OtherChain> {
        if !self.is_for(chain_id) {
            return Err(OtherChain { profile: self.name.clone(), chain_id, known: self.chain_ids() });
        }
        Ok(Profile {
            name: self.name.clone(),
            chain_id,
            rules: self.rules.least(),
            fees: self.fees,
            block_gas_limit: self.block_gas_limit.least(),
            finality_blocks: self.finality_blocks,
            head_poll: self.head_poll,
            silence_max: self.silence_max,
            offers: self.offers,
            window_start: self.window_start,
            price_steps_max: self.price_steps_max,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_profiles_ship_and_each_is_found_by_its_name() {
        let names: Vec<&str> = NetworkProfile::shipped().iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["embedded", "besu-private", "rbb", "drex-kit"]);
        for name in names {
            assert_eq!(NetworkProfile::named(name).unwrap().name.as_str(), name);
            assert!(NetworkProfile::shipped_text(name).unwrap().contains(&format!("name = \"{name}\"")));
        }
        assert_eq!((NetworkProfile::named("besu"), NetworkProfile::shipped_text("besu")), (None, None));
    }

    #[test]
    fn what_is_sent_on_rbb_is_for_its_two_chains_by_berlins_rules_and_free() {
        let rbb = NetworkProfile::named("rbb").unwrap();
        let sending = rbb.sending(12_120_014).unwrap();
        assert_eq!((sending.rules, sending.fees), (Rules::Berlin, FeeModel::Free));
        assert_eq!((sending.block_gas_limit, sending.finality_blocks), (16_000_000, 0));
        assert_eq!(sending.window_start, 5, "the sequenced pool's");
        assert_eq!(NetworkProfile::embedded().window_start, 200);
        assert!(rbb.sending(648_629).is_ok());
        let refused = rbb.sending(1337).unwrap_err();
        assert_eq!(refused.to_string(), "profile `rbb` is for chain 12120014 or 648629, not for chain 1337");
    }

    #[test]
    fn a_profile_of_no_chain_in_particular_is_for_each() {
        assert_eq!(NetworkProfile::embedded().sending(7).unwrap(), Profile::embedded(7, Rules::Berlin, 30_000_000));
    }

    #[test]
    fn networks_that_share_a_chain_id_are_told_apart_by_their_genesis() {
        let kit = NetworkProfile::drex_kit();
        let [pilot, sandbox] = [0, 1].map(|place| kit.chains[place].clone());
        assert_eq!(kit.chain_ids(), [381_660_001]);
        let between = NetworkProfile::named("rbb").unwrap().chains[0].clone();
        let apart = NetworkProfile { chains: vec![pilot.clone(), between, sandbox.clone()], ..kit.clone() };
        assert_eq!(apart.chain_ids(), [381_660_001, 12_120_014]);
        assert_eq!(kit.chain(381_660_001, sandbox.genesis_hash), Some(&sandbox));
        assert_eq!(kit.chain(381_660_001, Some(B256::ZERO)), Some(&pilot));
        assert_eq!(kit.chain(381_660_001, None), Some(&pilot));
        assert_eq!(kit.chain(1, None), None);
        let sandbox_hash = custody::sandbox::SANDBOX_GENESIS_HASH;
        assert_eq!(sandbox.genesis_hash, Some(sandbox_hash), "custody and profile say the same");
    }

    #[test]
    fn a_least_value_allows_more_and_an_exact_one_does_not() {
        assert!(Expected::AtLeast(Rules::Berlin).allows(Rules::Cancun) && !Expected::AtLeast(2).allows(1));
        assert!(Expected::Exactly(2).allows(2) && !Expected::Exactly(2).allows(3));
    }
}
