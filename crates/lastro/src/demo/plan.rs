//! What the demonstration orders: every transaction, by whom, after what, and with what effect on the books.
//!
//! The plan is made before anything is sent and is the same for the same list of bonds, so that a run that was killed
//! goes on where it was: each step has an idempotency key, and the same key is the same transaction for ever.

mod setup;
mod trades;

pub(crate) use trades::unix_seconds;

use super::books::{Account, Asset, Posting, hundredths};
use super::parties::Party;
use super::suite::Suite;
use crate::dispatch::{Order, Target, fingerprint};
use alloy_primitives::{Address, B256, Bytes};
use market::{BondQuote, UnitPrice};

/// Most bonds of one list: each takes some fourteen transactions.
pub(crate) const BONDS_MAX: usize = 50;
/// Changes whenever the plan for the same list changes, so that an old data directory is not continued by a new plan.
const PLAN_VERSION: &str = "lastro demo plan 3";

/// Steps that may be sent together: none needs another one's effect, unless the same wallet sends both, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// What happens.
    pub(crate) title: Title,
    /// The transactions.
    pub(crate) steps: Vec<Step>,
}

/// What a stage is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Title {
    /// Contracts are created and given their roles.
    Deploy,
    /// Addresses are registered, institutions admitted.
    Admit,
    /// Banks admit themselves and their clients.
    Enable,
    /// Real Digital is minted and backs Real Tokenizado.
    Fund,
    /// Operation 1001.
    Issue,
    /// Operation 1002.
    Place,
    /// Operation 1052 between banks.
    TradeBanks,
    /// Operation 1052 from a bank to its client.
    TradeClient,
    /// Operation 1052 between clients of different banks.
    TradeClients,
    /// Operation 1052, first command of a trade that cannot be paid.
    UnfundedOffer,
    /// Its second command, which must fail.
    UnfundedCommand,
    /// Its cancellation.
    UnfundedCancel,
}

impl Title {
    /// All stages, in the order in which they are played.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 12] = [
        Self::Deploy,
        Self::Admit,
        Self::Enable,
        Self::Fund,
        Self::Issue,
        Self::Place,
        Self::TradeBanks,
        Self::TradeClient,
        Self::TradeClients,
        Self::UnfundedOffer,
        Self::UnfundedCommand,
        Self::UnfundedCancel,
    ];

    /// Its name for machines, the same in every language.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Admit => "admit",
            Self::Enable => "enable",
            Self::Fund => "fund",
            Self::Issue => "issue",
            Self::Place => "place",
            Self::TradeBanks => "trade_banks",
            Self::TradeClient => "trade_client",
            Self::TradeClients => "trade_clients",
            Self::UnfundedOffer => "unfunded_offer",
            Self::UnfundedCommand => "unfunded_command",
            Self::UnfundedCancel => "unfunded_cancel",
        }
    }
}

/// One transaction.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Idempotency key.
    pub(crate) key: String,
    /// Who sends it.
    pub(crate) party: Party,
    /// The contract that is called; the address at which one is created.
    pub(crate) target: Target,
    /// Calldata, or creation code.
    pub(crate) data: Bytes,
    /// What it is, for people who look at a list of transactions.
    pub(crate) subject: String,
    /// What it does to the books.
    pub(crate) effect: Effect,
}

impl Step {
    /// The transaction as it is sent.
    pub(crate) fn order(&self) -> Order {
        Order {
            key: self.key.clone(),
            sender: self.party.into(),
            target: self.target,
            data: self.data.clone(),
            subject: self.subject.clone(),
            is_meant_to_fail: matches!(self.effect, Effect::Fails(_)),
        }
    }
}

/// What a transaction does to the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing moves.
    Nothing,
    /// These movements, and no others.
    Moves(Vec<Posting>),
    /// One of the two commands of an operation: whichever is second moves everything, the first nothing.
    Command(usize),
    /// It must fail with this error of the contract, and move nothing.
    Fails(&'static str),
}

/// A trade or placement with two commands.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Operation number followed by the day; unique on the network.
    pub(crate) id: u64,
    /// 1002 or 1052.
    pub(crate) code: u16,
    /// Who delivers bonds.
    pub(crate) seller: Party,
    /// Who pays.
    pub(crate) buyer: Party,
    /// Which bond, by its place in the list.
    pub(crate) bond: usize,
    /// Hundredths of a bond.
    pub(crate) amount: u64,
    /// Price of one bond.
    pub(crate) price: UnitPrice,
    /// Centavos.
    pub(crate) value: u64,
    /// Everything that moves when it settles.
    pub(crate) postings: Vec<Posting>,
}

/// The whole demonstration.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Addresses.
    pub(crate) suite: Suite,
    /// The list of bonds.
    pub(crate) bonds: Vec<BondQuote>,
    /// Stages in order.
    pub(crate) stages: Vec<Stage>,
    /// Operations with two commands.
    pub(crate) operations: Vec<Operation>,
}

