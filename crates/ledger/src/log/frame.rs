//! The log's bytes. Integers are little-endian, checksums are CRC-32C.
//!
//! ```text
//! segment header, 56 bytes:  magic "LASTROLG" | format version u32 | genesis hash 32 | first record number u64 | checksum
//! record frame:              header, 20 bytes:  magic "rec:" | payload length u32 | record number u64 | checksum of the header
//!                            payload
//!                            trailer, 12 bytes: checksum over the header's first 16 bytes and the payload | payload length u32 | end mark "end."
//! ```
//!
//! Size and place of the segment header's fields hold for every format version, so that an older program can tell a newer
//! format from damage.

use alloy_primitives::B256;

/// Version of the format that this program reads and writes.
pub(super) const FORMAT_VERSION: u32 = 1;

/// Length of a segment's header.
pub(super) const SEGMENT_HEADER_BYTES: u64 = SEGMENT_HEADER_LENGTH as u64;

/// Length of a record without its payload.
pub(super) const FRAME_OVERHEAD_BYTES: u64 = (FRAME_HEADER_LENGTH + FRAME_TRAILER_LENGTH) as u64;

pub(super) const SEGMENT_HEADER_LENGTH: usize = 56;
pub(super) const FRAME_HEADER_LENGTH: usize = 20;
pub(super) const FRAME_TRAILER_LENGTH: usize = 12;

/// Where in a frame's header its checksum stands.
const FRAME_CHECKSUM_AT: usize = 16;

const SEGMENT_MAGIC: [u8; 8] = *b"LASTROLG";
const FRAME_MAGIC: [u8; 4] = *b"rec:";

/// No byte of it is zero, nor one flipped bit from zero, so that a frame that was written whole never ends in zeros.
const END_MARK: [u8; 4] = *b"end.";

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) genesis_hash: B256,
    pub(super) first_record_number: u64,
}

/// Why a segment's header is no header of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentHeaderFault {
    /// Magic or checksum is wrong.
    Damaged,
    /// The header is whole, of another version.
    OtherFormat { found: u32 },
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER_LENGTH] {
        self.encode_as(FORMAT_VERSION)
    }

    pub(super) fn encode_as(&self, format_version: u32) -> [u8; SEGMENT_HEADER_LENGTH] {
        let mut bytes = [0; SEGMENT_HEADER_LENGTH];
        bytes[..8].copy_from_slice(&SEGMENT_MAGIC);
        bytes[8..12].copy_from_slice(&format_version.to_le_bytes());
        bytes[12..44].copy_from_slice(self.genesis_hash.as_slice());
        bytes[44..52].copy_from_slice(&self.first_record_number.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..52]);
        bytes[52..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SEGMENT_HEADER_LENGTH]) -> Result<Self, SegmentHeaderFault> {
        if bytes[..8] != SEGMENT_MAGIC || crc32c::crc32c(&bytes[..52]) != u32_at(bytes, 52) {
            return Err(SegmentHeaderFault::Damaged);
        }
        match u32_at(bytes, 8) {
            FORMAT_VERSION => {
                Ok(Self { genesis_hash: B256::from_slice(&bytes[12..44]), first_record_number: u64_at(bytes, 44) })
            }
            found => Err(SegmentHeaderFault::OtherFormat { found }),
        }
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) payload_bytes: u32,
    pub(super) record_number: u64,
}

impl FrameHeader {
    pub(super) fn encode(&self) -> [u8; FRAME_HEADER_LENGTH] {
        let mut bytes = [0; FRAME_HEADER_LENGTH];
        bytes[..4].copy_from_slice(&FRAME_MAGIC);
        bytes[4..8].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.record_number.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..FRAME_CHECKSUM_AT]);
        bytes[FRAME_CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header, or nothing if magic or checksum is wrong.
    pub(super) fn decode(bytes: &[u8; FRAME_HEADER_LENGTH]) -> Option<Self> {
        let is_whole = bytes[..4] == FRAME_MAGIC
            && crc32c::crc32c(&bytes[..FRAME_CHECKSUM_AT]) == u32_at(bytes, FRAME_CHECKSUM_AT);
        is_whole.then(|| Self { payload_bytes: u32_at(bytes, 4), record_number: u64_at(bytes, 8) })
    }

    /// Whether `bytes`, zero from `written` on, can be what is left of the header of record `record_number` after a death
    /// during its writing: its first `written` bytes are those of such a header.
    pub(super) fn is_beginning_of(bytes: &[u8; FRAME_HEADER_LENGTH], written: usize, record_number: u64) -> bool {
        let whole = Self { payload_bytes: u32_at(bytes, 4), record_number }.encode();
        bytes[..written] == whole[..written]
    }
}

/// Length of the frame of a payload.
pub(super) fn frame_bytes(payload_bytes: u32) -> u64 {
    FRAME_OVERHEAD_BYTES + u64::from(payload_bytes)
}

/// Writes the frame of a record in place of what `out` held. `payload_bytes` is the payload's length.
pub(super) fn encode_frame(record_number: u64, payload: &[u8], payload_bytes: u32, out: &mut Vec<u8>) {
    let header = FrameHeader { payload_bytes, record_number }.encode();
    out.clear();
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
    out.extend_from_slice(&encode_trailer(&header, payload, payload_bytes));
}

/// Whether `trailer` is that of a frame with this header and this payload.
pub(super) fn is_trailer_of(trailer: &[u8], header: &[u8; FRAME_HEADER_LENGTH], payload: &[u8]) -> bool {
    trailer == encode_trailer(header, payload, u32_at(header, 4))
}

fn encode_trailer(
    header: &[u8; FRAME_HEADER_LENGTH],
    payload: &[u8],
    payload_bytes: u32,
) -> [u8; FRAME_TRAILER_LENGTH] {
    // Without the header's own checksum: a CRC over a text and its CRC is the same number for every text.
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&header[..FRAME_CHECKSUM_AT]), payload);
    let mut bytes = [0; FRAME_TRAILER_LENGTH];
    bytes[..4].copy_from_slice(&checksum.to_le_bytes());
    bytes[4..8].copy_from_slice(&payload_bytes.to_le_bytes());
    bytes[8..].copy_from_slice(&END_MARK);
    bytes
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut array = [0; 4];
    array.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(array)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut array = [0; 8];
    array.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(array)
}
