//! The trie against alloy's builder, which makes each root anew from sorted leaves, and against alloy's proof verifier.
//! Ethereum's own trie tests are in `ethereum_tests`.

use std::collections::BTreeMap;

use alloy_primitives::{B256, keccak256};
use alloy_trie::proof::verify_proof;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, prop_assert, prop_assert_eq, proptest};

use super::node::{KEY_NIBBLES, nibble, with_nibble};
use super::{Leaf, NodeCounts, Trie};

/// A value as the trie stores it. Of one byte, it makes leaves that stand inside their branch.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value(Vec<u8>);

impl Leaf for Value {
    fn encode_rlp(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

type Twin = BTreeMap<B256, Value>;

fn root_of(twin: &Twin) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in twin {
        builder.add_leaf(Nibbles::unpack(key), &value.0);
    }
    builder.root()
}

/// Keys that differ in few nibbles, at both ends and in the middle: forks at every depth, long extensions, branches side by
/// side, and leaves so short that they and the nodes above them stand inside their parents.
fn key() -> impl Strategy<Value = B256> {
    let crowded = (0..3_usize, 0..4_usize, 0..4_usize, 0..4_usize).prop_map(|(first, middle, last_but_one, last)| {
        let key = with_nibble(&B256::repeat_byte(0x11), 0, first);
        let key = with_nibble(&key, 30, middle);
        with_nibble(&with_nibble(&key, KEY_NIBBLES - 2, last_but_one), KEY_NIBBLES - 1, last)
    });
    let one_nibble_apart =
        (0..KEY_NIBBLES, 0..16_usize).prop_map(|(depth, value)| with_nibble(&B256::ZERO, depth, value));
    let anywhere = any::<[u8; 32]>().prop_map(B256::from);
    prop_oneof![6 => crowded, 3 => one_nibble_apart, 1 => anywhere]
}

fn value() -> impl Strategy<Value = Value> {
    let length = prop_oneof![4 => Just(1..2_usize), 2 => Just(2..34), 1 => Just(54..60), 1 => Just(200..300)];
    length.prop_flat_map(|length| collection::vec(any::<u8>(), length)).prop_map(Value)
}

#[derive(Debug, Clone)]
enum Step {
    Insert(B256, Value),
    RemoveAny(B256),
    /// Removes the key at this place of those that are present.
    RemovePresent(usize),
    Root,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (key(), value()).prop_map(|(key, value)| Step::Insert(key, value)),
        1 => key().prop_map(Step::RemoveAny),
        3 => any::<usize>().prop_map(Step::RemovePresent),
        2 => Just(Step::Root),
    ]
}

/// A trie and the sorted map that it must agree with.
#[derive(Default)]
struct Pair {
    trie: Trie<Value>,
    twin: Twin,
}

impl Pair {
    fn play(&mut self, step: Step) {
        match step {
            Step::Insert(key, value) => {
                self.trie.insert(&key, value.clone());
                let _before: Option<Value> = self.twin.insert(key, value);
            }
            Step::RemoveAny(key) => self.remove(&key),
            Step::RemovePresent(at) => {
                let key = self.twin.keys().nth(at % self.twin.len().max(1)).copied();
                key.iter().for_each(|key| self.remove(key));
            }
            Step::Root => assert_eq!(self.trie.root(), root_of(&self.twin)),
        }
        assert_eq!(self.trie.len(), self.twin.len());
        assert_eq!(self.trie.is_empty(), self.twin.is_empty());
    }