/// A list of bonds with which the demonstration cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// Nothing to issue, or more than fits.
    #[error("the list has {bonds} bonds, the demonstration takes 1 to {BONDS_MAX}")]
    Count {
        /// Bonds in the list.
        bonds: usize,
    },
    /// Prices of different days are no offer.
    #[error("the list has prices of {first} and of {other}; the demonstration plays one day")]
    Days {
        /// The first line's day.
        first: jiff::civil::Date,
        /// Another line's.
        other: jiff::civil::Date,
    },
    /// Two lines are the same series to the contracts, which know title, code and maturity.
    #[error("lines {first} and {second} of the list are the same series: title, code and maturity are equal")]
    SameSeries {
        /// One line, from 1.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A contract takes unit prices below R$ 1,000,000.00 and amounts that fit.
    #[error("line {line} of the list: the price {price} is too high for operation 1052")]
    Price {
        /// The line, from 1.
        line: usize,
        /// Its price.
        price: UnitPrice,
    },
}

impl Plan {
    /// Plans the demonstration for a list of bonds, with wallets by party.
    ///
    /// # Errors
    /// [`PlanError`] for a list that cannot be played.
    pub(crate) fn new(bonds: Vec<BondQuote>, wallet: &dyn Fn(Party) -> Address) -> Result<Self, PlanError> {
        check(&bonds)?;
        let suite = Suite::of(wallet(Party::Admin));
        let mut plan = Self { suite, bonds, stages: Vec::new(), operations: Vec::new() };
        let trades = trades::Trades::new(&mut plan, wallet);
        let traded = trades.stages();
        plan.stages = setup::stages(&plan, wallet);
        plan.stages.extend(traded);
        Ok(plan)
    }

    /// Identifies the plan: a data directory belongs to one.
    pub(crate) fn fingerprint(&self) -> B256 {
        let orders: Vec<Order> = self.stages.iter().flat_map(|stage| &stage.steps).map(Step::order).collect();
        fingerprint(PLAN_VERSION, &orders)
    }

    /// An asset's name, the same in both languages.
    pub(crate) fn asset_name(&self, asset: Asset) -> String {
        match asset {
            Asset::RealDigital => "Real Digital".to_owned(),
            Asset::RealTokenizado(bank) => format!("RealTokenizado@{}", bank.cnpj_root().as_str()),
            Asset::Bond(place) => {
                let bond = &self.bonds[place];
                format!("{} {}", bond.title.as_str(), bond.maturity)
            }
        }
    }

    /// Movements in words.
    pub(crate) fn postings_in_words(&self, postings: &[Posting]) -> String {
        let name = |account| match account {
            Account::Issued => "the issuer",
            Account::Held(party) => party.name(),
        };
        let in_words = |posting: &Posting| {
            let (amount, asset) = (hundredths(i128::from(posting.amount)), self.asset_name(posting.asset));
            format!("{amount} of {asset} from {} to {}", name(posting.from), name(posting.to))
        };
        if postings.is_empty() {
            return "nothing".to_owned();
        }
        postings.iter().map(in_words).collect::<Vec<String>>().join(" and ")
    }

    /// Transactions in all stages.
    pub(crate) fn step_count(&self) -> usize {
        self.stages.iter().map(|stage| stage.steps.len()).sum()
    }
}

fn check(bonds: &[BondQuote]) -> Result<(), PlanError> {
    if bonds.is_empty() || bonds.len() > BONDS_MAX {
        return Err(PlanError::Count { bonds: bonds.len() });
    }
    let first = bonds[0].reference_date;
    if let Some(bond) = bonds.iter().find(|bond| bond.reference_date != first) {
        return Err(PlanError::Days { first, other: bond.reference_date });
    }
    for (index, bond) in bonds.iter().enumerate() {
        if bond.unit_price.micros() >= trades::UNIT_PRICE_MICROS_END {
            return Err(PlanError::Price { line: index + 1, price: bond.unit_price });
        }
        let series = |bond: &BondQuote| (bond.title, bond.selic_code.to_string(), bond.maturity);
        if let Some(earlier) = bonds[..index].iter().position(|other| series(other) == series(bond)) {
            return Err(PlanError::SameSeries { first: earlier + 1, second: index + 1 });
        }
    }
    Ok(())
}

/// Makes the steps of one stage, with keys that say what they are.
struct Steps {
    prefix: &'static str,
    steps: Vec<Step>,
}

impl Steps {
    fn new(prefix: &'static str) -> Self {
        Self { prefix, steps: Vec::new() }
    }

    fn call(&mut self, party: Party, contract: Address, data: Vec<u8>, subject: String, effect: Effect) {
        let key = format!("demo/{}/{:03}", self.prefix, self.steps.len());
        let (target, data) = (Target::Call(contract), data.into());
        self.steps.push(Step { key, party, target, data, subject, effect });
    }

    fn stage(self, title: Title) -> Stage {
        Stage { title, steps: self.steps }
    }
}

#[cfg(test)]
mod tests;
