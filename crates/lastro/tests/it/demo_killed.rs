//! The demonstration under SIGKILL: whenever it dies, the same command goes on, and in the end everything is there once.
//!
//! `LASTRO_KILLS` sets the number of kills, `LASTRO_SEED` their moments.

use crate::demo::{check_whole, play, transactions};
use crate::ledger_fixture::log_file;
use crate::program::{LIMIT, Process, lastro, text, wait_until};
use crate::seeded::{Seeded, rounds};
use std::path::Path;

/// Kills of the short form.
const KILLS: usize = 20;
/// Kills in one directory, after which it may finish: enough that most stages are interrupted.
const KILLS_IN_A_ROW_MAX: usize = 10;
/// Blocks that a run may seal before it dies, and changes on disk that it may make after those: so that deaths fall into
/// every stage, and into every moment of one. A whole run has some fifteen blocks and two hundred changes.
const BLOCKS_END: u64 = 5;
const CHANGES_END: u64 = 24;

/// Changes that a first run makes until its first transaction is stored, more or less: files come to be.
const FIRST_CHANGES_END: u64 = 8;

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
struct Moment {
    blocks: u64,
    changes: u64,
}

impl Moment {
    /// While a directory comes to be.
    fn first(random: &mut Seeded) -> Self {
        Self { blocks: 0, changes: random.below(FIRST_CHANGES_END) }
    }

    fn later(random: &mut Seeded) -> Self {
        Self { blocks: random.below(BLOCKS_END), changes: random.below(CHANGES_END) }
    }
}

/// How far a run has come, as seen from outside: what is there, and how long the files are that every step writes to. The
/// log is first.
fn progress(dir: &Path) -> [Option<u64>; 5] {
    let ledger = dir.join("ledger");
    let log = log_file(&ledger);
    let files = [log, ledger.join("network.json"), dir.join("plan"), dir.join("chain.db"), dir.join("chain.db-wal")];
    files.map(|file| std::fs::metadata(file).ok().map(|metadata| metadata.len()))
}

/// Lets a run come to a moment, then kills it. Whether it was killed, and not done before.
fn killed_at(moment: Moment, dir: &Path) -> bool {
    let mut process = Process::start(&["demo", "--json", "--data-dir", text(dir)]);
    let (mut last, mut blocks, mut changes) = (progress(dir), 0, 0);
    let has_ended = wait_until("the demonstration goes on", LIMIT, || {
        let now = progress(dir);
        if blocks < moment.blocks {
            blocks += u64::from(now[0] != last[0]);
        } else {
            changes += u64::from(now != last);
        }
        last = now;
        let is_due = blocks >= moment.blocks && changes >= moment.changes;
        if process.has_ended() { Some(true) } else { is_due.then_some(false) }
    });
    let _ = process.kill();
    !has_ended
}

#[test]
fn killed_at_any_moment_it_goes_on_and_everything_happens_once() {
    let mut random = Seeded::new(1);
    let (seed, mut kills_left) = (random.seed(), rounds("LASTRO_KILLS", KILLS));
    while kills_left > 0 {
        let folder = tempfile::tempdir().unwrap();
        let (mut kills_here, mut moment) = (0, Moment::first(&mut random));
        while kills_here < kills_left.min(KILLS_IN_A_ROW_MAX) && killed_at(moment, folder.path()) {
            println!("killed at {moment:?}, with {:?}", progress(folder.path()));
            check_ledger(folder.path(), seed);
            kills_here += 1;
            moment = Moment::later(&mut random);
        }
        // A run that was quicker than its kill counts as one, so that this ends.
        kills_left = kills_left.saturating_sub(kills_here.max(1));
        let answer = play(folder.path());
        assert_eq!(answer.code, 0, "seed {seed}, after {kills_here} kills: {}", answer.shown(&[]));
        let report = answer.json();
        check_whole(&report, folder.path());
        let again = play(folder.path()).ok().json();
        assert_eq!(transactions(&again), transactions(&report), "seed {seed}");
    }
}

/// A ledger that was killed is not damaged: at most its last record is unfinished.
fn check_ledger(dir: &Path, seed: u64) {
    let ledger = dir.join("ledger");
    if ledger.join("network.json").exists() {
        let answer = lastro(&["ledger", "inspect", "--data-dir", text(&ledger)]);
        assert_eq!(answer.code, 0, "seed {seed}: {}", answer.shown(&[]));
    }
}
