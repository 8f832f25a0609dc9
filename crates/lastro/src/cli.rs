//! The command line: what can be asked for.

mod backup;
mod chaos;
mod drex;
mod journal;
mod keys;
mod lane;
mod network;

pub(crate) use backup::{Backup, BackupCommand, BackupDrill, PersonsArguments, Restore};
pub(crate) use chaos::{Chaos, Part};
pub(crate) use drex::{DrexCommand, DrexDeploy, DrexSandbox, PassphraseArguments};
pub(crate) use journal::{JournalCommand, JournalExport, JournalImport, JournalRebind, JournalSource, JournalVerify};
pub(crate) use keys::{
    KeysApprove, KeysCheck, KeysCommand, KeysImport, KeysList, KeysPlace, KeysRetire, KeysRotate, NewKey,
    RetirementArguments,
};
pub(crate) use lane::{
    LaneCommand, LaneDrain, LaneList, LanePauseArguments, LaneReport, LaneResume, LaneStore, LedgerArguments, TxCancel,
    TxCommand, TxList, TxRetry, TxShow, TxTrace, WhoArgument,
};
pub(crate) use network::{
    ChainCommand, Doctor, FailOn, NodeAccessArguments, ProfileArguments, ProfileCheck, ProfileCommand, ProfileName,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Lastro tokenises real assets on permissioned Ethereum networks.
#[derive(Debug, Parser)]
#[command(
    name = "lastro",
    version,
    about,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done; 1 refused, or books differ; 2 wrong usage; 3 environment (port, lock, disk);\n\
                  4 remote unreachable; 5 outcome unknown, repeat with the same key.\n\
                  With `--json`, standard output holds one object on one line: the result, or {error, causes, hint}."
)]
pub(crate) struct Cli {
    /// How results are shown.
    #[command(flatten)]
    pub(crate) output: Output,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How results are shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct Output {
    /// Print the result as one JSON object on standard output
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// Say less: only results and errors
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Log what happens inside, on standard error
    #[arg(long, short, global = true, conflicts_with = "quiet", help_heading = "Output")]
    pub(crate) verbose: bool,
    /// Show no progress, even on a terminal
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) no_progress: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Settle real federal bonds against tokenised money, on a ledger of its own
    Demo(Demo),
    /// The Drex pilot's suite: a sandbox on this machine, or a deployment
    #[command(subcommand)]
    Drex(DrexCommand),
    /// Examine nodes: every trap of Besu that can be seen from outside, with its evidence and its cure
    Doctor(Doctor),
    /// Networks: what they are expected to be, and whether a live one is
    #[command(subcommand)]
    Chain(ChainCommand),
    /// Stored transactions: look at them, send them again, cancel them
    #[command(subcommand)]
    Tx(TxCommand),
    /// Lanes, in which a sender's transactions stand in order: look at them, pause and drain them
    #[command(subcommand)]
    Lane(LaneCommand),
    /// The embedded EVM ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// The audit trail: check it, carry it elsewhere
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Keys in encrypted files and hardware tokens
    #[command(subcommand)]
    Keys(KeysCommand),
    /// One cut of all stores of a process, with a manifest; and a drill that proves it
    Backup(Backup),
    /// Bring a backup back, into empty places
    Restore(Restore),
    /// Federal bonds
    #[command(subcommand)]
    Bond(BondCommand),
    /// Measure this machine: load generators with their peers
    #[command(subcommand)]
    Bench(bench::Benchmark),
}

/// Arguments of `lastro demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Directory of the demonstration; with that of an earlier run it goes on where that was [default: a fresh one]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// CSV of bonds to issue [default: six bonds of 1 September 2026]
    #[arg(long, value_name = "FILE")]
    pub(crate) bonds: Option<PathBuf>,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
    /// Leave the ledger running on its ports until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
    /// Where `--keep` serves JSON-RPC over HTTP; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8545", requires = "keep")]
    pub(crate) http: SocketAddr,
    /// Where `--keep` serves JSON-RPC over WebSocket; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8546", requires = "keep")]
    pub(crate) ws: SocketAddr,
    /// How it is played in several processes.
    #[command(flatten)]
    pub(crate) chaos: Chaos,
}

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Português do Brasil
    #[value(name = "pt-BR", alias = "pt-br", alias = "pt")]
    PtBr,
    /// English
    #[value(name = "en", alias = "en-US")]
    En,
}

