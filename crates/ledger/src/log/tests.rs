//! What the log promises: what was appended comes back, and what was not written never does.

mod damage;
mod repair;

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use alloy_primitives::{B256, hex};
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{collection, prop_assert_eq, proptest};
use tempfile::TempDir;

use super::frame::{SegmentHeader, frame_bytes};
use super::reader::ReadError;
use super::{
    AppendError, CreateError, DirectoryError, DroppedTail, FileAction, Log, LogOptions, OpenError, PAYLOAD_BYTES_MAX,
    RecordPosition, Recovered, SEGMENT_BYTES_MAX, SegmentId,
};

impl Log {
    /// From now on the disk refuses every write.
    pub(crate) fn break_disk(&mut self) {
        self.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    }
}

const GENESIS: B256 = B256::repeat_byte(0x11);

type Opened = Result<(Log, Recovered), OpenError<Infallible>>;

/// A log in a directory of its own, with what was appended to it.
struct Fixture {
    dir: TempDir,
    options: LogOptions,
    payloads: Vec<Vec<u8>>,
    positions: Vec<RecordPosition>,
}

impl Fixture {
    fn new(segment_bytes_max: u64) -> Self {
        let dir = TempDir::new().unwrap();
        Log::create(dir.path(), GENESIS).unwrap();
        Self { dir, options: LogOptions { segment_bytes_max }, payloads: Vec::new(), positions: Vec::new() }
    }

    /// A log with these payloads, in segments of two records each if they are of one length.
    fn with(payloads: &[&[u8]]) -> Self {
        let two_records = 56 + 2 * frame_bytes(u32::try_from(payloads[0].len()).unwrap());
        let mut fixture = Self::new(two_records);
        let (mut log, _) = fixture.open().unwrap();
        for payload in payloads {
            fixture.append(&mut log, payload);
        }
        fixture
    }

    fn append(&mut self, log: &mut Log, payload: &[u8]) {
        self.positions.push(log.append(payload).unwrap());
        self.payloads.push(payload.to_vec());
    }

    /// Opens the log, checking that what it delivers is what was appended, or the beginning of that.
    fn open(&self) -> Opened {
        let mut delivered = 0;
        let opened = Log::open(self.dir.path(), GENESIS, self.options, |record_number, position, payload| {
            assert_eq!(record_number, delivered as u64);
            assert_eq!(payload, self.payloads[delivered], "record {delivered}");
            assert_eq!(position, self.positions[delivered]);
            delivered += 1;
            Ok::<(), Infallible>(())
        });
        if let Ok((log, recovered)) = &opened {
            assert_eq!(recovered.records, delivered as u64);
            assert_eq!(log.next_record_number, delivered as u64);
        }
        opened
    }

    /// Opens the log, which must hold the first `records`; then appends one, which must be there when it is opened again.
    fn goes_on_after(&mut self, records: usize) -> Recovered {
        let (mut log, recovered) = self.open().unwrap();
        assert_eq!(recovered.records, records as u64);
        self.payloads.truncate(records);
        self.positions.truncate(records);
        self.append(&mut log, b"one more");
        drop(log);
        let (_, again) = self.open().unwrap();
        assert_eq!(again, Recovered { records: records as u64 + 1, dropped_tail: None });
        recovered
    }

    fn path(&self, segment: u32) -> PathBuf {
        self.dir.path().join(format!("blocks-{segment:08}.log"))
    }

    fn bytes(&self, segment: u32) -> Vec<u8> {
        fs::read(self.path(segment)).unwrap()
    }

    fn write(&self, segment: u32, bytes: &[u8]) {
        fs::write(self.path(segment), bytes).unwrap();
    }

