//! Reading a log on and on: page after page, and waiting at its end for what comes.
//!
//! A reader's place is a [`Cursor`]. Each page is read from the event *at* the cursor: if that is not there with the cursor's
//! hash, the store was replaced or rewound, the reader has effects of events that never were, and it must not go on by itself.

use messages::{Hash, Position, RecordedEvent, StoreId};
use tokio::sync::watch;

use crate::appender::Committed;
use crate::cursor::Cursor;
use crate::limits::PAGE_EVENTS_MAX;
use crate::store::{Store, StoreError};

/// The most new events of a page: one place is taken by the event at the cursor.
pub const FEED_PAGE_EVENTS_MAX: usize = PAGE_EVENTS_MAX - 1;

/// What a reader reads.
#[derive(Debug, Clone)]
pub enum Feed {
    /// All events of a service's own store.
    Own(Store),
    /// The published events of a store: what other services read.
    Published(Store),
}

/// A feed cannot be read on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FeedError {
    /// The cursor is of another store than stands here now. A person decides how to go on.
    #[error(
        "the cursor at {position} is of store {expected}, and this is store {found}: it was replaced; \
         `lastro journal rebind` says what each way to go on costs"
    )]
    Replaced {
        /// Where the reader stands.
        position: Position,
        /// The store that it has read.
        expected: StoreId,
        /// The store that is there.
        found: StoreId,
    },
    /// The store does not have the event that the reader read last. A person decides how to go on.
    #[error(
        "the store has {} at {position}, not the event {expected} that was read there: it was rewound; \
         `lastro journal rebind` says what each way to go on costs",
        found.map_or_else(|| "no event".to_owned(), |found| format!("the event {found}"))
    )]
    Rewound {
        /// Where the reader stands.
        position: Position,
        /// The hash of the event that it has read.
        expected: Hash,
        /// The hash of the event that is there; `None` if the log ends before.
        found: Option<Hash>,
    },
    /// The database cannot be read, or an event in it is damaged.
    #[error("the feed cannot be read")]
    Store(#[from] StoreError),
}

impl FeedError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Replaced { .. } | Self::Rewound { .. } => false,
            Self::Store(error) => error.is_transient(),
        }
    }
}

/// The place after an event.
#[must_use]
pub const fn after(event: &RecordedEvent) -> Cursor {
    Cursor { store: event.header.store, position: event.header.position, hash: event.hash }
}

impl Feed {
    /// The store that is read.
    #[must_use]
    pub const fn store(&self) -> &Store {
        match self {
            Self::Own(store) | Self::Published(store) => store,
        }
    }

    /// The next events after a cursor, at most `limit` and [`FEED_PAGE_EVENTS_MAX`]; none at the end of the log.
    ///
    /// # Errors
    ///
    /// If the cursor is not of this log, or it cannot be read.
    pub async fn page(&self, from: Cursor, limit: usize) -> Result<Vec<RecordedEvent>, FeedError> {
        let store = self.store();
        if from.store != store.id() {
            return Err(FeedError::Replaced { position: from.position, expected: from.store, found: store.id() });
        }
        let limit = limit.min(FEED_PAGE_EVENTS_MAX);
        if from.position == Position::START {
            check(&from, Some(Cursor::start(store.id()).hash))?;
            return Ok(self.events_after(from.position, limit).await?);
        }
        let mut events = self.events_after(before(from.position), limit + 1).await?;
        match events.first() {
            Some(first) if first.header.position == from.position => {
                check(&from, Some(first.hash))?;
                drop(events.remove(0));
            }
            // A cursor on a private event, put there by a rebinding: the published feed does not show it.
            _ => check(&from, self.hash_at(from.position).await?)?,
        }
        events.truncate(limit);
        Ok(events)
    }

    /// The event that a cursor stands on.
    ///
    /// # Errors
    ///
    /// If the cursor is not of this log, stands before its first event, or the log cannot be read.
    pub async fn event_at(&self, cursor: Cursor) -> Result<RecordedEvent, FeedError> {
        let Cursor { store: expected, position, hash } = cursor;
        if expected != self.store().id() {
            return Err(FeedError::Replaced { position, expected, found: self.store().id() });
        }
        let event = self.store().events_after(before(position), 1).await?.pop();
        match event {
            Some(event) if event.hash == hash && event.header.position == position => Ok(event),
            other => Err(FeedError::Rewound { position, expected: hash, found: other.map(|event| event.hash) }),
        }
    }

    /// Follows the log from a cursor on, in pages of at most `limit` events.
    #[must_use]
    pub fn follow(&self, from: Cursor, limit: usize) -> Follower {
        self.store().listen_to_others();
        Follower { feed: self.clone(), at: from, committed: self.store().committed(), limit }
    }

    async fn events_after(&self, position: Position, limit: usize) -> Result<Vec<RecordedEvent>, StoreError> {
        match self {
            Self::Own(store) => store.events_after(position, limit).await,
            Self::Published(store) => store.published_after(position, limit).await,
        }
    }

    async fn hash_at(&self, position: Position) -> Result<Option<Hash>, StoreError> {
        Ok(self.store().events_after(before(position), 1).await?.first().map(|event| event.hash))
    }
}

const fn before(position: Position) -> Position {
    Position::new(position.number().saturating_sub(1))
}

fn check(cursor: &Cursor, found: Option<Hash>) -> Result<(), FeedError> {
    if found == Some(cursor.hash) {
        return Ok(());
    }
    Err(FeedError::Rewound { position: cursor.position, expected: cursor.hash, found })
}

/// Reads a feed page by page and waits at its end.
#[derive(Debug)]
pub struct Follower {
    feed: Feed,
    at: Cursor,
    committed: watch::Receiver<Committed>,
    limit: usize,
}

impl Follower {
    /// The next page, which has at least one event; at the end of the log it waits for one.
    ///
    /// # Errors
    ///
    /// If the log is not the one that was read so far, or cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped: the next call gives the same page.
    pub async fn next(&mut self) -> Result<Vec<RecordedEvent>, FeedError> {
        loop {
            // Marked as seen before the log is read: what is committed meanwhile wakes.
            let _ = self.committed.borrow_and_update();
            let events = self.feed.page(self.at, self.limit).await?;
            if let Some(last) = events.last() {
                self.at = after(last);
                return Ok(events);
            }
            if self.committed.changed().await.is_err() {
                return Err(StoreError::Closed.into());
            }
        }
    }
}
