//! Where a test stands: a new store of either kind, and a way to its rows past the backend.

use std::time::Duration;

use messages::Timestamp;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use crate::clock::{Clock, ManualClock};
use crate::entropy::Entropy;
use crate::store::postgres::PostgresBackend;
use crate::store::sqlite::SqliteBackend;
use crate::store::{Backend, Durability, GroupMark, Head, Migration, OpenError, Place, Rows, StateRows, StoreConfig};

/// A store that is not opened yet.
pub(super) struct Stand {
    pub(super) config: StoreConfig,
    /// Held for its files alone.
    _folder: Option<tempfile::TempDir>,
}

/// When a test begins.
pub(super) const BEGINNING: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

const STATE_ROWS: &[Migration] = &[
    Migration { version: 1, sql: "CREATE TABLE lanes (sender BYTEA NOT NULL PRIMARY KEY, nonce BIGINT NOT NULL)" },
    Migration { version: 2, sql: "ALTER TABLE lanes ADD COLUMN note TEXT; CREATE INDEX lanes_nonce ON lanes (nonce)" },
];

fn stand_at(place: Place, folder: Option<tempfile::TempDir>) -> Stand {
    let config = StoreConfig {
        clock: Clock::Manual(ManualClock::at(BEGINNING)),
        entropy: Entropy::System,
        durability: Durability::ProcessOnly,
        state_rows: &[StateRows { name: "state rows", migrations: STATE_ROWS }],
        ..StoreConfig::at(place)
    };
    Stand { config, _folder: folder }
}

pub(super) fn sqlite_stand() -> Stand {
    let folder = tempfile::tempdir().unwrap();
    stand_at(Place::Sqlite { path: folder.path().join("journal.db") }, Some(folder))
}

pub(super) fn postgres_stand() -> Stand {
    let url = test_servers::Postgres::shared().unwrap().database().unwrap();
    stand_at(Place::Postgres { url, schema: "stand".to_owned() }, None)
}

/// A stand on each kind of store.
pub(super) fn stands() -> [Stand; 2] {
    [sqlite_stand(), postgres_stand()]
}

impl Stand {
    /// Opens the store as the process with this number.
    pub(super) async fn open(&self, process: u8) -> Result<Backend, OpenError> {
        Ok(match &self.config.place {
            Place::Sqlite { path } => {
                Backend::Sqlite(Box::new(SqliteBackend::open(path, &self.config, [process; 16]).await?))
            }
            Place::Postgres { url, schema } => {
                Backend::Postgres(Box::new(PostgresBackend::open(url, schema, &self.config, [process; 16]).await?))
            }
        })
    }

    pub(super) async fn opened(&self) -> Backend {
        self.open(1).await.unwrap()
    }

    /// Runs SQL past the backend.
    pub(super) async fn run(&self, sql: &str) {
        match &self.config.place {
            Place::Sqlite { path } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut connection: SqliteConnection =
                    options.busy_timeout(Duration::from_secs(5)).connect().await.unwrap();
                let _ = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Place::Postgres { url, schema } => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let sql = format!("SET search_path = {schema}; {sql}");
                let _ = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Removes what was made.
    pub(super) async fn clear(self, backend: Backend) {
        backend.close().await;
        if let Place::Postgres { schema, .. } = &self.config.place {
            self.run(&format!("DROP SCHEMA {schema} CASCADE")).await;
        }
    }
}

/// What the group with this number of a process leaves of itself.
pub(super) const fn mark(number: u64) -> GroupMark {
    GroupMark { number, written: BEGINNING }
}

/// Commits rows as one group, after which this is the head.
pub(super) async fn commit(backend: &Backend, group_number: u64, rows: &Rows, head: &Head) {
    let mut group = backend.begin().await.unwrap();
    group.write(rows, head, mark(group_number)).await.unwrap();
    group.commit().await.unwrap();
}

/// A reader past the backend: the single number that a query gives.
pub(super) async fn number(backend: &Backend, sql: &'static str) -> i64 {
    backend.query(sql, &[]).await.unwrap()[0][0].integer().unwrap()
}
