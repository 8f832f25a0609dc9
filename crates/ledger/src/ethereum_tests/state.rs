//! State tests: a state, one transaction, and the state root and logs after it, for each fork.

mod unsigned;

use super::{Report, Verdict};
use crate::executor::{BlockContext, Executor};
use crate::forks::Fork;
use crate::genesis::GenesisAccount;
use crate::state::{StateDiff, WorldState, WorldTries};
use crate::transaction::{SignedTransaction, TransactionError};
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy_rlp::Decodable;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// EIP-2718 type of blob transactions.
const BLOB_TYPE: u8 = 3;
/// The chain of the tests that name none.
const MAINNET: u64 = 1;

#[derive(Deserialize)]
struct StateTest {
    env: Env,
    pre: BTreeMap<Address, Account>,
    post: BTreeMap<String, Vec<Post>>,
    transaction: Json,
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    current_coinbase: Address,
    current_difficulty: Option<U256>,
    current_gas_limit: U256,
    current_number: U256,
    current_timestamp: U256,
    current_base_fee: Option<U256>,
    current_random: Option<U256>,
    current_excess_blob_gas: Option<U256>,
}

#[derive(Deserialize)]
struct Account {
    balance: U256,
    code: Bytes,
    nonce: U256,
    storage: BTreeMap<U256, U256>,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(alias = "chainId")]
    chainid: Option<U256>,
}

/// What is expected after one transaction of the test.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Post {
    hash: B256,
    logs: B256,
    indexes: Indexes,
    #[serde(rename = "txbytes")]
    signed: Option<Bytes>,
    expect_exception: Option<String>,
}

#[derive(Deserialize)]
struct Indexes {
    data: usize,
    gas: usize,
    value: usize,
}

/// Runs every transaction of a test under every fork that it names.
pub(super) fn run(name: &str, test: &Json, report: &mut Report) {
    let test = match StateTest::deserialize(test) {
        Ok(test) => test,
        Err(error) => {
            return report.note(name.to_owned(), Verdict::Failed(format!("the test cannot be read: {error}")));
        }
    };
    for (fork, posts) in &test.post {
        for (index, post) in posts.iter().enumerate() {
            let verdict = match supported(fork) {
                Ok(fork) => run_post(&test, fork, post),
                Err(reason) => Verdict::NotApplicable(reason),
            };
            report.note(format!("{name} {fork} {index}"), verdict);
        }
    }
}

/// This ledger's rules by the name of the tests.
fn supported(fork: &str) -> Result<Fork, String> {
    match fork {
        "Byzantium" => Ok(Fork::Byzantium),
        "ConstantinopleFix" => Ok(Fork::Petersburg),
        "Istanbul" => Ok(Fork::Istanbul),
        "Berlin" => Ok(Fork::Berlin),
        "London" => Ok(Fork::London),
        "Shanghai" => Ok(Fork::Shanghai),
        "Cancun" => Ok(Fork::Cancun),
        "Prague" => Ok(Fork::Prague),
        "Osaka" => Ok(Fork::Osaka),
        "Frontier" | "Homestead" | "EIP150" | "EIP158" | "TangerineWhistle" | "SpuriousDragon" => Err(format!(
            "fork {fork}: receipts before Byzantium carry a state root, this ledger's begin with Byzantium"
        )),
        "Constantinople" => Err("fork Constantinople: withdrawn at once, taken only together with its fix".to_owned()),
        "Paris" | "Merge" => Err(format!("fork {fork}: a BFT network has no merge, Shanghai follows London")),
        other => Err(format!("fork {other}: unknown to this ledger, whose newest rules are Osaka's")),
    }
}

fn run_post(test: &StateTest, fork: Fork, post: &Post) -> Verdict {
    if let Some(reason) = reason_against(test, fork) {
        return Verdict::NotApplicable(reason);
    }
    let signed = match &post.signed {
        Some(signed) => signed.clone(),
        None => match unsigned::sign(&test.transaction, &post.indexes, test.chain_id()) {
            Ok(signed) => signed,
            Err(reason) => return Verdict::NotApplicable(reason),
        },
    };
    if signed.first() == Some(&BLOB_TYPE) {
        return Verdict::NotApplicable(
            "a blob transaction: a permissioned chain has no beacon chain to keep blobs".to_owned(),
        );
    }
    let outcome = match SignedTransaction::decode(signed) {
        Err(TransactionError::TooLong { max, .. }) => {
            return Verdict::NotApplicable(format!(
                "the transaction is longer than the {max} bytes that this ledger takes"
            ));
        }
        Err(error) => Outcome::refused(test, error.to_string()),
        Ok(transaction) => Outcome::of(test, fork, &transaction),
    };
    compare(post, &outcome)
}