impl Language {
    /// All languages.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 2] = [Self::PtBr, Self::En];

    /// Its name as an argument.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PtBr => "pt-BR",
            Self::En => "en",
        }
    }

    /// Portuguese if the environment says so, as other programs decide it, else English.
    fn of_the_user() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
        let first = set.into_iter().find(|value| !value.is_empty());
        if first.is_some_and(|value| value.to_lowercase().starts_with("pt")) { Self::PtBr } else { Self::En }
    }
}

impl From<Language> for bindings::explanation::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::PtBr => Self::BrazilianPortuguese,
            Language::En => Self::English,
        }
    }
}

/// What can be done with the embedded ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Make a data directory for the network of a Besu genesis file
    Init(LedgerInit),
    /// Run the ledger of a data directory
    Run(LedgerRun),
    /// Show what a data directory holds
    Inspect(DataDirArgument),
    /// Cut a damaged log before its first damaged block
    Repair(LedgerRepair),
}

/// Arguments of `lastro ledger init`.
#[derive(Debug, Args)]
pub(crate) struct LedgerInit {
    /// Genesis file in Besu's format
    #[arg(long, value_name = "FILE")]
    pub(crate) genesis: PathBuf,
    #[command(flatten)]
    pub(crate) data_dir: DataDirArgument,
    /// Node key file (32 bytes in hexadecimal, as Besu's); without it a new key is made
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Replace the validators that the genesis names by this node, to run a copy of a public network's genesis
    #[arg(long)]
    pub(crate) adopt: bool,
}

/// Arguments of `lastro ledger run`.
#[derive(Debug, Args)]
pub(crate) struct LedgerRun {
    #[command(flatten)]
    pub(crate) data_dir: DataDirArgument,
    /// Where to serve JSON-RPC over HTTP; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8545")]
    pub(crate) http: SocketAddr,
    /// Where to serve JSON-RPC over WebSocket; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8546")]
    pub(crate) ws: SocketAddr,
    /// Keep this block period for the network, such as `2s`; below `1s` on the embedded profile's chain 1337 alone
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) block_period: Option<Duration>,
}

/// Arguments of `lastro ledger repair`.
#[derive(Debug, Args)]
pub(crate) struct LedgerRepair {
    #[command(flatten)]
    pub(crate) data_dir: DataDirArgument,
    /// Drop the first damaged block and all after it; the dropped bytes stay in a file beside the log
    #[arg(long, required = true)]
    pub(crate) drop_tail: bool,
}

/// The data directory.
#[derive(Debug, Args)]
pub(crate) struct DataDirArgument {
    /// Data directory of the ledger
    #[arg(long = "data-dir", value_name = "DIR")]
    pub(crate) path: PathBuf,
}

/// What can be done with federal bonds.
#[derive(Debug, Subcommand)]
pub(crate) enum BondCommand {
    /// Rebuild the published prices of a list of federal bonds from their rates
    Price(BondPrice),
}

/// Arguments of `lastro bond price`.
#[derive(Debug, Args)]
pub(crate) struct BondPrice {
    /// CSV of published rates and prices, such as `examples/tpf-anbima-2026-09-01.csv`
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// A length of time with its unit: `250ms`, `5s`, `1m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let parsed = jiff::SignedDuration::from_str(text).ok().and_then(|duration| Duration::try_from(duration).ok());
    parsed.ok_or_else(|| "expected a length of time with its unit, such as `250ms`, `5s` or `1m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_language_is_named_as_it_is_read() {
        for language in Language::ALL {
            assert_eq!(Language::from_str(language.name(), false), Ok(language));
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("5s"), Ok(Duration::from_secs(5)));
        assert!(parse_duration("5").is_err() && parse_duration("-5s").is_err() && parse_duration("soon").is_err());
    }
}
