//! `lastro doctor` and `lastro chain profile` through the binary: a ledger that is well, nodes that are hostile, and the words.

use crate::ledger_fixture::{Node, TestLedger};
use crate::program::{Answer, LIMIT, helps, lastro, refusals, text, wait_until};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Blocks of which an examination reads the newest 64.
const BLOCKS: u64 = 66;
/// What differs from run to run, by the names of its checks in both languages.
const VOLATILE: [&str; 10] = [
    "newest block:",
    "último bloco:",
    "interval:",
    "intervalo:",
    "clocks:",
    "relógios:",
    "block 0",
    "bloco 0",
    "block period",
    "período dos blocos",
];

/// A ledger with enough blocks.
fn running(ledger: &TestLedger) -> Node {
    let node = ledger.start(&["--block-period", "20ms"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rpc = node.rpc();
    wait_until("there are enough blocks", LIMIT, || {
        let number = runtime.block_on(rpc.block_number()).unwrap();
        (number >= BLOCKS).then_some(())
    });
    node
}

/// What was said, with a name for the node and for each number that differs from run to run.
fn shown(answer: &Answer, node: &str) -> String {
    let text = answer.shown(&[(node, "[node]")]);
    let line = |line: &str| {
        if !VOLATILE.iter().any(|name| line.contains(name)) {
            return line.to_owned();
        }
        // Columns are as wide as what stands in them, so blanks differ too.
        let plain = line.split_whitespace().map(|word| {
            let is_number = word.starts_with(|c: char| c.is_ascii_digit());
            let end = word.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
            if is_number { format!("#{end}") } else { word.to_owned() }
        });
        plain.collect::<Vec<String>>().join(" ")
    };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}

#[test]
fn a_ledger_that_is_well_is_told_so_in_both_languages_and_to_machines() {
    let ledger = TestLedger::new();
    let node = running(&ledger);
    let http = node.http.as_str();
    let examine = |further: &[&str]| lastro(&[&["doctor", "--rpc", http], further].concat());
    assert_snapshot!("doctor_en", shown(&examine(&["--lang", "en", "--profile", "embedded"]), http));
    assert_snapshot!("doctor_pt", shown(&examine(&["--lang", "pt-BR", "--profile", "embedded"]), http));
    let mut json = examine(&["--json", "--profile", "embedded"]).ok().json();
    json["nodes"] = json!(["[node]"]);
    for finding in json["findings"].as_array_mut().unwrap() {
        if !finding["node"].is_null() {
            finding["node"] = json!("[node]");
        }
        let is_volatile =
            ["reach", "genesis", "head", "interval", "clock"].contains(&finding["check"].as_str().unwrap());
        if is_volatile {
            finding["seen"] = json!("[volatile]");
            finding["facts"].as_object_mut().unwrap().values_mut().for_each(|fact| *fact = json!("[volatile]"));
        }
    }
    for unseen in json["notSeen"].as_array_mut().unwrap() {
        if !unseen["node"].is_null() {
            unseen["node"] = json!("[node]");
        }
    }
    assert_snapshot!("doctor_json", serde_json::to_string_pretty(&json).unwrap());
}

#[test]
fn a_ledger_that_is_well_is_no_rede_blockchain_brasil() {
    let ledger = TestLedger::new();
    let node = running(&ledger);
    let http = node.http.as_str();
    let answer = lastro(&["doctor", "--lang", "en", "--json", "--rpc", http, "--profile", "rbb"]);
    assert_eq!(answer.code, 1);
    let json = answer.json();
    let codes = |json: &Value| -> Vec<String> {
        let faults = json["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == json!("fault"));
        faults.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&json), ["chain_id_unexpected", "permissioning_missing", "permissioning_missing"]);
    let hint = "each is listed with its cure; begin with `chain_id_unexpected`, `permissioning_missing`";
    assert_eq!(answer.stderr, format!("error: the examination found 3 × fault\nhint: {hint}\n"));
    let lenient = lastro(&["doctor", "--quiet", "--rpc", http, "--fail-on", "warning"]);
    assert_eq!(lenient.code, 0, "{}", lenient.shown(&[]));
    let strict = ["doctor", "--lang", "en", "--rpc", http, "--fail-on", "notice"];
    assert_eq!(lastro(&strict).code, 1);
    // What is known and accepted is listed all the same.
    let accepted = ["push0_missing", "no_replacement", "few_validators", "one_node_only"];
    let accept: Vec<&str> = accepted.into_iter().flat_map(|code| ["--accept", code]).collect();
    let answer = lastro(&[strict.as_slice(), &accept].concat()).ok();
    assert!(accepted.iter().all(|code| answer.stdout.contains(&format!("[{code}, accepted]"))), "{}", answer.stdout);
    assert!(answer.stdout.contains("notices: 0;") && answer.stdout.contains("; accepted: 4"), "{}", answer.stdout);
    assert_eq!(lastro(&[strict.as_slice(), &accept[2..]].concat()).code, 1);
    let json = lastro(&[strict.as_slice(), &accept, &["--json"]].concat()).ok().json();
    assert_eq!((&json["counts"]["accepted"], &json["worst"]), (&json!(4), &json!("ok")));
}

#[test]
fn two_ledgers_of_one_chain_id_are_told_apart() {
    let ledgers = [TestLedger::new(), TestLedger::new()];
    let nodes = ledgers.each_ref().map(running);
    let answer = lastro(&["doctor", "--json", "--rpc", &nodes[0].http, "--rpc", &nodes[1].http]);
    assert_eq!(answer.code, 1);
    let findings = answer.json()["findings"].clone();
    let has = |code: &str| findings.as_array().unwrap().iter().any(|one| one["code"] == json!(code));
    assert!(has("nodes_on_other_chains"), "{findings}");
}

#[test]
fn a_ledger_agrees_with_its_own_profile_and_differs_from_another_in_words() {
    let ledger = TestLedger::new();
    let node = running(&ledger);
    let http = node.http.as_str();
    let check = |further: &[&str]| lastro(&[&["chain", "profile", "check", "--rpc", http], further].concat());
    let own = check(&["--profile", "embedded", "--lang", "en"]).ok();
    assert_snapshot!("profile_check_embedded", shown(&own, http));
    assert_snapshot!("profile_check_rbb_en", shown(&check(&["--profile", "rbb", "--lang", "en"]), http));
    assert_snapshot!("profile_check_rbb_pt", shown(&check(&["--profile", "rbb", "--lang", "pt-BR"]), http));
    let json = check(&["--profile", "rbb", "--json"]);
    assert_eq!((json.code, json.json()["agrees"].clone()), (1, json!(false)));
    assert_eq!(check(&["--json"]).ok().json()["profile"], json!("besu-private"));
}

#[test]
fn a_profile_of_ones_own_is_read_and_its_mistakes_are_named() {
    let ledger = TestLedger::new();
    let node = running(&ledger);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    let shipped = lastro(&["chain", "profile", "show", "embedded"]).ok().stdout;
    let own = shipped.replace("name = \"embedded\"", "name = \"own\"");
    let check = |profile: &str| {
        std::fs::write(&file, profile).unwrap();
        let arguments =
            ["chain", "profile", "check", "--lang", "en", "--rpc", &node.http, "--profile-file", text(&file)];
        lastro(&arguments)
    };
    let _ = check(&own).ok();
    let chain = format!("{own}\n[[chains]]\nlabel = 'own'\nchain_id = 1338\n");
    assert_eq!(check(&chain).code, 1);
    let volatile = [(text(folder.path()), "[folder]")];
    let mistakes =
        [own.replace("10ms", "10"), own.replace("consensus =", "consesus ="), shipped.clone(), String::from("<html>")];
    let answers = mistakes.map(|profile| {
        let answer = check(&profile);
        assert_eq!(answer.code, 2);
        answer.shown(&volatile)
    });
    assert_snapshot!(answers.join("\n\n"));
}

#[test]
fn profiles_are_listed_and_shown() {
    let list = ["en", "pt-BR"].map(|lang| lastro(&["chain", "profile", "list", "--lang", lang]).ok().stdout);
    let json = lastro(&["chain", "profile", "list", "--json"]).ok().json();
    assert_snapshot!(format!("{}\n{}\n{}", list[0], list[1], serde_json::to_string_pretty(&json).unwrap()));
    let rbb = lastro(&["chain", "profile", "show", "rbb", "--json"]).ok().json();
    assert_eq!(rbb, json["profiles"][2]);
    let notes = ["en", "pt-BR"].map(|lang| lastro(&["chain", "profile", "show", "rbb", "--lang", lang]).ok().stderr);
    assert!(notes[0].contains("same form") && notes[1].contains("mesma forma"), "{notes:?}");
}

#[test]
fn wrong_usage_ends_with_2() {
    let mistakes: [&[&str]; 12] = [
        &["doctor"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--rpc", "http://127.0.0.1:1/"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--accept", "pool_windw_small"],
        &["doctor", "--rpc", "node:8545"],
        &["doctor", "--rpc", "https://127.0.0.1:1", "--node-ca", "nowhere.pem"],
        &["doctor", "--rpc", "https://127.0.0.1:1", "--node-ca", "Cargo.toml"],
        &["doctor", "--rpc", "https://127.0.0.1:1", "--node-certificate", "Cargo.toml"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--profile", "besu"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--profile", "rbb", "--profile-file", "own.toml"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--sender", "bank"],
        &["doctor", "--rpc", "http://127.0.0.1:1", "--watch", "3601"],
        &["chain", "profile", "show", "nowhere"],
    ];
    assert_snapshot!(refusals(&mistakes));
}

#[test]
fn each_command_has_its_help() {
    let commands: [&[&str]; 5] =
        [&["doctor"], &["chain"], &["chain", "profile"], &["chain", "profile", "show"], &["chain", "profile", "check"]];
    assert_snapshot!(helps(&commands));
}

/// Something that answers every request with these bytes.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the process: nobody waits for it.
    let _ = std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { return };
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(bytes);
        }
    });
    url
}

