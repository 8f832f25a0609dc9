//! `lastro tx show`: every attempt at an intent with all that is stored of it, what the log tells, and outcomes in words.

use super::one_line;
use super::words::Words;
use crate::cli::{Language, TxShow};
use crate::doctor_command::catalogue::filled;
use crate::failure::Failure;
use crate::journal_command::environment;
use crate::lane_store::{Looking, key_of, moment, no_such_intent};
use crate::printer::Printer;
use crate::table::{Align, Table};
use alloy_primitives::Address;
use chain::{Execution, Inspection, IntentKey, LogLine, Mined, Outcome, Told, TransactionDetail};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// All that is known here of a key.
struct Known {
    attempts: Vec<TransactionDetail>,
    has_more: bool,
    told: Vec<LogLine>,
}

/// Shows what is stored of a key.
///
/// # Errors
/// [`Failure`] if there is nothing, or the store cannot be read.
pub(super) async fn show(arguments: &TxShow, printer: &Printer) -> Result<(), Failure> {
    let key = key_of(&arguments.intent)?;
    let looking = Looking::open(&arguments.report.store).await?;
    let known = Known::read(&looking.inspection, &key).await;
    looking.inspection.close().await;
    let (known, lang) = (known?, arguments.report.lang);
    known.show(lang, printer);
    let attempts: Vec<Value> = known.attempts.iter().map(|attempt| attempt_json(attempt, lang)).collect();
    let log: Vec<Value> = known.told.iter().map(told_json).collect();
    printer.json(&json!({ "key": key.to_string(), "attempts": attempts, "hasMore": known.has_more, "log": log }));
    Ok(())
}

impl Known {
    async fn read(inspection: &Inspection, key: &IntentKey) -> Result<Self, Failure> {
        let listed = inspection.attempts(key).await.map_err(environment)?;
        if listed.lines.is_empty() {
            return Err(no_such_intent(key));
        }
        // Another sender may have used the key after a refusal.
        let senders: BTreeSet<Address> = listed.lines.iter().map(|attempt| attempt.sender).collect();
        let mut told = Vec::new();
        for sender in senders {
            told.extend(inspection.told(sender, key).await.map_err(environment)?);
        }
        told.sort_by_key(|line| line.at);
        Ok(Self { attempts: listed.lines, has_more: listed.has_more, told })
    }

    fn show(&self, lang: Language, printer: &Printer) {
        let words = Words::of(lang);
        for attempt in &self.attempts {
            let number = [("number", attempt.attempt.to_string()), ("key", attempt.key.to_string())];
            printer.heading(&filled(words.attempt, &number));
            show_rows(&rows_of(attempt, lang), printer);
        }
        if self.has_more {
            printer.line(words.more_attempts);
        }
        printer.heading(words.log);
        let mut table = Table::new([(Align::Left, ""), (Align::Right, ""), (Align::Left, "")]);
        for line in &self.told {
            let attempt = if line.attempt == 0 { "-".to_owned() } else { line.attempt.to_string() };
            table.row([moment(line.at), attempt, told_in_words(&line.what, words)]);
        }
        // Its first line are the headings, which are empty.
        table.lines().iter().skip(1).for_each(|line| printer.line(&format!("  {line}")));
    }
}

