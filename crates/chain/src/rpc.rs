//! The node's methods that the platform uses, typed, and what a failed one means.

pub(crate) mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use node_errors::{Meaning, NextStep, Row, classify};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub use self::wire::{Block, BlockTransaction, LogEntry, Receipt, SeenTransaction};
pub(crate) use self::wire::{BlockName, SealedBlock, SealedReceipt};
use crate::profile::Pace;
use crate::transport::{RpcTransport, TransportError};

/// How many characters of an answer that nobody can read are shown.
const EXCERPT_CHARACTERS_MAX: usize = 2_000;

/// The one method that is no question. [`Rpc`] sends it once: whoever sends must read each answer and store what it means.
const SEND: &str = "eth_sendRawTransaction";

/// How often a read is asked at most, where its answer is lost. Of a link that loses one request in ten, five attempts leave
/// one read in 100,000 without an answer.
const READ_ATTEMPTS_MAX: u32 = 5;

/// After so long no further attempt at a read begins: a node that takes its time to say nothing is not waited for five times.
const READ_TIME_MAX: Duration = Duration::from_secs(10);

/// Talks to one node.
pub struct Rpc {
    transport: Arc<dyn RpcTransport>,
    /// How a read without an answer is asked again, if it is.
    reads: Option<Pace>,
    next_id: AtomicU64,
    unknown_answers: AtomicU64,
}

/// A method gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The node cannot have the request.
    #[error("{method} was not sent: {reason}")]
    NotSent {
        /// The method.
        method: &'static str,
        /// Why not.
        reason: String,
    },
    /// The node may have the request and may have acted on it; there is no answer, or none that can be read.
    #[error("{method} has no answer that can be read: {reason}")]
    OutcomeUnknown {
        /// The method.
        method: &'static str,
        /// What was seen.
        reason: String,
    },
    /// The node answered with an error.
    #[error("{method} was answered with {} ({})", answer.message, answer.code)]
    Answered {
        /// The method.
        method: &'static str,
        /// What the node said.
        answer: Box<NodeAnswer>,
    },
}

/// An error as the node wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeAnswer {
    /// The JSON-RPC error code.
    pub code: i64,
    /// The message.
    pub message: String,
    /// The data, where it is hexadecimal: a revert's bytes.
    pub data: Option<Bytes>,
    /// Its row in the table of answers; `None` if it is in no row, which is logged and counted.
    pub row: Option<&'static Row>,
}

impl RpcError {
    /// What the node's answer means; `None` if there is no answer or it is in no row of the table.
    pub fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Answered { answer, .. } => answer.row.map(|row| row.meaning),
            Self::NotSent { .. } | Self::OutcomeUnknown { .. } => None,
        }
    }

    /// The bytes with which the called contract reverted, raw; empty if it gave none; `None` if it did not revert.
    pub fn revert_data(&self) -> Option<Bytes> {
        match self {
            Self::Answered { answer, .. } if self.meaning() == Some(Meaning::ExecutionReverted) => {
                Some(answer.data.clone().unwrap_or_default())
            }
            _ => None,
        }
    }

    /// Whether the node said nothing that can be read: to the same question it may answer the next time.
    fn is_without_answer(&self) -> bool {
        match self {
            Self::NotSent { .. } | Self::OutcomeUnknown { .. } => true,
            Self::Answered { .. } => false,
        }
    }
}

/// A call that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// As whom.
    pub from: Option<Address>,
    /// The contract; `None` runs creation code.
    pub to: Option<Address>,
    /// The calldata.
    pub data: Bytes,
    /// The network's coin that goes with it.
    pub value_wei: U256,
    /// The most gas it may use; the node's own limit if `None`.
    pub gas: Option<u64>,
}

impl CallRequest {
    /// Reads from a contract as nobody in particular.
    pub fn read(to: Address, data: Bytes) -> Self {
        Self { from: None, to: Some(to), data, value_wei: U256::ZERO, gas: None }
    }

    fn to_json(&self) -> Value {
        let mut object = json!({ "data": self.data, "value": self.value_wei });
        if let Some(from) = self.from {
            object["from"] = json!(from);
        }
        if let Some(to) = self.to {
            object["to"] = json!(to);
        }
        if let Some(gas) = self.gas {
            object["gas"] = json!(U64::from(gas));
        }
        object
    }
}

