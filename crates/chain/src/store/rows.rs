//! The statements, and the rows as values.

use alloy_primitives::{Address, B256, Bytes, Log};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};

use super::Admission;
use crate::intent::IntentKey;
use crate::outcome::{Execution, Mined, Outcome, Refusal};

/// A lane as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneRow {
    /// The next nonce to be given.
    pub(crate) next_nonce: u64,
    /// The token of the present holder.
    pub(crate) fence: u64,
}

/// A signed transaction that is to be stored before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct NewTransaction {
    pub(crate) key: IntentKey,
    pub(crate) fingerprint: B256,
    pub(crate) subject: String,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) fence: u64,
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
    pub(crate) created_address: Option<Address>,
}

/// The empty transaction that is to use an intent's nonce instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filler {
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
}

/// The newest attempt at an intent.
#[derive(Debug, Clone)]
pub(crate) struct StoredIntent {
    pub(crate) key: IntentKey,
    pub(crate) attempt: i64,
    pub(crate) fingerprint: B256,
    pub(crate) subject: String,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
    pub(crate) created_address: Option<Address>,
    /// Why the intent is to be refused, while its filler is under way.
    pub(crate) cancelling: Option<(String, Filler)>,
    /// How it ended.
    pub(crate) outcome: Option<Outcome>,
}

pub(super) async fn open_lane(
    connection: &mut SqliteConnection,
    sender: Address,
    nonce_min: u64,
) -> Result<LaneRow, sqlx::Error> {
    let row = sqlx::query(
        "INSERT INTO lanes (sender, next_nonce, fence) VALUES ($1, $2, 1)
         ON CONFLICT (sender) DO UPDATE SET fence = lanes.fence + 1,
            next_nonce = CASE WHEN lanes.next_nonce < excluded.next_nonce THEN excluded.next_nonce ELSE lanes.next_nonce END
         RETURNING next_nonce, fence",
    )
    .bind(sender.as_slice())
    .bind(signed(nonce_min)?)
    .fetch_one(connection)
    .await?;
    Ok(LaneRow { next_nonce: unsigned(row.try_get(0)?)?, fence: unsigned(row.try_get(1)?)? })
}

pub(super) async fn admit(connection: &mut SqliteConnection, new: &NewTransaction) -> Result<Admission, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE lanes SET next_nonce = $2 WHERE sender = $1 AND next_nonce = $3 AND fence = $4
         AND NOT EXISTS (SELECT 1 FROM intents WHERE key = $5 AND state <> 'refused')",
    )
    .bind(new.sender.as_slice())
    .bind(signed(new.nonce)? + 1)
    .bind(signed(new.nonce)?)
    .bind(signed(new.fence)?)
    .bind(new.key.as_str())
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() == 0 {
        let is_taken = intent(connection, &new.key).await?.is_some_and(|stored| !stored.is_refused());
        return Ok(if is_taken { Admission::KeyTaken } else { Admission::LaneMoved });
    }
    let row = sqlx::query(
        "INSERT INTO intents (key, attempt, fingerprint, subject, sender, nonce, hash, raw, created_address, state)
         VALUES ($1, (SELECT COALESCE(MAX(attempt), 0) + 1 FROM intents WHERE key = $1), $2, $3, $4, $5, $6, $7, $8, 'sent')
         RETURNING attempt",
    )
    .bind(new.key.as_str())
    .bind(new.fingerprint.as_slice())
    .bind(&new.subject)
    .bind(new.sender.as_slice())
    .bind(signed(new.nonce)?)
    .bind(new.hash.as_slice())
    .bind(new.raw.as_ref())
    .bind(new.created_address.as_ref().map(|address| address.as_slice()))
    .fetch_one(connection)
    .await?;
    Ok(Admission::Stored { attempt: row.try_get(0)? })
}

