//! Names of stores and readers on the bus: what every kind of bus takes for one word.

use std::fmt;

/// The most bytes of a name: what file names, durable consumers and metrics all bear.
const BYTES_MAX: usize = 64;

/// A text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no name on the bus: it has 1 to {BYTES_MAX} lower-case letters, digits, `-` and `_`")]
pub struct BusNameError {
    /// The text.
    pub text: String,
}

/// The name of a store, or of one that reads it, as in `tokens`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusName(Box<str>);

impl BusName {
    /// Parses it.
    ///
    /// # Errors
    ///
    /// If it is empty, longer than 64 bytes, or has other characters than lower-case letters, digits, `-` and `_`.
    pub fn parse(text: &str) -> Result<Self, BusNameError> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if text.is_empty() || text.len() > BYTES_MAX || !text.bytes().all(is_allowed) {
            return Err(BusNameError { text: text.chars().take(BYTES_MAX).collect() });
        }
        Ok(Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_two_words_or_a_wildcard_is_no_name() {
        for text in ["", "a.b", "a b", "*", ">", "Tokens", "ção", &"a".repeat(65)] {
            assert!(BusName::parse(text).is_err(), "{text}");
        }
        assert_eq!(BusName::parse("token-manager_2").unwrap().as_str(), "token-manager_2");
    }
}
