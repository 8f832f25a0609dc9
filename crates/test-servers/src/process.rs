//! One run of a server, under a keeper that ends it when its owner is gone.
//!
//! The keeper is a shell in a process group of its own. It starts the server and reads orders from a pipe: names of signals to
//! send to the server. The pipe ends when its owner drops it or dies, however it dies; then the keeper ends the server and removes
//! the folder, unless it was ordered to keep it. A signal at the parent's death (`PR_SET_PDEATHSIG`) would not do: it comes when the
//! *thread* ends that started the child, and every test runs on a thread of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::ServerError;
use crate::log::{Log, Waited};

/// How long a server may take to be ready, or to be gone. Generous: a busy machine is no reason to fail.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// `$1` is the signal that ends the server with its owner, `$2` the folder to remove then, the rest the command. Only the server
/// has the log's pipe, so that the log ends with the server.
const KEEPER: &str = r#"
signal=$1 folder=$2
shift 2
"$@" </dev/null >&2 &
server=$!
echo "$server"
exec >/dev/null 2>&1
while read -r order; do
    case $order in
        keep) folder= ;;
        *) kill -s "$order" "$server" ;;
    esac
done
kill -s "$signal" "$server"
wait "$server"
if [ -n "$folder" ]; then rm -rf -- "$folder"; fi
"#;

/// How a server is run.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// Its name in errors.
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// The signal that ends it at once when its owner is gone, as in `KILL`.
    pub(crate) last_signal: &'static str,
    /// The folder that goes with its owner.
    pub(crate) folder: &'a Path,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Run {
    name: String,
    keeper: Child,
    orders: Option<ChildStdin>,
    /// The server's process.
    pub(crate) id: u32,
    /// What it says.
    pub(crate) log: Log,
    reader: Option<JoinHandle<()>>,
}

impl Run {
    /// Starts a server.
    pub(crate) fn start(plan: &Plan<'_>) -> Result<Self, ServerError> {
        let spawn_error = |source| ServerError::Spawn { program: plan.name.clone(), source };
        let mut command = Command::new("sh");
        let _ = command.args(["-c", KEEPER, "keeper", plan.last_signal]).arg(plan.folder).args(&plan.command);
        let _ = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A key press that ends the tests does not reach the keeper: it sees their end by itself.
        let mut keeper = command.current_dir("/").process_group(0).spawn().map_err(spawn_error)?;
        let (Some(orders), Some(output), Some(errors)) =
            (keeper.stdin.take(), keeper.stdout.take(), keeper.stderr.take())
        else {
            return Err(spawn_error(std::io::Error::other("the keeper has no pipes")));
        };
        let log = Log::default();
        let reader = std::thread::spawn({
            let log = log.clone();
            move || log.read_all(errors)
        });
        let mut first = String::new();
        let _ = BufReader::new(output).read_line(&mut first).map_err(spawn_error)?;
        let id = first.trim().parse().map_err(|error| spawn_error(std::io::Error::other(error)))?;
        Ok(Self { name: plan.name.clone(), keeper, orders: Some(orders), id, log, reader: Some(reader) })
    }

    /// Waits until the server has said one of the texts.
    pub(crate) fn wait_until_said(&self, texts: &[&'static str]) -> Result<(), ServerError> {
        self.wait_until_said_within(texts, LIMIT)
    }

    /// Waits so long until the server has said one of the texts.
    pub(crate) fn wait_until_said_within(&self, texts: &[&'static str], limit: Duration) -> Result<(), ServerError> {
        let waited = self.log.wait_for(texts, limit);
        let (server, awaited, log) = (self.name.clone(), texts.first().copied().unwrap_or_default(), self.log.end());
        match waited {
            Waited::Found => Ok(()),
            Waited::Ended => Err(ServerError::Ended { server, awaited, log }),
            Waited::TimedOut => Err(ServerError::TooSlow { server, awaited, limit, log }),
        }
    }

    /// Sends a signal to the server.
    pub(crate) fn signal(&mut self, signal: &'static str) -> Result<(), ServerError> {
        self.order(signal)
    }

    fn order(&mut self, order: &str) -> Result<(), ServerError> {
        let Some(orders) = &mut self.orders else { return Err(ServerError::Stopped { server: self.name.clone() }) };
        orders.write_all(format!("{order}\n").as_bytes()).map_err(|source| ServerError::Io {
            action: "send an order to the keeper of",
            path: (&self.name).into(),
            source,
        })
    }

    /// Waits for the end of the server and all its processes, and of the keeper. The folder stays.
    pub(crate) fn end(mut self) -> Result<(), ServerError> {
        let waited = self.log.wait_for_end(LIMIT);
        self.order("keep")?;
        self.leave();
        match waited {
            Waited::Ended => Ok(()),
            Waited::Found | Waited::TimedOut => Err(ServerError::TooSlow {
                server: self.name.clone(),
                awaited: "the end of its log",
                limit: LIMIT,
                log: self.log.end(),
            }),
        }
    }

    /// Lets the keeper end the server if it still runs, and waits for both. Does nothing the second time.
    fn leave(&mut self) {
        drop(self.orders.take());
        // It ends with the server, whose last signal no server outlives for long.
        let _ = self.keeper.wait();
        if self.log.wait_for_end(LIMIT) == Waited::Ended
            && let Some(reader) = self.reader.take()
        {
            // A reader that panicked has left what it read.
            drop(reader.join());
        }
    }
}

impl Drop for Run {
    #[expect(
        clippy::print_stderr,
        reason = "a test that fails shows what its server said; this crate is for tests alone"
    )]
    fn drop(&mut self) {
        self.leave();
        if std::thread::panicking() {
            eprintln!("the log of {} ends with:\n{}", self.name, self.log.end());
        }
    }
}