pub(super) async fn give_back(
    connection: &mut SqliteConnection,
    intent: &StoredIntent,
    fence: u64,
    reason: &str,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query(
        "UPDATE lanes SET next_nonce = $2 WHERE sender = $1 AND next_nonce = $3 AND fence = $4
         AND EXISTS (SELECT 1 FROM intents WHERE key = $5 AND attempt = $6 AND state = 'sent' AND is_sent_again = 0)",
    )
    .bind(intent.sender.as_slice())
    .bind(signed(intent.nonce)?)
    .bind(signed(intent.nonce)? + 1)
    .bind(signed(fence)?)
    .bind(intent.key.as_str())
    .bind(intent.attempt)
    .execute(&mut *connection)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    settle(connection, intent, &Outcome::Refused(Refusal { reason: reason.to_owned() })).await?;
    Ok(true)
}

pub(super) async fn send_again(
    connection: &mut SqliteConnection,
    intent: &StoredIntent,
) -> Result<StoredIntent, sqlx::Error> {
    let _ = sqlx::query(
        "UPDATE intents SET is_sent_again = 1 WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
    )
    .bind(intent.key.as_str())
    .bind(intent.attempt)
    .execute(&mut *connection)
    .await?;
    let row = sqlx::query("SELECT * FROM intents WHERE key = $1 AND attempt = $2")
        .bind(intent.key.as_str())
        .bind(intent.attempt)
        .fetch_one(connection)
        .await?;
    StoredIntent::read(&row)
}

pub(super) async fn send_lower_again(
    connection: &mut SqliteConnection,
    sender: Address,
    nonce: u64,
) -> Result<Vec<StoredIntent>, sqlx::Error> {
    let rows = sqlx::query(
        "UPDATE intents SET is_sent_again = 1 WHERE sender = $1 AND nonce < $2 AND state IN ('sent', 'cancelling')
         RETURNING *",
    )
    .bind(sender.as_slice())
    .bind(signed(nonce)?)
    .fetch_all(connection)
    .await?;
    let mut lower = rows.iter().map(StoredIntent::read).collect::<Result<Vec<_>, _>>()?;
    lower.sort_by_key(|intent| intent.nonce);
    Ok(lower)
}

pub(super) async fn cancel(
    connection: &mut SqliteConnection,
    intent: &StoredIntent,
    filler: &Filler,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let _ = sqlx::query(
        "UPDATE intents SET state = 'cancelling', reason = $3, filler_hash = $4, filler_raw = $5
         WHERE key = $1 AND attempt = $2 AND state = 'sent'",
    )
    .bind(intent.key.as_str())
    .bind(intent.attempt)
    .bind(reason)
    .bind(filler.hash.as_slice())
    .bind(filler.raw.as_ref())
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn settle(
    connection: &mut SqliteConnection,
    intent: &StoredIntent,
    outcome: &Outcome,
) -> Result<(), sqlx::Error> {
    // An end is written once: whoever comes second brings the same from the same receipt.
    let update = match outcome {
        Outcome::Refused(refusal) => sqlx::query(
            "UPDATE intents SET state = 'refused', reason = $3
             WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
        )
        .bind(intent.key.as_str())
        .bind(intent.attempt)
        .bind(&refusal.reason),
        Outcome::Mined(mined) => sqlx::query(
            "UPDATE intents SET state = 'mined', block_number = $3, block_hash = $4, transaction_index = $5, gas_used = $6,
                is_success = $7, revert_data = $8, logs = $9
             WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
        )
        .bind(intent.key.as_str())
        .bind(intent.attempt)
        .bind(signed(mined.block_number)?)
        .bind(mined.block_hash.to_vec())
        .bind(signed(mined.transaction_index)?)
        .bind(signed(mined.gas_used)?)
        .bind(i64::from(mined.execution.is_success()))
        .bind(mined.execution.revert_data().map(|data| data.to_vec()))
        .bind(serde_json::to_string(&mined.logs).map_err(encode)?),
    };
    update.execute(connection).await.map(|_| ())
}

pub(super) async fn intent(
    connection: &mut SqliteConnection,
    key: &IntentKey,
) -> Result<Option<StoredIntent>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM intents WHERE key = $1 ORDER BY attempt DESC LIMIT 1")
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(StoredIntent::read).transpose()
}