/// Which block's state is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The head.
    Latest,
    /// The block with this number.
    Number(u64),
}

impl At {
    fn to_json(self) -> Value {
        match self {
            Self::Latest => json!("latest"),
            Self::Number(number) => json!(U64::from(number)),
        }
    }
}

/// Which logs are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// The first block.
    pub from_block: u64,
    /// The last block; not above the head (Besu answers an error then since 26.1).
    pub to_block: u64,
    /// The contracts; empty means all.
    pub addresses: Vec<Address>,
    /// The first topic, which names the event; any if `None`.
    pub topic0: Option<B256>,
}

impl Rpc {
    /// Talks to the node behind the transport. Each request is sent once.
    pub fn new(transport: Arc<dyn RpcTransport>) -> Self {
        Self { transport, reads: None, next_id: AtomicU64::new(1), unknown_answers: AtomicU64::new(0) }
    }

    /// From now on a read whose answer is lost, or cannot be read, is asked again after the pauses of this pace, at most five
    /// times in all. What the node answered, errors included, is never asked again, and
    /// [`send_raw_transaction`](Self::send_raw_transaction) is still sent once.
    #[must_use]
    pub fn asking_again(self, pace: Pace) -> Self {
        Self { reads: Some(pace), ..self }
    }

    /// The way to the node.
    pub(crate) fn transport(&self) -> Arc<dyn RpcTransport> {
        Arc::clone(&self.transport)
    }

    /// How many answers were in no row of the table so far. Each is in the log with its whole text.
    pub fn unknown_answers(&self) -> u64 {
        self.unknown_answers.load(Ordering::Relaxed)
    }

    /// `eth_chainId`.
    ///
    /// # Errors
    ///
    /// See [`RpcError`]; the same for all methods.
    pub async fn chain_id(&self) -> Result<u64, RpcError> {
        self.quantity("eth_chainId", json!([])).await
    }

