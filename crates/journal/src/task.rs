//! Work that goes on in the background: it has one owner, who stops it and learns how it ended.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Tells background work to stop at the next place where it waits.
#[derive(Debug, Clone)]
pub struct Stop {
    /// `None` if nobody will ever ask.
    requested: Option<watch::Receiver<bool>>,
}

impl Stop {
    /// One that never comes: for whoever ends the work by dropping its future.
    #[must_use]
    pub const fn never() -> Self {
        Self { requested: None }
    }

    /// Whether the work is to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.as_ref().is_some_and(|requested| *requested.borrow())
    }

    /// Waits until the work is to stop.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if it is dropped.
    pub async fn requested(&self) {
        match &self.requested {
            // An owner who is gone wants nothing any more.
            Some(requested) => drop(requested.clone().wait_for(|requested| *requested).await),
            None => std::future::pending().await,
        }
    }

    /// Waits for a time, or less if the work is to stop.
    pub(crate) async fn or_after(&self, wait: Duration) {
        tokio::select! {
            () = self.requested() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Work that goes on in the background. Dropping it ends the work wherever it stands; [`Self::stop`] lets it finish what it is at.
#[derive(Debug)]
#[must_use = "the work ends with this"]
pub struct Task<E> {
    stop: watch::Sender<bool>,
    work: JoinHandle<Result<(), E>>,
}

impl<E: Send + 'static> Task<E> {
    /// Starts the work.
    pub(crate) fn start<W>(work: impl FnOnce(Stop) -> W) -> Self
    where
        W: Future<Output = Result<(), E>> + Send + 'static,
    {
        let (stop, requested) = watch::channel(false);
        Self { stop, work: tokio::spawn(work(Stop { requested: Some(requested) })) }
    }

    /// Lets the work finish what it is at, and ends it.
    ///
    /// # Errors
    ///
    /// What ended it, if that was before.
    pub async fn stop(self) -> Result<(), E> {
        let _ = self.stop.send_replace(true);
        self.ended().await
    }

    /// Waits until the work ends by itself, which it does for an error only.
    ///
    /// # Errors
    ///
    /// What ended it.
    ///
    /// # Panics
    ///
    /// If the work did.
    pub async fn ended(mut self) -> Result<(), E> {
        match (&mut self.work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down.
            Err(_) => Ok(()),
        }
    }

    /// Whether the work has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.work.is_finished()
    }
}

impl<E> Drop for Task<E> {
    fn drop(&mut self) {
        self.work.abort();
    }
}
