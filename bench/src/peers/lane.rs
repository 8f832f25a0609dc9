//! The same by a lane of ours, as a caller uses it: submitted under a key, with the same key again while it is unknown whether the
//! node has it, and then waited for.

use super::client::{Run, TRANSFER_GAS, Task, receiver};
use super::tally::Told;
use crate::ledger_load::signer::CHAIN_ID;
use alloy_primitives::{Bytes, U256};
use anyhow::{Context, Result};
use chain::{Chain, HttpTransport, Intent, IntentKey, Lane, Outcome, OutcomeError, Profile, Rules, SubmitError};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

/// The ledger's block gas limit is far beyond this.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
/// How often a lane is opened while the node does not answer, and how long rests in between.
const OPENINGS_MAX: u32 = 100;
const OPENING_PAUSE: Duration = Duration::from_millis(50);
/// How long an end is waited for at a time.
const END_TIME_MAX: Duration = Duration::from_secs(10);

type Ends = Arc<Mutex<BTreeMap<u32, Told>>>;

/// The sender's key: its account is the one that the ledger funds.
pub(super) fn sender_label() -> Result<KeyLabel> {
    Ok(KeyLabel::parse("peer")?)
}

/// The key of the sender alone.
pub(super) fn custody() -> Result<Custody> {
    let mut custody = Custody::new(profile().network());
    let _ = custody.add_test_key(sender_label()?, Purpose::Transactions)?;
    Ok(custody)
}

fn profile() -> Profile {
    Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT)
}

/// Does the task.
pub(super) async fn run(task: &Task<'_>) -> Result<Run> {
    let deadline = (Instant::now() + task.time_max).into();
    let place = Place::Sqlite { path: task.folder.join("lane.db") };
    let chain = opened(&task.url, &place).await?;
    let settlement = chain.settle().await?;
    let lane = lane_of(&chain).await?;
    let (ends, next) = (Ends::default(), Arc::new(AtomicU32::new(0)));
    let (mut callers, began) = (JoinSet::new(), Instant::now());
    for _ in 0..task.at_once {
        let (chain, lane, ends, next, intents) =
            (chain.clone(), lane.clone(), ends.clone(), next.clone(), task.intents);
        let _ = callers.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= intents {
                    return anyhow::Ok(());
                }
                let told = carried_out(&chain, &lane, &payment(number)?).await?;
                let _ = ends.lock().unwrap_or_else(PoisonError::into_inner).insert(number, told);
            }
        });
    }
    let all = async {
        while let Some(called) = callers.join_next().await {
            called??;
        }
        anyhow::Ok(())
    };
    let broken_off = match timeout_at(deadline, all).await {
        Ok(ended) => ended.err().map(|error| format!("{error:#}")),
        Err(_) => Some(format!("did not end in {} s", task.time_max.as_secs())),
    };
    let elapsed = began.elapsed();
    callers.shutdown().await;
    settlement.stop().await;
    drop(lane);
    chain.close().await;
    let told = std::mem::take(&mut *ends.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Run { client: "lastro".to_owned(), told, elapsed, broken_off })
}

fn payment(number: u32) -> Result<Intent> {
    let key = IntentKey::parse(&format!("payment/{number}"))?;
    let payment = Intent::call(key, receiver(number), Bytes::new(), TRANSFER_GAS, "a payment of 1 wei");
    Ok(Intent { value_wei: U256::ONE, ..payment })
}

/// What is told of an intent in the end. Whoever waits ends this when the time is up.
async fn carried_out(chain: &Chain, lane: &Lane, intent: &Intent) -> Result<Told> {
    loop {
        match lane.submit(intent).await {
            Ok(_) => break,
            Err(SubmitError::Unsettled { .. } | SubmitError::Contended { .. }) => {}
            Err(SubmitError::Refused { .. }) => return Ok(Told::Failed),
            Err(error) => return Err(error.into()),
        }
    }
    loop {
        match chain.outcome(&intent.key, END_TIME_MAX).await {
            Ok(Outcome::Mined(mined)) if mined.execution.is_success() => return Ok(Told::Done),
            Ok(Outcome::Mined(_) | Outcome::Refused(_)) => return Ok(Told::Failed),
            Err(OutcomeError::TimedOut { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn opened(url: &str, place: &Place) -> Result<Chain> {
    let (custody, mut failed) = (Arc::new(custody()?), None);
    for _ in 0..OPENINGS_MAX {
        match Chain::open(profile(), Arc::new(HttpTransport::new(url)?), place, custody.clone()).await {
            Ok(chain) => return Ok(chain),
            Err(error) => failed = Some(error),
        }
        tokio::time::sleep(OPENING_PAUSE).await;
    }
    Err(failed.context("nothing was tried")?).context("the lane's store cannot be opened")
}

async fn lane_of(chain: &Chain) -> Result<Lane> {
    let (label, mut failed) = (sender_label()?, None);
    for _ in 0..OPENINGS_MAX {
        match chain.lane(&label).await {
            Ok(lane) => return Ok(lane),
            Err(error) => failed = Some(error),
        }
        tokio::time::sleep(OPENING_PAUSE).await;
    }
    Err(failed.context("nothing was tried")?).context("the lane cannot be opened")
}
