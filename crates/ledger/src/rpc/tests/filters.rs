//! Logs by query and by filter, also where the blocks are no longer in memory.

use super::*;
use crate::chain::BLOCKS_KEPT;
use insta::assert_snapshot;

/// An emitter in block 1; in block 2 topic 1 twice and topic 2 once, in block 3 topic 1 once.
fn emitting() -> (Node, Address) {
    let mut node = Node::new();
    let target = node.deploy("ana", emitter());
    for (topic, data) in [(1, 10), (2, 20), (1, 11)] {
        let _ = node.call("ana", target, emission(topic, data));
    }
    node.seal();
    let _ = node.call("ana", target, emission(1, 12));
    node.seal();
    (node, target)
}

/// The data of the logs that a filter finds, as numbers.
fn found(logs: &Value) -> Vec<u64> {
    let data = |log: &Value| serde_json::from_value::<alloy_primitives::U256>(log["data"].clone()).unwrap().to();
    logs.as_array().unwrap().iter().map(data).collect()
}

#[test]
fn logs_are_found_by_blocks_address_and_topics() {
    let (node, target) = emitting();
    let query = |filter: Value| found(&node.ask("eth_getLogs", json!([filter])));
    let topic = |number| json!(word(number));
    assert_eq!(query(json!({ "fromBlock": "earliest", "toBlock": "latest" })), [10, 20, 11, 12]);
    assert_eq!(query(json!({})), [12], "without bounds it is the head");
    assert_eq!(query(json!({ "fromBlock": "0x2", "toBlock": "0x2" })), [10, 20, 11]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "topics": [topic(1)] })), [10, 11, 12]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "topics": [[topic(2), topic(3)]] })), [20]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "topics": [null] })), [10, 20, 11, 12]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "topics": [topic(1), topic(1)] })), [0_u64; 0]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "address": [target, address("bia")] })), [10, 20, 11, 12]);
    assert_eq!(query(json!({ "fromBlock": "0x0", "address": address("bia") })), [0_u64; 0]);
    assert_eq!(query(json!({ "blockHash": node.ledger.header(2).unwrap().hash(), "topics": [topic(2)] })), [20]);
    let beyond = json!([{ "fromBlock": "0x3", "toBlock": "0x99" }]);
    let data = node.refused_as("eth_getLogs", beyond, Meaning::InvalidBlockParams);
    assert_eq!(data, json!("toBlock 153 is after the newest block 3"));
    assert_snapshot!(
        "logs_of_block_2",
        pretty(&node.ask("eth_getLogs", json!([{ "fromBlock": "0x2", "toBlock": "0x2" }])))
    );
}

#[test]
fn blocks_that_left_memory_are_read_from_the_log() {
    let (mut node, _) = emitting();
    let before = node.ask("eth_getLogs", json!([{ "fromBlock": "0x0" }]));
    let questions = [
        ("eth_getBlockByNumber", json!(["0x2", true])),
        ("eth_getBlockReceipts", json!(["0x2"])),
        ("eth_getTransactionReceipt", json!([node.ledger.block(2).unwrap().transactions[1].hash()])),
    ];
    let young = questions.clone().map(|(method, params)| node.ask(method, params));
    node.seal_many(BLOCKS_KEPT + 8);
    assert_eq!(node.ask("eth_getLogs", json!([{ "fromBlock": "0x0" }])), before);
    assert_eq!(questions.map(|(method, params)| node.ask(method, params)), young);
}

