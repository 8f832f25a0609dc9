//! A lane's pause as a person ordered it: it stands in the lane's row, so that it holds for every process that shares the store
//! and after each restart. The statement that stores a signed transaction looks at it.

use alloy_primitives::Address;
use journal::store::Migration;
use journal::{Parameter, Statement};
use messages::Timestamp;

use super::rows::{Cells, bytes, text};
use super::{LaneEvent, Store, StoreError, retirement};
use crate::pause::LanePause;

/// What lists and pauses need of the tables.
pub(super) const TABLES: Migration = Migration {
    version: 3,
    sql: "
    -- Why nothing new is stored in the lane, by whose order and since when; empty if it is not paused.
    ALTER TABLE chain_lanes ADD COLUMN paused TEXT NOT NULL DEFAULT '';
    ALTER TABLE chain_lanes ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';
    ALTER TABLE chain_lanes ADD COLUMN paused_us BIGINT NOT NULL DEFAULT 0;
    -- When the attempt was stored, by the store's clock: lists begin with the newest. 0 in rows of before.
    ALTER TABLE chain_intents ADD COLUMN signed_us BIGINT NOT NULL DEFAULT 0;
    CREATE INDEX chain_intents_newest ON chain_intents (signed_us)",
};

/// What became of a wish to pause or resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PauseChange {
    /// It is so now.
    Done,
    /// The lane was like this already: with this pause, or with none.
    Stands(Option<LanePause>),
    /// No process ever took the lane.
    NoLane,
}

impl Store {
    /// Pauses the lane, unless it is paused already.
    pub(crate) async fn pause(&self, sender: Address, pause: &LanePause) -> Result<PauseChange, StoreError> {
        let mut unit = self.telling(sender, &[LaneEvent::paused(sender, &pause.who, &pause.reason)])?;
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_lanes SET paused = $2, paused_by = $3, paused_us = $4 WHERE sender = $1 AND paused = ''",
            parameters: vec![
                bytes(sender),
                text(&pause.reason),
                text(&pause.who),
                Parameter::Integer(pause.since.micros()),
            ],
            rows_expected: Some(1),
        });
        if self.run(unit).await? { Ok(PauseChange::Done) } else { self.pause_as_it_stands(sender).await }
    }

    /// Lifts the lane's pause, if it has one and its key is not retired, and gives up a retirement that is begun.
    pub(crate) async fn resume(&self, sender: Address, who: &str) -> Result<PauseChange, StoreError> {
        let mut unit = self.telling(sender, &[LaneEvent::resumed(sender, who)])?;
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_lanes SET paused = '', paused_by = '', paused_us = 0 WHERE sender = $1 AND paused <> ''
                  AND NOT EXISTS (SELECT 1 FROM chain_retirements WHERE sender = $1 AND retired_us <> 0)",
            parameters: vec![bytes(sender)],
            rows_expected: Some(1),
        });
        retirement::give_up(&mut unit, sender);
        if self.run(unit).await? { Ok(PauseChange::Done) } else { self.pause_as_it_stands(sender).await }
    }

    /// The lane's pause, if there is a lane and it has one.
    pub(crate) async fn pause_of(&self, sender: Address) -> Result<Option<LanePause>, StoreError> {
        match self.pause_as_it_stands(sender).await? {
            PauseChange::Stands(pause) => Ok(pause),
            PauseChange::Done | PauseChange::NoLane => Ok(None),
        }
    }

    /// The store's clock.
    pub(crate) fn time(&self) -> Timestamp {
        self.journal.clock().now()
    }

    pub(super) async fn pause_as_it_stands(&self, sender: Address) -> Result<PauseChange, StoreError> {
        let sql = "SELECT paused, paused_by, paused_us FROM chain_lanes WHERE sender = $1";
        let found = self.read(sql, &[bytes(sender)]).await?;
        let Some(row) = found.into_iter().next() else { return Ok(PauseChange::NoLane) };
        Ok(PauseChange::Stands(read(&mut Cells(row.into_iter()))?))
    }
}

/// Reads reason, person and time.
pub(super) fn read(row: &mut Cells) -> Result<Option<LanePause>, StoreError> {
    let (reason, who, since) = (row.text()?, row.text()?, Timestamp::from_micros(row.integer()?));
    Ok((!reason.is_empty()).then_some(LanePause { reason, who, since }))
}
