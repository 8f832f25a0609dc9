//! Timers: commands that become due, each applied once.
//!
//! Whoever decides sets timers in its unit of work. The runner sleeps until the next is due by the store's clock, asks the handler
//! what is due to be done, and commits that in the unit that removes the timer: fired at least once, applied once, however often
//! the process dies or another one fires the same timer. Pending timers cost nothing; the next one is found by an index.
//!
//! A timer that cannot be fired is parked where it stands, and others go on. Cancelling or setting it anew still works.

mod parked;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use messages::{Payload, TenantId, Timestamp};
use tokio::sync::watch;

use self::parked::park;
use crate::appender::{self, AppendError, Committed};
use crate::consumer::{HandlerError, chain};
use crate::group::Refusal;
use crate::query::Value;
use crate::retry::{RETRY, Retry};
use crate::store::{Store, StoreError};
use crate::task::{Stop, Task};
use crate::unit::{Parameter, Timer, TimerName, UnitOfWork};

pub use self::parked::{
    PARKED_TIMERS_LISTED_MAX, ParkedTimer, TimerRetryError, parked_timers, retry_timer, skip_timer,
};

/// How many timers are fired at most before their units are awaited.
pub const TIMERS_PAGE_MAX: usize = 256;

/// How many timers that failed are passed over in one page at most. Beyond it, others that are due wait until some of these have
/// fired or are parked, which takes seconds.
const FAILING_PASSED_MAX: usize = 4_096;

/// Says what is due to be done.
pub trait TimerHandler: Send + Sync + 'static {
    /// The unit of work of a timer that is due. Called again after every failure: what it does itself, other than through the
    /// unit, must be safe to repeat.
    fn fire(&self, timer: &Timer) -> impl Future<Output = Result<UnitOfWork, HandlerError>> + Send;
}

impl<F> TimerHandler for F
where
    F: Fn(&Timer) -> Result<UnitOfWork, HandlerError> + Send + Sync + 'static,
{
    async fn fire(&self, timer: &Timer) -> Result<UnitOfWork, HandlerError> {
        self(timer)
    }
}

/// Fires the timers of a store.
#[derive(Debug)]
pub struct Timers<H> {
    store: Store,
    handler: H,
    retry: Retry,
}

/// The runner ended. Timers stay where they are.
#[derive(Debug, thiserror::Error)]
pub enum TimersError {
    /// The store is closed or damaged.
    #[error("timers cannot be read")]
    Store(#[source] StoreError),
    /// The store is closed.
    #[error("timers cannot be fired")]
    Append(#[source] AppendError),
}

/// Those that are parked stand in the table, and are passed over as long as they have the due time that they were parked with.
const DUE: &str = "SELECT tenant, name, due_us, payload FROM timers WHERE due_us <= $1 AND NOT EXISTS (
        SELECT 1 FROM parked_timers AS parked WHERE parked.tenant = timers.tenant AND parked.name = timers.name
            AND parked.due_us = timers.due_us)
    ORDER BY due_us LIMIT $2";

const NEXT: &str = "SELECT due_us FROM timers WHERE due_us > $1 ORDER BY due_us LIMIT 1";

/// Timers that failed, and when they are tried again.
#[derive(Debug, Default)]
struct Failing(HashMap<(TimerName, Timestamp), Failure>);

#[derive(Debug)]
struct Failure {
    failures: u32,
    again_at: Instant,
}

/// What came of firing what is due.
struct Round {
    /// The time by which it was due.
    now: Timestamp,
    tried: usize,
    /// Whether the store could not be written.
    is_out: bool,
}

/// A timer in hand: what its unit came to.
type InHand = (Timer, Result<appender::Answer, Fault>);

/// Why a timer did not fire.
enum Fault {
    Append(AppendError),
    Handler(HandlerError),
}

impl<H: TimerHandler> Timers<H> {
    /// The timers of `store`, fired by `handler`.
    #[must_use]
    pub const fn new(store: Store, handler: H) -> Self {
        Self { store, handler, retry: RETRY }
    }

