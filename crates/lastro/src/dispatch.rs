//! Sends what was planned: one lane for each wallet, each transaction under its own idempotency key, so that a run that
//! died goes on where it was and nothing is sent twice.

use crate::drex_suite::Wallet;
use crate::failure::{Failure, FailureKind};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use bindings::explanation::Language;
use chain::{
    Chain, Execution, Intent, IntentKey, Lane, LaneError, Mined, OpenError, Outcome, OutcomeError, Settlement,
    SettlementError, SettlingNode, SubmitError,
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
/// File of the store of what was sent, in a command's directory.
pub(crate) const CHAIN_FILE: &str = "chain.db";
/// How long one transaction may take until it is in a block: far beyond the block period of any network that is deployed to.
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
    /// Whether it is meant to fail on the ledger. Any other that fails ends what its wallet sends.
    pub(crate) is_meant_to_fail: bool,
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

/// How much is sent at once, and how long it is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Most transactions that a lane has on their way.
    in_flight_max: usize,
    /// Longest time until one of them is in a block.
    outcome_wait_max: Duration,
}

impl Limits {
    /// Most that a lane has on its way to the embedded ledger, whose pool takes nonces up to 199 ahead of the account's.
    const EMBEDDED_IN_FLIGHT_MAX: usize = 200;
    /// Nodes keep a share of their pool for one sender; the pilot's took 25 (1 % of 2,500).
    pub(crate) const REMOTE: Self = Self { in_flight_max: 16, outcome_wait_max: OUTCOME_WAIT_MAX };

    /// For the embedded ledger with this block period, which may be as long as a day: what just missed a block waits a whole
    /// period for the next one, and one more if that is full.
    pub(crate) fn embedded(block_period: Duration) -> Self {
        let outcome_wait_max = OUTCOME_WAIT_MAX + 2 * block_period;
        Self { in_flight_max: Self::EMBEDDED_IN_FLIGHT_MAX, outcome_wait_max }
    }
}

/// Identifies a plan: a directory belongs to one.
pub(crate) fn fingerprint<'a>(version: &str, orders: impl IntoIterator<Item = &'a Order>) -> B256 {
    let mut bytes = version.as_bytes().to_vec();
    for Order { key, sender, target, data, .. } in orders {
        let (kind, address) = match target {
            Target::Call(contract) => (0, contract),
            Target::Create(contract) => (1, contract),
        };
        // Each part has a length of its own, so that no two lists of orders are written alike.
        bytes.extend_from_slice(keccak256(key).as_slice());
        sender.number().iter().for_each(|part| bytes.extend_from_slice(&part.to_be_bytes()));
        bytes.push(kind);
        bytes.extend_from_slice(address.as_slice());
        bytes.extend_from_slice(keccak256(data).as_slice());
    }
    keccak256(bytes)
}

/// Everybody's lanes on one network.
pub(crate) struct Dispatch {
    chain: Arc<Chain>,
    lanes: BTreeMap<Wallet, Lane>,
    /// Stores how what was sent has ended.
    settlement: Settlement,
    limits: Limits,
}

