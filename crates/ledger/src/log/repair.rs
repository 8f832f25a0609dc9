//! Looking at a log without opening it, and cutting off a damaged tail.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use alloy_primitives::B256;

use super::files::{self, FileAction, FileError, SegmentId};
use super::frame::{FORMAT_VERSION, FRAME_HEADER_LENGTH, FrameHeader, frame_bytes};
use super::scan::{self, Damage, DirectoryError, DroppedTail, SegmentSummary, Walk, WalkEnd, WalkError};

/// What a log holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inspection {
    /// Genesis hash of the chain; nothing if the header of the first segment is damaged.
    pub(crate) genesis_hash: Option<B256>,
    /// Version of the format.
    pub(crate) format_version: u32,
    /// The segments up to the first damage, each as far as it is whole.
    pub(crate) segments: Vec<SegmentSummary>,
    /// Number of whole records in them.
    pub(crate) records: u64,
    /// Length of their headers and whole records.
    pub(crate) bytes: u64,
    /// A record at the end that was not written whole; opening the log drops it. On a log that is being written, this may be
    /// the record under way.
    pub(crate) torn_tail: Option<DroppedTail>,
    /// The first place whose bytes are not those that were written; opening the log is refused.
    pub(crate) first_damage: Option<Damage>,
}

/// Reads the whole log and changes nothing.
///
/// # Errors
/// If the directory is not one log, or cannot be read. Damage is an answer, not an error.
pub(crate) fn inspect(dir: &Path) -> Result<Inspection, DirectoryError> {
    let walk = walk_without_visit(dir)?;
    let (torn_tail, first_damage) = match walk.end {
        WalkEnd::Whole => (None, None),
        WalkEnd::Torn(tail) => (Some(tail), None),
        WalkEnd::Damaged(damage) => (None, Some(damage)),
    };
    Ok(Inspection {
        genesis_hash: walk.genesis_hash,
        format_version: FORMAT_VERSION,
        records: walk.next_record_number,
        bytes: walk.segments.iter().map(|segment| segment.bytes).sum(),
        segments: walk.segments,
        torn_tail,
        first_damage,
    })
}

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Repaired {
    /// Number of records that are left, all whole.
    pub(crate) kept_records: u64,
    /// What was cut off, in the log's order; empty if the log was whole.
    pub(crate) dropped: Vec<DroppedPiece>,
    /// Number of records of full length that were cut off, the damaged one included; nothing if damaged headers make it
    /// impossible to count them.
    pub(crate) dropped_records: Option<u64>,
}

impl Repaired {
    /// Number of bytes that were cut off, headers of segments included.
    pub(crate) fn dropped_bytes(&self) -> u64 {
        self.dropped.iter().map(|piece| piece.bytes).sum()
    }
}

/// A part of a segment that was cut off and kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DroppedPiece {
    /// The segment it was part of.
    pub(crate) segment: SegmentId,
    /// Where in the segment it began; 0 if all of the segment was dropped.
    pub(crate) offset_bytes: u64,
    /// Its length.
    pub(crate) bytes: u64,
    /// The file that holds it now.
    pub(crate) kept_in: PathBuf,
}

/// Why a log was not repaired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RepairError {
    /// The directory is not one log: dropping a tail does not cure that.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The damage is at the very start, and a repair would leave nothing. Bring back a backup.
    #[error("nothing before the damage could be kept: {damage}")]
    NothingWhole { damage: Damage },
    /// The file system refused. What was moved so far is in the files named `dropped-<number>.bin`; the repair may be called again.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Cuts the log before its first record that is damaged or torn, so that it can be opened; does nothing to a whole log. What is
/// cut off, to the end of the last segment, is kept in new files `dropped-<number>.bin` in the same directory. The caller has
/// asked the operator, and holds the lock of the data directory.
///
/// What is cut off was committed, unless it is a torn record: the node forgets blocks that it has announced. If it dies half-way the log is still refused as damaged, or already
/// repaired, and no byte is lost: whole segments go first, last one first, and the rest is copied and synced before it is cut.
///
/// # Errors
/// See [`RepairError`].
pub(crate) fn repair_drop_tail(dir: &Path) -> Result<Repaired, RepairError> {
    let walk = walk_without_visit(dir)?;
    let kept_records = walk.next_record_number;
    let (segment, offset_bytes) = match walk.end {
        WalkEnd::Whole => return Ok(Repaired { kept_records, dropped: Vec::new(), dropped_records: Some(0) }),
        WalkEnd::Torn(tail) => (tail.segment, tail.offset_bytes),
        WalkEnd::Damaged(damage) if damage.segment == SegmentId::FIRST && damage.offset_bytes == 0 => {
            return Err(RepairError::NothingWhole { damage });
        }
        WalkEnd::Damaged(damage) => (damage.segment, damage.offset_bytes),
    };
    let mut dropped = Vec::new();
    let mut dropped_records = Some(0_u64);
    for later in files::list_segments(dir)?.into_iter().rev().take_while(|later| *later >= segment) {
        let from_bytes = if later == segment { offset_bytes } else { 0 };
        let records = count_records(dir, later, from_bytes)?;
        dropped_records = dropped_records.zip(records).map(|(sum, records)| sum + records);
        dropped.push(if from_bytes == 0 { drop_segment(dir, later)? } else { drop_rest(dir, later, from_bytes)? });
    }
    dropped.reverse();
    Ok(Repaired { kept_records, dropped, dropped_records })
}

