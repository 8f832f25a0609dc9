//! Connections over pipes in virtual time, with a node that does whatever a test wants.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::hostile::{BINARY, CLOSE, PING, PONG, TEXT, frame, head, head_of, shaken, taken};
use super::*;

/// What a pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// Subscribes at a node that answers with these bytes.
async fn subscribed(answer: Vec<u8>) -> (Result<Connection, SubscriptionFault>, DuplexStream) {
    let (ours, theirs) = duplex(PIPE_BYTES);
    let node = async {
        let mut node = shaken(theirs).await.unwrap();
        node.write_all(&answer).await.unwrap();
        node
    };
    tokio::join!(Connection::over(Box::new(ours), "node", "/", None), node)
}

/// What is heard of a node that sends these bytes and nothing more, and how it ends.
async fn heard(bytes: Vec<u8>) -> (Vec<u64>, String) {
    let (connection, mut node) = subscribed(taken()).await;
    let mut told = Vec::new();
    let sending = async {
        // It may be cut off meanwhile.
        let _ = node.write_all(&bytes).await;
        std::future::pending::<()>().await;
    };
    let fault = tokio::select! {
        fault = connection.unwrap().listen(|number| told.push(number)) => fault.to_string(),
        () = sending => unreachable!("it waits for ever"),
    };
    (told, fault)
}

/// How a handshake ends that a node answers with these bytes.
async fn refused(bytes: &[u8]) -> String {
    let (ours, mut theirs) = duplex(PIPE_BYTES);
    let node = async {
        let _ = theirs.read(&mut [0; 4096]).await.unwrap();
        let _ = theirs.write_all(bytes).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        opened = Connection::over(Box::new(ours), "node", "/", None) => opened.map(|_| ()).unwrap_err().to_string(),
        () = node => unreachable!("it waits for ever"),
    }
}

#[tokio::test(start_paused = true)]
async fn each_head_is_told_until_the_node_closes() {
    let bytes = [head(1), head(2), frame(PING, b"?"), head(2), frame(CLOSE, b"\x03\xe9restart")].concat();
    let (told, fault) = heard(bytes).await;
    assert_eq!(told, [1, 2, 2]);
    assert_eq!(fault, "the connection ended: the node closed it with code 1001: restart");
}

