//! What an operator does: pauses that hold for everybody, intents that are cancelled, stored bytes that are sent again, and lists.

use std::sync::Arc;

use alloy_primitives::Address;
use custody::Custody;
use journal::Place;
use test_servers::Postgres;

use super::again::left_alone;
use super::faultless::{Bench, WAIT, first_lane, intent, mined};
use super::node::{Effect, Node};
use crate::{
    CancelError, Chain, InspectError, Inspection, OperatorText, Outcome, PauseError, Paused, Resumed, STATE_ROWS,
    StoreOpenError, SubmitError, Told, TransactionState, Which, Winner,
};

const ALL: Which = Which { is_open: false, sender: None };

pub(super) fn words(text: &str) -> OperatorText {
    OperatorText::parse(text).unwrap()
}

async fn is_refused_by_a_pause(lane: &crate::Lane, id: u64) -> bool {
    let told = lane.submit(&intent(id, Effect::Done)).await;
    matches!(&told, Err(SubmitError::Paused { reason, .. }) if reason == "audit")
}

/// What differs between rows and log; the store must be closed.
pub(super) async fn differences(place: &Place) -> Vec<String> {
    let config = journal::StoreConfig { state_rows: &[STATE_ROWS], ..journal::StoreConfig::at(place.clone()) };
    let store = journal::Store::open(&config).await.unwrap();
    let differences = crate::state_differences(&store).await.unwrap();
    store.close().await;
    differences
}

#[tokio::test]
async fn a_paused_lane_stores_nothing_new_until_it_is_resumed_also_after_a_restart() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let sender = lane.sender();
    let first = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    assert_eq!(chain.pause_lane(sender, &words("audit"), &words("ana")).await.unwrap(), Paused::Now);
    // The holder read its lane before that.
    assert!(is_refused_by_a_pause(&lane, 2).await);
    let all = lane.submit_all(&[intent(2, Effect::Done), intent(3, Effect::Done)]).await;
    assert!(all.iter().all(|told| matches!(told, Err(SubmitError::Paused { .. }))), "{all:?}");
    lane.resume();
    assert!(is_refused_by_a_pause(&lane, 2).await, "that was no node's pause");
    assert!(!chain.has_intent(&intent(2, Effect::Done).key).await.unwrap());
    // What is stored already is the same transaction still, and ends.
    assert_eq!(lane.submit(&intent(1, Effect::Done)).await.unwrap().hash, first.hash);
    let _ = mined(&chain, &first.key).await;
    drop(lane);
    chain.close().await;

    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    assert!(is_refused_by_a_pause(&lane, 2).await);
    match chain.pause_lane(sender, &words("another reason"), &words("bia")).await.unwrap() {
        Paused::Before(pause) => assert_eq!((pause.reason.as_str(), pause.who.as_str()), ("audit", "ana")),
        Paused::Now => panic!("it was paused before"),
    }
    assert_eq!(chain.resume_lane(sender, &words("bia")).await.unwrap(), Resumed::Now);
    assert_eq!(chain.resume_lane(sender, &words("bia")).await.unwrap(), Resumed::Before);
    assert_eq!(lane.submit(&intent(2, Effect::Done)).await.unwrap().nonce, 1);
    let _ = mined(&chain, &intent(2, Effect::Done).key).await;
    assert_eq!((bench.node.effects(1), bench.node.effects(2), bench.node.effects(3)), ((1, 0), (1, 0), (0, 0)));
    let nobody = chain.pause_lane(Address::repeat_byte(9), &words("audit"), &words("ana")).await;
    assert!(matches!(nobody, Err(PauseError::NoSuchLane { .. })), "{nobody:?}");
    drop(lane);
    chain.close().await;
    assert_eq!(differences(&bench.store()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_holds_for_another_process_that_has_the_lane() {
    let url = tokio::task::spawn_blocking(|| Postgres::shared().unwrap().database().unwrap()).await.unwrap();
    let place = Place::Postgres { url, schema: "chain".to_owned() };
    let bench = Bench::new();
    let holder = bench.open_at(&place).await;
    let lane = first_lane(&holder).await;
    let _ = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    let other = Inspection::open(&place).await.unwrap();
    assert_eq!(other.pause_lane(lane.sender(), &words("audit"), &words("ana")).await.unwrap(), Paused::Now);
    assert!(is_refused_by_a_pause(&lane, 2).await);
    let lanes = other.lanes().await.unwrap().lines;
    assert_eq!((lanes.len(), lanes[0].next_nonce, lanes[0].open_count), (1, 1, 1));
    assert!(lanes[0].leased_until.is_some() && lanes[0].paused.is_some());
    let _ = mined(&holder, &intent(1, Effect::Done).key).await;
    assert_eq!(other.resume_lane(lane.sender(), &words("ana")).await.unwrap(), Resumed::Now);
    assert_eq!(lane.submit(&intent(2, Effect::Done)).await.unwrap().nonce, 1);
    let _ = mined(&holder, &intent(2, Effect::Done).key).await;
    other.close().await;
}

/// Cancels, and says who won.
async fn cancelled(chain: &Chain, id: u64) -> String {
    let key = intent(id, Effect::Done).key;
    let begun = chain.cancel(&key, &words("not wanted"), &words("ana")).await.unwrap();
    let outcome = chain.outcome(&key, WAIT).await.unwrap();
    match begun.winner(&outcome) {
        Winner::Original(_) => "the original".to_owned(),
        Winner::Empty => format!("the empty one: {}", begun.reason),
        Winner::Foreign(reason) => reason.to_owned(),
    }
}

#[tokio::test]
async fn what_the_node_never_had_is_cancelled_and_its_key_is_free() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    assert_eq!(cancelled(&chain, 1).await, "the empty one: cancelled by ana: not wanted");
    assert_eq!(lane.submit(&intent(1, Effect::Done)).await.unwrap().nonce, 1);
    let _ = mined(&chain, &intent(1, Effect::Done).key).await;
    assert_eq!(bench.node.effects(1), (1, 0));
    drop(lane);
    chain.close().await;
    assert_eq!(differences(&bench.store()).await, Vec::<String>::new());

    let looking = Inspection::open(&bench.store()).await.unwrap();
    let attempts = looking.attempts(&intent(1, Effect::Done).key).await.unwrap().lines;
    let states: Vec<_> = attempts.iter().map(|one| (one.attempt, one.state(), one.cancelling.is_some())).collect();
    assert_eq!(states, [(2, TransactionState::Succeeded, false), (1, TransactionState::Refused, true)]);
    let told = looking.told(attempts[0].sender, &attempts[0].key).await.unwrap();
    let told: Vec<_> = told.iter().map(|line| (line.attempt, &line.what)).collect();
    let reason = "cancelled by ana: not wanted".to_owned();
    assert_eq!(
        told[..4],
        [
            (1, &Told::Signed),
            (1, &Told::Cancelling { reason: reason.clone() }),
            (1, &Told::Refused { reason }),
            (2, &Told::Signed)
        ]
    );
    assert!(matches!(told[4..], [(2, Told::Mined { is_success: true, .. })]), "{told:?}");
    looking.close().await;
}

#[tokio::test]
async fn a_process_that_takes_the_lane_to_cancel_does_not_send_the_original_first() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    for id in [1, 2] {
        left_alone(&bench, &chain, &lane, id).await;
    }
    drop(lane);
    chain.close().await;
    let chain = bench.open().await;
    // The lower one comes with the lane, and the empty one after it.
    assert!(cancelled(&chain, 2).await.starts_with("the empty one"));
    let _ = mined(&chain, &intent(1, Effect::Done).key).await;
    assert_eq!((bench.node.effects(1), bench.node.effects(2)), ((1, 0), (0, 0)));
}

