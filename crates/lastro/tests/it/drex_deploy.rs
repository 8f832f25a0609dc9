//! A deployment over JSON-RPC, with keys from keystore files: once, however often it is asked for, and into no directory of
//! another.

use crate::ledger_fixture::{TestLedger, inspect};
use crate::program::{Answer, LIMIT, Process, lastro, text, wait_until};
use alloy_primitives::Address;
use chain::{At, HttpTransport, Rpc};
use custody::{KeyLabel, KeystoreDirectory, Passphrase, Purpose, ScryptCost};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Transactions that deploy the suite for [`LIST`]: 60 of the administrator, 38 of the central bank.
const TRANSACTIONS: u64 = 98;
/// What is left to others then: 4 of the institution, 4 of its reserve, 3 of the Treasury.
const LEFT: usize = 11;
const LIST: &str = "treasury_wallet = '0x3000000000000000000000000000000000000003'\n\
                    [[institution]]\nname = 'Banco Ipê'\nispb = '12ABC345'\n\
                    default_wallet = '0x1000000000000000000000000000000000000001'\n\
                    reserve_wallet = '0x2000000000000000000000000000000000000002'\n";

/// A network with a folder of keys beside it.
struct Stage {
    ledger: TestLedger,
    folder: tempfile::TempDir,
    admin: Address,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list.toml"), LIST).unwrap();
        std::fs::write(folder.path().join("passphrase"), "correct horse\n").unwrap();
        std::fs::write(folder.path().join("wrong"), "wrong horse\n").unwrap();
        let passphrase = Passphrase::from_file(&folder.path().join("passphrase")).unwrap();
        let keys = KeystoreDirectory::open(folder.path()).unwrap();
        let [admin, ..] = ["admin", "central-bank", "other"].map(|name| {
            let (label, cost) = (KeyLabel::parse(name).unwrap(), ScryptCost::new(2, 8, 1).unwrap());
            keys.create_key(&label, Purpose::Transactions, &passphrase, cost).unwrap().address
        });
        Self { ledger: TestLedger::new(), folder, admin }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, rpc: &str) -> Vec<String> {
        let path = |name: &str| text(&self.path(name)).to_owned();
        let words = ["drex", "deploy", "--json", "--lang", "en", "--chain-id", "1337", "--rpc", rpc];
        let files = [
            ("--data-dir", "deployment"),
            ("--participants", "list.toml"),
            ("--admin-key", "admin.json"),
            ("--central-bank-key", "central-bank.json"),
            ("--passphrase-file", "passphrase"),
        ];
        let files = files.into_iter().flat_map(|(option, name)| [option.to_owned(), path(name)]);
        words.into_iter().map(str::to_owned).chain(files).collect()
    }

    /// The same command with one value exchanged.
    fn with(&self, rpc: &str, option: &str, value: &str) -> Answer {
        let mut arguments = self.arguments(rpc);
        let place = arguments.iter().position(|argument| argument == option).unwrap();
        arguments[place + 1] = value.to_owned();
        lastro(&arguments)
    }
}

fn count(report: &Value) -> (u64, u64) {
    let transactions = &report["transactions"];
    (transactions["sent"].as_u64().unwrap(), transactions["repeated"].as_u64().unwrap())
}

async fn check_code(rpc: &str, report: &Value) {
    let node = Rpc::new(Arc::new(HttpTransport::new(rpc).unwrap()));
    for contract in report["contracts"].as_array().unwrap() {
        let address: Address = contract["address"].as_str().unwrap().parse().unwrap();
        assert!(!node.code(address, At::Latest).await.unwrap().is_empty(), "{contract}");
    }
}

#[tokio::test]
async fn killed_and_repeated_it_deploys_once_and_shows_no_key() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let arguments = stage.arguments(&node.http);
    let store = stage.path("deployment").join("chain.db-wal");
    let process = Process::start(&arguments);
    wait_until("the first transaction is stored", LIMIT, || store.exists().then_some(()));
    let _ = process.kill();
    // The second run is told of new heads.
    let told = [arguments.clone(), vec!["--ws".to_owned(), node.ws.clone()]].concat();
    let report = lastro(&told).ok().json();
    let (sent, repeated) = count(&report);
    assert_eq!(sent + repeated, TRANSACTIONS);
    check_code(&node.http, &report).await;
    assert!(!report.to_string().contains("privateKey"));
    assert_eq!(report["institutions"][0]["cnpj8"], json!(0x3132_4142_4333_3435_u64.to_string()));
    assert_eq!(report["leftToDo"].as_array().unwrap().len(), 5);
    let left = report["leftTransactions"].as_array().unwrap();
    assert_eq!(left.len(), LEFT);
    assert!(left.iter().all(|one| one["holder"] != json!("BCB")), "the central bank's key was there: {left:?}");
    let again = lastro(&arguments).ok().json();
    assert_eq!((count(&again), &again["contracts"]), ((0, TRANSACTIONS), &report["contracts"]));
    assert_eq!(node.process.terminate().code, 0);
    assert_eq!(inspect(&stage.ledger.dir())["head"]["transactions"], json!(TRANSACTIONS));
}

