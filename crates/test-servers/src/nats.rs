//! NATS servers with JetStream of their own for a test or a benchmark: one, or a cluster of several.

mod certificates;
mod security;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use tempfile::TempDir;

pub use self::certificates::Certificates;
pub use self::security::{Account, Security, Tls, User};
use crate::error::ServerError;
use crate::ports::{self, START_TRIES_MAX};
use crate::process::{Plan, Run};
use crate::program::{self, text};

const PROGRAM: &str = "nats-server";
const PACKAGE: &str = "nats-server";

const READY: &str = "Server is ready";
const PORT_TAKEN: &str = "address already in use";

/// What the members of a cluster say when they have agreed who leads their JetStream; before, it refuses to work.
const CLUSTER_READY: &[&str] =
    &["JetStream cluster new metadata leader", "Self is new JetStream cluster metadata leader"];

/// How long an election may take. It takes two to ten seconds, or never ends.
const ELECTION_LIMIT: Duration = Duration::from_secs(30);

/// How much a test may store: far more than any does.
const STORE_BYTES_MAX: &str = "1GB";

/// A NATS server with JetStream on a loopback port. It ends with its value, and its data with it.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    version: String,
    folder: TempDir,
    port: u16,
    security: Security,
    certificates: Option<Certificates>,
    member: Option<Member>,
    run: Mutex<Option<Run>>,
}

/// What a server knows of the cluster that it is in.
#[derive(Debug, Clone)]
struct Member {
    name: String,
    route_port: u16,
    /// The route ports of all members.
    route_ports: Vec<u16>,
}

impl Nats {
    /// Makes a server that lets everybody in, and starts it.
    ///
    /// # Errors
    ///
    /// If it is not installed, or does not start; the error has the end of its log.
    pub fn start() -> Result<Self, ServerError> {
        Self::start_with(&Security::default())
    }

    /// Makes a server with accounts or TLS, and starts it.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_with(security: &Security) -> Result<Self, ServerError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let server = Self::prepare(security, None)?;
            let run = server.run()?;
            match run.wait_until_said(&[READY]) {
                Ok(()) => {
                    *server.run.lock() = Some(run);
                    return Ok(server);
                }
                Err(_) if run.log.has(PORT_TAKEN) && tries < START_TRIES_MAX => run.end()?,
                Err(error) => return Err(error),
            }
        }
    }

    /// A server that is not started yet.
    fn prepare(security: &Security, member: Option<Member>) -> Result<Self, ServerError> {
        let program = program::find(PROGRAM, PACKAGE, program::search_path())?;
        let version = program::run(&[text(&program), "--version".to_owned()])?;
        let folder = tempfile::Builder::new().prefix("lastro-nats-").tempdir();
        let folder = folder.map_err(|source| ServerError::Io {
            action: "make a folder in",
            path: std::env::temp_dir(),
            source,
        })?;
        let certificates = match security.tls {
            Tls::Off => None,
            Tls::Server | Tls::Mutual => Some(Certificates::make(folder.path())?),
        };
        let (port, security) = (ports::free_port()?, security.clone());
        let server = Self { program, version, folder, port, security, certificates, member, run: Mutex::new(None) };
        let path = server.config_file();
        std::fs::write(&path, server.config()).map_err(|source| ServerError::Io { action: "write", path, source })?;
        Ok(server)
    }

    /// What the server says of its version, as in `nats-server: v2.9.10`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its loopback port. It stays the same when the server is started again.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address, which asks for TLS if the server does.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificates.is_some() { "tls" } else { "nats" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The certificates of its TLS, if it has TLS.
    #[must_use]
    pub const fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// A folder that goes with the server, for files of passwords and the like.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the server in order. Does nothing if it is stopped.
    ///
    /// # Errors
    ///
    /// If it does not end in time.
    pub fn stop(&self) -> Result<(), ServerError> {
        self.end_by("TERM")
    }

    /// Kills the server. Does nothing if it is stopped.
    ///
    /// # Errors
    ///
    /// If it does not end in time.
    pub fn kill_hard(&self) -> Result<(), ServerError> {
        self.end_by("KILL")
    }

    fn end_by(&self, signal: &'static str) -> Result<(), ServerError> {
        let Some(mut run) = self.run.lock().take() else { return Ok(()) };
        run.signal(signal)?;
        run.end()
    }

    /// Starts a server that was stopped or killed, at its port and with what it had stored.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.run.lock();
        if running.is_none() {
            let run = self.run()?;
            run.wait_until_said(&[READY])?;
            *running = Some(run);
        }
        Ok(())
    }

    /// Stops the server in order and starts it again.
    ///
    /// # Errors
    ///
    /// As [`Self::stop`] and [`Self::start_again`].
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop()?;
        self.start_again()
    }

    fn run(&self) -> Result<Run, ServerError> {
        Run::start(&Plan {
            name: format!("NATS on port {}", self.port),
            command: vec![text(&self.program), "--config".to_owned(), text(&self.config_file())],
            last_signal: "KILL",
            folder: self.folder.path(),
        })
    }

    fn config_file(&self) -> PathBuf {
        self.folder.path().join("server.conf")
    }

    fn config(&self) -> String {
        let store = text(&self.folder.path().join("store"));
        let mut config = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{store}\", max_file_store: {STORE_BYTES_MAX} }}\n",
            self.port
        );
        config.push_str(&self.security.config(self.certificates.as_ref()));
        if let Some(member) = &self.member {
            config.push_str(&member.config());
        }
        config
    }
}