#[tokio::test]
async fn what_is_with_the_node_wins_over_the_empty_one() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let _ = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    assert_eq!(cancelled(&chain, 1).await, "the original");
    assert_eq!(bench.node.effects(1), (1, 0));
    let key = intent(1, Effect::Done).key;
    let ended = chain.cancel(&key, &words("not wanted"), &words("ana")).await;
    assert!(matches!(ended, Err(CancelError::Ended { .. })), "{ended:?}");
    let nothing = chain.cancel(&intent(7, Effect::Done).key, &words("not wanted"), &words("ana")).await;
    assert!(matches!(nothing, Err(CancelError::NoSuchIntent { .. })), "{nothing:?}");
    assert_eq!(lane.submit(&intent(2, Effect::Done)).await.unwrap().nonce, 1);
}

#[tokio::test]
async fn without_keys_stored_bytes_are_sent_again_and_nothing_is_signed() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    let sender = lane.sender();
    drop(lane);
    chain.close().await;

    let profile = super::faultless::profile();
    let custody = Arc::new(Custody::new(profile.network()));
    let chain = Chain::open(profile, Arc::<Node>::clone(&bench.node), &bench.store(), custody).await.unwrap();
    let key = intent(1, Effect::Done).key;
    let keyless = chain.cancel(&key, &words("not wanted"), &words("ana")).await;
    assert!(matches!(keyless, Err(CancelError::NoKey { .. })), "{keyless:?}");
    let open = chain.open_of(sender).await.unwrap();
    assert_eq!((open.count, open.lowest), (1, Some(key.clone())));
    assert!(chain.retry(&key).await.unwrap().is_repeated);
    assert!(matches!(chain.outcome(&key, WAIT).await, Ok(Outcome::Mined(_))));
    assert_eq!((chain.open_of(sender).await.unwrap().count, bench.node.effects(1)), (0, (1, 0)));
}

#[tokio::test]
async fn lists_begin_with_the_newest_and_say_that_they_were_cut() {
    let bench = Bench::new();
    let nowhere = Inspection::open(&bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(nowhere, InspectError::NoStore { .. }), "{nowhere:?}");
    let chain = bench.open().await;
    let held = Inspection::open(&bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(held, InspectError::Open(StoreOpenError::Journal(journal::OpenError::Held { .. }))), "{held:?}");
    let lane = first_lane(&chain).await;
    for id in 1..=3 {
        let _ = lane.submit(&intent(id, Effect::Done)).await.unwrap();
    }
    let _ = mined(&chain, &intent(1, Effect::Done).key).await;
    let sender = lane.sender();
    drop(lane);
    chain.close().await;

    let looking = Inspection::open(&bench.store()).await.unwrap();
    let keys = async |which: Which, limit: usize| {
        let listed = looking.transactions(which, limit).await.unwrap();
        (listed.lines.iter().map(|line| line.key.to_string()).collect::<Vec<_>>(), listed.has_more)
    };
    assert_eq!(keys(ALL, 3).await, (["intent/3", "intent/2", "intent/1"].map(str::to_owned).to_vec(), false));
    assert_eq!(keys(ALL, 1).await, (vec!["intent/3".to_owned()], true));
    let open = Which { is_open: true, sender: Some(sender) };
    assert_eq!(keys(open, 9).await, (["intent/3", "intent/2"].map(str::to_owned).to_vec(), false));
    assert_eq!(keys(Which { sender: Some(Address::ZERO), ..ALL }, 9).await, (Vec::new(), false));
    let oldest = &looking.transactions(ALL, 3).await.unwrap().lines[2];
    assert_eq!((oldest.state, oldest.block_number.is_some()), (TransactionState::Succeeded, true));
    assert!(oldest.signed.is_some());
    looking.close().await;
}
