//! Business/252: business days between two dates, and the part of a year that they are.
//!
//! ANBIMA counts from the settlement date, which is in, to the payment date, which is out. Source: ANBIMA's method for
//! federal bonds ("Metodologias de Precificação"); edition in `docs/sources.md`.

use crate::calendar::{Calendar, is_weekend};
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::fmt;
use thiserror::Error;

/// The longest term that is counted: 100 years of 252 business days. Federal bonds run up to some forty.
pub const BUSINESS_DAYS_MAX: u32 = 100 * BUSINESS_DAYS_A_YEAR;

/// Business days in the market's year, by convention.
const BUSINESS_DAYS_A_YEAR: u32 = 252;

/// A count of business days, at most [`BUSINESS_DAYS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessDays(u32);

/// Years of 252 business days with fourteen decimals, the rest cut off: the exponent of every price.
///
/// Source: ANBIMA's table of decimals for federal bonds, line of the exponent (14, truncated).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct YearFraction(u64);

/// Why two dates could not be counted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DayCountError {
    /// The calendar does not vouch for days so early.
    #[error("{date} is before {first}, where the calendar of bank holidays begins")]
    BeforeCalendar {
        /// The earlier date asked for.
        date: Date,
        /// The first date that can be counted.
        first: Date,
    },
    /// The end is before the start: the two may have been swapped.
    #[error("{to} is before {from}: the count runs from the earlier to the later date")]
    Backwards {
        /// Start of the count.
        from: Date,
        /// End of the count.
        to: Date,
    },
    /// The term is longer than any bond's. A mistyped year does this.
    #[error("{business_days} business days are more than the {max} that are priced")]
    TooLong {
        /// Business days asked for.
        business_days: i64,
        /// The most that is allowed.
        max: u32,
    },
}

impl BusinessDays {
    /// A count of business days.
    ///
    /// # Errors
    /// [`DayCountError::TooLong`] above [`BUSINESS_DAYS_MAX`].
    pub fn new(business_days: u32) -> Result<Self, DayCountError> {
        if business_days > BUSINESS_DAYS_MAX {
            return Err(DayCountError::TooLong { business_days: business_days.into(), max: BUSINESS_DAYS_MAX });
        }
        Ok(Self(business_days))
    }

    /// The count as a number.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The count over 252, cut off after the fourteenth decimal.
    pub fn years(self) -> YearFraction {
        YearFraction(u64::from(self.0) * YearFraction::SCALE / u64::from(BUSINESS_DAYS_A_YEAR))
    }
}

impl fmt::Display for BusinessDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl YearFraction {
    /// Units in a year: fourteen decimals.
    pub const SCALE: u64 = 100_000_000_000_000;

    /// The whole value in units of 10⁻¹⁴ years.
    pub fn units(self) -> u64 {
        self.0
    }
}

/// Business days from `from` (counted, if it is one) to `to` (not counted), ANBIMA's convention.
///
/// Costs a few hundred steps for forty years: weeks by division, then each year's holidays taken off.
///
/// # Errors
/// [`DayCountError`] if `from` is before [`Calendar::FIRST_DATE`], `to` before `from`, or the count above
/// [`BUSINESS_DAYS_MAX`].
///
/// ```
/// use jiff::civil::date;
/// use market::{Calendar, business_days_between};
///
/// // The LTN of 1 October 2026, as published on 1 September 2026.
/// let count = business_days_between(Calendar::current(), date(2026, 9, 1), date(2026, 10, 1))?;
/// assert_eq!(count.get(), 21);
/// # Ok::<(), market::DayCountError>(())
/// ```
pub fn business_days_between(calendar: Calendar, from: Date, to: Date) -> Result<BusinessDays, DayCountError> {
    if from < Calendar::FIRST_DATE {
        return Err(DayCountError::BeforeCalendar { date: from, first: Calendar::FIRST_DATE });
    }
    if to < from {
        return Err(DayCountError::Backwards { from, to });
    }
    let business_days = weekdays_between(from, to) - holidays_on_weekdays_between(calendar, from, to);
    let count =
        u32::try_from(business_days).map_err(|_| DayCountError::TooLong { business_days, max: BUSINESS_DAYS_MAX })?;
    BusinessDays::new(count)
}

