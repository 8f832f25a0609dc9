//! The one place that prints: findings are data and go to standard output, talk goes to standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that prints")]

use crate::tidy::Report;

/// Writes what a command has to say.
pub(crate) struct Printer;

impl Printer {
    /// One line per finding, then how much was looked at.
    pub(crate) fn findings(&self, report: &Report) {
        for finding in &report.findings {
            println!("{finding}");
        }
        let (found, files, crates) = (report.findings.len(), report.files, report.packages);
        eprintln!("tidy: {found} findings in {files} files and {crates} packages");
    }

    /// A line of talk about what is being done.
    pub(crate) fn note(&self, text: &str) {
        eprintln!("{text}");
    }

    /// An error that kept the command from running at all, with its causes.
    pub(crate) fn failure(&self, error: &anyhow::Error) {
        eprintln!("error: {error}");
        for cause in error.chain().skip(1) {
            eprintln!("  caused by: {cause}");
        }
    }
}
