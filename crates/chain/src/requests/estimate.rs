//! Gas of requests that give none: the node is asked before anything is signed, for eight requests of a lane at once, and nobody else
//! in the lane waits for that.
//!
//! ```text
//!  the node estimates ──► gas, and a half more ──► it is signed
//!        │ it fails
//!        ▼
//!  the store: has all ended that it may need? ── no ──► it waits for a commit, and is estimated again
//!        │ yes, up to block S
//!        ▼
//!  the node: its head is S at least, and there the call fails too ──► refused: `would_fail`
//!        │ neither
//!        ▼
//!  again after a pause, as often as the profile offers a transaction ──► refused: `not_estimated`
//! ```
//!
//! A node that is silent, busy or still syncing, and a sender that cannot pay, say nothing about the request: that is never counted. How
//! often the node was asked is known to this process alone; a restart begins anew.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use journal::Committed;
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::reading::Asked;
use super::with_cause;
use crate::lane::{EstimateError, Lane};
use crate::profile::Pace;
#[cfg(test)]
use crate::simulation::Mutant;
use crate::store::{Placed, RequestRefusal};

/// How many estimates of a lane the node is asked for at once.
const ESTIMATES_AT_ONCE: usize = 8;

/// How long the others of a lane wait for estimates that were begun just now: most are there by then, and share a commit.
const ESTIMATES_AWAITED_MAX: Duration = Duration::from_millis(25);

/// How many answers are kept until they are looked at; who has more waits with them.
const ANSWERS_MAX: usize = 256;

/// How many requests something is known of. Beyond that what waits no more is forgotten.
const KNOWN_MAX: usize = 2_048;

/// Between two estimates of what fails while something is in flight that it may need: after a commit only, which may have ended that.
const FLIGHT_PACE: Pace =
    Pace { first_pause: Duration::from_millis(50), pause_max: Duration::from_secs(1), attempts_max: u32::MAX };

/// How long a commit is waited for then at most.
const FLIGHT_TURN: Duration = Duration::from_secs(5);

/// The estimates of a lane's requests.
pub(super) struct Estimates {
    /// By the event that asked: a key may be asked for again.
    known: HashMap<String, Known>,
    answers: mpsc::Receiver<(String, Verdict)>,
    answer: mpsc::Sender<(String, Verdict)>,
    places: Arc<Semaphore>,
    /// Tasks of all lanes, so that whoever stops these awaits them.
    underway: Arc<Mutex<JoinSet<()>>>,
    /// Of this turn.
    turn: Turn,
}

/// What a look at a lane's requests came to.
#[derive(Default)]
struct Turn {
    /// Which of them are estimated.
    seen: HashSet<String>,
    /// Which of these the node was asked for just now.
    fresh: HashSet<String>,
    /// When the next of them is estimated again.
    due: Option<Instant>,
    /// Why the node estimates nothing, if so.
    trouble: Option<String>,
}

/// What is known of a request.
#[derive(Default)]
struct Known {
    now: Now,
    /// How often the node said nothing that counts either way.
    unclear: u32,
    /// How often nothing could be learnt, or something was in flight.
    put_off: u32,
}

#[derive(Default)]
enum Now {
    #[default]
    New,
    /// The node is being asked.
    Asked,
    Found(u64),
    Refused(RequestRefusal),
    /// Until then.
    PutOff {
        until: Instant,
        trouble: Option<String>,
    },
    /// Until something is committed, and not before then.
    InFlight {
        from: Instant,
        latest: Instant,
        committed: watch::Receiver<Committed>,
    },
}

impl Known {
    /// When it is estimated again; `None` if it is not put off.
    fn due(&self) -> Option<Instant> {
        match &self.now {
            Now::New | Now::Asked | Now::Found(_) | Now::Refused(_) => None,
            Now::PutOff { until, .. } => Some(*until),
            Now::InFlight { from, committed, .. } if committed.has_changed().unwrap_or(true) => Some(*from),
            Now::InFlight { latest, .. } => Some(*latest),
        }
    }
}

