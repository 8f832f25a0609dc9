//! Exports and their verification: what is right passes, and every way of being wrong is named with its place.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use journal::Cursor;
use journal::audit::{
    Cell, ExportHead, ExportReader, ExportRecord, ExportWriter, Head, Report, Scope, Table, VerifyError, VerifyOptions,
    Wrong, verify_export,
};
use messages::header::Visibility;
use messages::{
    Actor, CommandId, EventId, EventType, Hash, Header, Metadata, Payload, Position, RecordedEvent, StoreId,
    StreamName, StreamVersion, TenantId, Timestamp, chain,
};
use proptest::prelude::*;

const STORE: StoreId = StoreId::from_bytes([0x5a; 16]);

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

/// A log in memory: events of two tenants in some streams, every third published.
struct Log {
    events: Vec<RecordedEvent>,
}

impl Log {
    fn of(count: u64) -> Self {
        let mut log = Self { events: Vec::new() };
        for number in 1..=count {
            let name = if number % 4 == 0 { "bank_b" } else { "bank_a" };
            log.push(name, &format!("asset/{}", number % 7), number % 3 == 0);
        }
        log
    }

    fn push(&mut self, owner: &str, stream: &str, is_published: bool) {
        let position = self.last().position.next();
        let previous = self.events.iter().rev().find(|event| event.header.visibility != Visibility::Private);
        let previous = previous.map_or(Position::START, |event| event.header.position);
        let visibility = if is_published { Visibility::Published { previous } } else { Visibility::Private };
        let version = self
            .events
            .iter()
            .rev()
            .find(|event| event.metadata.tenant.as_str() == owner && event.metadata.stream.as_str() == stream);
        let version = version.map_or(StreamVersion::EMPTY, |event| event.metadata.stream_version).next();
        let number = position.number();
        let mut id = [0x77; 16];
        id[8..].copy_from_slice(&number.to_be_bytes());
        let metadata = Metadata {
            tenant: tenant(owner),
            stream: StreamName::parse(stream).unwrap(),
            stream_version: version,
            event_type: EventType::of("test.happened"),
            type_version: 1,
            actor: Actor::new("ana@bank", "console", None).unwrap(),
            command: CommandId::from_bytes(id),
            correlation: CommandId::from_bytes(id),
            causation: None,
            trace_parent: None,
        };
        let header = Header {
            store: STORE,
            position,
            event: EventId::from_bytes(id),
            recorded: Timestamp::from_micros(1_800_000_000_000_000 + i64::try_from(number / 2).unwrap()),
            visibility,
        };
        let payload = Payload::parse(format!("{{\"number\":\"{number}\"}}").into_bytes()).unwrap();
        let metadata_bytes = metadata.encode().into();
        let hash = Hash::new([0; 32]);
        let mut event =
            RecordedEvent { header, metadata, metadata_bytes, payload, salt: [number.to_le_bytes()[0]; 16], hash };
        event.hash = event.hash_after(self.last().hash);
        self.events.push(event);
    }

    fn last(&self) -> Cursor {
        self.cursor(self.events.len())
    }

    fn cursor(&self, position: usize) -> Cursor {
        let Some(index) = position.checked_sub(1) else { return Cursor::start(STORE) };
        let event = &self.events[index];
        Cursor { store: STORE, position: event.header.position, hash: event.hash }
    }

    /// Changes an event and makes all hashes right again: what somebody would do who owns the store.
    fn forge(&mut self, position: usize, change: impl FnOnce(&mut RecordedEvent)) {
        change(&mut self.events[position - 1]);
        let mut previous = chain::start(STORE);
        for event in &mut self.events {
            event.metadata_bytes = event.metadata.encode().into();
            event.hash = event.hash_after(previous);
            previous = event.hash;
        }
    }

    fn head(&self, after: usize, scope: Scope) -> ExportHead {
        let published = self.events[..after].iter().rev().find(|event| event.header.visibility != Visibility::Private);
        ExportHead {
            after: self.cursor(after),
            published: published.map_or(Position::START, |event| event.header.position),
            up_to: self.last(),
            made: Timestamp::from_micros(1_800_000_000_000_000),
            scope,
        }
    }

    fn export(&self, path: &Path, after: usize, scope: Scope) {
        let mut writer = ExportWriter::create(path, self.head(after, scope)).unwrap();
        for event in &self.events[after..] {
            writer.event(event).unwrap();
        }
        writer
            .table(Table { name: "claims".to_owned(), columns: vec!["kind".to_owned(), "value".to_owned()] })
            .unwrap();
        writer.row(&[Cell::Text("isin".to_owned()), Cell::Text("BRSTNCLTN7D3".to_owned())]).unwrap();
        writer.row(&[Cell::Integer(-1), Cell::Null]).unwrap();
        let _ = writer.finish().unwrap();
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("export")
    }
}

