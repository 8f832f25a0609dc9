//! A federal bond with its price as published on one day.

use crate::day_count::BusinessDays;
use crate::decimal::{self, DecimalError};
use crate::isin::Isin;
use crate::price::UnitPrice;
use crate::rate::Rate;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A bond and its price as ANBIMA published it for a reference date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondQuote {
    /// Which kind of bond it is.
    pub title: Title,
    /// Its number in the Selic system; bonds of one title share it.
    pub selic_code: SelicCode,
    /// The number of the security.
    pub isin: Isin,
    /// When it matures, which may be no business day.
    pub maturity: Date,
    /// The day whose price this is, before `maturity`.
    pub reference_date: Date,
    /// The indicative rate.
    pub indicative_rate: Rate,
    /// The published unit price.
    pub unit_price: UnitPrice,
    /// The published count of business days from reference date to maturity.
    pub business_days: BusinessDays,
    /// How many bonds the public holds.
    pub outstanding: BondQuantity,
}

/// Kinds of federal bonds that the crate can price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Title {
    /// Letra do Tesouro Nacional: see [`crate::ltn`].
    Ltn,
    /// Nota do Tesouro Nacional, série B: see [`crate::ntnb`].
    NtnB,
}

/// The number of a title in the Selic system: six digits, as `100000` for LTN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SelicCode(u64);

/// A number of whole bonds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BondQuantity(u64);

/// The text names no title that the crate can price.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a title that can be priced, only `LTN` and `NTN-B` are")]
pub struct TitleError {
    /// The text.
    pub text: String,
}

/// The text is not six digits.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a selic code, write six digits as in `100000`")]
pub struct SelicCodeError {
    /// The text.
    pub text: String,
}

impl Title {
    /// The title as ANBIMA and the Treasury write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ltn => "LTN",
            Self::NtnB => "NTN-B",
        }
    }
}

impl FromStr for Title {
    type Err = TitleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Ltn, Self::NtnB]
            .into_iter()
            .find(|title| title.as_str() == text)
            .ok_or_else(|| TitleError { text: text.to_owned() })
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl SelicCode {
    const LENGTH: usize = 6;
}

impl FromStr for SelicCode {
    type Err = SelicCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match decimal::parse(text, 0, u64::MAX) {
            Ok(code) if text.len() == Self::LENGTH => Ok(Self(code)),
            _ => Err(SelicCodeError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for SelicCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:06}", self.0))
    }
}

impl BondQuantity {
    /// The most bonds read: a hundred thousand million, far above any issue.
    pub const MAX: Self = Self(100_000_000_000);
    /// A thousandth of a thousand is one bond.
    const PLACES_OF_THOUSANDS: usize = 3;

    /// Reads a quantity in thousands of bonds, as ANBIMA publishes it: `92198.71` are 92,198,710 bonds.
    ///
    /// # Errors
    /// [`DecimalError`] if the text is not a decimal of at most three places up to [`Self::MAX`].
    pub fn parse_thousands(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text, Self::PLACES_OF_THOUSANDS, Self::MAX.0).map(Self)
    }

    /// The number of bonds.
    pub fn bonds(self) -> u64 {
        self.0
    }
}

impl fmt::Display for BondQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_read_as_they_are_written() {
        for title in [Title::Ltn, Title::NtnB] {
            assert_eq!(title.to_string().parse(), Ok(title));
        }
        assert_eq!("NTN-F".parse::<Title>(), Err(TitleError { text: "NTN-F".into() }));
        assert!("ltn".parse::<Title>().is_err());
    }

    #[test]
    fn a_selic_code_is_six_digits() {
        assert_eq!("010000".parse::<SelicCode>().unwrap().to_string(), "010000");
        for wrong in ["10000", "1000000", "10000A", "1000.0", "-10000", ""] {
            assert!(wrong.parse::<SelicCode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn thousands_become_whole_bonds() {
        assert_eq!(BondQuantity::parse_thousands("92198.71").unwrap().bonds(), 92_198_710);
        assert_eq!(BondQuantity::parse_thousands("0.001").unwrap().bonds(), 1);
        assert!(BondQuantity::parse_thousands("0.0001").is_err());
        assert!(BondQuantity::parse_thousands("100000000.001").is_err());
    }
}
