//! The tables of person keys and their migrations.

use sqlx::AssertSqlSafe;

use super::database::{Database, Transaction, failed};
use super::errors::OpenKeysError;
use crate::store::Place;
use crate::unit::Parameter;

/// Each entry brings the tables from its index to the next version. Entries are never changed, only added.
const MIGRATIONS: &[&[&str]] = &[FIRST];

const FIRST: &[&str] = &[
    // Which master keys there were. State 0: in use; 1: coming, a rotation to it has begun; 2: retired.
    "CREATE TABLE master_keys (master_id BYTEA NOT NULL PRIMARY KEY, state BIGINT NOT NULL, changed_us BIGINT NOT NULL)",
    // One row per person. Of an erased person `wrapped` is zeros.
    "CREATE TABLE person_keys (person BYTEA NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, master_id BYTEA NOT NULL,
        wrapped BYTEA NOT NULL, created_us BIGINT NOT NULL, is_erased BIGINT NOT NULL)",
    "CREATE INDEX person_keys_living ON person_keys (master_id, person) WHERE is_erased = 0",
    // The register of erasures: rows are only ever added, and each hash covers those before.
    "CREATE TABLE erasures (number BIGINT NOT NULL PRIMARY KEY, person BYTEA NOT NULL, tenant TEXT NOT NULL,
        erased_us BIGINT NOT NULL, legal_basis TEXT NOT NULL, reference TEXT NOT NULL, requested_by TEXT NOT NULL,
        hash BYTEA NOT NULL)",
    "CREATE INDEX erasures_person ON erasures (person)",
    // One row: the end of the register. Whoever adds to it changes this first, and so waits for others.
    "CREATE TABLE register_head (one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1), number BIGINT NOT NULL)",
    "INSERT INTO register_head (one, number) VALUES (1, 0)",
];

/// The lock that keeps two processes from migrating one PostgreSQL schema at once; the number is the project's own.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7812739450123)";

/// Brings the tables up to date, all of it or nothing.
pub(super) async fn migrate(database: &Database, place: &Place) -> Result<(), OpenKeysError> {
    let mut transaction = database.begin().await?;
    if let (Transaction::Postgres(inner), Place::Postgres { schema, .. }) = (&mut transaction, place) {
        let _ = sqlx::query(MIGRATION_LOCK).execute(&mut **inner).await.map_err(failed("lock"))?;
        // The name was checked to be letters, digits and `_`.
        let make = AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\""));
        let _ = sqlx::query(make).execute(&mut **inner).await.map_err(failed("make the schema of"))?;
    }
    let make = "CREATE TABLE IF NOT EXISTS schema_versions (what TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL)";
    let _ = transaction.execute(make, vec![]).await?;
    let rows = transaction.fetch("SELECT version FROM schema_versions WHERE what = 'person keys'", vec![]).await?;
    let found = rows.first().map_or(Ok(0), |row| row.integer(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenKeysError::Newer { found, known });
    }
    let missing = MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0));
    for statement in missing.copied().flatten() {
        let _ = transaction.execute(statement, vec![]).await?;
    }
    let write = "INSERT INTO schema_versions (what, version) VALUES ('person keys', $1)
        ON CONFLICT (what) DO UPDATE SET version = excluded.version";
    let _ = transaction.execute(write, vec![Parameter::Integer(known)]).await?;
    Ok(transaction.commit().await?)
}

/// Refuses what is no plain name of a schema.
pub(super) fn check_place(place: &Place) -> Result<(), OpenKeysError> {
    let Place::Postgres { schema, .. } = place else { return Ok(()) };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = schema.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && schema.len() <= 40 && schema.chars().all(is_plain) {
        return Ok(());
    }
    Err(OpenKeysError::SchemaName { schema: schema.clone() })
}
