//! What happens to the steps of a process: each goes well, fails before its effect or after it, or is the process's last.
//!
//! A process is a thread here, and so its faults are the thread's. Failures come alone or in rows, as those of a connection that
//! stays away for a while; after so many of them the store is well for the rest of the life.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use tokio::sync::Notify;

use super::random::Random;
use crate::mutant::Mutant;
use crate::store::{Step, StoreError};

/// How many faults strike in one life at most.
const FAULTS_MAX: u32 = 16;

/// How many steps in a row a connection stays away at most.
const OUTAGE_STEPS_MAX: u64 = 10;

/// What came to pass in the steps of one life.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) before: u64,
    pub(super) after: u64,
    pub(super) lasting: u64,
    pub(super) lost_commits: u64,
    pub(super) deaths_at_step: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.before += other.before;
        self.after += other.after;
        self.lasting += other.lasting;
        self.lost_commits += other.lost_commits;
        self.deaths_at_step += other.deaths_at_step;
    }

    pub(super) fn least(&self) -> u64 {
        [self.before, self.after, self.lasting, self.lost_commits, self.deaths_at_step].into_iter().min().unwrap_or(0)
    }
}

/// The faults of one life of a process.
#[derive(Debug)]
pub(super) struct Faults {
    random: Random,
    per_mille: u64,
    left: u32,
    outage_steps: u64,
    steps: u64,
    /// At which step the process dies.
    death: Option<u64>,
    died: Arc<Notify>,
    mutant: Option<Mutant>,
    tally: Tally,
}

thread_local! {
    static OF_THIS_PROCESS: RefCell<Option<Faults>> = const { RefCell::new(None) };
}

impl Faults {
    pub(super) fn new(mut random: Random, death: Option<u64>, died: &Arc<Notify>, mutant: Option<Mutant>) -> Self {
        let per_mille = [0, 20, 80, 250][usize::try_from(random.below(4)).unwrap()];
        Self {
            random,
            per_mille,
            left: FAULTS_MAX,
            outage_steps: 0,
            steps: 0,
            death,
            died: Arc::clone(died),
            mutant,
            tally: Tally::default(),
        }
    }

    /// No fault, but the mutant.
    pub(super) fn none(mutant: Option<Mutant>) -> Self {
        let faults = Self::new(Random::new(0), None, &Arc::default(), mutant);
        Self { per_mille: 0, ..faults }
    }

    /// From now on the faults of this thread; gives back what came to pass under those before.
    pub(super) fn install(faults: Option<Self>) -> Tally {
        OF_THIS_PROCESS.replace(faults).map_or_else(Tally::default, |before| before.tally)
    }

    fn fate(&mut self, step: Step) -> Fate {
        self.steps += 1;
        if self.death.is_some_and(|at| self.steps >= at) {
            self.tally.deaths_at_step += 1;
            let died = Arc::clone(&self.died);
            return if self.random.per_mille(500) { Fate::DiesBefore(died) } else { Fate::DiesAfter(died) };
        }
        if self.outage_steps > 0 {
            self.outage_steps -= 1;
            self.tally.before += 1;
            return Fate::FailsBefore(passing());
        }
        if self.left == 0 || !self.random.per_mille(self.per_mille) {
            return Fate::Goes;
        }
        self.left -= 1;
        if self.random.per_mille(300) {
            self.outage_steps = self.random.below(OUTAGE_STEPS_MAX);
        }
        let error = if self.random.per_mille(150) { lasting() } else { passing() };
        self.tally.lasting += u64::from(!error.is_transient());
        if self.random.per_mille(500) {
            self.tally.before += 1;
            return Fate::FailsBefore(error);
        }
        self.tally.after += 1;
        self.tally.lost_commits += u64::from(step == Step::Commit);
        Fate::FailsAfter(error)
    }
}

enum Fate {
    Goes,
    FailsBefore(StoreError),
    FailsAfter(StoreError),
    DiesBefore(Arc<Notify>),
    DiesAfter(Arc<Notify>),
}

fn passing() -> StoreError {
    let source = sqlx::Error::Io(io::Error::new(io::ErrorKind::ConnectionReset, "planted: connection reset"));
    StoreError::Sql { doing: "do what a planted fault prevents", source: Arc::new(source) }
}

fn lasting() -> StoreError {
    let source = sqlx::Error::Decode("planted: not to be had".into());
    StoreError::Sql { doing: "do what a planted fault prevents", source: Arc::new(source) }
}

/// Takes a step with its fate.
pub(crate) async fn take<T, E: From<StoreError>>(step: Step, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let fate = OF_THIS_PROCESS.with_borrow_mut(|faults| faults.as_mut().map_or(Fate::Goes, |faults| faults.fate(step)));
    match fate {
        Fate::Goes => work.await,
        Fate::FailsBefore(error) => Err(error.into()),
        Fate::FailsAfter(error) => {
            drop(work.await?);
            Err(error.into())
        }
        Fate::DiesBefore(died) => {
            died.notify_one();
            std::future::pending().await
        }
        Fate::DiesAfter(died) => {
            // What it gives is kept until the life ends: nobody tidies up after a process that died.
            let _left_behind = work.await;
            died.notify_one();
            std::future::pending().await
        }
    }
}

/// Whether the defect is planted in this process.
pub(crate) fn is_planted(mutant: Mutant) -> bool {
    OF_THIS_PROCESS.with_borrow(|faults| faults.as_ref().is_some_and(|faults| faults.mutant == Some(mutant)))
}
