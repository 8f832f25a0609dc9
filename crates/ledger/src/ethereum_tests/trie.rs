//! Trie tests: changes in order, and the root after them.

use super::Verdict;
use crate::trie::{Leaf, Trie};
use alloy_primitives::{B256, hex, keccak256};
use serde_json::Value as Json;

/// Bytes as a leaf of the trie.
struct Value(Vec<u8>);

impl Leaf for Value {
    fn encode_rlp(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// Key and value of each change, in order; no value means removal.
type Change = (B256, Option<Vec<u8>>);

/// Runs one test: as it stands, with a root asked for after each change, and backwards where the order means nothing.
pub(super) fn run(file: &str, test: &Json) -> Verdict {
    let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
    if !name.contains("secure") {
        return Verdict::NotApplicable("a trie test whose keys are not hashed and differ in length".to_owned());
    }
    let expected: B256 = test["root"].as_str().unwrap().parse().unwrap();
    let changes = changes(&test["in"]);
    let backwards = test["in"].is_object().then(|| changes.iter().rev().cloned().collect::<Vec<_>>());
    let runs = [
        ("in order", root_after(&changes, false)),
        ("with a root per change", root_after(&changes, true)),
        ("backwards", backwards.map_or(expected, |changes| root_after(&changes, false))),
    ];
    match runs.into_iter().find(|(_, found)| *found != expected) {
        Some((how, found)) => Verdict::Failed(format!("{how}, the root is {found}, not {expected}")),
        None => Verdict::Passed,
    }
}

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
