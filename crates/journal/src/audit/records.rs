//! Files of records with a hash at their end: exports, and backups of person keys.
//!
//! ```text
//! file   = magic (14 bytes) ‖ version (2) ‖ record … ‖ SHA-256 of all bytes before it (32)
//! record = kind (1) ‖ length of the body (4) ‖ body
//! ```
//!
//! A file is written under another name and gets its own when it is complete and on disk: a file that is there is whole. The
//! hash tells a file that was cut or damaged on its way from a whole one. It is no proof against whoever writes files: that is
//! the hash chain with an anchored head.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use messages::Hash;
use sha2::{Digest as _, Sha256};

/// The most bytes of a record's body: more than an event of the largest size, and than a row of a sane table.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes in front of a record's body.
pub(crate) const RECORD_HEAD_BYTES: usize = 5;

const MAGIC_BYTES: usize = 14;
const FILE_HEAD_BYTES: usize = MAGIC_BYTES + 2;

/// Where the first record begins.
pub(crate) const FIRST_RECORD_OFFSET: u64 = FILE_HEAD_BYTES as u64;

/// How much is read and written at once: 1 MiB.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What a file of records is: its first bytes, and the version that this release writes and reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileKind {
    /// Its name in errors.
    pub(crate) what: &'static str,
    pub(crate) magic: &'static [u8; MAGIC_BYTES],
    pub(crate) version: u16,
}

/// A file of records cannot be written. What was there under its name before is still there.
#[derive(Debug, thiserror::Error)]
pub enum WriteFileError {
    /// Another process writes to the same name.
    #[error("`{}` is being written by another process", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A record is longer than a reader takes.
    #[error("a record of {bytes} bytes is longer than {max}", max = RECORD_BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// A file of records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFileError {
    /// The operating system refused.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`{}` is no {what}: it does not begin like one", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// The file was written by a newer release. Use that.
    #[error("`{}` has version {found} of its format, this release reads version {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
        /// What is known.
        known: u16,
    },
    /// The file ends inside a record, or a length in it is damaged.
    #[error("the record at byte {offset} of `{}` needs {bytes} bytes, and {left} are left: the file is cut or damaged", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// What it needs.
        bytes: usize,
        /// What is left.
        left: u64,
    },
    /// A record says that it is longer than any is.
    #[error("the record at byte {offset} of `{}` says that it has {bytes} bytes, more than {max}", path.display(), max = RECORD_BYTES_MAX)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// Its length.
        bytes: usize,
    },
    /// A record is not of the form of its kind, or stands where its kind may not.
    #[error("the record at byte {offset} of `{}` is wrong: {why}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// Something inside a table is wrong: the events before it may be right all the same.
    #[error("table `{table}` is damaged")]
    Table {
        /// The table.
        table: String,
        /// What is wrong.
        source: Box<ReadFileError>,
    },
    /// The bytes are not those that were written.
    #[error("`{}` has the hash {found}, and says that it has {expected}: it was changed", path.display())]
    Hash {
        /// The file.
        path: PathBuf,
        /// What stands at its end.
        expected: Hash,
        /// What its bytes have.
        found: Hash,
    },
}

/// Writes a file of records.
#[derive(Debug)]
pub(crate) struct RecordWriter {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
    hasher: Sha256,
    is_complete: bool,
}

impl RecordWriter {
    /// Begins the file beside its final name. `is_secret` lets nobody but the owner read it.
    pub(crate) fn create(path: &Path, kind: FileKind, is_secret: bool) -> Result<Self, WriteFileError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let failed = |doing, source| WriteFileError::Io { doing, path: path.to_owned(), source };
        let file = loop {
            let file = open_partial(&partial, is_secret).map_err(|source| failed("make", source))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(WriteFileError::Busy { path: path.to_owned() }),
                Err(TryLockError::Error(source)) => return Err(failed("lock", source)),
            }
            // Each turn means that another writer came to its end between the two lines.
            if is_named(&file, &partial).map_err(|source| failed("look at", source))? {
                break file;
            }
        };
        // What a process that died left under the name goes only now, when it is known that none is writing.
        file.set_len(0).map_err(|source| failed("make", source))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut writer = Self { path: path.to_owned(), partial, file, hasher: Sha256::new(), is_complete: false };
        writer.write(kind.magic)?;
        writer.write(&kind.version.to_be_bytes())?;
        Ok(writer)
    }

    /// Adds a record.
    pub(crate) fn put(&mut self, kind: u8, body: &[u8]) -> Result<(), WriteFileError> {
        let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= RECORD_BYTES_MAX);
        let Some(length) = length else { return Err(WriteFileError::TooLong { bytes: body.len() }) };
        self.write(&[kind])?;
        self.write(&length.to_be_bytes())?;
        self.write(body)
    }

    /// Adds the hash, brings everything to disk, and gives the file its name.
    pub(crate) fn finish(mut self) -> Result<Hash, WriteFileError> {
        let hash = Hash::new(self.hasher.clone().finalize().into());
        self.write(hash.as_bytes())?;
        self.file.flush().map_err(|source| self.failed("write", source))?;
        self.file.get_ref().sync_all().map_err(|source| self.failed("sync", source))?;
        fs::rename(&self.partial, &self.path).map_err(|source| self.failed("name", source))?;
        self.is_complete = true;
        sync_folder(&self.path).map_err(|source| self.failed("sync the folder of", source))?;
        Ok(hash)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteFileError> {
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(|source| self.failed("write", source))
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> WriteFileError {
        WriteFileError::Io { doing, path: self.path.clone(), source }
    }
}

impl Drop for RecordWriter {
    fn drop(&mut self) {
        if !self.is_complete {
            // Nobody is helped by half a file; if it cannot be removed, the next writer empties it.
            drop(fs::remove_file(&self.partial));
        }
    }
}

fn open_partial(partial: &Path, is_secret: bool) -> io::Result<File> {
    let mut options = File::options();
    let _ = options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    if is_secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        let _ = options.mode(0o600);
    }
    options.open(partial)
}

