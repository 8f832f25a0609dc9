//! Reading the whole log in order, and telling a record that was cut from one that was damaged.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use alloy_primitives::B256;

use super::files::{self, FileAction, FileError, SegmentId};
use super::frame::{self, FORMAT_VERSION, FRAME_HEADER_LENGTH, FRAME_TRAILER_LENGTH, FrameHeader};
use super::frame::{SEGMENT_HEADER_BYTES, SEGMENT_HEADER_LENGTH, SegmentHeader, SegmentHeaderFault};
use super::{PAYLOAD_BYTES_MAX, RecordPosition};

/// Read ahead while scanning.
const BUFFER_BYTES: usize = 1 << 20;

/// Step in which the end of a file is searched backwards for its last byte that is not zero.
const ZERO_SEARCH_BYTES: usize = 64 << 10;

/// Why a directory is not one whole log of the chain that is asked for, damage of records aside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    /// There is no segment: the ledger was never initialised here.
    #[error("directory `{}` has no log", dir.display())]
    NoLog { dir: PathBuf },
    /// The log belongs to a chain with another genesis.
    #[error("directory `{}` belongs to the chain with genesis hash {found}, not {expected}", dir.display())]
    DirectoryOfOtherChain { dir: PathBuf, expected: B256, found: B256 },
    /// A segment's file is gone. Bring it back from a backup.
    #[error("log segment {expected} is missing, the next one there is {found}")]
    SegmentMissing { expected: SegmentId, found: SegmentId },
    /// A segment does not begin where the one before ends: a file was renamed, or cut between two records.
    #[error("log segment {segment} begins with record {found}, where record {expected} is due")]
    SegmentOutOfOrder { segment: SegmentId, expected: u64, found: u64 },
    /// The log was written by a newer program. Use that one.
    #[error("log segment {segment} has format version {found}, this program reads version {supported}")]
    NewerFormat { segment: SegmentId, found: u32, supported: u32 },
    /// The file system refused.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A place in the log whose bytes are not those that were written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log segment {segment} is damaged at offset {offset_bytes}, where record {record_number} begins: {kind}")]
pub(crate) struct Damage {
    /// The segment.
    pub(crate) segment: SegmentId,
    /// Where the damaged record begins; 0 if it is the segment's header.
    pub(crate) offset_bytes: u64,
    /// Number of the damaged record, or of the first record of a segment whose header is damaged.
    pub(crate) record_number: u64,
    /// What is wrong.
    pub(crate) kind: DamageKind,
}

impl Damage {
    /// What an operator can do.
    pub(crate) fn hint(&self) -> &'static str {
        if self.segment == SegmentId::FIRST && self.offset_bytes == 0 {
            "bring the data directory back from a backup: nothing of this log can be kept"
        } else {
            "bring the data directory back from a backup, or drop this record and all after it with \
             `lastro ledger repair --drop-tail`, which keeps the dropped bytes in a file beside the log"
        }
    }
}

/// What is wrong at a damaged place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DamageKind {
    /// The segment's header is not whole, or its checksum fails.
    SegmentHeader,
    /// The record's header has a wrong mark or a checksum that fails, and it is not the beginning of one with nothing behind.
    FrameHeader,
    /// The record's header is whole, and is that of another record.
    RecordNumber { found: u64 },
    /// The record's header is whole, and states a payload longer than [`PAYLOAD_BYTES_MAX`].
    PayloadTooLong { bytes: u32 },
    /// The record has its full length, and checksum, repeated length or end mark is wrong.
    Checksum,
    /// The record is cut, as a death during its writing would leave it, though segments follow.
    CutBeforeLastSegment,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SegmentHeader => f.write_str("the segment's header is not whole"),
            Self::FrameHeader => f.write_str("the record's header is not whole"),
            Self::RecordNumber { found } => write!(f, "the record says that it is number {found}"),
            Self::PayloadTooLong { bytes } => {
                write!(f, "the record states {bytes} bytes, where {PAYLOAD_BYTES_MAX} are the most")
            }
            Self::Checksum => f.write_str("the record has its full length, and its checksum fails"),
            Self::CutBeforeLastSegment => f.write_str("the record is cut, and segments follow"),
        }
    }
}

