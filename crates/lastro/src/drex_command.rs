//! `lastro drex …`: the Drex pilot's suite, on this machine or on a network.
//!
//! Both commands go the demonstration's way: the suite of [`drex_suite`](crate::drex_suite), planned before anything is
//! sent, each transaction under its own key by [`dispatch`](crate::dispatch). What a directory belongs to is claimed in a
//! file before the first of them, so that a run that died, or a second one, finds the suite and deploys nothing twice.

mod deploy;
mod funding;
mod network;
mod participants;
mod report;
mod sandbox;
mod sandbox_ledger;
mod texts;

use crate::cli::DrexCommand;
use crate::dispatch::{Dispatch, Order};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use texts::{Text, Texts};

/// Runs one of the commands.
pub(crate) fn run(command: DrexCommand, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
    match command {
        DrexCommand::Sandbox(arguments) => runtime.block_on(sandbox::run(&arguments, printer)),
        DrexCommand::Deploy(arguments) => runtime.block_on(deploy::run(&arguments, printer)),
    }
}

/// Transactions that may be sent together, and what they are for.
struct Stage {
    title: Text,
    orders: Vec<Order>,
}

/// What came of a plan.
#[derive(Clone, Copy, Debug, Default)]
struct Played {
    /// Transactions that this run sent.
    sent: usize,
    /// Transactions that an earlier run had sent.
    repeated: usize,
}

/// Sends all stages.
///
/// # Errors
/// [`Failure`] at the first transaction that was not sent or failed on the ledger.
async fn play(dispatch: &Dispatch, stages: &[Stage], texts: Texts, printer: &Printer) -> Result<Played, Failure> {
    let all: usize = stages.iter().map(|stage| stage.orders.len()).sum();
    let mut played = Played::default();
    for stage in stages {
        let done = played.sent + played.repeated;
        printer.progress(&format!("{done}/{all} · {}", texts.text(stage.title)));
        let sent = dispatch.send(&stage.orders).await?;
        let repeated = sent.iter().filter(|one| one.latency.is_none()).count();
        played.repeated += repeated;
        played.sent += sent.len() - repeated;
    }
    printer.progress_end();
    Ok(played)
}
