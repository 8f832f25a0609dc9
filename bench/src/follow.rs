//! Catching up with a ledger: how many blocks of 50 logs a follower reads, checks and gives in a minute.
//!
//! A ledger is started and filled, then followed from its first block over HTTP, each block with everything that a follower
//! checks. What counts is blocks that hold all their logs; others are followed too and cost time, and are told.

use crate::figures::{per_second, seconds};
use crate::ground::{Ground, GroundOptions};
use crate::ledger_load::signer::{CHAIN_ID, Signer};
use crate::machine::Machine;
use alloy_primitives::{Bytes, TxKind, keccak256};
use anyhow::{Context, Result, ensure};
use chain::follower::{FollowSettings, FollowedBlock, FollowedLedger, FollowedNode, Follower};
use chain::{At, HttpTransport, Profile, Rpc, Rules};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Transactions of a block, each of a sender of its own.
const TRANSACTIONS_PER_BLOCK: u32 = 5;
/// Logs of a transaction, each with three topics and 32 bytes, as a token's transfers write.
const LOGS_PER_TRANSACTION: usize = 10;
/// The shortest period that makes blocks of all that is sent at once.
const BLOCK_PERIOD: &str = "20ms";
/// How long a receipt may take.
const RECEIPT_TIME_MAX: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Blocks of 50 logs to fill the ledger with
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    blocks: u32,
    /// How often the one ledger is named as a node; more than half of them must agree on each block
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9))]
    nodes: u32,
    #[command(flatten)]
    ground: GroundOptions,
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Report {
    options: Options,
    machine: Machine,
    blocks: u64,
    full_blocks: u64,
    logs: u64,
    elapsed: Duration,
}

/// Starts a ledger, fills it, follows it, and stops it.
///
/// # Errors
/// If the ledger cannot be started or filled, or the follower does not give it.
pub fn run(options: &Options) -> Result<Report> {
    let mut ground = Ground::lay(&options.ground, "follow-", BLOCK_PERIOD, &[])?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let url = ground.url();
    let measured = runtime.block_on(async {
        fill(&url, options.blocks).await?;
        follow(&url, options.nodes).await
    });
    let (blocks, elapsed) = ground.measured(measured)?;
    let logs_of = |block: &FollowedBlock| block.transactions.iter().map(|transaction| transaction.logs.len()).sum();
    let logs: Vec<usize> = blocks.iter().map(logs_of).collect();
    let full = TRANSACTIONS_PER_BLOCK as usize * LOGS_PER_TRANSACTION;
    let (full_blocks, all) = (logs.iter().filter(|logs| **logs >= full).count() as u64, logs.iter().sum::<usize>());
    ensure!(
        all == full * options.blocks as usize,
        "{all} logs were followed, {} were written",
        full * options.blocks as usize
    );
    let blocks = blocks.len() as u64;
    Ok(Report {
        options: options.clone(),
        machine: ground.machine.clone(),
        blocks,
        full_blocks,
        logs: all as u64,
        elapsed,
    })
}

/// Creation code that writes the logs and leaves a contract without code.
fn creation() -> Bytes {
    let signature = keccak256("Transfer(address,address,uint256)");
    // PUSH1 to, PUSH1 from, PUSH32 signature, PUSH1 32, PUSH1 0, LOG3
    let log = [&[0x60, 3, 0x60, 2, 0x7f][..], &signature[..], &[0x60, 32, 0x60, 0, 0xa3]].concat();
    let mut code = log.repeat(LOGS_PER_TRANSACTION);
    code.push(0);
    code.into()
}

fn rpc(url: &str) -> Result<Rpc> {
    Ok(Rpc::new(Arc::new(HttpTransport::new(url)?)))
}

/// One block's transactions after another, each time that all of them are in a block.
async fn fill(url: &str, blocks: u32) -> Result<()> {
    let (rpc, code) = (rpc(url)?, creation());
    let senders: Vec<Signer> = (0..TRANSACTIONS_PER_BLOCK).map(|index| Signer::named("writer", index)).collect();
    for nonce in 0..blocks {
        let signed: Vec<_> =
            senders.iter().map(|sender| sender.sign(nonce.into(), TxKind::Create, code.clone())).collect();
        for transaction in &signed {
            let _ = rpc.send_raw_transaction(&transaction.raw).await?;
        }
        for transaction in &signed {
            let began = Instant::now();
            while rpc.receipt(transaction.hash).await?.is_none() {
                ensure!(began.elapsed() < RECEIPT_TIME_MAX, "no receipt of {}", transaction.hash);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
    Ok(())
}

/// All blocks up to the head as it is now, and how long that took.
async fn follow(url: &str, nodes: u32) -> Result<(Vec<FollowedBlock>, Duration)> {
    let reader = rpc(url)?;
    let genesis = reader.block(At::Number(0)).await?.context("the ledger has no block 0")?;
    let head = reader.block_number().await?;
    let ledger = FollowedLedger { chain_id: CHAIN_ID, genesis_hash: genesis.hash };
    let node = |index| Ok(FollowedNode::new(format!("node-{index}"), rpc(url)?));
    let nodes = (0..nodes).map(node).collect::<Result<Vec<_>>>()?;
    let settings = FollowSettings::of(&Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000), nodes.len());
    let mut follower = Follower::new(nodes, ledger, ledger.beginning(), settings)?;
    let (began, mut blocks) = (Instant::now(), Vec::new());
    while (blocks.len() as u64) < head {
        blocks.push(follower.next().await?);
    }
    let elapsed = began.elapsed();
    ensure!(follower.view().findings().is_empty(), "the ledger was called a liar: {:?}", follower.view().findings());
    Ok((blocks, elapsed))
}

impl Report {
    fn per_minute(&self, count: u64) -> u64 {
        per_second(count * 60, self.elapsed)
    }

    /// Blocks a minute, if all had 50 logs and their receipts alone cost time: the logs that came, in blocks of 50.
    fn blocks_per_minute(&self) -> u64 {
        self.per_minute(self.logs / (u64::from(TRANSACTIONS_PER_BLOCK) * LOGS_PER_TRANSACTION as u64))
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "command    bench follow --blocks {} --nodes {}\n\
             followed   {} blocks of 50 logs a minute, checked against their roots, over HTTP\n\
             blocks     {} in {} s, {} of them with 50 logs or more, {} logs in all\n\
             {}",
            self.options.blocks,
            self.options.nodes,
            self.blocks_per_minute(),
            self.blocks,
            seconds(self.elapsed),
            self.full_blocks,
            self.logs,
            self.machine.text(),
        )
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "benchmark": "follow",
            "blocks": self.options.blocks,
            "nodes": self.options.nodes,
            "blocks_of_50_logs_per_minute": self.blocks_per_minute(),
            "followed_blocks": self.blocks,
            "full_blocks": self.full_blocks,
            "logs": self.logs,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "machine": self.machine.json(),
        })
    }
}