/// The end of the log that is no whole record, and was never said to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DroppedTail {
    /// The last segment.
    pub(crate) segment: SegmentId,
    /// Where the tail begins: the length of the segment without it.
    pub(crate) offset_bytes: u64,
    /// Length of the tail in the file.
    pub(crate) bytes: u64,
}

impl fmt::Display for DroppedTail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset_bytes, bytes } = self;
        write!(formatter, "{bytes} bytes of an unfinished record at offset {offset_bytes} of log segment {segment}")
    }
}

/// One segment, as far as it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentSummary {
    /// The segment.
    pub(crate) segment: SegmentId,
    /// Number of its first record.
    pub(crate) first_record_number: u64,
    /// Number of its whole records.
    pub(crate) records: u64,
    /// Length of its header and its whole records.
    pub(crate) bytes: u64,
}

/// What a walk over the whole log has found.
#[derive(Debug)]
pub(super) struct Walk {
    /// That which was asked for, else that of the first segment, if its header is whole.
    pub(super) genesis_hash: Option<B256>,
    pub(super) segments: Vec<SegmentSummary>,
    pub(super) next_record_number: u64,
    pub(super) end: WalkEnd,
}

/// How a walk ended.
#[derive(Debug)]
pub(super) enum WalkEnd {
    /// At the end of the last segment.
    Whole,
    /// At a record at the end of the last segment that was not written whole.
    Torn(DroppedTail),
    /// At something that is not what was written.
    Damaged(Damage),
}

/// Why a walk did not end.
#[derive(Debug)]
pub(super) enum WalkError<E> {
    Directory(DirectoryError),
    Visit { record_number: u64, source: E },
}

impl<E, T: Into<DirectoryError>> From<T> for WalkError<E> {
    fn from(error: T) -> Self {
        Self::Directory(error.into())
    }
}

/// Reads all segments in order, up to the end or the first damage, and changes nothing. The genesis hash is that of the first
/// segment if none is given.
pub(super) fn walk<E>(
    dir: &Path,
    genesis_hash: Option<B256>,
    mut visit: impl FnMut(u64, RecordPosition, &[u8]) -> Result<(), E>,
) -> Result<Walk, WalkError<E>> {
    let segments = contiguous_segments(dir)?;
    let last = segments.last().copied();
    let mut walk = Walk { genesis_hash, segments: Vec::new(), next_record_number: 0, end: WalkEnd::Whole };
    for segment in segments {
        let mut scanner = Scanner::open(dir, segment, walk.next_record_number)?;
        let Some(header) = scanner.header()? else {
            walk.end = WalkEnd::Damaged(scanner.damage(DamageKind::SegmentHeader));
            break;
        };
        check_header(dir, segment, &header, &mut walk)?;
        let end = scan_records(&mut scanner, &mut visit)?;
        walk.segments.push(scanner.summary(header.first_record_number));
        walk.next_record_number = scanner.next_record_number;
        walk.end = match end {
            WalkEnd::Torn(_) if Some(segment) != last => {
                WalkEnd::Damaged(scanner.damage(DamageKind::CutBeforeLastSegment))
            }
            end => end,
        };
        if !matches!(walk.end, WalkEnd::Whole) {
            break;
        }
    }
    Ok(walk)
}

/// The segments of a directory, checked to be there from the first on without a gap.
fn contiguous_segments(dir: &Path) -> Result<Vec<SegmentId>, DirectoryError> {
    let segments = files::list_segments(dir)?;
    if segments.is_empty() {
        return Err(DirectoryError::NoLog { dir: dir.to_owned() });
    }
    let mut expected = SegmentId::FIRST;
    for found in segments.iter().copied() {
        if found != expected {
            return Err(DirectoryError::SegmentMissing { expected, found });
        }
        expected = expected.next();
    }
    Ok(segments)
}

