//! Wakes the lanes for which requests wait: one question to the store after its commits, whoever made them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::groups::Groups;
use crate::chain::Core;

/// How long a lane waits at most until it looks by itself, and this for commits: what another process committed may be told late.
const TURN_MAX: Duration = Duration::from_secs(5);

/// The pause after the store could not be read.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// How many times as long as counting takes it rests.
const REST: u32 = 4;

/// How many requests wait for each lane, as counted last.
pub(super) struct Bell(watch::Sender<BTreeMap<Address, u64>>);

impl Bell {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(BTreeMap::new()))
    }

    /// Sees from now on what is counted.
    pub(super) fn hear(&self) -> watch::Receiver<BTreeMap<Address, u64>> {
        self.0.subscribe()
    }
}

/// What a lane that has nothing to do is woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// Requests wait for it.
    Requests,
    /// To see whether all is as it was: requests wait for a sender that no group has, or nobody called for long.
    Look,
}

/// Waits until the sender is called, by what is counted from now on.
pub(super) async fn until_called(
    heard: &mut watch::Receiver<BTreeMap<Address, u64>>,
    sender: Address,
    groups: &Groups,
) -> Call {
    let called = async {
        while heard.changed().await.is_ok() {
            let waiting = heard.borrow_and_update();
            if waiting.contains_key(&sender) {
                return Call::Requests;
            }
            if waiting.keys().any(|sender| !groups.has(*sender)) {
                return Call::Look;
            }
        }
        Call::Look
    };
    timeout(TURN_MAX, called).await.unwrap_or(Call::Look)
}

/// Counts after each commit, until it is dropped.
pub(super) async fn ring(core: Arc<Core>, groups: Arc<Groups>, bell: Arc<Bell>) {
    let mut committed = core.store.journal().committed_by_all();
    loop {
        let began = Instant::now();
        // Marked as seen before it is counted: what is committed meanwhile wakes again.
        let _ = committed.borrow_and_update();
        match core.store.waiting_counts().await {
            Ok(counts) => {
                let waiting: BTreeMap<Address, u64> = counts.into_iter().collect();
                groups.weigh(&waiting);
                let is_silent = waiting.is_empty();
                let _ = bell.0.send_if_modified(|known| {
                    *known = waiting;
                    !is_silent
                });
            }
            Err(error) => {
                tracing::warn!(%error, "waiting requests cannot be counted, trying on");
                tokio::time::sleep(STORE_PAUSE).await;
                continue;
            }
        }
        // Many that wait take long to count, and lanes with many need no waking.
        tokio::time::sleep(began.elapsed() * REST).await;
        if matches!(timeout(TURN_MAX, committed.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}
