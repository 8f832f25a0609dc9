//! The wait until nothing in a lane is without an end, which a signal or the time may end before.

use crate::cli::{Language, LedgerArguments};
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::environment;
use crate::lane_store::waited;
use crate::ledger_command::run::StopSignals;
use crate::printer::Printer;
use alloy_primitives::Address;
use chain::{Chain, OutcomeError};
use std::fmt;
use std::time::{Duration, Instant};

/// A lane that is to be drained.
pub(crate) struct Waiting<'a> {
    chain: &'a Chain,
    sender: Address,
    wait: Duration,
    signals: StopSignals,
}

/// What a wait has left open.
pub(crate) struct Left {
    pub(crate) open_count: u64,
    /// Whether a signal ended the wait.
    is_stopped: bool,
}

/// Why something is open still.
impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.is_stopped { "the wait was stopped" } else { "the time is up" };
        write!(f, "{why}, without an end are {}", self.open_count)
    }
}

impl<'a> Waiting<'a> {
    /// From here on no signal ends the command before it has said what it left.
    ///
    /// # Errors
    /// [`Failure`] if the system does not give the signals.
    pub(crate) fn of(chain: &'a Chain, sender: Address, ledger: &LedgerArguments) -> Result<Self, Failure> {
        Ok(Self { chain, sender, wait: Duration::from_secs(ledger.wait), signals: StopSignals::take()? })
    }

    /// Waits for the lowest nonce's outcome, then for the next one's, until there is none, the time is up, or a signal comes.
    ///
    /// # Errors
    /// [`Failure`] if the store cannot be read, or the ledger is another.
    pub(crate) async fn until_drained(&mut self, language: Language, printer: &Printer) -> Result<Left, Failure> {
        let (began, open_now) = (Instant::now(), open_now(language));
        loop {
            let open = self.chain.open_of(self.sender).await.map_err(environment)?;
            let Some(lowest) = open.lowest else { return Ok(Left { open_count: 0, is_stopped: false }) };
            let left = self.wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(Left { open_count: open.count, is_stopped: false });
            }
            let what = filled(open_now, &[("count", open.count.to_string())]);
            let ended = tokio::select! {
                biased;
                () = self.signals.received() => {
                    printer.progress_end();
                    return Ok(Left { open_count: open.count, is_stopped: true });
                }
                ended = waited(printer, &what, self.chain.outcome(&lowest, left)) => ended,
            };
            match ended {
                // An outcome whose logs cannot be read is one all the same.
                Ok(_)
                | Err(OutcomeError::TimedOut { .. } | OutcomeError::Logs { .. } | OutcomeError::NoSuchIntent { .. }) => {
                }
                Err(error @ OutcomeError::Stopped { .. }) => return Err(Failure::new(FailureKind::Unknown, error)),
                Err(error @ OutcomeError::Store { .. }) => return Err(environment(error)),
            }
        }
    }
}

/// What is said while the wait lasts.
const fn open_now(language: Language) -> &'static str {
    match language {
        Language::En => "{count} open",
        Language::PtBr => "{count} abertas",
    }
}