    /// The same log in another directory.
    fn copy(&self) -> Self {
        let dir = TempDir::new().unwrap();
        for entry in fs::read_dir(self.dir.path()).unwrap() {
            let entry = entry.unwrap();
            let _bytes: u64 = fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        Self { dir, options: self.options, payloads: self.payloads.clone(), positions: self.positions.clone() }
    }
}

fn segment(number: u32) -> SegmentId {
    (0..number).fold(SegmentId::FIRST, |segment, _| segment.next())
}

#[test]
fn a_new_log_is_empty_and_takes_records() {
    let mut fixture = Fixture::new(SEGMENT_BYTES_MAX);
    let recovered = fixture.goes_on_after(0);
    assert_eq!(recovered, Recovered { records: 0, dropped_tail: None });
}

#[test]
fn records_come_back_in_order_over_segments_and_by_position() {
    let mut fixture = Fixture::with(&[b"0", b"1", b"2", b"3", b"4"]);
    assert!(fixture.path(2).exists() && !fixture.path(3).exists());
    let (log, _) = fixture.open().unwrap();
    for (position, payload) in fixture.positions.iter().zip(&fixture.payloads) {
        assert_eq!(log.reader.read(*position).unwrap(), *payload);
    }
    assert_eq!(fixture.positions[3].segment, segment(1));
    drop(log);
    let _recovered: Recovered = fixture.goes_on_after(5);
}

#[test]
fn an_empty_payload_is_a_record_and_one_longer_than_a_segment_has_its_own() {
    let mut fixture = Fixture::new(100);
    let (mut log, _) = fixture.open().unwrap();
    fixture.append(&mut log, &[7; 1000]);
    fixture.append(&mut log, b"");
    fixture.append(&mut log, &[7; 1000]);
    fixture.append(&mut log, b"");
    assert_eq!(
        fixture.positions.iter().map(|position| position.segment).collect::<Vec<_>>(),
        [0, 1, 2, 3].map(segment)
    );
    drop(log);
    let _recovered: Recovered = fixture.goes_on_after(4);
}

/// The bytes are a contract: a program must read what an older one has written. The checksums were computed elsewhere.
#[test]
fn the_bytes_of_the_format_are_these() {
    let fixture = Fixture::with(&[b"payload"]);
    let expected = concat!(
        "4c415354524f4c47",
        "01000000",
        "1111111111111111111111111111111111111111111111111111111111111111",
        "0000000000000000",
        "7627929a",
        "7265633a",
        "07000000",
        "0000000000000000",
        "e8217707",
        "7061796c6f6164",
        "206b2570",
        "07000000",
        "656e642e",
    );
    assert_eq!(hex::encode(fixture.bytes(0)), expected);
}

#[test]
fn a_record_may_be_read_by_other_threads_while_more_are_appended() {
    let mut fixture = Fixture::new(2_000);
    let (mut log, _) = fixture.open().unwrap();
    let (positions, arrived) = mpsc::channel::<(RecordPosition, Vec<u8>)>();
    let reader = log.reader();
    let reading = thread::spawn(move || {
        let mut seen: Vec<(RecordPosition, Vec<u8>)> = Vec::new();
        for arrival in arrived {
            assert_eq!(reader.read(arrival.0).unwrap(), arrival.1);
            seen.push(arrival);
            let (position, payload) = &seen[seen.len() / 2];
            assert_eq!(reader.clone().read(*position).unwrap(), *payload);
        }
        seen.len()
    });
    for number in 0..300_u32 {
        fixture.append(&mut log, &number.to_le_bytes().repeat(40));
        let arrival = (*fixture.positions.last().unwrap(), fixture.payloads.last().unwrap().clone());
        positions.send(arrival).unwrap();
    }
    drop(positions);
    assert_eq!(reading.join().unwrap(), 300);
    assert!(fixture.path(20).exists(), "the test is to need more segments than a reader keeps open");
    drop(log.reader());
    assert_eq!(open_files_in(&fixture), 1 + 16, "one to append, the others to read");
}

/// Number of files in the fixture's directory that this process holds open.
fn open_files_in(fixture: &Fixture) -> usize {
    let targets = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(fixture.dir.path())).count()
}

#[test]
fn reading_tells_a_changed_record_from_a_file_that_is_gone() {
    let fixture = Fixture::with(&[b"0", b"1", b"2"]);
    let (log, _) = fixture.open().unwrap();
    let mut bytes = fixture.bytes(0);
    for at in 56..bytes.len() {
        bytes[at] ^= 1;
        fixture.write(0, &bytes);
        bytes[at] ^= 1;
        let record = (at - 56) / 33;
        let error = log.reader.read(fixture.positions[record]).unwrap_err();
        assert!(matches!(error, ReadError::Damaged { .. }), "byte {at}: {error}");
        assert_eq!(log.reader.read(fixture.positions[1 - record]).unwrap(), fixture.payloads[1 - record]);
    }
    fs::remove_file(fixture.path(1)).unwrap();
    assert!(matches!(log.reader.read(fixture.positions[2]).unwrap_err(), ReadError::File { source, .. }
        if source.action == FileAction::Open));
}

