//! A recorded event as bytes: on the bus, in a feed over HTTP, and in an export.
//!
//! ```text
//! whole:   kind 1 (1 byte) ‖ header (56) ‖ salt (16) ‖ metadata length (4) ‖ metadata ‖ payload length (4) ‖ payload ‖ event hash (32)
//! sealed:  kind 2 (1 byte) ‖ header (56) ‖ metadata hash (32) ‖ payload hash (32) ‖ event hash (32)
//! ```
//!
//! A *sealed* frame is what an export for one tenant shows of the others' events: enough to follow the chain, and no more.

use crate::chain::{self, Hash};
use crate::codec::{CodecError, Reader};
use crate::event::RecordedEvent;
use crate::header::Header;
use crate::metadata::Metadata;
use crate::payload::Payload;

const WHAT: &str = "event frame";
const WHOLE: u8 = 1;
const SEALED: u8 = 2;

/// The most bytes of metadata that a frame may have: the sum of its fields' limits is far below.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;

/// An event of which only place and hashes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedEvent {
    /// Place, identity and time.
    pub header: Header,
    /// Hash of its metadata.
    pub metadata: Hash,
    /// Hash of its payload.
    pub payload: Hash,
    /// Its hash, which covers all events before it.
    pub hash: Hash,
}

/// An event, whole or sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// All of it.
    Whole(Box<RecordedEvent>),
    /// Place and hashes alone.
    Sealed(SealedEvent),
}

impl Frame {
    /// Place, identity and time.
    #[must_use]
    pub const fn header(&self) -> &Header {
        match self {
            Self::Whole(event) => &event.header,
            Self::Sealed(event) => &event.header,
        }
    }

    /// The hash that it says it has.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        match self {
            Self::Whole(event) => event.hash,
            Self::Sealed(event) => event.hash,
        }
    }

    /// The hash that it must have after an event with the hash `previous`.
    #[must_use]
    pub fn hash_after(&self, previous: Hash) -> Hash {
        match self {
            Self::Whole(event) => event.hash_after(previous),
            Self::Sealed(event) => chain::event(previous, &event.header, event.metadata, event.payload),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Whole(event) => encode_whole(event),
            Self::Sealed(event) => [
                &[SEALED][..],
                &event.header.to_bytes(),
                event.metadata.as_bytes(),
                event.payload.as_bytes(),
                event.hash.as_bytes(),
            ]
            .concat(),
        }
    }

    /// Reads its bytes. The hash is not checked: that takes the event before.
    ///
    /// # Errors
    ///
    /// If the bytes are no frame, or a length is over its limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(WHAT, bytes);
        let [kind] = reader.array()?;
        let header = Header::from_bytes(&reader.array()?);
        let frame = match kind {
            WHOLE => Self::Whole(Box::new(decode_whole(&mut reader, header)?)),
            SEALED => Self::Sealed(SealedEvent {
                header,
                metadata: Hash::new(reader.array()?),
                payload: Hash::new(reader.array()?),
                hash: Hash::new(reader.array()?),
            }),
            other => return Err(reader.field_error("kind", format!("is {other}, neither {WHOLE} nor {SEALED}"))),
        };
        reader.end()?;
        Ok(frame)
    }
}

/// A recorded event's frame, without a copy of the event.
#[must_use]
pub fn encode_whole(event: &RecordedEvent) -> Vec<u8> {
    let (metadata, payload) = (&event.metadata_bytes, event.payload.as_bytes());
    [
        &[WHOLE][..],
        &event.header.to_bytes(),
        &event.salt,
        &length(metadata).to_be_bytes(),
        metadata,
        &length(payload).to_be_bytes(),
        payload,
        event.hash.as_bytes(),
    ]
    .concat()
}

/// The event's frame with its content left out.
#[must_use]
pub fn seal(event: &RecordedEvent) -> SealedEvent {
    SealedEvent {
        header: event.header,
        metadata: chain::content(&event.salt, &event.metadata_bytes),
        payload: chain::content(&event.salt, event.payload.as_bytes()),
        hash: event.hash,
    }
}

fn length(field: &[u8]) -> u32 {
    // Both fields' limits are far below 4 GiB.
    u32::try_from(field.len()).unwrap_or(u32::MAX)
}

fn decode_whole(reader: &mut Reader<'_>, header: Header) -> Result<RecordedEvent, CodecError> {
    let salt = reader.array()?;
    let metadata_bytes = limited(reader, "metadata", METADATA_BYTES_MAX)?;
    let payload = limited(reader, "payload", Payload::BYTES_MAX)?;
    Ok(RecordedEvent {
        header,
        metadata: Metadata::decode(metadata_bytes)?,
        metadata_bytes: metadata_bytes.into(),
        payload: Payload::from_stored(payload),
        salt,
        hash: Hash::new(reader.array()?),
    })
}

fn limited<'a>(reader: &mut Reader<'a>, field: &'static str, bytes_max: usize) -> Result<&'a [u8], CodecError> {
    let bytes = u32::from_be_bytes(reader.array()?) as usize;
    if bytes > bytes_max {
        return Err(reader.field_error(field, format!("has {bytes} bytes, more than {bytes_max}")));
    }
    reader.take(bytes)
}
