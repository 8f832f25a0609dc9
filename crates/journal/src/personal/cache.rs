//! Keys of persons in memory: few, for a short time, and never one whose person was erased here.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use messages::{TenantId, Timestamp};
use parking_lot::Mutex;

use super::cipher::CipherKey;
use super::value::PersonId;

/// The most keys that are kept in memory.
pub const KEPT_KEYS_MAX: usize = 4_096;

/// How long a key is kept in memory without a look at its row: so long at most another process still reads what was erased.
pub const KEY_KEPT_MAX: Duration = Duration::from_secs(30);

/// A key that may be used.
#[derive(Debug, Clone)]
pub(super) struct KeptKey {
    pub(super) tenant: TenantId,
    pub(super) key: Arc<CipherKey>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<PersonId, (Timestamp, KeptKey)>,
    /// In the order in which they were put in.
    order: VecDeque<PersonId>,
    /// Counts erasures.
    generation: u64,
}

/// The keys in memory.
#[derive(Default)]
pub(super) struct KeyCache(Mutex<Kept>);

impl KeyCache {
    pub(super) fn get(&self, person: PersonId, now: Timestamp) -> Option<KeptKey> {
        let mut kept = self.0.lock();
        let (since, key) = kept.keys.get(&person)?;
        // A clock that was set back makes a key old too.
        if now < *since || now >= since.after(KEY_KEPT_MAX) {
            let _ = kept.keys.remove(&person);
            return None;
        }
        Some(key.clone())
    }

    /// To be asked before a row is read, and given to [`Self::put`]: what was read before an erasure is not kept after it.
    pub(super) fn generation(&self) -> u64 {
        self.0.lock().generation
    }

    pub(super) fn put(&self, person: PersonId, key: KeptKey, now: Timestamp, generation: u64) {
        let mut kept = self.0.lock();
        if kept.generation != generation {
            return;
        }
        if kept.keys.insert(person, (now, key)).is_none() {
            kept.order.push_back(person);
        }
        while kept.order.len() > KEPT_KEYS_MAX {
            let oldest = kept.order.pop_front();
            drop(oldest.and_then(|oldest| kept.keys.remove(&oldest)));
        }
    }

    pub(super) fn forget(&self, person: PersonId) {
        let mut kept = self.0.lock();
        kept.generation += 1;
        let _ = kept.keys.remove(&person);
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCache({} keys)", self.0.lock().keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> KeptKey {
        KeptKey { tenant: TenantId::parse("bank_a").unwrap(), key: Arc::new(CipherKey::blank()) }
    }

    fn person(number: usize) -> PersonId {
        PersonId::from_bytes((number as u128).to_be_bytes())
    }

    #[test]
    fn a_key_is_kept_for_a_time_and_by_a_limit() {
        let cache = KeyCache::default();
        let begin = Timestamp::from_micros(1_000_000);
        for number in 0..=KEPT_KEYS_MAX {
            cache.put(person(number), key(), begin, 0);
        }
        assert!(cache.get(person(0), begin).is_none());
        assert!(cache.get(person(1), begin.after(KEY_KEPT_MAX - Duration::from_micros(1))).is_some());
        assert!(cache.get(person(1), begin.after(KEY_KEPT_MAX)).is_none());
        assert!(cache.get(person(2), Timestamp::from_micros(0)).is_none());
        assert_eq!(format!("{cache:?}"), format!("KeyCache({} keys)", KEPT_KEYS_MAX - 2));
    }

    #[test]
    fn what_was_read_before_an_erasure_is_not_kept_after_it() {
        let cache = KeyCache::default();
        let (now, generation) = (Timestamp::from_micros(0), cache.generation());
        cache.forget(person(1));
        cache.put(person(1), key(), now, generation);
        assert!(cache.get(person(1), now).is_none());
    }
}
