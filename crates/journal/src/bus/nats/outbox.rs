//! Keeps the bus up with a store: the log is the outbox, and a cursor in the same store says how far the bus has it.

use std::convert::Infallible;

use messages::RecordedEvent;
use tracing::warn;

use super::publisher::{NatsPublisher, PublishError};
use crate::appender::AppendError;
use crate::bus::{backoff, sequence};
use crate::cursor::Cursor;
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
    /// The store cannot be read.
    #[error("the outbox cannot be read")]
    Read(#[source] StoreError),
    /// The cursor cannot be moved.
    #[error("the outbox cannot note how far it has come")]
    Note(#[source] AppendError),
}

impl NatsPublisher {
    /// Publishes what the store has published since the cursor, then whatever it publishes, in order and each event at least
    /// once. Ends only by an error, or when it is dropped.
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
        let mut failures = 0;
        loop {
            let step = self.publish_page(store).await;
            failures = match step {
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

enum Step {
    Published,
    NothingLeft,
}

/// Moves the cursor behind an event.
async fn note(store: &Store, from: Option<Cursor>, last: &RecordedEvent) -> Result<(), OutboxError> {
    let mut unit = UnitOfWork::new();
    let _ = unit.advance(CONSUMER, from, sequence::behind(last));
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
            Self::Note(AppendError::Unavailable { .. } | AppendError::Unknown { .. }) => true,
            Self::Publish(_)
            | Self::Note(
                AppendError::Refused(_) | AppendError::Limit(_) | AppendError::Store { .. } | AppendError::Closed,
            ) => false,
        }
    }
}