/// Shows names and values.
pub(super) fn show_rows(rows: &[(&'static str, String)], printer: &Printer) {
    let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
    for (name, value) in rows {
        table.row([(*name).to_owned(), value.clone()]);
    }
    table.lines().iter().skip(1).for_each(|line| printer.line(&format!("  {line}")));
}

fn rows_of(attempt: &TransactionDetail, lang: Language) -> Vec<(&'static str, String)> {
    let words = Words::of(lang);
    let [_, _, state, sender, nonce, hash, _, subject] = words.columns;
    let mut rows = vec![
        (state, words.state(attempt.state()).to_owned()),
        (subject, one_line(&attempt.subject)),
        (sender, attempt.sender.to_string()),
        (nonce, attempt.nonce.to_string()),
        (hash, attempt.hash.to_string()),
        (words.signed, attempt.signed.map_or_else(|| "-".to_owned(), moment)),
        (words.bytes, attempt.raw.len().to_string()),
        (words.fingerprint, attempt.fingerprint.to_string()),
        (words.sent_again, words.yes_or_no(attempt.is_sent_again).to_owned()),
    ];
    rows.extend(attempt.earlier_hashes.iter().map(|hash| (words.cheaper_before, hash.to_string())));
    if let Some(created) = attempt.created_address {
        rows.push((words.creates, created.to_string()));
    }
    if let Some(cancelling) = &attempt.cancelling {
        rows.push((words.cancelled_because, one_line(&cancelling.reason)));
        rows.push((words.empty_transaction, cancelling.hash.to_string()));
    }
    match &attempt.outcome {
        None => {}
        Some(Outcome::Refused(refusal)) => rows.push((words.reason, one_line(&refusal.reason))),
        Some(Outcome::Mined(mined)) => rows.extend(mined_rows(mined, attempt.has_logs, lang)),
    }
    rows
}

fn mined_rows(mined: &Mined, has_logs: bool, lang: Language) -> Vec<(&'static str, String)> {
    let words = Words::of(lang);
    let place = format!("{} {} · {}", mined.block_number, mined.block_hash, mined.transaction_index);
    let logs = if has_logs { mined.logs.len().to_string() } else { words.logs_elsewhere.to_owned() };
    let mut rows = vec![(words.block, place), (words.gas_used, mined.gas_used.to_string()), (words.logs, logs)];
    rows.extend(revert_in_words(&mined.execution, lang).map(|reason| (words.reason, reason)));
    rows
}

/// Why a mined transaction changed nothing; `None` if it did what it was to do.
pub(super) fn revert_in_words(execution: &Execution, lang: Language) -> Option<String> {
    match execution {
        Execution::Succeeded => None,
        Execution::Reverted { data: None } => Some(Words::of(lang).no_reason_kept.to_owned()),
        Execution::Reverted { data: Some(data) } => {
            let revert = bindings::revert::decode(data);
            Some(one_line(&format!("{} ({revert})", revert.explain(lang.into()))))
        }
    }
}

/// How an intent ended, in one sentence.
pub(super) fn outcome_in_words(outcome: &Outcome, lang: Language) -> String {
    let words = Words::of(lang);
    match outcome {
        Outcome::Refused(refusal) => filled(words.ended_refused, &[("reason", one_line(&refusal.reason))]),
        Outcome::Mined(mined) => {
            let number = ("number", mined.block_number.to_string());
            match revert_in_words(&mined.execution, lang) {
                None => filled(words.ended_succeeded, &[number]),
                Some(reason) => filled(words.ended_reverted, &[number, ("reason", reason)]),
            }
        }
    }
}

fn told_in_words(told: &Told, words: &Words) -> String {
    match told {
        Told::PolicyRefused { code, reason } => {
            filled(words.told_policy, &[("code", code.clone()), ("reason", one_line(reason))])
        }
        Told::Approved { count } => filled(words.told_approved, &[("count", count.to_string())]),
        Told::Signed => words.told_signed.to_owned(),
        Told::Repriced { hash } => filled(words.told_repriced, &[("hash", one_line(hash))]),
        Told::Cancelling { reason } => filled(words.told_cancelling, &[("reason", one_line(reason))]),
        Told::Mined { block_number, is_success } => {
            let text = if *is_success { words.told_succeeded } else { words.told_reverted };
            filled(text, &[("number", block_number.to_string())])
        }
        Told::Refused { reason } => filled(words.told_refused, &[("reason", one_line(reason))]),
    }
}

fn told_json(line: &LogLine) -> Value {
    let (event, reason) = match &line.what {
        Told::PolicyRefused { reason, .. } => ("policy_refused", Some(reason)),
        Told::Approved { .. } => ("approved", None),
        Told::Signed => ("signed", None),
        Told::Repriced { .. } => ("repriced", None),
        Told::Cancelling { reason } => ("cancelling", Some(reason)),
        Told::Mined { is_success: true, .. } => ("succeeded", None),
        Told::Mined { is_success: false, .. } => ("reverted", None),
        Told::Refused { reason } => ("refused", Some(reason)),
    };
    json!({
        "atMicroseconds": line.at.micros(),
        "attempt": (line.attempt > 0).then_some(line.attempt),
        "event": event,
        "reason": reason,
    })
}

fn attempt_json(attempt: &TransactionDetail, lang: Language) -> Value {
    let cancelling = attempt.cancelling.as_ref().map(
        |cancelling| json!({ "reason": cancelling.reason, "hash": cancelling.hash, "rawTransaction": cancelling.raw }),
    );
    json!({
        "attempt": attempt.attempt,
        "state": attempt.state().code(),
        "subject": attempt.subject,
        "sender": attempt.sender.to_string(),
        "nonce": attempt.nonce,
        "hash": attempt.hash,
        "earlierHashes": attempt.earlier_hashes,
        "rawTransaction": attempt.raw,
        "fingerprint": attempt.fingerprint,
        "signedMicroseconds": attempt.signed.map(messages::Timestamp::micros),
        "isSentAgain": attempt.is_sent_again,
        "createdAddress": attempt.created_address.map(|address| address.to_string()),
        "cancelling": cancelling,
        "outcome": attempt.outcome.as_ref().map(|outcome| outcome_json(outcome, attempt.has_logs, lang)),
    })
}

/// How an intent ended, for machines. Logs are null where only the ledger has them.
pub(super) fn outcome_json(outcome: &Outcome, has_logs: bool, lang: Language) -> Value {
    match outcome {
        Outcome::Refused(refusal) => json!({ "kind": "refused", "reason": refusal.reason }),
        Outcome::Mined(mined) => json!({
            "kind": if mined.execution.is_success() { "succeeded" } else { "reverted" },
            "hash": mined.hash,
            "blockNumber": mined.block_number,
            "blockHash": mined.block_hash,
            "transactionIndex": mined.transaction_index,
            "gasUsed": mined.gas_used,
            "createdAddress": mined.created_address.map(|address| address.to_string()),
            "revertData": mined.execution.revert_data(),
            "reasonInWords": revert_in_words(&mined.execution, lang),
            "logs": has_logs.then(|| mined.logs.iter().map(log_json).collect::<Vec<Value>>()),
        }),
    }
}

fn log_json(log: &alloy_primitives::Log) -> Value {
    json!({ "address": log.address.to_string(), "topics": log.topics(), "data": log.data.data })
}
