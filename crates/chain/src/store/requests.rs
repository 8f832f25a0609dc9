//! Requests of other services that wait for their lane, and whose story an intent is part of.
//!
//! A request has a row from the unit of work that moves the consumer's cursor past its event until the unit that stores the signed
//! transaction, or refuses it: so it is taken once and signed once, whatever dies when. Its lane is chosen by the statement that
//! writes the row, under the store's head: where its subject has something in flight, there it goes, whoever wrote that.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use journal::store::Migration;
use journal::{Cause, Expected, NewEvent, Parameter, Statement, UnitOfWork, Value};
use messages::ledger::{RequestRefused, TransactionEnded, TransactionRequested};
use messages::{Actor, CommandId, EventId, RecordedEvent, StreamName, TenantId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rows::{Cells, bytes, damaged, kept, number, text};
use super::{ACTOR, LaneEvent, Store, StoreError, event};
use crate::intent::IntentKey;

/// What requests and watches need of the tables.
pub(super) const TABLES: Migration = Migration {
    version: 5,
    sql: "
    -- Requests that wait for their lane, in the order of `place`: the key of the intent, which keys may sign, what their order
    -- matters to ('' for nothing), the lane, the event's payload, and whose story it is part of, as JSON.
    CREATE TABLE chain_requests (
        key TEXT NOT NULL PRIMARY KEY, place BIGINT NOT NULL, lane_group TEXT NOT NULL, order_subject TEXT NOT NULL,
        sender BYTEA NOT NULL, content TEXT NOT NULL, cause TEXT NOT NULL);
    CREATE UNIQUE INDEX chain_requests_place ON chain_requests (place);
    CREATE INDEX chain_requests_lane ON chain_requests (sender, place);
    CREATE INDEX chain_requests_subject ON chain_requests (lane_group, order_subject) WHERE order_subject <> '';
    -- The same of an intent that was requested; '' of one that was not.
    ALTER TABLE chain_intents ADD COLUMN lane_group TEXT NOT NULL DEFAULT '';
    ALTER TABLE chain_intents ADD COLUMN order_subject TEXT NOT NULL DEFAULT '';
    ALTER TABLE chain_intents ADD COLUMN cause TEXT NOT NULL DEFAULT '';
    CREATE INDEX chain_intents_subject ON chain_intents (lane_group, order_subject)
        WHERE order_subject <> '' AND state IN ('sent', 'cancelling');
    -- Whose logs which services read.
    CREATE TABLE chain_watches (address BYTEA NOT NULL, requester TEXT NOT NULL, PRIMARY KEY (address, requester));
    -- Of the block after the cursor, all logs below this index are published.
    ALTER TABLE chain_cursor ADD COLUMN logs_below BIGINT NOT NULL DEFAULT 0",
};

/// Where what is told of a request stands that has no lane yet, in its tenant.
const STREAM: &str = "requests";

/// Whose story something is part of: what is told of it is the tenant's, and names the event that asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    tenant: String,
    /// For whom the request was made.
    subject: String,
    correlation: Uuid,
    /// The event.
    request: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace_parent: Option<Box<str>>,
}

/// A request that waits for its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingRequest {
    pub(crate) key: IntentKey,
    pub(crate) request: TransactionRequested,
    pub(crate) origin: Origin,
}

/// A request that waits, and its place among all that do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) place: u64,
    pub(crate) waiting: WaitingRequest,
}

/// Why a request is never a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRefusal {
    pub(crate) code: String,
    pub(crate) reason: String,
    /// The raw error of the call that was tried, if it reverted.
    pub(crate) revert_data: Option<Bytes>,
}

/// What a request may need, as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flight {
    /// Whether something has no end of what was requested before it and is of its subject, or is named by it.
    pub(crate) is_open: bool,
    /// A block up to which all ends are known that were stored before this was asked.
    pub(crate) settled: u64,
}

/// What the row of a transaction says of the request for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestedBy {
    pub(crate) lane_group: String,
    pub(crate) order_subject: String,
    pub(crate) origin: Origin,
}

