//! Reading a whole log: a view built anew, an audit of the store, an audit of its export.

use super::Line;
use super::callers::{Figure, cause, payload};
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::{Context, Result};
use journal::audit::{Scope, Source, VerifyOptions, export, verify};
use journal::projection::{Query, TableRows, Write};
use journal::{
    Audience, Expected, Feed, NewEvent, Parameter, Projection, Stop, Store, StoreConfig, UnitOfWork, Value, View,
};
use messages::{DecodeError, EventType, RecordedEvent, StreamName};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Events of the log that is read.
const EVENTS: u64 = 200_000;

/// Streams that they belong to.
const STREAMS: u64 = 1_000;

/// Events of a unit that fills the log.
const UNIT_EVENTS: u64 = 100;

/// How many units are on their way at once.
const WRITERS: u64 = 8;

/// Fills a store, and reads it in the three ways.
pub(crate) async fn lines(place: &TestPlace, folder: &Path) -> Result<Vec<Line>> {
    let config = place.fresh().await?;
    let store = Store::open(&config).await?;
    fill(&store).await?;
    let rebuilt = rebuild(&store, &config).await?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let of_store = audit(Source::Store(config.place.clone()), workers).await?;
    let file = folder.join("export");
    let _ = export(&store, Scope::Whole, &file).await?;
    let of_export = audit(Source::Export(file.clone()), workers).await?;
    store.close().await;
    std::fs::remove_file(file).context("the export cannot be removed")?;
    let line = |what, took: Duration, goal| Line {
        what,
        figure: Figure { count: EVENTS, elapsed: took, latencies: Sample::new(Vec::new()) },
        goal_per_second: Some(goal),
        goal_p99_ms: None,
    };
    Ok(vec![
        line("events folded into a view built anew", rebuilt, 50_000),
        line("events verified in the store", of_store, 250_000),
        line("events verified in its export", of_export, 500_000),
    ])
}

async fn fill(store: &Store) -> Result<()> {
    let mut writers: JoinSet<Result<()>> = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        let _ = writers.spawn(async move {
            for unit_number in (writer..EVENTS / UNIT_EVENTS).step_by(usize::try_from(WRITERS)?) {
                let mut unit = UnitOfWork::new();
                let cause = cause(&store)?;
                for number in 0..UNIT_EVENTS {
                    let event = NewEvent {
                        id: store.event_id(),
                        event_type: EventType::of("bench.happened"),
                        type_version: 1,
                        payload: payload()?,
                        audience: Audience::Published,
                    };
                    let stream = (unit_number * UNIT_EVENTS + number) % STREAMS;
                    let _ =
                        unit.append(&cause, StreamName::parse(&format!("load/{stream}"))?, Expected::Any, vec![event]);
                }
                let _ = store.append(unit).await?;
            }
            Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    Ok(())
}

async fn rebuild(store: &Store, config: &StoreConfig) -> Result<Duration> {
    let view = View::open(Totals, Feed::Own(store.clone()), store.clone(), &config.place).await?;
    let began = Instant::now();
    view.rebuild(&Stop::never()).await?;
    let took = began.elapsed();
    let rows = view.rows("SELECT CAST(sum(events) AS BIGINT) FROM totals", &[]).await?;
    let folded = rows.first().and_then(|row| row.first()?.integer());
    anyhow::ensure!(folded == Some(i64::try_from(EVENTS)?), "the view has {folded:?} of {EVENTS} events");
    Ok(took)
}

async fn audit(source: Source, workers: NonZeroUsize) -> Result<Duration> {
    let began = Instant::now();
    let report = verify(source, VerifyOptions::quiet(workers)).await?;
    anyhow::ensure!(report.events == EVENTS, "the audit saw {} of {EVENTS} events", report.events);
    Ok(began.elapsed())
}

/// How many events each stream has.
#[derive(Debug)]
struct Totals;

impl Projection for Totals {
    type Batch = BTreeMap<String, i64>;

    const NAME: &'static str = "totals";
    const VERSION: u32 = 1;
    const TABLES: &'static str = "CREATE TABLE totals (stream TEXT PRIMARY KEY, events BIGINT NOT NULL)";

    fn fold(&self, batch: &mut Self::Batch, event: &RecordedEvent) -> Result<(), DecodeError> {
        *batch.entry(event.metadata.stream.to_string()).or_default() += 1;
        Ok(())
    }

    fn questions(&self, _: &Self::Batch) -> Vec<Query> {
        Vec::new()
    }

    fn write(&self, batch: Self::Batch, _: Vec<Vec<Vec<Value>>>) -> Vec<Write> {
        let row = |(stream, events)| vec![Parameter::Text(stream), Parameter::Integer(events)];
        vec![Write::Rows(TableRows {
            insert: "INSERT INTO totals (stream, events)",
            conflict: "ON CONFLICT (stream) DO UPDATE SET events = totals.events + excluded.events",
            rows: batch.into_iter().map(row).collect(),
        })]
    }
}
