//! Why a server is not there. The text is all that a failed test shows, so it holds what the server said.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A server cannot be started, stopped or asked.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program is not installed. `./test` installs it.
    #[error("`{program}` is not installed: run `./test rust`, which installs it, or `apt-get install {package}`")]
    Missing {
        /// The program.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A process cannot be started.
    #[error("cannot start `{program}`")]
    Spawn {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A file, folder, port or pipe cannot be used.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program that should have done its work and ended well did not.
    #[error("`{program}` failed:\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        output: String,
    },
    /// The server ended while it was awaited.
    #[error("{server} ended while `{awaited}` was awaited; its log ends with:\n{log}")]
    Ended {
        /// Which server.
        server: String,
        /// What should have been in its log.
        awaited: &'static str,
        /// The end of its log.
        log: String,
    },
    /// The server did not come so far in time.
    #[error("{server} has not said `{awaited}` after {} s; its log ends with:\n{log}", limit.as_secs())]
    TooSlow {
        /// Which server.
        server: String,
        /// What should have been in its log.
        awaited: &'static str,
        /// How long it had.
        limit: Duration,
        /// The end of its log.
        log: String,
    },
    /// No free port was found.
    #[error("no free loopback port among {tries} that were tried")]
    NoPort {
        /// How many were tried.
        tries: u32,
    },
    /// The server is not running, and what was asked needs it to.
    #[error("{server} is stopped")]
    Stopped {
        /// Which server.
        server: String,
    },
    /// The certificates cannot be made.
    #[error("cannot make certificates")]
    Certificates(#[source] rcgen::Error),
}
