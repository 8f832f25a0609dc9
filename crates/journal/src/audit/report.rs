//! What an audit asks for, what it finds, and where the first wrong place is.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use messages::{Hash, Position, StoreId, StreamName, StreamVersion, TenantId, Timestamp};

use super::head::Head;
use super::records::ReadFileError;
use crate::store::StoreError;

/// How far an audit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events checked.
    pub events: u64,
    /// Events to be checked.
    pub events_total: u64,
}

/// Is told how far an audit has come, about every megabyte, and may break it off.
pub type OnProgress = Box<dyn FnMut(Progress) -> ControlFlow<()> + Send>;

/// How an audit is made.
pub struct VerifyOptions {
    /// Heads that are known from elsewhere: anchored, or kept by an auditor. Without one, an audit shows that the log agrees with
    /// itself, and not that it is the one that was first written.
    pub anchors: Vec<Head>,
    /// How many threads or connections work at once.
    pub workers: NonZeroUsize,
    /// Is told the progress.
    pub on_progress: OnProgress,
}

impl VerifyOptions {
    /// With so many workers, no anchors, and nobody told.
    #[must_use]
    pub fn quiet(workers: NonZeroUsize) -> Self {
        Self { anchors: Vec::new(), workers, on_progress: Box::new(|_| ControlFlow::Continue(())) }
    }
}

impl fmt::Debug for VerifyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions").field("anchors", &self.anchors).field("workers", &self.workers).finish()
    }
}

/// What an audit that found nothing wrong has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The store.
    pub store: StoreId,
    /// The place before the first event.
    pub after: Position,
    /// The last event, and the hash that covers everything before: compare it with what is anchored, or anchor it.
    pub head: Head,
    /// How many events.
    pub events: u64,
    /// How many of these are published.
    pub published: u64,
    /// How many of these are sealed: another tenant's, of whose content nothing is known but its hash.
    pub sealed: u64,
    /// How many streams the events that are not sealed belong to.
    pub streams: u64,
    /// How many events that are not sealed each tenant has.
    pub tenants: BTreeMap<TenantId, u64>,
    /// When the first event was recorded.
    pub first: Option<Timestamp>,
    /// When the last event was recorded.
    pub last: Option<Timestamp>,
    /// How many of the anchors lie in the range and agree.
    pub anchors: u64,
    /// How many rows of tables an export has.
    pub rows: u64,
}

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It does not have its form.
    #[error("it cannot be read: {why}")]
    Form {
        /// What does not fit.
        why: String,
    },
    /// It is not there.
    #[error("it is missing")]
    Missing,
    /// It is another store's.
    #[error("it is of store {found}, not of {expected}")]
    Store {
        /// The store that is audited.
        expected: StoreId,
        /// What the event says.
        found: StoreId,
    },
    /// An event is missing, or stands twice.
    #[error("place {found} stands where {expected} should")]
    Position {
        /// The place that should be there.
        expected: Position,
        /// The place that is.
        found: Position,
    },
    /// Its bytes, or the hash itself, are not those that were written.
    #[error("its hash is {found}, and from its bytes follows {expected}")]
    Hash {
        /// What follows from its bytes and the event before.
        expected: Hash,
        /// What it says.
        found: Hash,
    },
    /// It was recorded before its predecessor.
    #[error("it was recorded at {found}, its predecessor at {earliest}")]
    Time {
        /// Its predecessor's time.
        earliest: Timestamp,
        /// Its time.
        found: Timestamp,
    },
    /// It names another published event before it than there is.
    #[error("it names {found} as the published event before it, which is {expected}")]
    PublishedLink {
        /// The published event before it.
        expected: Position,
        /// What it names.
        found: Position,
    },
    /// An event of its stream is missing, or stands twice.
    #[error("it has version {found} of stream `{stream}` of tenant `{tenant}`, where {expected} should be")]
    StreamVersion {
        /// The tenant.
        tenant: TenantId,
        /// The stream.
        stream: StreamName,
        /// The version that should be there.
        expected: StreamVersion,
        /// The version that is.
        found: StreamVersion,
    },
    /// The export shows too much, or too little: a whole event of another tenant, or a sealed one where all are whole.
    #[error("it is {found} in an export of {scope}")]
    Scope {
        /// What it is.
        found: &'static str,
        /// Whose export it is.
        scope: String,
    },
    /// The log is not the one whose head was anchored.
    #[error("its hash is {found}, and {expected} was anchored")]
    Anchor {
        /// What was anchored.
        expected: Hash,
        /// What the event has.
        found: Hash,
    },
    /// The store keeps beside the event, to find it by, what does not follow from it.
    #[error("its column `{column}` has {found}, and from its bytes follows {expected}")]
    Column {
        /// The column.
        column: &'static str,
        /// What follows from its bytes.
        expected: String,
        /// What it has.
        found: String,
    },
}

/// An audit did not end well.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The first event that is wrong. Everything before it is as it was written, if the head is.
    #[error("the event at place {position} is wrong: {wrong}")]
    Event {
        /// Its place, as counted from the beginning.
        position: Position,
        /// What is wrong.
        wrong: Wrong,
    },
    /// All events are right, and what the store or the export says of its end is not.
    #[error("{what} is {found}, and from the events follows {expected}")]
    End {
        /// What is said.
        what: &'static str,
        /// What follows from the events.
        expected: String,
        /// What is said.
        found: String,
    },
    /// An anchor is of another store, or outside the range, which can show nothing of it.
    #[error(
        "the anchored head {anchor} is of another store, or not among the places {after} to {up_to} of store {store}"
    )]
    AnchorBeyond {
        /// The anchor.
        anchor: Head,
        /// The store that is audited.
        store: StoreId,
        /// The place before its first event.
        after: Position,
        /// Where it ends.
        up_to: Position,
    },
    /// The export is damaged, cut, or not to be read.
    #[error("the export cannot be read")]
    File(#[from] ReadFileError),
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Store(#[from] StoreError),
    /// The caller broke it off.
    #[error("the audit was broken off after {events} of {events_total} events, which are right")]
    BrokenOff {
        /// Events checked.
        events: u64,
        /// Events to be checked.
        events_total: u64,
    },
}
