//! The only place that prints. Standard output is data, standard error is talk.

use crate::cli::Output;
use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Prints results, notes and failures as the user asked for them. Colours are left out where nobody could see them, and
/// where `NO_COLOR` is set.
#[derive(Clone, Debug)]
pub(crate) struct Printer {
    is_json: bool,
    is_quiet: bool,
    is_progress_shown: bool,
}

impl Printer {
    pub(crate) fn new(output: &Output) -> Self {
        let is_talkative = !output.quiet && !output.verbose && !output.no_progress && !output.json;
        Self {
            is_json: output.json,
            is_quiet: output.quiet,
            is_progress_shown: is_talkative && std::io::stderr().is_terminal(),
        }
    }

    /// Whether results are wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// A line of the result, for people; left out where JSON is wanted.
    pub(crate) fn line(&self, text: &str) {
        if !self.is_json {
            write_line(&mut anstream::stdout().lock(), text);
        }
    }

    /// The heading of a part of the result.
    pub(crate) fn heading(&self, text: &str) {
        self.line(&format!("\n{CYAN}{text}{CYAN:#}"));
    }

    /// The result for machines; left out where people read.
    pub(crate) fn json(&self, value: &Value) {
        if self.is_json {
            write_line(&mut anstream::stdout().lock(), &value.to_string());
        }
    }

    /// What a person may want to know while it happens.
    pub(crate) fn note(&self, text: &str) {
        if !self.is_quiet && !self.is_json {
            write_line(&mut anstream::stderr().lock(), text);
        }
    }

    /// Something is not as it should be, but it goes on.
    pub(crate) fn warning(&self, text: &str) {
        write_line(&mut anstream::stderr().lock(), &format!("{YELLOW}warning{YELLOW:#}: {text}"));
    }

    /// It is done.
    pub(crate) fn done(&self, text: &str) {
        if !self.is_quiet {
            self.line(&format!("{GREEN}{text}{GREEN:#}"));
        }
    }

    /// A failure with its causes and its way on.
    pub(crate) fn failure(&self, failure: &Failure) {
        let mut causes: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        // Transparent wrappers repeat their source's words.
        causes.dedup();
        if self.is_json {
            let value = json!({ "error": causes[0], "causes": causes[1..], "hint": failure.hint });
            write_line(&mut anstream::stdout().lock(), &value.to_string());
            return;
        }
        let mut out = anstream::stderr().lock();
        write_line(&mut out, &format!("{RED}error{RED:#}: {}", causes[0]));
        for cause in &causes[1..] {
            write_line(&mut out, &format!("  caused by: {cause}"));
        }
        if let Some(hint) = &failure.hint {
            write_line(&mut out, &format!("{CYAN}hint{CYAN:#}: {hint}"));
        }
    }

    /// Shows `text` in place of the line before, on a terminal only.
    pub(crate) fn progress(&self, text: &str) {
        if self.is_progress_shown {
            let mut out = anstream::stderr().lock();
            // Whoever closed the terminal does not miss it.
            let _ = write!(out, "\r\x1b[2K{text}").and_then(|()| out.flush());
        }
    }

    /// Removes the progress line.
    pub(crate) fn progress_end(&self) {
        self.progress("");
    }
}

fn write_line(out: &mut impl Write, text: &str) {
    // A closed pipe ends the reader's interest, not the work.
    let _ = writeln!(out, "{text}");
}
