//! What really moved in a transaction, read from its logs: compared with what was ordered, never posted.

use super::books::{Account, Asset, Posting};
use super::parties::{BANKS, PARTIES, Party};
use super::plan::Plan;
use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolEvent;
use bindings::drex::{RealDigital, TPFt, TPFtOperation1002, TPFtOperation1052};
use std::collections::BTreeMap;

/// Reads the logs of the suite's contracts.
pub(crate) struct Movements {
    money: BTreeMap<Address, Asset>,
    tpft: Address,
    operations: [Address; 2],
    parties: BTreeMap<Address, Party>,
    bonds: usize,
}

/// A log that the demonstration cannot explain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MovementError {
    /// Something moved to or from a wallet that takes no part.
    #[error("{asset:?} moved to or from {wallet}, which takes no part in the demonstration")]
    Stranger {
        /// What moved.
        asset: Asset,
        /// The wallet.
        wallet: Address,
    },
    /// More than the books can count.
    #[error("{amount} of {asset:?} moved, more than 2^64")]
    Amount {
        /// What moved.
        asset: Asset,
        /// How much.
        amount: U256,
    },
    /// A series that the demonstration did not create.
    #[error("bonds of series {id} moved, which the demonstration did not create")]
    Series {
        /// The id in TPFt.
        id: U256,
    },
}

impl Movements {
    pub(crate) fn new(plan: &Plan, wallet: impl Fn(Party) -> Address) -> Self {
        let mut money = BTreeMap::from([(plan.suite.real_digital, Asset::RealDigital)]);
        money.extend(BANKS.map(|bank| (plan.suite.token(bank), Asset::RealTokenizado(bank))));
        Self {
            money,
            tpft: plan.suite.tpft,
            operations: [plan.suite.operation_1002, plan.suite.operation_1052],
            parties: PARTIES.iter().map(|party| (wallet(*party), *party)).collect(),
            bonds: plan.bonds.len(),
        }
    }

    /// All movements of a transaction's logs, sorted.
    ///
    /// # Errors
    /// [`MovementError`] for a movement that nobody ordered could have caused.
    pub(crate) fn of(&self, logs: &[Log]) -> Result<Vec<Posting>, MovementError> {
        let mut postings = Vec::new();
        for log in logs {
            if let Some(asset) = self.money.get(&log.address)
                && let Ok(event) = RealDigital::Transfer::decode_log(log)
            {
                postings.push(self.posting(*asset, event.from, event.to, event.value)?);
            }
            if log.address == self.tpft
                && let Ok(event) = TPFt::TransferSingle::decode_log(log)
            {
                postings.push(self.posting(self.bond(event.id)?, event.from, event.to, event.value)?);
            }
        }
        postings.sort_unstable();
        Ok(postings)
    }

    /// The status that an operation's command reported, and the value that the contract computed, in centavos.
    pub(crate) fn command_of(&self, logs: &[Log]) -> Option<(String, U256)> {
        logs.iter().filter(|log| self.operations.contains(&log.address)).find_map(|log| {
            let placed = TPFtOperation1002::OperationEvent::decode_log(log).ok();
            let placed = placed.map(|event| (event.data.status, event.data.financialValue));
            let client = || {
                let event = TPFtOperation1052::OperationClientTradeEvent::decode_log(log).ok()?;
                Some((event.data.status, event.data.financialValue))
            };
            placed.or_else(client)
        })
    }

    /// Whether a wallet takes part; `None` for the zero address, which stands for the issuer.
    fn account(&self, asset: Asset, wallet: Address) -> Result<Account, MovementError> {
        if wallet.is_zero() {
            return Ok(Account::Issued);
        }
        let party = self.parties.get(&wallet).copied();
        party.map(Account::Held).ok_or(MovementError::Stranger { asset, wallet })
    }

    /// Series are numbered from 1 in the order of their creation, which is the list's.
    fn bond(&self, id: U256) -> Result<Asset, MovementError> {
        let place = usize::try_from(id).ok().and_then(|id| id.checked_sub(1)).filter(|place| *place < self.bonds);
        place.map(Asset::Bond).ok_or(MovementError::Series { id })
    }

    fn posting(&self, asset: Asset, from: Address, to: Address, amount: U256) -> Result<Posting, MovementError> {
        let units = u64::try_from(amount).map_err(|_| MovementError::Amount { asset, amount })?;
        Ok(Posting { asset, from: self.account(asset, from)?, to: self.account(asset, to)?, amount: units })
    }
}
