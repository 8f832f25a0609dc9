//! What an event says: JSON text, kept as first written.
//!
//! JSON's numbers are read by many programs as 64-bit floats. A payload may therefore only have integers that such a program
//! reads exactly; amounts are strings.

use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The largest integer that every JSON reader holds exactly: 2^53 - 1 (RFC 8259, section 6; RFC 7493, section 2.2).
pub const JSON_INTEGER_MAX: u64 = (1 << 53) - 1;

/// How deep arrays and objects may be nested.
pub const JSON_DEPTH_MAX: usize = 32;

/// A payload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is longer than a payload may be.
    #[error("a payload of {bytes} bytes is longer than {bytes_max}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// It is no JSON, or has what JSON readers do not agree on; the text says what and where.
    #[error("a payload is no exact JSON: {why}")]
    NotExact {
        /// What is wrong, with line and column.
        why: String,
    },
}

/// JSON text whose numbers every reader holds exactly, whose objects name no key twice, and which is not nested too deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Box<[u8]>);

impl Payload {
    /// The most bytes that a payload may have. Documents belong elsewhere; an event holds their hash.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// Takes JSON text as it is.
    ///
    /// # Errors
    ///
    /// If it is too long or not exact.
    pub fn parse(bytes: impl Into<Box<[u8]>>) -> Result<Self, PayloadError> {
        let bytes = bytes.into();
        check(&bytes, Self::BYTES_MAX)?;
        Ok(Self(bytes))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    ///
    /// If the value is not to be written as JSON, or the text is refused by [`Self::parse`].
    pub fn of(value: &impl Serialize) -> Result<Self, PayloadError> {
        let bytes = serde_json::to_vec(value).map_err(|error| PayloadError::NotExact { why: error.to_string() })?;
        Self::parse(bytes)
    }

    /// Takes bytes that were checked when they were stored. They are not checked again: the hash chain covers them.
    #[must_use]
    pub fn from_stored(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The text's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Refuses text that is no JSON of at most `bytes_max` bytes with exact numbers.
///
/// # Errors
///
/// See [`PayloadError`].
pub fn check(bytes: &[u8], bytes_max: usize) -> Result<(), PayloadError> {
    if bytes.len() > bytes_max {
        return Err(PayloadError::TooLong { bytes: bytes.len(), bytes_max });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    Exact { depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| PayloadError::NotExact { why: error.to_string() })
}

/// Walks a JSON text and builds nothing.
#[derive(Clone, Copy)]
struct Exact {
    depth: usize,
}

impl Exact {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("it is nested deeper than {JSON_DEPTH_MAX}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Exact {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn too_large<E: serde::de::Error>(value: impl std::fmt::Display) -> E {
    E::custom(format_args!(
        "the number {value} is beyond {JSON_INTEGER_MAX}, which not every reader holds exactly; write it as a string"
    ))
}

impl<'de> Visitor<'de> for Exact {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON with exact numbers")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        if value > JSON_INTEGER_MAX { Err(too_large(value)) } else { Ok(()) }
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        if value.unsigned_abs() > JSON_INTEGER_MAX { Err(too_large(value)) } else { Ok(()) }
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        Err(E::custom(format_args!("the number {value} is no integer; write it as a string")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        while items.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inside = self.inside()?;
        let mut keys = Keys::default();
        while let Some(key) = entries.next_key::<Key<'de>>()? {
            keys.add(key).map_err(|key| serde::de::Error::custom(format_args!("an object names {:?} twice", key.0)))?;
            entries.next_value_seed(inside)?;
        }
        Ok(())
    }
}

/// An object's key, borrowed unless it is written with escapes.
struct Key<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(text.into()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Borrowed)
    }
}

/// Up to so many keys are compared one by one; a set is made for objects with more.
const FEW_KEYS_MAX: usize = 16;

/// The keys that an object has named.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Key<'de>>,
    many: std::collections::HashSet<String>,
}

impl<'de> Keys<'de> {
    fn add(&mut self, key: Key<'de>) -> Result<(), Key<'de>> {
        if self.few.len() < FEW_KEYS_MAX {
            if self.few.iter().any(|known| known.0 == key.0) {
                return Err(key);
            }
            self.few.push(key);
            return Ok(());
        }
        if self.few.iter().any(|known| known.0 == key.0) || !self.many.insert(key.0.clone().into_owned()) {
            return Err(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Payload::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn exact_json_is_kept_as_it_is_written() {
        let text = br#" { "a" : [1, -2, "9007199254740993", null, true, {}] } "#;
        assert_eq!(Payload::parse(text.as_slice()).unwrap().as_bytes(), text);
    }

    #[test]
    fn numbers_that_not_every_reader_holds_are_refused() {
        assert!(Payload::parse(b"9007199254740991".as_slice()).is_ok());
        for number in ["9007199254740992", "-9007199254740992", "18446744073709551616", "0.1", "1e3", "1e999"] {
            assert!(refusal(number).contains("number"), "{number}: {}", refusal(number));
        }
    }

    #[test]
    fn a_key_named_twice_is_refused_also_among_many_and_by_escape() {
        assert!(refusal(r#"{"a":1,"\u0061":2}"#).contains(r#"an object names "a" twice"#));
        let many: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
        assert!(refusal(&format!("{{{many}\"k39\":1}}")).contains("twice"));
        assert!(Payload::parse(format!("{{{many}\"k40\":1}}").into_bytes()).is_ok());
    }

    #[test]
    fn the_limits_are_named() {
        assert_eq!(
            refusal(&format!("\"{}\"", "x".repeat(Payload::BYTES_MAX))),
            "a payload of 65538 bytes is longer than 65536"
        );
        assert!(refusal(&format!("{}{}", "[".repeat(33), "]".repeat(33))).contains("deeper than 32"));
        assert!(Payload::parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).into_bytes()).is_ok());
        assert!(refusal("{} x").contains("trailing"));
    }
}
