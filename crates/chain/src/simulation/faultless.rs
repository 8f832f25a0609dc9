//! Facts about a chain on a node that does what it should, or is refused in one particular way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use node_errors::Meaning;

use super::node::{CHAIN_ID, Effect, Node};
use crate::{
    Chain, Execution, FeeModel, Intent, IntentKey, Lane, OpenError, Outcome, OutcomeError, Profile, Rules,
    StoreOpenError, SubmitError,
};

pub(super) const WAIT: Duration = Duration::from_secs(20);

pub(super) struct Bench {
    folder: tempfile::TempDir,
    pub(super) node: Arc<Node>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), node: Arc::new(Node::faultless(1)) }
    }

    pub(super) fn store(&self) -> Place {
        Place::Sqlite { path: self.folder.path().join("chain.db") }
    }

    pub(super) async fn open(&self) -> Chain {
        try_open(&self.node, &self.store()).await.unwrap()
    }

    /// A chain on another store.
    pub(super) async fn open_at(&self, store: &Place) -> Chain {
        try_open(&self.node, store).await.unwrap()
    }

    /// A chain on a network where transactions have a price.
    pub(super) async fn open_at_price(&self, fees: FeeModel) -> Chain {
        let profile = Profile { fees, rules: Rules::London, ..profile() };
        Chain::open(profile, Arc::<Node>::clone(&self.node), &self.store(), custody()).await.unwrap()
    }

    /// A chain that offers a transaction so often, and asks for an estimate as often.
    pub(super) async fn open_with_attempts(&self, attempts_max: u32) -> Chain {
        let profile = profile();
        let profile = Profile { offers: crate::Pace { attempts_max, ..profile.offers }, ..profile };
        Chain::open(profile, Arc::<Node>::clone(&self.node), &self.store(), custody()).await.unwrap()
    }

    /// A chain that speaks again after so long a silence.
    pub(super) async fn open_with(&self, silence_max: Duration) -> Chain {
        let profile = Profile { silence_max, ..profile() };
        Chain::open(profile, Arc::<Node>::clone(&self.node), &self.store(), custody()).await.unwrap()
    }
}

pub(super) fn profile() -> Profile {
    Profile::embedded(CHAIN_ID, Rules::Berlin, 30_000_000)
}

fn label(lane: usize) -> KeyLabel {
    KeyLabel::parse(&format!("lane-{lane}")).unwrap()
}

fn custody() -> Arc<Custody> {
    let mut custody = Custody::new(profile().network());
    for lane in 0..8 {
        let _ = custody.add_test_key(label(lane), Purpose::Transactions).unwrap();
    }
    Arc::new(custody)
}

async fn try_open(node: &Arc<Node>, store: &Place) -> Result<Chain, OpenError> {
    Chain::open(profile(), Arc::<Node>::clone(node), store, custody()).await
}

pub(super) fn intent(id: u64, effect: Effect) -> Intent {
    let key = IntentKey::parse(&format!("intent/{id}")).unwrap();
    Intent::call(key, Address::repeat_byte(0xcc), Bytes::from(effect.calldata(id)), 100_000, format!("intent {id}"))
}

pub(super) async fn mined(chain: &Chain, key: &IntentKey) -> crate::Mined {
    match chain.outcome(key, WAIT).await.unwrap() {
        Outcome::Mined(mined) => mined,
        Outcome::Refused(refusal) => panic!("refused: {}", refusal.reason),
    }
}

pub(super) async fn first_lane(chain: &Chain) -> Lane {
    chain.lane(&label(0)).await.unwrap()
}

#[tokio::test]
async fn a_repeated_key_is_the_same_transaction_and_another_intent_is_refused() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let first = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    let again = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    assert!(again.is_repeated && !first.is_repeated);
    assert_eq!((again.hash, again.nonce), (first.hash, 0));
    let other = Intent { gas_limit: 100_001, ..intent(1, Effect::Done) };
    assert!(matches!(lane.submit(&other).await, Err(SubmitError::KeyUsedOtherwise { .. })));
    let elsewhere = chain.lane(&label(1)).await.unwrap();
    assert!(matches!(elsewhere.submit(&intent(1, Effect::Done)).await, Err(SubmitError::KeyUsedOtherwise { .. })));
    assert_eq!(mined(&chain, &first.key).await.hash, first.hash);
    let last = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    assert_eq!((last.hash, last.is_repeated), (first.hash, true));
    assert_eq!(lane.submit(&intent(2, Effect::Done)).await.unwrap().nonce, 1);
    assert_eq!(bench.node.effects(1), (1, 0));
}

