//! Files up to 600 lines, their tests not counted, and functions up to 70; what is longer is held by a ratchet.
//!
//! `xtask/ratchet.toml` lists what was longer when the limit came. Nothing is added to it, and its figures only go down.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::finding::{Finding, Rule, line_where};
use crate::rust_source::RustSource;
use crate::tree::{Tree, TreeFile};

const RATCHET_PATH: &str = "xtask/ratchet.toml";
const OTHER_ENDINGS: &[&str] = &[".sol", ".mjs", ".js", ".ts", ".py", ".sh"];

const RATCHET: Rule = Rule {
    why: "the ratchet only tightens",
    remedy: "write the present figure there, or remove the line if there is nothing left to tolerate",
};

/// A limit, and what of it is still tolerated.
struct Limit {
    /// Name of the limit's table in the ratchet.
    table: &'static str,
    lines_max: usize,
    rule: Rule,
}

const FILE: Limit = Limit {
    table: "files",
    lines_max: 600,
    rule: Rule { why: "a file over 600 lines, tests not counted, holds two ideas", remedy: "split it by its nouns" },
};
const FUNCTION: Limit = Limit {
    table: "functions",
    lines_max: 70,
    rule: Rule {
        why: "a function over 70 lines cannot be read at once",
        remedy: "keep the branches and move straight work into functions of its own",
    },
};

/// Something that has a length.
struct Measured {
    /// How the ratchet names it: a path, or `path::function`.
    key: String,
    path: String,
    line: usize,
    lines: usize,
}

/// Measures every source file and every Rust function.
///
/// # Errors
/// If the ratchet is not understood.
pub(crate) fn check(tree: &Tree, sources: &[RustSource]) -> Result<Vec<Finding>> {
    let ratchet = Ratchet { text: tree.text(RATCHET_PATH).unwrap_or_default() };
    let files: Vec<Measured> =
        sources.iter().filter_map(rust_file).chain(tree.files.iter().filter_map(other_file)).collect();
    let functions: Vec<Measured> = sources.iter().flat_map(functions).collect();
    let mut findings = ratchet.check(&FILE, &files)?;
    findings.extend(ratchet.check(&FUNCTION, &functions)?);
    Ok(findings)
}

fn rust_file(source: &RustSource) -> Option<Measured> {
    let lines = (1..=source.text.lines().count()).filter(|line| !source.is_test_line(*line)).count();
    (!source.is_test_file()).then(|| whole_file(&source.path, lines))
}

fn other_file(file: &TreeFile) -> Option<Measured> {
    let is_source = OTHER_ENDINGS.iter().any(|ending| file.path.ends_with(ending));
    let is_test = file.path.split('/').any(|part| part == "test" || part == "tests");
    let lines = file.text.as_deref().unwrap_or_default().lines().count();
    (is_source && !is_test).then(|| whole_file(&file.path, lines))
}

fn whole_file(path: &str, lines: usize) -> Measured {
    Measured { key: path.to_owned(), path: path.to_owned(), line: 1, lines }
}

fn functions(source: &RustSource) -> Vec<Measured> {
    let measure = |function: &crate::rust_source::Function| Measured {
        key: format!("{}::{}", source.path, function.name),
        path: source.path.clone(),
        line: *function.lines.start(),
        lines: function.line_count(),
    };
    source.functions.iter().map(measure).collect()
}

/// The file of tolerated lengths.
struct Ratchet<'a> {
    text: &'a str,
}

impl Ratchet<'_> {
    fn tolerated(&self, limit: &Limit) -> Result<BTreeMap<String, usize>> {
        let whole: toml::Table = self.text.parse().with_context(|| format!("cannot parse `{RATCHET_PATH}`"))?;
        let table = whole.get(limit.table).and_then(toml::Value::as_table);
        let entries = table.into_iter().flatten().map(|(key, value)| {
            let lines = value.as_integer().and_then(|lines| usize::try_from(lines).ok());
            Ok((key.clone(), lines.with_context(|| format!("`{key}` in `{RATCHET_PATH}` is no number of lines"))?))
        });
        entries.collect()
    }

    fn check(&self, limit: &'static Limit, all: &[Measured]) -> Result<Vec<Finding>> {
        let tolerated = self.tolerated(limit)?;
        let is_over = |one: &&Measured| one.lines > tolerated.get(&one.key).copied().unwrap_or(limit.lines_max);
        let mut findings: Vec<Finding> = all
            .iter()
            .filter(is_over)
            .map(|one| Finding::new(&one.path, one.line, describe(one), &limit.rule))
            .collect();
        for (key, lines) in &tolerated {
            let longest = all.iter().filter(|one| one.key == *key).map(|one| one.lines).max().unwrap_or(0);
            if longest < *lines || longest <= limit.lines_max {
                let what = format!("`{key}` may have {lines} lines and has {longest}");
                let line = line_where(self.text, |line| line.contains(&format!("\"{key}\"")));
                findings.push(Finding::new(RATCHET_PATH, line, what, &RATCHET));
            }
        }
        Ok(findings)
    }
}

