//! The statements, and the rows as values.

use alloy_primitives::{Address, B256, Bytes, Log};
use custody::policy::{Approval, Spent};
use journal::{Parameter, Statement, Value};
use messages::Timestamp;

use super::{Origin, RequestedBy, StoreError};
use crate::intent::IntentKey;
use crate::outcome::{Execution, Mined, Outcome, Refusal};
use crate::retirement::KeyRetirement;

/// The most bytes of logs that a row keeps, as JSON: with all else it stays below what a unit of work may have. Longer ones are
/// read from the ledger.
const ROW_LOGS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The most bytes that are kept of a node's reason, and of an intent's subject.
const TEXT_BYTES_MAX: usize = 2_000;

/// A lane as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaneRow {
    /// The next nonce to be given.
    pub(crate) next_nonce: u64,
    /// The token of the present holder.
    pub(crate) fence: u64,
    /// What its key has spent, if that has a policy.
    pub(crate) spent: Spent,
    /// Why nothing new may be stored, if so.
    pub(crate) bar: Option<Bar>,
}

/// Why nothing new may be stored in a lane, by a person's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bar {
    /// It is paused.
    Paused { reason: String },
    /// Its key comes after one whose retirement is not finished.
    Awaits { predecessor: Address },
    /// Its key is retired.
    Retired(Box<KeyRetirement>),
}

/// A signed transaction that is to be stored before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct NewTransaction {
    pub(crate) key: IntentKey,
    pub(crate) attempt: i64,
    pub(crate) fingerprint: B256,
    pub(crate) subject: String,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) fence: u64,
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
    pub(crate) created_address: Option<Address>,
    /// Hash of the policy that let it be signed, if its key has one.
    pub(crate) policy: Option<B256>,
    /// By which its key's policy let it be signed.
    pub(crate) approvals: Vec<Approval>,
    /// What its key had spent and has spent now, if that has a policy.
    pub(crate) spent: Option<(Spent, Spent)>,
    /// The request for it, if a service asked by an event: that waits no more then.
    pub(crate) requested: Option<RequestedBy>,
}

/// The empty transaction that is to use an intent's nonce instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filler {
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
}

/// The most hashes of the same at lower prices that a row has.
pub(crate) const EARLIER_MAX: usize = crate::profile::PRICE_STEPS_MAX as usize;

/// An attempt at an intent.
#[derive(Debug, Clone)]
pub(crate) struct StoredIntent {
    pub(crate) key: IntentKey,
    /// The how manieth under its key, from 1.
    pub(crate) attempt: i64,
    pub(crate) fingerprint: B256,
    pub(crate) subject: String,
    pub(crate) sender: Address,
    pub(crate) nonce: u64,
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
    /// Hashes of the same at lower prices, the first one first: a block may take any of them.
    pub(crate) earlier: Vec<B256>,
    pub(crate) created_address: Option<Address>,
    /// Why the intent is to be refused, while its filler is under way.
    pub(crate) cancelling: Option<(String, Filler)>,
    /// How it ended.
    pub(crate) outcome: Option<Outcome>,
    /// Whether the outcome lacks its logs, which were too long to be kept.
    pub(crate) is_without_logs: bool,
    /// The request for it, if a service asked by an event.
    pub(crate) origin: Option<Box<Origin>>,
}

impl StoredIntent {
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Refused(_)))
    }

    /// Whether this is the intent's own transaction, at whichever price.
    pub(crate) fn is_own(&self, hash: B256) -> bool {
        self.hash == hash || self.earlier.contains(&hash)
    }
}