/// Days from Monday to Friday in `from..to`.
fn weekdays_between(from: Date, to: Date) -> i64 {
    let days = from.duration_until(to).as_hours() / 24;
    let (weeks, rest) = (days / 7, days % 7);
    let in_rest = (0..rest).filter(|&day| !is_weekend(from.saturating_add(day.days()))).count();
    weeks * 5 + i64::try_from(in_rest).expect("a week has less than seven weekdays")
}

/// Days from Monday to Friday in `from..to` that are holidays, each counted once.
fn holidays_on_weekdays_between(calendar: Calendar, from: Date, to: Date) -> i64 {
    let mut count = 0;
    for year in from.year()..=to.year() {
        let mut dates: Vec<Date> = calendar.holidays_in(year).iter().map(|holiday| holiday.date).collect();
        dates.dedup();
        let taken = dates.into_iter().filter(|&date| from <= date && date < to && !is_weekend(date)).count();
        count += i64::try_from(taken).expect("a year has a dozen holidays");
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// The twin: walks from day to day.
    fn count_one_by_one(calendar: Calendar, from: Date, to: Date) -> u32 {
        let mut count = 0;
        let mut day = from;
        while day < to {
            count += u32::from(calendar.is_business_day(day));
            day = day.tomorrow().unwrap();
        }
        count
    }

    #[test]
    fn the_first_day_counts_and_the_last_does_not() {
        let count = |from, to| business_days_between(Calendar::current(), from, to).unwrap().get();
        assert_eq!(count(date(2026, 9, 1), date(2026, 9, 1)), 0);
        assert_eq!(count(date(2026, 9, 1), date(2026, 9, 2)), 1);
        // Friday to Monday, Independence Day, which is out as the last day and must not be taken off too.
        assert_eq!(count(date(2026, 9, 4), date(2026, 9, 7)), 1);
        // Friday to Tuesday over Independence Day, a Monday.
        assert_eq!(count(date(2026, 9, 4), date(2026, 9, 8)), 1);
    }

    #[test]
    fn a_day_with_two_holidays_is_taken_off_once() {
        let calendar = Calendar::current();
        let count = business_days_between(calendar, date(2079, 4, 17), date(2079, 4, 24)).unwrap();
        assert_eq!(count.get(), 4);
    }

    #[test]
    fn dates_out_of_order_or_out_of_range_are_refused() {
        let calendar = Calendar::current();
        assert_eq!(
            business_days_between(calendar, date(2000, 12, 29), date(2001, 1, 5)),
            Err(DayCountError::BeforeCalendar { date: date(2000, 12, 29), first: date(2001, 1, 1) })
        );
        assert_eq!(
            business_days_between(calendar, date(2026, 9, 2), date(2026, 9, 1)),
            Err(DayCountError::Backwards { from: date(2026, 9, 2), to: date(2026, 9, 1) })
        );
        let too_long = business_days_between(calendar, date(2026, 9, 1), Date::MAX);
        assert!(matches!(too_long, Err(DayCountError::TooLong { max: BUSINESS_DAYS_MAX, .. })));
        assert!(BusinessDays::new(BUSINESS_DAYS_MAX).is_ok());
        assert!(BusinessDays::new(BUSINESS_DAYS_MAX + 1).is_err());
    }

    #[test]
    fn years_are_cut_off_after_fourteen_decimals() {
        assert_eq!(BusinessDays(252).years().units(), YearFraction::SCALE);
        assert_eq!(BusinessDays(21).years().units(), 8_333_333_333_333);
        assert_eq!(BusinessDays(251).years().units(), 99_603_174_603_174);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn counting_by_years_equals_counting_one_by_one(
            start in 0_i64..36_000, length in 0_i64..15_000, known_year in 2001_i16..2030,
        ) {
            let from = Calendar::FIRST_DATE.saturating_add(start.days());
            let to = from.saturating_add(length.days());
            let calendar = Calendar::known_on(date(known_year, 6, 1));
            let counted = business_days_between(calendar, from, to).unwrap().get();
            prop_assert_eq!(counted, count_one_by_one(calendar, from, to));
        }
    }
}
