//! One process at a time: a lock on a file, with the holder's process id inside, so that whoever comes second is told whom to stop.
//!
//! The operating system releases the lock with the process, however that ends. Must not know: what the lock is for.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The most bytes that are read of what a holder wrote about itself.
const HOLDER_BYTES_MAX: u64 = 100;

/// The lock, for as long as this lives.
#[derive(Debug)]
pub struct ProcessLock {
    /// Held for its lock alone.
    file: File,
}

impl Drop for ProcessLock {
    /// Unlocks, where closing the file would not be enough: a child that another thread is just starting has the file too, until
    /// it runs its own program.
    fn drop(&mut self) {
        // What cannot be unlocked is so when the file is closed.
        drop(self.file.unlock());
    }
}

/// Who holds a lock: its process id, unless it has not written it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder(pub Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}

/// The lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProcessLockError {
    /// Another holder has it.
    #[error("`{}` is locked by {holder}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// The file cannot be used.
    #[error("cannot {action} the lock file `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The lock file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl ProcessLock {
    /// Takes the lock of this file, which is made if it is not there. It does not wait.
    ///
    /// # Errors
    ///
    /// If another holder has it, or the file cannot be used.
    pub fn take(path: &Path) -> Result<Self, ProcessLockError> {
        let failed = |action, source| ProcessLockError::Io { action, path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(|source| failed("open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ProcessLockError::Held { path: path.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
        }
        let id = format!("{}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(id.as_bytes()));
        written.map_err(|source| failed("write", source))?;
        Ok(Self { file })
    }

    /// Takes the lock of the file `<path>.lock` beside `path`.
    ///
    /// # Errors
    ///
    /// See [`Self::take`].
    pub fn take_beside(path: &Path) -> Result<Self, ProcessLockError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        Self::take(Path::new(&name))
    }
}

fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let read = file.take(HOLDER_BYTES_MAX).read_to_string(&mut text);
    Holder(read.ok().and_then(|_| text.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("journal.db");
        let first = ProcessLock::take_beside(&store).unwrap();
        let refused = ProcessLock::take_beside(&store).map(|_| ()).unwrap_err();
        let (path, mine) = (folder.path().join("journal.db.lock"), Holder(Some(std::process::id())));
        assert!(
            matches!(&refused, ProcessLockError::Held { path: held, holder } if *held == path && *holder == mine),
            "{refused:?}"
        );
        assert_eq!(mine.to_string(), format!("process {}", std::process::id()));
        drop(first);
        drop(ProcessLock::take_beside(&store).unwrap());
    }

    #[test]
    fn a_holder_that_has_not_written_itself_is_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = ProcessLock::take(&path).unwrap();
        std::fs::write(&path, "").unwrap();
        let Err(ProcessLockError::Held { holder, .. }) = ProcessLock::take(&path) else { panic!("it is held") };
        assert_eq!(holder.to_string(), "another process");
        drop(held);
    }

    #[test]
    fn a_lock_is_given_back_though_a_child_has_the_file_for_a_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = ProcessLock::take(&path).unwrap();
        let of_the_child = lock.file.try_clone().unwrap();
        drop(lock);
        drop(ProcessLock::take(&path).unwrap());
        drop(of_the_child);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = ProcessLock::take(&folder.path().join("no/lock")).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the lock file `") && error.ends_with("/no/lock`"), "{error}");
    }
}
