//! Sending: a list of signed transactions over several connections, as fast as the ledger takes them.

use super::connection::{Connection, request};
use super::signer::Signed;
use super::watcher::{Watched, Watcher};
use alloy_primitives::Address;
use alloy_primitives::hex;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Bounds of a drive.
#[derive(Clone, Copy, Debug)]
pub(super) struct DriveLimits {
    /// Connections, each with one request under way.
    pub(super) connections: usize,
    /// Transactions in a request.
    pub(super) batch: usize,
    /// Transactions that wait for a block at once.
    pub(super) waiting_max: usize,
    /// Of them, by one sender: exact if the senders of a connection take turns in the list.
    pub(super) waiting_per_sender_max: usize,
    /// After this time the drive has failed.
    pub(super) time_max: Duration,
}

/// Where to send and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drive {
    pub(super) address: SocketAddr,
    pub(super) limits: DriveLimits,
}

/// What was sent.
#[derive(Clone, Debug)]
pub(crate) struct Driven {
    /// Transactions that the ledger accepted.
    pub(crate) accepted: u64,
    /// Transactions that it refused.
    pub(crate) refused: u64,
    /// The first refusal, in its own words.
    pub(crate) first_refusal: Option<String>,
    /// From the first request until the last answer.
    pub(crate) elapsed: Duration,
    /// Time of each request, in microseconds.
    pub(crate) requests_us: Vec<u64>,
}

/// One prepared request: its bytes, and which transactions of the list it holds.
struct Prepared {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

/// What connections and watcher share.
pub(super) struct Shared {
    pub(super) began: Instant,
    /// When each transaction was sent, in microseconds since the beginning.
    pub(super) sent_us: Vec<AtomicU64>,
    /// Which connection sends each transaction.
    pub(super) lane_of: Vec<usize>,
    /// Room, per connection, for transactions that wait: taken before sending, given back when a block holds them.
    pub(super) rooms: Vec<Semaphore>,
}

impl Drive {
    /// The same without batches, for lists of one sender.
    pub(super) fn one_by_one(&self) -> Self {
        Self { limits: DriveLimits { batch: 1, ..self.limits }, ..*self }
    }

    /// Sends all transactions and waits until blocks hold them.
    pub(super) async fn send(&self, transactions: &[Signed]) -> Result<(Driven, Watched)> {
        let lanes = self.prepare(transactions)?;
        let watcher = Watcher::new(self.address, transactions).await?;
        let shared = Arc::new(Shared {
            began: Instant::now(),
            sent_us: transactions.iter().map(|_| AtomicU64::new(0)).collect(),
            lane_of: lanes.lane_of,
            rooms: lanes.rooms.into_iter().map(Semaphore::new).collect(),
        });
        let mut tasks = JoinSet::new();
        for (lane, requests) in lanes.requests.into_iter().enumerate() {
            let _ = tasks.spawn(send_lane(self.address, lane, requests, Arc::clone(&shared)));
        }
        let work = async { tokio::try_join!(join(tasks), watcher.watch(Arc::clone(&shared))) };
        let done = tokio::time::timeout(self.limits.time_max, work).await;
        done.map_err(|_| anyhow!("not all is included after {:?}", self.limits.time_max))?
    }

