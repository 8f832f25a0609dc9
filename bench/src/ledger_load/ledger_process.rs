//! The ledger under load: a child process with a data directory of its own.

use super::signer::CHAIN_ID;
use alloy_primitives::Address;
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A ledger with an empty data directory listens well within this time.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// What `lastro ledger run` says when it listens.
const LISTENING_HTTP: &str = "listening http http://";
/// What it says then.
const LISTENING_WS: &str = "listening ws ws://";
/// Lines of the ledger's standard error that are shown if something fails.
const LAST_WORDS_LINES: usize = 10;
/// Any well-formed extra data: `--adopt` puts this node in the validators' place.
const EXTRA_DATA: &str = "0xf83aa00000000000000000000000000000000000000000000000000000000000000000d5948cbed6ba98fd722a54126edec5f20f1df0c713fcc080c0";

/// What each funded account has: more than anybody here gives away.
const FUNDS_WEI: &str = "0xde0b6b3a7640000";

/// A running ledger. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct LedgerProcess {
    child: Child,
    /// How it is started on the data that it has.
    run: Run,
    /// Where it serves HTTP.
    pub(crate) address: SocketAddr,
    /// Where it serves WebSocket.
    pub(crate) ws: SocketAddr,
    /// Its process id.
    pub(crate) process: String,
}

/// What a ledger is started with.
#[derive(Debug)]
struct Run {
    lastro: PathBuf,
    data_dir: PathBuf,
    errors: PathBuf,
    block_period: String,
}

impl LedgerProcess {
    /// Makes a data directory in `folder` and runs a ledger on it, on which these accounts have coin.
    pub(crate) fn start(lastro: &Path, folder: &Path, block_period: &str, funded: &[Address]) -> Result<Self> {
        let (genesis, data_dir, errors) = (folder.join("genesis.json"), folder.join("data"), folder.join("errors.log"));
        fs::write(&genesis, genesis_json(funded))?;
        let mut init = Command::new(lastro);
        let _ = init
            .args(["ledger", "init", "--adopt", "--quiet", "--genesis"])
            .arg(&genesis)
            .arg("--data-dir")
            .arg(&data_dir);
        let output = init.output().with_context(|| format!("`{}` cannot be started", lastro.display()))?;
        ensure!(
            output.status.success(),
            "`lastro ledger init` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let run = Run { lastro: lastro.to_owned(), data_dir, errors, block_period: block_period.to_owned() };
        let mut child = run.spawn()?;
        let output = child.stdout.take().context("the ledger's output is a pipe")?;
        // From here on the child is killed whatever happens.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut ledger = Self { process: child.id().to_string(), child, run, address: nowhere, ws: nowhere };
        [ledger.address, ledger.ws] = addresses_said_on(output).with_context(|| ledger.last_words())?;
        Ok(ledger)
    }

    /// Kills the ledger and starts it again on its data, at another address: what was in its pool is lost.
    pub(crate) fn kill_and_start_again(&mut self) -> Result<()> {
        self.child.kill().context("the ledger cannot be killed")?;
        let _ = self.child.wait().context("the ledger does not end")?;
        self.child = self.run.spawn()?;
        self.process = self.child.id().to_string();
        let output = self.child.stdout.take().context("the ledger's output is a pipe")?;
        [self.address, self.ws] = addresses_said_on(output).with_context(|| self.last_words())?;
        Ok(())
    }

    /// Whether the ledger has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// What the ledger last said on its standard error.
    pub(crate) fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.run.errors).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(LAST_WORDS_LINES)..];
        if last.is_empty() {
            "the ledger ended without a word".to_owned()
        } else {
            format!("the ledger ended; it said: {}", last.join(" / "))
        }
    }
}

impl Run {
    fn spawn(&self) -> Result<Child> {
        let mut run = Command::new(&self.lastro);
        let _ = run.args(["ledger", "run", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"]);
        let _ = run
            .args(["--block-period", &self.block_period, "--data-dir"])
            .arg(&self.data_dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&self.errors)?);
        run.spawn().with_context(|| format!("`{}` cannot be started", self.lastro.display()))
    }
}

impl Drop for LedgerProcess {
    fn drop(&mut self) {
        // It may have ended by itself; then both say so, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Berlin's rules with free gas, and no limit that a block of transfers reaches.
fn genesis_json(funded: &[Address]) -> String {
    let balances = funded.iter().map(|account| (account.to_string(), json!({ "balance": FUNDS_WEI })));
    json!({
        "config": { "chainId": CHAIN_ID, "berlinBlock": 0, "qbft": { "blockPeriodSeconds": 1 } },
        "gasLimit": "0x1fffffffffffff",
        "extraData": EXTRA_DATA,
        "alloc": balances.collect::<serde_json::Map<_, _>>(),
    })
    .to_string()
}

/// Reads what the ledger says until it says where it listens, for HTTP and for WebSocket. Its further words are read and dropped,
/// so that it never waits for a full pipe.
fn addresses_said_on(output: ChildStdout) -> Result<[SocketAddr; 2]> {
    let (said, hears) = mpsc::sync_channel(2);
    let _reader = thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let address = [LISTENING_HTTP, LISTENING_WS].iter().find_map(|words| line.strip_prefix(words));
            if let Some(address) = address {
                // Nobody hears a third one.
                let _ = said.try_send(address.parse::<SocketAddr>());
            }
        }
    });
    let hear = || match hears.recv_timeout(START_TIME_MAX) {
        Ok(address) => address.context("the ledger says no address"),
        Err(mpsc::RecvTimeoutError::Timeout) => bail!("the ledger does not listen after {START_TIME_MAX:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => bail!("the ledger ended before it listened"),
    };
    Ok([hear()?, hear()?])
}
