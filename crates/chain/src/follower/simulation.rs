//! Seeded lives of a follower against models of nodes, in virtual time: whatever happens, what is stored is the ledger, in
//! order, without gap or repetition; liars are named and honest nodes never are; a changed ledger is always found.
//!
//! A seed decides the ledger, the nodes and their faults, what happens to the whole network, where the caller drops its wait,
//! and at which of the nodes' requests the follower dies. A life is a runtime; dropping it drops every task at once. What
//! survives is the caller's store: the blocks whose cursor was committed.
//!
//! Other seeds: `LASTRO_CHAIN_SEEDS=7000..9000 cargo test -p chain follower`.

mod hostile;
mod node;
mod quiet;
mod world;

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::B256;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use self::node::{CHAIN_ID, Character, Event, Node, World};
use self::world::{ModelBlock, grow, word};
use super::{
    Cursor, FollowError, FollowSettings, FollowedBlock, FollowedLedger, FollowedNode, Follower, LedgerChange, Lie,
    NodeLied,
};
use crate::simulation::random::Random;
use crate::simulation::seeds;
use crate::{Pace, Profile, Rpc, Rules};

/// A defect that is planted to see whether the simulation catches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// A block may follow on any other.
    NoParentCheck,
    /// Neither bloom nor receipts root are compared.
    NoContentCheck,
    /// One node's word is enough.
    BeforeQuorum,
    /// A block that cannot be read is left out.
    SkipsOnError,
    /// Who is not heard of in time is called a liar.
    NamesTheSilent,
    /// A node is asked which ledger it is on only once.
    ExaminesOnce,
}

/// What the follower takes for the parent and the quorum, with the defect that is planted.
pub(super) fn mutated(follower: &Follower, parent: B256, quorum: usize) -> (B256, usize) {
    let next = follower.rounds.get(&(follower.given.number + 1));
    let named = next.and_then(|round| round.strangers(parent).next()).map_or(parent, |(_, named)| named);
    match follower.shared.mutant {
        Some(Mutant::NoParentCheck | Mutant::SkipsOnError) => (named, quorum),
        Some(Mutant::BeforeQuorum) => (parent, 1),
        Some(Mutant::NoContentCheck | Mutant::NamesTheSilent | Mutant::ExaminesOnce) | None => (parent, quorum),
    }
}

/// What the planted defect does when a block could not be read.
pub(super) fn after_fault(follower: &mut Follower, node: usize, number: u64) {
    match follower.shared.mutant {
        Some(Mutant::SkipsOnError) if number == follower.given.number + 1 => {
            follower.given.number = number;
            drop(follower.rounds.remove(&number));
        }
        Some(Mutant::NamesTheSilent) => follower.name(node, number, Lie::LogsBloom),
        _ => {}
    }
}

/// Whether the planted defect keeps this node from being examined.
pub(super) fn keeps_from_examining(shared: &super::Shared, state: &super::node::NodeState) -> bool {
    shared.mutant == Some(Mutant::ExaminesOnce) && state.was_examined()
}

/// The seeds that every test run plays.
const SEEDS: &str = "0..1000";

/// The longest life, in virtual time. After the last fault, a minute is enough.
const LIFE_MAX: Duration = Duration::from_secs(3_600);

/// How often this process dies at most, in one seed.
const DEATHS_MAX: u64 = 3;

/// What was planned for one seed.
struct Plan {
    old: Arc<Vec<ModelBlock>>,
    event: Option<Event>,
    nodes: Vec<Arc<Node>>,
    settings: FollowSettings,
    deaths: Vec<u64>,
    world: Arc<Mutex<World>>,
    death: Arc<Notify>,
}

