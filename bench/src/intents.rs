//! Intents through lanes: signed, stored, sent to a ledger in another process, followed, and their ends stored and published.
//!
//! First as many as the lanes take, then at a steady pace, where what counts is how long a caller waits until its transaction is
//! stored and the node has it. All parts work on the same cores, the ledger too. With keys in a token, the first part is played with
//! keys in memory as well, so that what the token costs is seen. Where a service asks by events, what counts is how long it waits from its
//! event until the node has the transaction, and until the answering event is there.

mod requested;
mod token;

use self::requested::{NotedTransport, Service, Taken};
use self::token::{Alone, TokenOfRun};
use crate::Figures;
use crate::figures::{Sample, milliseconds, per_second, seconds};
use crate::ground::{Ground, GroundOptions};
use crate::ledger_load::signer::CHAIN_ID;
use crate::machine::Machine;
use alloy_primitives::{Address, Bytes};
use anyhow::{Context, Result, ensure};
use chain::{Chain, HttpTransport, Intent, IntentKey, Lane, NewHeads, Outcome, Profile, Rules, Settlement};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use test_servers::Postgres;
use tokio::task::JoinSet;

/// The shortest period that makes blocks of what is sent at once.
const BLOCK_PERIOD: &str = "100ms";
/// The ledger's block gas limit.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// Gas of a transaction that calls an account without code.
const GAS: u64 = 30_000;
/// How many a lane takes at once, and how many such parts are on their way: the ledger's pool takes nonces up to 199 ahead.
const PART: usize = 60;
const PARTS_IN_FLIGHT: usize = 3;
/// How many times of the second part are kept at most.
const TIMES_MAX: u32 = 100_000;
/// How long an end may take.
const END_TIME_MAX: Duration = Duration::from_secs(60);

/// Where the lanes' store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    /// A file
    Sqlite,
    /// A server that this program starts
    Postgres,
}

/// How new blocks are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Heads {
    /// By a subscription over WebSocket, with polling behind it
    Told,
    /// By polling alone
    Polled,
}

impl Heads {
    fn name(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Polled => "polled",
        }
    }
}

impl StoreKind {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How the lanes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Asked {
    /// By calls in the process
    Calls,
    /// By events that a service publishes in a store of its own, and answered by events
    Events,
}

impl Asked {
    fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Events => "events",
        }
    }
}

/// Where the lanes' keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyKind {
    /// In this process
    Memory,
    /// In a token in software, made for the run, and beside them keys in memory
    Softhsm,
}

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Intents of the first part
    #[arg(long, default_value_t = 12_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    intents: u32,
    /// Lanes that they are sent through
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    lanes: u32,
    /// Intents a second of the second part; 0 leaves it out
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pace: u32,
    /// Seconds that the second part lasts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=7_200))]
    seconds: u32,
    /// Where the lanes' store is
    #[arg(long, value_enum, default_value_t = StoreKind::Sqlite)]
    store: StoreKind,
    /// How new blocks are noticed
    #[arg(long, value_enum, default_value_t = Heads::Told)]
    heads: Heads,
    /// How the lanes are asked
    #[arg(long, value_enum, default_value_t = Asked::Calls, conflicts_with = "keys")]
    asked: Asked,
    /// Where the lanes' keys are
    #[arg(long, value_enum, default_value_t = KeyKind::Memory)]
    keys: KeyKind,
    /// Internal: measure with the token of this module and PIN, and leave the figures in this file
    #[arg(long, hide = true, num_args = 3, value_names = ["MODULE", "PIN_FILE", "FIGURES"])]
    token: Option<Vec<PathBuf>>,
    #[command(flatten)]
    ground: GroundOptions,
}

/// What a run found.
#[derive(Clone, Debug)]
struct Report {
    options: Options,
    machine: Machine,
    /// Of the first part.
    elapsed: Duration,
    /// What else is measured where keys are in a token.
    of_token: Option<OfToken>,
    /// From submitting until the node has it, at a steady pace.
    submitted: Sample,
    /// From submitting until the end is stored, at a steady pace.
    ended: Sample,
    /// From the first word of a block until its ends are stored, at a steady pace.
    settled: Sample,
    /// What this process has in memory, at tenths of the second part.
    memory_mib: Vec<u64>,
}

/// What else is measured where keys are in a token.
#[derive(Clone, Debug)]
struct OfToken {
    /// The first part with keys in memory.
    memory_elapsed: Duration,
    /// Custody without lanes.
    alone: Vec<Alone>,
}

/// What all parts found.
struct Measured {
    elapsed: Duration,
    of_token: Option<OfToken>,
    steady: Steady,
    settled: Vec<u64>,
}

