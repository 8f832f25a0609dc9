//! Contracts whose logs services want to read, and the logs of a block as they are published.
//!
//! A block's logs may take several units of work. What is stored of the next block is in the cursor's row, as the index of the first log
//! that is not: so each log is published once, wherever this process dies.

use std::collections::BTreeSet;

use alloy_primitives::Address;
use journal::{Expected, NewEvent, Parameter, Statement, UnitOfWork, Value};
use messages::ledger::{LogsSeen, SeenLog};
use messages::{EventBody as _, StreamName};

use super::rows::{Cells, bytes, number, text};
use super::{LaneEvent, Origin, Store, StoreError, event};
use crate::follower::{Cursor, FollowedBlock};

/// How many contracts may be watched. Their addresses are read for each block with logs.
pub(crate) const WATCHED_MAX: usize = 10_000;

/// The most bytes of logs in one event, as they are written; a payload has 64 KiB in all. The data of a log that is longer is left out.
const EVENT_LOGS_BYTES_MAX: usize = 48 * 1024;

/// Logs of one contract that follow each other in one transaction, and the index of the log behind them.
#[derive(Debug)]
pub(crate) struct LogRun {
    pub(crate) seen: LogsSeen,
    /// All logs below it are in this or earlier runs, or not watched.
    pub(crate) below: u64,
}

impl LogRun {
    pub(super) fn bytes(&self) -> usize {
        self.seen.logs.iter().map(written).sum()
    }
}

/// What a log takes as it is written, roughly.
fn written(log: &SeenLog) -> usize {
    100 + 70 * log.topics.len() + log.data.as_ref().map_or(0, String::len)
}

/// The logs of watched contracts in the block, in order, from the log with this index on.
pub(crate) fn runs(block: &FollowedBlock, watched: &BTreeSet<Address>, from: u64) -> Vec<LogRun> {
    let mut runs: Vec<LogRun> = Vec::new();
    for transaction in &block.transactions {
        let mut last: Option<(Address, usize)> = None;
        for (index, log) in (transaction.first_log_index..).zip(&transaction.logs) {
            if index < from || !watched.contains(&log.address) {
                last = None;
                continue;
            }
            let data = event::text(&log.data.data);
            let topics = log.topics().iter().map(|topic| event::text(topic.as_slice())).collect();
            let seen = SeenLog { index, topics, data: (data.len() <= EVENT_LOGS_BYTES_MAX / 2).then_some(data) };
            let bytes = written(&seen);
            match (last, runs.last_mut()) {
                (Some((address, before)), Some(run))
                    if address == log.address && before + bytes <= EVENT_LOGS_BYTES_MAX =>
                {
                    run.seen.logs.push(seen);
                    run.below = index + 1;
                    last = Some((address, before + bytes));
                }
                _ => {
                    let seen = LogsSeen {
                        address: event::text(log.address.as_slice()),
                        block_number: block.number,
                        block_hash: event::text(block.hash.as_slice()),
                        block_timestamp: block.timestamp_seconds,
                        transaction_hash: event::text(transaction.hash.as_slice()),
                        transaction_index: transaction.index,
                        logs: vec![seen],
                    };
                    runs.push(LogRun { seen, below: index + 1 });
                    last = Some((log.address, bytes));
                }
            }
        }
    }
    runs
}

impl Store {
    /// The service reads what the contract logs from now on.
    pub(crate) fn watching(
        &self,
        origin: &Origin,
        requester: &str,
        address: Address,
    ) -> Result<UnitOfWork, StoreError> {
        let sql = "INSERT INTO chain_watches (address, requester) VALUES ($1, $2) ON CONFLICT (address, requester) DO NOTHING";
        self.change_watch(origin, &LaneEvent::address_watched(address, requester), sql, requester, address)
    }

    /// The service does not read it any more.
    pub(crate) fn unwatching(
        &self,
        origin: &Origin,
        requester: &str,
        address: Address,
    ) -> Result<UnitOfWork, StoreError> {
        let sql = "DELETE FROM chain_watches WHERE address = $1 AND requester = $2";
        self.change_watch(origin, &LaneEvent::address_unwatched(address, requester), sql, requester, address)
    }

