//! Facts about requests without gas, on a node that does what it should.

use alloy_primitives::{Address, Bytes, hex};
use messages::ledger::{TransactionEnded, TransactionRequested};
use node_errors::Meaning;

use super::super::faultless::{Bench, first_lane};
use super::super::node::{CALL_GAS, Effect};
use super::facts::{Served, group, key, refusal, until};
use super::request;
use crate::outcome::call_of;
use crate::{Chain, ESTIMATE_MARGIN_PERCENT, EstimateError, Intent, LaneActivity};

/// What a call that succeeds gets.
const GAS_WITH_MARGIN: u64 = CALL_GAS * (100 + ESTIMATE_MARGIN_PERCENT) / 100;

fn without_gas(id: u64, subject: Option<u64>, effect: Effect) -> TransactionRequested {
    TransactionRequested { gas_limit: None, ..request(id, subject, effect) }
}

/// What fails until another request's effect is there.
fn after(needs: u64, request: TransactionRequested) -> TransactionRequested {
    let id = request.key.trim_start_matches("tokens/").parse().unwrap();
    TransactionRequested { data: hex::encode_prefixed(Effect::Done.calldata_after(id, needs)), ..request }
}

async fn served(bench: &Bench) -> Served {
    Served::by(bench.open().await, group("treasury", &["lane-0"])).await
}

fn mined_keys(answers: &[TransactionEnded]) -> Vec<(&str, u64)> {
    let mined = answers.iter().map(|answer| match answer {
        TransactionEnded::Mined(mined) if mined.is_success => (mined.key.as_str(), mined.nonce),
        other => panic!("{other:?}"),
    });
    mined.collect()
}

async fn signed_gas(chain: &Chain, text: &str) -> Option<u64> {
    let stored = chain.core.store.intent(&key(text)).await.unwrap()?;
    call_of(&stored).unwrap().gas
}

#[tokio::test]
async fn gas_that_is_not_given_is_estimated_with_a_margin() {
    let bench = Bench::new();
    let served = served(&bench).await;
    let wanted = without_gas(1, None, Effect::Done);
    let many = (2..40).map(|id| without_gas(id, (id % 3 == 0).then_some(id % 2), Effect::Done));
    served.publish([wanted.clone()].into_iter().chain(many)).await;
    assert_eq!(mined_keys(&served.answers(39).await).len(), 39);
    assert_eq!(signed_gas(&served.chain, "tokens/1").await, Some(GAS_WITH_MARGIN));
    // The same again is the same; with the gas that was estimated too, and not with another.
    let same = TransactionRequested { gas_limit: Some(GAS_WITH_MARGIN), ..wanted.clone() };
    let other = TransactionRequested { gas_limit: Some(GAS_WITH_MARGIN + 1), ..wanted.clone() };
    let data = hex::encode_prefixed(Effect::Done.calldata(99));
    let otherwise = TransactionRequested { data, ..wanted.clone() };
    served.publish([wanted, same, other, otherwise, without_gas(40, None, Effect::Done)]).await;
    let answers = served.answers(42).await;
    let refused = answers.iter().filter(|answer| matches!(answer, TransactionEnded::RequestRefused(_)));
    assert_eq!(refused.map(|answer| refusal(answer).code.as_str()).collect::<Vec<_>>(), ["key_used"; 2]);
    assert_eq!(bench.node.effects(1), (1, 0));
}

#[tokio::test]
async fn what_can_only_fail_takes_no_nonce_and_frees_its_key() {
    let bench = Bench::new();
    let served = served(&bench).await;
    served.publish([without_gas(1, Some(0), Effect::Reverted), without_gas(2, Some(0), Effect::Done)]).await;
    let answers = served.answers(2).await;
    let refused = refusal(&answers[0]);
    let words = "reverted without a reason; the node says: Execution reverted (3)";
    assert_eq!((refused.code.as_str(), refused.reason.as_str()), ("would_fail", words));
    assert_eq!(refused.revert_data.as_deref(), Some("0x"));
    assert_eq!(mined_keys(&answers[1..]), [("tokens/2", 0)]);
    served.publish([without_gas(1, None, Effect::Done)]).await;
    assert_eq!(mined_keys(&served.answers(3).await[2..]), [("tokens/1", 1)]);
}

#[tokio::test]
async fn a_failure_counts_when_nothing_is_in_flight_that_it_may_need() {
    let bench = Bench::new();
    let served = served(&bench).await;
    bench.node.stop_blocks(true);
    let depending =
        TransactionRequested { depends_on: vec!["tokens/0".to_owned()], ..without_gas(2, Some(8), Effect::Done) };
    let wanted = [
        request(0, Some(7), Effect::Done),
        after(0, without_gas(1, Some(7), Effect::Done)),
        after(0, depending),
        // Behind one that is not signed yet, and so is not either.
        request(3, Some(7), Effect::Done),
        // Of no subject, and one of another.
        without_gas(4, None, Effect::Done),
        request(5, Some(9), Effect::Done),
        // Nothing that it names is in flight.
        after(0, without_gas(6, None, Effect::Done)),
    ];
    served.publish(wanted).await;
    // Others of the lane go on meanwhile, and only what named nothing is refused.
    let signed = async |text: &str| signed_gas(&served.chain, text).await.is_some();
    until(async || signed("tokens/0").await && signed("tokens/4").await && signed("tokens/5").await).await;
    served.until_waiting(3).await;
    assert!(!signed("tokens/1").await && !signed("tokens/2").await && !signed("tokens/3").await);
    bench.node.stop_blocks(false);
    let answers = served.answers(7).await;
    let (refused, mined): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| matches!(answer, TransactionEnded::RequestRefused(_)));
    assert_eq!(refused.iter().map(TransactionEnded::key).collect::<Vec<_>>(), ["tokens/6"]);
    let mined = mined_keys(&mined);
    let nonce = |text| mined.iter().find(|(key, _)| *key == text).unwrap().1;
    assert!(nonce("tokens/0") < nonce("tokens/1") && nonce("tokens/1") < nonce("tokens/3"), "{mined:?}");
    assert!(nonce("tokens/5") < nonce("tokens/1"), "{mined:?}");
}

