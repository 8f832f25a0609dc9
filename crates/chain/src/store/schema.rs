//! The tables, their migrations, and what the store belongs to.

use std::path::Path;

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{Identity, StoreOpenError};

/// Each entry brings the schema from its index to the next number. Entries are never changed, only added.
const MIGRATIONS: &[&[&str]] = &[FIRST, SENT_AGAIN];

const FIRST: &[&str] = &[
    // What the store belongs to.
    "CREATE TABLE ledger (chain_id TEXT NOT NULL, genesis TEXT NOT NULL)",
    // `next_nonce` is the next to be given; `fence` counts how often the lane was taken.
    "CREATE TABLE lanes (sender BLOB NOT NULL PRIMARY KEY, next_nonce BIGINT NOT NULL, fence BIGINT NOT NULL)",
    // An attempt at an intent: the signed bytes, and how it ended. A key has a further attempt only after a refusal.
    // `state` is sent, cancelling, mined or refused; `filler_*` is the empty transaction that is to use the nonce instead.
    "CREATE TABLE intents (
        key TEXT NOT NULL, attempt BIGINT NOT NULL, fingerprint BLOB NOT NULL, subject TEXT NOT NULL,
        sender BLOB NOT NULL, nonce BIGINT NOT NULL, hash BLOB NOT NULL, raw BLOB NOT NULL, created_address BLOB,
        state TEXT NOT NULL, reason TEXT, filler_hash BLOB, filler_raw BLOB,
        block_number BIGINT, block_hash BLOB, transaction_index BIGINT, gas_used BIGINT,
        is_success BIGINT, revert_data BLOB, logs TEXT,
        PRIMARY KEY (key, attempt))",
    // A nonce belongs to one intent, unless that was refused.
    "CREATE UNIQUE INDEX intents_nonce ON intents (sender, nonce) WHERE state <> 'refused'",
    "CREATE INDEX intents_open ON intents (sender, nonce) WHERE state IN ('sent', 'cancelling')",
];

/// 1 from before anything but an attempt's first delivery sends its bytes: its nonce is then never given back.
const SENT_AGAIN: &[&str] = &["ALTER TABLE intents ADD COLUMN is_sent_again BIGINT NOT NULL DEFAULT 0"];

/// Brings the schema up to date, all of it or nothing.
pub(super) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreOpenError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few migrations");
    let found = apply(connection, known).await.map_err(|source| sql("bring up to date the schema of", path, source))?;
    if found > known { Err(StoreOpenError::Newer { path: path.to_owned(), found, known }) } else { Ok(()) }
}

/// Applies what is missing and gives the schema that was found.
async fn apply(connection: &mut SqliteConnection, known: i64) -> Result<i64, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let _ = sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let row = sqlx::query("SELECT version FROM schema_version").fetch_optional(&mut *transaction).await?;
    let found: i64 = row.as_ref().map_or(Ok(0), |row| row.try_get(0))?;
    let applied = usize::try_from(found).unwrap_or(usize::MAX).min(MIGRATIONS.len());
    for statement in MIGRATIONS[applied..].iter().copied().flatten() {
        let _ = sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    if found < known {
        let _ = sqlx::query("DELETE FROM schema_version").execute(&mut *transaction).await?;
        let insert = sqlx::query("INSERT INTO schema_version (version) VALUES ($1)").bind(known);
        let _ = insert.execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(found)
}

/// Writes what the store belongs to, or compares.
pub(super) async fn check_identity(
    connection: &mut SqliteConnection,
    path: &Path,
    identity: Identity,
) -> Result<(), StoreOpenError> {
    let failed = |source| sql("read or write what it belongs to in", path, source);
    let found = sqlx::query_as::<_, (String, String)>("SELECT chain_id, genesis FROM ledger");
    let found = found.fetch_optional(&mut *connection).await.map_err(failed)?;
    let ours = (identity.chain_id.to_string(), identity.genesis.to_string());
    match found {
        Some(stored) if stored == ours => Ok(()),
        Some((stored_chain_id, stored_genesis)) => Err(StoreOpenError::OfOtherLedger {
            path: path.to_owned(),
            stored_chain_id,
            stored_genesis,
            chain_id: identity.chain_id,
            genesis: identity.genesis,
        }),
        None => {
            let insert =
                sqlx::query("INSERT INTO ledger (chain_id, genesis) VALUES ($1, $2)").bind(ours.0).bind(ours.1);
            insert.execute(connection).await.map(|_| ()).map_err(failed)
        }
    }
}

fn sql(doing: &'static str, path: &Path, source: sqlx::Error) -> StoreOpenError {
    StoreOpenError::Sql { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_of_the_first_release_is_brought_up_to_date_once() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let mut statements = vec!["CREATE TABLE schema_version (version BIGINT NOT NULL)"];
        statements.extend(FIRST);
        statements.push("INSERT INTO schema_version (version) VALUES (1)");
        statements.push(
            "INSERT INTO intents (key, attempt, fingerprint, subject, sender, nonce, hash, raw, state)
             VALUES ('k', 1, x'00', '', x'00', 0, x'00', x'00', 'sent')",
        );
        for statement in statements {
            let _ = sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        for _ in 0..2 {
            migrate(&mut connection, Path::new("store")).await.unwrap();
            let row = sqlx::query("SELECT version, is_sent_again FROM schema_version, intents");
            let row = row.fetch_one(&mut connection).await.unwrap();
            assert_eq!((row.get::<i64, _>(0), row.get::<i64, _>(1)), (2, 0));
        }
    }
}
