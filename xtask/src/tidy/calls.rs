//! Calls that do not belong: unfinished code, and sleeping in tests.

use crate::finding::{Finding, Rule};
use crate::rust_source::{RustSource, Token, is_module};

const UNFINISHED: Rule = Rule {
    why: "what is committed is finished",
    remedy: "write it, or return an error that says what is not supported",
};
const SLEEP: Rule = Rule {
    why: "a sleep is too short on a slow machine and too long on a fast one",
    remedy: "wait for the condition with a limit, in a function named `wait_until`",
};

const UNFINISHED_MACROS: &[&str] = &["todo", "unimplemented", "dbg"];
const SLEEPS: &[&str] = &["sleep", "sleep_ms", "sleep_until"];
const WAITER: &str = "wait_until";

/// Modules whose runtime is paused, so that a sleep is an event of the simulated world and takes no time.
const VIRTUAL_TIME: &[&str] = &["crates/chain/src/follower/simulation", "crates/chain/src/simulation"];

/// Finds the banned calls, inside the arguments of macros too.
pub(crate) fn check(source: &RustSource) -> Vec<Finding> {
    let mut findings = unfinished(source);
    findings.extend(sleeps(source));
    findings
}

fn unfinished(source: &RustSource) -> Vec<Finding> {
    let is_call = |window: &&[Token]| {
        UNFINISHED_MACROS.contains(&window[0].text.as_str())
            && window[1].text == "!"
            && matches!(window[2].text.as_str(), "(" | "[" | "{")
    };
    let report = |window: &[Token]| {
        Finding::new(&source.path, window[0].line, format!("macro `{}!`", window[0].text), &UNFINISHED)
    };
    source.tokens.windows(3).filter(is_call).map(report).collect()
}

fn sleeps(source: &RustSource) -> Vec<Finding> {
    let is_call = |window: &&[Token]| {
        !matches!(window[0].text.as_str(), "fn" | ".")
            && SLEEPS.contains(&window[1].text.as_str())
            && window[2].text == "("
    };
    if VIRTUAL_TIME.iter().any(|module| is_module(&source.path, module)) {
        return Vec::new();
    }
    let is_wanted = |line: usize| source.is_test_line(line) && !is_in_waiter(source, line);
    let calls = source.tokens.windows(3).filter(is_call).filter(|window| is_wanted(window[1].line));
    calls.map(|window| Finding::new(&source.path, window[1].line, "a test sleeps", &SLEEP)).collect()
}

fn is_in_waiter(source: &RustSource, line: usize) -> bool {
    source.functions.iter().any(|function| function.name == WAITER && function.lines.contains(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let findings = check(&RustSource::sample(path, text));
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn unfinished_code_is_found_inside_macros_too() {
        let text = "fn a() {\n  todo!();\n  assert!(dbg!(true));\n  unimplemented!{}\n}\n";
        let expected = [(2, "macro `todo!`"), (3, "macro `dbg!`"), (4, "macro `unimplemented!`")];
        assert_eq!(found("crates/x/src/lib.rs", text), expected.map(|(line, what)| (line, what.to_owned())));
    }

    #[test]
    fn a_word_that_is_no_macro_call_passes() {
        assert_eq!(found("crates/x/src/lib.rs", "fn todo() { let dbg = 1; if dbg != 2 {} }\n"), []);
    }

    #[test]
    fn a_sleep_in_a_test_is_found_under_any_path() {
        let text = "async fn a() {\n  std::thread::sleep(d);\n  tokio::time::sleep(d).await;\n  select! { _ = sleep(d) => {} }\n}\n";
        let lines: Vec<usize> = found("crates/x/tests/it/main.rs", text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 4]);
    }

    #[test]
    fn a_sleep_in_virtual_time_passes() {
        let text = "async fn a() { sleep(d).await }\n#[test]\nfn b() { sleep(d) }\n";
        assert_eq!(found("crates/chain/src/simulation/node.rs", text), []);
        assert_eq!(found("crates/chain/src/simulations.rs", text).len(), 1);
    }

    #[test]
    fn a_sleep_inside_wait_until_or_outside_tests_passes() {
        let text = "fn wait_until() { thread::sleep(d) }\nfn sleep() {}\nfn b() { clock.sleep(d) }\n";
        assert_eq!(found("crates/x/tests/it/main.rs", text), []);
        assert_eq!(found("crates/x/src/lib.rs", "fn a() { thread::sleep(d) }\n"), []);
    }
}
