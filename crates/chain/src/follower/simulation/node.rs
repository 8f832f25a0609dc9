//! Models of nodes: honest ones whose ways lose and delay and which lag, and liars of each kind.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alloy_primitives::{B256, U64};
use node_errors::{Meaning, besu};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::world::{ModelBlock, word};
use crate::simulation::random::Random;
use crate::{RpcTransport, TransportError, TransportFuture};

pub(super) const CHAIN_ID: u64 = 1337;

/// After so many requests ways lose nothing any more, and lies that one answer shows end.
const FAULTY_REQUESTS_MAX: u64 = 300;

/// The longest way of a request or an answer, in virtual milliseconds.
const WAY_MS_MAX: u64 = 40;

/// The longest time that a node's head lags, in virtual milliseconds: well below the follower's patience.
const LAG_MS_MAX: u64 = 2_000;

/// What happens to the whole network.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// At which request of all.
    pub(super) at: u64,
    pub(super) chain: Arc<Vec<ModelBlock>>,
    pub(super) chain_id: u64,
    /// The head right afterwards.
    pub(super) head: usize,
    /// Whether it grows from there.
    pub(super) grows: bool,
}

/// What all nodes of one life share.
pub(super) struct World {
    pub(super) chain: Arc<Vec<ModelBlock>>,
    pub(super) chain_id: u64,
    pub(super) head: usize,
    pub(super) grows: bool,
    pub(super) event: Option<Event>,
    pub(super) has_happened: bool,
    pub(super) requests: u64,
    pub(super) death: Option<u64>,
    pub(super) random: Random,
}

impl World {
    fn live(&mut self) {
        self.requests += 1;
        if let Some(event) = self.event.take_if(|event| self.requests >= event.at) {
            self.has_happened = true;
            (self.chain, self.chain_id, self.head) = (event.chain, event.chain_id, event.head);
            self.grows = event.grows;
        }
        if self.grows && self.head + 1 < self.chain.len() && self.random.per_mille(150) {
            self.head += 1;
        }
    }
}

impl World {
    fn dies(&mut self) -> bool {
        self.death.take_if(|at| self.requests >= *at).is_some()
    }
}

/// How a node is.
#[derive(Debug, Clone)]
pub(super) enum Character {
    Honest,
    /// Tells what one answer shows to be false, in so many of a thousand answers, until the faults end.
    Liar {
        per_mille: u64,
    },
    /// Gives blocks that fit in themselves and are not the ledger's, for ever.
    Forger {
        blocks: HashMap<u64, ModelBlock>,
    },
    /// Is on a ledger of its own.
    Elsewhere {
        chain: Vec<ModelBlock>,
        chain_id: u64,
    },
}

struct State {
    random: Random,
    lag: usize,
    lag_until: Option<Instant>,
    /// Headers with parents that do not exist, by their false hashes.
    orphans: HashMap<B256, ModelBlock>,
    /// Lies that arrived whole.
    told: u64,
    lost: u64,
    is_silent: bool,
}

pub(super) struct Node {
    pub(super) character: Character,
    world: Arc<Mutex<World>>,
    death: Arc<Notify>,
    loss_per_mille: u64,
    knows_block_receipts: bool,
    keeps_reverts: bool,
    is_quiet: bool,
    state: Mutex<State>,
}

/// An answer, and whether it completes a lie.
struct Said {
    result: Result<Value, Meaning>,
    is_lie: bool,
}

impl Node {
    pub(super) fn new(character: Character, world: Arc<Mutex<World>>, death: Arc<Notify>, mut random: Random) -> Self {
        Self {
            character,
            world,
            death,
            loss_per_mille: [0, 20, 150][usize::try_from(random.below(3)).unwrap()],
            knows_block_receipts: !random.per_mille(250),
            keeps_reverts: random.per_mille(500),
            is_quiet: false,
            state: Mutex::new(State {
                random,
                lag: 0,
                lag_until: None,
                orphans: HashMap::new(),
                told: 0,
                lost: 0,
                is_silent: false,
            }),
        }
    }

    /// An honest node whose ways lose nothing, and which never lags.
    pub(super) fn quiet(world: Arc<Mutex<World>>) -> Self {
        let mut node = Self::new(Character::Honest, world, Arc::default(), Random::new(1));
        (node.loss_per_mille, node.knows_block_receipts, node.is_quiet) = (0, true, true);
        node
    }