/// What the second part found.
#[derive(Default)]
struct Steady {
    submitted: Vec<u64>,
    ended: Vec<u64>,
    memory_mib: Vec<u64>,
}

/// Measures as asked. `front` are the words of this program's command line in front of `chain`, by which it starts itself again
/// where keys are in a token.
///
/// # Errors
/// If the ledger, the store or the token cannot be started, or an intent does not end as it should.
pub fn figures(options: &Options, front: &[&str]) -> Result<Figures> {
    let token = TokenOfRun::of(options);
    if options.keys == KeyKind::Softhsm && token.is_none() {
        return token::in_child(options, front);
    }
    let report = run(options, token.as_ref())?;
    let figures = Figures { text: report.text(), json: report.json() };
    if let Some(token) = &token {
        token.leave(&figures)?;
    }
    Ok(figures)
}

/// Starts a ledger, sends through lanes, and stops it.
fn run(options: &Options, token: Option<&TokenOfRun>) -> Result<Report> {
    let mut ground = Ground::lay(&options.ground, "chain-", BLOCK_PERIOD, &[])?;
    let server = match options.store {
        StoreKind::Sqlite => None,
        StoreKind::Postgres => Some(Postgres::start()?),
    };
    let place = match &server {
        None => Place::Sqlite { path: ground.path().join("chain.db") },
        Some(server) => Place::Postgres { url: server.database()?, schema: "chain".to_owned() },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let new_heads = match options.heads {
        Heads::Told => Some(NewHeads::at(&ground.ws_url())?),
        Heads::Polled => None,
    };
    let measured = match options.asked {
        Asked::Calls => runtime.block_on(measure(&ground.url(), new_heads, &place, options, token)),
        Asked::Events => {
            let service = match &server {
                None => Place::Sqlite { path: ground.path().join("service.db") },
                Some(server) => Place::Postgres { url: server.database()?, schema: "service".to_owned() },
            };
            runtime.block_on(measure_events(&ground.url(), new_heads, [&place, &service], options))
        }
    };
    let Measured { elapsed, of_token, steady, settled } = ground.measured(measured)?;
    let Steady { submitted, ended, memory_mib } = steady;
    let (submitted, ended, settled) = (Sample::new(submitted), Sample::new(ended), Sample::new(settled));
    let (options, machine) = (options.clone(), ground.machine.clone());
    Ok(Report { options, machine, elapsed, of_token, submitted, ended, settled, memory_mib })
}

async fn measure(
    url: &str,
    new_heads: Option<NewHeads>,
    place: &Place,
    options: &Options,
    token: Option<&TokenOfRun>,
) -> Result<Measured> {
    let (profile, mut custody, labels) = in_memory(options)?;
    let (token_labels, mut alone) = (self::labels("token", options.lanes)?, Vec::new());
    if let Some(token) = token {
        token.open_keys(&mut custody, &token_labels)?;
        alone = token::alone(&custody, &token_labels)?;
    }
    let chain = Chain::open(profile, Arc::new(HttpTransport::new(url)?), place, Arc::new(custody)).await?;
    let settlement = chain.settle_told_by(new_heads.clone()).await?;
    let mut lanes = lanes_of(&chain, &labels).await?;
    let (mut elapsed, mut of_token) = (flood(&chain, &lanes, options.intents, "flood").await?, None);
    if token.is_some() {
        of_token = Some(OfToken { memory_elapsed: elapsed, alone });
        lanes = lanes_of(&chain, &token_labels).await?;
        elapsed = flood(&chain, &lanes, options.intents, "token").await?;
    }
    // What the first part left behind is not the second's.
    settlement.stop().await;
    let settlement = chain.settle_told_by(new_heads).await?;
    let steady = steadily(&chain, &lanes, options.pace, options.seconds).await?;
    let settled = delays(&settlement)?;
    ensure!(chain.open_intents().await?.is_empty(), "intents were left open");
    settlement.stop().await;
    drop(lanes);
    chain.close().await;
    Ok(Measured { elapsed, of_token, steady, settled })
}

/// The same of a service that asks by events. `places` are the lanes' and the service's.
async fn measure_events(
    url: &str,
    new_heads: Option<NewHeads>,
    places: [&Place; 2],
    options: &Options,
) -> Result<Measured> {
    let (profile, custody, labels) = in_memory(options)?;
    let taken = Arc::new(Taken::default());
    let way = NotedTransport { way: Arc::new(HttpTransport::new(url)?), taken: Arc::clone(&taken) };
    let chain = Chain::open(profile, Arc::new(way), places[0], Arc::new(custody)).await?;
    let settlement = chain.settle_told_by(new_heads.clone()).await?;
    let mut service = Service::open(&chain, places[1], &labels, taken).await?;
    let elapsed = service.flood(CHAIN_ID, options.intents).await?;
    settlement.stop().await;
    let settlement = chain.settle_told_by(new_heads).await?;
    let mut steady = Steady::default();
    steady.memory_mib.push(memory_mib()?);
    let kept_each = options.pace.saturating_mul(options.seconds).div_ceil(TIMES_MAX).max(1);
    for times in service.steadily(CHAIN_ID, options.pace, options.seconds).await? {
        steady.keep((times.number, times.submitted, times.ended), kept_each)?;
    }
    steady.memory_mib.push(memory_mib()?);
    let settled = delays(&settlement)?;
    ensure!(chain.open_intents().await?.is_empty(), "intents were left open");
    service.close().await?;
    settlement.stop().await;
    chain.close().await;
    Ok(Measured { elapsed, of_token: None, steady, settled })
}

/// The lanes' keys, in this process.
fn in_memory(options: &Options) -> Result<(Profile, Custody, Vec<KeyLabel>)> {
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
    let mut custody = Custody::new(profile.network());
    let labels = labels("lane", options.lanes)?;
    for label in &labels {
        let _ = custody.add_test_key(label.clone(), Purpose::Transactions)?;
    }
    Ok((profile, custody, labels))
}

/// From the first word of each block until its ends were stored, in microseconds.
fn delays(settlement: &Settlement) -> Result<Vec<u64>> {
    let micros = settlement.delays().into_iter().map(|delay| u64::try_from(delay.as_micros()));
    Ok(micros.collect::<Result<_, _>>()?)
}

fn labels(name: &str, count: u32) -> Result<Vec<KeyLabel>> {
    Ok((0..count).map(|lane| KeyLabel::parse(&format!("{name}-{lane}"))).collect::<Result<_, _>>()?)
}

async fn lanes_of(chain: &Chain, labels: &[KeyLabel]) -> Result<Vec<Lane>> {
    let mut lanes = Vec::new();
    for label in labels {
        lanes.push(chain.lane(label).await?);
    }
    Ok(lanes)
}

fn intent(name: &str, number: u32) -> Result<Intent> {
    let key = IntentKey::parse(&format!("{name}/{number}"))?;
    Ok(Intent::call(key, Address::repeat_byte(0xcc), Bytes::from(number.to_be_bytes()), GAS, "a call"))
}

/// As many as the lanes take; until the last end is stored.
async fn flood(chain: &Chain, lanes: &[Lane], intents: u32, name: &'static str) -> Result<Duration> {
    let began = Instant::now();
    let mut sending = JoinSet::new();
    for (index, lane) in (0_u32..).zip(lanes) {
        let (chain, lane) = (chain.clone(), lane.clone());
        let numbers: Vec<u32> = (index..intents).step_by(lanes.len()).collect();
        let _ = sending.spawn(async move {
            let mut in_flight: VecDeque<Vec<Intent>> = VecDeque::new();
            for some in numbers.chunks(PART) {
                if in_flight.len() == PARTS_IN_FLIGHT {
                    all_ended(&chain, in_flight.pop_front()).await?;
                }
                let intents = some.iter().map(|number| intent(name, *number)).collect::<Result<Vec<_>>>()?;
                for result in lane.submit_all(&intents).await {
                    let _ = result?;
                }
                in_flight.push_back(intents);
            }
            for intents in in_flight {
                all_ended(&chain, Some(intents)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    Ok(began.elapsed())
}

/// So many a second for so long, round the lanes.
async fn steadily(chain: &Chain, lanes: &[Lane], pace: u32, seconds: u32) -> Result<Steady> {
    let (mut sending, mut steady) = (JoinSet::new(), Steady::default());
    let mut turn = tokio::time::interval(Duration::from_secs(1) / pace.max(1));
    let all = pace.saturating_mul(seconds);
    // Not every time is kept of a long run: what is measured must not fill the memory that is measured.
    let kept_each = all.div_ceil(TIMES_MAX).max(1);
    for (number, lane) in (0..all).zip(lanes.iter().cycle()) {
        let _ = turn.tick().await;
        while let Some(sent) = sending.try_join_next() {
            steady.keep(sent??, kept_each)?;
        }
        if number % (all / 10).max(1) == 0 {
            steady.memory_mib.push(memory_mib()?);
        }
        let (chain, lane) = (chain.clone(), lane.clone());
        let _ = sending.spawn(async move {
            let (intent, began) = (intent("steady", number)?, Instant::now());
            let _ = lane.submit(&intent).await?;
            let submitted = began.elapsed();
            ended(&chain, &intent).await?;
            anyhow::Ok((number, submitted, began.elapsed()))
        });
    }
    while let Some(sent) = sending.join_next().await {
        steady.keep(sent??, kept_each)?;
    }
    steady.memory_mib.push(memory_mib()?);
    Ok(steady)
}

impl Steady {
    fn keep(&mut self, (number, submitted, ended): (u32, Duration, Duration), each: u32) -> Result<()> {
        if number % each == 0 {
            self.submitted.push(u64::try_from(submitted.as_micros())?);
            self.ended.push(u64::try_from(ended.as_micros())?);
        }
        Ok(())
    }
}

/// What this process has in memory.
fn memory_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("the system does not say what is in memory")?;
    let kibibytes =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kibibytes: u64 = kibibytes.context("the system does not say what is in memory")?;
    Ok(kibibytes / 1024)
}

async fn all_ended(chain: &Chain, intents: Option<Vec<Intent>>) -> Result<()> {
    for intent in intents.unwrap_or_default() {
        ended(chain, &intent).await?;
    }
    Ok(())
}

async fn ended(chain: &Chain, intent: &Intent) -> Result<()> {
    match chain.outcome(&intent.key, END_TIME_MAX).await? {
        Outcome::Mined(mined) if mined.execution.is_success() => Ok(()),
        other => anyhow::bail!("`{}` ended as {other:?}", intent.key),
    }
}

impl Report {
    /// For people.
    fn text(&self) -> String {
        let Options { intents, lanes, pace, seconds: length, store, heads, asked, keys, .. } = &self.options;
        let (from, until) = match asked {
            Asked::Calls => ("signature to stored end", "its end is stored"),
            Asked::Events => ("a service's event to the answer that it reads", "its answer is read"),
        };
        let rate = per_second(u64::from(*intents), self.elapsed);
        let mut text = format!(
            "command    bench chain --intents {intents} --lanes {lanes} --pace {pace} --seconds {length} --store {} --heads {} \
             --asked {} --keys {}\n\
             intents    {rate} a second through {lanes} lanes, from {from}: {intents} in {} s\n",
            store.name(),
            heads.name(),
            asked.name(),
            keys.name(),
            seconds(self.elapsed),
        );
        if let Some(OfToken { memory_elapsed, alone }) = &self.of_token {
            let in_memory = per_second(u64::from(*intents), *memory_elapsed);
            let alone = alone.iter().map(|Alone { threads, per_second }| format!("{per_second} in {threads}"));
            text.push_str(&format!(
                "keys       in a token that signs once for each intent; with keys in memory {in_memory} a second\n\
                 custody    signs a second with the token, without lanes: {}, the last number being that of threads\n",
                alone.collect::<Vec<_>>().join(", "),
            ));
        }
        if *pace > 0 {
            let p = |sample: &Sample| {
                let [half, most] = [50, 99].map(|percent| milliseconds(sample.percentile_us(percent)));
                format!("p50 {half} ms, p99 {most} ms")
            };
            let memory: Vec<String> = self.memory_mib.iter().map(u64::to_string).collect();
            text.push_str(&format!(
                "at {pace}/s   until the node has it {}; until {until} {} (blocks of {BLOCK_PERIOD})\n\
                 blocks     from the first word of a block until its ends are stored {}\n\
                 memory     {} MiB, at each tenth of {length} s\n",
                p(&self.submitted),
                p(&self.ended),
                p(&self.settled),
                memory.join(" ")
            ));
        }
        text + &self.machine.text()
    }

    /// For machines.
    fn json(&self) -> Value {
        let Options { intents, lanes, pace, .. } = &self.options;
        let p = |sample: &Sample| json!({ "p50_us": sample.percentile_us(50), "p99_us": sample.percentile_us(99) });
        let token = self.of_token.as_ref().map(|OfToken { memory_elapsed, alone }| {
            let one = |Alone { threads, per_second }: &Alone| json!({ "threads": threads, "per_second": per_second });
            json!({
                "intents_per_second_of_keys_in_memory": per_second(u64::from(*intents), *memory_elapsed),
                "signatures_without_lanes": alone.iter().map(one).collect::<Vec<_>>(),
            })
        });
        json!({
            "benchmark": "chain",
            "keys": self.options.keys.name(),
            "token": token,
            "intents": intents,
            "lanes": lanes,
            "heads": self.options.heads.name(),
            "asked": self.options.asked.name(),
            "store": self.options.store.name(),
            "intents_per_second": per_second(u64::from(*intents), self.elapsed),
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "pace": pace,
            "submitted": p(&self.submitted),
            "seconds": self.options.seconds,
            "ended": p(&self.ended),
            "settled": p(&self.settled),
            "memory_mib": self.memory_mib,
            "block_period": BLOCK_PERIOD,
            "machine": self.machine.json(),
        })
    }
}