#[tokio::test]
async fn a_key_that_is_in_a_list_twice_is_one_transaction_and_leaves_no_gap() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let below_intrinsic = Intent { gas_limit: 1, ..intent(99, Effect::Done) };
    let list = [intent(1, Effect::Done), intent(2, Effect::Done), below_intrinsic, intent(1, Effect::Done)];
    let list: Vec<Intent> = list.into_iter().chain((3..20).map(|id| intent(id, Effect::Done))).collect();
    let results = lane.submit_all(&list).await;
    assert!(matches!(results[2], Err(SubmitError::Intent { .. })), "{:?}", results[2]);
    let [first, again] = [0, 3].map(|at| results[at].as_ref().unwrap());
    assert!(again.is_repeated && (again.hash, again.nonce) == (first.hash, first.nonce));
    for submitted in results.iter().flatten() {
        let _ = mined(&chain, &submitted.key).await;
    }
    assert!((1..20).all(|id| bench.node.effects(id) == (1, 0)));
    assert_eq!(bench.node.stuck(), 0);
}

#[tokio::test]
async fn the_same_key_at_the_same_time_is_one_transaction() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let wanted = intent(1, Effect::Done);
    let (a, b, other) =
        tokio::join!(lane.submit(&wanted), lane.submit(&wanted), async { lane.submit(&intent(2, Effect::Done)).await });
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.hash, b.hash);
    assert_eq!(a.nonce + other.unwrap().nonce, 1, "both nonces are used and none is left out");
    let _ = (mined(&chain, &a.key).await, mined(&chain, &intent(2, Effect::Done).key).await);
    assert_eq!(bench.node.effects(1), (1, 0));
}

#[tokio::test]
async fn the_address_of_a_creation_is_known_when_it_is_submitted() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let code = Bytes::from(Effect::Done.calldata(7));
    let creation = Intent::create(IntentKey::parse("deploy").unwrap(), code, 100_000, "deploy");
    let submitted = lane.submit(&creation).await.unwrap();
    assert_eq!(submitted.created_address, Some(lane.sender().create(0)));
    assert_eq!(mined(&chain, &submitted.key).await.created_address, submitted.created_address);
}

#[tokio::test]
async fn a_creation_that_reverted_created_nothing_now_and_as_stored() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let code = Bytes::from(Effect::Reverted.calldata(7));
    let creation = Intent::create(IntentKey::parse("deploy").unwrap(), code, 100_000, "deploy");
    let submitted = first_lane(&chain).await.submit(&creation).await.unwrap();
    assert!(submitted.created_address.is_some());
    for _ in 0..2 {
        let mined = mined(&chain, &submitted.key).await;
        assert_eq!((mined.execution.is_success(), mined.created_address), (false, None));
    }
}

#[tokio::test]
async fn a_refusal_gives_the_nonce_back_and_frees_the_key() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    bench.node.refuse(Some(Meaning::ExceedsBlockGasLimit));
    let refused = lane.submit(&intent(1, Effect::Done)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "intent `intent/1` was refused: Transaction gas limit exceeds block gas limit (-32005)"
    );
    assert!(matches!(chain.outcome(&intent(1, Effect::Done).key, WAIT).await, Ok(Outcome::Refused(_))));
    bench.node.refuse(None);
    let other = Intent { gas_limit: 90_000, ..intent(1, Effect::Done) };
    assert_eq!(lane.submit(&other).await.unwrap().nonce, 0);
    let _ = mined(&chain, &other.key).await;
    assert_eq!(bench.node.effects(1), (1, 0));
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_lane_leaves_no_gap() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let intents = [intent(1, Effect::Done), intent(2, Effect::Refused), intent(3, Effect::Done)];
    let results = lane.submit_all(&intents).await;
    assert_eq!(results.iter().map(|result| result.as_ref().unwrap().nonce).collect::<Vec<_>>(), [0, 1, 2]);
    let _ = mined(&chain, &intents[2].key).await;
    match chain.outcome(&intents[1].key, WAIT).await.unwrap() {
        Outcome::Refused(refusal) => {
            assert_eq!(refusal.reason, "Plugin has marked the transaction as invalid (-32000)");
        }
        Outcome::Mined(mined) => panic!("{mined:?}"),
    }
}

#[tokio::test]
async fn a_lane_that_cannot_pay_is_paused_until_somebody_resumes_it() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    bench.node.refuse(Some(Meaning::UpfrontCostExceedsBalance));
    let paused = lane.submit(&intent(1, Effect::Done)).await.unwrap_err().to_string();
    let expected = format!("lane of {} is paused: Upfront gas cost exceeds account balance (-32004)", lane.sender());
    assert_eq!(paused, expected);
    bench.node.refuse(None);
    assert!(matches!(lane.submit(&intent(2, Effect::Done)).await, Err(SubmitError::Paused { .. })));
    lane.resume();
    assert_eq!(lane.submit(&intent(1, Effect::Done)).await.unwrap().nonce, 0);
    assert_eq!(lane.submit(&intent(2, Effect::Done)).await.unwrap().nonce, 1);
    let _ = mined(&chain, &intent(2, Effect::Done).key).await;
}

