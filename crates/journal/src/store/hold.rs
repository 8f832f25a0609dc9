//! Holding a store's appenders between two groups, in this process and in all others.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection};

use super::rows::{Connected as _, failed};
use super::{Group, Place, Store, StoreError};

/// How long the groups that are at work are awaited.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The hold. While it lives, nothing is appended; dropped, the database ends it with the connection or the next group.
#[derive(Debug)]
pub(crate) enum Hold {
    /// Of a store that is open here: a group that writes nothing.
    Group(Box<Group>),
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A way to hold a store, connected before any store is held.
pub(crate) enum Holder<'a> {
    Store(&'a Store),
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Holder<'_> {
    /// For a store that is perhaps open elsewhere.
    pub(crate) async fn connect(place: &Place) -> Result<Self, StoreError> {
        let failed = || failed("connect to the store");
        match place {
            Place::Sqlite { path } => {
                let options = SqliteConnectOptions::new().filename(path).busy_timeout(WAIT_MAX);
                let connection = options.disable_statement_logging().connect().await.map_err(failed())?;
                Ok(Self::Sqlite(connection))
            }
            Place::Postgres { url, schema } => {
                let options: PgConnectOptions = url.parse().map_err(failed())?;
                let options = options.application_name("lastro hold").disable_statement_logging().options([
                    ("search_path", schema.as_str()),
                    ("lock_timeout", "10s"),
                    // A process that is stopped while it holds the head does not hold it for long.
                    ("idle_in_transaction_session_timeout", "10s"),
                ]);
                Ok(Self::Postgres(options.connect().await.map_err(failed())?))
            }
        }
    }

    /// Waits for the group that is at work, and keeps the next from beginning.
    pub(crate) async fn hold(self) -> Result<Hold, StoreError> {
        let held = || failed("hold the appenders");
        match self {
            Self::Store(store) => Ok(Hold::Group(Box::new(store.begin_group().await?))),
            Self::Sqlite(mut connection) => {
                connection.run_script("BEGIN IMMEDIATE").await.map_err(held())?;
                Ok(Hold::Sqlite(connection))
            }
            Self::Postgres(mut connection) => {
                connection.run_script("BEGIN; SELECT position FROM head FOR UPDATE").await.map_err(held())?;
                Ok(Hold::Postgres(connection))
            }
        }
    }
}

impl Hold {
    /// Lets the appenders go on.
    pub(crate) async fn release(self) {
        // If the connection is gone, the database has released it.
        match self {
            Self::Group(group) => group.give_up().await,
            Self::Sqlite(mut connection) => drop(connection.run_script("ROLLBACK").await),
            Self::Postgres(mut connection) => drop(connection.run_script("ROLLBACK").await),
        }
    }
}
