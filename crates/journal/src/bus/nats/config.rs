//! How to reach the servers, who we are there, and what the stream is like. Secrets are in files and never shown.

use std::path::PathBuf;
use std::time::Duration;

/// The servers, our identity, and the deployment's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsConfig {
    /// Addresses as in `nats://host:4222` or `tls://host:4222`, without user and password. The first that answers is used, the
    /// others are the way out when it ends.
    pub servers: Vec<String>,
    /// What the servers' monitoring calls this connection: the service and its instance.
    pub connection_name: String,
    /// Who we are.
    pub login: Login,
    /// Encryption. `None` leaves it to the server's address.
    pub tls: Option<NatsTls>,
    /// The stream of the deployment; the same for all its services.
    pub stream: NatsStream,
    /// How long the first connection may take, other servers and repetitions included.
    pub connect_wait_max: Duration,
}

/// Who we are to the servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Nobody, or whom the client's certificate names (`verify_and_map` at the server).
    None,
    /// A user with a password.
    Password {
        /// The user.
        user: String,
        /// A file with the password alone; spaces and line ends around it are not part of it.
        password_file: PathBuf,
    },
}

/// How connections are encrypted, and whom we trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsTls {
    /// A file of certificates, in PEM, that the servers' certificates must come from. `None`: those that the system trusts.
    pub authority: Option<PathBuf>,
    /// Our certificate, if the servers ask for one.
    pub client: Option<ClientCertificate>,
}

/// A client's certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The file of the certificate.
    pub certificate: PathBuf,
    /// The file of its key.
    pub key: PathBuf,
}

/// The stream of a deployment. Whoever connects makes it if it is not there, and changes its limits to these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsStream {
    /// Its name: letters, digits, `-` and `_`.
    pub name: String,
    /// How many servers keep it: 1, or 3 or 5 in a cluster.
    pub replicas: usize,
    /// How old a message becomes. Consumers that were away for longer read the feed.
    pub age_max: Duration,
    /// How many bytes it keeps.
    pub bytes_max: i64,
    /// How long a message is known by its identifier, so that one that is sent again is not kept twice.
    pub duplicate_window: Duration,
}

impl NatsStream {
    /// The usual: named `LASTRO`, three days, 4 GiB, two minutes.
    #[must_use]
    pub fn usual(replicas: usize) -> Self {
        Self {
            name: "LASTRO".to_owned(),
            replicas,
            age_max: Duration::from_hours(72),
            bytes_max: 4 << 30,
            duplicate_window: Duration::from_mins(2),
        }
    }

    /// What is asked of the server.
    pub(super) fn server_config(&self) -> async_nats::jetstream::stream::Config {
        async_nats::jetstream::stream::Config {
            name: self.name.clone(),
            subjects: vec![format!("{SUBJECT_ROOT}.>")],
            num_replicas: self.replicas,
            max_age: self.age_max,
            max_bytes: self.bytes_max,
            // No limit on these; the server would write -1 in the place of 0, and then find the two to differ.
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            duplicate_window: self.duplicate_window,
            ..Default::default()
        }
    }
}

/// The first word of all subjects.
pub(super) const SUBJECT_ROOT: &str = "lastro";