fn check_header(dir: &Path, segment: SegmentId, header: &SegmentHeader, walk: &mut Walk) -> Result<(), DirectoryError> {
    let found = header.genesis_hash;
    let expected = *walk.genesis_hash.get_or_insert(found);
    if found != expected {
        return Err(DirectoryError::DirectoryOfOtherChain { dir: dir.to_owned(), expected, found });
    }
    let (expected, found) = (walk.next_record_number, header.first_record_number);
    if found != expected {
        return Err(DirectoryError::SegmentOutOfOrder { segment, expected, found });
    }
    Ok(())
}

fn scan_records<E>(
    scanner: &mut Scanner,
    visit: &mut impl FnMut(u64, RecordPosition, &[u8]) -> Result<(), E>,
) -> Result<WalkEnd, WalkError<E>> {
    loop {
        let record_number = scanner.next_record_number;
        match scanner.next_record()? {
            Next::Record(position) => visit(record_number, position, scanner.payload())
                .map_err(|source| WalkError::Visit { record_number, source })?,
            Next::End => return Ok(WalkEnd::Whole),
            Next::Torn => return Ok(WalkEnd::Torn(scanner.tail())),
            Next::Damaged(kind) => return Ok(WalkEnd::Damaged(scanner.damage(kind))),
        }
    }
}

/// What stands at the place where the next record is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A whole record; its payload is [`Scanner::payload`].
    Record(RecordPosition),
    /// The end of the file.
    End,
    /// The beginning of a record, or nothing, and then zeros or nothing up to the end of the file.
    Torn,
    /// Something else.
    Damaged(DamageKind),
}

/// Reads one segment from its start. Once it has said anything but `Record` it is to be asked no further.
struct Scanner {
    path: PathBuf,
    segment: SegmentId,
    input: BufReader<File>,
    /// Length of the file when it was opened: what a writer appends meanwhile is not read.
    file_bytes: u64,
    /// Where the next record is due; 0 until the header has been read.
    offset_bytes: u64,
    next_record_number: u64,
    /// Payload and trailer of the record read last.
    buffer: Vec<u8>,
}

impl Scanner {
    fn open(dir: &Path, segment: SegmentId, first_record_number: u64) -> Result<Self, FileError> {
        let path = files::segment_path(dir, segment);
        let file = File::open(&path).map_err(FileError::of(FileAction::Open, &path))?;
        let file_bytes = file.metadata().map_err(FileError::of(FileAction::Read, &path))?.len();
        Ok(Self {
            path,
            segment,
            input: BufReader::with_capacity(BUFFER_BYTES, file),
            file_bytes,
            offset_bytes: 0,
            next_record_number: first_record_number,
            buffer: Vec::new(),
        })
    }

    /// Reads the segment's header, or finds it damaged.
    fn header(&mut self) -> Result<Option<SegmentHeader>, DirectoryError> {
        let mut bytes = [0; SEGMENT_HEADER_LENGTH];
        if self.file_bytes < SEGMENT_HEADER_BYTES {
            return Ok(None);
        }
        self.fill(&mut bytes)?;
        match SegmentHeader::decode(&bytes) {
            Ok(header) => {
                self.offset_bytes = SEGMENT_HEADER_BYTES;
                Ok(Some(header))
            }
            Err(SegmentHeaderFault::OtherFormat { found }) if found > FORMAT_VERSION => {
                Err(DirectoryError::NewerFormat { segment: self.segment, found, supported: FORMAT_VERSION })
            }
            Err(SegmentHeaderFault::OtherFormat { .. } | SegmentHeaderFault::Damaged) => Ok(None),
        }
    }

