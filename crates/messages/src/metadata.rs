//! What an event says of itself besides its payload: which stream, what, whose, by whom, because of what.
//!
//! Stored form: fields one after another, in the order of their tags, each as tag (1 byte), length (2 bytes) and bytes. A field
//! that is not set is left out. A reader skips tags that it does not know, so that fields can be added.
//!
//! ```text
//! 1 tenant   2 stream   3 stream version (8 bytes)   4 event type   5 type version (4 bytes)
//! 6 subject  7 client   8 on behalf of   9 command (16 bytes)   10 correlation (16)   11 causation (16)   12 trace parent
//! ```

use std::sync::Arc;

use crate::actor::Actor;
use crate::codec::{CodecError, Reader};
use crate::ids::{CommandId, EventId, StreamVersion};
use crate::names::{EventType, NameError, StreamName, TenantId};

/// A W3C trace context, as the header `traceparent` has it: 55 characters in version 00.
pub const TRACE_PARENT_BYTES_MAX: usize = 128;

/// An event's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Whose data it is.
    pub tenant: TenantId,
    /// The stream.
    pub stream: StreamName,
    /// The event's number in the stream, from 1.
    pub stream_version: StreamVersion,
    /// What happened.
    pub event_type: EventType,
    /// The version of the payload's form, from 1.
    pub type_version: u32,
    /// Who did it.
    pub actor: Actor,
    /// The command that it comes from.
    pub command: CommandId,
    /// The command that began the whole story; equal to `command` at its beginning.
    pub correlation: CommandId,
    /// The event that was reacted to, if it was a reaction.
    pub causation: Option<EventId>,
    /// The trace that it belongs to, in the form of the W3C's `traceparent`.
    pub trace_parent: Option<Arc<str>>,
}

const WHAT: &str = "metadata";

impl Metadata {
    /// Its stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        let mut put = |tag: u8, field: &[u8]| {
            // Every field's own limit is far below 64 KiB.
            let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
            assert_eq!(usize::from(length), field.len(), "a field of metadata is longer than its length can say");
            bytes.push(tag);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(field);
        };
        put(1, self.tenant.as_str().as_bytes());
        put(2, self.stream.as_str().as_bytes());
        put(3, &self.stream_version.number().to_be_bytes());
        put(4, self.event_type.as_str().as_bytes());
        put(5, &self.type_version.to_be_bytes());
        put(6, self.actor.subject().as_bytes());
        put(7, self.actor.client().as_bytes());
        if let Some(on_behalf_of) = self.actor.on_behalf_of() {
            put(8, on_behalf_of.as_bytes());
        }
        put(9, self.command.as_bytes());
        put(10, self.correlation.as_bytes());
        if let Some(causation) = &self.causation {
            put(11, causation.as_bytes());
        }
        if let Some(trace_parent) = &self.trace_parent {
            put(12, trace_parent.as_bytes());
        }
        bytes
    }

    /// Reads a stored form.
    ///
    /// # Errors
    ///
    /// If it ends early, its tags are out of order, a field is missing, or a field is not what it must be.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let fields = Fields::read(bytes)?;
        let actor =
            Actor::new(fields.text(6, "subject")?, fields.text(7, "client")?, fields.optional_text(8, "on behalf of")?)
                .map_err(|error| wrong("actor", &error))?;
        Ok(Self {
            tenant: TenantId::parse(fields.text(1, "tenant")?).map_err(|error| wrong("tenant", &error))?,
            stream: StreamName::parse(fields.text(2, "stream")?).map_err(|error| wrong("stream", &error))?,
            stream_version: StreamVersion::new(u64::from_be_bytes(fields.array(3, "stream version")?)),
            event_type: EventType::parse(fields.text(4, "event type")?).map_err(|error| wrong("event type", &error))?,
            type_version: u32::from_be_bytes(fields.array(5, "type version")?),
            actor,
            command: CommandId::from_bytes(fields.array(9, "command")?),
            correlation: CommandId::from_bytes(fields.array(10, "correlation")?),
            causation: fields.optional_array(11, "causation")?.map(EventId::from_bytes),
            trace_parent: fields.optional_text(12, "trace parent")?.map(Into::into),
        })
    }
}

fn wrong(field: &'static str, error: &NameError) -> CodecError {
    CodecError::Field { what: WHAT, field, why: error.to_string() }
}

const TAGS: usize = 13;

/// The fields found, by tag.
struct Fields<'a>([Option<&'a [u8]>; TAGS]);

impl<'a> Fields<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(WHAT, bytes);
        let mut fields = [None; TAGS];
        let mut last = 0;
        while !reader.is_done() {
            let [tag] = reader.array()?;
            if tag <= last {
                return Err(reader.field_error("tag", format!("{tag} does not come after {last}")));
            }
            last = tag;
            let length = u16::from_be_bytes(reader.array()?);
            let field = reader.take(usize::from(length))?;
            if let Some(place) = fields.get_mut(usize::from(tag)) {
                *place = Some(field);
            }
        }
        Ok(Self(fields))
    }

    fn required(&self, tag: usize, field: &'static str) -> Result<&'a [u8], CodecError> {
        self.0[tag].ok_or_else(|| CodecError::Field { what: WHAT, field, why: "is missing".to_owned() })
    }

    fn text(&self, tag: usize, field: &'static str) -> Result<&'a str, CodecError> {
        text(self.required(tag, field)?, field)
    }

    fn optional_text(&self, tag: usize, field: &'static str) -> Result<Option<&'a str>, CodecError> {
        self.0[tag].map(|bytes| text(bytes, field)).transpose()
    }

    fn array<const N: usize>(&self, tag: usize, field: &'static str) -> Result<[u8; N], CodecError> {
        array(self.required(tag, field)?, field)
    }

    fn optional_array<const N: usize>(&self, tag: usize, field: &'static str) -> Result<Option<[u8; N]>, CodecError> {
        self.0[tag].map(|bytes| array(bytes, field)).transpose()
    }
}

fn text<'a>(bytes: &'a [u8], field: &'static str) -> Result<&'a str, CodecError> {
    std::str::from_utf8(bytes).map_err(|_| CodecError::Field { what: WHAT, field, why: "is no UTF-8".to_owned() })
}

fn array<const N: usize>(bytes: &[u8], field: &'static str) -> Result<[u8; N], CodecError> {
    bytes.try_into().map_err(|_| CodecError::Field {
        what: WHAT,
        field,
        why: format!("has {} bytes, not {N}", bytes.len()),
    })
}
