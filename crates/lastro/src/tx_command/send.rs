//! `lastro tx retry` and `lastro tx cancel`: stored bytes sent again, and an empty transaction in their place.

use super::detail::{outcome_in_words, outcome_json};
use super::words::Words;
use crate::cli::{Language, TxCancel, TxRetry};
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::environment;
use crate::keys_command::{Shelf, failure as key_failure, parse, policy_of, read_passphrase};
use crate::lane_store::{Looking, key_of, no_such_intent, reason_of, unreachable, waited, who_of};
use crate::printer::{Mark, Printer};
use anyhow::anyhow;
use chain::{
    CancelBegun, CancelError, Chain, IntentKey, LaneError, Outcome, OutcomeError, Profile, RetryError, SubmitError,
    TransactionDetail, Winner,
};
use custody::Custody;
use serde_json::{Value, json};
use std::time::Duration;

/// What to do where nobody knows how it ends.
const GO_ON: &str = "run it again, or `lastro tx trace`: what is stored stays the same, and nothing happens twice";

/// Sends stored bytes again.
///
/// # Errors
/// [`Failure`] if there are none, the node does not answer, the outcome is unknown, or it is no success.
pub(super) async fn retry(arguments: &TxRetry, printer: &Printer) -> Result<(), Failure> {
    let (key, lang) = (key_of(&arguments.intent)?, arguments.report.lang);
    let looking = Looking::open(&arguments.report.store).await?;
    let attempt = match looking.newest(&key).await {
        Ok(attempt) => attempt,
        Err(failure) => {
            looking.inspection.close().await;
            return Err(failure);
        }
    };
    if let Some(outcome) = &attempt.outcome {
        looking.inspection.close().await;
        printer.line(Words::of(lang).ended_before);
        let told = Told { attempt: &attempt, is_sent: false, outcome: Some(outcome), delivery: None };
        told.show(lang, printer);
        return judged(outcome);
    }
    let chain = looking.chain(&arguments.ledger, |profile| Ok(Custody::new(profile.network()))).await?;
    let wait = Duration::from_secs(arguments.ledger.wait);
    let retried = waited(printer, Words::of(lang).waiting, sent_again(&chain, &key, wait)).await;
    chain.close().await;
    let (delivery, outcome) = retried?;
    let delivery = delivery.as_ref().map(ToString::to_string);
    Told { attempt: &attempt, is_sent: true, outcome: outcome.as_ref(), delivery: delivery.as_deref() }
        .show(lang, printer);
    match &outcome {
        Some(outcome) => judged(outcome),
        None => Err(unknown(&key, delivery)),
    }
}

/// Sends the bytes again, and waits for the outcome: both in the time that is given. A delivery that leaves it open whether the
/// node has them does not end the wait.
async fn sent_again(
    chain: &Chain,
    key: &IntentKey,
    wait: Duration,
) -> Result<(Option<SubmitError>, Option<Outcome>), Failure> {
    let began = std::time::Instant::now();
    let delivery = match tokio::time::timeout(wait, chain.retry(key)).await {
        Err(_) => return Ok((None, None)),
        Ok(Ok(_)) => None,
        Ok(Err(RetryError::NoSuchIntent { key })) => return Err(no_such_intent(&key)),
        Ok(Err(error @ RetryError::Store { .. })) => return Err(environment(error)),
        Ok(Err(RetryError::Delivery(error))) => Some(error),
    };
    let outcome = outcome_within(chain, key, wait.saturating_sub(began.elapsed())).await?;
    Ok((delivery, outcome))
}

async fn outcome_within(chain: &Chain, key: &IntentKey, wait: Duration) -> Result<Option<Outcome>, Failure> {
    match chain.outcome(key, wait).await {
        Ok(outcome) => Ok(Some(outcome)),
        Err(OutcomeError::TimedOut { .. }) => Ok(None),
        Err(OutcomeError::NoSuchIntent { key }) => Err(no_such_intent(&key)),
        Err(error @ (OutcomeError::Logs { .. } | OutcomeError::Stopped { .. })) => {
            Err(Failure::new(FailureKind::Unknown, error).with_hint(GO_ON))
        }
        Err(error @ OutcomeError::Store { .. }) => Err(environment(error)),
    }
}