    /// Reads the next record, which the header was read before.
    fn next_record(&mut self) -> Result<Next, FileError> {
        let remaining_bytes = self.file_bytes - self.offset_bytes;
        if remaining_bytes == 0 {
            return Ok(Next::End);
        }
        // What the file lacks counts as zeros.
        let mut header_bytes = [0; FRAME_HEADER_LENGTH];
        let present = usize::try_from(remaining_bytes).unwrap_or(usize::MAX).min(FRAME_HEADER_LENGTH);
        self.fill(&mut header_bytes[..present])?;
        let Some(FrameHeader { payload_bytes, record_number }) = FrameHeader::decode(&header_bytes) else {
            return self.torn_or_damaged_header(&header_bytes);
        };
        if record_number != self.next_record_number {
            return Ok(Next::Damaged(DamageKind::RecordNumber { found: record_number }));
        }
        if payload_bytes > PAYLOAD_BYTES_MAX {
            return Ok(Next::Damaged(DamageKind::PayloadTooLong { bytes: payload_bytes }));
        }
        let end_bytes = self.offset_bytes + frame::frame_bytes(payload_bytes);
        if end_bytes > self.file_bytes {
            return Ok(Next::Torn);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(payload_bytes as usize + FRAME_TRAILER_LENGTH, 0);
        self.fill(&mut buffer)?;
        let (payload, trailer) = buffer.split_at(payload_bytes as usize);
        let is_whole = frame::is_trailer_of(trailer, &header_bytes, payload);
        self.buffer = buffer;
        if !is_whole {
            // The end mark's last byte is not zero: if all is zero from there on, the record was never written to its end.
            let is_torn = self.written_bytes()? < end_bytes;
            return Ok(if is_torn { Next::Torn } else { Next::Damaged(DamageKind::Checksum) });
        }
        let position = RecordPosition { offset_bytes: self.offset_bytes, segment: self.segment, payload_bytes };
        self.offset_bytes = end_bytes;
        self.next_record_number += 1;
        Ok(Next::Record(position))
    }

    /// The payload of the record read last.
    fn payload(&self) -> &[u8] {
        &self.buffer[..self.buffer.len() - FRAME_TRAILER_LENGTH]
    }

    /// A header that does not decode is torn if it is the beginning of the one that is due, and all is zero behind.
    fn torn_or_damaged_header(&mut self, header_bytes: &[u8; FRAME_HEADER_LENGTH]) -> Result<Next, FileError> {
        let written_bytes = self.written_bytes()?.saturating_sub(self.offset_bytes);
        let is_torn = usize::try_from(written_bytes).is_ok_and(|written| {
            written <= FRAME_HEADER_LENGTH
                && FrameHeader::is_beginning_of(header_bytes, written, self.next_record_number)
        });
        Ok(if is_torn { Next::Torn } else { Next::Damaged(DamageKind::FrameHeader) })
    }

    /// Length of the file without the zeros at its end; no less than the place of the record that is due.
    fn written_bytes(&self) -> Result<u64, FileError> {
        let mut end_bytes = self.file_bytes;
        let mut chunk = vec![0; ZERO_SEARCH_BYTES];
        while end_bytes > self.offset_bytes {
            let start_bytes = end_bytes.saturating_sub(ZERO_SEARCH_BYTES as u64).max(self.offset_bytes);
            let length = usize::try_from(end_bytes - start_bytes).expect("a step of the search is 64 KiB at most");
            let chunk = &mut chunk[..length];
            let read = self.input.get_ref().read_exact_at(chunk, start_bytes);
            read.map_err(FileError::of(FileAction::Read, &self.path))?;
            if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
                return Ok(start_bytes + last as u64 + 1);
            }
            end_bytes = start_bytes;
        }
        Ok(self.offset_bytes)
    }

    /// What stands from the record that is due to the end of the file.
    fn tail(&self) -> DroppedTail {
        let bytes = self.file_bytes - self.offset_bytes;
        DroppedTail { segment: self.segment, offset_bytes: self.offset_bytes, bytes }
    }

    fn damage(&self, kind: DamageKind) -> Damage {
        let (segment, offset_bytes, record_number) = (self.segment, self.offset_bytes, self.next_record_number);
        Damage { segment, offset_bytes, record_number, kind }
    }

    fn summary(&self, first_record_number: u64) -> SegmentSummary {
        let records = self.next_record_number - first_record_number;
        SegmentSummary { segment: self.segment, first_record_number, records, bytes: self.offset_bytes }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), FileError> {
        self.input.read_exact(bytes).map_err(FileError::of(FileAction::Read, &self.path))
    }
}
