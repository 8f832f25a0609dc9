//! Opening: once, again, by many, and of what is newer.

use super::sample::{event, key};
use super::stand::{BEGINNING, Stand, commit, number, stands};
use crate::key::KeyState;
use crate::store::{Backend, Migration, OpenError, Place, Rows, StateRows, StoreError};
use crate::unit::Audience;

#[tokio::test]
async fn a_store_is_opened_again_as_it_was_left() {
    for stand in stands() {
        let backend = stand.opened().await;
        let mut head = backend.head().await.unwrap();
        assert_eq!(head.hash, messages::chain::start(head.store));
        let events = vec![event(&mut head, "a", 1, Audience::Published)];
        let rows = Rows { events, keys_new: vec![key("k", KeyState::Done, None, &head)], ..Rows::default() };
        commit(&backend, 1, &rows, &head).await;
        backend.close().await;
        let backend = stand.open(2).await.unwrap();
        assert_eq!(backend.head().await.unwrap(), head);
        assert_eq!(number(&backend, "SELECT SUM(version) FROM (SELECT CAST(version AS INTEGER) AS version FROM schema_versions WHERE what = 'state rows') AS it").await, 2);
        stand.clear(backend).await;
    }
}

fn newer(result: Result<Backend, OpenError>) -> (&'static str, i64, i64) {
    match result {
        Err(OpenError::Newer { what, found, known, .. }) => (what, found, known),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_refused_and_left_as_it_is() {
    for mut stand in stands() {
        let backend = stand.opened().await;
        let known_journal = number(&backend, "SELECT version FROM schema_versions WHERE what = 'journal'").await;
        backend.close().await;
        // The service's tables are newer: neither they nor the journal's are touched.
        stand.run("UPDATE schema_versions SET version = 7 WHERE what = 'state rows'").await;
        assert_eq!(newer(stand.open(1).await), ("state rows", 7, 2));
        stand.run("UPDATE schema_versions SET version = 2 WHERE what = 'state rows'").await;
        stand.run("UPDATE schema_versions SET version = 999 WHERE what = 'journal'").await;
        assert_eq!(newer(stand.open(1).await), ("journal", 999, known_journal));
        stand.run(&format!("UPDATE schema_versions SET version = {known_journal} WHERE what = 'journal'")).await;
        let backend = stand.opened().await;
        backend.close().await;
        // An older release of the service.
        stand.config.state_rows = const { &[StateRows { name: "state rows", migrations: THREE.split_at(1).0 }] };
        assert_eq!(newer(stand.open(1).await), ("state rows", 2, 1));
        // Another service, and whoever has no state rows.
        for others in [&[][..], &[StateRows { name: "others", migrations: THREE }]] {
            stand.config.state_rows = others;
            let other = stand.open(1).await.unwrap_err();
            assert!(matches!(&other, OpenError::OtherService { found, .. } if found == "state rows"), "{other:?}");
        }
        // Whoever knows several services finds which it is.
        stand.config.state_rows =
            &[StateRows { name: "others", migrations: BROKEN }, StateRows { name: "state rows", migrations: THREE }];
        stand.opened().await.close().await;
        stand.config.state_rows = &[StateRows { name: "state rows", migrations: THREE }];
        let backend = stand.opened().await;
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM added").await, 0);
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_database_that_is_no_store_is_refused_and_left_as_it_is() {
    for stand in stands() {
        let backend = stand.opened().await;
        backend.close().await;
        stand.run("DROP TABLE head").await;
        let refused = stand.open(1).await.unwrap_err();
        assert!(matches!(&refused, OpenError::NoStore { table, .. } if table == "appenders"), "{refused:?}");
        if let Place::Postgres { schema, .. } = &stand.config.place {
            stand.run(&format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

const THREE: &[Migration] = &[
    Migration { version: 1, sql: "CREATE TABLE never_run (a BIGINT)" },
    Migration { version: 2, sql: "CREATE TABLE never_run (a BIGINT)" },
    Migration { version: 3, sql: "CREATE TABLE added (a BIGINT)" },
];

const BROKEN: &[Migration] = &[
    Migration { version: 1, sql: "CREATE TABLE first (a BIGINT)" },
    Migration { version: 2, sql: "CREATE TABLE second (a BIGINT); CREATE TABLE first (a BIGINT)" },
];

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_of_its_version() {
    for mut stand in stands() {
        let good =
            std::mem::replace(&mut stand.config.state_rows, &[StateRows { name: "state rows", migrations: BROKEN }]);
        let error = stand.open(1).await.unwrap_err();
        assert!(matches!(error, OpenError::Sql { doing: "bring up to date", .. }), "{error:?}");
        stand.config.state_rows = const { &[StateRows { name: "state rows", migrations: BROKEN.split_at(1).0 }] };
        let backend = stand.opened().await;
        let tables = match stand.config.place {
            Place::Sqlite { .. } => "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'second'",
            Place::Postgres { .. } => "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('second')",
        };
        assert_eq!(number(&backend, tables).await, 0);
        stand.config.state_rows = good;
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn a_process_whose_row_is_gone_is_told_nothing_of_its_groups() {
    for stand in stands() {
        let backend = stand.opened().await;
        let head = backend.head().await.unwrap();
        commit(&backend, 5, &Rows::default(), &head).await;
        stand.run("DELETE FROM appenders").await;
        // Group 5 is there, but nobody can say so. "No" would have it written a second time.
        assert!(matches!(backend.is_committed(5).await, Err(StoreError::Damaged { what: "appender", .. })));
        commit(&backend, 6, &Rows::default(), &head).await;
        assert!(backend.is_committed(6).await.unwrap());
        assert!(!backend.is_committed(7).await.unwrap());
        stand.clear(backend).await;
    }
}

#[tokio::test]
async fn opening_removes_the_rows_of_processes_that_are_much_older_than_the_newest() {
    let day_us = 24 * 60 * 60 * 1_000_000;
    for stand in stands() {
        let backend = stand.opened().await;
        stand.run(&format!("UPDATE appenders SET changed_us = {}", BEGINNING.micros() - 31 * day_us)).await;
        // The only row is the newest, however old it is.
        let backend = reopened(&stand, backend, 2).await;
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM appenders").await, 2);
        // Beside that of process 2, that of process 1 is old.
        let backend = reopened(&stand, backend, 3).await;
        assert_eq!(number(&backend, "SELECT COUNT(*) FROM appenders").await, 2);
        assert!(backend.is_committed(1).await.is_ok_and(|is_there| !is_there));
        stand.clear(backend).await;
    }
}

/// Closes the store and opens it as another process.
async fn reopened(stand: &Stand, backend: Backend, process: u8) -> Backend {
    backend.close().await;
    stand.open(process).await.unwrap()
}
