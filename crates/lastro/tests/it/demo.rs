//! The demonstration as a whole: from nothing to settled bonds, again, kept running, and with other lists.

use crate::ledger_fixture::{inspect, log_file};
use crate::program::{Answer, BONDS, LIMIT, Process, lastro, root, text, wait_until};
use chain::{HttpTransport, Rpc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Transactions that the demonstration orders for the six bonds of the repository's list.
pub(crate) const TRANSACTIONS: usize = 212;

/// A report without what differs from run to run: blocks, gas that depends on who came first, hashes, latencies.
pub(crate) fn normalised(report: &str) -> String {
    report.lines().map(normalised_line).collect::<Vec<String>>().join("\n")
}

fn normalised_line(line: &str) -> String {
    let mut cells: Vec<&str> = line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let is_number = |cell: &&str| cell.chars().all(|character| character.is_ascii_digit());
    if cells.len() == 4 && is_number(&cells[1]) && is_number(&cells[3]) {
        cells[2] = "[blocks]";
        cells[3] = "[gas]";
    }
    if cells.len() == 9 && is_number(&cells[6]) && is_number(&cells[7]) {
        cells[6] = "[block]";
        cells[7] = "[gas]";
        cells[8] = "[hash]";
    }
    let line = cells.join("  ");
    let without_latency = line.split_once(": p50 ").map(|(before, _)| format!("{before}: p50 [ms], p99 [ms]"));
    without_latency.unwrap_or(line)
}

/// Plays it in a directory and says what it reports to machines.
pub(crate) fn play(dir: &Path) -> Answer {
    lastro(&["demo", "--json", "--data-dir", text(dir)])
}

/// What a report says of each transaction, without whether this run sent it.
pub(crate) fn transactions(report: &Value) -> Vec<Value> {
    let mut transactions = report["transactions"].as_array().unwrap().clone();
    for transaction in &mut transactions {
        let _ = transaction.as_object_mut().unwrap().remove("isRepeated");
    }
    transactions
}

/// Transactions that a run sent itself.
fn sent(report: &Value) -> usize {
    report["transactions"].as_array().unwrap().iter().filter(|one| one["isRepeated"] == json!(false)).count()
}

/// Checks that everything is on the ledger once, and that the books agree with it.
pub(crate) fn check_whole(report: &Value, dir: &Path) {
    assert_eq!((&report["agrees"], &report["differences"]), (&json!(true), &json!([])));
    let hashes: BTreeSet<String> =
        transactions(report).iter().map(|one| one["transaction"].as_str().unwrap().to_owned()).collect();
    assert_eq!(hashes.len(), TRANSACTIONS);
    assert_eq!(
        inspect(&dir.join("ledger"))["head"]["transactions"],
        json!(TRANSACTIONS),
        "nothing else is on the ledger"
    );
}

#[test]
fn a_second_run_in_the_same_directory_sends_nothing_and_shows_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let first = play(folder.path()).ok().json();
    check_whole(&first, folder.path());
    assert_eq!(sent(&first), TRANSACTIONS);
    let second = play(folder.path()).ok().json();
    check_whole(&second, folder.path());
    assert_eq!((sent(&second), transactions(&second)), (0, transactions(&first)));
    for part in ["stages", "operations", "refused", "balances", "postings"] {
        assert_eq!(first[part], second[part], "{part}");
    }
}

#[test]
fn two_fresh_runs_beside_each_other_do_not_meet() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let arguments = |dir| ["demo", "--json", "--data-dir", dir];
    let running = folders.each_ref().map(|folder| Process::start(&arguments(text(folder.path()))));
    let reports = running.map(|process| process.answer().ok().json());
    for (report, folder) in reports.iter().zip(&folders) {
        check_whole(report, folder.path());
        assert_eq!(sent(report), TRANSACTIONS);
    }
    assert_eq!(reports[0]["balances"], reports[1]["balances"]);
}

