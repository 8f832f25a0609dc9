//! Stores are verified where they lie: a flipped byte in any column is named with its place.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use journal::audit::{Head, Scope, Source, VerifyError, VerifyOptions, Wrong, export, verify};
use journal::{Audience, Cause, Clock, Entropy, Expected, NewEvent, Place, Store, StoreConfig, UnitOfWork};
use messages::{Actor, EventType, Hash, Payload, Position, StreamName, TenantId};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, sqlite::SqliteConnectOptions};

const EVENTS: usize = 5_000;

fn options() -> VerifyOptions {
    VerifyOptions::quiet(NonZeroUsize::new(3).unwrap())
}

fn unit(store: &Store, number: usize, tenant: &str) -> UnitOfWork {
    let command = Entropy::System.command_id(Clock::System.now());
    let cause = Cause {
        tenant: TenantId::parse(tenant).unwrap(),
        actor: Actor::new("ana@bank", "console", None).unwrap(),
        command,
        correlation: command,
        causation: None,
        trace_parent: None,
    };
    let event = |published: bool| NewEvent {
        id: store.event_id(),
        event_type: EventType::of("test.happened"),
        type_version: 1,
        payload: Payload::parse(format!("{{\"number\":\"{number}\"}}").into_bytes()).unwrap(),
        audience: if published { Audience::Published } else { Audience::Private },
    };
    let events = (0..50).map(|index| event(index % 3 == 0)).collect();
    let stream = StreamName::parse(&format!("asset/{}", number % 7)).unwrap();
    let mut unit = UnitOfWork::new();
    let _ = unit.append(&cause, stream, Expected::Any, events);
    unit
}

/// A store with events of two tenants.
async fn filled(path: &Path) -> Store {
    let store = Store::open(&StoreConfig::at(Place::Sqlite { path: path.to_owned() })).await.unwrap();
    for number in 0..EVENTS / 50 {
        let tenant = if number % 4 == 0 { "bank_b" } else { "bank_a" };
        let _ = store.append(unit(&store, number, tenant)).await.unwrap();
    }
    // A group without events, later than all of them.
    let mut unit = UnitOfWork::new();
    let _ = unit.advance("reader", None, journal::Cursor::start(store.id()));
    let _ = store.append(unit).await.unwrap();
    store
}

async fn verify_file(path: &Path) -> Result<journal::audit::Report, VerifyError> {
    verify(Source::Store(Place::Sqlite { path: path.to_owned() }), options()).await
}

