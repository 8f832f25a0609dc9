//! The probe: how long an empty durable commit takes on this machine in this minute.

use super::Line;
use super::callers::Figure;
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::Result;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _};
use std::time::Instant;

/// How many commits a probe makes.
const COMMITS: usize = 500;

/// Commits one changed row [`COMMITS`] times.
pub(crate) async fn line(place: &TestPlace) -> Result<Line> {
    let started = Instant::now();
    let micros = match place.folder() {
        Some(folder) => sqlite(&folder.join("probe.db")).await?,
        None => postgres(&place.peers().await?).await?,
    };
    let figure = Figure { count: COMMITS as u64, elapsed: started.elapsed(), latencies: Sample::new(micros) };
    Ok(Line { what: "probe: empty durable commit", figure, goal_per_second: None, goal_p99_ms: None })
}

async fn sqlite(path: &std::path::Path) -> Result<Vec<u64>> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let _ = connection.execute("CREATE TABLE IF NOT EXISTS probe (n BIGINT)").await?;
    let _ = connection.execute("INSERT INTO probe VALUES (0)").await?;
    time(&mut connection).await
}

async fn postgres(peers: &PgConnectOptions) -> Result<Vec<u64>> {
    let mut connection = sqlx::PgConnection::connect_with(peers).await?;
    let _ = connection.execute("CREATE TABLE IF NOT EXISTS lastro_probe (n BIGINT)").await?;
    let _ = connection.execute("INSERT INTO lastro_probe VALUES (0)").await?;
    let micros = time_postgres(&mut connection).await?;
    let _ = connection.execute("DROP TABLE lastro_probe").await?;
    Ok(micros)
}

async fn time(connection: &mut sqlx::SqliteConnection) -> Result<Vec<u64>> {
    let mut micros = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let began = Instant::now();
        let _ = connection.execute("UPDATE probe SET n = n + 1").await?;
        micros.push(u64::try_from(began.elapsed().as_micros())?);
    }
    Ok(micros)
}

async fn time_postgres(connection: &mut sqlx::PgConnection) -> Result<Vec<u64>> {
    let mut micros = Vec::with_capacity(COMMITS);
    for _ in 0..COMMITS {
        let began = Instant::now();
        let _ = connection.execute("UPDATE lastro_probe SET n = n + 1").await?;
        micros.push(u64::try_from(began.elapsed().as_micros())?);
    }
    Ok(micros)
}
