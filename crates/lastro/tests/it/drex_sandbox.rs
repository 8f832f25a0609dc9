//! The Drex sandbox as a process: set up once however often it dies, refused where something is in its way.

use crate::ledger_fixture::inspect;
use crate::program::{Answer, LIMIT, Process, lastro, root, text, wait_until};
use alloy_primitives::Address;
use chain::{At, HttpTransport, Rpc};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

/// Transactions that set up the sandbox of [`SMALL`]: 25 contracts, 32 grants and 3 enablings by the administrator; 37 of
/// the central bank, 17 of everybody for themselves, 5 that mint money, and 4 that issue bonds.
const TRANSACTIONS: u64 = 123;
/// One institution with one client: the shortest list that has everything.
const SMALL: &str = "[[institution]]\nname = 'Banco Ipê'\ncnpj_root = '00011111'\nclients = ['Ana']\n";
const ANY_PORTS: [&str; 4] = ["--http", "127.0.0.1:0", "--ws", "127.0.0.1:0"];

fn arguments<'a>(dir: &'a Path, further: &[&'a str]) -> Vec<&'a str> {
    [["drex", "sandbox", "--json", "--data-dir", text(dir)].as_slice(), &ANY_PORTS, further].concat()
}

/// A folder with a list of participants in it.
fn folder_with(list: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("participants.toml");
    std::fs::write(&file, list).unwrap();
    let path = text(&file).to_owned();
    (folder, path)
}

/// Starts a sandbox and waits until it says that it is up.
fn start(dir: &Path, further: &[&str]) -> (Process, Value) {
    let mut process = Process::start(&arguments(dir, further));
    let line = wait_until("the sandbox is up", LIMIT, || {
        let said = process.stdout_so_far();
        assert!(!process.has_ended() || said.ends_with('\n'), "the sandbox ended");
        Some(said).filter(|said| said.ends_with('\n'))
    });
    (process, serde_json::from_str(&line).unwrap())
}

/// A report without what differs from run to run.
fn lasting(report: &Value) -> Value {
    let mut report = report.clone();
    for volatile in ["http", "ws", "transactions", "dataDir"] {
        let _ = report.as_object_mut().unwrap().remove(volatile);
    }
    report
}

fn stop(process: Process) -> Answer {
    process.terminate().ok()
}

fn mined(dir: &Path) -> Value {
    inspect(&dir.join("ledger"))["head"]["transactions"].clone()
}

fn rpc(report: &Value) -> Rpc {
    Rpc::new(Arc::new(HttpTransport::new(report["http"].as_str().unwrap()).unwrap()))
}

#[tokio::test]
async fn it_is_up_with_everything_registered_and_its_restart_deploys_nothing() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    let (process, first) = start(&dir, &["--participants", &list]);
    assert_eq!(first["transactions"], json!({ "sent": TRANSACTIONS, "repeated": 0 }));
    let node = rpc(&first);
    assert_eq!(node.chain_id().await.unwrap(), 381_660_001);
    for contract in first["contracts"].as_array().unwrap() {
        let address: Address = contract["address"].as_str().unwrap().parse().unwrap();
        assert!(!node.code(address, At::Latest).await.unwrap().is_empty(), "{contract}");
    }
    assert_eq!(stop(process).stdout.lines().count(), 1);

    // Whoever took part goes on taking part, and what another program keeps of the addresses stays true.
    let (process, second) = start(&dir, &[]);
    assert_eq!(second["transactions"], json!({ "sent": 0, "repeated": TRANSACTIONS }));
    assert_eq!(lasting(&second), lasting(&first));
    let _ = stop(process);
    assert_eq!(mined(&dir), json!(TRANSACTIONS));
    assert_snapshot!("sandbox_json", serde_json::to_string_pretty(&lasting(&first)).unwrap());
}