fn options() -> VerifyOptions {
    VerifyOptions::quiet(NonZeroUsize::new(3).unwrap())
}

/// Writes the log into an export as it is, also if its places or its store are wrong, and verifies that.
fn verified(log: &Log, scope: Scope) -> Result<Report, VerifyError> {
    let folder = Folder::new();
    log.export(&folder.file(), 0, scope);
    verify_export(&folder.file(), options())
}

/// The first wrong place and what is wrong there.
fn wrong(result: Result<Report, VerifyError>) -> (u64, Wrong) {
    match result {
        Err(VerifyError::Event { position, wrong }) => (position.number(), wrong),
        other => panic!("{other:?} names no event"),
    }
}

#[test]
fn an_export_of_everything_verifies_and_says_what_it_holds() {
    let log = Log::of(10_000);
    let report = verified(&log, Scope::Whole).unwrap();
    let last = log.last();
    assert_eq!(report.head, Head { store: STORE, position: last.position, hash: last.hash });
    assert_eq!((report.events, report.published, report.sealed, report.rows), (10_000, 3_333, 0, 2));
    assert_eq!(report.streams, 14);
    assert_eq!(report.tenants.values().copied().collect::<Vec<_>>(), [7_500, 2_500]);
    assert_eq!(report.first, Some(Timestamp::from_micros(1_800_000_000_000_000)));
}

#[test]
fn an_export_for_one_tenant_verifies_as_a_whole_and_shows_nothing_of_others() {
    let (log, folder) = (Log::of(1_000), Folder::new());
    log.export(&folder.file(), 0, Scope::Tenant(tenant("bank_b")));
    let report = verify_export(&folder.file(), options()).unwrap();
    assert_eq!((report.events, report.sealed), (1_000, 750));
    assert_eq!(report.head.hash, log.last().hash);
    assert_eq!(report.tenants.into_keys().collect::<Vec<_>>(), [tenant("bank_b")]);
    let bytes = std::fs::read(folder.file()).unwrap();
    assert!(!bytes.windows(6).any(|text| text == b"bank_a"));
}

#[test]
fn an_export_from_the_middle_verifies_against_a_head_that_was_kept() {
    let (log, folder) = (Log::of(1_000), Folder::new());
    log.export(&folder.file(), 400, Scope::Whole);
    let anchors = vec![Head::from(log.cursor(400)), Head::from(log.cursor(777))];
    let report = verify_export(&folder.file(), VerifyOptions { anchors, ..options() }).unwrap();
    assert_eq!((report.after, report.events, report.anchors), (Position::new(400), 600, 2));
    let mut wrong = Head::from(log.cursor(400));
    wrong.hash = Hash::new([1; 32]);
    let result = verify_export(&folder.file(), VerifyOptions { anchors: vec![wrong], ..options() });
    assert!(matches!(result, Err(VerifyError::End { what: "the hash before the first event", .. })), "{result:?}");
    assert_eq!(python_says(&folder.file()).0, Some(0));
}

#[test]
fn what_is_written_is_read_again() {
    let (log, folder) = (Log::of(50), Folder::new());
    log.export(&folder.file(), 0, Scope::Whole);
    let mut reader = ExportReader::open(&folder.file()).unwrap();
    let (mut events, mut rows, mut ends) = (Vec::new(), 0, 0);
    while let Some(record) = reader.next_record().unwrap() {
        match record {
            ExportRecord::Event(frame) => events.push(frame.hash()),
            ExportRecord::Table(table) => assert_eq!(table.columns, ["kind", "value"]),
            ExportRecord::Row(_) => rows += 1,
            ExportRecord::End(trailer) => ends += trailer.rows,
        }
    }
    assert_eq!(events, log.events.iter().map(|event| event.hash).collect::<Vec<_>>());
    assert_eq!((rows, ends), (2, 2));
}

#[test]
fn an_empty_store_has_an_export() {
    let report = verified(&Log::of(0), Scope::Whole).unwrap();
    assert_eq!((report.events, report.first, report.head.hash), (0, None, chain::start(STORE)));
}