#[tokio::test]
async fn a_reverted_transaction_is_mined_and_its_revert_is_asked_for() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let submitted = first_lane(&chain).await.submit(&intent(1, Effect::Reverted)).await.unwrap();
    let mined = mined(&chain, &submitted.key).await;
    assert_eq!(mined.execution, Execution::Reverted { data: Some(Bytes::new()) });
    assert_eq!(mined.execution.revert().unwrap().to_string(), "reverted without a reason");
}

#[tokio::test]
async fn outcomes_and_open_intents_survive_the_process() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let lane = first_lane(&chain).await;
    let first = lane.submit(&intent(1, Effect::Done)).await.unwrap();
    let outcome = chain.outcome(&first.key, WAIT).await.unwrap();
    bench.node.refuse(Some(Meaning::InternalError));
    let submitting = tokio::spawn(async move { lane.submit(&intent(2, Effect::Done)).await });
    while !chain.has_intent(&intent(2, Effect::Done).key).await.unwrap() {
        tokio::task::yield_now().await;
    }
    submitting.abort();
    assert!(submitting.await.is_err(), "the node never took it");
    chain.close().await;

    bench.node.refuse(None);
    let chain = bench.open().await;
    drop(first_lane(&chain).await);
    assert_eq!(chain.counters().recovered, 1);
    assert_eq!(chain.outcome(&first.key, WAIT).await.unwrap(), outcome);
    assert_eq!(chain.open_intents().await.unwrap(), [intent(2, Effect::Done).key]);
    let _ = mined(&chain, &intent(2, Effect::Done).key).await;
    assert_eq!(bench.node.effects(2), (1, 0));
}

#[tokio::test]
async fn a_wait_ends_at_its_deadline_and_an_unknown_key_at_once() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let unknown = chain.outcome(&IntentKey::parse("nothing").unwrap(), WAIT).await;
    assert!(matches!(unknown, Err(OutcomeError::NoSuchIntent { .. })));
    let submitted = first_lane(&chain).await.submit(&intent(1, Effect::Done)).await.unwrap();
    let late = chain.outcome(&submitted.key, Duration::ZERO).await;
    assert!(matches!(late, Err(OutcomeError::TimedOut { waited_ms: 0, .. })));
}

#[tokio::test]
async fn node_store_and_custody_must_be_of_one_ledger() {
    let bench = Bench::new();
    bench.node.set_chain_id(CHAIN_ID + 1);
    let other_chain = try_open(&bench.node, &bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(other_chain, OpenError::NodeOfOtherChain { found, expected: CHAIN_ID } if found == CHAIN_ID + 1));
    bench.node.set_chain_id(CHAIN_ID);
    let chain = bench.open().await;
    let held = try_open(&bench.node, &bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(held, OpenError::Store(StoreOpenError::Journal(journal::OpenError::Held { .. }))), "{held:?}");
    let submitted = first_lane(&chain).await.submit(&intent(1, Effect::Done)).await.unwrap();
    let _ = mined(&chain, &submitted.key).await;
    chain.close().await;

    let other_genesis = try_open(&Arc::new(Node::faultless(2)), &bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(other_genesis, OpenError::Store(StoreOpenError::OfOtherLedger { .. })), "{other_genesis:?}");
    let emptied = try_open(&Arc::new(Node::faultless(1)), &bench.store()).await.map(|_| ()).unwrap_err();
    assert!(matches!(emptied, OpenError::LedgerRewound { ledger_count: 0, store_count: 1, .. }), "{emptied:?}");
    let custody = Arc::new(Custody::new(Profile { chain_id: 5, ..profile() }.network()));
    let other = Chain::open(profile(), Arc::<Node>::clone(&bench.node), &bench.store(), custody).await;
    assert!(matches!(other.map(|_| ()), Err(OpenError::OtherCustody { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_sends_over_eight_lanes_are_all_mined() {
    let bench = Bench::new();
    let chain = bench.open().await;
    let started = Instant::now();
    let mut lanes = tokio::task::JoinSet::new();
    for index in 0..8 {
        let chain = chain.clone();
        let _ = lanes.spawn(async move {
            let lane = chain.lane(&label(index)).await.unwrap();
            let ids = (0..300).filter(|id| id % 8 == u64::try_from(index).unwrap());
            let intents: Vec<_> = ids.map(|id| intent(id, Effect::Done)).collect();
            for result in lane.submit_all(&intents).await {
                let _ = result.unwrap();
            }
            let mut waits = tokio::task::JoinSet::new();
            for intent in intents {
                let chain = chain.clone();
                let _ = waits.spawn(async move { mined(&chain, &intent.key).await });
            }
            waits.join_all().await.len()
        });
    }
    let mined: usize = lanes.join_all().await.into_iter().sum();
    println!("{mined} mined and stored in {:?}", started.elapsed());
    assert_eq!(mined, 300);
}