/// Has an empty transaction compete with the intent's.
///
/// # Errors
/// [`Failure`] if the intent has ended, its key is not there, the outcome is unknown, or the empty transaction did not win.
pub(super) async fn cancel(arguments: &TxCancel, printer: &Printer) -> Result<(), Failure> {
    let (key, words) = (key_of(&arguments.intent)?, Words::of(arguments.place.lang));
    let (why, who) = (reason_of(&arguments.reason)?, who_of(&arguments.who)?);
    let looking = Looking::open(&arguments.store).await?;
    let chain = looking.chain(&arguments.ledger, |profile| keys(arguments, profile)).await?;
    let wait = Duration::from_secs(arguments.ledger.wait);
    let cancelled = waited(printer, words.waiting, async {
        let began = std::time::Instant::now();
        let begun =
            chain.cancel(&key, &why, &who).await.map_err(|error| cancel_failure(error, arguments.place.lang))?;
        let outcome = outcome_within(&chain, &key, wait.saturating_sub(began.elapsed())).await?;
        Ok((begun, outcome))
    });
    let cancelled: Result<(CancelBegun, Option<Outcome>), Failure> = cancelled.await;
    chain.close().await;
    let (begun, outcome) = cancelled?;
    tell_cancelled(&begun, outcome.as_ref(), arguments.place.lang, printer)
}

/// The sender's key, as the command names it.
fn keys(arguments: &TxCancel, profile: &Profile) -> Result<Custody, Failure> {
    let (label, passphrase) = (parse(&arguments.label)?, read_passphrase(&arguments.passphrase)?);
    let store = Shelf::existing(&arguments.place)?.into_store();
    let mut custody = Custody::new(profile.network());
    let _ = custody.open_key(&store, &label, &passphrase).map_err(key_failure)?;
    if let Some(file) = &arguments.policy {
        custody.set_policy(&label, policy_of(file)?).map_err(|error| Failure::new(FailureKind::Usage, error))?;
    }
    Ok(custody)
}

fn tell_cancelled(
    begun: &CancelBegun,
    outcome: Option<&Outcome>,
    lang: Language,
    printer: &Printer,
) -> Result<(), Failure> {
    let words = Words::of(lang);
    let facts =
        [("nonce", begun.nonce.to_string()), ("hash", begun.hash.to_string()), ("empty", begun.empty_hash.to_string())];
    printer.line(&filled(if begun.is_repeated { words.cancelled_before } else { words.cancel_begun }, &facts));
    let winner = outcome.map(|outcome| begun.winner(outcome));
    let code = match winner {
        None => None,
        Some(Winner::Original(_)) => Some("original"),
        Some(Winner::Empty) => Some("empty"),
        Some(Winner::Foreign(_)) => Some("foreign"),
    };
    printer.json(&json!({
        "key": begun.key.to_string(),
        "nonce": begun.nonce,
        "hash": begun.hash,
        "emptyHash": begun.empty_hash,
        "reason": begun.reason,
        "isRepeated": begun.is_repeated,
        "winner": code,
        "outcome": outcome.map(|outcome| outcome_json(outcome, true, lang)),
    }));
    let refused = |error: anyhow::Error, hint: &str| Err(Failure::new(FailureKind::Refused, error).with_hint(hint));
    match (winner, outcome) {
        (Some(Winner::Empty), _) => {
            printer.marked_line(Mark::Good, words.state(chain::TransactionState::Refused), words.empty_won);
            Ok(())
        }
        (Some(Winner::Original(_)), Some(outcome)) => {
            printer.marked_line(Mark::Bad, words.not_cancelled, &outcome_in_words(outcome, lang));
            refused(
                anyhow!("the original transaction of intent `{}` won over the empty one", begun.key),
                "what it did is on the ledger, and is undone by another intent alone",
            )
        }
        (Some(Winner::Foreign(reason)), _) => {
            printer.marked_line(Mark::Bad, words.state(chain::TransactionState::Refused), reason);
            refused(
                anyhow!("somebody else's transaction used the nonce of intent `{}`: {reason}", begun.key),
                "find out who else has the sender's key",
            )
        }
        (Some(Winner::Original(_)) | None, _) => {
            Err(unknown(&begun.key, begun.delivery.as_ref().err().map(ToString::to_string)))
        }
    }
}

