//! A PostgreSQL server of its own for a test or a benchmark.

use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::error::ServerError;
use crate::ports::{self, START_TRIES_MAX};
use crate::process::{Plan, Run};
use crate::program::{self, text};

const PACKAGE: &str = "postgresql";

/// The account that runs the server when root starts it, since the server refuses root.
const ACCOUNT: &str = "postgres";

/// More connections than any test opens, and still few semaphores.
const CONNECTIONS_MAX: u32 = 200;

const READY: &str = "database system is ready to accept connections";
const PORT_TAKEN: &str = "could not bind IPv4 address";

/// A PostgreSQL server on a loopback port, with commits that reach the disk. It ends with its value, and its data with it.
#[derive(Debug)]
pub struct Postgres {
    programs: Programs,
    folder: TempDir,
    port: u16,
    databases: AtomicU32,
    run: Mutex<Option<Run>>,
}

/// Where the programs are, and who runs them.
#[derive(Debug, Clone)]
struct Programs {
    folder: PathBuf,
    version: String,
    /// Put in front of each command.
    as_account: Vec<String>,
    /// User and group who own the data, if that is another than this process's.
    owner: Option<(u32, u32)>,
}

impl Postgres {
    /// Makes a server and starts it.
    ///
    /// # Errors
    ///
    /// If it is not installed, or does not start; the error has the end of its log.
    pub fn start() -> Result<Self, ServerError> {
        let programs = Programs::find()?;
        let folder = tempfile::Builder::new().prefix("lastro-postgres-").tempdir();
        let io_error = |action| move |source| ServerError::Io { action, path: std::env::temp_dir(), source };
        let folder = folder.map_err(io_error("make a folder in"))?;
        if let Some((user, group)) = programs.owner {
            chown(folder.path(), Some(user), Some(group)).map_err(io_error("give away a folder in"))?;
        }
        let mut server = Self { programs, folder, port: 0, databases: AtomicU32::new(0), run: Mutex::new(None) };
        server.make_data()?;
        let run = server.start_at_free_port()?;
        *server.run.lock() = Some(run);
        Ok(server)
    }

    /// The server that all tests of this process share, started when it is first asked for. Whoever stops a server takes one of
    /// their own.
    ///
    /// # Errors
    ///
    /// As [`Self::start`], the same each time.
    pub fn shared() -> Result<&'static Self, &'static ServerError> {
        static SHARED: LazyLock<Result<Postgres, ServerError>> = LazyLock::new(Postgres::start);
        SHARED.as_ref()
    }

