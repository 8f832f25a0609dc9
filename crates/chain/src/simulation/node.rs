//! A model of a node at the edge of the world: pool, nonces, blocks and receipts, with Besu's answers from `node_errors` and
//! every fault that a network and a restart can cause. It executes nothing: calldata says what a transaction does.

mod calls;
mod faults;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alloy_consensus::TxEnvelope;
use alloy_consensus::transaction::{SignerRecoverable as _, Transaction as _};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, U64, keccak256};
use node_errors::{Meaning, besu};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(super) use self::calls::CALL_GAS;
use self::faults::Faults;
use super::market::{self, Market};
use super::random::Random;
use crate::{RpcTransport, TransportError, TransportFuture};

pub(super) const CHAIN_ID: u64 = 1337;

/// After so many requests the faults end, so that everything can come to its end.
const FAULTY_REQUESTS_MAX: u64 = 250;

/// In how many of a thousand requests a block is made, where blocks do not come by the clock.
const BLOCKS_BY_REQUESTS: u64 = 200;

/// The most transactions of one sender that a seed's node takes ahead of the ledger; it takes one at least.
pub(super) const SENDER_LIMIT_MAX: u64 = 12;

/// The longest way of a request to the node or of an answer back, in virtual milliseconds; ways overtake each other.
const WAY_MS_MAX: u64 = 30;

/// How much longer another node behind the same address takes to answer, in virtual milliseconds: long enough for the same
/// bytes to reach the first node by another way meanwhile.
const OTHER_NODE_MS: u64 = 200;

/// In how many of a thousand requests the second face of the node refuses transactions for good.
const SECOND_FACE_REFUSES: u64 = 500;

/// What a transaction does, as its calldata says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Done,
    Reverted,
    /// The node never takes it.
    Refused,
}

impl Effect {
    pub(super) fn calldata(self, id: u64) -> Vec<u8> {
        let kind = match self {
            Self::Done => 1,
            Self::Reverted => 2,
            Self::Refused => 3,
        };
        [&[kind][..], &id.to_be_bytes()].concat()
    }

    fn read(calldata: &[u8]) -> Option<(Self, u64)> {
        let (calldata, _) = calls::split(calldata);
        let (&kind, id) = calldata.split_first()?;
        let effect = match kind {
            1 => Self::Done,
            2 => Self::Reverted,
            _ => Self::Refused,
        };
        Some((effect, u64::from_be_bytes(id.try_into().ok()?)))
    }
}

#[derive(Clone)]
struct Tx {
    hash: B256,
    sender: Address,
    nonce: u64,
    input: Bytes,
    price_wei: u128,
}

/// Which of two nodes of the ledger was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    First,
    Second,
}

struct World {
    random: Random,
    faults: Faults,
    requests: u64,
    death: Option<u64>,
    pool: BTreeMap<(Address, u64), Tx>,
    counts: HashMap<Address, u64>,
    blocks: Vec<Vec<Tx>>,
    market: Market,
    /// Where a transaction is, and from which request on the node shows it: indexes lag behind the head.
    places: HashMap<B256, (usize, u64)>,
    senders: HashMap<B256, Address>,
    /// How many transactions of one sender it takes ahead of the ledger.
    sender_limit: u64,
    /// In how many of a thousand blocks that changes.
    limit_changes: u64,
    /// In how many of a thousand requests a block is made. A seed's blocks come by the clock instead.
    blocks_by_requests: u64,
    /// How often a transaction of the sender met a fault, or was lost with the pool.
    mishaps: HashMap<Address, u64>,
    way_ms_max: u64,
    chain_id: u64,
    /// Enters into the hashes of blocks, so that two ledgers have different ones.
    salt: u64,
    /// What every transaction is answered with.
    refusal: Option<Meaning>,
    refused_nonce: Option<u64>,
    /// What every call and estimate is answered with.
    call_refusal: Option<Meaning>,
    /// Whether another node behind the address has the present request.
    is_other_node: bool,
    tally: Tally,
}

