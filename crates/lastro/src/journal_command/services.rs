//! Which services have state rows, so that their stores can be opened and made by commands that know no service.

use super::{environment, keep_failure, open_failure};
use crate::demo::book_keeper::{self, BookKeeper};
use crate::failure::{Failure, FailureKind};
use anyhow::anyhow;
use journal::store::StateRows;
use journal::{Place, Store, StoreConfig};

/// The tables of every service that has some. A store says itself whose it is.
pub(crate) const KNOWN_STATE_ROWS: &[StateRows] = &[book_keeper::STATE_ROWS, chain::STATE_ROWS];

/// Opens a store, whichever service it belongs to. Where there is none, none is made.
///
/// # Errors
/// [`Failure`] if there is none, or it cannot be opened.
pub(crate) async fn open_any(place: Place) -> Result<Store, Failure> {
    if !Store::is_at(&place).await.map_err(environment)? {
        let error = anyhow!("there is no store in `{}`", place.short_name());
        return Err(Failure::new(FailureKind::Usage, error).with_hint("name the file or the schema of a store"));
    }
    let config = StoreConfig { state_rows: KNOWN_STATE_ROWS, ..StoreConfig::at(place) };
    Store::open(&config).await.map_err(open_failure)
}

/// Compares the state rows of the service called `name` with its log, and gives what differs in words.
///
/// # Errors
/// [`Failure`] if the store cannot be read, holds what nobody decided, or is of a service that is not known here.
pub(super) async fn state_differences(place: &Place, name: &str) -> Result<Vec<String>, Failure> {
    if name == book_keeper::STATE_ROWS.name {
        let keeper = BookKeeper::open_at(place.clone()).await.map_err(keep_failure)?;
        let differences = keeper.state_differences().await.map_err(keep_failure);
        keeper.close().await;
        return Ok(differences?.iter().map(ToString::to_string).collect());
    }
    if name == chain::STATE_ROWS.name {
        let store = open_any(place.clone()).await?;
        let differences = chain::state_differences(&store).await.map_err(environment);
        store.close().await;
        return differences;
    }
    let error = anyhow!("the state rows `{name}` are of a service that is not known here");
    Err(Failure::new(FailureKind::Usage, error).with_hint("use the release that wrote them"))
}
