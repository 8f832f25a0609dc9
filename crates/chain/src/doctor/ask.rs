//! One question to a node, with a limit on its time, and what its answer is worth. Only reads are asked.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::observation::{Seen, Unseen};
use crate::rpc::wire::{NoResult, result_of};
use crate::transport::{RpcTransport, TransportError};

/// How long one question may take: longer than a healthy node needs, shorter than Besu's own 30 s.
pub(super) const QUESTION_MAX: Duration = Duration::from_secs(10);
/// How long one node may be questioned, watching left out.
pub(super) const NODE_MAX: Duration = Duration::from_secs(90);
/// After so many questions without any answer a node is not asked further.
const SILENCES_MAX: u32 = 2;
/// How many characters of a node's words are kept.
pub(super) const WORDS_CHARACTERS_MAX: usize = 200;

/// JSON-RPC's "method not found" and Besu's "method not enabled" (`node-errors` has the words of both).
const NOT_OFFERED: [i64; 2] = [-32_601, -32_604];

/// How many questions are asked at once where there are many of a kind: a node is not to be put under load.
pub(super) const AT_ONCE: usize = 8;
/// Besu's answer to whoever has no token, or one that does not let him in.
const UNAUTHORIZED: i64 = -40_100;

/// Asks one node. Unlike [`Rpc`](crate::Rpc) it says nothing to the log: that a node refuses is what it wants to know.
pub(super) struct Asker {
    transport: Arc<dyn RpcTransport>,
    next_id: AtomicU64,
    silences: AtomicU32,
    until: Instant,
}

impl Asker {
    pub(super) fn new(transport: Arc<dyn RpcTransport>) -> Self {
        let until = Instant::now() + NODE_MAX;
        Self { transport, next_id: AtomicU64::new(1), silences: AtomicU32::new(0), until }
    }

    /// The same node, with its time anew.
    pub(super) fn again(&self) -> Self {
        Self::new(Arc::clone(&self.transport))
    }

    /// The same node within the same time, with silences counted on their own: many questions at once go unanswered together.
    pub(super) fn aside(&self) -> Self {
        Self { until: self.until, ..self.again() }
    }

    /// What the node's clock said with its last answer.
    pub(super) fn server_date(&self) -> Option<String> {
        self.transport.server_date()
    }