#[test]
fn a_forged_event_is_found_by_the_anchor_alone() {
    let mut log = Log::of(3_000);
    let anchor = Head::from(log.cursor(2_000));
    log.forge(1_234, |event| event.payload = Payload::parse(b"{}".as_slice()).unwrap());
    assert!(verified(&log, Scope::Whole).is_ok());
    let folder = Folder::new();
    log.export(&folder.file(), 0, Scope::Whole);
    let result = verify_export(&folder.file(), VerifyOptions { anchors: vec![anchor], ..options() });
    assert!(matches!(wrong(result), (2_000, Wrong::Anchor { expected, .. }) if expected == anchor.hash));
}

#[test]
fn each_of_several_anchors_of_one_place_is_compared() {
    let (log, folder) = (Log::of(3_000), Folder::new());
    log.export(&folder.file(), 0, Scope::Whole);
    let right = Head::from(log.cursor(2_000));
    let forged = Head { hash: Hash::new([1; 32]), ..right };
    for anchors in [vec![forged, right], vec![right, forged]] {
        let result = verify_export(&folder.file(), VerifyOptions { anchors, ..options() });
        assert!(matches!(wrong(result), (2_000, Wrong::Anchor { expected, .. }) if expected == forged.hash));
    }
    let anchors = vec![right, right, Head::from(Cursor::start(STORE))];
    assert_eq!(verify_export(&folder.file(), VerifyOptions { anchors, ..options() }).unwrap().anchors, 3);
}

#[test]
fn an_anchor_outside_the_range_or_of_another_store_is_refused() {
    let (log, folder) = (Log::of(10), Folder::new());
    log.export(&folder.file(), 4, Scope::Whole);
    let before = Head::from(log.cursor(3));
    let mut anchor = Head::from(log.cursor(10));
    anchor.position = Position::new(11);
    let other = Head { store: StoreId::from_bytes([1; 16]), position: Position::new(5), ..anchor };
    for anchor in [anchor, other, before] {
        let result = verify_export(&folder.file(), VerifyOptions { anchors: vec![anchor], ..options() });
        assert!(matches!(result, Err(VerifyError::AnchorBeyond { .. })), "{result:?}");
    }
}

#[test]
fn what_a_forger_gets_wrong_is_named() {
    let forged = |position, change: fn(&mut RecordedEvent)| {
        let (mut log, folder) = (Log::of(9_000), Folder::new());
        log.forge(position, change);
        log.export(&folder.file(), 0, Scope::Whole);
        let found = wrong(verify_export(&folder.file(), options()));
        let (code, text) = python_says(&folder.file());
        let is_named = text.starts_with(&format!("event at place {}: ", found.0));
        assert!(code == Some(1) && is_named, "{text}");
        found
    };
    let (place, found) = forged(4_002, |event| event.header.visibility = Visibility::Private);
    assert!(place == 4_005 && matches!(found, Wrong::PublishedLink { expected, .. } if expected.number() == 3_999));
    let (place, found) = forged(7_000, |event| event.header.recorded = Timestamp::from_micros(5));
    assert!(place == 7_000 && matches!(found, Wrong::Time { .. }), "{place} {found}");
    let (place, found) = forged(8_000, |event| event.metadata.stream_version = StreamVersion::new(9));
    assert!(place == 8_000 && matches!(&found, Wrong::StreamVersion { found, .. } if found.number() == 9), "{found}");
    let (place, found) = forged(1, |event| event.metadata.stream_version = StreamVersion::new(2));
    assert!(place == 1 && matches!(found, Wrong::StreamVersion { .. }), "{place} {found}");
}

/// Kind and body.
type Records = Vec<(u8, Vec<u8>)>;

/// The file of an export with other records and the hash that these have.
fn rewritten(path: &Path, change: impl FnOnce(&mut Records)) {
    let bytes = std::fs::read(path).unwrap();
    let (mut at, mut records) = (16, Vec::new());
    while at < bytes.len() - 32 {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        records.push((bytes[at], bytes[at + 5..at + 5 + length].to_vec()));
        at += 5 + length;
    }
    change(&mut records);
    let mut written = bytes[..16].to_vec();
    for (kind, body) in records {
        written.push(kind);
        written.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
        written.extend(body);
    }
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&written);
    written.extend(hash);
    std::fs::write(path, written).unwrap();
}

