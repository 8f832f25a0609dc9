//! Seeded lives of a chain against a model of a node, in virtual time: whatever happens, each intent has exactly one effect or
//! is refused and has none, and no gap in a sender's nonces outlives ten blocks ([`gaps`] says what counts as one).
//!
//! A seed decides the faults of the node, the intents, and at which of the node's requests this process dies: before the node
//! has the request, or after. Every outside effect is a request, so these are all the places where a death makes a
//! difference; the journal answers for its own. A life is a runtime; dropping it drops every task at once. SQLite works in
//! threads of its own, whose pace no seed decides: so the clock stands while the store works, however slow the machine. What a
//! seed leaves open is who of those goes first that are ready at one moment: a violation that is seen once may take some runs of
//! its seed to be seen again.
//!
//! Other seeds: `LASTRO_CHAIN_SEEDS=7000..9000 cargo test -p chain simulation`.

mod again;
mod faultless;
mod gaps;
mod hammering;
mod market;
mod node;
mod operator;
mod policies;
mod prices;
pub(crate) mod random;
mod requests;
mod retirement;
pub(crate) mod seeds;
mod several;
mod shared;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::{Address, Bytes};
use custody::{Custody, KeyLabel, Purpose};
use tokio::task::JoinSet;

use self::node::{CHAIN_ID, Effect, Node, Tally};
use self::random::Random;
use crate::{Chain, Intent, IntentKey, Lane, Outcome, OutcomeError, Pace, Profile, RpcTransport, Rules, SubmitError};

/// A defect that is planted to see whether the simulation catches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The bytes leave before they are stored.
    BroadcastBeforeCommit,
    /// What is unknown counts as failed: the intent is refused and its nonce given to another.
    NewNonceAfterUnknown,
    /// A transaction that the node lost is never sent again.
    NeverAgain,
    /// Whoever waits for an outcome sends the bytes again beside their first delivery, which does not learn of it.
    SentAgainUnannounced,
    /// What the node lost is sent again after a silence alone, however many blocks that is.
    OnlyAfterSilence,
    /// Refusals for too many of the sender leave its window as it is.
    NothingLearnt,
    /// Of a transaction that is made dearer, those at lower prices are forgotten, which a block may take all the same.
    EarlierForgotten,
    /// Requests go to any lane, whatever is in flight of their subject.
    NotPinned,
    /// What fails when its gas is estimated is refused, whatever is in flight that it may need.
    EstimateFinalAtOnce,
    /// What fails when its gas is estimated, and nothing is in flight, is refused at once, however far the node is behind.
    EstimateBelievedAtOnce,
    /// Of several nodes another one is asked in the same call, though the first may have the transaction.
    AnotherNodeAfterUnknown,
    /// Of several nodes the others get a transaction before the first has said that it takes it.
    CopiedBeforeItsAnswer,
}

/// How long one intent may take in virtual time. After a node's last fault, seconds are enough.
const WAIT_MAX: Duration = Duration::from_secs(600);

/// The seeds that every test run plays, some 5 s on 2 cores.
const SEEDS: &str = "0..600";

/// How often one intent is submitted again after an answer that leaves it open.
const SUBMISSIONS_MAX: u32 = 20;

/// How often this process dies at most, in one seed.
const DEATHS_MAX: u64 = 3;

/// What the callers know: it survives the process, as their own stores do.
#[derive(Default)]
struct Knowledge {
    ends: BTreeMap<u64, Result<Outcome, String>>,
}

struct Plan {
    intents: Vec<(KeyLabel, Intent)>,
    deaths: Vec<u64>,
    profile: Profile,
    /// From how long after an intent's first submission on somebody waits for its outcome beside that, if anybody does.
    watch_after: Option<Duration>,
    block_period: Duration,
    way: Way,
}

/// How the process reaches the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    OneNode,
    SeveralNodes,
}

impl Way {
    fn to(self, node: &Arc<Node>, mutant: Option<Mutant>) -> Arc<dyn RpcTransport> {
        match self {
            Self::OneNode => Arc::<Node>::clone(node),
            Self::SeveralNodes => several::over(node, mutant),
        }
    }
}

