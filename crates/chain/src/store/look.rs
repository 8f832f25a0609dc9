//! What people look at: lists of transactions and lanes, an intent with all that is kept of it, and what the log tells of it.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use journal::store::Durability;
use journal::{Parameter, Place, StoreConfig, Value};
use messages::event::decode_payload;
use messages::ledger::TransactionEnded;
use messages::{EventBody as _, RecordedEvent, StreamVersion, Timestamp};

use super::rows::{self, Cells, bytes, damaged, text};
#[cfg(test)]
use super::still::Still;
use super::{LaneEvent, STATE_ROWS, Store, StoreError, StoreOpenError, lane_stream, pause};
use crate::inspect::{
    Cancelling, LaneLine, LogLine, Told, TransactionDetail, TransactionLine, TransactionState, Which,
};
use crate::intent::IntentKey;
use crate::retirement::KeyRetirement;
use crate::stand_by::OpenOfLane;

/// How many events are read at once.
const PAGE_EVENTS_MAX: usize = 4_096;

/// Lines of a list, the newest first, at most `$1`.
macro_rules! lines {
    ($condition:literal) => {
        concat!(
            "SELECT key, attempt, state, execution, sender, nonce, hash, block_number, subject, signed_us FROM chain_intents ",
            $condition,
            " ORDER BY signed_us DESC, nonce DESC, key, attempt DESC LIMIT $1"
        )
    };
}

const LINES: &str = lines!("");
const LINES_OPEN: &str = lines!("WHERE state IN ('sent', 'cancelling')");
const LINES_OF: &str = lines!("WHERE sender = $2");
const LINES_OPEN_OF: &str = lines!("WHERE state IN ('sent', 'cancelling') AND sender = $2");

const LANES: &str = "SELECT sender, next_nonce, fence, leased_until_us, paused, paused_by, paused_us,
        (SELECT COUNT(*) FROM chain_intents AS waiting
            WHERE waiting.sender = chain_lanes.sender AND waiting.state IN ('sent', 'cancelling')),
        (SELECT COUNT(*) FROM chain_requests WHERE chain_requests.sender = chain_lanes.sender)
    FROM chain_lanes ORDER BY sender LIMIT $1";

const OPEN_OF: &str =
    "SELECT key FROM chain_intents WHERE sender = $1 AND state IN ('sent', 'cancelling') ORDER BY nonce LIMIT 1";
const OPEN_COUNT_OF: &str = "SELECT COUNT(*) FROM chain_intents WHERE sender = $1 AND state IN ('sent', 'cancelling')";

impl Store {
    /// Opens a store that is there, of whichever ledger; `None` if the place has none, or one of another service. Its tables are
    /// brought up to date.
    pub(crate) async fn open_there(place: &Place) -> Result<Option<Self>, StoreOpenError> {
        let unread = |source| StoreOpenError::Identity { store: place.short_name(), source: StoreError::Read(source) };
        if !journal::Store::is_at(place).await.map_err(unread)? {
            return Ok(None);
        }
        let service = journal::audit::state_rows_of(place).await.map_err(unread)?;
        if service.as_deref() != Some(STATE_ROWS.name) {
            return Ok(None);
        }
        let durability = Durability::Full;
        let config = StoreConfig { durability, state_rows: &[STATE_ROWS], ..StoreConfig::at(place.clone()) };
        let store = Self::of(
            journal::Store::open(&config).await?,
            B256::ZERO,
            #[cfg(test)]
            Still::of(durability),
        );
        Ok(Some(store))
    }

    /// Chain id and block 0 of the ledger that the store was made for.
    pub(crate) async fn written_identity(&self) -> Result<(u64, B256), StoreError> {
        let found = self.read("SELECT chain_id, genesis FROM chain_ledger WHERE id = 1", &[]).await?;
        let row = found.into_iter().next().ok_or_else(|| damaged("ledger", "its row is gone"))?;
        let mut row = Cells(row.into_iter());
        let chain_id = row.text()?.parse().map_err(|error| damaged("chain id", error))?;
        let genesis = row.text()?.parse().map_err(|error| damaged("genesis", error))?;
        Ok((chain_id, genesis))
    }

