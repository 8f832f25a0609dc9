//! Lanes against a real ledger, behind a link that loses, delays, doubles and falsifies, with the platform dying in between and the
//! ledger killed under all of them: whatever happens, each intent has exactly one effect on the ledger, or is refused and has none.
//!
//! A seed decides the weather on the link, the intents, and when the platform dies; the machine decides what is under way then.
//! Other seeds: `LASTRO_LINK_SEEDS=0..200`.

mod several_nodes;

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use crate::program::LIMIT;
use alloy_primitives::{Address, B256, Bytes, keccak256};
use chain::{
    Chain, HttpTransport, Intent, IntentKey, Lane, LogFilter, Outcome, Pace, Profile, Rpc, RpcTransport, Rules,
    SubmitError,
};
use custody::{Custody, KeyLabel, Purpose};
use fastrand::Rng;
use fault_proxy::{FaultKind, FaultProxy, Weather};
use journal::Place;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;

/// The seeds that every test run plays.
const SEEDS: Range<u64> = 0..24;
/// Seeds played at once.
const AT_ONCE: u64 = 6;
/// Gas limit of the fixture's blocks.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
const GAS_MAX: u64 = 200_000;
/// From one kill of the ledger to the next.
const LEDGER_LIFE: Duration = Duration::from_millis(1_200);
/// How long a platform lives that is to die, at most.
const PLATFORM_LIFE_MAX_MS: u64 = 900;
/// Callers of a seed, each of whom wants one thing after the other.
const CALLERS: usize = 4;
/// After so many requests of a seed the link is good, so that everything can come to its end.
const FAULTY_REQUESTS_MAX: u64 = 600;
/// How often something is tried that the link keeps from succeeding.
const TRIES_MAX: u32 = 400;

/// Creation code of a contract that logs the first word of its input as a topic, or reverts if that begins with 0xff:
/// `CALLDATALOAD(0); if it >> 248 == 0xff { REVERT } LOG1; STOP`.
const LOGGER: &[u8] = &[
    0x60, 0x19, 0x60, 0x0c, 0x60, 0x00, 0x39, 0x60, 0x19, 0x60, 0x00, 0xf3, 0x60, 0x00, 0x35, 0x80, 0x60, 0xf8, 0x1c,
    0x60, 0xff, 0x14, 0x60, 0x13, 0x57, 0x60, 0x00, 0x60, 0x00, 0xa1, 0x00, 0x5b, 0x60, 0x00, 0x60, 0x00, 0xfd,
];

fn profile() -> Profile {
    Profile {
        silence_max: Duration::from_millis(500),
        offers: Pace { first_pause: Duration::from_millis(5), pause_max: Duration::from_millis(200), attempts_max: 12 },
        ..Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT)
    }
}

fn label(seed: u64, lane: usize) -> KeyLabel {
    KeyLabel::parse(&format!("link-{seed}-{lane}")).unwrap()
}

fn chosen_seeds() -> Range<u64> {
    let Ok(text) = std::env::var("LASTRO_LINK_SEEDS") else { return SEEDS };
    let (from, to) = text.split_once("..").unwrap();
    from.parse().unwrap()..to.parse().unwrap()
}

/// What a seed wants done: lane, word, intent.
fn intents(random: &mut Rng, seed: u64, contract: Address) -> Vec<(usize, B256, Intent)> {
    let one = |id: u64| {
        let mut word = keccak256([seed.to_be_bytes(), id.to_be_bytes()].concat());
        word[0] = if random.u8(..10) == 0 { 0xff } else { 0x01 };
        let key = IntentKey::parse(&format!("link/{seed}/{id}")).unwrap();
        let intent = Intent::call(key, contract, Bytes::from(word), GAS_MAX, "log a word");
        (random.usize(..2), word, intent)
    };
    (0..24).map(one).collect()
}

type Ends = Arc<Mutex<BTreeMap<IntentKey, Outcome>>>;

fn way_to(url: &str) -> Arc<dyn RpcTransport> {
    Arc::new(HttpTransport::new(url).unwrap())
}