impl Plan {
    fn of(random: &mut Random) -> Self {
        let lanes = 1 + random.below(3);
        // In some seeds more than any limit of the node.
        let count = if random.per_mille(100) { 20 + random.below(20) } else { 3 + random.below(8) };
        let intents = (0..count).map(|id| {
            let label = KeyLabel::parse(&format!("sender-{}", random.below(lanes))).unwrap();
            let effect = match random.below(20) {
                0 => Effect::Refused,
                1 => Effect::Reverted,
                _ => Effect::Done,
            };
            let key = IntentKey::parse(&format!("intent/{id}")).unwrap();
            let data = Bytes::from(effect.calldata(id));
            (label, Intent::call(key, Address::repeat_byte(0xcc), data, 100_000, format!("intent {id}")))
        });
        let intents = intents.collect();
        let deaths = (0..random.below(DEATHS_MAX + 1)).map(|_| 5 + random.below(60)).collect();
        // Those who wait beside a delivery speak again in the middle of it.
        let watch_after = random.per_mille(500).then(|| Duration::from_millis(1 + random.below(50)));
        let silence_max = watch_after.map_or(Duration::from_secs(3), |_| Duration::from_millis(1 + random.below(100)));
        let window_start = [1, 5, 200][usize::try_from(random.below(3)).unwrap()];
        let block_period = Duration::from_millis([250, 500, 1_000, 2_000][usize::try_from(random.below(4)).unwrap()]);
        let profile = Profile { silence_max, window_start, ..profile() };
        Self { intents, deaths, profile, watch_after, block_period, way: Way::OneNode }
    }
}

fn profile() -> Profile {
    Profile {
        head_poll: Duration::from_millis(100),
        silence_max: Duration::from_secs(3),
        offers: Pace { first_pause: Duration::from_millis(20), pause_max: Duration::from_secs(1), attempts_max: 8 },
        ..Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000)
    }
}

fn custody() -> Arc<Custody> {
    let mut custody = Custody::new(profile().network());
    for lane in 0..3 {
        let label = KeyLabel::parse(&format!("sender-{lane}")).unwrap();
        let _ = custody.add_test_key(label, Purpose::Transactions).unwrap();
    }
    Arc::new(custody)
}

/// What came to pass in many seeds.
#[derive(Debug, Default)]
struct Coverage {
    lost: u64,
    restarts: u64,
    lies: u64,
    foreign: u64,
    deaths: u64,
    too_distant: u64,
    limits: u64,
    other_node: u64,
    second_face: u64,
    replaced: u64,
    too_cheap: u64,
    done: u64,
    reverted: u64,
    refused: u64,
    displaced: u64,
}

impl Coverage {
    fn add(&mut self, node: &Node, ends: &BTreeMap<u64, Result<Outcome, String>>) {
        let Tally { lost, restarts, lies, foreign, deaths, too_distant, limits, other_node, second_face, .. } =
            node.tally();
        let Tally { replaced, too_cheap, .. } = node.tally();
        self.replaced += replaced;
        self.too_cheap += too_cheap;
        self.lost += lost;
        self.restarts += restarts;
        self.lies += lies;
        self.foreign += foreign;
        self.deaths += deaths;
        self.too_distant += too_distant;
        self.limits += limits;
        self.other_node += other_node;
        self.second_face += second_face;
        for end in ends.values() {
            let counter = match end {
                Ok(Outcome::Mined(mined)) if mined.execution.is_success() => &mut self.done,
                Ok(Outcome::Mined(_)) => &mut self.reverted,
                Ok(Outcome::Refused(refusal)) if refusal.reason.contains("not ours") => &mut self.displaced,
                Ok(Outcome::Refused(_)) => &mut self.refused,
                Err(_) => continue,
            };
            *counter += 1;
        }
    }

    fn least(&self) -> u64 {
        let answers = [self.lost, self.lies, self.too_distant, self.other_node];
        let faults = [self.restarts, self.foreign, self.deaths, self.limits];
        let ends = [self.done, self.reverted, self.refused, self.displaced];
        answers.into_iter().chain(faults).chain(ends).min().unwrap_or(0)
    }
}

