//! Tests of the pool. `play` speaks a small language: `add NAME NONCE [PRICE]`, `take N`, `include N`, `fail N`, `wait S`.

use super::*;
use crate::transaction::testing::{address, priced};
use alloy_primitives::{Bytes, TxKind};
use proptest::prelude::*;

/// Plays a script and returns one word per step.
fn play(limits: PoolLimits, script: &str) -> String {
    let mut pool = Pool::new(limits);
    let mut taken: VecDeque<Arc<SignedTransaction>> = VecDeque::new();
    let mut nonces: HashMap<String, u64> = HashMap::new();
    let mut now = Instant::now();
    let mut said = Vec::new();
    for step in script.split(';') {
        let words: Vec<&str> = step.split_whitespace().collect();
        let number = |index: usize| words.get(index).map_or(0, |word| word.parse::<u64>().unwrap());
        said.push(match words[0] {
            "add" => {
                let transaction = priced(words[1], number(2), u128::from(number(3)), TxKind::Create, Bytes::new());
                let account_nonce = nonces.get(words[1]).copied().unwrap_or(0);
                match pool.add(Arc::new(transaction), account_nonce, now) {
                    Ok(()) => "ok".to_owned(),
                    Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
                }
            }
            "take" => {
                taken.extend(pool.take_ready(usize::try_from(number(1)).unwrap()));
                taken.iter().map(|t| name_and_nonce(t)).collect::<Vec<_>>().join(",")
            }
            "include" => {
                let included: Vec<_> = taken.drain(..usize::try_from(number(1)).unwrap()).collect();
                included.iter().for_each(|t| _ = nonces.insert(name_of(t).to_owned(), t.nonce() + 1));
                pool.settle(&included, &[]);
                format!("left={}", pool.len())
            }
            "fail" => {
                let failed: Vec<_> = taken.drain(..usize::try_from(number(1)).unwrap()).collect();
                pool.settle(&[], &failed);
                format!("left={}", pool.len())
            }
            "back" => {
                pool.put_back(taken.make_contiguous());
                taken.clear();
                "back".to_owned()
            }
            "wait" => {
                now += Duration::from_secs(number(1));
                format!("expired={}", pool.expire(now))
            }
            "next" => pool.next_nonce(&address(words[1]), nonces.get(words[1]).copied().unwrap_or(0)).to_string(),
            other => panic!("no step {other}"),
        });
    }
    said.join(" ")
}

fn name_of(transaction: &SignedTransaction) -> &'static str {
    ["ana", "bia"].into_iter().find(|name| address(name) == transaction.sender()).unwrap()
}

fn name_and_nonce(transaction: &SignedTransaction) -> String {
    format!("{}{}", name_of(transaction), transaction.nonce())
}

fn small() -> PoolLimits {
    PoolLimits { transactions_max: 4, nonce_distance_max: 10, retention: Duration::from_secs(60), ..Default::default() }
}

#[test]
fn nonces_leave_in_order_whatever_the_order_of_arrival() {
    let said = play(small(), "add ana 2; add bia 0; add ana 0; add ana 1; take 9");
    assert_eq!(said, "ok ok ok ok bia0,ana0,ana1,ana2");
}

#[test]
fn a_gap_holds_back_what_is_behind_it_until_it_is_filled() {
    assert_eq!(play(small(), "add ana 1; take 9; add ana 0; take 9; next ana"), "ok  ok ana0,ana1 2");
}

#[test]
fn what_did_not_fit_is_first_again_and_still_known() {
    assert_eq!(
        play(small(), "add ana 0; add bia 0; take 9; back; add ana 0; take 1"),
        "ok ok ana0,bia0 back AlreadyKnown ana0"
    );
}

#[test]
fn an_invalid_transaction_makes_its_successors_wait_for_a_new_one() {
    let said = play(small(), "add ana 0; add ana 1; take 1; fail 1; take 9; add ana 0 5; take 9");
    assert_eq!(said, "ok ok ana0 left=1  ok ana0,ana1");
}

#[test]
fn a_replacement_of_an_invalid_transaction_is_not_lost() {
    // Taken, replaced while it ran, found invalid: the replacement is what waits, and its successor follows it.
    let said = play(small(), "add ana 0; add ana 1; take 1; add ana 0 5; fail 1; take 9");
    assert_eq!(said, "ok ok ana0 ok left=2 ana0,ana1");
}

#[test]
fn every_limit_has_its_own_answer() {
    assert_eq!(play(small(), "add ana 10"), "NonceTooDistant");
    assert_eq!(play(small(), "add ana 0; take 1; include 1; add ana 0 1"), "ok ana0 left=0 NonceTooLow");
    assert_eq!(play(small(), "add ana 0; add ana 1; add ana 2; add ana 3; add bia 0"), "ok ok ok ok Full");
    assert_eq!(
        play(small(), "add ana 0 100; add ana 0 109; add ana 0 110; take 9"),
        "ok ReplacementUnderpriced ok ana0"
    );
    assert_eq!(play(small(), "add ana 1; wait 60; wait 1; add ana 1"), "ok expired=0 expired=1 ok");
}

proptest! {
    /// Whatever arrives and whatever the sealer does, no sender's nonces leave out of order or twice, and the counts hold.
    #[test]
    fn nonces_of_a_sender_are_included_once_and_in_order(steps in prop::collection::vec((0..4_u8, 0..2_u8, 0..6_u64), 1..80)) {
        let mut pool = Pool::new(PoolLimits { transactions_max: 100, ..small() });
        let mut next: HashMap<Address, u64> = HashMap::new();
        for (kind, who, number) in steps {
            let name = if who == 0 { "ana" } else { "bia" };
            let account_nonce = next.get(&address(name)).copied().unwrap_or(0);
            if kind < 2 {
                let transaction = priced(name, account_nonce + number, u128::from(kind) * 1_000, TxKind::Create, Bytes::new());
                let _ = pool.add(Arc::new(transaction), account_nonce, Instant::now());
                continue;
            }
            let taken = pool.take_ready(usize::try_from(number).unwrap());
            let (now, later) = taken.split_at(taken.len() / 2);
            let now: Vec<_> = if kind == 2 { now.to_vec() } else { taken.clone() };
            for transaction in &now {
                let expected = next.entry(transaction.sender()).or_default();
                prop_assert_eq!(transaction.nonce(), *expected);
                *expected += 1;
            }
            pool.settle(&now, &[]);
            if kind == 2 { pool.put_back(later) }
        }
        let waiting: usize = pool.senders.values().map(|sender| sender.waiting.len()).sum();
        let bytes: usize = pool.by_hash.values().map(|transaction| transaction.raw().len()).sum();
        prop_assert_eq!((waiting, bytes), (pool.len(), pool.bytes));
    }
}
