//! What the demonstration shows at its end: for people as tables, for machines as JSON.

use super::books::{Asset, hundredths};
use super::parties::{PARTIES, Party};
use super::plan::{Operation, Plan, Stage};
use super::reconcile::Compared;
use super::session::{Done, Session};
use super::texts::{Text, Texts};
use crate::printer::Printer;
use crate::table::{Align, Table};
use serde_json::{Value, json};
use std::time::Duration;

/// Characters of a transaction's hash in a table: enough to find it in the JSON report.
const HASH_CHARACTERS: usize = 10;

/// Everything that is shown.
pub(crate) struct Report<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) session: &'a Session,
    pub(crate) compared: &'a [Compared],
    pub(crate) texts: Texts,
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
        let text = self.texts.text(Text::DiffersHere);
        text.replace("{holder}", self.holder(one.party))
            .replace("{asset}", &self.plan.asset_name(one.asset))
            .replace("{books}", &hundredths(one.books))
            .replace("{ledger}", &on_ledger(one))
    }

    fn holder(&self, party: Option<Party>) -> &'static str {
        party.map_or(self.texts.text(Text::Supply), Party::name)
    }

    /// Stages with what came of their steps; a stage that was not played to its end has fewer.
    fn stages(&self) -> Vec<(&Stage, &[Done])> {
        let mut rest = self.session.done.as_slice();
        let stages = self.plan.stages.iter().map(|stage| {
            let (done, after) = rest.split_at(stage.steps.len().min(rest.len()));
            rest = after;
            (stage, done)
        });
        stages.collect()
    }

    /// Prints the tables.
    pub(crate) fn show(&self, printer: &Printer) {
        let parts = [
            (Text::WhatHappened, self.stage_table()),
            (Text::Operations, self.operation_table()),
            (Text::Books, self.book_table()),
        ];
        for (heading, table) in parts {
            printer.heading(self.texts.text(heading));
            table.lines().iter().for_each(|line| printer.line(&format!("  {line}")));
            if heading == Text::Operations {
                self.show_refused(printer);
            }
        }
        self.show_latency(printer);
    }

    fn stage_table(&self) -> Table {
        let text = |text| self.texts.text(text);
        let mut table = Table::new([
            (Align::Left, text(Text::Step)),
            (Align::Right, text(Text::Transactions)),
            (Align::Right, text(Text::Blocks)),
            (Align::Right, text(Text::Gas)),
        ]);
        for (stage, done) in self.stages() {
            let blocks = match block_range(done) {
                None => "-".to_owned(),
                Some((first, last)) if first == last => first.to_string(),
                Some((first, last)) => format!("{first}–{last}"),
            };
            let title = self.texts.title(stage.title).to_owned();
            table.row([title, done.len().to_string(), blocks, gas_used(done).to_string()]);
        }
        table
    }

    fn operation_table(&self) -> Table {
        let text = |text| self.texts.text(text);
        let mut table = Table::new([
            (Align::Left, text(Text::Operation)),
            (Align::Left, text(Text::Bond)),
            (Align::Left, text(Text::SellerBuyer)),
            (Align::Right, text(Text::Quantity)),
            (Align::Right, text(Text::Price)),
            (Align::Right, text(Text::Value)),
            (Align::Right, text(Text::Block)),
            (Align::Right, text(Text::Gas)),
            (Align::Left, text(Text::Transaction)),
        ]);
        for settled in &self.session.settled {
            let (operation, done) = (&self.plan.operations[settled.operation], &self.session.done[settled.step]);
            let hash = done.mined.hash.to_string();
            table.row([
                numbered(operation),
                self.plan.asset_name(Asset::Bond(operation.bond)),
                format!("{} → {}", operation.seller.name(), operation.buyer.name()),
                hundredths(i128::from(operation.amount)),
                operation.price.to_string(),
                hundredths(i128::from(operation.value)),
                done.mined.block_number.to_string(),
                done.mined.gas_used.to_string(),
                format!("{}…", &hash[..HASH_CHARACTERS]),
            ]);
        }
        table
    }

    fn show_refused(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        let Some(revert) = &self.session.refused else { return };
        let operation = self.plan.operations.last().map(numbered).unwrap_or_default();
        printer.line(&format!("  {operation}  {}, {}:", text(Text::Unfunded), text(Text::NothingMoved)));
        printer.line(&format!("    {}", revert.explain(self.texts.0.into())));
        printer.line(&format!("    {revert}"));
    }

    fn book_table(&self) -> Table {
        let text = |text| self.texts.text(text);
        let mut table = Table::new([
            (Align::Left, text(Text::Holder)),
            (Align::Right, "Real Digital R$"),
            (Align::Right, "Real Tokenizado R$"),
            (Align::Right, text(Text::Bonds)),
            (Align::Left, ""),
        ]);
        for party in PARTIES.map(Some).into_iter().chain([None]) {
            let of_party: Vec<&Compared> = self.compared.iter().filter(|one| one.party == party).collect();
            let sum = |is_counted: fn(&Asset) -> bool| -> String {
                hundredths(of_party.iter().filter(|one| is_counted(&one.asset)).map(|one| one.books).sum())
            };
            table.row([
                self.holder(party).to_owned(),
                sum(|asset| matches!(asset, Asset::RealDigital)),
                sum(|asset| matches!(asset, Asset::RealTokenizado(_))),
                sum(|asset| matches!(asset, Asset::Bond(_))),
                if of_party.iter().all(|one| one.agrees()) { "✓" } else { "✗" }.to_owned(),
            ]);
        }
        table
    }

    fn show_latency(&self, printer: &Printer) {
        let text = |text| self.texts.text(text);
        let transactions = text(Text::Transactions);
        let latencies = self.latencies();
        printer.line("");
        if let (Some(median), Some(worst)) = (percentile(&latencies, 50), percentile(&latencies, 99)) {
            let (count, median, worst) = (latencies.len(), median.as_millis(), worst.as_millis());
            printer.line(&format!("{count} {transactions}, {}: p50 {median} ms, p99 {worst} ms", text(Text::Latency)));
        }
        let repeated = self.session.done.len() - latencies.len();
        if repeated > 0 {
            printer.line(&format!("{repeated} {transactions} {}", text(Text::GoneOn)));
        }
        printer.line(&format!("({})", text(Text::ClockNote)));
    }

    /// How long each transaction took that this run sent, ascending.
    fn latencies(&self) -> Vec<Duration> {
        let mut latencies: Vec<Duration> = self.session.done.iter().filter_map(|done| done.latency).collect();
        latencies.sort_unstable();
        latencies
    }

    /// The whole report for machines. Amounts are strings.
    pub(crate) fn as_json(&self) -> Value {
        let latencies = self.latencies();
        let milliseconds =
            |percent| percentile(&latencies, percent).and_then(|one| u64::try_from(one.as_millis()).ok());
        let operations = self.session.settled.iter().map(|settled| {
            self.operation_json(&self.plan.operations[settled.operation], &self.session.done[settled.step])
        });
        json!({
            "agrees": self.compared.iter().all(Compared::agrees),
            "differences": self.differences(),
            "stages": self.stages().into_iter().map(|(stage, done)| self.stage_json(stage, done)).collect::<Vec<Value>>(),
            "transactions": self.session.done.iter().map(step_json).collect::<Vec<Value>>(),
            "operations": operations.collect::<Vec<Value>>(),
            "refused": self.session.refused.as_ref().map(ToString::to_string),
            "refusedInWords": self.session.refused.as_ref().map(|revert| revert.explain(self.texts.0.into())),
            "balances": self.compared.iter().map(|one| json!({
                "asset": self.plan.asset_name(one.asset),
                "holder": one.party.map(Party::name),
                "books": hundredths(one.books),
                "ledger": on_ledger(one),
            })).collect::<Vec<Value>>(),
            "postings": self.session.books.postings(),
            "latencyMilliseconds": { "p50": milliseconds(50), "p99": milliseconds(99), "count": latencies.len() },
        })
    }

    fn stage_json(&self, stage: &Stage, done: &[Done]) -> Value {
        let blocks = block_range(done);
        json!({
            "stage": stage.title.code(),
            "title": self.texts.title(stage.title),
            "transactions": done.len(),
            "firstBlock": blocks.map(|(first, _)| first),
            "lastBlock": blocks.map(|(_, last)| last),
            "gasUsed": gas_used(done),
        })
    }

    fn operation_json(&self, operation: &Operation, done: &Done) -> Value {
        json!({
            "id": operation.id.to_string(),
            "code": operation.code,
            "bond": self.plan.asset_name(Asset::Bond(operation.bond)),
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

/// The ledger's figure of a comparison; more than any books could hold is shown in units.
fn on_ledger(one: &Compared) -> String {
    i128::try_from(one.ledger).map_or_else(|_| one.ledger.to_string(), hundredths)
}

/// An operation as the market names it: its code and its number.
fn numbered(operation: &Operation) -> String {
    format!("{}/{}", operation.code, operation.id)
}

/// First and last block of what was done.
fn block_range(done: &[Done]) -> Option<(u64, u64)> {
    let blocks = || done.iter().map(|step| step.mined.block_number);
    blocks().min().zip(blocks().max())
}

fn gas_used(done: &[Done]) -> u64 {
    done.iter().map(|step| step.mined.gas_used).sum()
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
        "isRepeated": done.latency.is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let sorted: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Some(Duration::from_millis(100)));
        assert_eq!(percentile(&sorted, 99), Some(Duration::from_millis(198)));
        assert_eq!((percentile(&[], 50), percentile(&sorted[..1], 99)), (None, Some(Duration::from_millis(1))));
    }
}
