//! One process per SQLite store: a lock on a file beside it, with the holder's process id inside.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::OpenError;

/// The most bytes that are read of what a holder wrote about itself.
const HOLDER_BYTES_MAX: u64 = 100;

/// The lock, for as long as this lives. The operating system releases it with the process, however that ends.
#[derive(Debug)]
pub(super) struct LockFile {
    /// Held for its lock alone.
    _file: File,
}

impl LockFile {
    /// Takes the lock of the store, or says who has it.
    pub(super) fn take(store: &Path) -> Result<Self, OpenError> {
        let path = beside(store);
        let failed = |action, source| OpenError::Lock { action, path: path.clone(), source };
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|source| failed("open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Held { path: store.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
        }
        let name = format!("process {}\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes()));
        written.map_err(|source| failed("write", source))?;
        Ok(Self { _file: file })
    }
}

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn holder(file: &mut File) -> String {
    let mut name = String::new();
    match file.take(HOLDER_BYTES_MAX).read_to_string(&mut name) {
        Ok(_) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("journal.db");
        let first = LockFile::take(&store).unwrap();
        let second = LockFile::take(&store).map(|_| ()).unwrap_err().to_string();
        assert!(second.ends_with(&format!("is held by process {}", std::process::id())), "{second}");
        drop(first);
        drop(LockFile::take(&store).unwrap());
    }
}
