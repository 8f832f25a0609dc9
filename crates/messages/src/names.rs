//! Names: tenants, streams and types of events. They are parsed at the door; afterwards nobody checks again. Copies share their
//! text.

use std::fmt;
use std::sync::Arc;

/// A name is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left of it.
    #[error("{what} is empty")]
    Empty {
        /// Which name.
        what: &'static str,
    },
    /// It is longer than its kind may be.
    #[error("{what} has {bytes} bytes, more than {bytes_max}")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// A character in it is not among those that its kind may have.
    #[error("{what} has the character {character:?} at byte {at_byte}; allowed are {allowed}")]
    Character {
        /// Which name.
        what: &'static str,
        /// The character.
        character: char,
        /// Where it begins.
        at_byte: usize,
        /// What is allowed, in words.
        allowed: &'static str,
    },
}

/// Refuses a text that is empty, too long, or has a character that `is_allowed` refuses.
pub(crate) fn check(
    what: &'static str,
    text: &str,
    bytes_max: usize,
    allowed: &'static str,
    is_allowed: fn(char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > bytes_max {
        return Err(NameError::TooLong { what, bytes: text.len(), bytes_max });
    }
    match text.char_indices().find(|(_, character)| !is_allowed(*character)) {
        Some((at_byte, character)) => Err(NameError::Character { what, character, at_byte, allowed }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$docs:meta])* $name:ident, $what:literal, $bytes_max:literal, $allowed:literal, $is_allowed:expr) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most bytes that it may have.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Parses it.
            ///
            /// # Errors
            ///
            /// If it is empty, too long, or has a character that is not allowed.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                check($what, text, Self::BYTES_MAX, $allowed, $is_allowed)?;
                Ok(Self(text.into()))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// Who the data belongs to: an institution, or `platform` for what belongs to none.
    TenantId, "tenant", 64, "lower-case letters, digits, `-` and `_`",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_'
}
name! {
    /// A stream within a tenant: kind and identifier of what it tells of, as in `asset/ast_018f…`.
    StreamName, "stream name", 200, "letters, digits and `-_./:`",
    |c| c.is_ascii_alphanumeric() || "-_./:".contains(c)
}
name! {
    /// What happened, in the past tense, with its part in front, as in `tokens.asset_issued`.
    EventType, "event type", 100, "lower-case letters, digits, `.` and `_`",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '_'
}

impl EventType {
    /// The type whose name is known to be right: constants of the code.
    ///
    /// # Panics
    ///
    /// If it is not, which a test of the type finds.
    #[must_use]
    pub fn of(name: &'static str) -> Self {
        match Self::parse(name) {
            Ok(event_type) => event_type,
            Err(error) => panic!("an event type of the code is no name: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_its_limit_holds_and_one_byte_more_does_not() {
        assert!(StreamName::parse(&"a".repeat(200)).is_ok());
        let error = StreamName::parse(&"a".repeat(201)).unwrap_err();
        assert_eq!(error.to_string(), "stream name has 201 bytes, more than 200");
    }

    #[test]
    fn control_characters_are_refused_by_place() {
        let error = StreamName::parse("asset/\u{7}1").unwrap_err().to_string();
        assert_eq!(error, "stream name has the character '\\u{7}' at byte 6; allowed are letters, digits and `-_./:`");
    }

    #[test]
    fn nothing_is_no_name() {
        assert_eq!(TenantId::parse(""), Err(NameError::Empty { what: "tenant" }));
    }
}
