//! `lastro tx` and `lastro lane` through the binary: a store with transactions that ended, one that the ledger never had, and
//! the ledger itself, which is another process.

mod retirement;

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use crate::program::{Answer, LIMIT, Process, helps, lastro, refusals, text, wait_until};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bindings::drex::RealDigital;
use chain::{Chain, HttpTransport, Intent, IntentKey, Lane, Outcome, Pace, Profile, Rules, SubmitError};
use custody::policy::Policy;
use custody::{Custody, KeyLabel, Passphrase, Purpose};
use insta::assert_snapshot;
use journal::Place;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const GAS_MAX: u64 = 8_000_000;
/// Below this a number in a report is a nonce, an attempt or a count; from here on it is a block's, or gas.
const STEADY_BELOW: u64 = 20;
/// So long that no test sees a second block.
const NO_BLOCK: &str = "10m";

/// An operator's desk: a store, the keystore with the sender's key, and a ledger.
struct Desk {
    folder: tempfile::TempDir,
    ledger: TestLedger,
    /// `None` while the ledger is away.
    node: Option<Node>,
    /// Where the ledger answers, whenever it is there.
    http: String,
    sender: Address,
}

impl Desk {
    fn new(block_period: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("passphrase"), "correct horse battery staple\n").unwrap();
        let ledger = TestLedger::new();
        let node = ledger.start(&["--block-period", block_period]);
        let http = node.http.clone();
        let mut desk = Self { folder, ledger, node: Some(node), http, sender: Address::ZERO };
        let made = desk.keys(&["new", "sender", "--json"]).ok().json();
        desk.sender = made["address"].as_str().unwrap().parse().unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keys(&self, arguments: &[&str]) -> Answer {
        let (keystore, passphrase) = (self.path("keystore"), self.path("passphrase"));
        let place = ["--keystore", text(&keystore), "--passphrase-file", text(&passphrase)];
        lastro(&[&["keys"], arguments, &place].concat())
    }

    /// The service whose store it is.
    async fn service(&self) -> (Chain, Lane) {
        let (chain, label) = self.opened(None).await;
        let lane = chain.lane(&label).await.unwrap();
        (chain, lane)
    }

    /// The same before it has its lane, under a policy if there is one.
    async fn opened(&self, policy: Option<Policy>) -> (Chain, KeyLabel) {
        let offers = Pace { first_pause: Duration::ZERO, pause_max: Duration::ZERO, attempts_max: 1 };
        let profile = Profile { offers, ..Profile::embedded(CHAIN_ID, Rules::Berlin, 1_000_000_000) };
        let mut custody = Custody::new(profile.network());
        let label = KeyLabel::parse("sender").unwrap();
        let passphrase = Passphrase::from_file(&self.path("passphrase")).unwrap();
        let file = self.path("keystore/sender.json");
        let sender = custody.open_file(&file, &label, Purpose::Transactions, &passphrase).unwrap();
        assert_eq!(sender, self.sender);
        if let Some(policy) = policy {
            custody.set_policy(&label, policy).unwrap();
        }
        let transport = Arc::new(HttpTransport::new(&self.http).unwrap());
        let place = Place::Sqlite { path: self.path("chain.db") };
        (Chain::open(profile, transport, &place, Arc::new(custody)).await.unwrap(), label)
    }

    /// Blocks whose numbers are told from nonces.
    async fn blocks(&self) {
        let rpc = self.node.as_ref().unwrap().rpc();
        let began = std::time::Instant::now();
        while rpc.block_number().await.unwrap() < STEADY_BELOW {
            assert!(began.elapsed() < LIMIT, "no blocks");
            tokio::task::yield_now().await;
        }
    }

    /// One transaction succeeded, one reverted, and one was stored while the ledger was away.
    async fn with_all_states() -> Self {
        let mut desk = Self::new("50ms");
        desk.blocks().await;
        let (chain, lane) = desk.service().await;
        for intent in [desk.deployment(), desk.payment("pay/1")] {
            let submitted = lane.submit(&intent).await.unwrap();
            assert!(matches!(chain.outcome(&submitted.key, LIMIT).await.unwrap(), Outcome::Mined(_)));
        }
        let node = desk.node.take().unwrap();
        let address = node.address();
        let _ = node.process.kill();
        let lost = lane.submit(&desk.payment("pay/2")).await;
        assert!(matches!(lost, Err(SubmitError::Unsettled { .. })), "{lost:?}");
        drop(lane);
        chain.close().await;
        desk.node = Some(desk.ledger.start_at(&address));
        desk
    }

    fn deployment(&self) -> Intent {
        let arguments = RealDigital::constructorCall {
            name_: "Real Digital".to_owned(),
            symbol_: "BRL".to_owned(),
            authority_: self.sender,
            admin_: self.sender,
        };
        let code = bindings::creation(&RealDigital::BYTECODE, &arguments);
        Intent::create(key("deploy"), code, GAS_MAX, "deploy Real Digital")
    }