#[test]
fn a_refusal_of_the_caller_ends_the_opening_and_names_the_record() {
    let fixture = Fixture::with(&[b"0", b"1", b"2"]);
    let opened = Log::open(fixture.dir.path(), GENESIS, fixture.options, |record_number, _, _| match record_number {
        1 => Err(io::Error::other("no")),
        _ => Ok(()),
    });
    assert!(matches!(opened.unwrap_err(), OpenError::Record { record_number: 1, .. }));
}

#[test]
fn a_payload_over_the_limit_is_refused_and_the_log_goes_on() {
    let mut fixture = Fixture::new(SEGMENT_BYTES_MAX);
    let (mut log, _) = fixture.open().unwrap();
    let too_long = vec![0; PAYLOAD_BYTES_MAX as usize + 1];
    let error = log.append(&too_long).unwrap_err();
    assert_eq!(error.to_string(), "a payload of 134217729 bytes is longer than a log record may be, 134217728 bytes");
    fixture.append(&mut log, b"short");
    assert_eq!(log.reader.read(fixture.positions[0]).unwrap(), b"short");
}

/// Stands for a full disk, `/dev/full`, and for one that takes bytes and cannot sync them, `/dev/null`: both are the kernel's own
/// answers.
#[test]
fn after_a_write_or_a_sync_that_failed_every_append_is_refused() {
    for (device, action) in [("/dev/full", FileAction::Write), ("/dev/null", FileAction::Sync)] {
        let mut fixture = Fixture::with(&[b"0"]);
        let (mut log, _) = fixture.open().unwrap();
        let healthy = std::mem::replace(&mut log.file, OpenOptions::new().write(true).open(device).unwrap());
        let error = log.append(b"1").unwrap_err();
        assert!(matches!(&error, AppendError::Commit { record_number: 1, source, .. } if source.action == action));
        assert_eq!(error.to_string(), "cannot commit record 1 to log segment 00000000 at offset 89");
        log.file = healthy;
        for _ in 0..2 {
            assert!(matches!(log.append(b"1").unwrap_err(), AppendError::Poisoned { record_number: 1 }));
        }
        let _recovered: Recovered = fixture.goes_on_after(1);
    }
}

#[test]
fn after_a_segment_that_could_not_be_begun_every_append_is_refused() {
    let mut fixture = Fixture::with(&[b"0", b"1"]);
    let (mut log, _) = fixture.open().unwrap();
    let obstacle = fixture.dir.path().join("blocks-00000001.log.new");
    fs::create_dir(&obstacle).unwrap();
    let error = log.append(b"2").unwrap_err();
    assert!(matches!(error, AppendError::Commit { source, .. } if source.action == FileAction::Create));
    fs::remove_dir(&obstacle).unwrap();
    assert!(matches!(log.append(b"2").unwrap_err(), AppendError::Poisoned { .. }));
    let _recovered: Recovered = fixture.goes_on_after(2);
}

#[test]
fn files_with_other_names_are_passed_over() {
    let mut fixture = Fixture::with(&[b"0"]);
    for name in ["blocks-1.log", "blocks-000000001.log", "blocks-0000000x.log", "blocks-00000001.txt", "dropped-0.bin"]
    {
        fs::write(fixture.dir.path().join(name), b"not a segment").unwrap();
    }
    let _recovered: Recovered = fixture.goes_on_after(1);
}

#[test]
fn a_segment_that_was_being_made_when_the_process_died_is_made_again() {
    let mut fixture = Fixture::with(&[b"0", b"1"]);
    fs::write(fixture.dir.path().join("blocks-00000001.log.new"), [0xff; 500]).unwrap();
    let _recovered: Recovered = fixture.goes_on_after(2);

    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("blocks-00000000.log.new"), b"LAST").unwrap();
    Log::create(dir.path(), GENESIS).unwrap();
}

#[test]
fn a_segment_that_got_no_record_before_the_process_died_gets_the_next_one() {
    let mut fixture = Fixture::with(&[b"0", b"1"]);
    let header = SegmentHeader { genesis_hash: GENESIS, first_record_number: 2 };
    fixture.write(1, &header.encode());
    let _recovered: Recovered = fixture.goes_on_after(2);
    assert_eq!(fixture.positions[2].segment, segment(1));
}

