//! `chain` as in production: over HTTP, against a ledger in another process that dies in between.

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use crate::program::LIMIT;
use alloy_primitives::{Address, Bytes, U256};
use alloy_rpc_types_eth::{Block, TransactionReceipt};
use alloy_sol_types::SolCall;
use bindings::drex::RealDigital;
use chain::{
    At, CallRequest, Chain, HttpTransport, Intent, IntentKey, Lane, Mined, Outcome, OutcomeError, Profile,
    RpcTransport, Rules, SettlementState, SubmitError,
};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Gas limit of the fixture's blocks.
const BLOCK_GAS_LIMIT: u64 = 1_000_000_000;
const GAS_MAX: u64 = 8_000_000;

/// The central bank's side of a ledger: its store, its lane.
struct Bank {
    chain: Chain,
    lane: Lane,
}

impl Bank {
    async fn open(node: &Node, store: &Path) -> Self {
        Self::with(Self::open_chain(node, &Place::Sqlite { path: store.to_owned() }).await).await
    }

    async fn open_chain(node: &Node, store: &Place) -> Chain {
        Self::open_with(node, store, Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT)).await
    }

    async fn open_with(node: &Node, store: &Place, profile: Profile) -> Chain {
        let mut custody = Custody::new(profile.network());
        let _ = custody.add_test_key(label(), Purpose::Transactions).unwrap();
        let transport = Arc::new(HttpTransport::new(&node.http).unwrap());
        Chain::open(profile, transport, store, Arc::new(custody)).await.unwrap()
    }

    async fn with(chain: Chain) -> Self {
        let lane = chain.lane(&label()).await.unwrap();
        Self { chain, lane }
    }

    fn wallet(&self) -> Address {
        self.lane.sender()
    }

    fn deployment(&self) -> Intent {
        let arguments = RealDigital::constructorCall {
            name_: "Real Digital".to_owned(),
            symbol_: "BRL".to_owned(),
            authority_: self.wallet(),
            admin_: self.wallet(),
        };
        let code = bindings::creation(&RealDigital::BYTECODE, &arguments);
        Intent::create(key("deploy"), code, GAS_MAX, "deploy Real Digital")
    }

    async fn settled(&self, intent: &Intent) -> Mined {
        let submitted = self.lane.submit(intent).await.unwrap();
        self.outcome(&submitted.key).await
    }

    async fn outcome(&self, key: &IntentKey) -> Mined {
        match self.chain.outcome(key, LIMIT).await.unwrap() {
            Outcome::Mined(mined) => mined,
            Outcome::Refused(refusal) => panic!("{key} was refused: {}", refusal.reason),
        }
    }

    async fn balance(&self, contract: Address, account: Address) -> U256 {
        let data = RealDigital::balanceOfCall { account }.abi_encode();
        let answer = self.chain.rpc().call(&CallRequest::read(contract, data.into()), At::Latest).await.unwrap();
        U256::from_be_slice(&answer)
    }

    async fn nonce(&self) -> u64 {
        self.chain.rpc().transaction_count(self.wallet(), At::Latest).await.unwrap()
    }

    async fn close(self) {
        drop(self.lane);
        self.chain.close().await;
    }
}

fn label() -> KeyLabel {
    KeyLabel::parse("central-bank").unwrap()
}

fn key(text: &str) -> IntentKey {
    IntentKey::parse(text).unwrap()
}

fn call(name: &str, contract: Address, call: &impl SolCall) -> Intent {
    Intent::call(key(name), contract, Bytes::from(call.abi_encode()), GAS_MAX, name)
}

/// Real Digital with 1,000 centavos for the central bank itself.
async fn minted(bank: &Bank) -> Address {
    let contract = bank.settled(&bank.deployment()).await.created_address.unwrap();
    let wallet = bank.wallet();
    let steps = [
        call("enable", contract, &RealDigital::enableAccountCall { member: wallet }),
        call("enable the other", contract, &RealDigital::enableAccountCall { member: contract }),
        call("mint", contract, &RealDigital::mintCall { to: wallet, amount: U256::from(1_000) }),
    ];
    for step in &steps {
        assert!(bank.settled(step).await.execution.is_success(), "{step:?}");
    }
    contract
}

