//! Arguments of `lastro journal …`.

use crate::journal_command::Anchor;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What can be done with a journal.
#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Check that every event of a store or an export is as it was written, and name the first that is not
    Verify(JournalVerify),
    /// Write a store, or one tenant's part of it, into a file that verifies on its own
    Export(JournalExport),
    /// Make a store of the export of another, in an empty place
    Import(JournalImport),
    /// Put a consumer elsewhere whose log was replaced or rewound; without a choice, only say what each costs
    Rebind(JournalRebind),
}

/// A store or an export.
#[derive(Debug, Args)]
pub(crate) struct JournalSource {
    /// A store's file, the data directory that it lies in, `postgres://…`, or an export
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    /// The store's schema, for PostgreSQL
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}

/// Arguments of `lastro journal verify`.
#[derive(Debug, Args)]
pub(crate) struct JournalVerify {
    #[command(flatten)]
    pub(crate) source: JournalSource,
    /// A head that is known from elsewhere, `STORE:POSITION:HASH`: the log must hold it; may be repeated
    #[arg(long = "anchor", value_name = "HEAD")]
    pub(crate) anchors: Vec<Anchor>,
    /// Compare the state rows with the log too; the store must not be in use
    #[arg(long)]
    pub(crate) state: bool,
}

/// Arguments of `lastro journal export`.
#[derive(Debug, Args)]
pub(crate) struct JournalExport {
    #[command(flatten)]
    pub(crate) store: JournalSource,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Show only this tenant's events whole, and of the others place and hashes
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
}

/// Arguments of `lastro journal import`.
#[derive(Debug, Args)]
pub(crate) struct JournalImport {
    /// The export of a whole store
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Where the store is made: a file that is not there yet, or `postgres://…`
    #[arg(long, value_name = "STORE")]
    pub(crate) into: String,
    /// The new store's schema, for PostgreSQL
    #[arg(long, value_name = "NAME")]
    pub(crate) schema: Option<String>,
}

/// Arguments of `lastro journal rebind`.
#[derive(Debug, Args)]
pub(crate) struct JournalRebind {
    #[command(flatten)]
    pub(crate) store: JournalSource,
    /// The consumer
    #[arg(value_name = "CONSUMER")]
    pub(crate) consumer: String,
    /// The store that the consumer reads, if it is another than the one it writes to; with `--schema` in the same PostgreSQL
    #[arg(long, value_name = "SOURCE")]
    pub(crate) feed: Option<String>,
    /// Begin anew with the first event
    #[arg(long, group = "choice", requires = "reason")]
    pub(crate) to_start: bool,
    /// Go on after the event at this place
    #[arg(long, value_name = "N", group = "choice", requires = "reason")]
    pub(crate) to_position: Option<u64>,
    /// Go on at the same place, or at the end if the log ends before, and take the log as it is
    #[arg(long, group = "choice", requires = "reason")]
    pub(crate) accept_here: bool,
    /// Why; it is kept in the store with who did it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Who does it [default: the user of the operating system]
    #[arg(long, value_name = "NAME")]
    pub(crate) who: Option<String>,
}
