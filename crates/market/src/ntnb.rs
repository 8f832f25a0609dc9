//! NTN-B (Nota do Tesouro Nacional, série B, Tesouro IPCA+): coupons of 6 % a year, paid twice a year, and the nominal
//! value at maturity, all of it updated by the IPCA through the VNA.
//!
//! From rate to price in the market's steps, each with its rounding (ANBIMA's method for federal bonds, section NTN-B,
//! and its table of decimals; edition in `docs/sources.md`):
//!
//! | step | places | how |
//! | --- | --- | --- |
//! | exponent: business days / 252 | 14 | truncated |
//! | coupon: 100·(1.06^½ − 1) % | 6 | rounded |
//! | present value of each payment, % | 10 | rounded |
//! | quotation: sum of the present values, % | 4 | truncated |
//! | VNA, reais | 6 | truncated |
//! | unit price: VNA · quotation / 100, reais | 6 | truncated |

use crate::calendar::Calendar;
use crate::day_count::{BusinessDays, DayCountError, business_days_between};
use crate::power::floor_discounted;
use crate::price::{NominalValue, NominalValueRange, Quotation, UnitPrice};
use crate::rate::Rate;
use jiff::ToSpan as _;
use jiff::civil::Date;

/// The half-yearly coupon in millionths of a per cent of the nominal value: 2.956301 %, that is 100·(1.06^½ − 1),
/// rounded at the sixth place.
const COUPON_UNITS: u64 = 2_956_301;

/// The nominal value itself, in millionths of a per cent.
const PRINCIPAL_UNITS: u64 = 100_000_000;

/// Units of the present value (10⁻¹⁰ %) in one unit of a payment (10⁻⁶ %).
const PRESENT_UNITS_PER_PAYMENT_UNIT: u64 = 10_000;

/// Units of the present value (10⁻¹⁰ %) in one unit of the quotation (10⁻⁴ %).
const PRESENT_UNITS_PER_QUOTATION_UNIT: u64 = 1_000_000;

/// Months between two coupons.
const COUPON_MONTHS: i64 = 6;

/// One payment that the holder of an NTN-B still receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The 15th of the month on which it is due.
    pub due: Date,
    /// The business day on which it is made: `due`, or the next business day after it.
    pub paid: Date,
    /// Business days from the reference date to `paid`.
    pub term: BusinessDays,
    /// The amount in millionths of a per cent of the VNA: a coupon, at maturity with the nominal value.
    pub percent_units: u64,
}

/// The payments after `reference` of the bond that matures on `maturity`, last one first.
///
/// Coupons are due every six months counted back from maturity: 15 May and 15 November for bonds that mature in odd
/// years, 15 February and 15 August for even years. What is paid on the reference date itself belongs to the seller.
/// Business days are those known on the reference date.
///
/// # Errors
/// [`DayCountError`] if the reference date is before the calendar begins or the term longer than any that is priced.
/// A bond that has matured has no payments, and this is no error.
pub fn payments(reference: Date, maturity: Date) -> Result<Vec<Payment>, DayCountError> {
    let calendar = Calendar::known_on(reference);
    let mut payments = Vec::new();
    // The longest term comes first, so that one too long ends the loop at once.
    for months in (0_i64..).map(|coupons| coupons * COUPON_MONTHS) {
        let due = maturity.saturating_sub(months.months());
        let paid = calendar.business_day_on_or_after(due);
        if paid <= reference {
            break;
        }
        let term = business_days_between(calendar, reference, paid)?;
        let principal = if months == 0 { PRINCIPAL_UNITS } else { 0 };
        payments.push(Payment { due, paid, term, percent_units: COUPON_UNITS + principal });
    }
    Ok(payments)
}

impl Payment {
    /// The payment discounted at `rate`, in units of 10⁻¹⁰ per cent, half a unit rounded up.
    ///
    /// Source: ANBIMA's table of decimals, line of the discounted payments (10, rounded).
    pub fn present_value_units(self, rate: Rate) -> u64 {
        let twice = 2 * self.percent_units * PRESENT_UNITS_PER_PAYMENT_UNIT;
        floor_discounted(twice, rate, self.term.years()).div_ceil(2)
    }
}

