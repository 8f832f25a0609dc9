//! Peers in the same run, on the same PostgreSQL: the naive form, in which each command locks the head row for itself, and bare
//! SQL in groups, which is what the database can do and so shows what the journal costs.

use super::Line;
use super::callers::Figure;
use super::place::TestPlace;
use crate::figures::Sample;
use anyhow::Result;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How many callers the naive form has, each with a connection of its own.
const CALLERS: usize = 16;

/// How many events a group of bare SQL has.
const GROUP_EVENTS: usize = 512;

/// The head row of the naive form, events as the journal has them, and keys.
const TABLES: [&str; 5] = [
    "DROP TABLE IF EXISTS lastro_peer_head, lastro_peer_events, lastro_peer_keys",
    "CREATE TABLE lastro_peer_head (position BIGINT)",
    "INSERT INTO lastro_peer_head VALUES (0)",
    "CREATE TABLE lastro_peer_events (position BIGINT PRIMARY KEY, stream_hash BIGINT, stream_version BIGINT, \
     metadata BYTEA, payload BYTEA, hash BYTEA)",
    "CREATE TABLE lastro_peer_keys (key_hash BIGINT PRIMARY KEY, tenant TEXT, key TEXT, fingerprint BYTEA)",
];

/// Each command: lock the head, append one event and its key, commit.
pub(crate) async fn naive(place: &TestPlace, time: Duration) -> Result<Line> {
    let peers = place.peers().await?;
    make_tables(&peers).await?;
    let started = Instant::now();
    let end = started + time;
    let mut callers: JoinSet<Result<Vec<u64>>> = JoinSet::new();
    for caller in 0..CALLERS {
        let _ = callers.spawn(naive_caller(peers.clone(), i64::try_from(caller)?, end));
    }
    let mut latencies = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies.extend(caller??);
    }
    let elapsed = started.elapsed();
    let figure = Figure { count: latencies.len() as u64, elapsed, latencies: Sample::new(latencies) };
    drop_tables(&peers).await?;
    Ok(line("peer: each command locks the head row, 16 callers", figure))
}

async fn naive_caller(peers: PgConnectOptions, caller: i64, end: Instant) -> Result<Vec<u64>> {
    let mut connection = sqlx::PgConnection::connect_with(&peers).await?;
    let mut latencies = Vec::new();
    let mut version = 0_i64;
    while Instant::now() < end {
        let began = Instant::now();
        let mut transaction = connection.begin().await?;
        let lock = "UPDATE lastro_peer_head SET position = position + 1 RETURNING position";
        let position: i64 = sqlx::query_scalar(lock).fetch_one(&mut *transaction).await?;
        version += 1;
        let event = "INSERT INTO lastro_peer_events VALUES ($1, $2, $3, $4, $5, $6)";
        let event = sqlx::query(event).bind(position).bind(caller).bind(version).bind([0_u8; 250].as_slice());
        let _ = event.bind([0_u8; 300].as_slice()).bind([0_u8; 32].as_slice()).execute(&mut *transaction).await?;
        let key = sqlx::query("INSERT INTO lastro_peer_keys VALUES ($1, $2, $3, $4)");
        let key = key.bind(scatter(position)).bind("bank-a").bind(format!("{position:032x}"));
        let _ = key.bind([0_u8; 32].as_slice()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        latencies.push(u64::try_from(began.elapsed().as_micros())?);
    }
    Ok(latencies)
}

/// One connection, groups by unnested arrays, nothing checked and nothing hashed.
pub(crate) async fn bare(place: &TestPlace, time: Duration) -> Result<Line> {
    let peers = place.peers().await?;
    make_tables(&peers).await?;
    let mut connection = sqlx::PgConnection::connect_with(&peers).await?;
    let (mut position, mut latencies) = (0_i64, Vec::new());
    let started = Instant::now();
    while started.elapsed() < time {
        let began = Instant::now();
        bare_group(&mut connection, &mut position).await?;
        latencies.push(u64::try_from(began.elapsed().as_micros())?);
    }
    let count = u64::try_from(position)?;
    let figure = Figure { count, elapsed: started.elapsed(), latencies: Sample::new(latencies) };
    drop_tables(&peers).await?;
    Ok(line("peer: bare SQL in groups of 512, one connection", figure))
}

async fn bare_group(connection: &mut sqlx::PgConnection, position: &mut i64) -> Result<()> {
    let mut transaction = connection.begin().await?;
    let first = *position + 1;
    *position += i64::try_from(GROUP_EVENTS)?;
    let lock = sqlx::query("UPDATE lastro_peer_head SET position = $1").bind(*position);
    let _ = lock.execute(&mut *transaction).await?;
    let positions: Vec<i64> = (first..=*position).collect();
    let (metadata, payloads) = (vec![vec![0_u8; 250]; GROUP_EVENTS], vec![vec![0_u8; 300]; GROUP_EVENTS]);
    let hashes = vec![vec![0_u8; 32]; GROUP_EVENTS];
    let events = "INSERT INTO lastro_peer_events SELECT p, p % 64, p, m, b, h FROM (SELECT \
                  unnest($1::BIGINT[]) p, unnest($2::BYTEA[]) m, unnest($3::BYTEA[]) b, unnest($4::BYTEA[]) h) AS e";
    let events = sqlx::query(events).bind(&positions).bind(metadata).bind(payloads).bind(&hashes);
    let _ = events.execute(&mut *transaction).await?;
    let keys: Vec<i64> = positions.iter().map(|position| scatter(*position)).collect();
    let texts: Vec<String> = positions.iter().map(|position| format!("{position:032x}")).collect();
    let insert = "INSERT INTO lastro_peer_keys SELECT \
                  unnest($1::BIGINT[]), 'bank-a', unnest($2::TEXT[]), unnest($3::BYTEA[])";
    let _ = sqlx::query(insert).bind(keys).bind(texts).bind(&hashes).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// A number that looks random and is another for each position: multiplication by an odd number is a bijection.
const fn scatter(position: i64) -> i64 {
    position.wrapping_mul(0x1e37_79b9_7f4a_7c15)
}

fn line(what: &'static str, figure: Figure) -> Line {
    Line { what, figure, goal_per_second: None, goal_p99_ms: None }
}

async fn make_tables(peers: &PgConnectOptions) -> Result<()> {
    let mut connection = sqlx::PgConnection::connect_with(peers).await?;
    for table in TABLES {
        let _ = connection.execute(table).await?;
    }
    Ok(())
}

async fn drop_tables(peers: &PgConnectOptions) -> Result<()> {
    let mut connection = sqlx::PgConnection::connect_with(peers).await?;
    let _ = connection.execute(TABLES[0]).await?;
    Ok(())
}
