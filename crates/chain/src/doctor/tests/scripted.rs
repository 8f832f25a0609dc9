//! A node at the edge of the world: it answers as Besu does for a small network that is well, until a test changes something.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, address, hex, keccak256};
use alloy_rlp::{Encodable, Header};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::super::evm::{CONTROL, PROBES, Probe, Sign};
use crate::profile::Rules;
use crate::transport::{RpcTransport, TransportError, TransportFuture};

/// Now, for everybody.
pub(super) const NOW: u64 = 1_800_000_000;
/// A wallet that wants to send.
pub(super) const SENDER: Address = address!("00000000000000000000000000000000000005e4");
pub(super) const ACCOUNTS: Address = address!("0000000000000000000000000000000000008888");
pub(super) const NODES: Address = address!("0000000000000000000000000000000000009999");
/// Header field of the rules of Paris: every block of a BFT network has it.
const MIX_HASH: &str = "63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";

/// What becomes of a question.
#[derive(Clone)]
pub(super) enum Behaviour {
    /// It is answered with this text, whatever it is.
    Says(String),
    /// It is never answered.
    Hangs,
    /// There is no connection.
    Refused,
}

/// The node, and all that can be changed of it.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) client: String,
    pub(super) chain_id: u64,
    pub(super) network_id: u64,
    /// Makes blocks another history's.
    pub(super) history: u64,
    pub(super) head: u64,
    /// Before the newest block and so back: seconds since the one before, and how many transactions.
    pub(super) pace: fn(u64) -> (u64, usize),
    /// How old the newest block is, in seconds; negative if it is in the future.
    pub(super) head_age: i64,
    pub(super) validators: usize,
    /// Who of the validators builds a block; beyond them it is somebody else.
    pub(super) proposer: fn(u64) -> usize,
    pub(super) round: fn(u64) -> u32,
    pub(super) has_seal: bool,
    /// The block that does not name the one before it.
    pub(super) torn_at: Option<u64>,
    pub(super) gas_limit: u64,
    pub(super) base_fee: Option<u64>,
    pub(super) gas_price: u64,
    pub(super) rules: Option<Rules>,
    /// Rules of which the node has nothing, though it has newer ones.
    pub(super) hole: Option<Rules>,
    pub(super) syncing: Value,
    pub(super) peers: u64,
    pub(super) modules: Vec<&'static str>,
    /// Greatest number, as Besu says it; and held.
    pub(super) pool: (i64, u64),
    pub(super) contracts: Vec<Address>,
    /// What the accounts contract answers: creation, call.
    pub(super) allowed: (bool, bool),
    pub(super) allowlist: Option<Vec<Address>>,
    pub(super) balance: u64,
    /// Whether transactions of the newest blocks reverted, and with their reason; gas is left over.
    pub(super) reverts: Option<bool>,
    pub(super) log_blocks_max: u64,
    /// How far its clock is from ours, in seconds; `None` if it says nothing of it.
    pub(super) date: Option<i64>,
    /// How long it takes to answer.
    pub(super) latency: Duration,
    /// How often a new block comes, counted from the first question; never if zero.
    pub(super) block_every: Duration,
    pub(super) behaviours: BTreeMap<&'static str, Behaviour>,
    /// Heights that it does not give.
    pub(super) lost_block: Option<u64>,
    /// When it was asked first.
    pub(super) begun: OnceLock<Instant>,
}

impl Script {
    /// Four validators, a block every four seconds, nothing to find but what every node of its kind has.
    pub(super) fn healthy() -> Self {
        Self {
            client: "besu/v26.9.0/linux-x86_64/openjdk-java-25".to_owned(),
            chain_id: 7_007,
            network_id: 7_007,
            history: 0,
            head: 10_000,
            pace: |_| (4, 1),
            head_age: 3,
            validators: 4,
            proposer: |number| usize::try_from(number % 4).unwrap(),
            round: |_| 0,
            has_seal: true,
            torn_at: None,
            gas_limit: 30_000_000,
            base_fee: Some(0),
            gas_price: 0,
            rules: Some(Rules::Shanghai),
            hole: None,
            syncing: json!(false),
            peers: 3,
            modules: vec!["eth", "net", "web3", "txpool"],
            pool: (-1, 0),
            contracts: Vec::new(),
            allowed: (true, true),
            allowlist: None,
            balance: 1,
            reverts: Some(true),
            log_blocks_max: 5_000,
            date: Some(0),
            latency: Duration::ZERO,
            block_every: Duration::ZERO,
            behaviours: BTreeMap::new(),
            lost_block: None,
            begun: OnceLock::new(),
        }
    }

