//! Snapshots: a stream's state, written down after the fact, so that loading reads the events after it alone.
//!
//! A snapshot is taken when a command is decided and kept once that command is committed, and with it every event that the state
//! holds. It names the event that it was taken after: if the stream has another there, it is ignored. Nothing depends on it.

use messages::{EventId, Payload, StreamVersion};

use super::{Aggregate, Folded, LoadError};
use crate::query::Value;
use crate::store::{Store, StreamKey};
use crate::unit::{Parameter, Statement, UnitOfWork};

/// A state to be kept.
pub(super) struct Snapshot {
    version: StreamVersion,
    newest: EventId,
    form: u32,
    payload: Payload,
}

const FIND: &str = "SELECT stream_version, event_id, payload FROM snapshots
    WHERE stream_hash = $1 AND tenant = $2 AND stream = $3 AND form_version = $4 ORDER BY stream_version DESC LIMIT 1";

/// An older form is replaced too; a newer one is another release's, and stays.
const REMOVE: &str = "DELETE FROM snapshots WHERE stream_hash = $1 AND tenant = $2 AND stream = $3
    AND form_version <= $4 AND stream_version < $5";

const INSERT: &str =
    "INSERT INTO snapshots (stream_hash, tenant, stream, form_version, stream_version, event_id, payload)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

impl Snapshot {
    /// The state of `folded`, if a multiple of the aggregate's distance lies between the version before and now.
    pub(super) fn due<A: Aggregate>(before: StreamVersion, folded: &Folded<A>) -> Option<Self> {
        let every = A::SNAPSHOT_EVERY?;
        if before.number() / every == folded.version.number() / every {
            return None;
        }
        let payload = A::to_snapshot(&folded.state)?;
        Some(Self { version: folded.version, newest: folded.newest?, form: A::SNAPSHOT_FORM, payload })
    }

    /// Queues it. Whether it is written is not awaited.
    pub(super) async fn keep(self, store: &Store, key: &StreamKey) {
        let mut which = which(key, self.form);
        which.push(Parameter::Integer(i64::try_from(self.version.number()).unwrap_or(i64::MAX)));
        let mut row = which.clone();
        row.extend([
            Parameter::Bytes(self.newest.as_bytes().to_vec()),
            Parameter::Bytes(self.payload.as_bytes().to_vec()),
        ]);
        let mut unit = UnitOfWork::new();
        let _ = unit
            .statement(Statement { sql: REMOVE, parameters: which, rows_expected: None })
            .statement(Statement { sql: INSERT, parameters: row, rows_expected: None });
        if let Err(error) = store.submit(unit).await {
            tracing::debug!(error = %error, stream = %key.stream, "a snapshot was not kept");
        }
    }
}

/// What the newest snapshot of today's form holds; `None` if there is none that fits the stream.
pub(super) async fn load<A: Aggregate>(store: &Store, key: &StreamKey) -> Result<Option<Folded<A>>, LoadError> {
    if A::SNAPSHOT_EVERY.is_none() {
        return Ok(None);
    }
    let rows = store.rows(FIND, &which(key, A::SNAPSHOT_FORM)).await?;
    let Some((version, newest, payload)) = rows.first().and_then(|row| read(row)) else { return Ok(None) };
    let before = StreamVersion::new(version.number().saturating_sub(1));
    let event = store.stream_after(&key.tenant, &key.stream, before, 1).await?.pop();
    if event.is_none_or(|event| event.header.event != newest) {
        return Ok(None);
    }
    let state = A::from_snapshot(&payload);
    Ok(state.map(|state| Folded { state, version, newest: Some(newest), ..Folded::empty() }))
}

fn which(key: &StreamKey, form: u32) -> Vec<Parameter> {
    vec![
        Parameter::Integer(key.narrow()),
        Parameter::Text(key.tenant.as_str().to_owned()),
        Parameter::Text(key.stream.as_str().to_owned()),
        Parameter::Integer(form.into()),
    ]
}

fn read(row: &[Value]) -> Option<(StreamVersion, EventId, Payload)> {
    let [version, newest, payload] = row else { return None };
    let version = StreamVersion::new(version.integer()?.try_into().ok()?);
    Some((version, EventId::from_bytes(newest.bytes()?.try_into().ok()?), Payload::from_stored(payload.bytes()?)))
}