impl Plan {
    fn of(random: &mut Random) -> Self {
        let length = usize::try_from(12 + random.below(25)).unwrap();
        let old = Arc::new(grow(Vec::new(), length, 0, random));
        let event = random.per_mille(450).then(|| event(&old, random));
        let world = World {
            chain: Arc::clone(&old),
            chain_id: CHAIN_ID,
            head: usize::try_from(random.below(10)).unwrap(),
            grows: true,
            event: event.clone(),
            has_happened: false,
            requests: 0,
            death: None,
            random: random.fork(),
        };
        let (world, death) = (Arc::new(Mutex::new(world)), Arc::new(Notify::new()));
        let count = usize::try_from(1 + random.below(4)).unwrap();
        let nodes = characters(count, &old, random)
            .into_iter()
            .map(|character| Arc::new(Node::new(character, Arc::clone(&world), Arc::clone(&death), random.fork())));
        let nodes: Vec<_> = nodes.collect();
        let deaths = (0..random.below(DEATHS_MAX + 1)).map(|_| 5 + random.below(80)).collect();
        let settings = settings(&nodes, random);
        Self { old, event, nodes, settings, deaths, world, death }
    }

    fn ledger(&self) -> FollowedLedger {
        FollowedLedger { chain_id: CHAIN_ID, genesis_hash: self.old[0].hash }
    }

    /// The block is the ledger's, before or after what happened to it.
    fn knows(&self, block: &FollowedBlock) -> bool {
        let number = usize::try_from(block.number).unwrap();
        let chains = std::iter::once(&self.old).chain(self.event.as_ref().map(|event| &event.chain));
        chains.filter_map(|chain| chain.get(number)).any(|known| known.followed() == plain(block))
    }
}

/// Without reverts, which no root covers.
fn plain(block: &FollowedBlock) -> FollowedBlock {
    let mut block = block.clone();
    block.transactions.iter_mut().for_each(|transaction| transaction.revert_data = None);
    block
}

fn settings(nodes: &[Arc<Node>], random: &mut Random) -> FollowSettings {
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000);
    let of = FollowSettings::of(&profile, nodes.len());
    // Where nobody forges, one node's word may be enough: what lies are left, one answer shows.
    let is_one_enough = nodes.iter().all(|node| matches!(node.character, Character::Honest | Character::Liar { .. }));
    let mut size = |most| NonZeroUsize::MIN.saturating_add(usize::try_from(random.below(most)).unwrap());
    FollowSettings {
        fetches_max: size(4),
        blocks_ahead_max: size(8),
        bytes_ahead_max: size(20_000).get(),
        quorum: if is_one_enough && size(3).get() == 1 { NonZeroUsize::MIN } else { of.quorum },
        finality_blocks: if size(3).get() == 1 { 2 } else { 0 },
        head_poll: Duration::from_millis(100),
        pace: Pace { first_pause: Duration::from_millis(20), pause_max: Duration::from_secs(1), attempts_max: 5 },
        fetch_time_max: Duration::from_secs(10),
        stall_max: Duration::from_secs(30),
        rewind_patience: Duration::from_secs(10),
    }
}

/// Liars whose lies one answer shows in any number, as they end; one forger or node elsewhere where three others outvote it.
fn characters(count: usize, old: &Arc<Vec<ModelBlock>>, random: &mut Random) -> Vec<Character> {
    let lying = [0, 0, 40, 250][usize::try_from(random.below(4)).unwrap()];
    let mut characters: Vec<Character> =
        (0..count)
            .map(|_| {
                if random.per_mille(400) && lying > 0 {
                    Character::Liar { per_mille: lying }
                } else {
                    Character::Honest
                }
            })
            .collect();
    if count >= 3 && random.per_mille(600) {
        let place = usize::try_from(random.below(count as u64)).unwrap();
        characters[place] = if random.per_mille(500) { forger(old, random) } else { elsewhere(old, random) };
    }
    characters
}

/// Blocks that fit in themselves: another status or log with another hash, or another sender under the same hash.
fn forger(old: &[ModelBlock], random: &mut Random) -> Character {
    let mut blocks = HashMap::new();
    for block in &old[1..] {
        let mut transactions = block.transactions.clone();
        let Some(first) = transactions.first_mut().filter(|_| random.per_mille(300)) else { continue };
        first.from = alloy_primitives::Address::from_word(word(random));
        let is_same_hash = random.per_mille(500);
        if !is_same_hash {
            first.gas_used += 1;
        }
        let forged = ModelBlock::seal(block.number, block.parent_hash, transactions, 0);
        let _ = blocks.insert(block.number, forged);
    }
    Character::Forger { blocks }
}

