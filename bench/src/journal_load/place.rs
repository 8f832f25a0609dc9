//! Where stores are made for a run, and removed after it.

use super::{Options, StoreChoice};
use anyhow::{Context, Result};
use journal::{Place, StoreConfig};
use sqlx::{Connection as _, Executor as _, Row as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use test_servers::Postgres;

/// The places of a run. What was made goes with it.
pub(crate) struct Places {
    folder: tempfile::TempDir,
    all: Vec<TestPlace>,
    /// Runs as long as this.
    _server: Option<Postgres>,
}

/// A place for fresh stores, one after another.
pub(crate) struct TestPlace {
    kind: Kind,
    made: AtomicU32,
}

enum Kind {
    Sqlite { folder: std::path::PathBuf },
    Postgres { url: String },
}

impl Places {
    /// Makes a folder, and starts a PostgreSQL if one is needed and none is named.
    pub(crate) fn prepare(options: &Options) -> Result<Self> {
        let data_in = options.data_in.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new().prefix("lastro-bench-journal-").tempdir_in(&data_in);
        let folder = folder.with_context(|| format!("no directory can be made in `{}`", data_in.display()))?;
        let mut all = Vec::new();
        if options.store != StoreChoice::Postgres {
            let folder = folder.path().to_owned();
            all.push(TestPlace { kind: Kind::Sqlite { folder }, made: AtomicU32::new(0) });
        }
        let mut server = None;
        if options.store != StoreChoice::Sqlite {
            let url = match &options.postgres {
                Some(url) => url.clone(),
                None => {
                    let started =
                        Postgres::start().context("no PostgreSQL could be started; name one by `--postgres`")?;
                    let url = started.url();
                    server = Some(started);
                    url
                }
            };
            all.push(TestPlace { kind: Kind::Postgres { url }, made: AtomicU32::new(0) });
        }
        Ok(Self { folder, all, _server: server })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn all(&self) -> &[TestPlace] {
        &self.all
    }
}

impl TestPlace {
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres { .. })
    }

    /// The URL of a PostgreSQL.
    pub(crate) fn url(&self) -> Option<&str> {
        match &self.kind {
            Kind::Sqlite { .. } => None,
            Kind::Postgres { url } => Some(url),
        }
    }

    /// The folder of SQLite's files.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match &self.kind {
            Kind::Sqlite { folder } => Some(folder),
            Kind::Postgres { .. } => None,
        }
    }

    /// Name and version of the database.
    pub(crate) async fn name(&self) -> Result<String> {
        match &self.kind {
            Kind::Sqlite { .. } => {
                let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await?;
                let row = connection.fetch_one("SELECT sqlite_version()").await?;
                Ok(format!("SQLite {}", row.get::<String, _>(0)))
            }
            Kind::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await?;
                let row = connection.fetch_one("SHOW server_version").await?;
                Ok(format!("PostgreSQL {}", row.get::<String, _>(0)))
            }
        }
    }

    /// The place of a second store beside a fresh one: in the same folder or database.
    pub(crate) fn beside(fresh: &StoreConfig) -> StoreConfig {
        StoreConfig::at(match &fresh.place {
            Place::Sqlite { path } => Place::Sqlite { path: path.with_extension("reader.db") },
            Place::Postgres { url, schema } => {
                Place::Postgres { url: url.clone(), schema: format!("{schema}{READER}") }
            }
        })
    }

    /// A store that does not exist yet. Those before it are removed, so that each measurement begins on an empty one.
    pub(crate) async fn fresh(&self) -> Result<StoreConfig> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        match &self.kind {
            Kind::Sqlite { folder } => {
                // Views have a folder of their own.
                for entry in std::fs::read_dir(folder)? {
                    let entry = entry?;
                    let is_folder = entry.file_type()?.is_dir();
                    if is_folder { std::fs::remove_dir_all(entry.path())? } else { std::fs::remove_file(entry.path())? }
                }
                Ok(StoreConfig::at(Place::Sqlite { path: folder.join(format!("bench-{number}.db")) }))
            }
            Kind::Postgres { url } => {
                let mut connection = sqlx::PgConnection::connect(url).await?;
                if let Some(before) = number.checked_sub(1) {
                    for more in ["", READER] {
                        let drop_before = format!("DROP SCHEMA IF EXISTS {}{more} CASCADE", schema(before));
                        let _ = connection.execute(sqlx::AssertSqlSafe(drop_before)).await?;
                    }
                }
                let _ = connection.execute(sqlx::AssertSqlSafe("CHECKPOINT".to_owned())).await?;
                Ok(StoreConfig::at(Place::Postgres { url: url.clone(), schema: schema(number) }))
            }
        }
    }
}

/// What a second store's schema is called more.
const READER: &str = "_reader";

/// The schema of the store with this number, named after the process so that two runs do not meet.
fn schema(number: u32) -> String {
    format!("lastro_bench_{}_{number}", std::process::id())
}
