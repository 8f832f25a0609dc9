//! A node behind the proxy that notes what reaches it, and whoever asks before it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::fault::FaultKind;
use crate::proxy::FaultProxy;
use crate::weather::Weather;

const SEND: &str = "eth_sendRawTransaction";
const HEAD: &str = "eth_blockNumber";
const HASH: &str = "0x0123456789abcdef";
const HEAD_NUMBER: u64 = 0x64;
/// How long something may take that comes at once on a machine that has time.
const LIMIT: Duration = Duration::from_secs(20);

/// Answers each method with its result, and notes in which order they came.
struct Node {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Node {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, seen) = (listener.local_addr().unwrap(), Arc::default());
        let serving = tokio::spawn(serve(listener, Arc::clone(&seen)));
        Self { address, seen, serving }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, seen: Arc<Mutex<Vec<String>>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let seen = Arc::clone(&seen);
        let service = service_fn(move |request| answered(request, Arc::clone(&seen)));
        let connection = server::Builder::new().serve_connection(TokioIo::new(stream), service);
        drop(tokio::spawn(async move { drop(connection.await) }));
    }
}

async fn answered(request: Request<Incoming>, seen: Arc<Mutex<Vec<String>>>) -> Result<Answer, Infallible> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let method = method_of(&body);
    seen.lock().unwrap().push(method.clone());
    let (status, answer) = match method.as_str() {
        SEND => (StatusCode::OK, json!({ "result": HASH })),
        HEAD => (StatusCode::OK, json!({ "result": format!("{HEAD_NUMBER:#x}") })),
        _ => (StatusCode::BAD_REQUEST, json!({ "error": "what?" })),
    };
    Ok(Said { status, json: Bytes::from(answer.to_string()) }.answer(false))
}

fn address(proxy: &FaultProxy) -> SocketAddr {
    proxy.url().strip_prefix("http://").unwrap().parse().unwrap()
}

fn request(method: &str) -> Bytes {
    Bytes::from(json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] }).to_string())
}

/// What somebody sees who asks at this address: status and text, or nothing.
async fn seen_by_asker(at: SocketAddr, request: Bytes) -> String {
    match ask(Some(at), request).await {
        Ok(said) => format!("{} {}", said.status.as_u16(), String::from_utf8_lossy(&said.json)),
        Err(_) => "nothing".to_owned(),
    }
}

async fn before(node: &Node, weather: Weather) -> FaultProxy {
    let proxy = FaultProxy::start(7, weather).await.unwrap();
    proxy.lead_to(node.address);
    proxy
}

