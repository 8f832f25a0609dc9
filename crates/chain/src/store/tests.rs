//! Facts about the store alone: what a token, a free key or an end that is there already keeps from being written.

use super::*;
use crate::KeyRetirement;

pub(super) async fn opened(folder: &tempfile::TempDir) -> Store {
    let identity = Identity { chain_id: 1337, genesis: B256::ZERO };
    let place = Place::Sqlite { path: folder.path().join("chain.db") };
    Store::open(&place, identity, Durability::ProcessOnly).await.unwrap()
}

/// A first attempt at the key, with a hash and bytes that are made up.
fn transaction(key: &str, sender: Address, nonce: u64, fence: u64) -> NewTransaction {
    NewTransaction {
        key: IntentKey::parse(key).unwrap(),
        attempt: 1,
        fingerprint: B256::ZERO,
        subject: "what a person reads, with a \0 in it".to_owned(),
        sender,
        nonce,
        fence,
        hash: B256::repeat_byte(1),
        raw: vec![1].into(),
        created_address: None,
        policy: None,
        approvals: Vec::new(),
        spent: None,
        requested: None,
    }
}

async fn admission(store: &Store, new: &NewTransaction) -> Admission {
    store.enqueue(new).await.unwrap().admitted().await.unwrap()
}

/// Stores an intent as the first of its lane.
async fn admitted(store: &Store, sender: Address) -> (StoredIntent, LaneRow) {
    let row = store.take_lane(sender, 0).await.unwrap();
    let new = transaction(&sender.to_string(), sender, row.next_nonce, row.fence);
    assert_eq!(admission(store, &new).await, Admission::Stored);
    assert_eq!(admission(store, &new).await, Admission::NotStored);
    (store.intent(&new.key).await.unwrap().unwrap(), row)
}

#[tokio::test]
async fn a_nonce_is_given_back_or_its_bytes_are_sent_again_and_never_both() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let (given_back, row) = admitted(&store, Address::repeat_byte(1)).await;
    assert!(store.give_back(&given_back, row.fence, "no").await.unwrap());
    assert!(store.send_again(&given_back).await.unwrap().is_refused());
    assert!(store.announce_open(given_back.sender, 0, 1, 9).await.unwrap().is_empty());

    let (sent_again, row) = admitted(&store, Address::repeat_byte(2)).await;
    assert!(store.send_again(&sent_again).await.unwrap().outcome.is_none());
    assert!(!store.give_back(&sent_again, row.fence, "no").await.unwrap());

    let (lower, row) = admitted(&store, Address::repeat_byte(3)).await;
    assert_eq!(store.announce_open(lower.sender, 0, 1, 9).await.unwrap().len(), 1);
    assert!(!store.give_back(&lower, row.fence, "no").await.unwrap());
}

#[tokio::test]
async fn whoever_has_an_old_token_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let (stored, old) = admitted(&store, Address::repeat_byte(1)).await;
    let new = store.take_lane(stored.sender, 0).await.unwrap();
    assert_eq!((new.next_nonce, new.fence), (1, old.fence + 1));
    let filler = Filler { hash: B256::repeat_byte(2), raw: vec![2].into() };
    assert!(!store.give_back(&stored, old.fence, "no").await.unwrap());
    assert!(!store.cancel(&stored, old.fence, &filler, "no").await.unwrap());
    assert_eq!(admission(&store, &transaction("late", stored.sender, 1, old.fence)).await, Admission::NotStored);
    assert_eq!(admission(&store, &transaction("late", stored.sender, 1, new.fence)).await, Admission::Stored);
    assert!(store.cancel(&stored, new.fence, &filler, "no").await.unwrap());
}

