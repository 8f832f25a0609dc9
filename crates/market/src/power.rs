//! Discounting with a fractional exponent, cut off exactly.
//!
//! The market discounts an amount by `(1 + rate)^years` with `years` a decimal of fourteen places, then truncates or
//! rounds. Whatever precision a power is computed with, the true value may lie so near the edge that the digit is a
//! guess; on exact cases (1000 at 25 % over 252 days is 800) it always does. So [`floor_discounted`] does not guess:
//!
//! 1. Whole years are exact integers. What remains is `g = (N/D)^φ` with `0 < φ < 1`, enclosed between two integers over
//!    2ᴮ by series whose errors are counted below. If both ends of the enclosure give the same quotient, that is it.
//! 2. If not, and `years = p/q` in lowest terms has `q ≤ 20`, the edge is decided by comparing integers:
//!    `t·(N/D)^(p/q) ≤ M` exactly when `tᵠ·Nᵖ ≤ Mᵠ·Dᵖ`.
//! 3. Else the quotient is irrational, so it is never on an edge, and doubling B decides. (A rational value needs
//!    `N/D`, in lowest terms, to be a q-th power; then `2ᵠ ≤ N ≤ 2,000,000`, so `q ≤ 20`.)
//!
//! Big integers of `num-bigint` carry it all: no decimal library is involved whose last digit would have to be believed.

use crate::day_count::YearFraction;
use crate::rate::Rate;
use num_bigint::BigUint;

/// Bits after the point, in order of trial. An amount has some 50 bits, so the first leaves the others one case in 2⁷⁰.
const PRECISION_BITS: [u32; 4] = [128, 256, 512, 1024];

/// The largest root that a rational `N ≤ 2,000,000` can have: 2²⁰ is below two million, 2²¹ above.
const ROOT_MAX: u64 = 20;

/// `1 + rate` as a fraction, at most 2.
#[derive(Clone, Copy)]
struct Growth {
    numerator: u64,
    denominator: u64,
}

/// Two integers over 2ᴮ with the true value between them.
struct Enclosure {
    low: BigUint,
    high: BigUint,
}

/// The largest integer that is not above `amount / (1 + rate)^years`.
pub(crate) fn floor_discounted(amount: u64, rate: Rate, years: YearFraction) -> u64 {
    let growth = Growth { numerator: Rate::UNITS_PER_ONE + rate.units(), denominator: Rate::UNITS_PER_ONE };
    let whole_years = exponent(years.units() / YearFraction::SCALE);
    let fraction = years.units() % YearFraction::SCALE;
    let dividend = BigUint::from(growth.denominator).pow(whole_years) * amount;
    let divisor = BigUint::from(growth.numerator).pow(whole_years);
    if fraction == 0 || rate.units() == 0 {
        return quotient(&(dividend / divisor));
    }
    for bits in PRECISION_BITS {
        let power = enclose_power(growth, fraction, bits);
        let scaled = &dividend << bits;
        let (low, high) =
            (quotient(&(&scaled / (&divisor * power.high))), quotient(&(&scaled / (&divisor * power.low))));
        if low == high {
            return low;
        }
        if let Some(is_reached) = reaches(high, amount, growth, years) {
            assert_eq!(low + 1, high, "128 bits leave at most one integer in doubt");
            return if is_reached { high } else { low };
        }
    }
    unreachable!("an irrational quotient was within 2^-950 of an integer")
}

/// Whether `target · growth^years ≤ amount`, decided by integers; `None` if the exponent's denominator is too large.
fn reaches(target: u64, amount: u64, growth: Growth, years: YearFraction) -> Option<bool> {
    let divisor = greatest_common_divisor(years.units(), YearFraction::SCALE);
    let root = YearFraction::SCALE / divisor;
    if root > ROOT_MAX {
        return None;
    }
    let (power, root) = (exponent(years.units() / divisor), exponent(root));
    let left = BigUint::from(target).pow(root) * BigUint::from(growth.numerator).pow(power);
    let right = BigUint::from(amount).pow(root) * BigUint::from(growth.denominator).pow(power);
    Some(left <= right)
}

