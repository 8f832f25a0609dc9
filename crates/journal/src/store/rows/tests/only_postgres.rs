//! What can only happen to a PostgreSQL store: several processes, cut connections, foreign commits.

use std::time::Duration;

use messages::Position;

use super::sample::{event, events};
use super::stand::{BEGINNING, Stand, commit, mark, number, postgres_stand};
use crate::store::postgres::PostgresBackend;
use crate::store::rows::stream_hash;
use crate::store::{Backend, OpenError, Place, Rows, StoreError, Stretch, WriteError};
use crate::unit::{Audience, Parameter, Statement};

/// Ends all sessions of the store but the one that does it.
async fn cut(stand: &Stand) {
    let Place::Postgres { schema, .. } = &stand.config.place else { return };
    let sql = format!(
        "SELECT pg_terminate_backend(locks.pid, 5000) FROM pg_locks AS locks JOIN pg_class ON pg_class.oid = locks.relation
         WHERE pg_class.relnamespace = '{schema}'::regnamespace AND locks.pid <> pg_backend_pid()"
    );
    stand.run(&sql).await;
}

#[tokio::test]
async fn two_processes_append_in_turns_and_see_each_others_heads() {
    let stand = postgres_stand();
    let (first, second) = (stand.open(1).await.unwrap(), stand.open(2).await.unwrap());
    let mut written = events(&first, 1, &[("a", 1)]).await;
    written.extend(events(&second, 1, &[("b", 1)]).await);
    // The second waits while the first holds the head, and then builds on what the first wrote.
    let mut group = first.begin().await.unwrap();
    let mut head = *group.head();
    let (finished, waited) = tokio::join!(
        async {
            let event = event(&mut head, "a", 2, Audience::Private);
            group.write(&Rows { events: vec![event.clone()], ..Rows::default() }, &head, mark(2)).await.unwrap();
            group.commit().await.unwrap();
            event
        },
        async {
            let group = second.begin().await.unwrap();
            let head = *group.head();
            group.give_up().await;
            head
        }
    );
    written.push(finished);
    assert_eq!(waited, head);
    assert_eq!(second.head().await.unwrap(), head);
    assert_eq!(second.events_after(Position::START, 9).await.unwrap(), written);
    // A process that wrote the first event alone learns of which streams the others are.
    let mut group = first.begin().await.unwrap();
    let behind = |start: u64| Stretch {
        start: Some(written[usize::try_from(start).unwrap() - 1].hash),
        streams: written[usize::try_from(start).unwrap()..].iter().map(|event| stream_hash(&event.metadata)).collect(),
    };
    for start in [1, 2, 3] {
        let mut stretch = group.stretch_from(Position::new(start)).await.unwrap();
        let mut expected = behind(start);
        stretch.streams.sort_unstable();
        expected.streams.sort_unstable();
        assert_eq!(stretch, expected);
    }
    assert_eq!(group.stretch_from(Position::new(4)).await.unwrap(), Stretch::default());
    group.give_up().await;
    // Each process knows its own groups.
    assert!(first.is_committed(2).await.unwrap() && !second.is_committed(2).await.unwrap());
    second.close().await;
    stand.clear(first).await;
}

