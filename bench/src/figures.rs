//! Figures of a run, in whole numbers: rates, shares of a sample, milliseconds.

use std::time::Duration;

/// A sample of durations.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// In microseconds, ascending.
    sorted_us: Vec<u64>,
}

impl Sample {
    /// A sample of durations in microseconds, in any order.
    pub(crate) fn new(mut durations_us: Vec<u64>) -> Self {
        durations_us.sort_unstable();
        Self { sorted_us: durations_us }
    }

    /// The duration, in microseconds, that so many per cent of the sample do not exceed (nearest rank); 0 for an empty
    /// sample.
    pub(crate) fn percentile_us(&self, percent: usize) -> u64 {
        let rank = (self.sorted_us.len() * percent).div_ceil(100).max(1);
        self.sorted_us.get(rank - 1).copied().unwrap_or_default()
    }

    /// How many durations there are.
    pub(crate) fn len(&self) -> usize {
        self.sorted_us.len()
    }
}

/// How many per second, rounded down; 0 for no time.
pub(crate) fn per_second(count: u64, elapsed: Duration) -> u64 {
    let microseconds = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / microseconds).unwrap_or(u64::MAX)
}

/// Milliseconds with one decimal.
pub(crate) fn milliseconds(microseconds: u64) -> String {
    format!("{}.{}", microseconds / 1_000, microseconds % 1_000 / 100)
}

/// Seconds with two decimals.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{}.{:02}", duration.as_secs(), duration.subsec_millis() / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_of_the_sample() {
        let sample = Sample::new((1..=200).rev().collect());
        assert_eq!([50, 95, 99, 100].map(|percent| sample.percentile_us(percent)), [100, 190, 198, 200]);
        assert_eq!(Sample::new(vec![7]).percentile_us(50), 7);
        assert_eq!(Sample::new(Vec::new()).percentile_us(99), 0);
    }

    #[test]
    fn rates_and_times_are_whole_numbers() {
        assert_eq!(per_second(10_000, Duration::from_millis(1_500)), 6_666);
        assert_eq!(
            (milliseconds(12_345), seconds(Duration::from_millis(61_239))),
            ("12.3".to_owned(), "61.23".to_owned())
        );
    }
}
