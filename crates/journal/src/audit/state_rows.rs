//! Which service's state rows a store has: asked before an audit compares them, since a store that is opened for them makes them.

use super::stored::{StoredReader, failed};
use crate::store::{Place, StoreError};

/// A store that no service gave state rows has a version of none.
const STATE_ROWS: &str = "SELECT what FROM schema_versions WHERE what <> 'journal' AND what <> 'import' AND version > 0 ORDER BY what LIMIT 1";

/// The name of the state rows that the store has, as its service calls them ([`crate::store::StateRows`]); `None` if it has
/// none. It is read by a connection that cannot write.
///
/// # Errors
///
/// If it cannot be read.
pub async fn state_rows_of(place: &Place) -> Result<Option<String>, StoreError> {
    let found = match StoredReader::connect(place).await? {
        StoredReader::Sqlite(mut connection) => sqlx::query_scalar(STATE_ROWS).fetch_optional(&mut connection).await,
        StoredReader::Postgres(mut connection) => sqlx::query_scalar(STATE_ROWS).fetch_optional(&mut connection).await,
    };
    found.map_err(failed("read which state rows there are"))
}
