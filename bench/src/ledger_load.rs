//! ERC-20 transfers against an embedded ledger: what it takes, what it includes in durable blocks, how long that lasts.
//!
//! The token is the suite's own `RealDigital` (OpenZeppelin's ERC-20 with a list of enabled wallets, a pause and frozen
//! amounts), deployed and seeded through the same socket. Transfers are signed beforehand and sent over keep-alive
//! connections, each holder's in the order of its nonces on one connection. What counts is what blocks hold: a watcher
//! reads each new block as a client would. Afterwards every receipt must be a success with one event, and balances must
//! be what the transfers make them.

pub(crate) mod connection;
mod drive;
pub(crate) mod ledger_process;
mod report;
pub(crate) mod signer;
mod token;
mod watcher;

pub use report::Report;

use crate::ground::{Ground, GroundOptions};
use crate::machine::{peak_memory_mib, processor_time};
use anyhow::Result;
use connection::Connection;
use drive::{Drive, DriveLimits, Driven};
use ledger_process::LedgerProcess;
use signer::Signer;
use std::time::Duration;
use token::Token;
use watcher::Watched;

/// Transactions of one sender that may wait at once: the ledger's pool keeps 200 beyond the account's nonce.
const WAITING_PER_SENDER_MAX: usize = 150;
/// Transactions that may wait at once: the ledger's pool keeps 50,000.
const WAITING_MAX: usize = 40_000;

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Transfers to send
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(crate) transfers: u32,
    /// Holders of the token, who all send and receive
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) holders: u32,
    /// Connections, each with one request under way
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=512))]
    pub(crate) connections: u32,
    /// Transactions in one request; more than 1 makes JSON-RPC batches
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) batch: u32,
    /// Block period of the ledger, such as `250ms` or `1s`
    #[arg(long, default_value = "1s")]
    pub(crate) block_period: String,
    /// Give up if not all is included after so many seconds
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) seconds_max: u64,
    #[command(flatten)]
    pub(crate) ground: GroundOptions,
}

/// Starts a ledger, puts it under load and stops it.
///
/// # Errors
/// If the ledger cannot be started, does not answer, or holds something else than was sent.
pub fn run(options: &Options) -> Result<Report> {
    let mut ground = Ground::lay(&options.ground, "ledger-load-", &options.block_period, &[])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = runtime.block_on(measure(options, &ground.ledger));
    let measured = ground.measured(measured)?;
    Ok(Report { options: options.clone(), machine: ground.machine.clone(), measured })
}

/// What a run found.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// What was sent.
    pub(crate) driven: Driven,
    /// What blocks held.
    pub(crate) watched: Watched,
    /// Gas of one transfer.
    pub(crate) transfer_gas: u64,
    /// Processor time of the ledger during the transfers.
    pub(crate) ledger_time: Duration,
    /// Processor time of this program during the transfers.
    pub(crate) own_time: Duration,
    /// Most memory that the ledger had.
    pub(crate) ledger_memory_mib: u64,
}

async fn measure(options: &Options, ledger: &LedgerProcess) -> Result<Measured> {
    let limits = DriveLimits {
        connections: options.connections as usize,
        batch: options.batch as usize,
        waiting_max: WAITING_MAX,
        waiting_per_sender_max: WAITING_PER_SENDER_MAX,
        time_max: Duration::from_secs(options.seconds_max),
    };
    let drive = Drive { address: ledger.address, limits };
    let holders: Vec<Signer> = (0..options.holders).map(|index| Signer::named("holder", index)).collect();
    let token = Token::deploy(&drive).await?;
    token.seed(&drive, &holders).await?;
    let transfers = token.transfers(&holders, options.transfers as usize);
    let before = (processor_time(&ledger.process), processor_time("self"));
    let (driven, watched) = drive.send(&transfers).await?;
    let after = (processor_time(&ledger.process), processor_time("self"));
    let mut connection = Connection::open(ledger.address).await?;
    let transfer_gas = token.check(&mut connection, &holders, options.transfers as usize, &watched).await?;
    Ok(Measured {
        driven,
        watched,
        transfer_gas,
        ledger_time: after.0.saturating_sub(before.0),
        own_time: after.1.saturating_sub(before.1),
        ledger_memory_mib: peak_memory_mib(&ledger.process),
    })
}
