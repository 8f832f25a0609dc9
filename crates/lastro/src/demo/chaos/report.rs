//! What was survived, for people as tables, for machines as JSON.

use super::check::Checked;
use super::texts::{Text, fault};
use super::{Outcome, Tally, again};
use crate::cli::{Demo, Language};
use crate::dispatch::CHAIN_FILE;
use crate::own_ledger::program;
use crate::printer::Printer;
use crate::table::{Align, Table};
use fault_proxy::FaultKind;
use serde_json::{Value, json};

/// Shows it.
pub(super) fn show(outcome: &Outcome<'_>, checked: &Checked, arguments: &Demo, printer: &Printer) {
    let text = |text: Text| text.in_language(arguments.lang);
    printer.heading(&text(Text::Survived).replace("{seed}", &outcome.seed.to_string()));
    show_rows(&survived(outcome, arguments.lang), printer);
    printer.heading(text(Text::Same));
    let mut table = Table::new([(Align::Right, ""), (Align::Left, ""), (Align::Left, "")]);
    for (count, line) in [
        (checked.transactions, Text::SameCount),
        (checked.balances as u64, Text::SameBooks),
        (checked.balances as u64, Text::SameLedger),
        (checked.events, Text::Verified),
    ] {
        let mark = if checked.agrees_on(line) { "✓" } else { "✗" };
        table.row([count.to_string(), text(line).to_owned(), mark.to_owned()]);
    }
    show_rows(&table, printer);
    printer.json(&as_json(outcome, checked));
    if checked.differences().is_empty() {
        printer.done(&format!("\n✓ {}", text(Text::Done)));
        let (program, directory) = (program(), outcome.directory.display());
        let commands = [
            again(arguments, outcome.directory),
            format!("{program} journal verify --state {directory}"),
            format!("{program} journal verify --state {directory}/{CHAIN_FILE}"),
        ];
        printer.next_steps(text(Text::Next), &commands);
    }
}

/// The rows of a table without headings.
fn show_rows(table: &Table, printer: &Printer) {
    table.lines().iter().skip(1).for_each(|line| printer.line(&format!("  {line}")));
}

fn survived(outcome: &Outcome<'_>, language: Language) -> Table {
    let mut table = Table::new([(Align::Right, ""), (Align::Left, "")]);
    let Tally { platform_kills, ledger_kills, both_kills, give_ups } = outcome.tally;
    for (count, line) in [
        (u64::from(platform_kills), Text::PlatformKilled),
        (u64::from(ledger_kills), Text::LedgerKilled),
        (u64::from(both_kills), Text::BothKilled),
        (u64::from(give_ups), Text::GaveUp),
        (outcome.survived.requests, Text::Requests),
        (outcome.survived.faults(), Text::Faulty),
    ] {
        table.row([count.to_string(), line.in_language(language).to_owned()]);
    }
    for kind in FaultKind::ALL {
        table.row([outcome.survived.of(kind).to_string(), format!("  {}", fault(kind, language))]);
    }
    table
}

fn as_json(outcome: &Outcome<'_>, checked: &Checked) -> Value {
    let faults: serde_json::Map<String, Value> =
        FaultKind::ALL.iter().map(|kind| (kind.code().to_owned(), json!(outcome.survived.of(*kind)))).collect();
    json!({
        "seed": outcome.seed,
        "agrees": checked.differences().is_empty(),
        "differences": checked.differences(),
        "kills": {
            "platform": outcome.tally.platform_kills,
            "ledger": outcome.tally.ledger_kills,
            "both": outcome.tally.both_kills,
        },
        "startedAgain": outcome.tally.give_ups,
        "requests": outcome.survived.requests,
        "faults": faults,
        "transactions": checked.transactions,
        "balances": outcome.report["balances"],
        "events": checked.events,
        "seconds": outcome.took.as_secs(),
        "dataDir": outcome.directory.display().to_string(),
    })
}
