//! How long to wait before trying again: longer each time, up to a limit, and not the same for all that wait.

use std::time::Duration;

use crate::entropy::Entropy;

/// The first wait, of which half is certain.
const FIRST_MICROS: u64 = 50_000;

/// No wait is longer than 5 s: a server that comes back is found within it.
const LONGEST_MICROS: u64 = 5_000_000;

/// Doublings after which the longest wait is reached: 50 ms · 2^7 = 6.4 s.
const DOUBLINGS_MAX: u32 = 7;

/// The wait after so many failures in a row: between half of the full wait and all of it.
pub(crate) fn wait(failures: u32, entropy: &Entropy) -> Duration {
    let full = (FIRST_MICROS << failures.saturating_sub(1).min(DOUBLINGS_MAX)).min(LONGEST_MICROS);
    let mut random = [0; 4];
    entropy.fill(&mut random);
    let half = full / 2;
    // At most 2.5 · 10^6 times 2^32, which is far below 2^64.
    Duration::from_micros(half + ((half * u64::from(u32::from_be_bytes(random))) >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_differ() {
        let entropy = Entropy::seeded(7);
        for failures in [0, 1, 2, 5, 8, 100, u32::MAX] {
            let full = (FIRST_MICROS << failures.clamp(1, 8).saturating_sub(1)).min(LONGEST_MICROS);
            let waits: Vec<Duration> = (0..50).map(|_| wait(failures, &entropy)).collect();
            let (least, most) = (Duration::from_micros(full / 2), Duration::from_micros(full));
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "{failures}");
        }
    }
}
