//! The two processes of `lastro demo --chaos`: the ledger with its sockets, and the platform that sends to it. Each ends when
//! whoever started it is gone.

use super::book_keeper::BookKeeper;
use super::plan::Plan;
use super::session::keep_failure;
use super::stage_ledger::{BLOCK_PERIOD, StageLedger, profile};
use super::texts::Texts;
use super::{Cast, Setting, perform};
use crate::cli::Demo;
use crate::dispatch::{CHAIN_FILE, Limits, open_failure};
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::StopSignals;
use crate::printer::Printer;
use chain::{Chain, HttpTransport};
use journal::Place;
use serde_json::json;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The ledger: says where it listens, and seals until it is stopped.
pub(super) async fn ledger(arguments: &Demo, plan: &Plan, printer: &Printer) -> Result<(), Failure> {
    let mut signals = StopSignals::take()?;
    let ledger = StageLedger::open(arguments, plan, printer).await?;
    printer.json(&ledger.as_json());
    let result = tokio::select! {
        result = ledger.wait(&mut signals) => result,
        () = starter_gone() => Ok(()),
    };
    ledger.stop().await;
    result
}

/// The platform: plays against the node at this URL, and reports as the whole demonstration does.
pub(super) async fn platform(
    directory: &Path,
    url: &str,
    plan: &Plan,
    cast: Cast,
    texts: Texts,
    printer: &Printer,
) -> Result<(), Failure> {
    let transport = HttpTransport::new(url).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let store = Place::Sqlite { path: directory.join(CHAIN_FILE) };
    let playing = async {
        let chain = Chain::open(profile(), Arc::new(transport), &store, Arc::new(cast.custody)).await;
        let keeper = BookKeeper::open(directory).await.map_err(keep_failure)?;
        let limits = Limits::embedded(BLOCK_PERIOD);
        let setting = Setting { chain: chain.map_err(open_failure)?, limits, keeper, shown: json!({ "http": url }) };
        perform(setting, plan, texts, std::future::pending(), printer).await
    };
    tokio::select! {
        played = playing => played,
        // Whatever is left in the stores is what a killed process leaves.
        () = starter_gone() => {
            let error = anyhow::anyhow!("whoever started this process is gone");
            Err(Failure::new(FailureKind::Unknown, error))
        }
    }
}

/// Waits until standard input ends: whoever started this process holds its other end.
async fn starter_gone() {
    let (gone, is_gone) = oneshot::channel();
    // A thread that nobody waits for: it ends with the process.
    drop(std::thread::spawn(move || {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        let _ = gone.send(());
    }));
    drop(is_gone.await);
}
