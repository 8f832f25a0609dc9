//! RLP tests: values with their encoding, and encodings that must be taken or refused.

use super::Verdict;
use alloy_primitives::hex;
use alloy_rlp::{Encodable, Header, PayloadView};
use serde_json::Value as Json;

/// A decoded item.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Bytes(Vec<u8>),
    List(Vec<Item>),
}

/// Runs one test. `VALID` and `INVALID` judge the bytes alone; any other input is the value that they encode.
pub(super) fn run(test: &Json) -> Verdict {
    let out = test["out"].as_str().unwrap();
    let Ok(bytes) = hex::decode(out) else {
        return Verdict::NotApplicable("an RLP test whose bytes are no hexadecimal".to_owned());
    };
    let decoded = decode_whole(&bytes);
    match (&test["in"], decoded) {
        (Json::String(word), Ok(item)) if word == "INVALID" => Verdict::Failed(format!("taken as {item:?}")),
        (Json::String(word), Err(_)) if word == "INVALID" => Verdict::Passed,
        (_, Err(error)) => Verdict::Failed(format!("refused: {error}")),
        (Json::String(word), Ok(item)) if word == "VALID" => expect_bytes(&item, &bytes),
        (value, Ok(item)) => {
            let expected = item_of(value);
            if item != expected {
                return Verdict::Failed(format!("decoded as {item:?}, not {expected:?}"));
            }
            expect_bytes(&expected, &bytes)
        }
    }
}

fn expect_bytes(item: &Item, expected: &[u8]) -> Verdict {
    let found = alloy_rlp::encode(item);
    if found == expected {
        return Verdict::Passed;
    }
    Verdict::Failed(format!("encoded as 0x{}, not 0x{}", hex::encode(found), hex::encode(expected)))
}

fn decode_whole(mut bytes: &[u8]) -> Result<Item, alloy_rlp::Error> {
    let item = decode(&mut bytes)?;
    if bytes.is_empty() { Ok(item) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

fn decode(bytes: &mut &[u8]) -> Result<Item, alloy_rlp::Error> {
    match Header::decode_raw(bytes)? {
        PayloadView::String(bytes) => Ok(Item::Bytes(bytes.to_vec())),
        PayloadView::List(items) => items.into_iter().map(decode_item).collect::<Result<_, _>>().map(Item::List),
    }
}

fn decode_item(bytes: &[u8]) -> Result<Item, alloy_rlp::Error> {
    decode_whole(bytes)
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        match self {
            Self::Bytes(bytes) => bytes.as_slice().encode(out),
            Self::List(items) => alloy_rlp::encode_list::<_, Self>(items, out),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_slice().length(),
            Self::List(items) => alloy_rlp::list_length::<_, Self>(items),
        }
    }
}

/// Texts are their bytes, numbers are big-endian without leading zeros; `#` marks a number too large for JSON.
fn item_of(value: &Json) -> Item {
    match value {
        Json::Array(values) => Item::List(values.iter().map(item_of).collect()),
        Json::String(text) => match text.strip_prefix('#') {
            Some(digits) => Item::Bytes(big_endian(digits)),
            None => Item::Bytes(text.as_bytes().to_vec()),
        },
        number => Item::Bytes(big_endian(&number.to_string())),
    }
}

/// The bytes of a decimal number of any length.
fn big_endian(digits: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = u16::from(digit - b'0');
        for byte in bytes.iter_mut().rev() {
            let [high, low] = (u16::from(*byte) * 10 + carry).to_be_bytes();
            (*byte, carry) = (low, u16::from(high));
        }
        if carry > 0 {
            bytes.insert(0, u8::try_from(carry).unwrap());
        }
    }
    bytes
}