fn elsewhere(old: &[ModelBlock], random: &mut Random) -> Character {
    let from = usize::try_from(random.below(old.len() as u64 / 2)).unwrap();
    let chain_id = CHAIN_ID + u64::from(from == 0 && random.per_mille(500));
    Character::Elsewhere { chain: grow(old[..from].to_vec(), old.len() + 5, 7, random), chain_id }
}

/// What happens to the whole network: made anew, replaced by another, reorganised or rewound.
fn event(old: &Arc<Vec<ModelBlock>>, random: &mut Random) -> Event {
    let at = 20 + random.below(250);
    let length = old.len() + 10;
    let below = |limit: usize, random: &mut Random| usize::try_from(random.below(limit as u64)).unwrap();
    let (chain, chain_id, head, grows) = match random.below(4) {
        0 => (grow(Vec::new(), length, 1, random), CHAIN_ID, below(old.len(), random), true),
        1 => (grow(Vec::new(), length, 1, random), CHAIN_ID + 1, below(old.len(), random), true),
        2 => {
            let from = 1 + below(old.len() - 1, random);
            (grow(old[..from].to_vec(), length, 1, random), CHAIN_ID, from, true)
        }
        _ => (old.to_vec(), CHAIN_ID, below(old.len(), random), false),
    };
    Event { at, chain: Arc::new(chain), chain_id, head, grows }
}

/// What the caller stores in one unit of work with its effects.
struct Store {
    cursor: Cursor,
    blocks: Vec<FollowedBlock>,
}

impl Store {
    /// Effects and cursor, together.
    fn commit(&mut self, block: FollowedBlock) -> Result<(), String> {
        if block.number != self.cursor.number + 1 || block.parent_hash != self.cursor.hash {
            return Err(format!("block {} was given after block {}", block.number, self.cursor.number));
        }
        self.cursor = block.cursor();
        self.blocks.push(block);
        Ok(())
    }
}

/// How a life ended.
#[derive(Debug)]
enum End {
    Died,
    Complete(Vec<NodeLied>),
    Changed(LedgerChange),
}

/// What came to pass in many seeds.
#[derive(Debug, Default)]
struct Coverage {
    lost: u64,
    deaths: u64,
    stalls: u64,
    dropped: u64,
    complete: u64,
    /// By what was found.
    named: BTreeMap<&'static str, u64>,
    changed: BTreeMap<&'static str, u64>,
}

fn kind(lie: &Lie) -> &'static str {
    match lie {
        Lie::OtherNumber { .. } => "other number",
        Lie::ReceiptCount { .. } => "receipt count",
        Lie::ReceiptOfOtherTransaction { .. } => "receipt of other transaction",
        Lie::ReceiptOfOtherBlock { .. } => "receipt of other block",
        Lie::GasFalls { .. } => "gas falls",
        Lie::LogsBloom => "logs bloom",
        Lie::ReceiptsRoot { .. } => "receipts root",
        Lie::ParentNotItsOwn { .. } => "parent not its own",
        Lie::OtherBlock { .. } => "other block",
        Lie::OtherContent { .. } => "other content",
        Lie::OtherLedger(_) => "other ledger",
    }
}

const LIE_KINDS: usize = 11;

fn kind_of_change(change: &LedgerChange) -> &'static str {
    match change {
        LedgerChange::WrongNetwork { .. } => "wrong network",
        LedgerChange::ReGenesis { .. } => "re-genesis",
        LedgerChange::Reorganised { .. } => "reorganised",
        LedgerChange::Rewound { .. } => "rewound",
    }
}

const CHANGE_KINDS: usize = 4;

