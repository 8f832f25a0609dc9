//! Sends what was planned: one lane for each wallet, each transaction under its own idempotency key, so that a run that
//! died goes on where it was and nothing is sent twice.

use crate::drex_suite::Wallet;
use crate::failure::{Failure, FailureKind};
use alloy_primitives::{Address, Bytes};
use chain::{
    Chain, Execution, Intent, IntentKey, Lane, LaneError, Mined, OpenError, Outcome, OutcomeError, SubmitError,
};
use custody::KeyLabel;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Most gas of a creation: the largest contract of the suite needs about 4.4 million.
const CREATE_GAS_MAX: u64 = 8_000_000;
/// Most gas of a call: the dearest, a settlement between clients of two banks, needs about 0.4 million.
const CALL_GAS_MAX: u64 = 1_000_000;
/// How long one transaction may take until it is in a block. Far beyond any usual block period.
const OUTCOME_WAIT_MAX: Duration = Duration::from_secs(60);
/// What somebody is told whose run ended before its time.
const GO_ON: &str = "run it again with the same `--data-dir`: it goes on where it was, and nothing is sent twice";

/// One transaction.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Idempotency key.
    pub(crate) key: String,
    /// Who sends it.
    pub(crate) sender: Wallet,
    /// Where it goes.
    pub(crate) target: Target,
    /// Calldata, or creation code.
    pub(crate) data: Bytes,
    /// What it is, for people who look at a list of transactions.
    pub(crate) subject: String,
}

/// Where a transaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a contract.
    Call(Address),
    /// It creates a contract, which must come to stand here.
    Create(Address),
}

/// What came of an order.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The transaction in its block.
    pub(crate) mined: Mined,
    /// From sending until it was seen in a block; `None` if an earlier run had sent it.
    pub(crate) latency: Option<Duration>,
}

/// How much a lane may have on its way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InFlightMax(pub(crate) usize);

impl InFlightMax {
    /// The embedded ledger's pool takes whatever one run orders.
    pub(crate) const EMBEDDED: Self = Self(1_000);
    /// Nodes keep a share of their pool for one sender; the pilot's took 25 (1 % of 2,500).
    pub(crate) const REMOTE: Self = Self(16);
}

/// Everybody's lanes on one network.
pub(crate) struct Dispatch {
    chain: Arc<Chain>,
    lanes: BTreeMap<Wallet, Lane>,
    in_flight_max: InFlightMax,
}

impl Dispatch {
    /// Opens a lane for each key.
    ///
    /// # Errors
    /// [`Failure`] if a lane cannot be opened.
    pub(crate) async fn open(
        chain: Chain,
        keys: impl IntoIterator<Item = (Wallet, KeyLabel)>,
        in_flight_max: InFlightMax,
    ) -> Result<Self, Failure> {
        let mut lanes = BTreeMap::new();
        for (wallet, label) in keys {
            let lane = chain.lane(&label).await.map_err(lane_failure)?;
            let _ = lanes.insert(wallet, lane);
        }
        Ok(Self { chain: Arc::new(chain), lanes, in_flight_max })
    }

    /// The chain, for reading.
    pub(crate) fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Somebody's address.
    ///
    /// # Panics
    /// If there is no lane for the wallet: only a plan for other wallets asks for one.
    pub(crate) fn address(&self, wallet: Wallet) -> Address {
        self.lanes[&wallet].sender()
    }

    /// Sends orders that do not need each other's effect, unless the same wallet sends both, in this order; waits for all.
    ///
    /// # Errors
    /// [`Failure`] for the first that was not sent or has no outcome. What failed on the ledger is no error here.
    pub(crate) async fn send(&self, orders: &[Order]) -> Result<Vec<Sent>, Failure> {
        let mut sending: JoinSet<Result<Vec<(usize, Sent)>, Failure>> = JoinSet::new();
        for (wallet, lane) in &self.lanes {
            let own: Vec<(usize, Order)> =
                orders.iter().cloned().enumerate().filter(|(_, order)| order.sender == *wallet).collect();
            if !own.is_empty() {
                let _ = sending.spawn(send_in_order(Arc::clone(&self.chain), lane.clone(), own, self.in_flight_max));
            }
        }
        let mut sent: Vec<(usize, Sent)> = Vec::with_capacity(orders.len());
        while let Some(result) = sending.join_next().await {
            let of_lane = result.map_err(|error| Failure::new(FailureKind::Unknown, error))?;
            sent.extend(of_lane?);
        }
        assert_eq!(sent.len(), orders.len(), "an order is for a wallet that has no lane");
        sent.sort_by_key(|(place, _)| *place);
        Ok(sent.into_iter().map(|(_, sent)| sent).collect())
    }

