//! The ends of a block's intents, stored together with the place that was reached.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use journal::{Expected, Parameter, Statement, UnitOfWork};

use super::rows::{self, Cells, bytes, damaged, number};
use super::{PAGE_ROWS_MAX, Store, StoreError, StoredIntent, end, event, lane_stream};
use crate::follower::Cursor;
use crate::outcome::Outcome;

/// The most ends in one unit of work: an event and a statement each, below the journal's limits of both.
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

    /// Stores the ends that a block brought, publishes them, and moves the cursor on; says whether it did. It did not if one of
    /// the intents has ended already, or the cursor stands elsewhere: then some of the ends may be stored, and all is to be read
    /// again. The last unit of work moves the cursor, so that a block whose cursor is stored is stored whole.
    pub(crate) async fn settle_block(
        &self,
        ends: &[(StoredIntent, Outcome)],
        from: Cursor,
        to: Cursor,
    ) -> Result<bool, StoreError> {
        let mut unit = UnitOfWork::new();
        let (mut count, mut filled_bytes) = (0, 0);
        for (intent, outcome) in ends {
            let bytes = bytes_of(outcome);
            if count == UNIT_ENDS_MAX || (count > 0 && filled_bytes + bytes > UNIT_ENDS_BYTES_MAX) {
                if !self.run(std::mem::take(&mut unit)).await? {
                    return Ok(false);
                }
                (count, filled_bytes) = (0, 0);
            }
            let (ended, statement) = end(intent, outcome)?;
            let appended = event::ended(&ended, self.journal.event_id()).map_err(StoreError::Event)?;
            let _ = unit.append(&self.cause(), lane_stream(intent.sender)?, Expected::Any, vec![appended]);
            let _ = unit.statement(statement);
            (count, filled_bytes) = (count + 1, filled_bytes + bytes);
        }
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_cursor SET number = $1, hash = $2 WHERE id = 1 AND number = $3 AND hash = $4",
            parameters: vec![number(to.number)?, bytes(to.hash), number(from.number)?, bytes(from.hash)],
            rows_expected: Some(1),
        });
        self.run(unit).await
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