/// What an estimate came to.
enum Verdict {
    Gas(u64),
    /// It fails, and nothing can change that which is in flight.
    Refused(RequestRefusal),
    /// It fails, and something may change that which was in flight when this was last committed to.
    InFlight(watch::Receiver<Committed>),
    /// The node said neither.
    Unclear(String),
    /// Nothing was learnt about the request.
    Trouble(String),
}

/// What a request's gas is, as far as that is known.
pub(super) enum Gas {
    Found(u64),
    Refused(RequestRefusal),
    NotYet,
}

impl Estimates {
    pub(super) fn new(underway: Arc<Mutex<JoinSet<()>>>) -> Self {
        let (answer, answers) = mpsc::channel(ANSWERS_MAX);
        let places = Arc::new(Semaphore::new(ESTIMATES_AT_ONCE));
        Self { known: HashMap::new(), answers, answer, places, underway, turn: Turn::default() }
    }

    /// Begins to look at what waits.
    pub(super) fn begin_turn(&mut self, lane: &Lane) {
        if self.known.len() > KNOWN_MAX {
            self.known.retain(|request, _| self.turn.seen.contains(request));
        }
        self.turn = Turn::default();
        while let Ok((request, verdict)) = self.answers.try_recv() {
            self.note(lane, request, verdict);
        }
    }

    /// Has the node asked for the request's gas, if it is time for that.
    pub(super) async fn ask(&mut self, lane: &Lane, placed: &Placed, asked: Asked) {
        let request = placed.waiting.origin.request();
        let known = self.known.entry(request.clone()).or_default();
        let _ = self.turn.seen.insert(request.clone());
        let is_done = matches!(known.now, Now::Asked | Now::Found(_) | Now::Refused(_));
        if is_done || known.due().is_some_and(|due| due > Instant::now()) {
            return;
        }
        known.now = Now::Asked;
        let _ = self.turn.fresh.insert(request.clone());
        let (lane, placed, answer, places) =
            (lane.clone(), placed.clone(), self.answer.clone(), Arc::clone(&self.places));
        let mut underway = self.underway.lock().await;
        while underway.try_join_next().is_some() {}
        let _ = underway.spawn(async move {
            // It is never closed.
            let Ok(_place) = places.acquire_owned().await else { return };
            let verdict = estimated(&lane, &placed, &asked).await;
            // Nobody sends for the lane any more if it is not heard.
            let _ = answer.send((request, verdict)).await;
        });
    }

    /// Waits a moment for what the node was asked just now.
    pub(super) async fn await_answers(&mut self, lane: &Lane) {
        let answered = async {
            while self.is_asking() {
                let Some((request, verdict)) = self.answers.recv().await else { return };
                self.note(lane, request, verdict);
            }
        };
        let _ = timeout(ESTIMATES_AWAITED_MAX, answered).await;
    }

    /// What is known of the request's gas. What was found or refused is said once.
    pub(super) fn gas_of(&mut self, placed: &Placed) -> Gas {
        let request = placed.waiting.origin.request();
        match self.known.remove(&request) {
            Some(Known { now: Now::Found(gas), .. }) => Gas::Found(gas),
            Some(Known { now: Now::Refused(refusal), .. }) => Gas::Refused(refusal),
            Some(other) => {
                self.turn.due = self.turn.due.into_iter().chain(other.due()).min();
                if let Now::PutOff { trouble: Some(trouble), .. } = &other.now {
                    self.turn.trouble = Some(trouble.clone());
                }
                let _ = self.known.insert(request, other);
                Gas::NotYet
            }
            None => Gas::NotYet,
        }
    }

    /// Why the node estimates nothing of what was looked at, if so.
    pub(super) fn trouble(&self) -> Option<&String> {
        self.turn.trouble.as_ref()
    }

    /// Whether anything of what was looked at waits for its gas.
    pub(super) fn are_open(&self) -> bool {
        !self.turn.seen.is_empty()
    }