/// What the node did, so that a test can see that its faults came to pass.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) lost: u64,
    pub(super) restarts: u64,
    pub(super) lies: u64,
    pub(super) foreign: u64,
    pub(super) deaths: u64,
    pub(super) too_distant: u64,
    /// How many transactions were taken into the pool.
    pub(super) taken: u64,
    /// How often the limit for a sender changed.
    pub(super) limits: u64,
    pub(super) other_node: u64,
    /// How many requests its second face had.
    pub(super) second_face: u64,
    /// How many transactions took another's place by their price, and how many offered too little to come into the pool.
    pub(super) replaced: u64,
    pub(super) too_cheap: u64,
}

pub(super) struct Node {
    world: Mutex<World>,
    death: Notify,
}

impl Node {
    pub(super) fn new(mut random: Random) -> Self {
        let faults = Faults::of(&mut random);
        Self::with(World { way_ms_max: WAY_MS_MAX, ..World::limited(faults, random) })
    }

    /// One whose blocks ask for a price that moves in so many of a thousand blocks.
    pub(super) fn priced(mut random: Random, moves: u64) -> Self {
        let market = Market::of(&mut random, moves);
        let node = Self::new(random);
        node.world().market = market;
        node
    }

    /// A node without faults whose limit for a sender changes.
    pub(super) fn limited(mut random: Random) -> Self {
        Self::with(World { way_ms_max: WAY_MS_MAX, ..World::limited(Faults::none(), random.fork()) })
    }

    /// A node without faults, whose answers take no time.
    pub(super) fn faultless(salt: u64) -> Self {
        let random = Random::new(salt);
        Self::with(World { salt, blocks_by_requests: BLOCKS_BY_REQUESTS, ..World::quiet(Faults::none(), random) })
    }

    fn with(world: World) -> Self {
        Self { world: Mutex::new(world), death: Notify::new() }
    }

    /// From now on every transaction is answered with this.
    pub(super) fn refuse(&self, meaning: Option<Meaning>) {
        self.world().refusal = meaning;
    }

    /// From now on transactions with this nonce are refused for good, unless they are empty.
    pub(super) fn refuse_nonce(&self, nonce: Option<u64>) {
        self.world().refused_nonce = nonce;
    }

    /// How many transactions of one sender it takes from now on.
    pub(super) fn limit(&self, sender_limit: u64) {
        self.world().sender_limit = sender_limit;
    }

    /// Makes no blocks, or makes them again.
    pub(super) fn stop_blocks(&self, is_stopped: bool) {
        self.world().blocks_by_requests = if is_stopped { 0 } else { BLOCKS_BY_REQUESTS };
    }

    /// Loses its pool, as in a restart.
    pub(super) fn lose_pool(&self) {
        self.world().pool.clear();
    }

    pub(super) fn set_chain_id(&self, chain_id: u64) {
        self.world().chain_id = chain_id;
    }

    pub(super) fn tally(&self) -> Tally {
        self.world().tally
    }

    /// From now on, the process dies at so many requests.
    pub(super) fn set_death(&self, requests: Option<u64>) {
        let mut world = self.world();
        world.death = requests.map(|requests| world.requests + requests);
    }

    pub(super) async fn died(&self) {
        self.death.notified().await;
    }

    /// How often the intent was done, and how often it reverted.
    pub(super) fn effects(&self, id: u64) -> (usize, usize) {
        let world = self.world();
        let count =
            |effect| world.blocks.iter().flatten().filter(|tx| Effect::read(&tx.input) == Some((effect, id))).count();
        (count(Effect::Done), count(Effect::Reverted))
    }

    /// How many different transactions it was ever given.
    pub(super) fn received(&self) -> usize {
        self.world().senders.len()
    }

    /// Makes a block.
    pub(super) fn make_block(&self) {
        self.world().make_block();
    }

    /// The sender's next nonce, whether the pool has a transaction with it, and how often one of the sender's met a fault.
    pub(super) fn next_of(&self, sender: Address) -> (u64, bool, u64) {
        let world = self.world();
        let next = world.count(sender);
        (next, world.pool.contains_key(&(sender, next)), world.mishaps.get(&sender).copied().unwrap_or(0))
    }

