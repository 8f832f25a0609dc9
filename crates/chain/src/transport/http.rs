//! JSON-RPC over HTTP, in the clear or in TLS.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

use super::dial::{DialFault, Dialer, Link, tls_words};
use super::{ANSWER_BYTES_MAX, RpcTransport, TransportError, TransportFuture};
use crate::access::{NodeAccess, NodeAccessError};

/// How long an answer may take from the first byte sent to the last byte read. Besu gives up after 30 s itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);

/// How long a connection that nobody uses is kept; Besu closes it after a minute.
const IDLE_TIME_MAX: Duration = Duration::from_secs(50);

/// How many connections that nobody uses are kept: more than lanes send at once to the embedded ledger, so that none is made anew for
/// each burst.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// How many characters of an answer that is no JSON-RPC are shown to people.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// JSON-RPC over HTTP/1.1, with kept connections, limits on time and size, and no redirects. No proxy is used, also if the
/// environment names one: signed bytes go to the node and nowhere else.
#[derive(Clone)]
pub struct HttpTransport {
    client: Client<Dialling, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
    shown_url: String,
    /// The last answer's `Date`, as it came: each answer has one, and few are looked at.
    server_date: Arc<Mutex<Option<HeaderValue>>>,
}

/// Dials the one node, whatever is asked for.
#[derive(Clone)]
struct Dialling(Arc<Dialer>);

impl Service<Uri> for Dialling {
    type Response = TokioIo<Box<dyn Link>>;
    type Error = DialFault;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Box<dyn Link>>, DialFault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dialer = Arc::clone(&self.0);
        Box::pin(async move { dialer.dial().await.map(TokioIo::new) })
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").field("url", &self.shown_url).finish_non_exhaustive()
    }
}

/// The transport cannot be made. Texts of URLs are shown without user name and password.
#[derive(Debug, thiserror::Error)]
pub enum HttpTransportError {
    /// The text is no URL.
    #[error("`{text}` is no URL of a node")]
    NotAUrl {
        /// The text.
        text: String,
        /// What the parser says, printed apart.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The URL is of another kind.
    #[error("`{url}` is not a http or https URL")]
    Scheme {
        /// The URL.
        url: String,
    },
    /// A user and password stand in the URL, and a token is given beside it: which one is meant?
    #[error("`{url}` has a user and password, and a token is given besides: leave one of them out")]
    TwoCredentials {
        /// The URL.
        url: String,
    },
    /// TLS cannot be set up.
    #[error("the node at `{url}` cannot be reached in TLS")]
    Access {
        /// The URL.
        url: String,
        /// Why not.
        source: NodeAccessError,
    },
}

impl HttpTransport {
    /// The same as [`with`](Self::with), with nothing but what the system trusts.
    ///
    /// # Errors
    ///
    /// The text is no URL, or one that cannot be used.
    pub fn new(url: &str) -> Result<Self, HttpTransportError> {
        Self::with(url, &NodeAccess::plain())
    }

    /// Prepares to talk to the node at the URL; no connection is made yet. A user name and password in the URL are sent.
    ///
    /// # Errors
    ///
    /// The text is no URL, or one that cannot be used; TLS cannot be set up.
    pub fn with(url: &str, access: &NodeAccess) -> Result<Self, HttpTransportError> {
        let shown = || without_credentials(url);
        let not_a_url = |source: Box<dyn StdError + Send + Sync>| HttpTransportError::NotAUrl { text: shown(), source };
        let mut parsed = Url::parse(url).map_err(|error| not_a_url(error.into()))?;
        let is_tls = match parsed.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(HttpTransportError::Scheme { url: shown() }),
        };
        let in_url = user_and_password(&mut parsed);
        if in_url.is_some() && access.authorization().is_some() {
            return Err(HttpTransportError::TwoCredentials { url: shown() });
        }
        let dialer = Dialer::new(&parsed, is_tls, access);
        let dialer = dialer.map_err(|source| HttpTransportError::Access { url: shown(), source })?;
        // Without its fragment, which is nobody's but the reader's.
        parsed.set_fragment(None);
        let uri = parsed.as_str().parse().map_err(|error: hyper::http::uri::InvalidUri| not_a_url(error.into()))?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(Dialling(Arc::new(dialer)));
        let authorization = in_url.or_else(|| access.authorization().cloned());
        Ok(Self { client, uri, authorization, shown_url: shown(), server_date: Arc::default() })
    }