/// Quotation of an NTN-B in per cent of its VNA, truncated at the fourth decimal.
///
/// # Errors
/// As for [`payments`].
///
/// ```
/// use jiff::civil::date;
/// use market::ntnb;
///
/// let quotation = ntnb::quotation("6.6000".parse()?, date(2026, 9, 1), date(2027, 5, 15))?;
/// assert_eq!(quotation.to_string(), "101.4298");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn quotation(rate: Rate, reference: Date, maturity: Date) -> Result<Quotation, DayCountError> {
    let present: u64 = payments(reference, maturity)?.iter().map(|payment| payment.present_value_units(rate)).sum();
    Ok(Quotation::from_units(present / PRESENT_UNITS_PER_QUOTATION_UNIT))
}

/// Unit price of an NTN-B in reais, truncated at the sixth decimal: VNA times quotation.
///
/// `None` if the product does not fit, which no nominal value up to [`NominalValue::MAX`] and no quotation of this
/// module can cause.
///
/// ```
/// use market::{Quotation, ntnb};
///
/// let price = ntnb::unit_price("4735.435987".parse()?, Quotation::from_units(1_014_298));
/// assert_eq!(price.map(|price| price.to_string()).as_deref(), Some("4803.143250"));
/// # Ok::<(), market::DecimalError>(())
/// ```
pub fn unit_price(vna: NominalValue, quotation: Quotation) -> Option<UnitPrice> {
    let product = u128::from(vna.micros()) * u128::from(quotation.units());
    u64::try_from(product / u128::from(Quotation::UNITS_PER_ONE)).ok().map(UnitPrice::from_micros)
}