    /// How many transactions are left in the pool after one more block.
    pub(super) fn stuck(&self) -> usize {
        let mut world = self.world();
        world.market = Market::free();
        world.mine();
        world.pool.len()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    async fn carry(&self, request: String, face: Face) -> Result<String, TransportError> {
        let (there, back) = {
            let mut world = self.world();
            let limit = world.way_ms_max + 1;
            (world.random.below(limit), world.random.below(limit))
        };
        wait(there).await;
        let ((answer, is_death), delay) = {
            let mut world = self.world();
            (world.receive(&request, face), if world.is_other_node { OTHER_NODE_MS } else { 0 })
        };
        if is_death {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
        wait(back + delay).await;
        answer
    }
}

async fn wait(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

impl RpcTransport for Node {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.carry(request, Face::First))
    }
}

/// Another node of the same ledger: whatever one of them takes, both have. It refuses half of the transactions for good while there
/// are faults.
pub(super) struct SecondFace(pub(super) Arc<Node>);

impl RpcTransport for SecondFace {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.0.carry(request, Face::Second))
    }
}

impl World {
    /// The limit for a sender is the seed's, and changes in one of twenty blocks.
    fn limited(faults: Faults, mut random: Random) -> Self {
        let sender_limit = 1 + random.below(SENDER_LIMIT_MAX);
        Self { sender_limit, limit_changes: 50, ..Self::quiet(faults, random) }
    }

    fn quiet(faults: Faults, random: Random) -> Self {
        Self {
            random,
            faults,
            requests: 0,
            death: None,
            pool: BTreeMap::new(),
            counts: HashMap::new(),
            blocks: vec![Vec::new()],
            market: Market::free(),
            places: HashMap::new(),
            senders: HashMap::new(),
            sender_limit: 10_000,
            limit_changes: 0,
            blocks_by_requests: 0,
            mishaps: HashMap::new(),
            way_ms_max: 0,
            chain_id: CHAIN_ID,
            salt: 0,
            refusal: None,
            refused_nonce: None,
            call_refusal: None,
            is_other_node: false,
            tally: Tally::default(),
        }
    }

    /// Answers a request with whatever fault is its due; says also whether the process dies now.
    fn receive(&mut self, request: &str, face: Face) -> (Result<String, TransportError>, bool) {
        self.requests += 1;
        let lost = || Err(TransportError::OutcomeUnknown { reason: "lost".to_owned() });
        if self.death.is_some_and(|at| self.requests >= at) {
            self.death = None;
            self.tally.deaths += 1;
            if self.random.per_mille(500) {
                drop(self.answer(request));
            }
            return (lost(), true);
        }
        self.live();
        let refusing = match face {
            Face::First => self.faults.other_node,
            Face::Second => SECOND_FACE_REFUSES,
        };
        self.tally.second_face += u64::from(face == Face::Second);
        self.is_other_node = self.is_faulty() && self.random.per_mille(refusing);
        let fault = self.is_faulty() && self.random.per_mille(self.faults.way);
        self.tally.lost += u64::from(fault);
        if fault {
            self.mishap(request);
        }
        let answer = match if fault { self.random.below(5) } else { 5 } {
            0 => Err(TransportError::NotSent { reason: "no connection".to_owned() }),
            1 => lost(),
            2 => {
                drop(self.answer(request));
                lost()
            }
            3 => {
                drop(self.answer(request));
                Ok(self.answer(request))
            }
            4 => Ok(self.answer(request).chars().take(30).collect()),
            _ => Ok(self.answer(request)),
        };
        (answer, false)
    }

    /// Something went wrong with a transaction that the request brings.
    fn mishap(&mut self, request: &str) {
        let request: Value = serde_json::from_str(request).unwrap();
        if let Some((sender, _)) = request["params"][0].as_str().and_then(|raw| self.sent(raw)) {
            *self.mishaps.entry(sender).or_default() += 1;
        }
    }

    /// Who signed a raw transaction, and what it is; `None` if it is none.
    fn sent(&mut self, raw: &str) -> Option<(Address, (B256, TxEnvelope))> {
        let raw: Bytes = raw.parse().ok()?;
        let signed = TxEnvelope::decode_2718_exact(&raw).ok()?;
        let hash = keccak256(&raw);
        let sender = *self.senders.entry(hash).or_insert_with(|| signed.recover_signer().unwrap());
        Some((sender, (hash, signed)))
    }

