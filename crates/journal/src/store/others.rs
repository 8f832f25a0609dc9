//! Other processes' commits on a store that several share: one task per store listens, and wakes whoever follows the log here.
//!
//! Notices may be lost. The head is therefore read from time to time too, and whoever follows reads the log, not the notice.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use messages::Position;
use tokio::sync::watch;

use super::postgres::ForeignCommits;
use super::{Backend, Shared, Store, StoreError};
use crate::appender::Committed;

/// How often the head is read without any notice.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

impl Store {
    /// Makes [`Store::committed`] tell of other processes' commits too. A SQLite store has no others.
    pub(crate) fn listen_to_others(&self) {
        if matches!(*self.shared.backend, Backend::Sqlite(_)) {
            return;
        }
        let mut others = self.shared.others.lock();
        if others.is_none() {
            let (backend, committed) = (Arc::clone(&self.shared.backend), self.shared.committed.clone());
            *others = Some(tokio::spawn(listen(backend, committed)));
        }
    }

    /// Makes whoever waits for timers look again, without one having changed.
    pub(crate) fn wake_timers(&self) {
        self.shared.committed.send_modify(|committed| committed.timer_changes += 1);
    }
}

impl Shared {
    pub(super) fn stop_listening(&self) {
        if let Some(listening) = self.others.lock().take() {
            listening.abort();
        }
    }
}

/// Listens until it is aborted.
async fn listen(backend: Arc<Backend>, committed: watch::Sender<Committed>) {
    let Backend::Postgres(postgres) = &*backend else { return };
    loop {
        match postgres.foreign_commits().await {
            Ok(commits) => {
                if let Err(error) = pass_on(commits, &backend, &committed).await {
                    tracing::warn!(error = %error, "other processes' commits are not heard, connecting anew");
                }
            }
            Err(error) => tracing::warn!(error = %error, "other processes' commits cannot be heard"),
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        look(&backend, &committed).await;
    }
}

async fn pass_on(
    mut commits: ForeignCommits,
    backend: &Backend,
    committed: &watch::Sender<Committed>,
) -> Result<(), StoreError> {
    loop {
        look(backend, committed).await;
        let mut next = pin!(commits.next());
        loop {
            match tokio::time::timeout(POLL_INTERVAL, &mut next).await {
                Ok(told) => break told?,
                Err(_) => look(backend, committed).await,
            }
        }
    }
}

/// Reads the head. Timers may have changed too: whoever waits for the next one looks again.
async fn look(backend: &Backend, committed: &watch::Sender<Committed>) {
    let position = backend.head().await.map_or(Position::START, |head| head.position);
    committed.send_modify(|committed| {
        committed.position = committed.position.max(position);
        committed.timer_changes += 1;
    });
}
