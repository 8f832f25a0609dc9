//! What holds for every file: its size, its mode, its last line, and words that do not belong into a repository.

use crate::finding::{Finding, Rule};
use crate::tree::TreeFile;

/// Beyond this a file is data that should be made or fetched, not kept: every clone carries it for ever.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Folders that exist on one machine only. Written in two parts, so that this file passes its own rule.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// Words for work that is left over. Written in two parts, so that this file passes its own rule.
const LEFT_OVER: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Folders whose files a tool writes without a last newline, at each run anew: gas snapshots by forge.
const WRITTEN_BY_TOOLS: &[&str] = &["solidity/snapshots/"];

const SIZE: Rule =
    Rule { why: "every clone carries it for ever", remedy: "make it in a script, or keep a smaller sample" };
const MODE: Rule = Rule {
    why: "a file is executable if it is a script with its `#!` line, and only then",
    remedy: "set or clear the mode with `chmod`, or add or remove the `#!` line",
};
const LAST_LINE: Rule =
    Rule { why: "tools add and compare whole lines", remedy: "end the file with exactly one newline" };
const MACHINE_PATH: Rule = Rule {
    why: "another machine has no such folder",
    remedy: "write a path from the root of the repository, or take it from an argument or the environment",
};
const WORK_LEFT: Rule = Rule {
    why: "work that no issue names is forgotten",
    remedy: "do it, or open an issue and write its number in brackets behind the word",
};

/// Checks one file, whatever it holds.
pub(crate) fn check(file: &TreeFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |line, what, rule| findings.push(Finding::new(&file.path, line, what, rule));
    if file.size_bytes > FILE_BYTES_MAX {
        report(1, format!("{} bytes, more than {FILE_BYTES_MAX}", file.size_bytes), &SIZE);
    }
    let Some(text) = &file.text else { return findings };
    if file.is_executable != is_script(file, text) {
        report(1, format!("executable: {}", if file.is_executable { "yes" } else { "no" }), &MODE);
    }
    if !ends_well(text) && !WRITTEN_BY_TOOLS.iter().any(|folder| file.path.starts_with(folder)) {
        report(text.lines().count(), "the last line".to_owned(), &LAST_LINE);
    }
    for (content, line) in text.lines().zip(1..) {
        for path in MACHINE_PATHS.iter().filter(|path| names_path(content, path)) {
            report(line, format!("path `{path}…`"), &MACHINE_PATH);
        }
        for word in LEFT_OVER.iter().filter(|word| leaves_work(content, word)) {
            report(line, format!("`{word}` without an issue"), &WORK_LEFT);
        }
    }
    findings
}

fn ends_well(text: &str) -> bool {
    text.is_empty() || (text.ends_with('\n') && !text.ends_with("\n\n"))
}

/// A Rust file may begin with an inner attribute, which is no `#!` line.
fn is_script(file: &TreeFile, text: &str) -> bool {
    text.starts_with("#!") && !file.path.ends_with(".rs")
}

/// Whether `path` begins in `content` as a path from the root: not behind a word, as in an address or a longer path.
fn names_path(content: &str, path: &str) -> bool {
    content.match_indices(path).any(|(start, _)| {
        !content[..start]
            .ends_with(|before: char| before.is_alphanumeric() || matches!(before, '.' | '-' | '_' | '}' | '>'))
    })
}

/// Whether `word` stands in `content` as a word of its own and no `(#123)` follows.
fn leaves_work(content: &str, word: &str) -> bool {
    let is_inside = |character: char| character.is_alphanumeric() || character == '_';
    content.match_indices(word).any(|(start, _)| {
        let rest = &content[start + word.len()..];
        !content[..start].ends_with(is_inside) && !rest.starts_with(is_inside) && !names_issue(rest)
    })
}

fn names_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
    number.is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &TreeFile) -> Vec<(usize, String)> {
        check(file).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn found_in(text: &str) -> Vec<(usize, String)> {
        found(&TreeFile::of_text("docs/a.md", text))
    }

    #[test]
    fn a_plain_file_passes() {
        assert_eq!(found_in("One line.\nAnother.\n"), []);
        assert_eq!(found_in(""), []);
    }

    #[test]
    fn a_file_over_one_mebibyte_is_found() {
        let file = TreeFile { path: "a.bin".to_owned(), size_bytes: FILE_BYTES_MAX + 1, ..TreeFile::default() };
        assert_eq!(found(&file), [(1, "1048577 bytes, more than 1048576".to_owned())]);
        assert_eq!(found(&TreeFile { size_bytes: FILE_BYTES_MAX, ..file }), []);
    }

    #[test]
    fn mode_and_script_line_go_together() {
        let script = || TreeFile::of_text("run", "#!/usr/bin/env bash\n");
        assert_eq!(found(&script()), [(1, "executable: no".to_owned())]);
        assert_eq!(found(&TreeFile { is_executable: true, ..script() }), []);
        let page = TreeFile { is_executable: true, ..TreeFile::of_text("a.md", "Text.\n") };
        assert_eq!(found(&page), [(1, "executable: yes".to_owned())]);
        assert_eq!(found(&TreeFile::of_text("a.rs", "#![no_std]\n")), []);
    }

    #[test]
    fn a_file_ends_with_one_newline() {
        assert_eq!(found_in("One."), [(1, "the last line".to_owned())]);
        assert_eq!(found_in("One.\n\n"), [(2, "the last line".to_owned())]);
        assert_eq!(found(&TreeFile::of_text("solidity/snapshots/Gas.json", "{}")), []);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(found_in(&format!("One.\nSee `{path}x`.\n")), [(2, format!("path `{path}…`"))]);
        }
    }

    #[test]
    fn addresses_and_longer_paths_pass() {
        let tail = MACHINE_PATHS[0];
        assert_eq!(found_in(&format!("https://example.org{tail}a and ./frame{tail}b and ${{root}}{tail}c\n")), []);
    }

    #[test]
    fn work_left_over_needs_an_issue() {
        for word in LEFT_OVER {
            assert_eq!(found_in(&format!("// {word}: later\n")), [(1, format!("`{word}` without an issue"))]);
            assert_eq!(found_in(&format!("// {word}(#12): later\n// {word}S, {word}_A\n")), []);
        }
    }
}
