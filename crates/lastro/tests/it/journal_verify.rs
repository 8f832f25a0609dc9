//! The audit of what the demonstration leaves: it passes, and whatever was changed is found and named.

use crate::program::{Answer, lastro, text};
use journal::store::{Migration, StateRows};
use journal::{Audience, Cause, Expected, NewEvent, Parameter, Place, Statement, Store, StoreConfig, UnitOfWork};
use messages::{Actor, EventType, Payload, StreamName, StreamVersion, TenantId};
use serde_json::json;
use std::path::Path;

/// The demonstration's tables, which it has made.
const THERE_ALREADY: &[StateRows] =
    &[StateRows { name: "state rows", migrations: &[Migration { version: 1, sql: "" }] }];

/// Plays the demonstration, and says where its journal is.
fn played(folder: &Path) -> std::path::PathBuf {
    let _ = lastro(&["demo", "--quiet", "--data-dir", text(folder)]).ok();
    folder.join("journal.db")
}

fn verify(dir: &Path) -> Answer {
    lastro(&["journal", "verify", "--state", text(dir)])
}

#[test]
fn a_flipped_byte_in_the_file_is_found_and_its_event_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = played(folder.path());
    let _ = verify(folder.path()).ok();
    let whole = std::fs::read(&file).unwrap();
    let marks: Vec<usize> =
        whole.windows(8).enumerate().filter(|(_, at)| *at == b"\"units\":").map(|(at, _)| at).collect();
    assert!(marks.len() > 20, "the payloads are in the file");
    let before = verify(folder.path()).ok();
    let mut named = 0;
    for at in marks.iter().step_by(7) {
        let mut changed = whole.clone();
        // The first digit of an amount, behind its quotation mark.
        changed[at + 9] ^= 1;
        std::fs::write(&file, changed).unwrap();
        let answer = verify(folder.path());
        if answer.code == 0 {
            // A copy in the file that the database does not use any more.
            assert_eq!(answer.stdout, before.stdout);
            continue;
        }
        assert_eq!(answer.code, 1, "{}", answer.stderr);
        assert!(
            answer.stderr.starts_with("error: the event at place ") && answer.stderr.contains("hash"),
            "{}",
            answer.stderr
        );
        named += 1;
    }
    assert!(named * 2 > marks.len() / 7, "{named} of {} flips were found", marks.len() / 7);
    std::fs::write(&file, whole).unwrap();
    let _ = verify(folder.path()).ok();
}

#[test]
fn a_state_row_that_is_not_what_the_log_says_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = played(folder.path());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = StoreConfig { state_rows: THERE_ALREADY, ..StoreConfig::at(Place::Sqlite { path: file }) };
        let store = Store::open(&config).await.unwrap();
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement {
            sql: "UPDATE demo_balances SET units = $1 WHERE account = (SELECT min(account) FROM demo_balances)",
            parameters: vec![Parameter::Text("7".to_owned())],
            rows_expected: None,
        });
        let _ = store.append(unit).await.unwrap();
        store.close().await;
    });
    let answer = lastro(&["journal", "verify", "--state", "--json", text(folder.path())]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert_ne!(answer.json()["stateDifferences"], json!([]));
    assert!(answer.stderr.contains("is not what the log says"), "{}", answer.stderr);
}

/// A store of a service without state rows.
async fn plain_store(file: &Path) {
    let store = Store::open(&StoreConfig::at(Place::Sqlite { path: file.to_owned() })).await.unwrap();
    let actor = Actor::new("service", "plain", None).unwrap();
    let command = store.entropy().command_id(store.clock().now());
    let tenant = TenantId::parse("plain").unwrap();
    let (correlation, causation, trace_parent) = (command, None, None);
    let cause = Cause { tenant, actor, command, correlation, causation, trace_parent };
    let (event_type, payload) = (EventType::parse("plain.happened").unwrap(), Payload::of(&json!({})).unwrap());
    let (id, audience) = (store.event_id(), Audience::Private);
    let event = NewEvent { id, event_type, type_version: 1, payload, audience };
    let mut unit = UnitOfWork::new();
    let stream = StreamName::parse("plain/one").unwrap();
    let _ = unit.append(&cause, stream, Expected::Version(StreamVersion::EMPTY), vec![event]);
    let _ = store.append(unit).await.unwrap();
    store.close().await;
}

#[test]
fn a_store_without_state_rows_is_refused_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plain.db");
    tokio::runtime::Runtime::new().unwrap().block_on(plain_store(&file));
    let before = std::fs::read(&file).unwrap();
    let answer = verify(&file);
    assert_eq!((answer.code, answer.stdout.as_str()), (2, ""), "{}", answer.stderr);
    assert!(answer.stderr.starts_with("error: the store has no state rows to compare\n"), "{}", answer.stderr);
    assert!(std::fs::read(&file).unwrap() == before, "the store was changed");
    let _ = lastro(&["journal", "verify", text(&file)]).ok();
}

#[test]
fn an_export_has_no_state_rows_whether_it_is_whole_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export");
    std::fs::write(&file, "not an export, which a verification would say").unwrap();
    let answer = verify(&file);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.starts_with("error: an export has no state rows to compare\n"), "{}", answer.stderr);
}

#[test]
fn the_head_is_printed_as_an_anchor_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let _ = played(folder.path());
    let first = verify(folder.path()).ok();
    let head = first.stdout.lines().find_map(|line| line.strip_prefix("head")).unwrap().trim().to_owned();
    let again = lastro(&["journal", "verify", text(folder.path()), "--anchor", &head]).ok();
    assert!(again.stdout.contains("anchors    1 agree"), "{}", again.stdout);
}