    fn is_faulty(&self) -> bool {
        self.requests < FAULTY_REQUESTS_MAX
    }

    /// What happens by itself between two requests.
    fn live(&mut self) {
        let is_faulty = self.is_faulty();
        if is_faulty && self.random.per_mille(self.faults.restart) {
            for (sender, _) in std::mem::take(&mut self.pool).into_keys() {
                *self.mishaps.entry(sender).or_default() += 1;
            }
            self.tally.restarts += 1;
        }
        if is_faulty && self.random.per_mille(self.faults.foreign) {
            self.foreign();
        }
        if self.random.per_mille(self.blocks_by_requests) {
            self.mine();
        }
    }

    fn make_block(&mut self) {
        self.market.turn(&mut self.random);
        self.mine();
        if self.random.per_mille(self.limit_changes) {
            self.sender_limit = 1 + self.random.below(SENDER_LIMIT_MAX);
            self.tally.limits += 1;
        }
    }

    /// Somebody else who has the key of a sender uses its next nonce.
    fn foreign(&mut self) {
        let Some(sender) = self.pool.keys().map(|&(sender, _)| sender).next() else { return };
        self.tally.foreign += 1;
        let nonce = self.count(sender);
        let hash = B256::from(alloy_primitives::U256::from(self.random.next()));
        let _ =
            self.pool.insert((sender, nonce), Tx { hash, sender, nonce, input: Bytes::new(), price_wei: u128::MAX });
    }

    fn count(&self, sender: Address) -> u64 {
        self.counts.get(&sender).copied().unwrap_or(0)
    }

    /// Makes a block of everything whose turn it is.
    fn mine(&mut self) {
        let mut block = Vec::new();
        let pool = std::mem::take(&mut self.pool);
        for ((sender, nonce), tx) in pool {
            let count = self.counts.entry(sender).or_insert(0);
            if nonce == *count && self.market.takes(tx.price_wei) {
                *count += 1;
                block.push(tx);
            } else if nonce >= *count {
                let _ = self.pool.insert((sender, nonce), tx);
            }
        }
        let lag = if self.is_faulty() { self.random.below(6) } else { 0 };
        for tx in &block {
            let _ = self.places.insert(tx.hash, (self.blocks.len(), self.requests + lag));
        }
        self.blocks.push(block);
    }

