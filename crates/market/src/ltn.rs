//! LTN (Letra do Tesouro Nacional, Tesouro Prefixado): one payment of 1,000 reais at maturity.
//!
//! Source: Decreto 11.301 of 21 December 2022, article 1 (nominal value, redemption); ANBIMA's method for federal bonds,
//! section LTN (price); edition in `docs/sources.md`.

use crate::day_count::BusinessDays;
use crate::power::floor_discounted;
use crate::price::UnitPrice;
use crate::rate::Rate;

/// What an LTN pays at maturity, in millionths of a real.
const REDEMPTION_MICROS: u64 = 1_000_000_000;

/// Unit price of an LTN in reais per face value of 1,000.00, truncated at the sixth decimal:
/// `1000 / (1 + rate)^(term/252)`, with the exponent truncated at the fourteenth.
///
/// ```
/// use market::{BusinessDays, ltn};
///
/// // Maturity 1 October 2026, as published on 1 September 2026.
/// let price = ltn::unit_price("13.6522".parse()?, BusinessDays::new(21)?);
/// assert_eq!(price.to_string(), "989.392269");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn unit_price(rate: Rate, term: BusinessDays) -> UnitPrice {
    UnitPrice::from_micros(floor_discounted(REDEMPTION_MICROS, rate, term.years()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(rate: &str, term: u32) -> String {
        unit_price(rate.parse().unwrap(), BusinessDays::new(term).unwrap()).to_string()
    }

    #[test]
    fn the_price_is_cut_off_and_not_rounded() {
        // 989.392269556… would round to …270.
        assert_eq!(price("13.6522", 21), "989.392269");
    }

    #[test]
    fn a_price_that_is_exact_keeps_its_last_digit() {
        assert_eq!(price("25", 252), "800.000000");
        assert_eq!(price("56.25", 126), "800.000000");
        assert_eq!(price("0", 500), "1000.000000");
        assert_eq!(price("13.6522", 0), "1000.000000");
    }
}
