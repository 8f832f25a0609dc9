//! Blocks are noticed when a node tells of them over WebSocket: against a ledger in another process, with polls so rare that
//! none comes in a test's life.

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use chain::follower::{
    FollowSettings, FollowedBlock, FollowedLedger, FollowedNode, Follower, SubscriptionHealth, SubscriptionStatus,
};
use chain::{At, HttpTransport, NewHeads, Profile, Rpc, Rules};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far beyond a test's life: what is noticed was not polled for.
const NEVER: Duration = Duration::from_secs(100_000);
/// The longest wait for a block: after 30 s the follower looks for itself which ledger the node is on, and the connection whether
/// somebody is there.
const BEFORE_OTHERS: Duration = Duration::from_secs(20);
/// Heads that are told of before and after each trouble.
const HEADS: u64 = 5;
const PERIOD: [&str; 2] = ["--block-period", "50ms"];

async fn follower(node: &Node, ws: &str) -> Follower {
    follower_polling(node, ws, NEVER).await
}

async fn follower_polling(node: &Node, ws: &str, head_poll: Duration) -> Follower {
    let genesis = node.rpc().block(At::Number(0)).await.unwrap().unwrap();
    let ledger = FollowedLedger { chain_id: CHAIN_ID, genesis_hash: genesis.hash };
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, 1_000_000_000);
    let settings = FollowSettings { head_poll, ..FollowSettings::of(&profile, 1) };
    let rpc = Rpc::new(Arc::new(HttpTransport::new(&node.http).unwrap()));
    let followed = FollowedNode::new("node", rpc).told_by(NewHeads::at(ws).unwrap());
    Follower::new(vec![followed], ledger, ledger.beginning(), settings).unwrap()
}

/// The next block.
async fn next(follower: &mut Follower) -> FollowedBlock {
    timeout(BEFORE_OTHERS, follower.next()).await.expect("a block is noticed").unwrap()
}

/// One block after another, until the subscription stands like this. The number of the last one.
async fn follow_until(
    follower: &mut Follower,
    mut reached: u64,
    condition: impl Fn(&SubscriptionStatus) -> bool,
) -> u64 {
    while !condition(&status(follower)) {
        reached += 1;
        assert_eq!(next(follower).await.number, reached);
    }
    reached
}

fn status(follower: &Follower) -> SubscriptionStatus {
    follower.view().nodes().remove(0).new_heads.unwrap()
}

/// Passes connections on, and cuts all of them when it is told to.
struct Cable {
    url: String,
    cut: broadcast::Sender<()>,
    _carrying: JoinSet<()>,
}

impl Cable {
    async fn to(ws: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let (cut, node) = (broadcast::Sender::new(1), ws.trim_start_matches("ws://").to_owned());
        let (mut carrying, cuts) = (JoinSet::new(), cut.clone());
        let _ = carrying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let (node, mut cut) = (node.clone(), cuts.subscribe());
                let _ = connections.spawn(async move {
                    let Ok(mut far) = TcpStream::connect(node).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.recv() => {}
                    }
                });
            }
        });
        Self { url, cut, _carrying: carrying }
    }
}

#[tokio::test]
async fn blocks_are_noticed_without_a_single_poll_also_after_the_connection_is_cut() {
    let ledger = TestLedger::new();
    let node = ledger.start(&PERIOD);
    let cable = Cable::to(&node.ws).await;
    let mut follower = follower(&node, &cable.url).await;
    let reached = follow_until(&mut follower, 0, |status| status.heads_told >= HEADS).await;
    let live = status(&follower);
    assert_eq!((live.health, live.failures_in_a_row), (SubscriptionHealth::Live, 0));
    let _ = cable.cut.send(()).unwrap();
    // Those that were sealed meanwhile, and more.
    let again = |status: &SubscriptionStatus| {
        status.failures_in_a_row > 0
            && status.health == SubscriptionHealth::Live
            && status.heads_told >= live.heads_told + 2 * HEADS
    };
    let _ = follow_until(&mut follower, reached, again).await;
    assert!(status(&follower).last_failure.unwrap().starts_with("the connection ended: "));
    assert_eq!(follower.view().findings(), []);
}

#[tokio::test]
async fn blocks_are_noticed_again_after_the_ledger_was_killed() {
    let ledger = TestLedger::new();
    let node = ledger.start(&PERIOD);
    let mut follower = follower(&node, &node.ws).await;
    let mut reached = follow_until(&mut follower, 0, |status| status.heads_told >= HEADS).await;
    let (http, ws) = (node.http, node.ws);
    let _ = node.process.kill();
    // Blocks that were sealed before its end may be waiting still. Then the subscription is seen to fail.
    while status(&follower).failures_in_a_row == 0 {
        if let Ok(block) = timeout(Duration::from_millis(10), follower.next()).await {
            reached += 1;
            assert_eq!(block.unwrap().number, reached);
        }
    }
    let before = status(&follower);
    assert_ne!(before.health, SubscriptionHealth::Live);
    let _node = ledger.start_again_at(&http, &ws, &PERIOD);
    let _ = follow_until(&mut follower, reached, |status| status.heads_told >= before.heads_told + HEADS).await;
    assert_eq!(status(&follower).health, SubscriptionHealth::Live);
}

#[tokio::test]
async fn a_node_without_a_websocket_at_that_address_is_polled() {
    let ledger = TestLedger::new();
    let node = ledger.start(&PERIOD);
    let ws = node.http.replace("http://", "ws://");
    let mut follower = follower_polling(&node, &ws, Duration::from_millis(10)).await;
    let reached = follow_until(&mut follower, 0, |status| status.failures_in_a_row > 0).await;
    assert_eq!(next(&mut follower).await.number, reached + 1);
    let why = status(&follower).last_failure.unwrap();
    assert!(why.starts_with("no WebSocket at this address: ") && why.ends_with("port for WebSocket?"), "{why}");
}
