//! Reading a list of published bond prices from CSV.
//!
//! The first line names the columns, in any order; further columns are ignored. Dates are written `2026-09-01`, numbers
//! with a decimal point. Every refusal names line, column, what was found and what is allowed.

use crate::bond::{BondQuantity, BondQuote, SelicCodeError, TitleError};
use crate::calendar::Calendar;
use crate::day_count::{BUSINESS_DAYS_MAX, BusinessDays, DayCountError, business_days_between};
use crate::decimal::{self, DecimalError};
use crate::isin::{Isin, IsinError};
use csv::StringRecord;
use jiff::civil::Date;
use std::collections::HashMap;
use std::fmt;
use thiserror::Error;

/// The longest list read: a thousand bonds with fields of full length fit in.
pub const LIST_BYTES_MAX: usize = 1_048_576;

/// The most bonds in a list, many times what the Treasury has on the market.
pub const ROWS_MAX: usize = 1_000;

/// The longest field read. The longest real one is an ISIN of twelve characters.
pub const FIELD_BYTES_MAX: usize = 64;

/// The most columns read.
pub const COLUMNS_MAX: usize = 64;

/// Columns that a list must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// `LTN` or `NTN-B`.
    Title,
    /// Six digits.
    SelicCode,
    /// Twelve characters whose check digit holds.
    Isin,
    /// A date after the reference date.
    Maturity,
    /// A date.
    ReferenceDate,
    /// Per cent per year of 252 business days, four decimals.
    IndicativeRate,
    /// Reais, six decimals.
    UnitPrice,
    /// Business days from reference date to maturity.
    BusinessDays,
    /// Thousands of bonds, up to three decimals.
    Outstanding,
}

/// Why a list was refused. Nothing of it is used then.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BondListError {
    /// The list has no text at all, or no line after the names of the columns.
    #[error(
        "the list holds no bonds, write the names of the columns on its first line and one bond on each further line"
    )]
    Empty,
    /// The list is longer than any real one.
    #[error("the list has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// Length of the list.
        bytes: usize,
        /// The most that is read.
        max: usize,
    },
    /// The list has more bonds than any real one.
    #[error("line {line} begins bond {count}, at most {max} are read", count = max + 1)]
    TooManyRows {
        /// Line of the first bond too many.
        line: u64,
        /// The most that is read.
        max: usize,
    },
    /// The first line names more columns than any real list has.
    #[error("the first line names {columns} columns, at most {max} are read")]
    TooManyColumns {
        /// Columns found.
        columns: usize,
        /// The most that is read.
        max: usize,
    },
    /// A column that is needed is not named on the first line.
    #[error("column `{column}` is missing, the first line names {found}")]
    MissingColumn {
        /// The missing column.
        column: Column,
        /// The columns found, each in backticks.
        found: String,
    },
    /// A column is named twice on the first line, so that its value would be a choice.
    #[error("column `{column}` is named twice on the first line")]
    RepeatedColumn {
        /// The column.
        column: Column,
    },
    /// The list is not text in UTF-8.
    #[error("line {line} is not text in UTF-8")]
    NotText {
        /// The line.
        line: u64,
    },
    /// A line has more or fewer fields than the first line names columns.
    #[error("line {line} has {found} fields, the first line names {expected} columns")]
    FieldCount {
        /// The line.
        line: u64,
        /// Fields found.
        found: usize,
        /// Columns named.
        expected: usize,
    },
    /// A field is longer than any real one. An open quotation mark does this.
    #[error("line {line}, field {field} has {bytes} bytes, at most {max} are read")]
    FieldTooLong {
        /// The line.
        line: u64,
        /// Which field of the line it is, from 1.
        field: usize,
        /// Length of the field.
        bytes: usize,
        /// The most that is read.
        max: usize,
    },
    /// A field does not hold what its column must; the source says what is allowed.
    #[error("line {line}, column `{column}` cannot be read: found `{value}`")]
    Field {
        /// The line.
        line: u64,
        /// The column.
        column: Column,
        /// What the field holds.
        value: String,
        /// What is wrong with it.
        source: FieldError,
    },
    /// A bond is listed twice.
    #[error("line {line}, column `isin`: `{isin}` is already on line {first_line}, a list holds each bond once")]
    RepeatedIsin {
        /// The later line.
        line: u64,
        /// The bond.
        isin: Isin,
        /// The earlier line.
        first_line: u64,
    },
}