fn walk_without_visit(dir: &Path) -> Result<Walk, DirectoryError> {
    scan::walk(dir, None, |_, _, _| Ok::<(), Infallible>(())).map_err(|error| match error {
        WalkError::Directory(error) => error,
        WalkError::Visit { source, .. } => match source {},
    })
}

/// Renames a whole segment.
fn drop_segment(dir: &Path, segment: SegmentId) -> Result<DroppedPiece, FileError> {
    let path = files::segment_path(dir, segment);
    let bytes = fs::metadata(&path).map_err(FileError::of(FileAction::Read, &path))?.len();
    let (kept_in, _placeholder) = create_side_file(dir)?;
    fs::rename(&path, &kept_in).map_err(FileError::of(FileAction::Rename, &path))?;
    files::sync_dir(dir)?;
    Ok(DroppedPiece { segment, offset_bytes: 0, bytes, kept_in })
}

/// Copies the rest of a segment, then cuts it.
fn drop_rest(dir: &Path, segment: SegmentId, offset_bytes: u64) -> Result<DroppedPiece, FileError> {
    let path = files::segment_path(dir, segment);
    let opened = OpenOptions::new().read(true).write(true).open(&path);
    let mut file = opened.map_err(FileError::of(FileAction::Open, &path))?;
    let _offset: u64 = file.seek(SeekFrom::Start(offset_bytes)).map_err(FileError::of(FileAction::Read, &path))?;
    let (kept_in, mut side_file) = create_side_file(dir)?;
    let bytes = io::copy(&mut file, &mut side_file).map_err(FileError::of(FileAction::Write, &kept_in))?;
    side_file.sync_all().map_err(FileError::of(FileAction::Sync, &kept_in))?;
    files::sync_dir(dir)?;
    files::truncate(&file, &path, offset_bytes)?;
    Ok(DroppedPiece { segment, offset_bytes, bytes, kept_in })
}

/// Makes the file `dropped-<number>.bin` with the lowest number that is free.
fn create_side_file(dir: &Path) -> Result<(PathBuf, File), FileError> {
    let mut number = 0_u32;
    loop {
        let path = dir.join(format!("dropped-{number}.bin"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < u32::MAX => number += 1,
            Err(source) => return Err(FileError { action: FileAction::Create, path, source }),
        }
    }
}

/// Number of frames of full length from an offset (0: after the header) to the end of a segment, judged by their headers alone;
/// nothing if a header is damaged.
fn count_records(dir: &Path, segment: SegmentId, from_bytes: u64) -> Result<Option<u64>, FileError> {
    let path = files::segment_path(dir, segment);
    let failed = || FileError::of(FileAction::Read, &path);
    let mut file = File::open(&path).map_err(FileError::of(FileAction::Open, &path))?;
    let file_bytes = file.metadata().map_err(failed())?.len();
    let mut offset_bytes = from_bytes.max(super::SEGMENT_HEADER_BYTES);
    let mut records = 0;
    while offset_bytes < file_bytes {
        // What the file lacks counts as zeros.
        let mut header = [0; FRAME_HEADER_LENGTH];
        let _offset: u64 = file.seek(SeekFrom::Start(offset_bytes)).map_err(failed())?;
        let mut present = (&file).take(FRAME_HEADER_LENGTH as u64);
        let _copied: u64 = io::copy(&mut present, &mut header.as_mut_slice()).map_err(failed())?;
        let Some(header) = FrameHeader::decode(&header) else {
            return Ok(None);
        };
        offset_bytes += frame_bytes(header.payload_bytes);
        records += u64::from(offset_bytes <= file_bytes);
    }
    Ok(Some(records))
}