    fn change_watch(
        &self,
        origin: &Origin,
        told: &LaneEvent,
        sql: &'static str,
        requester: &str,
        address: Address,
    ) -> Result<UnitOfWork, StoreError> {
        let appended = told.appended(self.journal.event_id()).map_err(StoreError::Event)?;
        let mut unit = self.unit_of_requests(origin, appended)?;
        // As many rows as there are: to say it twice changes nothing.
        let parameters = vec![bytes(address), text(requester)];
        let _ = unit.statement(Statement { sql, parameters, rows_expected: None });
        Ok(unit)
    }

    /// The contracts that anybody watches.
    pub(crate) async fn watched(&self) -> Result<BTreeSet<Address>, StoreError> {
        let sql = "SELECT DISTINCT address FROM chain_watches ORDER BY address LIMIT $1";
        let limit = Parameter::Integer(i64::try_from(WATCHED_MAX).unwrap_or(i64::MAX));
        let found = self.read(sql, &[limit]).await?;
        found.into_iter().map(|row| Cells(row.into_iter()).address()).collect()
    }

    /// Which logs of the block after the cursor are stored: all below this index.
    pub(crate) async fn logs_below(&self, cursor: Cursor) -> Result<u64, StoreError> {
        let sql = "SELECT logs_below FROM chain_cursor WHERE id = 1 AND number = $1 AND hash = $2";
        let found: Option<Vec<Value>> =
            self.read(sql, &[number(cursor.number)?, bytes(cursor.hash)]).await?.into_iter().next();
        // If it stands elsewhere, what is to be written finds out.
        found.map_or(Ok(0), |row| Cells(row.into_iter()).unsigned())
    }

    /// The run as an event of its contract's stream.
    pub(super) fn tell_logs(&self, unit: &mut UnitOfWork, run: &LogRun) -> Result<(), StoreError> {
        let (event_type, type_version, payload) = run.seen.encode().map_err(StoreError::Event)?;
        let id = self.journal.event_id();
        let event = NewEvent { id, event_type, type_version, payload, audience: journal::Audience::Published };
        let stream = StreamName::parse(&format!("logs/{}", run.seen.address)).map_err(StoreError::Name)?;
        let _ = unit.append(&self.cause(None)?, stream, Expected::Any, vec![event]);
        Ok(())
    }
}

/// Moves on within the block after the cursor: all its logs below `to` are stored.
pub(super) fn logs_stored(unit: &mut UnitOfWork, cursor: Cursor, [from, to]: [u64; 2]) -> Result<(), StoreError> {
    let _ = unit.statement(Statement {
        sql: "UPDATE chain_cursor SET logs_below = $4 WHERE id = 1 AND number = $1 AND hash = $2 AND logs_below = $3",
        parameters: vec![number(cursor.number)?, bytes(cursor.hash), number(from)?, number(to)?],
        rows_expected: Some(1),
    });
    Ok(())
}

