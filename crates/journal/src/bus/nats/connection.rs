//! The connection to the servers: made once, kept by the library, told of in the log.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{
    ContextBuilder, CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind,
};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{Context, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use messages::Payload;
use messages::frame::METADATA_BYTES_MAX;
use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::config::{Login, NatsConfig};
use crate::bus::backoff;
use crate::entropy::Entropy;

/// How long the server may take to answer a request or confirm a message.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(5);

/// What a message has at most: an event's metadata and payload, and around them less than 1 KiB of header, hashes, and NATS
/// headers.
const MESSAGE_BYTES_MAX: usize = METADATA_BYTES_MAX + Payload::BYTES_MAX + 1024;

/// What a cluster answers while its members have not found together yet.
const COMES_LATER: &[ErrorCode] = &[
    ErrorCode::CLUSTER_INCOMPLETE,
    ErrorCode::CLUSTER_NO_PEERS,
    ErrorCode::CLUSTER_NOT_ACTIVE,
    ErrorCode::CLUSTER_NOT_AVAILABLE,
    ErrorCode::CLUSTER_NOT_LEADER,
    ErrorCode::INSUFFICIENT_RESOURCES,
];

/// The bus cannot be used. What is transient was tried until the time was over.
#[derive(Debug, thiserror::Error)]
pub enum NatsConnectError {
    /// An address cannot be used.
    #[error("`{server}` is no address of a NATS server: {why}")]
    Address {
        /// The address, without user and password.
        server: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A file with the password or a certificate cannot be read.
    #[error("cannot read {what} `{}`", path.display())]
    File {
        /// What is in it.
        what: &'static str,
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The server knows no such user, or the password is wrong.
    #[error("NATS at {servers} refuses {user}: unknown, or its password or certificate is wrong")]
    Refused {
        /// The servers.
        servers: String,
        /// Who was refused.
        user: String,
    },
    /// The certificates do not fit: of the server, or ours.
    #[error(
        "no TLS with NATS at {servers}: the authority must be the one of the server's certificate, whose names must have the address"
    )]
    Tls {
        /// The servers.
        servers: String,
        /// What the TLS library says.
        source: async_nats::ConnectError,
    },
    /// No server answered in time.
    #[error("NATS at {servers} did not answer within {} s", waited.as_secs())]
    NoAnswer {
        /// The servers.
        servers: String,
        /// How long was tried.
        waited: Duration,
        /// The last attempt's error.
        source: async_nats::ConnectError,
    },
    /// The server's limit for messages is below what an event may have. Raise its `max_payload`.
    #[error(
        "NATS at {servers} takes messages of {bytes_max} bytes, and events need {bytes_needed}: raise its `max_payload`"
    )]
    MessageLimit {
        /// The servers.
        servers: String,
        /// Its limit.
        bytes_max: usize,
        /// What is needed.
        bytes_needed: usize,
    },
    /// The stream is not there and cannot be made, or not be changed to what the configuration says.
    #[error("cannot make stream `{stream}` on NATS at {servers}{}", said(trouble.as_ref()))]
    Stream {
        /// The servers.
        servers: String,
        /// The stream.
        stream: String,
        /// What the server has said last of its own accord.
        trouble: Option<String>,
        /// Why not.
        source: Box<CreateStreamError>,
    },
}

/// Something that was asked of the servers failed; it may succeed when it is asked again.
#[derive(Debug, thiserror::Error)]
#[error("NATS failed to {doing}{}", said(trouble.as_ref()))]
pub struct NatsError {
    /// What was asked.
    pub doing: &'static str,
    /// What the server has said last of its own accord, a violation of permissions for instance.
    pub trouble: Option<String>,
    /// What failed.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

fn said(trouble: Option<&String>) -> String {
    trouble.map_or_else(String::new, |text| format!(", after it had said: {text}"))
}

/// A connection to the bus. Clones share it; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Nats {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) stream: Arc<str>,
    pub(super) entropy: Entropy,
    trouble: Trouble,
}

