//! `lastro journal import`: makes a store of an export.

use super::services::KNOWN_STATE_ROWS;
use super::{environment, open_failure};
use crate::cli::JournalImport;
use crate::failure::{Failure, FailureKind};
use crate::interruption::Interruption;
use crate::printer::Printer;
use anyhow::anyhow;
use journal::import::{ImportError, import};
use journal::{Place, StoreConfig};
use serde_json::json;
use std::path::PathBuf;

/// Imports.
///
/// # Errors
/// [`Failure`] if the export is wrong, the place is not empty, or it was interrupted: then nothing is there.
pub(super) async fn run(arguments: &JournalImport, printer: &Printer) -> Result<(), Failure> {
    let place = new_place(&arguments.into, arguments.schema.as_deref())?;
    let config = StoreConfig { state_rows: KNOWN_STATE_ROWS, ..StoreConfig::at(place) };
    let interruption = Interruption::watch(printer)?;
    let imported = import(&arguments.file, &config, interruption.on_progress("importing")).await;
    printer.progress_end();
    let imported = imported.map_err(import_failure)?;
    printer.line(&format!("store      {}", imported.head.store));
    printer.line(&format!("events     {}", imported.events));
    printer.line(&format!("rows       {}", imported.rows));
    printer.line(&format!("head       {}:{}", imported.head.position, imported.head.hash));
    printer.done("the store is as it was exported");
    printer.json(&json!({
        "store": imported.head.store.to_string(),
        "position": imported.head.position.number(),
        "hash": imported.head.hash.to_string(),
        "events": imported.events,
        "rows": imported.rows,
        "madeMicroseconds": imported.made.micros(),
    }));
    Ok(())
}

/// Where a store, or the keys of persons, are or are to be made.
pub(crate) fn new_place(into: &str, schema: Option<&str>) -> Result<Place, Failure> {
    let is_url = into.starts_with("postgres://") || into.starts_with("postgresql://");
    let usage = |what: String, hint: &str| Err(Failure::new(FailureKind::Usage, anyhow!(what)).with_hint(hint));
    match (schema, is_url) {
        (Some(schema), true) => Ok(Place::Postgres { url: into.to_owned(), schema: schema.to_owned() }),
        (None, true) => usage("a PostgreSQL holds many stores".to_owned(), "name the new one by `--schema`"),
        (Some(_), false) => usage(format!("`{into}` is no PostgreSQL"), "`--schema` goes with `postgres://…` alone"),
        (None, false) => Ok(Place::Sqlite { path: PathBuf::from(into) }),
    }
}

/// What to do about an import that failed.
pub(crate) fn import_failure(error: ImportError) -> Failure {
    let hint = match &error {
        ImportError::NotEmpty { .. } | ImportError::InTheWay { .. } => "name another place: nothing is overwritten",
        ImportError::Part { .. } => "ask for the export of everything, without `--tenant`",
        ImportError::Begins { .. } => "ask for the export of everything",
        ImportError::Newer { .. } | ImportError::Table { .. } => "use the release that wrote it, or a newer one",
        ImportError::Row { .. } | ImportError::Verify(_) => {
            "ask for the export again, and compare its SHA-256; `lastro journal verify` says more"
        }
        ImportError::Unreadable(_) => {
            return environment(error).with_hint("look whether the file is there, and may be read");
        }
        ImportError::Open(_) | ImportError::Store(_) | ImportError::BrokenOff { .. } => {
            return match error {
                ImportError::Open(error) => open_failure(error),
                other => environment(other).with_hint("nothing was left behind: do it again"),
            };
        }
    };
    Failure::new(FailureKind::Refused, error).with_hint(hint)
}
