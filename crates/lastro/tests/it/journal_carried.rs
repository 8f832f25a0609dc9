//! The books of the demonstration carried elsewhere: exported and imported, backed up and restored, and a consumer put elsewhere.

use crate::program::{lastro, text};
use insta::assert_snapshot;
use journal::{Cursor, Place, Store, StoreConfig, UnitOfWork};
use messages::StoreId;
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