/// `growth^φ` with `φ = fraction · 10⁻¹⁴`, as `exp(φ · ln growth)`.
fn enclose_power(growth: Growth, fraction: u64, bits: u32) -> Enclosure {
    let logarithm = enclose_logarithm(growth, bits);
    let low = logarithm.low * fraction / YearFraction::SCALE;
    let high = logarithm.high * fraction / YearFraction::SCALE + 1_u32;
    let (low, _) = sum_exponential(&low, bits);
    let (high, terms) = sum_exponential(&high, bits);
    // Each division cuts off less than 1 and inherits less than 0.7 of what the last term lacks, so a term lacks less
    // than 2. When the terms reach 0, the true one is below 2 and those after it sum to less than 4.
    Enclosure { low, high: high + (2 * terms + 4) }
}

/// `ln growth`, as `2·(z + z³/3 + z⁵/5 + …)` with `z = (N − D)/(N + D) ≤ 1/3`.
fn enclose_logarithm(growth: Growth, bits: u32) -> Enclosure {
    let (difference, sum) = (growth.numerator - growth.denominator, growth.numerator + growth.denominator);
    let (difference_squared, sum_squared) = (difference * difference, sum * sum);
    let mut power = (BigUint::from(difference) << bits) / sum;
    let mut series = BigUint::ZERO;
    let mut terms = 0_u32;
    while power != BigUint::ZERO {
        series += &power / (2 * terms + 1);
        power = power * difference_squared / sum_squared;
        terms += 1;
    }
    // A power lacks less than 1 + 1/9 + 1/81 + … < 1.2 and its quotient less than 1 more: less than 3 a term. When the
    // powers reach 0, the true one is below 1.2 and all after it sum to less than 3. The series counts twice.
    let low = series << 1_u32;
    let high = &low + 2 * (3 * terms + 3);
    Enclosure { low, high }
}

/// The sum of `1 + x + x²/2! + …` over 2ᴮ, each term cut off, and the number of its terms. For `x` below 0.7.
fn sum_exponential(x: &BigUint, bits: u32) -> (BigUint, u32) {
    let mut term = BigUint::from(1_u32) << bits;
    let mut series = BigUint::ZERO;
    let mut terms = 0_u32;
    while term != BigUint::ZERO {
        series += &term;
        terms += 1;
        term = ((term * x) >> bits) / terms;
    }
    (series, terms)
}

/// A quotient is never above the amount that is discounted.
fn quotient(value: &BigUint) -> u64 {
    u64::try_from(value).expect("discounting at a rate of zero or more makes no amount larger")
}

