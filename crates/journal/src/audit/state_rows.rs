//! Whether a store has state rows: asked before an audit compares them, since a store that is opened for them makes them.

use super::stored::{StoredReader, failed};
use crate::store::{Place, StoreError};

/// A store that no service gave state rows has no version of them, or zero.
const STATE_ROWS: &str = "SELECT version FROM schema_versions WHERE what = 'state rows' AND version > 0";

/// Whether the store has state rows of some service. It is read by a connection that cannot write.
///
/// # Errors
///
/// If it cannot be read.
pub async fn has_state_rows(place: &Place) -> Result<bool, StoreError> {
    let found = match StoredReader::connect(place).await? {
        StoredReader::Sqlite(mut connection) => {
            sqlx::query(STATE_ROWS).fetch_optional(&mut connection).await.map(|row| row.is_some())
        }
        StoredReader::Postgres(mut connection) => {
            sqlx::query(STATE_ROWS).fetch_optional(&mut connection).await.map(|row| row.is_some())
        }
    };
    found.map_err(failed("read which state rows there are"))
}
