//! Rows that somebody changed: named with their place, never a panic.

use messages::{Position, StreamVersion};

use super::sample::{event, events, key, scope, stream, timer};
use super::stand::{commit, stands};
use crate::key::KeyState;
use crate::store::{Rows, StoreError};
use crate::unit::Audience;

/// The error's text, which must be damage.
fn damage<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(!error.is_transient());
    error.to_string()
}

#[tokio::test]
async fn a_damaged_event_is_named_by_its_position() {
    // What is done to the event at position 2, and what is said of it.
    let cases = [
        ("salt = event_id, event_id = metadata", "event at position 2 is damaged"),
        ("event_hash = salt", "event at position 2 is damaged"),
        ("metadata = salt", "event at position 2 is damaged"),
        ("stream_version = -1", "column 1 is negative: -1"),
        ("stream_version = 7", "its column says version 7, its metadata 2"),
        ("previous_published = -2", "column 3 is negative: -2"),
        ("position = 9", "event at position 2 is damaged: it is missing"),
    ];
    for (change, expected) in cases {
        for stand in stands() {
            let backend = stand.opened().await;
            let _ = events(&backend, 1, &[("a", 1), ("a", 2), ("a", 3)]).await;
            stand.run(&format!("UPDATE events SET {change} WHERE position = 2")).await;
            let error = damage(backend.events_after(Position::START, 9).await);
            assert!(error.contains(expected), "{change}: {error}");
            stand.clear(backend).await;
        }
    }
}

#[tokio::test]
async fn a_missing_event_is_noticed_in_its_stream_and_among_the_published() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut head = backend.head().await.unwrap();
        let events = (1..=4).map(|version| event(&mut head, "a", version, Audience::Published)).collect();
        commit(&backend, 1, &Rows { events, ..Rows::default() }, &head).await;
        stand.run("DELETE FROM events WHERE position = 2").await;
        let error = damage(backend.stream_after(&stream("a"), StreamVersion::EMPTY, 9).await);
        assert_eq!(error, "event at position 3 is damaged: its stream has version 3 where 2 must stand");
        let error = damage(backend.published_after(Position::START, 9).await);
        let expected =
            "event at position 3 is damaged: the published event at 2, which it names, does not stand before it";
        assert_eq!(error, expected);
        let error = damage(backend.published_after(Position::new(1), 9).await);
        assert_eq!(error, expected);
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn damaged_keys_timers_cursors_and_heads_are_named() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        let cursor = crate::cursor::Cursor::start(head.store);
        let rows = Rows {
            keys_new: vec![key("k", KeyState::Done, None, &head)],
            timers_new: vec![timer("t", 1)],
            cursors: vec![("c".into(), cursor)],
            ..Rows::default()
        };
        commit(&backend, 1, &rows, &head).await;
        stand
            .run("UPDATE command_keys SET state = 9; UPDATE timers SET tenant = ''; UPDATE cursors SET position = -4")
            .await;
        assert_eq!(damage(backend.key(&scope("k")).await), "idempotency key at `k` is damaged: 9 is no state");
        assert_eq!(
            damage(backend.timers_due(messages::Timestamp::from_micros(i64::MAX), 9).await),
            "timer at `t` is damaged: tenant is empty"
        );
        assert_eq!(damage(backend.cursor("c").await), "cursor at `c` is damaged: column 2 is negative: -4");
        stand.run("UPDATE appenders SET group_number = -1").await;
        let mut group = backend.begin().await.unwrap();
        assert!(damage(group.last_group_number().await).contains("column 0 is negative: -1"));
        group.give_up().await;
        stand.run("UPDATE head SET event_hash = store_id").await;
        assert!(damage(backend.head().await).starts_with("head at its only row is damaged"));
        assert!(damage(backend.begin().await).starts_with("head at its only row is damaged"));
        stand.run("DELETE FROM head").await;
        assert_eq!(damage(backend.begin().await), "head at its only row is damaged: it is missing");
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_store_that_is_replaced_while_it_is_open_takes_no_group() {
    for stand in stands() {
        let backend = stand.opened().await;
        stand.run("UPDATE head SET store_id = (SELECT appender_id FROM appenders)").await;
        assert!(damage(backend.begin().await).ends_with("the store was replaced while it was open"));
        stand.clear(backend).await;
    }
}