#[test]
fn a_forged_count_or_scope_is_found_by_both_verifiers() {
    let (log, folder) = (Log::of(40), Folder::new());
    let refused = |scope: &Scope, change: &dyn Fn(&mut Records)| {
        log.export(&folder.file(), 0, scope.clone());
        rewritten(&folder.file(), change);
        let (code, text) = python_says(&folder.file());
        assert_eq!(code, Some(1), "{text}");
        (verify_export(&folder.file(), options()).unwrap_err().to_string(), text)
    };
    // Events, sealed ones, rows.
    for at in [7, 15, 23] {
        let counted = refused(&Scope::Whole, &|records| records.last_mut().unwrap().1[at] ^= 1);
        assert_eq!(counted.1.trim(), "the trailer counts other events, sealed ones or rows than there are");
    }
    let of_everybody = |records: &mut Records| {
        records[0].1.truncate(112);
        records[0].1.extend([1, 0]);
    };
    let (ours, theirs) = refused(&Scope::Tenant(tenant("bank_b")), &of_everybody);
    assert_eq!(theirs.trim(), "event at place 1: is sealed in an export of everything");
    assert!(ours.starts_with("the event at place 1 is wrong: it is a sealed event"), "{ours}");
    let of_another = |records: &mut Records| *records[0].1.last_mut().unwrap() = b'c';
    let (ours, theirs) = refused(&Scope::Tenant(tenant("bank_b")), &of_another);
    assert_eq!(theirs.trim(), "event at place 4: shows another tenant's event");
    assert!(ours.starts_with("the event at place 4 is wrong: it is a whole event of another tenant"), "{ours}");
}

#[test]
fn an_audit_can_be_broken_off_and_tells_how_far_it_has_come() {
    let (log, folder) = (Log::of(20_000), Folder::new());
    log.export(&folder.file(), 0, Scope::Whole);
    let on_progress = Box::new(|_| ControlFlow::Break(()));
    let result = verify_export(&folder.file(), VerifyOptions { on_progress, ..options() });
    let Err(VerifyError::BrokenOff { events, events_total: 20_000 }) = result else { panic!("{result:?}") };
    assert!((1..20_000).contains(&events));
}

#[test]
fn an_export_refuses_a_gap_a_wrong_end_and_a_wrong_row() {
    let (log, folder) = (Log::of(3), Folder::new());
    let mut writer = ExportWriter::create(&folder.file(), log.head(0, Scope::Whole)).unwrap();
    assert_eq!(
        writer.event(&log.events[1]).unwrap_err().to_string(),
        format!("the event at 2 of store {STORE} does not come after place 0 of the store that is exported")
    );
    writer.table(Table { name: "t".to_owned(), columns: vec!["c".to_owned()] }).unwrap();
    assert_eq!(writer.row(&[]).unwrap_err().to_string(), "a row of table `t` has 0 cells, not 1");
    assert!(writer.finish().is_err());
    assert!(!folder.file().exists());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Wherever one byte is flipped, in whichever export, the verification fails; in an event, that event is named.
    #[test]
    fn a_flipped_byte_is_found_where_it_is(place in any::<prop::sample::Index>(), bit in 0..8_u32, is_whole in any::<bool>()) {
        let (log, folder) = (Log::of(60), Folder::new());
        let scope = if is_whole { Scope::Whole } else { Scope::Tenant(tenant("bank_a")) };
        log.export(&folder.file(), 0, scope);
        let mut bytes = std::fs::read(folder.file()).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let event = event_at(&bytes, place);
        std::fs::write(folder.file(), &bytes).unwrap();
        match (verify_export(&folder.file(), options()), event) {
            (Ok(_), _) => prop_assert!(false, "byte {place} of {}", bytes.len()),
            (Err(VerifyError::Event { position, .. }), Some(event)) => prop_assert_eq!(position.number(), event),
            // Outside of events the file itself is named.
            (Err(error), event) => prop_assert!(event.is_none(), "byte {place} in event {event:?}: {error}"),
        }
    }

    #[test]
    fn an_export_cut_anywhere_is_refused(place in any::<prop::sample::Index>()) {
        let (log, folder) = (Log::of(20), Folder::new());
        log.export(&folder.file(), 0, Scope::Whole);
        let bytes = std::fs::read(folder.file()).unwrap();
        std::fs::write(folder.file(), &bytes[..place.index(bytes.len())]).unwrap();
        prop_assert!(verify_export(&folder.file(), options()).is_err());
    }
}

/// Where the rows of the first table begin, and where its end's record ends.
fn rows_of_the_first_table(bytes: &[u8]) -> std::ops::Range<usize> {
    let (mut at, mut begin) = (16, 0);
    loop {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        let kind = bytes[at];
        at += 5 + length;
        match kind {
            3 => begin = at,
            6 => return begin..at,
            _ => {}
        }
    }
}

