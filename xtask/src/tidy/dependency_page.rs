//! `docs/dependencies.md` has a line for each third-party package that a crate names: why, how big its tree, how we would
//! leave it.

use std::collections::BTreeSet;

use crate::finding::{Finding, Rule, line_where};
use crate::tree::Tree;
use crate::workspace::Workspace;

const PAGE_PATH: &str = "docs/dependencies.md";
/// Package, why, how big its tree, how we would leave it.
const COLUMNS: usize = 4;

const LINE: Rule = Rule {
    why: "a dependency is a decision that others live with",
    remedy: "add a line to docs/dependencies.md: why, how big its tree, how we would leave it",
};
const GONE: Rule = Rule { why: "the page describes what is there", remedy: "remove the line" };
const COLUMN: Rule = Rule { why: "a decision has all its reasons", remedy: "fill in why, tree and way out" };

/// Compares the page with what the crates declare.
pub(crate) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let page = tree.text(PAGE_PATH).unwrap_or_default();
    let rows: Vec<Row> = page.lines().filter_map(Row::read).collect();
    let declared = workspace.crates.iter().flat_map(|member| &member.dependencies);
    let wanted: BTreeSet<&str> = declared.filter(|one| !one.is_ours).map(|one| one.name.as_str()).collect();
    let missing = wanted.iter().filter(|name| !rows.iter().any(|row| row.name == **name));
    let mut findings: Vec<Finding> =
        missing.map(|name| Finding::new(PAGE_PATH, 1, format!("no line for `{name}`"), &LINE)).collect();
    for row in &rows {
        let line = line_where(page, |line| Row::read(line).is_some_and(|other| other.name == row.name));
        if !wanted.contains(row.name) {
            findings.push(Finding::new(
                PAGE_PATH,
                line,
                format!("a line for `{}`, which no crate names", row.name),
                &GONE,
            ));
        } else if !row.is_complete {
            findings.push(Finding::new(PAGE_PATH, line, format!("the line for `{}` has gaps", row.name), &COLUMN));
        }
    }
    findings
}

/// A row of a table whose first cell is a package's name in backticks.
struct Row<'a> {
    name: &'a str,
    is_complete: bool,
}

impl<'a> Row<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let name = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        Some(Self { name, is_complete: cells.len() == COLUMNS && cells.iter().all(|cell| !cell.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;
    use crate::workspace::{Crate, Declared, Need};

    fn found(page: &str) -> Vec<String> {
        let declared = |name: &str, is_ours| Declared {
            name: name.to_owned(),
            code_name: name.to_owned(),
            need: Need::Normal,
            is_ours,
        };
        let member =
            Crate { dependencies: vec![declared("serde", false), declared("ledger", true)], ..Crate::default() };
        let workspace = Workspace { crates: vec![member], ..Workspace::default() };
        let tree = Tree { files: vec![TreeFile::of_text(PAGE_PATH, page)] };
        let findings = check(&workspace, &tree);
        findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.what)).collect()
    }

    #[test]
    fn a_page_with_a_full_line_for_each_dependency_passes() {
        assert_eq!(found("| Package | Why |\n|---|---|\n| `serde` | shapes | 4 | by hand |\n"), Vec::<String>::new());
    }

    #[test]
    fn a_missing_line_is_found() {
        assert_eq!(found("# Dependencies\n"), ["1: no line for `serde`"]);
    }

    #[test]
    fn a_line_without_dependency_is_found() {
        let page = "| `serde` | shapes | 4 | by hand |\n| `gone` | x | 1 | y |\n";
        assert_eq!(found(page), ["2: a line for `gone`, which no crate names"]);
    }

    #[test]
    fn a_line_with_gaps_is_found() {
        assert_eq!(found("| `serde` | shapes | | by hand |\n"), ["1: the line for `serde` has gaps"]);
        assert_eq!(found("| `serde` | shapes |\n"), ["1: the line for `serde` has gaps"]);
    }
}
