//! Facts that one schedule shows, on nodes that do nothing unexpected.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::B256;
use tokio::time::Instant;

use super::node::{CHAIN_ID, Node, World};
use super::world::grow;
use crate::follower::{
    FollowError, FollowSettings, FollowSetupError, FollowedLedger, FollowedNode, Follower, NodeHealth,
};
use crate::simulation::random::Random;
use crate::{Profile, Rpc, Rules};

/// Nodes on one ledger that stands at its last block.
struct Quiet {
    world: Arc<Mutex<World>>,
    nodes: Vec<Arc<Node>>,
    genesis_hash: B256,
}

impl Quiet {
    fn new(nodes: usize, blocks: usize) -> Self {
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

    fn settings(&self) -> FollowSettings {
        let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000);
        FollowSettings::of(&profile, self.nodes.len())
    }

    fn follower(&self, settings: FollowSettings) -> Follower {
        let node = |(index, node): (usize, &Arc<Node>)| {
            FollowedNode::new(format!("node-{index}"), Rpc::new(Arc::<Node>::clone(node)))
        };
        let nodes = self.nodes.iter().enumerate().map(node).collect();
        let ledger = FollowedLedger { chain_id: CHAIN_ID, genesis_hash: self.genesis_hash };
        Follower::new(nodes, ledger, ledger.beginning(), settings).unwrap()
    }
}

async fn give(follower: &mut Follower, blocks: u64) {
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
