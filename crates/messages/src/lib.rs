//! The language that crosses services: events, their envelope, and the bytes that they are stored, sent and hashed as.
//!
//! An event is three things: a fixed binary [`Header`] (which store, where in it, when), [`Metadata`] (what, about which
//! stream, by whom, because of what) and a [`Payload`] (JSON text). Metadata and payload are kept as first written and never
//! serialised anew: what was hashed is what is read. [`chain`] says how the hashes are made, [`frame`] how a recorded event looks
//! on the wire and in an export.
//!
//! Must not know: stores, buses, clocks, services' private events. It does no IO and depends on no crate of ours.
//!
//! Tested by property tests of all codecs against hostile bytes, golden bytes of the stored forms, and the limits of each name.

pub mod actor;
pub mod chain;
pub mod codec;
pub mod event;
pub mod fingerprint;
pub mod frame;
pub mod header;
pub mod ids;
pub mod ledger;
pub mod metadata;
pub mod names;
pub mod payload;
pub mod time;

pub use actor::Actor;
pub use chain::Hash;
pub use event::{DecodeError, EventBody, RecordedEvent};
pub use fingerprint::Fingerprint;
pub use header::Header;
pub use ids::{CommandId, EventId, Position, StoreId, StreamVersion};
pub use metadata::Metadata;
pub use names::{EventType, NameError, StreamName, TenantId};
pub use payload::{Payload, PayloadError};
pub use time::Timestamp;
