//! A network against its profile: each thing that is expected, what was seen, and whether they agree. Pure.

use alloy_primitives::{Address, U256};

use super::judgement::pace;
use super::observation::{Nothing, Observation, Seen, SeenRules, Unseen};
use crate::profile::FeeModel;
use crate::profile::network::{Expected, Governs, KnownChain, NetworkProfile, PoolKind};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The chain id.
    ChainId,
    /// Hash of block 0.
    Genesis,
    /// EVM rules.
    Rules,
    /// Gas limit of the newest block.
    BlockGasLimit,
    /// What nodes ask for gas.
    Fees,
    /// How validators agree, and so when a block is final.
    Consensus,
    /// The time between two blocks.
    BlockPeriod,
    /// The kind of the transaction pool.
    Pool,
    /// A permissioning contract.
    Permissioning(Governs, Address),
}

impl Item {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChainId => "chain_id",
            Self::Genesis => "genesis",
            Self::Rules => "rules",
            Self::BlockGasLimit => "block_gas_limit",
            Self::Fees => "fees",
            Self::Consensus => "consensus",
            Self::BlockPeriod => "block_period",
            Self::Pool => "pool",
            Self::Permissioning(..) => "permissioning",
        }
    }
}

/// A value as it is shown; what is in words here is for whoever prints to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// As it is written.
    Text(String),
    /// This or more, or later.
    AtLeast(String),
    /// One of these.
    OneOf(Vec<String>),
    /// Seconds.
    Seconds(String),
    /// Gas that costs at most so many wei.
    PriceAtMost(U256),
    /// What nodes ask, in wei.
    Prices {
        /// The base fee, where there is one.
        base_fee: Option<U256>,
        /// The price that the node advises.
        gas_price: U256,
    },
    /// A contract stands there, or none.
    Contract {
        /// Whether there is code.
        is_there: bool,
    },
    /// Rules older than the oldest that are known.
    OlderRules,
    /// No seal that is known.
    UnknownSeal,
}

/// Whether a network is what is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// It is.
    Agrees,
    /// It is not.
    Differs,
    /// Nothing is expected.
    NotExpected,
    /// It could not be seen.
    NotSeen(Unseen),
}

impl Agreement {
    /// The stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NotExpected => "not_expected",
            Self::NotSeen(_) => "not_seen",
        }
    }
}

/// One thing that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What.
    pub item: Item,
    /// What the profile says; `None` if nothing.
    pub expected: Option<Shown>,
    /// What was seen; `None` if nothing was.
    pub seen: Option<Shown>,
    /// Whether they agree.
    pub agreement: Agreement,
}

fn line(item: Item, expected: Option<Shown>, seen: Seen<(Shown, bool)>) -> Line {
    let (seen, agreement) = match (seen, &expected) {
        (Ok((seen, _)), None) => (Some(seen), Agreement::NotExpected),
        (Ok((seen, true)), Some(_)) => (Some(seen), Agreement::Agrees),
        (Ok((seen, false)), Some(_)) => (Some(seen), Agreement::Differs),
        (Err(_), None) => (None, Agreement::NotExpected),
        (Err(unseen), Some(_)) => (None, Agreement::NotSeen(unseen)),
    };
    Line { item, expected, seen, agreement }
}

fn text(value: impl ToString) -> Shown {
    Shown::Text(value.to_string())
}

fn expected<T: Copy + Ord + ToString>(expected: Expected<T>) -> Option<Shown> {
    Some(match expected {
        Expected::Exactly(value) => text(value),
        Expected::AtLeast(value) => Shown::AtLeast(value.to_string()),
    })
}