/// What is wrong with a field.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FieldError {
    /// No known title.
    #[error(transparent)]
    Title(#[from] TitleError),
    /// No code of the Selic system.
    #[error(transparent)]
    SelicCode(#[from] SelicCodeError),
    /// No ISIN.
    #[error(transparent)]
    Isin(#[from] IsinError),
    /// No decimal of the column's shape.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// No date of the calendar.
    #[error("`{text}` is not a date, write year, month and day as in `2026-09-01`")]
    Date {
        /// The text.
        text: String,
    },
    /// The bond has matured when its price is said to be published.
    #[error("maturity {maturity} is not after the reference date {reference}")]
    MaturityNotAfterReference {
        /// The maturity.
        maturity: Date,
        /// The reference date.
        reference: Date,
    },
    /// The term cannot be counted: the dates are too early, or too far from each other.
    #[error(transparent)]
    Term(#[from] DayCountError),
}

/// Reads a list of bonds.
///
/// # Errors
/// [`BondListError`], for the first thing that is wrong.
///
/// ```
/// use market::bond_list;
///
/// let csv = "title,selic_code,isin,maturity,reference_date,indicative_rate_pct_252,unit_price_brl,business_days,outstanding_thousands\n\
///            LTN,100000,BRSTNCLTN8G4,2026-10-01,2026-09-01,13.6522,-989.392269,21,92198.71\n";
/// let error = bond_list::parse(csv.as_bytes()).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column `unit_price_brl` cannot be read: found `-989.392269`");
/// let source = std::error::Error::source(&error).map(ToString::to_string);
/// assert_eq!(source.as_deref(), Some("`-989.392269` is negative, only zero and above is allowed"));
/// ```
pub fn parse(list: &[u8]) -> Result<Vec<BondQuote>, BondListError> {
    if list.len() > LIST_BYTES_MAX {
        return Err(BondListError::TooLong { bytes: list.len(), max: LIST_BYTES_MAX });
    }
    let text = std::str::from_utf8(list).map_err(|error| not_text(list, error.valid_up_to()))?;
    // Spreadsheets begin a file in UTF-8 with this mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().expect(READABLE).clone();
    if headers.is_empty() {
        return Err(BondListError::Empty);
    }
    let places = ColumnPlaces::find(&headers)?;
    let mut lines = LineCounter::new(text);
    let mut quotes = Vec::new();
    let mut first_lines = HashMap::new();
    for record in reader.records() {
        let record = record.expect(READABLE);
        let line = lines.line_of(&record);
        if quotes.len() == ROWS_MAX {
            return Err(BondListError::TooManyRows { line, max: ROWS_MAX });
        }
        if record.len() != headers.len() {
            return Err(BondListError::FieldCount { line, found: record.len(), expected: headers.len() });
        }
        check_lengths(&record, line)?;
        let quote = Row { line, record: &record, places: &places }.quote()?;
        if let Some(first_line) = first_lines.insert(quote.isin, line) {
            return Err(BondListError::RepeatedIsin { line, isin: quote.isin, first_line });
        }
        quotes.push(quote);
    }
    if quotes.is_empty() { Err(BondListError::Empty) } else { Ok(quotes) }
}

/// Why reading cannot fail: what the CSV reader refuses is io, encoding and, unless flexible, lines of another length.
const READABLE: &str = "text in memory with lines of any length is always readable as csv";

/// The line of the first byte that is no text, counted by the line feeds before it.
fn not_text(list: &[u8], valid_bytes: usize) -> BondListError {
    let lines = (1_u64..).zip(list[..valid_bytes].split(|&byte| byte == b'\n'));
    BondListError::NotText { line: lines.last().map_or(1, |(line, _)| line) }
}

/// Counts lines as an editor does. The CSV reader's own number is that of the first blank line before a record.
struct LineCounter<'a> {
    text: &'a [u8],
    byte: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), byte: 0, line: 1 }
    }

    /// The line on which `record` begins. Records must come in the order of the text.
    fn line_of(&mut self, record: &StringRecord) -> u64 {
        let start = record.position().map_or(0, csv::Position::byte);
        while let Some(&byte) = self.text.get(self.byte) {
            let is_before = u64::try_from(self.byte).is_ok_and(|at| at < start);
            if !is_before && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(byte == b'\n');
            self.byte += 1;
        }
        self.line
    }
}

fn check_lengths(record: &StringRecord, line: u64) -> Result<(), BondListError> {
    match record.iter().enumerate().find(|(_, value)| value.len() > FIELD_BYTES_MAX) {
        None => Ok(()),
        Some((index, value)) => {
            Err(BondListError::FieldTooLong { line, field: index + 1, bytes: value.len(), max: FIELD_BYTES_MAX })
        }
    }
}