    pub(super) fn node(self) -> Arc<dyn RpcTransport> {
        Arc::new(self)
    }

    /// The node does not have this method.
    pub(super) fn not_offered(&mut self, method: &'static str) {
        let says = r#"{"id":{id},"error":{"code":-32604,"message":"Method not enabled"}}"#.to_owned();
        let _ = self.behaviours.insert(method, Behaviour::Says(says));
    }

    fn elapsed(&self) -> Duration {
        self.begun.get_or_init(Instant::now).elapsed()
    }

    /// The newest block now.
    fn newest(&self) -> u64 {
        let new = self.elapsed().as_millis().checked_div(self.block_every.as_millis()).unwrap_or_default();
        self.head + u64::try_from(new).unwrap()
    }

    fn hash(&self, number: u64) -> B256 {
        let history = if number == 0 { 0 } else { self.history };
        keccak256(format!("block {number} of {} {history}", self.chain_id))
    }

    fn timestamp(&self, number: u64) -> u64 {
        let head = NOW.checked_add_signed(-self.head_age).unwrap();
        (number..self.head).fold(head, |time, later| time - (self.pace)(later + 1).0)
    }

    fn validator(place: usize) -> Address {
        Address::repeat_byte(u8::try_from(place + 1).unwrap())
    }

    fn transactions(&self, number: u64) -> Vec<B256> {
        (0..(self.pace)(number).1).map(|place| keccak256(format!("transaction {number} {place}"))).collect()
    }

    fn block(&self, number: u64) -> Value {
        let proposer = (self.proposer)(number);
        let parent = if self.torn_at == Some(number) { B256::ZERO } else { self.hash(number.saturating_sub(1)) };
        let mut block = json!({
            "number": format!("0x{number:x}"),
            "hash": self.hash(number),
            "parentHash": parent,
            "timestamp": format!("0x{:x}", self.timestamp(number)),
            "miner": Self::validator(proposer),
            "gasLimit": format!("0x{:x}", self.gas_limit),
            "extraData": Bytes::from(self.extra_data(number)),
            "transactions": self.transactions(number),
        });
        if let Some(base_fee) = self.base_fee {
            block["baseFeePerGas"] = json!(format!("0x{base_fee:x}"));
        }
        block
    }

    fn extra_data(&self, number: u64) -> Vec<u8> {
        if !self.has_seal {
            return b"another consensus".to_vec();
        }
        let validators: Vec<Address> = (0..self.validators).map(Self::validator).collect();
        let mut fields = Vec::new();
        B256::ZERO.encode(&mut fields);
        validators.encode(&mut fields);
        fields.push(0xc0);
        (self.round)(number).encode(&mut fields);
        fields.push(0xc0);
        let mut bytes = Vec::new();
        Header { list: true, payload_length: fields.len() }.encode(&mut bytes);
        [bytes, fields].concat()
    }

    fn height(&self, tag: &Value) -> Option<u64> {
        let number = match tag.as_str()? {
            "latest" => self.newest(),
            number => u64::from_str_radix(number.strip_prefix("0x")?, 16).ok()?,
        };
        (number <= self.newest() && self.lost_block != Some(number)).then_some(number)
    }