#[test]
fn without_a_directory_each_run_makes_a_fresh_one() {
    let report = lastro(&["demo", "--json"]).ok().json();
    let ledger = Path::new(report["ledger"]["dataDir"].as_str().unwrap());
    let dir = ledger.parent().unwrap();
    assert!(dir.starts_with(std::env::temp_dir()));
    check_whole(&report, dir);
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn kept_running_it_answers_on_its_ports_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let ports = ["--keep", "--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"];
    let arguments = [["demo", "--json", "--data-dir", text(folder.path())].as_slice(), &ports].concat();
    let mut process = Process::start(&arguments);
    let line = wait_until("the report is there", LIMIT, || {
        assert!(!process.has_ended(), "the demonstration ended");
        Some(process.stdout_so_far()).filter(|stdout| stdout.ends_with('\n'))
    });
    let report: Value = serde_json::from_str(&line).unwrap();
    let rpc = Rpc::new(Arc::new(HttpTransport::new(report["ledger"]["http"].as_str().unwrap()).unwrap()));
    for transaction in transactions(&report) {
        let hash = transaction["transaction"].as_str().unwrap().parse().unwrap();
        let receipt = rpc.receipt(hash).await.unwrap().unwrap();
        assert_eq!(json!(receipt.block_number), transaction["block"]);
        assert_eq!(json!(receipt.is_success), transaction["succeeded"]);
    }
    let answer = process.terminate();
    assert_eq!(answer.code, 0);
    assert!(answer.stdout == line, "nothing follows the report");
    check_whole(&report, folder.path());
}

/// Writes a list with the first bonds of the repository's.
fn shorter_list(bonds: usize, folder: &Path) -> String {
    let published = std::fs::read_to_string(root().join(BONDS)).unwrap();
    let list: Vec<&str> = published.lines().take(1 + bonds).collect();
    let path = folder.join(format!("{bonds}.csv"));
    std::fs::write(&path, list.join("\n")).unwrap();
    text(&path).to_owned()
}

#[test]
fn another_list_has_its_own_story_and_its_own_directory() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = [1, 2].map(|bonds| shorter_list(bonds, folder.path()));
    let dirs = ["one", "two"].map(|name| folder.path().join(name));
    let arguments = |list, dir| ["demo", "--json", "--bonds", list, "--data-dir", dir];
    let running = [(&one, &dirs[0]), (&two, &dirs[1])].map(|(list, dir)| Process::start(&arguments(list, text(dir))));
    let [short, longer] = running.map(|process| process.answer().ok().json());
    assert_eq!((&short["agrees"], &longer["agrees"]), (&json!(true), &json!(true)));
    assert!(short["transactions"].as_array().unwrap().len() < longer["transactions"].as_array().unwrap().len());

    let refused = lastro(&["demo", "--bonds", &two, "--data-dir", text(&dirs[0])]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("holds the demonstration of another list of bonds"), "{}", refused.stderr);
    let again = lastro(&arguments(&one, text(&dirs[0]))).ok().json();
    assert_eq!(transactions(&again), transactions(&short), "what was refused has changed nothing");
}

#[test]
fn a_ledger_that_lost_final_blocks_is_not_played_on() {
    let folder = tempfile::tempdir().unwrap();
    let report = play(folder.path()).ok().json();
    let log = log_file(&folder.path().join("ledger"));
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() * 9 / 10]).unwrap();
    let refused = play(folder.path());
    assert_eq!(refused.code, 3);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("the ledger's data was replaced or rewound"), "{error}");
    std::fs::write(&log, &whole).unwrap();
    assert_eq!(transactions(&play(folder.path()).ok().json()), transactions(&report));
}

#[test]
fn stopped_before_its_end_it_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("chain.db-wal");
    let process = Process::start(&["demo", "--json", "--data-dir", text(folder.path())]);
    wait_until("the first transaction is stored", LIMIT, || store.exists().then_some(()));
    let answer = process.terminate();
    assert_eq!(answer.code, 5);
    assert_eq!(answer.json()["error"], json!("the demonstration was stopped before its end"));
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("demo --data-dir {}`", text(folder.path()))), "{hint}");
    check_whole(&play(folder.path()).ok().json(), folder.path());
}
