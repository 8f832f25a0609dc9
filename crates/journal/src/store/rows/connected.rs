//! What a connection of either store can do.

use std::future::Future;

use super::StoredRow;
use crate::unit::Parameter;

/// The check of a group has one form per store: how a set of hashes or names is given, and how the newest event per stream is
/// looked up. Each has one parameter, the set.
pub(in crate::store) struct Probes {
    /// Hashes of streams → columns of a candidate.
    pub(in crate::store) streams: &'static str,
    /// Hashes of keys → keys.
    pub(in crate::store) keys: &'static str,
    /// Hashes of claims → claims.
    pub(in crate::store) claims: &'static str,
    /// Hashes of timers → when they are due.
    pub(in crate::store) timers: &'static str,
    /// Names of consumers → cursors.
    pub(in crate::store) consumers: &'static str,
}

/// A connection: it runs the statements that are written once.
pub(in crate::store) trait Connected: Send {
    /// Its rows.
    type Row: StoredRow;

    /// How its store looks up what a group depends on.
    const PROBES: Probes;

    /// All rows of a query.
    fn fetch(
        &mut self,
        sql: &'static str,
        parameters: Vec<Parameter>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// All rows of a probe by numbers.
    fn fetch_by_numbers(
        &mut self,
        sql: &'static str,
        numbers: Vec<i64>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// All rows of a probe by texts.
    fn fetch_by_texts(
        &mut self,
        sql: &'static str,
        texts: Vec<&str>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Runs a statement and gives how many rows it changed.
    fn execute(
        &mut self,
        sql: &'static str,
        parameters: Vec<Parameter>,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;

    /// Runs statements without parameters, separated by `;`.
    fn run_script(&mut self, sql: &str) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}
