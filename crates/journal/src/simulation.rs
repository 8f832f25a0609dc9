//! Seeded lives of a small bank on its stores: whatever fails, each order has its effect once or not at all, and its caller knows.
//!
//! A seed decides the orders of some callers, who go at the same accounts, repeat themselves, ask twice at once and lose patience;
//! how the clock jumps; which steps of a group fail, before their effect or after it; and where the processes die: at a step, or
//! before any poll of the writer. Dead processes are born again on the same stores. Beside the callers a consumer reacts to what is
//! published, promises are settled by timers, and a reader follows the log. In the end everything is held against what the callers
//! were told (see [`check`]).
//!
//! On SQLite a world has one process, on PostgreSQL two at the same time. The databases work in threads and processes of their
//! own, whose pace no seed decides: a violation that is seen once may take some runs of its seed to be seen again.
//!
//! Other seeds: `LASTRO_JOURNAL_SEEDS=7000..9000 cargo test -p journal simulation`, and on PostgreSQL with
//! `LASTRO_JOURNAL_POSTGRES_SEEDS`.

mod bank;
mod caller;
mod check;
pub(crate) mod faults;
mod knowledge;
mod random;
mod reaction;
mod torn;
mod world;

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use self::faults::Tally;
use self::knowledge::Counts;
use self::world::{Ground, World};
use crate::mutant::Mutant;
use crate::store::Place;

/// The seeds that every test run plays on SQLite.
const SEEDS: &str = "0..500";

/// The seeds that every test run plays on PostgreSQL.
const POSTGRES_SEEDS: &str = "0..40";

/// In how many seeds each mutant must be caught.
const MUTANT_SEEDS: u64 = 300;

/// Seeds that are played at the same time on each core: a world mostly waits.
const WORLDS_PER_CORE: usize = 3;

/// What came to pass in many seeds.
#[derive(Debug, Default)]
struct Coverage {
    counts: Counts,
    tally: Tally,
}

impl Coverage {
    fn least(&self) -> u64 {
        self.counts.least().min(self.tally.least())
    }
}

/// Plays one seed, counts what came to pass, and says what was violated.
fn play(seed: u64, mutant: Option<Mutant>, ground: &Ground, coverage: &Mutex<Coverage>) -> Result<(), String> {
    let mut world = World::of(seed, mutant, ground);
    let result = world.live().and_then(|()| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check::check(&world))
    });
    let mut coverage = coverage.lock();
    coverage.tally.add(world.tally);
    coverage.counts.add(world.knowledge.with(|facts| facts.counts));
    for place in [&world.books, &world.seen] {
        if let Place::Sqlite { path } = place {
            // Violations are found again by their seed; thousands of worlds would fill the memory.
            for end in ["", "-wal", "-shm", ".lock"] {
                drop(std::fs::remove_file(format!("{}{end}", path.display())));
            }
        }
    }
    result
}

fn seeds(variable: &str, usual: &str) -> Range<u64> {
    let text = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let (from, to) = text.split_once("..").unwrap_or_else(|| panic!("{variable} is FROM..TO"));
    from.parse().expect("FROM is a number")..to.parse().expect("TO is a number")
}

/// A folder in memory if the machine has one, since no promise about power is tested here.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Plays the seeds on all cores, and gives those that were violated.
fn play_all(seeds: Range<u64>, ground: &Ground, coverage: &Mutex<Coverage>) -> Vec<(u64, String)> {
    let (next, violations) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from) * WORLDS_PER_CORE;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let _ = scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    if let Err(violation) = play(seed, None, ground, coverage) {
                        violations.lock().push((seed, violation));
                    }
                }
            });
        }
    });
    violations.into_inner()
}

#[test]
fn every_order_has_its_effect_once_and_its_caller_knows() {
    let (folder, coverage) = (folder(), Mutex::default());
    let seeds = seeds("LASTRO_JOURNAL_SEEDS", SEEDS);
    let violations = play_all(seeds.clone(), &Ground::Folder(folder.path().to_owned()), &coverage);
    let coverage = coverage.into_inner();
    println!("{coverage:?}");
    assert!(violations.is_empty(), "(seed, violation), again with LASTRO_JOURNAL_SEEDS: {violations:#?}");
    let is_enough = seeds.end - seeds.start >= 300;
    assert!(!is_enough || coverage.least() > 0, "something never came to pass: {coverage:?}");
}

#[test]
fn every_order_has_its_effect_once_also_with_two_processes_on_postgresql() {
    let database = test_servers::Postgres::shared().unwrap().database().unwrap();
    let coverage = Mutex::default();
    let seeds = seeds("LASTRO_JOURNAL_POSTGRES_SEEDS", POSTGRES_SEEDS);
    let violations = play_all(seeds.clone(), &Ground::Database(database), &coverage);
    let coverage = coverage.into_inner();
    println!("{coverage:?}");
    assert!(violations.is_empty(), "(seed, violation), again with LASTRO_JOURNAL_POSTGRES_SEEDS: {violations:#?}");
    let is_enough = seeds.end - seeds.start >= 40;
    assert!(!is_enough || coverage.least() > 0, "something never came to pass: {coverage:?}");
}

#[test]
fn planted_defects_are_caught() {
    let (folder, coverage) = (folder(), Mutex::default());
    let ground = Ground::Folder(folder.path().to_owned());
    let mutants = [
        Mutant::AnswerBeforeCommit,
        Mutant::UnknownIsNotCommitted,
        Mutant::UnknownIsCommitted,
        Mutant::NoKeyCheck,
        Mutant::VersionWithoutEvent,
        Mutant::RefusalUnconfirmed,
        Mutant::CursorUnfenced,
        Mutant::TimerUnfenced,
    ];
    std::thread::scope(|scope| {
        for mutant in mutants {
            let (ground, coverage) = (&ground, &coverage);
            let _ = scope.spawn(move || {
                let caught = (0..MUTANT_SEEDS)
                    .find_map(|seed| play(seed, Some(mutant), ground, coverage).err().map(|error| (seed, error)));
                println!("{mutant:?}: {caught:?}");
                assert!(caught.is_some(), "{mutant:?} went unnoticed in {MUTANT_SEEDS} seeds");
            });
        }
    });
}