#[tokio::test]
async fn an_end_is_published_once_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let (stored, _) = admitted(&store, Address::repeat_byte(1)).await;
    let log = alloy_primitives::Log::new_unchecked(Address::ZERO, Vec::new(), vec![7; 1_500_000].into());
    let mined = crate::Mined {
        hash: stored.hash,
        block_number: 7,
        block_hash: B256::repeat_byte(9),
        transaction_index: 0,
        gas_used: 21_000,
        created_address: None,
        execution: crate::Execution::Succeeded,
        logs: vec![log],
    };
    for outcome in [Outcome::Mined(mined.clone()), Outcome::Refused(crate::Refusal { reason: "late".to_owned() })] {
        store.settle(&stored, &outcome).await.unwrap();
    }
    let ended = store.intent(&stored.key).await.unwrap().unwrap();
    assert!(ended.is_without_logs, "logs that a row cannot hold are read elsewhere");
    assert_eq!(ended.outcome, Some(Outcome::Mined(crate::Mined { logs: Vec::new(), ..mined })));
    let published = store.journal.published_after(messages::Position::new(0), 10).await.unwrap();
    let types: Vec<_> = published.iter().map(|event| event.metadata.event_type.as_str()).collect();
    assert_eq!(types, [TransactionEnded::MINED]);
    assert!(store.open_keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_that_the_log_does_not_tell_of_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let (given_back, row) = admitted(&store, Address::repeat_byte(1)).await;
    assert!(store.give_back(&given_back, row.fence, "no").await.unwrap());
    let (stored, row) = admitted(&store, Address::repeat_byte(2)).await;
    let filler = Filler { hash: B256::repeat_byte(2), raw: vec![2].into() };
    assert!(store.cancel(&stored, row.fence, &filler, "no").await.unwrap());
    let bytes_differ = |differences: &[String]| {
        assert_eq!(differences.len(), 2, "{differences:?}");
        assert!(differences.iter().all(|said| said.ends_with("the signed bytes are not those of its hash")));
    };
    // The hashes of these tests are made up.
    bytes_differ(&state_differences(&store.journal).await.unwrap());
    for (sql, expected) in [
        ("UPDATE chain_intents SET raw = x'02' WHERE state = 'refused'", "the signed bytes are not"),
        ("UPDATE chain_intents SET nonce = 9 WHERE state = 'cancelling'", "nonce 9 of 0x0202"),
        ("UPDATE chain_intents SET state = 'sent' WHERE state = 'cancelling'", "the row says sent"),
        ("DELETE FROM chain_intents WHERE nonce = 9", "there is no row, the log says cancelling"),
    ] {
        tampered(&store, sql).await;
        let differences = state_differences(&store.journal).await.unwrap().join("\n");
        assert!(differences.contains(expected), "{sql}: {differences}");
    }
}

/// Runs a statement that no program of ours runs.
async fn tampered(store: &Store, sql: &'static str) {
    let mut unit = UnitOfWork::new();
    let _ = unit.statement(Statement { sql, parameters: Vec::new(), rows_expected: Some(1) });
    assert!(store.run(unit).await.unwrap(), "{sql}");
}

/// The end of the key of the first sender, in favour of the second.
async fn retiring(store: &Store) -> KeyRetirement {
    let [sender, successor] = [1, 2].map(Address::repeat_byte);
    let pause = crate::LanePause { reason: "left".to_owned(), who: "ana".to_owned(), since: store.time() };
    assert_eq!(store.pause(sender, &pause).await.unwrap(), PauseChange::Done);
    let (reason, who, begun) = ("left".to_owned(), "ana".to_owned(), store.time());
    let begun = KeyRetirement { sender, successor: Some(successor), reason, who, begun, retired: None };
    assert!(store.begin_retirement(&begun, None, &[]).await.unwrap());
    assert!(!store.begin_retirement(&begun, None, &[]).await.unwrap());
    begun
}

#[tokio::test]
async fn whoever_has_the_right_token_stores_nothing_for_a_key_at_its_end_nor_for_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let (stored, row) = admitted(&store, Address::repeat_byte(1)).await;
    let (_, next) = admitted(&store, Address::repeat_byte(2)).await;
    let begun = retiring(&store).await;
    let of_heir = |fence| transaction("heir", Address::repeat_byte(2), 1, fence);
    assert_eq!(admission(&store, &of_heir(next.fence)).await, Admission::NotStored);
    let retired = KeyRetirement { retired: Some(store.time()), ..begun };
    assert!(!store.finish_retirement(&retired, None).await.unwrap(), "one is open");
    let refusal = Outcome::Refused(crate::Refusal { reason: "no".to_owned() });
    store.settle(&stored, &refusal).await.unwrap();
    assert!(store.finish_retirement(&retired, None).await.unwrap());
    assert!(!store.finish_retirement(&retired, None).await.unwrap(), "it is retired once");
    // Whoever held the successor's lane before takes it anew.
    assert_eq!(admission(&store, &of_heir(next.fence)).await, Admission::NotStored);
    assert_eq!(admission(&store, &of_heir(next.fence + 1)).await, Admission::Stored);
    // Not even without its pause does the key store anything.
    assert_eq!(
        store.resume(stored.sender, "bia").await.unwrap(),
        store.pause_as_it_stands(stored.sender).await.unwrap()
    );
    tampered(&store, "UPDATE chain_lanes SET paused = '' WHERE paused <> ''").await;
    assert_eq!(admission(&store, &transaction("late", stored.sender, 1, row.fence)).await, Admission::NotStored);
    tampered(&store, "DELETE FROM chain_retirements").await;
    assert_eq!(admission(&store, &transaction("late", stored.sender, 1, row.fence)).await, Admission::Stored);
}

