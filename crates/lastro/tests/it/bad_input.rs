//! Input and surroundings that are wrong: refused in words that help, with the documented exit code, and nothing is lost.

use crate::demo::transactions;
use crate::ledger_fixture::{CHAIN_ID, TestLedger, genesis, inspect, log_file};
use crate::program::{Answer, BONDS, lastro, root, text};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::net::TcpListener;

fn published() -> String {
    std::fs::read_to_string(root().join(BONDS)).unwrap()
}

/// Lists with one mistake each.
fn bad_lists() -> Vec<(&'static str, String)> {
    let replaced = |from: &str, to: &str| {
        let list = published();
        assert!(list.contains(from));
        list.replacen(from, to, 1)
    };
    vec![
        ("a column is missing", replaced(",isin,", ",izin,")),
        ("a date that is none", replaced("2027-05-15", "2027-02-30")),
        ("a date of another form", replaced("2027-05-15", "15/05/2027")),
        ("a check digit that fails", replaced("BRSTNCNTB682", "BRSTNCNTB683")),
        ("a negative price", replaced("4803.143250", "-4803.143250")),
        ("a price that is no number", replaced("4803.143250", "4.803,14")),
        ("a line that ends too early", replaced(",1491,22908.04", "")),
        ("no bonds", published().lines().take(1).collect()),
    ]
}

#[test]
fn a_list_with_a_mistake_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.csv");
    let answers = bad_lists().into_iter().map(|(mistake, list)| {
        std::fs::write(&file, list).unwrap();
        let priced = lastro(&["bond", "price", text(&file)]);
        let dir = folder.path().join("demo");
        let played = lastro(&["demo", "--bonds", text(&file), "--data-dir", text(&dir)]);
        assert_eq!((priced.code, &priced.stderr), (2, &played.stderr), "both commands say the same");
        assert!(!dir.exists(), "a list that cannot be read leaves no trace");
        format!("# {mistake}\n{}", priced.shown(&[(text(folder.path()), "[folder]")]))
    });
    assert_snapshot!(answers.collect::<Vec<String>>().join("\n\n"));
    std::fs::write(&file, published()).unwrap();
    let _ = lastro(&["bond", "price", text(&file)]).ok();
}

#[test]
fn a_list_with_a_mistake_changes_nothing_of_a_demonstration_that_was_played() {
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (folder.path().join("list.csv"), folder.path().join("demo"));
    let one_bond: Vec<String> = published().lines().take(2).map(str::to_owned).collect();
    let arguments = ["demo", "--json", "--bonds", text(&file), "--data-dir", text(&dir)];
    std::fs::write(&file, one_bond.join("\n")).unwrap();
    let first = lastro(&arguments).ok().json();
    std::fs::write(&file, one_bond.join("\n").replace("989.392269", "-989.392269")).unwrap();
    let refused = lastro(&arguments);
    assert_eq!((refused.code, refused.stderr.as_str()), (2, ""));
    let error = refused.json();
    assert!(error["error"].as_str().unwrap().ends_with("cannot be used"), "{error}");
    assert!(error["causes"][0].as_str().unwrap().contains("-989.392269"), "{error}");
    std::fs::write(&file, one_bond.join("\n")).unwrap();
    assert_eq!(transactions(&lastro(&arguments).ok().json()), transactions(&first));
}

/// Genesis files with one mistake each.
fn bad_geneses() -> Vec<(&'static str, String)> {
    let with = |pointer: &str, key: &str, value: Value| {
        let mut genesis = genesis(CHAIN_ID);
        let _ = genesis.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(key.to_owned(), value);
        genesis.to_string()
    };
    let no_validator = format!("0xe5a0{}c0c080c0", "00".repeat(32));
    vec![
        ("an unknown key", with("/config", "berlinBlok", json!(0))),
        ("an unknown key of the consensus", with("/config/qbft", "blockperiodsecond", json!(1))),
        ("a bad address", with("/alloc", "0x00000000000000000000000000000000000000zz", json!({ "balance": "1" }))),
        ("no validator", with("", "extraData", json!(no_validator))),
        ("extra data of another kind", with("", "extraData", json!("0x00"))),
        ("no chain id", with("/config", "chainId", Value::Null)),
        ("no JSON", "{ \"config\": ".to_owned()),
    ]
}

