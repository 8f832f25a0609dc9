//! What a crate's own code may name: pure crates no IO and no clock, and only the keepers what is theirs to keep.

use syn::visit::{self, Visit};

use crate::finding::Finding;
use crate::rust_source::RustSource;
use crate::walls::{self, IO_PATHS, NAME_KEEPERS, Wall};
use crate::workspace::Workspace;

/// Finds names outside tests that the walls keep from the crate to which the file belongs.
pub(crate) fn check(source: &RustSource, workspace: &Workspace) -> Vec<Finding> {
    let owner = workspace.crates.iter().find(|member| member.owns(&source.path));
    let wall = owner.and_then(|owner| walls::WALLS.iter().find(|wall| wall.name == owner.name));
    match wall {
        Some(wall) if !source.is_test_file() => check_in(source, wall),
        _ => Vec::new(),
    }
}

fn check_in(source: &RustSource, wall: &Wall) -> Vec<Finding> {
    let mut findings = kept_names(source, wall);
    if wall.is_pure && !source.path.ends_with("/build.rs") {
        let mut paths = Paths::default();
        paths.visit_file(&source.syntax);
        let banned = paths.found.into_iter().filter(|(path, line)| does_io(path) && !source.is_test_line(*line));
        let what = |path: &str| format!("pure crate `{}` names `{path}`", wall.name);
        findings.extend(banned.map(|(path, line)| Finding::new(&source.path, line, what(&path), walls::purity())));
    }
    findings
}

fn kept_names(source: &RustSource, wall: &Wall) -> Vec<Finding> {
    let kept = NAME_KEEPERS.iter().filter(|keeper| !keeper.crates.contains(&wall.name));
    kept.flat_map(|keeper| {
        let lines = source.tokens.iter().filter(|token| token.text == keeper.what).map(|token| token.line);
        let what = format!("crate `{}` names `{}`", wall.name, keeper.what);
        let lines = lines.filter(|line| !source.is_test_line(*line));
        lines.map(move |line| Finding::new(&source.path, line, what.clone(), &keeper.rule)).collect::<Vec<_>>()
    })
    .collect()
}

/// Whether a path begins with one that does IO, or reads a clock.
fn does_io(path: &str) -> bool {
    let is_below =
        |banned: &&str| path.strip_prefix(banned).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    IO_PATHS.iter().any(is_below) || path.ends_with("::now")
}

/// Collects every path that is written or imported, with its line.
#[derive(Default)]
struct Paths {
    found: Vec<(String, usize)>,
}

impl Paths {
    fn tree(&mut self, before: &str, tree: &syn::UseTree) {
        let join =
            |ident: &syn::Ident| if before.is_empty() { ident.to_string() } else { format!("{before}::{ident}") };
        match tree {
            syn::UseTree::Path(path) => self.tree(&join(&path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Name(name) => self.found.push((join(&name.ident), name.ident.span().start().line)),
            syn::UseTree::Rename(name) => self.found.push((join(&name.ident), name.ident.span().start().line)),
            syn::UseTree::Glob(glob) => self.found.push((before.to_owned(), glob.star_token.span.start().line)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if let Some(first) = path.segments.first() {
            self.found.push((parts.join("::"), first.ident.span().start().line));
        }
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURE: Wall = Wall { name: "core", may_use: &[], tests_may_use: &[], is_pure: true };
    const SHELL: Wall = Wall { name: "shell", may_use: &[], tests_may_use: &[], is_pure: false };

    fn found(wall: &Wall, text: &str) -> Vec<(usize, String)> {
        let findings = check_in(&RustSource::sample("crates/core/src/lib.rs", text), wall);
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn io_and_clocks_in_a_pure_crate_are_found() {
        let text =
            "use std::{fmt, fs::File};\nfn a() { std::env::var(\"A\"); }\nfn b() { Zoned::now(); }\nuse std::net::*;\n";
        let names = ["std::fs::File", "std::env::var", "Zoned::now", "std::net"];
        let expected: Vec<(usize, String)> =
            names.iter().zip(1..).map(|(name, line)| (line, format!("pure crate `core` names `{name}`"))).collect();
        assert_eq!(found(&PURE, text), expected);
        assert_eq!(found(&SHELL, text), []);
    }

    #[test]
    fn a_pure_crate_may_read_what_it_is_given_and_its_tests_may_read_files() {
        let text = "use std::io::Read;\nfn a(r: impl Read) {}\n#[cfg(test)]\nmod tests {\n  use std::fs;\n}\n";
        assert_eq!(found(&PURE, text), []);
    }

    #[test]
    fn key_material_outside_its_keepers_is_found() {
        let text = "use secp256k1::SecretKey;\n#[cfg(test)]\nmod tests { use secp256k1::SecretKey; }\n";
        assert_eq!(found(&SHELL, text), [(1, "crate `shell` names `SecretKey`".to_owned())]);
    }
}