impl Column {
    /// All columns, in the order in which ANBIMA's figures are usually written.
    pub const ALL: [Self; 9] = [
        Self::Title,
        Self::SelicCode,
        Self::Isin,
        Self::Maturity,
        Self::ReferenceDate,
        Self::IndicativeRate,
        Self::UnitPrice,
        Self::BusinessDays,
        Self::Outstanding,
    ];

    /// The name on the first line of a list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::SelicCode => "selic_code",
            Self::Isin => "isin",
            Self::Maturity => "maturity",
            Self::ReferenceDate => "reference_date",
            Self::IndicativeRate => "indicative_rate_pct_252",
            Self::UnitPrice => "unit_price_brl",
            Self::BusinessDays => "business_days",
            Self::Outstanding => "outstanding_thousands",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where each column stands on a line.
struct ColumnPlaces(HashMap<Column, usize>);

impl ColumnPlaces {
    fn find(headers: &StringRecord) -> Result<Self, BondListError> {
        if headers.len() > COLUMNS_MAX {
            return Err(BondListError::TooManyColumns { columns: headers.len(), max: COLUMNS_MAX });
        }
        check_lengths(headers, 1)?;
        let mut places = HashMap::new();
        for column in Column::ALL {
            let mut found = headers.iter().enumerate().filter(|(_, name)| *name == column.name());
            let (place, _) =
                found.next().ok_or_else(|| BondListError::MissingColumn { column, found: names(headers) })?;
            if found.next().is_some() {
                return Err(BondListError::RepeatedColumn { column });
            }
            let _ = places.insert(column, place);
        }
        Ok(Self(places))
    }
}

fn names(headers: &StringRecord) -> String {
    headers.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// One line of the list.
struct Row<'a> {
    line: u64,
    record: &'a StringRecord,
    places: &'a ColumnPlaces,
}

impl Row<'_> {
    fn quote(&self) -> Result<BondQuote, BondListError> {
        let reference_date = self.read(Column::ReferenceDate, parse_date)?;
        let maturity = self.read(Column::Maturity, |text| parse_maturity(text, reference_date))?;
        Ok(BondQuote {
            title: self.read(Column::Title, str::parse)?,
            selic_code: self.read(Column::SelicCode, str::parse)?,
            isin: self.read(Column::Isin, str::parse)?,
            maturity,
            reference_date,
            indicative_rate: self.read(Column::IndicativeRate, str::parse)?,
            unit_price: self.read(Column::UnitPrice, str::parse)?,
            business_days: self.read(Column::BusinessDays, parse_business_days)?,
            outstanding: self.read(Column::Outstanding, BondQuantity::parse_thousands)?,
        })
    }

