//! Prices, quotations and nominal values: decimals of the market held as integers of their last place.

use crate::decimal::{self, Decimal, DecimalError};
use std::fmt;
use std::str::FromStr;

/// Unit price (PU) in millionths of a real: the market's six decimals.
///
/// ```
/// let price: market::UnitPrice = "989.392269".parse()?;
/// assert_eq!(price.micros(), 989_392_269);
/// assert_eq!(price.to_eight_decimals(), 98_939_226_900);
/// # Ok::<(), market::DecimalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitPrice(u64);

/// Quotation (cotação) of an NTN-B in per cent of its nominal value, in units of the fourth decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quotation(u64);

/// Updated nominal value (VNA) of a bond in millionths of a real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NominalValue(u64);

/// All nominal values of six decimals from the lowest to the highest, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NominalValueRange {
    lowest: NominalValue,
    highest: NominalValue,
}

impl UnitPrice {
    /// The highest price read: a million reais, far above that of any federal bond. Keeps all products
    /// of this crate within 64 bits.
    pub const MAX: Self = Self(1_000_000_000_000);
    const PLACES: usize = 6;

    /// A price from millionths of a real.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The price in millionths of a real.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The price as the Drex contracts take it: an integer of hundred-millionths of a real.
    pub fn to_eight_decimals(self) -> u128 {
        u128::from(self.0) * 100
    }
}

impl Quotation {
    /// Units of 0.0001 % in one: the quotation of a bond worth its nominal value is 100.0000.
    pub const UNITS_PER_ONE: u64 = 1_000_000;
    const PLACES: usize = 4;

    /// A quotation from units of 0.0001 %.
    pub const fn from_units(units: u64) -> Self {
        Self(units)
    }

    /// The quotation in units of 0.0001 %, that is in millionths of the nominal value.
    pub const fn units(self) -> u64 {
        self.0
    }
}

impl NominalValue {
    /// The highest nominal value read: a million reais.
    pub const MAX: Self = Self(1_000_000_000_000);
    const PLACES: usize = 6;

    /// A nominal value from millionths of a real.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The nominal value in millionths of a real.
    pub const fn micros(self) -> u64 {
        self.0
    }
}

impl NominalValueRange {
    /// The range from `lowest` to `highest`; `None` if no value is in it.
    pub fn new(lowest: NominalValue, highest: NominalValue) -> Option<Self> {
        (lowest <= highest).then_some(Self { lowest, highest })
    }

    /// The lowest value in it.
    pub fn lowest(self) -> NominalValue {
        self.lowest
    }

    /// The highest value in it.
    pub fn highest(self) -> NominalValue {
        self.highest
    }

    /// The values that are in both; `None` if there is none.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.lowest.max(other.lowest), self.highest.min(other.highest))
    }
}

impl FromStr for UnitPrice {
    type Err = DecimalError;

    /// Reads reais with a decimal point and at most six places; zero is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse_positive(text, Self::PLACES, Self::MAX.0).map(Self)
    }
}

impl FromStr for NominalValue {
    type Err = DecimalError;

    /// Reads reais with a decimal point and at most six places; zero is refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse_positive(text, Self::PLACES, Self::MAX.0).map(Self)
    }
}

impl fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { units: self.0, places: Self::PLACES }.fmt(f)
    }
}

impl fmt::Display for Quotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { units: self.0, places: Self::PLACES }.fmt(f)
    }
}

impl fmt::Display for NominalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { units: self.0, places: Self::PLACES }.fmt(f)
    }
}

impl fmt::Display for NominalValueRange {
    /// One value if there is only one, else the lowest and the highest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lowest == self.highest {
            return self.lowest.fmt(f);
        }
        f.pad(&format!("{} to {}", self.lowest, self.highest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_with_all_their_places() {
        assert_eq!(UnitPrice::from_micros(989_392_269).to_string(), "989.392269");
        assert_eq!(UnitPrice::from_micros(1).to_string(), "0.000001");
        assert_eq!(Quotation::from_units(1_014_298).to_string(), "101.4298");
        assert_eq!(format!("{:>12}", Quotation::from_units(1_014_298)), "    101.4298");
    }

    #[test]
    fn a_price_of_zero_or_above_a_million_is_refused() {
        assert!("0.000000".parse::<UnitPrice>().is_err());
        assert!("1000000.000000".parse::<UnitPrice>().is_ok());
        assert!("1000000.000001".parse::<UnitPrice>().is_err());
        assert!("1000000.000001".parse::<NominalValue>().is_err());
    }

    #[test]
    fn ranges_meet_in_what_they_share() {
        let range = |low, high| {
            NominalValueRange::new(NominalValue::from_micros(low), NominalValue::from_micros(high)).unwrap()
        };
        assert_eq!(range(1, 4).intersection(range(3, 9)), Some(range(3, 4)));
        assert_eq!(range(1, 2).intersection(range(3, 9)), None);
        assert_eq!(range(1, 1).to_string(), "0.000001");
        assert_eq!(range(1, 2).to_string(), "0.000001 to 0.000002");
    }
}