/// Compares everything that a profile can say with what was seen of a node.
pub fn compare(seen: &Observation, profile: &NetworkProfile) -> Vec<Line> {
    let chain_id = seen.chain_id.clone();
    let genesis = seen.genesis.clone();
    let chain = chain_id.as_ref().ok().and_then(|id| profile.chain(*id, genesis.as_ref().ok().copied()));
    let ids: Vec<String> = profile.chain_ids().iter().map(u64::to_string).collect();
    let ids = match ids.as_slice() {
        [] => None,
        [one] => Some(text(one)),
        _ => Some(Shown::OneOf(ids)),
    };
    let hash = chain.and_then(|chain| chain.genesis_hash);
    let mut lines = vec![
        line(Item::ChainId, ids, chain_id.map(|id| (text(id), profile.is_for(id)))),
        line(Item::Genesis, hash.map(text), genesis.map(|seen| (text(seen), hash.is_none_or(|hash| hash == seen)))),
        line(Item::Rules, expected(profile.rules), rules(seen, profile)),
        line(
            Item::BlockGasLimit,
            expected(profile.block_gas_limit),
            seen.head().map(|head| (text(head.gas_limit), profile.block_gas_limit.allows(head.gas_limit))),
        ),
        fees(seen, profile),
        line(Item::Consensus, profile.consensus.map(text), consensus(seen, profile)),
        period(seen, chain),
        line(Item::Pool, profile.pool.map(text), pool(seen, profile)),
    ];
    lines.extend(seen.permissioning.iter().filter_map(|(contract, code)| {
        let is_expected = profile.permissioning.contains(contract);
        let item = Item::Permissioning(contract.governs, contract.address);
        let expected = is_expected.then_some(Shown::Contract { is_there: true });
        let code = code.clone().map(|is_there| (Shown::Contract { is_there }, is_there));
        is_expected.then(|| line(item, expected, code))
    }));
    lines
}

fn rules(seen: &Observation, profile: &NetworkProfile) -> Seen<(Shown, bool)> {
    Ok(match seen.rules.clone()? {
        SeenRules::BeforeBerlin => (Shown::OlderRules, false),
        SeenRules::These(rules) => (text(rules), profile.rules.allows(rules)),
        // What is there without gaps is what may be relied on.
        SeenRules::Contradictory { whole_up_to: None, .. } => (Shown::OlderRules, false),
        SeenRules::Contradictory { whole_up_to: Some(rules), .. } => (text(rules), false),
    })
}

fn fees(seen: &Observation, profile: &NetworkProfile) -> Line {
    let most = match profile.fees {
        FeeModel::Free => U256::ZERO,
        FeeModel::Legacy { gas_price_wei } => U256::from(gas_price_wei),
        FeeModel::Eip1559 { max_fee_per_gas_wei, .. } => U256::from(max_fee_per_gas_wei),
    };
    let prices = seen.gas_price_wei.clone().and_then(|gas_price| {
        let base_fee = seen.head()?.base_fee_wei;
        let is_enough = gas_price <= most && base_fee.unwrap_or_default() <= most;
        Ok((Shown::Prices { base_fee, gas_price }, is_enough))
    });
    line(Item::Fees, Some(Shown::PriceAtMost(most)), prices)
}

fn consensus(seen: &Observation, profile: &NetworkProfile) -> Seen<(Shown, bool)> {
    let found = seen.head()?.extra.as_ref().map(|extra| extra.consensus);
    Ok((found.map_or(Shown::UnknownSeal, text), found == profile.consensus))
}

fn period(seen: &Observation, chain: Option<&KnownChain>) -> Line {
    let period = chain.and_then(|chain| chain.block_period);
    let found = seen.blocks.clone().and_then(|blocks| {
        let pace = pace(&blocks, chain);
        let cut = || seen.blocks_cut.clone().unwrap_or(Unseen::Nothing(Nothing::FewBlocks));
        let mean = pace.mean.ok_or_else(cut)?;
        Ok((Shown::Seconds(mean), pace.is_kept))
    });
    let shown = period.map(|period| Shown::Seconds(super::judgement::seconds(period)));
    line(Item::BlockPeriod, shown, found)
}

fn pool(seen: &Observation, profile: &NetworkProfile) -> Seen<(Shown, bool)> {
    let kind = if seen.pool.clone()?.max.is_some() { PoolKind::Sequenced } else { PoolKind::Layered };
    Ok((text(kind), Some(kind) == profile.pool))
}
