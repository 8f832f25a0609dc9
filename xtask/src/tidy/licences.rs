//! Licences and sources of every package that any of our crates can pull in, on any platform.
//!
//! `deny.toml` repeats the list for whoever has cargo-deny and its advisory database; a test keeps the two equal.

use crate::finding::{Finding, Rule};
use crate::tidy::spdx;
use crate::tree::Tree;
use crate::workspace::{Package, Workspace};

/// Licences that ask for no more than their text and their notices to be kept.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages with another licence, each with the reason why it may stay.
const EXCEPTIONS: &[(&str, &str, &str)] =
    &[("fastrlp", "MPL-2.0", "named by an optional feature of ruint that is off here; never compiled")];

/// The only place from which packages come.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

const LICENCE: Rule = Rule {
    why: "a bank must be able to use, change and keep the product",
    remedy: "choose another package; if the licence is as free as the others, add it in xtask/src/tidy/licences.rs and deny.toml",
};
const SOURCE: Rule = Rule {
    why: "a package comes from crates.io, where a version never changes, or from this repository",
    remedy: "depend on a published version",
};

/// Checks every package; a finding points at the package's entry in the lock file.
pub(crate) fn check(workspace: &Workspace, tree: &Tree) -> Vec<Finding> {
    let lock = tree.text("Cargo.lock").unwrap_or_default();
    let packages = workspace.packages.iter();
    packages.filter_map(|package| breach(package).map(|(what, rule)| at_entry(lock, package, what, rule))).collect()
}

fn breach(package: &Package) -> Option<(String, &'static Rule)> {
    match &package.source {
        Some(source) if source != CRATES_IO => return Some((format!("source `{source}`"), &SOURCE)),
        _ => {}
    }
    let licence = package.licence.as_deref().unwrap_or("none");
    let is_exception = EXCEPTIONS.iter().any(|(name, excepted, _)| *name == package.name && *excepted == licence);
    match spdx::is_allowed(licence, ALLOWED) {
        Ok(true) => None,
        Ok(false) if is_exception => None,
        Ok(false) => Some((format!("licence `{licence}`"), &LICENCE)),
        Err(error) => Some((format!("licence `{licence}` is not understood: {error}"), &LICENCE)),
    }
}

fn at_entry(lock: &str, package: &Package, what: String, rule: &'static Rule) -> Finding {
    let entry = format!("name = \"{}\"\nversion = \"{}\"\n", package.name, package.version);
    let line = lock.find(&entry).map_or(1, |start| lock[..start].lines().count() + 1);
    Finding::new("Cargo.lock", line, format!("`{} {}`: {what}", package.name, package.version), rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeFile;

    fn package(licence: &str, source: &str) -> Package {
        let (licence, source) = (Some(licence.to_owned()), Some(source.to_owned()));
        Package { name: "sample".to_owned(), version: "1.2.3".to_owned(), licence, source }
    }

    fn found(package: Package) -> Vec<String> {
        let lock = "version = 4\n\n[[package]]\nname = \"sample\"\nversion = \"1.2.3\"\n";
        let tree = Tree { files: vec![TreeFile::of_text("Cargo.lock", lock)] };
        let workspace = Workspace { packages: vec![package], ..Workspace::default() };
        let findings = check(&workspace, &tree);
        findings.into_iter().map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.what)).collect()
    }

    #[test]
    fn a_free_package_from_crates_io_passes() {
        assert_eq!(found(package("MIT OR GPL-3.0-only", CRATES_IO)), Vec::<String>::new());
    }

    #[test]
    fn another_licence_is_found_at_its_entry_in_the_lock_file() {
        assert_eq!(
            found(package("AGPL-3.0-only", CRATES_IO)),
            ["Cargo.lock:4: `sample 1.2.3`: licence `AGPL-3.0-only`"]
        );
    }

    #[test]
    fn a_package_without_licence_is_found() {
        let nameless = Package { licence: None, ..package("", CRATES_IO) };
        assert_eq!(found(nameless), ["Cargo.lock:4: `sample 1.2.3`: licence `none`"]);
    }

    #[test]
    fn an_exception_holds_for_its_package_only() {
        let excepted = Package { name: "fastrlp".to_owned(), ..package("MPL-2.0", CRATES_IO) };
        assert_eq!(found(excepted), Vec::<String>::new());
        assert_eq!(found(package("MPL-2.0", CRATES_IO)).len(), 1);
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        let found = found(package("MIT", "git+https://example.org/sample"));
        assert_eq!(found, ["Cargo.lock:4: `sample 1.2.3`: source `git+https://example.org/sample`"]);
    }

    #[test]
    fn deny_toml_allows_the_same() {
        let deny: toml::Table = include_str!("../../../deny.toml").parse().expect("deny.toml is TOML");
        let listed = deny["licenses"]["allow"].as_array().expect("a list of licences");
        let listed: Vec<&str> = listed.iter().filter_map(toml::Value::as_str).collect();
        assert_eq!(listed, ALLOWED);
    }
}
