//! One keep-alive HTTP/1.1 connection, with the bytes written and read by hand: what a request costs this program is
//! then little beside what it costs the ledger.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// Longest body of an answer: the receipts of a large block.
const BODY_BYTES_MAX: usize = 256 * 1_024 * 1_024;
/// Room that is asked for at a time.
const READ_BYTES: usize = 64 * 1_024;

/// A connection on which one request is under way at a time.
pub(crate) struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    /// What was read and not yet used.
    buffer: Vec<u8>,
}

/// A whole HTTP request for a JSON body.
pub(super) fn request(address: SocketAddr, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

impl Connection {
    /// Connects to a ledger on this machine.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        ensure!(address.ip().is_loopback(), "{address} is not on this machine");
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, buffer: Vec::with_capacity(READ_BYTES) })
    }

    /// Sends a whole request and returns the body of the answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(request).await?;
        let head_bytes = self.read_head().await?;
        let length = body_length(&self.buffer[..head_bytes])?;
        while self.buffer.len() < head_bytes + length {
            self.read_more().await?;
        }
        let body = self.buffer[head_bytes..head_bytes + length].to_vec();
        let _ = self.buffer.drain(..head_bytes + length);
        Ok(body)
    }

    /// Calls one method and returns its result.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let answer = self.exchange(&request(self.address, &body)).await?;
        let mut answer: Value = serde_json::from_slice(&answer).context("the answer is no JSON")?;
        if let Some(error) = answer.get("error") {
            bail!("{method} is refused: {error}");
        }
        Ok(answer["result"].take())
    }

    async fn read_head(&mut self) -> Result<usize> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok(end + 4);
            }
            ensure!(self.buffer.len() < HEAD_BYTES_MAX, "an answer's head is longer than {HEAD_BYTES_MAX} bytes");
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> Result<()> {
        self.buffer.reserve(READ_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the ledger closed the connection");
        Ok(())
    }
}

/// The status must be 200, and the length stated.
fn body_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head).context("an answer's head is no text")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the ledger answers {}", head.lines().next().unwrap_or_default());
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, value)| value.trim());
    let length: usize =
        length.context("an answer states no length")?.parse().context("an answer's length is no number")?;
    ensure!(length <= BODY_BYTES_MAX, "an answer of {length} bytes is longer than {BODY_BYTES_MAX}");
    Ok(length)
}

/// A quantity of JSON-RPC.
pub(crate) fn quantity(value: &Value) -> Result<u64> {
    let digits =
        value.as_str().and_then(|text| text.strip_prefix("0x")).with_context(|| format!("{value} is no quantity"))?;
    u64::from_str_radix(digits, 16).with_context(|| format!("{value} is no quantity"))
}
