//! Whether the rows that lanes decide on are what the log says.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{hex, keccak256};
use journal::{Parameter, Store, Value};
use messages::event::decode_payload;
use messages::ledger::{LogsSeen, TransactionEnded};
use messages::{DecodeError, EventBody as _, Position, RecordedEvent};

use super::StoreError;
use super::event::{self, LaneEvent};
use super::rows::{self, Cells, StoredIntent};
use super::{Origin, requests, retirement, watch};
use crate::outcome::Outcome;
use crate::retirement::KeyRetirement;

/// How many events or rows are read at once.
const PAGE_MAX: usize = 1_000;

/// The log or the rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store cannot be read, or a row is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event is not of a form that this release knows. Use the one that wrote it, or a newer one.
    #[error("the event at place {position} cannot be read")]
    Event {
        /// Its place.
        position: Position,
        /// What is wrong.
        source: DecodeError,
    },
}

/// An attempt at an intent: its key and number.
type Attempt = (String, i64);

/// What the log or a row says of an attempt, in words that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    sender: String,
    nonce: u64,
    hash: String,
    state: String,
}

/// What the log or a row says of the end of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SaidOfKey {
    successor: Option<String>,
    who: String,
    reason: String,
    is_retired: bool,
}

/// What the log or a row says of a request that waits for its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SaidOfRequest {
    /// The event that asked.
    request: String,
    lane_group: String,
    order_subject: String,
    content_hash: String,
}

/// What the log says.
#[derive(Default)]
struct Logged {
    attempts: BTreeMap<Attempt, Said>,
    /// By key.
    requests: BTreeMap<String, SaidOfRequest>,
    /// Contracts, and the services that read what they log.
    watches: BTreeSet<(String, String)>,
    /// By the key's address.
    retirements: BTreeMap<String, SaidOfKey>,
}

/// Compares every row of an intent, of a waiting request and of a key's retirement with the log, and says in words what differs: rows without events,
/// events without a row, and rows that say something else. That the signed bytes are those whose hash was logged is checked too.
///
/// # Errors
///
/// If the store cannot be read, or holds events of a form that is not known.
pub async fn state_differences(store: &Store) -> Result<Vec<String>, AuditError> {
    let Logged { attempts: mut logged, requests, watches, retirements } = logged(store).await?;
    let mut differences = differences_of_keys(store, retirements).await?;
    differences.extend(differences_of_requests(store, requests).await?);
    differences.extend(differences_of_watches(store, watches).await?);
    let mut after: Attempt = (String::new(), 0);
    loop {
        let parameters = [
            Parameter::Text(after.0.clone()),
            Parameter::Integer(after.1),
            Parameter::Integer(i64::try_from(PAGE_MAX).unwrap_or(i64::MAX)),
        ];
        let page = store.rows(rows::ALL, &parameters).await.map_err(StoreError::Read)?;
        let is_last = page.len() < PAGE_MAX;
        for row in page {
            let row = rows::read(row)?;
            after = (row.key.to_string(), row.attempt);
            let (said, log) = (said_by(&row), logged.remove(&after));
            if log.as_ref() != Some(&said) {
                let log = log.map_or("nothing".to_owned(), |log| log.words());
                differences.push(format!(
                    "attempt {} at `{}`: the row says {}, the log {log}",
                    after.1,
                    after.0,
                    said.words()
                ));
            } else if keccak256(&row.raw) != row.hash {
                differences
                    .push(format!("attempt {} at `{}`: the signed bytes are not those of its hash", after.1, after.0));
            }
        }
        if is_last {
            break;
        }
    }
    let lost = logged.into_iter().map(|((key, attempt), log)| {
        format!("attempt {attempt} at `{key}`: there is no row, the log says {}", log.words())
    });
    differences.extend(lost);
    Ok(differences)
}

/// The same of waiting requests alone.
async fn differences_of_requests(
    store: &Store,
    mut logged: BTreeMap<String, SaidOfRequest>,
) -> Result<Vec<String>, AuditError> {
    let (mut differences, mut after) = (Vec::new(), String::new());
    loop {
        let limit = Parameter::Integer(i64::try_from(PAGE_MAX).unwrap_or(i64::MAX));
        let page = store.rows(requests::ALL, &[Parameter::Text(after), limit]).await.map_err(StoreError::Read)?;
        let is_last = page.len() < PAGE_MAX;
        after = String::new();
        for row in page {
            let (key, said) = SaidOfRequest::by(row)?;
            let log = logged.remove(&key);
            if log.as_ref() != Some(&said) {
                let log = log.map_or("nothing".to_owned(), |log| log.words());
                differences.push(format!("request `{key}`: the row says {}, the log {log}", said.words()));
            }
            after = key;
        }
        if is_last {
            break;
        }
    }
    let lost =
        logged.into_iter().map(|(key, log)| format!("request `{key}`: there is no row, the log says {}", log.words()));
    differences.extend(lost);
    Ok(differences)
}

