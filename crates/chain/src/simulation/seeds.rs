//! Which seeds are played, and on how many cores.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Those of `LASTRO_CHAIN_SEEDS=FROM..TO`; without it, those of every test run.
pub(crate) fn chosen(usual: &str) -> Range<u64> {
    let text = std::env::var("LASTRO_CHAIN_SEEDS").unwrap_or_else(|_| usual.to_owned());
    let (from, to) = text.split_once("..").expect("LASTRO_CHAIN_SEEDS is FROM..TO");
    from.parse().expect("FROM is a number")..to.parse().expect("TO is a number")
}

/// Plays the seeds on all cores, and gives those that violate something, with what.
pub(crate) fn play_all(seeds: Range<u64>, play: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<(u64, String)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    play_all_on(cores, seeds, play)
}

/// The same, so many at once.
pub(crate) fn play_all_on(
    at_once: usize,
    seeds: Range<u64>,
    play: impl Fn(u64) -> Result<(), String> + Sync,
) -> Vec<(u64, String)> {
    let (next, violations) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            let _ = scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if let Err(violation) = play(seed) {
                        violations.lock().unwrap().push((seed, violation));
                    }
                }
            });
        }
    });
    violations.into_inner().unwrap()
}

/// Whether one of the seeds violates something: plays them on all cores until one does.
pub(crate) fn is_caught(seeds: Range<u64>, play: impl Fn(u64) -> Result<(), String> + Sync) -> bool {
    let is_caught = AtomicBool::new(false);
    let _ = play_all(seeds, |seed| match is_caught.load(Ordering::Relaxed) {
        true => Ok(()),
        false => play(seed).inspect_err(|_| is_caught.store(true, Ordering::Relaxed)),
    });
    is_caught.into_inner()
}