    fn read<T, E: Into<FieldError>>(
        &self,
        column: Column,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, BondListError> {
        let value = &self.record[self.places.0[&column]];
        parse(value).map_err(|source| BondListError::Field {
            line: self.line,
            column,
            value: value.to_owned(),
            source: source.into(),
        })
    }
}

/// Reads `2026-09-01` and no other form.
fn parse_date(text: &str) -> Result<Date, FieldError> {
    let refusal = || FieldError::Date { text: text.to_owned() };
    let shape: String = text.chars().map(|found| if found.is_ascii_digit() { '0' } else { found }).collect();
    if shape != "0000-00-00" {
        return Err(refusal());
    }
    text.parse().map_err(|_| refusal())
}

/// Reads a maturity whose term from `reference` can be priced.
fn parse_maturity(text: &str, reference: Date) -> Result<Date, FieldError> {
    let maturity = parse_date(text)?;
    if maturity <= reference {
        return Err(FieldError::MaturityNotAfterReference { maturity, reference });
    }
    let _ = business_days_between(Calendar::known_on(reference), reference, maturity)?;
    Ok(maturity)
}

fn parse_business_days(text: &str) -> Result<BusinessDays, FieldError> {
    let days = decimal::parse(text, 0, BUSINESS_DAYS_MAX.into())?;
    let days = u32::try_from(days).expect("the limit of the count fits into 32 bits");
    Ok(BusinessDays::new(days)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::error::Error as _;

    const PUBLISHED: &str = include_str!("../../../examples/tpf-anbima-2026-09-01.csv");

    /// The refusal of the published list after `from` was replaced by `to`, and what caused it.
    fn refusal(from: &str, to: &str) -> String {
        assert!(PUBLISHED.contains(from), "{from}");
        let error = parse(PUBLISHED.replacen(from, to, 1).as_bytes()).unwrap_err();
        match error.source() {
            None => error.to_string(),
            Some(source) => format!("{error}; {source}"),
        }
    }

    #[test]
    fn the_published_list_is_read_whole() {
        let quotes = parse(PUBLISHED.as_bytes()).unwrap();
        assert_eq!(quotes.len(), 6);
        let last = &quotes[5];
        assert_eq!((last.title.as_str(), last.isin.as_str()), ("NTN-B", "BRSTNCNTB690"));
        assert_eq!((last.maturity.to_string(), last.business_days.get()), ("2060-08-15".to_owned(), 8504));
        assert_eq!(last.indicative_rate.to_string(), "7.4238");
        assert_eq!(last.unit_price.to_string(), "3955.367616");
        assert_eq!(last.outstanding.bonds(), 21_802_450);
    }

    #[test]
    fn columns_may_come_in_any_order_with_others_between_them() {
        let mut lines = Vec::new();
        for line in PUBLISHED.lines() {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields.reverse();
            lines.push(format!("{},remark", fields.join(",")));
        }
        let reordered = format!("\u{feff}{}\r\n", lines.join("\r\n"));
        assert_eq!(parse(reordered.as_bytes()), parse(PUBLISHED.as_bytes()));
    }

    #[test]
    fn a_wrong_field_is_named_with_line_column_value_and_what_is_allowed() {
        let cases = [
            (
                "2028-08-15",
                "2028-02-30",
                "line 4, column `maturity` cannot be read: found `2028-02-30`; \
                 `2028-02-30` is not a date, write year, month and day as in `2026-09-01`",
            ),
            (
                "BRSTNCLTN8G4",
                "BRSTNCLTN8G5",
                "line 2, column `isin` cannot be read: found `BRSTNCLTN8G5`; \
                 `BRSTNCLTN8G5` ends in check digit 5, but its other characters give 4",
            ),
            (
                "989.392269",
                "-989.392269",
                "line 2, column `unit_price_brl` cannot be read: found `-989.392269`; \
                 `-989.392269` is negative, only zero and above is allowed",
            ),
            (
                "6.6000",
                "-6.6000",
                "line 3, column `indicative_rate_pct_252` cannot be read: found `-6.6000`; \
                 `-6.6000` is negative, only zero and above is allowed",
            ),
            (
                "NTN-B",
                "NTN-F",
                "line 3, column `title` cannot be read: found `NTN-F`; \
                 `NTN-F` is not a title that can be priced, only `LTN` and `NTN-B` are",
            ),
            (
                "2026-10-01",
                "2026-09-01",
                "line 2, column `maturity` cannot be read: found `2026-09-01`; \
                 maturity 2026-09-01 is not after the reference date 2026-09-01",
            ),
            (
                "2060-08-15",
                "2160-08-15",
                "line 7, column `maturity` cannot be read: found `2160-08-15`; \
                 33551 business days are more than the 25200 that are priced",
            ),
            (
                ",21,",
                ",25201,",
                "line 2, column `business_days` cannot be read: found `25201`; \
                 `25201` is too large, at most 25200 is allowed",
            ),
            (
                "100000,",
                "10000,",
                "line 2, column `selic_code` cannot be read: found `10000`; \
                 `10000` is not a selic code, write six digits as in `100000`",
            ),
            (
                "92198.71",
                "92198.7111",
                "line 2, column `outstanding_thousands` cannot be read: found `92198.7111`; \
                 `92198.7111` has 4 decimal places, at most 3 are allowed",
            ),
        ];
        for (from, to, expected) in cases {
            assert_eq!(refusal(from, to), expected);
        }
    }

    #[test]
    fn only_one_way_to_write_a_date_is_read() {
        for text in ["01/09/2026", "20260901", "2026-9-1", "2026-09-01T10:00", "+2026-09-01", "2026-09-0१", ""] {
            assert!(parse_date(text).is_err(), "{text}");
        }
        assert_eq!(
            refusal("2026-10-01,2026-09-01", "2000-10-01,2000-09-01").split("; ").last(),
            Some("2000-09-01 is before 2001-01-01, where the calendar of bank holidays begins")
        );
    }

    #[test]
    fn a_missing_or_repeated_column_is_named() {
        assert_eq!(
            refusal("maturity,", "vencimento,"),
            "column `maturity` is missing, the first line names `title`, `selic_code`, `isin`, `vencimento`, \
             `reference_date`, `indicative_rate_pct_252`, `unit_price_brl`, `business_days`, `outstanding_thousands`"
        );
        assert_eq!(refusal("title,selic_code", "title,title"), "column `title` is named twice on the first line");
    }

    #[test]
    fn a_bond_listed_twice_is_refused_with_both_lines() {
        assert_eq!(
            refusal("BRSTNCNTB4X0", "BRSTNCNTB682"),
            "line 4, column `isin`: `BRSTNCNTB682` is already on line 3, a list holds each bond once"
        );
    }

    #[test]
    fn a_line_of_another_length_is_refused() {
        assert_eq!(refusal(",92198.71", ""), "line 2 has 8 fields, the first line names 9 columns");
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        assert_eq!(refusal("\nLTN,", "\n\n\nLTF,").split(',').next(), Some("line 4"));
        assert_eq!(refusal("\nLTN,", "\r\n\r\nLTF,").split(',').next(), Some("line 3"));
        assert_eq!(refusal("\nLTN,", "\n\nLTN,x,"), "line 3 has 10 fields, the first line names 9 columns");
    }

    #[test]
    fn a_list_without_bonds_is_refused() {
        let header = PUBLISHED.lines().next().unwrap();
        for empty in ["", "\n\n", header, "\u{feff}"] {
            assert_eq!(parse(empty.as_bytes()), Err(BondListError::Empty), "{empty:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_with_their_line() {
        let mut bytes = PUBLISHED.as_bytes().to_vec();
        let second_line = PUBLISHED.find('\n').unwrap() + 1;
        bytes[second_line] = 0xff;
        assert_eq!(parse(&bytes), Err(BondListError::NotText { line: 2 }));
    }

    #[test]
    fn every_limit_is_held() {
        let too_long = vec![b'x'; LIST_BYTES_MAX + 1];
        assert_eq!(parse(&too_long), Err(BondListError::TooLong { bytes: LIST_BYTES_MAX + 1, max: LIST_BYTES_MAX }));
        let columns = "x,".repeat(COLUMNS_MAX);
        let error = BondListError::TooManyColumns { columns: COLUMNS_MAX + 1, max: COLUMNS_MAX };
        assert_eq!(parse(columns.as_bytes()), Err(error));
        let long = "x".repeat(FIELD_BYTES_MAX + 1);
        assert_eq!(refusal("LTN", &long), "line 2, field 1 has 65 bytes, at most 64 are read");
        assert_eq!(refusal("title", &long), "line 1, field 1 has 65 bytes, at most 64 are read");
    }

    #[test]
    fn a_thousand_bonds_are_read_and_one_more_is_not() {
        let mut lines = PUBLISHED.lines();
        let mut list = format!("{}\n", lines.next().unwrap());
        let line = lines.next().unwrap();
        for number in 0..ROWS_MAX {
            list.push_str(&line.replace("BRSTNCLTN8G4", &isin_number(number)));
            list.push('\n');
        }
        assert_eq!(parse(list.as_bytes()).unwrap().len(), ROWS_MAX);
        list.push_str(line);
        assert_eq!(
            parse(list.as_bytes()).unwrap_err().to_string(),
            "line 1002 begins bond 1001, at most 1000 are read"
        );
    }

    fn isin_number(number: usize) -> String {
        let body = format!("BRTEST{number:05}");
        (0..10).map(|digit| format!("{body}{digit}")).find(|isin| isin.parse::<Isin>().is_ok()).unwrap()
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_damage_to_a_list_makes_the_reader_panic(
            damage in proptest::collection::vec((0..PUBLISHED.len(), any::<u8>()), 1..8), cut in 0..PUBLISHED.len(),
        ) {
            let mut bytes = PUBLISHED.as_bytes().to_vec();
            for (index, byte) in damage {
                bytes[index] = byte;
            }
            let _ = parse(&bytes);
            let _ = parse(&bytes[..cut]);
        }

        #[test]
        fn no_field_makes_the_reader_panic(field in "[0-9A-Z.,\"-]{0,70}", column in 0_usize..9) {
            let mut lines = PUBLISHED.lines();
            let header = lines.next().unwrap();
            let mut fields: Vec<&str> = lines.next().unwrap().split(',').collect();
            fields[column] = &field;
            let _ = parse(format!("{header}\n{}\n", fields.join(",")).as_bytes());
        }
    }
}
