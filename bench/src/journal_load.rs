//! The journal under load: what it commits, how fast, and what bare SQL and a naive form do beside it in the same run.
//!
//! Every event has 300 bytes of payload, is chained, and brings an idempotency key of its own, drawn at random. What counts is
//! what was answered: an answer comes after the durable commit. Beside each store stands a probe of the same minute, the time of
//! an empty durable commit, since on a busy machine one commit takes ten times as long as on a quiet one.

mod callers;
mod growth;
mod peer;
mod place;
mod probe;
mod reactions;
mod reading;
mod report;
mod workers;

pub use report::Report;

use crate::machine::Machine;
use anyhow::{Context, Result};
use callers::{Figure, Load};
use place::{Places, TestPlace};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Stores to measure
    #[arg(long, value_enum, default_value = "both")]
    pub store: StoreChoice,
    /// PostgreSQL to measure on, as `postgres://user@host/database`; a schema is made there and removed [default: a
    /// server is started for the run]
    #[arg(long, value_name = "URL")]
    pub postgres: Option<String>,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Draw the curve of growth up to so many events instead: takes minutes per million
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u64).range(100_000..=20_000_000))]
    pub grow_to: Option<u64>,
    /// Directory for the stores, removed afterwards; its disk decides what durable costs [default: the system's for temporary
    /// files]
    #[arg(long, value_name = "DIR")]
    pub data_in: Option<PathBuf>,
    /// Internal: be one of several processes on the store of this URL and schema, with so many callers
    #[arg(long, hide = true, num_args = 3, value_names = ["URL", "SCHEMA", "CALLERS"])]
    pub worker: Option<Vec<String>>,
}

/// Which stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreChoice {
    /// SQLite
    Sqlite,
    /// PostgreSQL
    Postgres,
    /// One after the other
    Both,
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) stores: Vec<StoreFigures>,
}

/// Figures of one store.
#[derive(Clone, Debug)]
pub(crate) struct StoreFigures {
    /// `SQLite 3.x` or `PostgreSQL 15.x`.
    pub(crate) name: String,
    /// What is to be said of the figures.
    pub(crate) remark: Option<&'static str>,
    pub(crate) lines: Vec<Line>,
}

/// One measurement, and what it is held against.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) figure: Figure,
    /// Events per second that the project promises here, if it promises any.
    pub(crate) goal_per_second: Option<u64>,
    /// The 99th percentile that the project promises, in milliseconds.
    pub(crate) goal_p99_ms: Option<u64>,
}

/// Measures; prints nothing. `front` are the words of this program's command line in front of `journal`, by which it starts itself
/// again.
///
/// # Errors
/// If a store cannot be opened or written, or what was made in a PostgreSQL cannot be removed.
pub fn run(options: &Options, front: &[&str], progress: &dyn Fn(&str)) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let places = Places::prepare(options)?;
    let machine = Machine::look(places.folder(), &std::env::current_exe().unwrap_or_default());
    let (measured, removed) = runtime.block_on(async {
        let measured = measure(options, front, &places, progress).await;
        // Whatever came of it.
        (measured, places.remove().await)
    });
    let measured = measured?;
    removed?;
    Ok(Report { options: options.clone(), machine, measured })
}

/// Whether this process is only a worker of another run; it prints its own figure then.
///
/// # Errors
/// If the store cannot be opened or written.
pub fn run_worker(options: &Options) -> Result<Option<String>> {
    let Some([url, schema, callers]) = options.worker.as_deref() else { return Ok(None) };
    let callers = callers.parse().context("the number of callers is none")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let events = runtime.block_on(workers::work(url, schema, callers, Duration::from_secs(options.seconds)))?;
    Ok(Some(events.to_string()))
}

async fn measure(options: &Options, front: &[&str], places: &Places, progress: &dyn Fn(&str)) -> Result<Measured> {
    let mut measured = Measured::default();
    for place in places.all() {
        let name = place.name().await?;
        progress(&format!("{name}: "));
        let lines = match options.grow_to {
            Some(events_max) => growth::measure(place, events_max, progress).await?,
            None => measure_store(options, front, place, places.folder(), progress).await?,
        };
        measured.stores.push(StoreFigures { name, remark: place.remark(), lines });
    }
    Ok(measured)
}

/// How often groups are measured; what counts is the median.
const GROUP_ROUNDS: usize = 3;

async fn measure_store(
    options: &Options,
    front: &[&str],
    place: &TestPlace,
    folder: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<Line>> {
    let time = Duration::from_secs(options.seconds);
    let is_postgres = place.is_postgres();
    let goal = |postgres: u64, sqlite: u64| Some(if is_postgres { postgres } else { sqlite });
    let mut lines = vec![probe::line(place).await?];
    let mut run = async |what: &'static str, load: Load, per_second: Option<u64>, p99_ms: Option<u64>| -> Result<u64> {
        progress(what);
        let rounds = if matches!(load, Load::Units { callers: 512.. }) { GROUP_ROUNDS } else { 1 };
        let mut figures = Vec::new();
        for _ in 0..rounds {
            figures.push(callers::measure(place, load, time).await?);
        }
        let figure = callers::median(figures).context("nothing was measured")?;
        let rate = figure.per_second();
        lines.push(Line { what, figure, goal_per_second: per_second, goal_p99_ms: p99_ms });
        Ok(rate)
    };
    let _ = run("events in groups, 512 callers", Load::Units { callers: 512 }, goal(30_000, 15_000), None).await?;
    let _ = run("events in groups, 1,024 callers", Load::Units { callers: 1_024 }, None, None).await?;
    let p99 = is_postgres.then_some(20);
    let _ = run("commands of one event, 64 callers", Load::Units { callers: 64 }, goal(10_000, 5_000), p99).await?;
    let many =
        run("decided commands, 64 callers on 64 streams", Load::Decided { callers: 64, streams: 64 }, None, None)
            .await?;
    let _ = run(
        "decided commands, 64 callers on one stream",
        Load::Decided { callers: 64, streams: 1 },
        Some(many / 2),
        None,
    )
    .await?;
    progress("reactions in the process");
    lines.push(reactions::in_process(place, time).await?);
    if is_postgres {
        progress("reactions through NATS");
        lines.push(reactions::through_nats(place, time).await?);
    }
    progress("a view built anew, audits");
    lines.extend(reading::lines(place, folder).await?);
    if is_postgres {
        progress("two processes");
        lines.extend(workers::lines(place, time, front).await?);
        progress("peer: head row locked by each command");
        lines.push(peer::naive(place, time).await?);
        progress("peer: bare SQL in groups");
        lines.push(peer::bare(place, time).await?);
    }
    lines.push(probe::line(place).await?);
    Ok(lines)
}