    /// Waits until the node has answered, or something is to be estimated again.
    pub(super) async fn until_due(&mut self, lane: &Lane) {
        let due = self.turn.due;
        let is_due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answer = self.answers.recv() => {
                if let Some((request, verdict)) = answer {
                    self.note(lane, request, verdict);
                }
            }
            () = is_due => {}
        }
    }

    /// Forgets what was found for a lane that does not go on now: the ledger may be another when it does.
    pub(super) fn forget_found(&mut self) {
        self.known.retain(|_, known| !matches!(known.now, Now::Found(_)));
    }

    fn is_asking(&self) -> bool {
        self.turn.fresh.iter().any(|fresh| matches!(self.known.get(fresh), Some(Known { now: Now::Asked, .. })))
    }

    fn note(&mut self, lane: &Lane, request: String, verdict: Verdict) {
        let (Some(known), pace) = (self.known.get_mut(&request), lane.core.profile.offers) else { return };
        let now = Instant::now();
        known.now = match verdict {
            Verdict::Gas(gas) => Now::Found(gas),
            Verdict::Refused(refusal) => Now::Refused(refusal),
            Verdict::InFlight(committed) => {
                known.put_off += 1;
                let from = now + FLIGHT_PACE.pause_after(known.put_off);
                Now::InFlight { from, latest: now + FLIGHT_TURN, committed }
            }
            Verdict::Trouble(reason) => {
                tracing::warn!(request, reason, "the gas of a request cannot be estimated now");
                known.put_off += 1;
                Now::PutOff { until: now + pace.pause_after(known.put_off), trouble: Some(reason) }
            }
            Verdict::Unclear(reason) => {
                known.unclear += 1;
                match known.unclear >= pace.attempts_max {
                    true => Now::Refused(not_estimated(known.unclear, &reason)),
                    false => Now::PutOff { until: now + pace.pause_after(known.unclear), trouble: None },
                }
            }
        };
    }
}

fn not_estimated(attempts: u32, reason: &str) -> RequestRefusal {
    let reason = format!("{reason}; the node was asked {attempts} times: give a `gas_limit` in the request");
    RequestRefusal::new("not_estimated", reason)
}

async fn estimated(lane: &Lane, placed: &Placed, asked: &Asked) -> Verdict {
    match lane.estimate(&asked.intent).await {
        Ok(gas) => Verdict::Gas(gas),
        Err(failed @ EstimateError::Fails { .. }) => judged(lane, placed, asked, failed).await,
        Err(error) => verdict_of(error),
    }
}

/// What a failure counts. The store is read before the node is asked for the last word: what ended by then, that must count.
async fn judged(lane: &Lane, placed: &Placed, asked: &Asked, failed: EstimateError) -> Verdict {
    let committed = lane.core.store.journal().committed_by_all();
    let flight = match lane.core.store.flight_before(placed, &asked.depends_on).await {
        Ok(flight) => flight,
        Err(error) => return Verdict::Trouble(with_cause(&error)),
    };
    #[cfg(test)]
    if lane.core.mutant == Some(Mutant::EstimateFinalAtOnce) {
        return verdict_of(failed);
    }
    if flight.is_open {
        return Verdict::InFlight(committed);
    }
    tracing::debug!(key = %placed.waiting.key, error = %failed, settled = flight.settled, "an estimate failed");
    #[cfg(test)]
    if lane.core.mutant == Some(Mutant::EstimateBelievedAtOnce) {
        return verdict_of(failed);
    }
    verdict_of(lane.judge(&asked.intent, flight.settled).await)
}

fn verdict_of(error: EstimateError) -> Verdict {
    match error {
        EstimateError::Intent { source, .. } => {
            Verdict::Refused(RequestRefusal::new("cannot_succeed", source.to_string()))
        }
        EstimateError::Fails { reason, revert_data, .. } => {
            let code = "would_fail".to_owned();
            Verdict::Refused(RequestRefusal { code, reason, revert_data })
        }
        EstimateError::Unclear { reason, .. } => Verdict::Unclear(reason),
        EstimateError::Sender { .. } | EstimateError::Node { .. } => Verdict::Trouble(with_cause(&error)),
    }
}