    /// A result, or a code and message.
    fn answer(&self, method: &str, params: &Value) -> Result<Value, (i64, &'static str)> {
        let quantity = |number: u64| Ok(json!(format!("0x{number:x}")));
        match method {
            "web3_clientVersion" => Ok(json!(self.client)),
            "eth_chainId" => quantity(self.chain_id),
            "net_version" => Ok(json!(self.network_id.to_string())),
            "eth_blockNumber" => quantity(self.newest()),
            "eth_getBlockByNumber" => Ok(self.height(&params[0]).map_or(Value::Null, |number| self.block(number))),
            "eth_gasPrice" => quantity(self.gas_price),
            "eth_syncing" => Ok(self.syncing.clone()),
            "net_peerCount" => quantity(self.peers),
            "rpc_modules" => Ok(self.modules.iter().map(|name| ((*name).to_owned(), json!("1.0"))).collect()),
            "qbft_getValidatorsByBlockNumber" => {
                Ok((0..self.validators).map(|one| json!(Self::validator(one))).collect())
            }
            "txpool_besuStatistics" => {
                Ok(json!({ "maxSize": self.pool.0, "localCount": self.pool.1, "remoteCount": 0 }))
            }
            "eth_getCode" => {
                let contract: Address = params[0].as_str().unwrap().parse().unwrap();
                Ok(json!(if self.contracts.contains(&contract) { "0x60" } else { "0x" }))
            }
            "perm_getAccountsAllowlist" => {
                let none = (-32_000, "Account allowlist has not been enabled");
                self.allowlist.as_ref().map(|list| json!(list)).ok_or(none)
            }
            "eth_getBalance" => quantity(self.balance),
            "eth_call" => self.call(&params[0]),
            "eth_getTransactionReceipt" => {
                let mut receipt = json!({ "status": "0x1", "gasUsed": "0x5208" });
                if let Some(has_reason) = self.reverts {
                    receipt["status"] = json!("0x0");
                    if has_reason {
                        receipt["revertReason"] = json!("0x08c379a0");
                    }
                }
                Ok(receipt)
            }
            "eth_getTransactionByHash" => Ok(json!({ "gas": "0x7530" })),
            "eth_getLogs" => {
                let [from, to] = ["fromBlock", "toBlock"].map(|name| self.height(&params[0][name]).unwrap());
                let is_short = to - from < self.log_blocks_max;
                if is_short { Ok(json!([])) } else { Err((-32_005, "Requested range exceeds maximum RPC range limit")) }
            }
            _ => Err((-32_601, "Method not found")),
        }
    }

    fn call(&self, call: &Value) -> Result<Value, (i64, &'static str)> {
        let data: Bytes = call["data"].as_str().unwrap().parse().unwrap();
        let word = |number: U256| Ok(json!(B256::from(number)));
        if let Some(contract) = call["to"].as_str() {
            assert_eq!(contract.parse(), Ok(ACCOUNTS));
            let is_creation = data[4 + 32..4 + 64] == [0; 32];
            let is_allowed = if is_creation { self.allowed.0 } else { self.allowed.1 };
            return word(U256::from(u64::from(is_allowed)));
        }
        if data.as_ref() == CONTROL {
            return word(U256::ONE);
        }
        let probe: &Probe = PROBES.iter().find(|probe| data.starts_with(probe.code)).unwrap();
        let is_there = self.rules.is_some_and(|rules| rules >= probe.rules) && self.hole != Some(probe.rules);
        let mix_hash = U256::from_be_slice(&hex::decode(MIX_HASH).unwrap());
        match (&probe.sign, is_there, probe.rules) {
            (Sign::Runs, true, _) => word(U256::ONE),
            (Sign::Runs, false, _) => Err((-32_000, "Invalid opcode: 0x5f")),
            (Sign::Returns(_), _, Rules::Berlin) => word(U256::from(if is_there { 2_607 } else { 707 })),
            (Sign::Returns(_), _, Rules::Paris) => word(if is_there { mix_hash } else { U256::ONE }),
            (Sign::Returns(_), _, _) => word(U256::from(if is_there { 128 } else { 0 })),
        }
    }
}

impl RpcTransport for Script {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        let _ = self.elapsed();
        let request: Value = serde_json::from_str(&request).unwrap();
        let method = request["method"].as_str().unwrap().to_owned();
        let is_read = !method.starts_with("eth_send") && !method.contains("add") && !method.contains("set");
        assert!(is_read, "{method} changes something");
        let behaviour = self.behaviours.get(method.as_str()).or_else(|| self.behaviours.get("*"));
        let said = match behaviour {
            Some(Behaviour::Hangs) => return Box::pin(std::future::pending()),
            Some(Behaviour::Refused) => Err(TransportError::NotSent { reason: "connection refused".to_owned() }),
            Some(Behaviour::Says(text)) => Ok(text.replace("{id}", &request["id"].to_string())),
            None => Ok(match self.answer(&method, &request["params"]) {
                Ok(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string(),
                Err((code, message)) => {
                    let error = json!({ "code": code, "message": message });
                    json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string()
                }
            }),
        };
        Box::pin(async move {
            // Time is the test's: it passes at once.
            let _ = timeout(self.latency, std::future::pending::<()>()).await;
            said
        })
    }

    fn server_date(&self) -> Option<String> {
        // `NOW` is eight o'clock.
        let seconds = 8 * 3_600 + self.date? + i64::try_from(self.elapsed().as_secs()).unwrap();
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        Some(format!("Fri, 15 Jan 2027 {hours:02}:{minutes:02}:{:02} GMT", seconds % 60))
    }
}