/// What the server has said last of its own accord. A publication that permissions forbid fails by silence; this tells why.
#[derive(Debug, Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Nats {
    /// Connects, and makes the stream if it is not there. Later, the connection is made anew whenever it ends, for as long as it
    /// takes.
    ///
    /// # Errors
    ///
    /// See [`NatsConnectError`]. What may pass is tried again until `connect_wait_max`; what does not pass by waiting fails at once.
    ///
    /// # Cancel safety
    ///
    /// The stream may have been made or not.
    pub async fn connect(config: &NatsConfig, entropy: &Entropy) -> Result<Self, NatsConnectError> {
        let servers = shown(&config.servers)?;
        let trouble = Trouble::default();
        let deadline = Instant::now() + config.connect_wait_max;
        let client = connect(config, &servers, entropy, &trouble, deadline).await?;
        let bytes_max = client.server_info().max_payload;
        if bytes_max < MESSAGE_BYTES_MAX {
            return Err(NatsConnectError::MessageLimit { servers, bytes_max, bytes_needed: MESSAGE_BYTES_MAX });
        }
        let context = ContextBuilder::new().timeout(ANSWER_WAIT_MAX).build(client.clone());
        let nats =
            Self { client, context, stream: config.stream.name.as_str().into(), entropy: entropy.clone(), trouble };
        nats.wait_for_stream(&config.stream.server_config(), deadline).await.map_err(|source| {
            let (stream, trouble) = (config.stream.name.clone(), nats.trouble.text());
            NatsConnectError::Stream { servers, stream, trouble, source: Box::new(source) }
        })?;
        Ok(nats)
    }

    async fn wait_for_stream(&self, config: &Config, deadline: Instant) -> Result<(), CreateStreamError> {
        let mut failures = 0;
        loop {
            let Err(error) = self.make_stream(config).await else { return Ok(()) };
            failures += 1;
            let again = Instant::now() + backoff::wait(failures, &self.entropy);
            if !may_pass(&error) || again > deadline {
                return Err(error);
            }
            tokio::time::sleep_until(again).await;
        }
    }

    /// Makes the stream or changes its limits. One that is as it should be is left alone, so that a service needs no permission
    /// to change what an operator made.
    async fn make_stream(&self, config: &Config) -> Result<(), CreateStreamError> {
        match self.context.get_stream(&config.name).await {
            Ok(stream) if is_as_asked(&stream.cached_info().config, config) => Ok(()),
            Ok(_) => self.context.update_stream(config).await.map(drop),
            Err(error) if is_not_found(&error) => self.context.create_stream(config).await.map(drop),
            Err(error) => Err(CreateStreamError::with_source(CreateStreamErrorKind::Response, error)),
        }
    }

    /// The error, with what the server has said.
    pub(super) fn error(
        &self,
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> NatsError {
        NatsError { doing, trouble: self.trouble.text(), source: source.into() }
    }

    /// The subject of a store's events of a type.
    pub(super) fn subject(store: &crate::bus::BusName, event_type: &str) -> String {
        format!("{}.{store}.{event_type}", super::config::SUBJECT_ROOT)
    }
}

async fn connect(
    config: &NatsConfig,
    servers: &str,
    entropy: &Entropy,
    trouble: &Trouble,
    deadline: Instant,
) -> Result<Client, NatsConnectError> {
    let mut failures = 0;
    loop {
        let error = match options(config, entropy, trouble).await?.connect(&config.servers).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        let servers = servers.to_owned();
        match error.kind() {
            _ if is_tls(&error) => return Err(NatsConnectError::Tls { servers, source: error }),
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                return Err(NatsConnectError::Refused { servers, user: config.login.shown() });
            }
            ConnectErrorKind::Tls
            | ConnectErrorKind::ServerParse
            | ConnectErrorKind::Dns
            | ConnectErrorKind::TimedOut
            | ConnectErrorKind::Io
            | ConnectErrorKind::MaxReconnects => {}
        }
        failures += 1;
        let again = Instant::now() + backoff::wait(failures, entropy);
        if again > deadline {
            return Err(NatsConnectError::NoAnswer { servers, waited: config.connect_wait_max, source: error });
        }
        tokio::time::sleep_until(again).await;
    }
}

/// Whether TLS failed. What goes wrong in the handshake comes as an error of input whose data is invalid.
fn is_tls(error: &async_nats::ConnectError) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    error.kind() == ConnectErrorKind::Tls
        || source.is_some_and(|source| source.kind() == std::io::ErrorKind::InvalidData)
}

