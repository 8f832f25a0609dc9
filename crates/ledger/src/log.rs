//! The append log: the ledger's commit point. A record is committed when [`Log::append`] has returned, and not before.
//!
//! A directory of segments, `blocks-00000000.log` and so on, each a header (format version, genesis hash, number of its
//! first record) followed by records without gaps. Records are numbered from 0 across all segments. What a record's
//! bytes mean is the caller's affair. The layout in bytes is in [`frame`].
//!
//! # What may go wrong, and what is done about it
//! * **The process or the machine dies during an append.** The file then ends, or is zero, before the length that the
//!   last record states. Nobody was told of that record; [`Log::open`] cuts it off, durably, and says so.
//! * **A write or a sync fails.** What is on disk is unknown, and since a failed sync may drop the pages that it could
//!   not write and succeed when asked again, asking again proves nothing. The log is poisoned: it refuses every further
//!   append, and the node must stop and open it anew.
//! * **Bytes change on disk.** A record of full length whose checksum fails, a header that makes no sense, zeros
//!   followed by something else, anything wrong before the last segment: refused with its place, nothing is changed.
//!   The way on is a backup, or [`repair_drop_tail`], which cuts the log before the damage and keeps what it cut.
//!
//! Any bytes that a file lacks at its end count as zeros, so that "ends" and "is zero" are one rule; each record ends in a mark
//! whose last byte is not zero, so that a record that was written whole can never look as if it were cut.
//!
//! What it must not know: blocks, transactions, state. It takes no lock: whoever opens a log to write holds the lock of the
//! data directory. Reading beside the writer is what [`LogReader`] is for.

mod files;
mod frame;
mod reader;
mod repair;
mod scan;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;

use self::files::{FileAction, FileError, SegmentId};
use self::frame::{SEGMENT_HEADER_BYTES, SegmentHeader};
pub(crate) use self::reader::LogReader;
pub(crate) use self::repair::{RepairError, inspect, repair_drop_tail};
pub(crate) use self::scan::{Damage, DirectoryError, DroppedTail};
use self::scan::{WalkEnd, WalkError};

/// Size at which a segment is closed and the next one begun: 256 MiB, some fifty seconds at 5 MB/s, so that pruning and backup
/// have files of a handy size.
pub(crate) const SEGMENT_BYTES_MAX: u64 = 256 << 20;

/// Longest payload: 128 MiB, some twenty times a block of 10,000 transfers. It bounds what opening the log holds in memory.
pub(crate) const PAYLOAD_BYTES_MAX: u32 = 128 << 20;

/// What a process may choose about its log. The log on disk does not depend on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogOptions {
    /// A record that would make its segment longer begins a new one; [`SEGMENT_BYTES_MAX`] unless there is a reason. A segment
    /// holds at least one record, however long.
    pub(crate) segment_bytes_max: u64,
}

/// Where a record stands. Valid for the log that gave it, for as long as the record is not dropped by a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RecordPosition {
    offset_bytes: u64,
    segment: SegmentId,
    payload_bytes: u32,
}

impl RecordPosition {
    /// Length of the record's payload.
    pub(crate) fn payload_bytes(&self) -> u32 {
        self.payload_bytes
    }
}

/// What [`Log::open`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Number of records in the log.
    pub(crate) records: u64,
    /// The record that was cut off because it had not been written whole. To be told to the operator.
    pub(crate) dropped_tail: Option<DroppedTail>,
}

/// Why a log could not be created.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// The directory has segments already. Open it, or choose another.
    #[error("directory `{}` has a log already, its first segment is {segment}", dir.display())]
    AlreadyThere { dir: PathBuf, segment: SegmentId },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why a log could not be opened. Nothing on disk has been changed, unless it is `File` after a torn record was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError<E: std::error::Error + 'static> {
    /// The directory is not one whole log of the chain that is asked for.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A record or a header is not what was written. [`Damage::hint`] names the way on.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The caller refused a record that is whole.
    #[error("record {record_number} of the log is refused")]
    Record { record_number: u64, source: E },
    /// The file system refused to drop the torn record, or to make durable what was found.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Why a record was not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The payload is longer than a record may be. Nothing was written and the log is usable.
    #[error("a payload of {bytes} bytes is longer than a log record may be, {max} bytes")]
    PayloadTooLong { bytes: usize, max: u32 },
    /// The record could not be written or synced, or the next segment not begun. What is on disk is unknown: the record may
    /// turn up or not when the log is opened next. The node must stop.
    #[error("cannot commit record {record_number} to log segment {segment} at offset {offset_bytes}")]
    Commit { record_number: u64, segment: SegmentId, offset_bytes: u64, source: FileError },
    /// An earlier append failed. The node must stop, as it was told then.
    #[error("the log refuses record {record_number}: an earlier append failed, and what is on disk is unknown")]
    Poisoned { record_number: u64 },
}

/// A log open for appending. One per directory; the caller's lock sees to it.
#[derive(Debug)]
pub(crate) struct Log {
    dir: PathBuf,
    genesis_hash: B256,
    options: LogOptions,
    segment: SegmentId,
    file: File,
    /// Where the next record goes.
    end_bytes: u64,
    next_record_number: u64,
    /// Whether an append failed half-way, or is under way.
    is_poisoned: bool,
    /// The frame under construction, kept for its memory.
    frame: Vec<u8>,
    reader: LogReader,
}

