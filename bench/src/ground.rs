//! What a benchmark on a ledger stands on: the binary under load, a folder, and a ledger that runs there.

use crate::ledger_load::ledger_process::LedgerProcess;
use crate::machine::Machine;
use alloy_primitives::Address;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where it is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GroundOptions {
    /// Binary under load [default: `lastro` beside this program]
    #[arg(long, value_name = "FILE")]
    lastro: Option<PathBuf>,
    /// Directory for all data, removed afterwards; its disk decides what durable costs [default: beside this program]
    #[arg(long, value_name = "DIR")]
    data_in: Option<PathBuf>,
}

impl GroundOptions {
    /// The same on a command line.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let named = [("--lastro", &self.lastro), ("--data-in", &self.data_in)];
        let given = named.into_iter().filter_map(|(name, path)| Some([name.into(), path.clone()?.into_os_string()]));
        given.flatten().collect()
    }
}

/// A running ledger in a folder of its own. Both are gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) ledger: LedgerProcess,
    pub(crate) machine: Machine,
    folder: TempDir,
}

impl Ground {
    /// Makes the folder, its name beginning with `prefix`, looks at the machine, and starts the ledger, on which these accounts have
    /// coin to give away.
    ///
    /// # Errors
    /// If there is no binary, or the ledger does not start.
    pub(crate) fn lay(options: &GroundOptions, prefix: &str, block_period: &str, funded: &[Address]) -> Result<Self> {
        let program = std::env::current_exe().context("this program has no path")?;
        let lastro = options.lastro.clone().unwrap_or_else(|| program.with_file_name("lastro"));
        ensure!(lastro.is_file(), "there is no binary `{}`: build it with `cargo build --release`", lastro.display());
        let data_in = options.data_in.clone().or_else(|| program.parent().map(PathBuf::from)).unwrap_or_default();
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(&data_in);
        let folder = folder.with_context(|| format!("no directory can be made in `{}`", data_in.display()))?;
        let machine = Machine::look(folder.path(), &lastro);
        let ledger = LedgerProcess::start(&lastro, folder.path(), block_period, funded)?;
        Ok(Self { ledger, machine, folder })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the ledger serves HTTP.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.ledger.address)
    }

    /// Where it serves WebSocket.
    pub(crate) fn ws_url(&self) -> String {
        format!("ws://{}", self.ledger.ws)
    }

    /// What was measured; if that failed because the ledger has ended, with the ledger's last words.
    ///
    /// # Errors
    /// That of the measurement.
    pub(crate) fn measured<T>(&mut self, result: Result<T>) -> Result<T> {
        result.map_err(|error| if self.ledger.has_ended() { error.context(self.ledger.last_words()) } else { error })
    }
}