impl Origin {
    pub(crate) fn of(event: &RecordedEvent) -> Self {
        let metadata = &event.metadata;
        Self {
            tenant: metadata.tenant.as_str().to_owned(),
            subject: metadata.actor.on_behalf_of().unwrap_or(metadata.actor.subject()).to_owned(),
            correlation: metadata.correlation.uuid(),
            request: event.header.event.uuid(),
            trace_parent: metadata.trace_parent.as_deref().map(Into::into),
        }
    }

    /// The event that asked, as text.
    pub(crate) fn request(&self) -> String {
        self.request.to_string()
    }

    pub(super) fn tenant(&self) -> Result<TenantId, StoreError> {
        TenantId::parse(&self.tenant).map_err(StoreError::Name)
    }

    pub(super) fn cause(&self, command: CommandId) -> Result<Cause, StoreError> {
        Ok(Cause {
            tenant: self.tenant()?,
            actor: Actor::new(ACTOR, ACTOR, Some(&self.subject)).map_err(StoreError::Name)?,
            command,
            correlation: CommandId::new(self.correlation),
            causation: Some(EventId::new(self.request)),
            trace_parent: self.trace_parent.as_deref().map(Into::into),
        })
    }

    pub(super) fn column(&self) -> Result<Parameter, StoreError> {
        serde_json::to_string(self).map(Parameter::Text).map_err(|error| damaged("request's origin", error))
    }

    /// Of an intent, which need not have been requested.
    pub(super) fn read(column: &str) -> Result<Option<Box<Self>>, StoreError> {
        if column.is_empty() {
            return Ok(None);
        }
        serde_json::from_str(column).map(|origin| Some(Box::new(origin))).map_err(|error| damaged("origin", error))
    }
}

impl RequestRefusal {
    pub(crate) fn new(code: &str, reason: String) -> Self {
        Self { code: code.to_owned(), reason, revert_data: None }
    }
}

impl WaitingRequest {
    pub(crate) fn requested_by(&self) -> RequestedBy {
        RequestedBy {
            lane_group: self.request.lane_group.clone(),
            order_subject: self.request.order_subject.clone().unwrap_or_default(),
            origin: self.origin.clone(),
        }
    }

    fn content(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.request).map_err(|error| damaged("request", error))
    }
}

