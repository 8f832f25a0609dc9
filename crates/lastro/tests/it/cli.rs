//! The words of the command line: exit code, standard output and standard error of what a newcomer tries first.

use crate::demo::normalised;
use crate::ledger_fixture::{CHAIN_ID, TestLedger, genesis, inspect};
use crate::program::{BONDS, helps, lastro, refusals, text};
use insta::assert_snapshot;
use serde_json::json;

const KEY: &str = "0x0101010101010101010101010101010101010101010101010101010101010101\n";

#[test]
fn without_arguments_it_says_what_it_can_do() {
    assert_snapshot!(lastro::<&str>(&[]).shown(&[]));
}

#[test]
fn each_command_has_its_help() {
    let commands: [&[&str]; 9] = [
        &[],
        &["demo"],
        &["ledger"],
        &["ledger", "init"],
        &["ledger", "run"],
        &["ledger", "inspect"],
        &["ledger", "repair"],
        &["bond"],
        &["bond", "price"],
    ];
    assert_snapshot!(helps(&commands));
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_right_one() {
    let mistakes: [&[&str]; 8] = [
        &["demmo"],
        &["demo", "--lan", "en"],
        &["demo", "--lang", "fr"],
        &["demo", "--http", "127.0.0.1:0"],
        &["ledger", "run", "--data-dir", "somewhere", "--block-period", "5"],
        &["ledger", "repair", "--data-dir", "somewhere"],
        &["bond", "price"],
        &["bond", "price", "nowhere.csv"],
    ];
    assert_snapshot!(refusals(&mistakes));
}

#[test]
fn published_prices_are_shown_beside_those_rebuilt() {
    assert_snapshot!(lastro(&["bond", "price", BONDS]).shown(&[]));
}

#[test]
fn published_prices_are_one_json_object_for_machines() {
    let json = lastro(&["bond", "price", BONDS, "--json"]).ok().json();
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn a_price_that_cannot_be_rebuilt_is_refused_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    let published = std::fs::read_to_string(crate::program::root().join(BONDS)).unwrap();
    std::fs::write(&list, published.replace("989.392269", "989.392268")).unwrap();
    assert_snapshot!(lastro(&["bond", "price", text(&list)]).shown(&[]));
    let answer = lastro(&["bond", "price", text(&list), "--json"]);
    assert_eq!((answer.code, answer.json()["agrees"].clone()), (1, json!(false)));
}

#[test]
fn a_ledger_is_made_and_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let [key, file, dir] = ["key", "genesis.json", "data"].map(|name| folder.path().join(name));
    std::fs::write(&key, KEY).unwrap();
    let mut genesis = genesis(CHAIN_ID);
    genesis["alloc"] = json!({});
    std::fs::write(&file, genesis.to_string()).unwrap();
    let made = |dir: &str| {
        ["ledger", "init", "--adopt", "--genesis", text(&file), "--key", text(&key), "--data-dir", dir]
            .map(str::to_owned)
    };
    let volatile = [(text(folder.path()), "[folder]")];
    let init = lastro(&made(text(&dir)));
    assert_snapshot!("ledger_init", init.shown(&volatile));
    let other = folder.path().join("other");
    let json = lastro(&[made(text(&other)).as_slice(), &["--json".to_owned()]].concat()).ok();
    assert_snapshot!("ledger_init_json", json.shown(&volatile));
    assert_snapshot!("ledger_inspect", lastro(&["ledger", "inspect", "--data-dir", text(&dir)]).shown(&volatile));
    assert_snapshot!("ledger_inspect_json", serde_json::to_string_pretty(&inspect(&dir)).unwrap());
    let repair = lastro(&["ledger", "repair", "--drop-tail", "--data-dir", text(&dir)]);
    assert_snapshot!("ledger_repair", repair.shown(&volatile));
}

#[test]
fn a_running_ledger_says_where_it_listens_and_what_it_was_at_its_end() {
    let ledger = TestLedger::new();
    let node = ledger.start(&["--block-period", "5s"]);
    let http = node.http.clone();
    let answer = node.process.terminate();
    assert_eq!(answer.code, 0);
    let head = ledger.inspect()["head"]["number"].clone();
    let validator = ledger.inspect()["validator"].as_str().unwrap().to_owned();
    let ws = answer.stdout.lines().last().unwrap().trim_start_matches("listening ws ").to_owned();
    let stopped = format!("at block {head}\n");
    let volatile =
        [(http.as_str(), "[http]"), (&ws, "[ws]"), (&validator, "[validator]"), (&stopped, "at block [head]\n")];
    let shown = answer.shown(&volatile).replace(&format!("stopped at block {head}"), "stopped at block [head]");
    assert_snapshot!(shown);
    assert_eq!(ledger.inspect()["blockPeriod"], json!("5s"), "the period is kept as the network's");
}

#[test]
fn the_demonstration_reports_in_both_languages_and_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let play = |further: &[&str]| lastro(&[&["demo", "--data-dir", text(&dir)], further].concat());
    let volatile = [(text(folder.path()), "[folder]"), (env!("CARGO_BIN_EXE_lastro"), "[lastro]")];
    assert_snapshot!("demo_en", normalised(&play(&["--lang", "en"]).shown(&volatile)));
    assert_snapshot!("demo_pt", normalised(&play(&["--lang", "pt-BR"]).shown(&volatile)));
    let quiet = play(&["--quiet"]).ok();
    assert_eq!(quiet.stderr, "");
    assert!(quiet.stdout.contains("Books compared with the ledger") && !quiet.stdout.contains("Try next"));
}
