//! `lastro tx …`: stored transactions, looked at, traced on nodes, sent again and cancelled.

mod detail;
mod send;
mod trace;
pub(crate) mod words;

use crate::cli::{TxCommand, TxList};
use crate::failure::Failure;
use crate::journal_command::environment;
use crate::lane_store::Looking;
use crate::printer::Printer;
use crate::table::{Align, Table};
use chain::{Listed, TransactionLine, Which};
use serde_json::{Value, json};
use words::Words;

/// Runs one of the commands.
pub(crate) fn run(command: &TxCommand, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    match command {
        TxCommand::List(arguments) => runtime.block_on(list(arguments, printer)),
        TxCommand::Show(arguments) => runtime.block_on(detail::show(arguments, printer)),
        TxCommand::Trace(arguments) => runtime.block_on(trace::run(arguments, printer)),
        TxCommand::Retry(arguments) => runtime.block_on(send::retry(arguments, printer)),
        TxCommand::Cancel(arguments) => runtime.block_on(send::cancel(arguments, printer)),
    }
}

async fn list(arguments: &TxList, printer: &Printer) -> Result<(), Failure> {
    let looking = Looking::open(&arguments.report.store).await?;
    let which = Which { is_open: arguments.open, sender: arguments.sender };
    let limit = usize::try_from(arguments.limit).map_err(environment)?;
    let listed = looking.inspection.transactions(which, limit).await.map_err(environment);
    looking.inspection.close().await;
    let (listed, words) = (listed?, Words::of(arguments.report.lang));
    show_lines(&listed, words, printer);
    let lines: Vec<Value> = listed.lines.iter().map(line_json).collect();
    printer.json(&json!({ "transactions": lines, "hasMore": listed.has_more }));
    Ok(())
}

fn show_lines(listed: &Listed<TransactionLine>, words: &Words, printer: &Printer) {
    if listed.lines.is_empty() {
        return printer.line(words.no_transactions);
    }
    let [key, attempt, state, sender, nonce, hash, block, subject] = words.columns;
    let mut table = Table::new([
        (Align::Left, key),
        (Align::Right, attempt),
        (Align::Left, state),
        (Align::Left, sender),
        (Align::Right, nonce),
        (Align::Left, hash),
        (Align::Right, block),
        (Align::Left, subject),
    ]);
    for line in &listed.lines {
        table.row([
            line.key.to_string(),
            line.attempt.to_string(),
            words.state(line.state).to_owned(),
            line.sender.to_string(),
            line.nonce.to_string(),
            line.hash.to_string(),
            line.block_number.map_or_else(|| "-".to_owned(), |number| number.to_string()),
            one_line(&line.subject),
        ]);
    }
    table.lines().iter().for_each(|line| printer.line(line));
    if listed.has_more {
        printer.line(words.has_more);
    }
}

/// What somebody else wrote, without what would break a line of a report or a terminal.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn line_json(line: &TransactionLine) -> Value {
    json!({
        "key": line.key.to_string(),
        "attempt": line.attempt,
        "state": line.state.code(),
        "sender": line.sender.to_string(),
        "nonce": line.nonce,
        "hash": line.hash,
        "blockNumber": line.block_number,
        "subject": line.subject,
        "signedMicroseconds": line.signed.map(messages::Timestamp::micros),
    })
}