async fn options(
    config: &NatsConfig,
    entropy: &Entropy,
    trouble: &Trouble,
) -> Result<ConnectOptions, NatsConnectError> {
    let (events, entropy) = (trouble.clone(), entropy.clone());
    let mut options = ConnectOptions::new()
        .name(&config.connection_name)
        .connection_timeout(ANSWER_WAIT_MAX)
        .request_timeout(Some(ANSWER_WAIT_MAX))
        .ping_interval(Duration::from_secs(10))
        .reconnect_delay_callback(move |failures| backoff::wait(u32::try_from(failures).unwrap_or(u32::MAX), &entropy))
        .event_callback(move |event| {
            events.note(&event);
            std::future::ready(())
        });
    if let Login::Password { user, password_file: path } = &config.login {
        let password = readable("the password file", path).await?;
        options = options.user_and_password(user.clone(), password.trim().to_owned());
    }
    if let Some(tls) = &config.tls {
        options = options.require_tls(true);
        if let Some(authority) = &tls.authority {
            drop(readable("the authority's certificate", authority).await?);
            options = options.add_root_certificates(authority.clone());
        }
        if let Some(client) = &tls.client {
            drop(readable("the client's certificate", &client.certificate).await?);
            drop(readable("the key of the client's certificate", &client.key).await?);
            options = options.add_client_certificate(client.certificate.clone(), client.key.clone());
        }
    }
    Ok(options)
}

/// The file's text. The library reads certificates itself; that they can be read is seen here, where the file can be named.
async fn readable(what: &'static str, path: &std::path::Path) -> Result<String, NatsConnectError> {
    let read = tokio::fs::read_to_string(path).await;
    read.map_err(|source| NatsConnectError::File { what, path: path.to_owned(), source })
}

/// The servers as they may be shown. One with a user or password in it is refused: it would be in logs and on command lines.
fn shown(servers: &[String]) -> Result<String, NatsConnectError> {
    for server in servers {
        let hidden = |why| {
            let host = server.rsplit_once('@').map_or(server.as_str(), |(_, host)| host);
            Err(NatsConnectError::Address { server: host.to_owned(), why })
        };
        if server.contains('@') {
            return hidden("user and password belong into the login and its file");
        }
        if !["nats://", "tls://"].iter().any(|scheme| server.starts_with(scheme)) {
            return hidden("it begins with `nats://` or `tls://`");
        }
    }
    if servers.is_empty() {
        return Err(NatsConnectError::Address { server: String::new(), why: "none is given" });
    }
    Ok(servers.join(", "))
}

impl Login {
    fn shown(&self) -> String {
        match self {
            Self::None => "a client without user".to_owned(),
            Self::Password { user, .. } => format!("user `{user}`"),
        }
    }
}

impl Trouble {
    fn text(&self) -> Option<String> {
        self.0.lock().clone()
    }

    /// Keeps what tells of a fault of ours, and logs the rest for whoever watches.
    fn note(&self, event: &Event) {
        match event {
            Event::Connected => {
                *self.0.lock() = None;
                info!("connected with NATS");
            }
            Event::Disconnected => warn!("disconnected from NATS, connecting again"),
            Event::ServerError(said) => {
                *self.0.lock() = Some(said.to_string());
                match said {
                    ServerError::AuthorizationViolation => error!("NATS does not let us in any more"),
                    ServerError::SlowConsumer(_) | ServerError::Other(_) => warn!(%said, "NATS complains"),
                }
            }
            Event::LameDuckMode | Event::Draining | Event::Closed | Event::SlowConsumer(_) | Event::ClientError(_) => {
                info!(%event, "NATS connection changes");
            }
        }
    }
}

fn is_not_found(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Whether waiting may help: no answer, no leader yet.
fn may_pass(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::JetStreamUnavailable
        | CreateStreamErrorKind::TimedOut
        | CreateStreamErrorKind::Response
        | CreateStreamErrorKind::ResponseParse => true,
        CreateStreamErrorKind::JetStream(error) => COMES_LATER.contains(&error.error_code()),
        CreateStreamErrorKind::EmptyStreamName
        | CreateStreamErrorKind::InvalidStreamName
        | CreateStreamErrorKind::DomainAndExternalSet
        | CreateStreamErrorKind::NotFound => false,
    }
}

/// Whether the stream is what is asked for, in all that is asked for.
fn is_as_asked(found: &Config, asked: &Config) -> bool {
    found.subjects == asked.subjects
        && found.num_replicas == asked.num_replicas
        && found.max_age == asked.max_age
        && found.max_bytes == asked.max_bytes
        && found.duplicate_window == asked.duplicate_window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        let error = shown(&["nats://user:secret@host:4222".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`host:4222` is no address of a NATS server: user and password belong into the login and its file"
        );
        assert!(!format!("{error:?}").contains("secret"));
        assert!(shown(&["host:4222".to_owned()]).is_err() && shown(&[]).is_err());
        let two = ["nats://a:1".to_owned(), "tls://b:2".to_owned()];
        assert_eq!(shown(&two).unwrap(), "nats://a:1, tls://b:2");
    }
}
