//! CNPJ and its root: the numbers of Brazilian legal entities, which may carry letters.
//!
//! Source: Instrução Normativa RFB 2.229 of 15 October 2024, in use since July 2026: fourteen places, the first twelve
//! digits or capital letters (eight for the entity, the root; four for the establishment), the last two check digits.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A CNPJ whose check digits hold.
///
/// ```
/// let cnpj: market::Cnpj = "00.000.000/E08G-12".parse()?;
/// assert_eq!(cnpj.as_str(), "00000000E08G12");
/// assert_eq!(cnpj.to_string(), "00.000.000/E08G-12");
/// assert_eq!(cnpj.root().as_str(), "00000000");
/// # Ok::<(), market::CnpjError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cnpj([u8; Cnpj::LENGTH]);

/// The root of a CNPJ (`cnpj8`): the eight characters that name the entity. An institution's ISPB is the same text.
///
/// ```
/// let treasury: market::CnpjRoot = "00394460".parse()?;
/// assert_eq!(treasury.to_u128(), 394_460);
/// assert_eq!(market::CnpjRoot::from_u128(394_460)?, treasury);
/// # Ok::<(), market::CnpjRootError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CnpjRoot([u8; CnpjRoot::LENGTH]);

/// Why a text is not a CNPJ.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CnpjError {
    /// Neither fourteen characters nor these with points, slash and hyphen in their places.
    #[error("`{text}` is not laid out as a cnpj, write `00.000.000/E08G-12` or `00000000E08G12`")]
    Layout {
        /// The text, cut off after the length of a CNPJ.
        text: String,
    },
    /// A character cannot stand where it stands.
    #[error("`{text}` has `{found}` at place {place} of {length}, only {allowed} may stand there")]
    Character {
        /// The text.
        text: String,
        /// The character.
        found: char,
        /// Which of the fourteen characters it is, from 1, punctuation not counted.
        place: usize,
        /// Characters of a CNPJ.
        length: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// Fourteen zeros: a placeholder that the check digits alone would let through.
    #[error("`{text}` is all zeros, which is nobody's cnpj")]
    AllZeros {
        /// The text.
        text: String,
    },
    /// The check digits do not belong to the other characters: one of them is mistyped.
    #[error("`{text}` ends in check digits {found}, but its other characters give {expected}")]
    CheckDigits {
        /// The text.
        text: String,
        /// The digits found.
        found: String,
        /// The digits that the other characters give.
        expected: String,
    },
}

/// Why a text or number is not the root of a CNPJ.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CnpjRootError {
    /// Not eight digits or capital letters.
    #[error("`{text}` is not the root of a cnpj, write eight digits or capital letters as in `00394460`")]
    Text {
        /// The text, cut off after the length of a CNPJ.
        text: String,
    },
    /// The number is neither below 100,000,000 nor eight digits and letters.
    #[error("{value} is not the number of a cnpj root: neither below {limit} nor eight digits and capital letters")]
    Number {
        /// The number.
        value: u128,
        /// Where the numbers of all-digit roots end.
        limit: u128,
    },
}

impl Cnpj {
    /// Characters of a CNPJ without punctuation.
    pub const LENGTH: usize = 14;
    /// Characters before the check digits.
    const BODY_LENGTH: usize = 12;
    /// How a CNPJ is written: a dot of the pattern stands for any of its characters.
    const PATTERN: &'static [u8; 18] = b"##.###.###/####-##";

    /// The fourteen characters without punctuation.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a cnpj is letters and digits")
    }

    /// The root: whose establishment it is.
    pub fn root(self) -> CnpjRoot {
        let mut root = [0; CnpjRoot::LENGTH];
        root.copy_from_slice(&self.0[..CnpjRoot::LENGTH]);
        CnpjRoot(root)
    }
}

impl FromStr for Cnpj {
    type Err = CnpjError;

    /// Reads fourteen characters, bare or with all their punctuation; letters must be capitals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let characters = strip_punctuation(text).ok_or_else(|| CnpjError::Layout { text: shown(text) })?;
        for (index, &found) in characters.iter().enumerate() {
            let (is_allowed, allowed) = match index {
                ..Self::BODY_LENGTH => (is_root_character(found), "a digit or a capital letter"),
                _ => (found.is_ascii_digit(), "a digit"),
            };
            if !is_allowed {
                let (text, found) = (text.to_owned(), char::from(found));
                return Err(CnpjError::Character { text, found, place: index + 1, length: Self::LENGTH, allowed });
            }
        }
        if characters.iter().all(|&character| character == b'0') {
            return Err(CnpjError::AllZeros { text: text.to_owned() });
        }
        let (body, found) = characters.split_at(Self::BODY_LENGTH);
        let expected = check_digits(body);
        if found != expected {
            let digits = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect();
            return Err(CnpjError::CheckDigits {
                text: text.to_owned(),
                found: digits(found),
                expected: digits(&expected),
            });
        }
        Ok(Self(characters))
    }
}