/// Every VNA of six decimals that gives `price` at `quotation`: the inverse of [`unit_price`].
///
/// `None` if there is none: above a quotation of 100 the price moves by more than a millionth when the VNA does, so
/// that some prices are never reached; and a quotation of zero reaches none.
///
/// ```
/// use market::{Quotation, ntnb};
///
/// let implied = ntnb::implied_nominal_value("4803.143250".parse()?, Quotation::from_units(1_014_298));
/// assert_eq!(implied.map(|range| range.to_string()).as_deref(), Some("4735.435987"));
/// # Ok::<(), market::DecimalError>(())
/// ```
pub fn implied_nominal_value(price: UnitPrice, quotation: Quotation) -> Option<NominalValueRange> {
    let (units, one) = (u128::from(quotation.units()), u128::from(Quotation::UNITS_PER_ONE));
    if units == 0 {
        return None;
    }
    // floor(vna·q / 10⁶) = p holds from the first vna with vna·q ≥ p·10⁶ to the last with vna·q < (p + 1)·10⁶.
    let lowest = (u128::from(price.micros()) * one).div_ceil(units);
    let above = ((u128::from(price.micros()) + 1) * one).div_ceil(units);
    let nominal = |micros: u128| u64::try_from(micros).ok().map(NominalValue::from_micros);
    NominalValueRange::new(nominal(lowest)?, nominal(above - 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn the_coupon_is_half_a_year_of_six_per_cent_rounded_at_the_sixth_place() {
        // (100 + coupon)² against 106·100, with the coupon half a unit lower and half a unit higher; in half units.
        let square = |half_units: u128| (200_000_000 + half_units).pow(2);
        let target = 106 * 100 * 2_000_000_u128.pow(2);
        let coupon = u128::from(COUPON_UNITS) * 2;
        assert!(square(coupon - 1) <= target && target < square(coupon + 1));
    }

    #[test]
    fn coupons_are_due_in_may_and_november_or_in_february_and_august() {
        let due = |maturity| -> Vec<String> {
            payments(date(2026, 9, 1), maturity).unwrap().iter().map(|p| p.due.to_string()).collect()
        };
        assert_eq!(due(date(2027, 5, 15)), ["2027-05-15", "2026-11-15"]);
        assert_eq!(due(date(2028, 8, 15)), ["2028-08-15", "2028-02-15", "2027-08-15", "2027-02-15"]);
    }

    #[test]
    fn a_payment_due_on_a_holiday_or_weekend_is_made_on_the_next_business_day() {
        let paid: Vec<Date> = payments(date(2026, 9, 1), date(2027, 5, 15)).unwrap().iter().map(|p| p.paid).collect();
        // 15 May 2027 is a Saturday; 15 November 2026 a Sunday and a holiday.
        assert_eq!(paid, [date(2027, 5, 17), date(2026, 11, 16)]);
    }

    #[test]
    fn what_is_paid_on_the_reference_date_belongs_to_the_seller() {
        let count = |reference| payments(reference, date(2027, 5, 15)).unwrap().len();
        assert_eq!(count(date(2026, 11, 13)), 2);
        // The coupon due on Sunday the 15th is paid on Monday: on the 15th it is still to come, on the 16th it is not.
        assert_eq!(count(date(2026, 11, 15)), 2);
        assert_eq!(count(date(2026, 11, 16)), 1);
        assert_eq!(count(date(2027, 5, 14)), 1);
        assert_eq!(count(date(2027, 5, 17)), 0);
    }

    #[test]
    fn a_term_too_long_is_an_error_and_not_a_long_loop() {
        assert!(matches!(payments(date(2026, 9, 1), Date::MAX), Err(DayCountError::TooLong { .. })));
        assert!(matches!(payments(date(1999, 9, 1), date(2027, 5, 15)), Err(DayCountError::BeforeCalendar { .. })));
    }

    /// Present value in units of 10⁻¹⁰ per cent, of a coupon or of the payment at maturity.
    fn present_value(percent_units: u64, rate: &str, business_days: u32) -> u64 {
        let (day, term) = (date(2027, 5, 17), BusinessDays::new(business_days).unwrap());
        Payment { due: day, paid: day, term, percent_units }.present_value_units(rate.parse().unwrap())
    }

    #[test]
    fn a_present_value_is_rounded_at_the_tenth_place() {
        // Computed with seventy digits: 98.51157031327…, 2.92052927345…, 9.18616198213…, 0.00000000011….
        assert_eq!(present_value(102_956_301, "6.6000", 174), 985_115_703_133);
        assert_eq!(present_value(2_956_301, "6.6000", 48), 29_205_292_735);
        assert_eq!(present_value(102_956_301, "7.4238", 8504), 91_861_619_821);
        assert_eq!(present_value(102_956_301, "100", 9999), 1);
    }

    #[test]
    fn the_exponent_is_cut_off_at_the_fourteenth_place() {
        // With the whole exponent the last digits would be 64, 98 and 31.
        assert_eq!(present_value(102_956_301, "29.3192", 78), 950_803_060_265);
        assert_eq!(present_value(102_956_301, "25.6358", 803), 497_539_155_699);
        assert_eq!(present_value(102_956_301, "36.3282", 209), 796_218_475_332);
    }

    #[test]
    fn at_a_rate_of_zero_the_quotation_is_the_sum_of_all_payments() {
        let quotation = quotation("0".parse().unwrap(), date(2026, 9, 1), date(2028, 8, 15)).unwrap();
        assert_eq!(quotation.to_string(), "111.8252");
    }

    #[test]
    fn a_quotation_of_zero_implies_no_nominal_value() {
        assert_eq!(implied_nominal_value(UnitPrice::from_micros(1), Quotation::from_units(0)), None);
    }

    proptest! {
        #[test]
        fn the_implied_values_are_those_that_give_the_price(
            vna in 1_u64..=NominalValue::MAX.micros(), units in 1_u64..8_000_000,
        ) {
            let quotation = Quotation::from_units(units);
            let price = unit_price(NominalValue::from_micros(vna), quotation).unwrap();
            let range = implied_nominal_value(price, quotation).unwrap();
            prop_assert!((range.lowest()..=range.highest()).contains(&NominalValue::from_micros(vna)));
            for inside in [range.lowest(), range.highest()] {
                prop_assert_eq!(unit_price(inside, quotation), Some(price));
            }
            let above = NominalValue::from_micros(range.highest().micros() + 1);
            prop_assert!(unit_price(above, quotation) > Some(price));
            if let Some(below) = range.lowest().micros().checked_sub(1) {
                prop_assert!(unit_price(NominalValue::from_micros(below), quotation) < Some(price));
            }
        }
    }
}
