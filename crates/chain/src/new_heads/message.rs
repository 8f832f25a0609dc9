//! The messages of a subscription, pure: what is asked, and what an answer or a notification says.

use alloy_primitives::U64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::SubscriptionFault;
use crate::transport::http::excerpt;

/// The one request of a connection.
const REQUEST_ID: u64 = 1;

/// The longest name of a subscription, in bytes: nodes give numbers in hexadecimal.
const SUBSCRIPTION_BYTES_MAX: usize = 128;

#[derive(Deserialize)]
struct WireMessage {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    params: Option<WireParams>,
}

#[derive(Deserialize)]
struct WireParams {
    subscription: String,
    result: WireHead,
}

/// A head; all else of it is read from the node, and proven.
#[derive(Deserialize)]
struct WireHead {
    number: U64,
}

/// What asks for new heads.
pub(super) fn request() -> String {
    json!({ "jsonrpc": "2.0", "id": REQUEST_ID, "method": "eth_subscribe", "params": ["newHeads"] }).to_string()
}

/// The subscription's name in the node's answer; `None` if this is a notification, which some nodes send before.
pub(super) fn subscription(text: &[u8]) -> Result<Option<String>, SubscriptionFault> {
    let message = parse(text)?;
    if message.params.is_some() {
        return Ok(None);
    }
    if !message.error.is_null() {
        return Err(SubscriptionFault::Refused(excerpt(&message.error.to_string())));
    }
    match message.result {
        Value::String(name) if message.id == json!(REQUEST_ID) && name.len() <= SUBSCRIPTION_BYTES_MAX => {
            Ok(Some(name))
        }
        _ => Err(garbage(text)),
    }
}

/// The number of the head that a notification of this subscription tells of.
pub(super) fn head(text: &[u8], subscription: &str) -> Result<u64, SubscriptionFault> {
    match parse(text)?.params {
        Some(params) if params.subscription == subscription => Ok(params.result.number.to()),
        _ => Err(garbage(text)),
    }
}

fn parse(text: &[u8]) -> Result<WireMessage, SubscriptionFault> {
    serde_json::from_slice(text).map_err(|_| garbage(text))
}

pub(super) fn garbage(text: &[u8]) -> SubscriptionFault {
    SubscriptionFault::Garbage(excerpt(&String::from_utf8_lossy(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> String {
        match subscription(text.as_bytes()) {
            Ok(name) => format!("{name:?}"),
            Err(fault) => fault.to_string(),
        }
    }

    fn told(text: &str) -> String {
        match head(text.as_bytes(), "0x7") {
            Ok(number) => number.to_string(),
            Err(fault) => fault.to_string(),
        }
    }

    fn notification(subscription: &str, number: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{subscription}","result":{{"number":"{number}","hash":"0x1"}}}}}}"#
        )
    }

    #[test]
    fn the_answer_names_the_subscription_or_says_why_there_is_none() {
        assert_eq!(named(r#"{"jsonrpc":"2.0","id":1,"result":"0x7"}"#), r#"Some("0x7")"#);
        assert_eq!(named(&notification("0x7", "0x1")), "None");
        let refusal = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#;
        assert_eq!(
            named(refusal),
            r#"the node refused the subscription: {"code":-32601,"message":"Method not found"}"#
        );
        let other = [r#"{"id":2,"result":"0x7"}"#, r#"{"id":1,"result":7}"#, "[]", "", "{"];
        for text in other {
            assert!(
                named(text).starts_with("the node sent something else than a new head: "),
                "{text}: {}",
                named(text)
            );
        }
        let long = format!(r#"{{"id":1,"result":"{}"}}"#, "7".repeat(SUBSCRIPTION_BYTES_MAX + 1));
        assert!(named(&long).starts_with("the node sent something else"), "{}", named(&long));
        assert!(named(&long).len() < 300, "the excerpt is as long as the message");
    }

    #[test]
    fn only_a_head_of_this_subscription_is_heard() {
        assert_eq!(told(&notification("0x7", "0x2a")), "42");
        assert_eq!(told(&notification("0x7", "0xffffffffffffffff")), u64::MAX.to_string());
        let else_than_heads = [
            notification("0x8", "0x2a"),
            notification("0x7", "0x1ffffffffffffffff"),
            notification("0x7", "many"),
            r#"{"jsonrpc":"2.0","id":1,"result":"0x7"}"#.to_owned(),
            r#"{"params":{"subscription":"0x7","result":null}}"#.to_owned(),
            format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)),
            String::new(),
        ];
        for text in else_than_heads {
            assert!(told(&text).starts_with("the node sent something else than a new head: "), "{}", told(&text));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_bring_anything_but_a_number_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(head(&bytes, "0x7").is_err());
            prop_assert!(subscription(&bytes).is_err());
        }
    }
}
