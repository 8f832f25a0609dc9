//! Rotation of the master key: every living person's key is unwrapped with the former and wrapped with the new one.
//!
//! A process that dies half-way leaves some keys under each. Whoever opens them next must give both master keys, and rotates
//! again: what is done stays done. Only when nothing is left under the former is it retired, and refused from then on.

use messages::Timestamp;

use super::database::Transaction;
use super::errors::{KeysError, OpenKeysError, RotateError};
use super::keys::{PersonKeys, Ring, Shared};
use super::master::{MasterKey, MasterKeyId};
use super::value::PersonId;
use crate::unit::Parameter;

/// How many keys are wrapped anew in one transaction.
const BATCH_ROWS: i64 = 256;

const IN_USE: i64 = 0;
const COMING: i64 = 1;
const RETIRED: i64 = 2;

/// What a rotation has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// The master key that was retired. Destroy it, and the backups that were made with it: then nothing that erasures left behind
    /// anywhere can be unwrapped.
    pub retired: MasterKeyId,
    /// How many keys this run wrapped anew.
    pub rewrapped: u64,
}

/// Enters the master key of a new database, or of a rotation that begins; refuses any other, and any lack of one.
pub(super) async fn take_master(shared: &Shared) -> Result<(), OpenKeysError> {
    let mut transaction = shared.database.begin().await?;
    enter_master(&shared.ring, shared.clock.now(), &mut transaction).await?;
    Ok(transaction.commit().await?)
}

/// As [`take_master`], as part of a transaction.
pub(super) async fn enter_master(
    ring: &Ring,
    now: Timestamp,
    transaction: &mut Transaction,
) -> Result<(), OpenKeysError> {
    const STATES: &str = "SELECT master_id, state FROM master_keys ORDER BY state";
    const ENTER: &str = "INSERT INTO master_keys (master_id, state, changed_us) VALUES ($1, $2, $3)
        ON CONFLICT (master_id) DO NOTHING";
    let found = ring.master.id();
    let mut states = Vec::new();
    for row in transaction.fetch(STATES, vec![]).await? {
        states.push((MasterKeyId::from_bytes(row.array(0)?), row.integer(1)?));
    }
    let state_of = |id: MasterKeyId| states.iter().find(|(known, _)| *known == id).map(|(_, state)| *state);
    let in_use = states.iter().find(|(_, state)| *state == IN_USE).map(|(id, _)| *id);
    let is_rotated_from = ring.former.as_ref().map(MasterKey::id).is_some_and(|former| Some(former) == in_use);
    let enters = match (state_of(found), in_use) {
        (Some(RETIRED), _) => return Err(OpenKeysError::Retired { id: found }),
        (Some(_), _) => None,
        (None, None) => Some(IN_USE),
        (None, Some(_)) if is_rotated_from => Some(COMING),
        (None, Some(expected)) => return Err(OpenKeysError::OtherMaster { expected, found }),
    };
    if let Some(state) = enters {
        let (id, now) = (Parameter::Bytes(found.as_bytes().to_vec()), Parameter::Integer(now.micros()));
        let _ = transaction.execute(ENTER, vec![id, Parameter::Integer(state), now]).await?;
    }
    check_all_at_hand(ring, transaction).await
}

async fn check_all_at_hand(ring: &Ring, transaction: &mut Transaction) -> Result<(), OpenKeysError> {
    const WRAPPERS: &str =
        "SELECT master_id, COUNT(*) FROM person_keys WHERE is_erased = 0 GROUP BY master_id ORDER BY master_id";
    for row in transaction.fetch(WRAPPERS, vec![]).await? {
        let id = MasterKeyId::from_bytes(row.array(0)?);
        if ring.find(id).is_err() {
            return Err(OpenKeysError::MasterMissing { id, persons: u64::try_from(row.integer(1)?).unwrap_or(0) });
        }
    }
    Ok(())
}

impl PersonKeys {
    /// Wraps every living person's key with the new master key and retires the former. `on_progress` gets the number of keys
    /// wrapped so far, after each batch.
    ///
    /// Other processes that use the same keys must have been started with both master keys before: one that has only the former
    /// cannot read what is wrapped anew, and says so.
    ///
    /// # Errors
    ///
    /// See [`RotateError`].
    ///
    /// # Cancel safety
    ///
    /// Whole batches stand. Open with both master keys and rotate again.
    pub async fn rotate(&self, mut on_progress: impl FnMut(u64)) -> Result<Rotation, RotateError> {
        let shared = &self.shared;
        let Some(former) = &shared.ring.former else { return Err(RotateError::NothingToRotate) };
        let mut rewrapped = 0;
        loop {
            match rewrap_batch(shared, former).await? {
                0 if retire(shared, former.id()).await? => break,
                batch => {
                    rewrapped += batch;
                    on_progress(rewrapped);
                }
            }
        }
        // What was overwritten is removed like a key that was erased.
        shared.database.scrub().await?;
        Ok(Rotation { retired: former.id(), rewrapped })
    }
}

async fn rewrap_batch(shared: &Shared, former: &MasterKey) -> Result<u64, KeysError> {
    const LEFT: &str = "SELECT person, wrapped FROM person_keys WHERE master_id = $1 AND is_erased = 0
        ORDER BY person LIMIT $2";
    // An erasure that came between leaves nothing to wrap: its zeros stay.
    const REWRAP: &str = "UPDATE person_keys SET master_id = $1, wrapped = $2
        WHERE person = $3 AND master_id = $4 AND is_erased = 0";
    let bytes = |id: MasterKeyId| Parameter::Bytes(id.as_bytes().to_vec());
    let mut transaction = shared.database.begin().await?;
    let rows = transaction.fetch(LEFT, vec![bytes(former.id()), Parameter::Integer(BATCH_ROWS)]).await?;
    for row in &rows {
        let person = PersonId::from_bytes(row.array(0)?);
        let key = former.unwrap(person, row.bytes(1)?).map_err(|_| KeysError::DoesNotUnwrap { person })?;
        let wrapped = shared.ring.master.wrap(person, &key, &shared.entropy);
        let person = Parameter::Bytes(person.as_bytes().to_vec());
        let parameters = vec![bytes(shared.ring.master.id()), Parameter::Bytes(wrapped), person, bytes(former.id())];
        let _ = transaction.execute(REWRAP, parameters).await?;
    }
    transaction.commit().await?;
    Ok(rows.len() as u64)
}

/// Retires the former master key and puts the new one in use, unless a key was added under the former meanwhile. Whoever adds one
/// holds the master key's row until its transaction ends, so that none can come after.
async fn retire(shared: &Shared, former: MasterKeyId) -> Result<bool, KeysError> {
    const SET: &str = "UPDATE master_keys SET state = $1, changed_us = $2 WHERE master_id = $3";
    const LEFT: &str = "SELECT COUNT(*) FROM person_keys WHERE master_id = $1 AND is_erased = 0";
    let now = shared.clock.now().micros();
    let mut transaction = shared.database.begin().await?;
    for (state, id) in [(RETIRED, former), (IN_USE, shared.ring.master.id())] {
        let id = Parameter::Bytes(id.as_bytes().to_vec());
        let _ = transaction.execute(SET, vec![Parameter::Integer(state), Parameter::Integer(now), id]).await?;
    }
    let left = transaction.fetch(LEFT, vec![Parameter::Bytes(former.as_bytes().to_vec())]).await?;
    let is_empty = left.first().map_or(Ok(0), |row| row.integer(0))? == 0;
    if is_empty {
        transaction.commit().await?;
    }
    Ok(is_empty)
}
