//! The files that belong to the repository: tracked by git, or new and not ignored.
//!
//! Everything is read once; rules get text and never touch the disk, so that a test hands them a sample.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// One file of the repository.
#[derive(Debug, Default)]
pub(crate) struct TreeFile {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// Its text; `None` for what is not UTF-8.
    pub(crate) text: Option<String>,
    /// Its size in bytes.
    pub(crate) size_bytes: u64,
    /// Whether its owner may execute it.
    pub(crate) is_executable: bool,
}

impl TreeFile {
    /// A file of text that is not executable.
    #[cfg(test)]
    pub(crate) fn of_text(path: &str, text: &str) -> Self {
        let size_bytes = u64::try_from(text.len()).expect("a sample is small");
        Self { path: path.to_owned(), text: Some(text.to_owned()), size_bytes, is_executable: false }
    }

    /// The last component of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// All files of the repository, in order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The files.
    pub(crate) files: Vec<TreeFile>,
}

impl Tree {
    /// Reads every file of the repository at `root`.
    ///
    /// # Errors
    /// If `git` cannot list the files, or one of them cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot run `git ls-files`; tidy looks at what git would commit")?;
        ensure!(listing.status.success(), "`git ls-files` failed: {}", String::from_utf8_lossy(&listing.stderr));
        let listing = String::from_utf8(listing.stdout).context("a path is not UTF-8")?;
        let mut paths: Vec<&str> = listing.split('\0').filter(|path| root.join(path).is_file()).collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths.into_iter().map(|path| read_file(root, path)).collect::<Result<_>>()?;
        Ok(Self { files })
    }

    /// The text of the file at `path`, if there is such a file and it is text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }
}

fn read_file(root: &Path, path: &str) -> Result<TreeFile> {
    let place = root.join(path);
    let bytes = fs::read(&place).with_context(|| format!("cannot read `{path}`"))?;
    let mode = fs::metadata(&place).with_context(|| format!("cannot inspect `{path}`"))?.permissions().mode();
    let size_bytes = u64::try_from(bytes.len())?;
    Ok(TreeFile {
        path: path.to_owned(),
        text: String::from_utf8(bytes).ok(),
        size_bytes,
        is_executable: mode & 0o100 != 0,
    })
}