#[test]
fn a_genesis_with_a_mistake_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (folder.path().join("genesis.json"), folder.path().join("data"));
    let arguments = ["ledger", "init", "--adopt", "--genesis", text(&file), "--data-dir", text(&dir)];
    let answers = bad_geneses().into_iter().map(|(mistake, genesis)| {
        std::fs::write(&file, genesis).unwrap();
        let answer = lastro(&arguments);
        assert_eq!(answer.code, 2);
        assert!(!dir.exists(), "a genesis that cannot be read leaves no trace");
        format!("# {mistake}\n{}", answer.shown(&[(text(folder.path()), "[folder]")]))
    });
    assert_snapshot!(answers.collect::<Vec<String>>().join("\n\n"));
    std::fs::write(&file, genesis(CHAIN_ID).to_string()).unwrap();
    let _ = lastro(&arguments).ok();
}

#[test]
fn a_genesis_of_other_validators_is_refused_until_this_node_takes_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let (file, dir) = (folder.path().join("genesis.json"), folder.path().join("data"));
    std::fs::write(&file, genesis(CHAIN_ID).to_string()).unwrap();
    let arguments = ["ledger", "init", "--genesis", text(&file), "--data-dir", text(&dir)];
    let refused = lastro(&arguments);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("pass `--adopt`"), "{}", refused.stderr);
    let _ = lastro(&[arguments.as_slice(), &["--adopt"]].concat()).ok();
}

/// What a command says of a ledger's directory, with volatile parts named.
fn said(answer: &Answer, ledgers: &[(&TestLedger, &str)]) -> String {
    let names = ledgers.iter().map(|(ledger, name)| {
        let dir = ledger.dir();
        let genesis = std::fs::read(dir.join("network.json")).unwrap();
        let genesis: Value = serde_json::from_slice(&genesis).unwrap();
        let genesis = genesis["genesisHash"].as_str().unwrap().to_owned();
        [(text(&dir).to_owned(), format!("[{name}]")), (genesis, format!("[genesis of {name}]"))]
    });
    names.flatten().fold(answer.shown(&[]), |text, (found, name)| text.replace(&found, &name))
}

#[tokio::test]
async fn a_log_of_another_chain_is_refused_and_both_ledgers_stay_as_they_were() {
    let (ours, _) = TestLedger::with_payments(2).await;
    let foreign = TestLedger::of(&genesis(42));
    let node = foreign.start(&["--block-period", "1s"]);
    let _ = node.process.kill();
    let before = ours.inspect();
    let log = std::fs::read(ours.log_file()).unwrap();
    let _ = std::fs::copy(foreign.log_file(), ours.log_file()).unwrap();
    let names = [(&ours, "ours"), (&foreign, "foreign")];
    let run = lastro(&ours.run_arguments());
    assert_snapshot!("log_of_another_chain", said(&run, &names));
    let inspected = lastro(&["ledger", "inspect", "--data-dir", text(&ours.dir())]);
    assert_eq!((inspected.code, inspected.stdout.as_str()), (3, ""));
    std::fs::write(ours.log_file(), log).unwrap();
    assert_eq!(ours.inspect(), before);
    let _ = ours.start(&[]);
}

#[test]
fn a_genesis_that_was_changed_later_is_refused() {
    let ledger = TestLedger::new();
    let file = ledger.dir().join("genesis.json");
    let genesis = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, genesis.replace("0x3b9aca00", "0x3b9aca01")).unwrap();
    let refused = lastro(&ledger.run_arguments());
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("bring back genesis.json as it was"), "{}", refused.stderr);
    std::fs::write(&file, genesis).unwrap();
    let _ = ledger.start(&[]);
}