/// Moves the lane on, if it is not paused, its key neither retired nor the successor of one that still may sign, nonce, token and the
/// key's policy are what was thought, and the intent's key is free for this attempt.
pub(super) fn move_lane(new: &NewTransaction) -> Result<Statement, StoreError> {
    Ok(Statement {
        sql:
            "UPDATE chain_lanes SET next_nonce = $2 WHERE sender = $1 AND next_nonce = $3 AND fence = $4 AND paused = ''
              AND NOT EXISTS (SELECT 1 FROM chain_intents WHERE key = $5 AND (state <> 'refused' OR attempt >= $6))
              AND COALESCE((SELECT hash FROM chain_policies WHERE sender = $1), $7) = $7
              AND NOT EXISTS (SELECT 1 FROM chain_retirements
                WHERE (sender = $1 AND retired_us <> 0) OR (successor = $1 AND retired_us = 0))",
        parameters: vec![
            bytes(new.sender),
            number(new.nonce.saturating_add(1))?,
            number(new.nonce)?,
            number(new.fence)?,
            text(new.key.as_str()),
            Parameter::Integer(new.attempt),
            Parameter::Bytes(new.policy.map(|hash| hash.to_vec()).unwrap_or_default()),
        ],
        rows_expected: Some(1),
    })
}

pub(super) fn insert(new: &NewTransaction, signed: Timestamp) -> Result<Statement, StoreError> {
    let created = new.created_address.map(|address| address.to_vec()).unwrap_or_default();
    Ok(Statement {
        sql: "INSERT INTO chain_intents (key, attempt, fingerprint, subject, sender, nonce, hash, raw, created_address,
                state, is_sent_again, reason, signed_us, lane_group, order_subject, cause)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'sent', 0, '', $10, $11, $12, $13)",
        parameters: vec![
            text(new.key.as_str()),
            Parameter::Integer(new.attempt),
            bytes(new.fingerprint),
            Parameter::Text(kept(&new.subject)),
            bytes(new.sender),
            number(new.nonce)?,
            bytes(new.hash),
            bytes(&new.raw),
            Parameter::Bytes(created),
            Parameter::Integer(signed.micros()),
            text(new.requested.as_ref().map_or("", |requested| &requested.lane_group)),
            text(new.requested.as_ref().map_or("", |requested| &requested.order_subject)),
            new.requested.as_ref().map_or_else(|| Ok(text("")), |requested| requested.origin.column())?,
        ],
        rows_expected: Some(1),
    })
}

/// Moves the lane back to the intent's nonce, if that is its last and nothing but its first delivery has begun to send it.
pub(super) fn move_lane_back(intent: &StoredIntent, fence: u64) -> Result<Statement, StoreError> {
    Ok(Statement {
        sql: "UPDATE chain_lanes SET next_nonce = $2 WHERE sender = $1 AND next_nonce = $3 AND fence = $4
              AND EXISTS (SELECT 1 FROM chain_intents WHERE key = $5 AND attempt = $6 AND state = 'sent' AND is_sent_again = 0)",
        parameters: vec![
            bytes(intent.sender),
            number(intent.nonce)?,
            number(intent.nonce.saturating_add(1))?,
            number(fence)?,
            text(intent.key.as_str()),
            Parameter::Integer(intent.attempt),
        ],
        rows_expected: Some(1),
    })
}

pub(super) fn mark_sent_again(intent: &StoredIntent) -> Statement {
    Statement {
        sql: "UPDATE chain_intents SET is_sent_again = 1 WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
        parameters: vec![text(intent.key.as_str()), Parameter::Integer(intent.attempt)],
        rows_expected: None,
    }
}

/// The sender's lowest without an end, of which there is one to a nonce.
pub(super) fn mark_open_sent_again(
    sender: Address,
    from: u64,
    below: u64,
    limit: u64,
) -> Result<Statement, StoreError> {
    Ok(Statement {
        sql: "UPDATE chain_intents SET is_sent_again = 1
              WHERE sender = $1 AND nonce >= $2 AND nonce < $3 AND state IN ('sent', 'cancelling') AND is_sent_again = 0
              AND nonce < $4 + (SELECT MIN(lowest.nonce) FROM chain_intents AS lowest
                  WHERE lowest.sender = $1 AND lowest.nonce >= $2 AND lowest.state IN ('sent', 'cancelling'))",
        parameters: vec![bytes(sender), number(from)?, nonce_end(below), number(limit)?],
        rows_expected: None,
    })
}