    /// Transactions, the newest first, at most `limit`.
    pub(crate) async fn lines(&self, which: Which, limit: i64) -> Result<Vec<TransactionLine>, StoreError> {
        let limit = Parameter::Integer(limit);
        let found = match (which.is_open, which.sender) {
            (false, None) => self.read(LINES, &[limit]).await?,
            (true, None) => self.read(LINES_OPEN, &[limit]).await?,
            (false, Some(sender)) => self.read(LINES_OF, &[limit, bytes(sender)]).await?,
            (true, Some(sender)) => self.read(LINES_OPEN_OF, &[limit, bytes(sender)]).await?,
        };
        found.into_iter().map(line).collect()
    }

    /// Attempts at the key, the newest first, at most `limit`.
    pub(crate) async fn details(&self, key: &IntentKey, limit: i64) -> Result<Vec<TransactionDetail>, StoreError> {
        let found = self.read(rows::ATTEMPTS, &[text(key.as_str()), Parameter::Integer(limit)]).await?;
        found.into_iter().map(detail).collect()
    }

    /// The lanes, by address, at most `limit`.
    pub(crate) async fn lane_lines(&self, limit: i64) -> Result<Vec<LaneLine>, StoreError> {
        // Whoever is retired has a lane: of both lists the first are about the same senders.
        let mut retirements = self.retirements(limit).await?.into_iter().map(|one| (one.sender, one)).collect();
        let lanes = self.read(LANES, &[Parameter::Integer(limit)]).await?;
        lanes.into_iter().map(|row| lane_line(row, &mut retirements)).collect()
    }

    /// What the sender has without an end.
    pub(crate) async fn open_of(&self, sender: Address) -> Result<OpenOfLane, StoreError> {
        let lowest = self.read(OPEN_OF, &[bytes(sender)]).await?.into_iter().next();
        let lowest = lowest.map(|row| Cells(row.into_iter()).text()).transpose()?.map(IntentKey::stored);
        let count = self.read(OPEN_COUNT_OF, &[bytes(sender)]).await?.into_iter().next().unwrap_or_default();
        Ok(OpenOfLane { count: Cells(count.into_iter()).unsigned()?, lowest })
    }

    /// What the log tells of the key, in the order in which it happened: the sender's whole stream is read for it.
    pub(crate) async fn told(&self, sender: Address, key: &IntentKey) -> Result<Vec<LogLine>, StoreError> {
        // What is told of a request is its tenant's.
        let origin = self.intent(key).await?.and_then(|newest| newest.origin);
        let tenant = origin.map_or_else(|| Ok(self.tenant.clone()), |origin| origin.tenant())?;
        let (stream, mut after, mut told) = (lane_stream(sender)?, StreamVersion::EMPTY, Vec::new());
        loop {
            let page = self.journal.stream_after(&tenant, &stream, after, PAGE_EVENTS_MAX).await;
            let page = page.map_err(StoreError::Read)?;
            for event in &page {
                after = event.metadata.stream_version;
                let what = told_by(event, key).map_err(|error| damaged("event", error))?;
                told.extend(what.map(|(attempt, what)| LogLine { at: event.header.recorded, attempt, what }));
            }
            if page.len() < PAGE_EVENTS_MAX {
                return Ok(told);
            }
        }
    }
}