#[tokio::test]
async fn it_deploys_over_several_nodes_though_the_first_is_away() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let mut arguments = stage.arguments("http://127.0.0.1:1");
    // Three addresses of the one ledger that there is; of four nodes, three must agree on each block.
    for address in ["", "/?second", "/?third"] {
        arguments.extend(["--rpc".to_owned(), format!("{}{address}", node.http)]);
    }
    let report = lastro(&arguments).ok().json();
    assert_eq!((count(&report), &report["rpc"]), ((TRANSACTIONS, 0), &json!("http://127.0.0.1:1")));
    check_code(&node.http, &report).await;
}

#[test]
fn one_key_may_be_both_and_a_used_wallet_deploys_behind_its_last_transaction() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let without_bank = |dir: &str| {
        let mut arguments = stage.arguments(&node.http);
        let place = arguments.iter().position(|argument| argument == "--central-bank-key").unwrap();
        let _ = arguments.drain(place..place + 2);
        let place = arguments.iter().position(|argument| argument == "--data-dir").unwrap();
        arguments[place + 1] = text(&stage.path(dir)).to_owned();
        lastro(&arguments).ok().json()
    };
    let [first, second] = ["first", "second"].map(without_bank);
    assert_eq!(first["administrator"], first["centralBank"]);
    assert_eq!([count(&first), count(&second)], [(TRANSACTIONS, 0); 2]);
    assert_ne!(first["addressDiscovery"], second["addressDiscovery"], "another directory is another deployment");
}

#[test]
fn what_is_wrong_is_refused_before_anything_is_sent() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let http = node.http.clone();
    let list = stage.path("short.toml");
    std::fs::write(&list, LIST.replace("reserve_wallet", "reserve_walet")).unwrap();
    let own = stage.path("own.toml");
    std::fs::write(&own, LIST.replace("0x1000000000000000000000000000000000000001", &stage.admin.to_string())).unwrap();
    let missing = text(&stage.path("absent.json")).to_owned();
    let wrong = text(&stage.path("wrong")).to_owned();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        ("--chain-id", "1338", 2, "the node is on chain 1337, the profile is for chain 1338"),
        ("--rpc", "ftp://127.0.0.1", 2, "is not a http or https URL"),
        ("--rpc", &format!("http://{free}"), 4, "the node does not answer"),
        ("--admin-key", &missing, 2, "cannot read `"),
        ("--passphrase-file", &wrong, 2, "cannot use key file"),
        ("--participants", text(&list), 2, "cannot be used: 2 mistakes"),
        ("--participants", text(&own), 2, "`default_wallet` of institution 1 is the wallet of the administrator, 0x"),
    ];
    for (option, value, code, expected) in cases {
        let refused = stage.with(&http, option, value);
        assert_eq!(refused.code, code, "{option} {value}: {refused:?}");
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(expected), "{option} {value}: {error}");
        if option == "--chain-id" {
            assert!(refused.json()["hint"].as_str().unwrap().contains("`--rpc`"), "{refused:?}");
        }
        assert!(!stage.path("deployment").exists(), "{option} {value}: it leaves a trace");
    }
    // Nothing of it is in the way of the right command, and nothing else is on the ledger.
    let report = lastro(&stage.arguments(&http)).ok().json();
    assert_eq!(count(&report), (TRANSACTIONS, 0));
    assert_eq!(node.process.terminate().code, 0);
    assert_eq!(inspect(&stage.ledger.dir())["head"]["transactions"], json!(TRANSACTIONS));
}

#[test]
fn a_record_after_which_the_key_was_used_elsewhere_is_not_begun() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let _ = lastro(&stage.arguments(&node.http)).ok();
    // As if a run had died behind its record, before the first transaction, and another directory had come before it.
    let other = stage.path("other");
    std::fs::create_dir(&other).unwrap();
    let record = "deployment.json";
    let _ = std::fs::copy(stage.path("deployment").join(record), other.join(record)).unwrap();
    let refused = stage.with(&node.http, "--data-dir", text(&other));
    assert_eq!(refused.code, 1, "{refused:?}");
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("has sent 60 transactions, and this deployment was to begin after 0"), "{error}");
    assert_eq!(node.process.terminate().code, 0);
    assert_eq!(inspect(&stage.ledger.dir())["head"]["transactions"], json!(TRANSACTIONS), "nothing was sent");
}

#[test]
fn a_directory_is_the_record_of_one_deployment() {
    let stage = Stage::new();
    let node = stage.ledger.start(&["--block-period", "200ms"]);
    let _ = lastro(&stage.arguments(&node.http)).ok();
    // A password in the URL is used, and not shown.
    let secret = node.http.replace("http://", "http://lastro:secret@");
    let again = stage.with(&node.http, "--rpc", &secret).ok();
    assert!(!again.stdout.contains("secret") && !again.stderr.contains("secret"), "{again:?}");
    assert_eq!(again.json()["rpc"], json!(node.http.replace("http://", "http://***@")));
    let other_key = text(&stage.path("other.json")).to_owned();
    let list = stage.path("longer.toml");
    std::fs::write(&list, LIST.replace("Ipê", "Jatobá")).unwrap();
    for (option, value) in [("--admin-key", other_key.as_str()), ("--participants", text(&list))] {
        let refused = stage.with(&node.http, option, value);
        assert_eq!(refused.code, 2);
        let error = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains("is the record of another deployment"), "{option}: {error}");
    }
}
