//! Reading single records, from any thread, beside the writer.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::RecordPosition;
use super::files::{FileAction, FileError, SegmentId, segment_path};
use super::frame::{self, FRAME_HEADER_LENGTH, FrameHeader};
use super::scan::DamageKind;

/// Segments that a reader keeps open: 4 GiB of history at the usual segment size.
const OPEN_FILES_MAX: usize = 16;

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The file system refused; a file that ends before the record says `UnexpectedEof`.
    #[error("cannot read the record at offset {offset_bytes} of log segment {segment}")]
    File { segment: SegmentId, offset_bytes: u64, source: FileError },
    /// What stands there is not the record that was written. Stop the node and look with `lastro ledger inspect`.
    #[error("log segment {segment} is damaged at offset {offset_bytes}: {kind}")]
    Damaged { segment: SegmentId, offset_bytes: u64, kind: DamageKind },
}

/// Reads committed records by position. Cheap to clone; clones share a few open files. Readers wait for each other only while a
/// file is looked up or opened, never for the disk, and never for the writer.
#[derive(Debug, Clone)]
pub(crate) struct LogReader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    /// The file used last stands last.
    open_files: Mutex<VecDeque<(SegmentId, Arc<File>)>>,
}

impl LogReader {
    pub(super) fn new(dir: &Path) -> Self {
        Self { shared: Arc::new(Shared { dir: dir.to_owned(), open_files: Mutex::new(VecDeque::new()) }) }
    }

    /// The payload of the record at `position`, checked against its checksums.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(crate) fn read(&self, position: RecordPosition) -> Result<Vec<u8>, ReadError> {
        let RecordPosition { offset_bytes, segment, payload_bytes } = position;
        let failed = |source| ReadError::File { segment, offset_bytes, source };
        let file = self.file(segment).map_err(failed)?;
        let payload_length = payload_bytes as usize;
        let mut bytes = vec![0; FRAME_HEADER_LENGTH + payload_length + frame::FRAME_TRAILER_LENGTH];
        let path = || segment_path(&self.shared.dir, segment);
        file.read_exact_at(&mut bytes, offset_bytes)
            .map_err(|source| failed(FileError { action: FileAction::Read, path: path(), source }))?;

        let damaged = |kind| ReadError::Damaged { segment, offset_bytes, kind };
        let (header_bytes, rest) = bytes.split_first_chunk().expect("the buffer has room for a header");
        if FrameHeader::decode(header_bytes).is_none() {
            return Err(damaged(DamageKind::FrameHeader));
        }
        let (payload, trailer) = rest.split_at(payload_length);
        if !frame::is_trailer_of(trailer, header_bytes, payload) {
            return Err(damaged(DamageKind::Checksum));
        }
        bytes.truncate(FRAME_HEADER_LENGTH + payload_length);
        drop(bytes.drain(..FRAME_HEADER_LENGTH));
        Ok(bytes)
    }

    /// The open file of a segment, from the cache or opened now in place of the one not used for longest.
    fn file(&self, segment: SegmentId) -> Result<Arc<File>, FileError> {
        let mut open_files = self.shared.open_files.lock();
        let at = open_files.iter().position(|(other, _)| *other == segment);
        let file = match at.and_then(|at| open_files.remove(at)) {
            Some((_, file)) => file,
            None => {
                let path = segment_path(&self.shared.dir, segment);
                Arc::new(File::open(&path).map_err(FileError::of(FileAction::Open, &path))?)
            }
        };
        if open_files.len() == OPEN_FILES_MAX {
            drop(open_files.pop_front());
        }
        open_files.push_back((segment, Arc::clone(&file)));
        Ok(file)
    }
}
