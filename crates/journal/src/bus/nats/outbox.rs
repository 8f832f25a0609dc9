//! Keeps the bus up with a store: the log is the outbox, and a cursor in the same store says how far the bus has it.

use std::convert::Infallible;

use messages::{Position, RecordedEvent};
use tracing::warn;

use super::connection::NatsError;
use super::publisher::{NatsPublisher, Newest, PublishError};
use crate::appender::AppendError;
use crate::bus::backoff;
use crate::cursor::Cursor;
use crate::feed;
use crate::group::Refusal;
use crate::store::{Store, StoreError};
use crate::unit::UnitOfWork;

/// The publisher's name among the store's consumers.
pub const CONSUMER: &str = "bus.nats";

/// How many events are published before the cursor moves. A publisher that dies publishes so many again.
const PAGE_EVENTS: usize = 512;

/// The publisher cannot go on, and trying again would not help. The store's events wait in its log.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// An event cannot be published.
    #[error("an event cannot be published")]
    Publish(#[from] PublishError),
    /// The bus does not say what it has of the store, or does not purge it.
    #[error("the bus cannot be compared with the log")]
    Look(#[source] NatsError),
    /// The store cannot be read.
    #[error("the outbox cannot be read")]
    Read(#[source] StoreError),
    /// The cursor cannot be moved.
    #[error("the outbox cannot note how far it has come")]
    Note(#[source] AppendError),
}

impl NatsPublisher {
    /// Looks first whether the newest message under the store's name is an event of its log. If not, the store was restored or
    /// replaced, and its readers would apply what it never said: all messages under the name are purged, and readers find what is
    /// missing in the feed.
    ///
    /// Then it publishes what the store has published since the cursor, and whatever it publishes later, in order and each event
    /// at least once. Ends only by an error, or when it is dropped.
    ///
    /// # Errors
    ///
    /// See [`OutboxError`]. What may pass is waited out.
    ///
    /// # Cancel safety
    ///
    /// It may be dropped at any time. What was published and not noted yet is published again by the next.
    pub async fn run(&mut self, store: &Store) -> Result<Infallible, OutboxError> {
        store.listen_to_others();
        let mut committed = store.committed();
        let (mut failures, mut has_looked) = (0, false);
        loop {
            let step = if has_looked {
                self.publish_page(store).await
            } else {
                self.purge_what_is_not_in(store).await.map(|()| Step::Looked)
            };
            failures = match step {
                Ok(Step::Looked) => {
                    has_looked = true;
                    0
                }
                Ok(Step::Published) => 0,
                Ok(Step::NothingLeft) => {
                    // The store of this handle keeps the other end. Should it be gone, the next reading says so.
                    drop(committed.changed().await);
                    0
                }
                Err(error) if error.may_pass() => {
                    failures += 1;
                    let wait = backoff::wait(failures, store.entropy());
                    warn!(failures, %error, cause = ?std::error::Error::source(&error), "the outbox waits for its store");
                    tokio::time::sleep(wait).await;
                    failures
                }
                Err(error) => return Err(error),
            };
        }
    }

    async fn purge_what_is_not_in(&self, store: &Store) -> Result<(), OutboxError> {
        let newest = match self.newest().await.map_err(OutboxError::Look)? {
            None => return Ok(()),
            Some(Newest::NoEvent) => None,
            Some(Newest::Event(newest)) => Some(newest),
        };
        if let Some(newest) = newest
            && is_in(store, newest).await.map_err(OutboxError::Read)?
        {
            return Ok(());
        }
        let messages = self.purge().await.map_err(OutboxError::Look)?;
        let name = self.store.as_str();
        warn!(
            store = name,
            messages, "the bus had what the log has not: the store was restored or replaced, its messages are purged"
        );
        Ok(())
    }

    async fn publish_page(&mut self, store: &Store) -> Result<Step, OutboxError> {
        let from = store.cursor(CONSUMER).await.map_err(OutboxError::Read)?;
        let after = from.unwrap_or_else(|| Cursor::start(store.id()));
        let page = store.published_after(after.position, PAGE_EVENTS).await.map_err(OutboxError::Read)?;
        let Some(last) = page.last() else { return Ok(Step::NothingLeft) };
        self.publish(&page).await?;
        note(store, from, last).await?;
        Ok(Step::Published)
    }
}

/// Whether the log has this very event.
async fn is_in(store: &Store, event: Cursor) -> Result<bool, StoreError> {
    let Some(before) = event.position.number().checked_sub(1) else { return Ok(false) };
    let found = store.events_after(Position::new(before), 1).await?;
    Ok(found.first().map(feed::after) == Some(event))
}

enum Step {
    Looked,
    Published,
    NothingLeft,
}

/// Moves the cursor behind an event.
async fn note(store: &Store, from: Option<Cursor>, last: &RecordedEvent) -> Result<(), OutboxError> {
    let mut unit = UnitOfWork::new();
    let _ = unit.advance(CONSUMER, from, feed::after(last));
    match store.append(unit).await {
        Ok(_) => Ok(()),
        // Another process publishes for this store too. It is read anew where it stands; what both published, readers see once.
        Err(AppendError::Refused(Refusal::CursorMoved { .. })) => Ok(()),
        Err(error) => Err(OutboxError::Note(error)),
    }
}

impl OutboxError {
    /// Whether the same may succeed later. How far it has come is read from the store each time, also when that is not known.
    fn may_pass(&self) -> bool {
        match self {
            Self::Read(error) => error.is_transient(),
            Self::Look(_) | Self::Note(AppendError::Unavailable { .. } | AppendError::Unknown { .. }) => true,
            Self::Publish(_)
            | Self::Note(
                AppendError::Refused(_) | AppendError::Limit(_) | AppendError::Store { .. } | AppendError::Closed,
            ) => false,
        }
    }
}
