//! What can only happen to a SQLite store.

use super::sample::events;
use super::stand::{number, sqlite_stand};
use crate::store::rows::{Connected as _, StoredRow as _};
use crate::store::{OpenError, Place};

#[tokio::test]
async fn a_second_holder_is_refused_and_told_who_the_first_is() {
    let stand = sqlite_stand();
    let backend = stand.opened().await;
    match stand.open(2).await.unwrap_err() {
        OpenError::Held { holder, .. } => assert_eq!(holder.to_string(), format!("process {}", std::process::id())),
        other => panic!("{other:?}"),
    }
    backend.close().await;
    let backend = stand.open(2).await.unwrap();
    // Whoever goes without closing leaves no lock either.
    drop(backend);
    let backend = stand.open(3).await.unwrap();
    stand.clear(backend).await;
}

#[tokio::test]
async fn readers_cannot_write() {
    let stand = sqlite_stand();
    let backend = stand.opened().await;
    assert!(backend.query("DELETE FROM head RETURNING one", &[]).await.is_err());
    assert_eq!(number(&backend, "SELECT COUNT(*) FROM head").await, 1);
    stand.clear(backend).await;
}

/// The plan of a statement, one line per step.
async fn plan(connection: &mut sqlx::SqliteConnection, sql: &str) -> String {
    let sql: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {sql}").into_boxed_str());
    let rows = connection.fetch(sql, vec![]).await.unwrap();
    rows.iter().map(|row| row.text(3).unwrap().to_owned()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_look_up_searches_an_index_however_little_the_planner_knows() {
    let stand = sqlite_stand();
    let backend = stand.opened().await;
    let _ = events(&backend, 1, &[("a", 1)]).await;
    let Place::Sqlite { path } = &stand.config.place else { return };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let probes = sqlx::SqliteConnection::PROBES;
    let texts = [probes.streams, probes.keys, probes.claims, probes.timers, probes.consumers];
    for sql in texts.into_iter().chain(super::super::reading::LOOK_UPS.iter().copied()) {
        let plan = plan(&mut connection, sql).await;
        let scans = plan.lines().filter(|line| line.starts_with("SCAN") && !line.contains("USING"));
        let scans: Vec<_> = scans.filter(|line| !line.contains("VIRTUAL TABLE")).collect();
        assert!(scans.is_empty(), "{sql}\n{plan}");
        assert!(plan.contains("SEARCH") || plan.contains("SCAN timers USING"), "{sql}\n{plan}");
        assert!(!plan.contains("AUTOMATIC"), "{sql}\n{plan}");
    }
    stand.clear(backend).await;
}