#[tokio::test]
async fn what_comes_to_nothing_is_no_longer_waited_for() {
    let bench = Bench::new();
    let served = served(&bench).await;
    // The first is refused, and so are those that need it, one after another.
    let named = TransactionRequested { depends_on: vec!["tokens/2".to_owned()], ..without_gas(3, None, Effect::Done) };
    let never = TransactionRequested { depends_on: vec!["tokens/99".to_owned()], ..without_gas(4, None, Effect::Done) };
    let first = without_gas(1, Some(7), Effect::Reverted);
    served.publish([first, after(1, without_gas(2, Some(7), Effect::Done)), after(2, named), after(99, never)]).await;
    let answers = served.answers(4).await;
    assert!(answers.iter().all(|answer| refusal(answer).code == "would_fail"), "{answers:?}");
    let keys: Vec<_> = answers.iter().map(TransactionEnded::key).filter(|key| *key != "tokens/4").collect();
    assert_eq!(keys, ["tokens/1", "tokens/2", "tokens/3"]);
}

#[tokio::test]
async fn a_node_that_never_says_is_told_of_with_what_to_do() {
    let bench = Bench::new();
    let served = Served::by(bench.open_with_attempts(4).await, group("treasury", &["lane-0"])).await;
    bench.node.refuse_calls(Some(Meaning::MethodNotEnabled));
    served.publish([without_gas(1, None, Effect::Done), request(2, None, Effect::Done)]).await;
    let answers = served.answers(2).await;
    let refused = answers.iter().find(|answer| answer.key() == "tokens/1").map(refusal).unwrap();
    assert_eq!(refused.code, "not_estimated");
    let words = "Method not enabled (-32604); the node was asked 4 times: give a `gas_limit` in the request";
    assert_eq!(refused.reason, words);
}

#[tokio::test]
async fn trouble_of_the_node_or_the_sender_refuses_nothing() {
    for meaning in [Meaning::StateNotAvailable, Meaning::SenderNotAuthorized] {
        let bench = Bench::new();
        let served = Served::by(bench.open_with_attempts(2).await, group("treasury", &["lane-0"])).await;
        bench.node.refuse_calls(Some(meaning));
        served.publish([without_gas(1, Some(0), Effect::Done), request(2, Some(1), Effect::Done)]).await;
        assert_eq!(mined_keys(&served.answers(1).await), [("tokens/2", 0)]);
        until(async || matches!(&served.requests.lanes()[0].activity, LaneActivity::Waiting { reason } if reason.starts_with("no gas can be estimated: ")))
            .await;
        bench.node.refuse_calls(None);
        assert_eq!(mined_keys(&served.answers(2).await[1..]), [("tokens/1", 1)]);
        until(async || served.requests.lanes()[0].activity == LaneActivity::Sending).await;
    }
}

#[tokio::test]
async fn whoever_submits_by_calls_has_gas_estimated_the_same_way() {
    let bench = Bench::new();
    let lane = first_lane(&bench.open().await).await;
    let intent = |effect: Effect| {
        let data = Bytes::from(effect.calldata(1));
        Intent::call(key("call/1"), Address::repeat_byte(0xcc), data, 0, "a call")
    };
    let done = intent(Effect::Done);
    let gas_limit = lane.estimate(&done).await.unwrap();
    assert_eq!(gas_limit, GAS_WITH_MARGIN);
    let submitted = lane.submit(&Intent { gas_limit, ..done.clone() }).await.unwrap();
    assert_eq!(submitted.nonce, 0);
    let failed = lane.estimate(&intent(Effect::Reverted)).await;
    assert!(matches!(failed, Err(EstimateError::Fails { revert_data: Some(data), .. }) if data.is_empty()));
    for (meaning, is_expected) in [
        (Meaning::UpfrontCostExceedsBalance, (|error| matches!(error, EstimateError::Sender { .. })) as fn(_) -> bool),
        (Meaning::InternalError, |error| matches!(error, EstimateError::Unclear { .. })),
        (Meaning::StateNotAvailable, |error| matches!(error, EstimateError::Node { .. })),
        (Meaning::ExecutionHalted, |error| matches!(error, EstimateError::Fails { revert_data: None, .. })),
    ] {
        bench.node.refuse_calls(Some(meaning));
        assert!(is_expected(lane.estimate(&done).await.unwrap_err()), "{meaning:?}");
    }
    let long = Intent { data: vec![0; crate::DATA_BYTES_MAX + 1].into(), ..done };
    assert!(matches!(lane.estimate(&long).await, Err(EstimateError::Intent { .. })));
}
