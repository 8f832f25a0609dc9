//! What both stores share: their rows as values, and the statements that are written once.
//!
//! `stored` reads rows and says what is wrong with damaged ones, `connected` is what a connection of either store can do,
//! `reading` has the queries, `finding` what a group looks up, `writing` what it writes row by row, `values` a service's
//! own rows, `transient` which errors pass.

mod connected;
mod finding;
mod reading;
mod stored;
mod transient;
mod values;
mod writing;

use std::sync::Arc;

use super::StoreError;

pub(super) use self::connected::{Connected, Probes};
pub(super) use self::finding::find;
pub(super) use self::reading::{
    cursor, events_after, head, key, last_group_number, next_due, published_after, stream_after, timers_due,
};
pub(super) use self::stored::{StoredRow, damaged, head_of, previous_published, signed, stream_hash};
pub(super) use self::transient::{is_of_the_statement, is_transient};
pub(super) use self::values::query;
pub(super) use self::writing::{as_many, expire_keys, move_head, run_statements, store_cursors};

/// The store's error for a failure of the database.
pub(super) fn failed(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| match source {
        sqlx::Error::PoolClosed => StoreError::Closed,
        source => StoreError::Sql { doing, source: Arc::new(source) },
    }
}

/// The error that the head is another store's than was opened.
pub(super) fn replaced() -> StoreError {
    damaged("head", "its only row", "it is another store's: the store was replaced while it was open")
}

/// The error that there is no head.
pub(super) fn headless() -> StoreError {
    damaged("head", "its only row", "it is missing")
}

#[cfg(test)]
mod tests;
