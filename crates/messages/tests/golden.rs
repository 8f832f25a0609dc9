//! Golden files of the stored forms: what was once written stays readable, and is written the same today.
//!
//! A file is hexadecimal text, lines of `name = bytes`. A form that changes gets a new file; no old one is ever edited.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here has failed the test")]

use messages::codec::CodecError;
use messages::frame::{self, Frame};
use messages::header::Visibility;
use messages::{
    Actor, CommandId, EventId, EventType, Hash, Header, Metadata, Payload, Position, RecordedEvent, StoreId,
    StreamName, StreamVersion, TenantId, Timestamp, chain,
};

const GOLDEN: &str = include_str!("golden/stored-forms-1.txt");

fn golden(name: &str) -> Vec<u8> {
    let line = GOLDEN.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    let digits = line.unwrap_or_else(|| panic!("no golden bytes are called {name}"));
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// An event that uses every field.
fn full() -> RecordedEvent {
    let metadata = Metadata {
        tenant: TenantId::parse("bank_a").unwrap(),
        stream: StreamName::parse("asset/ast_1").unwrap(),
        stream_version: StreamVersion::new(2),
        event_type: EventType::of("tokens.asset_issued"),
        type_version: 3,
        actor: Actor::new("ana@bank", "console", Some("rui@bank")).unwrap(),
        command: CommandId::from_bytes([0xc1; 16]),
        correlation: CommandId::from_bytes([0xc0; 16]),
        causation: Some(EventId::from_bytes([0xca; 16])),
        trace_parent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    };
    recorded(2, metadata, Visibility::Published { previous: Position::START }, first().hash)
}

/// An event with the fewest fields, at the beginning of the log.
fn first() -> RecordedEvent {
    let metadata = Metadata {
        tenant: TenantId::parse("bank_a").unwrap(),
        stream: StreamName::parse("asset/ast_1").unwrap(),
        stream_version: StreamVersion::new(1),
        event_type: EventType::of("tokens.asset_drafted"),
        type_version: 1,
        actor: Actor::new("ana@bank", "console", None).unwrap(),
        command: CommandId::from_bytes([0xc0; 16]),
        correlation: CommandId::from_bytes([0xc0; 16]),
        causation: None,
        trace_parent: None,
    };
    recorded(1, metadata, Visibility::Private, chain::start(StoreId::from_bytes([0x50; 16])))
}

fn recorded(position: u8, metadata: Metadata, visibility: Visibility, previous: Hash) -> RecordedEvent {
    let header = Header {
        store: StoreId::from_bytes([0x50; 16]),
        position: Position::new(position.into()),
        event: EventId::from_bytes([0xe0 + position; 16]),
        recorded: Timestamp::from_micros(1_795_000_000_000_000 + i64::from(position)),
        visibility,
    };
    let metadata_bytes = metadata.encode().into();
    let payload = Payload::parse(br#"{"units":"250"}"#.as_slice()).unwrap();
    let hash = Hash::new([0; Hash::BYTES]);
    let mut event = RecordedEvent { header, metadata, metadata_bytes, payload, salt: [0x5a; 16], hash };
    event.hash = event.hash_after(previous);
    event
}

/// The forms, by the names that the file has for them.
fn written() -> Vec<(&'static str, Vec<u8>)> {
    let (first, full) = (first(), full());
    vec![
        ("start", chain::start(full.header.store).as_bytes().to_vec()),
        ("header private", first.header.to_bytes().to_vec()),
        ("header published", full.header.to_bytes().to_vec()),
        ("metadata least", first.metadata.encode()),
        ("metadata full", full.metadata.encode()),
        ("metadata hash", frame::seal(&full).metadata.as_bytes().to_vec()),
        ("payload hash", frame::seal(&full).payload.as_bytes().to_vec()),
        ("event hash", full.hash.as_bytes().to_vec()),
        ("frame whole", Frame::Whole(Box::new(full.clone())).encode()),
        ("frame sealed", Frame::Sealed(frame::seal(&full)).encode()),
    ]
}

#[test]
fn what_is_written_today_is_what_was_written_first() {
    let text: String = written().iter().map(|(name, bytes)| format!("{name} = {}\n", hex(bytes))).collect();
    assert!(text == GOLDEN, "the stored forms have changed; they are now\n{text}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_was_written_first_is_read_today() {
    let header = |name| Header::from_bytes(&golden(name).try_into().unwrap());
    assert_eq!((header("header private"), header("header published")), (first().header, full().header));
    assert_eq!(Metadata::decode(&golden("metadata least")).unwrap(), first().metadata);
    assert_eq!(Metadata::decode(&golden("metadata full")).unwrap(), full().metadata);
    assert_eq!(Frame::decode(&golden("frame whole")).unwrap(), Frame::Whole(Box::new(full())));
    assert_eq!(Frame::decode(&golden("frame sealed")).unwrap(), Frame::Sealed(frame::seal(&full())));
}

#[test]
fn a_whole_and_a_sealed_frame_have_the_same_hash() {
    for name in ["frame whole", "frame sealed"] {
        let frame = Frame::decode(&golden(name)).unwrap();
        assert_eq!(frame.hash_after(first().hash), frame.hash());
    }
}

#[test]
fn a_field_of_tomorrow_is_passed_over_and_a_frame_cut_anywhere_is_refused() {
    let tomorrow = [golden("metadata full").as_slice(), &[200, 0, 2, 1, 2]].concat();
    assert_eq!(Metadata::decode(&tomorrow).unwrap(), full().metadata);
    let whole = golden("frame whole");
    for length in 0..whole.len() {
        assert!(
            matches!(Frame::decode(&whole[..length]), Err(CodecError::Ends { .. } | CodecError::Field { .. })),
            "{length}"
        );
    }
    let longer = [whole.as_slice(), &[0]].concat();
    assert!(matches!(Frame::decode(&longer), Err(CodecError::LeftOver { bytes: 1, .. })));
}
