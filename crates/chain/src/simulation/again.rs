//! What is sent again, and for whom: nobody's lane waits for what somebody else has left.

use std::sync::atomic::Ordering;
use std::time::Duration;

use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::Transaction as _;
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::B256;
use node_errors::Meaning;

use super::faultless::{Bench, WAIT, first_lane, intent, mined};
use super::node::Effect;
use crate::delivery::Delivered;
use crate::store::Filler;
use crate::{Chain, FeeModel, Lane, Outcome, OutcomeError, Refusal, SubmitError};

const SILENCE: Duration = Duration::from_millis(50);

/// Stores the intent, and goes away before the node takes it.
pub(super) async fn left_alone(bench: &Bench, chain: &Chain, lane: &Lane, id: u64) {
    bench.node.refuse(Some(Meaning::InternalError));
    let submitting = tokio::spawn({
        let lane = lane.clone();
        async move { lane.submit(&intent(id, Effect::Done)).await }
    });
    while !chain.has_intent(&intent(id, Effect::Done).key).await.unwrap() {
        tokio::task::yield_now().await;
    }
    submitting.abort();
    assert!(submitting.await.is_err(), "the node never took it");
    bench.node.refuse(None);
}

#[tokio::test]
async fn a_lane_does_not_wait_for_what_somebody_left_who_went_away() {
    let bench = Bench::new();
    let chain = bench.open_with(SILENCE).await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    // The node takes what comes later, and keeps it until its turn.
    let later = lane.submit(&intent(2, Effect::Done)).await.unwrap();
    let _ = mined(&chain, &later.key).await;
    assert_eq!((bench.node.effects(1), bench.node.effects(2)), ((1, 0), (1, 0)));
}

#[tokio::test]
async fn what_was_left_and_is_refused_is_cancelled_by_whoever_waits_behind_it() {
    let bench = Bench::new();
    let chain = bench.open_with(SILENCE).await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    let doomed = intent(1, Effect::Done);
    bench.node.refuse_nonce(Some(0));
    let later = lane.submit(&intent(2, Effect::Done)).await.unwrap();
    let _ = mined(&chain, &later.key).await;
    assert!(matches!(chain.outcome(&doomed.key, WAIT).await, Ok(Outcome::Refused(_))));
    assert_eq!((bench.node.effects(1), bench.node.effects(2)), ((0, 0), (1, 0)));
}

#[tokio::test]
async fn an_end_of_an_earlier_attempt_is_not_taken_for_that_of_the_present_one() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let wanted = intent(1, Effect::Done);
    bench.node.refuse(Some(Meaning::ExceedsBlockGasLimit));
    assert!(matches!(lane.submit(&wanted).await, Err(SubmitError::Refused { .. })));
    let first = chain.core.store.intent(&wanted.key).await.unwrap().unwrap();
    bench.node.refuse(None);
    // Somebody follows, so the end comes from there alone.
    let _ = chain.core.followers.fetch_add(1, Ordering::Relaxed);
    let second = lane.submit(&wanted).await.unwrap();
    let refused = Outcome::Refused(Refusal { reason: "of the first attempt".to_owned() });
    let done = Outcome::Refused(Refusal { reason: "of the second attempt".to_owned() });
    let present = chain.core.store.intent(&wanted.key).await.unwrap().unwrap();
    assert_eq!((first.attempt, present.attempt), (1, 2));
    let (told, ()) = tokio::join!(chain.outcome(&second.key, WAIT), async {
        // As often as it takes until the other one waits, and is told of the wrong attempt first.
        for _ in 0..100 {
            chain.core.waiters.tell(&[(first.clone(), refused.clone())]);
            tokio::task::yield_now().await;
        }
        chain.core.store.settle(&present, &done).await.unwrap();
        chain.core.waiters.tell(&[(present.clone(), done.clone())]);
    });
    assert_eq!(told.unwrap(), done);
}