    /// What the server says of its version, as in `postgres (PostgreSQL) 15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.programs.version
    }

    /// Its loopback port. It stays the same when the server is started again.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Address of the database that every server has, as its owner. No password is asked for.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://{ACCOUNT}@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Errors
    ///
    /// If the server is stopped or refuses.
    pub fn database(&self) -> Result<String, ServerError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        let port = self.port.to_string();
        let mut command = vec![text(&self.programs.folder.join("createdb"))];
        command.extend(["-h", "127.0.0.1", "-p", &port, "-U", ACCOUNT, "-T", "template0", &name].map(str::to_owned));
        let _ = program::run(&command)?;
        Ok(self.url_of(&name))
    }

    /// Stops the server in order: connections are cut, what is committed is on disk. Does nothing if it is stopped.
    ///
    /// # Errors
    ///
    /// If it does not end in time.
    pub fn stop(&self) -> Result<(), ServerError> {
        let Some(mut run) = self.run.lock().take() else { return Ok(()) };
        run.signal("INT")?;
        run.end()
    }

    /// Kills the server and its children, as a loss of power would, but for what the system has still to write. Does nothing if it
    /// is stopped.
    ///
    /// # Errors
    ///
    /// If its processes do not end in time.
    pub fn kill_hard(&self) -> Result<(), ServerError> {
        let Some(mut run) = self.run.lock().take() else { return Ok(()) };
        // Stopped, it starts no children while they are killed. A stopped process is killed all the same.
        run.signal("STOP")?;
        for child in children_of(run.id) {
            // One that has ended meanwhile is as wanted.
            let _ = kill_process(child, Signal::KILL);
        }
        run.signal("KILL")?;
        run.end()
    }

    /// Starts a server that was stopped or killed, at its port; recovery is over when this returns.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub fn start_again(&self) -> Result<(), ServerError> {
        let mut running = self.run.lock();
        if running.is_none() {
            let run = self.run_at(self.port)?;
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

    fn data(&self) -> String {
        text(&self.folder.path().join("data"))
    }

    fn make_data(&self) -> Result<(), ServerError> {
        let data = self.data();
        // The data of a server that was never started need not be synced.
        let options = ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username", ACCOUNT];
        let mut command = self.programs.command("initdb");
        command.extend(options.map(str::to_owned));
        command.extend(["--pgdata".to_owned(), data]);
        program::run(&command).map(drop)
    }

    fn start_at_free_port(&mut self) -> Result<Run, ServerError> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.port = ports::free_port()?;
            let run = self.run_at(self.port)?;
            match run.wait_until_said(&[READY]) {
                Ok(()) => return Ok(run),
                Err(_) if run.log.has(PORT_TAKEN) && tries < START_TRIES_MAX => run.end()?,
                Err(error) => return Err(error),
            }
        }
    }

    fn run_at(&self, port: u16) -> Result<Run, ServerError> {
        let mut command = self.programs.command("postgres");
        command.extend(["-D".to_owned(), self.data(), "-p".to_owned(), port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={CONNECTIONS_MAX}"),
            "fsync=on".to_owned(),
        ] {
            command.extend(["-c".to_owned(), setting]);
        }
        Run::start(&Plan {
            name: format!("PostgreSQL on port {port}"),
            command,
            // Ends at once, and takes its children and shared memory with it.
            last_signal: "QUIT",
            folder: self.folder.path(),
        })
    }
}

impl Drop for Postgres {
    /// The server ends before its folder goes.
    fn drop(&mut self) {
        drop(self.run.lock().take());
    }
}

impl Programs {
    fn find() -> Result<Self, ServerError> {
        let postgres = program::find("postgres", PACKAGE, folders())?;
        let folder = postgres.parent().map(PathBuf::from).unwrap_or_default();
        let version = program::run(&[text(&postgres), "--version".to_owned()])?;
        if !geteuid().is_root() {
            return Ok(Self { folder, version, as_account: Vec::new(), owner: None });
        }
        let (user, group) = (account_number("-u")?, account_number("-g")?);
        let as_account = ["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups", "--"];
        Ok(Self { folder, version, as_account: as_account.map(str::to_owned).into(), owner: Some((user, group)) })
    }

    /// The beginning of a command.
    fn command(&self, program: &str) -> Vec<String> {
        let mut command = self.as_account.clone();
        command.push(text(&self.folder.join(program)));
        command
    }
}

/// Where Debian's packages put the programs, the newest version first, and then the search path.
fn folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).chain(program::search_path()).collect()
}

/// User or group number of the account, which the package makes.
fn account_number(which: &str) -> Result<u32, ServerError> {
    let number = program::run(&["id", which, ACCOUNT].map(str::to_owned)).ok();
    number
        .and_then(|text| text.parse().ok())
        .ok_or(ServerError::Missing { program: "account postgres", package: PACKAGE })
}

/// The processes that a process has started, from `/proc`; none where there is no such thing.
fn children_of(parent: u32) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let children = processes.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name, in brackets, may hold anything; behind it are the state and the parent (proc_pid_stat(5)).
        let parent_id: u32 = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        (parent_id == parent).then(|| Pid::from_raw(id)).flatten()
    });
    children.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_by_its_parent() {
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let found = children_of(std::process::id());
        let id = i32::try_from(child.id()).unwrap();
        drop(child.stdin.take());
        let _ = child.wait().unwrap();
        assert!(found.iter().any(|found| found.as_raw_pid() == id), "{id} is not among {found:?}");
    }
}
