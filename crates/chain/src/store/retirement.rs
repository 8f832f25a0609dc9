//! Retirements of keys beside their lanes. The statement that stores a signed transaction looks at them, as it looks at pauses.

use alloy_primitives::Address;
use custody::policy::{Approval, Spent};
use journal::store::Migration;
use journal::{Parameter, Statement, UnitOfWork, Value};
use messages::Timestamp;

use super::rows::{Bar, Cells, bytes, damaged, number, text};
use super::spent::amounts_text;
use super::{LaneEvent, PolicyMark, Store, StoreError, requests};
use crate::retirement::KeyRetirement;

/// What retirements need of the tables.
pub(super) const TABLES: Migration = Migration {
    version: 4,
    sql: "
    -- The end of a key: by whose order and why nothing new is stored in its lane, and since when. While `retired_us` is 0 it is
    -- begun, something may be open, and nothing new is stored in the lane of the `successor` either; that is empty if there is none.
    CREATE TABLE chain_retirements (
        sender BYTEA NOT NULL PRIMARY KEY, successor BYTEA NOT NULL, reason TEXT NOT NULL, who TEXT NOT NULL,
        begun_us BIGINT NOT NULL, retired_us BIGINT NOT NULL);
    CREATE INDEX chain_retirements_successor ON chain_retirements (successor)",
};

/// Selects retirements; what follows is the condition.
macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT sender, successor, reason, who, begun_us, retired_us FROM chain_retirements ", $rest)
    };
}

const OF: &str = select!("WHERE sender = $1");
const OPEN_BEFORE: &str = select!("WHERE successor = $1 AND retired_us = 0 ORDER BY sender LIMIT 1");
/// Those after `$1`, by address; at most `$2`.
pub(super) const ALL: &str = select!("WHERE sender > $1 ORDER BY sender LIMIT $2");

/// What a successor has spent, without its predecessor's part and with it.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) before: Spent,
    pub(crate) after: Spent,
}

impl Store {
    /// The key's retirement, begun or finished.
    pub(crate) async fn retirement_of(&self, sender: Address) -> Result<Option<KeyRetirement>, StoreError> {
        self.read(OF, &[bytes(sender)]).await?.into_iter().next().map(read).transpose()
    }

    /// A retirement that is begun, and whose successor this is.
    pub(crate) async fn predecessor_of(&self, sender: Address) -> Result<Option<KeyRetirement>, StoreError> {
        self.read(OPEN_BEFORE, &[bytes(sender)]).await?.into_iter().next().map(read).transpose()
    }

    /// Retirements by address, at most `limit`.
    pub(crate) async fn retirements(&self, limit: i64) -> Result<Vec<KeyRetirement>, StoreError> {
        let parameters = [Parameter::Bytes(Vec::new()), Parameter::Integer(limit)];
        self.read(ALL, &parameters).await?.into_iter().map(read).collect()
    }

    /// Why nothing new may be stored in the lane, if so.
    pub(crate) async fn bar(&self, sender: Address) -> Result<Option<Bar>, StoreError> {
        if let Some(retired) = self.retirement_of(sender).await?.filter(|stored| stored.retired.is_some()) {
            return Ok(Some(Bar::Retired(Box::new(retired))));
        }
        if let Some(before) = self.predecessor_of(sender).await? {
            return Ok(Some(Bar::Awaits { predecessor: before.sender }));
        }
        Ok(self.pause_of(sender).await?.map(|pause| Bar::Paused { reason: pause.reason }))
    }