pub(super) async fn open_intents(connection: &mut SqliteConnection) -> Result<Vec<StoredIntent>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM intents WHERE state IN ('sent', 'cancelling') ORDER BY sender, nonce")
        .fetch_all(connection)
        .await?;
    rows.iter().map(StoredIntent::read).collect()
}

pub(super) async fn last_mined(connection: &mut SqliteConnection) -> Result<Vec<(Address, u64)>, sqlx::Error> {
    let rows = sqlx::query("SELECT sender, MAX(nonce) FROM intents WHERE state = 'mined' GROUP BY sender")
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((address(row.try_get(0)?)?, unsigned(row.try_get(1)?)?))).collect()
}

impl StoredIntent {
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Refused(_)))
    }

    fn read(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        let state: String = row.try_get("state")?;
        let reason: Option<String> = row.try_get("reason")?;
        let reason = reason.unwrap_or_default();
        let (cancelling, outcome) = match state.as_str() {
            "sent" => (None, None),
            "cancelling" => {
                let (hash, raw) = (word(row.try_get("filler_hash")?)?, row.try_get::<Vec<u8>, _>("filler_raw")?.into());
                (Some((reason, Filler { hash, raw })), None)
            }
            "mined" => (None, Some(Outcome::Mined(read_mined(row)?))),
            "refused" => (None, Some(Outcome::Refused(Refusal { reason }))),
            other => return Err(encode(format!("intent in state `{other}`"))),
        };
        Ok(Self {
            key: IntentKey::stored(row.try_get("key")?),
            attempt: row.try_get("attempt")?,
            fingerprint: word(row.try_get("fingerprint")?)?,
            subject: row.try_get("subject")?,
            sender: address(row.try_get("sender")?)?,
            nonce: unsigned(row.try_get("nonce")?)?,
            hash: word(row.try_get("hash")?)?,
            raw: row.try_get::<Vec<u8>, _>("raw")?.into(),
            created_address: row.try_get::<Option<&[u8]>, _>("created_address")?.map(address).transpose()?,
            cancelling,
            outcome,
        })
    }
}

fn read_mined(row: &SqliteRow) -> Result<Mined, sqlx::Error> {
    let is_success = row.try_get::<i64, _>("is_success")? == 1;
    let revert_data: Option<Vec<u8>> = row.try_get("revert_data")?;
    let logs: Vec<Log> = serde_json::from_str(row.try_get("logs")?).map_err(encode)?;
    let created_address = row.try_get::<Option<&[u8]>, _>("created_address")?.filter(|_| is_success);
    let execution =
        if is_success { Execution::Succeeded } else { Execution::Reverted { data: revert_data.map(Bytes::from) } };
    Ok(Mined {
        hash: word(row.try_get("hash")?)?,
        block_number: unsigned(row.try_get("block_number")?)?,
        block_hash: word(row.try_get("block_hash")?)?,
        transaction_index: unsigned(row.try_get("transaction_index")?)?,
        gas_used: unsigned(row.try_get("gas_used")?)?,
        created_address: created_address.map(address).transpose()?,
        execution,
        logs,
    })
}

/// A number for a BIGINT column.
fn signed(number: u64) -> Result<i64, sqlx::Error> {
    i64::try_from(number).map_err(encode)
}

fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(encode)
}

fn word(bytes: &[u8]) -> Result<B256, sqlx::Error> {
    B256::try_from(bytes).map_err(encode)
}

fn address(bytes: &[u8]) -> Result<Address, sqlx::Error> {
    Address::try_from(bytes).map_err(encode)
}

/// A value that does not fit its column, or a column that holds what we never wrote.
fn encode(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}
