//! A ledger that a command runs for itself: opened in this process, fresh or where an earlier run left it, with the
//! command's own files beside it.
//!
//! ```text
//! DIR/ledger/    the ledger's data directory
//! DIR/chain.db   what was sent to it
//! DIR/…          what the directory belongs to, claimed before anything is sent
//! ```

use crate::dispatch::{CHAIN_FILE, Limits, open_failure};
use crate::failure::{Failure, FailureKind};
use crate::in_process::InProcess;
use crate::ledger_command::data_dir_failure;
use crate::ledger_command::run::{StopSignals, listen, open_with, wait_for_end};
use crate::printer::Printer;
use alloy_primitives::B256;
use anyhow::Context;
use chain::{Chain, Profile};
use custody::Custody;
use journal::Place;
use ledger::clock::Clock;
use ledger::data_dir::{DataDir, InitOptions};
use ledger::node::{Ledger, NodeOptions, Sealing};
use ledger::rpc::{RpcOptions, Served, module};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Only the owner reads what a command keeps.
const FILE_MODE: u32 = 0o600;

/// The directory of a command, with its ledger's data directory open and locked.
#[derive(Debug)]
pub(crate) struct OwnDirectory {
    path: PathBuf,
    data_dir: DataDir,
}

/// The running ledger.
pub(crate) struct OwnLedger {
    path: PathBuf,
    genesis_hash: B256,
    ledger: Ledger,
    sealing: Sealing,
    served: Option<(Served, Served)>,
}

/// Where JSON-RPC is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sockets {
    /// Over HTTP.
    pub(crate) http: SocketAddr,
    /// Over WebSocket.
    pub(crate) ws: SocketAddr,
}

fn environment(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(FailureKind::Environment, error)
}

/// A directory of its own for a command that was given none.
pub(crate) fn fresh_directory(command: &str) -> PathBuf {
    let name = format!("lastro-{command}-{}-{}", std::process::id(), Clock::System.unix_seconds());
    std::env::temp_dir().join(name)
}

/// This program as it was called, so that a command can be repeated where it is in no search path.
pub(crate) fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_path = called.as_ref().is_some_and(|called| called.components().count() > 1);
    called.filter(|_| is_path).map_or_else(|| "lastro".to_owned(), |called| called.display().to_string())
}

impl OwnDirectory {
    /// Opens the directory, or makes it for the network of a genesis.
    ///
    /// # Errors
    /// [`Failure`] if it cannot be used, or belongs to another chain.
    pub(crate) fn open_or_init(
        path: &Path,
        chain_id: u64,
        genesis: impl FnOnce() -> Vec<u8>,
        options: InitOptions,
    ) -> Result<Self, Failure> {
        make_directory(path)?;
        let ledger = path.join("ledger");
        let data_dir = if ledger.join("network.json").exists() {
            DataDir::open(&ledger)
        } else {
            DataDir::init(&ledger, &genesis(), options)
        };
        let data_dir = data_dir.map_err(data_dir_failure)?;
        check_chain(&data_dir, chain_id)?;
        Ok(Self { path: path.to_owned(), data_dir })
    }

    /// The ledger's data directory.
    pub(crate) fn data_dir_mut(&mut self) -> &mut DataDir {
        &mut self.data_dir
    }

    /// Runs the ledger.
    ///
    /// # Errors
    /// [`Failure`] if its log cannot be used, or a port is taken; nothing was sealed then.
    pub(crate) async fn run(
        self,
        clock: Clock,
        sockets: Option<Sockets>,
        printer: &Printer,
    ) -> Result<OwnLedger, Failure> {
        let genesis_hash = self.data_dir.genesis_hash();
        let options = NodeOptions { clock, ..NodeOptions::default() };
        let (ledger, sealer) = open_with(self.data_dir, options, printer)?;
        // Sockets first: if a port is taken, nothing has been sealed.
        let served = match sockets {
            Some(Sockets { http, ws }) => Some(listen(&ledger, http, ws).await?),
            None => None,
        };
        Ok(OwnLedger { path: self.path, genesis_hash, ledger, sealing: sealer.start(), served })
    }
}

