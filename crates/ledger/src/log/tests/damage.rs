//! Logs that were cut, zeroed or changed, at every byte: what is dropped, and what is refused.

use super::super::frame::{FRAME_OVERHEAD_BYTES, FrameHeader, SegmentHeader};
use super::super::scan::DamageKind;
use super::super::{Damage, DirectoryError, DroppedTail, OpenError, PAYLOAD_BYTES_MAX, SEGMENT_BYTES_MAX};
use super::{Fixture, GENESIS, segment};

/// Ends of records 0 to 3 in a segment that holds the payloads of [`four_records`].
const ENDS: [u64; 4] = [56 + 35, 56 + 72, 56 + 72 + 33, 56 + 72 + 33 + 42];

/// A log of one segment. One payload ends in zeros, and one is nothing but zeros.
fn four_records() -> Fixture {
    let mut fixture = Fixture::new(SEGMENT_BYTES_MAX);
    let (mut log, _) = fixture.open().unwrap();
    for payload in [b"one".as_slice(), b"two\0\0", b"\0", b"the fourth"] {
        fixture.append(&mut log, payload);
    }
    assert_eq!(fixture.bytes(0).len() as u64, ENDS[3]);
    fixture
}

/// Damages the log's only segment at `from_bytes` on and expects that all records that end before are kept, the rest dropped.
fn drops_from(base: &Fixture, from_bytes: u64, damaged: &[u8]) {
    let mut fixture = base.copy();
    fixture.write(0, damaged);
    let records = ENDS.iter().filter(|end| **end <= from_bytes).count();
    let offset_bytes = if records == 0 { 56 } else { ENDS[records - 1] };
    let recovered = fixture.goes_on_after(records);
    let tail = DroppedTail { segment: segment(0), offset_bytes, bytes: damaged.len() as u64 - offset_bytes };
    assert_eq!(recovered.dropped_tail, (tail.bytes > 0).then_some(tail), "from byte {from_bytes}");
}

#[test]
fn a_log_cut_at_any_byte_keeps_every_whole_record_and_goes_on() {
    let base = four_records();
    let bytes = base.bytes(0);
    for cut in 56..=bytes.len() {
        drops_from(&base, cut as u64, &bytes[..cut]);
    }
}

#[test]
fn a_log_that_is_zero_from_any_byte_on_keeps_every_whole_record_and_goes_on() {
    let base = four_records();
    for zeros_after in [0, 7, 100_000] {
        let step = if zeros_after > 7 { 11 } else { 1 };
        for from in (56..=base.bytes(0).len()).step_by(step) {
            let mut bytes = base.bytes(0);
            bytes[from..].fill(0);
            bytes.resize(bytes.len() + zeros_after, 0);
            drops_from(&base, from as u64, &bytes);
        }
    }
}

#[test]
fn a_cut_in_the_header_of_a_segment_is_damage_since_a_segment_gets_its_name_when_it_is_whole() {
    let base = Fixture::with(&[b"0", b"1", b"2"]);
    for (number, record_number) in [(0, 0), (1, 2)] {
        for cut in 0..56 {
            let fixture = base.copy();
            fixture.write(number, &base.bytes(number)[..cut]);
            let expected =
                Damage { segment: segment(number), offset_bytes: 0, record_number, kind: DamageKind::SegmentHeader };
            assert_eq!(damage(&fixture), expected);
        }
    }
}

#[test]
fn a_cut_before_the_last_segment_is_refused() {
    let base = Fixture::with(&[b"0", b"1", b"2"]);
    let bytes = base.bytes(0);
    for cut in 56..bytes.len() {
        let fixture = base.copy();
        fixture.write(0, &bytes[..cut]);
        let whole = (cut - 56) / 33;
        match fixture.open().unwrap_err() {
            OpenError::Damaged(damage) => {
                assert_eq!(damage.kind, DamageKind::CutBeforeLastSegment);
                assert_eq!((damage.segment, damage.record_number), (segment(0), whole as u64));
                assert_eq!(damage.offset_bytes, 56 + 33 * whole as u64);
            }
            OpenError::Directory(DirectoryError::SegmentOutOfOrder { expected, found: 2, .. }) => {
                assert_eq!(cut, 56 + 33 * whole, "only a cut between records leaves nothing to see but the gap");
                assert_eq!(expected, whole as u64);
            }
            other => panic!("cut at {cut}: {other}"),
        }
    }
    let fixture = base.copy();
    fixture.write(0, &[bytes, vec![0; 5]].concat());
    assert_eq!(damage(&fixture).kind, DamageKind::CutBeforeLastSegment);
}

#[test]
fn any_flipped_bit_is_refused_with_its_place_and_no_wrong_payload_is_delivered() {
    let base = Fixture::with(&[b"0", b"1", b"\0", b"3", b"4"]);
    for number in 0..3_u32 {
        let bytes = base.bytes(number);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let fixture = base.copy();
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                fixture.write(number, &changed);
                let damage = damage(&fixture);
                let record = at.checked_sub(56).map(|at| at as u64 / 33);
                assert_eq!(damage.segment, segment(number), "byte {at} bit {bit}");
                assert_eq!(damage.record_number, u64::from(number) * 2 + record.unwrap_or(0), "byte {at} bit {bit}");
                assert_eq!(damage.offset_bytes, record.map_or(0, |record| 56 + 33 * record), "byte {at} bit {bit}");
            }
        }
    }
}

