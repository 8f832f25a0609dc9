//! Facts that one schedule shows, on nodes that do nothing unexpected.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::B256;
use tokio::time::Instant;

use super::node::{CHAIN_ID, Node, World};
use super::world::grow;
use crate::follower::{
    FollowError, FollowSettings, FollowSetupError, FollowedLedger, FollowedNode, Follower, HEAD_POLL_WHILE_TOLD,
    HINT_PAUSE_MIN, NodeHealth,
};
use crate::new_heads::NewHeads;
use crate::simulation::random::Random;
use crate::{Profile, Rpc, Rules};

/// Nodes on one ledger that stands at its last block.
pub(super) struct Quiet {
    world: Arc<Mutex<World>>,
    nodes: Vec<Arc<Node>>,
    genesis_hash: B256,
}

impl Quiet {
    pub(super) fn new(nodes: usize, blocks: usize) -> Self {
        let mut random = Random::new(7);
        let chain = Arc::new(grow(Vec::new(), blocks + 1, 0, &mut random));
        let genesis_hash = chain[0].hash;
        let world = World {
            chain,
            chain_id: CHAIN_ID,
            head: blocks,
            grows: false,
            event: None,
            has_happened: false,
            requests: 0,
            death: None,
            random,
        };
        let world = Arc::new(Mutex::new(world));
        let nodes = (0..nodes).map(|_| Arc::new(Node::quiet(Arc::clone(&world)))).collect();
        Self { world, nodes, genesis_hash }
    }

    pub(super) fn settings(&self) -> FollowSettings {
        let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000);
        FollowSettings::of(&profile, self.nodes.len())
    }

    pub(super) fn set_head(&self, head: u64) {
        self.world.lock().unwrap().head = usize::try_from(head).unwrap();
    }

    pub(super) fn requests(&self) -> u64 {
        self.world.lock().unwrap().requests
    }

    fn follower(&self, settings: FollowSettings) -> Follower {
        self.follower_told_by(settings, None)
    }

    /// Each node tells of new heads there.
    pub(super) fn follower_told_by(&self, settings: FollowSettings, new_heads: Option<NewHeads>) -> Follower {
        let node = |(index, node): (usize, &Arc<Node>)| {
            let followed = FollowedNode::new(format!("node-{index}"), Rpc::new(Arc::<Node>::clone(node)));
            match new_heads.clone() {
                Some(new_heads) => followed.told_by(new_heads),
                None => followed,
            }
        };
        let nodes = self.nodes.iter().enumerate().map(node).collect();
        let ledger = FollowedLedger { chain_id: CHAIN_ID, genesis_hash: self.genesis_hash };
        Follower::new(nodes, ledger, ledger.beginning(), settings).unwrap()
    }
}

