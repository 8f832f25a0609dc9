//! The ledger's clock: where block timestamps come from.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is for the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// The system's clock. What every network has.
    #[default]
    System,
    /// A clock that showed `began_at` when the ledger was `opened`, and goes on at the usual pace: a demonstration or a
    /// test can live on the day of its data.
    Shifted {
        /// Time since 1970 that it showed.
        began_at: Duration,
        /// When it showed that.
        opened: Instant,
    },
}

impl Clock {
    /// A clock that shows `unix_seconds` now.
    pub fn starting_at(unix_seconds: u64) -> Self {
        Self::Shifted { began_at: Duration::from_secs(unix_seconds), opened: Instant::now() }
    }

    /// Time since 1970; zero if the system's clock is set to before then.
    pub fn since_1970(&self) -> Duration {
        match self {
            Self::System => system_time(),
            Self::Shifted { began_at, opened } => began_at.saturating_add(opened.elapsed()),
        }
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(&self) -> u64 {
        self.since_1970().as_secs()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where the ledger reads the system's clock")]
fn system_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shifted_clock_shows_its_own_time_and_the_system_another() {
        let shifted = Clock::starting_at(1_000_000_000).unix_seconds();
        assert!((1_000_000_000..1_000_000_600).contains(&shifted), "{shifted}");
        assert!(Clock::System.unix_seconds() > 1_700_000_000);
    }
}
