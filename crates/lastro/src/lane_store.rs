//! What commands on lanes have in common: the store that they look at, the ledger that it belongs to, and how they wait.

use crate::cli::{LaneStore, LedgerArguments, ProfileArguments, WhoArgument};
use crate::dispatch::CHAIN_FILE;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::rebind::who_does_it;
use crate::journal_command::source::place_with;
use crate::journal_command::{environment, open_failure};
use crate::ledger_command::run::EMBEDDED_CHAIN_ID;
use crate::network_arguments::{node_access, profile, sending_nodes, shipped, way_over};
use crate::printer::Printer;
use anyhow::anyhow;
use chain::{
    Chain, InspectError, Inspection, IntentKey, NetworkProfile, OpenError, OperatorText, Profile, StoreOpenError,
    TransactionDetail,
};
use custody::Custody;
use jiff::Timestamp;
use journal::Place;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the line of progress is written anew.
const PROGRESS_TURN: Duration = Duration::from_millis(250);
/// For networks that no profile with chain ids of its own describes.
const DEFAULT_PROFILE: &str = "besu-private";

/// A store that is looked at, and where it is.
pub(crate) struct Looking {
    pub(crate) inspection: Inspection,
    place: Place,
}

impl Looking {
    /// Opens the store that is named. Nothing is made.
    ///
    /// # Errors
    /// [`Failure`] if there is none, or another process has it.
    pub(crate) async fn open(named: &LaneStore) -> Result<Self, Failure> {
        let place = place_with(&named.store, named.schema.as_deref(), CHAIN_FILE)?;
        let inspection = Inspection::open(&place).await.map_err(inspect_failure)?;
        Ok(Self { inspection, place })
    }

    /// The newest attempt at the key.
    ///
    /// # Errors
    /// [`FailureKind::Usage`] if the key was never used.
    pub(crate) async fn newest(&self, key: &IntentKey) -> Result<TransactionDetail, Failure> {
        let attempts = self.inspection.attempts(key).await.map_err(environment)?;
        attempts.lines.into_iter().next().ok_or_else(|| no_such_intent(key))
    }

    /// The chain of the store's ledger through the node, with what is sent with: the named profile's, or what fits. The store is
    /// closed here and opened there.
    ///
    /// # Errors
    /// [`Failure`] if the profile is another network's, or node and store do not go together.
    pub(crate) async fn chain(
        self,
        ledger: &LedgerArguments,
        custody: impl FnOnce(&Profile) -> Result<Custody, Failure>,
    ) -> Result<Chain, Failure> {
        let Self { inspection, place } = self;
        let chain_id = inspection.chain_id();
        inspection.close().await;
        let way = way_over(&sending_nodes(&ledger.rpc, &node_access(&ledger.access)?)?);
        let profile = sending(&ledger.profile, chain_id)?;
        let custody = Arc::new(custody(&profile)?);
        Chain::open(profile, way, &place, custody).await.map_err(chain_failure)
    }
}

/// What is sent with on the store's chain.
fn sending(arguments: &ProfileArguments, chain_id: u64) -> Result<Profile, Failure> {
    let network = match profile(arguments)? {
        Some(network) => network,
        None => fitting(chain_id)?.clone(),
    };
    network.sending(chain_id).map_err(|error| {
        Failure::new(FailureKind::Usage, error).with_hint("name the profile of the store's network by `--profile`")
    })
}

/// The shipped profile that is for this chain in particular, or the one for any.
fn fitting(chain_id: u64) -> Result<&'static NetworkProfile, Failure> {
    if chain_id == EMBEDDED_CHAIN_ID {
        return Ok(NetworkProfile::embedded());
    }
    let is_its = |profile: &&NetworkProfile| !profile.chains.is_empty() && profile.is_for(chain_id);
    match NetworkProfile::shipped().iter().find(is_its) {
        Some(profile) => Ok(profile),
        None => shipped(DEFAULT_PROFILE),
    }
}

/// A key, as the command line gives it.
pub(crate) fn key_of(text: &str) -> Result<IntentKey, Failure> {
    IntentKey::parse(text).map_err(|error| Failure::new(FailureKind::Usage, error))
}

/// A reason, as the command line gives it.
pub(crate) fn reason_of(text: &str) -> Result<OperatorText, Failure> {
    OperatorText::parse(text)
        .map_err(|error| Failure::new(FailureKind::Usage, error).with_hint("give another `--reason`"))
}

/// Who does it.
pub(crate) fn who_of(argument: &WhoArgument) -> Result<OperatorText, Failure> {
    let who = who_does_it(argument.who.as_deref())?;
    OperatorText::parse(&who).map_err(|error| Failure::new(FailureKind::Usage, error).with_hint("give another `--who`"))
}

/// A time of the store for people, in UTC.
pub(crate) fn moment(time: messages::Timestamp) -> String {
    // A time that no calendar has is shown as it is.
    Timestamp::from_microsecond(time.micros()).map_or_else(|_| time.to_string(), |time| time.to_string())
}

/// Waits with a line of progress that says how long it has been.
pub(crate) async fn waited<F: Future>(printer: &Printer, what: &str, future: F) -> F::Output {
    let (line, began) = (printer.progress_line(), Instant::now());
    let (mut future, mut turn) = (pin!(future), tokio::time::interval(PROGRESS_TURN));
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut future => break ended,
            _ = turn.tick() => line.show(&format!("{what} · {} s", began.elapsed().as_secs())),
        }
    };
    printer.progress_end();
    ended
}

pub(crate) fn no_such_intent(key: &IntentKey) -> Failure {
    let error = anyhow!("the store has no intent `{key}`");
    Failure::new(FailureKind::Usage, error).with_hint("`lastro tx list STORE` names those that it has")
}

/// A node that does not answer.
pub(crate) fn unreachable(error: impl Into<anyhow::Error>) -> Failure {
    Failure::new(FailureKind::Unreachable, error).with_hint("is the node running, and at this URL?")
}

fn inspect_failure(error: InspectError) -> Failure {
    match error {
        InspectError::NoStore { .. } => Failure::new(FailureKind::Usage, error).with_hint(
            "name the `chain.db` of a service, the directory that it lies in, or `postgres://…` with `--schema`",
        ),
        InspectError::Open(error) => store_failure(error),
        InspectError::Read(_) => environment(error),
    }
}

fn store_failure(error: StoreOpenError) -> Failure {
    match error {
        StoreOpenError::Journal(error) => open_failure(error),
        StoreOpenError::OfOtherLedger { .. } => {
            Failure::new(FailureKind::Usage, error).with_hint("name a node of the store's ledger by `--rpc`")
        }
        StoreOpenError::Identity { .. } => environment(error),
    }
}

fn chain_failure(error: OpenError) -> Failure {
    match error {
        OpenError::Node { .. } => unreachable(error),
        OpenError::NoBlock { .. } => {
            Failure::new(FailureKind::Unreachable, error).with_hint("try again when the node has all blocks")
        }
        OpenError::NodeOfOtherChain { .. } | OpenError::NoGenesis => {
            Failure::new(FailureKind::Usage, error).with_hint("name a node of the store's ledger by `--rpc`")
        }
        OpenError::LedgerRewound { .. } => Failure::new(FailureKind::Refused, error)
            .with_hint("find out what became of the ledger: nothing of this store is sent to it any more"),
        OpenError::Store(error) => store_failure(error),
        OpenError::OtherCustody { .. } | OpenError::Read(_) => environment(error),
    }
}