pub(super) async fn give(follower: &mut Follower, blocks: u64) {
    for _ in 0..blocks {
        let _ = follower.next().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn blocks_that_wait_are_bounded_by_number_and_by_bytes() {
    let quiet = Quiet::new(1, 40);
    let ahead = NonZeroUsize::new(5).unwrap();
    let mut follower = quiet.follower(FollowSettings { blocks_ahead_max: ahead, ..quiet.settings() });
    let mut most = 0;
    for _ in 0..40 {
        let _ = follower.next().await.unwrap();
        most = most.max(follower.view().progress().waiting_blocks);
    }
    assert_eq!(most, 5);
    let mut follower = quiet.follower(FollowSettings { bytes_ahead_max: 1, ..quiet.settings() });
    // Before the first answer nobody knows how long a block is, so as many are asked for as may be at once.
    give(&mut follower, 20).await;
    for _ in 20..40 {
        let _ = follower.next().await.unwrap();
        assert!(follower.view().progress().waiting_blocks <= 1, "{:?}", follower.view().progress());
    }
}

#[tokio::test(start_paused = true)]
async fn a_quorum_goes_on_without_a_silent_node_and_less_than_one_is_told() {
    let quiet = Quiet::new(3, 10);
    quiet.nodes[0].set_silent(true);
    let mut follower = quiet.follower(quiet.settings());
    give(&mut follower, 10).await;
    quiet.nodes[1].set_silent(true);
    let begun = Instant::now();
    let stalled = follower.next().await.unwrap_err();
    assert!(begun.elapsed() >= Duration::from_secs(120) && stalled.may_go_on(), "{stalled}");
    let FollowError::Stalled { block: 11, quorum: 2, nodes, .. } = stalled else { panic!("{stalled}") };
    let health: Vec<_> = nodes.iter().map(|node| node.health).collect();
    assert_eq!(health, [NodeHealth::Down, NodeHealth::Down, NodeHealth::Answering]);
    assert_eq!(follower.view().findings(), []);
}

#[tokio::test(start_paused = true)]
async fn a_hint_brings_a_block_before_the_next_poll() {
    let quiet = Quiet::new(1, 10);
    quiet.world.lock().unwrap().head = 3;
    let mut follower = quiet.follower(FollowSettings { head_poll: Duration::from_secs(50), ..quiet.settings() });
    give(&mut follower, 3).await;
    quiet.world.lock().unwrap().head = 4;
    follower.hint().heard_of(4);
    let begun = Instant::now();
    give(&mut follower, 1).await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_hints_of_heads_that_are_not_there_asks_now_and_then() {
    let quiet = Quiet::new(1, 3);
    let mut follower = quiet.follower(FollowSettings { head_poll: Duration::from_secs(50), ..quiet.settings() });
    give(&mut follower, 3).await;
    let (before, began, hint) = (quiet.requests(), Instant::now(), follower.hint());
    let flood = async {
        while began.elapsed() < Duration::from_secs(10) {
            for _ in 0..100 {
                hint.heard_of(u64::MAX);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = flood => {}
        block = follower.next() => panic!("{block:?}"),
    }
    let asked = quiet.requests() - before;
    let asked_max = u64::try_from(began.elapsed().as_millis() / HINT_PAUSE_MIN.as_millis()).unwrap();
    assert!((100..=asked_max).contains(&asked), "the node was asked {asked} times");
    // The lie is not asked for again and again once nobody repeats it.
    let before = quiet.requests();
    let _ = tokio::time::timeout(Duration::from_secs(20), follower.next()).await.unwrap_err();
    assert!(quiet.requests() - before <= 2, "the node was asked {} times", quiet.requests() - before);
}

#[tokio::test(start_paused = true)]
async fn a_node_is_polled_seldom_only_while_its_subscription_names_its_head() {
    let quiet = Quiet::new(1, 10);
    quiet.set_head(3);
    let mut follower = quiet.follower(quiet.settings());
    give(&mut follower, 3).await;
    let mut polls_in_20_s = async |told: u64| {
        let shared = Arc::clone(&follower.shared);
        shared.nodes[0].state().subscription.tell(told);
        shared.hint_gap();
        let before = quiet.requests();
        let _ = tokio::time::timeout(Duration::from_secs(20), follower.next()).await.unwrap_err();
        u128::from(quiet.requests() - before)
    };
    let seldom = 1 + 20_000 / HEAD_POLL_WHILE_TOLD.as_millis();
    // A question and its answer take up to 80 ms.
    let often = 20_000 / 200;
    assert!(polls_in_20_s(3).await <= seldom + 4, "it is polled though it tells");
    assert!(polls_in_20_s(2).await >= often, "one that is behind is trusted");
    assert!(polls_in_20_s(u64::MAX).await >= often, "one that lies is trusted");
}

#[tokio::test(start_paused = true)]
async fn progress_says_block_head_and_rate() {
    let quiet = Quiet::new(1, 30);
    let mut follower = quiet.follower(quiet.settings());
    let view = follower.view();
    assert_eq!((view.progress().block, view.progress().head, view.progress().blocks_per_minute), (0, None, 0));
    give(&mut follower, 20).await;
    let progress = view.progress();
    assert_eq!((progress.block, progress.head), (20, Some(30)));
    assert!(progress.blocks_per_minute > 1_000, "{progress:?}");
    let [status] = &view.nodes()[..] else { panic!("one node was given") };
    assert_eq!((status.health, status.head, status.lag_blocks), (NodeHealth::Answering, Some(30), Some(0)));
    assert_eq!(status.to_string(), "`node-0` answers, head 30");
}

#[test]
fn more_nodes_than_there_are_cannot_agree_and_none_counts_twice() {
    let quiet = Quiet::new(2, 1);
    let ledger = FollowedLedger { chain_id: CHAIN_ID, genesis_hash: quiet.genesis_hash };
    let node = |name: &str| FollowedNode::new(name, Rpc::new(Arc::<Node>::clone(&quiet.nodes[0])));
    let made = |nodes| Follower::new(nodes, ledger, ledger.beginning(), quiet.settings()).map(|_| ());
    let same_name = Err(FollowSetupError::SameName { name: "a".to_owned() });
    assert_eq!(made(vec![node("a"), node("a")]), same_name);
    assert_eq!(made(vec![node("a")]), Err(FollowSetupError::QuorumTooLarge { quorum: 2, nodes: 1 }));
    assert_eq!(made(vec![node("a"), node("b")]), Ok(()));
}
