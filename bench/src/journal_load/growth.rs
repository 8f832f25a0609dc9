//! The curve of growth: how fast a store is when it holds more and more.

use super::Line;
use super::callers::{self, Load};
use super::place::TestPlace;
use anyhow::Result;
use journal::Store;
use std::time::Duration;

/// How long each point of the curve is measured.
const POINT: Duration = Duration::from_secs(3);

/// Share of the speed at 200,000 events that must be left at five million, in per cent.
const LEFT_PERCENT_MIN: u64 = 60;

/// Appends until the store holds so many, and notes the speed on the way.
pub(crate) async fn measure(place: &TestPlace, events_max: u64, progress: &dyn Fn(&str)) -> Result<Vec<Line>> {
    let store = Store::open(&place.fresh().await?).await?;
    let mut lines = Vec::new();
    let mut at_200_000 = None;
    for (what, events) in STATIONS.into_iter().filter(|(_, events)| *events <= events_max) {
        while store.head().await?.position.number() < events {
            let _ = callers::run(&store, Load::Units { callers: 1_024 }, POINT).await?;
            progress(&format!("{} of {events} events", store.head().await?.position));
        }
        let figure = callers::run(&store, Load::Units { callers: 1_024 }, POINT).await?;
        let rate = figure.per_second();
        let goal = at_200_000.map(|first: u64| first * LEFT_PERCENT_MIN / 100).filter(|_| events == 5_000_000);
        let _ = at_200_000.get_or_insert(rate);
        lines.push(Line { what, figure, goal_per_second: goal, goal_p99_ms: None });
    }
    store.close().await;
    Ok(lines)
}

/// Where the speed is noted.
const STATIONS: [(&str, u64); 6] = [
    ("with 200,000 events", 200_000),
    ("with 500,000 events", 500_000),
    ("with 1,000,000 events", 1_000_000),
    ("with 2,000,000 events", 2_000_000),
    ("with 5,000,000 events", 5_000_000),
    ("with 10,000,000 events", 10_000_000),
];
