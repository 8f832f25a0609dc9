//! Brazilian bank holidays as rules, and which days are business days.
//!
//! A business day of the financial market is a day from Monday to Friday that is neither a national holiday nor one of
//! the days that the National Monetary Council (CMN) takes out: Monday and Tuesday of Carnival, Corpus Christi,
//! 2 November. Source: Resolução CMN 4.880 of 23 December 2020, which repeats what Resolução 2.516 of 29 June 1998
//! began; ANBIMA's list of national holidays shows the same days. State and municipal holidays, election Sundays and
//! the last day of the year are business as usual here.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// Which days are business days, as it was known on some date.
///
/// Holidays are sometimes decreed after bonds that span them are priced: before Lei 14.759 a price of 2023 counted
/// 20 November 2030 as a business day. A calendar therefore holds only the rules in force on the date it was asked for.
///
/// ```
/// use jiff::civil::date;
/// use market::Calendar;
///
/// let calendar = Calendar::current();
/// assert!(!calendar.is_business_day(date(2026, 9, 7)), "Independence Day, a Monday");
/// assert_eq!(calendar.business_day_on_or_after(date(2028, 2, 26)), date(2028, 3, 1), "Saturday before Carnival");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    known_on: Date,
}

/// One holiday: when it falls, since when, and by which law.
#[derive(Debug, PartialEq, Eq)]
pub struct HolidayRule {
    /// Its name as ANBIMA's list of national holidays gives it.
    pub name: &'static str,
    /// When it falls in a year.
    pub falls: HolidayDay,
    /// The day since which the rule is in force. Earlier days are not holidays by it, and earlier calendars do not know it.
    pub since: Date,
    /// The law or resolution that makes it.
    pub source: &'static str,
}

/// When a holiday falls in a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolidayDay {
    /// The same month (1 to 12) and day of each year.
    Fixed {
        /// Month, 1 to 12.
        month: i8,
        /// Day of the month.
        day: i8,
    },
    /// So many days after Easter Sunday; before it, if negative.
    FromEaster {
        /// Days after Easter Sunday.
        days: i8,
    },
}

/// A holiday of a given year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// The day it falls on, which may be a Saturday or Sunday.
    pub date: Date,
    /// The rule that makes it.
    pub rule: &'static HolidayRule,
}

/// Lei 662/1949, article 1, today in the wording of Lei 10.607/2002.
const LEI_662: &str = "Lei 662 of 6 April 1949, article 1";
/// Carnival, Corpus Christi and All Souls' Day are no business days of the financial market.
const RESOLUCAO_CMN_4880: &str =
    "Resolução CMN 4.880 of 23 December 2020; before it 2.932 of 2002 and 2.516 of 29 June 1998";
const RESOLUCAO_2516_DATE: Date = Date::constant(1998, 6, 29);
const LEI_662_DATE: Date = Date::constant(1949, 4, 6);

/// Every bank holiday that the crate knows, in the order of the year.
pub static HOLIDAY_RULES: [HolidayRule; 13] = [
    fixed("Confraternização Universal", 1, 1, LEI_662_DATE, LEI_662),
    from_easter("Carnaval (segunda-feira)", -48, RESOLUCAO_2516_DATE, RESOLUCAO_CMN_4880),
    from_easter("Carnaval (terça-feira)", -47, RESOLUCAO_2516_DATE, RESOLUCAO_CMN_4880),
    from_easter("Paixão de Cristo", -2, Date::constant(1995, 9, 12), "Lei 9.093 of 12 September 1995, article 2"),
    fixed(
        "Tiradentes",
        4,
        21,
        Date::constant(1950, 12, 8),
        "Lei 1.266 of 8 December 1950; since 2002 Lei 662/1949 in the wording of Lei 10.607",
    ),
    fixed("Dia do Trabalho", 5, 1, LEI_662_DATE, LEI_662),
    from_easter("Corpus Christi", 60, RESOLUCAO_2516_DATE, RESOLUCAO_CMN_4880),
    fixed("Independência do Brasil", 9, 7, LEI_662_DATE, LEI_662),
    fixed("Nossa Senhora Aparecida", 10, 12, Date::constant(1980, 6, 30), "Lei 6.802 of 30 June 1980, article 1"),
    fixed("Finados", 11, 2, RESOLUCAO_2516_DATE, RESOLUCAO_CMN_4880),
    fixed("Proclamação da República", 11, 15, LEI_662_DATE, LEI_662),
    fixed(
        "Dia Nacional de Zumbi e da Consciência Negra",
        11,
        20,
        Date::constant(2023, 12, 22),
        "Lei 14.759 of 21 December 2023, in force with its publication on 22 December 2023",
    ),
    fixed("Natal", 12, 25, LEI_662_DATE, LEI_662),
];

