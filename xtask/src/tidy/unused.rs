//! Dependencies that no code mentions, and dependencies of the crate itself that only its tests mention.

use crate::finding::{Finding, Rule, line_where};
use crate::rust_source::RustSource;
use crate::tree::Tree;
use crate::workspace::{Crate, Declared, Need, Workspace};

const UNUSED: Rule = Rule { why: "what is not used is built, shipped and audited for nothing", remedy: "remove it" };
const ONLY_TESTS: Rule =
    Rule { why: "what only tests use is built and audited for every user", remedy: "move it to `[dev-dependencies]`" };

/// Dependencies that are declared for their features alone, each with its reason: (crate, dependency, reason).
const UNMENTIONED: &[(&str, &str, &str)] = &[];

/// Looks for the name of every declared dependency in the code of its crate.
pub(crate) fn check(workspace: &Workspace, tree: &Tree, sources: &[RustSource]) -> Vec<Finding> {
    workspace.crates.iter().flat_map(|member| check_crate(member, tree, sources)).collect()
}

fn check_crate(member: &Crate, tree: &Tree, sources: &[RustSource]) -> Vec<Finding> {
    let path = member.manifest();
    let manifest = tree.text(&path).unwrap_or_default();
    let own: Vec<&RustSource> = sources.iter().filter(|source| member.owns(&source.path)).collect();
    let mut findings = Vec::new();
    for dependency in member.dependencies.iter().filter(|dependency| !is_excepted(member, dependency)) {
        let Some((what, rule)) = breach(dependency, &own) else { continue };
        let starts =
            |line: &str| line.strip_prefix(&dependency.name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
        findings.push(Finding::new(&path, line_where(manifest, starts), what, rule));
    }
    findings
}

fn is_excepted(member: &Crate, dependency: &Declared) -> bool {
    UNMENTIONED.iter().any(|(name, excepted, _)| *name == member.name && *excepted == dependency.name)
}

fn breach(dependency: &Declared, own: &[&RustSource]) -> Option<(String, &'static Rule)> {
    let name = &dependency.name;
    let mentions = |is_wanted: fn(&RustSource, usize) -> bool| {
        own.iter().any(|source| source.names(&dependency.code_name, |line| is_wanted(source, line)))
    };
    if mentions(|source, line| does_need(source, line, Need::Normal)) && dependency.need != Need::Build {
        return None;
    }
    match dependency.need {
        Need::Build if mentions(|source, line| does_need(source, line, Need::Build)) => None,
        Need::Tests if mentions(|source, line| does_need(source, line, Need::Tests)) => None,
        Need::Normal if mentions(|source, line| does_need(source, line, Need::Tests)) => {
            Some((format!("only tests use `{name}`"), &ONLY_TESTS))
        }
        Need::Normal | Need::Tests | Need::Build => Some((format!("nothing uses `{name}`"), &UNUSED)),
    }
}

/// Whether a line belongs to what `need` stands for: the build script, tests with benchmarks and examples, or the crate.
fn does_need(source: &RustSource, line: usize, need: Need) -> bool {
    let is_build = source.path.ends_with("/build.rs");
    let is_beside = source.path.contains("/benches/") || source.path.contains("/examples/");
    let actual = match (is_build, is_beside || source.is_test_line(line)) {
        (true, _) => Need::Build,
        (false, true) => Need::Tests,
        (false, false) => Need::Normal,
    };
    actual == need
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(need: Need, path: &str, code: &str) -> Vec<String> {
        let dependency =
            Declared { name: "serde-json".to_owned(), code_name: "serde_json".to_owned(), need, is_ours: false };
        let member = Crate { folder: "crates/x".to_owned(), dependencies: vec![dependency], ..Crate::default() };
        let findings = check_crate(&member, &Tree::default(), &[RustSource::sample(path, code)]);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_dependency_that_code_names_passes() {
        assert_eq!(found(Need::Normal, "crates/x/src/lib.rs", "use serde_json::Value;\n"), Vec::<String>::new());
        assert_eq!(found(Need::Tests, "crates/x/tests/it/main.rs", "use serde_json::Value;\n"), Vec::<String>::new());
        assert_eq!(found(Need::Build, "crates/x/build.rs", "use serde_json::Value;\n"), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_that_only_a_comment_names_is_found() {
        let code = "//! Not serde_json.\n// serde_json\nfn a() { let _ = \"serde_json\"; }\n";
        assert_eq!(found(Need::Normal, "crates/x/src/lib.rs", code), ["nothing uses `serde-json`"]);
    }

    #[test]
    fn a_mention_by_another_crate_does_not_count() {
        assert_eq!(
            found(Need::Normal, "crates/y/src/lib.rs", "use serde_json::Value;\n"),
            ["nothing uses `serde-json`"]
        );
    }

    #[test]
    fn a_normal_dependency_of_tests_alone_is_found() {
        let code = "#[cfg(test)]\nmod tests { use serde_json::Value; }\n";
        assert_eq!(found(Need::Normal, "crates/x/src/lib.rs", code), ["only tests use `serde-json`"]);
    }
}