/// The end of a range of nonces, as far as a column goes.
pub(super) fn nonce_end(below: u64) -> Parameter {
    Parameter::Integer(i64::try_from(below).unwrap_or(i64::MAX))
}

pub(super) fn cancel(
    intent: &StoredIntent,
    fence: u64,
    filler: &Filler,
    reason: &str,
) -> Result<Statement, StoreError> {
    Ok(Statement {
        sql: "UPDATE chain_intents SET state = 'cancelling', reason = $3, filler_hash = $4, filler_raw = $5
              WHERE key = $1 AND attempt = $2 AND state = 'sent'
              AND EXISTS (SELECT 1 FROM chain_lanes WHERE sender = $6 AND fence = $7)",
        parameters: vec![
            text(intent.key.as_str()),
            Parameter::Integer(intent.attempt),
            text(reason),
            bytes(filler.hash),
            bytes(&filler.raw),
            bytes(intent.sender),
            number(fence)?,
        ],
        rows_expected: Some(1),
    })
}

/// The same at a higher price takes the place of what is sent. Its nonce is never given back: a node may have the earlier one.
pub(super) fn reprice(intent: &StoredIntent, fence: u64, dearer: &StoredIntent) -> Result<Statement, StoreError> {
    Ok(Statement {
        sql: "UPDATE chain_intents SET hash = $4, raw = $5, earlier_hashes = $6, is_sent_again = 1
              WHERE key = $1 AND attempt = $2 AND state = 'sent' AND hash = $3
              AND EXISTS (SELECT 1 FROM chain_lanes WHERE sender = $7 AND fence = $8)",
        parameters: vec![
            text(intent.key.as_str()),
            Parameter::Integer(intent.attempt),
            bytes(intent.hash),
            bytes(dearer.hash),
            bytes(&dearer.raw),
            Parameter::Bytes(dearer.earlier.concat()),
            bytes(intent.sender),
            number(fence)?,
        ],
        rows_expected: Some(1),
    })
}

/// An end is written once: whoever comes second brings the same from the same receipt.
pub(super) fn refuse(intent: &StoredIntent, reason: &str) -> Statement {
    Statement {
        sql: "UPDATE chain_intents SET state = 'refused', reason = $3
              WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
        parameters: vec![text(intent.key.as_str()), Parameter::Integer(intent.attempt), text(reason)],
        rows_expected: Some(1),
    }
}

pub(super) fn settle(intent: &StoredIntent, mined: &Mined) -> Result<Statement, StoreError> {
    let (execution, revert_data) = match &mined.execution {
        Execution::Succeeded => ("succeeded", Vec::new()),
        Execution::Reverted { data: Some(data) } => ("reverted", data.to_vec()),
        Execution::Reverted { data: None } => ("reverted_unexplained", Vec::new()),
    };
    let logs = serde_json::to_string(&mined.logs).map_err(|error| damaged("logs", error))?;
    let (has_logs, logs) = if logs.len() <= ROW_LOGS_BYTES_MAX { (1, logs) } else { (0, String::new()) };
    Ok(Statement {
        sql: "UPDATE chain_intents SET state = 'mined', block_number = $3, block_hash = $4, transaction_index = $5,
                gas_used = $6, execution = $7, revert_data = $8, has_logs = $9, logs = $10, mined_hash = $11
              WHERE key = $1 AND attempt = $2 AND state IN ('sent', 'cancelling')",
        parameters: vec![
            text(intent.key.as_str()),
            Parameter::Integer(intent.attempt),
            number(mined.block_number)?,
            bytes(mined.block_hash),
            number(mined.transaction_index)?,
            number(mined.gas_used)?,
            text(execution),
            Parameter::Bytes(revert_data),
            Parameter::Integer(has_logs),
            Parameter::Text(logs),
            bytes(mined.hash),
        ],
        rows_expected: Some(1),
    })
}