#[tokio::test]
async fn money_moves_once_for_a_key_and_a_revert_comes_back_in_words() {
    let (ledger, folder) = (TestLedger::new(), tempfile::tempdir().unwrap());
    let node = ledger.start(&["--block-period", "50ms"]);
    let bank = Bank::open(&node, &folder.path().join("chain.db")).await;
    let contract = minted(&bank).await;
    let other = contract;

    let pay = |amount| RealDigital::transferCall { to: other, value: U256::from(amount) };
    let payment = call("pay", contract, &pay(300));
    let paid = bank.settled(&payment).await;
    assert!(paid.execution.is_success());
    let nonce = bank.nonce().await;
    let again = bank.lane.submit(&payment).await.unwrap();
    assert_eq!((again.is_repeated, again.hash), (true, paid.hash));
    assert_eq!(bank.outcome(&again.key).await, paid);
    let otherwise = bank.lane.submit(&call("pay", contract, &pay(301))).await;
    assert!(matches!(otherwise, Err(SubmitError::KeyUsedOtherwise { .. })), "{otherwise:?}");

    let refused = bank.settled(&call("pay too much", contract, &pay(701))).await;
    let reason = bindings::revert::decode(refused.execution.revert_data().unwrap()).to_string();
    let expected = format!("ERC20InsufficientBalance(sender: {}, balance: 700, needed: 701)", bank.wallet());
    assert_eq!(reason, expected);
    let balances = (bank.balance(contract, bank.wallet()).await, bank.balance(contract, other).await);
    assert_eq!((balances, bank.nonce().await), ((U256::from(700), U256::from(300)), nonce + 1));
    check_alloy_reads(&node, &paid).await;
}

/// alloy's own types read the block and the receipt.
async fn check_alloy_reads(node: &Node, mined: &Mined) {
    let receipt = ask(node, "eth_getTransactionReceipt", json!([mined.hash])).await;
    let receipt: TransactionReceipt = serde_json::from_value(receipt).unwrap();
    assert!(receipt.inner.is_success());
    assert_eq!((receipt.transaction_hash, receipt.gas_used), (mined.hash, mined.gas_used));
    let number = format!("{:#x}", mined.block_number);
    let block = ask(node, "eth_getBlockByNumber", json!([number, true])).await;
    let block: Block = serde_json::from_value(block).unwrap();
    // A QBFT block's hash leaves the seals out, so alloy's own hash of the header is another.
    assert_eq!((receipt.block_hash, block.header.number), (Some(block.header.hash), mined.block_number));
    assert!(block.transactions.hashes().any(|hash| hash == mined.hash));
}

async fn ask(node: &Node, method: &str, parameters: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
    let answer = HttpTransport::new(&node.http).unwrap().send(request.to_string()).await.unwrap();
    let mut answer: Value = serde_json::from_str(&answer).unwrap();
    answer["result"].take()
}

#[tokio::test]
async fn a_ledger_that_dies_between_sending_and_receipt_gets_the_same_bytes_again() {
    let (ledger, folder) = (TestLedger::new(), tempfile::tempdir().unwrap());
    // A block takes so long that the transaction is still in the pool, which no disk keeps, when the ledger dies.
    let node = ledger.start(&["--block-period", "2s"]);
    let bank = Bank::open(&node, &folder.path().join("chain.db")).await;
    let submitted = bank.lane.submit(&bank.deployment()).await.unwrap();
    let address = node.address();
    let _ = node.process.kill();
    let node = ledger.start_at(&address);
    let mined = bank.outcome(&submitted.key).await;
    assert_eq!((mined.hash, mined.created_address), (submitted.hash, submitted.created_address));
    assert_eq!(bank.nonce().await, 1);
    drop(node);
}

