//! An imported store is the one that was exported: its export is the same file, and whoever used the one can go on with the other.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use journal::audit::{Scope, Source, VerifyOptions, export, verify};
use journal::import::{ImportError, import};
use journal::store::{Migration, StateRows};
use journal::{
    Consumer, Decided, Decision, Feed, HandlerError, OpenError, Place, Reaction, Store, StoreConfig, Streams, Timer,
    Timers, UnitOfWork,
};
use messages::{Position, RecordedEvent, Timestamp};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{Ground, ROUNDS_MAX, cut_after, fill, flipped, grounds, other_tenant, quiet};
use crate::decide::counter::{Counted, Counter, command, stream, tenant};

/// A store with a little of everything, closed, and its export.
async fn sample(ground: &Ground) -> Vec<u8> {
    let store = ground.open("sample").await;
    fill(&store).await;
    let bytes = ground.exported(&store).await;
    store.close().await;
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn the_export_of_an_imported_store_is_the_file_that_it_was_made_of() {
    let [sqlite, postgres] = grounds();
    for (from, to) in [(&sqlite, &sqlite), (&sqlite, &postgres), (&postgres, &sqlite), (&postgres, &postgres)] {
        let store = from.open("from").await;
        if store.head().await.unwrap().position == Position::START {
            fill(&store).await;
        }
        let first = from.exported(&store).await;
        store.close().await;
        std::fs::write(to.file("import"), &first).unwrap();
        let name = if from.url.is_some() { "of_postgres" } else { "of_sqlite" };
        let imported = import(&to.file("import"), &to.config(name), quiet()).await.unwrap();
        assert_eq!((imported.events, imported.rows), (7, 38));
        let store = to.open(name).await;
        assert_eq!(journal::audit::Head::from(store.head().await.unwrap()), imported.head);
        assert!(to.exported(&store).await == first, "{name} is another store now");
        let options = VerifyOptions::quiet(NonZeroUsize::new(2).unwrap());
        let verified = verify(Source::Store(store.place().clone()), options).await.unwrap();
        assert_eq!(verified.head, imported.head);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_carried_too() {
    for ground in grounds() {
        let store = ground.open("from").await;
        let first = ground.exported(&store).await;
        store.close().await;
        let _ = import(&ground.file("export"), &ground.config("to"), quiet()).await.unwrap();
        let store = ground.open("to").await;
        assert!(ground.exported(&store).await == first);
        fill(&store).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_used_the_old_store_goes_on_with_the_new_one() {
    let [sqlite, postgres] = grounds();
    for (from, to) in [(&sqlite, &postgres), (&postgres, &sqlite)] {
        std::fs::write(to.file("import"), sample(from).await).unwrap();
        let _ = import(&to.file("import"), &to.config("to"), quiet()).await.unwrap();
        let store = to.open("to").await;
        a_repeated_command_has_its_old_answer(&store).await;
        consumers_go_on_at_their_cursor(&store).await;
        timers_fire_once(&store, to).await;
        store.close().await;
    }
}

async fn a_repeated_command_has_its_old_answer(store: &Store) {
    let counters = Streams::<Counter>::new(store.clone());
    let count = |state: &u64| {
        let counted = Counted { number: state + 1, key: "new".to_owned() };
        Ok::<_, ()>(Decision::of(vec![(counted, journal::Audience::Published)]))
    };
    let head = store.head().await.unwrap();
    let repeated = counters.decide(&command(store, "one", "k2"), count).await.unwrap();
    let Decided::Repeated(record) = repeated else { panic!("{repeated:?}") };
    assert_eq!((record.position, &*record.location), (Position::new(2), "/v1/counts/1"));
    assert_eq!(store.head().await.unwrap(), head, "a repetition moves nothing");
    // A new one is decided on the state that came along.
    let done = counters.decide(&command(store, "one", "k4"), count).await.unwrap();
    assert!(matches!(done, Decided::Done(_)), "{done:?}");
    assert_eq!(counters.read(&tenant(), &stream("one"), |state, _| *state).await.unwrap(), 4);
}

async fn consumers_go_on_at_their_cursor(store: &Store) {
    let seen = Arc::new(Seen::default());
    let handled = Arc::clone(&seen);
    let handler = move |event: &RecordedEvent| {
        handled.push(event.header.position.number());
        Ok::<_, HandlerError>(Reaction::Nothing)
    };
    let consumer = Arc::new(Consumer::new("c", Feed::Own(store.clone()), store.clone(), handler));
    let task = consumer.start();
    let end = store.head().await.unwrap().position;
    while store.cursor("c").await.unwrap().is_none_or(|cursor| cursor.position < end) {
        tokio::task::yield_now().await;
    }
    task.stop().await.unwrap();
    assert_eq!(seen.all(), (2..=end.number()).collect::<Vec<_>>());
}

/// What a handler saw, in order.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<u64>>);

impl Seen {
    fn push(&self, number: u64) {
        self.0.lock().unwrap().push(number);
    }

    fn all(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

async fn timers_fire_once(store: &Store, ground: &Ground) {
    let fired = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&fired);
    let handler = move |_: &Timer| {
        let _ = counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, HandlerError>(UnitOfWork::new())
    };
    ground.clock.set(Timestamp::from_micros(1_700_000_100_000_000));
    let task = Arc::new(Timers::new(store.clone(), handler)).start();
    while store.next_due().await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    task.stop().await.unwrap();
    assert_eq!(fired.load(Ordering::Relaxed), 5);
    ground.clock.set(Timestamp::from_micros(1_700_000_000_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_holds_a_store_is_refused_and_named() {
    for ground in grounds() {
        let bytes = sample(&ground).await;
        let (file, config) = (ground.file("export"), ground.config("sample"));
        let error = import(&file, &config, quiet()).await.unwrap_err();
        let ImportError::NotEmpty { position, .. } = &error else { panic!("{error:?}") };
        assert_eq!(position.number(), 7);
        let store = ground.open("sample").await;
        assert!(ground.exported(&store).await == bytes, "the store is as it was");
        store.close().await;
        // A store in which nothing was ever written is replaced.
        ground.open("unused").await.close().await;
        let _ = import(&file, &ground.config("unused"), quiet()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_state_rows_alone_is_not_empty() {
    for ground in grounds() {
        let _ = sample(&ground).await;
        let store = ground.open("rows").await;
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(super::statement("INSERT INTO bare (number) VALUES (1)", vec![]));
        let _ = store.append(unit).await.unwrap();
        store.close().await;
        let error = import(&ground.file("export"), &ground.config("rows"), quiet()).await.unwrap_err();
        assert!(matches!(error, ImportError::NotEmpty { .. }), "{error:?}");
    }
}

/// Runs statements on a place as somebody else would, who uses the same file or schema.
async fn by_somebody_else(config: &StoreConfig, sql: &'static str) {
    match &config.place {
        Place::Sqlite { path } => {
            let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
            let mut connection = options.connect().await.unwrap();
            let _ = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Place::Postgres { url, schema } => {
            let options = url.parse::<PgConnectOptions>().unwrap().options([("search_path", schema)]);
            let mut connection = options.connect().await.unwrap();
            let make = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}"));
            let _ = sqlx::raw_sql(make).execute(&mut connection).await.unwrap();
            let _ = sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_not_an_empty_stores_stay_and_are_named() {
    for ground in grounds() {
        let _ = sample(&ground).await;
        let file = ground.file("export");
        let others = "CREATE TABLE invoices (number BIGINT); INSERT INTO invoices VALUES (7)";
        let named_like_ours = "CREATE TABLE events (number BIGINT)";
        let of_state = "INSERT INTO bare (number) VALUES (1)";
        let cases = [
            ("nothing", false, others, "invoices"),
            ("like_ours", false, named_like_ours, "events"),
            ("beside_a_store", true, others, "invoices"),
            ("state_rows", true, of_state, "bare"),
        ];
        for (name, has_store, sql, expected) in cases {
            let config = ground.config(name);
            if has_store {
                ground.open(name).await.close().await;
            }
            assert_eq!(Store::is_at(&config.place).await.unwrap(), has_store, "{name}");
            by_somebody_else(&config, sql).await;
            let error = import(&file, &config, quiet()).await.unwrap_err();
            let ImportError::InTheWay { table, .. } = &error else { panic!("{name}: {error:?}") };
            assert_eq!(table, expected, "{name}");
            // It is there, and nothing else is.
            by_somebody_else(&config, if expected == "invoices" { "DROP TABLE invoices" } else { "SELECT 1" }).await;
            assert_eq!(Store::is_at(&config.place).await.unwrap(), has_store, "{name}");
        }
        // Without what was in the way, the place is free.
        let _ = import(&file, &ground.config("nothing"), quiet()).await.unwrap();
        assert!(Store::is_at(&ground.config("nothing").place).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_not_there_is_not_called_wrong() {
    let [ground, _] = grounds();
    let error = import(&ground.file("nothing"), &ground.config("to"), quiet()).await.unwrap_err();
    assert!(matches!(error, ImportError::Unreadable(_)), "{error:?}");
    assert_eq!(error.to_string(), "the export cannot be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenants_part_says_so_and_becomes_no_store() {
    for ground in grounds() {
        let store = ground.open("sample").await;
        fill(&store).await;
        let file = ground.file("part");
        let trailer = export(&store, Scope::Tenant(other_tenant()), &file).await.unwrap();
        // Two versions, no key, no claim, one timer.
        assert_eq!((trailer.events, trailer.sealed, trailer.rows), (7, 6, 3));
        let bytes = std::fs::read(&file).unwrap();
        for of_others in ["cursors", "state.", "isin", "parked"] {
            let found = bytes.windows(of_others.len()).any(|text| text == of_others.as_bytes());
            assert!(!found, "`{of_others}` is in the part of a tenant who has none");
        }
        let error = import(&file, &ground.config("to"), quiet()).await.unwrap_err();
        assert_eq!(error.to_string(), "the export is the part of tenant `other`: no store can be made of it");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_or_missing_byte_anywhere_leaves_no_store() {
    for ground in grounds() {
        let bytes = sample(&ground).await;
        let (file, config) = (ground.file("damaged"), ground.config("to"));
        // Primes, so that places of all kinds are met.
        let step = if ground.url.is_some() { 997 } else { 97 };
        for at in (0..bytes.len()).step_by(step) {
            flipped(&bytes, at, &file);
            let flip = import(&file, &config, quiet()).await;
            std::fs::write(&file, &bytes[..at]).unwrap();
            let cut = import(&file, &config, quiet()).await;
            assert!(flip.is_err() && cut.is_err(), "byte {at}");
        }
        if let Place::Sqlite { path } = &config.place {
            assert!(!path.exists(), "an import that failed leaves nothing");
        }
        std::fs::write(&file, &bytes).unwrap();
        let _ = import(&file, &config, quiet()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_broken_off_leaves_nothing() {
    for ground in grounds() {
        let _ = sample(&ground).await;
        let (file, config) = (ground.file("export"), ground.config("to"));
        for calls in 0..12 {
            let mut left = calls;
            let on_progress = Box::new(move |_| {
                left -= 1;
                if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let error = import(&file, &config, on_progress).await.unwrap_err();
            assert!(matches!(error, ImportError::BrokenOff { events_total: 7, .. }), "{error:?}");
        }
        // Nothing is there that would keep a new store from being made.
        ground.open("to").await.close().await;
    }
}

/// Imports in lives that are dropped later and later, until one comes to its end; gives how many half made stores were refused.
async fn half_made_in_lives(file: &Path, config: &StoreConfig) -> u32 {
    let mut half_made = 0;
    for polls in 0.. {
        match cut_after(polls, import(file, config, quiet())).await {
            Some(Ok(_)) => break,
            // The life before was dropped between its commit and its end.
            Some(Err(ImportError::NotEmpty { position, .. })) if polls > 0 && position.number() == 7 => break,
            Some(Err(error)) => panic!("{error:?}"),
            None => {}
        }
        if polls % 2 == 0 {
            match Store::open(config).await {
                Err(OpenError::HalfImported { is_filled: false, .. }) => half_made += 1,
                // Nothing was begun, or it was committed when it was dropped.
                Ok(store) => {
                    let is_whole = store.head().await.unwrap().position.number() == 7;
                    store.close().await;
                    if is_whole {
                        break;
                    }
                }
                // What was dropped has not let go of the file yet.
                Err(OpenError::Held { .. } | OpenError::Sql { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    half_made
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_store_is_refused_until_it_is_imported_again() {
    for ground in grounds() {
        let bytes = sample(&ground).await;
        let file = ground.file("export");
        let mut half_made = 0;
        for round in 0..ROUNDS_MAX {
            let name = format!("to_{round}");
            half_made = half_made_in_lives(&file, &ground.config(&name)).await;
            let store = ground.open(&name).await;
            assert!(ground.exported(&store).await == bytes);
            store.close().await;
            if half_made > 0 {
                break;
            }
        }
        assert!(half_made > 0, "no life ended with a half made store: the test shows nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_service_or_a_newer_release_are_refused() {
    const OTHER: &[Migration] = &[
        Migration { version: 1, sql: "CREATE TABLE lanes (nonce BIGINT)" },
        Migration { version: 2, sql: "CREATE TABLE notes (name TEXT NOT NULL)" },
    ];
    for ground in grounds() {
        let _ = sample(&ground).await;
        let (file, config) = (ground.file("export"), ground.config("to"));
        const OLDER: &[StateRows] =
            &[StateRows { name: "state rows", migrations: crate::portable::MIGRATIONS.split_at(1).0 }];
        let older = StoreConfig { state_rows: OLDER, ..config.clone() };
        let error = import(&file, &older, quiet()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the state rows of the export have version 2, this release knows versions up to 1"
        );
        const CALLED_THE_SAME: &[StateRows] = &[StateRows { name: "state rows", migrations: OTHER }];
        let other = StoreConfig { state_rows: CALLED_THE_SAME, ..config.clone() };
        let error = import(&file, &other, quiet()).await.unwrap_err();
        assert!(error.to_string().starts_with("table `state.bare` of the export does not fit the store"), "{error}");
        let others = &[StateRows { name: "lanes", migrations: OTHER }, StateRows { name: "notes", migrations: &[] }];
        let error = import(&file, &StoreConfig { state_rows: others, ..config }, quiet()).await.unwrap_err();
        assert!(
            error.to_string().starts_with("table `state rows` of the export does not fit the store: no service here"),
            "{error}"
        );
    }
}