    /// The URL as it was given, for people and files: without user name and password.
    pub fn shown_url(&self) -> &str {
        &self.shown_url
    }

    async fn exchange(&self, request: String) -> Result<String, TransportError> {
        let asked = self.asked(request)?;
        timeout(ANSWER_TIMEOUT, self.answer(asked)).await.unwrap_or_else(|_| Err(unknown("timed out".to_owned())))
    }

    fn asked(&self, request: String) -> Result<Request<Full<Bytes>>, TransportError> {
        let mut asked = Request::post(self.uri.clone()).header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            asked = asked.header(header::AUTHORIZATION, authorization.clone());
        }
        asked.body(Full::from(request)).map_err(|error| TransportError::NotSent { reason: error.to_string() })
    }

    async fn answer(&self, asked: Request<Full<Bytes>>) -> Result<String, TransportError> {
        let response = self.client.request(asked).await.map_err(|error| classify(&error))?;
        let (head, body) = response.into_parts();
        *self.server_date.lock().unwrap_or_else(PoisonError::into_inner) = head.headers.get(header::DATE).cloned();
        let body = read_body(body).await?;
        // Besu answers some errors with a status of their own and a JSON-RPC error in the body: the body decides.
        if head.status.is_success() || body.trim_start().starts_with('{') {
            Ok(body)
        } else {
            Err(turned_away(head.status, &body))
        }
    }
}

impl RpcTransport for HttpTransport {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.exchange(request))
    }

    fn server_date(&self) -> Option<String> {
        let date = self.server_date.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        date.to_str().ok().map(str::to_owned)
    }
}

/// Takes user and password out of the URL, as a header (RFC 7617).
fn user_and_password(url: &mut Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let pair = [&decoded(url.username())[..], b":", &decoded(url.password().unwrap_or_default())].concat();
    let mut header = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
    // Libraries print it as `Sensitive` then.
    header.set_sensitive(true);
    // A URL with a host takes both.
    let _ = (url.set_username(""), url.set_password(None));
    Some(header)
}

/// Without the escapes of a URL (RFC 3986, section 2.1). The parser left none that is broken.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// The text with all before its last `@` struck out, but for the scheme: also where no parser finds a user and a password,
/// somebody may have meant one.
pub(crate) fn without_credentials(text: &str) -> String {
    let Some((before, after)) = text.rsplit_once('@') else { return text.to_owned() };
    match before.split_once("://") {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!("{scheme}://***@{after}")
        }
        _ => format!("***@{after}"),
    }
}

/// The beginning of what somebody sent, for people, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let shown = |character: char| if character.is_control() { ' ' } else { character };
    text.chars().take(EXCERPT_CHARACTERS_MAX).map(shown).collect()
}

