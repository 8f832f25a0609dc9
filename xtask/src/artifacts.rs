//! Shows that the committed contract artifacts are what the committed contracts compile to.
//!
//! The work is done by the Foundry project's own script: this only prepares its packages and passes its verdict on.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use crate::printer::Printer;

const SCRIPT: &str = "tools/build-artifacts.mjs";

/// Installs the pinned packages if the lock file is newer than they are, then rebuilds and compares.
/// `Ok(false)` means that the artifacts differ; the script has said in what.
///
/// # Errors
/// If `node` or `npm` cannot be run, or the packages cannot be installed.
pub(crate) fn check(root: &Path, printer: &Printer) -> Result<bool> {
    let project = root.join("solidity");
    if packages_are_stale(&project) {
        printer.note("artifacts: installing the contracts' pinned packages with `npm ci` in solidity/");
        let status = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(&project).status();
        let status = status.context("cannot run `npm`; install Node.js 20 or newer")?;
        ensure!(status.success(), "`npm ci` in solidity/ failed ({status})");
    }
    let status = Command::new("node").args([SCRIPT, "--check"]).current_dir(&project).status();
    let status = status.context("cannot run `node`; install Node.js 20 or newer")?;
    Ok(status.success())
}

/// npm writes `node_modules/.package-lock.json` last, so its age is that of a complete installation.
fn packages_are_stale(project: &Path) -> bool {
    let wanted = modified(&project.join("package-lock.json"));
    let installed = modified(&project.join("node_modules/.package-lock.json"));
    installed.is_none() || wanted > installed
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}
