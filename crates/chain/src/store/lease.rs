//! Who may try to be a lane's holder, where several processes share a store.

use std::time::Duration;

use alloy_primitives::Address;
use journal::{Place, Statement, UnitOfWork};
use tokio::task::JoinHandle;

use super::rows::{bytes, number};
use super::{Store, StoreError};

/// How long a lane stays a holder's that does not renew its lease: what a takeover waits for at most, after a crash.
pub const LEASE: Duration = Duration::from_secs(3);

/// How often leases are renewed: twice may fail before one runs out.
const RENEWAL: Duration = Duration::from_secs(1);

/// The database's clock, in microseconds since 1970. Holders on several machines have no other clock in common.
macro_rules! now_us {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

const TAKE: &str =
    "INSERT INTO chain_lanes (sender, next_nonce, fence, holder, leased_until_us) VALUES ($1, $2, 1, $3, $4)
    ON CONFLICT (sender) DO UPDATE SET fence = chain_lanes.fence + 1, holder = excluded.holder,
        next_nonce = CASE WHEN chain_lanes.next_nonce < excluded.next_nonce THEN excluded.next_nonce
            ELSE chain_lanes.next_nonce END";

const TAKE_SHARED: &str = concat!(
    "INSERT INTO chain_lanes (sender, next_nonce, fence, holder, leased_until_us) VALUES ($1, $2, 1, $3, ",
    now_us!(),
    " + $4) ON CONFLICT (sender) DO UPDATE SET fence = chain_lanes.fence + 1, holder = excluded.holder, \
        leased_until_us = excluded.leased_until_us, \
        next_nonce = CASE WHEN chain_lanes.next_nonce < excluded.next_nonce THEN excluded.next_nonce \
            ELSE chain_lanes.next_nonce END \
      WHERE chain_lanes.holder = excluded.holder OR chain_lanes.leased_until_us < ",
    now_us!()
);

const RENEW: &str = concat!("UPDATE chain_lanes SET leased_until_us = ", now_us!(), " + $2 WHERE holder = $1");

const RELEASE: &str = "UPDATE chain_lanes SET leased_until_us = 0 WHERE holder = $1";

/// This process as a holder of lanes.
pub(super) struct Lease {
    holder: [u8; 16],
    /// Renews the leases; there where other processes may want the lanes.
    renewing: Option<JoinHandle<()>>,
}

impl Lease {
    pub(super) fn new(journal: &journal::Store) -> Self {
        let mut holder = [0; 16];
        journal.entropy().fill(&mut holder);
        let renewing = match journal.place() {
            // The store's lock keeps others away.
            Place::Sqlite { .. } => None,
            Place::Postgres { .. } => Some(tokio::spawn(renew(journal.clone(), holder))),
        };
        Self { holder, renewing }
    }

    /// What this process calls itself: random bytes, anew each time that the store is opened.
    pub(super) fn holder(&self) -> [u8; 16] {
        self.holder
    }

    /// Takes a lane that is free, ours, or whose lease has run out.
    pub(super) fn take(&self, sender: Address, nonce_min: u64) -> Result<Statement, StoreError> {
        let (sql, lease_us) = if self.renewing.is_some() { (TAKE_SHARED, micros(LEASE)) } else { (TAKE, 0) };
        Ok(Statement {
            sql,
            parameters: vec![bytes(sender), number(nonce_min)?, bytes(self.holder), number(lease_us)?],
            rows_expected: Some(1),
        })
    }

    /// Gives all lanes free at once.
    pub(super) async fn release(&self, store: &Store) {
        let Some(renewing) = &self.renewing else { return };
        renewing.abort();
        let mut unit = UnitOfWork::new();
        let _ = unit.statement(Statement { sql: RELEASE, parameters: vec![bytes(self.holder)], rows_expected: None });
        if let Err(error) = store.run(unit).await {
            tracing::warn!(%error, "the lanes are not given free, others wait for the leases to run out");
        }
    }

    /// Stops renewing, as a process does that is stopped for a while.
    #[cfg(test)]
    pub(super) fn freeze(&self) {
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renewing) = &self.renewing {
            renewing.abort();
        }
    }
}

/// Renews the holder's leases until it is aborted. A renewal that fails is tried again in its turn: what counts is the token.
async fn renew(journal: journal::Store, holder: [u8; 16]) {
    let mut turn = tokio::time::interval(RENEWAL);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let _ = turn.tick().await;
        let mut unit = UnitOfWork::new();
        let parameters = vec![bytes(holder), journal::Parameter::Integer(micros(LEASE).cast_signed())];
        let _ = unit.statement(Statement { sql: RENEW, parameters, rows_expected: None });
        if let Err(error) = journal.append(unit).await {
            tracing::warn!(%error, "the leases of lanes were not renewed");
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
