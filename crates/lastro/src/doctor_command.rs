//! `lastro doctor`: looks at nodes and names every trap of Besu that can be seen from outside, with its evidence and its cure.
//!
//! What is looked at and how it is judged is `chain`'s; here are the words, in two languages, and the exit code.

pub(crate) mod catalogue;
mod report;

use crate::cli::{Doctor, FailOn};
use crate::failure::{Failure, FailureKind};
use crate::network_arguments::{check_nodes, node_access, now_seconds, patient, profile};
use crate::printer::Printer;
use catalogue::{Words, filled};
use chain::doctor::{self, Examination, NODES_MAX, Patient, Progress, SENDERS_MAX, Severity, Trap, WATCH_MAX};
use report::Report;
use std::time::Duration;

/// How many codes a hint names.
const CODES_NAMED_MAX: usize = 5;

/// Looks at all nodes, and says what was found.
pub(crate) fn run(arguments: &Doctor, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
    runtime.block_on(examine(arguments, printer))
}

async fn examine(arguments: &Doctor, printer: &Printer) -> Result<(), Failure> {
    check_counts(arguments)?;
    let words = Words(arguments.lang);
    let profile = profile(&arguments.profile)?;
    let access = node_access(&arguments.access)?;
    let patients: Vec<Patient> = arguments.rpc.iter().map(|url| patient(url, &access)).collect::<Result<_, _>>()?;
    check_nodes(&patients)?;
    let examination = Examination {
        profile: profile.clone(),
        senders: arguments.senders.clone(),
        watch: arguments.watch.map(Duration::from_secs),
        now_seconds,
    };
    let line = printer.progress_line();
    let on_progress = |progress: Progress| {
        let (node, nodes) = ((progress.node + 1).to_string(), progress.nodes.to_string());
        let check = words.check(progress.check).to_owned();
        line.show(&filled(words.text(|texts| &texts.looking), &[("node", node), ("nodes", nodes), ("check", check)]));
    };
    let observations = doctor::examine(&patients, &examination, on_progress).await;
    printer.progress_end();
    let findings = doctor::judge(&observations, profile.as_ref());
    let name = profile.as_ref().map(|profile| profile.name.as_str());
    let accepted = &arguments.accept;
    let report = Report { observations: &observations, findings: &findings, profile: name, accepted, words };
    report.show(printer);
    printer.json(&report.to_json());
    let with = |trap: Trap| findings.iter().filter(|finding| finding.trap() == Some(trap)).count();
    let turned_away = with(Trap::NodeTurnsAway);
    if turned_away + with(Trap::NodeUnreachable) == observations.len() {
        return Err(no_node(turned_away));
    }
    verdict(&report, arguments.fail_on)
}

/// That no node could be examined, and what to do: those that refuse are running.
fn no_node(turned_away: usize) -> Failure {
    let (error, hint) = match turned_away {
        0 => (anyhow::anyhow!("no node answers"), "are they running, and at these URLs?"),
        _ => (
            anyhow::anyhow!("no node can be examined: {turned_away} answered, and refused"),
            "does `--host-allowlist` take the names in these URLs, and do they ask for user and password?",
        ),
    };
    Failure::new(FailureKind::Unreachable, error).with_hint(hint)
}

/// The trap of a code, as it is given on the command line.
///
/// # Errors
///
/// There is none; the text names the nearest.
pub(crate) fn trap_of_code(code: &str) -> Result<Trap, String> {
    let distance = |trap: &&Trap| letters_apart(code, trap.code());
    match Trap::ALL.iter().min_by_key(distance) {
        Some(trap) if trap.code() == code => Ok(*trap),
        Some(nearest) => Err(format!("no finding has this code; the nearest is `{}`", nearest.code())),
        None => Err("no finding has this code".to_owned()),
    }
}

/// How many letters must be added, left out or exchanged to make one text of the other (Levenshtein).
fn letters_apart(one: &str, other: &str) -> usize {
    let mut above: Vec<usize> = (0..=other.chars().count()).collect();
    for (row, letter) in one.chars().enumerate() {
        let mut line = vec![row + 1];
        for (column, other) in other.chars().enumerate() {
            let exchanged = above[column] + usize::from(letter != other);
            line.push(exchanged.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above.last().copied().unwrap_or_default()
}

/// What was found decides the exit code.
fn verdict(report: &Report<'_>, fail_on: FailOn) -> Result<(), Failure> {
    let least = match fail_on {
        FailOn::Fault => Severity::Fault,
        FailOn::Warning => Severity::Warning,
        FailOn::Notice => Severity::Notice,
    };
    let bad = Severity::ALL.into_iter().filter(|severity| *severity >= least && report.count(*severity) > 0);
    let bad: Vec<Severity> = bad.rev().collect();
    let Some(worst) = bad.first() else { return Ok(()) };
    let counts = bad.iter().map(|severity| format!("{} × {}", report.count(*severity), severity.name()));
    let error = anyhow::anyhow!("the examination found {}", counts.collect::<Vec<String>>().join(", "));
    let traps = report.traps(*worst);
    let codes: Vec<String> = traps.iter().take(CODES_NAMED_MAX).map(|trap| format!("`{}`", trap.code())).collect();
    let more = if traps.len() > CODES_NAMED_MAX { ", …" } else { "" };
    let hint = format!("each is listed with its cure; begin with {}{more}", codes.join(", "));
    Err(Failure::new(FailureKind::Refused, error).with_hint(hint))
}

fn check_counts(arguments: &Doctor) -> Result<(), Failure> {
    let limits = [("--rpc", arguments.rpc.len(), NODES_MAX), ("--sender", arguments.senders.len(), SENDERS_MAX)];
    for (option, count, max) in limits {
        if count > max {
            let error = anyhow::anyhow!("`{option}` is given {count} times, at most {max} are taken");
            return Err(Failure::new(FailureKind::Usage, error));
        }
    }
    match arguments.watch {
        Some(seconds) if seconds > WATCH_MAX.as_secs() => {
            let error = anyhow::anyhow!("`--watch {seconds}` is longer than {} seconds", WATCH_MAX.as_secs());
            Err(Failure::new(FailureKind::Usage, error))
        }
        _ => Ok(()),
    }
}
