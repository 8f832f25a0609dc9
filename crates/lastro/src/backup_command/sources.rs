//! Which stores a backup is made of, and what each is called in it.

use crate::cli::JournalSource;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::source::place_of;
use anyhow::anyhow;
use journal::Place;
use journal::backup::check_name;

/// The places that are named, each with its name in the backup. Every schema is looked for in every PostgreSQL.
///
/// # Errors
/// [`Failure`] if one is no store.
pub(super) fn places_of(sources: &[String], schemas: &[String]) -> Result<Vec<(String, Place)>, Failure> {
    let mut places = Vec::new();
    for text in sources {
        let (name, source) = split(text);
        let is_url = source.starts_with("postgres://") || source.starts_with("postgresql://");
        let schemas: Vec<Option<String>> =
            if is_url && !schemas.is_empty() { schemas.iter().cloned().map(Some).collect() } else { vec![None] };
        if let (Some(name), 2..) = (name, schemas.len()) {
            let error = anyhow!("`{name}` would be the name of {} stores", schemas.len());
            return Err(Failure::new(FailureKind::Usage, error)
                .with_hint("leave the name out: each store has that of its schema"));
        }
        for schema in schemas {
            let place = place_of(&JournalSource { source: source.to_owned(), schema })?;
            places.push((name.map_or_else(|| place.short_name(), str::to_owned), place));
        }
    }
    Ok(places)
}

/// A name in front, if there is one: `NAME=SOURCE`.
fn split(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, source)) if check_name(name) => (Some(name), source),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_front_is_told_from_a_path_or_an_address_with_the_same_sign() {
        assert_eq!(split("tokens=a/journal.db"), (Some("tokens"), "a/journal.db"));
        for source in ["a/b=c.db", "postgres://host/base?sslmode=require", "journal.db"] {
            assert_eq!(split(source), (None, source));
        }
    }
}
