//! The ledger on which the demonstration plays: opened in the same process, fresh or where an earlier run left it.

use super::book_keeper::BookKeeper;
use super::plan::Plan;
use super::session::keep_failure;
use crate::cli::Demo;
use crate::dispatch::Limits;
use crate::failure::{Failure, FailureKind};
use crate::ledger_command::run::{EMBEDDED_CHAIN_ID, StopSignals};
use crate::own_ledger::{OwnDirectory, OwnLedger, Sockets, fresh_directory, keep, program, read_kept};
use crate::printer::Printer;
use chain::{Chain, Profile, Rules};
use custody::Custody;
use ledger::clock::Clock;
use ledger::data_dir::InitOptions;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Chain of the demonstration: the embedded profile's.
pub(super) const CHAIN_ID: u64 = EMBEDDED_CHAIN_ID;
/// Most gas of a block. All creations of the suite with their limits fit into one.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Shortest time between two blocks: short enough for a demonstration, long enough to watch.
pub(super) const BLOCK_PERIOD: Duration = Duration::from_millis(250);
/// The list that comes with the binary, as a file of the repository.
const PUBLISHED_BONDS_PATH: &str = "examples/tpf-anbima-2026-09-01.csv";
/// Seconds from midnight UTC to noon: the demonstration begins at noon of the day of the prices.
const NOON_SECONDS: u64 = 12 * 3_600;

/// A running ledger with its directory.
pub(super) struct StageLedger {
    own: OwnLedger,
    bonds: PathBuf,
}

impl StageLedger {
    /// Opens the directory that is named, or makes a fresh one.
    ///
    /// # Errors
    /// [`Failure`] if the directory belongs to another list of bonds, or cannot be used.
    pub(super) async fn open(arguments: &Demo, plan: &Plan, printer: &Printer) -> Result<Self, Failure> {
        let path = arguments.data_dir.clone().unwrap_or_else(|| fresh_directory("demo"));
        // The validator of this genesis is nobody's: adopting puts this node in its place.
        let options = InitOptions { key: None, is_adopting: true };
        let directory = OwnDirectory::open_or_init(&path, CHAIN_ID, || genesis(plan), options)?;
        claim(&path, plan)?;
        let sockets = arguments.keep.then_some(Sockets { http: arguments.http, ws: arguments.ws });
        let own = directory.run(Clock::starting_at(noon(plan)), sockets, printer).await?;
        let bonds = arguments.bonds.clone().unwrap_or_else(|| PathBuf::from(PUBLISHED_BONDS_PATH));
        Ok(Self { own, bonds })
    }

    /// The ledger through its lanes, without a socket.
    ///
    /// # Errors
    /// [`Failure`] if the store cannot be used.
    pub(super) async fn chain(&self, custody: Custody) -> Result<Chain, Failure> {
        self.own.chain(profile(), custody).await
    }

    /// Limits of whoever sends to it.
    pub(super) fn limits(&self) -> Limits {
        self.own.limits()
    }

    /// The books, in the journal of the same directory.
    ///
    /// # Errors
    /// [`Failure`] if the journal cannot be used.
    pub(super) async fn book_keeper(&self) -> Result<BookKeeper, Failure> {
        BookKeeper::open(self.own.path()).await.map_err(keep_failure)
    }

    /// Commands that go on from here, as they can be typed where this one was.
    pub(super) fn next_commands(&self) -> Vec<String> {
        let (program, path) = (program(), self.own.path().display());
        let mut commands = match self.own.urls() {
            None => vec![
                format!("{program} demo --keep --data-dir {path}{}", self.list_option()),
                format!("{program} ledger inspect --data-dir {path}/ledger"),
                format!("{program} ledger run --data-dir {path}/ledger"),
                format!("{program} journal verify --state {path}"),
            ],
            Some((http, _)) => {
                let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#;
                vec![format!("curl -s -H 'content-type: application/json' -d '{body}' {http}")]
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
        let path = self.own.path().display();
        let hint =
            format!("go on with `{} demo --data-dir {path}{}`: nothing is sent twice", program(), self.list_option());
        Failure::new(FailureKind::Unknown, error).with_hint(hint)
    }

    /// Where the ledger is and listens, for machines.
    pub(super) fn as_json(&self) -> Value {
        let (http, ws) = self.own.urls().unzip();
        json!({
            "dataDir": self.own.path().join("ledger").display().to_string(),
            "chainId": CHAIN_ID,
            "http": http,
            "ws": ws,
        })
    }

    /// Where the ledger listens, for people; empty if it does not.
    pub(super) fn addresses_in_words(&self) -> String {
        self.own.urls().map_or_else(String::new, |(http, ws)| format!(": {http}, {ws}"))
    }

    /// Waits until somebody wants the ledger to stop.
    ///
    /// # Errors
    /// [`Failure`] if sealing failed.
    pub(super) async fn wait(&self, signals: &mut StopSignals) -> Result<(), Failure> {
        self.own.wait(signals).await
    }

    /// Waits until the ledger cannot seal any more, if ever, and says why.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost if it is dropped.
    pub(super) async fn failed(&self) -> Failure {
        self.own.failed().await
    }

    /// Stops everything; the directory is free then.
    pub(super) async fn stop(self) {
        self.own.stop().await;
    }
}

/// The network as whoever sends to it sees it.
pub(super) fn profile() -> Profile {
    Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT)
}

fn noon(plan: &Plan) -> u64 {
    super::plan::unix_seconds(plan.bonds[0].reference_date) + NOON_SECONDS
}

fn genesis(plan: &Plan) -> Vec<u8> {
    let genesis = json!({
        "config": {
            "chainId": CHAIN_ID,
            "berlinBlock": 0,
            "qbft": { "blockPeriodSeconds": 1, "xBlockPeriodMilliseconds": BLOCK_PERIOD.subsec_millis() },
        },
        "timestamp": format!("0x{:x}", noon(plan)),
        "gasLimit": format!("0x{BLOCK_GAS_LIMIT:x}"),
        "extraData": format!("0xf83aa0{}d594{}c080c0", "00".repeat(32), "00".repeat(19) + "01"),
        "alloc": {},
    });
    genesis.to_string().into_bytes()
}

/// Ties the directory to the plan: another list of bonds would be another story on the same ledger. The file is there whole
/// or not at all, and nothing is sent before it is there.
fn claim(path: &Path, plan: &Plan) -> Result<(), Failure> {
    let (file, fingerprint) = (path.join("plan"), plan.fingerprint().to_string());
    match read_kept(&file)? {
        None => keep(&file, &fingerprint),
        Some(found) if found == fingerprint => Ok(()),
        Some(_) => {
            let error = anyhow::anyhow!(
                "`{}` holds the demonstration of another list of bonds, or of another version of lastro",
                path.display()
            );
            let hint = "choose another directory with `--data-dir`, or play the list and the version with which this one began";
            Err(Failure::new(FailureKind::Usage, error).with_hint(hint))
        }
    }
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
        assert!(refused.error.to_string().contains("holds the demonstration of another list of bonds"));
        claim(directory.path(), &plan_of(2)).unwrap();
    }
}