fn describe(one: &Measured) -> String {
    format!("`{}` has {} lines", one.key.rsplit(['/', ':']).next().unwrap_or(&one.key), one.lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "crates/x/src/lib.rs";

    fn found(ratchet: &str, path: &str, text: &str) -> Vec<String> {
        let tree = Tree { files: vec![TreeFile::of_text(RATCHET_PATH, ratchet)] };
        let findings = check(&tree, &[RustSource::sample(path, text)]).expect("the ratchet is understood");
        findings.into_iter().map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.what)).collect()
    }

    fn function_of(lines: usize) -> String {
        format!("//! Head.\nfn long() {{\n{}}}\n", "  let _ = 1;\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_70_lines_passes_and_one_of_71_is_found() {
        assert_eq!(found("", PATH, &function_of(70)), Vec::<String>::new());
        assert_eq!(found("", PATH, &function_of(71)), ["crates/x/src/lib.rs:2: `long` has 71 lines"]);
    }

    #[test]
    fn a_file_of_600_lines_passes_and_one_of_601_is_found() {
        assert_eq!(found("", PATH, &"//! Line.\n".repeat(600)), Vec::<String>::new());
        assert_eq!(found("", PATH, &"//! Line.\n".repeat(601)), ["crates/x/src/lib.rs:1: `lib.rs` has 601 lines"]);
    }

    #[test]
    fn tests_do_not_count_for_the_file() {
        let text = format!(
            "{}#[cfg(test)]\nmod tests {{\n{}}}\n",
            "//! Line.\n".repeat(600),
            "  const A: u8 = 1;\n".repeat(300)
        );
        assert_eq!(found("", PATH, &text), Vec::<String>::new());
        assert_eq!(found("", "crates/x/tests/it/main.rs", &"//! Line.\n".repeat(900)), Vec::<String>::new());
    }

    #[test]
    fn contracts_and_scripts_count_too_but_not_their_tests() {
        let text = "// line\n".repeat(601);
        let paths = ["solidity/src/A.sol", "solidity/test/A.t.sol", "docs/a.md"];
        let tree = Tree { files: paths.map(|path| TreeFile::of_text(path, &text)).into() };
        let findings = check(&tree, &[]).expect("there is no ratchet to misunderstand");
        assert_eq!(findings.into_iter().map(|finding| finding.path).collect::<Vec<_>>(), ["solidity/src/A.sol"]);
    }

    #[test]
    fn what_the_ratchet_names_may_stay_but_not_grow() {
        let ratchet = "[functions]\n\"crates/x/src/lib.rs::long\" = 80\n";
        assert_eq!(found(ratchet, PATH, &function_of(80)), Vec::<String>::new());
        assert_eq!(found(ratchet, PATH, &function_of(81)), ["crates/x/src/lib.rs:2: `long` has 81 lines"]);
    }

    #[test]
    fn a_ratchet_looser_than_needed_is_found() {
        let ratchet = "[functions]\n\"crates/x/src/lib.rs::long\" = 80\n";
        let expected = ["xtask/ratchet.toml:2: `crates/x/src/lib.rs::long` may have 80 lines and has 75"];
        assert_eq!(found(ratchet, PATH, &function_of(75)), expected);
    }

    #[test]
    fn a_ratchet_that_names_nothing_is_found() {
        let ratchet = "[files]\n\"crates/x/src/gone.rs\" = 700\n";
        let expected = ["xtask/ratchet.toml:2: `crates/x/src/gone.rs` may have 700 lines and has 0"];
        assert_eq!(found(ratchet, PATH, "//! Head.\n"), expected);
    }
}