/// The same of watches alone.
async fn differences_of_watches(
    store: &Store,
    mut logged: BTreeSet<(String, String)>,
) -> Result<Vec<String>, AuditError> {
    let (mut differences, mut after) = (Vec::new(), (Vec::new(), String::new()));
    loop {
        let limit = Parameter::Integer(i64::try_from(PAGE_MAX).unwrap_or(i64::MAX));
        let parameters = [Parameter::Bytes(after.0.clone()), Parameter::Text(after.1.clone()), limit];
        let page = store.rows(watch::ALL, &parameters).await.map_err(StoreError::Read)?;
        let is_last = page.len() < PAGE_MAX;
        for row in page {
            let mut row = Cells(row.into_iter());
            let (address, requester) = (row.address()?, row.text()?);
            after = (address.to_vec(), requester.clone());
            let watch = (event::text(address.as_slice()), requester);
            if !logged.remove(&watch) {
                differences.push(format!("`{}` watches {}, and the log does not say so", watch.1, watch.0));
            }
        }
        if is_last {
            break;
        }
    }
    let lost = logged
        .into_iter()
        .map(|(address, requester)| format!("`{requester}` watches {address} by the log, and there is no row"));
    differences.extend(lost);
    Ok(differences)
}

/// The same of retirements alone.
async fn differences_of_keys(
    store: &Store,
    mut logged: BTreeMap<String, SaidOfKey>,
) -> Result<Vec<String>, AuditError> {
    let (mut differences, mut after) = (Vec::new(), Vec::new());
    loop {
        let limit = Parameter::Integer(i64::try_from(PAGE_MAX).unwrap_or(i64::MAX));
        let page = store.rows(retirement::ALL, &[Parameter::Bytes(after), limit]).await.map_err(StoreError::Read)?;
        let is_last = page.len() < PAGE_MAX;
        after = Vec::new();
        for row in page {
            let row = retirement::read(row)?;
            after = row.sender.to_vec();
            let (sender, said) = (event::text(row.sender.as_slice()), SaidOfKey::by(&row));
            let log = logged.remove(&sender);
            if log.as_ref() != Some(&said) {
                let log = log.map_or("nothing".to_owned(), |log| log.words());
                differences.push(format!("key of {sender}: the row says {}, the log {log}", said.words()));
            }
        }
        if is_last {
            break;
        }
    }
    let lost = logged
        .into_iter()
        .map(|(sender, log)| format!("key of {sender}: there is no row of its end, the log says {}", log.words()));
    differences.extend(lost);
    Ok(differences)
}

impl SaidOfRequest {
    fn by(row: Vec<Value>) -> Result<(String, Self), StoreError> {
        let mut row = Cells(row.into_iter());
        let (key, content, cause) = (row.text()?, row.text()?, row.text()?);
        let origin = Origin::read(&cause)?.ok_or_else(|| rows::damaged("request's origin", "it has none"))?;
        let said = Self {
            request: origin.request(),
            lane_group: row.text()?,
            order_subject: row.text()?,
            content_hash: event::text(requests::content_hash(&content).as_slice()),
        };
        Ok((key, said))
    }

    fn words(&self) -> String {
        let Self { request, lane_group, order_subject, content_hash } = self;
        format!(
            "waiting for lane group `{lane_group}`, subject `{order_subject}`, of event {request}, content {content_hash}"
        )
    }
}

impl SaidOfKey {
    fn by(row: &KeyRetirement) -> Self {
        Self {
            successor: row.successor.map(|successor| event::text(successor.as_slice())),
            who: row.who.clone(),
            reason: row.reason.clone(),
            is_retired: row.retired.is_some(),
        }
    }

    fn words(&self) -> String {
        let state = if self.is_retired { "retired" } else { "being retired" };
        let successor = self.successor.as_deref().unwrap_or("nobody");
        format!("{state} for {successor}, by {}: {}", self.who, self.reason)
    }
}

impl Said {
    fn words(&self) -> String {
        let Self { sender, nonce, hash, state } = self;
        format!("{state}, nonce {nonce} of {sender}, hash {hash}")
    }
}

/// What the log says of every attempt and of every key that ends.
async fn logged(store: &Store) -> Result<Logged, AuditError> {
    let (mut logged, mut after) = (Logged::default(), Position::START);
    loop {
        let page = store.events_after(after, PAGE_MAX).await.map_err(StoreError::Read)?;
        for event in &page {
            after = event.header.position;
            apply(&mut logged, event).map_err(|source| AuditError::Event { position: after, source })?;
        }
        if page.len() < PAGE_MAX {
            return Ok(logged);
        }
    }
}

