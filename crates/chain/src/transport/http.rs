//! JSON-RPC over HTTP.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, Url, header, redirect};

use super::{ANSWER_BYTES_MAX, RpcTransport, TransportError, TransportFuture};

/// How long the connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take from the first byte sent to the last byte read. Besu gives up after 30 s itself.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(35);

/// How many characters of an answer that is no JSON-RPC are shown to people.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// JSON-RPC over HTTP/1.1, with kept connections, limits on time and size, and no redirects.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: Client,
    url: Url,
}

/// The transport cannot be made.
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
        let parsed = Url::parse(url)
            .map_err(|source| HttpTransportError::NotAUrl { text: url.to_owned(), source: Box::new(source) })?;
        match parsed.scheme() {
            "http" => {}
            "https" => return Err(HttpTransportError::NoTls { url: url.to_owned() }),
            _ => return Err(HttpTransportError::Scheme { url: url.to_owned() }),
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|source| HttpTransportError::Client { source })?;
        Ok(Self { client, url: parsed })
    }

    async fn post(&self, request: String) -> Result<String, TransportError> {
        let post = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json").body(request);
        let response = post.send().await.map_err(|error| classify(&error))?;
        let status = response.status();
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
    let excerpt: String = body.chars().take(EXCERPT_CHARACTERS_MAX).collect();
    let reason = format!("HTTP status {status}: {excerpt}");
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
        tokio::join!(transport.send("{}".to_owned()), server).0
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