/// A select of whole intents; what follows is its condition, behind further columns if there are some.
macro_rules! select_intents {
    ($rest:literal) => {
        select_intents!("", $rest)
    };
    ($further:literal, $rest:literal) => {
        concat!(
            "SELECT key, attempt, fingerprint, subject, sender, nonce, hash, raw, created_address, state, reason, filler_hash, \
             filler_raw, block_number, block_hash, transaction_index, gas_used, execution, revert_data, has_logs, logs, earlier_hashes, \
             mined_hash, cause",
            $further,
            " FROM chain_intents ",
            $rest
        )
    };
}

/// The newest attempt at `$1`.
pub(super) const NEWEST: &str = select_intents!("WHERE key = $1 ORDER BY attempt DESC LIMIT 1");
/// The attempt `$2` at `$1`.
pub(super) const ATTEMPT: &str = select_intents!("WHERE key = $1 AND attempt = $2");
/// Without an end, of `$1`, with nonces from `$2` and below `$3`, and marked as sent again; at most `$4`.
pub(super) const SENT_AGAIN: &str = select_intents!(
    "WHERE sender = $1 AND nonce >= $2 AND nonce < $3 AND state IN ('sent', 'cancelling') AND is_sent_again = 1 \
     ORDER BY nonce LIMIT $4"
);
/// All after attempt `$2` at `$1`; at most `$3`.
pub(super) const ALL: &str =
    select_intents!("WHERE key > $1 OR (key = $1 AND attempt > $2) ORDER BY key, attempt LIMIT $3");
/// Without an end, of `$1`, with nonces from `$2` to `$3`; at most `$4`.
pub(super) const OPEN_BETWEEN: &str = select_intents!(
    "WHERE sender = $1 AND nonce >= $2 AND nonce <= $3 AND state IN ('sent', 'cancelling') ORDER BY nonce LIMIT $4"
);
/// With an end, of `$1`, with nonces from `$2` to `$3`; at most `$4`.
pub(super) const ENDED_BETWEEN: &str = select_intents!(
    "WHERE sender = $1 AND nonce >= $2 AND nonce <= $3 AND state IN ('mined', 'refused') ORDER BY nonce, attempt LIMIT $4"
);
/// Keys without an end after sender `$1` and nonce `$2`; at most `$3`.
pub(super) const OPEN_KEYS: &str = "SELECT key, sender, nonce FROM chain_intents
    WHERE state IN ('sent', 'cancelling') AND (sender > $1 OR (sender = $1 AND nonce > $2))
    ORDER BY sender, nonce LIMIT $3";

/// Attempts at `$1`, the newest first, at most `$2`; behind the [`COLUMNS`] of each what only people want to know.
pub(super) const ATTEMPTS: &str = select_intents!(
    ", is_sent_again, signed_us, reason, filler_hash, filler_raw",
    "WHERE key = $1 ORDER BY attempt DESC LIMIT $2"
);
/// How many columns [`read`] reads.
pub(super) const COLUMNS: usize = 24;

/// Reads one of the rows that [`NEWEST`] and its likes select.
pub(super) fn read(row: Vec<Value>) -> Result<StoredIntent, StoreError> {
    let mut row = Cells(row.into_iter());
    let origin = match row.0.next_back() {
        Some(Value::Text(cause)) => Origin::read(&cause)?,
        other => return Err(damaged("origin", format!("{other:?}"))),
    };
    let mined_hash = match row.0.next_back() {
        Some(Value::Bytes(hash)) => Some(B256::try_from(hash.as_slice()).map_err(|error| damaged("hash", error))?),
        _ => None,
    };
    let earlier = match row.0.next_back() {
        Some(Value::Bytes(hashes)) => earlier(&hashes)?,
        _ => Vec::new(),
    };
    let (key, attempt, fingerprint) = (row.text()?, row.integer()?, row.word()?);
    let (subject, sender, nonce, hash) = (row.text()?, row.address()?, row.unsigned()?, row.word()?);
    let (raw, created, state, reason) = (row.bytes()?, row.bytes()?, row.text()?, row.text()?);
    let created_address = match created.len() {
        0 => None,
        _ => Some(Address::try_from(created.as_slice()).map_err(|error| damaged("created address", error))?),
    };
    let mut is_without_logs = false;
    let (cancelling, outcome) = match state.as_str() {
        "sent" => (None, None),
        "cancelling" => (Some((reason, Filler { hash: row.word()?, raw: row.bytes()?.into() })), None),
        "mined" => {
            let (mined, has_logs) = read_mined(row, mined_hash.unwrap_or(hash), created_address)?;
            is_without_logs = !has_logs;
            (None, Some(Outcome::Mined(mined)))
        }
        "refused" => (None, Some(Outcome::Refused(Refusal { reason }))),
        other => return Err(damaged("state", format!("`{other}`"))),
    };
    Ok(StoredIntent {
        key: IntentKey::stored(key),
        attempt,
        fingerprint,
        subject,
        sender,
        nonce,
        hash,
        raw: raw.into(),
        earlier,
        created_address,
        cancelling,
        outcome,
        is_without_logs,
        origin,
    })
}