    fn remove(&mut self, key: &B256) {
        self.trie.remove(key);
        let _before: Option<Value> = self.twin.remove(key);
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_sequence_of_changes_gives_the_roots_of_a_rebuild(steps in collection::vec(step(), 1..250)) {
        let mut pair = Pair::default();
        for step in steps {
            pair.play(step);
        }
        pair.play(Step::Root);
        for (key, value) in &pair.twin {
            prop_assert_eq!(pair.trie.get(key), Some(value));
        }
        for key in pair.twin.keys().copied().collect::<Vec<_>>() {
            pair.remove(&key);
            prop_assert_eq!(pair.trie.get(&key), None);
        }
        prop_assert_eq!(pair.trie.root(), EMPTY_ROOT_HASH);
        prop_assert_eq!(pair.trie.node_counts(), NodeCounts { leaves: 0, branches: 0, extensions: 0 });
    }

    #[test]
    fn the_order_of_changes_leaves_no_trace(
        leaves in collection::btree_map(key(), value(), 1..60),
        passing in collection::vec((key(), value()), 0..60),
        seed in any::<u64>(),
    ) {
        let mut sorted = Trie::new();
        leaves.iter().for_each(|(key, value)| sorted.insert(key, value.clone()));

        let mut shuffled: Vec<_> = leaves.iter().map(|(key, value)| (*key, value.clone(), true)).collect();
        shuffled.extend(passing.into_iter().filter(|(key, _)| !leaves.contains_key(key)).map(|(key, value)| (key, value, false)));
        shuffled.sort_by_key(|(key, _, _)| keccak256([key.as_slice(), &seed.to_be_bytes()].concat()));
        let mut other = Trie::new();
        shuffled.iter().for_each(|(key, value, _)| other.insert(key, value.clone()));
        let _root_on_the_way: B256 = other.root();
        shuffled.iter().filter(|(_, _, stays)| !stays).for_each(|(key, _, _)| other.remove(key));

        prop_assert_eq!(sorted.root(), other.root());
        prop_assert_eq!(sorted.node_counts(), other.node_counts());
    }

    #[test]
    fn proofs_convince_for_present_and_for_absent_keys(
        leaves in collection::btree_map(key(), value(), 0..60),
        asked in collection::vec(key(), 1..20),
    ) {
        let mut trie = Trie::new();
        leaves.iter().for_each(|(key, value)| trie.insert(key, value.clone()));
        for key in leaves.keys().chain(&asked) {
            let proof = trie.proof(key);
            let expected = leaves.get(key).map(|value| value.0.clone());
            let verified = verify_proof(trie.root(), Nibbles::unpack(key), expected.clone(), &proof);
            prop_assert!(verified.is_ok(), "{key}: {verified:?}");

            // A proof is no proof of the contrary.
            let contrary = if expected.is_some() { None } else { Some(vec![1]) };
            prop_assert!(verify_proof(trie.root(), Nibbles::unpack(key), contrary, &proof).is_err());
        }
    }
}

#[test]
fn a_trie_without_keys_has_the_empty_root_and_an_empty_proof() {
    let mut trie = Trie::<Value>::default();
    assert_eq!(trie.root(), EMPTY_ROOT_HASH);
    assert!(trie.proof(&B256::ZERO).is_empty());
    trie.remove(&B256::ZERO);
    assert_eq!((trie.len(), trie.is_empty(), trie.get(&B256::ZERO)), (0, true, None));
}

/// Only the last nibbles differ, and the values are single bytes: leaves stand inside the branch, and the node above them is
/// the only one that is hashed.
#[test]
fn short_nodes_stand_inside_their_parents_and_are_not_listed_in_proofs() {
    let mut pair = Pair::default();
    for last in 0..3 {
        pair.play(Step::Insert(with_nibble(&B256::ZERO, KEY_NIBBLES - 1, last), Value(vec![1])));
        pair.play(Step::Root);
    }
    let absent = with_nibble(&B256::ZERO, KEY_NIBBLES - 1, 9);
    assert_eq!(pair.trie.node_counts(), NodeCounts { leaves: 3, branches: 1, extensions: 1 });
    assert_eq!(pair.trie.proof(&B256::ZERO).len(), 1, "the branch takes 26 bytes and stands in the extension");
    assert_eq!(pair.trie.proof(&absent), pair.trie.proof(&B256::ZERO));
}

#[test]
fn a_proof_of_absence_ends_where_the_path_parts() {
    let mut trie = Trie::new();
    for last in 0..2 {
        trie.insert(&with_nibble(&B256::ZERO, KEY_NIBBLES - 1, last), Value(vec![1; 40]));
    }
    let nodes_to = |trie: &mut Trie<Value>, depth| trie.proof(&with_nibble(&B256::ZERO, depth, 7)).len();
    assert_eq!(trie.proof(&B256::ZERO).len(), 3, "extension, branch, leaf");
    assert_eq!(nodes_to(&mut trie, KEY_NIBBLES - 1), 2, "the branch has no such child");
    assert_eq!(nodes_to(&mut trie, KEY_NIBBLES - 2), 1, "the extension goes elsewhere");
    assert_eq!(nodes_to(&mut trie, 0), 1, "the extension goes elsewhere");
}

#[test]
fn forks_at_all_64_depths_are_the_deepest_trie_there_is() {
    let mut pair = Pair::default();
    let mut keys: Vec<B256> = (0..KEY_NIBBLES).map(|depth| with_nibble(&B256::ZERO, depth, 1)).collect();
    keys.push(B256::ZERO);
    for key in &keys {
        pair.play(Step::Insert(*key, Value(vec![0x7f; 40])));
    }
    pair.play(Step::Root);
    assert_eq!(pair.trie.node_counts(), NodeCounts { leaves: 65, branches: 64, extensions: 0 });
    assert_eq!(pair.trie.proof(&B256::ZERO).len(), 65);
    for key in &keys {
        pair.play(Step::RemoveAny(*key));
        pair.play(Step::Root);
    }
}

#[test]
fn released_nodes_are_used_again() {
    let mut trie = Trie::new();
    let keys: Vec<B256> = (0..1_000_u64).map(|number| keccak256(number.to_be_bytes())).collect();
    let mut memory_bytes = Vec::new();
    for _ in 0..4 {
        keys.iter().for_each(|key| trie.insert(key, Value(vec![1])));
        let _root: B256 = trie.root();
        keys.iter().for_each(|key| trie.remove(key));
        memory_bytes.push(trie.memory_bytes());
    }
    assert!(memory_bytes[0] > 0 && memory_bytes.iter().all(|bytes| *bytes == memory_bytes[0]), "{memory_bytes:?}");
}

#[test]
fn a_copy_goes_its_own_way() {
    let mut trie = Trie::new();
    trie.insert(&B256::ZERO, Value(vec![1]));
    let before = trie.root();
    let mut copy = trie.clone();
    copy.insert(&B256::repeat_byte(1), Value(vec![2]));
    assert_ne!(copy.root(), before);
    assert_eq!((trie.root(), trie.len()), (before, 1));
    assert_eq!(format!("{trie:?}"), "Trie { nodes: NodeCounts { leaves: 1, branches: 0, extensions: 0 }, .. }");
}

#[test]
fn nibbles_are_read_and_set_high_one_first() {
    let key = with_nibble(&with_nibble(&B256::ZERO, 0, 0xa), 63, 0x5);
    assert_eq!((key[0], key[31], nibble(&key, 0), nibble(&key, 1), nibble(&key, 63)), (0xa0, 0x05, 0xa, 0, 5));
}
