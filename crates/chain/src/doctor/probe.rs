//! Asking a node everything that judgement needs. What one question shows decides about the next at few places only.

mod blocks;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, address};
use node_errors::{Meaning, classify};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

use super::ask::{Asker, amount, hash, number, words};
use super::finding::Check;
use super::observation::{Nothing, Observation, Seen, SeenLogRange, SeenPool, SeenSender, SeenWatch, Unseen};
use super::{Examination, Patient, SENDERS_MAX, WATCH_MAX, evm};
use crate::profile::network::{Governs, PermissioningContract};

/// Where permissioning contracts stand by convention (ConsenSys `permissioning-smart-contracts`; Besu's documentation).
const USUAL_CONTRACTS: [PermissioningContract; 2] = [
    PermissioningContract { governs: Governs::Accounts, address: address!("0000000000000000000000000000000000008888") },
    PermissioningContract { governs: Governs::Nodes, address: address!("0000000000000000000000000000000000009999") },
];
/// Ranges of blocks that a query for logs is tried with: Besu's limit when it had one first (22.10.3), and today's.
const LOG_RANGES: [u64; 2] = [1_000, 5_000];
/// An address without logs: a query for them costs a node little.
const NOBODY: Address = address!("1a570dec70121a570dec70121a570dec70121a57");
/// `transactionAllowed(address,address,uint256,uint256,uint256,bytes)`.
const TRANSACTION_ALLOWED: [u8; 4] = [0x93, 0x64, 0x21, 0xd5];
/// Besu's answer of a node that keeps no list of accounts (`RpcErrorType.ACCOUNT_ALLOWLIST_NOT_ENABLED`).
const NO_ALLOWLIST: (i64, &str) = (-32_000, "Account allowlist has not been enabled");
/// How often the head is asked for while it is watched.
const WATCH_POLL: Duration = Duration::from_millis(250);

/// Looks at one node.
pub(super) async fn observe(patient: &Patient, examination: &Examination, on_check: &impl Fn(Check)) -> Observation {
    let asker = Asker::new(Arc::clone(&patient.transport));
    let none = json!([]);
    on_check(Check::Reach);
    let client = client(&asker).await;
    let chain_id = asker.number("eth_chainId", none.clone()).await;
    let network_id = network_id(&asker).await;
    let genesis = block_hash(&asker, 0).await;
    on_check(Check::Head);
    let (head, clocks) = blocks::newest(&asker, examination.now_seconds).await;
    on_check(Check::Rules);
    let rules = evm::rules(&asker).await;
    on_check(Check::Peers);
    let syncing = syncing(&asker).await;
    let peers = asker.number("net_peerCount", none.clone()).await;
    let modules = modules(&asker).await;
    let gas_price_wei = asker.amount("eth_gasPrice", none.clone()).await;
    let validators = validators(&asker).await;
    let pool = pool(&asker).await;
    on_check(Check::Permissioning);
    let permissioning = permissioning(&asker, examination).await;
    let allowlist = allowlist(&asker).await;
    let mut observation = Observation {
        node: patient.name.clone(),
        now_seconds: clocks.ours,
        server_seconds: clocks.nodes,
        client,
        chain_id,
        network_id,
        genesis,
        syncing,
        peers,
        modules,
        blocks: head.map(|head| vec![head]),
        blocks_cut: None,
        gas_price_wei,
        rules,
        validators,
        pool,
        permissioning,
        allowlist,
        senders: Vec::new(),
        reverts: Err(Unseen::Nothing(Nothing::NoRevert)),
        log_range: Err(Unseen::Nothing(Nothing::FewBlocks)),
        watch: Err(Unseen::Nothing(Nothing::NotAsked)),
        height: Err(Unseen::Nothing(Nothing::OneNode)),
        common: Err(Unseen::Nothing(Nothing::OneNode)),
    };
    on_check(Check::Senders);
    observation.senders = senders(&asker, examination, &observation.accounts_contract()).await;
    observe_blocks(&asker, &mut observation, on_check).await;
    if let Some(watch) = examination.watch {
        on_check(Check::Watch);
        observation.watch = watched(&asker.again(), watch.min(WATCH_MAX)).await;
    }
    observation
}

/// What needs many questions comes last, so that a slow node shows everything else.
async fn observe_blocks(asker: &Asker, observation: &mut Observation, on_check: &impl Fn(Check)) {
    let head = match observation.head() {
        Ok(head) => head.clone(),
        Err(unseen) => {
            observation.reverts = Err(unseen.clone());
            observation.log_range = Err(unseen);
            return;
        }
    };
    on_check(Check::LogRange);
    observation.log_range = log_range(asker, head.number).await;
    on_check(Check::Interval);
    let in_block = head.extra.as_ref().map_or(0, |extra| extra.validators.len());
    let validators = observation.validators.as_ref().map_or(in_block, Vec::len);
    let (blocks, cut) = blocks::up_to(&asker.aside(), head, validators).await;
    on_check(Check::RevertReasons);
    observation.reverts = blocks::reverts(asker, &blocks).await;
    (observation.blocks, observation.blocks_cut) = (Ok(blocks), cut);
}

