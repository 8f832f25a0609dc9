//! ISIN: the international number of a security.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// An ISIN whose check digit holds: two letters of a country, nine letters or digits, one check digit.
///
/// Source: ISO 6166, with the check digit by the "modulus 10 double-add-double" method.
///
/// ```
/// let isin: market::Isin = "BRSTNCLTN7D3".parse()?;
/// assert_eq!(isin.as_str(), "BRSTNCLTN7D3");
/// assert!("BRSTNCLTN7D4".parse::<market::Isin>().is_err());
/// # Ok::<(), market::IsinError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Isin([u8; Isin::LENGTH]);

/// Why a text is not an ISIN.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum IsinError {
    /// The text is shorter or longer than an ISIN.
    #[error("an isin has {expected} characters, this has {found}")]
    Length {
        /// Characters found.
        found: usize,
        /// Characters of an ISIN.
        expected: usize,
    },
    /// A character cannot stand where it stands.
    #[error("`{isin}` has `{found}` at position {position}, only {allowed} may stand there")]
    Character {
        /// The text.
        isin: String,
        /// The character.
        found: char,
        /// Where it stands, from 1.
        position: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The check digit does not belong to the other characters: one of them is mistyped.
    #[error("`{isin}` ends in check digit {found}, but its other characters give {expected}")]
    CheckDigit {
        /// The text.
        isin: String,
        /// The digit found.
        found: u8,
        /// The digit that the other characters give.
        expected: u8,
    },
}

impl Isin {
    /// Characters of an ISIN.
    pub const LENGTH: usize = 12;

    /// The twelve characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an isin is letters and digits")
    }
}

impl FromStr for Isin {
    type Err = IsinError;

    /// Reads twelve characters without blanks; letters must be capitals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for (index, found) in text.chars().take(Self::LENGTH).enumerate() {
            if let Some(allowed) = refusal(index, found) {
                return Err(IsinError::Character { isin: shown(text), found, position: index + 1, allowed });
            }
        }
        let bytes: [u8; Self::LENGTH] = text
            .as_bytes()
            .try_into()
            .map_err(|_| IsinError::Length { found: text.chars().count(), expected: Self::LENGTH })?;
        let (found, expected) = (bytes[Self::LENGTH - 1] - b'0', check_digit(&bytes[..Self::LENGTH - 1]));
        if found != expected {
            return Err(IsinError::CheckDigit { isin: text.to_owned(), found, expected });
        }
        Ok(Self(bytes))
    }
}

/// What may stand at `index`, if `found` may not.
fn refusal(index: usize, found: char) -> Option<&'static str> {
    let (is_allowed, allowed) = match index {
        0 | 1 => (found.is_ascii_uppercase(), "a capital letter"),
        11 => (found.is_ascii_digit(), "a digit"),
        _ => (found.is_ascii_uppercase() || found.is_ascii_digit(), "a capital letter or a digit"),
    };
    (!is_allowed).then_some(allowed)
}

/// As much of a wrong text as an error needs to show.
fn shown(text: &str) -> String {
    text.chars().take(Isin::LENGTH).collect()
}

/// Letters become the numbers 10 to 35, written out; from the right every other digit is doubled, and the digits of all
/// results are added: the check digit fills the sum up to a multiple of ten.
fn check_digit(body: &[u8]) -> u8 {
    let mut sum = 0_u32;
    let mut is_doubled = true;
    for value in
        body.iter().rev().map(|&byte| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' + 10 }))
    {
        let digits = if value < 10 { [Some(value), None] } else { [Some(value % 10), Some(value / 10)] };
        for digit in digits.into_iter().flatten() {
            let weighted = if is_doubled { 2 * digit } else { digit };
            sum += weighted / 10 + weighted % 10;
            is_doubled = !is_doubled;
        }
    }
    u8::try_from((10 - sum % 10) % 10).expect("a remainder of ten is one digit")
}

impl fmt::Display for Isin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Isin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Isin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn isins_of_real_securities_hold() {
        for text in ["BRPETRACNPR6", "BRSTNCLTN7D3", "BRSTNCNTB682", "US0378331005", "GB0002634946"] {
            assert_eq!(text.parse::<Isin>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn each_way_to_be_wrong_is_named() {
        let refusal = |text: &str| text.parse::<Isin>().unwrap_err().to_string();
        assert_eq!(refusal("BRPETRACNPR5"), "`BRPETRACNPR5` ends in check digit 5, but its other characters give 6");
        assert_eq!(refusal("BRPETRACNPR"), "an isin has 12 characters, this has 11");
        assert_eq!(refusal("BRPETRACNPR66"), "an isin has 12 characters, this has 13");
        assert_eq!(refusal(""), "an isin has 12 characters, this has 0");
        assert_eq!(
            refusal("brpetracnpr6"),
            "`brpetracnpr6` has `b` at position 1, only a capital letter may stand there"
        );
        assert_eq!(
            refusal("BRPETR CNPR6"),
            "`BRPETR CNPR6` has ` ` at position 7, only a capital letter or a digit may stand there"
        );
        assert_eq!(refusal("BRPETRACNPRX"), "`BRPETRACNPRX` has `X` at position 12, only a digit may stand there");
    }

    proptest! {
        #[test]
        fn one_check_digit_in_ten_holds(body in "[A-Z]{2}[A-Z0-9]{9}") {
            let holding = (0..10).filter(|digit| format!("{body}{digit}").parse::<Isin>().is_ok()).count();
            prop_assert_eq!(holding, 1);
        }

        #[test]
        fn a_mistyped_digit_is_noticed(body in "[A-Z]{2}[0-9]{9}", index in 2_usize..11, shift in 1_u8..10) {
            let isin = (0..10).map(|digit| format!("{body}{digit}")).find(|text| text.parse::<Isin>().is_ok()).unwrap();
            let mut mistyped = isin.into_bytes();
            mistyped[index] = b'0' + (mistyped[index] - b'0' + shift) % 10;
            prop_assert!(String::from_utf8(mistyped).unwrap().parse::<Isin>().is_err());
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = text.parse::<Isin>();
        }
    }
}