async fn open(way: &Arc<dyn RpcTransport>, store: &Path, seed: u64) -> Chain {
    let mut custody = Custody::new(profile().network());
    for lane in 0..2 {
        let _ = custody.add_test_key(label(seed, lane), Purpose::Transactions).unwrap();
    }
    let (place, custody) = (Place::Sqlite { path: store.to_owned() }, Arc::new(custody));
    let mut last = None;
    for _ in 0..TRIES_MAX {
        match Chain::open(profile(), Arc::clone(way), &place, Arc::clone(&custody)).await {
            Ok(chain) => return chain,
            Err(error) => last = Some(error),
        }
        tokio::task::yield_now().await;
    }
    panic!("seed {seed}: the chain cannot be opened: {last:?}");
}

async fn lane_of(chain: &Chain, label: &KeyLabel) -> Lane {
    let mut last = None;
    for _ in 0..TRIES_MAX {
        match chain.lane(label).await {
            Ok(lane) => return lane,
            Err(error) => last = Some(error),
        }
    }
    panic!("{label}: the lane cannot be opened: {last:?}");
}

/// What a sensible caller does: the same key again until the answer is an end.
async fn carry_through(chain: Chain, lane: Lane, intent: Intent) -> Outcome {
    for _ in 0..TRIES_MAX {
        match lane.submit(&intent).await {
            Ok(_) => break,
            Err(SubmitError::Refused { reason, .. }) => return Outcome::Refused(chain::Refusal { reason }),
            Err(SubmitError::Unsettled { .. } | SubmitError::Contended { .. }) => {}
            Err(error) => panic!("{}: {error:?}", intent.key),
        }
    }
    chain.outcome(&intent.key, 3 * LIMIT).await.unwrap()
}

/// One life of the platform, until all has ended.
async fn live(url: &str, store: &Path, seed: u64, wanted: &[(usize, B256, Intent)], ends: &Ends) {
    let chain = open(&way_to(url), store, seed).await;
    let settlement = chain.settle().await.unwrap();
    let mut lanes = Vec::new();
    for lane in 0..2 {
        lanes.push(lane_of(&chain, &label(seed, lane)).await);
    }
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let mine: Vec<_> = wanted.iter().skip(caller).step_by(CALLERS).cloned().collect();
        let (chain, lanes, ends) = (chain.clone(), lanes.clone(), Arc::clone(ends));
        let _ = callers.spawn(async move {
            for (lane, _, intent) in mine {
                if !ends.lock().unwrap().contains_key(&intent.key) {
                    let end = carry_through(chain.clone(), lanes[lane].clone(), intent.clone()).await;
                    let _ = ends.lock().unwrap().insert(intent.key, end);
                }
            }
        });
    }
    drop(lanes);
    while let Some(called) = callers.join_next().await {
        called.unwrap();
    }
    assert!(chain.open_intents().await.unwrap().is_empty(), "seed {seed}: something was left open");
    settlement.stop().await;
    chain.close().await;
}

