//! Two processes that append to one PostgreSQL store.

use super::Line;
use super::callers::{self, Figure, Load};
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::{Context, Result, ensure};
use journal::{Place, Store, StoreConfig};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Callers in each process.
const CALLERS: usize = 256;

/// One process with all the callers, then two with half of them each.
pub(crate) async fn lines(place: &TestPlace, time: Duration) -> Result<Vec<Line>> {
    let one = measure(place, 1, time).await?;
    let goal = one.per_second();
    let two = measure(place, 2, time).await?;
    Ok(vec![
        Line { what: "one process, 512 callers", figure: one, goal_per_second: None, goal_p99_ms: None },
        Line {
            what: "two processes on one store, 256 callers each",
            figure: two,
            goal_per_second: Some(goal),
            goal_p99_ms: None,
        },
    ])
}

async fn measure(place: &TestPlace, processes: usize, time: Duration) -> Result<Figure> {
    let config = place.fresh().await?;
    let Place::Postgres { url, schema } = &config.place else { anyhow::bail!("two processes need a PostgreSQL") };
    let store = Store::open(&config).await?;
    let started = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..processes {
        let mut worker = Command::new(std::env::current_exe().context("this program has no path")?);
        if std::env::args().nth(1).as_deref() == Some("bench") {
            let _ = worker.arg("bench");
        }
        let callers = (2 / processes).to_string();
        let _ = worker.args(["journal", "--seconds", &time.as_secs().to_string(), "--worker", url, schema]);
        let worker = worker.env("LASTRO_BENCH_CALLERS", callers).stdin(Stdio::null()).stdout(Stdio::piped());
        workers.push(worker.spawn().context("a second process cannot be started")?);
    }
    for worker in workers {
        let output = tokio::task::spawn_blocking(move || worker.wait_with_output()).await??;
        ensure!(output.status.success(), "a worker failed: {}", output.status);
    }
    let elapsed = started.elapsed();
    let count = store.head().await?.position.number();
    store.close().await;
    Ok(Figure { count, elapsed: elapsed.min(time), latencies: Sample::new(Vec::new()) })
}

/// The worker's part: appends for so long, and gives how many.
pub(crate) async fn work(url: &str, schema: &str, time: Duration) -> Result<u64> {
    let place = Place::Postgres { url: url.to_owned(), schema: schema.to_owned() };
    let store = Store::open(&StoreConfig::at(place)).await?;
    let times: usize = std::env::var("LASTRO_BENCH_CALLERS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let figure = callers::run(&store, Load::Units { callers: CALLERS * times }, time).await?;
    store.close().await;
    Ok(figure.count)
}
