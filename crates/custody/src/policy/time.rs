//! Times of a policy: UTC, by the caller's clock. Days are those of UTC as well.

use std::fmt;

use bindings::assets::rules::Weekday;

const SECONDS_PER_DAY: u64 = 86_400;
const SECONDS_PER_MINUTE: u64 = 60;
const MINUTES_PER_DAY: u64 = 1_440;

/// A moment, in seconds since the beginning of 1970 in UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// Days since the beginning of 1970.
    pub(crate) const fn day(self) -> u64 {
        self.0 / SECONDS_PER_DAY
    }

    fn weekday(self) -> Weekday {
        // Day 0 was a Thursday.
        match self.day() % 7 {
            0 => Weekday::Thursday,
            1 => Weekday::Friday,
            2 => Weekday::Saturday,
            3 => Weekday::Sunday,
            4 => Weekday::Monday,
            5 => Weekday::Tuesday,
            _ => Weekday::Wednesday,
        }
    }

    const fn minute(self) -> u64 {
        self.0 % SECONDS_PER_DAY / SECONDS_PER_MINUTE
    }
}

/// Seconds since 1970, as they are compared.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

/// When something is allowed: on these weekdays, from one minute up to another, which is outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) weekdays: Vec<Weekday>,
    pub(super) from_minute: u64,
    pub(super) until_minute: u64,
}

impl Window {
    pub(super) fn has(&self, now: UnixTime) -> bool {
        let minute = now.minute();
        self.weekdays.contains(&now.weekday()) && self.from_minute <= minute && minute < self.until_minute
    }
}

/// Reads a time of day, `00:00` to `24:00`, as minutes.
pub(super) fn minute_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { digits.parse::<u64>().ok() } else { None }
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES_PER_DAY).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-09-01, a Tuesday, 00:00 UTC.
    const TUESDAY: u64 = 1_788_220_800;

    #[test]
    fn a_window_has_its_first_minute_and_not_its_last() {
        let window = Window { weekdays: vec![Weekday::Tuesday], from_minute: 9 * 60, until_minute: 18 * 60 };
        let at = |hour: u64, second: u64| window.has(UnixTime(TUESDAY + hour * 3_600 + second));
        assert!(at(9, 0) && at(17, 3_599));
        assert!(!at(8, 3_599) && !at(18, 0) && !at(24 + 9, 0));
    }

    #[test]
    fn a_time_of_day_is_written_in_one_way() {
        for (text, minutes) in [("00:00", Some(0)), ("09:30", Some(570)), ("24:00", Some(1_440))] {
            assert_eq!(minute_of_day(text), minutes, "{text}");
        }
        for bad in ["", "9:30", "09:60", "24:01", "25:00", "09.30", "+9:30", "09:3"] {
            assert_eq!(minute_of_day(bad), None, "{bad}");
        }
    }
}
