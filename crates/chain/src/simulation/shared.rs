//! Two processes on one store in PostgreSQL: a lane has one holder, and the other takes it when that is gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use journal::store::Durability;
use node_errors::Meaning;
use test_servers::Postgres;

use super::node::{CHAIN_ID, Effect, Node};
use crate::{Chain, Intent, IntentKey, LEASE, LaneError, Outcome, Profile, Rules, SubmitError};

const WAIT: Duration = Duration::from_secs(20);

/// Far more than a takeover needs on a busy machine; how long it took is asserted where the lease is what is waited for.
const TAKEOVER_WAIT_MAX: Duration = Duration::from_secs(60);

fn label() -> KeyLabel {
    KeyLabel::parse("shared").unwrap()
}

fn place() -> Place {
    let url = Postgres::shared().unwrap().database().unwrap();
    Place::Postgres { url, schema: "chain".to_owned() }
}

async fn open(node: &Arc<Node>, place: &Place, is_unfenced: bool) -> Chain {
    let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000);
    let mut custody = Custody::new(profile.network());
    let _ = custody.add_test_key(label(), Purpose::Transactions).unwrap();
    let node = Arc::<Node>::clone(node);
    let mut core = Chain::open_core(profile, node, place, Arc::new(custody), Durability::Full).await.unwrap();
    core.store.is_unfenced = is_unfenced;
    Chain::of(core)
}

fn intent(id: u64) -> Intent {
    let key = IntentKey::parse(&format!("intent/{id}")).unwrap();
    let data = Bytes::from(Effect::Done.calldata(id));
    Intent::call(key, Address::repeat_byte(0xcc), data, 100_000, format!("intent {id}"))
}

async fn mined(chain: &Chain, id: u64) -> bool {
    matches!(chain.outcome(&intent(id).key, WAIT).await, Ok(Outcome::Mined(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_is_closed_is_free_at_once() {
    let (node, place) = (Arc::new(Node::faultless(1)), tokio::task::spawn_blocking(place).await.unwrap());
    let (first, second) = (open(&node, &place, false).await, open(&node, &place, false).await);
    let lane = first.lane(&label()).await.unwrap();
    let _ = lane.submit(&intent(1)).await.unwrap();
    assert!(matches!(second.lane(&label()).await, Err(LaneError::Held { .. })));
    // Whoever does not hold the lane may wait for its outcomes all the same.
    assert!(mined(&second, 1).await);
    drop(lane);
    first.close().await;
    let lane = second.lane(&label()).await.unwrap();
    assert_eq!(lane.submit(&intent(2)).await.unwrap().nonce, 1);
    assert!(mined(&second, 2).await);
    assert_eq!((node.effects(1), node.effects(2)), ((1, 0), (1, 0)));
}

/// A holder is stopped with a transaction that the node does not have yet; another takes over; the first goes on.
async fn is_taken_over(is_unfenced: bool) -> Result<(), String> {
    let (node, place) = (Arc::new(Node::faultless(1)), tokio::task::spawn_blocking(place).await.unwrap());
    let (stopped, other) = (open(&node, &place, is_unfenced).await, open(&node, &place, false).await);
    let old = stopped.lane(&label()).await.unwrap();
    let _ = old.submit(&intent(1)).await.unwrap();
    node.refuse(Some(Meaning::InternalError));
    let submitting = tokio::spawn({
        let old = old.clone();
        async move { old.submit(&intent(2)).await }
    });
    while !stopped.has_intent(&intent(2).key).await.map_err(|error| error.to_string())? {
        tokio::task::yield_now().await;
    }
    submitting.abort();
    assert!(submitting.await.is_err(), "the node never took it");
    node.refuse(None);
    stopped.core.store.freeze();
    let since = Instant::now();
    let lane = other.lane_when_free(&label(), TAKEOVER_WAIT_MAX).await.map_err(|error| error.to_string())?;
    assert!(since.elapsed() >= LEASE / 3, "the lease was not over yet");
    println!("taken over {:?} after the holder was stopped", since.elapsed());
    if other.counters().recovered == 0 || !mined(&other, 2).await {
        return Err("what the stopped holder left open was not sent".to_owned());
    }
    let sent = node.received();
    match old.submit(&intent(3)).await {
        Err(SubmitError::LaneLost { .. }) => {}
        told => return Err(format!("the stopped holder sends on: {told:?}")),
    }
    if !matches!(stopped.lane(&label()).await, Err(LaneError::Held { .. })) {
        return Err("the lane that was lost is thought to be held".to_owned());
    }
    if node.received() != sent {
        return Err("something new left the stopped holder".to_owned());
    }
    if lane.submit(&intent(3)).await.map_err(|error| error.to_string())?.nonce != 2 || !mined(&other, 3).await {
        return Err("the new holder does not go on".to_owned());
    }
    // When the lane is free again, whoever lost it goes on without a restart.
    drop(lane);
    other.close().await;
    let _ = old.submit(&intent(4)).await.map_err(|error| error.to_string())?;
    if !mined(&stopped, 4).await {
        return Err("the lane was not taken back".to_owned());
    }
    let effects: Vec<_> = (1..=4).map(|id| node.effects(id)).collect();
    if effects == [(1, 0); 4] { Ok(()) } else { Err(format!("effects: {effects:?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_was_stopped_is_replaced_and_sends_nothing_new() {
    is_taken_over(false).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_without_a_token_is_caught() {
    let caught = is_taken_over(true).await.unwrap_err();
    assert!(caught.contains("sends on"), "{caught}");
}