#[tokio::test(start_paused = true)]
async fn a_head_may_come_before_the_answer_and_only_some() {
    let (connection, _node) = subscribed([head(1), head(2), taken()].concat()).await;
    assert!(connection.is_ok());
    let (connection, _node) = subscribed([head(1).repeat(100), taken()].concat()).await;
    let fault = connection.map(|_| ()).unwrap_err().to_string();
    assert!(fault.starts_with("the node sent something else than a new head: "), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_has_no_heads_to_tell_of_says_so() {
    let answer = frame(TEXT, br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#);
    let (connection, _node) = subscribed(answer).await;
    assert_eq!(
        connection.map(|_| ()).unwrap_err().to_string(),
        r#"the node refused the subscription: {"code":-32601,"message":"Method not found"}"#
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_is_no_head_ends_the_connection_with_its_reason() {
    let else_than_a_head = "the node sent something else than a new head: ";
    let too_long = "the node floods the connection: a message longer than any head";
    let fragment = |opcode: u8| {
        let mut bytes = frame(opcode, &[b'a'; HEAD_MESSAGE_BYTES_MAX / 2 + 1]);
        bytes[0] = opcode;
        bytes
    };
    let cases = [
        (frame(TEXT, b"garbage"), format!("{else_than_a_head}garbage")),
        (frame(TEXT, b""), else_than_a_head.to_owned()),
        (frame(TEXT, b"\xff\xff"), format!("{else_than_a_head}\u{fffd}\u{fffd}")),
        (frame(BINARY, b"\x00"), format!("{else_than_a_head}a binary message")),
        (head_of("0x8", 1), format!("{else_than_a_head}{{\"jsonrpc\"")),
        (taken(), format!("{else_than_a_head}{{\"jsonrpc\"")),
        (frame(0x3, b""), else_than_a_head.to_owned()),
        (frame(PING, &[0; 126]), else_than_a_head.to_owned()),
        // A length of a terabyte, and then as little as nothing.
        (b"\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00".to_vec(), too_long.to_owned()),
        // The library would read all of a message that grows too long, as often as it takes.
        ([fragment(TEXT), fragment(0x0)].concat(), "the node said nothing for 30 s".to_owned()),
    ];
    for (bytes, expected) in cases {
        let (told, fault) = heard([head(7), bytes].concat()).await;
        assert_eq!(told, [7], "{fault}");
        assert!(fault.starts_with(&expected), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_any_kind_is_cut_off() {
    let heads = HEAD_BYTES_A_SECOND_MAX / head(1).len();
    let (told, fault) = heard(head(1).repeat(2 * heads)).await;
    assert_eq!(fault, "the node floods the connection: more bytes in a second than heads need");
    assert!(told.len() <= heads + PIPE_BYTES / head(1).len(), "{} heads were told", told.len());
    let pings = frame(PING, b"").repeat(100_000);
    let (_, fault) = heard(pings).await;
    assert_eq!(fault, "the node floods the connection: more pings in a second than show that somebody is there");
    // Parts of a message that never ends.
    let (_, fault) = heard([b"\x01\x00".to_vec(), b"\x00\x00".repeat(HEAD_BYTES_A_SECOND_MAX)].concat()).await;
    assert_eq!(fault, "the node floods the connection: more bytes in a second than heads need");
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_is_asked_for_a_sign_of_life_and_given_up_without_one() {
    let began = Instant::now();
    let (told, fault) = heard(head(1)).await;
    assert_eq!(told, [1]);
    assert_eq!(fault, "the node said nothing for 30 s, also when it was asked for a sign of life");
    assert_eq!(began.elapsed().as_secs(), 30);
    // Half a frame is no sign of life.
    let (_, fault) = heard(head(1)[..9].to_vec()).await;
    assert_eq!(fault, "the node said nothing for 30 s, also when it was asked for a sign of life");
}

#[tokio::test(start_paused = true)]
async fn who_shows_a_sign_of_life_is_listened_to_for_an_hour_without_a_head() {
    let (connection, mut node) = subscribed(taken()).await;
    let began = Instant::now();
    let answering = async {
        while began.elapsed() < Duration::from_secs(3_600) {
            let mut ping = [0; 11];
            let _ = node.read_exact(&mut ping).await.unwrap();
            assert_eq!(ping[0], 0x80 | PING);
            node.write_all(&frame(PONG, b"head?")).await.unwrap();
        }
        node.write_all(&[head(9), frame(CLOSE, b"\x03\xe8")].concat()).await.unwrap();
    };
    let mut told = Vec::new();
    let (fault, ()) = tokio::join!(connection.unwrap().listen(|number| told.push(number)), answering);
    assert_eq!(told, [9]);
    assert_eq!(fault.to_string(), "the connection ended: the node closed it with code 1000");
}

#[tokio::test(start_paused = true)]
async fn an_address_without_a_websocket_says_what_it_is() {
    let hint = "is it the node's port for WebSocket?";
    let not_found = refused(b"HTTP/1.1 404 Not Found\r\n\r\n").await;
    assert_eq!(not_found, format!("no WebSocket at this address: HTTP status 404; {hint}"));
    let elsewhere = refused(b"HTTP/1.1 301 Moved\r\nLocation: ws://elsewhere\r\n\r\n").await;
    assert_eq!(elsewhere, format!("no WebSocket at this address: HTTP status 301; {hint}"));
    let forged =
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x15\x03\x01\x00\x02\x02\x16", forged] {
        let fault = refused(bytes).await;
        assert!(fault.starts_with("no WebSocket at this address: ") && fault.ends_with(hint), "{fault}");
    }
    let mut endless = b"HTTP/1.1 200 OK\r\nA: ".to_vec();
    endless.resize(2 * HEAD_BYTES_A_SECOND_MAX, b'a');
    assert_eq!(refused(&endless).await, "the node floods the connection: more bytes in a second than heads need");
}

#[tokio::test]
async fn nobody_there_is_told_at_once() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let opened = Connection::open(&NewHeads::at(&format!("ws://{closed}")).unwrap()).await;
    let fault = opened.map(|_| ()).unwrap_err().to_string();
    assert!(fault.starts_with("no connection to the node: "), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_takes_the_connection_and_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new_heads = NewHeads::at(&format!("ws://{}", listener.local_addr().unwrap())).unwrap();
    let fault = Connection::open(&new_heads).await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(fault, "the node did not take the subscription within 10 s");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_without_its_secrets() {
    let texts = [
        ("ws://user:secret@node", "`ws://***@node` has a user name or a password"),
        ("http://node:8546", "`http://node:8546` is not a ws or wss URL"),
        ("node:8546", "`node:8546` is not a ws or wss URL"),
        ("ws://user:se@cret@node:x", "`ws://***@node:x` is no URL of a node's WebSocket"),
        ("", "`` is no URL of a node's WebSocket"),
    ];
    for (url, expected) in texts {
        let refused = NewHeads::at(url).unwrap_err();
        assert!(refused.to_string().starts_with(expected), "{refused}");
        assert!(!format!("{refused:?}").contains("cret"), "{refused:?}");
    }
    let new_heads = NewHeads::at("ws://[::1]:8546/rpc?a=b").unwrap();
    assert_eq!(new_heads.shown_url(), "ws://[::1]:8546/rpc?a=b");
    assert_eq!(format!("{new_heads:?}"), r#"NewHeads { url: "ws://[::1]:8546/rpc?a=b", .. }"#);
}
