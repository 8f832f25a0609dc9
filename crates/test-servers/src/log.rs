//! What a server says: read line by line as it comes, kept, and waited for.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How many lines are kept.
const LINES_MAX: usize = 2_000;

/// How many lines an error shows.
const SHOWN_LINES_MAX: usize = 30;

/// The log of one run of a server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<String>,
    /// How many lines fell out at the front.
    lines_dropped: usize,
    has_ended: bool,
}

/// What waiting for a line came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// The line is there.
    Found,
    /// The log ended without it: no process writes to it any more.
    Ended,
    /// The time is over.
    TimedOut,
}

impl Log {
    /// Reads until the other end is closed by all that hold it.
    pub(crate) fn read_all(&self, from: impl Read) {
        let mut reader = BufReader::new(from);
        let mut line = Vec::new();
        // A pipe that cannot be read is as good as closed.
        while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            self.push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
        self.0.state.lock().has_ended = true;
        let _ = self.0.changed.notify_all();
    }

    fn push(&self, line: String) {
        let mut state = self.0.state.lock();
        if state.lines.len() == LINES_MAX {
            drop(state.lines.pop_front());
            state.lines_dropped += 1;
        }
        state.lines.push_back(line);
        drop(state);
        let _ = self.0.changed.notify_all();
    }

    /// Waits for a line that has one of the texts.
    pub(crate) fn wait_for(&self, texts: &[&str], limit: Duration) -> Waited {
        let mut seen = 0;
        self.wait(limit, |state| {
            let unseen = state.lines.iter().skip(seen.max(state.lines_dropped) - state.lines_dropped);
            let is_found = unseen.into_iter().any(|line| texts.iter().any(|text| line.contains(text)));
            seen = state.lines_dropped + state.lines.len();
            match (is_found, state.has_ended) {
                (true, _) => Some(Waited::Found),
                (false, true) => Some(Waited::Ended),
                (false, false) => None,
            }
        })
    }

    /// Waits for the end of the log, which is the end of all processes that write to it.
    pub(crate) fn wait_for_end(&self, limit: Duration) -> Waited {
        self.wait(limit, |state| state.has_ended.then_some(Waited::Ended))
    }

    fn wait(&self, limit: Duration, mut outcome: impl FnMut(&State) -> Option<Waited>) -> Waited {
        let deadline = Instant::now() + limit;
        let mut state = self.0.state.lock();
        loop {
            if let Some(waited) = outcome(&state) {
                return waited;
            }
            if self.0.changed.wait_until(&mut state, deadline).timed_out() {
                return outcome(&state).unwrap_or(Waited::TimedOut);
            }
        }
    }

    /// Whether a line has the text.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.0.state.lock().lines.iter().any(|line| line.contains(text))
    }

    /// The last lines.
    pub(crate) fn end(&self) -> String {
        let state = self.0.state.lock();
        let mut text = String::new();
        for line in state.lines.iter().skip(state.lines.len().saturating_sub(SHOWN_LINES_MAX)) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {line}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[test]
    fn a_line_is_found_and_the_end_is_told_from_silence() {
        let log = Log::default();
        assert_eq!(log.wait_for(&["ready"], Duration::ZERO), Waited::TimedOut);
        log.read_all(&b"starting\nserver is ready\n"[..]);
        assert_eq!(log.wait_for(&["nothing", "ready"], LIMIT), Waited::Found);
        assert_eq!(log.wait_for(&["stopped"], LIMIT), Waited::Ended);
        assert_eq!(log.wait_for_end(LIMIT), Waited::Ended);
    }

    #[test]
    fn only_the_last_lines_are_kept_and_fewer_are_shown() {
        let log = Log::default();
        let lines: String = (0..LINES_MAX + 5).map(|number| format!("line {number};\n")).collect();
        log.read_all(lines.as_bytes());
        assert!(!log.has("line 4;") && log.has("line 5;"));
        assert_eq!(log.end().lines().count(), SHOWN_LINES_MAX);
    }
}