/// Why the surroundings of a test cannot be those of this ledger's blocks.
fn reason_against(test: &StateTest, fork: Fork) -> Option<String> {
    if fork >= Fork::Cancun && test.env.current_excess_blob_gas.is_some_and(|excess| !excess.is_zero()) {
        return Some("the block has excess blob gas, this ledger's blocks never have".to_owned());
    }
    let has_code = |address| test.pre.get(&address).is_some_and(|account: &Account| !account.code.is_empty());
    let is_calling = (fork >= Fork::Cancun && has_code(BEACON_ROOTS_ADDRESS))
        || (fork >= Fork::Prague && has_code(HISTORY_STORAGE_ADDRESS));
    is_calling.then(|| "the state holds a system contract, which every block of this ledger calls first".to_owned())
}

/// What one transaction left behind.
struct Outcome {
    root: B256,
    root_rebuilt: B256,
    logs: B256,
    refusal: Option<String>,
}

impl Outcome {
    /// A transaction that could not even be decoded.
    fn refused(test: &StateTest, refusal: String) -> Self {
        let root = WorldTries::of(&test.state()).root();
        Self { root, root_rebuilt: root, logs: logs_hash(&[]), refusal: Some(refusal) }
    }

    /// Executes as the sealer does, with the change going through its form in the log.
    fn of(test: &StateTest, fork: Fork, transaction: &SignedTransaction) -> Self {
        let mut state = test.state();
        let mut tries = WorldTries::of(&state);
        let executor = Executor { chain_id: test.chain_id(), contract_bytes_max: None };
        // The tests' chain has these hashes: of each number's decimal digits.
        let hashes = |number: u64| keccak256(number.to_string());
        let context = test.context(fork);
        let mut run = executor.begin(&state, &hashes, &context, B256::ZERO);
        let executed = run.execute(transaction);
        let diff = alloy_rlp::encode(run.finish());
        let diff = StateDiff::decode(&mut &diff[..]).unwrap();
        state.apply(&diff);
        tries.apply(&diff);
        let (logs, refusal) = match executed {
            Ok(executed) => (executed.receipt.logs, None),
            Err(reason) => (Vec::new(), Some(reason.to_string())),
        };
        Self { root: tries.root(), root_rebuilt: WorldTries::of(&state).root(), logs: logs_hash(&logs), refusal }
    }
}

fn logs_hash(logs: &[Log]) -> B256 {
    let mut encoded = Vec::new();
    alloy_rlp::encode_list(logs, &mut encoded);
    keccak256(encoded)
}

fn compare(post: &Post, outcome: &Outcome) -> Verdict {
    let ended = match &outcome.refusal {
        Some(reason) => format!("; refused: {reason}"),
        None => String::new(),
    };
    match (&post.expect_exception, &outcome.refusal) {
        (Some(expected), None) => return Verdict::Failed(format!("taken, though {expected} was expected")),
        (None, Some(reason)) => return Verdict::Failed(format!("refused: {reason}")),
        (Some(_), Some(_)) | (None, None) => {}
    }
    if outcome.root != post.hash {
        return Verdict::Failed(format!("state root {}, expected {}{ended}", outcome.root, post.hash));
    }
    if outcome.root_rebuilt != post.hash {
        let found = outcome.root_rebuilt;
        return Verdict::Failed(format!("state root {found} when rebuilt, expected {}{ended}", post.hash));
    }
    if outcome.logs != post.logs {
        return Verdict::Failed(format!("logs hash {}, expected {}{ended}", outcome.logs, post.logs));
    }
    Verdict::Passed
}

impl StateTest {
    fn chain_id(&self) -> u64 {
        self.config.chainid.map_or(MAINNET, |id| id.saturating_to())
    }

