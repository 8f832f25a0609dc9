//! `eth_subscribe`, in process. Over a socket it is in `servers`.

use super::*;
use jsonrpsee::core::server::Subscription;
use std::time::Duration;

/// No notification takes longer.
const WAIT_MAX: Duration = Duration::from_secs(20);

fn subscribe(node: &Node, params: &Value) -> Subscription {
    let params = params.as_array().unwrap().clone();
    node.runtime.block_on(node.module.subscribe("eth_subscribe", params, 1_024)).unwrap()
}

fn next(node: &Node, subscription: &mut Subscription) -> Value {
    let next = async { tokio::time::timeout(WAIT_MAX, subscription.next::<Value>()).await };
    node.runtime.block_on(next).expect("it comes in time").unwrap().unwrap().0
}

#[test]
fn heads_logs_and_waiting_transactions_are_told_as_they_come() {
    let mut node = Node::new();
    let target = node.deploy("ana", emitter());
    let mut heads = subscribe(&node, &json!(["newHeads"]));
    let mut all_logs = subscribe(&node, &json!(["logs"]));
    let mut some_logs = subscribe(&node, &json!(["logs", { "address": target, "topics": [word(2)] }]));
    let mut pending = subscribe(&node, &json!(["newPendingTransactions"]));
    let mut syncing = subscribe(&node, &json!(["syncing"]));
    let sent = [(1, 10), (2, 20)].map(|(topic, data)| node.call("ana", target, emission(topic, data)));
    node.seal();
    let header = next(&node, &mut heads);
    assert_eq!((&header["number"], &header["hash"]), (&json!("0x2"), &json!(node.ledger.head().hash())));
    assert!(header.get("transactions").is_none(), "a head is a header alone: {header}");
    let expected = node.ask("eth_getLogs", json!([{ "fromBlock": "0x2" }]));
    assert_eq!([next(&node, &mut all_logs), next(&node, &mut all_logs)], [expected[0].clone(), expected[1].clone()]);
    assert_eq!(next(&node, &mut some_logs), expected[1]);
    assert_eq!([next(&node, &mut pending), next(&node, &mut pending)], sent.map(|hash| json!(hash)));
    assert_eq!(next(&node, &mut syncing), json!(false));
}

#[test]
fn what_cannot_be_subscribed_to_is_refused() {
    let node = Node::new();
    for params in [json!(["oldHeads"]), json!([]), json!([5]), json!(["logs", { "address": 5 }])] {
        let data = node.refused_as("eth_subscribe", params, Meaning::InvalidSubscriptionParams);
        assert!(data.is_string());
    }
}

#[test]
fn a_subscriber_that_falls_too_far_behind_is_cut_off() {
    let mut node = Node::new();
    let mut heads = node.runtime.block_on(node.module.subscribe("eth_subscribe", ["newHeads"], 1)).unwrap();
    // Nobody reads while more blocks are sealed than are kept for a slow reader.
    node.seal_many(1_100);
    let mut seen = 0_u64;
    let reads = async {
        while let Some(head) = heads.next::<Value>().await {
            let number: alloy_primitives::U64 = serde_json::from_value(head.unwrap().0["number"].clone()).unwrap();
            seen += 1;
            assert_eq!(number.to::<u64>(), seen, "there is no gap before the end");
        }
    };
    node.runtime.block_on(async { tokio::time::timeout(WAIT_MAX, reads).await }).expect("the subscription ends");
    assert!(seen < 1_100);
}
