//! What a key is called and what it may be used for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest label, in characters: it is also a file name, with room for `.json` and a temporary suffix.
pub const LABEL_CHARACTERS_MAX: usize = 64;

/// The name by which a key is asked for: 1 to 64 characters of `a-z`, `0-9`, `-` and `_`, the first a letter or digit.
///
/// ```
/// use custody::KeyLabel;
///
/// assert_eq!(KeyLabel::parse("treasury-1")?.as_str(), "treasury-1");
/// assert!(KeyLabel::parse("../treasury").is_err());
/// # Ok::<(), custody::KeyLabelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyLabel(String);

/// The text is no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyLabelError {
    /// The text is empty or too long.
    #[error("key label has {characters} characters, not 1 to {max}", max = LABEL_CHARACTERS_MAX)]
    Length {
        /// How many characters it has.
        characters: usize,
    },
    /// A character is not allowed, or not allowed at the beginning.
    #[error(
        "key label `{text}` has `{character}` at position {position}: only a-z, 0-9, - and _ are allowed, a-z and 0-9 at the beginning"
    )]
    Character {
        /// The text.
        text: String,
        /// The offending character.
        character: char,
        /// Its position, counted in characters from 0.
        position: usize,
    },
}

impl KeyLabel {
    /// Reads a label.
    ///
    /// # Errors
    ///
    /// The text's length or one of its characters is not allowed.
    pub fn parse(text: &str) -> Result<Self, KeyLabelError> {
        let characters = text.chars().count();
        if characters == 0 || characters > LABEL_CHARACTERS_MAX {
            return Err(KeyLabelError::Length { characters });
        }
        match text.chars().enumerate().find(|&(position, character)| !is_allowed(character, position)) {
            Some((position, character)) => Err(KeyLabelError::Character { text: text.to_owned(), character, position }),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The label's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(character: char, position: usize) -> bool {
    let is_plain = character.is_ascii_lowercase() || character.is_ascii_digit();
    is_plain || (position > 0 && matches!(character, '-' | '_'))
}

impl fmt::Display for KeyLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a key may sign. A key has one purpose for life, so that a signature of one kind never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Transactions: the key is the sender of a lane.
    Transactions,
    /// Statements that people or services make outside of transactions (approvals, anchors).
    Statements,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transactions => "transactions",
            Self::Statements => "statements",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_safe_file_name() {
        for bad in ["", "-a", "_a", "A", "a/b", "..", "a.b", "ação", "a b", &"a".repeat(65)] {
            assert!(KeyLabel::parse(bad).is_err(), "{bad}");
        }
        for good in ["a", "0", "bank-a_2", &"a".repeat(64)] {
            assert_eq!(KeyLabel::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn the_error_names_the_character_and_its_place() {
        let error = KeyLabel::parse("bank a").unwrap_err();
        assert_eq!(
            error.to_string(),
            "key label `bank a` has ` ` at position 4: only a-z, 0-9, - and _ are allowed, a-z and 0-9 at the beginning"
        );
    }
}
