//! JSON-RPC over HTTP.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::{ANSWER_BYTES_MAX, RpcTransport, TransportError, TransportFuture};

/// How long the connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take from the first byte sent to the last byte read. Besu gives up after 30 s itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);

/// How many characters of an answer that is no JSON-RPC are shown to people.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// JSON-RPC over HTTP/1.1, with kept connections, limits on time and size, and no redirects. No proxy is used, also if the
/// environment names one: signed bytes go to the node and nowhere else.
#[derive(Clone)]
pub struct HttpTransport {
    client: Client,
    url: Url,
    shown_url: String,
    /// The last answer's `Date`, as it came: each answer has one, and few are looked at.
    server_date: Arc<Mutex<Option<HeaderValue>>>,
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
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The URL asks for TLS, which this build does not speak.
    #[error(
        "`{url}` asks for TLS, which this build does not speak: use http on a private link, or put a TLS proxy on this machine before the node"
    )]
    NoTls {
        /// The URL.
        url: String,
    },
    /// The URL is of another kind.
    #[error("`{url}` is not a http URL")]
    Scheme {
        /// The URL.
        url: String,
    },
    /// The client cannot be built.
    #[error("cannot set up HTTP")]
    Client {
        /// Why not.
        source: reqwest::Error,
    },
}

impl HttpTransport {
    /// Prepares to talk to the node at the URL; no connection is made yet. A user name and password in the URL are sent.
    ///
    /// # Errors
    ///
    /// The text is no URL, or one that this build cannot use.
    pub fn new(url: &str) -> Result<Self, HttpTransportError> {
        let shown = || without_credentials(url);
        let parsed = Url::parse(url)
            .map_err(|source| HttpTransportError::NotAUrl { text: shown(), source: Box::new(source) })?;
        match parsed.scheme() {
            "http" => {}
            "https" => return Err(HttpTransportError::NoTls { url: shown() }),
            _ => return Err(HttpTransportError::Scheme { url: shown() }),
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .retry(reqwest::retry::never())
            .build()
            .map_err(|source| HttpTransportError::Client { source })?;
        Ok(Self { client, url: parsed, shown_url: shown(), server_date: Arc::default() })
    }

    /// The URL as it was given, for people and files: without user name and password.
    pub fn shown_url(&self) -> &str {
        &self.shown_url
    }

    async fn post(&self, request: String) -> Result<String, TransportError> {
        let post = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json").body(request);
        let response = post.send().await.map_err(|error| classify(&error))?;
        let status = response.status();
        let date = response.headers().get(header::DATE).cloned();
        *self.server_date.lock().unwrap_or_else(PoisonError::into_inner) = date;
        let body = read_body(response).await?;
        // Besu answers some errors with a status of their own and a JSON-RPC error in the body: the body decides.
        if status.is_success() || body.trim_start().starts_with('{') {
            Ok(body)
        } else {
            Err(turned_away(status, &body))
        }
    }
}

impl RpcTransport for HttpTransport {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.post(request))
    }

    fn server_date(&self) -> Option<String> {
        let date = self.server_date.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        date.to_str().ok().map(str::to_owned)
    }
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

async fn read_body(mut response: Response) -> Result<String, TransportError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unknown(describe(&error)))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(unknown(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| unknown("the answer is not UTF-8".to_owned()))
}

/// A failed connection sent nothing. All else may have.
fn classify(error: &reqwest::Error) -> TransportError {
    let reason = describe(error);
    if error.is_connect() || error.is_builder() { TransportError::NotSent { reason } } else { unknown(reason) }
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

/// The error with its causes, without the URL, which may hold a password.
fn describe(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "timed out".to_owned() } else { "HTTP failed".to_owned() };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
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
            ("https://user:secret@node", "`https://***@node` asks for TLS"),
            ("ftp://user:secret@node/a", "`ftp://***@node/a` is not a http URL"),
            ("user:secret@node:8545", "`***@node:8545` is not a http URL"),
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
        let request = transport.client.post(transport.url.clone()).build().unwrap();
        assert!(request.headers().contains_key(header::AUTHORIZATION));
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_with_the_way_on() {
        let refused = HttpTransport::new("https://node.example:8545").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`https://node.example:8545` asks for TLS, which this build does not speak: use http on a private link, \
             or put a TLS proxy on this machine before the node"
        );
        assert!(matches!(HttpTransport::new("node:8545"), Err(HttpTransportError::Scheme { .. })));
        assert!(matches!(HttpTransport::new("::"), Err(HttpTransportError::NotAUrl { .. })));
    }
}