fn cancel_failure(error: CancelError, lang: Language) -> Failure {
    let usage = |error: CancelError, hint: &str| Failure::new(FailureKind::Usage, error).with_hint(hint);
    match error {
        CancelError::NoSuchIntent { key } => no_such_intent(&key),
        CancelError::Ended { ref outcome, .. } => {
            let hint = format!("{}: {}", Words::of(lang).ended_before, outcome_in_words(outcome, lang));
            Failure::new(FailureKind::Refused, error).with_hint(hint)
        }
        CancelError::NoKey { .. } => {
            usage(error, "name the sender's own key by `--key`: `lastro keys list` shows whose each is")
        }
        CancelError::Lane { source: LaneError::Node { .. }, .. } => unreachable(error),
        CancelError::Lane { source: LaneError::OtherPolicy { .. }, .. } => {
            usage(error, "name the file of the key's policy by `--policy`")
        }
        CancelError::Lane { source: LaneError::Retired { .. }, .. } => Failure::new(FailureKind::Refused, error),
        CancelError::Lane { .. } | CancelError::LaneLost { .. } => {
            environment(error).with_hint("stop the process that holds the lane, then repeat")
        }
        CancelError::NotStored { .. } => Failure::new(FailureKind::Refused, error),
        CancelError::Store { .. } => environment(error),
    }
}

/// What came of sending again.
struct Told<'a> {
    attempt: &'a TransactionDetail,
    is_sent: bool,
    outcome: Option<&'a Outcome>,
    /// What the node said, if it is not known to have the bytes.
    delivery: Option<&'a str>,
}

impl Told<'_> {
    fn show(&self, lang: Language, printer: &Printer) {
        let words = Words::of(lang);
        if self.is_sent {
            let hash = self.attempt.cancelling.as_ref().map_or(self.attempt.hash, |cancelling| cancelling.hash);
            let facts = [("nonce", self.attempt.nonce.to_string()), ("hash", hash.to_string())];
            printer.line(&filled(words.sent_again_now, &facts));
        }
        match self.outcome {
            Some(outcome) => {
                let (mark, state) = marked(outcome);
                printer.marked_line(mark, words.state(state), &outcome_in_words(outcome, lang));
            }
            None => printer.marked_line(Mark::Doubtful, words.state(self.attempt.state()), words.no_outcome),
        }
        printer.json(&self.to_json(lang));
    }

    fn to_json(&self, lang: Language) -> Value {
        json!({
            "key": self.attempt.key.to_string(),
            "attempt": self.attempt.attempt,
            "sender": self.attempt.sender.to_string(),
            "nonce": self.attempt.nonce,
            "hash": self.attempt.hash,
            "isSent": self.is_sent,
            "delivery": self.delivery,
            "outcome": self.outcome.map(|outcome| outcome_json(outcome, true, lang)),
        })
    }
}

fn marked(outcome: &Outcome) -> (Mark, chain::TransactionState) {
    match outcome {
        Outcome::Mined(mined) if mined.execution.is_success() => (Mark::Good, chain::TransactionState::Succeeded),
        Outcome::Mined(_) => (Mark::Bad, chain::TransactionState::Reverted),
        Outcome::Refused(_) => (Mark::Bad, chain::TransactionState::Refused),
    }
}

/// An outcome that is no success is a result, and decides the exit code.
fn judged(outcome: &Outcome) -> Result<(), Failure> {
    let (what, hint) = match outcome {
        Outcome::Mined(mined) if mined.execution.is_success() => return Ok(()),
        Outcome::Mined(_) => {
            ("the transaction is mined, and reverted", "its key is used up: submit what is right under another")
        }
        Outcome::Refused(_) => {
            ("the intent is refused, and has no effect", "its key is free: it may be submitted anew")
        }
    };
    Err(Failure::new(FailureKind::Refused, anyhow!(what)).with_hint(hint))
}

fn unknown(key: &IntentKey, delivery: Option<String>) -> Failure {
    let error = anyhow!("intent `{key}` has no outcome yet");
    let error = match delivery {
        Some(said) => anyhow!(said).context(error),
        None => error,
    };
    Failure::new(FailureKind::Unknown, error).with_hint(GO_ON)
}
