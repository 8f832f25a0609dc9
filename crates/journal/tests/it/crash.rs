//! Real processes on real databases, killed, stopped and cut off in the middle of their work: what was said to be done is there,
//! once, and nothing else is.
//!
//! `LASTRO_JOURNAL_KILLS=100 cargo test -p journal --test it crash` kills as often on each store.

mod evidence;
mod worker;

use std::time::{Duration, Instant};

use journal::limits::QUEUE_UNITS_MAX;
use journal::{AppendError, OpenError, Place, Store, StoreConfig, UnitOfWork};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use test_servers::Postgres;

use self::evidence::{LIMIT, Said, Worker, check, check_end};
use self::worker::config;

/// How often each store's workers are killed in every test run.
const KILLS: u64 = 6;

/// How often a process is stopped at most until it was caught inside a group, where it is most of the time.
const STOPS_MAX: u32 = 200;

/// How long another worker must have said nothing until we believe that it waits for one that was stopped.
const SILENCE: Duration = Duration::from_secs(2);

fn kills() -> u64 {
    std::env::var("LASTRO_JOURNAL_KILLS").map_or(KILLS, |text| text.parse().expect("LASTRO_JOURNAL_KILLS is a number"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn open(place: &Place) -> Store {
    Store::open(&config(place)).await.unwrap()
}

/// After how many answers the worker of this round is killed: now soon, now late.
const fn answers_before_kill(round: u64) -> usize {
    [1, 40, 150, 10, 90, 3][(round % 6) as usize]
}

/// A last worker brings to an end what is open, and then nothing is left to be said.
fn settle(place: &Place, said: &mut Said) {
    let mut last = Worker::start("last", place, &said.open.clone(), "repeated");
    assert!(last.hear_out(said), "the last worker failed");
    runtime().block_on(async {
        let store = open(place).await;
        check_end(&store, said).await;
        store.close().await;
    });
}

#[test]
fn a_killed_process_on_sqlite_leaves_whole_units_and_all_that_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite { path: folder.path().join("crash.db") };
    let mut said = Said::default();
    for round in 0..kills() {
        let worker = Worker::start(&format!("w{round}"), &place, &said.open, "killed");
        worker.hear(&mut said, answers_before_kill(round));
        worker.kill(&mut said);
        runtime().block_on(async {
            let store = open(&place).await;
            check(&store, &said).await;
            store.close().await;
        });
    }
    settle(&place, &mut said);
}

#[test]
fn a_second_process_on_sqlite_is_told_who_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Sqlite { path: folder.path().join("held.db") };
    let mut said = Said::default();
    let worker = Worker::start("first", &place, &said.open, "killed");
    worker.hear(&mut said, 1);
    let holder = worker.child.id();
    let refused = runtime().block_on(Store::open(&config(&place))).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Held { holder: told, .. } if told.to_string() == format!("process {holder}")),
        "{refused}"
    );
    worker.hear(&mut said, 1);
    worker.kill(&mut said);
    settle(&place, &mut said);
}

#[test]
fn one_of_two_killed_processes_on_postgresql_does_not_harm_the_other() {
    let place = Place::Postgres { url: Postgres::shared().unwrap().database().unwrap(), schema: "crash".to_owned() };
    let (mut said, runtime) = (Said::default(), runtime());
    let store = runtime.block_on(open(&place));
    let mut steady = Worker::start("steady", &place, &said.open, "killed");
    for round in 0..kills() {
        // What is open may be the other's, who still works on it: asked by two at once, it is done once all the same.
        let mut killed = Worker::start(&format!("w{round}"), &place, &said.open, "killed");
        killed.hear(&mut said, answers_before_kill(round));
        if round % 3 == 2 {
            std::mem::swap(&mut steady, &mut killed);
        }
        killed.kill(&mut said);
        steady.hear(&mut said, 5);
        // The other goes on writing while everything is read: in a long run not after each kill.
        if round < KILLS || round % 10 == 9 {
            runtime.block_on(check(&store, &said));
        }
    }
    steady.kill(&mut said);
    runtime.block_on(store.close());
    settle(&place, &mut said);
}

