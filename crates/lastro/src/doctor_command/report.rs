//! What an examination found, for people and for machines.

use super::catalogue::{Words, filled, unseen_name};
use crate::printer::{Mark, Printer};
use chain::doctor::{Finding, Observation, Severity, Trap, Unseen, Verdict};
use serde_json::{Map, Value, json};

/// The width of the column of severities: the longest word of both languages.
const SEVERITY_CHARACTERS: usize = 9;

/// Everything that is shown.
pub(super) struct Report<'a> {
    pub(super) observations: &'a [Observation],
    pub(super) findings: &'a [Finding],
    pub(super) profile: Option<&'a str>,
    /// Traps that are listed and do not count.
    pub(super) accepted: &'a [Trap],
    pub(super) words: Words,
}

impl Report<'_> {
    fn is_accepted(&self, finding: &Finding) -> bool {
        finding.trap().is_some_and(|trap| self.accepted.contains(&trap))
    }

    /// Findings that count.
    fn counted(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !self.is_accepted(finding))
    }

    /// How many findings of this severity count.
    pub(super) fn count(&self, severity: Severity) -> usize {
        self.counted().filter(|finding| finding.severity() == Some(severity)).count()
    }

    /// The traps of this severity that count, each once.
    pub(super) fn traps(&self, severity: Severity) -> Vec<Trap> {
        let mut traps: Vec<Trap> = Vec::new();
        for trap in self.counted().filter(|one| one.severity() == Some(severity)).filter_map(Finding::trap) {
            if !traps.contains(&trap) {
                traps.push(trap);
            }
        }
        traps
    }

    fn accepted(&self) -> usize {
        self.findings.iter().filter(|finding| self.is_accepted(finding)).count()
    }

    fn not_seen(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity().is_none()).count()
    }

    /// Node by node, and then all together; in each part what is worst first, and last what could not be seen.
    pub(super) fn show(&self, printer: &Printer) {
        let nodes = (0..self.observations.len()).map(Some);
        for node in nodes.chain([None]) {
            let name =
                node.map_or(self.words.text(|texts| &texts.all_nodes), |node| self.observations[node].node.as_str());
            printer.heading(name);
            let findings: Vec<&Finding> = self.findings.iter().filter(|finding| finding.node == node).collect();
            for severity in Severity::ALL.into_iter().rev() {
                let of_this = findings.iter().filter(|finding| finding.severity() == Some(severity));
                of_this.for_each(|finding| self.show_finding(finding, severity, printer));
            }
            self.show_not_seen(&findings, printer);
        }
        printer.line("");
        printer.line(&self.summary());
    }

    fn show_finding(&self, finding: &Finding, severity: Severity, printer: &Printer) {
        let mark = match severity {
            _ if self.is_accepted(finding) => Mark::Plain,
            Severity::Ok => Mark::Good,
            Severity::Notice => Mark::Plain,
            Severity::Warning => Mark::Doubtful,
            Severity::Fault => Mark::Bad,
        };
        let label = format!("{:<SEVERITY_CHARACTERS$}", self.words.severity(severity));
        let check = self.words.check(finding.check);
        match &finding.verdict {
            Verdict::Fine(facts) => {
                printer.marked_line(mark, &label, &format!("{check}: {}", self.words.fine(finding.check, facts)));
            }
            Verdict::Trapped { trap, facts, .. } => {
                let accepted = self.words.text(|texts| &texts.accepted);
                let accepted = if self.is_accepted(finding) { format!(", {accepted}") } else { String::new() };
                let text = format!("{check}: {}  [{}{accepted}]", self.words.seen(*trap, facts), trap.code());
                printer.marked_line(mark, &label, &text);
                let below = " ".repeat(SEVERITY_CHARACTERS + 4);
                let why = self.words.text(|texts| &texts.why);
                let cure = self.words.text(|texts| &texts.cure);
                printer.line(&format!("{below}{why}: {}", self.words.why(*trap)));
                printer.line(&format!("{below}{cure}: {}", self.words.cure(*trap, facts)));
                if !trap.evidence().is_empty() {
                    let evidence = self.words.text(|texts| &texts.evidence);
                    printer.line(&format!("{below}{evidence}: {}", trap.evidence().join(" ")));
                }
            }
            Verdict::NotSeen(_) => {}
        }
    }

    /// Checks that could not be run, those with the same reason together.
    fn show_not_seen(&self, findings: &[&Finding], printer: &Printer) {
        let mut groups: Vec<(&Unseen, Vec<&str>)> = Vec::new();
        for finding in findings {
            if let Verdict::NotSeen(unseen) = &finding.verdict {
                let name = self.words.check(finding.check);
                match groups.iter_mut().find(|(reason, _)| *reason == unseen) {
                    Some((_, names)) if names.contains(&name) => {}
                    Some((_, names)) => names.push(name),
                    None => groups.push((unseen, vec![name])),
                }
            }
        }
        let label = self.words.text(|texts| &texts.not_seen);
        let label = format!("{label:<SEVERITY_CHARACTERS$}");
        for (reason, names) in groups {
            let text = format!("{}: {}", names.join(", "), self.words.unseen(reason));
            printer.marked_line(Mark::Plain, &label, &text);
        }
    }

    pub(super) fn summary(&self) -> String {
        let count = |severity: Severity| (severity.name(), self.count(severity).to_string());
        let counts = Severity::ALL.map(count).into_iter().chain([("not_seen", self.not_seen().to_string())]);
        let summary = filled(self.words.text(|texts| &texts.summary), &counts.collect::<Vec<_>>());
        match self.accepted() {
            0 => summary,
            accepted => {
                let text = self.words.text(|texts| &texts.summary_accepted);
                summary + &filled(text, &[("accepted", accepted.to_string())])
            }
        }
    }

    /// The same for machines. Codes are the same in every language; words are in the one that was asked for.
    pub(super) fn to_json(&self) -> Value {
        let name = |node: Option<usize>| node.map(|node| self.observations[node].node.clone());
        let findings = self.findings.iter().filter_map(|finding| self.finding_json(finding, name(finding.node)));
        let not_seen = self.findings.iter().filter_map(|finding| match &finding.verdict {
            Verdict::NotSeen(unseen) => Some(json!({
                "node": name(finding.node),
                "check": finding.check.code(),
                "reason": unseen_name(unseen),
                "reasonInWords": self.words.unseen(unseen),
            })),
            Verdict::Fine(_) | Verdict::Trapped { .. } => None,
        });
        let worst = self.counted().filter_map(Finding::severity).max();
        json!({
            "nodes": self.observations.iter().map(|one| one.node.clone()).collect::<Vec<String>>(),
            "profile": self.profile,
            "worst": worst.map(Severity::name),
            "counts": {
                "fault": self.count(Severity::Fault),
                "warning": self.count(Severity::Warning),
                "notice": self.count(Severity::Notice),
                "ok": self.count(Severity::Ok),
                "accepted": self.accepted(),
                "notSeen": self.not_seen(),
            },
            "findings": findings.collect::<Vec<Value>>(),
            "notSeen": not_seen.collect::<Vec<Value>>(),
        })
    }

    fn finding_json(&self, finding: &Finding, node: Option<String>) -> Option<Value> {
        let facts = |facts: &[(&'static str, String)]| {
            Value::Object(facts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>())
        };
        let check = finding.check;
        match &finding.verdict {
            Verdict::Fine(seen) => Some(json!({
                "node": node,
                "check": check.code(),
                "code": null,
                "severity": Severity::Ok.name(),
                "accepted": false,
                "seen": self.words.fine(check, seen),
                "why": null,
                "cure": null,
                "evidence": [],
                "facts": facts(seen),
            })),
            Verdict::Trapped { trap, severity, facts: seen } => Some(json!({
                "node": node,
                "check": check.code(),
                "code": trap.code(),
                "severity": severity.name(),
                "accepted": self.is_accepted(finding),
                "seen": self.words.seen(*trap, seen),
                "why": self.words.why(*trap),
                "cure": self.words.cure(*trap, seen),
                "evidence": trap.evidence(),
                "facts": facts(seen),
            })),
            Verdict::NotSeen(_) => None,
        }
    }
}
