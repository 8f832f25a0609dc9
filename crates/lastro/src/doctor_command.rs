//! `lastro doctor`: looks at nodes and names every trap of Besu that can be seen from outside, with its evidence and its cure.
//!
//! What is looked at and how it is judged is `chain`'s; here are the words, in two languages, and the exit code.

pub(crate) mod catalogue;
mod report;

use crate::cli::{Doctor, FailOn};
use crate::failure::{Failure, FailureKind};
use crate::network_arguments::{now_seconds, patient, profile};
use crate::printer::Printer;
use catalogue::{Words, filled};
use chain::doctor::{self, Examination, NODES_MAX, Patient, Progress, SENDERS_MAX, Severity, Trap, WATCH_MAX};
use report::Report;
use std::time::Duration;

/// Looks at all nodes, and says what was found.
pub(crate) fn run(arguments: &Doctor, printer: &Printer) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::new(FailureKind::Environment, error))?;
    runtime.block_on(examine(arguments, printer))
}

async fn examine(arguments: &Doctor, printer: &Printer) -> Result<(), Failure> {
    check_counts(arguments)?;
    let words = Words(arguments.lang);
    let profile = profile(&arguments.profile)?;
    let patients: Vec<Patient> = arguments.rpc.iter().map(|url| patient(url)).collect::<Result<_, _>>()?;
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
    let report = Report { observations: &observations, findings: &findings, profile: name, words };
    report.show(printer);
    printer.json(&report.to_json());
    let unreachable = findings.iter().filter(|finding| finding.trap() == Some(Trap::NodeUnreachable)).count();
    if unreachable == observations.len() {
        let error = anyhow::anyhow!("no node answers");
        return Err(Failure::new(FailureKind::Unreachable, error).with_hint("are they running, and at these URLs?"));
    }
    verdict(&report, arguments.fail_on)
}

/// What was found decides the exit code.
fn verdict(report: &Report<'_>, fail_on: FailOn) -> Result<(), Failure> {
    let least = match fail_on {
        FailOn::Fault => Severity::Fault,
        FailOn::Warning => Severity::Warning,
        FailOn::Notice => Severity::Notice,
    };
    let bad = Severity::ALL.into_iter().filter(|severity| *severity >= least && report.count(*severity) > 0);
    let bad: Vec<String> =
        bad.rev().map(|severity| format!("{} × {}", report.count(severity), severity.name())).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let error = anyhow::anyhow!("the examination found {}", bad.join(", "));
    Err(Failure::new(FailureKind::Refused, error).with_hint("each is listed with its cure"))
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
