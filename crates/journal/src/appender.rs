//! The one writer of a process: takes what waits into one transaction, commits, and only then answers.
//!
//! What fails is told apart. A refusal concerns one unit and leaves the others alone. A passing failure of the database is tried
//! again, with waits that grow, until the store's patience ends. If a commit's answer is lost, the store is asked whether it has
//! the group; nobody guesses. Whatever else the database refuses is tried unit by unit, so that one cannot harm the others.
//!
//! The writer does not wait idly for the store: while one part's events are written the next part is decided. Nor does it tell
//! callers itself: waking hundreds of them takes as long as the store's answers do, and another task has the time
//! (`docs/journal.md` has what each gives).

mod gathering;
mod known_streams;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use messages::Position;
use tokio::sync::{mpsc, oneshot, watch};

use self::gathering::{Gathered, Waiting};
pub(crate) use self::known_streams::KnownStreams;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::group::{Admission, Appended, Refusal};
use crate::limits::LimitError;
use crate::mutant::{Mutant, is_planted};
use crate::retry::Retry;
use crate::store::{Backend, Found, Group, GroupMark, StoreError, Wanted, WriteError};
use crate::unit::UnitOfWork;

/// A unit of work was not committed, or it is not known whether it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// It is refused by what the store holds. Nothing was written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is over a limit. Nothing was written.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The database could not be reached, or gave up, for as long as the store's patience lasts. Nothing was written; the same
    /// may succeed later.
    #[error("the store was not to be written for {waited_ms} ms")]
    Unavailable {
        /// How long it was tried.
        waited_ms: u64,
        /// The last failure.
        source: StoreError,
    },
    /// The database refuses it, and would again. Nothing was written.
    #[error("the store refuses the unit of work")]
    Store {
        /// Why.
        source: StoreError,
    },
    /// The answer to the commit was lost, and the database could not be asked. It may be written or not: repeat with the same
    /// idempotency key, which has one effect at most.
    #[error("it is not known whether the unit of work was committed")]
    Unknown {
        /// Why the answer was lost.
        source: StoreError,
    },
    /// The store is closed. Nothing was written.
    #[error("the store is closed")]
    Closed,
}

/// How far a store's log has come, as its own process knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// The last event.
    pub position: Position,
    /// How often timers were changed by this process. Whoever waits for the next due time looks again when this moves.
    pub timer_changes: u64,
}

/// The answer to a unit of work, given after the commit.
pub(crate) type Answer = oneshot::Receiver<Result<Appended, AppendError>>;

/// A unit that waits for a group.
pub(crate) struct Submission {
    /// It is moved from hand to hand.
    unit: Box<UnitOfWork>,
    bytes: usize,
    submitted: Instant,
    reply: oneshot::Sender<Result<Appended, AppendError>>,
}

impl Submission {
    /// The unit, checked against the limits and sealed, and the end that gets its answer.
    pub(crate) fn new(mut unit: UnitOfWork, entropy: &Entropy) -> Result<(Self, Answer), LimitError> {
        let bytes = unit.check_limits()?;
        unit.seal(entropy);
        let (reply, answer) = oneshot::channel();
        Ok((Self { unit: Box::new(unit), bytes, submitted: Instant::now(), reply }, answer))
    }

    fn answer(self, answer: Result<Appended, AppendError>) {
        // Whoever asked may have gone; the unit is committed all the same.
        drop(self.reply.send(answer));
    }
}

/// Waits for the answer to a unit that was submitted.
pub(crate) async fn answered(answer: Answer) -> Result<Appended, AppendError> {
    // The writer ended with the unit in hand: it may have been in the middle of the commit.
    answer.await.unwrap_or(Err(AppendError::Unknown { source: StoreError::Closed }))
}

/// How many units of one group may be answered alone before the rest is tried one by one.
const REMOVED_UNITS_MAX: usize = 4;

/// The waits after passing failures. The units' patience ends them, not a number of attempts.
const PASSING: Retry =
    Retry { wait_first: Duration::from_millis(4), wait_max: Duration::from_millis(500), attempts_max: u32::MAX };

/// How many units are decided while the events of those before them are written. A part costs a round trip of its own. Small in
/// tests, so that simulated crashes fall between parts too.
const PART_UNITS: usize = if cfg!(test) { 2 } else { 128 };