/// What an event of a lane tells of the key, and of which attempt.
fn told_by(event: &RecordedEvent, wanted: &IntentKey) -> Result<Option<(u64, Told)>, messages::DecodeError> {
    let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
    let (key, attempt, what) = if event_type.as_str().starts_with("chain.") {
        match decode_payload(event_type, version, &event.payload, &[])? {
            LaneEvent::Signed { key, attempt, .. } => (key, attempt.unsigned_abs(), Told::Signed),
            LaneEvent::Cancelling { key, attempt, reason, .. } => {
                (key, attempt.unsigned_abs(), Told::Cancelling { reason })
            }
            LaneEvent::Repriced { key, attempt, hash, .. } => (key, attempt.unsigned_abs(), Told::Repriced { hash }),
            LaneEvent::Approved { key, attempt, approvals } => {
                (key, attempt.unsigned_abs(), Told::Approved { count: approvals.len() })
            }
            LaneEvent::PolicyRefused { key, code, reason, .. } => (key, 0, Told::PolicyRefused { code, reason }),
            LaneEvent::Taken { .. }
            | LaneEvent::RequestTaken { .. }
            | LaneEvent::AddressWatched { .. }
            | LaneEvent::AddressUnwatched { .. }
            | LaneEvent::PolicySet { .. }
            | LaneEvent::PolicyChanged { .. }
            | LaneEvent::Paused { .. }
            | LaneEvent::Resumed { .. }
            | LaneEvent::RetirementBegun { .. }
            | LaneEvent::KeyRetired { .. } => return Ok(None),
        }
    } else {
        match TransactionEnded::decode(event_type, version, &event.payload)? {
            TransactionEnded::Mined(mined) => {
                let (block_number, is_success) = (mined.block_number, mined.is_success);
                (mined.key, mined.attempt, Told::Mined { block_number, is_success })
            }
            TransactionEnded::Refused(refused) => {
                (refused.key, refused.attempt, Told::Refused { reason: refused.reason })
            }
            // No lane's, so in no lane's stream.
            TransactionEnded::RequestRefused(_) => return Ok(None),
        }
    };
    Ok((key == wanted.as_str()).then_some((attempt, what)))
}

fn line(row: Vec<Value>) -> Result<TransactionLine, StoreError> {
    let mut row = Cells(row.into_iter());
    let (key, attempt, state) = (IntentKey::stored(row.text()?), row.unsigned()?, row.text()?);
    let execution = row.0.next().as_ref().and_then(Value::text).map(str::to_owned);
    let state = match (state.as_str(), execution.as_deref()) {
        ("sent", _) => TransactionState::Sent,
        ("cancelling", _) => TransactionState::Cancelling,
        ("refused", _) => TransactionState::Refused,
        ("mined", Some("succeeded")) => TransactionState::Succeeded,
        ("mined", Some(_)) => TransactionState::Reverted,
        (other, _) => return Err(damaged("state", format!("`{other}`"))),
    };
    let (sender, nonce, hash) = (row.address()?, row.unsigned()?, row.word()?);
    let block_number = row.0.next().as_ref().and_then(Value::integer).map(i64::unsigned_abs);
    let (subject, signed) = (row.text()?, moment(row.integer()?));
    Ok(TransactionLine { key, attempt, state, sender, nonce, hash, block_number, subject, signed })
}

fn detail(mut row: Vec<Value>) -> Result<TransactionDetail, StoreError> {
    let mut further = Cells(row.split_off(rows::COLUMNS.min(row.len())).into_iter());
    let stored = rows::read(row)?;
    let (is_sent_again, signed) = (further.integer()? == 1, moment(further.integer()?));
    let reason = further.text()?;
    // An attempt that has ended keeps the empty transaction that competed with it.
    let cancelling = match further.0.next() {
        Some(Value::Bytes(hash)) => {
            let hash = B256::try_from(hash.as_slice()).map_err(|error| damaged("hash", error))?;
            Some(Cancelling { reason, hash, raw: further.bytes()?.into() })
        }
        _ => None,
    };
    Ok(TransactionDetail {
        key: stored.key,
        attempt: stored.attempt.unsigned_abs(),
        sender: stored.sender,
        nonce: stored.nonce,
        hash: stored.hash,
        raw: stored.raw,
        earlier_hashes: stored.earlier,
        fingerprint: stored.fingerprint,
        subject: stored.subject,
        created_address: stored.created_address,
        signed,
        is_sent_again,
        cancelling,
        outcome: stored.outcome,
        has_logs: !stored.is_without_logs,
    })
}

fn lane_line(row: Vec<Value>, retirements: &mut BTreeMap<Address, KeyRetirement>) -> Result<LaneLine, StoreError> {
    let mut row = Cells(row.into_iter());
    let (sender, next_nonce, taken_count) = (row.address()?, row.unsigned()?, row.unsigned()?);
    let leased_until = moment(row.integer()?);
    let (paused, open_count, waiting_count) = (pause::read(&mut row)?, row.unsigned()?, row.unsigned()?);
    let retirement = retirements.remove(&sender);
    Ok(LaneLine { sender, next_nonce, taken_count, leased_until, paused, open_count, waiting_count, retirement })
}

/// A time that is kept; 0 stands for none.
fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then_some(Timestamp::from_micros(micros))
}
