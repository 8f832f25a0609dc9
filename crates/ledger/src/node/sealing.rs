//! The sealing thread: one block after another, a period apart, until it is stopped or the log fails.

use super::sealer::Sealer;
use super::{Ledger, Shared};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// How often transactions that wait for a gap are looked over.
const EXPIRY_PERIOD: Duration = Duration::from_secs(60);

/// The sealing thread. Dropping it stops sealing after the block in work.
#[derive(Debug)]
#[must_use = "sealing stops when this is dropped"]
pub struct Sealing {
    ledger: Ledger,
    thread: Option<JoinHandle<()>>,
}

impl Sealing {
    /// Stops sealing and waits until the block in work is on disk. The data directory is then free.
    pub fn stop(mut self) {
        self.stop_and_join();
    }

    fn stop_and_join(&mut self) {
        *self.ledger.shared.stop.lock() = true;
        let _ = self.ledger.shared.stop_changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the sealer has stopped the process already.
            let _ = thread.join();
        }
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        self.stop_and_join();
    }
}

/// Stops the process if the sealing thread panics: a half-made block must not go on being served.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the sealing thread panicked, the process stops");
            std::process::abort();
        }
    }
}

impl Sealer {
    /// Starts the sealing thread.
    ///
    /// # Panics
    /// If the system cannot start a thread.
    pub fn start(self) -> Sealing {
        let ledger = self.ledger.clone();
        let thread = std::thread::Builder::new().name("sealer".to_owned()).spawn(move || self.run());
        Sealing { ledger, thread: Some(thread.expect("the system starts a thread")) }
    }

    fn run(mut self) {
        let _guard = AbortOnPanic;
        let shared = Arc::clone(&self.ledger.shared);
        let mut due = Instant::now() + first_wait(&shared);
        let mut expiry_due = Instant::now() + EXPIRY_PERIOD;
        info!(data_dir = %self.data_dir.path().display(), validator = %shared.validator, "sealing begins");
        while !shared.wait_until(due) {
            if let Err(failure) = self.seal_next() {
                error!(error = %failure, "sealing stops: what is on disk is unknown");
                let _ = shared.failure.send_replace(Some(Arc::new(failure)));
                return;
            }
            let now = Instant::now();
            // Not before the period is over, and not before the clock has reached the next timestamp: a wake-up that came
            // late must not make the blocks after it run ahead.
            due = (due + shared.block_period).max(now + first_wait(&shared));
            if now >= expiry_due {
                expiry_due = now + EXPIRY_PERIOD;
                let expired = shared.pool.lock().expire(now);
                if expired > 0 {
                    warn!(expired, "transactions waited too long for an earlier nonce and were dropped");
                }
            }
        }
        info!(head = self.ledger.head().number, "sealing ends");
    }
}

/// How long the next block must wait at least: until the period after the head has passed, so that no timestamp lies
/// ahead of the clock; at most one period, should the clock have been set back.
fn first_wait(shared: &Shared) -> Duration {
    let head = shared.chain.read().head().timestamp;
    let earliest = Duration::from_secs(head.saturating_add(shared.block_period.as_secs()));
    let ahead = earliest.saturating_sub(shared.options.clock.since_1970());
    ahead.min(shared.block_period)
}

impl Shared {
    /// Waits until `due` or until the ledger is stopped; true if it was stopped.
    fn wait_until(&self, due: Instant) -> bool {
        let mut stop = self.stop.lock();
        while !*stop {
            if self.stop_changed.wait_until(&mut stop, due).timed_out() {
                break;
            }
        }
        *stop
    }
}
