//! Attributes that hide a problem: skipped tests, panics as expectation, and exceptions without reason.

use syn::visit::{self, Visit};

use crate::finding::{Finding, Rule};
use crate::rust_source::{RustSource, Token, flatten};

const IGNORED: Rule = Rule {
    why: "a test that does not run guards nothing",
    remedy: "make it pass, or make its need a condition that it states when it skips",
};
const PANIC_EXPECTED: Rule = Rule {
    why: "it passes for any panic, also a wrong one",
    remedy: "return an error and compare it, or catch the panic and compare its text",
};
const BARE_ALLOW: Rule = Rule {
    why: "an exception outlives its cause",
    remedy: "write `#[expect(…, reason = \"…\")]`, which warns when it is no longer needed",
};
const NO_REASON: Rule = Rule { why: "a reader must be able to judge the exception", remedy: "add `reason = \"…\"`" };

/// Finds the banned attributes, inside `cfg_attr` too.
pub(crate) fn check(source: &RustSource) -> Vec<Finding> {
    let mut visitor = Attributes { path: &source.path, findings: Vec::new() };
    visitor.visit_file(&source.syntax);
    visitor.findings
}

struct Attributes<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl Attributes<'_> {
    fn name(&mut self, name: &str, arguments: &[Token], line: usize) {
        let has_reason = arguments.iter().any(|token| token.text == "reason");
        let rule = match name {
            "ignore" => &IGNORED,
            "should_panic" => &PANIC_EXPECTED,
            "allow" => &BARE_ALLOW,
            "expect" if !has_reason => &NO_REASON,
            _ => return,
        };
        self.findings.push(Finding::new(self.path, line, format!("attribute `{name}`"), rule));
    }
}

impl<'ast> Visit<'ast> for Attributes<'_> {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let arguments = match &attribute.meta {
            syn::Meta::List(list) => flatten(list.tokens.clone()),
            syn::Meta::Path(_) | syn::Meta::NameValue(_) => Vec::new(),
        };
        let line = attribute.pound_token.span.start().line;
        if attribute.path().is_ident("cfg_attr") {
            for (index, token) in arguments.iter().enumerate() {
                self.name(&token.text, &arguments[index..], token.line);
            }
        } else if let Some(name) = attribute.path().get_ident() {
            self.name(&name.to_string(), &arguments, line);
        }
        visit::visit_attribute(self, attribute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let findings = check(&RustSource::sample("a.rs", text));
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn attributes_that_hide_a_problem_are_found() {
        let text = "#![allow(dead_code)]\n#[test]\n#[ignore = \"slow\"]\nfn a() {}\n#[test]\n#[should_panic]\nfn b() {}\n\
                    #[cfg_attr(unix, allow(unused))]\nfn c() {}\n#[expect(unused)]\nfn d() {}\n";
        let expected = [(1, "allow"), (3, "ignore"), (6, "should_panic"), (8, "allow"), (10, "expect")];
        let expected = expected.map(|(line, name)| (line, format!("attribute `{name}`")));
        assert_eq!(found(text), expected);
    }

    #[test]
    fn an_exception_with_its_reason_passes() {
        let text =
            "#[expect(unused, reason = \"shown in the docs\")]\n#[test]\nfn a() { policy.allow(1); ignore(); }\n";
        assert_eq!(found(text), []);
    }
}
