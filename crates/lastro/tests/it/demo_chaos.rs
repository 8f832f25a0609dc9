//! The demonstration in two processes, over a bad link and under SIGKILL: in the end everything is there once, and the books are
//! those of a run in which nothing went wrong.
//!
//! `LASTRO_CHAOS_SEEDS=0..10` plays those seeds instead of one.

use crate::demo::{TRANSACTIONS, check_whole, play};
use crate::program::{Answer, Process, lastro, refusals, text, wait_until};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

/// Kills of each run.
const KILLS: u64 = 5;
/// How long a run may take: it ends itself before.
const RUN_MAX: Duration = Duration::from_secs(420);

/// The seeds of the environment, or one.
fn seeds() -> Range<u64> {
    let Ok(range) = std::env::var("LASTRO_CHAOS_SEEDS") else { return 1..2 };
    let (first, end) = range.split_once("..").unwrap();
    first.parse().unwrap()..end.parse().unwrap()
}

/// Plays a seed to its end.
fn played(seed: u64, dir: &Path, further: &[&str]) -> Answer {
    let (seed, kills) = (seed.to_string(), KILLS.to_string());
    let arguments = ["demo", "--chaos", &seed, "--kills", &kills, "--data-dir", text(dir)];
    let mut process = Process::start(&[&arguments, further].concat());
    wait_until("the demonstration under chaos ends", RUN_MAX, || process.has_ended().then_some(()));
    process.answer()
}

fn sum(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn over_a_bad_link_and_under_kills_the_end_is_that_of_a_run_without() {
    let folder = tempfile::tempdir().unwrap();
    let calm = play(&folder.path().join("calm")).ok().json();
    for seed in seeds() {
        let dir = folder.path().join(seed.to_string());
        let answer = played(seed, &dir, &["--json"]);
        assert_eq!(answer.code, 0, "seed {seed}: {}\n{}", answer.shown(&[]), logs(&dir));
        let report = answer.json();
        assert_eq!((&report["agrees"], &report["differences"]), (&json!(true), &json!([])), "seed {seed}");
        assert_eq!(sum(&report["kills"]), KILLS, "seed {seed}");
        assert!(sum(&report["faults"]) > 0, "seed {seed}");
        assert_eq!(report["transactions"], json!(TRANSACTIONS), "seed {seed}");
        assert_eq!(report["balances"], calm["balances"], "seed {seed}");
        // What it left is the directory of a demonstration like any other.
        let again = play(&dir).ok().json();
        let sent = again["transactions"].as_array().unwrap().iter().filter(|one| one["isRepeated"] == json!(false));
        assert_eq!((sent.count(), &again["balances"]), (0, &calm["balances"]), "seed {seed}");
    }
}

/// What the two processes have said.
fn logs(dir: &Path) -> String {
    let log = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap_or_default();
    ["platform.log", "ledger.log"].map(|name| format!("--- {name}\n{}", log(name))).concat()
}

#[test]
fn it_reports_in_both_languages_and_says_how_to_go_on_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let stopped = Process::start(&["demo", "--chaos", "2", "--json", "--data-dir", text(&dir)]);
    wait_until("the first transaction is stored", RUN_MAX, || dir.join("chain.db").exists().then_some(()));
    let stopped = stopped.terminate();
    assert_eq!(
        (stopped.code, stopped.json()["error"].as_str()),
        (5, Some("the demonstration was stopped before its end"))
    );
    let hint = stopped.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("demo --data-dir {}`", text(&dir))), "{hint}");
    // Nobody has the directory any more, and what is in it is gone on with.
    for (language, name) in [("en", "demo_chaos_en"), ("pt-BR", "demo_chaos_pt")] {
        let arguments = ["demo", "--chaos", "2", "--kills", "1", "--lang", language, "--data-dir", text(&dir)];
        let answer = lastro(&arguments).ok();
        let volatile = [(text(folder.path()), "[folder]"), (env!("CARGO_BIN_EXE_lastro"), "[lastro]")];
        assert_snapshot!(name, without_counts(&answer.shown(&volatile)));
    }
}

#[test]
fn what_it_started_ends_with_it_however_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&["demo", "--chaos", "3", "--kills", "0", "--data-dir", text(folder.path())]);
    wait_until("the first transaction is stored", RUN_MAX, || folder.path().join("chain.db").exists().then_some(()));
    let _ = process.kill();
    // The ledger of another process would hold the directory.
    let played = || Some(play(folder.path())).filter(|answer| answer.code == 0);
    let report = wait_until("the directory is free", RUN_MAX, played).json();
    check_whole(&report, folder.path());
}

#[test]
fn a_directory_of_another_list_is_refused_as_without_chaos() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan"), "of another list").unwrap();
    let answer = lastro(&["demo", "--chaos", "1", "--json", "--data-dir", text(folder.path())]);
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(answer.code == 2 && error.contains("holds the demonstration of another list of bonds"), "{answer:?}");
}

/// A report without how often what happened, which differs from run to run.
fn without_counts(report: &str) -> String {
    let line = |line: &str| {
        let (count, rest) = line.trim_start().split_once("  ").unwrap_or(("", line));
        let is_count = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        if is_count { format!("  [count]  {rest}") } else { line.to_owned() }
    };
    report.lines().map(line).collect::<Vec<String>>().join("\n")
}

#[test]
fn wrong_usage_ends_with_2() {
    let mistakes: [&[&str]; 6] = [
        &["demo", "--kills", "3"],
        &["demo", "--chaos", "x"],
        &["demo", "--chaos", "1", "--keep"],
        &["demo", "--chaos", "1", "--kills", "101"],
        &["demo", "--part", "platform"],
        &["demo", "--part", "ledger", "--chaos", "1"],
    ];
    assert_snapshot!(refusals(&mistakes));
}
