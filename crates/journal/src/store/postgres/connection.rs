//! How connections to the database are set up, and the statements that are written once on them.
//!
//! Every wait has an end: on the server for locks, statements and idle transactions, here for answers that never come.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Postgres};

use crate::store::Durability;
use crate::store::rows::{Connected, Probes};
use crate::unit::Parameter;

/// How long a group waits for the head or another lock before it is given up and tried again.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long a stopped process can hold the head: then the server ends its session, which rolls its group back.
const IDLE_IN_GROUP_MAX: Duration = Duration::from_secs(10);

/// How long one statement may run.
const STATEMENT_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long an answer is awaited: longer than the server works on it, so that this ends waits for a server that is gone alone.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(40);

/// How long connecting may take.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// How long a reader waits for a free connection.
pub(super) const READER_WAIT_MAX: Duration = Duration::from_secs(30);

/// A reader's connection that was idle for longer is asked whether it still lives before it is used.
const TRUSTED_IDLE_MAX: Duration = Duration::from_secs(1);

/// What the planner may do on our connections: probe by index. All our queries are such probes, and a plan that scans, made
/// while a table was small, would be kept while it grows. Compiling statements never pays for probes.
const PLANNER: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
];

/// Where the database is and how it is spoken to. It may hold a password, so it does not print its options.
pub(super) struct Target {
    writer: PgConnectOptions,
    reader: PgConnectOptions,
    name: String,
}

impl Target {
    pub(super) fn new(options: PgConnectOptions, schema: &str, durability: Durability) -> Self {
        let name = format!("{schema} in {} at {}", options.get_database().unwrap_or("postgres"), options.get_host());
        let millis = |wait: Duration| wait.as_millis().to_string();
        let both = options
            .application_name("lastro")
            .options([("search_path", schema)])
            .options(PLANNER.iter().copied())
            .options([
                ("lock_timeout", millis(LOCK_WAIT_MAX)),
                ("statement_timeout", millis(STATEMENT_WAIT_MAX)),
                ("idle_in_transaction_session_timeout", millis(IDLE_IN_GROUP_MAX)),
            ])
            .disable_statement_logging();
        let synchronous_commit = match durability {
            Durability::Full => "on",
            Durability::ProcessOnly => "off",
        };
        let writer = both.clone().options([("synchronous_commit", synchronous_commit)]);
        let reader = both.options([("default_transaction_read_only", "on")]);
        Self { writer, reader, name }
    }

    pub(super) const fn writer(&self) -> &PgConnectOptions {
        &self.writer
    }

    pub(super) fn reader(&self) -> PgConnectOptions {
        self.reader.clone()
    }

    /// Schema, database and host, without secrets.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The answer, or the error that none came in time. After that error the connection must not be used any more.
pub(super) async fn bounded<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    within(ANSWER_WAIT_MAX, answer).await
}

async fn within<T>(wait_max: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let in_time = tokio::time::timeout(wait_max, answer).await;
    in_time.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    within(CONNECT_WAIT_MAX, options.connect()).await
}

/// Whether a pooled connection may be used.
pub(super) async fn is_alive(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    if idle_for < TRUSTED_IDLE_MAX {
        return Ok(true);
    }
    Ok(within(CONNECT_WAIT_MAX, connection.ping()).await.is_ok())
}

/// A query with its parameters.
fn bound(sql: &'static str, parameters: Vec<Parameter>) -> Query<'static, Postgres, PgArguments> {
    parameters.into_iter().fold(sqlx::query(sql), |query, parameter| match parameter {
        Parameter::Integer(integer) => query.bind(integer),
        Parameter::Text(text) => query.bind(text),
        Parameter::Bytes(bytes) => query.bind(bytes),
    })
}

impl Connected for PgConnection {
    type Row = PgRow;

    const PROBES: Probes = Probes {
        streams: "SELECT newest.stream_hash, newest.stream_version, newest.position, newest.event_id, newest.metadata
            FROM unnest($1::bigint[]) AS wanted (hash) CROSS JOIN LATERAL
                (SELECT * FROM events WHERE stream_hash = wanted.hash ORDER BY stream_version DESC LIMIT 1) AS newest",
        keys: "SELECT tenant, client, key, fingerprint, command_id, state, location, answer, position, changed_us
            FROM command_keys WHERE key_hash = ANY ($1)",
        claims: "SELECT tenant, kind, value, stream FROM claims WHERE claim_hash = ANY ($1)",
        timers: "SELECT tenant, name, due_us FROM timers WHERE timer_hash = ANY ($1)",
        consumers: "SELECT consumer, store_id, position, event_hash FROM cursors WHERE consumer = ANY ($1)",
    };

    async fn fetch(&mut self, sql: &'static str, parameters: Vec<Parameter>) -> Result<Vec<PgRow>, sqlx::Error> {
        bounded(bound(sql, parameters).fetch_all(self)).await
    }

    async fn fetch_by_numbers(&mut self, sql: &'static str, numbers: Vec<i64>) -> Result<Vec<PgRow>, sqlx::Error> {
        bounded(sqlx::query(sql).bind(numbers).fetch_all(self)).await
    }

    async fn fetch_by_texts(&mut self, sql: &'static str, texts: Vec<&str>) -> Result<Vec<PgRow>, sqlx::Error> {
        bounded(sqlx::query(sql).bind(texts).fetch_all(self)).await
    }

    async fn execute(&mut self, sql: &'static str, parameters: Vec<Parameter>) -> Result<u64, sqlx::Error> {
        Ok(bounded(bound(sql, parameters).execute(self)).await?.rows_affected())
    }

    async fn run_script(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        bounded(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self)).await.map(|_| ())
    }
}
