//! `lastro ledger run`: opens, seals, serves, until it is told to stop.

use super::data_dir_failure;
use crate::cli::LedgerRun;
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use ledger::data_dir::DataDir;
use ledger::node::{Ledger, NodeOptions, OpenError, SealError, Sealer};
use ledger::rpc::{RpcOptions, ServeError, Served, ServerLimits, module, serve_http, serve_ws};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The chain id of the embedded profile: the only one whose blocks may come faster than Besu's production rules allow.
pub(crate) const EMBEDDED_CHAIN_ID: u64 = 1337;

pub(super) fn run(arguments: &LedgerRun, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
    runtime.block_on(serve(arguments, printer))
}

async fn serve(arguments: &LedgerRun, printer: &Printer) -> Result<(), Failure> {
    let (ledger, sealer) = open(&arguments.data_dir.path, arguments.block_period, printer)?;
    let (http, ws) = listen(&ledger, arguments.http, arguments.ws).await?;
    let mut signals = StopSignals::take()?;
    let sealing = sealer.start();
    printer.line(&format!("listening http http://{}", http.address()));
    printer.line(&format!("listening ws ws://{}", ws.address()));
    printer.json(&json!({
        "http": format!("http://{}", http.address()),
        "ws": format!("ws://{}", ws.address()),
        "chainId": ledger.chain_id(),
        "head": ledger.head().number,
    }));
    let failed = wait_for_end(&ledger, &mut signals).await;
    http.stop().await;
    ws.stop().await;
    sealing.stop();
    match failed {
        None => {
            printer.note(&format!("stopped at block {}", ledger.head().number));
            Ok(())
        }
        Some(error) => Err(Failure::new(FailureKind::Environment, error)
            .with_hint("check the disk, then run again: whatever was final is still there")),
    }
}

/// Opens a ledger and says what was found.
fn open(path: &Path, period: Option<Duration>, printer: &Printer) -> Result<(Ledger, Sealer), Failure> {
    let mut data_dir = DataDir::open(path).map_err(data_dir_failure)?;
    if let Some(period) = period {
        check_period(&data_dir, period)?;
        data_dir.set_block_period(period).map_err(data_dir_failure)?;
    }
    let (ledger, sealer) = open_with(data_dir, NodeOptions::default(), printer)?;
    let (id, head, period) = (ledger.chain_id(), ledger.head().number, ledger.block_period());
    printer.note(&format!("chain {id} at block {head}, a block every {period:?}, sealed by {}", ledger.validator()));
    Ok((ledger, sealer))
}

/// Opens a ledger and says what had to be dropped.
pub(crate) fn open_with(
    data_dir: DataDir,
    options: NodeOptions,
    printer: &Printer,
) -> Result<(Ledger, Sealer), Failure> {
    let (ledger, recovered, sealer) = Ledger::open(data_dir, options).map_err(open_failure)?;
    if let Some(tail) = &recovered.dropped_tail {
        printer.warning(&format!("dropped {tail}: the process died while writing it, it was never final"));
    }
    Ok((ledger, sealer))
}

/// Refuses what Besu's rules refuse, but on the embedded profile's chain.
///
/// # Errors
/// [`FailureKind::Usage`].
pub(crate) fn check_period(data_dir: &DataDir, period: Duration) -> Result<(), Failure> {
    let chain_id = data_dir.genesis().config.chain_id;
    if period >= Duration::from_secs(1) || chain_id == EMBEDDED_CHAIN_ID {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "a block period of {period:?} is outside Besu's rules; chain {chain_id} cannot have it, only the embedded \
         profile's chain {EMBEDDED_CHAIN_ID} can"
    );
    Err(Failure::new(FailureKind::Usage, error).with_hint("take `--block-period 1s` or longer"))
}

/// A failure to open the log.
fn open_failure(error: OpenError) -> Failure {
    let hint = match &error {
        OpenError::Log { hint, .. } => {
            hint.or(Some("bring the log back as it was, or the data directory from a backup"))
        }
        OpenError::StateRoot { .. } | OpenError::Head(_) => Some("bring the data directory back from a backup"),
    };
    Failure::new(FailureKind::Environment, error).with_hint_if(hint)
}

/// Opens both sockets.
pub(crate) async fn listen(ledger: &Ledger, http: SocketAddr, ws: SocketAddr) -> Result<(Served, Served), Failure> {
    let module = module(ledger.clone(), RpcOptions::default());
    let limits = ServerLimits::default();
    let http = serve_http(module.clone(), http, limits).await.map_err(serve_failure)?;
    let ws = serve_ws(module, ws, limits).await.map_err(serve_failure)?;
    Ok((http, ws))
}

fn serve_failure(error: ServeError) -> Failure {
    let option = if error.protocol == "http" { "--http" } else { "--ws" };
    let hint = error.is_in_use().then(|| format!("another process listens there; choose another with `{option}`"));
    let failure = Failure::new(FailureKind::Environment, error);
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// Ctrl-C and SIGTERM. From the moment that this exists they no longer end the process, so it is made before anything is
/// announced, and waited for by whoever made it.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// [`Failure`] if the system refuses.
    pub(crate) fn take() -> Result<Self, Failure> {
        let taken = |kind| signal(kind).map_err(|error| Failure::new(FailureKind::Environment, error));
        Ok(Self { interrupt: taken(SignalKind::interrupt())?, terminate: taken(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    ///
    /// # Cancel safety
    /// Can be dropped and called again: no signal is lost.
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for a signal or the end of sealing; the latter is returned.
pub(crate) async fn wait_for_end(ledger: &Ledger, signals: &mut StopSignals) -> Option<Arc<SealError>> {
    tokio::select! {
        () = signals.received() => None,
        error = ledger.failed() => Some(error),
    }
}
