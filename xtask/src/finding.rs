//! What a rule found, in one line: where, what, why it is not wanted, and what to do.

use std::fmt;

/// A rule of the house: why it exists and how to obey it. The text is shown with every finding of the rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Why the house wants it so.
    pub(crate) why: &'static str,
    /// What to do about a finding.
    pub(crate) remedy: &'static str,
}

/// One breach of one rule. Sorts by place, so that a report reads like the tree.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// Line, counted from 1.
    pub(crate) line: usize,
    /// What was found, in lower case and without a full stop.
    pub(crate) what: String,
    /// The rule that it breaks.
    pub(crate) rule: &'static Rule,
}

impl Finding {
    /// A finding at `path:line`.
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, rule: &'static Rule) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), rule }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, rule } = self;
        write!(out, "{path}:{line}: {what}; {}; {}", rule.why, rule.remedy)
    }
}

/// The line, counted from 1, of the first line of `text` that `is_wanted` accepts; 1 if there is none, so that a finding
/// about something that is missing still names a place that can be opened.
pub(crate) fn line_where(text: &str, is_wanted: impl Fn(&str) -> bool) -> usize {
    text.lines().position(is_wanted).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { why: "names say it", remedy: "rename it" };

    #[test]
    fn a_finding_is_one_line_with_place_what_why_and_remedy() {
        let finding = Finding::new("a/b.rs", 7, "module `x`", &RULE);
        assert_eq!(finding.to_string(), "a/b.rs:7: module `x`; names say it; rename it");
    }

    #[test]
    fn a_missing_line_is_reported_at_the_first() {
        assert_eq!(line_where("a\nb\nc", |line| line == "b"), 2);
        assert_eq!(line_where("a\nb\nc", |line| line == "z"), 1);
    }
}
