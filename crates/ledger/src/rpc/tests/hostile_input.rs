//! Input that means harm, through a socket: an error each time, never a panic, and the node goes on.

use super::servers::{Socket, http_request};
use super::*;
use crate::rpc::ServerLimits;
use proptest::prelude::*;

fn limits() -> ServerLimits {
    ServerLimits { request_bytes_max: 100_000, batch_requests_max: 8, ..ServerLimits::default() }
}

/// Status and code of the error; nothing where the body is no JSON.
fn post(node: &Node, socket: &Socket, body: &[u8]) -> (u16, Option<i64>) {
    let (status, body) = http_request(node, socket.http, "POST", "application/json", body);
    let answer: Option<Value> = serde_json::from_str(&body).ok();
    (status, answer.and_then(|answer| answer["error"]["code"].as_i64()))
}

#[test]
fn each_kind_of_broken_request_is_answered_and_the_next_is_served() {
    let node = Node::new();
    let socket = Socket::open(&node, limits());
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":{}{}}}"#,
        "[".repeat(40_000),
        "]".repeat(40_000)
    );
    let batch = |count: usize| {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] });
        json!(vec![request; count]).to_string()
    };
    let cases = [
        ("half JSON", br#"{"jsonrpc":"2.0","id":1,"meth"#.to_vec(), (200, Some(-32_700))),
        ("nothing", Vec::new(), (400, Some(-32_700))),
        ("no text", vec![0xff, 0xfe, 0x00], (400, Some(-32_700))),
        ("no request", br#"{"id":1}"#.to_vec(), (200, Some(-32_600))),
        ("a method that is a number", br#"{"jsonrpc":"2.0","id":1,"method":5}"#.to_vec(), (200, Some(-32_600))),
        ("deep nesting", deep.into_bytes(), (200, Some(-32_602))),
        ("an empty batch", b"[]".to_vec(), (200, Some(-32_600))),
        ("a batch of too many", batch(9).into_bytes(), (200, Some(-32_010))),
        ("a body that is too long", vec![b' '; 100_001], (413, Some(-32_007))),
    ];
    for (what, body, expected) in cases {
        assert_eq!(post(&node, &socket, &body), expected, "{what}");
        assert_eq!(post(&node, &socket, batch(8).as_bytes()), (200, None), "after {what}");
    }
    assert_eq!(http_request(&node, socket.http, "GET", "application/json", b"").0, 405);
    assert_eq!(http_request(&node, socket.http, "POST", "text/plain", b"{}").0, 415);
    socket.stop(&node);
}

/// JSON of any shape, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(0x)?[0-9a-f]{0,70}".prop_map(Value::from),
        "(latest|earliest|pending|newHeads|logs)".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let key =
        "(to|from|data|input|gas|gasPrice|value|address|topics|fromBlock|toBlock|blockHash|accessList|[a-z]{1,4})";
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[test]
fn no_method_panics_whatever_its_parameters() {
    let node = busy();
    let methods: Vec<&str> = node.module.method_names().collect();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2_000));
    let strategy = (prop::sample::select(methods), prop::collection::vec(any_json(), 0..5));
    runner
        .run(&strategy, |(method, params)| {
            let answer = node.answer(method, &json!(params));
            // jsonrpsee answers for a method that panicked with this code, and Besu for a failure of its own.
            prop_assert_ne!(&answer["error"]["code"], &json!(-32_603), "{} {:?}", method, params);
            Ok(())
        })
        .unwrap();
    assert_eq!(node.ask("eth_blockNumber", json!([])), json!("0x2"));
}
