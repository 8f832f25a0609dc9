//! The ends of a block's intents, stored together with the place that was reached.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use journal::{Expected, Parameter, Statement, UnitOfWork};

use super::rows::{self, Cells, bytes, damaged, number};
use super::{LogRun, PAGE_ROWS_MAX, Store, StoreError, StoredIntent, end, event, lane_stream, watch};
use crate::follower::Cursor;
use crate::outcome::Outcome;

/// The most ends and runs of logs in one unit of work: an event and at most a statement each, below the journal's limits of both.
const UNIT_ENDS_MAX: usize = 200;

/// The most bytes of logs and reverts in one unit of work, so that with events and all else it stays below the journal's 4 MiB. A
/// single end may have more; what a row cannot hold is left out there.
const UNIT_ENDS_BYTES_MAX: usize = 512 * 1024;

impl Store {
    /// The last block whose ends are stored.
    pub(crate) async fn cursor(&self) -> Result<Cursor, StoreError> {
        self.cursor_if_begun().await?.ok_or_else(|| damaged("cursor", "its row is gone"))
    }

    /// The same of a store that may be new.
    pub(crate) async fn cursor_if_begun(&self) -> Result<Option<Cursor>, StoreError> {
        let found = self.read("SELECT number, hash FROM chain_cursor WHERE id = 1", &[]).await?;
        let Some(row) = found.into_iter().next() else { return Ok(None) };
        let mut row = Cells(row.into_iter());
        Ok(Some(Cursor { number: row.unsigned()?, hash: row.word()? }))
    }

    /// Begins at the block, unless somebody has begun before.
    pub(crate) async fn begin_cursor(&self, cursor: Cursor) -> Result<(), StoreError> {
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_cursor (id, number, hash) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING",
            parameters: vec![number(cursor.number)?, bytes(cursor.hash)],
            rows_expected: None,
        });
        self.run(unit).await.map(|_| ())
    }

    /// All who ever sent.
    pub(crate) async fn senders(&self) -> Result<BTreeSet<Address>, StoreError> {
        let found = self.read("SELECT sender FROM chain_lanes", &[]).await?;
        found.into_iter().map(|row| Cells(row.into_iter()).address()).collect()
    }

    /// Intents without an end, of one sender, with nonces from `first` to `last`.
    pub(crate) async fn open_between(
        &self,
        sender: Address,
        first: u64,
        last: u64,
    ) -> Result<Vec<StoredIntent>, StoreError> {
        let (mut open, mut from) = (Vec::new(), first);
        loop {
            // A nonce that fits no column is a node's word, and no intent has it.
            let (first, last) = (rows::nonce_end(from), rows::nonce_end(last));
            let parameters = [bytes(sender), first, last, Parameter::Integer(PAGE_ROWS_MAX)];
            let page = self.read(rows::OPEN_BETWEEN, &parameters).await?;
            let is_last = page.len() < usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX);
            for row in page {
                open.push(rows::read(row)?);
            }
            match open.last() {
                Some(newest) if !is_last => from = newest.nonce + 1,
                _ => return Ok(open),
            }
        }
    }

    /// The sender's intent without an end that all its others wait for.
    pub(crate) async fn lowest_open(&self, sender: Address) -> Result<Option<StoredIntent>, StoreError> {
        let parameters = [bytes(sender), number(0)?, rows::nonce_end(u64::MAX), Parameter::Integer(1)];
        let found = self.read(rows::OPEN_BETWEEN, &parameters).await?;
        found.into_iter().next().map(rows::read).transpose()
    }

    /// Intents with an end, of one sender, with nonces from `first` to `last`: the first [`PAGE_ROWS_MAX`] of them.
    pub(crate) async fn ended_between(
        &self,
        sender: Address,
        first: u64,
        last: u64,
    ) -> Result<Vec<StoredIntent>, StoreError> {
        let (first, last) = (rows::nonce_end(first), rows::nonce_end(last));
        let parameters = [bytes(sender), first, last, Parameter::Integer(PAGE_ROWS_MAX)];
        self.read(rows::ENDED_BETWEEN, &parameters).await?.into_iter().map(rows::read).collect()
    }

    /// Stores the ends that a block brought, publishes them and the logs that are watched, and moves the cursor on; says whether it did.
    /// It did not if one of the intents has ended already, or the cursor stands elsewhere: then some of it may be stored, and all is to
    /// be read again. The last unit of work moves the cursor, so that a block whose cursor is stored is stored whole.
    pub(crate) async fn settle_block(&self, brought: &Brought, from: Cursor, to: Cursor) -> Result<bool, StoreError> {
        let mut filling = Filling::default();
        for (intent, outcome) in &brought.ends {
            let bytes = bytes_of(outcome);
            if filling.is_full_with(bytes) && !self.run(filling.take()).await? {
                return Ok(false);
            }
            let (ended, statement) = end(intent, outcome)?;
            let appended = event::ended(&ended, self.journal.event_id()).map_err(StoreError::Event)?;
            let cause = self.cause(intent.origin.as_deref())?;
            let unit = filling.add(bytes);
            let _ = unit.append(&cause, lane_stream(intent.sender)?, Expected::Any, vec![appended]);
            let _ = unit.statement(statement);
        }
        let (mut stored, mut below) = (brought.logs_from, brought.logs_from);
        for run in &brought.logs {
            if filling.is_full_with(run.bytes()) {
                if below > stored {
                    watch::logs_stored(&mut filling.unit, from, [stored, below])?;
                    stored = below;
                }
                if !self.run(filling.take()).await? {
                    return Ok(false);
                }
            }
            self.tell_logs(filling.add(run.bytes()), run)?;
            below = run.below;
        }
        let mut unit = filling.take();
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_cursor SET number = $1, hash = $2, logs_below = 0
                  WHERE id = 1 AND number = $3 AND hash = $4 AND logs_below = $5",
            parameters: vec![
                number(to.number)?,
                bytes(to.hash),
                number(from.number)?,
                bytes(from.hash),
                number(stored)?,
            ],
            rows_expected: Some(1),
        });
        self.run(unit).await
    }
}

/// What a block brought that concerns somebody here.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) ends: Vec<(StoredIntent, Outcome)>,
    /// Logs of watched contracts from the log with index `logs_from` on.
    pub(crate) logs: Vec<LogRun>,
    /// All logs of the block below it were stored before.
    pub(crate) logs_from: u64,
}

/// A unit of work that is filled up to its limits.
#[derive(Default)]
struct Filling {
    unit: UnitOfWork,
    count: usize,
    bytes: usize,
}

impl Filling {
    fn is_full_with(&self, bytes: usize) -> bool {
        self.count == UNIT_ENDS_MAX || (self.count > 0 && self.bytes + bytes > UNIT_ENDS_BYTES_MAX)
    }

    /// The unit, in which so much more is to be.
    const fn add(&mut self, bytes: usize) -> &mut UnitOfWork {
        self.count += 1;
        self.bytes += bytes;
        &mut self.unit
    }

    fn take(&mut self) -> UnitOfWork {
        std::mem::take(self).unit
    }
}

/// What the logs take as JSON, and the revert as bytes and in the event, roughly.
fn bytes_of(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Mined(mined) => {
            let log = |log: &alloy_primitives::Log| 200 + 70 * log.topics().len() + 2 * log.data.data.len();
            mined.logs.iter().map(log).sum::<usize>() + 3 * mined.execution.revert_data().map_or(0, |data| data.len())
        }
        Outcome::Refused(_) => 0,
    }
}
