//! The clock of a store and its timers: the system's, or one that a test moves.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use messages::Timestamp;
use tokio::sync::watch;

/// Tells the time, and waits for it.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands until it is moved, in both directions.
    Manual(ManualClock),
}

/// A clock that stands until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<watch::Sender<Timestamp>>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(watch::Sender::new(now)))
    }

    /// Moves it to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        let _ = self.0.send_replace(now);
    }

    /// Moves it forwards.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = now.after(by));
    }
}

/// The longest single wait on the system's clock. After each the time is read again, so that a clock that was set is noticed.
const WAIT_MAX: Duration = Duration::from_secs(1);

impl Clock {
    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => system_now(),
            Self::Manual(clock) => *clock.0.borrow(),
        }
    }

    /// Waits until it is `due` or later.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped.
    pub async fn wait_until(&self, due: Timestamp) {
        match self {
            Self::System => loop {
                let micros = due.micros().saturating_sub(system_now().micros());
                let Ok(micros @ 1..) = u64::try_from(micros) else { return };
                tokio::time::sleep(Duration::from_micros(micros).min(WAIT_MAX)).await;
            },
            Self::Manual(clock) => {
                // This end keeps the sender alive, so the wait cannot fail.
                drop(clock.0.subscribe().wait_for(|now| *now >= due).await);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the rim: every other place is given this clock or one of a test")]
fn system_now() -> Timestamp {
    // A clock set before 1970 counts as 1970: recorded times never run backwards anyway.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
