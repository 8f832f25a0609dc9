//! Which services have state rows, so that their stores can be opened and made by commands that know no service.

use super::{environment, open_failure};
use crate::demo::book_keeper::STATE_ROWS;
use crate::failure::{Failure, FailureKind};
use anyhow::anyhow;
use journal::store::Migration;
use journal::{OpenError, Place, Store, StoreConfig};

/// The tables of every service. The demonstration's books are the only one so far that has some; a store without state rows is
/// made with none of them.
pub(crate) const KNOWN_STATE_ROWS: &[Migration] = STATE_ROWS;

/// Opens a store, whichever service it belongs to. Where there is none, none is made.
///
/// # Errors
/// [`Failure`] if there is none, or it cannot be opened.
pub(crate) async fn open_any(place: Place) -> Result<Store, Failure> {
    if !Store::is_at(&place).await.map_err(environment)? {
        let error = anyhow!("there is no store in `{}`", place.short_name());
        return Err(Failure::new(FailureKind::Usage, error).with_hint("name the file or the schema of a store"));
    }
    let config = StoreConfig::at(place);
    match Store::open(&config).await {
        // It has state rows: the first try, without, has changed nothing.
        Err(OpenError::Newer { what: "state rows", .. }) => {
            let config = StoreConfig { state_rows: KNOWN_STATE_ROWS, ..config };
            Store::open(&config).await.map_err(open_failure)
        }
        other => other.map_err(open_failure),
    }
}
