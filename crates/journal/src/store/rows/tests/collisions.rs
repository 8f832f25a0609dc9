//! Two names with one 64-bit hash. None is known, so rows are given the hash of another name past the backend.

use messages::StreamVersion;

use super::sample::{claim, events, key, scope, stream, timer, timer_name};
use super::stand::{commit, mark, stands};
use crate::key::KeyState;
use crate::store::{Newest, Rows, Wanted};

#[tokio::test]
async fn streams_with_one_hash_are_kept_apart() {
    for stand in stands() {
        let backend = stand.opened().await;
        let short: Vec<_> = (1..=3).map(|version| ("short", version)).collect();
        // Longer than a page of the search.
        let long: Vec<_> = (1..=600).map(|version| ("long", version)).collect();
        let short = events(&backend, 1, &short).await;
        let long = events(&backend, 2, &long).await;
        for name in ["long", "absent"] {
            // The stream that is looked for is `short`, then `absent`; the others have its hash.
            let hash = if name == "long" { stream("short").narrow() } else { stream("absent").narrow() };
            stand.run(&format!("UPDATE events SET stream_hash = {hash}")).await;
            let mut group = backend.begin().await.unwrap();
            let wanted = ["short", "long", "absent"].map(stream);
            let wanted = wanted.into_iter().filter(|stream| stream.narrow() == hash).collect();
            let found = group.find(&Wanted { streams: wanted, ..Wanted::default() }).await.unwrap();
            group.give_up().await;
            let newest = Newest { version: StreamVersion::new(3), event: short[2].header.event };
            let expected = if name == "long" { [(stream("short"), newest)].into() } else { [].into() };
            assert_eq!(found.newest, expected);
        }
        let hash = stream("short").narrow();
        stand.run(&format!("UPDATE events SET stream_hash = {hash}")).await;
        let read = backend.stream_after(&stream("short"), StreamVersion::EMPTY, 3).await.unwrap();
        assert_eq!(read, short);
        let read = backend.stream_after(&stream("short"), StreamVersion::new(1), 100).await.unwrap();
        assert_eq!(read, short[1..]);
        let hash = stream("long").narrow();
        stand.run(&format!("UPDATE events SET stream_hash = {hash}")).await;
        let read = backend.stream_after(&stream("long"), StreamVersion::EMPTY, 1_000).await.unwrap();
        assert_eq!(read, long);
        // A page may end between two events with one version.
        for limit in [1, 2, 3, 4, 5, 6] {
            let read = backend.stream_after(&stream("long"), StreamVersion::EMPTY, limit).await.unwrap();
            assert_eq!(read, long[..limit]);
        }
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn keys_claims_and_timers_with_one_hash_are_kept_apart() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        let rows = Rows {
            keys_new: vec![key("a", KeyState::Done, None, &head), key("b", KeyState::Accepted, None, &head)],
            claims_new: vec![(claim("a"), stream("1").stream), (claim("b"), stream("2").stream)],
            timers_new: vec![timer("a", 1), timer("b", 2)],
            ..Rows::default()
        };
        commit(&backend, 1, &rows, &head).await;
        stand
            .run(&format!(
                "UPDATE command_keys SET key_hash = {}; UPDATE claims SET claim_hash = {}; UPDATE timers SET timer_hash = {}",
                scope("a").narrow(),
                claim("a").narrow(),
                timer_name("a").narrow()
            ))
            .await;
        assert_eq!(backend.key(&scope("a")).await.unwrap(), Some(rows.keys_new[0].clone()));
        stand.run(&format!("UPDATE command_keys SET key_hash = {}", scope("b").narrow())).await;
        assert_eq!(backend.key(&scope("b")).await.unwrap(), Some(rows.keys_new[1].clone()));
        stand.run(&format!("UPDATE command_keys SET key_hash = {}", scope("a").narrow())).await;
        let mut group = backend.begin().await.unwrap();
        let wanted = Wanted {
            keys: [scope("a")].into(),
            claims: [claim("a")].into(),
            timers: [timer_name("a")].into(),
            ..Wanted::default()
        };
        let found = group.find(&wanted).await.unwrap();
        assert_eq!(found.keys, [(scope("a"), rows.keys_new[0].clone())].into());
        assert_eq!(found.claims, [(claim("a"), stream("1").stream)].into());
        assert_eq!(found.timers, [(timer_name("a"), rows.timers_new[0].due)].into());
        let changes = Rows {
            keys_removed: vec![scope("a")],
            claims_removed: vec![claim("a")],
            timers_removed: vec![timer_name("a")],
            ..Rows::default()
        };
        group.write(&changes, &head, mark(2)).await.unwrap();
        group.commit().await.unwrap();
        assert_eq!(backend.query("SELECT key FROM command_keys", &[]).await.unwrap()[0][0].text(), Some("b"));
        assert_eq!(backend.query("SELECT value FROM claims", &[]).await.unwrap()[0][0].text(), Some("b"));
        assert_eq!(backend.query("SELECT name FROM timers", &[]).await.unwrap()[0][0].text(), Some("b"));
        stand.clear(backend).await;
    }
}