/// Plays a seed; gives what was wanted and how it ended.
fn play(seed: u64, node: SocketAddr, contract: Address, links: &Handle) -> Played {
    let mut random = Rng::with_seed(seed);
    let wanted = intents(&mut random, seed, contract);
    let (folder, ends) = (tempfile::tempdir().unwrap(), Ends::default());
    let store = folder.path().join("chain.db");
    let proxy = links.block_on(FaultProxy::start(seed, Weather::of_seed(seed))).unwrap();
    proxy.lead_to(node);
    proxy.clear_after(FAULTY_REQUESTS_MAX);
    let url = proxy.url();
    for _ in 0..random.u8(..4) {
        let life = Duration::from_millis(random.u64(1..PLATFORM_LIFE_MAX_MS));
        // Dropping a runtime drops every task at once.
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let is_over = runtime
            .block_on(async { tokio::time::timeout(life, live(&url, &store, seed, &wanted, &ends)).await.is_ok() });
        if is_over {
            break;
        }
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(live(&url, &store, seed, &wanted, &ends));
    let faults = FaultKind::ALL.map(|kind| proxy.survived().of(kind));
    links.block_on(proxy.stop());
    let ends = ends.lock().unwrap().clone();
    Played { seed, wanted, ends, faults }
}

/// A seed that was played.
struct Played {
    seed: u64,
    wanted: Vec<(usize, B256, Intent)>,
    ends: BTreeMap<IntentKey, Outcome>,
    faults: [u64; FaultKind::ALL.len()],
}

impl Played {
    /// Holds what the callers were told against the ledger.
    async fn check(&self, rpc: &Rpc, contract: Address) {
        let to_block = rpc.block_number().await.unwrap();
        for (_, word, intent) in &self.wanted {
            let filter = LogFilter { from_block: 0, to_block, addresses: vec![contract], topic0: Some(*word) };
            let effects = rpc.logs(&filter).await.unwrap().len();
            let is_to_revert = word[0] == 0xff;
            let is_right = match &self.ends[&intent.key] {
                Outcome::Mined(mined) if mined.execution.is_success() => effects == 1 && !is_to_revert,
                Outcome::Mined(_) => effects == 0 && is_to_revert,
                Outcome::Refused(_) => effects == 0,
            };
            let end = &self.ends[&intent.key];
            assert!(is_right, "seed {}: `{}` has {effects} effects, told {end:?}", self.seed, intent.key);
        }
    }
}

/// The contract, put there over a good link.
async fn deployed(node: &Node) -> Address {
    let folder = tempfile::tempdir().unwrap();
    let chain = open(&way_to(&node.http), &folder.path().join("chain.db"), u64::MAX).await;
    let creation = Intent::create(IntentKey::parse("logger").unwrap(), LOGGER.into(), GAS_MAX, "deploy");
    let lane = lane_of(&chain, &label(u64::MAX, 0)).await;
    match carry_through(chain.clone(), lane, creation).await {
        Outcome::Mined(mined) => mined.created_address.unwrap(),
        refused @ Outcome::Refused(_) => panic!("{refused:?}"),
    }
}

#[test]
fn each_intent_has_one_effect_or_a_refusal_on_a_real_ledger_behind_a_bad_link() {
    let (ledger, links) = (TestLedger::new(), Runtime::new().unwrap());
    let mut node = ledger.start(&["--block-period", "100ms"]);
    let contract = links.block_on(deployed(&node));
    let (address, mut seeds) = (node.address(), chosen_seeds());
    let (first, at) = (seeds.start, address.parse::<SocketAddr>().unwrap());
    let (finished, played) = channel();
    let (mut playing, mut kills, mut done, mut faults) = (0, 0, 0_u64, [0; FaultKind::ALL.len()]);
    let mut next_kill = Instant::now() + LEDGER_LIFE;
    let deadline = Instant::now() + LIMIT * u32::try_from(2 + (seeds.end - first) / AT_ONCE).unwrap();
    loop {
        while playing < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            let (finished, links) = (finished.clone(), links.handle().clone());
            playing += 1;
            drop(std::thread::spawn(move || {
                let played = std::panic::catch_unwind(|| play(seed, at, contract, &links));
                // Whoever asked may have failed meanwhile.
                let _ = finished.send(played);
            }));
        }
        if playing == 0 {
            break;
        }
        match played.recv_timeout(next_kill.saturating_duration_since(Instant::now())) {
            Ok(Err(failed)) => std::panic::resume_unwind(failed),
            Ok(Ok(ended)) => {
                (playing, done) = (playing - 1, done + 1);
                links.block_on(ended.check(&node.rpc(), contract));
                faults.iter_mut().zip(ended.faults).for_each(|(sum, one)| *sum += one);
            }
            Err(RecvTimeoutError::Timeout) => {
                assert!(Instant::now() < deadline, "{playing} seeds are not at their end");
                let _ = node.process.kill();
                node = ledger.start_at(&address);
                kills += 1;
                next_kill = Instant::now() + LEDGER_LIFE;
            }
            Err(RecvTimeoutError::Disconnected) => unreachable!("this thread has a sender"),
        }
    }
    let faults: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.code()).zip(faults).collect();
    println!("{done} seeds from {first}, ledger killed {kills} times, requests that met a fault: {faults:?}");
    assert!(kills > 0 && done > 0);
    assert!(done < 12 || faults.iter().all(|(_, count)| *count > 0), "something never came to pass: {faults:?}");
}