    /// Closes the store.
    pub(crate) async fn close(self) {
        drop(self.lanes);
        if let Some(chain) = Arc::into_inner(self.chain) {
            chain.close().await;
        }
    }
}

/// Checks that a transaction succeeded, and that what it created stands where it should.
///
/// # Errors
/// [`FailureKind::Refused`] with the contract's own words, or with the address that was not expected.
pub(crate) fn check(mined: &Mined, subject: &str, target: Target) -> Result<(), Failure> {
    let refused = |error| Err(Failure::new(FailureKind::Refused, error));
    if let Execution::Reverted { .. } = &mined.execution {
        let reason = bindings::revert::decode(mined.execution.revert_data().map_or(&[][..], |data| data.as_ref()));
        return refused(anyhow::anyhow!("`{subject}` failed on the ledger: {reason}"));
    }
    match target {
        Target::Create(expected) if mined.created_address != Some(expected) => {
            let created = mined.created_address;
            refused(anyhow::anyhow!("`{subject}` came to stand at {created:?} instead of {expected}"))
        }
        Target::Create(_) | Target::Call(_) => Ok(()),
    }
}

/// Sends one wallet's orders, a few at a time, and waits for all of them.
async fn send_in_order(
    chain: Arc<Chain>,
    lane: Lane,
    orders: Vec<(usize, Order)>,
    in_flight_max: InFlightMax,
) -> Result<Vec<(usize, Sent)>, Failure> {
    let mut sent = Vec::with_capacity(orders.len());
    for some in orders.chunks(in_flight_max.0) {
        let intents = some.iter().map(|(_, order)| intent(order)).collect::<Result<Vec<Intent>, Failure>>()?;
        let began = Instant::now();
        let results = lane.submit_all(&intents).await;
        for ((place, order), result) in some.iter().zip(results) {
            let submitted = result.map_err(submit_failure)?;
            let outcome = chain.outcome(&submitted.key, OUTCOME_WAIT_MAX).await.map_err(outcome_failure)?;
            let mined = match outcome {
                Outcome::Mined(mined) => mined,
                Outcome::Refused(refusal) => {
                    let error = anyhow::anyhow!("`{}` was refused: {}", order.subject, refusal.reason);
                    return Err(Failure::new(FailureKind::Refused, error));
                }
            };
            let latency = (!submitted.is_repeated).then(|| began.elapsed());
            sent.push((*place, Sent { mined, latency }));
        }
    }
    Ok(sent)
}

fn intent(order: &Order) -> Result<Intent, Failure> {
    let key = IntentKey::parse(&order.key).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let (data, subject): (Bytes, &str) = (order.data.clone(), &order.subject);
    Ok(match order.target {
        Target::Create(_) => Intent::create(key, data, CREATE_GAS_MAX, subject),
        Target::Call(contract) => Intent::call(key, contract, data, CALL_GAS_MAX, subject),
    })
}

fn lane_failure(error: LaneError) -> Failure {
    let kind = match &error {
        LaneError::Node { .. } => FailureKind::Unreachable,
        LaneError::Key(_) | LaneError::Store(_) => FailureKind::Environment,
    };
    Failure::new(kind, error)
}

/// A chain that cannot be opened: the node is away, it is another network's, or the store belongs to another.
pub(crate) fn open_failure(error: OpenError) -> Failure {
    match &error {
        OpenError::Node { .. } => {
            Failure::new(FailureKind::Unreachable, error).with_hint("is the node running, and at this URL?")
        }
        OpenError::NodeOfOtherChain { .. } | OpenError::NoGenesis => Failure::new(FailureKind::Usage, error),
        OpenError::OtherCustody { .. } | OpenError::LedgerRewound { .. } | OpenError::Store(_) | OpenError::Read(_) => {
            Failure::new(FailureKind::Environment, error).with_hint("choose another directory with `--data-dir`")
        }
    }
}

fn submit_failure(error: SubmitError) -> Failure {
    let kind = match &error {
        SubmitError::KeyUsedOtherwise { .. } => FailureKind::Usage,
        SubmitError::Unsettled { .. } => FailureKind::Unknown,
        _ => FailureKind::Refused,
    };
    Failure::new(kind, error).with_hint(GO_ON)
}

fn outcome_failure(error: OutcomeError) -> Failure {
    Failure::new(FailureKind::Unknown, error).with_hint(GO_ON)
}
