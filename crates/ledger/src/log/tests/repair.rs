//! What a repair keeps, what it drops, and what an inspection says before it.

use std::fs;

use super::super::repair::DroppedPiece;
use super::super::scan::{DamageKind, SegmentSummary};
use super::super::{DirectoryError, DroppedTail, Log, Recovered, RepairError, inspect, repair_drop_tail};
use super::{Fixture, GENESIS, segment};

fn five_records() -> Fixture {
    Fixture::with(&[b"0", b"1", b"2", b"3", b"4"])
}

#[test]
fn a_whole_log_is_counted_and_a_repair_changes_nothing() {
    let mut fixture = five_records();
    let inspection = inspect(fixture.dir.path()).unwrap();
    assert_eq!(inspection.genesis_hash, Some(GENESIS));
    assert_eq!((inspection.records, inspection.bytes), (5, 3 * 56 + 5 * 33));
    let last = SegmentSummary { segment: segment(2), first_record_number: 4, records: 1, bytes: 56 + 33 };
    assert_eq!(inspection.segments[2], last);
    assert_eq!((inspection.torn_tail, inspection.first_damage), (None, None));

    let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
    assert_eq!((repaired.kept_records, repaired.dropped_bytes(), repaired.dropped_records), (5, 0, Some(0)));
    let _recovered: Recovered = fixture.goes_on_after(5);
}

#[test]
fn a_torn_record_is_shown_by_inspection_and_kept_aside_by_a_repair() {
    let mut fixture = five_records();
    let bytes = fixture.bytes(2);
    fixture.write(2, &bytes[..70]);
    let tail = DroppedTail { segment: segment(2), offset_bytes: 56, bytes: 14 };
    assert_eq!(inspect(fixture.dir.path()).unwrap().torn_tail, Some(tail));

    let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
    assert_eq!(repaired.dropped_records, None, "a header that is cut counts nothing");
    assert_eq!(fs::read(&repaired.dropped[0].kept_in).unwrap(), bytes[56..70]);
    assert_eq!(fixture.goes_on_after(4).dropped_tail, None);

    fixture.write(2, &bytes[..80]);
    let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
    assert_eq!(repaired.dropped_records, Some(0), "a record that was not written whole was never one");
}

#[test]
fn a_repair_after_a_change_of_any_byte_keeps_all_before_and_puts_all_behind_aside() {
    let base = five_records();
    for number in 0..3_u32 {
        for at in 0..base.bytes(number).len() {
            let mut fixture = base.copy();
            let mut changed = base.bytes(number);
            changed[at] ^= 0x80;
            fixture.write(number, &changed);
            let record = at.checked_sub(56).map(|at| at / 33);
            let kept = number as usize * 2 + record.unwrap_or(0);
            if number == 0 && record.is_none() {
                let refused = repair_drop_tail(fixture.dir.path()).unwrap_err();
                assert!(matches!(refused, RepairError::NothingWhole { damage }
                    if damage.kind == DamageKind::SegmentHeader));
                assert!(matches!(inspect(fixture.dir.path()), Ok(inspection) if inspection.genesis_hash.is_none()));
                continue;
            }
            let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
            assert_eq!(repaired.kept_records, kept as u64);
            let dropped: Vec<u8> =
                repaired.dropped.iter().flat_map(|piece| fs::read(&piece.kept_in).unwrap()).collect();
            let mut behind = changed[record.map_or(0, |record| 56 + 33 * record)..].to_vec();
            (number + 1..3).for_each(|later| behind.extend(base.bytes(later)));
            assert_eq!(dropped, behind, "segment {number} byte {at}");
            assert_eq!(repaired.dropped_bytes(), behind.len() as u64);
            assert_eq!(fixture.goes_on_after(kept).dropped_tail, None);
        }
    }
}

#[test]
fn a_repair_says_what_it_dropped_from_where_and_never_overwrites_what_an_earlier_one_kept() {
    let mut fixture = five_records();
    let mut bytes = fixture.bytes(0);
    bytes[56 + 33 + 20] ^= 1;
    fixture.write(0, &bytes);
    fs::write(fixture.dir.path().join("dropped-1.bin"), b"earlier").unwrap();
    let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
    let piece = |number, offset_bytes, bytes, name: &str| DroppedPiece {
        segment: segment(number),
        offset_bytes,
        bytes,
        kept_in: fixture.dir.path().join(name),
    };
    let expected = [
        piece(0, 56 + 33, 33, "dropped-3.bin"),
        piece(1, 0, 56 + 66, "dropped-2.bin"),
        piece(2, 0, 56 + 33, "dropped-0.bin"),
    ];
    assert_eq!(repaired.dropped, expected);
    assert_eq!(repaired.dropped_records, Some(4), "record 1, which is damaged, and 2 to 4");
    assert_eq!(fs::read(fixture.dir.path().join("dropped-1.bin")).unwrap(), b"earlier");
    assert_eq!(fixture.goes_on_after(1).dropped_tail, None);
}

#[test]
fn a_repair_that_died_half_way_leaves_a_log_that_is_refused_still_and_can_be_repaired() {
    let mut fixture = five_records();
    let mut bytes = fixture.bytes(0);
    bytes[56 + 20] ^= 1;
    fixture.write(0, &bytes);
    fs::rename(fixture.path(2), fixture.dir.path().join("dropped-0.bin")).unwrap();
    assert!(inspect(fixture.dir.path()).unwrap().first_damage.is_some());
    let repaired = repair_drop_tail(fixture.dir.path()).unwrap();
    assert_eq!((repaired.kept_records, repaired.dropped_records), (0, Some(4)));
    let _recovered: Recovered = fixture.goes_on_after(0);
}

#[test]
fn a_directory_that_is_no_log_is_neither_inspected_nor_repaired() {
    let fixture = five_records();
    fs::remove_file(fixture.path(1)).unwrap();
    let dir = fixture.dir.path();
    assert!(matches!(inspect(dir), Err(DirectoryError::SegmentMissing { .. })));
    assert!(matches!(repair_drop_tail(dir), Err(RepairError::Directory(DirectoryError::SegmentMissing { .. }))));

    let elsewhere = Fixture::new(1000);
    fs::remove_file(elsewhere.path(0)).unwrap();
    assert!(matches!(inspect(elsewhere.dir.path()), Err(DirectoryError::NoLog { .. })));
    Log::create(elsewhere.dir.path(), GENESIS).unwrap();
}
