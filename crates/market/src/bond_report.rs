//! Published prices beside the same prices computed again.

use crate::bond::{BondQuote, Title};
use crate::calendar::Calendar;
use crate::day_count::{BusinessDays, DayCountError, business_days_between};
use crate::isin::Isin;
use crate::price::{NominalValue, NominalValueRange, Quotation, UnitPrice};
use crate::{ltn, ntnb};
use jiff::civil::Date;
use std::collections::BTreeMap;
use thiserror::Error;

/// Every bond of a list with what the market's method makes of it, and the VNA that its NTN-B imply.
///
/// A list does not say the VNA. Each published NTN-B price leaves a narrow range of values of six decimals; the method
/// is confirmed if one value lies in all ranges of a day and gives every price back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondReport {
    /// One line for each bond, in the order of the list.
    pub lines: Vec<BondLine>,
    /// One entry for each reference date with NTN-B, in order of date.
    pub nominal_values: Vec<CommonNominalValue>,
}

/// One bond: as published, and as computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondLine {
    /// The bond as published.
    pub quote: BondQuote,
    /// The count of business days by the rules of the calendar.
    pub business_days: BusinessDays,
    /// What stands between rate and price.
    pub valuation: Valuation,
    /// The price by the market's method; `None` if the bond needs a VNA and the prices of its day imply none.
    pub price_rebuilt: Option<UnitPrice>,
}

/// What stands between the rate of a bond and its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valuation {
    /// An LTN: nothing, the rate gives the price.
    Ltn,
    /// An NTN-B: the quotation, and the VNA that it and the published price imply.
    NtnB {
        /// The quotation that the rate gives.
        quotation: Quotation,
        /// All VNA that give the published price; `None` if there is none.
        implied: Option<NominalValueRange>,
    },
}

/// The VNA that all NTN-B prices of one day imply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommonNominalValue {
    /// The day.
    pub reference_date: Date,
    /// How many NTN-B of the list have a price of that day.
    pub bonds: usize,
    /// What the ranges of all of them share; `None` if nothing.
    pub range: Option<NominalValueRange>,
}

/// Why a list could not be computed.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BondReportError {
    /// The term of a bond cannot be counted.
    #[error("cannot count the business days of bond {isin}")]
    Term {
        /// The bond.
        isin: Isin,
        /// Why not.
        source: DayCountError,
    },
}

impl BondReport {
    /// Computes every bond of a list.
    ///
    /// # Errors
    /// [`BondReportError`] if a term cannot be counted, which [`crate::bond_list::parse`] has already refused.
    pub fn new(quotes: Vec<BondQuote>) -> Result<Self, BondReportError> {
        let mut lines = quotes.into_iter().map(BondLine::new).collect::<Result<Vec<_>, _>>()?;
        let nominal_values = common_nominal_values(&lines);
        for line in &mut lines {
            line.rebuild_price(&nominal_values);
        }
        Ok(Self { lines, nominal_values })
    }

    /// Whether every count and every price is what was published.
    pub fn agrees(&self) -> bool {
        self.lines.iter().all(|line| line.count_agrees() && line.price_agrees())
    }
}

impl BondLine {
    /// Everything but the price, which may need the other bonds of the day.
    fn new(quote: BondQuote) -> Result<Self, BondReportError> {
        let isin = quote.isin;
        let refusal = |source| BondReportError::Term { isin, source };
        let calendar = Calendar::known_on(quote.reference_date);
        let paid = calendar.business_day_on_or_after(quote.maturity);
        let business_days = business_days_between(calendar, quote.reference_date, paid).map_err(refusal)?;
        let valuation = match quote.title {
            Title::Ltn => Valuation::Ltn,
            Title::NtnB => {
                let quotation = ntnb::quotation(quote.indicative_rate, quote.reference_date, quote.maturity);
                let quotation = quotation.map_err(refusal)?;
                let implied = ntnb::implied_nominal_value(quote.unit_price, quotation);
                Valuation::NtnB { quotation, implied }
            }
        };
        Ok(Self { quote, business_days, valuation, price_rebuilt: None })
    }

    fn rebuild_price(&mut self, nominal_values: &[CommonNominalValue]) {
        self.price_rebuilt = match self.valuation {
            Valuation::Ltn => Some(ltn::unit_price(self.quote.indicative_rate, self.business_days)),
            Valuation::NtnB { quotation, .. } => nominal_values
                .iter()
                .find(|common| common.reference_date == self.quote.reference_date)
                .and_then(|common| common.value())
                .and_then(|vna| ntnb::unit_price(vna, quotation)),
        };
    }

    /// Whether the computed count of business days is the published one.
    pub fn count_agrees(&self) -> bool {
        self.business_days == self.quote.business_days
    }