#[test]
fn it_is_what_the_pilots_profile_expects() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    let (process, report) = start(&dir, &["--participants", &list]);
    let http = report["http"].as_str().unwrap();
    let check = |profile: &str| lastro(&["chain", "profile", "check", "--json", "--rpc", http, "--profile", profile]);
    assert_eq!(check("drex-kit").ok().json()["agrees"], json!(true));
    let rbb = check("rbb");
    assert_eq!((rbb.code, rbb.json()["agrees"].clone()), (1, json!(false)));
    let _ = stop(process);
}

#[test]
fn killed_at_any_moment_it_goes_on_and_sends_nothing_twice() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    // Each time it dies a little later: when the directory is claimed, when the store is there, then block after block.
    let moments: [&dyn Fn() -> bool; 4] = [
        &|| dir.join("sandbox.json").exists(),
        &|| dir.join("chain.db-wal").exists(),
        &|| log_bytes(&dir) > 50_000,
        &|| log_bytes(&dir) > 250_000,
    ];
    for moment in moments {
        let mut process = Process::start(&arguments(&dir, &["--participants", &list]));
        wait_until("the moment comes", LIMIT, || (moment() || process.has_ended()).then_some(()));
        let _ = process.kill();
    }
    let (process, report) = start(&dir, &[]);
    let counted = &report["transactions"];
    let all = counted["sent"].as_u64().unwrap() + counted["repeated"].as_u64().unwrap();
    assert_eq!(all, TRANSACTIONS);
    let _ = stop(process);
    assert_eq!(mined(&dir), json!(TRANSACTIONS), "nothing else is on the ledger");
}

/// Bytes of the ledger's log.
fn log_bytes(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir.join("ledger/log")).into_iter().flatten();
    files.filter_map(|file| file.ok()?.metadata().ok()).map(|file| file.len()).sum()
}

#[test]
fn stopped_before_it_is_up_it_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("chain.db-wal");
    let process = Process::start(&arguments(folder.path(), &[]));
    wait_until("the first transaction is stored", LIMIT, || store.exists().then_some(()));
    let answer = process.terminate();
    assert_eq!(answer.code, 5);
    assert_eq!(answer.json()["error"], json!("the sandbox was stopped before it was set up"));
    let hint = answer.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("drex sandbox --data-dir {}`", text(folder.path()))), "{hint}");
}

#[test]
fn addresses_of_contracts_do_not_depend_on_who_takes_part() {
    let (folder, list) = folder_with(SMALL);
    let [small, usual] = ["small", "usual"].map(|name| folder.path().join(name));
    let running = [start(&small, &["--participants", &list]), start(&usual, &[])];
    let addresses = running.map(|(process, report)| {
        let _ = stop(process);
        let contracts = report["contracts"].as_array().unwrap().clone();
        let shared = contracts.iter().filter(|one| !one["name"].as_str().unwrap().contains('@'));
        let mut found: BTreeSet<String> = shared.map(|one| one["address"].as_str().unwrap().to_owned()).collect();
        let _ = found.insert(report["addressDiscovery"].as_str().unwrap().to_owned());
        found
    });
    assert_eq!(addresses[0].len(), 24);
    assert_eq!(addresses[0], addresses[1]);
}

