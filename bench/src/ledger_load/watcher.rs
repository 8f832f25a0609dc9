//! Watching: reads each new block once, as any client could, and counts what it holds.

use super::connection::{Connection, quantity};
use super::drive::{Shared, microseconds_since};
use super::signer::Signed;
use alloy_primitives::B256;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often the head is asked for. It is part of the inclusion time that is measured.
const LOOK_PERIOD: Duration = Duration::from_millis(20);

/// What blocks held.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// Transactions of ours in blocks.
    pub(crate) included: u64,
    /// From the first request until the block with the last transaction was seen.
    pub(crate) elapsed: Duration,
    /// Numbers of the blocks with transactions of ours, and how many each holds.
    pub(crate) blocks: Vec<(u64, usize)>,
    /// Time from sending each transaction until its block was seen, in microseconds.
    pub(crate) inclusion_us: Vec<u64>,
}

/// Waits for a list of transactions.
pub(super) struct Watcher {
    connection: Connection,
    /// Place in the list of each transaction that is not in a block yet.
    missing: HashMap<B256, usize>,
    /// The newest block that was read.
    head: u64,
}

impl Watcher {
    /// Begins at the head as it is now.
    pub(super) async fn new(address: SocketAddr, transactions: &[Signed]) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let head = quantity(&connection.call("eth_blockNumber", json!([])).await?)?;
        let missing = transactions.iter().enumerate().map(|(place, transaction)| (transaction.hash, place)).collect();
        Ok(Self { connection, missing, head })
    }

    /// Reads blocks until none of the transactions is missing, and makes room for others as it goes.
    pub(super) async fn watch(mut self, shared: Arc<Shared>) -> Result<Watched> {
        let inclusion_us = Vec::with_capacity(self.missing.len());
        let mut watched = Watched { included: 0, elapsed: Duration::ZERO, blocks: Vec::new(), inclusion_us };
        let mut ticks = tokio::time::interval(LOOK_PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.missing.is_empty() {
            let _ = ticks.tick().await;
            let head = quantity(&self.connection.call("eth_blockNumber", json!([])).await?)?;
            while self.head < head {
                self.head += 1;
                let block =
                    self.connection.call("eth_getBlockByNumber", json!([format!("{:#x}", self.head), false])).await?;
                self.note(&block, &shared, &mut watched)?;
            }
        }
        Ok(watched)
    }

    fn note(&mut self, block: &Value, shared: &Shared, watched: &mut Watched) -> Result<()> {
        let now = microseconds_since(shared.began);
        let hashes = block["transactions"].as_array().context("a block has transactions")?;
        let mut ours = 0;
        for hash in hashes {
            let hash: B256 = hash.as_str().unwrap_or_default().parse().context("a transaction hash")?;
            let Some(place) = self.missing.remove(&hash) else { continue };
            watched.inclusion_us.push(now - shared.sent_us[place].load(Ordering::Relaxed));
            shared.rooms[shared.lane_of[place]].add_permits(1);
            ours += 1;
        }
        if ours > 0 {
            watched.included += ours as u64;
            watched.blocks.push((self.head, ours));
            watched.elapsed = Duration::from_micros(now);
        }
        Ok(())
    }
}