#[tokio::test]
async fn a_platform_that_dies_between_sending_and_receipt_finds_its_transaction() {
    let (ledger, folder) = (TestLedger::new(), tempfile::tempdir().unwrap());
    let node = ledger.start(&["--block-period", "50ms"]);
    let store = folder.path().join("chain.db");
    let bank = Bank::open(&node, &store).await;
    let submitted = bank.lane.submit(&bank.deployment()).await.unwrap();
    bank.close().await;
    let bank = Bank::open(&node, &store).await;
    let again = bank.lane.submit(&bank.deployment()).await.unwrap();
    assert_eq!((again.is_repeated, again.hash), (true, submitted.hash));
    assert_eq!(bank.outcome(&again.key).await.hash, submitted.hash);
    assert_eq!(bank.nonce().await, 1);
}

/// How many payments a test makes.
const PAYMENTS: u64 = 60;

fn payment(contract: Address, number: u64) -> Intent {
    let to = Address::with_last_byte(7);
    call(&format!("pay/{number}"), contract, &RealDigital::transferCall { to, value: U256::from(number) })
}

/// The types and keys of what a store has published, in order.
async fn published(store: &Path) -> Vec<(String, String)> {
    let place = Place::Sqlite { path: store.to_owned() };
    let config = journal::StoreConfig { state_rows: &[chain::STATE_ROWS], ..journal::StoreConfig::at(place) };
    let store = journal::Store::open(&config).await.unwrap();
    let events = store.published_after(messages::Position::START, 4_096).await.unwrap();
    let told = events.iter().map(|event| {
        let body: Value = serde_json::from_slice(event.payload.as_bytes()).unwrap();
        (event.metadata.event_type.to_string(), body["key"].as_str().unwrap().to_owned())
    });
    let told = told.collect();
    store.close().await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_are_stored_once_from_the_followed_blocks_though_nobody_waits_and_the_platform_dies() {
    let (ledger, folder) = (TestLedger::new(), tempfile::tempdir().unwrap());
    let node = ledger.start(&["--block-period", "50ms"]);
    let store = folder.path().join("chain.db");
    let bank = Bank::open(&node, &store).await;
    let contract = bank.settled(&bank.deployment()).await.created_address.unwrap();
    // The central bank has no coins: each payment reverts, and says why.
    let payments: Vec<Intent> = (1..=PAYMENTS).map(|number| payment(contract, number)).collect();
    let (first, second) = payments.split_at(payments.len() / 2);
    for result in bank.lane.submit_all(first).await {
        let _ = result.unwrap();
    }
    let settlement = bank.chain.settle().await.unwrap();
    let deadline = tokio::time::Instant::now() + LIMIT;
    while bank.chain.open_intents().await.unwrap().len() == first.len() {
        assert!(tokio::time::Instant::now() < deadline, "no end is stored");
        tokio::task::yield_now().await;
    }
    // Dropped in the middle, as by a process that dies.
    drop(settlement);
    for result in bank.lane.submit_all(second).await {
        let _ = result.unwrap();
    }
    bank.close().await;
    let bank = Bank::open(&node, &store).await;
    let settlement = bank.chain.settle().await.unwrap();
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !bank.chain.open_intents().await.unwrap().is_empty() {
        assert!(tokio::time::Instant::now() < deadline, "ends are missing");
        tokio::task::yield_now().await;
    }
    for payment in &payments {
        let mined = bank.outcome(&payment.key).await;
        let receipt = bank.chain.rpc().receipt(mined.hash).await.unwrap().unwrap();
        assert_eq!(
            (mined.block_hash, mined.gas_used, &mined.logs),
            (receipt.block_hash, receipt.gas_used, &receipt.logs)
        );
        assert!(!mined.execution.is_success() && mined.execution.revert_data().is_some_and(|data| !data.is_empty()));
    }
    settlement.stop().await;
    bank.close().await;
    let mut told = published(&store).await;
    assert_eq!(told.len(), payments.len() + 1);
    told.sort();
    told.dedup();
    assert_eq!(told.len(), payments.len() + 1, "an end was published twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_follow_for_one_store_publish_each_end_once() {
    let (ledger, server) =
        (TestLedger::new(), tokio::task::spawn_blocking(test_servers::Postgres::shared).await.unwrap().unwrap());
    let node = ledger.start(&["--block-period", "50ms"]);
    let url = tokio::task::spawn_blocking(|| server.database().unwrap()).await.unwrap();
    let place = Place::Postgres { url, schema: "chain".to_owned() };
    // Nobody reads the store again because of a silence: whoever waits is told, whichever process stores the end.
    let profile = || Profile {
        silence_max: Duration::from_secs(3_600),
        ..Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT)
    };
    let holder = Bank::open_with(&node, &place, profile()).await;
    let other = Bank::open_with(&node, &place, profile()).await;
    let settling = (holder.settle().await.unwrap(), other.settle().await.unwrap());
    let bank = Bank::with(holder).await;
    let contract = bank.settled(&bank.deployment()).await.created_address.unwrap();
    let payments: Vec<Intent> = (1..=PAYMENTS).map(|number| payment(contract, number)).collect();
    // They wait while the payments are sent, so before their ends are stored.
    let mut waiting = JoinSet::new();
    for payment in &payments {
        for chain in [bank.chain.clone(), other.clone()] {
            let key = payment.key.clone();
            let _ = waiting.spawn(async move {
                while !chain.has_intent(&key).await.unwrap() {
                    tokio::task::yield_now().await;
                }
                chain.outcome(&key, LIMIT).await
            });
        }
    }
    for result in bank.lane.submit_all(&payments).await {
        let _ = result.unwrap();
    }
    while let Some(waited) = waiting.join_next().await {
        assert!(matches!(waited.unwrap(), Ok(Outcome::Mined(_))));
    }
    settling.0.stop().await;
    settling.1.stop().await;
    bank.close().await;
    other.close().await;
    let config = journal::StoreConfig { state_rows: &[chain::STATE_ROWS], ..journal::StoreConfig::at(place) };
    let store = journal::Store::open(&config).await.unwrap();
    let events = store.published_after(messages::Position::START, 4_096).await.unwrap();
    assert_eq!(events.len(), payments.len() + 1);
    assert_eq!(chain::state_differences(&store).await.unwrap(), Vec::<String>::new());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_was_made_anew_stops_settlement_and_every_lane() {
    let (old, folder) = (TestLedger::new(), tempfile::tempdir().unwrap());
    // A block takes so long that what is sent is still in the pool, which no disk keeps, when the ledger goes.
    let node = old.start(&["--block-period", "60s"]);
    let place = Place::Sqlite { path: folder.path().join("chain.db") };
    let silence_max = Duration::from_millis(100);
    let profile = Profile { silence_max, ..Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT) };
    let bank = Bank::with(Bank::open_with(&node, &place, profile).await).await;
    let chain = bank.chain.clone();
    let settlement = chain.settle().await.unwrap();
    let lost = bank.lane.submit(&bank.deployment()).await.unwrap();
    let mut state = settlement.state();
    let address = node.address();
    let _ = node.process.kill();
    let mut genesis = crate::ledger_fixture::genesis(CHAIN_ID);
    genesis["timestamp"] = json!("0x1");
    let anew = TestLedger::of(&genesis);
    let anew_node = anew.start_at(&address);
    let stopped = state.wait_for(|state| matches!(state, SettlementState::Stopped { .. }));
    let stopped = tokio::time::timeout(LIMIT, stopped).await.unwrap().unwrap().clone();
    let SettlementState::Stopped { reason } = stopped else { panic!("it was waited for") };
    assert!(reason.contains("re-genesis: block 0 is"), "{reason}");
    // What was sent to the old one would be valid on the new one. It stays here, however long somebody waits.
    let waited = chain.outcome(&lost.key, LIMIT).await;
    assert!(matches!(&waited, Err(OutcomeError::Stopped { reason: told, .. }) if *told == reason), "{waited:?}");
    drop(anew_node);
    let refused = bank.lane.submit(&bank.deployment()).await.unwrap_err();
    assert!(matches!(&refused, SubmitError::Paused { reason: told, .. } if *told == reason), "{refused}");
}