    /// It reverts: the sender has no account.
    fn payment(&self, name: &str) -> Intent {
        let pay = RealDigital::transferCall { to: Address::with_last_byte(7), value: U256::from(300) };
        Intent::call(key(name), self.sender.create(0), Bytes::from(pay.abi_encode()), GAS_MAX, "pay 3.00")
    }

    /// Runs a command on the store.
    fn run(&self, command: [&str; 2], further: &[&str]) -> Answer {
        lastro(&self.arguments(command, further))
    }

    fn arguments(&self, [noun, verb]: [&str; 2], further: &[&str]) -> Vec<String> {
        let named = [noun, verb, text(&self.path("chain.db"))].map(str::to_owned);
        named.into_iter().chain(further.iter().map(|argument| (*argument).to_owned())).collect()
    }

    /// The same with the node.
    fn on_ledger(&self, command: [&str; 2], further: &[&str]) -> Answer {
        self.run(command, &[further, &["--rpc", &self.http]].concat())
    }

    /// Cancels by the sender's key.
    fn cancel(&self, key: &str, further: &[&str]) -> Answer {
        let (keystore, passphrase) = (self.path("keystore"), self.path("passphrase"));
        let place = ["--keystore", text(&keystore), "--passphrase-file", text(&passphrase), "--who", "ana"];
        self.on_ledger(["tx", "cancel"], &[&[key], place.as_slice(), further].concat())
    }

    /// What was said, with what differs from run to run replaced by names.
    fn shown(&self, answer: &Answer) -> String {
        let shown = answer.shown(&[(text(self.folder.path()), "[folder]"), (&self.http, "[node]")]);
        let line = |line: &str| line.split_whitespace().map(steady).collect::<Vec<String>>().join(" ");
        shown.lines().map(line).collect::<Vec<String>>().join("\n")
    }

    fn shown_all(&self, answers: &[&Answer]) -> String {
        answers.iter().map(|answer| self.shown(answer)).collect::<Vec<String>>().join("\n\n")
    }
}

fn key(text: &str) -> IntentKey {
    IntentKey::parse(text).unwrap()
}

/// A word with a name in the place of what differs from run to run.
fn steady(word: &str) -> String {
    let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let is_number = core.parse::<u64>().is_ok_and(|number| number >= STEADY_BELOW);
    let name = match core.len() {
        66 if core.starts_with("0x") => "hash",
        42 if core.starts_with("0x") => "address",
        20.. if core.starts_with("20") && core.ends_with('Z') => "time",
        _ if is_number => "number",
        _ => return word.to_owned(),
    };
    word.replace(core, &format!("[{name}]"))
}

/// A result for machines, with names in the place of what differs from run to run.
fn steady_json(value: &Value) -> String {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    if ["rawTransaction", "gasUsed", "node", "revertData"].contains(&name.as_str()) {
                        *member = json!("[volatile]");
                    }
                    walk(member);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::String(said) => *said = said.split(' ').map(steady).collect::<Vec<String>>().join(" "),
            Value::Number(number)
                if number.as_u64().is_some_and(|number| number >= STEADY_BELOW && number != CHAIN_ID) =>
            {
                *value = json!("[number]");
            }
            _ => {}
        }
    }
    let mut steady = value.clone();
    walk(&mut steady);
    serde_json::to_string_pretty(&steady).unwrap()
}

#[tokio::test]
async fn transactions_are_listed_and_shown() {
    let desk = Desk::with_all_states().await;
    let list = |further: &[&str]| desk.run(["tx", "list"], further).ok();
    let [english, portuguese] = ["en", "pt-BR"].map(|lang| list(&["--lang", lang]));
    let cut = list(&["--limit", "1", "--lang", "en"]);
    let sender = desk.sender.to_string();
    let open = list(&["--open", "--sender", &sender, "--lang", "en"]);
    let nobody = list(&["--sender", &Address::ZERO.to_string(), "--lang", "en"]);
    assert_snapshot!("tx_list", desk.shown_all(&[&english, &portuguese, &cut, &open, &nobody]));
    assert_snapshot!("tx_list_json", steady_json(&list(&["--json"]).json()));

    let show = |key: &str, lang: &str| desk.run(["tx", "show"], &[key, "--lang", lang]).ok();
    let shown = [show("pay/1", "en"), show("pay/1", "pt-BR"), show("pay/2", "en")];
    assert_snapshot!("tx_show", desk.shown_all(&shown.each_ref()));
    let json = desk.run(["tx", "show"], &["pay/1", "--json", "--lang", "en"]).ok().json();
    assert_snapshot!("tx_show_json", steady_json(&json));
    let directory = lastro(&["tx", "list", text(desk.folder.path()), "--json"]).ok().json();
    assert_eq!(directory["transactions"].as_array().unwrap().len(), 3, "a directory with a `chain.db` is named too");
}