const fn fixed(name: &'static str, month: i8, day: i8, since: Date, source: &'static str) -> HolidayRule {
    HolidayRule { name, falls: HolidayDay::Fixed { month, day }, since, source }
}

const fn from_easter(name: &'static str, days: i8, since: Date, source: &'static str) -> HolidayRule {
    HolidayRule { name, falls: HolidayDay::FromEaster { days }, since, source }
}

impl Calendar {
    /// The first day for which the crate vouches: where ANBIMA's list begins.
    ///
    /// Older rules differ (Thursday of Holy Week was a bank holiday until 1999) and are not held here.
    pub const FIRST_DATE: Date = Date::constant(2001, 1, 1);

    /// The calendar by all rules that the crate knows.
    pub const fn current() -> Self {
        Self { known_on: Date::MAX }
    }

    /// The calendar as it was known on `date`: without what was decreed later. Prices of a date are counted with it.
    pub const fn known_on(date: Date) -> Self {
        Self { known_on: date }
    }

    /// The holiday on `date`, also if that is a Saturday or Sunday; the first of the year's order where two meet.
    pub fn holiday_on(self, date: Date) -> Option<&'static HolidayRule> {
        let easter = easter_sunday(date.year());
        self.rules().find(|rule| rule.holds_on(date) && rule.falls.date_in(date.year(), easter) == date)
    }

    /// Whether the financial market works on `date`. Days before [`Self::FIRST_DATE`] are answered by the rules of the
    /// crate that were in force, which is less than was observed.
    pub fn is_business_day(self, date: Date) -> bool {
        !is_weekend(date) && self.holiday_on(date).is_none()
    }

    /// `date` itself if it is a business day, else the first one after it: where a payment that falls on `date` is made.
    pub fn business_day_on_or_after(self, date: Date) -> Date {
        let mut day = date;
        // The last day of jiff's range, 9999-12-31, is a business day, so the search ends before the range does.
        while !self.is_business_day(day) {
            day = day.saturating_add(1.day());
        }
        day
    }

    /// `date` itself if it is a business day, else the last one before it.
    pub fn business_day_on_or_before(self, date: Date) -> Date {
        let mut day = date;
        // The first day of jiff's range, -9999-01-01, is a Monday without a rule, so the search ends there at the latest.
        while !self.is_business_day(day) {
            day = day.saturating_sub(1.day());
        }
        day
    }

    /// The first business day after `date`; `None` past the year 9999.
    pub fn next_business_day(self, date: Date) -> Option<Date> {
        date.tomorrow().ok().map(|day| self.business_day_on_or_after(day))
    }

    /// The last business day before `date`; `None` before the year -9999.
    pub fn previous_business_day(self, date: Date) -> Option<Date> {
        date.yesterday().ok().map(|day| self.business_day_on_or_before(day))
    }

    /// The holidays of a year in order of date. Two may fall on one day: Good Friday of 2079 is 21 April.
    ///
    /// ```
    /// let names: Vec<_> = market::Calendar::current().holidays_in(2026).iter().map(|h| h.rule.name).collect();
    /// assert_eq!(names.len(), 13);
    /// assert_eq!(names[1], "Carnaval (segunda-feira)");
    /// ```
    pub fn holidays_in(self, year: i16) -> Vec<Holiday> {
        let easter = easter_sunday(year);
        let mut holidays: Vec<Holiday> = self
            .rules()
            .map(|rule| Holiday { date: rule.falls.date_in(year, easter), rule })
            .filter(|holiday| holiday.rule.holds_on(holiday.date))
            .collect();
        holidays.sort_by_key(|holiday| holiday.date);
        holidays
    }

    fn rules(self) -> impl Iterator<Item = &'static HolidayRule> {
        HOLIDAY_RULES.iter().filter(move |rule| rule.since <= self.known_on)
    }
}