    fn answer(&mut self, request: &str) -> String {
        let request: Value = serde_json::from_str(request).unwrap();
        let params = &request["params"];
        let text = |index: usize| params[index].as_str().unwrap_or_default();
        let is_faulty = self.is_faulty() && self.random.per_mille(self.faults.refusal);
        let refused = [Meaning::InternalError, Meaning::StateNotAvailable, Meaning::RequestTimedOut];
        let result = match request["method"].as_str().unwrap() {
            "eth_sendRawTransaction" if is_faulty => {
                let sent = self.sent(text(0));
                *self.mishaps.entry(sent.unwrap().0).or_default() += 1;
                Err(refused[usize::try_from(self.random.below(3)).unwrap()])
            }
            _ if is_faulty => Err(refused[usize::try_from(self.random.below(3)).unwrap()]),
            "eth_chainId" => Ok(json!(U64::from(self.chain_id))),
            "eth_blockNumber" => Ok(quantity(self.blocks.len() - 1)),
            "eth_getTransactionCount" => Ok(json!(U64::from(self.count(text(0).parse().unwrap())))),
            "eth_sendRawTransaction" => self.take(text(0)),
            "eth_getTransactionReceipt" => Ok(self.receipt(text(0).parse().unwrap())),
            "eth_getTransactionByHash" => Ok(self.transaction(text(0).parse().unwrap())),
            "eth_getBlockByNumber" => Ok(self.block(text(0).parse::<U64>().unwrap().to::<usize>())),
            "eth_call" => self.call(params),
            "eth_estimateGas" => self.estimate(params),
            other => panic!("the model does not know {other}"),
        };
        let id = &request["id"];
        match result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            Err(meaning) => {
                let answer = besu(meaning);
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": answer.code, "message": answer.message } })
                    .to_string()
            }
        }
    }

    fn take(&mut self, raw: &str) -> Result<Value, Meaning> {
        let (sender, (hash, signed)) = self.sent(raw).ok_or(Meaning::InvalidParams)?;
        let (nonce, input, count) = (signed.nonce(), signed.input().clone(), self.count(sender));
        let is_refused_nonce = self.refused_nonce == Some(nonce) && !input.is_empty();
        if is_refused_nonce || matches!(Effect::read(&input), Some((Effect::Refused, _))) {
            return Err(Meaning::PluginRefused);
        }
        if self.is_other_node {
            self.tally.other_node += 1;
            *self.mishaps.entry(sender).or_default() += 1;
            return Err(Meaning::ExceedsBlockGasLimit);
        }
        if nonce < count {
            return Err(Meaning::NonceTooLow);
        }
        if let Some(meaning) = self.refusal {
            return Err(meaning);
        }
        if nonce - count >= self.sender_limit {
            self.tally.too_distant += 1;
            return Err(Meaning::NonceTooDistant);
        }
        let price_wei = market::price_of(&signed);
        if self.market.is_refusing && !self.market.takes(price_wei) {
            self.tally.too_cheap += 1;
            *self.mishaps.entry(sender).or_default() += 1;
            return Err(Meaning::GasPriceTooLow);
        }
        match self.pool.get(&(sender, nonce)) {
            Some(known) if known.hash == hash => return Err(Meaning::AlreadyKnown),
            Some(known) if market::replaces(price_wei, known.price_wei) => self.tally.replaced += 1,
            Some(_) => return Err(Meaning::ReplacementUnderpriced),
            None => {}
        }
        let _ = self.pool.insert((sender, nonce), Tx { hash, sender, nonce, input, price_wei });
        self.tally.taken += 1;
        let is_lie = self.is_faulty() && self.random.per_mille(self.faults.wrong_hash);
        self.tally.lies += u64::from(is_lie);
        Ok(json!(if is_lie { keccak256(hash) } else { hash }))
    }

    /// Where the transaction is, as far as the node shows it yet.
    fn place(&self, hash: B256) -> Option<(usize, usize)> {
        let &(block, shown_from) = self.places.get(&hash)?;
        let index = self.blocks[block].iter().position(|tx| tx.hash == hash)?;
        (self.requests >= shown_from).then_some((block, index))
    }

    fn receipt(&self, hash: B256) -> Value {
        let Some((block, index)) = self.place(hash) else { return Value::Null };
        let is_success = !matches!(Effect::read(&self.blocks[block][index].input), Some((Effect::Reverted, _)));
        json!({
            "transactionHash": hash, "blockHash": self.block_hash(block), "blockNumber": quantity(block),
            "transactionIndex": quantity(index), "gasUsed": "0x5208", "status": quantity(usize::from(is_success)),
            "contractAddress": null, "logs": [],
        })
    }

    fn transaction(&self, hash: B256) -> Value {
        match (self.place(hash), self.pool.values().find(|tx| tx.hash == hash)) {
            (Some((block, index)), _) => seen(&self.blocks[block][index], Some(block)),
            (None, Some(tx)) => seen(tx, None),
            (None, None) => Value::Null,
        }
    }

    fn block_hash(&self, number: usize) -> B256 {
        keccak256([number.to_be_bytes(), self.salt.to_be_bytes()].concat())
    }

    fn block(&self, number: usize) -> Value {
        let Some(block) = self.blocks.get(number) else { return Value::Null };
        let transactions: Vec<_> = block.iter().map(|tx| seen(tx, Some(number))).collect();
        json!({
            "number": quantity(number), "hash": self.block_hash(number), "parentHash": self.block_hash(number.wrapping_sub(1)),
            "timestamp": quantity(number), "transactions": transactions,
        })
    }
}

fn seen(tx: &Tx, block: Option<usize>) -> Value {
    json!({ "hash": tx.hash, "from": tx.sender, "nonce": U64::from(tx.nonce), "blockNumber": block.map(quantity) })
}

fn quantity(number: usize) -> Value {
    json!(U64::from(number))
}
