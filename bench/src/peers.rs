//! Lanes beside what people write: scripts with ethers and viem that send for one account with a counter of nonces.
//!
//! Each client pays 1 wei for each intent, to an account of the intent's own, so that the ledger says how often an intent was carried
//! out. First in clear weather, as fast as it can; then behind the fault proxy, with the ledger killed once, which loses its pool.
//! Each has a ledger of its own, the same weather, and the same time. What a client told its caller is held against the ledger.
//!
//! The scripts are in `tests/clients/peers`, beside the packages that they use.

mod client;
mod lane;
mod report;
mod script;
mod stage;
mod tally;

pub use self::report::Report;

use self::client::{Client, Nonces};
use self::stage::{Cast, Played, Trouble};
use crate::ground::GroundOptions;
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::time::Duration;

/// How often blocks come, and clients ask for one: the shortest period that makes blocks of what is sent at once.
const BLOCK_PERIOD: Duration = Duration::from_millis(100);
const BLOCK_PERIOD_TEXT: &str = "100ms";

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Intents in clear weather
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    intents: u32,
    /// Intents that one client has under way at once: the ledger's pool takes nonces up to 199 ahead
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=150))]
    at_once: u32,
    /// Intents under faults; 0 leaves this part out
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    faulty_intents: u32,
    /// Seed of the weather
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Of a thousand requests, so many meet a fault
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(0..=500))]
    per_mille: u16,
    /// Seconds after which a client that has not ended is ended
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds_max: u64,
    /// Folder of the scripts and their packages
    #[arg(long, value_name = "DIR", default_value = "tests/clients")]
    clients: PathBuf,
    #[command(flatten)]
    ground: GroundOptions,
}

/// Measures all clients, one after the other.
///
/// # Errors
/// If a ledger or a script cannot be started, or a client fails in clear weather. What fails under faults is what is measured.
pub fn run(options: &Options, progress: &dyn Fn(&str)) -> Result<Report> {
    script::check(&options.clients)?;
    let (custody, sender) = (lane::custody()?, lane::sender_label()?);
    let private_key = custody.reveal_test_key(&sender)?;
    let cast = Cast {
        sender: custody.address(&sender)?,
        private_key: &private_key,
        packages: &options.clients,
        ground: &options.ground,
        at_once: options.at_once,
        time_max: Duration::from_secs(options.seconds_max),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut clear, mut faulty, mut machine) = (Vec::new(), Vec::new(), None);
        for client in
            Client::ALL.into_iter().filter(|client| !matches!(client, Client::Script(_, Nonces::LibraryManager)))
        {
            progress(&format!("clear weather: {client:?}"));
            let played = cast.play(client, options.intents, None).await?;
            ensure!(
                played.tally.is_perfect() && played.run.broken_off.is_none(),
                "{} fails in clear weather: {:?}, {:?}",
                played.run.client,
                played.tally,
                played.run.broken_off
            );
            let _ = machine.get_or_insert_with(|| played.machine.clone());
            clear.push(played);
        }
        if options.faulty_intents > 0 {
            for client in Client::ALL {
                progress(&format!("faults: {client:?}"));
                let trouble = Trouble { seed: options.seed, per_mille: options.per_mille };
                faulty.push(cast.play(client, options.faulty_intents, Some(trouble)).await?);
            }
        }
        let machine = machine.context("nothing was measured")?;
        Ok(Report { options: options.clone(), machine, clear, faulty })
    })
}