/// A node that is compared with others.
pub(super) struct Together(Asker);

impl Together {
    pub(super) fn new(patient: &Patient) -> Self {
        Self(Asker::new(Arc::clone(&patient.transport)))
    }

    /// The number of its newest block.
    pub(super) async fn height(&self) -> Seen<u64> {
        self.0.number("eth_blockNumber", json!([])).await
    }

    /// The hash of its block at a height.
    pub(super) async fn hash_at(&self, height: u64) -> Seen<B256> {
        block_hash(&self.0, height).await
    }
}

async fn block_hash(asker: &Asker, height: u64) -> Seen<B256> {
    const METHOD: &str = "eth_getBlockByNumber";
    let block = asker.ask(METHOD, json!([format!("0x{height:x}"), false])).await?;
    hash(METHOD, &block["hash"])
}

async fn client(asker: &Asker) -> Seen<String> {
    const METHOD: &str = "web3_clientVersion";
    let said = asker.ask(METHOD, json!([])).await?;
    said.as_str().map(words).ok_or(Unseen::Unreadable { method: METHOD })
}

/// A decimal number, unlike all others.
async fn network_id(asker: &Asker) -> Seen<u64> {
    const METHOD: &str = "net_version";
    let said = asker.ask(METHOD, json!([])).await?;
    said.as_str().and_then(|text| text.parse().ok()).ok_or(Unseen::Unreadable { method: METHOD })
}

/// `false`, or an object with the block that the node has and the one that it wants.
async fn syncing(asker: &Asker) -> Seen<Option<u64>> {
    const METHOD: &str = "eth_syncing";
    let said = asker.ask(METHOD, json!([])).await?;
    if said == Value::Bool(false) {
        return Ok(None);
    }
    let (has, wants) = (number(METHOD, &said["currentBlock"])?, number(METHOD, &said["highestBlock"])?);
    Ok(Some(wants.saturating_sub(has)))
}

async fn modules(asker: &Asker) -> Seen<Vec<String>> {
    const METHOD: &str = "rpc_modules";
    let said = asker.ask(METHOD, json!([])).await?;
    let modules = said.as_object().ok_or(Unseen::Unreadable { method: METHOD })?;
    Ok(modules.keys().take(100).map(|name| words(name).to_lowercase()).collect())
}

/// Of QBFT, or else of IBFT 2.0.
async fn validators(asker: &Asker) -> Seen<Vec<Address>> {
    let qbft = asker.addresses("qbft_getValidatorsByBlockNumber", json!(["latest"])).await;
    match qbft {
        Err(Unseen::NotOffered { .. }) => asker.addresses("ibft_getValidatorsByBlockNumber", json!(["latest"])).await,
        seen => seen,
    }
}

/// Besu's layered pool answers -1 as its greatest number (`LayeredPendingTransactions.maxSize`).
async fn pool(asker: &Asker) -> Seen<SeenPool> {
    const METHOD: &str = "txpool_besuStatistics";
    let said = asker.ask(METHOD, json!([])).await?;
    let unreadable = Unseen::Unreadable { method: METHOD };
    let max = said["maxSize"].as_i64().filter(|max| *max >= -1).ok_or(unreadable.clone())?;
    let count = |name: &str| said[name].as_u64().ok_or(unreadable.clone());
    let held = count("localCount")?.saturating_add(count("remoteCount")?);
    Ok(SeenPool { max: u64::try_from(max).ok(), held })
}

/// Those of the profile; without any, those at the usual places.
async fn permissioning(asker: &Asker, examination: &Examination) -> Vec<(PermissioningContract, Seen<bool>)> {
    let named = examination.profile.as_ref().map(|profile| profile.permissioning.as_slice()).unwrap_or_default();
    let contracts = if named.is_empty() { USUAL_CONTRACTS.as_slice() } else { named };
    let mut seen = Vec::new();
    for contract in contracts {
        seen.push((*contract, has_code(asker, contract.address).await));
    }
    seen
}

async fn has_code(asker: &Asker, contract: Address) -> Seen<bool> {
    const METHOD: &str = "eth_getCode";
    let code = asker.ask(METHOD, json!([contract, "latest"])).await?;
    let code = code.as_str().and_then(|text| text.parse::<Bytes>().ok());
    code.map(|code| !code.is_empty()).ok_or(Unseen::Unreadable { method: METHOD })
}