/// Plays one seed, counts what came to pass, and says what was violated.
fn play(seed: u64, way: Way, mutant: Option<Mutant>, place: &Place, coverage: &Mutex<Coverage>) -> Result<(), String> {
    let mut random = Random::new(seed);
    let plan = Plan { way, ..Plan::of(&mut random) };
    let node = Arc::new(Node::new(random.fork()));
    play_out(&plan, &node, &format!("{seed}-{way:?}-{mutant:?}"), mutant, place, coverage)
}

/// The lives of one plan, in a store of this name.
fn play_out(
    plan: &Plan,
    node: &Arc<Node>,
    name: &str,
    mutant: Option<Mutant>,
    place: &Place,
    coverage: &Mutex<Coverage>,
) -> Result<(), String> {
    let store = journal::Place::Sqlite { path: place.folder.path().join(format!("{name}.db")) };
    let knowledge = Arc::new(Mutex::new(Knowledge::default()));
    for death in plan.deaths.iter().map(|&requests| Some(requests)).chain([None]) {
        node.set_death(death);
        let is_over = live(node, &store, &place.custody, mutant, plan, &knowledge)?;
        if is_over && death.is_none() {
            break;
        }
    }
    let ends = &knowledge.lock().unwrap().ends;
    coverage.lock().unwrap().add(node, ends);
    check(plan, node, ends)
}

/// One life of the process: until everything has ended, or until it dies.
fn live(
    node: &Arc<Node>,
    store: &journal::Place,
    custody: &Arc<Custody>,
    mutant: Option<Mutant>,
    plan: &Plan,
    knowledge: &Arc<Mutex<Knowledge>>,
) -> Result<bool, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = node.died() => Ok(false),
            worked = work(Arc::clone(node), store, Arc::clone(custody), mutant, plan, Arc::clone(knowledge)) => worked.map(|()| true),
        }
    })
}

async fn work(
    node: Arc<Node>,
    store: &journal::Place,
    custody: Arc<Custody>,
    mutant: Option<Mutant>,
    plan: &Plan,
    knowledge: Arc<Mutex<Knowledge>>,
) -> Result<(), String> {
    let chain = open(&plan.profile, plan.way.to(&node, mutant), store, custody, mutant).await?;
    let worked = tokio::select! {
        biased;
        gap = gaps::make_blocks(&node, &chain, plan.block_period) => Err(gap),
        worked = all(&chain, plan, &knowledge) => worked,
    };
    chain.close().await;
    worked
}