impl Drop for Nats {
    /// The server ends before its folder goes.
    fn drop(&mut self) {
        drop(self.run.lock().take());
    }
}

impl Member {
    fn config(&self) -> String {
        let routes: Vec<String> = self.route_ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        format!(
            "server_name: {}\ncluster {{ name: lastro, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            self.name,
            self.route_port,
            routes.join(", ")
        )
    }
}

/// Servers that share one JetStream, so that streams can have replicas.
#[derive(Debug)]
pub struct NatsCluster(Vec<Nats>);

impl NatsCluster {
    /// Makes a cluster that lets everybody in, starts it, and waits until its JetStream has a leader.
    ///
    /// # Errors
    ///
    /// As [`Nats::start`].
    pub fn start(servers: usize) -> Result<Self, ServerError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let cluster = Self::prepare(servers)?;
            match cluster.start_all() {
                Ok(()) => return Ok(cluster),
                Err(_) if cluster.has_said(PORT_TAKEN) && tries < START_TRIES_MAX => {}
                // Servers of 2.9 that connect to each other in the same moment can each close the other's route as a duplicate,
                // and then elect nobody for ever.
                Err(ServerError::TooSlow { .. }) if tries < START_TRIES_MAX => {
                    let note = format!("try {tries}: a cluster of {servers} agreed on no leader, starting it anew");
                    let _ = writeln!(std::io::stderr(), "{note}");
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn prepare(servers: usize) -> Result<Self, ServerError> {
        let route_ports = (0..servers).map(|_| ports::free_port()).collect::<Result<Vec<u16>, _>>()?;
        let member = |(index, route_port): (usize, &u16)| {
            let (name, route_ports) = (format!("n{}", index + 1), route_ports.clone());
            Nats::prepare(&Security::default(), Some(Member { name, route_port: *route_port, route_ports }))
        };
        Ok(Self(route_ports.iter().enumerate().map(member).collect::<Result<_, _>>()?))
    }

    fn start_all(&self) -> Result<(), ServerError> {
        for server in &self.0 {
            *server.run.lock() = Some(server.run()?);
        }
        for server in &self.0 {
            let run = server.run.lock();
            let run = run.as_ref().ok_or_else(|| ServerError::Stopped { server: server.url() })?;
            run.wait_until_said(&[READY])?;
            run.wait_until_said_within(CLUSTER_READY, ELECTION_LIMIT)?;
        }
        Ok(())
    }

    fn has_said(&self, text: &str) -> bool {
        self.0.iter().any(|server| server.run.lock().as_ref().is_some_and(|run| run.log.has(text)))
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> &[Nats] {
        &self.0
    }

    /// The servers' addresses.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.0.iter().map(Nats::url).collect()
    }
}
