//! Two processes that append to one PostgreSQL store.

use super::Line;
use super::callers::{self, Figure, Load};
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::{Context, Result, ensure};
use journal::{Place, Store, StoreConfig};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How often each is measured.
const ROUNDS: usize = 3;

/// One process, then two with as many callers together, then two with as many callers each: whoever adds a process brings its own
/// callers. Both are held against the one. They take turns, and what counts is the median of each.
pub(crate) async fn lines(place: &TestPlace, time: Duration, front: &[&str]) -> Result<Vec<Line>> {
    let line = |what, figure, goal| Line { what, figure, goal_per_second: goal, goal_p99_ms: None };
    let (mut ones, mut shareds, mut doubleds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ones.push(measure(place, 1, 512, time, front).await?);
        shareds.push(measure(place, 2, 256, time, front).await?);
        doubleds.push(measure(place, 2, 512, time, front).await?);
    }
    let middle = |figures| callers::median(figures).context("nothing was measured");
    let (one, shared, doubled) = (middle(ones)?, middle(shareds)?, middle(doubleds)?);
    let goal = Some(one.per_second());
    Ok(vec![
        line("one process, 512 callers", one, None),
        line("two processes, 256 callers each: 512 as before", shared, goal),
        line("two processes, 512 callers each: 1,024", doubled, goal),
    ])
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
