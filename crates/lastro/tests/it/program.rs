//! Processes of the built binary: what they are told, what they say, and that none outlives its test.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a command may take to end, or a server to listen, on a machine that is busy with other tests.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Pause between two looks at a condition.
const POLL_PAUSE: Duration = Duration::from_millis(1);

/// The list of bonds of the repository.
pub(crate) const BONDS: &str = "examples/tpf-anbima-2026-09-01.csv";

/// What a finished process has said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Exit code; -1 if a signal ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Answer {
    /// The one JSON object on the one line of standard output.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "not one line: {self:?}");
        let value: Value = serde_json::from_str(&self.stdout).unwrap();
        assert!(value.is_object(), "{value}");
        value
    }

    /// Checks that it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.shown(&[]));
        self
    }

    /// Everything it said, with volatile parts replaced by names.
    pub(crate) fn shown(&self, volatile: &[(&str, &str)]) -> String {
        let mut text = format!("exit code {}", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("\n--- {name}\n{}", stream.trim_end()));
            }
        }
        volatile.iter().fold(text, |text, (found, name)| text.replace(found, name))
    }
}

/// The help of each command, as it is shown.
pub(crate) fn helps(commands: &[&[&str]]) -> String {
    let help = |command: &&[&str]| {
        let answer = lastro(&[command, ["--help"].as_slice()].concat()).ok();
        format!("$ lastro {} --help\n{}", command.join(" "), answer.shown(&[]))
    };
    commands.iter().map(help).collect::<Vec<String>>().join("\n\n")
}

/// What is said of each command line, none of which is as it must be.
pub(crate) fn refusals(mistakes: &[&[&str]]) -> String {
    let refusal = |arguments: &&[&str]| {
        let answer = lastro(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}");
        format!("$ lastro {}\n{}", arguments.join(" "), answer.shown(&[]))
    };
    mistakes.iter().map(refusal).collect::<Vec<String>>().join("\n\n")
}

/// A running process, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// What a process writes, collected as it comes.
#[derive(Debug)]
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(mut source: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = source.read(&mut chunk) {
                written.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// All of it, once the process has ended.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.so_far()
    }
}

impl Process {
    /// Starts the binary at the root of the repository, in English and without colour.
    pub(crate) fn start<A: AsRef<OsStr>>(arguments: &[A]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_with<A: AsRef<OsStr>>(arguments: &[A], variables: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lastro"));
        let _ = command.envs(variables.iter().copied());
        let _ = command.args(arguments).current_dir(root()).stdin(Stdio::null());
        let _ = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        for name in ["LASTRO_LOG", "LANG", "LC_MESSAGES", "RUST_BACKTRACE", "CLICOLOR_FORCE"] {
            let _ = command.env_remove(name);
        }
        let mut child = command.env("LC_ALL", "C").env("NO_COLOR", "1").spawn().unwrap();
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    pub(crate) fn stdout_so_far(&self) -> String {
        self.stdout.so_far()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub(crate) fn answer(mut self) -> Answer {
        let status = wait_until("the process ends", LIMIT, || self.child.try_wait().unwrap());
        self.answer_with(status)
    }

    /// SIGKILL, at once.
    pub(crate) fn kill(mut self) -> Answer {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        self.answer_with(status)
    }

    /// SIGTERM, and what it says until its end.
    pub(crate) fn terminate(self) -> Answer {
        let id = Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        self.answer()
    }

    fn answer_with(&mut self, status: ExitStatus) -> Answer {
        Answer { code: status.code().unwrap_or(-1), stdout: self.stdout.all(), stderr: self.stderr.all() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the binary to its end.
pub(crate) fn lastro<A: AsRef<OsStr>>(arguments: &[A]) -> Answer {
    Process::start(arguments).answer()
}

/// Looks until there is an answer.
///
/// # Panics
/// If there is none within the limit.
#[expect(clippy::disallowed_methods, reason = "other processes do not wake this one: it has to look")]
pub(crate) fn wait_until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(began.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(POLL_PAUSE);
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