impl HolidayRule {
    fn holds_on(&self, date: Date) -> bool {
        self.since <= date
    }
}

impl HolidayDay {
    fn date_in(self, year: i16, easter: Date) -> Date {
        match self {
            Self::Fixed { month, day } => Date::constant(year, month, day),
            Self::FromEaster { days } => easter.saturating_add(i64::from(days).days()),
        }
    }
}

/// Saturday or Sunday.
pub(crate) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Easter Sunday of a year in the Gregorian calendar.
///
/// Source: Meeus, Astronomical Algorithms, second edition, chapter 8 (the method published in Nature, 1876). Its last
/// step gives 31 times the month plus the day less one, so that month 3 and day 1 make 93: counted from 1 March.
fn easter_sunday(year: i16) -> Date {
    let golden = year.rem_euclid(19);
    let (century, year_of_century) = (year.div_euclid(100), year.rem_euclid(100));
    let (leap_centuries, century_rest) = (century.div_euclid(4), century.rem_euclid(4));
    let moon_correction = (century - (century + 8).div_euclid(25) + 1).div_euclid(3);
    let epact = (19 * golden + century - leap_centuries - moon_correction + 15).rem_euclid(30);
    let (leap_years, leap_rest) = (year_of_century / 4, year_of_century % 4);
    let weekday = (32 + 2 * century_rest + 2 * leap_years - epact - leap_rest).rem_euclid(7);
    let late_moon = (golden + 11 * epact + 22 * weekday) / 451;
    let days_from_march = epact + weekday - 7 * late_moon + 114 - 93;
    Date::constant(year, 3, 1).saturating_add(i64::from(days_from_march).days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// From ANBIMA's list "Feriados Nacionais", weekends included; its transcription is named in `docs/sources.md`.
    const ANBIMA: [(i16, &str); 8] = [
        (2001, "01-01 02-26 02-27 04-13 04-21 05-01 06-14 09-07 10-12 11-02 11-15 12-25"),
        (2008, "01-01 02-04 02-05 03-21 04-21 05-01 05-22 09-07 10-12 11-02 11-15 12-25"),
        (2011, "01-01 03-07 03-08 04-21 04-22 05-01 06-23 09-07 10-12 11-02 11-15 12-25"),
        (2023, "01-01 02-20 02-21 04-07 04-21 05-01 06-08 09-07 10-12 11-02 11-15 12-25"),
        (2024, "01-01 02-12 02-13 03-29 04-21 05-01 05-30 09-07 10-12 11-02 11-15 11-20 12-25"),
        (2026, "01-01 02-16 02-17 04-03 04-21 05-01 06-04 09-07 10-12 11-02 11-15 11-20 12-25"),
        (2038, "01-01 03-08 03-09 04-21 04-23 05-01 06-24 09-07 10-12 11-02 11-15 11-20 12-25"),
        (2060, "01-01 03-01 03-02 04-16 04-21 05-01 06-17 09-07 10-12 11-02 11-15 11-20 12-25"),
    ];

    #[test]
    fn the_rules_give_the_holidays_that_anbima_lists() {
        for (year, listed) in ANBIMA {
            let computed: Vec<String> =
                Calendar::current().holidays_in(year).iter().map(|h| h.date.strftime("%m-%d").to_string()).collect();
            assert_eq!(computed.join(" "), listed, "holidays of {year}");
        }
    }

    #[test]
    fn easter_falls_where_the_church_tables_have_it() {
        // The earliest (22 March) and latest (25 April) possible days among them, and the two years that Gauss's rule gets wrong.
        let easters = [(1818, 3, 22), (1943, 4, 25), (1954, 4, 18), (1981, 4, 19), (2000, 4, 23), (2038, 4, 25)];
        for (year, month, day) in easters {
            assert_eq!(easter_sunday(year), date(year, month, day));
        }
        assert_eq!(easter_sunday(2285), date(2285, 3, 22));
    }

    #[test]
    fn a_holiday_is_unknown_before_its_law() {
        let day = date(2030, 11, 20);
        assert!(Calendar::known_on(date(2023, 12, 21)).is_business_day(day));
        assert!(!Calendar::known_on(date(2023, 12, 22)).is_business_day(day));
        assert!(Calendar::current().is_business_day(date(2023, 11, 20)), "the law does not reach back");
    }

    #[test]
    fn two_holidays_on_one_day_are_both_listed() {
        let same_day = Calendar::current().holidays_in(2079).iter().filter(|h| h.date == date(2079, 4, 21)).count();
        assert_eq!(same_day, 2);
    }

    #[test]
    fn business_days_are_found_across_a_long_weekend() {
        let calendar = Calendar::current();
        // Carnival of 2026: Saturday 14 February to Tuesday 17 February.
        assert_eq!(calendar.next_business_day(date(2026, 2, 13)), Some(date(2026, 2, 18)));
        assert_eq!(calendar.previous_business_day(date(2026, 2, 18)), Some(date(2026, 2, 13)));
        assert_eq!(calendar.business_day_on_or_after(date(2026, 2, 13)), date(2026, 2, 13));
        assert_eq!(calendar.business_day_on_or_before(date(2026, 2, 17)), date(2026, 2, 13));
    }

    #[test]
    fn the_search_ends_at_both_ends_of_time() {
        let calendar = Calendar::current();
        assert_eq!(calendar.next_business_day(Date::MAX), None);
        assert_eq!(calendar.previous_business_day(Date::MIN), None);
        assert_eq!(calendar.business_day_on_or_after(Date::MAX), Date::MAX);
        assert_eq!(calendar.business_day_on_or_before(Date::MIN), Date::MIN);
    }

    /// The twin: Knuth's way (The Art of Computer Programming, volume 1, section 1.3.2, exercise 14), days from 1 March.
    fn easter_by_knuth(year: i32) -> i32 {
        let (golden, century) = (year % 19 + 1, year / 100 + 1);
        let (dropped_leap_years, moon) = (3 * century / 4 - 12, (8 * century + 5) / 25 - 5);
        let sunday = 5 * year / 4 - dropped_leap_years - 10;
        let epact = (11 * golden + 20 + moon - dropped_leap_years).rem_euclid(30);
        let epact = if (epact == 25 && golden > 11) || epact == 24 { epact + 1 } else { epact };
        let full_moon = if 44 - epact < 21 { 74 - epact } else { 44 - epact };
        full_moon + 7 - (sunday + full_moon) % 7 - 1
    }

    #[test]
    fn two_ways_to_compute_easter_agree_in_every_year_of_the_gregorian_calendar() {
        for year in 1583..=9999 {
            let easter = date(year, 3, 1).saturating_add(easter_by_knuth(year.into()).days());
            assert_eq!(easter_sunday(year), easter);
        }
    }

    proptest! {
        #[test]
        fn easter_is_a_sunday_between_22_march_and_25_april(year in 1583_i16..=9999) {
            let easter = easter_sunday(year);
            prop_assert_eq!(easter.weekday(), Weekday::Sunday);
            prop_assert!((date(year, 3, 22)..=date(year, 4, 25)).contains(&easter));
        }

        #[test]
        fn a_day_is_a_holiday_when_its_year_lists_it(year in -9999_i16..=9999, day_of_year in 1_i16..=365) {
            let day = Date::constant(year, 1, 1).saturating_add(i64::from(day_of_year - 1).days());
            let listed = Calendar::current().holidays_in(year).iter().any(|holiday| holiday.date == day);
            prop_assert_eq!(Calendar::current().holiday_on(day).is_some(), listed);
        }
    }
}
