//! A lane learns how many transactions of its sender the node takes, and stops asking for more; and what nobody waits for goes on
//! all the same.

use std::sync::Arc;
use std::time::Duration;

use journal::store::Durability;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::faultless::{Bench, WAIT, first_lane, intent, mined};
use super::node::{Effect, Node, SENDER_LIMIT_MAX};
use super::random::Random;
use super::{Mutant, Place, profile, seeds};
use crate::{Chain, Profile};

/// How many intents a seed has.
const INTENTS: u64 = 100;

/// The seeds of each run, some 2 s on 2 cores.
const SEEDS: u64 = 60;

const BLOCK_PERIOD: Duration = Duration::from_millis(500);

/// All at once through one lane, at a node whose limit changes; how often the node refused, and how often it may have.
fn refusals(seed: u64, mutant: Option<Mutant>, place: &Place) -> Result<(u64, u64), String> {
    let mut random = Random::new(seed);
    let window_start = [1, 5, 50][usize::try_from(random.below(3)).unwrap()];
    let profile = Profile { window_start, ..profile() };
    let node = Arc::new(Node::limited(random));
    let store = journal::Place::Sqlite { path: place.folder.path().join(format!("hammering-{seed}-{mutant:?}.db")) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let transport = Arc::<Node>::clone(&node);
        let opened = Chain::open_core(profile, transport, &store, Arc::clone(&place.custody), Durability::ProcessOnly);
        let mut core = opened.await.map_err(|error| error.to_string())?;
        core.mutant = mutant;
        let chain = Chain::of(core);
        let ended = tokio::select! {
            biased;
            gap = super::gaps::make_blocks(&node, &chain, BLOCK_PERIOD) => Err(gap),
            ended = carry_all(&chain) => ended,
        };
        chain.close().await;
        ended
    })?;
    if let Some(id) = (0..INTENTS).find(|&id| node.effects(id) != (1, 0)) {
        return Err(format!("intent {id}: {:?}", node.effects(id)));
    }
    let tally = node.tally();
    // The first burst, what is on its way when the limit falls, and each step of growth from there.
    let allowed = window_start + tally.limits * SENDER_LIMIT_MAX + INTENTS / 8;
    Ok((tally.too_distant, allowed))
}

async fn carry_all(chain: &Chain) -> Result<(), String> {
    let label = custody::KeyLabel::parse("sender-0").unwrap();
    let lane = chain.lane(&label).await.map_err(|error| error.to_string())?;
    let mut callers = JoinSet::new();
    for id in 0..INTENTS {
        let (chain, lane) = (chain.clone(), lane.clone());
        let _ = callers.spawn(async move { super::carry_through(&chain, &lane, &intent(id, Effect::Done)).await });
    }
    for end in callers.join_all().await {
        let _ = end?;
    }
    Ok(())
}

#[test]
fn a_learnt_window_ends_the_hammering() {
    let place = Place::new();
    let violations = seeds::play_all(0..SEEDS, |seed| match refusals(seed, None, &place)? {
        (refused, allowed) if refused <= allowed => Ok(()),
        (refused, allowed) => Err(format!("{refused} offers were refused, at most {allowed} may be")),
    });
    assert!(violations.is_empty(), "(seed, violation): {violations:#?}");
}

#[test]
fn a_lane_that_learns_nothing_is_caught() {
    let place = Place::new();
    let (refused, allowed) = refusals(0, Some(Mutant::NothingLearnt), &place).unwrap();
    assert!(refused > 2 * allowed, "{refused} offers were refused, at most {allowed} may be");
}

/// Submits the intents at once, and goes away when all are stored.
async fn submitted_and_left(chain: &Chain, ids: std::ops::Range<u64>) {
    let lane = first_lane(chain).await;
    let mut callers = JoinSet::new();
    for id in ids.clone() {
        let lane = lane.clone();
        let _ = callers.spawn(async move { lane.submit(&intent(id, Effect::Done)).await });
    }
    for id in ids {
        while !chain.has_intent(&intent(id, Effect::Done).key).await.unwrap() {
            tokio::task::yield_now().await;
        }
    }
    callers.shutdown().await;
}

/// Waits until each was done once, and nobody asks the chain meanwhile.
async fn all_done(bench: &Bench, ids: std::ops::Range<u64>) {
    let deadline = Instant::now() + WAIT;
    while ids.clone().any(|id| bench.node.effects(id) != (1, 0)) {
        assert!(
            Instant::now() < deadline,
            "not done in time: {:?}",
            ids.map(|id| bench.node.effects(id)).collect::<Vec<_>>()
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_nobody_waits_for_is_offered_when_its_turn_comes() {
    let bench = Bench::new();
    bench.node.limit(2);
    let chain = bench.open_with(Duration::from_secs(3_600)).await;
    submitted_and_left(&chain, 0..20).await;
    all_done(&bench, 0..20).await;
    assert!(chain.counters().too_far_ahead > 0, "nothing was refused");
    let window = first_lane(&chain).await.window();
    assert!(window.size <= 2, "{window:?}");
}

#[tokio::test]
async fn what_was_held_back_when_the_process_died_is_offered_after_it() {
    let bench = Bench::new();
    bench.node.limit(0);
    let chain = bench.open_with(Duration::from_secs(3_600)).await;
    submitted_and_left(&chain, 0..20).await;
    chain.close().await;
    bench.node.limit(3);
    let chain = bench.open_with(Duration::from_secs(3_600)).await;
    drop(first_lane(&chain).await);
    all_done(&bench, 0..20).await;
    assert_eq!(chain.counters().recovered, 20);
}

#[tokio::test]
async fn a_pool_that_was_lost_is_sent_again_after_some_blocks_though_nobody_waits() {
    let bench = Bench::new();
    let chain = bench.open_with(Duration::from_secs(3_600)).await;
    let lane = first_lane(&chain).await;
    let _ = lane.submit(&intent(0, Effect::Done)).await.unwrap();
    let _ = mined(&chain, &intent(0, Effect::Done).key).await;
    bench.node.stop_blocks(true);
    for id in 1..4 {
        let _ = lane.submit(&intent(id, Effect::Done)).await.unwrap();
    }
    bench.node.lose_pool();
    bench.node.stop_blocks(false);
    all_done(&bench, 1..4).await;
}

#[tokio::test]
async fn a_lane_whose_limit_is_far_below_its_window_is_told_of_what_is_held_back() {
    let bench = Bench::new();
    bench.node.limit(1);
    bench.node.stop_blocks(true);
    let chain = bench.open_with(Duration::from_secs(3_600)).await;
    let lane = first_lane(&chain).await;
    let submitting = tokio::spawn({
        let lane = lane.clone();
        async move { lane.submit_all(&[intent(0, Effect::Done), intent(1, Effect::Done)]).await }
    });
    while chain.counters().held_back == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((lane.window().size, lane.window().held_back, chain.counters().too_far_ahead), (1, 1, 1));
    bench.node.stop_blocks(false);
    assert!(submitting.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(chain.counters().held_back, 0);
    all_done(&bench, 0..2).await;
}