fn earlier(hashes: &[u8]) -> Result<Vec<B256>, StoreError> {
    let (hashes, rest) = hashes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() > EARLIER_MAX {
        return Err(damaged("earlier hashes", format!("{} whole ones and {} bytes", hashes.len(), rest.len())));
    }
    Ok(hashes.iter().map(B256::from).collect())
}

fn read_mined(mut row: Cells, hash: B256, created: Option<Address>) -> Result<(Mined, bool), StoreError> {
    // The filler's two columns.
    row.skip(2);
    let (block_number, block_hash) = (row.unsigned()?, row.word()?);
    let (transaction_index, gas_used) = (row.unsigned()?, row.unsigned()?);
    let (execution, revert_data) = (row.text()?, row.bytes()?);
    let (has_logs, logs) = (row.integer()? == 1, row.text()?);
    let execution = match execution.as_str() {
        "succeeded" => Execution::Succeeded,
        "reverted" => Execution::Reverted { data: Some(revert_data.into()) },
        "reverted_unexplained" => Execution::Reverted { data: None },
        other => return Err(damaged("execution", format!("`{other}`"))),
    };
    let logs: Vec<Log> =
        if has_logs { serde_json::from_str(&logs).map_err(|error| damaged("logs", error))? } else { Vec::new() };
    let created_address = created.filter(|_| execution.is_success());
    let mined = Mined { hash, block_number, block_hash, transaction_index, gas_used, created_address, execution, logs };
    Ok((mined, has_logs))
}

/// The cells of a row, from the left.
pub(super) struct Cells(pub(super) std::vec::IntoIter<Value>);

impl Cells {
    fn skip(&mut self, count: usize) {
        self.0.by_ref().take(count).for_each(drop);
    }

    pub(super) fn integer(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Integer(integer)) => Ok(integer),
            other => Err(damaged("number", format!("{other:?}"))),
        }
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.integer()?).map_err(|error| damaged("number", error))
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(text),
            other => Err(damaged("text", format!("{other:?}"))),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            other => Err(damaged("bytes", format!("{other:?}"))),
        }
    }

    pub(super) fn word(&mut self) -> Result<B256, StoreError> {
        B256::try_from(self.bytes()?.as_slice()).map_err(|error| damaged("hash", error))
    }

    pub(super) fn address(&mut self) -> Result<Address, StoreError> {
        Address::try_from(self.bytes()?.as_slice()).map_err(|error| damaged("address", error))
    }
}

/// What is kept of a text that somebody else wrote: not too much of it, and no zero bytes, which PostgreSQL does not take.
pub(super) fn kept(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].replace('\0', "\u{fffd}")
}

/// A number for a BIGINT column.
pub(super) fn number(number: u64) -> Result<Parameter, StoreError> {
    i64::try_from(number).map(Parameter::Integer).map_err(|error| damaged("number", error))
}

pub(super) fn text(text: &str) -> Parameter {
    Parameter::Text(text.to_owned())
}

pub(super) fn bytes(bytes: impl AsRef<[u8]>) -> Parameter {
    Parameter::Bytes(bytes.as_ref().to_vec())
}

/// A value that does not fit its column, or a column that holds what was never written.
pub(super) fn damaged(what: &'static str, why: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what, why: why.to_string() }
}
