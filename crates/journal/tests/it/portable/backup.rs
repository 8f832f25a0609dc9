//! A backup is one cut: what is restored is consistent across stores, whole, and exactly what was there.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use journal::audit::OnProgress;
use journal::backup::{Backup, BackupError, Cut, CutError, RestoreStoresError, check_folder};
use journal::personal::{MasterKeySource, Opened, PersonKeys, PersonKeysConfig, Personal, PersonsBackedUp};
use journal::{Audience, Clock, Entropy, Expected, OpenError, Place, Store, StoreConfig, UnitOfWork};
use messages::{Position, Timestamp};
use sqlx::Connection as _;
use tokio::task::JoinSet;

use super::{Ground, ROUNDS_MAX, STATE_ROWS, cut_after, fill, flipped, grounds, quiet};
use crate::decide::counter::{Counted, cause, new_command, new_event, stream, tenant};

const MADE: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

const APPENDERS: u64 = 8;

fn workers() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn silent(_: &str) -> OnProgress {
    quiet()
}

/// Two stores at work: eight appenders, each of whose events in `cause` has an effect in `effect` that names it.
struct Load {
    stores: [Store; 2],
    is_over: Arc<AtomicBool>,
    appenders: JoinSet<()>,
}

impl Load {
    async fn on(ground: &Ground) -> Self {
        let stores = [ground.open("cause").await, ground.open("effect").await];
        let (is_over, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut appenders = JoinSet::new();
        for appender in 0..APPENDERS {
            let (stores, is_over, written) = (stores.clone(), Arc::clone(&is_over), Arc::clone(&written));
            let _ = appenders.spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let cause = append(&stores[0], appender, 0).await;
                    let _ = append(&stores[1], appender, cause.number()).await;
                    let _ = written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while written.load(Ordering::Relaxed) < 50 {
            tokio::task::yield_now().await;
        }
        Self { stores, is_over, appenders }
    }

    async fn end(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.appenders.join_next().await {
            ended.unwrap();
        }
        for store in &self.stores {
            store.close().await;
        }
    }
}

async fn append(store: &Store, appender: u64, number: u64) -> Position {
    let mut unit = UnitOfWork::new();
    let event = new_event(store, number, "", Audience::Published);
    let name = stream(&format!("s{appender}"));
    let _ = unit.append(&cause(new_command(store)), name, Expected::Any, vec![event]);
    store.append(unit).await.unwrap().position
}

/// How many effects are there whose cause is not.
async fn orphans(cause: &Store, effect: &Store) -> usize {
    let end = cause.head().await.unwrap().position.number();
    let (mut orphans, mut last) = (0, Position::START);
    loop {
        let page = effect.events_after(last, 4_000).await.unwrap();
        let Some(event) = page.last() else { return orphans };
        last = event.header.position;
        let causes =
            page.iter().map(|event| serde_json::from_slice::<Counted>(event.payload.as_bytes()).unwrap().number);
        orphans += causes.filter(|cause| *cause > end).count();
    }
}

/// Restores a backup of two stores beside the originals and counts what is inconsistent.
async fn restored_orphans(ground: &Ground, folders: &[PathBuf], name: &str) -> usize {
    let mut stores = Vec::new();
    for folder in folders {
        let backup = Backup::open(folder).unwrap();
        let names = backup.manifest().stores.iter().map(|store| format!("{name}_{}", store.name));
        let configs: Vec<StoreConfig> = names.map(|name| ground.config(&name)).collect();
        let _ = backup.restore(&configs, workers(), silent).await.unwrap();
        for config in &configs {
            stores.push(Store::open(config).await.unwrap());
        }
    }
    let orphans = orphans(&stores[0], &stores[1]).await;
    for store in stores {
        store.close().await;
    }
    orphans
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_under_load_has_no_effect_without_its_cause() {
    for ground in grounds() {
        let load = Load::on(&ground).await;
        let [cause, effect] = &load.stores;
        for round in 0..6 {
            // From inside the process, and from outside.
            let cut = if round % 2 == 0 {
                Cut::of(&[effect, cause]).await.unwrap()
            } else {
                let places = [("effect", effect), ("cause", cause)]
                    .map(|(name, store)| (name.to_owned(), store.place().clone()));
                Cut::at(&places).await.unwrap()
            };
            let (held, folder) = (cut.held(), ground.file(&format!("backup{round}")));
            assert!(held < journal::backup::HOLD_MAX, "{held:?}");
            let _ = cut.write(&folder, None, MADE, silent).await.unwrap();
            assert_eq!(restored_orphans(&ground, &[folder], &format!("r{round}")).await, 0, "round {round}");
        }
        load.end().await;
    }
}

/// The same test finds what it looks for when the stores are cut one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cuts_one_after_the_other_are_found_to_be_inconsistent() {
    let [ground, _] = grounds();
    let load = Load::on(&ground).await;
    let mut found = 0;
    for round in 0..20 {
        let folders = ["cause", "effect"].map(|name| ground.file(&format!("{name}{round}")));
        for (store, folder) in load.stores.iter().zip(&folders) {
            let _ = Cut::of(&[store]).await.unwrap().write(folder, None, MADE, silent).await.unwrap();
        }
        found = restored_orphans(&ground, &folders, &format!("r{round}")).await;
        if found > 0 {
            break;
        }
    }
    load.end().await;
    assert!(found > 0, "nothing inconsistent was found: the test shows nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_that_waits_too_long_is_given_up_and_the_appenders_go_on() {
    let [_, ground] = grounds();
    let stores = [ground.open("one").await, ground.open("two").await];
    let mut somebody = sqlx::PgConnection::connect(ground.url.as_deref().unwrap()).await.unwrap();
    let _ = sqlx::raw_sql("BEGIN; SELECT * FROM two.head FOR UPDATE").execute(&mut somebody).await.unwrap();
    let places = stores.each_ref().map(|store| (store.place().short_name(), store.place().clone()));
    let error = Cut::at(&places).await.unwrap_err();
    assert!(matches!(error, CutError::TooSlow { .. }), "{error:?}");
    let _ = append(&stores[0], 1, 0).await;
    somebody.close().await.unwrap();
    let cut = Cut::at(&places).await.unwrap();
    let heads: Vec<_> = cut.heads().into_iter().map(|(name, head)| (name, head.position.number())).collect();
    assert_eq!(heads, [("one", 1), ("two", 0)]);
    drop(cut);
    for store in &stores {
        store.close().await;
    }
}

/// A backup of two stores with a little of everything, which are closed.
async fn sample(ground: &Ground) -> PathBuf {
    let stores = [ground.open("one").await, ground.open("two").await];
    fill(&stores[0]).await;
    fill(&stores[1]).await;
    let folder = ground.file("backup");
    let cut = Cut::of(&[&stores[1], &stores[0]]).await.unwrap();
    let manifest = cut.write(&folder, None, MADE, silent).await.unwrap();
    assert_eq!(manifest, *Backup::open(&folder).unwrap().manifest());
    for (store, backed_up) in stores.iter().zip(&manifest.stores) {
        assert_eq!(backed_up.head(), Some(store.head().await.unwrap().into()));
        store.close().await;
    }
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_where_nothing_is_and_nowhere_else() {
    let [sqlite, postgres] = grounds();
    for (from, to) in [(&sqlite, &postgres), (&postgres, &sqlite)] {
        let backup = Backup::open(&sample(from).await).unwrap();
        let into = ["new_one", "new_two"].map(|name| to.config(name));
        let _ = backup.restore(&into, workers(), silent).await.unwrap();
        for (old, new) in [("one", "new_one"), ("two", "new_two")] {
            let (old, new) = (from.open(old).await, to.open(new).await);
            assert!(from.exported(&old).await == to.exported(&new).await);
            old.close().await;
            new.close().await;
        }
        let error = backup.restore(&into, workers(), silent).await.unwrap_err();
        assert!(matches!(&error, RestoreStoresError::There { name, .. } if name == "one"), "{error:?}");
        // One place is free: nothing is written there, since the other is not.
        let half = [to.config("free"), to.config("new_two")];
        let error = backup.restore(&half, workers(), silent).await.unwrap_err();
        assert!(matches!(&error, RestoreStoresError::There { name, .. } if name == "two"), "{error:?}");
        to.open("free").await.close().await;
        let twice = [to.config("twice"), to.config("twice")];
        let error = backup.restore(&twice, workers(), silent).await.unwrap_err();
        assert_eq!(error.to_string(), "1 different places are given for 2 stores");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_shows_that_a_backup_is_what_was_there() {
    for ground in grounds() {
        let backup = Backup::open(&sample(&ground).await).unwrap();
        let folder = ground.file("drill");
        std::fs::create_dir(&folder).unwrap();
        let drilled = backup.drill(&folder, STATE_ROWS, workers(), silent).await.unwrap();
        let shown: Vec<_> = drilled.iter().map(|store| (store.name.as_str(), store.events, store.rows)).collect();
        assert_eq!(shown, [("one", 7, 38), ("two", 7, 38)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_any_file_is_named_before_anything_is_restored() {
    let [ground, _] = grounds();
    let folder = sample(&ground).await;
    let into = ["new_one", "new_two"].map(|name| ground.config(name));
    for (name, step) in [("one.export", 501), ("two.export", 503), ("manifest.json", 7)] {
        let file = folder.join(name);
        let whole = std::fs::read(&file).unwrap();
        for at in (0..whole.len()).step_by(step) {
            flipped(&whole, at, &file);
            let error = match Backup::open(&folder) {
                Ok(backup) => backup.restore(&into, workers(), silent).await.unwrap_err(),
                Err(error) => error,
            };
            let is_named = match &error {
                RestoreStoresError::File { name: found, .. } => found == name,
                RestoreStoresError::Manifest { .. } => name == "manifest.json",
                _ => false,
            };
            assert!(is_named, "byte {at} of {name}: {error:?}");
        }
        std::fs::write(&file, &whole).unwrap();
    }
    std::fs::remove_file(folder.join("two.export")).unwrap();
    let error = Backup::open(&folder).unwrap().verify(workers(), silent).await.unwrap_err();
    assert!(matches!(&error, RestoreStoresError::File { name, .. } if name == "two.export"), "{error:?}");
    assert!(into.iter().all(|config| !matches!(&config.place, Place::Sqlite { path } if path.exists())));
}

/// Restores in lives that are dropped later and later, until both stores are there; gives how many half made ones were refused in
/// between. `None` if a life met a statement of the one before, which was still under way: a process that died has none.
async fn refused_in_lives(backup: &Backup, into: &[StoreConfig; 2]) -> Option<u32> {
    let mut refused = 0;
    for polls in (0..).step_by(3) {
        if let Some(ended) = cut_after(polls, backup.restore(into, workers(), silent)).await {
            // The database may take the last mark after the restore that asked for it was dropped: then all are there.
            let is_whole = ended.is_ok() || matches!(ended, Err(RestoreStoresError::There { .. }));
            assert!(is_whole, "{ended:?}");
            break;
        }
        let mut whole = 0;
        for config in into {
            match Store::open(config).await {
                Ok(store) => {
                    whole += usize::from(store.head().await.unwrap().position.number() == 7);
                    store.close().await;
                }
                Err(OpenError::HalfImported { .. }) => refused += 1,
                // What was dropped has not let go of the file yet.
                Err(OpenError::Held { .. } | OpenError::Sql { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        if whole == 2 {
            break;
        }
    }
    for config in into {
        let store = match Store::open(config).await {
            Err(OpenError::HalfImported { .. } | OpenError::Held { .. }) => return None,
            opened => opened.unwrap(),
        };
        assert_eq!(store.head().await.unwrap().position.number(), 7);
        store.close().await;
    }
    Some(refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_store_of_a_restore_that_died_is_opened_before_all_are_there() {
    for ground in grounds() {
        let backup = Backup::open(&sample(&ground).await).unwrap();
        let mut refused = Vec::new();
        for round in 0..ROUNDS_MAX {
            let into = ["one", "two"].map(|name| ground.config(&format!("new_{name}_{round}")));
            refused.push(refused_in_lives(&backup, &into).await);
            if refused.last() > Some(&Some(3)) {
                break;
            }
        }
        assert!(refused.last() > Some(&Some(3)), "half made stores that were refused, by round: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_broken_off_leaves_nothing() {
    for ground in grounds() {
        let backup = Backup::open(&sample(&ground).await).unwrap();
        let into = ["new_one", "new_two"].map(|name| ground.config(name));
        let mut calls = 0;
        // The second store's import is broken off, when the first is there.
        let on_progress = |name: &str| -> OnProgress {
            calls += usize::from(name == "two");
            let is_last = calls == 2;
            Box::new(move |_| if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let error = backup.restore(&into, workers(), on_progress).await.unwrap_err();
        assert!(matches!(&error, RestoreStoresError::Import { name, .. } if name == "two"), "{error:?}");
        for config in &into {
            let store = Store::open(config).await.unwrap();
            assert_eq!(store.head().await.unwrap().position, Position::START, "a new store");
            store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_that_is_broken_off_does_not_call_the_backup_wrong() {
    let [ground, _] = grounds();
    let backup = Backup::open(&sample(&ground).await).unwrap();
    let broken_off = |_: &str| -> OnProgress { Box::new(|_| ControlFlow::Break(())) };
    let error = backup.restore(&["a", "b"].map(|name| ground.config(name)), workers(), broken_off).await.unwrap_err();
    assert!(matches!(&error, RestoreStoresError::Unverified { name, .. } if name == "one"), "{error:?}");
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_there_whole_or_not_at_all() {
    let [ground, _] = grounds();
    let store = ground.open("one").await;
    fill(&store).await;
    let parent = ground.file("backups");
    std::fs::create_dir(&parent).unwrap();
    let folder = parent.join("today");
    let broken_off = |_: &str| -> OnProgress { Box::new(|_| ControlFlow::Break(())) };
    let error = Cut::of(&[&store]).await.unwrap().write(&folder, None, MADE, broken_off).await.unwrap_err();
    assert!(matches!(error, BackupError::Store { .. }), "{error:?}");
    assert_eq!(entries(&parent), Vec::<String>::new());
    let _ = Cut::of(&[&store]).await.unwrap().write(&folder, None, MADE, silent).await.unwrap();
    assert_eq!(entries(&folder), ["manifest.json", "one.export"]);
    let error = Cut::of(&[&store]).await.unwrap().write(&folder, None, MADE, silent).await.unwrap_err();
    assert!(matches!(error, BackupError::There { .. }), "{error:?}");
    // A path may end as a shell completes it.
    let slashed = PathBuf::from(format!("{}/", parent.join("slashed").display()));
    let _ = Cut::of(&[&store]).await.unwrap().write(&slashed, None, MADE, silent).await.unwrap();
    assert_eq!(entries(&slashed), ["manifest.json", "one.export"]);
    assert_eq!(entries(&parent), ["slashed", "today"]);
    let nameless = parent.join("..");
    assert!(matches!(check_folder(&nameless), Err(BackupError::NoName { .. })));
    let error = Cut::of(&[&store]).await.unwrap().write(&nameless, None, MADE, silent).await.unwrap_err();
    assert!(matches!(error, BackupError::NoName { .. }), "{error:?}");
    std::fs::create_dir(parent.join("tomorrow.partial")).unwrap();
    let tomorrow = parent.join("tomorrow");
    let error = Cut::of(&[&store]).await.unwrap().write(&tomorrow, None, MADE, silent).await.unwrap_err();
    assert!(matches!(error, BackupError::Unfinished { .. }), "{error:?}");
    let error = Cut::of(&[&store, &store]).await.unwrap_err();
    assert!(matches!(error, CutError::Twice { .. }), "{error:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_persons_are_a_file_of_their_own_and_come_back() {
    let [ground, _] = grounds();
    let store = ground.open("one").await;
    let master = ground.file("master");
    std::fs::write(&master, "11".repeat(32)).unwrap();
    std::fs::set_permissions(&master, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let config = |name: &str| PersonKeysConfig {
        place: Place::Sqlite { path: ground.file(name) },
        master: MasterKeySource::File { path: master.clone() },
        former_master: None,
        clock: Clock::System,
        entropy: Entropy::System,
    };
    let keys = PersonKeys::open(&config("persons.db")).await.unwrap();
    let person = keys.add_person(&tenant()).await.unwrap();
    let field = journal::personal::Field {
        tenant: tenant(),
        stream: stream("person/1"),
        event_type: messages::EventType::of("test.named"),
        name: "name",
    };
    let sealed = keys.seal(person, &field, &Personal::new("Ana".to_owned())).await.unwrap();
    let folder = ground.file("backup");
    let cut = Cut::of(&[&store]).await.unwrap();
    let manifest = cut.write(&folder, Some(&keys), MADE, silent).await.unwrap();
    assert_eq!(manifest.persons.as_ref().unwrap().name, "persons.keys");
    let backup = Backup::open(&folder).unwrap();
    backup.verify(workers(), silent).await.unwrap();
    let restored = backup.restore_persons(&config("restored.db"), &[]).await.unwrap();
    for master in [None, Some(config("persons.db").master)] {
        let counted = backup.persons(master).await.unwrap();
        assert_eq!(counted, Some(PersonsBackedUp { living: 1, erased: 0 }));
    }
    let opened: Opened<String> = restored.unseal(&sealed, &field).await.unwrap();
    assert!(matches!(opened, Opened::Value(name) if name.reveal() == "Ana"));
    store.close().await;
}
