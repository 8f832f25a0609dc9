//! `chain` as in production: over HTTP, against a ledger in another process that dies in between.

use crate::ledger_fixture::{CHAIN_ID, Node, TestLedger};
use crate::program::LIMIT;
use alloy_primitives::{Address, Bytes, U256};
use alloy_rpc_types_eth::{Block, TransactionReceipt};
use alloy_sol_types::SolCall;
use bindings::drex::RealDigital;
use chain::{
    At, CallRequest, Chain, HttpTransport, Intent, IntentKey, Lane, Mined, Outcome, Profile, RpcTransport, Rules,
    SubmitError,
};
use custody::{Custody, KeyLabel, Purpose};
use journal::Place;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

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
        let profile = Profile::embedded(CHAIN_ID, Rules::Berlin, BLOCK_GAS_LIMIT);
        let mut custody = Custody::new(profile.network());
        let label = KeyLabel::parse("central-bank").unwrap();
        let _ = custody.add_test_key(label.clone(), Purpose::Transactions).unwrap();
        let transport = Arc::new(HttpTransport::new(&node.http).unwrap());
        let store = Place::Sqlite { path: store.to_owned() };
        let chain = Chain::open(profile, transport, &store, Arc::new(custody)).await.unwrap();
        let lane = chain.lane(&label).await.unwrap();
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
