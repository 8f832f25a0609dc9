//! Whether a message is an event at all.

use messages::RecordedEvent;
use messages::codec::CodecError;
use messages::frame::Frame;

/// A message is no event that a bus carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Poison {
    /// Its bytes are no frame.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It is the frame of an export, which shows only hashes.
    #[error("the event is sealed")]
    Sealed,
}

/// The event in a message.
pub(super) fn decode(message: &[u8]) -> Result<RecordedEvent, Poison> {
    match Frame::decode(message)? {
        Frame::Whole(event) => Ok(*event),
        Frame::Sealed(_) => Err(Poison::Sealed),
    }
}