impl Dispatch {
    /// Opens a lane for each key. Blocks are read from the followed nodes; if none is named, from the one that is sent to.
    ///
    /// # Errors
    /// [`Failure`] if a lane cannot be opened.
    pub(crate) async fn open(
        chain: Chain,
        followed: Vec<SettlingNode>,
        keys: impl IntoIterator<Item = (Wallet, KeyLabel)>,
        limits: Limits,
    ) -> Result<Self, Failure> {
        let settlement = match followed.is_empty() {
            true => chain.settle().await,
            false => chain.settle_from(followed).await,
        };
        let settlement = settlement.map_err(settlement_failure)?;
        let mut lanes = BTreeMap::new();
        for (wallet, label) in keys {
            let lane = chain.lane(&label).await.map_err(lane_failure)?;
            let _ = lanes.insert(wallet, lane);
        }
        Ok(Self { chain: Arc::new(chain), lanes, settlement, limits })
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
    /// [`Failure`] for the first that was not sent, has no outcome, or did on the ledger what it was not meant to. Nobody's
    /// transactions are sent on after that.
    pub(crate) async fn send(&self, orders: &[Order]) -> Result<Vec<Sent>, Failure> {
        let mut sending: JoinSet<Result<Vec<(usize, Sent)>, Failure>> = JoinSet::new();
        for (wallet, lane) in &self.lanes {
            let own: Vec<(usize, Order)> =
                orders.iter().cloned().enumerate().filter(|(_, order)| order.sender == *wallet).collect();
            if !own.is_empty() {
                let _ = sending.spawn(send_in_order(Arc::clone(&self.chain), lane.clone(), own, self.limits));
            }
        }
        let mut sent: Vec<(usize, Sent)> = Vec::with_capacity(orders.len());
        while let Some(result) = sending.join_next().await {
            match result.unwrap_or_else(|error| Err(Failure::new(FailureKind::Unknown, error))) {
                Ok(of_lane) => sent.extend(of_lane),
                Err(failure) => {
                    // Awaited, so that nothing holds the chain any more when it is closed.
                    sending.shutdown().await;
                    return Err(failure);
                }
            }
        }
        assert_eq!(sent.len(), orders.len(), "an order is for a wallet that has no lane");
        sent.sort_by_key(|(place, _)| *place);
        Ok(sent.into_iter().map(|(_, sent)| sent).collect())
    }

    /// Closes the store.
    pub(crate) async fn close(self) {
        drop(self.lanes);
        self.settlement.stop().await;
        if let Some(chain) = Arc::into_inner(self.chain) {
            chain.close().await;
        }
    }
}

/// Checks that a transaction succeeded, and that what it created stands where it should.
///
/// # Errors
/// [`FailureKind::Refused`] with the contract's own words, or with the address that was not expected.
fn check(mined: &Mined, order: &Order) -> Result<(), Failure> {
    let subject = &order.subject;
    let refused = |error| Err(Failure::new(FailureKind::Refused, error));
    if let Execution::Reverted { .. } = &mined.execution {
        let revert = bindings::revert::decode(mined.execution.revert_data().map_or(&[][..], |data| data.as_ref()));
        let sentence = revert.explain(Language::English);
        return refused(anyhow::anyhow!("`{subject}` failed on the ledger: {sentence} ({revert})"));
    }
    match order.target {
        Target::Create(expected) if mined.created_address != Some(expected) => {
            let created = mined.created_address.map_or_else(|| "no address".to_owned(), |created| created.to_string());
            refused(anyhow::anyhow!("`{subject}` came to stand at {created} instead of {expected}"))
        }
        Target::Create(_) | Target::Call(_) => Ok(()),
    }
}

/// Sends one wallet's orders, a few at a time, and waits for all of them. The first that fails without being meant to ends it:
/// what comes after may need its effect.
async fn send_in_order(
    chain: Arc<Chain>,
    lane: Lane,
    orders: Vec<(usize, Order)>,
    limits: Limits,
) -> Result<Vec<(usize, Sent)>, Failure> {
    let mut sent = Vec::with_capacity(orders.len());
    for some in orders.chunks(limits.in_flight_max) {
        let intents = some.iter().map(|(_, order)| intent(order)).collect::<Result<Vec<Intent>, Failure>>()?;
        let began = Instant::now();
        let results = lane.submit_all(&intents).await;
        for ((place, order), result) in some.iter().zip(results) {
            let submitted = result.map_err(submit_failure)?;
            let outcome = chain.outcome(&submitted.key, limits.outcome_wait_max).await.map_err(outcome_failure)?;
            let mined = match outcome {
                Outcome::Mined(mined) => mined,
                Outcome::Refused(refusal) => {
                    let error = anyhow::anyhow!("`{}` was refused: {}", order.subject, refusal.reason);
                    return Err(Failure::new(FailureKind::Refused, error));
                }
            };
            if !order.is_meant_to_fail {
                check(&mined, order)?;
            }
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
        LaneError::Key(_) | LaneError::Held { .. } | LaneError::Store(_) => FailureKind::Environment,
        LaneError::OtherPolicy { .. } | LaneError::Retired { .. } => FailureKind::Refused,
    };
    Failure::new(kind, error)
}

fn settlement_failure(error: SettlementError) -> Failure {
    let kind = match &error {
        SettlementError::Setup(_) | SettlementError::Store(_) => FailureKind::Environment,
    };
    Failure::new(kind, error).with_hint(GO_ON)
}

/// A chain that cannot be opened: the node is away, it is another network's, or the store belongs to another.
pub(crate) fn open_failure(error: OpenError) -> Failure {
    match &error {
        OpenError::Node { .. } => {
            Failure::new(FailureKind::Unreachable, error).with_hint("is the node running, and at this URL?")
        }
        OpenError::NodeOfOtherChain { .. } => Failure::new(FailureKind::Usage, error)
            .with_hint("name that network's node by `--rpc`, or the node's chain by `--chain-id`"),
        OpenError::NoGenesis => Failure::new(FailureKind::Usage, error),
        OpenError::NoBlock { .. } => {
            Failure::new(FailureKind::Unreachable, error).with_hint("try again when the node has all blocks")
        }
        OpenError::OtherCustody { .. } | OpenError::LedgerRewound { .. } | OpenError::Store(_) | OpenError::Read(_) => {
            Failure::new(FailureKind::Environment, error).with_hint("choose another directory with `--data-dir`")
        }
    }
}

fn submit_failure(error: SubmitError) -> Failure {
    let kind = match &error {
        SubmitError::KeyUsedOtherwise { .. } => FailureKind::Usage,
        SubmitError::Unsettled { .. } => FailureKind::Unknown,
        SubmitError::LaneLost { .. } | SubmitError::Contended { .. } | SubmitError::Store { .. } => {
            FailureKind::Environment
        }
        SubmitError::Intent { .. }
        | SubmitError::Sign { .. }
        | SubmitError::OtherPolicy { .. }
        | SubmitError::Paused { .. }
        | SubmitError::Retired { .. }
        | SubmitError::Refused { .. } => FailureKind::Refused,
    };
    Failure::new(kind, error).with_hint(GO_ON)
}

fn outcome_failure(error: OutcomeError) -> Failure {
    Failure::new(FailureKind::Unknown, error).with_hint(GO_ON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_ledger::{OwnDirectory, OwnLedger};
    use crate::printer::Printer;
    use chain::{At, Profile, Rules};
    use custody::{Custody, Purpose};
    use ledger::clock::Clock;
    use ledger::data_dir::InitOptions;
    use ledger::node::NodeOptions;
    use serde_json::json;

    const CHAIN_ID: u64 = 1337;
    const BLOCK_GAS_LIMIT: u64 = 100_000_000;
    /// Creation code that stops, and leaves a contract without code.
    const STOPS: &[u8] = &[0x00];
    /// Creation code that reverts: `PUSH1 0 PUSH1 0 REVERT`.
    const REVERTS: &[u8] = &[0x60, 0x00, 0x60, 0x00, 0xfd];
    /// One at a time, so that what is sent after a failure can be counted.
    const ONE_BY_ONE: Limits = Limits { in_flight_max: 1, outcome_wait_max: OUTCOME_WAIT_MAX };

    /// One wallet on a ledger of its own.
    struct Stage {
        ledger: OwnLedger,
        dispatch: Dispatch,
        _folder: tempfile::TempDir,
    }

    impl Stage {
        async fn open() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let genesis = json!({
                "config": {
                    "chainId": CHAIN_ID,
                    "berlinBlock": 0,
                    "qbft": { "blockPeriodSeconds": 1, "xBlockPeriodMilliseconds": 20 },
                },
                "gasLimit": format!("0x{BLOCK_GAS_LIMIT:x}"),
                "extraData": format!("0xf83aa0{}d594{}c080c0", "00".repeat(32), "11".repeat(20)),
                "alloc": {},
            });
            let options = InitOptions { key: None, is_adopting: true };
            let directory =
                OwnDirectory::open_or_init(folder.path(), CHAIN_ID, || genesis.to_string().into_bytes(), options);
            let ledger = directory.unwrap().run(Clock::System, None, &Printer::silent()).await.unwrap();
            let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
            let mut custody = Custody::new(profile.network());
            let label = KeyLabel::parse("admin").unwrap();
            let _ = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
            let chain = ledger.chain(profile, custody).await.unwrap();
            let dispatch = Dispatch::open(chain, Vec::new(), [(Wallet::Admin, label)], ONE_BY_ONE).await.unwrap();
            Self { ledger, dispatch, _folder: folder }
        }

        /// The creation with this nonce.
        fn create(&self, nonce: u64, code: &'static [u8]) -> Order {
            Order {
                key: format!("create/{nonce}"),
                sender: Wallet::Admin,
                target: Target::Create(self.dispatch.address(Wallet::Admin).create(nonce)),
                data: Bytes::from_static(code),
                subject: format!("create {nonce}"),
                is_meant_to_fail: false,
            }
        }

        /// Sends, and says how it ended and how many transactions the wallet has on the ledger then.
        async fn send(self, orders: &[Order]) -> (Result<usize, String>, u64) {
            let ended = self.dispatch.send(orders).await;
            let ended = ended.map(|sent| sent.len()).map_err(|failure| {
                assert_eq!(failure.kind, FailureKind::Refused);
                failure.error.to_string()
            });
            let admin = self.dispatch.address(Wallet::Admin);
            let count = self.dispatch.chain().rpc().transaction_count(admin, At::Latest).await.unwrap();
            self.dispatch.close().await;
            self.ledger.stop().await;
            (ended, count)
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_sent_after_a_creation_that_failed() {
        let stage = Stage::open().await;
        let orders = [stage.create(0, STOPS), stage.create(1, REVERTS), stage.create(2, STOPS)];
        let failed =
            "`create 1` failed on the ledger: the contract refused and gave no reason (reverted without a reason)";
        assert_eq!(stage.send(&orders).await, (Err(failed.to_owned()), 2));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_sent_after_a_creation_that_stands_elsewhere() {
        let stage = Stage::open().await;
        let [created, expected] = [0, 7].map(|nonce| stage.dispatch.address(Wallet::Admin).create(nonce));
        let elsewhere = Order { target: Target::Create(expected), ..stage.create(0, STOPS) };
        let orders = [elsewhere, stage.create(1, STOPS)];
        let failed = format!("`create 0` came to stand at {created} instead of {expected}");
        assert_eq!(stage.send(&orders).await, (Err(failed), 1));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_meant_to_fail_does_not_end_the_lane() {
        let stage = Stage::open().await;
        let failing = Order { is_meant_to_fail: true, ..stage.create(0, REVERTS) };
        let orders = [failing, stage.create(1, STOPS)];
        assert_eq!(stage.send(&orders).await, (Ok(2), 2));
    }

    #[test]
    fn the_embedded_ledgers_pool_takes_what_a_lane_has_on_its_way() {
        let taken = NodeOptions::default().pool.nonce_distance_max;
        assert!(Limits::EMBEDDED_IN_FLIGHT_MAX as u64 <= taken);
    }

    #[test]
    fn a_transaction_is_waited_for_longer_than_a_block_takes() {
        let day = Duration::from_secs(86_400);
        assert!(Limits::embedded(day).outcome_wait_max > 2 * day);
    }

    #[test]
    fn a_plan_is_another_if_any_part_of_an_order_is() {
        let order = Order {
            key: "a".to_owned(),
            sender: Wallet::Bank(0),
            target: Target::Call(Address::ZERO),
            data: Bytes::new(),
            subject: "first".to_owned(),
            is_meant_to_fail: false,
        };
        let others = [
            Order { key: "b".to_owned(), ..order.clone() },
            Order { sender: Wallet::Bank(1), ..order.clone() },
            Order { sender: Wallet::Reserve(0), ..order.clone() },
            Order { target: Target::Call(Address::repeat_byte(1)), ..order.clone() },
            Order { target: Target::Create(Address::ZERO), ..order.clone() },
            Order { data: Bytes::from_static(&[0]), ..order.clone() },
        ];
        let own = fingerprint("1", [&order]);
        for other in &others {
            assert_ne!(fingerprint("1", [other]), own, "{other:?}");
        }
        assert_ne!(fingerprint("2", [&order]), own);
        // People's words may change: they are sent nowhere.
        assert_eq!(fingerprint("1", [&Order { subject: "second".to_owned(), ..order.clone() }]), own);
    }
}
