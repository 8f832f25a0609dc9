//! Keys, claims and timers that change or go, and keys that expire.

use messages::Timestamp;

use super::sample::{claim, event, key, scope, stream, timer, timer_name};
use super::stand::{BEGINNING, commit, mark, number, stands};
use crate::key::{KeyRecord, KeyState};
use crate::store::{Backend, Rows, StoreError, WriteError};
use crate::unit::Audience;

#[tokio::test]
async fn a_change_or_removal_touches_the_row_it_names_alone() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        let keys = ["a", "b", "c"].map(|name| key(name, KeyState::Accepted, None, &head));
        let timers = ["a", "b", "c"].map(|name| timer(name, 10));
        let first = Rows {
            keys_new: keys.to_vec(),
            timers_new: timers.to_vec(),
            claims_new: vec![(claim("x"), stream("asset/1").stream), (claim("y"), stream("asset/1").stream)],
            ..Rows::default()
        };
        commit(&backend, 1, &first, &head).await;
        let done = KeyRecord {
            state: KeyState::Done,
            answer: Some(b"\0answer".as_slice().into()),
            changed: Timestamp::from_micros(BEGINNING.micros() + 9),
            ..keys[0].clone()
        };
        let second = Rows {
            keys_changed: vec![done.clone()],
            keys_removed: vec![scope("b")],
            timers_changed: vec![timer("a", 99)],
            timers_removed: vec![timer_name("b")],
            // The claim changes hands within a group.
            claims_removed: vec![claim("x")],
            claims_new: vec![(claim("x"), stream("asset/2").stream)],
            ..Rows::default()
        };
        commit(&backend, 2, &second, &head).await;
        assert_eq!(backend.key(&scope("a")).await.unwrap(), Some(done));
        assert_eq!(backend.key(&scope("b")).await.unwrap(), None);
        assert_eq!(backend.key(&scope("c")).await.unwrap(), Some(keys[2].clone()));
        let all = backend.timers_due(Timestamp::from_micros(i64::MAX), 9).await.unwrap();
        assert_eq!(all, [timers[2].clone(), timer("a", 99)]);
        let owners = backend.query("SELECT stream FROM claims ORDER BY value", &[]).await.unwrap();
        let owners: Vec<_> = owners.iter().map(|row| row[0].text().unwrap()).collect();
        assert_eq!(owners, ["asset/2", "asset/1"]);
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_change_of_what_is_not_there_is_damage_and_writes_nothing() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        let absent = [
            Rows { keys_changed: vec![key("a", KeyState::Done, None, &head)], ..Rows::default() },
            Rows { keys_removed: vec![scope("a")], ..Rows::default() },
            Rows { claims_removed: vec![claim("a")], ..Rows::default() },
            Rows { timers_changed: vec![timer("a", 1)], ..Rows::default() },
            Rows { timers_removed: vec![timer_name("a")], ..Rows::default() },
        ];
        for rows in absent {
            let rows = Rows { keys_new: vec![key("b", KeyState::Accepted, None, &head)], ..rows };
            let mut group = backend.begin().await.unwrap();
            let error = group.write(&rows, &head, mark(1)).await.unwrap_err();
            assert!(matches!(error, WriteError::Store(StoreError::Damaged { .. })), "{error:?}");
            group.give_up().await;
        }
        assert_eq!(backend.key(&scope("b")).await.unwrap(), None);
        stand.clear(backend).await;
    }
}

/// Commits one event and one key with this state; the clock is `seconds` after the beginning.
async fn take_key(backend: &Backend, seconds: i64, name: &str, state: KeyState) {
    let mut head = backend.head().await.unwrap();
    head.recorded = Timestamp::from_micros(BEGINNING.micros() + seconds * 1_000_000);
    let version = head.position.next().number();
    let events = vec![event(&mut head, "keys", version, Audience::Private)];
    let rows = Rows { events, keys_new: vec![key(name, state, None, &head)], ..Rows::default() };
    commit(backend, version, &rows, &head).await;
}

#[tokio::test]
async fn keys_expire_oldest_first_and_only_when_they_are_old_and_final() {
    for stand in stands() {
        let backend = stand.opened().await;
        let before = |seconds: i64| Timestamp::from_micros(BEGINNING.micros() + seconds * 1_000_000);
        assert_eq!(backend.expire_keys(before(i64::MAX / 2_000_000_000), 10).await.unwrap(), 0);
        let states = [KeyState::Done, KeyState::Acting, KeyState::Refused, KeyState::Accepted, KeyState::Done];
        for (seconds, state) in (0..).zip(states.into_iter().cycle().take(20)) {
            take_key(&backend, seconds, &format!("k{seconds}"), state).await;
        }
        // A key that was taken early and changed late is young.
        let mut late = backend.key(&scope("k0")).await.unwrap().unwrap();
        late.changed = before(15);
        let head = backend.head().await.unwrap();
        commit(&backend, 99, &Rows { keys_changed: vec![late], ..Rows::default() }, &head).await;

        assert_eq!(backend.expire_keys(before(0), 10).await.unwrap(), 0);
        // Old and final are 2, 4, 5, 7 and 9.
        assert_eq!(backend.expire_keys(before(10), 2).await.unwrap(), 2);
        assert_eq!(backend.key(&scope("k4")).await.unwrap(), None);
        assert!(backend.key(&scope("k5")).await.unwrap().is_some());
        assert_eq!(backend.expire_keys(before(10), 100).await.unwrap(), 3);
        assert_eq!(backend.expire_keys(before(10), 100).await.unwrap(), 0);
        for kept in ["k0", "k1", "k3", "k6", "k8", "k10"] {
            assert!(backend.key(&scope(kept)).await.unwrap().is_some(), "{kept}");
        }
        assert_eq!(backend.expire_keys(before(1_000), 100).await.unwrap(), 7);
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM command_keys WHERE state >= 2").await, 0);
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM command_keys").await, 8);
        stand.clear(backend).await;
    }
}