#[tokio::test]
async fn a_retirement_that_the_log_tells_otherwise_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let _ = store.take_lane(Address::repeat_byte(1), 0).await.unwrap();
    let begun = retiring(&store).await;
    assert!(state_differences(&store.journal).await.unwrap().is_empty());
    assert_eq!(store.resume(begun.sender, "bia").await.unwrap(), PauseChange::Done);
    assert!(state_differences(&store.journal).await.unwrap().is_empty(), "it is given up in both");
    let _ = retiring(&store).await;
    for (sql, expected) in [
        ("UPDATE chain_retirements SET retired_us = 5", "the row says retired for 0x0202"),
        ("UPDATE chain_retirements SET retired_us = 0, successor = x''", "the row says being retired for nobody"),
        ("DELETE FROM chain_retirements", "there is no row of its end, the log says being retired for 0x0202"),
    ] {
        tampered(&store, sql).await;
        let differences = state_differences(&store.journal).await.unwrap().join("\n");
        assert!(differences.contains(expected), "{sql}: {differences}");
    }
}

#[tokio::test]
async fn of_many_without_an_end_the_lowest_are_announced() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let sender = Address::repeat_byte(1);
    let (_, row) = admitted(&store, sender).await;
    for nonce in 1..10 {
        let new = transaction(&nonce.to_string(), sender, nonce, row.fence);
        assert_eq!(admission(&store, &new).await, Admission::Stored);
    }
    let nonces = |open: Vec<StoredIntent>| open.iter().map(|intent| intent.nonce).collect::<Vec<_>>();
    assert_eq!(nonces(store.announce_open(sender, 0, u64::MAX, 3).await.unwrap()), [0, 1, 2]);
    assert_eq!(nonces(store.announce_open(sender, 3, 5, 3).await.unwrap()), [3, 4]);
    assert_eq!(store.lowest_open(sender).await.unwrap().map(|lowest| lowest.nonce), Some(0));
    // The last one was not announced: its nonce can be given back.
    let last = store.intent(&IntentKey::parse("9").unwrap()).await.unwrap().unwrap();
    assert!(store.give_back(&last, row.fence, "no").await.unwrap());
    assert_eq!(nonces(store.ended_between(sender, 0, u64::MAX).await.unwrap()), [9]);
}

/// A block in which two hundred of ours revert with as much as is kept of each.
#[tokio::test]
async fn a_block_of_long_reverts_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(&folder).await;
    let mut ends = Vec::new();
    for sender in (1..=200).map(Address::with_last_byte) {
        let (stored, _) = admitted(&store, sender).await;
        let mined = crate::Mined {
            hash: stored.hash,
            block_number: 7,
            block_hash: B256::repeat_byte(9),
            transaction_index: 0,
            gas_used: 21_000,
            created_address: None,
            execution: crate::Execution::reverted(Some(vec![7; crate::REVERT_BYTES_MAX].into())),
            logs: Vec::new(),
        };
        assert!(mined.execution.revert_data().is_some());
        ends.push((stored, Outcome::Mined(mined)));
    }
    let from = crate::follower::Cursor { number: 6, hash: B256::ZERO };
    store.begin_cursor(from).await.unwrap();
    let to = crate::follower::Cursor { number: 7, hash: B256::repeat_byte(9) };
    let brought = Brought { ends, ..Brought::default() };
    assert!(store.settle_block(&brought, from, to).await.unwrap());
    assert!(store.open_keys().await.unwrap().is_empty());
    let longer = crate::Execution::reverted(Some(vec![7; crate::REVERT_BYTES_MAX + 1].into()));
    assert_eq!(longer, crate::Execution::Reverted { data: None });
}