#[test]
fn a_flip_in_a_table_is_named_also_if_the_hash_of_the_file_was_made_right_again() {
    let (log, folder) = (Log::of(20), Folder::new());
    log.export(&folder.file(), 0, Scope::Whole);
    let whole = std::fs::read(folder.file()).unwrap();
    for place in rows_of_the_first_table(&whole) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        let end = bytes.len() - 32;
        let hash: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &bytes[..end])).into();
        bytes[end..].copy_from_slice(&hash);
        std::fs::write(folder.file(), &bytes).unwrap();
        let error = verify_export(&folder.file(), options()).unwrap_err();
        let VerifyError::File(error) = error else { panic!("byte {place}: {error}") };
        assert_eq!(error.to_string(), "table `claims` is damaged", "byte {place}");
        if place % 16 == 0 {
            assert_eq!(python_says(&folder.file()).0, Some(1), "byte {place}");
        }
    }
}

/// The number of the event in whose body the byte lies.
fn event_at(bytes: &[u8], place: usize) -> Option<u64> {
    let (mut at, mut events) = (16, 0);
    while at + 5 <= bytes.len() - 32 {
        let length = u32::from_be_bytes(bytes[at + 1..at + 5].try_into().unwrap()) as usize;
        let is_event = bytes[at] == 2;
        events += u64::from(is_event);
        if (at..at + 5).contains(&place) {
            return None;
        }
        at += 5;
        if (at..at + length).contains(&place) {
            return is_event.then_some(events);
        }
        at += length;
    }
    None
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The log of the golden exports: five events that use every field and both kinds of visibility.
fn golden_log() -> Log {
    let mut log = Log::of(3);
    log.push("bank_b", "order/1", true);
    log.push("bank_a", "asset/3", false);
    log.forge(5, |event| {
        event.metadata.actor = Actor::new("rui@bank", "app", Some("ana@bank")).unwrap();
        event.metadata.causation = Some(EventId::from_bytes([0x33; 16]));
        event.metadata.trace_parent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into());
    });
    log
}

#[test]
fn the_golden_exports_are_what_is_written_today_and_verify() {
    let (log, folder) = (golden_log(), Folder::new());
    for (name, scope) in [("whole.export", Scope::Whole), ("bank_b.export", Scope::Tenant(tenant("bank_b")))] {
        log.export(&folder.file(), 0, scope);
        let written = std::fs::read(folder.file()).unwrap();
        if std::env::var_os("LASTRO_WRITE_GOLDEN").is_some() {
            std::fs::write(golden(name), &written).unwrap();
        }
        assert!(std::fs::read(golden(name)).unwrap() == written, "{name} is no longer what is written");
        assert_eq!(verify_export(&golden(name), options()).unwrap().events, 5);
    }
}

/// The bytes of the worked example: the hexadecimal digits of the page's block, without what stands behind `#`.
fn example() -> Vec<u8> {
    let page = include_str!("../../../../docs/journal-format.md");
    let block = page.split("```hex\n").nth(1).expect("the page has an example").split("```").next().unwrap();
    let digits: String = block.lines().map(|line| line.split('#').next().unwrap()).collect();
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_example_of_the_page_is_what_is_written_and_both_verifiers_take_it() {
    let (mut log, folder) = (Log::of(0), Folder::new());
    log.push("bank_a", "asset/1", true);
    log.export(&folder.file(), 0, Scope::Whole);
    let written = std::fs::read(folder.file()).unwrap();
    let hex: String = written.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(example() == written, "the page's example is not what is written: {hex}");
    assert_eq!(verify_export(&folder.file(), options()).unwrap().events, 1);
    assert_eq!(python_says(&folder.file()).0, Some(0));
}

/// What the verifier in Python says of a file: exit code and text.
fn python_says(path: &Path) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify_export.py");
    let run =
        Command::new("python3").arg(script).arg(path).output().expect("python3 is installed, as `./test` sees to");
    (run.status.code(), String::from_utf8(run.stdout).unwrap())
}

#[test]
fn a_verifier_that_shares_no_code_agrees() {
    let (log, folder) = (golden_log(), Folder::new());
    for name in ["whole.export", "bank_b.export"] {
        let (code, text) = python_says(&golden(name));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains(&log.last().hash.to_string()), "{text}");
    }
    let mut bytes = std::fs::read(golden("whole.export")).unwrap();
    let payload = bytes.windows(3).position(|text| text == b"\"4\"").unwrap();
    bytes[payload + 1] = b'5';
    std::fs::write(folder.file(), &bytes).unwrap();
    let (code, text) = python_says(&folder.file());
    assert_eq!((code, text.trim()), (Some(1), "event at place 4: hash does not follow from its bytes"));
    assert_eq!(wrong(verify_export(&folder.file(), options())).0, 4);
}