/// How many sessions stand in a transaction and have done nothing for a second.
async fn sessions_asleep(connection: &mut PgConnection) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND state LIKE 'idle in transaction%' AND now() - state_change > interval '1 second'";
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[test]
fn a_process_that_is_stopped_inside_a_group_neither_holds_the_head_for_ever_nor_harms_it_later() {
    let url = Postgres::shared().unwrap().database().unwrap();
    let place = Place::Postgres { url: url.clone(), schema: "stopped".to_owned() };
    let (mut said, runtime) = (Said::default(), runtime());
    let store = runtime.block_on(open(&place));
    let mut watcher = runtime.block_on(PgConnection::connect(&url)).unwrap();
    let stopped = Worker::start("stopped", &place, &said.open, "killed");
    let other = Worker::start("other", &place, &said.open, "killed");
    let id = Pid::from_child(&stopped.child);
    // It is not always inside a group when it is stopped; then it goes on and is stopped again.
    let is_caught = (0..STOPS_MAX).any(|_| {
        stopped.hear(&mut said, 3);
        kill_process(id, Signal::STOP).unwrap();
        let goes_on = other.listen(&mut said, 100, SILENCE);
        let is_caught = !goes_on && runtime.block_on(sessions_asleep(&mut watcher)) > 0;
        if !is_caught {
            kill_process(id, Signal::CONT).unwrap();
        }
        is_caught
    });
    assert!(is_caught, "it was never stopped inside a group");
    // The server ends the session that sleeps, and the other goes on.
    other.hear(&mut said, 100);
    runtime.block_on(check(&store, &said));
    kill_process(id, Signal::CONT).unwrap();
    stopped.hear(&mut said, 50);
    other.hear(&mut said, 50);
    runtime.block_on(check(&store, &said));
    stopped.kill(&mut said);
    other.kill(&mut said);
    runtime.block_on(store.close());
    settle(&place, &mut said);
}

/// Awaits a statement that waits for a lock since a moment after `after`, and gives the moment a second later.
async fn wait_until(watcher: &mut PgConnection, after: &str) -> String {
    let sql = "SELECT (max(query_start) + interval '1 second')::text FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query_start > $1::timestamptz";
    let awaited = async {
        loop {
            let since: Option<String> = sqlx::query_scalar(sql).bind(after).fetch_one(&mut *watcher).await.unwrap();
            if let Some(since) = since {
                return since;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, awaited).await.expect("nobody waits for the head")
}

/// Holds the head until a group that waits for it was given up and has come again.
async fn hold_head(url: &str, schema: &'static str) {
    let mut holder = PgConnection::connect(url).await.unwrap();
    let mut watcher = PgConnection::connect(url).await.unwrap();
    let lock = format!("BEGIN; SELECT one FROM {schema}.head FOR UPDATE");
    drop(sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).fetch_all(&mut holder).await.unwrap());
    let first = wait_until(&mut watcher, "-infinity").await;
    drop(wait_until(&mut watcher, &first).await);
    holder.close().await.unwrap();
}

#[test]
fn a_server_that_restarts_dies_or_cuts_connections_loses_and_doubles_nothing() {
    let server = Postgres::start().unwrap();
    let url = server.database().unwrap();
    let place = Place::Postgres { url: url.clone(), schema: "restarted".to_owned() };
    let (mut said, runtime) = (Said::default(), runtime());
    let workers = ["one", "two"].map(|name| Worker::start(name, &place, &said.open, "killed"));
    let both_go_on = |said: &mut Said| workers.iter().for_each(|worker| worker.hear(said, 40));
    both_go_on(&mut said);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..5 {
        let mut connection = runtime.block_on(PgConnection::connect(&url)).unwrap();
        drop(runtime.block_on(sqlx::query(cut).fetch_all(&mut connection)).unwrap());
        both_go_on(&mut said);
    }
    runtime.block_on(hold_head(&url, "restarted"));
    both_go_on(&mut said);
    server.restart().unwrap();
    both_go_on(&mut said);
    server.kill_hard().unwrap();
    server.start_again().unwrap();
    both_go_on(&mut said);
    for worker in workers {
        worker.kill(&mut said);
    }
    settle(&place, &mut said);
}

#[test]
fn callers_of_a_server_that_is_away_are_told_after_one_patience_however_many_wait() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let server = Postgres::start().unwrap();
    let place = Place::Postgres { url: server.database().unwrap(), schema: "away".to_owned() };
    runtime().block_on(async {
        let store = Store::open(&StoreConfig { patience: PATIENCE, ..config(&place) }).await.unwrap();
        server.stop().unwrap();
        let began = Instant::now();
        // Eight groups, each of which alone would be tried for as long.
        let answers =
            futures_util::future::join_all((0..QUEUE_UNITS_MAX).map(|_| store.append(UnitOfWork::new()))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(AppendError::Unavailable { .. }))), "{answers:?}");
        assert!(began.elapsed() < PATIENCE * 4, "{:?}", began.elapsed());
    });
}