/// The writer.
pub(crate) struct Appender {
    pub(crate) backend: Arc<Backend>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) patience: Duration,
    pub(crate) committed: watch::Sender<Committed>,
    pub(crate) group_number: u64,
    pub(crate) known: KnownStreams,
}

/// How an attempt at a group ended without its commit.
enum Failure {
    /// This unit alone is to blame.
    Unit { index: usize, error: AppendError },
    /// The same may succeed later.
    Passing(StoreError),
    /// It would fail again.
    Lasting(StoreError),
    /// The commit's answer was lost and could not be found out.
    Unknown(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_transient() { Self::Passing(error) } else { Self::Lasting(error) }
    }
}

type Answers = Vec<Result<Appended, AppendError>>;

impl Appender {
    /// Serves until the last handle of the store is gone and the queue is empty. A writer that panicked may have broken a promise
    /// that nobody checks again: the process ends with it.
    pub(crate) async fn serve(self, queue: mpsc::Receiver<Submission>) {
        if AssertUnwindSafe(self.serve_queue(queue)).catch_unwind().await.is_err() {
            tracing::error!("the writer of a store panicked, the process ends");
            std::process::abort();
        }
    }

    async fn serve_queue(mut self, queue: mpsc::Receiver<Submission>) {
        let mut waiting = Waiting::new(queue);
        while let Some(group) = Gathered::next(&mut waiting).await {
            self.run(group, &mut waiting).await;
        }
    }

    /// Brings every unit of the group to an answer.
    async fn run(&mut self, group: Gathered, waiting: &mut Waiting) {
        let left = self.run_together(group, REMOVED_UNITS_MAX, waiting).await;
        for submission in left {
            let rest = self.run_together(Gathered::alone(submission), 0, waiting).await;
            assert!(rest.is_empty(), "a unit that is tried alone must be answered");
        }
    }

    /// Tries the group as one transaction. Gives back what is better tried unit by unit.
    async fn run_together(
        &mut self,
        mut group: Gathered,
        mut removals: usize,
        waiting: &mut Waiting,
    ) -> Vec<Submission> {
        let mut failures = 0;
        while !group.units.is_empty() {
            let failure = match self.attempt(&mut group, waiting).await {
                Ok(answers) => {
                    assert_eq!(group.units.len(), answers.len(), "each unit of a group has one answer");
                    drop(tokio::spawn(tell(group.units, answers)));
                    return Vec::new();
                }
                Err(failure) => failure,
            };
            let units = &mut group.units;
            match failure {
                Failure::Unit { index, error } => {
                    units.remove(index).answer(Err(error));
                    if removals == 0 {
                        return group.units;
                    }
                    removals -= 1;
                }
                Failure::Passing(source) => {
                    tracing::warn!(error = %source, units = units.len(), "a group was given up");
                    *units = self.refuse_late(std::mem::take(units), &source);
                    failures += 1;
                    if !units.is_empty() {
                        tokio::time::sleep(PASSING.wait(failures, &self.entropy)).await;
                    }
                }
                Failure::Lasting(source) if units.len() == 1 => {
                    return refuse_all(group.units, &AppendError::Store { source });
                }
                Failure::Lasting(_) => return group.units,
                Failure::Unknown(source) => return refuse_all(group.units, &AppendError::Unknown { source }),
            }
        }
        Vec::new()
    }

