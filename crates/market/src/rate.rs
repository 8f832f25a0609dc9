//! Rates of return in per cent per year of 252 business days.

use crate::decimal::{self, Decimal, DecimalError};
use std::fmt;
use std::str::FromStr;

/// A rate in per cent per year of 252 business days, with four decimals: `13.6522` means 13.6522 %.
///
/// From 0 to 100 %. Federal bonds are quoted far below; a rate typed in basis points is caught here. Negative rates are refused.
///
/// Source of the four decimals: ANBIMA's table of decimals for federal bonds, line of the rate of return.
///
/// ```
/// let rate: market::Rate = "6.6".parse()?;
/// assert_eq!(rate.to_string(), "6.6000");
/// assert!("-6.6".parse::<market::Rate>().is_err());
/// # Ok::<(), market::DecimalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// Units of 0.0001 % in one: 100 per cent of 10,000 units each.
    pub const UNITS_PER_ONE: u64 = 1_000_000;
    const PLACES: usize = 4;

    /// The rate in units of 0.0001 %, that is in millionths of one.
    pub fn units(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = DecimalError;

    /// Reads per cent with a decimal point and at most four places.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse(text, Self::PLACES, Self::UNITS_PER_ONE).map(Self)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { units: self.0, places: Self::PLACES }.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_above_one_hundred_per_cent_is_refused() {
        assert_eq!("100.0000".parse::<Rate>().unwrap().units(), Rate::UNITS_PER_ONE);
        let error = "1365.22".parse::<Rate>().unwrap_err();
        assert_eq!(error.to_string(), "`1365.22` is too large, at most 100.0000 is allowed");
    }
}