    /// From now on nothing arrives, or all does again.
    pub(super) fn set_silent(&self, is_silent: bool) {
        self.state().is_silent = is_silent;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A new life of the follower, with a clock of its own.
    pub(super) fn begin_life(&self) {
        let mut state = self.state();
        (state.lag_until, state.told) = (None, 0);
    }

    /// Lies that arrived whole in this life, and requests and answers that were lost.
    pub(super) fn tally(&self) -> (u64, u64) {
        let state = self.state();
        (state.told, state.lost)
    }

    async fn carry(&self, request: String) -> Result<String, TransportError> {
        let (there, back) = {
            let mut state = self.state();
            (state.random.below(WAY_MS_MAX), state.random.below(WAY_MS_MAX))
        };
        sleep(Duration::from_millis(there)).await;
        let (is_death, is_faulty) = {
            let mut world = self.world.lock().unwrap();
            world.live();
            let is_death = world.dies();
            (is_death, world.requests < FAULTY_REQUESTS_MAX && !self.is_quiet)
        };
        if is_death {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
        let Some((answer, is_lie)) = self.answer(&request, is_faulty) else {
            self.state().lost += 1;
            sleep(Duration::from_millis(back)).await;
            return Err(TransportError::OutcomeUnknown { reason: "lost".to_owned() });
        };
        sleep(Duration::from_millis(back)).await;
        self.state().told += u64::from(is_lie);
        Ok(answer)
    }

    /// The answer's text and whether it completes a lie; `None` if it is lost.
    fn answer(&self, request: &str, is_faulty: bool) -> Option<(String, bool)> {
        let mut state = self.state();
        if state.is_silent || is_faulty && state.random.per_mille(self.loss_per_mille) {
            return None;
        }
        let request: Value = serde_json::from_str(request).unwrap();
        let said = if is_faulty && state.random.per_mille(self.loss_per_mille / 2) {
            Said { result: Err(Meaning::InternalError), is_lie: false }
        } else {
            self.say(&mut state, &request, is_faulty)
        };
        let id = &request["id"];
        let text = match said.result {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
            Err(meaning) => {
                let answer = besu(meaning);
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": answer.code, "message": answer.message } })
                    .to_string()
            }
        };
        Some((text, said.is_lie))
    }

    fn say(&self, state: &mut State, request: &Value, is_faulty: bool) -> Said {
        let ledger = self.ledger(state, is_faulty);
        let params = &request["params"];
        let hash = || params[0].as_str().unwrap().parse::<B256>().unwrap();
        let is_lying = match self.character {
            Character::Liar { per_mille } => is_faulty && state.random.per_mille(per_mille),
            Character::Honest | Character::Forger { .. } | Character::Elsewhere { .. } => false,
        };
        match request["method"].as_str().unwrap() {
            "eth_chainId" => truth(json!(U64::from(ledger.chain_id))),
            "eth_blockNumber" => truth(json!(U64::from(ledger.head as u64))),
            "eth_getBlockByNumber" => {
                let number = match params[0].as_str().unwrap() {
                    "latest" => ledger.head,
                    number => usize::try_from(number.parse::<U64>().unwrap().to::<u64>()).unwrap(),
                };
                if number > ledger.head {
                    return truth(Value::Null);
                }
                // Whoever names an older head lags; that is no lie.
                let is_lying = is_lying && params[0] != "latest";
                self.header(state, &ledger.chain, number, params[1] == true, is_lying)
            }
            "eth_getBlockReceipts" if !self.knows_block_receipts => {
                Said { result: Err(Meaning::MethodNotFound), is_lie: false }
            }
            "eth_getBlockReceipts" => match self.by_hash(state, &ledger, hash()) {
                Some((block, is_forged)) => self.receipts(state, &block, is_forged, is_lying),
                None => truth(Value::Null),
            },
            "eth_getTransactionReceipt" => {
                let hash = hash();
                let found = state.orphans.values().chain(self.forged()).chain(&ledger.chain[..=ledger.head]);
                let index_of = |block: &ModelBlock| block.transactions.iter().position(|tx| tx.hash == hash);
                let found = found.filter_map(|block| index_of(block).map(|index| (block.clone(), index))).next();
                let Some((block, index)) = found else { return truth(Value::Null) };
                let is_last = index + 1 == block.transactions.len();
                let is_forged = is_last && (state.orphans.contains_key(&block.hash) || self.is_forged(&block));
                truth(block.receipts(self.keeps_reverts)[index].clone()).lie_if(is_forged)
            }
            other => panic!("the model does not know {other}"),
        }
    }

    /// The ledger as this node shows it now.
    fn ledger(&self, state: &mut State, is_faulty: bool) -> Shown {
        let world = self.world.lock().unwrap();
        if let Character::Elsewhere { chain, chain_id } = &self.character {
            let head = world.head.min(chain.len() - 1);
            return Shown { chain: Arc::new(chain.clone()), chain_id: *chain_id, head };
        }
        let now = Instant::now();
        if state.lag_until.is_none_or(|until| until <= now) {
            state.lag_until = None;
            let is_lagging = is_faulty && state.random.per_mille(50);
            if is_lagging {
                let deepest = if state.random.per_mille(300) { 30 } else { 3 };
                state.lag = usize::try_from(1 + state.random.below(deepest)).unwrap();
                state.lag_until = Some(now + Duration::from_millis(state.random.below(LAG_MS_MAX)));
            }
        }
        let lag = state.lag_until.map_or(0, |_| state.lag);
        Shown { chain: Arc::clone(&world.chain), chain_id: world.chain_id, head: world.head.saturating_sub(lag) }
    }

    fn forged(&self) -> impl Iterator<Item = &ModelBlock> {
        let blocks = match &self.character {
            Character::Forger { blocks } => Some(blocks.values()),
            Character::Honest | Character::Liar { .. } | Character::Elsewhere { .. } => None,
        };
        blocks.into_iter().flatten()
    }

    fn is_forged(&self, block: &ModelBlock) -> bool {
        self.forged().any(|forged| forged.number == block.number && forged.hash == block.hash)
    }

    fn by_hash(&self, state: &State, ledger: &Shown, hash: B256) -> Option<(ModelBlock, bool)> {
        let forged = state.orphans.get(&hash).or_else(|| self.forged().find(|block| block.hash == hash));
        let own = || ledger.chain[..=ledger.head].iter().find(|block| block.hash == hash);
        forged.map(|block| (block.clone(), true)).or_else(|| own().map(|block| (block.clone(), false)))
    }

    fn header(&self, state: &mut State, chain: &[ModelBlock], number: usize, is_full: bool, is_lying: bool) -> Said {
        let forged = self.forged().find(|block| block.number == number as u64 && is_full);
        if let Some(forged) = forged {
            return truth(forged.header(true)).lie_if(forged.transactions.is_empty());
        }
        let block = &chain[number];
        // A receipt by a transaction's hash cannot tell an orphan from the block it is made of.
        match if is_lying && number > 0 { state.random.below(4) } else { 4 } {
            0 => truth(chain[number - 1].header(is_full)).lie_if(true),
            1 if is_full && self.knows_block_receipts => {
                let orphan = ModelBlock::seal(block.number, word(&mut state.random), block.transactions.clone(), 0);
                let _ = state.orphans.insert(orphan.hash, orphan.clone());
                truth(orphan.header(true)).lie_if(orphan.transactions.is_empty())
            }
            _ => truth(block.header(is_full)),
        }
    }

    fn receipts(&self, state: &mut State, block: &ModelBlock, is_forged: bool, is_lying: bool) -> Said {
        let mut receipts = block.receipts(self.keeps_reverts);
        let is_lie = is_lying && spoil(&mut receipts, &mut state.random);
        truth(json!(receipts)).lie_if(is_lie || is_forged)
    }
}

/// Makes the receipts of a block false in one way; says whether there was something to make false.
fn spoil(receipts: &mut Vec<Value>, random: &mut Random) -> bool {
    let index = usize::try_from(random.below(receipts.len() as u64)).unwrap();
    let receipt = &mut receipts[index];
    match random.below(7) {
        0 => receipt["blockHash"] = json!(word(random)),
        1 => receipt["status"] = json!(if receipt["status"] == "0x1" { "0x0" } else { "0x1" }),
        2 => receipt["cumulativeGasUsed"] = json!("0x1"),
        3 => drop(receipts.pop()),
        4 => {
            let other = receipts.len() - 1;
            receipts.swap(0, other);
            return other > 0;
        }
        _ => {
            let logs = receipt["logs"].as_array_mut().unwrap();
            let Some(mut log) = logs.pop() else { return false };
            if random.per_mille(500) {
                log["address"] = json!(alloy_primitives::Address::from_word(word(random)));
                logs.push(log);
            }
        }
    }
    true
}

struct Shown {
    chain: Arc<Vec<ModelBlock>>,
    chain_id: u64,
    head: usize,
}

fn truth(result: Value) -> Said {
    Said { result: Ok(result), is_lie: false }
}

impl Said {
    fn lie_if(self, is_lie: bool) -> Self {
        Self { is_lie, ..self }
    }
}

impl RpcTransport for Node {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.carry(request))
    }
}
