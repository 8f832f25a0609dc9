//! What a key has spent under its policy, and which policy that is, beside the lane's nonce.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256};
use custody::policy::{Policy, Spent, UnixTime};
use journal::{Parameter, Statement, UnitOfWork};

use super::rows::{Cells, bytes, damaged, number};
use super::{PAGE_ROWS_MAX, Store, StoreError};
use crate::store::event::LaneEvent;

/// A policy as it is compared: its number, and the hash of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PolicyMark {
    pub(crate) version: u64,
    pub(crate) hash: B256,
}

impl PolicyMark {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self { version: policy.version(), hash: policy.hash() }
    }
}

/// A function of a contract, and what was spent by it today.
type Amount = (Address, String, U256);

impl Store {
    /// What the key has spent, as far as it still counts.
    pub(crate) async fn spent(&self, sender: Address) -> Result<Spent, StoreError> {
        let sql = "SELECT latest_s, amounts FROM chain_spent WHERE sender = $1";
        let Some(row) = self.read(sql, &[bytes(sender)]).await?.into_iter().next() else { return Ok(Spent::default()) };
        let mut row = Cells(row.into_iter());
        let (latest, amounts) = (UnixTime(row.unsigned()?), row.text()?);
        let amounts: Vec<Amount> = serde_json::from_str(&amounts).map_err(|error| damaged("amount spent", error))?;
        let function = |(contract, selector, amount): Amount| {
            let selector = alloy_primitives::hex::decode_to_array(selector);
            Ok(((contract, selector.map_err(|error| damaged("function's selector", error))?), amount))
        };
        let amounts = amounts.into_iter().map(function).collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        let (mut commands, mut after) = (BTreeMap::new(), Vec::new());
        loop {
            let sql = "SELECT command, until_s FROM chain_spent_commands WHERE sender = $1 AND command > $2
                ORDER BY command LIMIT $3";
            let parameters = [bytes(sender), Parameter::Bytes(after), Parameter::Integer(PAGE_ROWS_MAX)];
            let page = self.read(sql, &parameters).await?;
            let is_last = page.len() < usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX);
            for row in page {
                let mut row = Cells(row.into_iter());
                let _ = commands.insert(row.word()?, UnixTime(row.unsigned()?));
            }
            match commands.last_key_value() {
                Some((last, _)) if !is_last => after = last.to_vec(),
                _ => return Ok(Spent { latest, amounts, commands }),
            }
        }
    }

    /// The policy that the key's transactions were signed under last.
    pub(crate) async fn policy(&self, sender: Address) -> Result<Option<PolicyMark>, StoreError> {
        let found = self.read("SELECT version, hash FROM chain_policies WHERE sender = $1", &[bytes(sender)]).await?;
        let Some(row) = found.into_iter().next() else { return Ok(None) };
        let mut row = Cells(row.into_iter());
        Ok(Some(PolicyMark { version: row.unsigned()?, hash: row.word()? }))
    }

    /// Notes the key's first policy; says whether it did. It does not if the key has one.
    pub(crate) async fn begin_policy(&self, sender: Address, policy: PolicyMark) -> Result<bool, StoreError> {
        let mut unit = self.telling(sender, &[LaneEvent::policy_set(sender, policy)])?;
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_policies (sender, version, hash) VALUES ($1, $2, $3) ON CONFLICT (sender) DO NOTHING",
            parameters: vec![bytes(sender), number(policy.version)?, bytes(policy.hash)],
            rows_expected: Some(1),
        });
        self.run(unit).await
    }

    /// Puts the next policy in the place of the present one, if that is still the present one and the lane is held with this
    /// token; says whether it did.
    pub(crate) async fn change_policy(
        &self,
        sender: Address,
        fence: u64,
        policies: [PolicyMark; 2],
        told: LaneEvent,
        [before, now]: [&Spent; 2],
    ) -> Result<bool, StoreError> {
        let [present, next] = policies;
        let mut unit = self.telling(sender, &[told])?;
        let _ = unit.statement(Statement {
            sql: "UPDATE chain_policies SET version = $2, hash = $3 WHERE sender = $1 AND hash = $4
                  AND EXISTS (SELECT 1 FROM chain_lanes WHERE sender = $1 AND fence = $5)",
            parameters: vec![
                bytes(sender),
                number(next.version)?,
                bytes(next.hash),
                bytes(present.hash),
                number(fence)?,
            ],
            rows_expected: Some(1),
        });
        spend(&mut unit, sender, before, now)?;
        self.run(unit).await
    }
}

/// The amounts of a day as a column holds them.
pub(super) fn amounts_text(spent: &Spent) -> Result<String, StoreError> {
    let amount = |(&(contract, selector), &amount): (&(Address, [u8; 4]), &U256)| -> Amount {
        (contract, alloy_primitives::hex::encode_prefixed(selector), amount)
    };
    let amounts: Vec<Amount> = spent.amounts.iter().map(amount).collect();
    serde_json::to_string(&amounts).map_err(|error| damaged("amount spent", error))
}

/// Writes what is spent now, where `before` was.
pub(super) fn spend(unit: &mut UnitOfWork, sender: Address, before: &Spent, now: &Spent) -> Result<(), StoreError> {
    let _ = unit.statement(Statement {
        sql: "INSERT INTO chain_spent (sender, latest_s, amounts) VALUES ($1, $2, $3)
              ON CONFLICT (sender) DO UPDATE SET latest_s = excluded.latest_s, amounts = excluded.amounts",
        parameters: vec![bytes(sender), number(now.latest.0)?, Parameter::Text(amounts_text(now)?)],
        rows_expected: Some(1),
    });
    let _ = unit.statement(Statement {
        sql: "DELETE FROM chain_spent_commands WHERE sender = $1 AND until_s <= $2",
        parameters: vec![bytes(sender), number(now.latest.0)?],
        rows_expected: None,
    });
    for (command, until) in now.commands.iter().filter(|(command, _)| !before.commands.contains_key(*command)) {
        let _ = unit.statement(Statement {
            sql: "INSERT INTO chain_spent_commands (sender, command, until_s) VALUES ($1, $2, $3)
                  ON CONFLICT (sender, command) DO NOTHING",
            parameters: vec![bytes(sender), bytes(command), number(until.0)?],
            // One that is there was signed before, whatever was thought.
            rows_expected: Some(1),
        });
    }
    Ok(())
}