#[test]
fn a_directory_that_is_no_whole_log_of_this_chain_is_refused_with_its_reason() {
    let refusal = |fixture: &Fixture| fixture.open().unwrap_err();
    let base = Fixture::with(&[b"0", b"1", b"2", b"3", b"4"]);

    let copy = base.copy();
    let other = Log::open(copy.dir.path(), B256::ZERO, copy.options, |_, _, _| Ok::<(), Infallible>(()));
    assert!(
        matches!(other.unwrap_err(), OpenError::Directory(DirectoryError::DirectoryOfOtherChain { found, expected, .. })
        if found == GENESIS && expected == B256::ZERO)
    );

    let copy = base.copy();
    fs::remove_file(copy.path(1)).unwrap();
    assert_eq!(refusal(&copy).to_string(), "log segment 00000001 is missing, the next one there is 00000002");
    fs::remove_file(copy.path(0)).unwrap();
    assert_eq!(refusal(&copy).to_string(), "log segment 00000000 is missing, the next one there is 00000002");
    fs::remove_file(copy.path(2)).unwrap();
    assert!(matches!(refusal(&copy), OpenError::Directory(DirectoryError::NoLog { .. })));

    let copy = base.copy();
    copy.write(0, &base.bytes(1));
    copy.write(1, &base.bytes(0));
    let text = "log segment 00000000 begins with record 2, where record 0 is due";
    assert_eq!(refusal(&copy).to_string(), text);

    let copy = base.copy();
    let header = SegmentHeader { genesis_hash: GENESIS, first_record_number: 4 };
    copy.write(2, &header.encode_as(2));
    let text = "log segment 00000002 has format version 2, this program reads version 1";
    assert_eq!(refusal(&copy).to_string(), text);

    let created = Log::create(base.dir.path(), GENESIS).unwrap_err();
    assert!(matches!(created, CreateError::AlreadyThere { segment: SegmentId::FIRST, .. }));
    let nowhere = base.dir.path().join("nowhere");
    let opened = Log::open(&nowhere, GENESIS, base.options, |_, _, _| Ok::<(), Infallible>(()));
    assert!(matches!(opened.unwrap_err(), OpenError::Directory(DirectoryError::File(error))
        if error.action == FileAction::List));
}

/// One step in the life of a log.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<u8>),
    Reopen,
    /// The process dies while it writes this payload, and this part of the frame (of 256) has reached the disk.
    DieAppending(Vec<u8>, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let payload = || collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        6 => payload().prop_map(Step::Append),
        1 => any::<()>().prop_map(|()| Step::Reopen),
        1 => (payload(), any::<u8>()).prop_map(|(payload, part)| Step::DieAppending(payload, part)),
    ]
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, cases: 48, ..Default::default() })]

    #[test]
    fn a_log_holds_what_a_list_would_hold(steps in collection::vec(step(), 1..40), segment_bytes_max in 60..600_u64) {
        let mut fixture = Fixture::new(segment_bytes_max);
        let (mut log, _) = fixture.open().unwrap();
        for step in steps {
            match step {
                Step::Append(payload) => fixture.append(&mut log, &payload),
                Step::Reopen => {
                    let (opened, recovered) = fixture.open().unwrap();
                    prop_assert_eq!(recovered.dropped_tail, None);
                    log = opened;
                }
                Step::DieAppending(payload, part) => {
                    let expected = die_appending(&log, &payload, part);
                    let (opened, recovered) = fixture.open().unwrap();
                    prop_assert_eq!(recovered.dropped_tail, expected);
                    log = opened;
                }
            }
            prop_assert_eq!(log.next_record_number, fixture.payloads.len() as u64);
            for (position, payload) in fixture.positions.iter().zip(&fixture.payloads) {
                prop_assert_eq!(&log.reader.read(*position).unwrap(), payload);
            }
        }
    }
}

/// Writes a part of a frame at the end of the log's last segment.
fn die_appending(log: &Log, payload: &[u8], part: u8) -> Option<DroppedTail> {
    let mut frame = Vec::new();
    let payload_bytes = u32::try_from(payload.len()).unwrap();
    super::frame::encode_frame(log.next_record_number, payload, payload_bytes, &mut frame);
    let written = frame.len() * usize::from(part) / 256;
    let file: &File = &log.file;
    std::os::unix::fs::FileExt::write_all_at(file, &frame[..written], log.end_bytes).unwrap();
    let tail = DroppedTail { segment: log.segment, offset_bytes: log.end_bytes, bytes: written as u64 };
    (written > 0).then_some(tail)
}
