//! The workspace as cargo sees it, cut down to what the rules ask: our crates with what they declare, and every package
//! of the lock file with its licence and source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// When a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// By the crate itself.
    Normal,
    /// By its tests, benchmarks and examples.
    Tests,
    /// By its build script.
    Build,
}

/// A dependency as a crate of ours declares it.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    /// Name of the package.
    pub(crate) name: String,
    /// Name by which code calls it.
    pub(crate) code_name: String,
    /// When it is needed.
    pub(crate) need: Need,
    /// Whether it is a crate of this workspace.
    pub(crate) is_ours: bool,
}

/// A crate of ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crate {
    /// Name of the package.
    pub(crate) name: String,
    /// Folder from the root of the repository, with `/`.
    pub(crate) folder: String,
    /// What it declares.
    pub(crate) dependencies: Vec<Declared>,
    /// Names of all packages that its own code is linked with, however far away; tests and build scripts are left out.
    pub(crate) linked: BTreeSet<String>,
}

impl Crate {
    /// Path of its manifest from the root of the repository.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// Whether the file at `path` belongs to the crate.
    pub(crate) fn owns(&self, path: &str) -> bool {
        path.strip_prefix(self.folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// A package of the lock file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its SPDX expression, as its manifest has it.
    pub(crate) licence: Option<String>,
    /// Where it comes from; `None` for a path inside the repository.
    pub(crate) source: Option<String>,
}

/// All crates and packages.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Our crates, by name.
    pub(crate) crates: Vec<Crate>,
    /// Every package that any of them can pull in on any platform.
    pub(crate) packages: Vec<Package>,
}

/// The root of the repository: the parent of this crate's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Asks cargo, with the lock file as it is.
///
/// # Errors
/// If cargo cannot be run, or the lock file does not fit the manifests.
pub(crate) fn load(root: &Path) -> Result<Workspace> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .context("`cargo metadata --locked` failed; if the lock file is old, run `cargo check` and commit it")?;
    let mut crates: Vec<Crate> = metadata
        .workspace_packages()
        .into_iter()
        .map(|package| read_crate(root, &metadata, package))
        .collect::<Result<_>>()?;
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    let packages = metadata.packages.iter().map(read_package).collect();
    Ok(Workspace { crates, packages })
}

fn read_crate(root: &Path, metadata: &Metadata, package: &cargo_metadata::Package) -> Result<Crate> {
    let folder = package.manifest_path.parent().context("a manifest has no folder")?;
    let folder = folder.as_std_path().strip_prefix(root).context("a member lies outside the repository")?;
    Ok(Crate {
        name: package.name.to_string(),
        folder: folder.to_str().context("a folder's name is not UTF-8")?.replace('\\', "/"),
        dependencies: package.dependencies.iter().map(read_dependency).collect(),
        linked: linked(metadata, &package.id),
    })
}

fn read_dependency(dependency: &cargo_metadata::Dependency) -> Declared {
    let called = dependency.rename.as_ref().unwrap_or(&dependency.name);
    Declared {
        name: dependency.name.clone(),
        code_name: called.replace('-', "_"),
        need: match dependency.kind {
            DependencyKind::Development => Need::Tests,
            DependencyKind::Build => Need::Build,
            _ => Need::Normal,
        },
        is_ours: dependency.path.is_some(),
    }
}

fn read_package(package: &cargo_metadata::Package) -> Package {
    Package {
        name: package.name.to_string(),
        version: package.version.to_string(),
        licence: package.license.clone(),
        source: package.source.as_ref().map(ToString::to_string),
    }
}

/// Walks normal dependencies from `start`; the start itself is left out.
fn linked(metadata: &Metadata, start: &PackageId) -> BTreeSet<String> {
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let nodes: BTreeMap<&PackageId, _> = nodes.map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        for next in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
            let is_normal = next.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            if is_normal && seen.insert(&next.pkg) {
                open.push(&next.pkg);
            }
        }
    }
    seen.into_iter().map(|id| metadata[id].name.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_owns_what_lies_below_its_folder_only() {
        let sample = Crate { folder: "crates/chain".to_owned(), ..Crate::default() };
        assert!(sample.owns("crates/chain/src/lib.rs"));
        assert!(!sample.owns("crates/chain-store/src/lib.rs"));
    }

    #[test]
    fn this_workspace_is_read_with_its_own_crate_in_it() {
        let workspace = load(&root()).expect("cargo describes the workspace");
        let own = workspace.crates.iter().find(|member| member.name == "xtask").expect("xtask is a member");
        assert_eq!(own.manifest(), "xtask/Cargo.toml");
        assert!(own.linked.contains("proc-macro2"), "syn links proc-macro2");
        assert!(own.dependencies.iter().any(|dependency| dependency.code_name == "proc_macro2"));
    }
}
