//! Two processes that append to one PostgreSQL store.

use super::Line;
use super::callers::{self, Figure, Load};
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::{Context, Result, ensure};
use journal::{Place, Store, StoreConfig};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each is measured, for half the time of other measurements: what they differ by is less than what a shared machine does
/// from one minute to the next.
const ROUNDS: usize = 7;

/// Processes and callers of each, in pairs of one process and two with as many callers together: at 1,024 the groups of both are as
/// large as they may be.
const SHARED: [(&str, usize, usize); 4] = [
    ("one process, 512 callers", 1, 512),
    ("two processes, 256 callers each", 2, 256),
    ("one process, 1,024 callers", 1, 1_024),
    ("two processes, 512 callers each", 2, 512),
];

/// One process, and two with the same callers, which are held against it. They take turns, and what counts is the median of each.
pub(crate) async fn lines(place: &TestPlace, time: Duration, front: &[&str]) -> Result<Vec<Line>> {
    let time = Duration::from_secs((time.as_secs() / 2).max(1));
    let mut figures = SHARED.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for ((_, processes, callers), figures) in SHARED.iter().zip(&mut figures) {
            figures.push(measure(place, *processes, *callers, time, front).await?);
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for ((what, processes, _), figures) in SHARED.into_iter().zip(figures) {
        let figure = callers::median(figures).context("nothing was measured")?;
        let goal = lines.last().filter(|_| processes > 1).map(|one| one.figure.per_second());
        lines.push(Line { what, figure, goal_per_second: goal, goal_p99_ms: None });
    }
    Ok(lines)
}

async fn measure(
    place: &TestPlace,
    processes: usize,
    callers: usize,
    time: Duration,
    front: &[&str],
) -> Result<Figure> {
    let config = place.fresh().await?;
    let Place::Postgres { url, schema } = &config.place else { anyhow::bail!("two processes need a PostgreSQL") };
    let store = Store::open(&config).await?;
    let started = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..processes {
        let mut worker = Command::new(std::env::current_exe().context("this program has no path")?);
        let _ = worker.args(front).args(["journal", "--seconds", &time.as_secs().to_string()]);
        let _ = worker.args(["--worker", url, schema, &callers.to_string()]);
        workers.push(worker.stdin(Stdio::null()).stdout(Stdio::piped()).spawn());
    }
    for worker in workers {
        let worker = worker.context("a second process cannot be started")?;
        let output = tokio::task::spawn_blocking(move || worker.wait_with_output()).await??;
        ensure!(output.status.success(), "a worker failed: {}", output.status);
    }
    let elapsed = started.elapsed();
    let count = store.head().await?.position.number();
    store.close().await;
    Ok(Figure { count, elapsed: elapsed.min(time), latencies: Sample::new(Vec::new()) })
}

/// The worker's part: appends for so long, and gives how many.
pub(crate) async fn work(url: &str, schema: &str, callers: usize, time: Duration) -> Result<u64> {
    let place = Place::Postgres { url: url.to_owned(), schema: schema.to_owned() };
    let store = Store::open(&StoreConfig::at(place)).await?;
    let figure = callers::run(&store, Load::Units { callers }, time).await?;
    store.close().await;
    Ok(figure.count)
}
