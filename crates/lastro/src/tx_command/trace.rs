//! `lastro tx trace`: what each node says of a transaction now, beside what the store says, and what that means. Sends nothing.

use super::detail::show_rows;
use super::words::Words;
use crate::cli::TxTrace;
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::lane_store::{Looking, key_of, unreachable, waited};
use crate::network_arguments::{node_access, patient};
use crate::printer::{Mark, Printer};
use alloy_primitives::B256;
use anyhow::anyhow;
use chain::doctor::Patient;
use chain::{NodeView, Rpc, Sight, TransactionDetail, UsedBy, Verdict, trace};
use serde_json::{Value, json};

/// The most nodes that are asked.
const NODES_MAX: usize = 16;

/// What a node said, or why not.
struct Asked {
    node: String,
    said: Result<(NodeView, Verdict), String>,
}

/// Asks every node.
///
/// # Errors
/// [`Failure`] if there is no such intent, no node answers, or one contradicts the store.
pub(super) async fn run(arguments: &TxTrace, printer: &Printer) -> Result<(), Failure> {
    let (key, words) = (key_of(&arguments.intent)?, Words::of(arguments.report.lang));
    if arguments.rpc.len() > NODES_MAX {
        let error = anyhow!("`--rpc` is given {} times, at most {NODES_MAX} are taken", arguments.rpc.len());
        return Err(Failure::new(FailureKind::Usage, error));
    }
    let access = node_access(&arguments.access)?;
    let nodes = arguments.rpc.iter().map(|url| patient(url, &access)).collect::<Result<Vec<Patient>, Failure>>()?;
    let looking = Looking::open(&arguments.report.store).await?;
    let (attempt, ledger) = (looking.newest(&key).await, (looking.inspection.chain_id(), looking.inspection.genesis()));
    looking.inspection.close().await;
    let attempt = attempt?;
    let mut asked = Vec::new();
    for node in nodes {
        asked.push(waited(printer, words.asking, ask(node, &attempt, ledger)).await);
    }
    let facts = [
        ("key", key.to_string()),
        ("state", words.state(attempt.state()).to_owned()),
        ("nonce", attempt.nonce.to_string()),
        ("sender", attempt.sender.to_string()),
        ("hash", attempt.hash.to_string()),
    ];
    printer.line(&filled(words.store_says, &facts));
    asked.iter().for_each(|one| one.show(&attempt, words, printer));
    let nodes: Vec<Value> = asked.iter().map(|one| one.to_json(attempt.nonce, words)).collect();
    printer.json(&json!({
        "key": key.to_string(),
        "attempt": attempt.attempt,
        "state": attempt.state().code(),
        "sender": attempt.sender.to_string(),
        "nonce": attempt.nonce,
        "hash": attempt.hash,
        "emptyHash": attempt.cancelling.as_ref().map(|cancelling| cancelling.hash),
        "nodes": nodes,
    }));
    judged(&asked)
}

async fn ask(node: Patient, attempt: &TransactionDetail, (chain_id, genesis): (u64, B256)) -> Asked {
    let said = trace(&Rpc::new(node.transport), attempt).await;
    let said = said.map(|view| {
        let verdict = view.verdict(attempt, chain_id, genesis);
        (view, verdict)
    });
    // The cause says which question was not answered, and how.
    Asked { node: node.name, said: said.map_err(|error| format!("{:#}", anyhow::Error::new(error))) }
}

fn judged(asked: &[Asked]) -> Result<(), Failure> {
    let verdicts: Vec<Verdict> = asked.iter().filter_map(|one| one.said.as_ref().ok()).map(|said| said.1).collect();
    if verdicts.is_empty() {
        return Err(unreachable(anyhow!("no node says where the transaction is")));
    }
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Contradicts | Verdict::OtherLedger)) {
        let error = anyhow!("a node and the store do not speak of the same ledger");
        return Err(Failure::new(FailureKind::Refused, error)
            .with_hint("`lastro doctor` compares nodes with each other; nothing was sent"));
    }
    Ok(())
}

