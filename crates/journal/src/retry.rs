//! How often, and after which waits, something that failed is tried again.

use std::time::Duration;

use crate::entropy::Entropy;

/// Waits that double, with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The wait after the first failure.
    pub wait_first: Duration,
    /// The longest wait.
    pub wait_max: Duration,
    /// After so many failures it is not tried again by itself.
    pub attempts_max: u32,
}

/// What is usual for events and timers: 0.1 + 0.2 + … + 12.8 s, so that an event is parked after 15 to 26 seconds.
pub const RETRY: Retry =
    Retry { wait_first: Duration::from_millis(100), wait_max: Duration::from_secs(30), attempts_max: 9 };

impl Retry {
    /// The wait after so many failures. A random part of up to its half is taken off, so that those who failed together do not
    /// come back together.
    pub(crate) fn wait(&self, failures: u32, entropy: &Entropy) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self.wait_first.saturating_mul(1 << doublings).min(self.wait_max);
        let mut random = [0];
        entropy.fill(&mut random);
        wait - wait * u32::from(random[0]) / 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_end_and_lose_less_than_half() {
        let entropy = Entropy::seeded(7);
        for (failures, millis) in [(1, 100), (2, 200), (8, 12_800), (10, 30_000), (1_000, 30_000)] {
            let wait = RETRY.wait(failures, &entropy);
            let full = Duration::from_millis(millis);
            assert!(wait <= full && wait >= full / 2, "{failures}: {wait:?}");
        }
    }
}
