//! Passphrases: where they come from, and that they go nowhere else.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The longest passphrase, in bytes; a longer file is not a passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1024;

/// A passphrase. It is wiped when dropped and printed as `***`.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// The passphrase could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The file cannot be read. Check its name and mode.
    #[error("cannot read the passphrase file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The environment variable is not set. Set it, or name a file.
    #[error("environment variable `{name}` with the passphrase is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// There is nothing but a line end.
    #[error("the passphrase from {origin} is empty")]
    Empty {
        /// Where it was looked for.
        origin: String,
    },
    /// It is longer than a passphrase may be.
    #[error("the passphrase from {origin} is longer than {max} bytes", max = PASSPHRASE_BYTES_MAX)]
    TooLong {
        /// Where it was looked for.
        origin: String,
    },
}

impl Passphrase {
    /// Reads the file's content as the passphrase, without the line end after it.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds nothing, or more than [`PASSPHRASE_BYTES_MAX`] bytes.
    pub fn from_file(path: &Path) -> Result<Self, PassphraseError> {
        let failed = |source| PassphraseError::File { path: path.to_owned(), source };
        // One buffer, large enough from the start: a growing one would leave copies behind that nobody wipes.
        let mut buffer = Zeroizing::new(vec![0_u8; PASSPHRASE_BYTES_MAX + 3]);
        let mut file = File::open(path).map_err(failed)?;
        let mut length = 0;
        loop {
            match file.read(&mut buffer[length..]).map_err(failed)? {
                0 => break,
                count => length += count,
            }
        }
        buffer.truncate(length);
        Self::new(buffer, || format!("file `{}`", path.display()))
    }

    /// Reads the environment variable as the passphrase. The environment keeps its copy, so a file is the better place.
    ///
    /// # Errors
    ///
    /// The variable is not set, or holds nothing, or more than [`PASSPHRASE_BYTES_MAX`] bytes.
    pub fn from_env(name: &str) -> Result<Self, PassphraseError> {
        let value = std::env::var_os(name).ok_or_else(|| PassphraseError::NotSet { name: name.to_owned() })?;
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        Self::new(bytes, || format!("environment variable `{name}`"))
    }

    fn new(mut bytes: Zeroizing<Vec<u8>>, origin: impl Fn() -> String) -> Result<Self, PassphraseError> {
        let end = if bytes.ends_with(b"\r\n") { 2 } else { usize::from(bytes.ends_with(b"\n")) };
        let length = bytes.len() - end;
        bytes.truncate(length);
        if bytes.is_empty() {
            return Err(PassphraseError::Empty { origin: origin() });
        }
        if bytes.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseError::TooLong { origin: origin() });
        }
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Another copy, for whoever must log in again later. It is wiped when dropped as well.
    pub(crate) fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(***)")
    }
}

#[cfg(test)]
impl Passphrase {
    pub(crate) fn of_text(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn one_line_end_is_not_part_of_the_passphrase() {
        for (content, expected) in [
            (&b"abc\n"[..], &b"abc"[..]),
            (b"abc\r\n", b"abc"),
            (b"abc", b"abc"),
            (b"abc\n\n", b"abc\n"),
            (b" a ", b" a "),
        ] {
            let passphrase = Passphrase::from_file(file_with(content).path()).unwrap();
            assert_eq!(passphrase.as_bytes(), expected);
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused_at_the_limit() {
        assert!(matches!(Passphrase::from_file(file_with(b"\n").path()), Err(PassphraseError::Empty { .. })));
        let longest = file_with(&[b'x'; PASSPHRASE_BYTES_MAX]);
        assert_eq!(Passphrase::from_file(longest.path()).unwrap().as_bytes().len(), PASSPHRASE_BYTES_MAX);
        for bytes in [PASSPHRASE_BYTES_MAX + 1, 100_000] {
            let refused = Passphrase::from_file(file_with(&vec![b'x'; bytes]).path());
            assert!(matches!(refused, Err(PassphraseError::TooLong { .. })), "{bytes}");
        }
    }

    #[test]
    fn a_missing_file_or_variable_is_named() {
        let error = Passphrase::from_file(Path::new("/nonexistent/pass")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read the passphrase file `/nonexistent/pass`");
        let error = Passphrase::from_env("LASTRO_NO_SUCH_VARIABLE").unwrap_err();
        assert_eq!(error.to_string(), "environment variable `LASTRO_NO_SUCH_VARIABLE` with the passphrase is not set");
    }

    #[test]
    fn a_variable_holds_a_passphrase() {
        let path = std::env::var_os("PATH").unwrap().into_encoded_bytes();
        if path.len() <= PASSPHRASE_BYTES_MAX {
            assert_eq!(Passphrase::from_env("PATH").unwrap().as_bytes(), path);
        }
    }
}
