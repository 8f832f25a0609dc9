//! One version table: a crate's manifest takes versions, lints and package data from the workspace and says nothing twice.

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::finding::{Finding, Rule, line_where};
use crate::tree::Tree;
use crate::workspace::Workspace;

const ONE_TABLE: Rule = Rule {
    why: "two crates with two versions of one package are two packages",
    remedy: "put it into the table of the root manifest and write `workspace = true` here",
};
const USED_ROW: Rule =
    Rule { why: "a row that no crate uses says nothing true", remedy: "remove it from the table, or use it" };
const SHARED_LINTS: Rule =
    Rule { why: "the lints hold for every crate", remedy: "write `[lints]` with `workspace = true`" };

/// The sections of a manifest that name dependencies.
const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];
/// What a crate may say about a dependency beside `workspace = true`.
const OWN_WORDS: &[&str] = &["workspace", "features", "optional"];

/// Checks the manifest of every crate and the table of the root.
///
/// # Errors
/// If a manifest is not TOML.
pub(crate) fn check(workspace: &Workspace, tree: &Tree) -> Result<Vec<Finding>> {
    let (mut findings, mut used) = (Vec::new(), Vec::new());
    for path in workspace.crates.iter().map(|member| member.manifest()) {
        let manifest = Manifest::read(tree, path)?;
        findings.extend(manifest.check());
        used.extend(manifest.dependencies().into_iter().map(|(name, _)| name.to_owned()));
    }
    let root = Manifest::read(tree, "Cargo.toml".to_owned())?;
    let unused = root.rows().into_iter().filter(|row| !used.iter().any(|name| name == row));
    findings.extend(unused.map(|row| root.finding(row, format!("row `{row}` has no user"), &USED_ROW)));
    Ok(findings)
}

struct Manifest<'a> {
    path: String,
    text: &'a str,
    table: Table,
}

impl<'a> Manifest<'a> {
    fn read(tree: &'a Tree, path: String) -> Result<Self> {
        let text = tree.text(&path).with_context(|| format!("`{path}` is not in the repository"))?;
        let table = text.parse().with_context(|| format!("cannot parse `{path}`"))?;
        Ok(Self { path, text, table })
    }

    fn finding(&self, name: &str, what: String, rule: &'static Rule) -> Finding {
        let starts = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
        Finding::new(&self.path, line_where(self.text, starts), what, rule)
    }

    fn check(&self) -> Vec<Finding> {
        let strangers = self.dependencies().into_iter().filter(|(_, value)| !is_from_table(value));
        let mut findings: Vec<Finding> = strangers
            .map(|(name, _)| {
                self.finding(name, format!("`{name}` is not taken from the workspace's table"), &ONE_TABLE)
            })
            .collect();
        if !self.table.get("lints").is_some_and(is_from_table) {
            findings.push(self.finding("name", "the crate has lints of its own or none".to_owned(), &SHARED_LINTS));
        }
        findings
    }

    /// All dependencies of all sections, those for single platforms too.
    fn dependencies(&self) -> Vec<(&str, &Value)> {
        let platforms = self.table.get("target").and_then(Value::as_table).into_iter().flatten();
        let platforms = platforms.filter_map(|(_, value)| value.as_table());
        let tables = std::iter::once(&self.table).chain(platforms);
        let sections = tables.flat_map(|table| SECTIONS.iter().filter_map(|section| table.get(*section)));
        let entries = sections.filter_map(Value::as_table).flatten();
        entries.map(|(name, value)| (name.as_str(), value)).collect()
    }

    /// Names of the rows of the root's version table.
    fn rows(&self) -> Vec<&str> {
        let table = self.table.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        table.and_then(Value::as_table).into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }
}

fn is_from_table(value: &Value) -> bool {
    value.as_table().is_some_and(|table| {
        table.get("workspace") == Some(&Value::Boolean(true))
            && table.keys().all(|key| OWN_WORDS.contains(&key.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;
    use crate::workspace::Crate;

    const ROOT: &str = "[workspace.dependencies]\nserde = \"1\"\nsyn = \"2\"\n";
    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn found(manifest: &str) -> Vec<String> {
        let files = vec![TreeFile::of_text("Cargo.toml", ROOT), TreeFile::of_text("crates/x/Cargo.toml", manifest)];
        let member = Crate { name: "x".to_owned(), folder: "crates/x".to_owned(), ..Crate::default() };
        let workspace = Workspace { crates: vec![member], ..Workspace::default() };
        let findings = check(&workspace, &Tree { files }).expect("the samples are TOML");
        findings.into_iter().map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.what)).collect()
    }

    #[test]
    fn dependencies_from_the_table_pass_in_both_spellings() {
        let manifest =
            "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nsyn = { workspace = true, features = [] }\n";
        assert_eq!(found(&format!("{manifest}{LINTS}")), Vec::<String>::new());
    }

    #[test]
    fn a_version_in_a_crate_is_found() {
        let found =
            found(&format!("[dependencies]\nserde = \"1\"\n[build-dependencies]\nsyn.workspace = true\n{LINTS}"));
        assert_eq!(found, ["crates/x/Cargo.toml:2: `serde` is not taken from the workspace's table"]);
    }

    #[test]
    fn a_version_for_one_platform_is_found() {
        let manifest =
            "[dependencies]\nserde.workspace = true\n[target.'cfg(unix)'.dependencies]\nsyn = { version = \"2\" }\n";
        let found = found(&format!("{manifest}{LINTS}"));
        assert_eq!(found, ["crates/x/Cargo.toml:4: `syn` is not taken from the workspace's table"]);
    }

    #[test]
    fn a_row_without_user_is_found() {
        let found = found(&format!("[dependencies]\nserde.workspace = true\n{LINTS}"));
        assert_eq!(found, ["Cargo.toml:3: row `syn` has no user"]);
    }

    #[test]
    fn a_crate_without_the_common_lints_is_found() {
        let found = found("[package]\nname = \"x\"\n[dependencies]\nserde.workspace = true\nsyn.workspace = true\n");
        assert_eq!(found, ["crates/x/Cargo.toml:2: the crate has lints of its own or none"]);
    }
}
