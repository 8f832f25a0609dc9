//! The log's files: their names, how they come into being, and what the file system may refuse.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::frame::SegmentHeader;

const NAME_PREFIX: &str = "blocks-";
const NAME_SUFFIX: &str = ".log";

/// Digits in a segment's name. Nobody reaches 10^8 segments of 256 MiB.
const NAME_DIGITS: usize = 8;

/// Number of a segment, counted from 0 without gaps; printed as in its file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SegmentId(u32);

impl SegmentId {
    /// The segment that begins with record 0.
    pub(crate) const FIRST: Self = Self(0);

    /// The segment after this one.
    ///
    /// # Panics
    /// After 10^8 segments, 23 PiB at the usual size.
    pub(crate) fn next(self) -> Self {
        assert!(self.0 < 99_999_999, "a log cannot have more than 10^8 segments");
        Self(self.0 + 1)
    }

    fn parse(file_name: &str) -> Option<Self> {
        let digits = file_name.strip_prefix(NAME_PREFIX)?.strip_suffix(NAME_SUFFIX)?;
        let is_number = digits.len() == NAME_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok().map(Self))?
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.0, width = NAME_DIGITS)
    }
}

/// What the file system was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileAction {
    CreateDirectory,
    List,
    Open,
    Create,
    Read,
    Write,
    Sync,
    Truncate,
    Rename,
}

impl fmt::Display for FileAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateDirectory => "create directory",
            Self::List => "list directory",
            Self::Open => "open",
            Self::Create => "create",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Truncate => "truncate",
            Self::Rename => "rename",
        })
    }
}

/// The file system refused something. Disk, rights or space are the place to look.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} `{}`", path.display())]
pub(crate) struct FileError {
    /// What was asked.
    pub(crate) action: FileAction,
    /// Of which file.
    pub(crate) path: PathBuf,
    /// The answer.
    pub(crate) source: io::Error,
}

impl FileError {
    /// For `map_err`.
    pub(super) fn of(action: FileAction, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self { action, path: path.to_owned(), source }
    }
}

pub(super) fn segment_path(dir: &Path, segment: SegmentId) -> PathBuf {
    dir.join(format!("{NAME_PREFIX}{segment}{NAME_SUFFIX}"))
}

/// The segments in `dir`, in order. Files with other names are not the log's and are passed over.
pub(super) fn list_segments(dir: &Path) -> Result<Vec<SegmentId>, FileError> {
    let failed = || FileError::of(FileAction::List, dir);
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed())? {
        let name = entry.map_err(failed())?.file_name();
        segments.extend(name.to_str().and_then(SegmentId::parse));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Makes a segment without records, durably, and opens it for appending. It gets its name only when it is whole on disk, so
/// that a segment without a whole header is damage and never the trace of a death; what a death leaves behind under
/// another name is overwritten by the next try.
pub(super) fn create_segment(dir: &Path, segment: SegmentId, header: &SegmentHeader) -> Result<File, FileError> {
    let path = segment_path(dir, segment);
    let unfinished = path.with_extension("log.new");
    let mut file = File::create(&unfinished).map_err(FileError::of(FileAction::Create, &unfinished))?;
    file.write_all(&header.encode()).map_err(FileError::of(FileAction::Write, &unfinished))?;
    file.sync_all().map_err(FileError::of(FileAction::Sync, &unfinished))?;
    fs::rename(&unfinished, &path).map_err(FileError::of(FileAction::Rename, &unfinished))?;
    sync_dir(dir)?;
    Ok(file)
}

/// Opens a segment for appending after `end_bytes`, cuts off what stands there, and makes all before durable.
pub(super) fn open_to_append(dir: &Path, segment: SegmentId, end_bytes: u64) -> Result<File, FileError> {
    let path = segment_path(dir, segment);
    let file = OpenOptions::new().write(true).open(&path).map_err(FileError::of(FileAction::Open, &path))?;
    truncate(&file, &path, end_bytes)?;
    sync_dir(dir)?;
    Ok(file)
}

/// Cuts a file to a length and syncs it.
pub(super) fn truncate(file: &File, path: &Path, bytes: u64) -> Result<(), FileError> {
    file.set_len(bytes).map_err(FileError::of(FileAction::Truncate, path))?;
    file.sync_all().map_err(FileError::of(FileAction::Sync, path))
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), FileError> {
    let opened = File::open(dir).map_err(FileError::of(FileAction::Open, dir))?;
    opened.sync_all().map_err(FileError::of(FileAction::Sync, dir))
}