#[tokio::test]
async fn where_blocks_are_followed_no_single_node_ends_an_intent() {
    let bench = Bench::new();
    let chain = bench.open_with(SILENCE).await;
    let lane = first_lane(&chain).await;
    let _ = chain.core.followers.fetch_add(1, Ordering::Relaxed);
    let submitted = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    // The node has it in a block, and says so to whoever asks.
    let waited = chain.outcome(&submitted.key, 6 * SILENCE).await;
    assert!(matches!(waited, Err(OutcomeError::TimedOut { .. })), "{waited:?}");
    let stored = chain.core.store.intent(&submitted.key).await.unwrap().unwrap();
    let displaced = Delivered::Displaced { by: B256::repeat_byte(7) };
    let told = chain.core.conclude(&stored, displaced, true).await;
    assert!(matches!(told, Err(SubmitError::Unsettled { .. })), "{told:?}");
    assert!(chain.open_intents().await.unwrap().contains(&submitted.key));
    // When nobody follows any more, whoever waits looks for it.
    let _ = chain.core.followers.fetch_sub(1, Ordering::Relaxed);
    let _ = mined(&chain, &submitted.key).await;
}

#[tokio::test]
async fn the_empty_transaction_of_another_delivery_is_no_strangers() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    let before = chain.core.store.intent(&intent(1, Effect::Done).key).await.unwrap().unwrap();
    let filler = Filler { hash: B256::repeat_byte(7), raw: vec![7].into() };
    let fence = lane.state.row.lock().await.fence;
    assert!(chain.core.store.cancel(&before, fence, &filler, "no").await.unwrap());
    // A delivery that began before looks for the nonce, and finds the empty transaction there.
    let told = chain.core.conclude(&before, Delivered::Displaced { by: filler.hash }, true).await;
    assert!(told.is_ok(), "{told:?}");
    assert!(chain.open_intents().await.unwrap().contains(&before.key));
    let told = chain.core.conclude(&before, Delivered::Displaced { by: B256::repeat_byte(8) }, true).await;
    assert!(matches!(told, Err(SubmitError::Refused { .. })), "{told:?}");
}

#[tokio::test]
async fn nothing_leaves_once_the_ledger_is_another() {
    let bench = Bench::new();
    let chain = bench.open_with(SILENCE).await;
    let lane = first_lane(&chain).await;
    left_alone(&bench, &chain, &lane, 1).await;
    let key = intent(1, Effect::Done).key;
    let (told, ()) = tokio::join!(chain.outcome(&key, WAIT), chain.core.stop("another ledger"));
    assert!(matches!(told, Err(OutcomeError::Stopped { .. })), "{told:?}");
    lane.resume();
    for id in [1, 2] {
        let refused = lane.submit(&intent(id, Effect::Done)).await;
        assert!(matches!(refused, Err(SubmitError::Paused { .. })), "{refused:?}");
    }
    chain.core.recover(lane.sender()).await;
    // One more block, in which whatever came to the node would be.
    assert_eq!((bench.node.stuck(), bench.node.effects(1), bench.node.effects(2)), (0, (0, 0), (0, 0)));
}

#[tokio::test]
async fn an_empty_transaction_offers_more_than_the_one_whose_place_it_takes() {
    let fees = [
        (FeeModel::Free, (0, None)),
        (FeeModel::Legacy { gas_price_wei: 1_001 }, (1_127, None)),
        (FeeModel::Eip1559 { max_fee_per_gas_wei: 800, max_priority_fee_per_gas_wei: 1 }, (900, Some(2))),
    ];
    for (fees, offered) in fees {
        let bench = Bench::new();
        let chain = bench.open_at_price(fees).await;
        let lane = first_lane(&chain).await;
        left_alone(&bench, &chain, &lane, 1).await;
        let stored = chain.core.store.intent(&intent(1, Effect::Done).key).await.unwrap().unwrap();
        let row = lane.state.row.lock().await;
        let cancelling = chain.core.begin_cancelling(&lane.state, row, &stored, "no").await.unwrap().unwrap();
        let (_, filler) = cancelling.cancelling.unwrap();
        let filler = TxEnvelope::decode_2718_exact(&filler.raw).unwrap();
        assert_eq!((filler.max_fee_per_gas(), filler.max_priority_fee_per_gas()), offered, "{fees:?}");
        assert_eq!(filler.nonce(), stored.nonce);
    }
}
