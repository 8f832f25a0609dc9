//! What the demonstration shows at its end: for people as tables, for machines as JSON.

use super::books::Asset;
use super::parties::{PARTIES, Party};
use super::plan::{Operation, Plan};
use super::reconcile::Compared;
use super::session::{Done, Session};
use super::texts::{Text, Texts};
use crate::printer::Printer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that is shown.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) session: &'a Session,
    pub(crate) compared: &'a [Compared],
    pub(crate) texts: Texts,
}

/// An amount of hundredths with its decimals.
fn hundredths(amount: i128) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let units = amount.unsigned_abs();
    format!("{sign}{}.{:02}", units / 100, units % 100)
}

/// The value below which the given share of values lies; the nearest rank, of values in ascending order.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

impl Report<'_> {
    /// Balances on which books and ledger do not agree.
    pub(crate) fn differences(&self) -> Vec<String> {
        let differing = self.compared.iter().filter(|one| !one.agrees());
        differing.map(|one| self.difference(one)).collect()
    }

    fn difference(&self, one: &Compared) -> String {
        let holder = one.party.map_or(self.texts.text(Text::Supply), Party::name);
        let ledger = i128::try_from(one.ledger).map_or_else(|_| one.ledger.to_string(), hundredths);
        let text = self.texts.text(Text::DiffersHere);
        text.replace("{holder}", holder)
            .replace("{asset}", &self.asset_name(one.asset))
            .replace("{books}", &hundredths(one.books))
            .replace("{ledger}", &ledger)
    }

    fn asset_name(&self, asset: Asset) -> String {
        match asset {
            Asset::RealDigital => "Real Digital".to_owned(),
            Asset::RealTokenizado(bank) => format!("RealTokenizado@{}", bank.cnpj_root().as_str()),
            Asset::Bond(place) => {
                let bond = &self.plan.bonds[place];
                format!("{} {}", bond.title.as_str(), bond.maturity)
            }
        }
    }

    /// Prints the tables.
    pub(crate) fn show(&self, printer: &Printer) {
        self.show_stages(printer);
        self.show_operations(printer);
        self.show_books(printer);
        self.show_latency(printer);
    }

    fn show_stages(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        printer.heading(text(Text::WhatHappened));
        let (step, count) = (text(Text::Step), text(Text::Transactions));
        printer.line(&format!("  {step:<52} {count:>12} {:>11} {:>12}", text(Text::Blocks), text(Text::Gas)));
        let mut done = self.session.done.as_slice();
        for stage in &self.plan.stages {
            let (steps, rest) = done.split_at(stage.steps.len().min(done.len()));
            done = rest;
            let blocks = steps.iter().map(|step| step.mined.block_number);
            let (first, last) = (blocks.clone().min().unwrap_or(0), blocks.max().unwrap_or(0));
            let blocks = if first == last { first.to_string() } else { format!("{first}–{last}") };
            let gas: u64 = steps.iter().map(|step| step.mined.gas_used).sum();
            let title = self.texts.title(stage.title);
            printer.line(&format!("  {title:<52} {:>12} {blocks:>11} {gas:>12}", steps.len()));
        }
    }

    fn show_operations(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        printer.heading(text(Text::Operations));
        printer.line(&format!(
            "  {:<14} {:<16} {:<44} {:>10} {:>14} {:>14} {:>6} {:>8}  {}",
            text(Text::Operation), text(Text::Bond), text(Text::SellerBuyer), text(Text::Quantity), text(Text::Price),
            text(Text::Value), text(Text::Block), text(Text::Gas), text(Text::Transaction),
        ));
        for settled in &self.session.settled {
            let operation = &self.plan.operations[settled.operation];
            printer.line(&self.operation_line(operation, &self.session.done[settled.step]));
        }
        if let (Some(reason), Some(operation)) = (&self.session.refused, self.plan.operations.last()) {
            printer.line(&format!("  {} {}: {reason}", text(Text::Unfunded), operation.id));
            printer.line(&format!("  → {}", text(Text::NothingMoved)));
        }
    }

    fn operation_line(&self, operation: &Operation, done: &Done) -> String {
        let parties = format!("{} → {}", operation.seller.name(), operation.buyer.name());
        let hash = done.mined.hash.to_string();
        format!(
            "  {:<14} {:<16} {parties:<44} {:>10} {:>14} {:>14} {:>6} {:>8}  {}…",
            format!("{}/{}", operation.code, operation.id),
            self.asset_name(Asset::Bond(operation.bond)),
            hundredths(i128::from(operation.amount)),
            operation.price.to_string(),
            hundredths(i128::from(operation.value)),
            done.mined.block_number,
            done.mined.gas_used,
            &hash[..10],
        )
    }

    fn show_books(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        printer.heading(text(Text::Books));
        printer.line(&format!(
            "  {:<24} {:>18} {:>18} {:>12}  ✓",
            text(Text::Holder), "Real Digital R$", "Real Tokenizado R$", text(Text::Bonds)
        ));
        for party in PARTIES.map(Some).into_iter().chain([None]) {
            let of_party: Vec<&Compared> = self.compared.iter().filter(|one| one.party == party).collect();
            let sum = |is_counted: fn(&Asset) -> bool| -> i128 {
                of_party.iter().filter(|one| is_counted(&one.asset)).map(|one| one.books).sum()
            };
            let real = sum(|asset| matches!(asset, Asset::RealDigital));
            let tokens = sum(|asset| matches!(asset, Asset::RealTokenizado(_)));
            let bonds = sum(|asset| matches!(asset, Asset::Bond(_)));
            let mark = if of_party.iter().all(|one| one.agrees()) { "✓" } else { "✗" };
            let holder = party.map_or(text(Text::Supply), Party::name);
            let [real, tokens, bonds] = [real, tokens, bonds].map(hundredths);
            printer.line(&format!("  {holder:<24} {real:>18} {tokens:>18} {bonds:>12}  {mark}"));
        }
    }

    fn show_latency(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        let repeated = self.session.done.iter().filter(|done| done.latency.is_none()).count();
        let latencies = self.latencies();
        if let (Some(median), Some(worst)) = (percentile(&latencies, 50), percentile(&latencies, 99)) {
            let count = latencies.len();
            let (median, worst) = (median.as_millis(), worst.as_millis());
            printer.line(&format!(
                "\n{} {}: p50 {median} ms, p99 {worst} ms", count, text(Text::Transactions)
            ));
            printer.line(&format!("({}; {})", text(Text::Latency), text(Text::ClockNote)));
        }
        if repeated > 0 {
            printer.line(&format!("{repeated} {} {}", text(Text::Transactions), text(Text::GoneOn)));
        }
    }

    fn latencies(&self) -> Vec<Duration> {
        let mut latencies: Vec<Duration> = self.session.done.iter().filter_map(|done| done.latency).collect();
        latencies.sort_unstable();
        latencies
    }

    /// The whole report for machines. Amounts are strings.
    pub(crate) fn as_json(&self) -> Value {
        let latencies = self.latencies();
        let milliseconds = |percent| percentile(&latencies, percent).map(|latency| latency.as_millis().to_string());
        let stages: BTreeMap<&str, usize> =
            self.plan.stages.iter().map(|stage| (self.texts.title(stage.title), stage.steps.len())).collect();
        json!({
            "agrees": self.compared.iter().all(Compared::agrees),
            "differences": self.differences(),
            "stages": stages,
            "transactions": self.session.done.iter().map(step_json).collect::<Vec<Value>>(),
            "operations": self.session.settled.iter().map(|settled| {
                self.operation_json(&self.plan.operations[settled.operation], &self.session.done[settled.step])
            }).collect::<Vec<Value>>(),
            "refused": self.session.refused,
            "balances": self.compared.iter().map(|one| json!({
                "asset": self.asset_name(one.asset),
                "holder": one.party.map(Party::name),
                "books": hundredths(one.books),
                "ledger": i128::try_from(one.ledger).map_or_else(|_| one.ledger.to_string(), hundredths),
            })).collect::<Vec<Value>>(),
            "postings": self.session.books.postings(),
            "latencyMilliseconds": { "p50": milliseconds(50), "p99": milliseconds(99), "count": latencies.len() },
        })
    }

    fn operation_json(&self, operation: &Operation, done: &Done) -> Value {
        json!({
            "id": operation.id.to_string(),
            "code": operation.code,
            "bond": self.asset_name(Asset::Bond(operation.bond)),
            "isin": self.plan.bonds[operation.bond].isin.as_str(),
            "seller": operation.seller.name(),
            "buyer": operation.buyer.name(),
            "quantity": hundredths(i128::from(operation.amount)),
            "unitPrice": operation.price.to_string(),
            "value": hundredths(i128::from(operation.value)),
            "block": done.mined.block_number,
            "transaction": done.mined.hash.to_string(),
            "gasUsed": done.mined.gas_used,
        })
    }
}

fn step_json(done: &Done) -> Value {
    json!({
        "key": done.key,
        "subject": done.subject,
        "sender": done.party.name(),
        "block": done.mined.block_number,
        "transaction": done.mined.hash.to_string(),
        "gasUsed": done.mined.gas_used,
        "succeeded": done.mined.execution.is_success(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_keep_their_zeros_and_sign() {
        assert_eq!([0, 5, 100, -1_205].map(hundredths), ["0.00", "0.05", "1.00", "-12.05"]);
    }

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&sorted, 99), Some(Duration::from_millis(198)));
        assert_eq!((percentile(&[], 50), percentile(&sorted[..1], 99)), (None, Some(Duration::from_millis(1))));
    }
}
