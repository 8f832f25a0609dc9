//! Ctrl-C and SIGTERM for long work that says how far it has come: it ends at its next word, and leaves nothing half done.

use crate::failure::Failure;
use crate::ledger_command::run::StopSignals;
use crate::printer::{Printer, ProgressLine};
use journal::audit::{OnProgress, Progress};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;

/// The signals, watched from now on. Dropped, they are not watched any more.
#[derive(Debug)]
pub(crate) struct Interruption {
    is_asked: Arc<AtomicBool>,
    line: ProgressLine,
    watching: JoinHandle<()>,
}

impl Interruption {
    /// Watches the signals.
    ///
    /// # Errors
    /// [`Failure`] if the system refuses.
    pub(crate) fn watch(printer: &Printer) -> Result<Self, Failure> {
        let mut signals = StopSignals::take()?;
        let is_asked = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&is_asked);
        let watching = tokio::spawn(async move {
            signals.received().await;
            asked.store(true, Ordering::Relaxed);
        });
        Ok(Self { is_asked, line: printer.progress_line(), watching })
    }

    /// Shows the progress of `what`, and ends the work once somebody asked.
    pub(crate) fn on_progress(&self, what: &str) -> OnProgress {
        let (is_asked, line, what) = (Arc::clone(&self.is_asked), self.line, what.to_owned());
        Box::new(move |progress: Progress| {
            line.show(&format!("{what}: {} of {} events", progress.events, progress.events_total));
            if is_asked.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        self.watching.abort();
    }
}
