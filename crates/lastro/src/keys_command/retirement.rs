//! `lastro keys retire` and `rotate`: a sender's key is used no more, and perhaps another in its place. Each step is in the store
//! before the next one, so that the same command goes on wherever it was interrupted.

use super::words::Succession;
use super::{Shelf, approval, parse, policy_of, read_passphrase};
use crate::cli::{KeysRetire, KeysRotate, Language, RetirementArguments};
use crate::doctor_command::catalogue::filled;
use crate::failure::{Failure, FailureKind};
use crate::journal_command::environment;
use crate::lane_command::drain::{Left, Waiting};
use crate::lane_command::retirement_json;
use crate::lane_store::{Looking, moment, reason_of, who_of};
use crate::printer::{Mark, Printer};
use crate::table::{Align, Table};
use alloy_primitives::Address;
use anyhow::anyhow;
use chain::{Chain, Consent, KeyRetirement, OperatorText, RetireError, RetirementOrder};
use custody::policy::{Approval, Policy};
use custody::{Custody, Purpose};
use serde_json::{Value, json};

/// What the command line says of the end of a key, read whole before anything is done.
struct Wish<'a> {
    arguments: &'a RetirementArguments,
    why: OperatorText,
    who: OperatorText,
    policy: Option<Policy>,
    approvals: Vec<Approval>,
}

/// The key that comes after another.
struct Successor {
    label: Option<String>,
    address: Address,
    is_made: bool,
}

/// Retires a key.
///
/// # Errors
/// [`Failure`] if the store, the policy or the node refuses, or something is open when the time is up.
pub(super) fn retire(arguments: &KeysRetire, printer: &Printer) -> Result<(), Failure> {
    let wish = Wish::of(&arguments.retirement)?;
    let successor = arguments.successor.map(|address| Successor { label: None, address, is_made: false });
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    runtime.block_on(async {
        let looking = Looking::open(&arguments.report.store).await?;
        wish.carry_out(looking, successor, arguments.report.lang, printer).await
    })
}

/// Retires a key in favour of another, which is made if it is not there.
///
/// # Errors
/// As with [`retire`]; or the successor is not one that sends transactions, or its passphrase does not open it.
pub(super) fn rotate(arguments: &KeysRotate, printer: &Printer) -> Result<(), Failure> {
    let wish = Wish::of(&arguments.retirement)?;
    let runtime = tokio::runtime::Runtime::new().map_err(environment)?;
    runtime.block_on(async {
        // A store that cannot be used leaves no key behind.
        let looking = Looking::open(&arguments.store).await?;
        let successor = match successor(arguments) {
            Ok(successor) => successor,
            Err(failure) => {
                looking.inspection.close().await;
                return Err(failure);
            }
        };
        wish.carry_out(looking, Some(successor), arguments.place.lang, printer).await
    })
}

/// The key of the label, tried by its passphrase so that nobody's place is taken by one that nobody can use; or a new one.
fn successor(arguments: &KeysRotate) -> Result<Successor, Failure> {
    let (label, passphrase) = (parse(&arguments.successor)?, read_passphrase(&arguments.passphrase)?);
    let (shelf, _) = Shelf::made(&arguments.place)?;
    let is_made = !shelf.list()?.iter().any(|key| key.label == label);
    let key = match is_made {
        true => shelf.create(&label, Purpose::Transactions, &passphrase)?,
        false => shelf.check(&label, &passphrase)?,
    };
    if key.purpose != Purpose::Transactions {
        let error = anyhow!("key `{label}` is for {}, and a sender's successor signs transactions", key.purpose);
        return Err(Failure::new(FailureKind::Usage, error).with_hint("name another key by `--successor`"));
    }
    Ok(Successor { label: Some(label.to_string()), address: key.address, is_made })
}

impl<'a> Wish<'a> {
    fn of(arguments: &'a RetirementArguments) -> Result<Self, Failure> {
        Ok(Self {
            arguments,
            why: reason_of(&arguments.reason)?,
            who: who_of(&arguments.who)?,
            policy: arguments.policy.as_deref().map(policy_of).transpose()?,
            approvals: arguments.approvals.iter().map(|file| approval::read(file)).collect::<Result<_, Failure>>()?,
        })
    }

    async fn carry_out(
        &self,
        looking: Looking,
        successor: Option<Successor>,
        lang: Language,
        printer: &Printer,
    ) -> Result<(), Failure> {
        if let Some(Successor { label: Some(label), address, is_made }) = &successor {
            let words = Succession::of(lang);
            let facts = [("label", label.clone()), ("address", address.to_string())];
            printer.line(&filled(if *is_made { words.made } else { words.taken }, &facts));
        }
        let chain = looking.chain(&self.arguments.ledger, |profile| Ok(Custody::new(profile.network()))).await?;
        let ended = self.step_by_step(&chain, successor.as_ref(), lang, printer).await;
        chain.close().await;
        let (retirement, left) = ended?;
        printer.json(&as_json(&retirement, successor.as_ref(), &left));
        judged(&retirement, &left, lang, printer)
    }