#[test]
fn a_list_with_mistakes_is_refused_row_by_row_and_leaves_no_trace() {
    let mistakes = "[[institution]]\nname = 'A'\ncnpj_root = '1234'\n\n[[institution]]\nname = ''\nispb = '11111111'\n\
                    colour = 'red'\n\n[[institution]]\nname = 'B'\ncnpj_root = '00038166'\nclients = 'Ana'\n";
    let (folder, list) = folder_with(mistakes);
    let dir = folder.path().join("sandbox");
    let volatile = [(text(folder.path()), "[folder]")];
    let said = |further: &[&str]| {
        let refused = lastro(&[["drex", "sandbox", "--data-dir", text(&dir)].as_slice(), further].concat());
        assert_eq!(refused.code, 2);
        assert!(!dir.exists(), "it leaves no trace");
        refused.shown(&volatile)
    };
    let text_of = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        said(&["--participants", text(&file)])
    };
    let answers = [
        said(&["--participants", &list]),
        said(&["--participants", &list, "--json"]),
        text_of("broken.toml", "[[institution]\n"),
        text_of("broken.json", "{ \"institution\": "),
        text_of("empty.json", "{}"),
        said(&["--participants", text(&folder.path().join("absent.toml"))]),
    ];
    assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn a_directory_of_other_participants_or_of_another_network_is_refused() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    let process = Process::start(&arguments(&dir, &["--participants", &list]));
    wait_until("it is claimed", LIMIT, || dir.join("sandbox.json").exists().then_some(()));
    let _ = process.kill();
    let example = text(&root().join("examples/drex-participants.toml")).to_owned();
    let other = lastro(&arguments(&dir, &["--participants", &example]));
    assert_eq!(other.code, 2);
    assert!(other.json()["error"].as_str().unwrap().ends_with("holds a sandbox of other participants"), "{other:?}");
    let foreign = folder.path().join("demo");
    let _ = lastro(&["demo", "--json", "--data-dir", text(&foreign)]).ok();
    let refused = lastro(&arguments(&foreign, &[]));
    assert_eq!(refused.code, 3);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("belongs to chain 1337, not 381660001"), "{error}");
    assert!(!foreign.join("sandbox.json").exists());
}

#[test]
fn ports_directories_and_periods_that_cannot_be_had_are_refused() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = lastro(&["drex", "sandbox", "--data-dir", text(&dir), "--ws", "127.0.0.1:0", "--http", &address]);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("choose another with `--http`"), "{}", refused.stderr);
    assert_eq!(inspect(&dir.join("ledger"))["head"]["number"], json!(0), "nothing was sealed");

    let short = lastro(&arguments(&dir, &["--block-period", "250ms"]));
    assert_eq!(short.code, 2);
    let dir = folder.path().join("other");
    let (process, _) = start(&dir, &["--participants", &list, "--block-period", "2s"]);
    assert_eq!(inspect_period(&dir), "2s");
    let second = lastro(&arguments(&dir, &[]));
    assert_eq!(second.code, 3);
    let error = second.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains(&format!("is in use by process {}", process.id())), "{error}");
    let _ = stop(process);
}

/// The period that the directory keeps; the ledger itself is in use.
fn inspect_period(dir: &Path) -> String {
    let network: Value = serde_json::from_slice(&std::fs::read(dir.join("ledger/network.json")).unwrap()).unwrap();
    format!("{}s", network["blockPeriodMilliseconds"].as_u64().unwrap() / 1_000)
}

/// The report for people, with ports named.
fn said(dir: &Path, language: &str) -> String {
    let further = ["--lang", language];
    let process =
        Process::start(&[["drex", "sandbox", "--data-dir", text(dir)].as_slice(), &ANY_PORTS, &further].concat());
    wait_until("it is up", LIMIT, || process.stdout_so_far().contains('✓').then_some(()));
    let answer = stop(process);
    let port = |line: &str| line.rsplit(' ').next().filter(|url| url.contains("127.0.0.1")).map(str::to_owned);
    let urls: Vec<String> = answer.stdout.lines().filter_map(port).collect();
    urls.iter().fold(answer.shown(&[(text(dir), "[folder]")]), |said, url| said.replace(url.as_str(), "[url]"))
}

#[test]
fn it_reports_to_people_in_both_languages() {
    let (folder, list) = folder_with(SMALL);
    let dir = folder.path().join("sandbox");
    let (process, _) = start(&dir, &["--participants", &list]);
    let _ = stop(process);
    assert_snapshot!("sandbox_en", said(&dir, "en"));
    assert_snapshot!("sandbox_pt", said(&dir, "pt-BR"));
}
