//! Decimals with a fixed number of places, held as integers: reading and writing them.

use std::fmt;
use thiserror::Error;

/// The longest text read as a number. The largest value of the crate takes twenty characters.
const TEXT_BYTES_MAX: usize = 40;

/// Why a text is not a decimal of the wanted shape: digits, then at most one point with digits after it.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecimalError {
    /// There is no text.
    #[error("nothing is written where a number must be")]
    Empty,
    /// The text is longer than any number could be.
    #[error("{bytes} characters are too many for a number, at most {max} are read")]
    TooLong {
        /// Length of the text.
        bytes: usize,
        /// The most that is read.
        max: usize,
    },
    /// The number has a minus sign.
    #[error("`{text}` is negative, only zero and above is allowed")]
    Negative {
        /// The text.
        text: String,
    },
    /// Zero, where it has no meaning.
    #[error("`{text}` is zero, only values above it are allowed")]
    Zero {
        /// The text.
        text: String,
    },
    /// Something else than digits and one point: a comma, a blank, a letter.
    #[error("`{text}` is not a number, write digits and a decimal point as in `1234.5`")]
    NotANumber {
        /// The text.
        text: String,
    },
    /// More decimal places than the market gives this figure.
    #[error("`{text}` has {places} decimal places, at most {max} are allowed")]
    TooManyPlaces {
        /// The text.
        text: String,
        /// Places found.
        places: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The number is above the limit of its kind.
    #[error("`{text}` is too large, at most {max} is allowed")]
    TooLarge {
        /// The text.
        text: String,
        /// The largest value, as a decimal.
        max: String,
    },
}

/// Reads `text` in units of 10⁻ᵖˡᵃᶜᵉˢ. `max` is in the same units.
pub(crate) fn parse(text: &str, places: usize, max: u64) -> Result<u64, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(DecimalError::TooLong { bytes: text.len(), max: TEXT_BYTES_MAX });
    }
    let (whole, fraction) = split(text)?;
    if fraction.len() > places {
        return Err(DecimalError::TooManyPlaces { text: text.into(), places: fraction.len(), max: places });
    }
    let padding = places - fraction.len();
    let mut digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding));
    let value = digits.try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    match value {
        Some(value) if value <= max => Ok(value),
        _ => Err(DecimalError::TooLarge { text: text.into(), max: Decimal { units: max, places }.to_string() }),
    }
}

/// As [`parse`], but zero is refused too.
pub(crate) fn parse_positive(text: &str, places: usize, max: u64) -> Result<u64, DecimalError> {
    match parse(text, places, max)? {
        0 => Err(DecimalError::Zero { text: text.into() }),
        value => Ok(value),
    }
}

/// The digits before and after the point.
fn split(text: &str) -> Result<(&str, &str), DecimalError> {
    if let Some(rest) = text.strip_prefix('-')
        && split(rest).is_ok()
    {
        return Err(DecimalError::Negative { text: text.into() });
    }
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        None if is_digits(text) => Ok((text, "")),
        Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => Ok((whole, fraction)),
        _ => Err(DecimalError::NotANumber { text: text.into() }),
    }
}

/// Writes a number of units with all its decimal places.
pub(crate) struct Decimal {
    pub(crate) units: u64,
    pub(crate) places: usize,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.units, width = self.places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.places);
        let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_are_read_in_units_of_their_last_place() {
        assert_eq!(parse("13.6522", 4, u64::MAX), Ok(136_522));
        assert_eq!(parse("6.6", 4, u64::MAX), Ok(66_000));
        assert_eq!(parse("7", 4, u64::MAX), Ok(70_000));
        assert_eq!(parse("0.0001", 4, 1), Ok(1));
        assert_eq!(parse("18446744073709551615", 0, u64::MAX), Ok(u64::MAX));
    }

    #[test]
    fn each_wrong_shape_has_its_own_error() {
        let text = |text: &str| text.to_owned();
        assert_eq!(parse("", 4, 9), Err(DecimalError::Empty));
        assert_eq!(parse(&"1".repeat(41), 4, 9), Err(DecimalError::TooLong { bytes: 41, max: 40 }));
        assert_eq!(parse("-1.5", 4, 9), Err(DecimalError::Negative { text: text("-1.5") }));
        for wrong in ["1,5", "1.", ".5", "1.5.5", " 1", "1e3", "+1", "--1", "-", "NaN", "٣"] {
            assert_eq!(parse(wrong, 4, u64::MAX), Err(DecimalError::NotANumber { text: text(wrong) }));
        }
        let places = DecimalError::TooManyPlaces { text: text("1.55"), places: 2, max: 1 };
        assert_eq!(parse("1.55", 1, 99), Err(places));
        assert_eq!(parse("1.6", 1, 15), Err(DecimalError::TooLarge { text: text("1.6"), max: text("1.5") }));
        assert!(matches!(parse("18446744073709551616", 0, u64::MAX), Err(DecimalError::TooLarge { .. })));
        assert_eq!(parse_positive("0.00", 2, 9), Err(DecimalError::Zero { text: text("0.00") }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(units: u64, places in 0_usize..=14) {
            let written = Decimal { units, places }.to_string();
            prop_assert_eq!(parse(&written, places, u64::MAX), Ok(units));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in any::<String>(), places in 0_usize..=14, max: u64) {
            let _ = parse(&text, places, max);
        }
    }
}