impl CnpjRoot {
    /// Characters of a root.
    pub const LENGTH: usize = 8;
    /// Where the numbers of all-digit roots end.
    const DIGITS_LIMIT: u128 = 100_000_000;

    /// The eight characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a root is letters and digits")
    }

    /// The number by which the contracts know the entity (`uint256 cnpj8`): the decimal value of an all-digit root,
    /// otherwise the eight ASCII characters as a big-endian integer.
    ///
    /// The two never meet: eight ASCII characters make at least 3.4·10¹⁸, eight digits less than 10⁸.
    ///
    /// ```
    /// let root: market::CnpjRoot = "12ABC345".parse()?;
    /// assert_eq!(root.to_u128(), 0x3132_4142_4333_3435);
    /// # Ok::<(), market::CnpjRootError>(())
    /// ```
    pub fn to_u128(self) -> u128 {
        if self.0.iter().all(u8::is_ascii_digit) {
            self.0.iter().fold(0, |value, digit| value * 10 + u128::from(digit - b'0'))
        } else {
            u128::from(u64::from_be_bytes(self.0))
        }
    }

    /// The root that the contracts know by `value`: the inverse of [`Self::to_u128`].
    ///
    /// # Errors
    /// [`CnpjRootError::Number`] if no root has that number.
    pub fn from_u128(value: u128) -> Result<Self, CnpjRootError> {
        let refusal = CnpjRootError::Number { value, limit: Self::DIGITS_LIMIT };
        if value < Self::DIGITS_LIMIT {
            return format!("{value:08}").parse();
        }
        let characters = u64::try_from(value).map(u64::to_be_bytes);
        match characters {
            Ok(bytes) if bytes.iter().copied().all(is_root_character) && !bytes.iter().all(u8::is_ascii_digit) => {
                Ok(Self(bytes))
            }
            _ => Err(refusal),
        }
    }
}

impl FromStr for CnpjRoot {
    type Err = CnpjRootError;

    /// Reads eight digits or capital letters, leading zeros included.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match <[u8; Self::LENGTH]>::try_from(text.as_bytes()) {
            Ok(bytes) if bytes.iter().copied().all(is_root_character) => Ok(Self(bytes)),
            _ => Err(CnpjRootError::Text { text: shown(text) }),
        }
    }
}

/// The fourteen characters of a bare or fully punctuated text; `None` if its layout is another.
fn strip_punctuation(text: &str) -> Option<[u8; Cnpj::LENGTH]> {
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        return None;
    }
    if bytes.len() != Cnpj::PATTERN.len() {
        return bytes.try_into().ok();
    }
    let has_punctuation = bytes.iter().zip(Cnpj::PATTERN).all(|(&byte, &mark)| mark == b'#' || byte == mark);
    if !has_punctuation {
        return None;
    }
    let kept: Vec<u8> =
        bytes.iter().zip(Cnpj::PATTERN).filter(|(_, mark)| **mark == b'#').map(|(&byte, _)| byte).collect();
    kept.try_into().ok()
}

fn is_root_character(byte: u8) -> bool {
    byte.is_ascii_digit() || byte.is_ascii_uppercase()
}

/// As much of a wrong text as an error needs to show.
fn shown(text: &str) -> String {
    text.chars().take(Cnpj::PATTERN.len()).collect()
}

/// Both check digits as ASCII.
fn check_digits(body: &[u8]) -> [u8; 2] {
    let first = check_digit(body.iter().copied());
    [first, check_digit(body.iter().copied().chain([first]))]
}

/// One check digit by modulus 11: each character counts its ASCII code less 48, with weights 2 to 9 from the right, over
/// and over; a remainder of 0 or 1 gives 0, any other is taken from 11.
///
/// Source: Instrução Normativa RFB 2.229/2024, annex.
fn check_digit(characters: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let sum: u32 = characters.rev().zip((2..=9).cycle()).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
    let digit = match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder,
    };
    b'0' + u8::try_from(digit).expect("11 less at least 2 is one digit")
}

impl fmt::Display for Cnpj {
    /// With points, slash and hyphen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.iter();
        let text: String = Self::PATTERN
            .iter()
            .map(|&mark| char::from(if mark == b'#' { *characters.next().unwrap_or(&mark) } else { mark }))
            .collect();
        f.pad(&text)
    }
}

impl fmt::Debug for Cnpj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cnpj({self})")
    }
}

