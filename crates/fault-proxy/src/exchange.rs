//! One request on its way to the node and its answer on the way back, with what goes wrong on either.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::fault::Fault;
use crate::proxy::Shared;

/// The most bytes of a request: beyond what nodes take of a transaction.
const REQUEST_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long a node may take for one request.
const NODE_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a request waits at most to be overtaken.
const OVERTAKEN_WAIT_MAX: Duration = Duration::from_millis(500);

/// There is no answer: whoever asked sees its connection closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// It was to be lost.
    #[error("lost on purpose")]
    Lost,
    /// The node is not there, or does not answer in time.
    #[error("no answer from the node: {0}")]
    Node(String),
    /// What was to be passed on is too long, or ended too early.
    #[error("cannot be passed on: {0}")]
    TooLong(String),
}

/// What comes back.
pub(crate) type Answer = Response<Written>;

/// The body of an answer: whole, or cut off after what there is of it.
pub(crate) struct Written {
    bytes: Option<Bytes>,
    is_cut: bool,
}

impl Body for Written {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match self.bytes.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None if self.is_cut => Some(Err(io::Error::other("cut on purpose"))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && !self.is_cut
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64);
        if self.is_cut { SizeHint::default() } else { SizeHint::with_exact(length) }
    }
}

/// What the node said.
struct Said {
    status: StatusCode,
    json: Bytes,
}

impl Said {
    fn answer(self, is_cut: bool) -> Answer {
        let body = Written { bytes: Some(self.json), is_cut };
        let mut answer = Response::new(body);
        *answer.status_mut() = self.status;
        let json = header::HeaderValue::from_static("application/json");
        let _ = answer.headers_mut().insert(header::CONTENT_TYPE, json);
        answer
    }

    fn first_half(self) -> Self {
        Self { json: self.json.slice(..self.json.len() / 2), ..self }
    }

    /// Its result changed, if there is one to be changed.
    fn with_result(self, change: impl FnOnce(&str) -> Option<String>) -> Self {
        let changed = serde_json::from_slice::<Value>(&self.json).ok().and_then(|mut json| {
            let result = json.get_mut("result")?;
            *result = Value::String(change(result.as_str()?)?);
            Some(Bytes::from(json.to_string()))
        });
        Self { json: changed.unwrap_or_else(|| self.json.clone()), ..self }
    }
}

/// Carries a request to the node and its answer back, or what is left of either.
pub(crate) async fn carry(shared: &Shared, request: Request<Incoming>) -> Result<Answer, NoAnswer> {
    let body = Limited::new(request.into_body(), REQUEST_BYTES_MAX).collect().await;
    let body = body.map_err(|error| NoAnswer::TooLong(error.to_string()))?.to_bytes();
    let fault = shared.next_fault(&method_of(&body));
    let pass = || async {
        let said = timeout(NODE_WAIT_MAX, ask(shared.node(), body.clone())).await;
        shared.has_passed();
        said.map_err(|_| NoAnswer::Node(format!("none within {NODE_WAIT_MAX:?}")))?
    };
    let Some(fault) = fault else { return Ok(pass().await?.answer(false)) };
    tracing::debug!(?fault, "a request meets a fault");
    match fault {
        Fault::RequestLost => Err(NoAnswer::Lost),
        Fault::AnswerLost => {
            let _ = pass().await?;
            Err(NoAnswer::Lost)
        }
        Fault::Delayed(delay) => {
            sleep(delay).await;
            Ok(pass().await?.answer(false))
        }
        Fault::Doubled => {
            let _ = pass().await?;
            Ok(pass().await?.answer(false))
        }
        Fault::Overtaken => {
            let mut passed = shared.passed();
            // Nothing may come that could overtake it.
            let _ = timeout(OVERTAKEN_WAIT_MAX, passed.changed()).await;
            Ok(pass().await?.answer(false))
        }
        Fault::TooManyRequests => Ok(turned_away(StatusCode::TOO_MANY_REQUESTS)),
        Fault::BadGateway { is_passed_on } => {
            if is_passed_on {
                let _ = pass().await?;
            }
            Ok(turned_away(StatusCode::BAD_GATEWAY))
        }
        Fault::HalfAnswer => Ok(pass().await?.first_half().answer(false)),
        Fault::CutAnswer => Ok(pass().await?.first_half().answer(true)),
        Fault::WrongHash => Ok(pass().await?.with_result(|hash| Some(other_hash(hash))).answer(false)),
        Fault::StaleHead { blocks } => Ok(pass().await?.with_result(|head| older_head(head, blocks)).answer(false)),
    }
}

fn turned_away(status: StatusCode) -> Answer {
    Said { status, json: Bytes::from_static(b"the gateway is tired") }.answer(false)
}

/// The request's JSON-RPC method; empty for what is none, or a batch.
fn method_of(body: &[u8]) -> String {
    let request = serde_json::from_slice::<Value>(body).ok();
    request.and_then(|request| request.get("method")?.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A hash of the same form: each digit another.
fn other_hash(hash: &str) -> String {
    let other = |digit: char| digit.to_digit(16).and_then(|value| char::from_digit(15 - value, 16));
    let digits = hash.strip_prefix("0x").unwrap_or(hash).chars();
    format!("0x{}", digits.map(|digit| other(digit).unwrap_or(digit)).collect::<String>())
}

fn older_head(head: &str, blocks: u64) -> Option<String> {
    let number = u64::from_str_radix(head.strip_prefix("0x")?, 16).ok()?;
    Some(format!("{:#x}", number.saturating_sub(blocks)))
}

async fn ask(node: Option<SocketAddr>, body: Bytes) -> Result<Said, NoAnswer> {
    let node = node.ok_or_else(|| NoAnswer::Node("there is no node".to_owned()))?;
    let failed = |error: &dyn std::error::Error| NoAnswer::Node(error.to_string());
    let stream = TcpStream::connect(node).await.map_err(|error| failed(&error))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let request = Request::post("/").header(header::HOST, node.to_string());
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Full::new(body));
    let request = request.map_err(|error| failed(&error))?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
        let status = response.status();
        let json = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok(Said { status, json: json.map_err(|error| NoAnswer::TooLong(error.to_string()))?.to_bytes() })
    };
    tokio::pin!(asking);
    tokio::select! {
        said = &mut asking => said,
        ended = connection => match ended {
            // The connection ends with its only answer, which may not be read to its end yet.
            Ok(()) => asking.await,
            Err(error) => Err(failed(&error)),
        },
    }
}

#[cfg(test)]
mod tests;
