//! Where a client is measured: a ledger of its own, in bad weather with the fault proxy before it, killed once; and what the client's
//! intents did there, as the ledger itself says.

use super::BLOCK_PERIOD_TEXT;
use super::client::{Client, Run, Task, receiver};
use super::tally::Tally;
use crate::ground::{Ground, GroundOptions};
use crate::ledger_load::connection::{Connection, quantity};
use crate::machine::Machine;
use alloy_primitives::Address;
use anyhow::{Context, Result, ensure};
use fault_proxy::{FaultProxy, Weather};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::{Instant, interval, sleep};

/// Calls in one request of ethers in clear weather, which is its own limit. Under faults each call is a request, for all clients alike:
/// a batch would meet one fault instead of a hundred.
const BATCH_MAX: u32 = 100;
/// How often the ledger is asked how far the sender is.
const LOOK_PERIOD: Duration = Duration::from_millis(5);
/// When a ledger has mined nothing of the sender for so long, nothing more comes: 10 blocks, and what the proxy delays at most.
const QUIET: Duration = Duration::from_millis(1_500);
/// How long the quiet is waited for.
const QUIET_TIME_MAX: Duration = Duration::from_secs(30);

/// Who sends, and where the scripts' packages are.
#[derive(Clone, Debug)]
pub(super) struct Cast<'a> {
    pub(super) sender: Address,
    pub(super) private_key: &'a str,
    pub(super) packages: &'a Path,
    pub(super) ground: &'a GroundOptions,
    pub(super) at_once: u32,
    pub(super) time_max: Duration,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    pub(super) seed: u64,
    /// Of a thousand requests, so many meet a fault.
    pub(super) per_mille: u16,
}

/// What a client did and what came of it.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) client: Client,
    pub(super) run: Run,
    pub(super) tally: Tally,
    /// Requests that came to the proxy, and those that met a fault.
    pub(super) requests: u64,
    pub(super) faults: u64,
    /// How many of the sender's transactions waited in the pool when the ledger was killed; `None` if it was not, because the client
    /// never came so far.
    pub(super) lost_from_pool: Option<u64>,
    /// Where it was played.
    pub(super) machine: Machine,
}

impl Cast<'_> {
    /// Has the client carry out so many intents.
    pub(super) async fn play(&self, client: Client, intents: u32, trouble: Option<Trouble>) -> Result<Played> {
        let mut ground = Ground::lay(self.ground, "peers-", BLOCK_PERIOD_TEXT, &[self.sender])?;
        let proxy = match trouble {
            Some(Trouble { seed, per_mille }) => {
                Some(FaultProxy::start(seed, Weather::with_everything(per_mille)).await.context("no fault proxy")?)
            }
            None => None,
        };
        let (url, folder) = (proxy.as_ref().map_or_else(|| ground.url(), FaultProxy::url), ground.path().to_owned());
        let (private_key, packages) = (self.private_key, self.packages);
        let (at_once, time_max) = (self.at_once, self.time_max);
        let batch_max = if trouble.is_some() { 1 } else { BATCH_MAX };
        let task = Task { url, intents, at_once, batch_max, time_max, private_key, folder: &folder, packages };
        let played = match &proxy {
            Some(proxy) => self.run_with_kill(client, &task, proxy, &mut ground).await,
            None => client.run(&task).await.map(|run| (run, None)),
        };
        let (run, lost_from_pool) = ground.measured(played)?;
        let effects = self.effects(&ground, intents).await;
        let tally = Tally::of(&ground.measured(effects)?, &run.told);
        let (mut requests, mut faults) = (0, 0);
        if let Some(proxy) = proxy {
            (requests, faults) = (proxy.survived().requests, proxy.survived().faults());
            proxy.stop().await;
        }
        Ok(Played { client, run, tally, requests, faults, lost_from_pool, machine: ground.machine.clone() })
    }

    /// The client's run, while the ledger is killed once.
    async fn run_with_kill(
        &self,
        client: Client,
        task: &Task<'_>,
        proxy: &FaultProxy,
        ground: &mut Ground,
    ) -> Result<(Run, Option<u64>)> {
        proxy.lead_to(ground.ledger.address);
        let running = client.run(task);
        tokio::pin!(running);
        let waiting = tokio::select! {
            run = &mut running => return Ok((run?, None)),
            waiting = self.wait_for_a_full_pool(ground, task) => waiting?,
        };
        block_in_place(|| ground.ledger.kill_and_start_again())?;
        proxy.lead_to(ground.ledger.address);
        Ok((running.await?, Some(waiting)))
    }

    /// Waits until a third of the intents are mined and the pool has a quarter of what the client may have under way, or, where it
    /// never has so many, two thirds are mined and it has any; how many it has.
    async fn wait_for_a_full_pool(&self, ground: &Ground, task: &Task<'_>) -> Result<u64> {
        let mut connection = Connection::open(ground.ledger.address).await?;
        let (mut looks, intents, at_once) = (interval(LOOK_PERIOD), u64::from(task.intents), u64::from(task.at_once));
        loop {
            let _ = looks.tick().await;
            let mined = self.transactions(&mut connection, "latest").await?;
            let waiting = self.transactions(&mut connection, "pending").await?.saturating_sub(mined);
            let is_full = mined * 3 >= intents && waiting * 4 >= at_once;
            if is_full || (mined * 3 >= intents * 2 && waiting > 0) {
                return Ok(waiting);
            }
        }
    }

    async fn transactions(&self, connection: &mut Connection, block: &str) -> Result<u64> {
        quantity(&connection.call("eth_getTransactionCount", json!([self.sender.to_string(), block])).await?)
    }

    /// How often each intent was carried out: what its receiver has, once nothing more comes.
    async fn effects(&self, ground: &Ground, intents: u32) -> Result<Vec<u64>> {
        let mut connection = Connection::open(ground.ledger.address).await?;
        let (mut mined, mut since, began) = (0, Instant::now(), Instant::now());
        while since.elapsed() < QUIET {
            let now = self.transactions(&mut connection, "latest").await?;
            if now != mined {
                (mined, since) = (now, Instant::now());
            }
            ensure!(
                began.elapsed() < QUIET_TIME_MAX,
                "transactions are still mined {QUIET_TIME_MAX:?} after their client's end"
            );
            sleep(LOOK_PERIOD).await;
        }
        let mut effects = Vec::new();
        for intent in 0..intents {
            let balance = json!([receiver(intent).to_string(), "latest"]);
            effects.push(quantity(&connection.call("eth_getBalance", balance).await?)?);
        }
        // An empty transaction that a lane cancels by is mined and pays nobody.
        ensure!(effects.iter().sum::<u64>() <= mined, "{mined} transactions were mined, and more payments are there");
        Ok(effects)
    }
}
