//! Parked timers: listed, tried again, or left out, by a person.

use messages::{TenantId, Timestamp};

use crate::appender::AppendError;
use crate::consumer::{cut, one_row};
use crate::group::Refusal;
use crate::query::Value;
use crate::store::{Store, StoreError};
use crate::unit::{Parameter, Statement, Timer, TimerName, UnitOfWork};

/// How many parked timers are listed at most.
pub const PARKED_TIMERS_LISTED_MAX: usize = 10_000;

/// A timer that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedTimer {
    /// Its name.
    pub name: TimerName,
    /// When it was due.
    pub due: Timestamp,
    /// Why it could not be fired.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Since when it is parked.
    pub since: Timestamp,
}

/// What a person decided of a parked timer was not written.
#[derive(Debug, thiserror::Error)]
pub enum TimerRetryError {
    /// It is not parked: it was retried, skipped, cancelled or set anew.
    #[error("timer `{name}` is not parked")]
    NotParked {
        /// Its name.
        name: Box<str>,
    },
    /// The store cannot be written.
    #[error("what becomes of timer `{name}` was not written")]
    Append {
        /// Its name.
        name: Box<str>,
        /// Why not.
        source: AppendError,
    },
}

/// A timer that is fired, cancelled or set anew loses its row here in the same group: see `write_timers` of either store.
const LIST: &str = "SELECT tenant, name, due_us, reason, attempts, parked_us FROM parked_timers
    ORDER BY due_us, tenant, name LIMIT $1";

/// Adds no row if the timer does not stand any more.
const PARK: &str = "INSERT INTO parked_timers (tenant, name, due_us, reason, attempts, parked_us)
    SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (
        SELECT 1 FROM timers WHERE timer_hash = $7 AND tenant = $1 AND name = $2 AND due_us = $3)
    ON CONFLICT (tenant, name) DO UPDATE SET due_us = excluded.due_us, reason = excluded.reason,
        attempts = excluded.attempts, parked_us = excluded.parked_us";

const UNPARK: &str = "DELETE FROM parked_timers WHERE tenant = $1 AND name = $2 AND due_us = $3";

const RECORD_SKIP: &str =
    "INSERT INTO skipped (what, consumer, position, tenant, name, reason, attempts, who, why, skipped_us)
    SELECT 'timer', '', due_us, tenant, name, reason, attempts, $4, $5, $6
    FROM parked_timers WHERE tenant = $1 AND name = $2 AND due_us = $3";

/// The parked timers of a store, the earliest first, at most [`PARKED_TIMERS_LISTED_MAX`].
///
/// # Errors
///
/// If the database cannot be read, or a row is damaged.
pub async fn parked_timers(store: &Store) -> Result<Vec<ParkedTimer>, StoreError> {
    let limit = i64::try_from(PARKED_TIMERS_LISTED_MAX).unwrap_or(i64::MAX);
    let rows = store.rows(LIST, &[Parameter::Integer(limit)]).await?;
    rows.iter().map(|row| parked_of(row)).collect()
}

/// Lets the runner fire a parked timer again; it has all its attempts anew.
///
/// # Errors
///
/// If it is not parked, or the store cannot be written.
pub async fn retry_timer(store: &Store, timer: &ParkedTimer) -> Result<(), TimerRetryError> {
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(one_row(UNPARK, key(&timer.name, timer.due)));
    settle(store, unit, timer).await?;
    store.wake_timers();
    Ok(())
}

/// Leaves a parked timer out for good, and keeps who decided so and why.
///
/// # Errors
///
/// If it is not parked, or the store cannot be written.
pub async fn skip_timer(store: &Store, timer: &ParkedTimer, who: &str, why: &str) -> Result<(), TimerRetryError> {
    let mut record = key(&timer.name, timer.due);
    record.extend([
        Parameter::Text(cut(who).to_owned()),
        Parameter::Text(cut(why).to_owned()),
        Parameter::Integer(store.clock().now().micros()),
    ]);
    let mut unit = UnitOfWork::new();
    let _ = unit
        .fire_timer(timer.name.clone(), timer.due)
        .statement(one_row(RECORD_SKIP, record))
        .statement(one_row(UNPARK, key(&timer.name, timer.due)));
    settle(store, unit, timer).await
}

async fn settle(store: &Store, unit: UnitOfWork, timer: &ParkedTimer) -> Result<(), TimerRetryError> {
    let name = timer.name.name.clone();
    match store.append(unit).await {
        Ok(_) => Ok(()),
        Err(AppendError::Refused(Refusal::StateRows { .. } | Refusal::TimerGone { .. })) => {
            Err(TimerRetryError::NotParked { name })
        }
        Err(source) => Err(TimerRetryError::Append { name, source }),
    }
}

pub(super) async fn park(store: &Store, timer: &Timer, failures: u32, why: &str) -> Result<(), AppendError> {
    let mut parameters = key(&timer.name, timer.due);
    parameters.extend([
        Parameter::Text(cut(why).to_owned()),
        Parameter::Integer(failures.into()),
        Parameter::Integer(store.clock().now().micros()),
        Parameter::Integer(timer.name.narrow()),
    ]);
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(Statement { sql: PARK, parameters, rows_expected: None });
    store.append(unit).await.map(|_| ())
}

fn key(name: &TimerName, due: Timestamp) -> Vec<Parameter> {
    vec![
        Parameter::Text(name.tenant.as_str().to_owned()),
        Parameter::Text(name.name.to_string()),
        Parameter::Integer(due.micros()),
    ]
}

fn parked_of(row: &[Value]) -> Result<ParkedTimer, StoreError> {
    let read = || {
        let [tenant, name, due, reason, attempts, since] = row else { return None };
        Some(ParkedTimer {
            name: TimerName { tenant: TenantId::parse(tenant.text()?).ok()?, name: name.text()?.into() },
            due: Timestamp::from_micros(due.integer()?),
            reason: reason.text()?.to_owned(),
            attempts: attempts.integer()?.try_into().ok()?,
            since: Timestamp::from_micros(since.integer()?),
        })
    };
    read().ok_or_else(|| {
        let place = row.get(1).and_then(Value::text).unwrap_or_default().to_owned();
        StoreError::Damaged { what: "parked timer", place, why: "a column is not what it must be".to_owned() }
    })
}
