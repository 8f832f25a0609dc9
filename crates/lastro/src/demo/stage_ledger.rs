//! The ledger on which the demonstration plays: opened in the same process, fresh or where an earlier run left it.

use super::plan::Plan;
use crate::cli::Demo;
use crate::failure::{Failure, FailureKind};
use crate::in_process::InProcess;
use crate::ledger_command::data_dir_failure;
use crate::ledger_command::run::{EMBEDDED_CHAIN_ID, listen, open_with, wait_for_end};
use crate::printer::Printer;
use anyhow::Context;
use chain::{Chain, OpenError, Profile, Rules};
use custody::Custody;
use ledger::clock::Clock;
use ledger::data_dir::{DataDir, InitOptions};
use ledger::node::{Ledger, NodeOptions, Sealing};
use ledger::rpc::{RpcOptions, Served, module};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Chain of the demonstration: the embedded profile's.
pub(super) const CHAIN_ID: u64 = EMBEDDED_CHAIN_ID;
/// Most gas of a block. All creations of the suite with their limits fit into one.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Shortest time between two blocks: short enough for a demonstration, long enough to watch.
const BLOCK_PERIOD_MILLISECONDS: u64 = 250;
/// Seconds from midnight UTC to noon: the demonstration begins at noon of the day of the prices.
const NOON_SECONDS: u64 = 12 * 3_600;

/// A running ledger with its directory.
pub(super) struct StageLedger {
    path: PathBuf,
    ledger: Ledger,
    sealing: Sealing,
    served: Option<(Served, Served)>,
}

fn environment(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(FailureKind::Environment, error)
}

impl StageLedger {
    /// Opens the directory that is named, or makes a fresh one.
    ///
    /// # Errors
    /// [`Failure`] if the directory belongs to another list of bonds, or cannot be used.
    pub(super) async fn open(arguments: &Demo, plan: &Plan, printer: &Printer) -> Result<Self, Failure> {
        let path = match &arguments.data_dir {
            Some(path) => path.clone(),
            None => fresh_directory()?,
        };
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make `{}`", path.display())).map_err(environment)?;
        let data_dir = open_or_init(&path.join("ledger"), plan)?;
        claim(&path, plan)?;
        let began_at = noon(plan);
        let options = NodeOptions { clock: Clock::starting_at(began_at), ..NodeOptions::default() };
        let (ledger, sealer) = open_with(data_dir, options, printer)?;
        // Sockets first: if a port is taken, nothing has been sealed.
        let served = if arguments.keep { Some(listen(&ledger, arguments.http, arguments.ws).await?) } else { None };
        Ok(Self { path, ledger, sealing: sealer.start(), served })
    }

    /// The ledger through its lanes, without a socket.
    ///
    /// # Errors
    /// [`Failure`] if the store cannot be used.
    pub(super) async fn chain(&self, custody: Custody) -> Result<Chain, Failure> {
        let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
        let transport = Arc::new(InProcess(module(self.ledger.clone(), RpcOptions::default())));
        let opened = Chain::open(profile, transport, &self.path.join("chain.db"), Arc::new(custody)).await;
        opened.map_err(|error: OpenError| environment(error).with_hint("choose another directory with `--data-dir`"))
    }

    /// Commands that go on from here.
    pub(super) fn next_commands(&self) -> Vec<String> {
        let path = self.path.display();
        let mut commands = vec![format!("lastro ledger inspect --data-dir {path}/ledger"), format!("lastro ledger run --data-dir {path}/ledger")];
        match &self.served {
            None => commands.insert(0, format!("lastro demo --keep --data-dir {path}")),
            Some((http, _)) => {
                let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#;
                commands = vec![format!("curl -s -H 'content-type: application/json' -d '{body}' http://{}", http.address())];
            }
        }
        commands.push("lastro bond price examples/tpf-anbima-2026-09-01.csv".to_owned());
        commands
    }

    /// Waits until somebody wants the ledger to stop.
    ///
    /// # Errors
    /// [`Failure`] if sealing failed.
    pub(super) async fn wait(&self) -> Result<(), Failure> {
        match wait_for_end(&self.ledger).await? {
            None => Ok(()),
            Some(error) => Err(environment(error)),
        }
    }

    /// Stops everything; the directory is free then.
    pub(super) async fn stop(self) {
        if let Some((http, ws)) = self.served {
            http.stop().await;
            ws.stop().await;
        }
        self.sealing.stop();
    }
}

fn fresh_directory() -> Result<PathBuf, Failure> {
    let name = format!("lastro-demo-{}-{}", std::process::id(), Clock::System.unix_seconds());
    Ok(std::env::temp_dir().join(name))
}

fn noon(plan: &Plan) -> u64 {
    super::plan::unix_seconds(plan.bonds[0].reference_date) + NOON_SECONDS
}

fn open_or_init(path: &Path, plan: &Plan) -> Result<DataDir, Failure> {
    if path.join("network.json").exists() {
        return DataDir::open(path).map_err(data_dir_failure);
    }
    // The validator here is nobody's: adopting puts this node in its place.
    let genesis = json!({
        "config": {
            "chainId": CHAIN_ID,
            "berlinBlock": 0,
            "qbft": { "blockPeriodSeconds": 1, "xBlockPeriodMilliseconds": BLOCK_PERIOD_MILLISECONDS },
        },
        "timestamp": format!("0x{:x}", noon(plan)),
        "gasLimit": format!("0x{BLOCK_GAS_LIMIT:x}"),
        "extraData": format!("0xf83aa0{}d594{}c080c0", "00".repeat(32), "00".repeat(19) + "01"),
        "alloc": {},
    });
    let options = InitOptions { key: None, is_adopting: true };
    DataDir::init(path, genesis.to_string().as_bytes(), options).map_err(data_dir_failure)
}

/// Ties the directory to the plan: another list of bonds would be another story on the same ledger.
fn claim(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let file = path.join("plan");
    let fingerprint = plan.fingerprint().to_string();
    match std::fs::read_to_string(&file) {
        Ok(found) if found.trim() == fingerprint => Ok(()),
        Ok(found) if !found.trim().is_empty() => {
            let error = anyhow::anyhow!("`{}` holds the demonstration of another list of bonds", path.display());
            Err(Failure::new(FailureKind::Usage, error).with_hint("choose another directory with `--data-dir`"))
        }
        _ => std::fs::write(&file, fingerprint).with_context(|| format!("cannot write `{}`", file.display())).map_err(environment),
    }
}