fn damage(fixture: &Fixture) -> Damage {
    match fixture.open() {
        Err(OpenError::Damaged(damage)) => damage,
        Err(other) => panic!("refused for another reason: {other}"),
        Ok((_, recovered)) => panic!("damage was accepted: {recovered:?}"),
    }
}

#[test]
fn zeros_followed_by_anything_else_are_refused() {
    let base = four_records();
    let whole = base.bytes(0);
    let refused = |bytes: &[u8], record_number: u64, kind: DamageKind| {
        let fixture = base.copy();
        fixture.write(0, bytes);
        let found = damage(&fixture);
        assert_eq!((found.record_number, found.kind), (record_number, kind));
    };
    for at in 0..64 {
        let mut bytes = whole.clone();
        bytes.resize(whole.len() + 64, 0);
        bytes[whole.len() + at] = 0x20;
        refused(&bytes, 4, DamageKind::FrameHeader);
    }
    let mut bytes = whole.clone();
    bytes[56 + 35..56 + 72].fill(0);
    refused(&bytes, 1, DamageKind::FrameHeader);
    let mut bytes = whole.clone();
    bytes[56 + 35 + 20..56 + 72].fill(0);
    refused(&bytes, 1, DamageKind::Checksum);
}

#[test]
fn a_beginning_of_a_record_that_cannot_be_one_is_refused() {
    let base = four_records();
    let fixture = base.copy();
    // The header of record 5, where record 4 is due, cut before its checksum.
    let header = FrameHeader { payload_bytes: 3, record_number: 5 }.encode();
    fixture.write(0, &[&base.bytes(0), &header[..12]].concat());
    assert_eq!(damage(&fixture).kind, DamageKind::FrameHeader);
}

#[test]
fn a_whole_record_in_a_wrong_place_is_refused() {
    let base = four_records();
    let bytes = base.bytes(0);
    let fixture = base.copy();
    fixture.write(0, &[&bytes, &bytes[56..56 + 35]].concat());
    assert_eq!(damage(&fixture).kind, DamageKind::RecordNumber { found: 0 });
}

#[test]
fn a_whole_payload_under_the_header_of_another_record_is_refused() {
    let base = Fixture::with(&[b"0", b"1"]);
    let fixture = base.copy();
    let mut bytes = base.bytes(0);
    bytes.copy_within(56 + 33 + 20..56 + 66, 56 + 20);
    fixture.write(0, &bytes);
    assert_eq!(damage(&fixture).kind, DamageKind::Checksum);
}

#[test]
fn a_stated_length_over_the_limit_is_refused() {
    let base = four_records();
    let fixture = base.copy();
    let bytes = PAYLOAD_BYTES_MAX + 1;
    let header = FrameHeader { payload_bytes: bytes, record_number: 4 }.encode();
    fixture.write(0, &[base.bytes(0), header.to_vec()].concat());
    assert_eq!(damage(&fixture).kind, DamageKind::PayloadTooLong { bytes });
}

#[test]
fn a_header_that_begins_with_another_magic_is_damage_though_its_checksum_holds() {
    let base = four_records();
    let mut bytes = base.bytes(0);
    bytes[0] = b'l';
    let checksum = crc32c::crc32c(&bytes[..52]);
    bytes[52..56].copy_from_slice(&checksum.to_le_bytes());
    base.write(0, &bytes);
    assert_eq!(damage(&base).kind, DamageKind::SegmentHeader);

    let base = four_records();
    let mut bytes = base.bytes(0);
    bytes[56] = b'R';
    let checksum = crc32c::crc32c(&bytes[56..72]);
    bytes[72..76].copy_from_slice(&checksum.to_le_bytes());
    base.write(0, &bytes);
    assert_eq!(damage(&base).kind, DamageKind::FrameHeader);
}

#[test]
fn a_header_with_a_version_that_never_was_is_damage() {
    let fixture = four_records();
    let header = SegmentHeader { genesis_hash: GENESIS, first_record_number: 0 };
    fixture.write(0, &header.encode_as(0));
    assert_eq!(damage(&fixture).kind, DamageKind::SegmentHeader);
}

#[test]
fn the_refusal_names_place_and_way_on() {
    let fixture = four_records();
    let mut bytes = fixture.bytes(0);
    bytes[56 + 35 + 20] ^= 1;
    fixture.write(0, &bytes);
    let damage = damage(&fixture);
    let text = "log segment 00000000 is damaged at offset 91, where record 1 begins: \
                the record has its full length, and its checksum fails";
    assert_eq!(damage.to_string(), text);
    assert!(damage.hint().contains("`lastro ledger repair --drop-tail`"));
    assert_eq!(FRAME_OVERHEAD_BYTES, 32);
}
