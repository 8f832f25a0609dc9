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
use crate::dispatch::{Dispatch, Order, check};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use alloy_primitives::{B256, keccak256};
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

/// Identifies a plan: a directory belongs to one.
fn fingerprint(version: &str, stages: &[Stage]) -> B256 {
    let mut bytes = version.as_bytes().to_vec();
    for order in stages.iter().flat_map(|stage| &stage.orders) {
        bytes.extend_from_slice(order.key.as_bytes());
        bytes.extend_from_slice(keccak256(&order.data).as_slice());
    }
    keccak256(bytes)
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
        for (order, sent) in stage.orders.iter().zip(&sent) {
            check(&sent.mined, &order.subject, order.target)?;
        }
        let repeated = sent.iter().filter(|one| one.latency.is_none()).count();
        played.repeated += repeated;
        played.sent += sent.len() - repeated;
    }
    printer.progress_end();
    Ok(played)
}