#[test]
fn a_demonstration_is_not_played_on_a_ledger_of_another_chain() {
    let (foreign, folder) = (TestLedger::of(&genesis(42)), tempfile::tempdir().unwrap());
    let dir = folder.path().join("demo");
    std::fs::create_dir(&dir).unwrap();
    std::fs::rename(foreign.dir(), dir.join("ledger")).unwrap();
    let refused = lastro(&["demo", "--data-dir", text(&dir)]);
    assert_snapshot!(refused.shown(&[(text(folder.path()), "[folder]")]));
    assert_eq!(inspect(&dir.join("ledger"))["chainId"], json!(42));
    assert!(!dir.join("plan").exists() && !dir.join("chain.db").exists());
}

#[test]
fn a_ledger_is_not_made_where_there_is_one() {
    let ledger = TestLedger::new();
    let (file, dir) = (ledger.genesis_file(), ledger.dir());
    let before = ledger.inspect();
    let refused = lastro(&["ledger", "init", "--adopt", "--genesis", text(&file), "--data-dir", text(&dir)]);
    assert_snapshot!(said(&refused, &[(&ledger, "ours")]));
    assert_eq!(ledger.inspect(), before);
}

#[test]
fn a_directory_in_use_is_refused_with_the_process_that_holds_it() {
    let ledger = TestLedger::new();
    let node = ledger.start(&[]);
    let holder = format!("is in use by process {}\n", node.process.id());
    let dir = ledger.dir();
    let mut commands = vec![ledger.run_arguments()];
    for command in [["inspect"].as_slice(), &["repair", "--drop-tail"]] {
        let words = [["ledger"].as_slice(), command, &["--data-dir", text(&dir)]].concat();
        commands.push(words.into_iter().map(str::to_owned).collect());
    }
    for command in commands {
        let refused = lastro(&command);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
        assert!(refused.stderr.contains(&holder), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: stop that process first"), "{}", refused.stderr);
    }
    assert_eq!(node.process.terminate().code, 0);
    let _ = ledger.inspect();
}

#[test]
fn a_port_in_use_is_refused_with_the_option_that_chooses_another() {
    let ledger = TestLedger::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (option, place) in [("--http", 3), ("--ws", 5)] {
        let mut arguments = ledger.run_arguments();
        arguments[place].clone_from(&address);
        let refused = lastro(&arguments);
        assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
        assert!(refused.stderr.contains(&format!("cannot listen on {address}")), "{}", refused.stderr);
        assert!(refused.stderr.contains(&format!("choose another with `{option}`")), "{}", refused.stderr);
    }
    let folder = tempfile::tempdir().unwrap();
    let demo = ["demo", "--keep", "--ws", "127.0.0.1:0", "--http", &address, "--data-dir", text(folder.path())];
    let refused = lastro(&demo);
    assert_eq!((refused.code, refused.stdout.as_str()), (3, ""));
    assert!(refused.stderr.contains("choose another with `--http`"), "{}", refused.stderr);
    let _ = ledger.start(&[]);
}

#[test]
fn blocks_below_a_second_are_for_the_embedded_chain_alone() {
    let foreign = TestLedger::of(&genesis(42));
    let run = |period: &str| {
        lastro(&[foreign.run_arguments().as_slice(), &["--block-period".into(), period.into()]].concat())
    };
    let answers = ["500ms", "1500ms", "2d"].map(|period| format!("# {period}\n{}", run(period).shown(&[])));
    assert_snapshot!(answers.join("\n\n"));
    assert_eq!(foreign.inspect()["blockPeriod"], json!("1s"), "what was refused is not kept");
    let node = foreign.start(&["--block-period", "2s"]);
    assert_eq!(node.process.terminate().code, 0);
    assert_eq!(foreign.inspect()["blockPeriod"], json!("2s"));
    assert!(log_file(&foreign.dir()).exists());
}
