//! Where stores are made for a run, and removed after it.

use super::{Options, StoreChoice};
use anyhow::{Context, Result};
use journal::{Place, StoreConfig};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    /// Set when the database has refused a checkpoint: its user is no superuser.
    is_checkpoint_refused: AtomicBool,
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
            all.push(TestPlace::of(Kind::Sqlite { folder }));
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
            all.push(TestPlace::of(Kind::Postgres { url }));
        }
        Ok(Self { folder, all, _server: server })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn all(&self) -> &[TestPlace] {
        &self.all
    }

    /// Removes what the run has made in a PostgreSQL. Files go with this.
    pub(crate) async fn remove(&self) -> Result<()> {
        for url in self.all.iter().filter_map(TestPlace::url) {
            let mut connection = PgConnection::connect(url).await.context("what the run has made is left behind")?;
            drop_schemas(&mut connection).await?;
        }
        Ok(())
    }
}

impl TestPlace {
    const fn of(kind: Kind) -> Self {
        Self { kind, made: AtomicU32::new(0), is_checkpoint_refused: AtomicBool::new(false) }
    }

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

    /// What is to be said of the figures of this place.
    pub(crate) fn remark(&self) -> Option<&'static str> {
        let is_refused = self.is_checkpoint_refused.load(Ordering::Relaxed);
        is_refused.then_some("without a checkpoint before each: only a superuser may make one")
    }

    /// How to connect to a PostgreSQL for tables that are no store's. They are in a schema of the run.
    pub(crate) async fn peers(&self) -> Result<PgConnectOptions> {
        let url = self.url().context("peers need a PostgreSQL")?;
        let mut connection = PgConnection::connect(url).await?;
        let schema = format!("{}peers", prefix());
        let _ = connection.execute(sqlx::AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS {schema}"))).await?;
        Ok(url.parse::<PgConnectOptions>()?.options([("search_path", schema)]))
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
                let mut connection = PgConnection::connect(url).await?;
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
                let mut connection = PgConnection::connect(url).await?;
                drop_schemas(&mut connection).await?;
                self.checkpoint(&mut connection).await?;
                Ok(StoreConfig::at(Place::Postgres { url: url.clone(), schema: format!("{}{number}", prefix()) }))
            }
        }
    }

    async fn checkpoint(&self, connection: &mut PgConnection) -> Result<()> {
        match connection.execute("CHECKPOINT").await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(INSUFFICIENT_PRIVILEGE) => {
                self.is_checkpoint_refused.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// PostgreSQL's code of what a user may not do.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// What a second store's schema is called more.
const READER: &str = "_reader";

/// What the schemas of this run begin with: stores, their views, and peers. The process is in it, so that two runs do not meet.
fn prefix() -> String {
    format!("lastro_bench_{}_", std::process::id())
}

async fn drop_schemas(connection: &mut PgConnection) -> Result<()> {
    let names = "SELECT CAST(nspname AS TEXT) FROM pg_catalog.pg_namespace WHERE starts_with(nspname, $1)";
    let names: Vec<String> = sqlx::query_scalar(names).bind(prefix()).fetch_all(&mut *connection).await?;
    for name in names {
        let _ = connection.execute(sqlx::AssertSqlSafe(format!("DROP SCHEMA {name} CASCADE"))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use journal::Store;

    /// The address for a user who may make schemas and nothing else, and the one for a superuser.
    async fn for_two_users() -> (String, String) {
        let url = Postgres::shared().unwrap().database().unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let database = url.rsplit('/').next().unwrap();
        let make = format!("CREATE ROLE plain LOGIN; GRANT CREATE ON DATABASE \"{database}\" TO plain");
        let _ = sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&mut connection).await.unwrap();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, host) = rest.split_once('@').unwrap();
        (format!("{scheme}://plain@{host}"), url)
    }

    #[tokio::test]
    async fn a_run_on_a_named_server_needs_no_superuser_and_leaves_nothing() {
        let (of_plain, of_superuser) = for_two_users().await;
        let options = Options {
            store: StoreChoice::Postgres,
            postgres: Some(of_plain),
            seconds: 1,
            grow_to: None,
            data_in: None,
            worker: None,
        };
        let places = Places::prepare(&options).unwrap();
        let place = &places.all()[0];
        for _ in 0..2 {
            let config = place.fresh().await.unwrap();
            Store::open(&config).await.unwrap().close().await;
            Store::open(&TestPlace::beside(&config)).await.unwrap().close().await;
            let mut connection = PgConnection::connect_with(&place.peers().await.unwrap()).await.unwrap();
            let _ = connection.execute("CREATE TABLE peer (n BIGINT)").await.unwrap();
            let Place::Postgres { schema, .. } = &config.place else { panic!("{config:?}") };
            let view = format!("CREATE SCHEMA {schema}_view_totals_1");
            let _ = connection.execute(sqlx::AssertSqlSafe(view)).await.unwrap();
        }
        assert!(place.remark().is_some());
        places.remove().await.unwrap();
        let mut connection = PgConnection::connect(&of_superuser).await.unwrap();
        let left = "SELECT COUNT(*) FROM pg_catalog.pg_namespace WHERE starts_with(nspname, 'lastro_bench_')";
        let left: i64 = sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap();
        assert_eq!(left, 0);
    }
}
