//! `lastro demo`: the platform's main job on real data, on a ledger that the binary carries.
//!
//! Real federal bonds at their published price are issued as tokens and settled against tokenised money. The plan is
//! made first ([`plan`]); every transaction goes the way it would go in production ([`session`]: lanes, custody, stored
//! before it is sent); what moved is compared with what was ordered ([`movements`]); the books ([`books`]) are written
//! from orders that were confirmed; at the end every balance is compared ([`reconcile`]) and shown ([`report`]).
//!
//! A run that dies goes on where it was when it is started again with the same data directory. [`chaos`] plays it in two
//! processes ([`part`]) and kills them.

pub(crate) mod book_keeper;
mod books;
mod chaos;
mod movements;
mod part;
mod parties;
mod plan;
mod reconcile;
mod report;
mod session;
mod stage_ledger;
mod suite;
mod texts;

use crate::bond_command::read_bonds;
use crate::cli::{Demo, Part};
use crate::dispatch::Limits;
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::StopSignals;
use crate::printer::Printer;
use alloy_primitives::Address;
use book_keeper::BookKeeper;
use chain::Chain;
use custody::{Custody, Network, Purpose};
use market::{BondQuote, bond_list};
use parties::{PARTIES, Party};
use plan::Plan;
use report::Report;
use serde_json::Value;
use session::Session;
use stage_ledger::StageLedger;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use texts::{Text, Texts};

/// The list that comes with the binary.
const PUBLISHED_BONDS: &[u8] = include_bytes!("../../../examples/tpf-anbima-2026-09-01.csv");

/// Plays the demonstration.
pub(crate) fn run(arguments: &Demo, printer: &Printer) -> Result<(), Failure> {
    let bonds = bonds(arguments.bonds.as_deref())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
    runtime.block_on(play(arguments, bonds, printer))
}

fn bonds(path: Option<&Path>) -> Result<Vec<BondQuote>, Failure> {
    match path {
        Some(path) => read_bonds(path),
        None => bond_list::parse(PUBLISHED_BONDS).map_err(|error| Failure::new(FailureKind::Usage, error)),
    }
}

async fn play(arguments: &Demo, bonds: Vec<BondQuote>, printer: &Printer) -> Result<(), Failure> {
    let cast = Cast::new()?;
    let plan =
        Plan::new(bonds, &|party| cast.wallet(party)).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let chaos = &arguments.chaos;
    match (chaos.seed, chaos.part) {
        (Some(seed), _) => chaos::run(arguments, seed, &plan, printer).await,
        (None, Some(Part::Ledger)) => part::ledger(arguments, &plan, printer).await,
        (None, Some(Part::Platform)) => {
            let named = arguments.data_dir.as_deref().zip(chaos.rpc.as_deref());
            let (directory, url) = named.expect("the command line requires both with `--part platform`");
            part::platform(directory, url, &plan, cast, Texts(arguments.lang), printer).await
        }
        (None, None) => alone(arguments, &plan, cast, printer).await,
    }
}

/// Plays in this process, on a ledger of its own.
async fn alone(arguments: &Demo, plan: &Plan, cast: Cast, printer: &Printer) -> Result<(), Failure> {
    let texts = Texts(arguments.lang);
    let mut signals = StopSignals::take()?;
    let ledger = StageLedger::open(arguments, plan, printer).await?;
    let mut result = tokio::select! {
        result = perform_here(&ledger, plan, cast, texts, &mut signals, printer) => result,
        // Without blocks nothing would ever come of what is waited for: the cause is said at once.
        failure = ledger.failed() => Err(failure),
    };
    printer.progress_end();
    if result.is_ok() && arguments.keep {
        printer.line(&format!("\n{}{}", texts.text(Text::Kept), ledger.addresses_in_words()));
        result = ledger.wait(&mut signals).await;
    }
    ledger.stop().await;
    result
}

async fn perform_here(
    ledger: &StageLedger,
    plan: &Plan,
    cast: Cast,
    texts: Texts,
    signals: &mut StopSignals,
    printer: &Printer,
) -> Result<(), Failure> {
    let setting = Setting {
        chain: ledger.chain(cast.custody).await?,
        limits: ledger.limits(),
        keeper: ledger.book_keeper().await?,
        shown: ledger.as_json(),
    };
    let stopped = async {
        signals.received().await;
        ledger.stopped()
    };
    perform(setting, plan, texts, stopped, printer).await?;
    printer.next_steps(texts.text(Text::Next), &ledger.next_commands());
    Ok(())
}

/// What a run plays with.
struct Setting {
    /// The way to the ledger.
    chain: Chain,
    /// How much is sent at once.
    limits: Limits,
    /// The books.
    keeper: BookKeeper,
    /// What the report says of the ledger.
    shown: Value,
}

/// Plays, compares and shows, unless it is stopped before everything was played.
async fn perform(
    setting: Setting,
    plan: &Plan,
    texts: Texts,
    stopped: impl Future<Output = Failure>,
    printer: &Printer,
) -> Result<(), Failure> {
    let Setting { chain, limits, keeper, shown } = setting;
    let mut session = Session::new(chain, limits, keeper, plan).await?;
    // Once everything was played it is shown, whoever is in a hurry.
    let mut result = tokio::select! {
        result = session.play(plan, texts, printer) => result,
        failure = stopped => Err(failure),
    };
    if result.is_ok() {
        result = settle(&session, plan, shown, texts, printer).await;
    }
    session.close().await;
    result
}

/// Compares the books with the ledger and shows everything.
///
/// # Errors
/// [`FailureKind::Refused`], naming each balance that differs.
async fn settle(session: &Session, plan: &Plan, ledger: Value, texts: Texts, printer: &Printer) -> Result<(), Failure> {
    let compared = reconcile::compare(session, plan).await?;
    let report = Report { plan, session, compared: &compared, texts };
    let differences = report.differences();
    report.show(printer);
    let mut value = report.as_json();
    value["ledger"] = ledger;
    printer.json(&value);
    if differences.is_empty() {
        printer.done(&format!("\n✓ {}", texts.text(Text::Agree)));
        return Ok(());
    }
    let error = anyhow::anyhow!("{}: {}", texts.text(Text::Differ), differences.join("; "));
    Err(Failure::new(FailureKind::Refused, error))
}

/// Everybody's keys and wallets.
struct Cast {
    custody: Custody,
    wallets: BTreeMap<Party, Address>,
}

impl Cast {
    /// Test keys for everybody. Custody makes them for the embedded profile alone.
    fn new() -> Result<Self, Failure> {
        let network = Network { profile: custody::ProfileName::embedded(), chain_id: stage_ledger::CHAIN_ID };
        let mut custody = Custody::new(network);
        let mut wallets = BTreeMap::new();
        for party in PARTIES {
            let address = custody.add_test_key(party.key_label(), Purpose::Transactions);
            let address = address.map_err(|error| Failure::new(FailureKind::Refused, error))?;
            let _ = wallets.insert(party, address);
        }
        Ok(Self { custody, wallets })
    }

    fn wallet(&self, party: Party) -> Address {
        self.wallets[&party]
    }
}

#[cfg(test)]
mod tests;