/// A port on which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn what_is_no_node_is_unreachable_and_said_so() {
    let page: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>";
    let gateway: &[u8] = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let half: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{\"jsonrpc\"";
    let nothing: &[u8] = b"";
    let urls = [answering(page), answering(gateway), answering(half), answering(nothing), nobody()];
    for url in urls {
        for command in [["doctor", "--rpc"].as_slice(), &["chain", "profile", "check", "--rpc"]] {
            let answer = lastro(&[command, &[url.as_str(), "--json"]].concat());
            assert_eq!(answer.code, 4, "{}", answer.shown(&[]));
            assert!(answer.json().is_object());
        }
    }
    let answer = lastro(&["doctor", "--lang", "pt-BR", "--rpc", &nobody()]);
    let said = answer.stdout.lines().find(|line| line.contains("node_unreachable")).unwrap();
    assert!(said.contains("não dá resposta") && said.contains("refused"), "{said}");
}

#[test]
fn who_answers_and_refuses_is_told_from_who_is_not_there() {
    let host: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 34\r\n\
        Connection: close\r\n\r\n{\"message\":\"Host not authorized.\"}";
    let token: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 76\r\n\
        Connection: close\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-40100,\"message\":\"Unauthorized\"}}";
    for (bytes, words) in [(host, "Host not authorized."), (token, "Unauthorized (-40100)")] {
        let url = answering(bytes);
        let answer = lastro(&["doctor", "--lang", "en", "--rpc", &url]);
        let said = answer.stdout.lines().find(|line| line.contains("[node_turns_away]")).unwrap();
        assert!(said.contains("answered, and refused") && said.contains(words), "{said}");
        assert!(answer.stdout.contains("--host-allowlist") && !answer.stdout.contains("is up"), "{}", answer.stdout);
        assert!(answer.code == 4 && answer.stderr.contains("1 answered, and refused"), "{}", answer.stderr);
        let check = lastro(&["chain", "profile", "check", "--lang", "en", "--rpc", &url]);
        assert!(check.code == 4 && check.stderr.contains("answered, and refused"), "{}", check.stderr);
        assert!(check.stderr.contains(words) && check.stderr.contains("--host-allowlist"), "{}", check.stderr);
    }
}

#[test]
fn a_network_of_which_nothing_was_compared_agrees_with_nothing() {
    // The answer to the second question, which is for the chain id, and to no other.
    let chain_id: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nConnection: close\r\n\r\n\
        {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"0x7\"} ";
    let url = answering(chain_id);
    let check = |further: &[&str]| {
        lastro(&[&["chain", "profile", "check", "--rpc", &url, "--profile", "embedded"], further].concat())
    };
    let answer = check(&["--lang", "en"]);
    assert_eq!(answer.code, 1, "{}", answer.shown(&[]));
    assert!(answer.stderr.contains("nothing that profile `embedded` expects was seen: rules"), "{}", answer.stderr);
    assert_eq!(check(&["--json"]).json()["agrees"], Value::Null);
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let url = answering(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let url = url.replace("http://", "http://user:secret@");
    let answer = lastro(&["doctor", "--rpc", &url]);
    assert_eq!(answer.code, 4);
    assert!(!answer.shown(&[]).contains("secret"), "{}", answer.shown(&[]));
}