#[tokio::test]
async fn in_clear_weather_everything_passes_as_it_is() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::CLEAR).await;
    assert_eq!(seen_by_asker(address(&proxy), request(HEAD)).await, r#"200 {"result":"0x64"}"#);
    assert_eq!(seen_by_asker(address(&proxy), request("strange")).await, r#"400 {"error":"what?"}"#);
    assert_eq!(seen_by_asker(address(&proxy), Bytes::from_static(b"{")).await, r#"400 {"error":"what?"}"#);
    assert_eq!(node.seen(), [HEAD, "strange", ""]);
    assert_eq!((proxy.survived().requests, proxy.survived().faults()), (3, 0));
}

#[tokio::test]
async fn each_fault_does_what_its_name_says() {
    for (kind, method, expected, reaching) in [
        (FaultKind::RequestLost, SEND, "nothing", 0),
        (FaultKind::AnswerLost, SEND, "nothing", 1),
        (FaultKind::Delayed, SEND, r#"200 {"result":"0x0123456789abcdef"}"#, 1),
        (FaultKind::Doubled, SEND, r#"200 {"result":"0x0123456789abcdef"}"#, 2),
        (FaultKind::Overtaken, SEND, r#"200 {"result":"0x0123456789abcdef"}"#, 1),
        (FaultKind::TooManyRequests, SEND, "429 the gateway is tired", 0),
        (FaultKind::HalfAnswer, SEND, r#"200 {"result":"0x01"#, 1),
        (FaultKind::CutAnswer, SEND, "nothing", 1),
        (FaultKind::WrongHash, SEND, r#"200 {"result":"0xfedcba9876543210"}"#, 1),
    ] {
        let node = Node::start().await;
        let proxy = before(&node, Weather::of_one_kind(kind)).await;
        assert_eq!(seen_by_asker(address(&proxy), request(method)).await, expected, "{kind:?}");
        assert_eq!(node.seen().len(), reaching, "{kind:?}");
        assert_eq!((proxy.survived().of(kind), proxy.survived().faults()), (1, 1), "{kind:?}");
    }
}

#[tokio::test]
async fn a_stale_head_is_some_blocks_old_and_other_methods_are_left_alone() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::of_one_kind(FaultKind::StaleHead)).await;
    for _ in 0..20 {
        let seen = seen_by_asker(address(&proxy), request(HEAD)).await;
        let head = seen.strip_prefix(r#"200 {"result":"0x"#).and_then(|rest| rest.strip_suffix(r#""}"#)).unwrap();
        let blocks = HEAD_NUMBER - u64::from_str_radix(head, 16).unwrap();
        assert!((1..=5).contains(&blocks), "{seen}");
    }
    assert_eq!(seen_by_asker(address(&proxy), request(SEND)).await, r#"200 {"result":"0x0123456789abcdef"}"#);
    assert_eq!((proxy.survived().requests, proxy.survived().of(FaultKind::StaleHead)), (21, 20));
    assert_eq!(older_head("0x2", 5).unwrap(), "0x0", "nothing is older than block 0");
}

#[tokio::test]
async fn of_a_502_nobody_can_see_whether_it_arrived() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::of_one_kind(FaultKind::BadGateway)).await;
    for _ in 0..20 {
        assert_eq!(seen_by_asker(address(&proxy), request(SEND)).await, "502 the gateway is tired");
    }
    let arrived = node.seen().len();
    assert!((1..20).contains(&arrived), "{arrived} of 20 arrived");
}

#[tokio::test]
async fn a_request_that_is_overtaken_reaches_the_node_second() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::of_one_kind(FaultKind::Overtaken)).await;
    let first = tokio::spawn(seen_by_asker(address(&proxy), request(SEND)));
    let has_come = async {
        while proxy.survived().requests == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, has_come).await.unwrap();
    proxy.change_weather(Weather::CLEAR);
    let _ = seen_by_asker(address(&proxy), request(HEAD)).await;
    let _ = first.await.unwrap();
    assert_eq!(node.seen(), [HEAD, SEND]);
}

#[tokio::test]
async fn it_leads_where_the_node_is_now() {
    let proxy = FaultProxy::start(7, Weather::CLEAR).await.unwrap();
    assert_eq!(seen_by_asker(address(&proxy), request(HEAD)).await, "nothing");
    let [first, second] = [Node::start().await, Node::start().await];
    for node in [&first, &second] {
        proxy.lead_to(node.address);
        assert_eq!(seen_by_asker(address(&proxy), request(HEAD)).await, r#"200 {"result":"0x64"}"#);
    }
    assert_eq!((first.seen().len(), second.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_request_that_is_too_long_is_not_passed_on() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::CLEAR).await;
    let long = vec![b' '; REQUEST_BYTES_MAX + 1];
    assert_eq!(seen_by_asker(address(&proxy), Bytes::from(long)).await, "nothing");
    assert_eq!((node.seen().len(), proxy.survived().requests), (0, 0));
}

#[tokio::test]
async fn a_stopped_proxy_does_not_listen_any_more() {
    let node = Node::start().await;
    let proxy = before(&node, Weather::CLEAR).await;
    let at = address(&proxy);
    proxy.stop().await;
    assert!(TcpStream::connect(at).await.is_err());
}