/// Whether a file that was opened by a name still has it. Who opens a file before another writer has finished it, and locks it
/// afterwards, has the finished one in hand.
#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let of_file = file.metadata()?;
    match fs::metadata(path) {
        Ok(of_name) => Ok((of_file.dev(), of_file.ino()) == (of_name.dev(), of_name.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// An open file cannot be given another name there.
#[cfg(not(unix))]
fn is_named(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// A name is on disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// A record as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawRecord<'a> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
}

/// Reads a file of records from front to end, in bounded memory.
#[derive(Debug)]
pub(crate) struct RecordReader {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    buffer: Vec<u8>,
    /// Where in `buffer` the next record begins, and where that is in the file.
    at: usize,
    offset: u64,
    /// Bytes of records that are not in `buffer` yet.
    unread: u64,
}

impl RecordReader {
    /// Opens the file and checks its beginning.
    pub(crate) fn open(path: &Path, kind: FileKind) -> Result<Self, ReadFileError> {
        let failed = |source| ReadFileError::Io { doing: "open", path: path.to_owned(), source };
        let other = || ReadFileError::Other { path: path.to_owned(), what: kind.what };
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut head = [0; FILE_HEAD_BYTES];
        let Some(unread) = bytes.checked_sub((FILE_HEAD_BYTES + Hash::BYTES) as u64) else { return Err(other()) };
        file.read_exact(&mut head).map_err(failed)?;
        if &head[..MAGIC_BYTES] != kind.magic {
            return Err(other());
        }
        let found = u16::from_be_bytes([head[MAGIC_BYTES], head[MAGIC_BYTES + 1]]);
        if found != kind.version {
            return Err(ReadFileError::Version { path: path.to_owned(), found, known: kind.version });
        }
        let mut hasher = Sha256::new();
        hasher.update(head);
        let (buffer, offset) = (Vec::new(), FIRST_RECORD_OFFSET);
        Ok(Self { path: path.to_owned(), file, hasher, buffer, at: 0, offset, unread })
    }

    /// The next record, `None` at the end of the file, whose hash is then compared.
    pub(crate) fn next(&mut self) -> Result<Option<RawRecord<'_>>, ReadFileError> {
        if self.left() == 0 {
            return self.end().map(|()| None);
        }
        self.need(RECORD_HEAD_BYTES)?;
        let head = &self.buffer[self.at..];
        let (kind, bytes) = (head[0], u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize);
        if bytes > RECORD_BYTES_MAX {
            return Err(ReadFileError::TooLong { path: self.path.clone(), offset: self.offset, bytes });
        }
        let whole = RECORD_HEAD_BYTES + bytes;
        self.need(whole)?;
        let (offset, body) = (self.offset, self.at + RECORD_HEAD_BYTES..self.at + whole);
        self.at += whole;
        self.offset += whole as u64;
        Ok(Some(RawRecord { offset, kind, body: &self.buffer[body] }))
    }

    /// The error that the record at this place is wrong.
    pub(crate) fn wrong(&self, offset: u64, why: impl Into<String>) -> ReadFileError {
        ReadFileError::Record { path: self.path.clone(), offset, why: why.into() }
    }

    fn left(&self) -> u64 {
        (self.buffer.len() - self.at) as u64 + self.unread
    }

    /// Makes sure that so many bytes stand in the buffer.
    fn need(&mut self, bytes: usize) -> Result<(), ReadFileError> {
        if self.buffer.len() - self.at >= bytes {
            return Ok(());
        }
        let left = self.left();
        if left < bytes as u64 {
            return Err(ReadFileError::Cut { path: self.path.clone(), offset: self.offset, bytes, left });
        }
        let _ = self.buffer.drain(..self.at);
        self.at = 0;
        let kept = self.buffer.len();
        let wanted = (bytes.max(BUFFER_BYTES) - kept).min(usize::try_from(self.unread).unwrap_or(usize::MAX));
        self.buffer.resize(kept + wanted, 0);
        let read = self.file.read_exact(&mut self.buffer[kept..]);
        read.map_err(|source| ReadFileError::Io { doing: "read", path: self.path.clone(), source })?;
        self.hasher.update(&self.buffer[kept..]);
        self.unread -= wanted as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<(), ReadFileError> {
        let mut expected = [0; Hash::BYTES];
        let read = self.file.read_exact(&mut expected);
        read.map_err(|source| ReadFileError::Io { doing: "read", path: self.path.clone(), source })?;
        let (expected, found) = (Hash::new(expected), Hash::new(self.hasher.clone().finalize().into()));
        if expected == found { Ok(()) } else { Err(ReadFileError::Hash { path: self.path.clone(), expected, found }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: FileKind = FileKind { what: "test", magic: b"lastro.test.r\0", version: 3 };

    /// The first writer opens the file, a second one too; the first finishes it before the second has locked it.
    #[test]
    fn a_file_that_was_finished_meanwhile_is_not_the_one_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("file.partial");
        let file = open_partial(&partial, true).unwrap();
        assert!(is_named(&file, &partial).unwrap());
        fs::rename(&partial, folder.path().join("file")).unwrap();
        assert!(!is_named(&file, &partial).unwrap());
        let _third = open_partial(&partial, true).unwrap();
        assert!(!is_named(&file, &partial).unwrap());
    }

    fn written(folder: &Path, bodies: &[Vec<u8>]) -> PathBuf {
        let path = folder.join("file");
        let mut writer = RecordWriter::create(&path, KIND, true).unwrap();
        for body in bodies {
            writer.put(7, body).unwrap();
        }
        let _ = writer.finish().unwrap();
        path
    }

    fn read(path: &Path) -> Result<Vec<Vec<u8>>, ReadFileError> {
        let mut reader = RecordReader::open(path, KIND)?;
        let mut bodies = Vec::new();
        while let Some(record) = reader.next()? {
            bodies.push(record.body.to_vec());
        }
        Ok(bodies)
    }

    #[test]
    fn records_of_all_lengths_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let lengths = [0, 1, 1000, BUFFER_BYTES - 5, BUFFER_BYTES, BUFFER_BYTES + 1, 3, RECORD_BYTES_MAX, 0];
        let bodies: Vec<Vec<u8>> = lengths.iter().map(|length| vec![length.to_le_bytes()[0]; *length]).collect();
        assert_eq!(read(&written(folder.path(), &bodies)).unwrap(), bodies);
    }

    #[test]
    fn a_file_cut_anywhere_and_a_flip_of_any_byte_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), &[b"one".to_vec(), Vec::new(), b"three".to_vec()]);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path).is_err(), "cut to {length} bytes");
        }
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 0x10;
            fs::write(&path, &flipped).unwrap();
            assert!(read(&path).is_err(), "byte {place}");
        }
        fs::write(&path, [whole.as_slice(), b"x"].concat()).unwrap();
        assert!(read(&path).is_err(), "a byte more");
    }

    #[test]
    fn a_record_over_the_limit_is_refused_with_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = RecordWriter::create(&folder.path().join("file"), KIND, false).unwrap();
        let error = writer.put(1, &vec![0; RECORD_BYTES_MAX + 1]).unwrap_err().to_string();
        assert_eq!(error, "a record of 4194305 bytes is longer than 4194304");
    }

    #[test]
    fn what_is_not_finished_leaves_what_was_there_and_no_second_writer_disturbs_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), &[b"old".to_vec()]);
        let mut writer = RecordWriter::create(&path, KIND, false).unwrap();
        writer.put(7, b"new").unwrap();
        assert!(matches!(RecordWriter::create(&path, KIND, false), Err(WriteFileError::Busy { .. })));
        drop(writer);
        assert_eq!(read(&path).unwrap(), [b"old"]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), &[]);
        let error = RecordReader::open(&path, FileKind { version: 2, ..KIND }).unwrap_err().to_string();
        assert!(error.ends_with("has version 3 of its format, this release reads version 2"), "{error}");
    }
}