    /// With other waits and attempts than [`RETRY`].
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Starts firing in the background.
    pub fn start(self: &Arc<Self>) -> Task<TimersError> {
        let timers = Arc::clone(self);
        Task::start(|stop| async move { timers.run(stop).await })
    }

    /// Fires timers until it is stopped.
    ///
    /// # Errors
    ///
    /// If the store is closed or damaged.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped anywhere and run again: each timer is applied once.
    pub async fn run(&self, stop: Stop) -> Result<(), TimersError> {
        self.store.listen_to_others();
        let mut committed = self.store.committed();
        let mut failing = Failing::default();
        let mut outages = 0;
        while !stop.is_requested() {
            let changes = committed.borrow_and_update().timer_changes;
            match self.fire_due(&mut failing).await {
                Ok(Round { is_out: false, tried: 0, now }) => tokio::select! {
                    () = stop.requested() => {}
                    () = changed(&mut committed, changes) => {}
                    () = failing.next_attempt() => {}
                    () = self.next_due(now) => {}
                },
                Ok(Round { is_out: false, .. }) => outages = 0,
                Ok(Round { is_out: true, .. }) => {
                    outages += 1;
                    stop.or_after(self.retry.wait(outages, self.store.entropy())).await;
                }
                Err(TimersError::Store(error)) if error.is_transient() => {
                    outages += 1;
                    tracing::warn!(error = %chain(&error), outages, "timers cannot be read");
                    stop.or_after(self.retry.wait(outages, self.store.entropy())).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Fires what is due.
    async fn fire_due(&self, failing: &mut Failing) -> Result<Round, TimersError> {
        let now = self.store.clock().now();
        // Those that wait for their next attempt must not hide the others.
        let limit = i64::try_from(TIMERS_PAGE_MAX + failing.0.len().min(FAILING_PASSED_MAX)).unwrap_or(i64::MAX);
        let parameters = [Parameter::Integer(now.micros()), Parameter::Integer(limit)];
        let rows = self.store.rows(DUE, &parameters).await.map_err(TimersError::Store)?;
        let due: Vec<Timer> =
            rows.iter().map(|row| timer_of(row)).collect::<Result<_, _>>().map_err(TimersError::Store)?;
        failing.forget_all_but(&due);
        let mut in_hand = Vec::new();
        for timer in due {
            if failing.may_try(&timer) {
                let answer = self.queue(&timer).await;
                in_hand.push((timer, answer));
            }
        }
        let tried = in_hand.len();
        let is_out = self.await_commits(in_hand, failing).await?;
        Ok(Round { now, tried, is_out })
    }

    async fn queue(&self, timer: &Timer) -> Result<appender::Answer, Fault> {
        let mut unit = self.handler.fire(timer).await.map_err(Fault::Handler)?;
        let _ = unit.fire_timer(timer.name.clone(), timer.due);
        self.store.submit(unit).await.map_err(Fault::Append)
    }

    /// Whether the store could not be written, which is no timer's fault.
    async fn await_commits(&self, in_hand: Vec<InHand>, failing: &mut Failing) -> Result<bool, TimersError> {
        let mut is_out = false;
        for (timer, answer) in in_hand {
            let fault = match answer {
                Ok(answer) => match appender::answered(answer).await {
                    Ok(_) => continue,
                    Err(error) => Fault::Append(error),
                },
                Err(fault) => fault,
            };
            let (is_poison, why) = match fault {
                Fault::Append(AppendError::Refused(Refusal::TimerGone { .. })) => continue,
                Fault::Append(error @ AppendError::Closed) => return Err(TimersError::Append(error)),
                Fault::Append(error @ (AppendError::Unavailable { .. } | AppendError::Unknown { .. })) => {
                    tracing::warn!(timer = %timer.name.name, error = %chain(&error), "timers cannot be fired");
                    is_out = true;
                    continue;
                }
                Fault::Append(error) => (matches!(error, AppendError::Limit(_)), chain(&error)),
                Fault::Handler(error) => (matches!(error, HandlerError::Poison { .. }), chain(&error)),
            };
            let failures = failing.add(&timer, &self.retry, &self.store);
            tracing::warn!(timer = %timer.name.name, failures, why, "a timer could not be fired");
            if is_poison || failures >= self.retry.attempts_max {
                is_out |= !self.park(&timer, failures, &why).await?;
            }
        }
        Ok(is_out)
    }

    /// Parks a timer. If the store cannot be written it says so, and the timer is tried again.
    async fn park(&self, timer: &Timer, failures: u32, why: &str) -> Result<bool, TimersError> {
        match park(&self.store, timer, failures, why).await {
            Ok(()) => {
                tracing::error!(timer = %timer.name.name, failures, why, "a timer is parked");
                Ok(true)
            }
            Err(error @ AppendError::Closed) => Err(TimersError::Append(error)),
            Err(error) => {
                tracing::warn!(timer = %timer.name.name, error = %chain(&error), "a timer could not be parked");
                Ok(false)
            }
        }
    }

    /// Waits until a timer is due that was not yet at `now`.
    async fn next_due(&self, now: Timestamp) {
        match self.store.rows(NEXT, &[Parameter::Integer(now.micros())]).await {
            Ok(rows) => match rows.first().and_then(|row| row.first()).and_then(Value::integer) {
                Some(due) => self.store.clock().wait_until(Timestamp::from_micros(due)).await,
                None => std::future::pending().await,
            },
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the next timer cannot be read");
                tokio::time::sleep(self.retry.wait(1, self.store.entropy())).await;
            }
        }
    }
}

/// Waits until timers changed, here or perhaps in another process.
async fn changed(committed: &mut watch::Receiver<Committed>, seen: u64) {
    if committed.wait_for(|committed| committed.timer_changes != seen).await.is_err() {
        std::future::pending().await
    }
}

impl Failing {
    /// Counts a failure and gives how often the timer failed.
    fn add(&mut self, timer: &Timer, retry: &Retry, store: &Store) -> u32 {
        let now = Instant::now();
        let failure = self.0.entry((timer.name.clone(), timer.due)).or_insert(Failure { failures: 0, again_at: now });
        failure.failures += 1;
        failure.again_at = now + retry.wait(failure.failures, store.entropy());
        failure.failures
    }

    fn may_try(&self, timer: &Timer) -> bool {
        let failure = self.0.get(&(timer.name.clone(), timer.due));
        failure.is_none_or(|failure| failure.again_at <= Instant::now())
    }

    /// Those that are not due any more were fired, cancelled, set anew or parked.
    fn forget_all_but(&mut self, due: &[Timer]) {
        if !self.0.is_empty() {
            let due: HashSet<(&TimerName, Timestamp)> = due.iter().map(|timer| (&timer.name, timer.due)).collect();
            self.0.retain(|(name, at), _| due.contains(&(name, *at)));
        }
    }

    async fn next_attempt(&self) {
        match self.0.values().map(|failure| failure.again_at).min() {
            Some(at) => tokio::time::sleep(at.saturating_duration_since(Instant::now())).await,
            None => std::future::pending().await,
        }
    }
}

fn timer_of(row: &[Value]) -> Result<Timer, StoreError> {
    let read = || {
        let [tenant, name, due, payload] = row else { return None };
        Some(Timer {
            name: TimerName { tenant: TenantId::parse(tenant.text()?).ok()?, name: name.text()?.into() },
            due: Timestamp::from_micros(due.integer()?),
            payload: Payload::from_stored(payload.bytes()?),
        })
    };
    read().ok_or_else(|| {
        let place = row.get(1).and_then(Value::text).unwrap_or_default().to_owned();
        StoreError::Damaged { what: "timer", place, why: "a column is not what it must be".to_owned() }
    })
}
