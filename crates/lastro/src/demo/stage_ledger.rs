//! The ledger on which the demonstration plays: opened in the same process, fresh or where an earlier run left it.

use super::plan::Plan;
use crate::cli::Demo;
use crate::failure::{Failure, FailureKind};
use crate::in_process::InProcess;
use crate::ledger_command::data_dir_failure;
use crate::ledger_command::run::{EMBEDDED_CHAIN_ID, StopSignals, listen, open_with, wait_for_end};
use crate::printer::Printer;
use anyhow::Context;
use chain::{Chain, OpenError, Profile, Rules};
use custody::Custody;
use ledger::clock::Clock;
use ledger::data_dir::{DataDir, InitOptions};
use ledger::node::{Ledger, NodeOptions, Sealing};
use ledger::rpc::{RpcOptions, Served, module};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Chain of the demonstration: the embedded profile's.
pub(super) const CHAIN_ID: u64 = EMBEDDED_CHAIN_ID;
/// Most gas of a block. All creations of the suite with their limits fit into one.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Shortest time between two blocks: short enough for a demonstration, long enough to watch.
const BLOCK_PERIOD_MILLISECONDS: u64 = 250;
/// The list that comes with the binary, as a file of the repository.
const PUBLISHED_BONDS_PATH: &str = "examples/tpf-anbima-2026-09-01.csv";
/// Seconds from midnight UTC to noon: the demonstration begins at noon of the day of the prices.
const NOON_SECONDS: u64 = 12 * 3_600;

/// A running ledger with its directory.
pub(super) struct StageLedger {
    path: PathBuf,
    bonds: PathBuf,
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
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make `{}`", path.display()))
            .map_err(environment)?;
        let data_dir = open_or_init(&path.join("ledger"), plan)?;
        check_chain(&data_dir)?;
        claim(&path, plan)?;
        let began_at = noon(plan);
        let options = NodeOptions { clock: Clock::starting_at(began_at), ..NodeOptions::default() };
        let (ledger, sealer) = open_with(data_dir, options, printer)?;
        // Sockets first: if a port is taken, nothing has been sealed.
        let served = if arguments.keep { Some(listen(&ledger, arguments.http, arguments.ws).await?) } else { None };
        let bonds = arguments.bonds.clone().unwrap_or_else(|| PathBuf::from(PUBLISHED_BONDS_PATH));
        Ok(Self { path, bonds, ledger, sealing: sealer.start(), served })
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

    /// Commands that go on from here, as they can be typed where this one was.
    pub(super) fn next_commands(&self) -> Vec<String> {
        let (program, path) = (program(), self.path.display());
        let mut commands = match &self.served {
            None => vec![
                format!("{program} demo --keep --data-dir {path}{}", self.list_option()),
                format!("{program} ledger inspect --data-dir {path}/ledger"),
                format!("{program} ledger run --data-dir {path}/ledger"),
            ],
            Some((http, _)) => {
                let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#;
                let url = format!("http://{}", http.address());
                vec![format!("curl -s -H 'content-type: application/json' -d '{body}' {url}")]
            }
        };
        if self.bonds.exists() {
            commands.push(format!("{program} bond price {}", self.bonds.display()));
        }
        commands
    }

    /// The option that names this list of bonds again, where it is not the one that comes with the binary.
    fn list_option(&self) -> String {
        let is_published = self.bonds == Path::new(PUBLISHED_BONDS_PATH);
        if is_published { String::new() } else { format!(" --bonds {}", self.bonds.display()) }
    }

    /// What somebody is told who stopped the demonstration before its end.
    pub(super) fn stopped(&self) -> Failure {
        let error = anyhow::anyhow!("the demonstration was stopped before its end");
        let path = self.path.display();
        let hint =
            format!("go on with `{} demo --data-dir {path}{}`: nothing is sent twice", program(), self.list_option());
        Failure::new(FailureKind::Unknown, error).with_hint(hint)
    }

