//! Folding a batch of events into a generation's tables.

use messages::RecordedEvent;

use super::generation::Generation;
use super::{Projection, View, ViewError, in_feed, in_store};
use crate::cursor::Cursor;
use crate::feed;
use crate::store::{Batch, Tables};
use crate::task::Stop;

/// How many events a live view folds at once: it is behind by one batch at most while it keeps up.
pub(super) const LIVE_BATCH_EVENTS_MAX: usize = 1_024;

impl<P: Projection> View<P> {
    /// Folds into the live generation until it is stopped or another generation is live.
    pub(super) async fn fold_on(&self, stop: &Stop) -> Result<(), ViewError> {
        let live = self.0.live.read().clone();
        let Some(generation) = live else { return self.build(stop).await };
        let mut cursor = generation.tables.cursor().await.map_err(in_store::<P>)?;
        self.stands_at(&generation, cursor);
        let mut follower = self.0.feed.follow(cursor, LIVE_BATCH_EVENTS_MAX);
        loop {
            let events = tokio::select! {
                () = stop.requested() => return Ok(()),
                events = follower.next() => events.map_err(in_feed::<P>)?,
            };
            let _turn = self.0.turn.lock().await;
            if !self.is_live(&generation) {
                return Ok(());
            }
            let Some(last) = events.last() else { continue };
            let to = feed::after(last);
            if !self.fold(&generation.tables, cursor, to, &events).await? {
                // Another process folded these events.
                return Ok(());
            }
            cursor = to;
            self.stands_at(&generation, cursor);
        }
    }

    /// Folds events into tables, in one transaction. Whether the tables stood at `from`.
    pub(super) async fn fold(
        &self,
        tables: &Tables,
        from: Cursor,
        to: Cursor,
        events: &[RecordedEvent],
    ) -> Result<bool, ViewError> {
        let mut batch = P::Batch::default();
        for event in events {
            let folded = self.0.projection.fold(&mut batch, event);
            let position = event.header.position;
            folded.map_err(|source| ViewError::Fold { view: P::NAME, position, source })?;
        }
        let questions = self.0.projection.questions(&batch);
        let write = |answers| self.0.projection.write(batch, answers);
        tables.write(Batch { from, to, questions: &questions, write }).await.map_err(in_store::<P>)
    }

    pub(super) fn is_live(&self, generation: &Generation) -> bool {
        self.0.live.read().as_ref().is_some_and(|live| live.number == generation.number)
    }

    fn stands_at(&self, generation: &Generation, cursor: Cursor) {
        if self.is_live(generation) {
            let _ = self.0.cursor.send_replace(cursor);
        }
    }
}