impl Store {
    /// Takes the request: it waits for the lane in which its subject has something in flight, or else for `lane`. The unit is refused
    /// if its key is not free.
    pub(crate) fn taking(&self, waiting: &WaitingRequest, lane: Address) -> Result<UnitOfWork, StoreError> {
        let WaitingRequest { key, request, origin } = waiting;
        let (content, subject) = (waiting.content()?, request.order_subject.as_deref().unwrap_or_default());
        let taken = LaneEvent::request_taken(key, &request.lane_group, subject, content_hash(&content));
        let appended = taken.appended(self.journal.event_id()).map_err(StoreError::Event)?;
        let mut unit = self.unit_of_requests(origin, appended)?;
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_requests (key, place, lane_group, order_subject, sender, content, cause)
                  SELECT $1, 1 + COALESCE((SELECT MAX(place) FROM chain_requests), 0), $2, $3, COALESCE(
                      (SELECT sender FROM chain_requests WHERE $3 <> '' AND order_subject <> ''
                        AND lane_group = $2 AND order_subject = $3 LIMIT 1),
                      (SELECT sender FROM chain_intents WHERE $3 <> '' AND order_subject <> ''
                        AND state IN ('sent', 'cancelling') AND lane_group = $2 AND order_subject = $3 LIMIT 1),
                      $4), $5, $6
                  WHERE NOT EXISTS (SELECT 1 FROM chain_requests WHERE key = $1)
                  AND NOT EXISTS (SELECT 1 FROM chain_intents WHERE key = $1 AND state <> 'refused')",
            parameters: vec![
                text(key.as_str()),
                text(&request.lane_group),
                text(subject),
                bytes(lane),
                Parameter::Text(content),
                origin.column()?,
            ],
            rows_expected: Some(1),
        });
        Ok(unit)
    }

    /// Tells that a request is refused that was never taken.
    pub(crate) fn refusing(
        &self,
        origin: &Origin,
        key: String,
        refusal: RequestRefusal,
    ) -> Result<UnitOfWork, StoreError> {
        let RequestRefusal { code, reason, revert_data } = refusal;
        let revert_data = revert_data.as_ref().filter(event::is_short).map(|data| event::text(data));
        let refused = RequestRefused { key, request: origin.request(), code, reason: kept(&reason), revert_data };
        let body = TransactionEnded::RequestRefused(refused);
        let appended = event::ended(&body, self.journal.event_id()).map_err(StoreError::Event)?;
        self.unit_of_requests(origin, appended)
    }

    /// Refuses a request that waits for this lane; says whether it did. It does not if it waits no more.
    pub(crate) async fn refuse_waiting(
        &self,
        waiting: &WaitingRequest,
        lane: Address,
        refusal: RequestRefusal,
    ) -> Result<bool, StoreError> {
        let mut unit = self.refusing(&waiting.origin, waiting.key.to_string(), refusal)?;
        let _ = unit.statement(no_longer_waiting(&waiting.key, lane));
        self.run(unit).await
    }

    /// Requests that wait for the lane behind a place, in their order, at most `limit`.
    pub(crate) async fn waiting(&self, lane: Address, after: u64, limit: usize) -> Result<Vec<Placed>, StoreError> {
        let sql = "SELECT key, content, cause, place FROM chain_requests WHERE sender = $1 AND place > $2
                   ORDER BY place LIMIT $3";
        let limit = Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
        let placed = |mut row: Vec<Value>| {
            let place = Cells(row.split_off(3.min(row.len())).into_iter()).unsigned()?;
            Ok(Placed { place, waiting: read(row)? })
        };
        self.read(sql, &[bytes(lane), number(after)?, limit]).await?.into_iter().map(placed).collect()
    }

    /// Whether something has no end that the request may need: of its subject, or under one of these keys. Of what still waits only what
    /// was requested before it counts, so that no two wait for each other.
    pub(crate) async fn flight_before(&self, placed: &Placed, depends_on: &[IntentKey]) -> Result<Flight, StoreError> {
        let request = &placed.waiting.request;
        let mut is_open = false;
        if let Some(subject) = &request.order_subject {
            let parameters = [text(&request.lane_group), text(subject), number(placed.place)?];
            is_open = self.count(OPEN_OF_SUBJECT, &parameters).await? > 0;
        }
        for key in depends_on {
            is_open = is_open || self.count(OPEN_UNDER_KEY, &[text(key.as_str()), number(placed.place)?]).await? > 0;
        }
        // After the others: what ended before they were read is in a block up to this one.
        let settled = self.count(SETTLED, &[]).await?;
        Ok(Flight { is_open, settled })
    }

    async fn count(&self, sql: &'static str, parameters: &[Parameter]) -> Result<u64, StoreError> {
        let row = self.read(sql, parameters).await?.into_iter().next().unwrap_or_default();
        Cells(row.into_iter()).unsigned()
    }

    /// The request that waits under this key.
    pub(crate) async fn waiting_under(&self, key: &IntentKey) -> Result<Option<WaitingRequest>, StoreError> {
        let sql = "SELECT key, content, cause FROM chain_requests WHERE key = $1";
        self.read(sql, &[text(key.as_str())]).await?.into_iter().next().map(read).transpose()
    }

    /// How many requests wait for each lane that has some.
    pub(crate) async fn waiting_counts(&self) -> Result<Vec<(Address, u64)>, StoreError> {
        let sql = "SELECT sender, COUNT(*) FROM chain_requests GROUP BY sender";
        let count = |row: Vec<Value>| {
            let mut row = Cells(row.into_iter());
            Ok((row.address()?, row.unsigned()?))
        };
        self.read(sql, &[]).await?.into_iter().map(count).collect()
    }

    /// What waits for a lane waits for another of its group from now on.
    pub(crate) async fn move_waiting(&self, lane_group: &str, from: Address, to: Address) -> Result<(), StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_requests SET sender = $3 WHERE sender = $2 AND lane_group = $1",
            parameters: vec![text(lane_group), bytes(from), bytes(to)],
            rows_expected: None,
        });
        self.run(unit).await.map(drop)
    }

    /// The journal, for consumers whose effects are here.
    pub(crate) fn journal(&self) -> &journal::Store {
        &self.journal
    }

    pub(super) fn unit_of_requests(&self, origin: &Origin, event: NewEvent) -> Result<UnitOfWork, StoreError> {
        let mut unit = UnitOfWork::new();
        let stream = StreamName::parse(STREAM).map_err(StoreError::Name)?;
        let _ = unit.append(&origin.cause(self.command())?, stream, Expected::Any, vec![event]);
        Ok(unit)
    }
}