    /// The result of a method that changes nothing.
    pub(super) async fn ask(&self, method: &'static str, params: Value) -> Seen<Value> {
        if self.silences.load(Ordering::Relaxed) >= SILENCES_MAX {
            return Err(Unseen::NodeSilent);
        }
        let left = self.until.saturating_duration_since(Instant::now());
        // With less time than a question may take, nobody could tell a slow node from a silent one.
        if left < QUESTION_MAX {
            return Err(Unseen::TimeUsedUp { max_seconds: NODE_MAX.as_secs() });
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string();
        let answer = match tokio::time::timeout(QUESTION_MAX, self.transport.send(request)).await {
            Err(_) => Err(Unseen::TimedOut { method, max_seconds: QUESTION_MAX.as_secs() }),
            Ok(Err(TransportError::NotSent { reason } | TransportError::OutcomeUnknown { reason })) => {
                Err(Unseen::NoAnswer { method, reason: words(&reason) })
            }
            Ok(Ok(answer)) => Ok(answer),
        };
        match answer {
            Ok(answer) => {
                self.silences.store(0, Ordering::Relaxed);
                read(method, id, &answer)
            }
            Err(unseen) => {
                let _ = self.silences.fetch_add(1, Ordering::Relaxed);
                Err(unseen)
            }
        }
    }

    pub(super) async fn number(&self, method: &'static str, params: Value) -> Seen<u64> {
        self.ask(method, params).await.and_then(|value| number(method, &value))
    }

    pub(super) async fn amount(&self, method: &'static str, params: Value) -> Seen<U256> {
        self.ask(method, params).await.and_then(|value| amount(method, &value))
    }

    pub(super) async fn addresses(&self, method: &'static str, params: Value) -> Seen<Vec<Address>> {
        let value = self.ask(method, params).await?;
        let addresses = value.as_array().ok_or(Unseen::Unreadable { method })?;
        addresses.iter().map(|one| address(method, one)).collect()
    }

    /// What running this creation code returns, at the head.
    pub(super) async fn run(&self, code: &[u8]) -> Seen<U256> {
        const METHOD: &str = "eth_call";
        let call = json!({ "data": Bytes::copy_from_slice(code), "gas": "0x4c4b40" });
        let returned = self.ask(METHOD, json!([call, "latest"])).await?;
        word(METHOD, &returned)
    }

    /// The yes or no that a contract gives.
    pub(super) async fn answer_of(&self, contract: Address, data: Bytes) -> Seen<bool> {
        const METHOD: &str = "eth_call";
        let returned = self.ask(METHOD, json!([{ "to": contract, "data": data }, "latest"])).await?;
        let answer = word(METHOD, &returned)?;
        let is_bool = answer <= U256::ONE;
        if is_bool { Ok(!answer.is_zero()) } else { Err(Unseen::Unreadable { method: METHOD }) }
    }
}

/// All answers in the order of the questions, which are asked at once.
pub(super) async fn all<T>(questions: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut asked: Vec<_> = questions.into_iter().map(|question| (Box::pin(question), None)).collect();
    poll_fn(|context| {
        let mut is_done = true;
        for (question, answer) in asked.iter_mut().filter(|(_, answer)| answer.is_none()) {
            match question.as_mut().poll(context) {
                Poll::Ready(said) => *answer = Some(said),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    asked.into_iter().filter_map(|(_, answer)| answer).collect()
}

fn read(method: &'static str, id: u64, answer: &str) -> Seen<Value> {
    match result_of(id, answer) {
        Ok(result) => Ok(result),
        Err(NoResult::Unreadable(_)) => match message_alone(answer) {
            Some(reason) => Err(Unseen::TurnedAway { method, reason }),
            None => Err(Unseen::Unreadable { method }),
        },
        Err(NoResult::Error(error)) if error.code == UNAUTHORIZED => {
            Err(Unseen::TurnedAway { method, reason: format!("{} ({UNAUTHORIZED})", words(&error.message)) })
        }
        Err(NoResult::Error(error)) if NOT_OFFERED.contains(&error.code) => Err(Unseen::NotOffered { method }),
        Err(NoResult::Error(error)) => {
            Err(Unseen::Refused { method, code: error.code, message: words(&error.message) })
        }
    }
}

/// What Besu says before it reads a question, as to a host that `--host-allowlist` does not name: a message, and no JSON-RPC.
fn message_alone(answer: &str) -> Option<String> {
    let said: Value = serde_json::from_str(answer).ok()?;
    let is_json_rpc = ["jsonrpc", "id", "result", "error"].iter().any(|name| said.get(name).is_some());
    said["message"].as_str().filter(|_| !is_json_rpc).map(words)
}

/// A node's words on one line, none that moves a terminal's cursor, and not more than fit there.
pub(super) fn words(text: &str) -> String {
    let cut: String = text.chars().take(WORDS_CHARACTERS_MAX).collect();
    let plain = |c: char| if c.is_control() || c.is_whitespace() { ' ' } else { c };
    cut.chars().map(plain).collect::<String>().trim().to_owned()
}

/// A quantity: `0x` and hexadecimal digits.
pub(super) fn amount(method: &'static str, value: &Value) -> Seen<U256> {
    let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).filter(|digits| !digits.is_empty());
    digits.and_then(|digits| U256::from_str_radix(digits, 16).ok()).ok_or(Unseen::Unreadable { method })
}

pub(super) fn number(method: &'static str, value: &Value) -> Seen<u64> {
    u64::try_from(amount(method, value)?).map_err(|_| Unseen::Unreadable { method })
}

pub(super) fn address(method: &'static str, value: &Value) -> Seen<Address> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or(Unseen::Unreadable { method })
}

pub(super) fn hash(method: &'static str, value: &Value) -> Seen<B256> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or(Unseen::Unreadable { method })
}

/// 32 bytes as a number.
fn word(method: &'static str, value: &Value) -> Seen<U256> {
    let bytes = value.as_str().and_then(|text| text.parse::<Bytes>().ok()).filter(|bytes| bytes.len() == 32);
    bytes.map(|bytes| U256::from_be_slice(&bytes)).ok_or(Unseen::Unreadable { method })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_are_hexadecimal_and_of_their_size() {
        assert_eq!(number("m", &json!("0x2a")), Ok(42));
        for bad in [json!("2a"), json!("0x"), json!(42), json!("0x10000000000000000"), json!(null), json!("0x-1")] {
            assert_eq!(number("m", &bad), Err(Unseen::Unreadable { method: "m" }), "{bad}");
        }
    }

    #[test]
    fn a_nodes_words_fit_on_a_line_and_move_no_cursor() {
        assert_eq!(words("a\n\u{1b}[2Jb"), "a  [2Jb");
        assert_eq!(words(&"x".repeat(1_000)).len(), WORDS_CHARACTERS_MAX);
    }

    #[test]
    fn what_is_not_offered_is_told_from_what_is_refused() {
        let answer = |code: i64| format!(r#"{{"id":1,"error":{{"code":{code},"message":"no"}}}}"#);
        assert_eq!(read("m", 1, &answer(-32_601)), Err(Unseen::NotOffered { method: "m" }));
        assert_eq!(read("m", 1, &answer(-32_604)), Err(Unseen::NotOffered { method: "m" }));
        let refused = Unseen::Refused { method: "m", code: -32_000, message: "no".to_owned() };
        assert_eq!(read("m", 1, &answer(-32_000)), Err(refused));
        assert_eq!(read("m", 1, "<html>"), Err(Unseen::Unreadable { method: "m" }));
        let turned_away = |reason: &str| Err(Unseen::TurnedAway { method: "m", reason: reason.to_owned() });
        assert_eq!(read("m", 1, r#"{"message":"Host not authorized."}"#), turned_away("Host not authorized."));
        let no_token = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-40100,"message":"Unauthorized"}}"#;
        assert_eq!(read("m", 1, no_token), turned_away("Unauthorized (-40100)"));
        assert_eq!(read("m", 1, r#"{"id":2,"message":"x"}"#), Err(Unseen::Unreadable { method: "m" }));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer in "\\PC{0,200}") {
            let _ = read("m", 1, &answer);
            let _ = words(&answer);
            let _ = amount("m", &json!(answer));
            let _ = address("m", &json!(answer));
        }
    }
}