#[tokio::test]
async fn what_the_ledger_never_had_is_traced_and_sent_again() {
    let desk = Desk::with_all_states().await;
    let trace = |further: &[&str]| desk.on_ledger(["tx", "trace"], &[&["pay/2"], further].concat());
    let [lost, perdida] = ["en", "pt-BR"].map(|lang| trace(&["--lang", lang]).ok());
    // One node that answers is enough; the other is named with what it met with.
    let with_another = trace(&["--json", "--rpc", "http://127.0.0.1:1"]).ok().json();
    assert_eq!(with_another["nodes"][1]["verdict"], json!("lost"));
    assert!(with_another["nodes"][0]["error"].is_string());
    let no_time = desk.on_ledger(["tx", "retry"], &["pay/2", "--wait", "0", "--lang", "en"]);
    assert_eq!(no_time.code, 5, "{}", no_time.shown(&[]));
    // A node in front that is away does not keep it from the one behind.
    let sent = desk.on_ledger(["tx", "retry"], &["pay/2", "--rpc", "http://127.0.0.1:1", "--lang", "en"]);
    assert_eq!(sent.code, 1, "it reverts: {}", sent.shown(&[]));
    let again = desk.on_ledger(["tx", "retry"], &["pay/2", "--lang", "pt-BR"]);
    assert!(again.stdout.contains("nada foi enviado"), "{}", again.shown(&[]));
    let agrees = trace(&["--lang", "en"]).ok();
    assert_snapshot!("tx_trace", desk.shown_all(&[&lost, &perdida, &sent, &again, &agrees]));
    assert_snapshot!("tx_trace_json", steady_json(&trace(&["--json", "--lang", "en"]).ok().json()));
    let succeeded = desk.on_ledger(["tx", "retry"], &["deploy", "--json"]).ok().json();
    assert_eq!((&succeeded["isSent"], &succeeded["outcome"]["kind"]), (&json!(false), &json!("succeeded")));

    let unknown = desk.on_ledger(["tx", "retry"], &["pay/3"]);
    let silent = desk.run(["tx", "trace"], &["pay/2", "--rpc", "http://127.0.0.1:1"]);
    let away = desk.run(["tx", "retry"], &["deploy", "--rpc", "http://127.0.0.1:1"]).ok();
    assert!(away.stderr.is_empty(), "nobody is asked for what has ended: {}", away.shown(&[]));
    assert_eq!((unknown.code, silent.code), (2, 4), "{} {}", unknown.shown(&[]), silent.shown(&[]));
}

#[tokio::test]
async fn an_intent_is_cancelled_by_its_senders_key_alone() {
    let desk = Desk::with_all_states().await;
    let _ = desk.keys(&["new", "other"]).ok();
    let of_another = desk.cancel("pay/2", &["--key", "other", "--lang", "en"]);
    let cancelled = desk.cancel("pay/2", &["--key", "sender", "--reason", "paid by hand", "--lang", "en"]).ok();
    let ended = desk.cancel("pay/2", &["--key", "sender", "--lang", "en"]);
    let unknown = desk.cancel("pay/3", &["--key", "sender", "--lang", "en"]);
    assert_eq!([of_another.code, ended.code, unknown.code], [2, 1, 2]);
    let shown = desk.run(["tx", "show"], &["pay/2", "--lang", "en"]).ok();
    assert_snapshot!("tx_cancel", desk.shown_all(&[&of_another, &cancelled, &ended, &unknown, &shown]));
    // The key is free: the same intent takes another nonce.
    let (chain, lane) = desk.service().await;
    assert_eq!(lane.submit(&desk.payment("pay/2")).await.unwrap().nonce, 3);
    drop(lane);
    chain.close().await;
    // The ledger has that one: it wins over an empty one that comes later.
    let late = desk.cancel("pay/2", &["--key", "sender", "--json"]);
    assert_eq!((late.code, &late.json()["winner"]), (1, &json!("original")), "{}", late.shown(&[]));
}

