//! The sockets, with clients that write their bytes by hand.

use super::*;
use crate::rpc::{Served, ServerLimits, serve_http, serve_ws};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// No answer takes longer.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// A node's HTTP and WebSocket sockets.
pub(super) struct Socket {
    pub(super) http: SocketAddr,
    ws: SocketAddr,
    served: [Served; 2],
}

impl Socket {
    pub(super) fn open(node: &Node, limits: ServerLimits) -> Self {
        let http = node.runtime.block_on(serve_http(node.module.clone(), ANY_PORT, limits)).unwrap();
        let ws = node.runtime.block_on(serve_ws(node.module.clone(), ANY_PORT, limits)).unwrap();
        Self { http: http.address(), ws: ws.address(), served: [http, ws] }
    }

    pub(super) fn stop(self, node: &Node) {
        let [http, ws] = self.served;
        node.runtime.block_on(http.stop());
        node.runtime.block_on(ws.stop());
    }
}

/// Status and body of the answer to one HTTP request on a connection of its own.
pub(super) fn http_request(node: &Node, address: SocketAddr, method: &str, kind: &str, body: &[u8]) -> (u16, String) {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "{method} / HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        // A server that has refused already may close before all is written.
        let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    let answer =
        node.runtime.block_on(async { tokio::time::timeout(WAIT_MAX, exchange).await }).expect("an answer in time");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (status.unwrap_or_default(), body.unwrap_or_default())
}

/// A WebSocket client (RFC 6455) for texts of one frame.
struct WebSocket(TcpStream);

impl WebSocket {
    async fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let upgrade = "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self(stream)
    }

    /// Sends a text, masked with zeros, which leave it as it is.
    async fn send(&mut self, text: &Value) {
        let text = text.to_string();
        let length = u16::try_from(text.len()).unwrap();
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(text.as_bytes());
        self.0.write_all(&frame).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let receive = async {
            let [first, length] = [self.0.read_u8().await.unwrap(), self.0.read_u8().await.unwrap()];
            assert_eq!(first, 0x81, "one frame of text");
            let length = match length {
                126 => usize::from(self.0.read_u16().await.unwrap()),
                127 => usize::try_from(self.0.read_u64().await.unwrap()).unwrap(),
                short => usize::from(short),
            };
            let mut text = vec![0; length];
            let _ = self.0.read_exact(&mut text).await.unwrap();
            serde_json::from_slice(&text).unwrap()
        };
        tokio::time::timeout(WAIT_MAX, receive).await.expect("a text in time")
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })).await;
        self.receive().await
    }
}

#[test]
fn http_answers_single_requests_and_batches() {
    let node = busy();
    let socket = Socket::open(&node, ServerLimits::default());
    let address = socket.http;
    let post = |body: Value| -> Value {
        let (status, body) = http_request(&node, address, "POST", "application/json", body.to_string().as_bytes());
        assert_eq!(status, 200);
        serde_json::from_str(&body).unwrap()
    };
    let request = |id: u64, method: &str| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": [] });
    assert_eq!(post(request(1, "eth_blockNumber")), json!({ "jsonrpc": "2.0", "id": 1, "result": "0x2" }));
    let answers = post(json!([request(1, "eth_chainId"), request(2, "eth_nothing"), request(3, "net_version")]));
    assert_eq!(answers[0]["result"], json!("0x539"));
    assert_eq!(
        answers[1],
        json!({ "jsonrpc": "2.0", "id": 2, "error": { "code": -32_601, "message": "Method not found" } })
    );
    assert_eq!(answers[2]["result"], json!("1337"));
    socket.stop(&node);
    assert!(node.runtime.block_on(TcpStream::connect(address)).is_err(), "nobody listens any more");
}

#[test]
fn websocket_answers_and_tells_of_new_heads_until_it_is_told_to_stop() {
    let mut node = Node::new();
    let socket = Socket::open(&node, ServerLimits::default());
    let handle = node.runtime.handle().clone();
    let mut client = handle.block_on(WebSocket::connect(socket.ws));
    assert_eq!(handle.block_on(client.ask("eth_chainId", json!([])))["result"], json!("0x539"));
    let id = handle.block_on(client.ask("eth_subscribe", json!(["newHeads"])))["result"].clone();
    node.seal();
    let told = handle.block_on(client.receive());
    assert_eq!((&told["method"], &told["params"]["subscription"]), (&json!("eth_subscription"), &id));
    assert_eq!(told["params"]["result"]["number"], json!("0x1"));
    assert_eq!(handle.block_on(client.ask("eth_unsubscribe", json!([id])))["result"], json!(true));
    node.seal();
    assert_eq!(
        handle.block_on(client.ask("eth_blockNumber", json!([])))["result"],
        json!("0x2"),
        "no head came between"
    );
    socket.stop(&node);
}

#[test]
fn a_port_in_use_is_told_as_such() {
    let node = Node::new();
    let socket = Socket::open(&node, ServerLimits::default());
    let limits = ServerLimits::default();
    for (address, protocol) in [(socket.http, "http"), (socket.ws, "ws")] {
        let again = node.runtime.block_on(async {
            match protocol {
                "http" => serve_http(node.module.clone(), address, limits).await,
                _ => serve_ws(node.module.clone(), address, limits).await,
            }
        });
        let error = again.unwrap_err();
        assert!(error.is_in_use(), "{error:?}");
        assert_eq!(error.to_string(), format!("cannot listen on {address} for {protocol}"));
    }
    let nowhere = node.runtime.block_on(serve_http(node.module.clone(), "192.0.2.1:80".parse().unwrap(), limits));
    assert!(!nowhere.unwrap_err().is_in_use());
    socket.stop(&node);
}

#[test]
fn connections_and_subscriptions_are_bounded() {
    let node = Node::new();
    let limits = ServerLimits { connections_max: 1, subscriptions_max: 1, ..ServerLimits::default() };
    let socket = Socket::open(&node, limits);
    let handle = node.runtime.handle().clone();
    let mut client = handle.block_on(WebSocket::connect(socket.ws));
    assert!(handle.block_on(client.ask("eth_subscribe", json!(["newHeads"])))["result"] == json!("0x1"));
    let second = handle.block_on(client.ask("eth_subscribe", json!(["newHeads"])));
    assert_eq!(second["error"]["code"], json!(-32_006), "{second}");
    let (status, _) = http_request(&node, socket.ws, "POST", "application/json", b"{}");
    assert_eq!(status, 429, "one connection is open already");
    socket.stop(&node);
}
