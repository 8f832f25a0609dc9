//! Arguments of `lastro drex …`.

use super::{Language, NodeAccessArguments, parse_duration};
use clap::{Args, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What can be done with the Drex pilot's suite.
#[derive(Debug, Subcommand)]
pub(crate) enum DrexCommand {
    /// Run the pilot's network on this machine, with the whole suite deployed and institutions admitted
    Sandbox(DrexSandbox),
    /// Deploy the whole suite on a network, with keys from keystore files
    Deploy(DrexDeploy),
}

/// Arguments of `lastro drex sandbox`.
#[derive(Debug, Args)]
pub(crate) struct DrexSandbox {
    /// Directory of the sandbox; with that of an earlier run it goes on where that was [default: a fresh one]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Institutions and their clients, in TOML or JSON [default: three institutions]
    #[arg(long, value_name = "FILE")]
    pub(crate) participants: Option<PathBuf>,
    /// Where to serve JSON-RPC over HTTP; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8545")]
    pub(crate) http: SocketAddr,
    /// Where to serve JSON-RPC over WebSocket; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8546")]
    pub(crate) ws: SocketAddr,
    /// Block period, such as `5s`, which was the pilot's
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub(crate) block_period: Duration,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// Arguments of `lastro drex deploy`.
#[derive(Debug, Args)]
pub(crate) struct DrexDeploy {
    /// URL of a node of the network, such as `http://127.0.0.1:8545`; may be repeated: the first is asked, the others get copies of
    /// what it took, and step in when it fails. Of three or more, more than half must agree on each block
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) rpc: Vec<String>,
    /// URL of the first node's WebSocket, such as `ws://127.0.0.1:8546`: blocks are noticed when it tells of them [default: the
    /// node is only asked]
    #[arg(long, value_name = "URL")]
    pub(crate) ws: Option<String>,
    #[command(flatten)]
    pub(crate) access: NodeAccessArguments,
    /// Chain id of the network; the node must say the same
    #[arg(long, value_name = "NUMBER")]
    pub(crate) chain_id: u64,
    /// What is known of the network
    #[arg(long, value_enum, default_value_t = DeployProfile::BesuPrivate)]
    pub(crate) profile: DeployProfile,
    /// Price of gas in wei; transactions are of the old form, without a fee market
    #[arg(long, value_name = "WEI", default_value_t = 0)]
    pub(crate) gas_price: u128,
    /// Directory in which the deployment is recorded; with that of an earlier run it goes on where that was
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: PathBuf,
    /// Institutions with their wallets, and the Treasury's, in TOML or JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) participants: PathBuf,
    /// Keystore file of the administrator, who deploys and grants roles (Web3 secret storage, version 3)
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_key: PathBuf,
    /// Keystore file of the central bank [default: the administrator's]
    #[arg(long, value_name = "FILE")]
    pub(crate) central_bank_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArguments,
    /// Language of the report: `pt-BR` or `en`; by default that of the environment
    #[arg(long, value_enum, hide_possible_values = true, hide_default_value = true, default_value_t = Language::of_the_user())]
    pub(crate) lang: Language,
}

/// Where the passphrase of the keystore files comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PassphraseArguments {
    /// File with the passphrase of the keystore files
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Environment variable with the passphrase of the keystore files
    #[arg(long, value_name = "NAME")]
    pub(crate) passphrase_env: Option<String>,
}

/// What is known of a network that is deployed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeployProfile {
    /// A Besu network of one's own.
    BesuPrivate,
    /// Rede Blockchain Brasil.
    Rbb,
    /// The Drex pilot's network, or a copy of it.
    DrexKit,
    /// An embedded ledger that another process runs.
    Embedded,
}

impl DeployProfile {
    /// The profile's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BesuPrivate => "besu-private",
            Self::Rbb => "rbb",
            Self::DrexKit => "drex-kit",
            Self::Embedded => "embedded",
        }
    }
}
