//! Tests of the whole demonstration, played in this process: what moves behind its back is found and named.

use super::*;
use crate::cli::{Chaos, Language};
use crate::demo::books::{Asset, Posting, hundredths};
use crate::demo::parties::Bank;
use crate::demo::plan::{Effect, Title};
use crate::dispatch::{Order, Target};
use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall;
use bindings::drex::{RealDigital, RealTokenizado, TPFt};
use chain::Mined;
use std::path::PathBuf;

const IPE: Party = Party::Bank(Bank::Ipe);
const JATOBA: Party = Party::Bank(Bank::Jatoba);
const ANA: Party = Party::Client(Bank::Ipe);
const BRUNO: Party = Party::Client(Bank::Jatoba);

/// A demonstration on a ledger of its own, with one bond so that it is short.
struct Theatre {
    plan: Plan,
    ledger: StageLedger,
    session: Session,
    _directory: tempfile::TempDir,
}

impl Theatre {
    /// A stage on which nothing was played yet.
    async fn open(rewrite: impl FnOnce(&mut Plan)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cast = Cast::new().unwrap();
        let mut list = bonds(None).unwrap();
        list.truncate(1);
        let mut plan = Plan::new(list, &|party| cast.wallet(party)).unwrap();
        rewrite(&mut plan);
        let ledger = StageLedger::open(&arguments(directory.path()), &plan, &Printer::silent()).await.unwrap();
        let chain = ledger.chain(cast.custody).await.unwrap();
        let keeper = ledger.book_keeper().await.unwrap();
        let session = Session::new(chain, ledger.limits(), keeper, &plan).await.unwrap();
        Self { plan, ledger, session, _directory: directory }
    }

    /// A stage on which everything was played, as planned.
    async fn played() -> Self {
        let mut theatre = Self::open(|_| {}).await;
        theatre.play().await.unwrap();
        theatre.settle().await.unwrap();
        theatre
    }

    async fn play(&mut self) -> Result<(), Failure> {
        self.session.play(&self.plan, Texts(Language::En), &Printer::silent()).await
    }

    async fn settle(&self) -> Result<(), Failure> {
        settle(&self.session, &self.plan, self.ledger.as_json(), Texts(Language::En), &Printer::silent()).await
    }

    async fn send(&self, party: Party, contract: Address, call: impl SolCall) -> Mined {
        self.session.send_outside_the_plan(outside_the_plan(party, contract, call)).await
    }

    async fn send_what_fails(&self, party: Party, contract: Address, call: impl SolCall) -> Mined {
        let order = Order { is_meant_to_fail: true, ..outside_the_plan(party, contract, call) };
        self.session.send_outside_the_plan(order).await
    }

    /// What the books say that somebody has, as it is shown.
    fn in_books(&self, asset: Asset, party: Party) -> i128 {
        self.session.books.held(asset, party)
    }
}

fn outside_the_plan(party: Party, contract: Address, call: impl SolCall) -> Order {
    let data = Bytes::from(call.abi_encode());
    Order {
        key: format!("outside-the-plan/{}", alloy_primitives::keccak256(&data)),
        sender: party.into(),
        target: Target::Call(contract),
        data,
        subject: "outside the plan".to_owned(),
        is_meant_to_fail: false,
    }
}

fn arguments(directory: &Path) -> Demo {
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    let data_dir: Option<PathBuf> = Some(directory.to_owned());
    Demo { data_dir, bonds: None, lang: Language::En, keep: false, http: any, ws: any, chaos: Chaos::NONE }
}

/// The words in which a failure names what differs.
fn named(failure: &Failure) -> String {
    assert_eq!(failure.kind, FailureKind::Refused);
    failure.error.to_string()
}

#[tokio::test]
async fn one_cent_that_moved_behind_the_books_is_named() {
    let theatre = Theatre::played().await;
    let (ipe, jatoba) = (theatre.in_books(Asset::RealDigital, IPE), theatre.in_books(Asset::RealDigital, JATOBA));
    let transfer = RealDigital::transferCall { to: theatre.session.wallet(JATOBA), value: U256::ONE };
    let mined = theatre.send(IPE, theatre.plan.suite.real_digital, transfer).await;
    assert!(mined.execution.is_success());
    let expected = format!(
        "the books do not agree with the ledger: Banco Ipê, Real Digital: books {}, ledger {}; \
         Banco Jatobá, Real Digital: books {}, ledger {}",
        hundredths(ipe),
        hundredths(ipe - 1),
        hundredths(jatoba),
        hundredths(jatoba + 1),
    );
    assert_eq!(named(&theatre.settle().await.unwrap_err()), expected);
}