#[tokio::test]
async fn processes_that_open_a_new_store_at_once_make_one_store() {
    let stand = postgres_stand();
    let (first, second, third, fourth) = tokio::join!(stand.open(1), stand.open(2), stand.open(3), stand.open(4));
    let backends = [first.unwrap(), second.unwrap(), third.unwrap(), fourth.unwrap()];
    let head = backends[0].head().await.unwrap();
    for backend in &backends {
        assert_eq!(backend.head().await.unwrap(), head);
    }
    let [first, others @ ..] = backends;
    for other in others {
        other.close().await;
    }
    stand.clear(first).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_inside_a_group_is_a_passing_failure_and_the_next_group_works() {
    let stand = postgres_stand();
    let backend = stand.opened().await;
    for is_at_commit in [false, true] {
        let mut group = backend.begin().await.unwrap();
        let mut head = *group.head();
        let event = event(&mut head, "lost", 1, Audience::Private);
        let rows = Rows { events: vec![event], ..Rows::default() };
        let error = if is_at_commit {
            group.write(&rows, &head, mark(1)).await.unwrap();
            cut(&stand).await;
            group.commit().await.unwrap_err()
        } else {
            cut(&stand).await;
            let WriteError::Store(error) = group.write(&rows, &head, mark(1)).await.unwrap_err() else { panic!() };
            group.give_up().await;
            error
        };
        assert!(error.is_transient(), "{error:?}");
        assert!(!backend.is_committed(1).await.unwrap());
    }
    let written = events(&backend, 2, &[("kept", 1)]).await;
    assert_eq!(backend.events_after(Position::START, 9).await.unwrap(), written);
    stand.clear(backend).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_at_a_units_statement_is_not_the_units_fault() {
    let stand = postgres_stand();
    let backend = stand.opened().await;
    let mut group = backend.begin().await.unwrap();
    let head = *group.head();
    cut(&stand).await;
    let statement = Statement {
        sql: "INSERT INTO lanes (sender, nonce) VALUES ($1, 0)",
        parameters: vec![Parameter::Bytes(vec![1])],
        rows_expected: Some(1),
    };
    let rows = Rows { statements: vec![(0, statement)], ..Rows::default() };
    let error = group.write(&rows, &head, mark(1)).await.unwrap_err();
    assert!(matches!(&error, WriteError::Store(error) if error.is_transient()), "{error:?}");
    group.give_up().await;
    commit(&backend, 1, &rows, &head).await;
    stand.clear(backend).await;
}

#[tokio::test]
async fn a_head_that_is_held_for_long_is_a_passing_failure() {
    let stand = postgres_stand();
    let (first, second) = (stand.open(1).await.unwrap(), stand.open(2).await.unwrap());
    let group = first.begin().await.unwrap();
    let error = tokio::time::timeout(Duration::from_secs(9), second.begin()).await.unwrap().unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    group.give_up().await;
    second.begin().await.unwrap().give_up().await;
    second.close().await;
    stand.clear(first).await;
}

#[tokio::test]
async fn another_process_is_told_of_events_and_of_nothing_else() {
    let stand = postgres_stand();
    let (first, second) = (stand.open(1).await.unwrap(), stand.open(2).await.unwrap());
    let Backend::Postgres(listening) = &first else { panic!() };
    let mut commits = listening.foreign_commits().await.unwrap();
    let limit = Duration::from_secs(5);
    // Its own events, and a group without events, wake nobody: the notice that comes is that of the last group.
    let _ = events(&first, 1, &[("a", 1)]).await;
    let head = second.head().await.unwrap();
    commit(&second, 1, &Rows::default(), &head).await;
    let mut next = Box::pin(commits.next());
    assert!(tokio::time::timeout(Duration::from_millis(200), next.as_mut()).await.is_err());
    let _ = events(&second, 2, &[("b", 1)]).await;
    tokio::time::timeout(limit, next).await.unwrap().unwrap();
    assert_eq!(number(&first, "SELECT position FROM head").await, 2);
    // A listener that is cut says so once and listens again.
    stand.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'").await;
    tokio::time::timeout(limit, commits.next()).await.unwrap().unwrap();
    let _ = events(&second, 3, &[("b", 2)]).await;
    tokio::time::timeout(limit, commits.next()).await.unwrap().unwrap();
    drop(commits);
    second.close().await;
    stand.clear(first).await;
}

/// An error with all its sources, and how it debugs.
fn all_of(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!(" | {error}"));
        next = error.source();
    }
    text
}

#[tokio::test]
async fn no_error_prints_the_password() {
    let config = super::stand::sqlite_stand().config;
    let urls = [
        "postgres://lastro:hunter2@127.0.0.1:1/lastro",
        "postgres://lastro:hunter2@127.0.0.1:99999/lastro",
        "postgres://lastro:hunter2@/lastro?sslmode=hunter",
        "hunter2",
    ];
    for url in urls {
        let error = PostgresBackend::open(url, "tokens", &config, [1; 16]).await.unwrap_err();
        let text = all_of(&error);
        assert!(!text.contains("hunter2"), "{url}: {text}");
    }
    let stand = postgres_stand();
    let backend = stand.opened().await;
    let Place::Postgres { url, .. } = &stand.config.place else { panic!("no PostgreSQL store") };
    assert!(!format!("{backend:?}").contains(url.as_str()));
    stand.clear(backend).await;
}

#[tokio::test]
async fn a_name_that_is_no_schema_is_refused() {
    let config = super::stand::sqlite_stand().config;
    for schema in ["", "Tokens", "1a", "a-b", "a;drop", "a\"", &"a".repeat(41)] {
        let error = PostgresBackend::open("postgres://127.0.0.1:1/x", schema, &config, [1; 16]).await.unwrap_err();
        assert!(matches!(error, OpenError::SchemaName { .. }), "{schema}: {error:?}");
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let stand = postgres_stand();
    let backend = stand.opened().await;
    let error = backend.query("DELETE FROM head RETURNING one", &[]).await.unwrap_err();
    assert!(matches!(error, StoreError::Sql { .. }), "{error:?}");
    assert_eq!(backend.head().await.unwrap().recorded, BEGINNING);
    stand.clear(backend).await;
}
