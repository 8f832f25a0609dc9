//! Strict reading of JSON objects: each key is taken once, and what nobody took is an error.

use super::GenesisError;
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Longest part of a wrong value that an error repeats.
const SHOWN_CHARS_MAX: usize = 80;
/// How alike two keys must be, between 0 and 1, before one is offered for the other.
const LIKENESS_MIN: f64 = 0.7;

/// A JSON object being read: remembers which keys were asked for.
pub(super) struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
    is_case_insensitive: bool,
    known: BTreeSet<String>,
}

impl<'a> Object<'a> {
    pub(super) fn new(path: &str, value: &'a Value, is_case_insensitive: bool) -> Result<Self, GenesisError> {
        let map = value.as_object().ok_or_else(|| GenesisError::Invalid {
            path: if path.is_empty() { "the file".to_owned() } else { path.to_owned() },
            found: shown(value),
            expected: "a JSON object".to_owned(),
        })?;
        Ok(Self { path: path.to_owned(), map, is_case_insensitive, known: BTreeSet::new() })
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.map.keys().cloned().collect()
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        if self.is_case_insensitive { one.eq_ignore_ascii_case(other) } else { one == other }
    }

    /// The value under `key`, which counts as known from now on. JSON's null is the same as no value.
    pub(super) fn value(&mut self, key: &str) -> Option<&'a Value> {
        let _ = self.known.insert(key.to_owned());
        let found = if self.is_case_insensitive {
            self.map.iter().find(|(name, _)| self.is_same(name, key)).map(|(_, value)| value)
        } else {
            self.map.get(key)
        };
        found.filter(|value| !value.is_null())
    }

    /// A key that Besu knows and that changes nothing on this ledger.
    pub(super) fn ignore(&mut self, key: &str) {
        let _ = self.value(key);
    }

    pub(super) fn object(&mut self, key: &str) -> Result<Option<Object<'a>>, GenesisError> {
        let path = self.path_of(key);
        self.value(key).map(|value| Object::new(&path, value, self.is_case_insensitive)).transpose()
    }

    pub(super) fn bool(&mut self, key: &str) -> Result<Option<bool>, GenesisError> {
        let path = self.path_of(key);
        let Some(value) = self.value(key) else { return Ok(None) };
        value.as_bool().map(Some).ok_or_else(|| invalid(&path, value, "true or false"))
    }

    pub(super) fn quantity(&mut self, key: &str) -> Result<Option<u64>, GenesisError> {
        let path = self.path_of(key);
        let Some(value) = self.value(key) else { return Ok(None) };
        let wide = parse_wide_quantity(&path, value)?;
        u64::try_from(wide).map(Some).map_err(|_| invalid(&path, value, "a number below 2^64"))
    }

    pub(super) fn wide_quantity(&mut self, key: &str) -> Result<Option<U256>, GenesisError> {
        let path = self.path_of(key);
        self.value(key).map(|value| parse_wide_quantity(&path, value)).transpose()
    }

    pub(super) fn bytes(&mut self, key: &str) -> Result<Option<Bytes>, GenesisError> {
        let path = self.path_of(key);
        let Some(value) = self.value(key) else { return Ok(None) };
        let decoded = value.as_str().and_then(|text| hex::decode(text).ok());
        decoded.map(|bytes| Some(bytes.into())).ok_or_else(|| invalid(&path, value, "bytes in hexadecimal"))
    }

    pub(super) fn hash(&mut self, key: &str) -> Result<Option<B256>, GenesisError> {
        let path = self.path_of(key);
        let Some(bytes) = self.bytes(key)? else { return Ok(None) };
        B256::try_from(&bytes[..]).map(Some).map_err(|_| GenesisError::Invalid {
            path,
            found: format!("{} bytes long", bytes.len()),
            expected: "32 bytes in hexadecimal".to_owned(),
        })
    }

    pub(super) fn address(&mut self, key: &str) -> Result<Option<Address>, GenesisError> {
        let path = self.path_of(key);
        let Some(value) = self.value(key) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| invalid(&path, value, "an address"))?;
        parse_address(&path, text).map(Some)
    }

    pub(super) fn missing(&self, key: &str, expected: &'static str) -> GenesisError {
        GenesisError::Missing { path: self.path_of(key), expected }
    }

    pub(super) fn invalid(&self, key: &str, found: &str, expected: String) -> GenesisError {
        GenesisError::Invalid { path: self.path_of(key), found: found.to_owned(), expected }
    }

    pub(super) fn unsupported(&self, key: &str, reason: &str) -> GenesisError {
        GenesisError::Unsupported { path: self.path_of(key), reason: reason.to_owned() }
    }

    /// Every key that the file holds must have been asked for.
    pub(super) fn finish(self) -> Result<(), GenesisError> {
        let is_known = |key: &str| {
            self.known.contains(key)
                || (self.is_case_insensitive && self.known.iter().any(|known| self.is_same(known, key)))
        };
        match self.map.keys().find(|key| !is_known(key)) {
            None => Ok(()),
            Some(key) => Err(GenesisError::UnknownKey { path: self.path_of(key), nearest: self.nearest(key) }),
        }
    }

    fn nearest(&self, key: &str) -> Option<String> {
        let likeness = |known: &&String| strsim::jaro_winkler(&known.to_lowercase(), &key.to_lowercase());
        let best = self.known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(&best) >= LIKENESS_MIN).then(|| best.clone())
    }
}

/// An address with or without 0x, in any case.
pub(super) fn parse_address(path: &str, text: &str) -> Result<Address, GenesisError> {
    let bytes = hex::decode(text).ok().and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
    bytes.map(Address::from).ok_or_else(|| GenesisError::Invalid {
        path: path.to_owned(),
        found: format!("`{}`", cut(text)),
        expected: "an address: 20 bytes in hexadecimal".to_owned(),
    })
}

/// A number as JSON number, decimal text or hexadecimal text (Besu takes all three).
pub(super) fn parse_wide_quantity(path: &str, value: &Value) -> Result<U256, GenesisError> {
    let parsed = match value {
        Value::Number(number) => number.as_u64().map(U256::from),
        Value::String(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some("") => Some(U256::ZERO),
            Some(digits) => U256::from_str_radix(digits, 16).ok(),
            None => U256::from_str_radix(text, 10).ok().filter(|_| !text.is_empty()),
        },
        _ => None,
    };
    parsed.ok_or_else(|| invalid(path, value, "a number from 0 to 2^256 - 1, decimal or 0x-hexadecimal"))
}

fn invalid(path: &str, value: &Value, expected: &str) -> GenesisError {
    GenesisError::Invalid { path: path.to_owned(), found: shown(value), expected: expected.to_owned() }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        other => format!("`{}`", cut(&other.to_string())),
    }
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