    /// Where the ledger is and listens, for machines.
    pub(super) fn as_json(&self) -> Value {
        let served = self.served.as_ref();
        json!({
            "dataDir": self.path.join("ledger").display().to_string(),
            "chainId": CHAIN_ID,
            "http": served.map(|(http, _)| format!("http://{}", http.address())),
            "ws": served.map(|(_, ws)| format!("ws://{}", ws.address())),
        })
    }

    /// Where the ledger listens, for people; empty if it does not.
    pub(super) fn addresses_in_words(&self) -> String {
        let served = self.served.as_ref();
        served.map_or_else(String::new, |(http, ws)| format!(": http://{}, ws://{}", http.address(), ws.address()))
    }

    /// Waits until somebody wants the ledger to stop.
    ///
    /// # Errors
    /// [`Failure`] if sealing failed.
    pub(super) async fn wait(&self, signals: &mut StopSignals) -> Result<(), Failure> {
        match wait_for_end(&self.ledger, signals).await {
            None => Ok(()),
            Some(error) => Err(environment(error)),
        }
    }

    /// Waits until the ledger cannot seal any more, if ever, and says why.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost if it is dropped.
    pub(super) async fn failed(&self) -> Failure {
        environment(self.ledger.failed().await)
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

/// This program as it was called, so that a command can be repeated where it is in no search path.
fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_path = called.as_ref().is_some_and(|called| called.components().count() > 1);
    called.filter(|_| is_path).map_or_else(|| "lastro".to_owned(), |called| called.display().to_string())
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

/// The test keys of the demonstration sign on the embedded profile's chain alone.
fn check_chain(data_dir: &DataDir) -> Result<(), Failure> {
    let found = data_dir.genesis().config.chain_id;
    if found == CHAIN_ID {
        return Ok(());
    }
    let path = data_dir.path().display();
    let error = anyhow::anyhow!("data directory `{path}` belongs to chain {found}, not {CHAIN_ID}");
    Err(environment(error).with_hint("choose another with `--data-dir`, or look inside with `lastro ledger inspect`"))
}

/// Ties the directory to the plan: another list of bonds would be another story on the same ledger. The file is there whole
/// or not at all, and nothing is sent before it is there.
fn claim(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let (file, written) = (path.join("plan"), path.join("plan.tmp"));
    let fingerprint = plan.fingerprint().to_string();
    match std::fs::read_to_string(&file) {
        Ok(found) if found == fingerprint => return Ok(()),
        Ok(_) => {
            let error = anyhow::anyhow!("`{}` holds the demonstration of another list of bonds", path.display());
            let hint = "choose another directory with `--data-dir`, or play the list with which this one began";
            return Err(Failure::new(FailureKind::Usage, error).with_hint(hint));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot read `{}`", file.display()));
            return Err(environment(error));
        }
    }
    let made = write_synced(&written, &fingerprint).and_then(|()| std::fs::rename(&written, &file));
    made.with_context(|| format!("cannot write `{}`", file.display())).map_err(environment)
}

fn write_synced(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::Cast;
    use super::*;

    fn plan_of(bonds: usize) -> Plan {
        let (cast, mut list) = (Cast::new().unwrap(), super::super::bonds(None).unwrap());
        list.truncate(bonds);
        Plan::new(list, &|party| cast.wallet(party)).unwrap()
    }

    #[test]
    fn a_directory_belongs_to_the_list_that_claimed_it_first() {
        let directory = tempfile::tempdir().unwrap();
        claim(directory.path(), &plan_of(2)).unwrap();
        claim(directory.path(), &plan_of(2)).unwrap();
        let refused = claim(directory.path(), &plan_of(1)).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Usage);
        assert!(refused.error.to_string().ends_with("holds the demonstration of another list of bonds"));
        claim(directory.path(), &plan_of(2)).unwrap();
    }

    #[test]
    fn a_claim_that_died_half_way_claimed_nothing() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("plan.tmp"), "0x12").unwrap();
        claim(directory.path(), &plan_of(1)).unwrap();
        claim(directory.path(), &plan_of(1)).unwrap();
    }
}
