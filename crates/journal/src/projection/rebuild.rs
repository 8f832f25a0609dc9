//! Building a generation from zero, beside the live one if there is one, until it can take its place.

use std::time::{Duration, Instant};

use messages::RecordedEvent;

use super::generation::{Generation, Pointer};
use super::{Projection, View, ViewError, in_feed, in_store};
use crate::cursor::Cursor;
use crate::feed::{self, FEED_PAGE_EVENTS_MAX, FeedError};
use crate::store::Tables;
use crate::task::Stop;

/// How many events are folded at once: each row is written once for all of them.
pub const REBUILD_BATCH_EVENTS_MAX: usize = 32_768;

/// With so many bytes of metadata and payload a batch is full too: 32 MiB. Two batches are in memory, and a page of the feed.
pub const REBUILD_BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How far a rebuild has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RebuildProgress {
    /// The position that is folded.
    pub done: u64,
    /// The end of the log, as it is now.
    pub total: u64,
    /// Events per second since this rebuild began, or went on.
    pub per_second: u64,
}

impl RebuildProgress {
    /// How long it will take from now on, at the speed so far; `None` if that is not known yet.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left_ms = u128::from(self.total.saturating_sub(self.done)) * 1_000;
        let millis = left_ms.checked_div(u128::from(self.per_second))?;
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }
}

impl<P: Projection> View<P> {
    /// Builds the view anew beside the live one, and lets it take its place. Queries and folding go on meanwhile.
    ///
    /// If it is stopped or dies, the next rebuild of the same version goes on where it ended.
    ///
    /// # Errors
    ///
    /// If an event is not understood, or feed or tables cannot be used.
    pub async fn rebuild(&self, stop: &Stop) -> Result<(), ViewError> {
        self.build(stop).await
    }

    pub(super) async fn build(&self, stop: &Stop) -> Result<(), ViewError> {
        let _building = self.0.building.lock().await;
        let (pointer, tables) = self.tables_to_build().await?;
        let built = self.build_in(pointer, &tables, stop).await;
        let _ = self.0.progress.send_replace(None);
        match built {
            Ok(Some(cursor)) => {
                self.adopt(Generation { number: pointer.building, tables }, cursor).await;
                if pointer.live != 0 {
                    self.remove(pointer.live).await;
                }
                Ok(())
            }
            Ok(None) => {
                tables.close().await;
                let _ = self.look_for_live().await?;
                Ok(())
            }
            Err(error) => {
                tables.close().await;
                Err(error)
            }
        }
    }

    /// The generation that is being built, which may have been begun by an earlier life of this process, or by another one.
    async fn tables_to_build(&self) -> Result<(Pointer, Tables), ViewError> {
        loop {
            let found = self.pointer().await?;
            if found.building != 0
                && found.building_version == i64::from(P::VERSION)
                && let Some(tables) = self.beside(found.building)?.open().await.map_err(in_store::<P>)?
            {
                let cursor = tables.cursor().await.map_err(in_store::<P>)?;
                match self.0.feed.page(cursor, 1).await {
                    Ok(_) => return Ok((found, tables)),
                    // It was begun on a log that is no more.
                    Err(FeedError::Replaced { .. } | FeedError::Rewound { .. }) => tables.close().await,
                    Err(error @ FeedError::Store(_)) => return Err(in_feed::<P>(error)),
                }
            }
            // The tables are made before they are named, under a number that nobody else takes.
            let number = found.newest + 1;
            if self.change_pointer(found, Pointer { newest: number, ..found }).await? {
                let beside = self.beside(number)?;
                beside.make(P::TABLES, Cursor::start(self.0.feed.store().id())).await.map_err(in_store::<P>)?;
                let obsolete = if self.name_building(found, number).await? { found.building } else { number };
                if obsolete != 0 {
                    self.remove(obsolete).await;
                }
            }
        }
    }

    /// Names the tables of this number as those that are built, if the store still names what `found` does. Whether it did:
    /// otherwise another process was faster.
    async fn name_building(&self, found: Pointer, number: i64) -> Result<bool, ViewError> {
        loop {
            let now = self.pointer().await?;
            if now != (Pointer { newest: now.newest, ..found }) {
                return Ok(false);
            }
            // Others may take numbers meanwhile.
            let to = Pointer { building: number, building_version: i64::from(P::VERSION), ..now };
            if self.change_pointer(now, to).await? {
                return Ok(true);
            }
        }
    }

    /// Folds until the tables have caught up and are named as the live ones: then their cursor. `None` if it is stopped, or
    /// another process was faster.
    async fn build_in(&self, pointer: Pointer, tables: &Tables, stop: &Stop) -> Result<Option<Cursor>, ViewError> {
        let mut cursor = tables.cursor().await.map_err(in_store::<P>)?;
        let (began, first) = (Instant::now(), cursor.position.number());
        let mut events = self.batch_after(cursor).await?;
        loop {
            if stop.is_requested() {
                return Ok(None);
            }
            self.report(began, first, cursor);
            let Some(last) = events.last() else {
                // Caught up: the live one stands still while the rest is folded and the names are changed.
                let _turn = self.0.turn.lock().await;
                events = self.batch_after(cursor).await?;
                if !events.is_empty() {
                    let to = events.last().map_or(cursor, feed::after);
                    if self.fold(tables, cursor, to, &events).await? {
                        cursor = to;
                    }
                }
                return self.swap(pointer, cursor).await;
            };
            let to = feed::after(last);
            // The next batch is read while this one is written.
            let (next, folded) = tokio::join!(self.batch_after(to), self.fold(tables, cursor, to, &events));
            if folded? {
                (cursor, events) = (to, next?);
            } else {
                // Another process builds the same tables.
                cursor = tables.cursor().await.map_err(in_store::<P>)?;
                events = self.batch_after(cursor).await?;
            }
        }
    }

    async fn swap(&self, pointer: Pointer, cursor: Cursor) -> Result<Option<Cursor>, ViewError> {
        let to = Pointer {
            live: pointer.building,
            live_version: pointer.building_version,
            building: 0,
            building_version: 0,
            newest: pointer.newest,
        };
        Ok(self.change_pointer(pointer, to).await?.then_some(cursor))
    }

    async fn batch_after(&self, cursor: Cursor) -> Result<Vec<RecordedEvent>, ViewError> {
        let mut events: Vec<RecordedEvent> = Vec::new();
        let mut bytes = 0;
        while events.len() < REBUILD_BATCH_EVENTS_MAX && bytes < REBUILD_BATCH_BYTES_MAX {
            let from = events.last().map_or(cursor, feed::after);
            let limit = FEED_PAGE_EVENTS_MAX.min(REBUILD_BATCH_EVENTS_MAX - events.len());
            let page = self.0.feed.page(from, limit).await.map_err(in_feed::<P>)?;
            if page.is_empty() {
                break;
            }
            bytes +=
                page.iter().map(|event| event.metadata_bytes.len() + event.payload.as_bytes().len()).sum::<usize>();
            events.extend(page);
        }
        Ok(events)
    }

    fn report(&self, began: Instant, first: u64, cursor: Cursor) {
        let done = cursor.position.number();
        let total = self.0.feed.store().committed().borrow().position.number().max(done);
        let per_second = u128::from(done - first) * 1_000 / began.elapsed().as_millis().max(1);
        let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
        let _ = self.0.progress.send_replace(Some(RebuildProgress { done, total, per_second }));
    }
}