    fn state(&self) -> WorldState {
        let account = |(address, account): (&Address, &Account)| {
            let storage = account.storage.iter().filter(|(_, value)| !value.is_zero());
            let account = GenesisAccount {
                balance: account.balance,
                nonce: account.nonce.saturating_to(),
                code: account.code.clone(),
                storage: storage.map(|(slot, value)| (*slot, *value)).collect(),
            };
            (*address, account)
        };
        let accounts: Vec<_> = self.pre.iter().map(account).collect();
        let mut state = WorldState::default();
        state.apply(&StateDiff::from_genesis(&accounts));
        state
    }

    fn context(&self, fork: Fork) -> BlockContext {
        let env = &self.env;
        let base_fee = env.current_base_fee.filter(|_| fork >= Fork::London).unwrap_or_default();
        BlockContext {
            number: env.current_number.saturating_to(),
            timestamp: env.current_timestamp.saturating_to(),
            gas_limit: env.current_gas_limit.saturating_to(),
            base_fee_wei: base_fee.saturating_to(),
            beneficiary: env.current_coinbase,
            difficulty: env.current_difficulty.unwrap_or_default(),
            prev_randao: env.current_random.unwrap_or_default().into(),
            fork,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A transfer of nothing at no price from an account that is not there to another, under `fork`.
    fn nothing_happens(fork: &str, root: B256, exception: Option<&str>) -> Json {
        let post = json!({
            "hash": root,
            "logs": logs_hash(&[]),
            "indexes": { "data": 0, "gas": 0, "value": 0 },
            "expectException": exception,
        });
        json!({
            "env": {
                "currentCoinbase": Address::ZERO,
                "currentGasLimit": "0x989680",
                "currentNumber": "0x1",
                "currentTimestamp": "0x1",
            },
            "pre": { Address::repeat_byte(1).to_string(): { "balance": "0x1", "code": "0x", "nonce": "0x0", "storage": {} } },
            "post": { fork: [post] },
            "transaction": {
                "data": ["0x"], "gasLimit": ["0x5208"], "value": ["0x0"], "nonce": "0x0", "gasPrice": "0x0",
                "to": Address::repeat_byte(1), "secretKey": B256::repeat_byte(7),
            },
        })
    }

    fn report(test: &Json) -> (usize, usize, Vec<String>) {
        let mut report = Report::default();
        run("test", test, &mut report);
        (report.passed, report.not_applicable.len(), report.failures)
    }

    /// The account that is there, and the sender with nonce 1.
    fn root_after() -> B256 {
        let key = secp256k1::SecretKey::from_byte_array([7; 32]).unwrap();
        let public = key.public_key(secp256k1::SECP256K1).serialize_uncompressed();
        let sender = Address::from_slice(&keccak256(&public[1..])[12..]);
        alloy_trie::root::state_root_unhashed([
            (Address::repeat_byte(1), alloy_trie::TrieAccount { balance: U256::from(1), ..Default::default() }),
            (sender, alloy_trie::TrieAccount { nonce: 1, ..Default::default() }),
        ])
    }

    #[test]
    fn a_wrong_root_and_a_missing_exception_fail_and_name_what_was_found() {
        let root = root_after();
        for fork in
            ["Byzantium", "ConstantinopleFix", "Istanbul", "Berlin", "London", "Shanghai", "Cancun", "Prague", "Osaka"]
        {
            assert_eq!(report(&nothing_happens(fork, root, None)), (1, 0, Vec::new()), "{fork}");
        }
        let wrong = report(&nothing_happens("Berlin", B256::ZERO, None)).2;
        assert_eq!(wrong, [format!("test Berlin 0: state root {root}, expected {}", B256::ZERO)]);
        let taken = report(&nothing_happens("Berlin", root, Some("Some.EXCEPTION"))).2;
        assert_eq!(taken, ["test Berlin 0: taken, though Some.EXCEPTION was expected"]);
    }

    #[test]
    fn what_this_ledger_does_not_do_is_named_and_not_run() {
        for fork in ["Frontier", "Constantinople", "Paris", "Amsterdam"] {
            assert_eq!(report(&nothing_happens(fork, B256::ZERO, None)), (0, 1, Vec::new()), "{fork}");
        }
        let mut blob = nothing_happens("Cancun", B256::ZERO, None);
        blob["post"]["Cancun"][0]["txbytes"] = json!("0x03");
        assert_eq!(report(&blob), (0, 1, Vec::new()));
        let mut excess = nothing_happens("Cancun", B256::ZERO, None);
        excess["env"]["currentExcessBlobGas"] = json!("0x20000");
        assert_eq!(report(&excess), (0, 1, Vec::new()));
    }
}