    /// `eth_blockNumber`: the head's number.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn block_number(&self) -> Result<u64, RpcError> {
        self.quantity("eth_blockNumber", json!([])).await
    }

    /// `eth_getTransactionCount`: how many transactions of the account are mined, which is its next nonce.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn transaction_count(&self, account: Address, at: At) -> Result<u64, RpcError> {
        self.quantity("eth_getTransactionCount", json!([account, at.to_json()])).await
    }

    /// `eth_sendRawTransaction`. The hash is what the node says: compare it with one's own and believe the latter.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn send_raw_transaction(&self, raw: &Bytes) -> Result<B256, RpcError> {
        self.request(SEND, json!([raw])).await
    }

    /// `eth_getTransactionReceipt`: `None` while the transaction is not mined, as far as this node knows.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn receipt(&self, hash: B256) -> Result<Option<Receipt>, RpcError> {
        let found: Option<wire::WireReceipt> = self.request("eth_getTransactionReceipt", json!([hash])).await?;
        Ok(found.map(Receipt::from))
    }

    /// `eth_getTransactionByHash`: `None` if the node has it neither in its pool nor in a block.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn transaction(&self, hash: B256) -> Result<Option<SeenTransaction>, RpcError> {
        let found: Option<wire::WireTransaction> = self.request("eth_getTransactionByHash", json!([hash])).await?;
        Ok(found.map(SeenTransaction::from))
    }

    /// `eth_call`: what the call would return. A revert is an error with [`RpcError::revert_data`].
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn call(&self, call: &CallRequest, at: At) -> Result<Bytes, RpcError> {
        self.request("eth_call", json!([call.to_json(), at.to_json()])).await
    }

    /// `eth_estimateGas`: a gas limit with which the call would succeed at the head.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn estimate_gas(&self, call: &CallRequest) -> Result<u64, RpcError> {
        self.quantity("eth_estimateGas", json!([call.to_json()])).await
    }

    /// `eth_getCode`: the contract's code; empty for an account without.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn code(&self, address: Address, at: At) -> Result<Bytes, RpcError> {
        self.request("eth_getCode", json!([address, at.to_json()])).await
    }

    /// `eth_getBlockByNumber` with whole transactions; `None` if there is no such block.
    ///
    /// # Errors
    ///
    /// See [`RpcError`].
    pub async fn block(&self, at: At) -> Result<Option<Block>, RpcError> {
        let found: Option<wire::WireBlock> = self.request("eth_getBlockByNumber", json!([at.to_json(), true])).await?;
        Ok(found.map(Block::from))
    }

    /// `eth_getBlockByNumber` with what its receipts are held against; `None` if there is no such block.
    pub(crate) async fn sealed_block(&self, number: u64) -> Result<Option<SealedBlock>, RpcError> {
        let params = json!([At::Number(number).to_json(), true]);
        let found: Option<wire::WireSealedBlock> = self.request("eth_getBlockByNumber", params).await?;
        Ok(found.map(SealedBlock::from))
    }

    /// `eth_getBlockByNumber` without transactions: which block the node has there; `None` if there is none.
    pub(crate) async fn block_name(&self, at: At) -> Result<Option<BlockName>, RpcError> {
        let found: Option<wire::WireBlockName> =
            self.request("eth_getBlockByNumber", json!([at.to_json(), false])).await?;
        Ok(found.map(BlockName::from))
    }

    /// `eth_getBlockReceipts` by the block's hash; `None` if the node has no such block.
    pub(crate) async fn block_receipts(&self, block_hash: B256) -> Result<Option<Vec<SealedReceipt>>, RpcError> {
        let found: Option<Vec<wire::WireSealedReceipt>> =
            self.request("eth_getBlockReceipts", json!([block_hash])).await?;
        Ok(found.map(|receipts| receipts.into_iter().map(SealedReceipt::from).collect()))
    }

    /// `eth_getTransactionReceipt` with what it is held against; `None` while the transaction is not mined.
    pub(crate) async fn sealed_receipt(&self, hash: B256) -> Result<Option<SealedReceipt>, RpcError> {
        let found: Option<wire::WireSealedReceipt> = self.request("eth_getTransactionReceipt", json!([hash])).await?;
        Ok(found.map(SealedReceipt::from))
    }

    /// `eth_getLogs`.
    ///
    /// # Errors
    ///
    /// See [`RpcError`]; a range that is too long for the node has [`Meaning::ExceedsBlockRange`].
    pub async fn logs(&self, filter: &LogFilter) -> Result<Vec<LogEntry>, RpcError> {
        let mut object = json!({ "fromBlock": U64::from(filter.from_block), "toBlock": U64::from(filter.to_block) });
        if !filter.addresses.is_empty() {
            object["address"] = json!(filter.addresses);
        }
        if let Some(topic0) = filter.topic0 {
            object["topics"] = json!([topic0]);
        }
        let found: Vec<wire::WireLog> = self.request("eth_getLogs", json!([object])).await?;
        Ok(found.into_iter().map(LogEntry::from).collect())
    }

    async fn quantity(&self, method: &'static str, params: Value) -> Result<u64, RpcError> {
        self.request::<U64>(method, params).await.map(|quantity| quantity.to::<u64>())
    }

    async fn request<T: DeserializeOwned>(&self, method: &'static str, params: Value) -> Result<T, RpcError> {
        let Some(pace) = self.reads.filter(|_| method != SEND) else { return self.request_once(method, &params).await };
        let (attempts_max, began) = (READ_ATTEMPTS_MAX.min(pace.attempts_max), Instant::now());
        let mut attempt = 1;
        loop {
            let answer = self.request_once(method, &params).await;
            let is_last = attempt >= attempts_max || began.elapsed() >= READ_TIME_MAX;
            match answer {
                Err(error) if error.is_without_answer() && !is_last => {
                    tracing::debug!(method, attempt, %error, "a read without an answer is asked again");
                }
                answer => return answer,
            }
            sleep(pace.pause_after(attempt)).await;
            attempt += 1;
        }
    }

    async fn request_once<T: DeserializeOwned>(&self, method: &'static str, params: &Value) -> Result<T, RpcError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let sent = match method {
            SEND => self.transport.send_transaction(request.to_string()),
            _ => self.transport.send(request.to_string()),
        };
        let answer = sent.await.map_err(|error| match error {
            TransportError::NotSent { reason } => RpcError::NotSent { method, reason },
            TransportError::OutcomeUnknown { reason } => RpcError::OutcomeUnknown { method, reason },
        })?;
        self.read(method, id, &answer)
    }

    fn read<T: DeserializeOwned>(&self, method: &'static str, id: u64, answer: &str) -> Result<T, RpcError> {
        let unreadable = |what: &str| {
            let excerpt: String = answer.chars().take(EXCERPT_CHARACTERS_MAX).collect();
            tracing::error!(method, what, answer = excerpt, "a node's answer cannot be read");
            RpcError::OutcomeUnknown { method, reason: what.to_owned() }
        };
        match wire::result_of(id, answer) {
            Ok(result) => T::deserialize(result).map_err(|_| unreadable("the result is not of the method's form")),
            Err(wire::NoResult::Error(error)) => Err(self.answered(method, error)),
            Err(wire::NoResult::Unreadable(what)) => Err(unreadable(what)),
        }
    }

    fn answered(&self, method: &'static str, error: wire::WireError) -> RpcError {
        let wire::WireError { code, message, data } = error;
        let row = classify(code, &message);
        if row.is_none() {
            let _ = self.unknown_answers.fetch_add(1, Ordering::Relaxed);
            tracing::error!(method, code, message, ?data, "a node's answer is in no row of the table");
        }
        let data = data.as_ref().and_then(Value::as_str).and_then(|text| text.parse::<Bytes>().ok());
        RpcError::Answered { method, answer: Box::new(NodeAnswer { code, message, data, row }) }
    }
}

