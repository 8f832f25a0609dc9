//! Typed events: what a service writes, and what it reads back, whatever version it was written as.

use serde::de::DeserializeOwned;

use crate::chain::{self, Hash, SALT_BYTES};
use crate::header::Header;
use crate::metadata::Metadata;
use crate::names::EventType;
use crate::payload::{Payload, PayloadError};

/// An event as a store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Place, identity and time.
    pub header: Header,
    /// What it says of itself.
    pub metadata: Metadata,
    /// The stored form of `metadata`, which the hash covers.
    pub metadata_bytes: Box<[u8]>,
    /// What it says.
    pub payload: Payload,
    /// What the hashes of metadata and payload are made with.
    pub salt: [u8; SALT_BYTES],
    /// Its hash, which covers all events before it.
    pub hash: Hash,
}

impl RecordedEvent {
    /// The hash that it must have after an event with the hash `previous`.
    #[must_use]
    pub fn hash_after(&self, previous: Hash) -> Hash {
        let metadata = chain::content(&self.salt, &self.metadata_bytes);
        chain::event(previous, &self.header, metadata, chain::content(&self.salt, self.payload.as_bytes()))
    }
}

/// A stored event is not what its reader understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The type is none of the reader's. Whoever reads a whole feed skips it; whoever reads a stream cannot.
    #[error("event type `{event_type}` is not known here")]
    UnknownType {
        /// The type.
        event_type: EventType,
    },
    /// It was written by a newer release. Upgrade the reader first, then the writer.
    #[error(
        "`{event_type}` has version {found}, this release knows versions up to {known}: upgrade it before the writer"
    )]
    UnknownVersion {
        /// The type.
        event_type: EventType,
        /// The version found.
        found: u32,
        /// The newest known.
        known: u32,
    },
    /// The payload does not have the form of its version.
    #[error("the payload of a `{event_type}` of version {version} is not of its form: {why}")]
    Form {
        /// The type.
        event_type: EventType,
        /// Its version.
        version: u32,
        /// What does not fit.
        why: String,
    },
}

/// Brings the JSON of a version to the form of the next.
pub type UpCast = fn(serde_json::Value) -> Result<serde_json::Value, String>;

/// The events of one family (an aggregate's, or a service's published ones): each to and from its stored form.
pub trait EventBody: Sized {
    /// Its type, the version that is written today, and its payload.
    ///
    /// # Errors
    ///
    /// If the payload is refused: too long, or with a number that JSON does not hold.
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError>;

    /// Reads a stored form, of today's or an older version.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`].
    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError>;
}

/// Reads a payload of `version` into today's form, whose version is one more than the number of `up_casts`. The n-th of these
/// brings version n + 1 to version n + 2.
///
/// # Errors
///
/// If the version is 0 or newer than today's, or the payload is not of its form.
pub fn decode_payload<T: DeserializeOwned>(
    event_type: &EventType,
    version: u32,
    payload: &Payload,
    up_casts: &[UpCast],
) -> Result<T, DecodeError> {
    let steps = usize::try_from(version).unwrap_or(usize::MAX).checked_sub(1).and_then(|done| up_casts.get(done..));
    let Some(steps) = steps else {
        let known = u32::try_from(up_casts.len() + 1).unwrap_or(u32::MAX);
        return Err(DecodeError::UnknownVersion { event_type: event_type.clone(), found: version, known });
    };
    let wrong = |why: String| DecodeError::Form { event_type: event_type.clone(), version, why };
    if steps.is_empty() {
        return serde_json::from_slice(payload.as_bytes()).map_err(|error| wrong(error.to_string()));
    }
    let old = serde_json::from_slice(payload.as_bytes()).map_err(|error| wrong(error.to_string()))?;
    let today = steps.iter().try_fold(old, |value, up_cast| up_cast(value)).map_err(wrong)?;
    serde_json::from_value(today).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Issued {
        units: String,
    }

    fn units_as_text(mut value: Value) -> Result<Value, String> {
        let number = value.get("units").and_then(Value::as_u64).ok_or("units is no number")?;
        value["units"] = json!(number.to_string());
        Ok(value)
    }

    fn read(version: u32, payload: &Value) -> Result<Issued, DecodeError> {
        decode_payload(&EventType::of("test.issued"), version, &Payload::of(payload).unwrap(), &[units_as_text])
    }

    #[test]
    fn an_old_version_is_read_in_todays_form() {
        assert_eq!(read(1, &json!({"units": 7})).unwrap(), Issued { units: "7".to_owned() });
        assert_eq!(read(2, &json!({"units": "7"})).unwrap(), Issued { units: "7".to_owned() });
    }

    #[test]
    fn a_version_of_tomorrow_or_none_stops_the_reader() {
        let error = read(3, &json!({})).unwrap_err().to_string();
        assert_eq!(
            error,
            "`test.issued` has version 3, this release knows versions up to 2: upgrade it before the writer"
        );
        assert!(matches!(read(0, &json!({})), Err(DecodeError::UnknownVersion { found: 0, .. })));
    }
}
