//! The end of idempotency keys: those whose effect is final are removed some time after their last change.

use std::time::Duration;

use messages::Timestamp;

use crate::consumer::chain;
use crate::retry::RETRY;
use crate::store::{Store, StoreError};
use crate::task::{Stop, Task};

/// How many keys one transaction removes at most: the appender waits for it.
pub const EXPIRY_BATCH_KEYS_MAX: usize = 1_000;

/// How long keys are kept, and how often the old ones are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// How long a key is kept after its effect became final. A client that repeats later has a second effect.
    pub kept: Duration,
    /// How often old keys are looked for.
    pub interval: Duration,
}

/// Removes old keys in the background, by the store's clock.
pub fn start_expiry(store: &Store, expiry: Expiry) -> Task<StoreError> {
    let store = store.clone();
    Task::start(move |stop| async move { expire_keys(&store, expiry, &stop).await })
}

/// Removes old keys until it is stopped.
///
/// # Errors
///
/// If the store is closed or damaged.
///
/// # Cancel safety
///
/// It may be dropped anywhere.
pub async fn expire_keys(store: &Store, expiry: Expiry, stop: &Stop) -> Result<(), StoreError> {
    let mut failures = 0;
    while !stop.is_requested() {
        match expire_once(store, expiry.kept, stop).await {
            Ok(removed) => {
                failures = 0;
                if removed > 0 {
                    tracing::info!(removed, "old idempotency keys were removed");
                }
                let next = store.clock().now().after(expiry.interval);
                tokio::select! {
                    () = stop.requested() => {}
                    () = store.clock().wait_until(next) => {}
                }
            }
            Err(error) if error.is_transient() => {
                failures += 1;
                tracing::warn!(error = %chain(&error), failures, "old idempotency keys could not be removed");
                stop.or_after(RETRY.wait(failures, store.entropy())).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Removes all keys that are old now, in batches.
async fn expire_once(store: &Store, kept: Duration, stop: &Stop) -> Result<u64, StoreError> {
    let kept_us = i64::try_from(kept.as_micros()).unwrap_or(i64::MAX);
    let before = Timestamp::from_micros(store.clock().now().micros().saturating_sub(kept_us));
    let mut removed = 0;
    while !stop.is_requested() {
        let batch = store.expire_keys(before, EXPIRY_BATCH_KEYS_MAX).await?;
        removed += batch;
        if batch == 0 {
            break;
        }
    }
    Ok(removed)
}
