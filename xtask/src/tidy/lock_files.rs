//! Lock files name the public registries or none, and pin what they list, so that every machine gets the same packages.

use crate::finding::{Finding, Rule};
use crate::tree::TreeFile;

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
const NPM: &str = "https://registry.npmjs.org/";

const REGISTRY: Rule = Rule {
    why: "a fresh clone on another machine cannot reach a private mirror",
    remedy: "take the package from the public registry and write the lock file again, without the mirror's addresses",
};
const PINNED: Rule = Rule {
    why: "two machines must test the same packages",
    remedy: "write `name==version`, for packages of packages too",
};

/// Checks a lock file, or a file that steers a package client; others pass.
pub(crate) fn check(file: &TreeFile) -> Vec<Finding> {
    let is_breach: fn(&str) -> Option<(String, &'static Rule)> = match file.name() {
        "Cargo.lock" => cargo_line,
        "package-lock.json" | "npm-shrinkwrap.json" => npm_line,
        "requirements.txt" => python_line,
        ".npmrc" => npm_setting,
        "config.toml" if file.path.contains(".cargo/") => cargo_setting,
        _ => return Vec::new(),
    };
    let lines = file.text.as_deref().unwrap_or_default().lines().zip(1..);
    let breaches = lines.filter_map(|(text, line)| is_breach(text.trim()).map(|(what, rule)| (what, rule, line)));
    breaches.map(|(what, rule, line)| Finding::new(&file.path, line, what, rule)).collect()
}

fn cargo_line(line: &str) -> Option<(String, &'static Rule)> {
    let source = line.strip_prefix("source = \"")?.strip_suffix('"')?;
    (source != CRATES_IO).then(|| (format!("source `{source}`"), &REGISTRY))
}

fn npm_line(line: &str) -> Option<(String, &'static Rule)> {
    let address = line.strip_prefix("\"resolved\": \"")?;
    let address = address.trim_end_matches(['"', ',']);
    (!address.starts_with(NPM)).then(|| (format!("address `{address}`"), &REGISTRY))
}

fn npm_setting(line: &str) -> Option<(String, &'static Rule)> {
    let names_registry = line.split('=').next().is_some_and(|key| key.trim().ends_with("registry"));
    names_registry.then(|| (format!("setting `{line}`"), &REGISTRY))
}

fn cargo_setting(line: &str) -> Option<(String, &'static Rule)> {
    (line.starts_with("[source") || line.starts_with("replace-with")).then(|| (format!("setting `{line}`"), &REGISTRY))
}

fn python_line(line: &str) -> Option<(String, &'static Rule)> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    if line.starts_with('-') || line.contains("://") {
        return Some((format!("line `{line}`"), &REGISTRY));
    }
    (!line.contains("==")).then(|| (format!("`{line}` has no version"), &PINNED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let findings = check(&TreeFile::of_text(path, text));
        findings.into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    #[test]
    fn public_registries_pass() {
        assert_eq!(found("Cargo.lock", &format!("source = \"{CRATES_IO}\"\n")), []);
        assert_eq!(found("a/package-lock.json", &format!("  \"resolved\": \"{NPM}a/-/a-1.tgz\",\n")), []);
        assert_eq!(found("a/.npmrc", "omit-lockfile-registry-resolved=true\n"), []);
        assert_eq!(found(".cargo/config.toml", "[alias]\nxtask = \"run\"\n"), []);
        assert_eq!(found("a/requirements.txt", "# pinned\nweb3==8.0.0\n"), []);
    }

    #[test]
    fn mirrors_are_found() {
        let mirror = "https://mirror.example/";
        assert_eq!(found("Cargo.lock", &format!("source = \"sparse+{mirror}\"\n")).len(), 1);
        assert_eq!(
            found("a/package-lock.json", &format!("{{\n  \"resolved\": \"{mirror}a.tgz\",\n")),
            [(2, "address `https://mirror.example/a.tgz`".to_owned())]
        );
        assert_eq!(found("a/.npmrc", &format!("registry={mirror}\n")).len(), 1);
        assert_eq!(found(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"mirror\"\n").len(), 2);
        assert_eq!(found("a/requirements.txt", &format!("--index-url {mirror}\n")).len(), 1);
    }

    #[test]
    fn a_python_package_without_version_is_found() {
        assert_eq!(found("a/requirements.txt", "web3>=8\n"), [(1, "`web3>=8` has no version".to_owned())]);
    }
}
