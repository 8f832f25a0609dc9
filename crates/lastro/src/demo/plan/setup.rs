//! The stages before the first trade: contracts, admissions, money, issue.

#![expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]

use super::{Effect, Plan, Stage, Step, Steps, Title, trades};
use crate::demo::books::{Account, Asset, Posting};
use crate::demo::parties::{BANKS, Party};
use crate::dispatch::Order;
use crate::drex_suite::{Setup, Wallet, units};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{RealDigital, RealTokenizado, TPFtOperation1001};

/// Bonds of each series that the Treasury issues, in hundredths.
const ISSUED: u64 = 100 * trades::ONE_BOND;
/// Bought beyond what its placements cost, in centavos: R$ 1,000,000.00 for a bank.
const BANK_SPARE: u64 = 100_000_000;

/// All stages of the set-up.
pub(super) fn stages(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Vec<Stage> {
    let address = |whose: Wallet| wallet(whose.into());
    let setup = Setup { suite: &plan.suite.whole, wallet: &address, prefix: "demo" };
    vec![
        stage(Title::Deploy, setup.deploy()),
        stage(Title::Admit, setup.admit()),
        stage(Title::Enable, setup.enable()),
        fund(plan, wallet),
        issue(plan),
    ]
}

/// A stage of the suite's own set-up, in which nothing moves.
fn stage(title: Title, orders: Vec<Order>) -> Stage {
    let steps = orders.into_iter().map(|order| Step {
        key: order.key,
        party: order.sender.into(),
        target: order.target,
        data: order.data,
        subject: order.subject,
        effect: Effect::Nothing,
    });
    Stage { title, steps: steps.collect() }
}

/// Real Digital for each bank; part of it moves to the reserve and backs, centavo by centavo, what the client gets.
fn fund(plan: &Plan, wallet: &dyn Fn(Party) -> Address) -> Stage {
    let suite = &plan.suite;
    let mut steps = Steps::new("fund");
    for bank in BANKS {
        let (owner, reserve, client) = (Party::Bank(bank), Party::Reserve(bank), Party::Client(bank));
        let deposit = trades::deposit_of(plan, client);
        // The same wallet buys at placements and later from the other bank; what it sells brings in less than this.
        let bought: u64 = plan.operations.iter().filter(|one| one.buyer == owner).map(|one| one.value).sum();
        let minted = bought + deposit + BANK_SPARE;
        let posting = |asset, from, to, amount| Effect::Moves(vec![Posting { asset, from, to, amount }]);
        // Straight from the issuer to both wallets: each bank's own wallet then need not wait to fund its reserve.
        for (party, amount) in [(owner, minted - deposit), (reserve, deposit)] {
            let data = RealDigital::mintCall { to: wallet(party), amount: units(amount) }.abi_encode();
            let effect = posting(Asset::RealDigital, Account::Issued, Account::Held(party), amount);
            let subject = format!("mint Real Digital for {}", party.name());
            steps.call(Party::CentralBank, suite.real_digital, data, subject, effect);
        }
        let data = RealTokenizado::mintCall { to: wallet(client), amount: units(deposit) }.abi_encode();
        let effect = posting(Asset::RealTokenizado(bank), Account::Issued, Account::Held(client), deposit);
        steps.call(owner, suite.token(bank), data, format!("deposit of {}", client.name()), effect);
    }
    steps.stage(Title::Fund)
}

fn issue(plan: &Plan) -> Stage {
    let mut steps = Steps::new("issue");
    for (index, bond) in plan.bonds.iter().enumerate() {
        let name = format!("{} {}", bond.title.as_str(), bond.maturity);
        let (acronym, code, maturityDate) = trades::series(bond);
        let tpftData = TPFtOperation1001::TPFtData { acronym, code, maturityDate };
        let create = TPFtOperation1001::createTPFtCall { tpftData: tpftData.clone() }.abi_encode();
        let contract = plan.suite.operation_1001;
        steps.call(Party::CentralBank, contract, create, format!("create series {name}"), Effect::Nothing);
        let operationId = U256::from(trades::operation_id(plan.bonds[0].reference_date, 1_000 + index));
        let mint = TPFtOperation1001::mintCall { operationId, tpftData, tpftAmount: units(ISSUED) }.abi_encode();
        let (from, to) = (Account::Issued, Account::Held(Party::Treasury));
        let effect = Effect::Moves(vec![Posting { asset: Asset::Bond(index), from, to, amount: ISSUED }]);
        steps.call(Party::CentralBank, contract, mint, format!("issue {name}"), effect);
    }
    steps.stage(Title::Issue)
}
