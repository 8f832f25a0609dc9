//! Arguments of `lastro backup` and `lastro restore`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `lastro backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backup {
    #[command(subcommand)]
    pub(crate) command: Option<BackupCommand>,
    /// The folder to write; it must not be there, or be empty
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: Option<PathBuf>,
    /// Stores: files, data directories, or `postgres://…` with `--schema`; `NAME=SOURCE` gives one another name
    #[arg(value_name = "SOURCE", required = true)]
    pub(crate) sources: Vec<String>,
    /// A store's schema in PostgreSQL; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    pub(crate) schemas: Vec<String>,
    #[command(flatten)]
    pub(crate) persons: PersonsArguments,
}

/// What can be done with a backup.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Restore a backup into a temporary place, verify it, and compare it with the manifest
    Drill(BackupDrill),
}

/// Arguments of `lastro backup drill`.
#[derive(Debug, Args)]
pub(crate) struct BackupDrill {
    /// The backup's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// The file of the master key that wraps the keys of persons: each of them is unwrapped
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key: Option<PathBuf>,
}

/// Arguments of `lastro restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// A directory, in which each store becomes the file `NAME.db`, or `postgres://…`, where it becomes the schema `NAME`
    #[arg(long, value_name = "PLACE", required_unless_present = "persons_only")]
    pub(crate) into: Option<String>,
    #[command(flatten)]
    pub(crate) persons: PersonsArguments,
    /// Restore the keys of persons and no store
    #[arg(long, requires = "persons", conflicts_with = "into")]
    pub(crate) persons_only: bool,
}

/// Where the keys of persons are.
#[derive(Debug, Args)]
pub(crate) struct PersonsArguments {
    /// The keys of persons: their file, or `postgres://…` with `--persons-schema`
    #[arg(long, value_name = "PLACE", requires = "master_key")]
    pub(crate) persons: Option<String>,
    /// The schema of the keys of persons, for PostgreSQL
    #[arg(long, value_name = "NAME", requires = "persons")]
    pub(crate) persons_schema: Option<String>,
    /// The file of the master key that wraps them
    #[arg(long, value_name = "FILE", requires = "persons")]
    pub(crate) master_key: Option<PathBuf>,
}