/// All callers, until each has an end.
async fn all(chain: &Chain, plan: &Plan, knowledge: &Arc<Mutex<Knowledge>>) -> Result<(), String> {
    let mut callers = JoinSet::new();
    for (id, (label, intent)) in (0_u64..).zip(&plan.intents) {
        if !knowledge.lock().unwrap().ends.contains_key(&id) {
            let (chain, lane, intent) = (chain.clone(), lane(chain, label).await?, intent.clone());
            let (knowledge, watch_after) = (Arc::clone(knowledge), plan.watch_after);
            let _ = callers.spawn(async move {
                let end = tokio::select! {
                    biased;
                    end = carry_through(&chain, &lane, &intent) => end,
                    never = look_on(&chain, &intent.key, watch_after) => match never {},
                };
                let _ = knowledge.lock().unwrap().ends.insert(id, end);
            });
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended.map_err(|error| format!("a caller failed: {error}"))?;
    }
    let open = chain.open_intents().await.map_err(|error| error.to_string())?;
    if open.is_empty() { Ok(()) } else { Err(format!("left open: {open:?}")) }
}

/// The node may be faulty while the chain is opened, as in life; then the operator opens it again.
async fn open(
    profile: &Profile,
    node: Arc<dyn RpcTransport>,
    store: &journal::Place,
    custody: Arc<Custody>,
    mutant: Option<Mutant>,
) -> Result<Chain, String> {
    let mut last = String::new();
    for _ in 0..SUBMISSIONS_MAX {
        let node = Arc::clone(&node);
        let durability = journal::store::Durability::ProcessOnly;
        match Chain::open_core(profile.clone(), node, store, Arc::clone(&custody), durability).await {
            Ok(mut core) => {
                core.mutant = mutant;
                return Ok(Chain::of(core));
            }
            Err(error) => last = format!("{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("the chain cannot be opened: {last}"))
}

async fn lane(chain: &Chain, label: &KeyLabel) -> Result<Lane, String> {
    let mut last = String::new();
    for _ in 0..SUBMISSIONS_MAX {
        match chain.lane(label).await {
            Ok(lane) => return Ok(lane),
            Err(error) => last = format!("{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("the lane cannot be opened: {last}"))
}

/// What a sensible caller does: the same key again until the answer is an end.
async fn carry_through(chain: &Chain, lane: &Lane, intent: &Intent) -> Result<Outcome, String> {
    for _ in 0..SUBMISSIONS_MAX {
        match lane.submit(intent).await {
            Ok(_) => break,
            Err(SubmitError::Refused { reason, .. }) => return Ok(Outcome::Refused(crate::Refusal { reason })),
            Err(SubmitError::Unsettled { .. } | SubmitError::Contended { .. } | SubmitError::Paused { .. }) => {
                lane.resume();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(format!("{error:?}")),
        }
    }
    outcome_in_time(chain, &intent.key).await
}

async fn outcome_in_time(chain: &Chain, key: &IntentKey) -> Result<Outcome, String> {
    match chain.outcome(key, WAIT_MAX).await {
        Ok(outcome) => Ok(outcome),
        Err(OutcomeError::TimedOut { .. }) => Err("no outcome in time".to_owned()),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// What somebody else does who knows the key: waits for the outcome while the intent is still being submitted.
async fn look_on(chain: &Chain, key: &IntentKey, watch_after: Option<Duration>) -> Infallible {
    let Some(pause) = watch_after else { return std::future::pending().await };
    loop {
        tokio::time::sleep(pause).await;
        if !matches!(chain.outcome(key, WAIT_MAX).await, Err(OutcomeError::NoSuchIntent { .. })) {
            return std::future::pending().await;
        }
    }
}

/// Holds what the callers were told against what the node did.
fn check(plan: &Plan, node: &Node, ends: &BTreeMap<u64, Result<Outcome, String>>) -> Result<(), String> {
    // First of all one more block, so that what is still in the pool has its effect.
    let stuck = node.stuck();
    for (id, (_, intent)) in (0_u64..).zip(&plan.intents) {
        let (done, reverted) = node.effects(id);
        match ends.get(&id) {
            Some(Ok(Outcome::Mined(mined))) if mined.execution.is_success() && (done, reverted) == (1, 0) => {}
            Some(Ok(Outcome::Mined(mined))) if !mined.execution.is_success() && (done, reverted) == (0, 1) => {}
            Some(Ok(Outcome::Refused(_))) if (done, reverted) == (0, 0) => {}
            end => return Err(format!("{}: done {done}, reverted {reverted}, told {end:?}", intent.key)),
        }
    }
    match stuck {
        0 => Ok(()),
        stuck => Err(format!("{stuck} transactions are stuck behind a gap")),
    }
}

/// Where seeds are played: in memory if the machine has such a folder, since no promise about power is tested here.
struct Place {
    folder: tempfile::TempDir,
    custody: Arc<Custody>,
}

impl Place {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { folder: folder.unwrap(), custody: custody() }
    }
}

#[test]
fn each_intent_has_exactly_one_effect_or_a_refusal() {
    let (place, coverage) = (Place::new(), Mutex::default());
    let seeds = seeds::chosen(SEEDS);
    let violations = seeds::play_all(seeds.clone(), |seed| play(seed, Way::OneNode, None, &place, &coverage));
    let coverage = coverage.into_inner().unwrap();
    println!("{coverage:?}");
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
    assert!(seeds.count() < 500 || coverage.least() > 0, "something never came to pass: {coverage:?}");
}

#[test]
fn planted_defects_are_caught() {
    let (place, coverage) = (Place::new(), Mutex::default());
    let mutants = [
        Mutant::BroadcastBeforeCommit,
        Mutant::NewNonceAfterUnknown,
        Mutant::NeverAgain,
        Mutant::SentAgainUnannounced,
        Mutant::OnlyAfterSilence,
    ];
    for mutant in mutants {
        let play = |seed| play(seed, Way::OneNode, Some(mutant), &place, &coverage);
        let caught = (0..500).find_map(|seed| play(seed).err().map(|error| (seed, error)));
        println!("{mutant:?}: {caught:?}");
        assert!(caught.is_some(), "{mutant:?} went unnoticed in 500 seeds");
    }
}