    /// Requests per connection. A sender's transactions stay in order on one connection.
    fn prepare(&self, transactions: &[Signed]) -> Result<Lanes> {
        let limits = &self.limits;
        let mut lane_of_sender: HashMap<Address, usize> = HashMap::new();
        let mut senders = vec![0; limits.connections];
        let mut places: Vec<Vec<usize>> = vec![Vec::new(); limits.connections];
        let mut lane_of = Vec::with_capacity(transactions.len());
        for (place, transaction) in transactions.iter().enumerate() {
            let next = lane_of_sender.len() % limits.connections;
            let lane = *lane_of_sender.entry(transaction.sender).or_insert_with(|| {
                senders[next] += 1;
                next
            });
            places[lane].push(place);
            lane_of.push(lane);
        }
        let share = limits.waiting_max / limits.connections;
        let rooms: Vec<usize> =
            senders.iter().map(|senders| share.min(senders * limits.waiting_per_sender_max)).collect();
        let narrowest = rooms.iter().copied().filter(|room| *room > 0).min().unwrap_or_default();
        let batch = limits.batch;
        ensure!(
            narrowest >= batch,
            "batches of {batch} do not fit: a connection may have {narrowest} transactions waiting"
        );
        let prepare = |places: &[usize]| Prepared {
            bytes: request(self.address, &body(transactions, places)),
            places: places.to_vec(),
        };
        let requests = places.iter().map(|places| places.chunks(batch).map(prepare).collect()).collect();
        Ok(Lanes { requests, rooms, lane_of })
    }
}

/// What each connection sends, how many of its transactions may wait, and which transaction is whose.
struct Lanes {
    requests: Vec<Vec<Prepared>>,
    rooms: Vec<usize>,
    lane_of: Vec<usize>,
}

/// One JSON-RPC request, or a batch of several. Ids are places in the list.
fn body(transactions: &[Signed], places: &[usize]) -> String {
    let one = |place: &usize| {
        let raw = hex::encode_prefixed(&transactions[*place].raw);
        format!(r#"{{"jsonrpc":"2.0","id":{place},"method":"eth_sendRawTransaction","params":["{raw}"]}}"#)
    };
    match places {
        [single] => one(single),
        several => format!("[{}]", several.iter().map(one).collect::<Vec<_>>().join(",")),
    }
}

async fn send_lane(address: SocketAddr, lane: usize, requests: Vec<Prepared>, shared: Arc<Shared>) -> Result<Driven> {
    let mut connection = Connection::open(address).await?;
    let mut driven = Driven {
        accepted: 0,
        refused: 0,
        first_refusal: None,
        elapsed: Duration::ZERO,
        requests_us: Vec::with_capacity(requests.len()),
    };
    for prepared in &requests {
        let count = u32::try_from(prepared.places.len()).context("a batch is small")?;
        shared.rooms[lane].acquire_many(count).await?.forget();
        let sent = microseconds_since(shared.began);
        prepared.places.iter().for_each(|place| shared.sent_us[*place].store(sent, Ordering::Relaxed));
        let answer = connection.exchange(&prepared.bytes).await?;
        driven.requests_us.push(microseconds_since(shared.began) - sent);
        driven.note(&answer, u64::from(count))?;
    }
    driven.elapsed = shared.began.elapsed();
    Ok(driven)
}

/// Adds up what the connections did.
async fn join(mut tasks: JoinSet<Result<Driven>>) -> Result<Driven> {
    let mut all =
        Driven { accepted: 0, refused: 0, first_refusal: None, elapsed: Duration::ZERO, requests_us: Vec::new() };
    while let Some(done) = tasks.join_next().await {
        let driven = done??;
        all.accepted += driven.accepted;
        all.refused += driven.refused;
        all.first_refusal = all.first_refusal.or(driven.first_refusal);
        all.elapsed = all.elapsed.max(driven.elapsed);
        all.requests_us.extend(driven.requests_us);
    }
    if let Some(refusal) = &all.first_refusal {
        // What was refused never gets into a block: waiting for it would only end in a time-out.
        return Err(anyhow!("{} transactions were refused, the first: {refusal}", all.refused));
    }
    Ok(all)
}

impl Driven {
    /// Reads an answer. Only one that speaks of an error is looked at closely.
    fn note(&mut self, answer: &[u8], count: u64) -> Result<()> {
        if !answer.windows(7).any(|window| window == b"\"error\"") {
            self.accepted += count;
            return Ok(());
        }
        let answer: Value = serde_json::from_slice(answer).context("the answer is no JSON")?;
        let answers = answer.as_array().cloned().unwrap_or_else(|| vec![answer]);
        let refusals: Vec<&Value> = answers.iter().filter_map(|answer| answer.get("error")).collect();
        let refused = refusals.len() as u64;
        self.refused += refused;
        self.accepted += count.saturating_sub(refused);
        if self.first_refusal.is_none() {
            self.first_refusal = refusals.first().map(ToString::to_string);
        }
        Ok(())
    }
}

/// Microseconds since an instant.
pub(super) fn microseconds_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
