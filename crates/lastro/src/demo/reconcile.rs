//! The books against the ledger: every balance of everybody, every supply, and nobody unknown.

use super::books::Asset;
use super::parties::{BANKS, PARTIES, Party};
use super::plan::Plan;
use super::session::Session;
use crate::failure::{Failure, FailureKind};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{RealDigital, TPFt};
use chain::{At, CallRequest, Chain};

/// One compared balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    /// What.
    pub(crate) asset: Asset,
    /// Whose; `None` for the supply.
    pub(crate) party: Option<Party>,
    /// By the books.
    pub(crate) books: i128,
    /// By the ledger.
    pub(crate) ledger: U256,
}

impl Compared {
    /// Whether both say the same.
    pub(crate) fn agrees(&self) -> bool {
        U256::try_from(self.books).is_ok_and(|books| books == self.ledger)
    }
}

/// All assets of a plan.
pub(crate) fn assets(plan: &Plan) -> Vec<Asset> {
    let mut assets = vec![Asset::RealDigital];
    assets.extend(BANKS.map(Asset::RealTokenizado));
    assets.extend((0..plan.bonds.len()).map(Asset::Bond));
    assets
}

/// Asks the ledger for every balance and supply, and sets the books' beside it. The supply is compared too, so that a
/// balance of somebody who is in no book cannot hide.
///
/// # Errors
/// [`Failure`] if the ledger does not answer.
pub(crate) async fn compare(session: &Session, plan: &Plan) -> Result<Vec<Compared>, Failure> {
    let (chain, books) = (session.chain(), &session.books);
    let mut compared = Vec::new();
    for asset in assets(plan) {
        for party in PARTIES {
            let ledger = read(chain, plan, asset, Some(session.wallet(party))).await?;
            compared.push(Compared { asset, party: Some(party), books: books.held(asset, party), ledger });
        }
        let ledger = read(chain, plan, asset, None).await?;
        compared.push(Compared { asset, party: None, books: books.supply(asset), ledger });
    }
    Ok(compared)
}

/// A balance, or the supply where no account is given.
async fn read(chain: &Chain, plan: &Plan, asset: Asset, account: Option<Address>) -> Result<U256, Failure> {
    let (contract, data): (Address, Vec<u8>) = match (asset, account) {
        (Asset::Bond(place), account) => {
            let id = U256::from(place + 1);
            let data = account.map_or_else(
                || TPFt::totalSupplyCall { tpftId: id }.abi_encode(),
                |account| TPFt::balanceOfCall { account, id }.abi_encode(),
            );
            (plan.suite.tpft, data)
        }
        (money, account) => {
            let contract = match money {
                Asset::RealTokenizado(bank) => plan.suite.token(bank),
                _ => plan.suite.real_digital,
            };
            let data = account.map_or_else(
                || RealDigital::totalSupplyCall {}.abi_encode(),
                |account| RealDigital::balanceOfCall { account }.abi_encode(),
            );
            (contract, data)
        }
    };
    let request = CallRequest::read(contract, Bytes::from(data));
    let answer = chain.rpc().call(&request, At::Latest).await;
    let answer = answer.map_err(|error| Failure::new(FailureKind::Unreachable, error))?;
    // An address without code answers with nothing, which must not pass for a balance of zero.
    let number = answer.get(..32).map(U256::from_be_slice);
    number.ok_or_else(|| {
        let error = anyhow::anyhow!("`{contract}` answered {} bytes where a balance has 32", answer.len());
        Failure::new(FailureKind::Refused, error)
    })
}
