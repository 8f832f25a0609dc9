//! The servers as a test uses them: started, used, stopped in every way, and ended with whoever started them.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

mod nats;
mod orphans;
mod postgres;

use std::time::{Duration, Instant};

/// How long a condition may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Waits until the condition holds.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "not so after {LIMIT:?}: {what}");
        std::thread::yield_now();
    }
}

/// The processes whose command line has the text.
pub(crate) fn processes_with(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let commands = commands.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    commands.filter(|command| command.contains(text)).collect()
}
