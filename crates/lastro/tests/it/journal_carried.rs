//! The books of the demonstration carried elsewhere: exported and imported, backed up and restored, and a consumer put elsewhere.

use crate::program::{Answer, lastro, text};
use insta::assert_snapshot;
use journal::personal::{ErasureRequest, LegalBasis, MasterKeySource, PersonKeys, PersonKeysConfig};
use journal::store::{Migration, StateRows};
use journal::{Clock, Cursor, Entropy, Place, Store, StoreConfig, UnitOfWork};
use messages::{StoreId, TenantId};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A directory with the demonstration's books.
fn books(folder: &Path) -> PathBuf {
    let dir = folder.join("demo");
    let _ = lastro(&["demo", "--quiet", "--data-dir", text(&dir)]).ok();
    dir
}

/// What a verification says of a store, with its state rows.
fn verified(store: &Path) -> Value {
    let report = lastro(&["journal", "verify", text(store), "--state", "--json"]).ok().json();
    assert_eq!(report["stateDifferences"], json!([]));
    report
}

#[test]
fn what_is_carried_has_its_help() {
    let commands: [&[&str]; 6] =
        [&["journal"], &["journal", "import"], &["journal", "rebind"], &["backup"], &["backup", "drill"], &["restore"]];
    let helps = commands.map(|command| {
        let answer = lastro(&[command, ["--help"].as_slice()].concat());
        assert_eq!(answer.code, 0);
        format!("$ lastro {} --help\n{}", command.join(" "), answer.shown(&[]))
    });
    assert_snapshot!(helps.join("\n\n"));
}

#[test]
fn books_that_were_exported_are_imported_once_and_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, file, new) = (books(folder.path()), folder.path().join("export"), folder.path().join("new.db"));
    let exported = lastro(&["journal", "export", text(&dir), "--out", text(&file), "--json"]).ok().json();
    let imported = lastro(&["journal", "import", text(&file), "--into", text(&new), "--json"]).ok().json();
    assert_eq!((&imported["events"], &imported["rows"]), (&exported["events"], &exported["rows"]));
    assert_eq!(verified(&new), verified(&dir));
    let again = lastro(&["journal", "import", text(&file), "--into", text(&new)]);
    let store = imported["store"].as_str().unwrap();
    let position = format!("at place {}", imported["position"]);
    let volatile = [(text(folder.path()), "[folder]"), (store, "[store]"), (position.as_str(), "at place [n]")];
    assert_snapshot!("import_into_a_store", again.shown(&volatile));
    let part = lastro(&["journal", "export", text(&dir), "--out", text(&file), "--tenant", "nobody"]);
    assert_eq!(part.code, 0);
    let refused = lastro(&["journal", "import", text(&file), "--into", text(&folder.path().join("part.db"))]);
    assert_snapshot!("import_of_a_part", refused.shown(&volatile));
    assert!(!folder.path().join("part.db").exists());
}