/// Whether this answer to a transaction says that the node has it: it names a hash, or knows the transaction already.
pub(crate) fn is_taken(answer: &str) -> bool {
    match wire::said(answer) {
        Some(Ok(result)) => result.is_string(),
        Some(Err(error)) => classify(error.code, &error.message)
            .is_some_and(|row| matches!(row.meaning.next_step(), NextStep::AwaitReceipt)),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::TransportFuture;

    /// A node that says the same to everybody.
    struct Parrot(&'static str);

    impl RpcTransport for Parrot {
        fn send<'a>(&'a self, _request: String) -> TransportFuture<'a> {
            Box::pin(std::future::ready(Ok(self.0.to_owned())))
        }
    }

    async fn count_with(answer: &'static str) -> (Result<u64, RpcError>, u64) {
        let rpc = Rpc::new(Arc::new(Parrot(answer)));
        (rpc.block_number().await, rpc.unknown_answers())
    }

    #[tokio::test]
    async fn a_result_is_read() {
        let (count, _) = count_with(r#"{"jsonrpc":"2.0","id":1,"result":"0x2a"}"#).await;
        assert_eq!(count, Ok(42));
    }

    #[tokio::test]
    async fn half_an_answer_and_a_strange_one_leave_the_outcome_unknown() {
        for answer in [
            r#"{"jsonrpc":"2.0","id":1,"resu"#,
            r#"{"jsonrpc":"2.0","id":2,"result":"0x2a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":"forty-two"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            "<html>",
            "[]",
        ] {
            let (count, _) = count_with(answer).await;
            assert!(matches!(count, Err(RpcError::OutcomeUnknown { .. })), "{answer}: {count:?}");
        }
    }

    #[tokio::test]
    async fn an_error_has_its_meaning_and_its_data() {
        let answer =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"Execution reverted: no","data":"0x0102"}}"#;
        let error = count_with(answer).await.0.unwrap_err();
        assert_eq!(error.meaning(), Some(Meaning::ExecutionReverted));
        assert_eq!(error.revert_data(), Some(Bytes::from_static(&[1, 2])));
        assert_eq!(error.to_string(), "eth_blockNumber was answered with Execution reverted: no (3)");
    }

    /// A node of which nothing is heard for the first so many requests, each of which takes so long.
    struct Flaky {
        silent: u64,
        each_takes: Duration,
        requests: AtomicU64,
    }

    impl RpcTransport for Flaky {
        fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
            Box::pin(async move {
                tokio::time::advance(self.each_takes).await;
                let number = self.requests.fetch_add(1, Ordering::Relaxed);
                let reason = "the line is bad".to_owned();
                match (number < self.silent, number % 3) {
                    (true, 0) => Err(TransportError::NotSent { reason }),
                    (true, 1) => Err(TransportError::OutcomeUnknown { reason }),
                    (true, _) => Ok("{\"jsonrpc\":\"2.0\",\"id".to_owned()),
                    (false, _) => {
                        let request: Value = serde_json::from_str(&request).unwrap();
                        Ok(json!({ "jsonrpc": "2.0", "id": request["id"], "result": "0x2a" }).to_string())
                    }
                }
            })
        }
    }

    fn flaky(silent: u64, each_takes: Duration) -> (Rpc, Arc<Flaky>) {
        let node = Arc::new(Flaky { silent, each_takes, requests: AtomicU64::new(0) });
        let pace =
            Pace { first_pause: Duration::from_millis(5), pause_max: Duration::from_millis(500), attempts_max: 24 };
        (Rpc::new(Arc::<Flaky>::clone(&node)).asking_again(pace), node)
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_whose_answers_are_lost_is_asked_again() {
        let (rpc, node) = flaky(2, Duration::ZERO);
        assert_eq!(rpc.block_number().await, Ok(42));
        assert_eq!(node.requests.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_that_is_never_answered_ends_after_as_many_attempts_as_there_are() {
        let (rpc, node) = flaky(u64::MAX, Duration::ZERO);
        let error = rpc.block_number().await.unwrap_err();
        assert!(matches!(error, RpcError::OutcomeUnknown { .. }), "{error}");
        assert_eq!(node.requests.load(Ordering::Relaxed), u64::from(READ_ATTEMPTS_MAX));
        let (rpc, node) = flaky(u64::MAX, READ_TIME_MAX * 2 / 3);
        let _ = rpc.block_number().await.unwrap_err();
        assert_eq!(
            node.requests.load(Ordering::Relaxed),
            2,
            "a node that is slow to say nothing is waited for less often"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_transaction_is_sent_once_and_without_a_pace_a_read_too() {
        let (rpc, node) = flaky(u64::MAX, Duration::ZERO);
        let _ = rpc.send_raw_transaction(&Bytes::from_static(&[1])).await.unwrap_err();
        assert_eq!(node.requests.load(Ordering::Relaxed), 1);
        let _ = Rpc::new(Arc::<Flaky>::clone(&node)).block_number().await.unwrap_err();
        assert_eq!(node.requests.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn what_the_node_answered_is_not_asked_again() {
        let answer = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
        let pace = flaky(0, Duration::ZERO).0.reads.unwrap();
        let rpc = Rpc::new(Arc::new(Parrot(answer))).asking_again(pace);
        let error = rpc.block_number().await.unwrap_err();
        assert!(matches!(error, RpcError::Answered { .. }), "{error}");
        assert_eq!(rpc.next_id.load(Ordering::Relaxed), 2, "one request");
    }

    #[test]
    fn a_hash_and_a_known_transaction_are_taken_and_nothing_else() {
        let error = |code: i64, message: &str| json!({ "id": 1, "error": { "code": code, "message": message } });
        for taken in [json!({ "id": 1, "result": "0x01" }), error(-32000, "Known transaction")] {
            assert!(is_taken(&taken.to_string()), "{taken}");
        }
        let others =
            [json!({ "id": 1, "result": null }), json!({ "id": 1 }), json!([]), error(-32001, "Nonce too low")];
        for other in others.iter().chain([&error(-32000, "the moon is full")]) {
            assert!(!is_taken(&other.to_string()), "{other}");
        }
        assert!(!is_taken(r#"{"id":1,"result":"0x0"#), "half an answer");
    }

    #[tokio::test]
    async fn an_answer_in_no_row_is_counted() {
        let answer =
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"the moon is full","data":{"a":1}}}"#;
        let (count, unknown) = count_with(answer).await;
        assert_eq!((count.unwrap_err().meaning(), unknown), (None, 1));
    }
}