async fn read_body(mut answer: Incoming) -> Result<String, TransportError> {
    let mut body = Vec::new();
    while let Some(frame) = answer.frame().await {
        let frame = frame.map_err(|error| unknown(describe(&error)))?;
        let Some(chunk) = frame.data_ref() else { continue };
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(unknown(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(chunk);
    }
    String::from_utf8(body).map_err(|_| unknown("the answer is not UTF-8".to_owned()))
}

/// A failed connection sent nothing. All else may have: also where a node turns our certificate away, since TLS 1.3 tells of it when
/// the request may be on its way.
fn classify(error: &legacy::Error) -> TransportError {
    let reason = describe(error);
    if error.is_connect() { TransportError::NotSent { reason } } else { unknown(reason) }
}

/// These statuses are given before a request is passed on; any other may come from a proxy after that.
fn turned_away(status: StatusCode, body: &str) -> TransportError {
    let reason = format!("HTTP status {status}: {}", excerpt(body));
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::TOO_MANY_REQUESTS => TransportError::NotSent { reason },
        _ => unknown(reason),
    }
}

fn unknown(reason: String) -> TransportError {
    TransportError::OutcomeUnknown { reason }
}

/// What went wrong; where a connection or TLS is the matter, what is to be done.
fn describe(error: &(dyn StdError + 'static)) -> String {
    if let Some(words) = tls_words(error) {
        return words;
    }
    let mut text = "HTTP failed".to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<DialFault>() {
            return fault.to_string();
        }
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A node that reads one request and writes these bytes, then closes.
    async fn answered_with(bytes: &'static str) -> Result<String, TransportError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 4096]).await.unwrap();
            socket.write_all(bytes.as_bytes()).await.unwrap();
        };
        let transport = HttpTransport::new(&url).unwrap();
        // A request that goes elsewhere ends without the server.
        let never = async {
            server.await;
            std::future::pending().await
        };
        tokio::select! {
            answer = transport.send("{}".to_owned()) => answer,
            never = never => never,
        }
    }

    #[tokio::test]
    async fn an_answer_is_given_as_it_came_also_with_a_status_of_its_own() {
        let ok = answered_with("HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"result\":42}").await;
        assert_eq!(ok.unwrap(), "{\"result\":42}");
        let error = answered_with("HTTP/1.1 400 Bad Request\r\ncontent-length: 12\r\n\r\n{\"error\":42}").await;
        assert_eq!(error.unwrap(), "{\"error\":42}");
    }

    #[tokio::test]
    async fn only_what_cannot_have_arrived_was_not_sent() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let refused = HttpTransport::new(&format!("http://{closed}")).unwrap().send("{}".to_owned()).await;
        assert!(matches!(refused, Err(TransportError::NotSent { .. })), "{refused:?}");
        let busy = answered_with("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nslow").await;
        assert!(matches!(busy, Err(TransportError::NotSent { .. })), "{busy:?}");
        for lost in [
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nbad",
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"resu",
            "",
        ] {
            let answer = answered_with(lost).await;
            assert!(matches!(answer, Err(TransportError::OutcomeUnknown { .. })), "{lost}: {answer:?}");
        }
    }

    #[test]
    fn a_proxy_that_the_environment_names_is_not_used() {
        let again = "transport::http::tests::an_answer_is_given_as_it_came_also_with_a_status_of_its_own";
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        let _ = child.args(["--exact", again]).env_remove("NO_PROXY").env_remove("no_proxy");
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            let _ = child.env(name, "http://127.0.0.1:1");
        }
        let output = String::from_utf8(child.output().unwrap().stdout).unwrap();
        assert!(output.contains("1 passed"), "{output}");
    }

    #[test]
    fn user_and_password_are_sent_and_never_shown() {
        let texts = [
            ("ftp://user:secret@node/a", "`ftp://***@node/a` is not a http or https URL"),
            ("user:secret@node:8545", "`***@node:8545` is not a http or https URL"),
            ("http://user:se@cret@node:x", "`http://***@node:x` is no URL of a node"),
            ("//user:secret@node", "`***@node` is no URL of a node"),
        ];
        for (url, expected) in texts {
            let refused = HttpTransport::new(url).unwrap_err();
            assert!(refused.to_string().starts_with(expected), "{refused}");
            assert!(!format!("{refused:?}").contains("cret"), "{refused:?}");
        }
        let transport = HttpTransport::new("http://user:secret@node:8545/rpc").unwrap();
        assert_eq!(format!("{transport:?}"), r#"HttpTransport { url: "http://***@node:8545/rpc", .. }"#);
        assert_eq!(transport.shown_url(), "http://***@node:8545/rpc");
        assert_eq!(HttpTransport::new("http://node:8545").unwrap().shown_url(), "http://node:8545");
        assert_eq!(transport.uri.to_string(), "http://node:8545/rpc");
        let request = transport.asked("{}".to_owned()).unwrap();
        assert_eq!(request.headers()[header::AUTHORIZATION], "Basic dXNlcjpzZWNyZXQ=");
        assert!(!format!("{request:?}").contains("dXNl"), "{request:?}");
        let escaped = HttpTransport::new("http://a%40b:c%3Ad@node").unwrap().asked(String::new()).unwrap();
        assert_eq!(escaped.headers()[header::AUTHORIZATION], format!("Basic {}", STANDARD.encode("a@b:c:d")));
    }

    #[test]
    fn what_is_no_url_of_a_node_is_told_apart() {
        assert!(matches!(HttpTransport::new("node:8545"), Err(HttpTransportError::Scheme { .. })));
        assert!(matches!(HttpTransport::new("::"), Err(HttpTransportError::NotAUrl { .. })));
    }
}
