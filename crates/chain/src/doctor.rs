//! The doctor: what is wrong, or will be, with a node or a network that the platform is to work on.
//!
//! ```text
//!  nodes ──► probe (asks, reads only) ──► Observation (data) ──► judgement (pure) ──► Finding: check, trap, severity, facts
//!                                              │
//!                                              └──► expectation (pure) ──► Line: what a profile expects, what was seen
//! ```
//!
//! * **Nothing is sent but reads.** Rules are found by running a few instructions with `eth_call`.
//! * **What could not be seen is said**, with its reason: [`Verdict::NotSeen`]. No check is dropped.
//! * **Judgement asks nobody.** Everything that it needs is in the [`Observation`]s, so that a test can write them down.
//! * **Codes are a contract** ([`Check`], [`Trap`]); words and cures are whoever's who prints.
//! * **It ends.** Each question, each node and each list has a limit, and an answer that is no answer is a finding.
//!
//! Faults of releases are a table, [`KNOWN_FAULTS`]; every trap names its evidence.
//!
//! Tested by a scripted node that answers like Besu with one trap at a time, by properties of judgement, and through the binary
//! against the embedded ledger.

mod ask;
mod date;
mod evm;
mod expectation;
mod finding;
mod judgement;
mod observation;
mod probe;
mod seal;
#[cfg(test)]
mod tests;
mod version;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;

pub use self::expectation::{Agreement, Item, Line, Shown, compare};
pub use self::finding::{Check, Facts, Finding, Severity, Trap, Verdict};
pub use self::judgement::judge;
pub use self::observation::{
    Nothing, Observation, Seen, SeenBlock, SeenLogRange, SeenPool, SeenReverts, SeenRules, SeenSender, SeenWatch,
    Unseen,
};
pub use self::seal::BftExtra;
pub use self::version::{Client, Condition, KNOWN_FAULTS, KnownFault, Release};
use crate::profile::network::NetworkProfile;
use crate::transport::RpcTransport;

/// A node to examine.
#[derive(Clone)]
pub struct Patient {
    /// What it is called in findings: its URL without user name and password.
    pub name: String,
    /// The way to it.
    pub transport: Arc<dyn RpcTransport>,
}

/// What is to be looked at.
#[derive(Clone)]
pub struct Examination {
    /// What the network is expected to be.
    pub profile: Option<NetworkProfile>,
    /// Who wants to send.
    pub senders: Vec<Address>,
    /// How long heads are watched.
    pub watch: Option<Duration>,
    /// Our clock: seconds since 1970.
    pub now_seconds: fn() -> u64,
}

/// Most nodes of one examination.
pub const NODES_MAX: usize = 32;
/// Most senders of one examination.
pub const SENDERS_MAX: usize = 64;
/// The longest time that heads are watched.
pub const WATCH_MAX: Duration = Duration::from_secs(3_600);

/// Nodes that are behind by so many blocks got the newest a moment later, no more.
const LAG_BLOCKS_MAX: u64 = 2;

/// How far an examination has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The node, by its place.
    pub node: usize,
    /// How many nodes there are.
    pub nodes: usize,
    /// What is looked at.
    pub check: Check,
}

/// Looks at nodes, one after another, and then at all of them at a height that they share.
///
/// # Panics
///
/// If there are more nodes than [`NODES_MAX`].
///
/// # Cancel safety
///
/// It can be dropped at any time: it only reads.
pub async fn examine(
    patients: &[Patient],
    examination: &Examination,
    on_progress: impl Fn(Progress),
) -> Vec<Observation> {
    assert!(patients.len() <= NODES_MAX, "more nodes than an examination takes");
    let nodes = patients.len();
    let mut observations = Vec::new();
    for (node, patient) in patients.iter().enumerate() {
        let progress = |check| on_progress(Progress { node, nodes, check });
        observations.push(probe::observe(patient, examination, &progress).await);
    }
    if nodes > 1 {
        on_progress(Progress { node: nodes - 1, nodes, check: Check::SameBlock });
        compare_at_one_height(patients, &mut observations).await;
    }
    observations
}

/// Asks all nodes at once how far they are, and then those that are not behind for the newest block that all of them have: at a
/// height that a node reached long ago they agree even if they have not since.
async fn compare_at_one_height(patients: &[Patient], observations: &mut [Observation]) {
    let askers: Vec<_> = patients.iter().map(probe::Together::new).collect();
    let heights = askers.iter().zip(observations.iter()).map(async |(asker, observation)| {
        if observation.is_silent() { Err(Unseen::NodeSilent) } else { asker.height().await }
    });
    for (observation, height) in ask::all(heights).await.into_iter().enumerate() {
        observations[observation].height = height;
    }
    let heights = || observations.iter().filter_map(|one| one.height.as_ref().ok().copied());
    let Some(highest) = heights().max() else { return };
    let least = highest.saturating_sub(LAG_BLOCKS_MAX);
    let Some(common) = heights().filter(|height| *height >= least).min() else { return };
    let hashes = askers.iter().zip(observations.iter()).map(async |(asker, observation)| match &observation.height {
        Ok(height) if *height < least => Err(Unseen::Nothing(Nothing::Lagging)),
        Ok(_) => asker.hash_at(common).await.map(|hash| (common, hash)),
        Err(unseen) => Err(unseen.clone()),
    });
    for (observation, hash) in ask::all(hashes).await.into_iter().enumerate() {
        observations[observation].common = hash;
    }
}