/// Plays one seed, counts what came to pass, and says what was violated.
fn play(seed: u64, mutant: Option<Mutant>, coverage: &Mutex<Coverage>) -> Result<(), String> {
    let mut random = Random::new(seed);
    let plan = Plan::of(&mut random);
    let mut store = Store { cursor: plan.ledger().beginning(), blocks: Vec::new() };
    for death in plan.deaths.iter().map(|&requests| Some(requests)).chain([None]) {
        {
            let mut world = plan.world.lock().unwrap();
            world.death = death.map(|requests| world.requests + requests);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let end = runtime.block_on(live(&plan, &mut store, mutant, &mut random, coverage))?;
        drop(runtime);
        match end {
            End::Died => coverage.lock().unwrap().deaths += 1,
            End::Complete(findings) => {
                check_complete(&plan, &store)?;
                check_named(&plan, &findings)?;
                break;
            }
            End::Changed(change) => {
                check_change(&plan, &store, &change)?;
                *coverage.lock().unwrap().changed.entry(kind_of_change(&change)).or_default() += 1;
                break;
            }
        }
    }
    coverage.lock().unwrap().lost += plan.nodes.iter().map(|node| node.tally().1).sum::<u64>();
    Ok(())
}

fn follower(plan: &Plan, store: &Store, mutant: Option<Mutant>) -> Follower {
    let node = |(index, node): (usize, &Arc<Node>)| {
        node.begin_life();
        FollowedNode::new(format!("node-{index}"), Rpc::new(Arc::<Node>::clone(node)))
    };
    let nodes = plan.nodes.iter().enumerate().map(node).collect();
    let mut follower = Follower::new(nodes, plan.ledger(), store.cursor, plan.settings.clone()).unwrap();
    Arc::get_mut(&mut follower.shared).unwrap().mutant = mutant;
    follower
}

/// One life of the follower: until everything is stored, the ledger has changed, or it dies.
async fn live(
    plan: &Plan,
    store: &mut Store,
    mutant: Option<Mutant>,
    random: &mut Random,
    coverage: &Mutex<Coverage>,
) -> Result<End, String> {
    let mut follower = follower(plan, store, mutant);
    let view = follower.view();
    let begun = Instant::now();
    while begun.elapsed() < LIFE_MAX {
        let is_complete = is_complete(plan, store);
        // What is under way when all is stored comes to its end in some seconds: late answers are looked at too.
        let patience = match random.below(10) {
            _ if is_complete => Duration::from_secs(10),
            0..3 => Duration::from_millis(random.below(50)),
            _ => Duration::from_secs(60),
        };
        let given = tokio::select! {
            biased;
            () = plan.death.notified() => return Ok(End::Died),
            given = follower.next() => given,
            () = sleep(patience) => {
                if is_complete {
                    return Ok(complete(&view.findings(), coverage));
                }
                coverage.lock().unwrap().dropped += 1;
                continue;
            }
        };
        let progress = view.progress();
        if progress.waiting_blocks > plan.settings.blocks_ahead_max.get() {
            return Err(format!("too many blocks wait: {progress:?}"));
        }
        match given {
            Ok(block) if !plan.knows(&block) => return Err(format!("not a block of the ledger: {block:?}")),
            // Dies with the block in its hands, before it is stored.
            Ok(_) if plan.world.lock().unwrap().death.is_some() && random.per_mille(20) => return Ok(End::Died),
            Ok(block) => store.commit(block)?,
            Err(FollowError::Stalled { .. }) => coverage.lock().unwrap().stalls += 1,
            Err(FollowError::LedgerChanged { change, .. }) => {
                let again = timeout(LIFE_MAX, follower.next()).await;
                return match again {
                    Ok(Err(FollowError::LedgerChanged { .. })) => Ok(End::Changed(change)),
                    again => Err(format!("after its end the follower says {again:?}")),
                };
            }
        }
    }
    let world = plan.world.lock().unwrap();
    let (stored, head, findings) = (store.cursor.number, world.head, view.findings());
    Err(format!("block {stored} of {head} is all that came: {:?}, {findings:?}", view.nodes()))
}

fn complete(findings: &[NodeLied], coverage: &Mutex<Coverage>) -> End {
    let mut coverage = coverage.lock().unwrap();
    coverage.complete += 1;
    for finding in findings {
        *coverage.named.entry(kind(&finding.what)).or_default() += 1;
    }
    End::Complete(findings.to_vec())
}

/// Whether all final blocks of the ledger are stored, and no more will come.
fn is_complete(plan: &Plan, store: &Store) -> bool {
    let world = plan.world.lock().unwrap();
    let is_grown = !world.grows || world.head + 1 == world.chain.len();
    let last = world.head.saturating_sub(usize::try_from(plan.settings.finality_blocks).unwrap());
    let is_all = world.chain_id == CHAIN_ID
        && world
            .chain
            .get(usize::try_from(store.cursor.number).unwrap())
            .is_some_and(|tip| tip.hash == store.cursor.hash);
    // A ledger may be rewound to a block that was given, and end before that is final again.
    let is_reached = store.cursor.number >= last as u64 && store.cursor.number <= world.head as u64;
    world.event.is_none() && is_grown && is_all && is_reached
}

fn check_complete(plan: &Plan, store: &Store) -> Result<(), String> {
    let world = plan.world.lock().unwrap();
    let expected = world.chain.iter().skip(1).map(ModelBlock::followed);
    let differing = store.blocks.iter().zip(expected).find(|(stored, expected)| plain(stored) != *expected);
    differing.map_or(Ok(()), |(stored, _)| Err(format!("block {} is not the ledger's", stored.number)))
}

/// Whoever told a lie that arrived is named; who is honest is not.
fn check_named(plan: &Plan, findings: &[NodeLied]) -> Result<(), String> {
    let has_changed = plan.world.lock().unwrap().has_happened;
    for (index, node) in plan.nodes.iter().enumerate() {
        let name = format!("node-{index}");
        let named: Vec<_> = findings.iter().filter(|finding| finding.node == name).collect();
        match node.character {
            Character::Honest if !named.is_empty() && !has_changed => {
                return Err(format!("an honest node is named: {named:?}"));
            }
            Character::Liar { .. } | Character::Forger { .. }
                if named.is_empty() && node.tally().0 > 0 && !has_changed =>
            {
                return Err(format!("{name} told {} lies and is not named", node.tally().0));
            }
            Character::Honest | Character::Liar { .. } | Character::Forger { .. } | Character::Elsewhere { .. } => {}
        }
    }
    Ok(())
}

/// The ledger was changed, and in the way that the follower says.
fn check_change(plan: &Plan, store: &Store, change: &LedgerChange) -> Result<(), String> {
    let world = plan.world.lock().unwrap();
    let tip = world.chain.get(usize::try_from(store.cursor.number).unwrap());
    let is_other_tip = tip.is_none_or(|tip| tip.hash != store.cursor.hash);
    let has_genesis = world.chain[0].hash == plan.old[0].hash;
    let is_right = world.has_happened
        && match change {
            LedgerChange::WrongNetwork { .. } => world.chain_id != CHAIN_ID,
            LedgerChange::ReGenesis { .. } => world.chain_id == CHAIN_ID && !has_genesis,
            LedgerChange::Reorganised { .. } => has_genesis && is_other_tip,
            LedgerChange::Rewound { .. } => {
                has_genesis && (is_other_tip || (!world.grows && store.cursor.number > world.head as u64))
            }
        };
    if is_right { Ok(()) } else { Err(format!("the follower stopped after {:?}: {change:?}", store.cursor)) }
}

#[test]
fn what_is_stored_is_the_ledger_and_liars_and_changes_are_named() {
    let coverage = Mutex::default();
    let seeds = seeds::chosen(SEEDS);
    let violations = seeds::play_all(seeds.clone(), |seed| play(seed, None, &coverage));
    let coverage = coverage.into_inner().unwrap();
    println!("{coverage:?}");
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
    let counts = [coverage.lost, coverage.deaths, coverage.stalls, coverage.dropped, coverage.complete];
    let is_all = counts.iter().all(|&count| count > 0)
        && (coverage.named.len(), coverage.changed.len()) == (LIE_KINDS, CHANGE_KINDS);
    assert!(seeds.count() < 500 || is_all, "something never came to pass: {coverage:?}");
}

#[test]
fn planted_defects_are_caught() {
    let coverage = Mutex::default();
    let mutants = [
        Mutant::NoParentCheck,
        Mutant::NoContentCheck,
        Mutant::BeforeQuorum,
        Mutant::SkipsOnError,
        Mutant::NamesTheSilent,
        Mutant::ExaminesOnce,
    ];
    for mutant in mutants {
        let caught = (0..500).find_map(|seed| play(seed, Some(mutant), &coverage).err().map(|error| (seed, error)));
        println!("{mutant:?}: {caught:?}");
        assert!(caught.is_some(), "{mutant:?} went unnoticed in 500 seeds");
    }
}