impl Log {
    /// Makes `dir`, if it is missing, and an empty log in it, durably. After a death half-way the directory has no log and
    /// this may be called again.
    ///
    /// # Errors
    /// If there is a log already, or the file system refuses.
    pub(crate) fn create(dir: &Path, genesis_hash: B256) -> Result<(), CreateError> {
        std::fs::create_dir_all(dir).map_err(FileError::of(FileAction::CreateDirectory, dir))?;
        if let Some(segment) = files::list_segments(dir)?.first().copied() {
            return Err(CreateError::AlreadyThere { dir: dir.to_owned(), segment });
        }
        let header = SegmentHeader { genesis_hash, first_record_number: 0 };
        let _file: File = files::create_segment(dir, SegmentId::FIRST, &header)?;
        // The directory itself may be new: its entry in its parent must last too.
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            files::sync_dir(parent)?;
        }
        Ok(())
    }

    /// Opens the log of the chain with `genesis_hash`, giving each record in order to `visit` (number, position, payload).
    /// One payload is held in memory at a time. A record that was not written whole is cut off, durably; all that was visited is
    /// durable when this returns, even what the last process had written without living to see it synced.
    ///
    /// # Errors
    /// See [`OpenError`]; a refusal of `visit` ends the reading.
    pub(crate) fn open<E: std::error::Error + 'static>(
        dir: &Path,
        genesis_hash: B256,
        options: LogOptions,
        visit: impl FnMut(u64, RecordPosition, &[u8]) -> Result<(), E>,
    ) -> Result<(Self, Recovered), OpenError<E>> {
        let walk = scan::walk(dir, Some(genesis_hash), visit).map_err(|error| match error {
            WalkError::Directory(error) => OpenError::Directory(error),
            WalkError::Visit { record_number, source } => OpenError::Record { record_number, source },
        })?;
        let dropped_tail = match walk.end {
            WalkEnd::Whole => None,
            WalkEnd::Torn(tail) => Some(tail),
            WalkEnd::Damaged(damage) => return Err(damage.into()),
        };
        let last = walk.segments.last().expect("a walk that ends well has seen at least one segment");
        let file = files::open_to_append(dir, last.segment, last.bytes)?;
        let log = Self {
            dir: dir.to_owned(),
            genesis_hash,
            options,
            segment: last.segment,
            file,
            end_bytes: last.bytes,
            next_record_number: walk.next_record_number,
            is_poisoned: false,
            frame: Vec::new(),
            reader: LogReader::new(dir),
        };
        Ok((log, Recovered { records: walk.next_record_number, dropped_tail }))
    }

    /// Commits one record: when this returns its position, the record is on disk (`fdatasync`).
    ///
    /// # Errors
    /// See [`AppendError`]. After any error but `PayloadTooLong` every further append is refused.
    pub(crate) fn append(&mut self, payload: &[u8]) -> Result<RecordPosition, AppendError> {
        let record_number = self.next_record_number;
        if self.is_poisoned {
            return Err(AppendError::Poisoned { record_number });
        }
        let payload_bytes = u32::try_from(payload.len()).ok().filter(|bytes| *bytes <= PAYLOAD_BYTES_MAX);
        let Some(payload_bytes) = payload_bytes else {
            return Err(AppendError::PayloadTooLong { bytes: payload.len(), max: PAYLOAD_BYTES_MAX });
        };
        // Poisoned until the record is known to be on disk, whichever way this is left.
        self.is_poisoned = true;
        self.commit(payload, payload_bytes).map_err(|source| AppendError::Commit {
            record_number,
            segment: self.segment,
            offset_bytes: self.end_bytes,
            source,
        })?;
        let position = RecordPosition { offset_bytes: self.end_bytes, segment: self.segment, payload_bytes };
        self.end_bytes += frame::frame_bytes(payload_bytes);
        self.next_record_number += 1;
        self.is_poisoned = false;
        Ok(position)
    }

    /// A reader for other threads, independent of this log's life.
    pub(crate) fn reader(&self) -> LogReader {
        self.reader.clone()
    }

    /// Writes and syncs the frame, in a new segment if this one is full. Moves nothing forward but the segment.
    fn commit(&mut self, payload: &[u8], payload_bytes: u32) -> Result<(), FileError> {
        let is_empty = self.end_bytes == SEGMENT_HEADER_BYTES;
        if !is_empty && self.end_bytes + frame::frame_bytes(payload_bytes) > self.options.segment_bytes_max {
            self.begin_segment()?;
        }
        frame::encode_frame(self.next_record_number, payload, payload_bytes, &mut self.frame);
        let failed = |action| {
            let path = files::segment_path(&self.dir, self.segment);
            move |source: io::Error| FileError { action, path, source }
        };
        self.file.write_all_at(&self.frame, self.end_bytes).map_err(failed(FileAction::Write))?;
        self.file.sync_data().map_err(failed(FileAction::Sync))
    }

    /// Makes the next segment. The one before needs nothing: each of its records was synced when it was written.
    fn begin_segment(&mut self) -> Result<(), FileError> {
        let next = self.segment.next();
        let header = SegmentHeader { genesis_hash: self.genesis_hash, first_record_number: self.next_record_number };
        self.file = files::create_segment(&self.dir, next, &header)?;
        self.segment = next;
        self.end_bytes = SEGMENT_HEADER_BYTES;
        Ok(())
    }
}
