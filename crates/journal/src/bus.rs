//! How events get from a store to consumers in other processes.
//!
//! The log is the outbox: nothing is written beside it for the bus. A publisher reads the store's published events from its own
//! cursor, puts them on the bus, and moves the cursor when the bus has them. A subscription hands a consumer what follows its
//! cursor. **Correctness never rests on the bus**: it may lose, repeat and reorder as it likes. Every published event names the one
//! before it, so whatever does not follow the cursor is seen, and the subscription tells the consumer to read the store's feed.
//! What the bus gives is speed, and peace for the store's database.
//!
//! ```text
//! store ──feed──► publisher ──► bus ──► subscription ──Events──► consumer: applies them in a unit of work with its cursor
//!   ▲                                        └─────────ReadFeed──►   │
//!   └────────────────────── feed, after the cursor ──────────────────┘
//! ```
//!
//! Must not know: what events mean, who consumes them, how a consumer applies.

pub mod nats;

mod backoff;
mod name;
mod sequence;

use messages::{Position, RecordedEvent, StoreId};

pub use name::{BusName, BusNameError};

/// What a consumer does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Apply these: each follows on the one before, the first on the cursor, with no published event between.
    Events(Vec<RecordedEvent>),
    /// Read the store's feed after the cursor until nothing is left, and apply what is there.
    ReadFeed(ReadFeed),
}

/// Why the bus cannot say what follows the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFeed {
    /// The subscription began, or began anew after trouble with the bus.
    Started,
    /// An event came before those between the cursor and it: they are late, or lost.
    Gap {
        /// The published event before the one that came.
        missing: Position,
    },
    /// The consumer did not apply what it was handed.
    NotApplied,
    /// Nothing came for a while. Had the bus lost the newest events, no later one would show it.
    Idle,
    /// An event of another store came under this store's name: one of the two was replaced. The feed tells by its hash whether
    /// the consumer's cursor still holds.
    OtherStore {
        /// The store of the event.
        found: StoreId,
    },
    /// An event that follows directly on the cursor does not have the hash that it must have there: it is not the store's.
    WrongHash {
        /// Its place.
        position: Position,
    },
}
