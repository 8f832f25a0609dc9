//! What the user names: a store's file, the directory that it lies in, a PostgreSQL with its schema, or an export.

use super::is_sqlite;
use crate::cli::JournalSource;
use crate::demo::book_keeper::JOURNAL_FILE;
use crate::failure::{Failure, FailureKind};
use anyhow::anyhow;
use journal::Place;
use journal::audit::Source;
use std::path::PathBuf;

/// A store or an export.
pub(super) fn source_of(named: &JournalSource) -> Result<Source, Failure> {
    let path = PathBuf::from(&named.source);
    if path.is_file() && !is_sqlite(&path) {
        return Ok(Source::Export(path));
    }
    place_of(named).map(Source::Store)
}

/// A store.
pub(crate) fn place_of(named: &JournalSource) -> Result<Place, Failure> {
    place_with(&named.source, named.schema.as_deref(), JOURNAL_FILE)
}

/// A store, whose file has this name where a directory is named.
pub(crate) fn place_with(source: &str, schema: Option<&str>, file: &str) -> Result<Place, Failure> {
    let usage = |what: String, hint: &str| Err(Failure::new(FailureKind::Usage, anyhow!(what)).with_hint(hint));
    let is_url = source.starts_with("postgres://") || source.starts_with("postgresql://");
    match (schema, is_url) {
        (Some(schema), true) => return Ok(Place::Postgres { url: source.to_owned(), schema: schema.to_owned() }),
        // The URL may hold a password and is not repeated.
        (None, true) => return usage("a PostgreSQL holds many stores".to_owned(), "name one by `--schema`"),
        (Some(_), false) => {
            return usage(format!("`{source}` is no PostgreSQL"), "`--schema` goes with `postgres://…` alone");
        }
        (None, false) => {}
    }
    let mut path = PathBuf::from(source);
    if path.is_dir() {
        path.push(file);
    }
    if is_sqlite(&path) {
        return Ok(Place::Sqlite { path });
    }
    let what = format!("`{}` is no store", path.display());
    usage(what, "name a store's file, the data directory that it lies in, or `postgres://…` with `--schema`")
}