    /// Begins, waits, and finishes if nothing is open.
    async fn step_by_step(
        &self,
        chain: &Chain,
        successor: Option<&Successor>,
        lang: Language,
        printer: &Printer,
    ) -> Result<(KeyRetirement, Left), Failure> {
        let (sender, words) = (self.arguments.sender, Succession::of(lang));
        let mut waiting = Waiting::of(chain, sender, &self.arguments.ledger)?;
        let order = RetirementOrder {
            sender,
            successor: successor.map(|successor| successor.address),
            why: &self.why,
            who: &self.who,
            consent: self.policy.as_ref().map(|policy| Consent { policy, approvals: &self.approvals }),
        };
        let begun = chain.begin_retirement(&order).await.map_err(|error| self.failure(error, order.successor))?;
        if begun.paused.is_some() {
            printer.line(words.begun);
        } else {
            let KeyRetirement { who, reason, begun, .. } = &begun.retirement;
            let facts = [("who", who.clone()), ("reason", reason.clone()), ("since", moment(*begun))];
            printer.line(&filled(words.begun_before, &facts));
        }
        let left = waiting.until_drained(lang, printer).await?;
        if left.open_count > 0 {
            return Ok((begun.retirement, left));
        }
        let retired = chain.finish_retirement(sender).await.map_err(|error| self.failure(error, order.successor))?;
        Ok((retired, left))
    }

    fn failure(&self, error: RetireError, successor: Option<Address>) -> Failure {
        let sender = self.arguments.sender;
        let refused = |error: RetireError, hint: &str| Failure::new(FailureKind::Refused, error).with_hint(hint);
        match error {
            RetireError::NoSuchLane { .. } => {
                Failure::new(FailureKind::Usage, error).with_hint("`lastro lane list STORE` names those that it has")
            }
            RetireError::OwnSuccessor { .. } | RetireError::SuccessorRetired(_) => {
                Failure::new(FailureKind::Usage, error).with_hint("name another key by `--successor`")
            }
            RetireError::OtherPolicy { found: None, .. } => Failure::new(FailureKind::Usage, error)
                .with_hint("name the file of the key's policy by `--policy`, and two approvals by `--approval`"),
            RetireError::OtherPolicy { .. } => Failure::new(FailureKind::Usage, error)
                .with_hint("name the file of the policy that the key was used under last by `--policy`, if it has one"),
            RetireError::Refused { .. } => {
                let after = successor.map_or_else(String::new, |successor| format!(" --successor {successor}"));
                let ask = format!(
                    "two persons approve it, each by `lastro keys approve {sender}{after} --policy FILE --key LABEL …`; \
                     then repeat this with `--approval FILE` for each"
                );
                refused(error, &ask)
            }
            RetireError::PredecessorOpen(_) => refused(error, "repeat the command that began it"),
            RetireError::OtherSuccessor(ref stored) if stored.retired.is_some() => {
                refused(error, "it is final: retire its successor, if that one is not wanted")
            }
            RetireError::OtherSuccessor(_) => {
                refused(error, "go on with that one, or give it up with `lastro lane resume`")
            }
            RetireError::NotBegun { .. } | RetireError::Contended { .. } => {
                refused(error, "look at it with `lastro lane list`, and do it again")
            }
            RetireError::Open { .. } => Failure::new(FailureKind::Unknown, error).with_hint(GO_ON),
            RetireError::Store(_) => environment(error),
        }
    }
}

/// What to do where something is open.
const GO_ON: &str = "`lastro tx list STORE --open` names them; run it again, or give it up with `lastro lane resume`";

fn judged(retirement: &KeyRetirement, left: &Left, lang: Language, printer: &Printer) -> Result<(), Failure> {
    let words = Succession::of(lang);
    let Some(retired) = retirement.retired else {
        let count = left.open_count.to_string();
        printer.marked_line(Mark::Doubtful, words.not_retired, &filled(words.left_open, &[("count", count)]));
        let error = anyhow!("{left}; the key of {} is not retired yet", retirement.sender);
        return Err(Failure::new(FailureKind::Unknown, error).with_hint(GO_ON));
    };
    printer.marked_line(Mark::Good, words.retired, words.nothing_more);
    let successor = retirement.successor.map_or_else(|| words.no_successor.to_owned(), |one| one.to_string());
    let values =
        [retirement.sender.to_string(), moment(retired), retirement.who.clone(), retirement.reason.clone(), successor];
    let mut table = Table::new([(Align::Left, ""), (Align::Left, "")]);
    for (heading, value) in words.headings.into_iter().zip(values) {
        table.row([heading.to_owned(), value]);
    }
    // Its first line are the headings, which are empty.
    table.lines().iter().skip(1).for_each(|line| printer.line(line));
    printer.next_steps(words.left_to_do, &words.to_do.map(str::to_owned));
    Ok(())
}

fn as_json(retirement: &KeyRetirement, successor: Option<&Successor>, left: &Left) -> Value {
    let mut json = retirement_json(retirement);
    json["sender"] = json!(retirement.sender.to_string());
    json["successorLabel"] = json!(successor.and_then(|successor| successor.label.as_deref()));
    json["isSuccessorMade"] = json!(successor.is_some_and(|successor| successor.is_made));
    json["openCount"] = json!(left.open_count);
    json
}