    /// Notes that the retirement is begun, if the lane is paused, the key's policy is what was asked, and neither the key nor its
    /// successor is part of another one that this would cross; says whether it did.
    pub(crate) async fn begin_retirement(
        &self,
        begun: &KeyRetirement,
        policy: Option<PolicyMark>,
        approvals: &[Approval],
    ) -> Result<bool, StoreError> {
        let mut unit = self.telling(begun.sender, &[LaneEvent::retirement_begun(begun, policy, approvals)])?;
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_retirements (sender, successor, reason, who, begun_us, retired_us)
                  SELECT $1, $2, $3, $4, $5, 0
                  WHERE EXISTS (SELECT 1 FROM chain_lanes WHERE sender = $1 AND paused <> '')
                  AND COALESCE((SELECT hash FROM chain_policies WHERE sender = $1), $6) = $6
                  AND NOT EXISTS (SELECT 1 FROM chain_retirements WHERE sender = $2 OR (successor = $1 AND retired_us = 0))
                  ON CONFLICT (sender) DO NOTHING",
            parameters: vec![
                bytes(begun.sender),
                address_or_none(begun.successor),
                text(&begun.reason),
                text(&begun.who),
                Parameter::Integer(begun.begun.micros()),
                Parameter::Bytes(policy.map(|mark| mark.hash.to_vec()).unwrap_or_default()),
            ],
            rows_expected: Some(1),
        });
        self.run(unit).await
    }

    /// Notes that the key is retired, if that was begun, the lane is paused and nothing in it is open; says whether it did. Whoever
    /// holds the successor's lane reads it anew before the next signature, so that what is carried is counted.
    pub(crate) async fn finish_retirement(
        &self,
        retired: &KeyRetirement,
        carried: Option<&Carried>,
    ) -> Result<bool, StoreError> {
        let at = retired.retired.ok_or_else(|| damaged("retirement", "it has no time"))?;
        let mut unit =
            self.telling(retired.sender, &[LaneEvent::key_retired(retired, carried.map(|one| &one.after))])?;
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_retirements SET retired_us = $2 WHERE sender = $1 AND begun_us = $3 AND retired_us = 0
                  AND EXISTS (SELECT 1 FROM chain_lanes WHERE sender = $1 AND paused <> '')
                  AND NOT EXISTS (SELECT 1 FROM chain_intents WHERE sender = $1 AND state IN ('sent', 'cancelling'))",
            parameters: vec![
                bytes(retired.sender),
                Parameter::Integer(at.micros()),
                Parameter::Integer(retired.begun.micros()),
            ],
            rows_expected: Some(1),
        });
        if let Some(successor) = retired.successor {
            let _ = unit.statement(Statement {
                sql: "UPDATE chain_lanes SET fence = fence + 1 WHERE sender = $1",
                parameters: vec![bytes(successor)],
                rows_expected: None,
            });
            requests::succeeded(&mut unit, retired.sender, successor);
            if let Some(carried) = carried {
                carry(&mut unit, successor, carried)?;
            }
        }
        self.run(unit).await
    }
}

/// Writes what the successor has spent now, if that was what was thought.
fn carry(unit: &mut UnitOfWork, successor: Address, Carried { before, after }: &Carried) -> Result<(), StoreError> {
    let _ = unit.statement(Statement {
        sql: "INSERT INTO chain_spent (sender, latest_s, amounts) VALUES ($1, $2, $3)
              ON CONFLICT (sender) DO UPDATE SET latest_s = excluded.latest_s, amounts = excluded.amounts
              WHERE chain_spent.latest_s = $4",
        parameters: vec![
            bytes(successor),
            number(after.latest.0)?,
            Parameter::Text(amounts_text(after)?),
            number(before.latest.0)?,
        ],
        rows_expected: Some(1),
    });
    Ok(())
}

/// Gives up a retirement that is begun: part of the unit that lifts the lane's pause.
pub(super) fn give_up(unit: &mut UnitOfWork, sender: Address) {
    let _ = unit.statement(Statement {
        sql: "DELETE FROM chain_retirements WHERE sender = $1 AND retired_us = 0",
        parameters: vec![bytes(sender)],
        rows_expected: None,
    });
}

fn address_or_none(address: Option<Address>) -> Parameter {
    Parameter::Bytes(address.map(|address| address.to_vec()).unwrap_or_default())
}

pub(super) fn read(row: Vec<Value>) -> Result<KeyRetirement, StoreError> {
    let mut row = Cells(row.into_iter());
    let (sender, successor) = (row.address()?, row.bytes()?);
    let successor = match successor.len() {
        0 => None,
        _ => Some(Address::try_from(successor.as_slice()).map_err(|error| damaged("successor", error))?),
    };
    let (reason, who, begun, retired_us) = (row.text()?, row.text()?, row.integer()?, row.integer()?);
    let retired = (retired_us != 0).then_some(Timestamp::from_micros(retired_us));
    Ok(KeyRetirement { sender, successor, reason, who, begun: Timestamp::from_micros(begun), retired })
}
