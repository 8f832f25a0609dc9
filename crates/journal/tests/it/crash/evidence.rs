//! What workers said, against what their store has.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use journal::{KeyState, Place, Store};
use messages::{Position, RecordedEvent, chain};

use super::worker::{self, Wish};
use crate::decide::counter::{self, Counted};

/// How long workers may take to say so much. Generous: a busy machine is no reason to fail.
pub(super) const LIMIT: Duration = Duration::from_secs(120);

/// What all workers have said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Keys that were sent, and for which no end was heard of.
    pub(super) open: BTreeSet<String>,
    pub(super) done: BTreeMap<String, u64>,
}

/// A running worker. It is killed with its value.
pub(super) struct Worker {
    pub(super) child: Child,
    lines: Receiver<String>,
}

impl Worker {
    /// Starts a worker. It sends first what is open.
    pub(super) fn start(name: &str, place: &Place, open: &BTreeSet<String>, until: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([worker::TEST, "--exact", "--nocapture"])
            .env(worker::TOLD, format!("{name} {until} {}", worker::place_text(place)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let text: String = open.iter().map(|key| format!("{key}\n")).collect();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // It ends with the worker's output.
        drop(std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))));
        Self { child, lines }
    }

    /// Listens until the worker has said of so many more that they are done, or for so long. Says whether it has.
    pub(super) fn listen(&self, said: &mut Said, done_count: usize, limit: Duration) -> bool {
        let (until, wanted) = (Instant::now() + limit, said.done.len() + done_count);
        while said.done.len() < wanted {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => said.hear(&line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
        true
    }

    /// As [`Self::listen`], and fails if it does not say so much in time.
    pub(super) fn hear(&self, said: &mut Said, done_count: usize) {
        assert!(self.listen(said, done_count, LIMIT), "{done_count} more were not done within {LIMIT:?}");
    }

    /// Kills it as the system kills, and listens to what it said before.
    pub(super) fn kill(mut self, said: &mut Said) {
        self.child.kill().unwrap();
        let _ = self.hear_out(said);
    }

    /// Listens until it ends; says whether it ended well.
    pub(super) fn hear_out(&mut self, said: &mut Said) -> bool {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            said.hear(&line);
        }
        self.child.wait().unwrap().success()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended already is as wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Said {
    fn hear(&mut self, line: &str) {
        // The first line of a test program's output may stand before ours, without an end.
        let words: Vec<&str> = line.split(' ').collect();
        if let [.., "sent", key] = words[..] {
            let _ = self.open.insert(key.to_owned());
        } else if let [.., "done", key, position] = words[..] {
            let _ = self.open.remove(key);
            let position = position.parse().unwrap();
            let before = self.done.insert(key.to_owned(), position);
            assert!(before.is_none_or(|before| before == position), "{key} was done at {before:?} and at {position}");
        }
    }
}

/// Reads the whole log and holds everything against what was said. Others may go on writing meanwhile.
pub(super) async fn check(store: &Store, said: &Said) {
    let log = read(store).await;
    check_chain(store, &log);
    let mut effects: BTreeMap<&str, Vec<&RecordedEvent>> = BTreeMap::new();
    let bodies: Vec<Counted> = log.iter().map(body).collect();
    for (event, body) in log.iter().zip(&bodies).filter(|(_, body)| body.key != "seen") {
        effects.entry(&body.key).or_default().push(event);
    }
    for (key, events) in &effects {
        assert_eq!(events.len(), Wish::of(key).events(), "{key} has not one effect");
        let commands: BTreeSet<_> = events.iter().map(|event| event.metadata.command).collect();
        assert_eq!(commands.len(), 1, "{key} has its effect by two commands");
    }
    for (key, position) in &said.done {
        let last =
            effects.get(key.as_str()).and_then(|events| events.last()).map(|event| event.header.position.number());
        assert_eq!(last, Some(*position), "{key} was said to be done");
        let record = store.key(&counter::scope(key)).await.unwrap().unwrap_or_else(|| panic!("{key} is done and free"));
        assert_eq!((record.position.number(), record.state), (*position, KeyState::Done), "{key}");
    }
    let hot = of_stream(&log, &bodies, "hot");
    assert!(hot.iter().copied().eq(1..=hot.len() as u64), "an update of the hot stream was lost");
    check_reactions(&log, &of_stream(&log, &bodies, "seen"));
}

fn of_stream(log: &[RecordedEvent], bodies: &[Counted], stream: &str) -> Vec<u64> {
    let of_stream = log.iter().zip(bodies).filter(|(event, _)| event.metadata.stream.as_str() == stream);
    of_stream.map(|(_, body)| body.number).collect()
}

/// One reaction to each published event, in their order, as far as the consumer has come.
fn check_reactions(log: &[RecordedEvent], seen: &[u64]) {
    let hot = log.iter().filter(|event| event.metadata.stream.as_str() == "hot");
    let published: Vec<u64> = hot.map(|event| event.header.position.number()).collect();
    assert!(published.starts_with(seen), "reactions are to {seen:?}, published are {published:?}");
}

/// When everything has ended: nothing is open, state rows are the fold of the log, the consumer is at the end.
pub(super) async fn check_end(store: &Store, said: &Said) {
    check(store, said).await;
    assert!(said.open.is_empty(), "left open: {:?}", said.open);
    let log = read(store).await;
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    for event in &log {
        *totals.entry(event.metadata.stream.to_string()).or_default() += 1;
    }
    let rows = store.rows("SELECT stream, events FROM totals", &[]).await.unwrap();
    let rows = rows.iter().map(|row| (row[0].text().unwrap().to_owned(), row[1].integer().unwrap()));
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), totals, "state rows are not the fold of the log");
    assert_eq!(totals.get("seen"), totals.get("hot"), "the consumer is not at the end");
    let keys: BTreeSet<String> = log.iter().map(|event| body(event).key).filter(|key| key != "seen").collect();
    assert!(keys.iter().eq(said.done.keys()), "the log has what nobody sent, or not what is done");
}

fn body(event: &RecordedEvent) -> Counted {
    serde_json::from_slice(event.payload.as_bytes()).unwrap()
}

async fn read(store: &Store) -> Vec<RecordedEvent> {
    let mut log: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = log.last().map_or(Position::START, |event| event.header.position);
        let page = store.events_after(after, 1_000).await.unwrap();
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}

fn check_chain(store: &Store, log: &[RecordedEvent]) {
    let (mut position, mut hash) = (Position::START, chain::start(store.id()));
    for event in log {
        assert_eq!(event.header.position, position.next(), "a gap");
        assert_eq!(event.hash, event.hash_after(hash), "the chain breaks at {}", event.header.position);
        (position, hash) = (event.header.position, event.hash);
    }
}