#[tokio::test]
async fn a_paused_lane_takes_nothing_new_and_is_drained() {
    let desk = Desk::with_all_states().await;
    let sender = desk.sender.to_string();
    let lane = |verb: &str, further: &[&str]| desk.run(["lane", verb], further);
    let before = lane("list", &["--lang", "en"]).ok();
    let by = [sender.as_str(), "--who", "ana", "--lang", "en"];
    let paused = lane("pause", &[by.as_slice(), &["--reason", "audit"]].concat()).ok();
    let again = lane("pause", &[by.as_slice(), &["--reason", "another"]].concat()).ok();
    let pausada = lane("list", &["--lang", "pt-BR"]).ok();
    assert_snapshot!("lane_list_json", steady_json(&lane("list", &["--json"]).ok().json()));
    // What was stored before is sent, and ends: nobody else has the store, so it is the drain that sends it.
    let lost = desk.on_ledger(["tx", "trace"], &["pay/2", "--json"]).ok().json();
    assert_eq!(lost["nodes"][0]["verdict"], json!("lost"));
    let drained = desk.on_ledger(["lane", "drain"], &by).ok();
    let ended = desk.on_ledger(["tx", "trace"], &["pay/2", "--json"]).ok().json();
    assert_eq!((&ended["state"], &ended["nodes"][0]["verdict"]), (&json!("reverted"), &json!("agrees")));
    let (chain, held) = desk.service().await;
    let refused = held.submit(&desk.payment("pay/3")).await;
    assert!(matches!(&refused, Err(SubmitError::Paused { reason, .. }) if reason == "audit"), "{refused:?}");
    drop(held);
    chain.close().await;
    let resumed = lane("resume", &by).ok();
    let resumed_again = lane("resume", &by).ok();
    let all = [&before, &paused, &again, &pausada, &drained, &resumed, &resumed_again];
    assert_snapshot!("lane", desk.shown_all(&all));
    let (chain, held) = desk.service().await;
    assert_eq!(held.submit(&desk.payment("pay/3")).await.unwrap().nonce, 3);
    let taken = desk.run(["tx", "list"], &["--lang", "en"]);
    assert_eq!(taken.code, 3);
    let holder = format!("is held by process {}", std::process::id());
    assert!(taken.stderr.contains(&holder) && taken.stderr.contains("hint: stop that process"), "{}", taken.stderr);
    drop(held);
    chain.close().await;
    let nobody = lane("pause", &[&Address::ZERO.to_string(), "--reason", "audit", "--who", "ana"]);
    assert_eq!(nobody.code, 2, "{}", nobody.shown(&[]));
}

#[tokio::test]
async fn a_drain_that_is_stopped_leaves_the_lane_paused() {
    let desk = Desk::new(NO_BLOCK);
    let (chain, lane) = desk.service().await;
    let _ = lane.submit(&desk.deployment()).await.unwrap();
    drop(lane);
    chain.close().await;
    let by = [desk.sender.to_string(), "--who".to_owned(), "ana".to_owned()];
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let trace = desk.on_ledger(["tx", "trace"], &["deploy", "--json"]).ok().json();
    assert_eq!(trace["nodes"][0]["verdict"], json!("in_pool"));
    let late = desk.on_ledger(["lane", "drain"], &[by.as_slice(), &["--wait", "1", "--lang", "en"]].concat());
    let rpc = ["--rpc", desk.http.as_str(), "--lang", "pt-BR"];
    let process = Process::start(&desk.arguments(["lane", "drain"], &[by.as_slice(), &rpc].concat()));
    wait_until("the lane is paused", LIMIT, || process.stdout_so_far().contains('\n').then_some(()));
    let stopped = process.terminate();
    assert_eq!((late.code, stopped.code), (5, 5), "{} {}", late.shown(&[]), stopped.shown(&[]));
    assert_snapshot!("lane_drain_stopped", desk.shown_all(&[&late, &stopped]));
    let lanes = desk.run(["lane", "list"], &["--json"]).ok().json();
    assert_eq!(lanes["lanes"][0]["paused"]["reason"], json!("drained"));
}

#[test]
fn wrong_usage_ends_with_2_and_names_the_right_one() {
    let mistakes: [&[&str]; 9] = [
        &["tx"],
        &["tx", "list", "nowhere.db", "--lang", "en"],
        &["tx", "list", "Cargo.toml", "--limit", "1001"],
        &["tx", "list", "postgres://localhost/lastro"],
        &["tx", "show", "nowhere.db"],
        &["tx", "trace", "nowhere.db", "key"],
        &["tx", "cancel", "nowhere.db", "key", "--rpc", "http://127.0.0.1:1"],
        &["lane", "pause", "nowhere.db", "0x01", "--reason", "audit"],
        &["lane", "pause", "nowhere.db", "0x0000000000000000000000000000000000000007", "--reason", " ", "--who", "ana"],
    ];
    assert_snapshot!(refusals(&mistakes));
}

#[test]
fn each_command_has_its_help() {
    let commands: [&[&str]; 11] = [
        &["tx"],
        &["tx", "list"],
        &["tx", "show"],
        &["tx", "trace"],
        &["tx", "retry"],
        &["tx", "cancel"],
        &["lane"],
        &["lane", "list"],
        &["lane", "pause"],
        &["lane", "resume"],
        &["lane", "drain"],
    ];
    assert_snapshot!(helps(&commands));
}
