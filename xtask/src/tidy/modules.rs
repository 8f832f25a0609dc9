//! Modules: every file says what it is, names say what is inside, and nothing is exported unseen.

use syn::visit::{self, Visit};

use crate::finding::{Finding, Rule};
use crate::rust_source::RustSource;
use crate::tree::TreeFile;

const HEAD: Rule = Rule {
    why: "a stranger must know within a minute what a file promises",
    remedy: "begin with `//!` and say what it is and what it must not know",
};
const MOD_FILE: Rule =
    Rule { why: "ten tabs named `mod.rs` tell nothing", remedy: "name it `foo.rs` and keep its children in `foo/`" };
const DRAWER: Rule = Rule {
    why: "a name without a noun becomes a drawer for everything",
    remedy: "name it after the idea inside, or move each part to the module that needs it",
};
const GLOB: Rule =
    Rule { why: "what a crate offers is decided item by item", remedy: "name each item that is meant to be seen" };

const DRAWERS: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc"];
const SOURCE_ENDINGS: &[&str] = &["rs", "sol", "mjs", "js", "ts", "py", "sh"];

/// Checks the names of a source file and of its folders.
pub(crate) fn check_path(file: &TreeFile) -> Vec<Finding> {
    let Some((stem, ending)) = file.path.rsplit_once('.') else { return Vec::new() };
    if !SOURCE_ENDINGS.contains(&ending) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if file.name() == "mod.rs" {
        findings.push(Finding::new(&file.path, 1, "a file named `mod.rs`", &MOD_FILE));
    }
    let drawers = stem.split('/').filter(|part| DRAWERS.contains(part));
    findings.extend(drawers.map(|part| Finding::new(&file.path, 1, format!("a place named `{part}`"), &DRAWER)));
    findings
}

/// Checks what a Rust file says about itself and what it declares.
pub(crate) fn check(source: &RustSource) -> Vec<Finding> {
    let mut visitor = Items { path: &source.path, findings: Vec::new() };
    if !source.text.starts_with("//!") {
        visitor.findings.push(Finding::new(&source.path, 1, "the file does not begin with `//!`", &HEAD));
    }
    visitor.visit_file(&source.syntax);
    visitor.findings
}

struct Items<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Items<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        if module.content.is_some() && DRAWERS.contains(&name.as_str()) {
            let line = module.ident.span().start().line;
            self.findings.push(Finding::new(self.path, line, format!("a place named `{name}`"), &DRAWER));
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !matches!(item.vis, syn::Visibility::Inherited) && has_glob(&item.tree) {
            let line = item.use_token.span.start().line;
            self.findings.push(Finding::new(self.path, line, "everything of a module is re-exported", &GLOB));
        }
    }
}

fn has_glob(tree: &syn::UseTree) -> bool {
    match tree {
        syn::UseTree::Path(path) => has_glob(&path.tree),
        syn::UseTree::Group(group) => group.items.iter().any(has_glob),
        syn::UseTree::Glob(_) => true,
        syn::UseTree::Name(_) | syn::UseTree::Rename(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let findings = check(&RustSource::sample("a.rs", text));
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn found_in_path(path: &str) -> Vec<String> {
        check_path(&TreeFile::of_text(path, "")).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_file_without_head_is_found() {
        assert_eq!(found("use std::fmt;\n"), [(1, "the file does not begin with `//!`".to_owned())]);
        assert_eq!(found("//! Says what it is.\nuse std::fmt;\n"), []);
    }

    #[test]
    fn re_exporting_everything_is_found() {
        let text = "//! Head.\npub use a::*;\npub(crate) use b::{c, d::*};\nuse super::*;\npub use e::f;\n";
        let lines: Vec<usize> = found(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn drawers_are_found_as_module_file_and_folder() {
        assert_eq!(found("//! Head.\nmod helpers { }\nmod lanes { }\n"), [(2, "a place named `helpers`".to_owned())]);
        assert_eq!(found_in_path("crates/x/src/utils/lane.rs"), ["a place named `utils`"]);
        assert_eq!(found_in_path("solidity/src/Misc.sol"), Vec::<String>::new());
        assert_eq!(found_in_path("docs/common.md"), Vec::<String>::new());
    }

    #[test]
    fn a_module_file_is_found() {
        assert_eq!(found_in_path("crates/x/src/lane/mod.rs"), ["a file named `mod.rs`"]);
        assert_eq!(found_in_path("crates/x/src/lane.rs"), Vec::<String>::new());
    }
}
