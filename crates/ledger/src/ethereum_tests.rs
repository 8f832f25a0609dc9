//! Ethereum's own tests, as the archived `ethereum/tests` repository and its successor publish them: state tests through
//! this ledger's executor, diffs and tries, trie tests through its trie, RLP tests through the codec that it writes its
//! log and its hashes with.
//!
//! The variable `LASTRO_ETHEREUM_TESTS` names an unpacked folder. Every JSON file in it, at any depth, is recognised by
//! what it holds. A test that does not apply to this ledger is named with its reason; nothing is passed over in silence.

mod rlp;
mod state;
mod trie;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folders within folders that are looked into.
const FOLDER_DEPTH_MAX: usize = 16;
/// Failures that are shown whole; the others are counted.
const FAILURES_SHOWN_MAX: usize = 50;

/// What became of the tests.
#[derive(Default)]
struct Report {
    passed: usize,
    /// Names by reason.
    not_applicable: BTreeMap<String, Vec<String>>,
    failures: Vec<String>,
}

/// What became of one test.
enum Verdict {
    Passed,
    NotApplicable(String),
    Failed(String),
}

impl Report {
    fn note(&mut self, name: String, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::NotApplicable(reason) => self.not_applicable.entry(reason).or_default().push(name),
            Verdict::Failed(why) => self.failures.push(format!("{name}: {why}")),
        }
    }

    fn print(&self) {
        for (reason, names) in &self.not_applicable {
            println!("ethereum: not applicable, {reason} ({}):", names.len());
            names.iter().for_each(|name| println!("    {name}"));
        }
        for failure in self.failures.iter().take(FAILURES_SHOWN_MAX) {
            println!("ethereum: FAILED {failure}");
        }
        let not_applicable: usize = self.not_applicable.values().map(Vec::len).sum();
        println!("ethereum: {} passed, {not_applicable} not applicable", self.passed);
    }
}

#[test]
fn ethereum_tests_that_apply_pass_and_the_others_are_named() {
    let Some(folder) = env::var_os("LASTRO_ETHEREUM_TESTS").filter(|folder| !folder.is_empty()) else {
        println!("ethereum: skipped, LASTRO_ETHEREUM_TESTS names no folder");
        return;
    };
    let folder = PathBuf::from(folder);
    let mut report = Report::default();
    for file in json_files(&folder) {
        let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
        run_file(&name, &fs::read(&file).unwrap(), &mut report);
    }
    report.print();
    assert!(report.failures.is_empty(), "{} tests fail, the first: {}", report.failures.len(), report.failures[0]);
    assert!(report.passed > 0, "no test in {} applies", folder.display());
}

/// Files whose name ends in `.json`, in order; what begins with a dot is bookkeeping.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(folder, FOLDER_DEPTH_MAX, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, depth_left: usize, found: &mut Vec<PathBuf>) {
    assert!(depth_left > 0, "{} lies more than {FOLDER_DEPTH_MAX} folders deep", folder.display());
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
    for entry in entries {
        let path = entry.unwrap().path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, depth_left - 1, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

fn run_file(file: &str, bytes: &[u8], report: &mut Report) {
    let cases = match serde_json::from_slice(bytes) {
        Ok(Json::Object(cases)) => cases,
        Ok(_) | Err(_) => {
            return report
                .note(file.to_owned(), Verdict::NotApplicable("the file is no JSON object of tests".to_owned()));
        }
    };
    for (case, test) in &cases {
        run_case(&format!("{file} {case}"), file, test, report);
    }
}

/// Runs what one entry of a file holds, by its shape: the folder's name says less.
fn run_case(name: &str, file: &str, test: &Json, report: &mut Report) {
    let has = |keys: &[&str]| keys.iter().all(|key| test.get(key).is_some());
    if has(&["env", "pre", "post", "transaction"]) {
        state::run(name, test, report);
    } else if has(&["in", "root"]) {
        report.note(name.to_owned(), trie::run(file, test));
    } else if has(&["in", "out"]) && file.to_lowercase().contains("rlp") {
        report.note(name.to_owned(), rlp::run(test));
    } else {
        report.note(name.to_owned(), Verdict::NotApplicable(reason_for_other(test).to_owned()));
    }
}

fn reason_for_other(test: &Json) -> &'static str {
    let has = |key: &str| test.get(key).is_some();
    if has("genesisBlockHeader") {
        "a blockchain test: its headers are those of proof of work or of a beacon chain, not QBFT's"
    } else if has("txbytes") && has("result") {
        "a transaction test: its verdicts are per fork and without a network's chain id; state tests cover the rules"
    } else if has("currentTokens") || has("in") {
        "a trie test of neighbours: keys of this ledger's tries are hashed, and nobody asks for neighbours"
    } else {
        "no kind of test that concerns a ledger's state, tries or encoding"
    }
}