impl Asked {
    fn show(&self, attempt: &TransactionDetail, words: &Words, printer: &Printer) {
        printer.heading(&self.node);
        let (view, verdict) = match &self.said {
            Ok((view, verdict)) => (view, *verdict),
            Err(error) => return printer.marked_line(Mark::Bad, words.silent, error),
        };
        let mut rows = vec![
            (words.head, view.head.to_string()),
            (words.sender_count, view.sender_count.to_string()),
            (words.transaction, sight_in_words(&view.original, words)),
        ];
        rows.extend(view.empty.as_ref().map(|sight| (words.empty_transaction, sight_in_words(sight, words))));
        match view.used_by {
            UsedBy::NoOther => {}
            UsedBy::Other { hash, block_number } => {
                rows.push((words.used_by, format!("{hash} · {} {block_number}", words.block)));
            }
            UsedBy::LongAgo => rows.push((words.used_by, words.used_long_ago.to_owned())),
        }
        show_rows(&rows, printer);
        printer.marked_line(mark(verdict), verdict.code(), &meaning(verdict, view, attempt.nonce, words));
    }

    fn to_json(&self, nonce: u64, words: &Words) -> Value {
        let (view, verdict) = match &self.said {
            Ok((view, verdict)) => (view, *verdict),
            Err(error) => return json!({ "node": self.node, "error": error }),
        };
        let used_by = match view.used_by {
            UsedBy::NoOther => Value::Null,
            UsedBy::Other { hash, block_number } => json!({ "hash": hash, "blockNumber": block_number }),
            UsedBy::LongAgo => json!({ "hash": null, "blockNumber": null }),
        };
        json!({
            "node": self.node,
            "error": null,
            "chainId": view.chain_id,
            "head": view.head,
            "senderCount": view.sender_count,
            "transaction": sight_json(&view.original),
            "emptyTransaction": view.empty.as_ref().map(sight_json),
            "usedBy": used_by,
            "verdict": verdict.code(),
            "meaning": meaning(verdict, view, nonce, words),
        })
    }
}

fn mark(verdict: Verdict) -> Mark {
    match verdict {
        Verdict::Agrees | Verdict::InPool => Mark::Good,
        Verdict::MinedNotStored | Verdict::CancelledNotStored | Verdict::NodeBehind => Mark::Plain,
        Verdict::WaitsForLower | Verdict::Lost | Verdict::LostBehindLower | Verdict::UsedLongAgo => Mark::Doubtful,
        Verdict::OtherLedger | Verdict::Contradicts | Verdict::DisplacedNotStored => Mark::Bad,
    }
}

/// What the verdict means, with the nonces that it speaks of.
fn meaning(verdict: Verdict, view: &NodeView, nonce: u64, words: &Words) -> String {
    filled(words.verdict(verdict), &[("nonce", nonce.to_string()), ("lowest", view.sender_count.to_string())])
}

fn sight_in_words(sight: &Sight, words: &Words) -> String {
    match sight {
        Sight::Nowhere => words.nowhere.to_owned(),
        Sight::InPool => words.in_pool.to_owned(),
        Sight::InBlock { number, hash, is_success, gas_used } => {
            let facts = [("number", number.to_string()), ("hash", hash.to_string()), ("gas", gas_used.to_string())];
            filled(if *is_success { words.in_block } else { words.in_block_reverted }, &facts)
        }
    }
}

fn sight_json(sight: &Sight) -> Value {
    match sight {
        Sight::Nowhere => json!({ "where": "nowhere" }),
        Sight::InPool => json!({ "where": "pool" }),
        Sight::InBlock { number, hash, is_success, gas_used } => json!({
            "where": "block", "blockNumber": number, "blockHash": hash, "succeeded": is_success, "gasUsed": gas_used,
        }),
    }
}
