//! Arguments of `lastro tx …` and `lastro lane …`.

use super::{KeysPlace, Language, NodeAccessArguments, PassphraseArguments, ProfileArguments};
use alloy_primitives::Address;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// How long an outcome is waited for if nothing is said, in seconds.
const WAIT_SECONDS: u64 = 60;
/// The longest wait: a day.
const WAIT_SECONDS_MAX: u64 = 86_400;
/// How many transactions are listed if nothing is said.
const LIMIT: u64 = 50;
/// The most that are listed, which `chain` keeps to.
const LIMIT_MAX: u64 = chain::LIST_LINES_MAX as u64;

/// What can be done with stored transactions.
#[derive(Debug, Subcommand)]
pub(crate) enum TxCommand {
    /// List transactions, the newest first
    List(TxList),
    /// Show every attempt at an intent with all that is stored of it, and what the log tells
    Show(TxShow),
    /// Ask nodes about an intent's transaction, beside what the store says; nothing is sent
    Trace(TxTrace),
    /// Send an intent's stored bytes again, and wait for its outcome; nothing is ever signed
    Retry(TxRetry),
    /// Have an empty transaction compete with an intent that has no end for its nonce, and say which one won
    Cancel(Box<TxCancel>),
}

/// What can be done with lanes.
#[derive(Debug, Subcommand)]
pub(crate) enum LaneCommand {
    /// List the lanes of a store
    List(LaneList),
    /// Let no process store anything new in a lane, until it is resumed; what is stored is still sent
    Pause(LanePauseArguments),
    /// Lift a lane's pause
    Resume(LaneResume),
    /// Pause a lane, and wait until nothing in it is without an end
    Drain(LaneDrain),
}

/// A store of lanes.
#[derive(Debug, Args)]
pub(crate) struct LaneStore {
    /// A store's file, the data directory that it lies in, or `postgres://…`
    #[arg(value_name = "STORE")]
    pub(crate) store: String,
    /// The store's schema, for PostgreSQL
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}

/// A store of lanes, and in which words is told of it.
#[derive(Debug, Args)]
pub(crate) struct LaneReport {
    #[command(flatten)]
    pub(crate) store: LaneStore,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// The ledger as a command reaches it.
#[derive(Debug, Args)]
pub(crate) struct LedgerArguments {
    /// URL of a node of the store's ledger, such as `http://127.0.0.1:8545`; may be repeated: the first is asked, the others get copies
    /// of what it took, and step in when it fails
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) rpc: Vec<String>,
    #[command(flatten)]
    pub(crate) access: NodeAccessArguments,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// How long the outcome is waited for at most
    #[arg(long, value_name = "SECONDS", default_value_t = WAIT_SECONDS, value_parser = clap::value_parser!(u64).range(..=WAIT_SECONDS_MAX))]
    pub(crate) wait: u64,
}

/// Who does it.
#[derive(Debug, Args)]
pub(crate) struct WhoArgument {
    /// Who does it; it is kept in the store [default: the user of the operating system]
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
}

/// Arguments of `lastro tx list`.
#[derive(Debug, Args)]
pub(crate) struct TxList {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// Only those without an end
    #[arg(long)]
    pub(crate) open: bool,
    /// Only those of this sender
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) sender: Option<Address>,
    /// How many at most, up to 1000
    #[arg(long, value_name = "N", default_value_t = LIMIT, value_parser = clap::value_parser!(u64).range(1..=LIMIT_MAX))]
    pub(crate) limit: u64,
}

/// Arguments of `lastro tx show`.
#[derive(Debug, Args)]
pub(crate) struct TxShow {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// The intent's key
    #[arg(value_name = "KEY")]
    pub(crate) intent: String,
}

/// Arguments of `lastro tx trace`.
#[derive(Debug, Args)]
pub(crate) struct TxTrace {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// The intent's key
    #[arg(value_name = "KEY")]
    pub(crate) intent: String,
    /// URL of a node of the store's ledger, such as `http://127.0.0.1:8545`; may be repeated
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) rpc: Vec<String>,
    #[command(flatten)]
    pub(crate) access: NodeAccessArguments,
}

/// Arguments of `lastro tx retry`.
#[derive(Debug, Args)]
pub(crate) struct TxRetry {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// The intent's key
    #[arg(value_name = "KEY")]
    pub(crate) intent: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `lastro tx cancel`.
#[derive(Debug, Args)]
pub(crate) struct TxCancel {
    #[command(flatten)]
    pub(crate) store: LaneStore,
    /// The intent's key
    #[arg(value_name = "KEY")]
    pub(crate) intent: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    /// Label of the sender's key, which signs the empty transaction
    #[arg(long = "key", value_name = "LABEL")]
    pub(crate) label: String,
    #[command(flatten)]
    pub(crate) place: KeysPlace,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    /// File of the key's policy, if it has one
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Why; it is kept in the store
    #[arg(long, value_name = "TEXT", default_value = "not wanted any more")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) who: WhoArgument,
}

/// Arguments of `lastro lane list`.
#[derive(Debug, Args)]
pub(crate) struct LaneList {
    #[command(flatten)]
    pub(crate) report: LaneReport,
}

/// Arguments of `lastro lane pause`.
#[derive(Debug, Args)]
pub(crate) struct LanePauseArguments {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// Whose lane
    #[arg(value_name = "SENDER")]
    pub(crate) sender: Address,
    /// Why; it is kept in the store, and told to whoever submits
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) who: WhoArgument,
}

/// Arguments of `lastro lane resume`.
#[derive(Debug, Args)]
pub(crate) struct LaneResume {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// Whose lane
    #[arg(value_name = "SENDER")]
    pub(crate) sender: Address,
    #[command(flatten)]
    pub(crate) who: WhoArgument,
}

/// Arguments of `lastro lane drain`.
#[derive(Debug, Args)]
pub(crate) struct LaneDrain {
    #[command(flatten)]
    pub(crate) report: LaneReport,
    /// Whose lane
    #[arg(value_name = "SENDER")]
    pub(crate) sender: Address,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    /// Why; it is kept in the store, and told to whoever submits
    #[arg(long, value_name = "TEXT", default_value = "drained")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) who: WhoArgument,
}