impl OwnLedger {
    /// The command's directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Limits of whoever sends to it.
    pub(crate) fn limits(&self) -> Limits {
        Limits::embedded(self.ledger.block_period())
    }

    /// Hash of block 0 of the ledger that this process holds open.
    pub(crate) fn genesis_hash(&self) -> B256 {
        self.genesis_hash
    }

    /// The ledger through its lanes, without a socket.
    ///
    /// # Errors
    /// [`Failure`] if the store cannot be used.
    pub(crate) async fn chain(&self, profile: Profile, custody: Custody) -> Result<Chain, Failure> {
        let transport = Arc::new(InProcess(module(self.ledger.clone(), RpcOptions::default())));
        let store = Place::Sqlite { path: self.path.join(CHAIN_FILE) };
        let opened = Chain::open(profile, transport, &store, Arc::new(custody)).await;
        opened.map_err(open_failure)
    }

    /// URLs of HTTP and WebSocket, where they are served.
    pub(crate) fn urls(&self) -> Option<(String, String)> {
        let served = self.served.as_ref();
        served.map(|(http, ws)| (format!("http://{}", http.address()), format!("ws://{}", ws.address())))
    }

    /// Waits until somebody wants the ledger to stop.
    ///
    /// # Errors
    /// [`Failure`] if sealing failed.
    pub(crate) async fn wait(&self, signals: &mut StopSignals) -> Result<(), Failure> {
        match wait_for_end(&self.ledger, signals).await {
            None => Ok(()),
            Some(error) => Err(environment(error)),
        }
    }

    /// Waits until the ledger cannot seal any more, if ever, and says why.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost if it is dropped.
    pub(crate) async fn failed(&self) -> Failure {
        environment(self.ledger.failed().await)
    }

    /// Stops everything; the directory is free then.
    pub(crate) async fn stop(self) {
        if let Some((http, ws)) = self.served {
            http.stop().await;
            ws.stop().await;
        }
        self.sealing.stop();
    }
}

/// Makes a directory with those above it.
///
/// # Errors
/// [`FailureKind::Environment`].
pub(crate) fn make_directory(path: &Path) -> Result<(), Failure> {
    let made = std::fs::create_dir_all(path).with_context(|| format!("cannot make `{}`", path.display()));
    made.map_err(environment)
}

/// What a command plans goes to one chain alone.
fn check_chain(data_dir: &DataDir, chain_id: u64) -> Result<(), Failure> {
    let found = data_dir.genesis().config.chain_id;
    if found == chain_id {
        return Ok(());
    }
    let path = data_dir.path().display();
    let error = anyhow::anyhow!("data directory `{path}` belongs to chain {found}, not {chain_id}");
    Err(environment(error).with_hint("choose another with `--data-dir`, or look inside with `lastro ledger inspect`"))
}

/// What an earlier run has written into a file, if one has.
///
/// # Errors
/// [`FailureKind::Environment`] if it is there and cannot be read.
pub(crate) fn read_kept(file: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot read `{}`", file.display()));
            Err(environment(error))
        }
    }
}

/// Writes a file that is there whole or not at all, whenever this process dies.
///
/// # Errors
/// [`FailureKind::Environment`].
pub(crate) fn keep(file: &Path, text: &str) -> Result<(), Failure> {
    let written = file.with_extension("tmp");
    let made = write_synced(&written, text).and_then(|()| std::fs::rename(&written, file));
    made.with_context(|| format!("cannot write `{}`", file.display())).map_err(environment)
}

fn write_synced(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_half_way_is_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("plan");
        std::fs::write(file.with_extension("tmp"), "0x12").unwrap();
        assert_eq!(read_kept(&file).unwrap(), None);
        keep(&file, "0x1234").unwrap();
        assert_eq!(read_kept(&file).unwrap().as_deref(), Some("0x1234"));
        assert!(!file.with_extension("tmp").exists());
    }
}
