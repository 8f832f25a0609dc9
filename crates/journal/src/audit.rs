//! The audit: exports that verify on their own, verification of exports and stores, and heads to be anchored.
//!
//! An export is one portable file: all events of a store, or one tenant's with place and hashes of the others', and behind them
//! whatever tables a logical backup needs. Personal data is not in it but sealed: the keys are kept elsewhere (see
//! [`crate::personal`]). `docs/journal-format.md` has the form to the byte, and a verifier of some hundred and twenty lines that
//! shares no code with this one.
//!
//! A hash chain that agrees with itself can have been written yesterday by whoever owns the store. What shows that it was not is
//! a [`Head`] kept out of the owner's reach: give those to [`verify`] as anchors.

mod export;
mod head;
mod joined;
mod reader;
pub(crate) mod records;
mod report;
mod state_rows;
mod store_export;
mod stored;
mod stretch;
mod verified;
mod verify_export;
mod verify_store;
mod writer;

use std::path::PathBuf;

pub use self::export::{COLUMNS_MAX, Cell, ExportHead, NAME_BYTES_MAX, Scope, Table, Trailer};
pub(crate) use self::export::{decode_row, encode_row};
pub use self::head::Head;
pub use self::reader::{ExportReader, ExportRecord};
pub use self::records::{RECORD_BYTES_MAX, ReadFileError, WriteFileError};
pub use self::report::{OnProgress, Progress, Report, VerifyError, VerifyOptions, Wrong};
pub use self::state_rows::state_rows_of;
pub(crate) use self::store_export::export_snapshot;
pub use self::store_export::{export, export_place};
pub(crate) use self::verified::{Verified, VerifiedPage, head_of, read_verified};
pub use self::verify_export::verify_export;
pub use self::writer::{ExportError, ExportWriter};
use crate::store::Place;

/// What is verified.
#[derive(Debug, Clone)]
pub enum Source {
    /// An export, which needs nothing but its file.
    Export(PathBuf),
    /// A store, which may be open in a process that is at work. It is read by connections that read only, and not through the
    /// code that usually reads it, so that it is seen as it is.
    Store(Place),
}

/// Verifies an export or a store. The first wrong event is named.
///
/// # Errors
///
/// See [`VerifyError`].
///
/// # Cancel safety
///
/// Nothing is written. A store's audit ends when it is dropped; an export's goes on in the background until its callback breaks
/// it off or it is done.
pub async fn verify(source: Source, options: VerifyOptions) -> Result<Report, VerifyError> {
    match source {
        Source::Export(path) => {
            let verifying = tokio::task::spawn_blocking(move || verify_export(&path, options));
            match verifying.await {
                Ok(result) => result,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Source::Store(place) => verify_store::verify_store(&place, options).await,
    }
}