#[tokio::test]
async fn one_cent_that_was_minted_behind_the_books_is_named_in_the_supply_too() {
    let theatre = Theatre::played().await;
    let asset = Asset::RealTokenizado(Bank::Ipe);
    let (ana, supply) = (theatre.in_books(asset, ANA), theatre.session.books.supply(asset));
    let mint = RealTokenizado::mintCall { to: theatre.session.wallet(ANA), amount: U256::ONE };
    let mined = theatre.send(IPE, theatre.plan.suite.token(Bank::Ipe), mint).await;
    assert!(mined.execution.is_success());
    let expected = format!(
        "the books do not agree with the ledger: Ana (Banco Ipê), RealTokenizado@11111111: books {}, ledger {}; \
         in circulation, RealTokenizado@11111111: books {}, ledger {}",
        hundredths(ana),
        hundredths(ana + 1),
        hundredths(supply),
        hundredths(supply + 1),
    );
    assert_eq!(named(&theatre.settle().await.unwrap_err()), expected);
}

#[tokio::test]
#[expect(non_snake_case, reason = "fields of the contracts' arguments are named as in Solidity")]
async fn a_bond_does_not_move_outside_of_an_operation() {
    let theatre = Theatre::played().await;
    assert!(theatre.in_books(Asset::Bond(0), ANA) > 0);
    let (from, to) = (theatre.session.wallet(ANA), theatre.session.wallet(BRUNO));
    let plain = TPFt::safeTransferFrom_1Call { from, to, id: U256::ONE, value: U256::ONE, data: Bytes::new() };
    let bond = &theatre.plan.bonds[0];
    let tpftData = TPFt::TPFtData {
        acronym: bond.title.as_str().to_owned(),
        code: bond.selic_code.to_string(),
        maturityDate: U256::from(plan::unix_seconds(bond.maturity)),
    };
    let named = TPFt::safeTransferFrom_0Call { from, to, tpftData, tpftAmount: U256::ONE };
    let tpft = theatre.plan.suite.tpft;
    let mined = [theatre.send_what_fails(ANA, tpft, plain).await, theatre.send_what_fails(ANA, tpft, named).await];
    let reasons = mined.map(|mined| bindings::revert::decode(mined.execution.revert_data().unwrap()).to_string());
    let operators_alone = format!(
        "AccessControlUnauthorizedAccount(account: {from}, neededRole: {})",
        alloy_primitives::keccak256("OPERATOR_ROLE")
    );
    assert_eq!(reasons, [operators_alone.clone(), operators_alone]);
    theatre.settle().await.unwrap();
}

#[tokio::test]
async fn a_step_that_moved_other_than_ordered_ends_the_demonstration() {
    let mut ordered = 0;
    let mut theatre = Theatre::open(|plan| ordered = order_one_cent_more(plan)).await;
    let failed = theatre.play().await.unwrap_err();
    let (moved, ordered) = (hundredths(i128::from(ordered) - 1), hundredths(i128::from(ordered)));
    let expected = format!(
        "`mint Real Digital for Banco Ipê` moved {moved} of Real Digital from the issuer to Banco Ipê, \
         but ordered was {ordered} of Real Digital from the issuer to Banco Ipê"
    );
    assert_eq!(named(&failed), expected);
    let last = theatre.session.done.last().unwrap();
    let fund = theatre.plan.stages.iter().find(|stage| stage.title == Title::Fund).unwrap();
    assert_eq!(last.key, fund.steps.last().unwrap().key, "nothing is sent after the stage that went wrong");
}

/// Adds a cent to the books' side of the first mint, whose transaction stays as it is.
fn order_one_cent_more(plan: &mut Plan) -> u64 {
    let mut steps = plan.stages.iter_mut().flat_map(|stage| &mut stage.steps);
    let moves = steps.find_map(|step| match &mut step.effect {
        Effect::Moves(postings) => Some(postings),
        _ => None,
    });
    let Posting { amount, .. } = &mut moves.unwrap()[0];
    *amount += 1;
    *amount
}

#[tokio::test]
async fn a_settlement_that_moved_other_than_ordered_ends_the_demonstration() {
    let mut theatre = Theatre::open(|plan| plan.operations[0].postings[0].amount += 1).await;
    let failed = named(&theatre.play().await.unwrap_err());
    assert!(failed.starts_with("`operation 120260901: the "), "{failed}");
    assert!(
        failed.contains("of Real Digital from Banco Ipê to Tesouro Nacional and 50.00 of LTN 2026-10-01"),
        "{failed}"
    );
}

#[tokio::test]
async fn what_should_have_failed_and_did_not_ends_the_demonstration() {
    let mut theatre = Theatre::open(|plan| {
        let mut steps = plan.stages.iter_mut().flat_map(|stage| &mut stage.steps);
        let minting = steps.find(|step| matches!(step.effect, Effect::Moves(_)));
        minting.unwrap().effect = Effect::Fails("ERC20InsufficientBalance");
    })
    .await;
    let failed = named(&theatre.play().await.unwrap_err());
    let expected = "`mint Real Digital for Banco Ipê` should have failed with ERC20InsufficientBalance, but it did not";
    assert_eq!(failed, expected);
}