impl fmt::Display for CnpjRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CnpjRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CnpjRoot({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cnpjs_of_real_entities_and_published_examples_hold() {
        // Central bank, Banco do Brasil, Petrobras; the example of the tax authority; one with letters in its order.
        let cnpjs = [
            "00.038.166/0001-05",
            "00.000.000/0001-91",
            "33.000.167/0001-01",
            "12.ABC.345/01DE-35",
            "00.000.000/E08G-12",
        ];
        for text in cnpjs {
            let cnpj: Cnpj = text.parse().unwrap();
            assert_eq!(cnpj.to_string(), text);
            assert_eq!(cnpj.as_str().parse(), Ok(cnpj));
        }
    }

    #[test]
    fn each_way_to_be_wrong_is_named() {
        let refusal = |text: &str| text.parse::<Cnpj>().unwrap_err().to_string();
        assert_eq!(
            refusal("00.000.000/E08G-13"),
            "`00.000.000/E08G-13` ends in check digits 13, but its other characters give 12"
        );
        assert_eq!(
            refusal("00000000e08g12"),
            "`00000000e08g12` has `e` at place 9 of 14, only a digit or a capital letter may stand there"
        );
        assert_eq!(
            refusal("00000000E08G1A"),
            "`00000000E08G1A` has `A` at place 14 of 14, only a digit may stand there"
        );
        assert_eq!(refusal("00000000000000"), "`00000000000000` is all zeros, which is nobody's cnpj");
        for wrong in ["", "00.038.166/0001", "00-038-166/0001-05", "00038166000105 ", "00.038.166/0001-0٥"] {
            assert!(matches!(wrong.parse::<Cnpj>(), Err(CnpjError::Layout { .. })), "{wrong}");
        }
    }

    #[test]
    fn roots_of_digits_are_their_decimal_value_and_others_their_characters() {
        let number = |text: &str| text.parse::<CnpjRoot>().unwrap().to_u128();
        assert_eq!(number("00038166"), 38_166);
        assert_eq!(number("00000000"), 0);
        assert_eq!(number("99999999"), 99_999_999);
        assert_eq!(number("0000000A"), 0x3030_3030_3030_3041);
        assert_eq!(number("ZZZZZZZZ"), 0x5a5a_5a5a_5a5a_5a5a);
    }

    #[test]
    fn a_number_of_no_root_is_refused() {
        // Too large for digits; characters that are all digits; a small letter; more than eight bytes.
        for value in [100_000_000, 0x3030_3030_3030_3030, 0x3030_3030_3030_3061, u128::from(u64::MAX) + 1, u128::MAX] {
            assert_eq!(CnpjRoot::from_u128(value), Err(CnpjRootError::Number { value, limit: 100_000_000 }));
        }
        for text in ["", "394460", "003944600", "0039446a", "0039446\u{e9}"] {
            assert_eq!(text.parse::<CnpjRoot>(), Err(CnpjRootError::Text { text: text.to_owned() }));
        }
    }

    /// The twin: both check digits with the weights as the tax authority prints them.
    fn written_out(body: &str) -> String {
        let value = |character: char| u32::from(character) - 48;
        let digit = |text: &str, weights: &[u32]| {
            let sum: u32 = text.chars().zip(weights).map(|(character, weight)| value(character) * weight).sum();
            if sum % 11 < 2 { 0 } else { 11 - sum % 11 }
        };
        let first = digit(body, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
        let second = digit(&format!("{body}{first}"), &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]);
        format!("{first}{second}")
    }

    proptest! {
        #[test]
        fn a_root_is_found_again_by_its_number(text in "[0-9A-Z]{8}|[0-9]{8}") {
            let root: CnpjRoot = text.parse().unwrap();
            prop_assert_eq!(CnpjRoot::from_u128(root.to_u128()), Ok(root));
        }

        #[test]
        fn a_number_that_has_a_root_is_that_roots_number(value in prop_oneof![any::<u128>(), 0..200_000_000_u128]) {
            if let Ok(root) = CnpjRoot::from_u128(value) {
                prop_assert_eq!(root.to_u128(), value);
            }
        }

        #[test]
        fn the_check_digits_are_those_of_the_weights_written_out(body in "[0-9A-Z]{12}") {
            let digits = String::from_utf8(check_digits(body.as_bytes()).to_vec()).unwrap();
            prop_assert_eq!(digits, written_out(&body));
        }

        #[test]
        fn one_pair_of_check_digits_in_a_hundred_holds(body in "[0-9A-Z]{11}[1-9A-Z]") {
            let holding = (0..100).filter(|digits| format!("{body}{digits:02}").parse::<Cnpj>().is_ok()).count();
            prop_assert_eq!(holding, 1);
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in any::<String>()) {
            let _ = text.parse::<Cnpj>();
            let _ = text.parse::<CnpjRoot>();
        }
    }
}