    /// Whether the rebuilt price is the published one to the last decimal.
    pub fn price_agrees(&self) -> bool {
        self.price_rebuilt == Some(self.quote.unit_price)
    }
}

impl CommonNominalValue {
    /// The VNA of the day: the lowest value in the range. Every other value in it gives the same prices.
    pub fn value(self) -> Option<NominalValue> {
        self.range.map(NominalValueRange::lowest)
    }
}

/// Intersects, for each reference date, the ranges of its NTN-B.
fn common_nominal_values(lines: &[BondLine]) -> Vec<CommonNominalValue> {
    let mut by_date: BTreeMap<Date, CommonNominalValue> = BTreeMap::new();
    for line in lines {
        let Valuation::NtnB { implied, .. } = line.valuation else { continue };
        let reference_date = line.quote.reference_date;
        let _ = by_date
            .entry(reference_date)
            .and_modify(|common| {
                common.bonds += 1;
                common.range = common.range.zip(implied).and_then(|(range, implied)| range.intersection(implied));
            })
            .or_insert(CommonNominalValue { reference_date, bonds: 1, range: implied });
    }
    by_date.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bond_list;
    use jiff::civil::date;

    const PUBLISHED: &str = include_str!("../../../examples/tpf-anbima-2026-09-01.csv");

    fn report(list: &str) -> BondReport {
        BondReport::new(bond_list::parse(list.as_bytes()).unwrap()).unwrap()
    }

    /// Maturity, counted days, quotation, implied VNA and rebuilt price of each line.
    fn table(report: &BondReport) -> Vec<String> {
        let row = |line: &BondLine| {
            let (quotation, implied) = match line.valuation {
                Valuation::Ltn => ("-".to_owned(), "-".to_owned()),
                Valuation::NtnB { quotation, implied } => {
                    (quotation.to_string(), implied.map_or("none".to_owned(), |range| range.to_string()))
                }
            };
            let price = line.price_rebuilt.map_or("none".to_owned(), |price| price.to_string());
            format!("{} {} {quotation} {implied} {price}", line.quote.maturity, line.business_days)
        };
        report.lines.iter().map(row).collect()
    }

    #[test]
    fn six_published_bonds_are_reproduced_to_the_last_decimal() {
        let report = report(PUBLISHED);
        assert_eq!(
            table(&report),
            [
                "2026-10-01 21 - - 989.392269",
                "2027-05-15 174 101.4298 4735.435987 4803.143250",
                "2028-08-15 489 97.0991 4735.435987 4598.065724",
                "2030-08-15 987 93.8343 4735.435987 4443.463210",
                "2032-08-15 1491 91.2304 4735.435987 4320.157192",
                "2060-08-15 8504 83.5270 4735.435986 to 4735.435987 3955.367616",
            ]
        );
        assert!(report.agrees());
    }

    #[test]
    fn five_published_prices_imply_one_nominal_value() {
        let vna = NominalValue::from_micros(4_735_435_987);
        let common =
            CommonNominalValue { reference_date: date(2026, 9, 1), bonds: 5, range: NominalValueRange::new(vna, vna) };
        assert_eq!(report(PUBLISHED).nominal_values, [common]);
    }

    #[test]
    fn a_price_off_by_one_millionth_is_noticed() {
        let ltn = report(&PUBLISHED.replace("989.392269", "989.392270"));
        assert!(!ltn.agrees());
        assert_eq!(ltn.lines.iter().filter(|line| !line.price_agrees()).count(), 1);
        let ntnb = report(&PUBLISHED.replace("4803.143250", "4803.143252"));
        assert!(!ntnb.agrees());
        assert_eq!(ntnb.nominal_values[0].range, None);
    }

    #[test]
    fn a_count_off_by_one_day_is_noticed() {
        let report = report(&PUBLISHED.replace(",174,", ",175,"));
        assert!(!report.agrees());
        assert!(report.lines[1].price_agrees() && !report.lines[1].count_agrees());
    }

    #[test]
    fn each_reference_date_has_its_own_nominal_value() {
        let mut lines: Vec<String> = PUBLISHED.lines().map(str::to_owned).collect();
        lines[2] = lines[2].replace("2026-09-01", "2026-09-02");
        let report = report(&lines.join("\n"));
        let counts: Vec<usize> = report.nominal_values.iter().map(|common| common.bonds).collect();
        assert_eq!(counts, [4, 1]);
    }

    #[test]
    fn a_list_without_ntnb_has_no_nominal_value() {
        let lines: Vec<&str> = PUBLISHED.lines().take(2).collect();
        let report = report(&lines.join("\n"));
        assert!(report.agrees() && report.nominal_values.is_empty());
    }
}
