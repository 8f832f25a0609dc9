//! Dates and times of contracts, which count from 1970, written for people: ISO 8601 with UTC said in words.

use std::fmt;

/// 9999-12-31, the last day that is written with four digits of a year, in days since 1970.
const DAY_MAX: u64 = 2_932_896;
const SECONDS_PER_DAY: u64 = 86_400;

/// A day of the proleptic Gregorian calendar, from 1970 to 9999.
pub(crate) struct Date {
    year: u64,
    month: u64,
    day: u64,
}

/// A second in UTC, from 1970 to 9999.
pub(crate) struct Moment {
    date: Date,
    second_of_day: u64,
}

impl Date {
    /// The date of a number of days since 1970-01-01, or nothing past the year 9999.
    ///
    /// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years of 146,097 days.
    /// Source: H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`, which is in the public domain.
    pub(crate) fn of_day(days: u64) -> Option<Self> {
        if days > DAY_MAX {
            return None;
        }
        // From 0000-03-01 to 1970-01-01 there are 719,468 days.
        let since = days + 719_468;
        let (era, day_of_era) = (since / 146_097, since % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March on have 153 days in each five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Some(Self { year: era * 400 + year_of_era + u64::from(month <= 2), month, day })
    }
}

impl Moment {
    /// The moment of a number of seconds since 1970, or nothing past the year 9999.
    pub(crate) fn of_second(seconds: u64) -> Option<Self> {
        let date = Date::of_day(seconds / SECONDS_PER_DAY)?;
        Some(Self { date, second_of_day: seconds % SECONDS_PER_DAY })
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) =
            (self.second_of_day / 3_600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        write!(formatter, "{} {hour:02}:{minute:02}:{second:02} UTC", self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(days: u64) -> Option<String> {
        Date::of_day(days).map(|date| date.to_string())
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(date(0).unwrap(), "1970-01-01");
        assert_eq!(date(11_016).unwrap(), "2000-02-29");
        assert_eq!(date(20_697).unwrap(), "2026-09-01");
        assert_eq!(date(47_540).unwrap(), "2100-02-28");
        assert_eq!(date(47_541).unwrap(), "2100-03-01");
        assert_eq!(date(DAY_MAX).unwrap(), "9999-12-31");
        assert_eq!(date(DAY_MAX + 1), None);
        assert_eq!(date(u64::MAX), None);
    }

    /// A naive twin counts every day of every month.
    #[test]
    fn every_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..=DAY_MAX {
            assert_eq!(date(days).unwrap(), format!("{year:04}-{month:02}-{day:02}"));
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, if is_leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
            (day, month) = if day < length { (day + 1, month) } else { (1, month + 1) };
            (month, year) = if month <= 12 { (month, year) } else { (1, year + 1) };
        }
    }

    #[test]
    fn seconds_are_times_of_day_in_utc() {
        assert_eq!(Moment::of_second(1_788_274_800).unwrap().to_string(), "2026-09-01 15:00:00 UTC");
        assert_eq!(Moment::of_second(86_399).unwrap().to_string(), "1970-01-01 23:59:59 UTC");
        assert!(Moment::of_second(u64::MAX).is_none());
    }
}