/// Makes a new file of what was there, and changes a row of it by the SQL. An audit of an earlier one may not have closed it yet.
async fn change(path: &mut PathBuf, whole: &[u8], sql: String) {
    let number: u32 = path.extension().and_then(|number| number.to_str()?.parse().ok()).unwrap_or(0);
    let _ = path.set_extension((number + 1).to_string());
    std::fs::write(&*path, whole).unwrap();
    let mut connection = SqliteConnectOptions::new().filename(&*path).connect().await.unwrap();
    let changed = sqlx::query(AssertSqlSafe(sql.clone())).execute(&mut connection).await.unwrap();
    assert_eq!(changed.rows_affected(), 1, "{sql}");
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_and_its_export_verify_and_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("journal.db"), folder.path().join("export"));
    let store = filled(&path).await;
    let anchor = Head::from(store.head().await.unwrap());
    // The store is open all the while, as in a process that is at work.
    let of_store = verify(Source::Store(Place::Sqlite { path }), VerifyOptions { anchors: vec![anchor], ..options() });
    let of_store = of_store.await.unwrap();
    assert_eq!((of_store.events, of_store.anchors, of_store.head), (EVENTS as u64, 1, anchor));
    let _ = export(&store, Scope::Whole, &file).await.unwrap();
    let of_export = verify(Source::Export(file.clone()), VerifyOptions { anchors: vec![anchor], ..options() });
    // The version of the journal's tables and the reader's cursor.
    let start = Head { hash: Hash::new([1; 32]), position: Position::START, ..anchor };
    let of_other = verify(Source::Store(store.place().clone()), VerifyOptions { anchors: vec![start], ..options() });
    let of_other = of_other.await.unwrap_err();
    assert!(matches!(of_other, VerifyError::End { what: "the hash before the first event", .. }), "{of_other:?}");
    let with_tables = journal::audit::Report { rows: 2, ..of_store };
    assert_eq!(of_export.await.unwrap(), with_tables);
    let tenant = TenantId::parse("bank_b").unwrap();
    let _ = export(&store, Scope::Tenant(tenant), &file).await.unwrap();
    let of_tenant = verify(Source::Export(file), options()).await.unwrap();
    assert_eq!((of_tenant.events, of_tenant.sealed, of_tenant.head), (EVENTS as u64, 3_750, anchor));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_any_column_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join("journal.db");
    filled(&path).await.close().await;
    let whole = std::fs::read(&path).unwrap();
    let changes = [
        "stream_hash = stream_hash + 1",
        "stream_version = stream_version + 1",
        "recorded_us = recorded_us + 1",
        "previous_published = previous_published + 1",
        "event_id = zeroblob(16)",
        "salt = zeroblob(16)",
        "salt = x'00'",
        "metadata = substr(metadata, 2)",
        "metadata = CAST(replace(CAST(metadata AS TEXT), 'console', 'konsole') AS BLOB)",
        "payload = CAST('{}' AS BLOB)",
        "payload = 7",
        "event_hash = zeroblob(32)",
        "position = position + 1000000",
    ];
    // The last of a page, the first of the next, the first and the last of all.
    for place in [2_048, 2_049, 1, EVENTS] {
        for set in changes {
            change(&mut path, &whole, format!("UPDATE events SET {set} WHERE position = {place}")).await;
            let result = verify_file(&path).await;
            let Err(VerifyError::Event { position, .. }) = result else { panic!("{set} at {place}: {result:?}") };
            assert_eq!(position.number(), place as u64, "{set}");
        }
        change(&mut path, &whole, format!("DELETE FROM events WHERE position = {place}")).await;
        let result = verify_file(&path).await;
        let Err(VerifyError::Event { position, wrong: Wrong::Missing }) = result else { panic!("{place}: {result:?}") };
        assert_eq!(position.number(), place as u64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_head_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut path = folder.path().join("journal.db");
    filled(&path).await.close().await;
    let whole = std::fs::read(&path).unwrap();
    for set in [
        "position = position - 1",
        "position = position + 1",
        "event_hash = zeroblob(32)",
        "recorded_us = recorded_us + 1",
        "published_position = published_position - 1",
        "store_id = zeroblob(16)",
        "store_id = x'00'",
    ] {
        change(&mut path, &whole, format!("UPDATE head SET {set}")).await;
        assert!(verify_file(&path).await.is_err(), "{set}");
    }
}

/// Where in the file the payload of an event lies.
fn offset_of(file: &[u8], text: &str) -> usize {
    let places: Vec<usize> =
        file.windows(text.len()).enumerate().filter(|(_, part)| *part == text.as_bytes()).map(|(at, _)| at).collect();
    *places.first().expect("the payload is in the file")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_the_file_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("journal.db");
    filled(&path).await.close().await;
    let mut file = std::fs::read(&path).unwrap();
    let at = offset_of(&file, "{\"number\":\"42\"}");
    file[at + 11] ^= 1;
    std::fs::write(&path, &file).unwrap();
    let result = verify_file(&path).await;
    let Err(VerifyError::Event { position, wrong: Wrong::Hash { .. } }) = result else { panic!("{result:?}") };
    assert!((42 * 50 + 1..=43 * 50).contains(&position.number()), "{position}");
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let row = sqlx::query("SELECT CAST(payload AS TEXT) FROM events WHERE position = $1");
    let row = row.bind(i64::try_from(position.number()).unwrap()).fetch_one(&mut connection).await.unwrap();
    assert_ne!(row.get::<String, _>(0), "{\"number\":\"42\"}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_postgresql_verifies_and_a_change_in_it_is_named() {
    let url = test_servers::Postgres::shared().unwrap().database().unwrap();
    let place = Place::Postgres { url: url.clone(), schema: "tokens".to_owned() };
    let store = Store::open(&StoreConfig::at(place.clone())).await.unwrap();
    for number in 0..100 {
        let _ = store.append(unit(&store, number, "bank_a")).await.unwrap();
    }
    let report = verify(Source::Store(place.clone()), options()).await.unwrap();
    assert_eq!(report.head, Head::from(store.head().await.unwrap()));
    store.close().await;
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let sql = "UPDATE tokens.events SET stream_hash = stream_hash + 1 WHERE position = 4321";
    let _ = sqlx::query(sql).execute(&mut connection).await.unwrap();
    let result = verify(Source::Store(place), options()).await;
    let Err(VerifyError::Event { position, wrong: Wrong::Column { .. } }) = result else { panic!("{result:?}") };
    assert_eq!(position.number(), 4_321);
}