#[test]
fn books_that_were_backed_up_are_drilled_and_restored_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, out, into) = (books(folder.path()), folder.path().join("backup"), folder.path().join("restored"));
    let before = verified(&dir);
    let backup = lastro(&["backup", "--out", text(&out), text(&dir), "--json"]).ok().json();
    assert_eq!((&backup["stores"][0]["name"], &backup["stores"][0]["hash"]), (&json!("journal"), &before["hash"]));
    let drill = lastro(&["backup", "drill", "--from", text(&out), "--json"]).ok().json();
    assert_eq!(drill["stores"], backup["stores"]);
    std::fs::create_dir(&into).unwrap();
    let _ = lastro(&["restore", "--from", text(&out), "--into", text(&into)]).ok();
    assert_eq!(verified(&into), before);
    let again = lastro(&["restore", "--from", text(&out), "--into", text(&into)]);
    let volatile = [(text(folder.path()), "[folder]"), (before["store"].as_str().unwrap(), "[store]")];
    assert_snapshot!("restore_over_a_store", again.shown(&volatile));
    let there = lastro(&["backup", "--out", text(&out), text(&dir)]);
    assert_snapshot!("backup_over_a_backup", there.shown(&volatile));
    // The demonstration goes on with the books that came back.
    let _ = std::fs::copy(into.join("journal.db"), dir.join("journal.db")).unwrap();
    let _ = lastro(&["demo", "--quiet", "--data-dir", text(&dir)]).ok();
    let file = out.join("journal.export");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let damaged = lastro(&["backup", "drill", "--from", text(&out), "--json"]);
    let error = damaged.json()["error"].as_str().unwrap().to_owned();
    assert!(
        damaged.code == 1 && error.starts_with("`journal.export` of the backup is not as it was written"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_whose_log_was_replaced_is_put_elsewhere_by_a_person_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.db");
    let store = Store::open(&StoreConfig::at(Place::Sqlite { path: path.clone() })).await.unwrap();
    let id = store.id().to_string();
    let mut unit = UnitOfWork::new();
    let _ = unit.advance("views", None, Cursor::start(StoreId::from_bytes([7; 16])));
    let _ = store.append(unit).await.unwrap();
    let start = store.head().await.unwrap().hash.to_string();
    store.close().await;
    let volatile = [(text(folder.path()), "[folder]"), (id.as_str(), "[store]"), (start.as_str(), "[hash]")];
    let rebind = |further: &[&str]| lastro(&[&["journal", "rebind", text(&path)], further].concat());
    assert_snapshot!("rebind_choices", rebind(&["views"]).shown(&volatile));
    let without_reason = rebind(&["views", "--to-start"]);
    assert_eq!(without_reason.code, 2);
    assert_snapshot!("rebind_nobody", rebind(&["nobody"]).shown(&volatile));
    let done =
        rebind(&["views", "--to-start", "--reason", "the log was restored", "--who", "ana", "--json"]).ok().json();
    assert_eq!(
        (&done["rebound"], &done["recordedAt"], &done["seen"]["log"]),
        (&json!(true), &json!(1), &json!("replaced"))
    );
    assert_eq!(rebind(&["views", "--json"]).ok().json()["seen"]["log"], "unchanged");
}

/// A file with a master key that nobody else may read.
fn master_key(folder: &Path, byte: u8) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(format!("master-{byte}"));
    std::fs::write(&path, format!("{byte:02x}").repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A store without events, and keys of two persons under master key 1, one of them erased.
async fn with_persons(folder: &Path) -> (PathBuf, PathBuf, PathBuf) {
    let (store, persons, master) = (folder.join("store.db"), folder.join("persons.db"), master_key(folder, 1));
    Store::open(&StoreConfig::at(Place::Sqlite { path: store.clone() })).await.unwrap().close().await;
    let config = PersonKeysConfig {
        place: Place::Sqlite { path: persons.clone() },
        master: MasterKeySource::File { path: master.clone() },
        former_master: None,
        clock: Clock::System,
        entropy: Entropy::System,
    };
    let keys = PersonKeys::open(&config).await.unwrap();
    let tenant = TenantId::parse("bank_a").unwrap();
    let _ = keys.add_person(&tenant).await.unwrap();
    let person = keys.add_person(&tenant).await.unwrap();
    let request = ErasureRequest {
        tenant,
        person,
        legal_basis: LegalBasis::ConsentWithdrawn,
        reference: "LGPD-2026-0042".to_owned(),
        requested_by: "dpo@bank".to_owned(),
    };
    let _ = keys.erase(&request).await.unwrap();
    keys.close().await;
    (store, persons, master)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_persons_are_backed_up_where_they_are_and_restored_with_their_master_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, persons, master) = with_persons(folder.path()).await;
    let (out, into, wrong) = (folder.path().join("backup"), folder.path().join("into"), master_key(folder.path(), 2));
    std::fs::create_dir(&into).unwrap();
    let back_up = |out: &Path, persons: &Path, master: &Path| {
        lastro(&["backup", "--out", text(out), text(&store), "--persons", text(persons), "--master-key", text(master)])
    };
    let volatile = [(text(folder.path()), "[folder]")];
    let none = back_up(&out, &folder.path().join("none.db"), &master);
    assert_snapshot!("backup_of_no_keys", none.shown(&volatile));
    assert!(!folder.path().join("none.db").exists() && !out.exists());
    let backed_up = back_up(&out, &persons, &master).ok();
    assert!(backed_up.stdout.contains("persons    1 with a key, 1 erased"), "{backed_up:?}");
    let drill =
        |master: &Path| lastro(&["backup", "drill", "--from", text(&out), "--master-key", text(master), "--json"]);
    assert_eq!(drill(&master).ok().json()["persons"], json!({ "living": 1, "erased": 1 }));
    assert_eq!(drill(&wrong).code, 2);
    // The wrong key leaves nothing behind, and the same command with the right one comes to its end.
    let new = into.join("persons.db");
    let restore = |master: &Path| {
        let from = ["restore", "--from", text(&out), "--into", text(&into)];
        lastro(&[from.as_slice(), &["--persons", text(&new), "--master-key", text(master)]].concat())
    };
    assert_snapshot!("restore_with_another_key", restore(&wrong).shown(&[]).replace(&id_of(&restore(&wrong)), "[key]"));
    assert!(!into.join("store.db").exists());
    let _ = restore(&master).ok();
    assert!(into.join("store.db").exists());
    let again =
        ["restore", "--from", text(&out), "--persons-only", "--persons", text(&new), "--master-key", text(&master)];
    assert_snapshot!("restore_keys_again", lastro(&again).shown(&[]));
    let elsewhere = folder.path().join("elsewhere.db");
    let only = again.map(|word| if word == text(&new) { text(&elsewhere) } else { word });
    assert_eq!(lastro(&[only.as_slice(), &["--json"]].concat()).ok().json()["persons"]["living"], 1);
}

/// The identifier of a master key in what a command said.
fn id_of(answer: &Answer) -> String {
    let mut words = answer.stderr.split(|c: char| !c.is_ascii_hexdigit());
    words.rfind(|word| word.len() == 32).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_keys_restores_no_store_when_keys_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (store, persons, master) = with_persons(folder.path()).await;
    let (out, into) = (format!("{}/", folder.path().join("backup").display()), folder.path().join("into"));
    std::fs::create_dir(&into).unwrap();
    // The folder is named as a shell completes it.
    let _ = lastro(&["backup", "--out", &out, text(&store)]).ok();
    let from = ["restore", "--from", &out, "--into", text(&into)];
    let restored = lastro(&[from.as_slice(), &["--persons", text(&persons), "--master-key", text(&master)]].concat());
    assert_snapshot!("restore_of_no_keys", restored.shown(&[]));
    assert!(!into.join("store.db").exists());
    let nothing = folder.path().join("nothing");
    let missing = lastro(&["journal", "import", text(&nothing), "--into", text(&into.join("new.db"))]);
    assert_snapshot!("import_of_nothing", missing.shown(&[(text(folder.path()), "[folder]")]));
}

/// The tables of a service that the binary does not know.
const OF_ANOTHER_SERVICE: &[StateRows] = &[StateRows {
    name: "invoices",
    migrations: &[Migration { version: 1, sql: "CREATE TABLE invoices (number BIGINT)" }],
}];

#[test]
fn both_stores_of_the_demonstration_are_backed_up_together_and_agree_with_their_logs_when_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (demo, out, into) = (folder.path().join("demo"), folder.path().join("backup"), folder.path().join("into"));
    let _ = lastro(&["demo", "--json", "--data-dir", text(&demo)]).ok();
    let stores = [demo.join("journal.db"), demo.join("chain.db")];
    let _ = lastro(&["backup", "--out", text(&out), text(&stores[0]), text(&stores[1])]).ok();
    let _ = lastro(&["backup", "drill", "--from", text(&out)]).ok();
    std::fs::create_dir(&into).unwrap();
    let _ = lastro(&["restore", "--from", text(&out), "--into", text(&into)]).ok();
    for store in stores {
        let verified = |path: &Path| lastro(&["journal", "verify", "--state", "--json", text(path)]).ok().json();
        let (before, after) = (verified(&store), verified(&into.join(store.file_name().unwrap())));
        assert_eq!(before, after);
        assert_eq!(before["stateDifferences"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_unknown_service_is_refused_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (store, out, into) = (folder.path().join("store.db"), folder.path().join("backup"), folder.path().join("into"));
    let config = StoreConfig::at(Place::Sqlite { path: store.clone() });
    let config = StoreConfig { state_rows: OF_ANOTHER_SERVICE, ..config };
    Store::open(&config).await.unwrap().close().await;
    let _ = lastro(&["backup", "--out", text(&out), text(&store)]).ok();
    std::fs::create_dir(&into).unwrap();
    let refused = lastro(&["restore", "--from", text(&out), "--into", text(&into)]);
    assert_snapshot!("restore_of_an_unknown_service", refused.shown(&[]));
    assert!(!into.join("store.db").exists());
}
