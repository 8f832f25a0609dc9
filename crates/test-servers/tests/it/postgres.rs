//! PostgreSQL.

use sqlx::{Connection as _, PgConnection, Row as _};
use test_servers::Postgres;

use crate::processes_with;

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    sqlx::query("SELECT current_setting($1)").bind(name).fetch_one(connection).await.unwrap().get(0)
}

async fn insert(url: &str, number: i64) {
    let statement = "INSERT INTO numbers VALUES ($1)";
    let _ = sqlx::query(statement).bind(number).execute(&mut connect(url).await).await.unwrap();
}

async fn sum(url: &str) -> i64 {
    let query = sqlx::query("SELECT sum(number)::bigint FROM numbers");
    query.fetch_one(&mut connect(url).await).await.unwrap().get(0)
}

#[tokio::test]
async fn what_is_committed_survives_every_end_and_the_address_stays() {
    let server = Postgres::start().unwrap();
    println!("{}", server.version());
    let url = server.database().unwrap();
    let create = "CREATE TABLE numbers (number BIGINT)";
    let _ = sqlx::query(create).execute(&mut connect(&url).await).await.unwrap();
    insert(&url, 1).await;
    server.restart().unwrap();
    insert(&url, 10).await;
    server.kill_hard().unwrap();
    assert!(PgConnection::connect(&url).await.is_err());
    server.start_again().unwrap();
    insert(&url, 100).await;
    server.stop().unwrap();
    server.stop().unwrap();
    server.start_again().unwrap();
    server.start_again().unwrap();
    assert_eq!(sum(&url).await, 111);
}

#[tokio::test]
async fn a_killed_server_leaves_no_process_though_a_query_runs() {
    let server = Postgres::start().unwrap();
    let mut connection = connect(&server.url()).await;
    let data = setting(&mut connection, "data_directory").await;
    let query = tokio::spawn(async move { sqlx::query("SELECT pg_sleep(600)").execute(&mut connection).await });
    let (mut watcher, running) =
        (connect(&server.url()).await, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'");
    while sqlx::query(running).fetch_one(&mut watcher).await.unwrap().get::<i64, _>(0) == 0 {}
    assert!(!processes_with(&data).is_empty());
    server.kill_hard().unwrap();
    assert!(query.await.unwrap().is_err());
    assert_eq!(processes_with(&data), Vec::<String>::new());
}

#[tokio::test]
async fn databases_of_the_shared_server_are_fresh_and_commits_reach_the_disk() {
    let server = Postgres::shared().unwrap();
    let (one, other) = (server.database().unwrap(), server.database().unwrap());
    assert_ne!(one, other);
    let mut connection = connect(&one).await;
    for (name, value) in [("fsync", "on"), ("synchronous_commit", "on"), ("server_encoding", "UTF8")] {
        assert_eq!(setting(&mut connection, name).await, value, "{name}");
    }
    assert_eq!(Postgres::shared().unwrap().port(), server.port());
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_data() {
    let server = Postgres::start().unwrap();
    let data = setting(&mut connect(&server.url()).await, "data_directory").await;
    let url = server.url();
    drop(server);
    assert!(PgConnection::connect(&url).await.is_err());
    assert_eq!(processes_with(&data), Vec::<String>::new());
    assert!(!std::path::Path::new(&data).exists());
}
