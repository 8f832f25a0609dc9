//! Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7; the obsolete forms are not read).

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Seconds since 1970; `None` if the text is no such date, or one before 1970.
pub(super) fn http_date_seconds(text: &str) -> Option<u64> {
    let mut words = text.split(' ').skip(1);
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.into_iter().zip(1_u64..).find(|(name, _)| *name == month)?.1;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_zone_last = words.next() == Some("GMT") && words.next().is_none();
    let is_in_range = (1970..10_000).contains(&year) && (1..=31).contains(&day);
    if !is_zone_last || !is_in_range || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days_since_1970(year, month, day) * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
}

/// Days by the Gregorian calendar, counted in years that begin with March, so that a leap day is the last of its year.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // From 1 March of year 0 to 1 January 1970 there are 719,468 days.
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(http_date_seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(http_date_seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date_seconds("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        assert_eq!(http_date_seconds("Fri, 01 Mar 2024 00:00:00 GMT"), Some(1_709_251_200));
    }

    #[test]
    fn other_texts_are_no_dates() {
        let bad = [
            "",
            "now",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1869 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
        ];
        assert_eq!(bad.map(http_date_seconds), [None; 8]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", numbers in prop::array::uniform5(any::<u64>())) {
            let [day, year, hour, minute, second] = numbers;
            let _ = http_date_seconds(&text);
            let _ = http_date_seconds(&format!("Mon, {day} Jan {year} {hour}:{minute}:{second} GMT"));
        }
    }
}
