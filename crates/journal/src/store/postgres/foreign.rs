//! Tells when other processes committed events, so that feeds are woken instead of polled.
//!
//! A notice is a hint: it may be lost with its connection, and nobody's correctness rests on it.

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use super::Appender;
use super::connection::READER_WAIT_MAX;
use crate::store::StoreError;
use crate::store::rows::failed;

/// What a process sends with its notice: its identifier, by which it passes over its own.
pub(super) fn sender(appender_id: &[u8; 16]) -> String {
    uuid::Uuid::from_bytes(*appender_id).simple().to_string()
}

/// Waits for other processes' commits on one store.
#[derive(Debug)]
pub(crate) struct ForeignCommits {
    options: PgConnectOptions,
    appender: Arc<Appender>,
    listener: Option<PgListener>,
}

impl ForeignCommits {
    pub(super) async fn listen(options: PgConnectOptions, appender: &Arc<Appender>) -> Result<Self, StoreError> {
        let mut commits = Self { options, appender: Arc::clone(appender), listener: None };
        commits.connect().await?;
        Ok(commits)
    }

    /// Waits until another process committed events, or may have done so: whoever was cut off and listens again looks at the
    /// feed. Look at it once after [`super::PostgresBackend::foreign_commits`], too.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached; the next call connects anew.
    ///
    /// # Cancel safety
    ///
    /// A notice may be lost if it is dropped: look at the feed after it.
    pub(crate) async fn next(&mut self) -> Result<(), StoreError> {
        loop {
            let Some(mut listener) = self.listener.take() else {
                return self.connect().await;
            };
            match listener.try_recv().await.map_err(failed("listen for commits"))? {
                Some(notice) if notice.payload() == sender(&self.appender.id) => self.listener = Some(listener),
                Some(_) => {
                    self.listener = Some(listener);
                    return Ok(());
                }
                None => return self.connect().await,
            }
        }
    }

    async fn connect(&mut self) -> Result<(), StoreError> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(READER_WAIT_MAX)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(failed("connect to listen for commits"))?;
        listener.eager_reconnect(false);
        listener.listen(&self.appender.channel).await.map_err(failed("listen for commits"))?;
        self.listener = Some(listener);
        Ok(())
    }
}