fn exponent(value: u64) -> u32 {
    u32::try_from(value).expect("years are at most 100 and roots at most 20")
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::day_count::BusinessDays;
    use proptest::prelude::*;

    const AMOUNT_MAX: u64 = 3_000_000_000_000;

    fn years(business_days: u32) -> YearFraction {
        BusinessDays::new(business_days).unwrap().years()
    }

    fn rate(units: u64) -> Rate {
        crate::decimal::Decimal { units, places: 4 }.to_string().parse().unwrap()
    }

    /// The twin: whether `target · (1 + rate)^(days/252) ≤ amount · (1 + slack·10⁻¹²)`, by 252nd powers of integers.
    fn is_within(target: u64, amount: u64, rate: Rate, business_days: u32, slack: u64) -> bool {
        let billionth = BigUint::from(10_u64.pow(12));
        let left = (BigUint::from(target) * &billionth).pow(252)
            * BigUint::from(Rate::UNITS_PER_ONE + rate.units()).pow(business_days);
        let right = (BigUint::from(amount) * (billionth + slack)).pow(252)
            * BigUint::from(Rate::UNITS_PER_ONE).pow(business_days);
        left <= right
    }

    #[test]
    fn exact_quotients_are_reached_and_not_missed_by_one() {
        let millionths = |reais: u64| reais * 1_000_000;
        assert_eq!(floor_discounted(millionths(1000), rate(250_000), years(252)), millionths(800));
        // The square root of 1.5625 is 1.25: half a year, then five of them, and 1.25⁵ takes 1000 to 327.68.
        assert_eq!(floor_discounted(millionths(1000), rate(562_500), years(126)), millionths(800));
        assert_eq!(floor_discounted(millionths(1000), rate(562_500), years(630)), 327_680_000);
        // 1.4641 is the fourth power of 1.1: a quarter of a year.
        assert_eq!(floor_discounted(1_100_000, rate(464_100), years(63)), 1_000_000);
        assert_eq!(floor_discounted(1_099_999, rate(464_100), years(63)), 999_999);
    }

    #[test]
    fn a_rate_or_term_of_zero_discounts_nothing() {
        assert_eq!(floor_discounted(AMOUNT_MAX, rate(0), years(251)), AMOUNT_MAX);
        assert_eq!(floor_discounted(AMOUNT_MAX, rate(136_522), years(0)), AMOUNT_MAX);
        assert_eq!(floor_discounted(0, rate(136_522), years(251)), 0);
    }

    #[test]
    fn the_enclosures_hold_known_constants_at_every_precision() {
        let decimal = |digits: &str| digits.parse::<BigUint>().unwrap();
        // ln 2 and the square root of 2 with fifty decimals.
        let ln_2 = decimal("69314718055994530941723212145817656807550013436025");
        let root_2 = decimal("141421356237309504880168872420969807856967187537694");
        let ten_to_50 = BigUint::from(10_u32).pow(50);
        let two = Growth { numerator: 2_000_000, denominator: 1_000_000 };
        for bits in PRECISION_BITS {
            for (enclosure, digits) in
                [(enclose_logarithm(two, bits), &ln_2), (enclose_power(two, YearFraction::SCALE / 2, bits), &root_2)]
            {
                let (low, high) = ((enclosure.low * &ten_to_50) >> bits, (enclosure.high * &ten_to_50) >> bits);
                assert!(&low <= digits && digits <= &high, "{bits} bits");
            }
            let width = enclose_power(two, YearFraction::SCALE / 2, bits);
            assert!(width.high - width.low < BigUint::from(1_u32 << 16), "{bits} bits leave more than 16 in doubt");
        }
    }

    #[test]
    fn a_root_is_decided_by_integers_only_while_it_is_small() {
        let growth = Growth { numerator: 1_210_000, denominator: 1_000_000 };
        assert_eq!(reaches(10, 11, growth, years(126)), Some(true));
        assert_eq!(reaches(11, 11, growth, years(126)), Some(false));
        assert_eq!(reaches(10, 11, growth, years(125)), None);
    }

    /// Whether `fine`, with `fine_bits`, can lie within `coarse`, with fewer bits.
    fn holds(coarse: &Enclosure, bits: u32, fine: &Enclosure, fine_bits: u32) -> bool {
        let shift = fine_bits - bits;
        (&coarse.low << shift) <= fine.high && fine.low <= (&coarse.high << shift)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn an_enclosure_holds_the_value_found_with_more_bits(
            units in 1_u64..=1_000_000, fraction in 1..YearFraction::SCALE,
        ) {
            let growth = Growth { numerator: Rate::UNITS_PER_ONE + units, denominator: Rate::UNITS_PER_ONE };
            // Few bits, so that what is cut off is large beside the sum.
            for bits in [16, 24, 32, 128] {
                let (coarse, fine) = (enclose_logarithm(growth, bits), enclose_logarithm(growth, 256));
                prop_assert!(holds(&coarse, bits, &fine, 256));
                let (coarse, fine) = (enclose_power(growth, fraction, bits), enclose_power(growth, fraction, 256));
                prop_assert!(holds(&coarse, bits, &fine, 256));
            }
        }

        #[test]
        fn the_floor_is_where_integer_powers_put_it(
            amount in 1..AMOUNT_MAX, units in 0_u64..=1_000_000, business_days in 0_u32..=4_000,
        ) {
            // The exponent is cut off at 10⁻¹⁴ years, so the price may exceed that of the whole exponent by 7·10⁻¹⁵.
            let rate = rate(units);
            let floor = floor_discounted(amount, rate, years(business_days));
            prop_assert!(is_within(floor, amount, rate, business_days, 1));
            prop_assert!(!is_within(floor + 1, amount, rate, business_days, 0));
        }

        #[test]
        fn quarters_of_a_year_are_exact(amount in 1..AMOUNT_MAX, units in 0_u64..=1_000_000, quarters in 0_u32..=40) {
            let rate = rate(units);
            let floor = floor_discounted(amount, rate, years(quarters * 63));
            prop_assert!(is_within(floor, amount, rate, quarters * 63, 0));
            prop_assert!(!is_within(floor + 1, amount, rate, quarters * 63, 0));
        }

        #[test]
        fn a_longer_term_or_higher_rate_is_never_worth_more(
            amount in 1..AMOUNT_MAX, units in 0_u64..1_000_000, business_days in 0_u32..25_200,
        ) {
            let value = floor_discounted(amount, rate(units), years(business_days));
            prop_assert!(floor_discounted(amount, rate(units), years(business_days + 1)) <= value);
            prop_assert!(floor_discounted(amount, rate(units + 1), years(business_days)) <= value);
        }
    }
}