    /// Tells the callers who have waited for as long as the store's patience lasts, since they submitted their unit, and gives
    /// the others.
    fn refuse_late(&self, group: Vec<Submission>, source: &StoreError) -> Vec<Submission> {
        let (late, others): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|submission| submission.submitted.elapsed() >= self.patience);
        for submission in late {
            let waited_ms = u64::try_from(submission.submitted.elapsed().as_millis()).unwrap_or(u64::MAX);
            submission.answer(Err(AppendError::Unavailable { waited_ms, source: source.clone() }));
        }
        others
    }

    /// One transaction for the group: read, decide and write, commit.
    async fn attempt(&mut self, group: &mut Gathered, waiting: &mut Waiting) -> Result<Answers, Failure> {
        let (transaction, mut wanted) = group.until(self.backend.begin(), waiting).await;
        let mut transaction = transaction?;
        let found = match self.find(&mut transaction, &mut wanted).await {
            Ok(found) => found,
            Err(error) => {
                transaction.give_up().await;
                return Err(error.into());
            }
        };
        let now = self.clock.now();
        let mut admission = Admission::new(*transaction.head(), found, now);
        let answers = match decide(&mut admission, &group.units, &mut transaction).await {
            Ok(answers) if answers.iter().any(Result::is_ok) => answers,
            ended => {
                transaction.give_up().await;
                return ended.map_err(blame);
            }
        };
        let (rows, head, newest) = admission.finish();
        self.group_number += 1;
        let mark = GroupMark { number: self.group_number, written: now };
        if let Err(error) = transaction.write(&rows, &head, mark).await {
            transaction.give_up().await;
            return Err(blame(error));
        }
        self.commit(transaction).await?;
        self.known.note(&head, newest);
        let changes = (rows.timers_new.len() + rows.timers_changed.len()) as u64;
        self.committed.send_modify(|committed| {
            committed.position = committed.position.max(head.position);
            committed.timer_changes += changes;
        });
        Ok(answers)
    }

    /// Reads what the group depends on, except for the streams that are known.
    async fn find(&mut self, transaction: &mut Group, wanted: &mut Wanted) -> Result<Found, StoreError> {
        let head = *transaction.head();
        if let Some(start) = self.known.behind(&head) {
            let stretch = transaction.stretch_from(start).await?;
            self.known.follow(&head, &stretch);
        }
        let known = self.known.take(wanted);
        let mut found = transaction.find(wanted).await?;
        found.newest.extend(known);
        Ok(found)
    }

    /// Commits; after a lost answer, asks until it is known or patience ends.
    async fn commit(&self, transaction: Group) -> Result<(), Failure> {
        if is_planted(Mutant::AnswerBeforeCommit) {
            drop(tokio::spawn(transaction.commit()));
            return Ok(());
        }
        let Err(lost) = transaction.commit().await else { return Ok(()) };
        if is_planted(Mutant::UnknownIsCommitted) {
            return Ok(());
        }
        if is_planted(Mutant::UnknownIsNotCommitted) {
            return Err(lost.into());
        }
        tracing::warn!(error = %lost, "the answer to a commit was lost, asking whether the group is there");
        let started = Instant::now();
        let mut failures = 0;
        loop {
            match self.backend.is_committed(self.group_number).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(lost.into()),
                Err(error) if !error.is_transient() || started.elapsed() >= self.patience => {
                    return Err(Failure::Unknown(error));
                }
                Err(_) => {
                    failures += 1;
                    tokio::time::sleep(PASSING.wait(failures, &self.entropy)).await;
                }
            }
        }
    }
}

/// Tells the callers of a group that is committed.
async fn tell(group: Vec<Submission>, answers: Answers) {
    for (submission, answer) in group.into_iter().zip(answers) {
        submission.answer(answer);
    }
}

/// Decides the units one after another. While a part of them is decided, the events of the part before are written; the last
/// part's are left to be written with the rows of the group.
async fn decide(
    admission: &mut Admission,
    group: &[Submission],
    transaction: &mut Group,
) -> Result<Answers, WriteError> {
    let mut answers = Answers::with_capacity(group.len());
    for part in group.chunks(PART_UNITS) {
        let decided_before = admission.take_events();
        let deciding = async {
            for submission in part {
                answers.push(admission.admit(answers.len(), &submission.unit).map_err(AppendError::from));
            }
        };
        let (written, ()) = tokio::join!(biased; transaction.write_events(&decided_before), deciding);
        written?;
    }
    Ok(answers)
}

fn refuse_all(group: Vec<Submission>, error: &AppendError) -> Vec<Submission> {
    tracing::error!(error = %error, units = group.len(), "a group was not written");
    for submission in group {
        submission.answer(Err(error.clone()));
    }
    Vec::new()
}

fn blame(error: WriteError) -> Failure {
    match error {
        WriteError::Rows { unit, sql, expected, changed } => {
            Failure::Unit { index: unit, error: Refusal::StateRows { sql, expected, changed }.into() }
        }
        WriteError::Statement { unit, error } => {
            Failure::Unit { index: unit, error: AppendError::Store { source: error } }
        }
        WriteError::Store(error) => error.into(),
    }
}