#[test]
fn a_query_is_bounded_in_blocks_and_logs() {
    let rpc = RpcOptions { log_blocks_max: 3, logs_max: 2, ..RpcOptions::default() };
    let mut node = Node::with(&testing::genesis(), NodeOptions::default(), rpc);
    let target = node.deploy("ana", emitter());
    for data in 0..3 {
        let _ = node.call("ana", target, emission(1, data));
    }
    node.seal();
    let query = |from: &str, to: &str| json!([{ "fromBlock": from, "toBlock": to }]);
    let data = node.refused_as("eth_getLogs", query("0x0", "0x3"), Meaning::ExceedsBlockRange);
    assert_eq!(data, json!("4 blocks were asked for, at most 3 are searched"));
    let data = node.refused_as("eth_getLogs", query("0x0", "0x2"), Meaning::ResponseTooLarge);
    assert_eq!(data, json!("more than 2 logs match; ask for fewer blocks"));
    let data = node.refused_as("eth_getLogs", query("0x2", "0x1"), Meaning::InvalidBlockParams);
    assert_eq!(data, json!("fromBlock 2 is after toBlock 1"));
    let _ = node.refused_as("eth_getLogs", query("0x0", "0xffffffffffffffff"), Meaning::ExceedsBlockRange);
    let _ = node.refused_as("eth_getLogs", json!([{ "blockHash": B256::ZERO }]), Meaning::BlockNotFound);
}

#[test]
fn a_filter_tells_each_thing_once_until_it_is_removed() {
    let (mut node, target) = emitting();
    let logs = node.ask("eth_newFilter", json!([{ "topics": [word(1)], "address": target }]));
    let blocks = node.ask("eth_newBlockFilter", json!([]));
    let pending = node.ask("eth_newPendingTransactionFilter", json!([]));
    let changes = |node: &Node, id: &Value| node.ask("eth_getFilterChanges", json!([id]));
    assert_eq!([&logs, &blocks, &pending].map(|id| changes(&node, id)), [json!([]), json!([]), json!([])]);
    let hash = node.call("ana", target, emission(1, 13));
    let other = node.call("ana", target, emission(2, 14));
    node.seal_many(2);
    assert_eq!(found(&changes(&node, &logs)), [13]);
    let heads = [4, 5].map(|number| node.ledger.header(number).unwrap().hash());
    assert_eq!(changes(&node, &blocks), json!(heads));
    assert_eq!(changes(&node, &pending), json!([hash, other]));
    assert_eq!([&logs, &blocks, &pending].map(|id| changes(&node, id)), [json!([]), json!([]), json!([])]);
    assert_eq!(found(&node.ask("eth_getFilterLogs", json!([logs]))), [0_u64; 0], "the head has no logs");
    let _ = node.refused_as("eth_getFilterLogs", json!([blocks]), Meaning::LogsFilterNotFound);
    assert_eq!(node.ask("eth_uninstallFilter", json!([logs])), json!(true));
    assert_eq!(node.ask("eth_uninstallFilter", json!([logs])), json!(false));
    let _ = node.refused_as("eth_getFilterChanges", json!([logs]), Meaning::FilterNotFound);
    let _ = node.refused_as("eth_getFilterLogs", json!([logs]), Meaning::LogsFilterNotFound);
}

#[test]
fn filters_are_bounded_and_idle_ones_make_room() {
    let rpc = RpcOptions { filters_max: 2, ..RpcOptions::default() };
    let node = Node::with(&testing::genesis(), NodeOptions::default(), rpc);
    let open = || node.ask("eth_newBlockFilter", json!([]));
    assert_eq!((open(), open()), (json!("0x1"), json!("0x2")));
    let data = node.refused_as("eth_newBlockFilter", json!([]), Meaning::ExceedsFilters);
    assert_eq!(data, json!("at most 2 filters are open at once"));
    assert_eq!(node.ask("eth_uninstallFilter", json!(["0x1"])), json!(true));
    assert_eq!(open(), json!("0x3"));
    let rpc = RpcOptions { filters_max: 1, filter_idle_seconds_max: 0, ..RpcOptions::default() };
    let node = Node::with(&testing::genesis(), NodeOptions::default(), rpc);
    assert_eq!(node.ask("eth_newBlockFilter", json!([])), json!("0x1"));
    assert_eq!(node.ask("eth_newBlockFilter", json!([])), json!("0x2"), "the first was idle for longer than no time");
    let _ = node.refused_as("eth_getFilterChanges", json!(["0x1"]), Meaning::FilterNotFound);
}
