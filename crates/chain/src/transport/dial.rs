//! A connection to a node, in the clear or in TLS, and in words why there is none.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, AlertDescription, CertificateError, InvalidMessage};
use url::Url;

use crate::access::{NodeAccess, NodeAccessError};

/// How long address, connection and TLS may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to a node: in the clear, or in TLS.
pub(crate) trait Link: AsyncRead + AsyncWrite + Send + Unpin {}

impl<L: AsyncRead + AsyncWrite + Send + Unpin> Link for L {}

/// What a kept connection tells of itself: nothing.
impl Connection for Box<dyn Link> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Why there is no connection; not one byte of a request has left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialFault {
    /// The host is not known, or does not take the connection.
    #[error("no connection: {0}")]
    Unreachable(io::Error),
    /// Nobody answered in time.
    #[error("no connection within {} s", CONNECT_TIMEOUT.as_secs())]
    TooSlow,
    /// The two sides do not agree on TLS; what is to be done.
    #[error("{0}")]
    Tls(String),
}

/// Where a node is, and how it is connected to.
#[derive(Clone)]
pub(crate) struct Dialer {
    /// Without the brackets in which IPv6 addresses stand in URLs.
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        f.debug_struct("Dialer").field("host", host).field("port", &port).field("tls", &self.tls.is_some()).finish()
    }
}

impl Dialer {
    /// For a URL with a host; `is_tls` as its scheme says.
    pub(crate) fn new(url: &Url, is_tls: bool, access: &NodeAccess) -> Result<Self, NodeAccessError> {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        let tls = if is_tls {
            let name = ServerName::try_from(host.clone());
            let name = name.map_err(|error| NodeAccessError::Setup { why: format!("`{host}`: {error}") })?;
            Some((TlsConnector::from(access.tls()?), name))
        } else {
            None
        };
        Ok(Self { host, port, tls })
    }

    /// Connects, within [`CONNECT_TIMEOUT`].
    pub(crate) async fn dial(&self) -> Result<Box<dyn Link>, DialFault> {
        timeout(CONNECT_TIMEOUT, self.connect()).await.unwrap_or(Err(DialFault::TooSlow))
    }

    async fn connect(&self) -> Result<Box<dyn Link>, DialFault> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(DialFault::Unreachable)?;
        socket.set_nodelay(true).map_err(DialFault::Unreachable)?;
        let Some((connector, name)) = &self.tls else { return Ok(Box::new(socket)) };
        match connector.connect(name.clone(), socket).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(DialFault::Tls(tls_words(&error).unwrap_or_else(|| error.to_string()))),
        }
    }
}

/// What an error of TLS among the causes means, and what is to be done; `None` if there is none.
pub(crate) fn tls_words(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(words(error));
        }
        // An error of IO does not name the error in it among its causes.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(words(error));
        }
        cause = error.source();
    }
    None
}

fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate_words(error),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "what answers there does not speak TLS: is the node served without, and the scheme http or ws?".to_owned()
        }
        rustls::Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => format!(
            "the node does not take our certificate ({error}): give one that its operator knows, with its key, and look \
             whether it has expired"
        ),
        _ => error.to_string(),
    }
}

fn certificate_words(error: &CertificateError) -> String {
    match error {
        // A bad signature: an authority of the same name, as one that was made anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "the node's certificate comes from an authority that is not trusted here: give the file of its authority's \
             certificate"
                .to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the node's certificate has expired: its operator must renew it; is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the node's certificate is not valid yet: is this machine's clock right?".to_owned()
        }
        CertificateError::NotValidForName => {
            "the node's certificate is for another name: use a name that it is for".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "the node's certificate is not for `{}`: use a name that it is for ({})",
            expected.to_str(),
            presented.join(", ")
        ),
        _ => format!("the node's certificate is not taken: {error}"),
    }
}
