//! Standing by while another instance is at work, and taking over when it is not any more.

use std::time::Duration;

use super::failure::{Interruption, Trouble};
use super::{Consumer, ConsumerError, Handler, Phase};
use crate::cursor::Cursor;
use crate::retry::Retry;
use crate::task::Stop;

/// How often an instance that stands by looks whether the other one moves. Half of it at least, so that two do not look in step.
const LOOK: Retry = Retry { wait_first: Duration::from_secs(1), wait_max: Duration::from_secs(1), attempts_max: 1 };

impl<H: Handler> Consumer<H> {
    /// Returns when the cursor has not moved between two looks although there are events: the other instance has ended, or it
    /// handles one event for long, and compare-and-set decides.
    pub(super) async fn stand_by(&self, stop: &Stop) -> Result<(), ConsumerError> {
        self.set_phase(Phase::StandingBy);
        tracing::info!(consumer = %self.name, "another instance is at work, standing by");
        let mut seen = None;
        while !stop.is_requested() {
            stop.or_after(LOOK.wait(1, self.store.entropy())).await;
            match self.look(&mut seen).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(interruption) => return Box::pin(self.recover(interruption, &mut Trouble::default(), stop)).await,
            }
        }
        Ok(())
    }

    /// Whether there are events and the cursor stands where it was seen last.
    async fn look(&self, seen: &mut Option<Cursor>) -> Result<bool, Interruption> {
        let stands_at = self.store.cursor(&self.name).await?;
        self.status.send_modify(|status| status.cursor = stands_at);
        if *seen != stands_at {
            *seen = stands_at;
            return Ok(false);
        }
        let from = stands_at.unwrap_or_else(|| Cursor::start(self.feed.store().id()));
        Ok(!self.feed.page(from, 1).await?.is_empty())
    }
}
