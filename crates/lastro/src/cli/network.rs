//! Arguments of `lastro doctor` and `lastro chain …`.

use super::Language;
use crate::doctor_command::trap_of_code;
use alloy_primitives::Address;
use chain::doctor::Trap;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Arguments of `lastro doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// URL of a node, such as `http://127.0.0.1:8545`; several are also compared with each other
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) rpc: Vec<String>,
    #[command(flatten)]
    pub(crate) access: NodeAccessArguments,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// Wallet that is to send: is it let in, and can it pay? May be repeated
    #[arg(long = "sender", value_name = "ADDRESS")]
    pub(crate) senders: Vec<Address>,
    /// Watch the newest block of each node for so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) watch: Option<u64>,
    /// From what on the exit code is 1
    #[arg(long, value_enum, default_value_t = FailOn::Fault)]
    pub(crate) fail_on: FailOn,
    /// Code of a finding that is known and accepted: it is listed and does not count. May be repeated
    #[arg(long, value_name = "CODE", value_parser = trap_of_code)]
    pub(crate) accept: Vec<Trap>,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// How bad a finding must be to fail the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Something does not work, or can be wrong.
    Fault,
    /// Something will not work under load or when something else fails.
    Warning,
    /// Something is worth knowing.
    Notice,
}

/// How nodes are reached beyond their URLs. Certificates of https and wss nodes are always checked.
#[derive(Debug, Args)]
pub(crate) struct NodeAccessArguments {
    /// File of the authority, in PEM, that certificates of https and wss nodes must come from [default: those that this system trusts]
    #[arg(long, value_name = "FILE")]
    pub(crate) node_ca: Option<PathBuf>,
    /// File of our certificate, in PEM, for nodes that ask for one
    #[arg(long, value_name = "FILE", requires = "node_key")]
    pub(crate) node_certificate: Option<PathBuf>,
    /// File of that certificate's key, in PEM without a passphrase
    #[arg(long, value_name = "FILE", requires = "node_certificate")]
    pub(crate) node_key: Option<PathBuf>,
    /// File of a token, such as a JWT, that each node is shown with each request
    #[arg(long, value_name = "FILE")]
    pub(crate) node_token: Option<PathBuf>,
}

/// What a network is expected to be.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct ProfileArguments {
    /// Name of a profile that ships: see `lastro chain profile list`
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// File of a profile of your own
    #[arg(long, value_name = "FILE")]
    pub(crate) profile_file: Option<PathBuf>,
}

/// What can be done with networks.
#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// What networks are expected to be, and whether a live one is
    #[command(subcommand)]
    Profile(ProfileCommand),
}

/// What can be done with profiles.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// List the profiles that ship
    List(ProfileList),
    /// Show a profile's file, with the source of each value
    Show(ProfileName),
    /// Compare a live node with a profile
    Check(ProfileCheck),
}

/// Arguments of `lastro chain profile list`.
#[derive(Debug, Args)]
pub(crate) struct ProfileList {
    /// Language of the table: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// Arguments of `lastro chain profile show`.
#[derive(Debug, Args)]
pub(crate) struct ProfileName {
    /// Name of the profile
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Language of what is said beside the file: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// Arguments of `lastro chain profile check`.
#[derive(Debug, Args)]
pub(crate) struct ProfileCheck {
    /// URL of a node, such as `http://127.0.0.1:8545`
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: String,
    #[command(flatten)]
    pub(crate) access: NodeAccessArguments,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
    /// Language of the table: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}
