//! The two processes, as whoever starts and kills them has them.

use crate::cli::Demo;
use crate::failure::{Failure, FailureKind};
use anyhow::Context;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long the ledger may take until it says where it listens.
const LEDGER_START_MAX: Duration = Duration::from_secs(60);
/// How long the ledger may take to end.
const LEDGER_STOP_MAX: Duration = Duration::from_secs(30);
/// Where both write what they have to say beside their result: the platform's file, and the ledger's.
pub(super) const LOG_FILES: [&str; 2] = ["platform.log", "ledger.log"];

/// How a platform ended that was not killed.
pub(super) enum PlatformEnd {
    /// Everything was played; this is its report.
    Played(Value),
    /// It could not reach the ledger, or did not come to know what became of something. It may be started again.
    GaveUp(Failure),
}

/// A running process. It is killed when it is dropped.
struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it has said since its first line was read.
    said: Vec<u8>,
}

/// Both of them.
pub(super) struct Children {
    directory: PathBuf,
    /// Arguments of both.
    common: Vec<String>,
    node_url: String,
    ledger: Option<Running>,
    platform: Option<Running>,
}

fn environment(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(FailureKind::Environment, error)
}

impl Children {
    /// None runs yet. The platform will send to this URL.
    pub(super) fn new(arguments: &Demo, directory: PathBuf, node_url: String) -> Self {
        let (shown, language) = (directory.display().to_string(), arguments.lang.name());
        let mut common = ["demo", "--json", "--data-dir", &shown, "--lang", language].map(str::to_owned).to_vec();
        if let Some(bonds) = &arguments.bonds {
            common.extend(["--bonds".to_owned(), bonds.display().to_string()]);
        }
        Self { directory, common, node_url, ledger: None, platform: None }
    }

    fn start(&self, log: &str, further: &[&str]) -> Result<Running, Failure> {
        let mut command = this_program()?;
        let _ = command.args(&self.common).args(further).kill_on_drop(true);
        // Ctrl-C is for this process alone, which ends the others as it wants to.
        let _ = command.process_group(0);
        // Its standard input ends with this process, and so does it.
        let _ = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.log(log)?);
        let mut child = command.spawn().map_err(environment)?;
        let stdout = child.stdout.take().expect("its standard output is a pipe");
        Ok(Running { child, stdout: BufReader::new(stdout), said: Vec::new() })
    }

    fn log(&self, file: &str) -> Result<File, Failure> {
        let path = self.directory.join(file);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.with_context(|| format!("cannot write `{}`", path.display())).map_err(environment)
    }

    /// Starts the ledger and waits until it listens.
    pub(super) async fn start_ledger(&mut self) -> Result<SocketAddr, Failure> {
        let further = ["--part", "ledger", "--keep", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"];
        let mut ledger = self.start(LOG_FILES[1], &further)?;
        let mut line = String::new();
        let read = timeout(LEDGER_START_MAX, ledger.stdout.read_line(&mut line)).await;
        let _ = read.map_err(environment)?.map_err(environment)?;
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        let http = said["http"].as_str().and_then(|url| url.strip_prefix("http://"));
        let Some(address) = http.and_then(|address| address.parse().ok()) else {
            let ended = timeout(LEDGER_STOP_MAX, ledger.ended()).await;
            let status = ended.map_err(environment)?.map_err(environment)?;
            return Err(failure_said(&said, status.code().map_or(FailureKind::Environment, FailureKind::of_code)));
        };
        self.ledger = Some(ledger);
        Ok(address)
    }

    /// Starts the platform.
    pub(super) fn start_platform(&mut self) -> Result<(), Failure> {
        let platform = self.start(LOG_FILES[0], &["--part", "platform", "--rpc", &self.node_url])?;
        self.platform = Some(platform);
        Ok(())
    }

    /// Waits until one of the two ends of itself.
    ///
    /// # Cancel safety
    /// Can be dropped and called again: what was read of the platform's report stays.
    pub(super) async fn ended(&mut self) -> Result<PlatformEnd, Failure> {
        let (Some(platform), Some(ledger)) = (&mut self.platform, &mut self.ledger) else {
            return Err(environment(anyhow::anyhow!("nothing is running")));
        };
        let status = tokio::select! {
            status = platform.ended() => status.map_err(environment)?,
            status = ledger.ended() => {
                let directory = self.directory.display();
                let status = status.map_err(environment)?;
                return Err(environment(anyhow::anyhow!("the ledger of `{directory}` ended of itself: {status}")));
            }
        };
        let said: Value = serde_json::from_slice(&platform.said).unwrap_or_default();
        self.platform = None;
        let Some(code) = status.code() else {
            return Err(environment(anyhow::anyhow!("the platform was ended by {status}")));
        };
        match FailureKind::of_code(code) {
            _ if status.success() => Ok(PlatformEnd::Played(said)),
            kind @ (FailureKind::Unreachable | FailureKind::Unknown) => {
                Ok(PlatformEnd::GaveUp(failure_said(&said, kind)))
            }
            kind @ (FailureKind::Refused | FailureKind::Usage | FailureKind::Environment) => {
                Err(failure_said(&said, kind))
            }
        }
    }

    /// SIGKILL.
    pub(super) async fn kill_platform(&mut self) -> Result<(), Failure> {
        kill(&mut self.platform).await
    }

    /// SIGKILL.
    pub(super) async fn kill_ledger(&mut self) -> Result<(), Failure> {
        kill(&mut self.ledger).await
    }

    /// Ends what is still running; the directory is free then.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        kill(&mut self.platform).await?;
        // The ledger ends as it should: its starter is gone.
        if let Some(mut ledger) = self.ledger.take() {
            drop(ledger.child.stdin.take());
            let ended = timeout(LEDGER_STOP_MAX, ledger.ended()).await;
            let _ = ended.map_err(environment)?.map_err(environment)?;
        }
        Ok(())
    }
}

impl Running {
    /// Reads what it says until it ends.
    async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        while self.stdout.read_buf(&mut self.said).await? > 0 {}
        self.child.wait().await
    }
}

async fn kill(running: &mut Option<Running>) -> Result<(), Failure> {
    match running.take() {
        Some(mut running) => running.child.kill().await.map_err(environment),
        None => Ok(()),
    }
}

fn this_program() -> Result<Command, Failure> {
    Ok(Command::new(std::env::current_exe().context("cannot find this program").map_err(environment)?))
}

/// What a command of this program answers machines, whatever its exit code.
///
/// # Errors
/// [`Failure`] if it cannot be run, or answers nothing that can be read.
pub(super) async fn ask(arguments: &[&str]) -> Result<Value, Failure> {
    let mut command = this_program()?;
    let _ = command.args(arguments).arg("--json").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(environment)?;
    let what = || format!("`{} --json` answered nothing that can be read", arguments.join(" "));
    serde_json::from_slice(&output.stdout).with_context(what).map_err(environment)
}

/// What a process said of its failure.
pub(super) fn failure_said(said: &Value, kind: FailureKind) -> Failure {
    let causes = said["causes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = said["error"].as_str().into_iter().chain(causes).collect();
    let mut words = words.into_iter().rev();
    let first = words.next().unwrap_or("a process of the demonstration failed and did not say why");
    let error = words.fold(anyhow::anyhow!("{first}"), |error, above| error.context(above.to_owned()));
    Failure::new(kind, error).with_hint_if(said["hint"].as_str())
}