/// The node's own list of accounts, if it keeps one.
async fn allowlist(asker: &Asker) -> Seen<Option<Vec<Address>>> {
    match asker.addresses("perm_getAccountsAllowlist", json!([])).await {
        Err(Unseen::Refused { code, message, .. }) if (code, message.as_str()) == NO_ALLOWLIST => Ok(None),
        seen => seen.map(Some),
    }
}

async fn senders(asker: &Asker, examination: &Examination, accounts: &Seen<Address>) -> Vec<SeenSender> {
    let mut seen = Vec::new();
    for sender in examination.senders.iter().take(SENDERS_MAX) {
        let balance_wei = asker.ask("eth_getBalance", json!([sender, "latest"])).await;
        let allowed = async |target: Address| match accounts {
            Ok(contract) => asker.answer_of(*contract, transaction_allowed(*sender, target)).await,
            Err(unseen) => Err(unseen.clone()),
        };
        seen.push(SeenSender {
            address: *sender,
            balance_wei: balance_wei.and_then(|balance| amount("eth_getBalance", &balance)),
            may_create: allowed(Address::ZERO).await,
            may_call: allowed(accounts.clone().unwrap_or_default()).await,
        });
    }
    seen
}

/// What nodes ask the accounts contract: sender, target (zero for a creation), value, price, gas limit, no calldata.
fn transaction_allowed(sender: Address, target: Address) -> Bytes {
    let gas_limit = U256::from(100_000_u64);
    // Where the bytes begin: after six words.
    let begin = U256::from(6 * 32_u64);
    let words = [sender.into_word(), target.into_word()].map(|word| word.0);
    let numbers = [U256::ZERO, U256::ZERO, gas_limit, begin, U256::ZERO].map(|number| number.to_be_bytes::<32>());
    let all = TRANSACTION_ALLOWED.into_iter().chain(words.into_iter().chain(numbers).flatten());
    all.collect::<Vec<u8>>().into()
}

/// Asks for the logs of nobody over ranges that end at the head.
async fn log_range(asker: &Asker, head: u64) -> Seen<SeenLogRange> {
    let mut seen = SeenLogRange { answered_blocks: 0, refused_blocks: None };
    for blocks in LOG_RANGES {
        if head < blocks {
            break;
        }
        let from = format!("0x{:x}", head - blocks + 1);
        let filter = json!({ "fromBlock": from, "toBlock": format!("0x{head:x}"), "address": NOBODY });
        match asker.ask("eth_getLogs", json!([filter])).await {
            Ok(_) => seen.answered_blocks = blocks,
            Err(Unseen::Refused { code, message, .. }) if is_about_range(code, &message) => {
                seen.refused_blocks = Some(blocks);
                break;
            }
            Err(unseen) => return Err(unseen),
        }
    }
    let is_tried = seen.answered_blocks > 0 || seen.refused_blocks.is_some();
    if is_tried { Ok(seen) } else { Err(Unseen::Nothing(Nothing::FewBlocks)) }
}

/// A node refuses a query for many reasons; one is that it spans too many blocks.
fn is_about_range(code: i64, message: &str) -> bool {
    classify(code, message).is_some_and(|row| row.meaning == Meaning::ExceedsBlockRange)
}

/// Looks at the head again and again.
async fn watched(asker: &Asker, watch: Duration) -> Seen<SeenWatch> {
    let head = async || asker.number("eth_blockNumber", json!([])).await;
    let first = head().await?;
    let began = Instant::now();
    let (mut newest, mut moved, mut longest_wait) = (first, began, Duration::ZERO);
    let mut ticks = tokio::time::interval(WATCH_POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while began.elapsed() < watch {
        let _ = ticks.tick().await;
        // A question that fails is one look less; whether the node is there is another check's business.
        let seen = head().await;
        longest_wait = longest_wait.max(moved.elapsed());
        if let Ok(number) = seen
            && number > newest
        {
            (newest, moved) = (number, Instant::now());
        }
    }
    Ok(SeenWatch { watched: began.elapsed(), blocks: newest - first, longest_wait })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn the_question_to_the_accounts_contract_is_of_its_abi() {
        let signature = "transactionAllowed(address,address,uint256,uint256,uint256,bytes)";
        assert_eq!(keccak256(signature)[..4], TRANSACTION_ALLOWED);
        let data = transaction_allowed(Address::repeat_byte(1), Address::repeat_byte(2));
        assert_eq!(data.len(), 4 + 7 * 32);
        assert_eq!(data[4 + 12..4 + 32], [1; 20]);
        assert_eq!(data[4 + 32 + 12..4 + 64], [2; 20]);
        assert_eq!((data[4 + 6 * 32 - 1], data[data.len() - 1]), (192, 0));
    }
}