/// All watches after address `$1` and requester `$2`; at most `$3`.
pub(super) const ALL: &str = "SELECT address, requester FROM chain_watches
    WHERE address > $1 OR (address = $1 AND requester > $2) ORDER BY address, requester LIMIT $3";

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, Log};

    use super::*;
    use crate::follower::FollowedTransaction;
    use crate::store::Brought;
    use crate::store::tests::opened;

    const WATCHED: Address = Address::repeat_byte(1);
    const OTHER: Address = Address::repeat_byte(2);

    fn log(address: Address, bytes: usize) -> Log {
        Log::new_unchecked(address, vec![B256::repeat_byte(9)], vec![7; bytes].into())
    }

    /// A block of transactions with these logs.
    fn block(transactions: &[Vec<Log>]) -> FollowedBlock {
        let mut first_log_index = 0;
        let transactions = transactions.iter().zip(0_u64..).map(|(logs, index)| {
            let transaction = FollowedTransaction {
                hash: B256::left_padding_from(&index.to_be_bytes()),
                index,
                from: OTHER,
                to: None,
                nonce: index,
                is_success: true,
                gas_used: 21_000,
                created_address: None,
                revert_data: None,
                first_log_index,
                logs: logs.clone(),
            };
            first_log_index += logs.len() as u64;
            transaction
        });
        let transactions = transactions.collect();
        let (hash, parent_hash) = (B256::repeat_byte(5), B256::repeat_byte(4));
        FollowedBlock { number: 5, hash, parent_hash, timestamp_seconds: 7, transactions }
    }

    fn indices(runs: &[LogRun]) -> Vec<Vec<u64>> {
        runs.iter().map(|run| run.seen.logs.iter().map(|log| log.index).collect()).collect()
    }

    #[test]
    fn logs_of_watched_contracts_are_told_in_order_in_runs_that_fit_an_event() {
        let watched = BTreeSet::from([WATCHED]);
        let some = block(&[
            vec![log(WATCHED, 1), log(WATCHED, 1), log(OTHER, 1), log(WATCHED, 1)],
            vec![log(OTHER, 1)],
            vec![log(WATCHED, 1)],
        ]);
        assert_eq!(indices(&runs(&some, &watched, 0)), [vec![0, 1], vec![3], vec![5]]);
        assert_eq!(indices(&runs(&some, &watched, 1)), [vec![1], vec![3], vec![5]]);
        let both = runs(&some, &BTreeSet::from([WATCHED, OTHER]), 0);
        assert_eq!(both.iter().map(|run| run.below).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
        // Long ones share no event, and one that fits none is without its data.
        let long =
            block(&[vec![log(WATCHED, 11_000), log(WATCHED, 11_000), log(WATCHED, 11_000), log(WATCHED, 40_000)]]);
        let long = runs(&long, &watched, 0);
        assert_eq!(indices(&long), [vec![0, 1], vec![2, 3]]);
        assert!(long[0].seen.encode().is_ok() && long[1].seen.logs[1].data.is_none());
    }

    #[tokio::test]
    async fn a_block_with_more_logs_than_a_unit_holds_is_told_once_wherever_this_ends() {
        let watched = BTreeSet::from([WATCHED, OTHER]);
        // Each run has one log, so that they fill several units of work.
        let many = block(&[(0..700).map(|index| log(if index % 2 == 0 { WATCHED } else { OTHER }, 1)).collect()]);
        let (from, to) = (Cursor { number: 4, hash: many.parent_hash }, many.cursor());
        for polls in 0..12 {
            let folder = tempfile::tempdir().unwrap();
            let store = opened(&folder).await;
            store.begin_cursor(from).await.unwrap();
            let brought = async || {
                let logs_from = store.logs_below(from).await.unwrap();
                Brought { ends: Vec::new(), logs: runs(&many, &watched, logs_from), logs_from }
            };
            let first = brought().await;
            let mut settling = std::pin::pin!(store.settle_block(&first, from, to));
            let mut left = 20 * polls;
            // It is given up after so many polls, as it is where this process dies.
            let _ = std::future::poll_fn(|context| {
                left -= 1;
                match settling.as_mut().poll(context) {
                    std::task::Poll::Pending if left < 0 => std::task::Poll::Ready(None),
                    polled => polled.map(Some),
                }
            })
            .await;
            while store.cursor().await.unwrap() != to {
                let _ = store.settle_block(&brought().await, from, to).await.unwrap();
            }
            let mut told = Vec::new();
            for event in store.journal().published_after(messages::Position::START, 1_000).await.unwrap() {
                let (event_type, version) = (&event.metadata.event_type, event.metadata.type_version);
                let seen = LogsSeen::decode(event_type, version, &event.payload).unwrap();
                told.extend(seen.logs.iter().map(|log| log.index));
            }
            assert_eq!(told, (0..700).collect::<Vec<u64>>(), "given up after {polls}");
            assert_eq!(store.logs_below(to).await.unwrap(), 0);
        }
    }
}