/// The request is a transaction now, or refused.
pub(super) fn no_longer_waiting(key: &IntentKey, lane: Address) -> Statement {
    Statement {
        sql: "DELETE FROM chain_requests WHERE key = $1 AND sender = $2",
        parameters: vec![text(key.as_str()), bytes(lane)],
        rows_expected: Some(1),
    }
}

/// What waits for a lane waits for its successor: part of the unit that ends the lane's key.
pub(super) fn succeeded(unit: &mut UnitOfWork, sender: Address, successor: Address) {
    let _ = unit.statement(Statement {
        sql: "UPDATE chain_requests SET sender = $2 WHERE sender = $1",
        parameters: vec![bytes(sender), bytes(successor)],
        rows_expected: None,
    });
}

/// All that wait after key `$1`; at most `$2`.
pub(super) const ALL: &str =
    "SELECT key, content, cause, lane_group, order_subject FROM chain_requests WHERE key > $1 ORDER BY key LIMIT $2";

/// How many of a lane group's subject have no end, of those that wait only such before a place.
const OPEN_OF_SUBJECT: &str = "SELECT
    (SELECT COUNT(*) FROM chain_requests
        WHERE order_subject <> '' AND lane_group = $1 AND order_subject = $2 AND place < $3)
    + (SELECT COUNT(*) FROM chain_intents
        WHERE order_subject <> '' AND state IN ('sent', 'cancelling') AND lane_group = $1 AND order_subject = $2)";

/// The same of a key.
const OPEN_UNDER_KEY: &str = "SELECT
    (SELECT COUNT(*) FROM chain_requests WHERE key = $1 AND place < $2)
    + (SELECT COUNT(*) FROM chain_intents WHERE key = $1 AND state IN ('sent', 'cancelling'))";

/// The highest block of which an end is stored: the cursor's, or one whose ends are more than a unit of work holds, or were found
/// without a follower.
const SETTLED: &str = "SELECT MAX(number) FROM (
    SELECT number FROM chain_cursor
    UNION ALL
    SELECT (SELECT block_number FROM chain_intents
                WHERE chain_intents.sender = chain_lanes.sender AND state <> 'refused' AND state = 'mined'
                ORDER BY nonce DESC LIMIT 1) AS number
    FROM chain_lanes) AS settled";

/// By what the log knows the content of a row again.
pub(super) fn content_hash(content: &str) -> B256 {
    keccak256(content)
}

fn read(row: Vec<Value>) -> Result<WaitingRequest, StoreError> {
    let mut row = Cells(row.into_iter());
    let key = IntentKey::stored(row.text()?);
    let request = serde_json::from_str(&row.text()?).map_err(|error| damaged("request", error))?;
    let origin = serde_json::from_str(&row.text()?).map_err(|error| damaged("request's origin", error))?;
    Ok(WaitingRequest { key, request, origin })
}