fn apply(logged: &mut Logged, event: &RecordedEvent) -> Result<(), DecodeError> {
    let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
    if event_type.as_str().starts_with("chain.") {
        let decoded: LaneEvent = decode_payload(event_type, version, &event.payload, &[])?;
        if decoded.name() != event_type.as_str() {
            return Err(DecodeError::UnknownType { event_type: event_type.clone() });
        }
        apply_told(logged, decoded, event);
        return Ok(());
    }
    if event_type.as_str() == LogsSeen::TYPE {
        return Ok(());
    }
    let Logged { attempts, requests, .. } = logged;
    match TransactionEnded::decode(event_type, version, &event.payload)? {
        TransactionEnded::Mined(mined) => {
            let what = if mined.is_success { "succeeded" } else { "reverted" };
            let state = format!("{what} in block {} {}", mined.block_number, mined.block_hash);
            ended(attempts, mined.key, mined.attempt.cast_signed(), state);
        }
        // It may be another that was refused because this one has the key.
        TransactionEnded::RequestRefused(refused) => {
            if requests.get(&refused.key).is_some_and(|waiting| waiting.request == refused.request) {
                let _ = requests.remove(&refused.key);
            }
        }
        TransactionEnded::Refused(refused) => {
            ended(attempts, refused.key, refused.attempt.cast_signed(), format!("refused: {}", refused.reason));
        }
    }
    Ok(())
}

/// What a lane's own event says.
fn apply_told(logged: &mut Logged, told: LaneEvent, event: &RecordedEvent) {
    let Logged { attempts, requests, watches, retirements } = logged;
    match told {
        LaneEvent::Taken { .. }
        | LaneEvent::Paused { .. }
        | LaneEvent::Approved { .. }
        | LaneEvent::PolicyRefused { .. }
        | LaneEvent::PolicySet { .. }
        | LaneEvent::PolicyChanged { .. } => {}
        LaneEvent::Resumed { sender, .. } => {
            let _ = retirements.remove(&sender);
        }
        LaneEvent::RetirementBegun { sender, successor, who, reason, .. } => {
            let _ = retirements.insert(sender, SaidOfKey { successor, who, reason, is_retired: false });
        }
        // One that was never begun stays unknown: its row differs from nothing.
        LaneEvent::KeyRetired { sender, .. } => {
            if let Some(said) = retirements.get_mut(&sender) {
                said.is_retired = true;
            }
        }
        LaneEvent::AddressWatched { address, requester } => {
            let _ = watches.insert((address, requester));
        }
        LaneEvent::AddressUnwatched { address, requester, .. } => {
            let _ = watches.remove(&(address, requester));
        }
        LaneEvent::RequestTaken { key, lane_group, order_subject, content_hash } => {
            let request = event.metadata.causation.map(|request| request.to_string()).unwrap_or_default();
            let _ = requests.insert(key, SaidOfRequest { request, lane_group, order_subject, content_hash });
        }
        LaneEvent::Signed { key, attempt, sender, nonce, hash, .. } => {
            let _ = requests.remove(&key);
            let _ = attempts.insert((key, attempt), Said { sender, nonce, hash, state: "sent".to_owned() });
        }
        LaneEvent::Repriced { key, attempt, hash, .. } => {
            if let Some(said) = attempts.get_mut(&(key, attempt)) {
                said.hash = hash;
            }
        }
        LaneEvent::Cancelling { key, attempt, filler_hash, .. } => {
            ended(attempts, key, attempt, format!("cancelling by {filler_hash}"));
        }
    }
}

/// An attempt that was never signed stays unknown: its row, if there is one, differs from nothing.
fn ended(attempts: &mut BTreeMap<Attempt, Said>, key: String, attempt: i64, state: String) {
    if let Some(said) = attempts.get_mut(&(key, attempt)) {
        said.state = state;
    }
}

fn said_by(row: &StoredIntent) -> Said {
    let state = match (&row.outcome, &row.cancelling) {
        (Some(Outcome::Mined(mined)), _) => {
            let what = if mined.execution.is_success() { "succeeded" } else { "reverted" };
            format!("{what} in block {} {}", mined.block_number, hex::encode_prefixed(mined.block_hash))
        }
        (Some(Outcome::Refused(refusal)), _) => format!("refused: {}", refusal.reason),
        (None, Some((_, filler))) => format!("cancelling by {}", hex::encode_prefixed(filler.hash)),
        (None, None) => "sent".to_owned(),
    };
    Said { sender: event::text(row.sender.as_slice()), nonce: row.nonce, hash: event::text(row.hash.as_slice()), state }
}
