//! The other end of a subscription, by hand: it takes it as a node does, and sends what a test wants.

use soketto::handshake::Server;
use soketto::handshake::server::Response;
use tokio::io::AsyncReadExt as _;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use crate::transport::dial::Link;

/// What subscriptions are called.
pub(crate) const SUBSCRIPTION: &str = "0x7";

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// A whole message, or one of a wrong kind.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..=125) => bytes.push(length.to_be_bytes()[1]),
        Ok(length) => {
            bytes.push(126);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(127);
            bytes.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// The notification of a head.
pub(crate) fn head(number: u64) -> Vec<u8> {
    head_of(SUBSCRIPTION, number)
}

pub(crate) fn head_of(subscription: &str, number: u64) -> Vec<u8> {
    let params = format!(r#"{{"subscription":"{subscription}","result":{{"number":"{number:#x}"}}}}"#);
    frame(TEXT, format!(r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{params}}}"#).as_bytes())
}

/// The answer that names the subscription.
pub(crate) fn taken() -> Vec<u8> {
    frame(TEXT, format!(r#"{{"jsonrpc":"2.0","id":1,"result":"{SUBSCRIPTION}"}}"#).as_bytes())
}

/// The handshake, and what the client asks then; the answer is the test's. `None` if the client goes meanwhile.
pub(crate) async fn shaken<L: Link>(link: L) -> Option<L> {
    let mut server = Server::new(link.compat());
    let key = server.receive_request().await.ok()?.key();
    server.send_response(&Response::Accept { key, protocol: None }).await.ok()?;
    let mut link = server.into_inner().into_inner();
    // Its length stands in the second byte of the frame, without the bit that says that it is masked.
    let mut header = [0; 2];
    let _ = link.read_exact(&mut header).await.ok()?;
    let mut rest = vec![0; 4 + usize::from(header[1] & 0x7f)];
    let _ = link.read_exact(&mut rest).await.ok()?;
    Some(link)
}
