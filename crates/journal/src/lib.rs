//! Every service's write and read storage: event store, idempotent commands, consumers, projections, timers, bus.
//!
//! A [`Store`] is a log of events with one gap-free order, and beside it what must change together with the log: idempotency
//! keys, unique claims, timers, consumers' cursors, and the service's own state rows. A [`UnitOfWork`] is the only way to write;
//! all of it commits, or nothing. Units of many callers share a transaction (a *group*); groups of all processes wait for each
//! other at the store's head row, so that order and hash chain need no lease.
//!
//! Failure first: whoever got an answer finds its unit on disk. Whoever got [`AppendError::Unknown`] repeats with the same
//! idempotency key, and has one effect at most. A process that dies leaves whole groups or nothing.
//!
//! Must not know: which services exist, what their events mean, ledgers, HTTP. Depends on `messages` only.
//!
//! Tested by seeded schedules of faults with crashes at every await, by `kill -9` of real processes, on SQLite and on a real
//! PostgreSQL; the pure decisions by property tests.

pub mod aggregate;
mod appender;
pub mod audit;
pub mod backup;
pub mod bus;
pub mod clock;
pub mod consumer;
pub mod cursor;
pub mod entropy;
pub mod expiry;
pub mod feed;
mod group;
pub mod import;
pub mod key;
pub mod limits;
mod mutant;
mod narrow;
pub mod personal;
pub mod projection;
pub mod query;
pub mod retry;
pub mod store;
pub mod task;
pub mod timers;
pub mod unit;

#[cfg(test)]
mod simulation;

pub use aggregate::{Aggregate, Command, DecideError, Decided, Decision, Streams};
pub use appender::{AppendError, Committed};
pub use clock::Clock;
pub use consumer::{Consumer, Handler, HandlerError, Reaction};
pub use cursor::Cursor;
pub use entropy::Entropy;
pub use feed::Feed;
pub use group::{Appended, Refusal};
pub use key::{KeyChange, KeyRecord, KeyScope, KeyState, KeyUse};
pub use projection::{Projection, View};
pub use query::Value;
pub use store::{OpenError, Place, Queued, Store, StoreConfig, StoreError};
pub use task::{Stop, Task};
pub use timers::{TimerHandler, Timers};
pub use unit::{Audience, Cause, Claim, Expected, NewEvent, Parameter, Statement, Timer, TimerName, UnitOfWork};
