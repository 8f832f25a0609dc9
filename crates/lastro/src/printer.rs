//! The only place that prints. Standard output is data, standard error is talk.

use crate::cli::Output;
use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::cell::Cell;
use std::io::{IsTerminal, Write};

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Prints results, notes and failures as the user asked for them. Colours are left out where nobody could see them, and
/// where `NO_COLOR` is set.
#[derive(Debug)]
pub(crate) struct Printer {
    is_json: bool,
    is_quiet: bool,
    is_progress_shown: bool,
    /// Whether the one JSON object of this command is out.
    has_json: Cell<bool>,
    #[cfg(test)]
    is_silent: bool,
}

/// How good what a line says is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Plain,
    /// To be looked at.
    Doubtful,
    /// Not as it may be.
    Bad,
}

/// The line of progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProgressLine {
    is_shown: bool,
}

impl ProgressLine {
    /// Shows `text` in place of the line before, on a terminal only.
    pub(crate) fn show(self, text: &str) {
        if self.is_shown {
            let mut out = anstream::stderr().lock();
            // Whoever closed the terminal does not miss it.
            let _ = write!(out, "\r\x1b[2K{text}").and_then(|()| out.flush());
        }
    }
}

impl Printer {
    /// A printer for a command.
    pub(crate) fn new(output: &Output) -> Self {
        let is_talkative = !output.quiet && !output.verbose && !output.no_progress && !output.json;
        Self {
            is_json: output.json,
            is_quiet: output.quiet,
            is_progress_shown: is_talkative && std::io::stderr().is_terminal(),
            has_json: Cell::new(false),
            #[cfg(test)]
            is_silent: false,
        }
    }

    /// A printer for tests in this process, where standard output belongs to the list of tests.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        let has_json = Cell::new(false);
        Self { is_json: false, is_quiet: true, is_progress_shown: false, has_json, is_silent: true }
    }

    /// A line of the result, for people; left out where JSON is wanted.
    pub(crate) fn line(&self, text: &str) {
        if !self.is_json {
            self.to_stdout(text);
        }
    }

    /// A line of the result that begins with how good it is, in words and in colour.
    pub(crate) fn marked_line(&self, mark: Mark, label: &str, text: &str) {
        let style = match mark {
            Mark::Good => GREEN,
            Mark::Plain => CYAN,
            Mark::Doubtful => YELLOW,
            Mark::Bad => RED,
        };
        self.line(&format!("  {style}{label}{style:#}  {text}"));
    }

    /// The heading of a part of the result.
    pub(crate) fn heading(&self, text: &str) {
        self.line(&format!("\n{CYAN}{text}{CYAN:#}"));
    }

    /// The result for machines, once for each command; left out where people read.
    pub(crate) fn json(&self, value: &Value) {
        if self.is_json {
            self.has_json.set(true);
            self.to_stdout(&value.to_string());
        }
    }

    /// What a person may want to know while it happens.
    pub(crate) fn note(&self, text: &str) {
        if !self.is_quiet && !self.is_json {
            self.to_stderr(text);
        }
    }

    /// Something is not as it should be, but it goes on.
    pub(crate) fn warning(&self, text: &str) {
        self.to_stderr(&format!("{YELLOW}warning{YELLOW:#}: {text}"));
    }

    /// It is done.
    pub(crate) fn done(&self, text: &str) {
        if !self.is_quiet {
            self.line(&format!("{GREEN}{text}{GREEN:#}"));
        }
    }

    /// What to do next.
    pub(crate) fn next_steps(&self, heading: &str, commands: &[String]) {
        if !self.is_quiet {
            self.heading(heading);
            commands.iter().for_each(|command| self.line(&format!("  {command}")));
        }
    }

    /// A failure with its causes and its way on. Where JSON is wanted it is the result, unless there was one already: then
    /// that says what is wrong, and this is talk.
    pub(crate) fn failure(&self, failure: &Failure) {
        let mut causes: Vec<String> = failure.error.chain().map(ToString::to_string).collect();
        // Transparent wrappers repeat their source's words.
        causes.dedup();
        if self.is_json && !self.has_json.get() {
            self.json(&json!({ "error": causes[0], "causes": causes[1..], "hint": failure.hint }));
            return;
        }
        self.to_stderr(&format!("{RED}error{RED:#}: {}", causes[0]));
        for cause in &causes[1..] {
            self.to_stderr(&format!("  caused by: {cause}"));
        }
        if let Some(hint) = &failure.hint {
            self.to_stderr(&format!("{CYAN}hint{CYAN:#}: {hint}"));
        }
    }

    /// Shows `text` in place of the line before, on a terminal only.
    pub(crate) fn progress(&self, text: &str) {
        self.progress_line().show(text);
    }

    /// The line of progress, for work that goes on in another thread.
    pub(crate) fn progress_line(&self) -> ProgressLine {
        ProgressLine { is_shown: self.is_progress_shown }
    }

    /// Removes the progress line.
    pub(crate) fn progress_end(&self) {
        self.progress("");
    }

    fn to_stdout(&self, text: &str) {
        #[cfg(test)]
        if self.is_silent {
            return;
        }
        // A closed pipe ends the reader's interest, not the work.
        let _ = writeln!(anstream::stdout().lock(), "{text}");
    }

    fn to_stderr(&self, text: &str) {
        #[cfg(test)]
        if self.is_silent {
            return;
        }
        // Whoever closed it does not miss it.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }
}
