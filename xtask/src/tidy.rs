//! `cargo xtask tidy`: all rules over the whole repository, all findings in one list.
//!
//! Each rule is a function from text or metadata to findings, with its own tests beside it.

mod attributes;
mod calls;
mod dependency_page;
mod lengths;
mod licences;
mod lock_files;
mod manifests;
mod modules;
mod purity;
mod spdx;
mod text;
mod unused;

use anyhow::Result;

use crate::finding::{Finding, Rule};
use crate::rust_source::{self, RustSource};
use crate::tree::Tree;
use crate::walls;
use crate::workspace::Workspace;

/// What a run of all rules found.
pub(crate) struct Report {
    /// The findings, in order of their places.
    pub(crate) findings: Vec<Finding>,
    /// How many files were looked at.
    pub(crate) files: usize,
    /// How many packages were looked at, ours included.
    pub(crate) packages: usize,
}

const PARSES: Rule = Rule {
    why: "what cannot be parsed cannot be checked",
    remedy: "make it compile, or give the file another ending if it is not Rust",
};

/// Runs every rule.
///
/// # Errors
/// If a file that steers the rules (a manifest, the ratchet) cannot be understood.
pub(crate) fn run(tree: &Tree, workspace: &Workspace) -> Result<Report> {
    let (sources, mut findings) = parse_sources(tree);
    findings.extend(check_workspace(tree, workspace, &sources)?);
    findings.extend(tree.files.iter().flat_map(text::check));
    findings.extend(tree.files.iter().flat_map(modules::check_path));
    findings.extend(tree.files.iter().flat_map(lock_files::check));
    findings.extend(sources.iter().flat_map(|source| check_source(source, workspace)));
    findings.extend(lengths::check(tree, &sources)?);
    findings.sort_by(|a, b| (&a.path, a.line, &a.what).cmp(&(&b.path, b.line, &b.what)));
    Ok(Report { findings, files: tree.files.len(), packages: workspace.packages.len() })
}

fn check_workspace(tree: &Tree, workspace: &Workspace, sources: &[RustSource]) -> Result<Vec<Finding>> {
    let mut findings = walls::check(workspace, tree);
    findings.extend(licences::check(workspace, tree));
    findings.extend(manifests::check(workspace, tree)?);
    findings.extend(unused::check(workspace, tree, sources));
    findings.extend(dependency_page::check(workspace, tree));
    Ok(findings)
}

fn check_source(source: &RustSource, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = attributes::check(source);
    findings.extend(calls::check(source));
    findings.extend(modules::check(source));
    findings.extend(purity::check(source, workspace));
    findings
}

fn parse_sources(tree: &Tree) -> (Vec<RustSource>, Vec<Finding>) {
    let (mut sources, mut findings) = (Vec::new(), Vec::new());
    for file in tree.files.iter().filter(|file| file.path.ends_with(".rs")) {
        match RustSource::parse(&file.path, file.text.as_deref().unwrap_or_default()) {
            Ok(source) => sources.push(source),
            Err(error) => findings.push(Finding::new(&file.path, 1, error.root_cause().to_string(), &PARSES)),
        }
    }
    rust_source::mark_test_files(&mut sources);
    (sources, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;

    #[test]
    fn all_findings_are_listed_in_order_of_their_places() {
        let files = ["b.rs", "a.rs"].map(|path| TreeFile::of_text(path, "fn broken( {}\n"));
        let tree = Tree { files: files.into() };
        let (sources, findings) = parse_sources(&tree);
        assert_eq!((sources.len(), findings.len()), (0, 2));
    }
}
