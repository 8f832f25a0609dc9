//! `lastro bond price`: published prices rebuilt from published rates.

use crate::cli::{BondCommand, BondPrice};
use crate::failure::{Failure, FailureKind};
use crate::printer::Printer;
use crate::table::{Align, Table};
use anyhow::Context;
use market::{BondLine, BondQuote, BondReport, NominalValueRange, Valuation, bond_list};
use serde_json::{Value, json};
use std::path::Path;

/// Runs one of the bonds' commands.
pub(crate) fn run(command: &BondCommand, printer: &Printer) -> Result<(), Failure> {
    match command {
        BondCommand::Price(arguments) => price(arguments, printer),
    }
}

/// Reads a list of bonds.
pub(crate) fn read_bonds(path: &Path) -> Result<Vec<BondQuote>, Failure> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the list of bonds `{}`", path.display()));
    let bytes = bytes.map_err(|error| Failure::new(FailureKind::Usage, error))?;
    let quotes =
        bond_list::parse(&bytes).with_context(|| format!("the list of bonds `{}` cannot be used", path.display()));
    quotes.map_err(|error| {
        Failure::new(FailureKind::Usage, error).with_hint("examples/README.md says what each column holds")
    })
}

fn price(arguments: &BondPrice, printer: &Printer) -> Result<(), Failure> {
    let quotes = read_bonds(&arguments.file)?;
    let report = BondReport::new(quotes).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    show(&report, printer);
    printer.json(&as_json(&report));
    if report.agrees() {
        printer.done("every count and every price is reproduced");
        return Ok(());
    }
    let error = anyhow::anyhow!("a count or a price is not the published one, see the table");
    Err(Failure::new(FailureKind::Refused, error).with_hint("check the reference date and the rate of that line"))
}

fn show(report: &BondReport, printer: &Printer) {
    let mut table = Table::new([
        (Align::Left, "title"),
        (Align::Left, "isin"),
        (Align::Left, "maturity"),
        (Align::Right, "days published"),
        (Align::Right, "days computed"),
        (Align::Right, "quotation %"),
        (Align::Right, "price published R$"),
        (Align::Right, "price rebuilt R$"),
        (Align::Left, ""),
    ]);
    for line in &report.lines {
        let quote = &line.quote;
        let quotation = match &line.valuation {
            Valuation::Ltn => "-".to_owned(),
            Valuation::NtnB { quotation, .. } => quotation.to_string(),
        };
        table.row([
            quote.title.as_str().to_owned(),
            quote.isin.as_str().to_owned(),
            quote.maturity.to_string(),
            quote.business_days.get().to_string(),
            line.business_days.get().to_string(),
            quotation,
            quote.unit_price.to_string(),
            line.price_rebuilt.map_or_else(|| "-".to_owned(), |price| price.to_string()),
            if line.count_agrees() && line.price_agrees() { String::new() } else { "differs".to_owned() },
        ]);
    }
    table.lines().iter().for_each(|line| printer.line(line));
    for value in &report.nominal_values {
        let shown = value.value().map_or_else(|| "no common value".to_owned(), |value| format!("R$ {value}"));
        printer.line(&format!("VNA of {} from {} prices of NTN-B: {shown}", value.reference_date, value.bonds));
    }
}

fn as_json(report: &BondReport) -> Value {
    let values = report.nominal_values.iter().map(|value| {
        json!({
            "referenceDate": value.reference_date.to_string(),
            "bonds": value.bonds,
            "vna": value.value().map(|value| value.to_string()),
            "range": value.range.as_ref().map(range_json),
        })
    });
    json!({
        "agrees": report.agrees(),
        "bonds": report.lines.iter().map(line_json).collect::<Vec<Value>>(),
        "nominalValues": values.collect::<Vec<Value>>(),
    })
}

fn line_json(line: &BondLine) -> Value {
    let quote = &line.quote;
    let (quotation, implied) = match &line.valuation {
        Valuation::Ltn => (None, None),
        Valuation::NtnB { quotation, implied } => (Some(quotation.to_string()), implied.as_ref().map(range_json)),
    };
    json!({
        "title": quote.title.as_str(),
        "selicCode": quote.selic_code.to_string(),
        "isin": quote.isin.as_str(),
        "maturity": quote.maturity.to_string(),
        "referenceDate": quote.reference_date.to_string(),
        "indicativeRatePercent252": quote.indicative_rate.to_string(),
        "businessDaysPublished": quote.business_days.get(),
        "businessDaysComputed": line.business_days.get(),
        "quotationPercent": quotation,
        "impliedVna": implied,
        "pricePublished": quote.unit_price.to_string(),
        "priceRebuilt": line.price_rebuilt.map(|price| price.to_string()),
    })
}

fn range_json(range: &NominalValueRange) -> Value {
    json!({ "lowest": range.lowest().to_string(), "highest": range.highest().to_string() })
}
