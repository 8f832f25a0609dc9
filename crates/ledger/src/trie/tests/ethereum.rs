//! Ethereum's own trie tests, from the folder `TrieTests` of the `ethereum/tests` repository, wherever the variable
//! `LASTRO_ETHEREUM_TESTS` says that repository is unpacked.

use std::fs;
use std::path::Path;

use alloy_primitives::{B256, hex, keccak256};
use serde_json::Value as Json;

use super::{Trie, Value};

/// Files whose keys are hashed, as this trie wants them.
const APPLICABLE: [&str; 3] =
    ["hex_encoded_securetrie_test.json", "trieanyorder_secureTrie.json", "trietest_secureTrie.json"];

const NOT_APPLICABLE: [(&str, &str); 3] = [
    ("trieanyorder.json", "keys are not hashed and differ in length"),
    ("trietest.json", "keys are not hashed and differ in length"),
    ("trietestnextprev.json", "asks for neighbours of keys that are not hashed"),
];

#[test]
fn ethereum_trie_tests_give_the_roots_that_they_state() {
    let Some(folder) = std::env::var_os("LASTRO_ETHEREUM_TESTS") else {
        println!("ethereum trie tests: skipped, LASTRO_ETHEREUM_TESTS names no folder");
        return;
    };
    let folder = Path::new(&folder).join("TrieTests");
    if !folder.is_dir() {
        println!("ethereum trie tests: skipped, there is no folder {}", folder.display());
        return;
    }
    let mut passed = 0;
    for file in APPLICABLE {
        passed += run_file(&folder.join(file));
    }
    for (file, reason) in NOT_APPLICABLE {
        println!("ethereum trie tests: {file} is not applicable: {reason}");
    }
    assert_unknown_files(&folder);
    println!("ethereum trie tests: {passed} passed, {} files not applicable", NOT_APPLICABLE.len());
}

/// Fails on a file that is neither run nor named above with its reason.
fn assert_unknown_files(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known = APPLICABLE.contains(&name.as_str()) || NOT_APPLICABLE.iter().any(|(known, _)| *known == name);
        assert!(is_known || !name.ends_with(".json"), "{name} is neither run nor said to be not applicable");
    }
}

fn run_file(path: &Path) -> usize {
    let cases: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cases = cases.as_object().unwrap();
    for (name, case) in cases {
        let expected: B256 = case["root"].as_str().unwrap().parse().unwrap();
        let changes = changes(&case["in"]);
        assert_eq!(root_after(&changes, false), expected, "{name} in {}", path.display());
        assert_eq!(root_after(&changes, true), expected, "{name} in {}, with a root per change", path.display());
        if case["in"].is_object() {
            let backwards: Vec<_> = changes.into_iter().rev().collect();
            assert_eq!(root_after(&backwards, false), expected, "{name} in {}, backwards", path.display());
        }
    }
    cases.len()
}

/// Key and value of each change, in order; no value means removal.
type Change = (B256, Option<Vec<u8>>);

/// Changes are an object where any order does, and an array of pairs where the order counts.
fn changes(input: &Json) -> Vec<Change> {
    let change = |key: &str, value: &Json| (keccak256(bytes(key)), value.as_str().map(bytes));
    match input {
        Json::Object(pairs) => pairs.iter().map(|(key, value)| change(key, value)).collect(),
        _ => input.as_array().unwrap().iter().map(|pair| change(pair[0].as_str().unwrap(), &pair[1])).collect(),
    }
}

/// Texts that begin with `0x` are bytes in hexadecimal, others are themselves.
fn bytes(text: &str) -> Vec<u8> {
    if text.starts_with("0x") { hex::decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

fn root_after(changes: &[Change], is_root_asked_each_time: bool) -> B256 {
    let mut trie = Trie::new();
    for (key, value) in changes {
        match value {
            Some(value) => trie.insert(key, Value(value.clone())),
            None => trie.remove(key),
        }
        if is_root_asked_each_time {
            let _root: B256 = trie.root();
        }
    }
    trie.root()
}
