//! What an event that came is to a consumer at its cursor. Pure.

use messages::header::Visibility;
use messages::{Hash, Position, RecordedEvent, StoreId};

use crate::cursor::Cursor;

/// What an event that came is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It is applied already.
    Duplicate,
    /// It is the next published event.
    Follows,
    /// There are published events between, the last of them at `missing`.
    Gap { missing: Position },
    /// It is of another store.
    OtherStore { found: StoreId },
    /// It is private and has no business here.
    Private,
    /// It claims the place right behind the cursor and does not have the hash that an event there must have.
    WrongHash,
}

/// Judges an event that came to a consumer at `cursor`.
pub(crate) fn judge(cursor: &Cursor, event: &RecordedEvent) -> Judgement {
    let header = &event.header;
    let Visibility::Published { previous } = header.visibility else { return Judgement::Private };
    if header.store != cursor.store {
        return Judgement::OtherStore { found: header.store };
    }
    if header.position <= cursor.position {
        return Judgement::Duplicate;
    }
    if previous > cursor.position {
        return Judgement::Gap { missing: previous };
    }
    // With private events between, their hashes would be needed. What a store said before it was restored is kept from coming
    // by its publisher, which purges it.
    let is_adjacent = header.position == cursor.position.next();
    if is_adjacent && !has_hash_after(event, cursor.hash) {
        return Judgement::WrongHash;
    }
    Judgement::Follows
}

fn has_hash_after(event: &RecordedEvent, previous: Hash) -> bool {
    event.hash_after(previous) == event.hash
}

#[cfg(test)]
mod tests {
    use messages::{
        Actor, CommandId, EventId, EventType, Header, Metadata, Payload, StreamName, StreamVersion, TenantId, Timestamp,
    };

    use super::*;

    const STORE: StoreId = StoreId::from_bytes([1; 16]);

    fn event(store: StoreId, position: u64, visibility: Visibility, after: Hash) -> RecordedEvent {
        let command = CommandId::from_bytes([2; 16]);
        let metadata = Metadata {
            tenant: TenantId::parse("bank_a").unwrap(),
            stream: StreamName::parse("asset/1").unwrap(),
            stream_version: StreamVersion::new(position),
            event_type: EventType::of("test.happened"),
            type_version: 1,
            actor: Actor::new("ana@bank", "console", None).unwrap(),
            command,
            correlation: command,
            causation: None,
            trace_parent: None,
        };
        let position = Position::new(position);
        let header = Header {
            store,
            position,
            event: EventId::from_bytes([3; 16]),
            recorded: Timestamp::from_micros(0),
            visibility,
        };
        let (metadata_bytes, payload) = (metadata.encode().into(), Payload::parse(b"{}".as_slice()).unwrap());
        let mut event = RecordedEvent { header, metadata, metadata_bytes, payload, salt: [4; 16], hash: after };
        event.hash = event.hash_after(after);
        event
    }

    fn published(position: u64, previous: u64, after: Hash) -> RecordedEvent {
        event(STORE, position, Visibility::Published { previous: Position::new(previous) }, after)
    }

    /// The judgement of a reader behind event 10, whose hash is all sevens.
    fn at_ten(event: &RecordedEvent) -> Judgement {
        judge(&Cursor { store: STORE, position: Position::new(10), hash: Hash::new([7; 32]) }, event)
    }

    #[test]
    fn an_event_follows_if_no_published_one_is_between() {
        let (right, other) = (Hash::new([7; 32]), Hash::new([8; 32]));
        assert_eq!(at_ten(&published(11, 10, right)), Judgement::Follows);
        // Private ones are between, or the cursor stands behind private ones; the hash cannot be checked then.
        assert_eq!(at_ten(&published(13, 10, other)), Judgement::Follows);
        assert_eq!(at_ten(&published(13, 4, other)), Judgement::Follows);
        assert_eq!(at_ten(&published(14, 12, other)), Judgement::Gap { missing: Position::new(12) });
        assert_eq!(at_ten(&published(14, 11, other)), Judgement::Gap { missing: Position::new(11) });
    }

    #[test]
    fn what_is_behind_is_a_duplicate_whatever_it_says() {
        for position in 1..=10 {
            assert_eq!(at_ten(&published(position, position - 1, Hash::new([0; 32]))), Judgement::Duplicate);
        }
    }

    #[test]
    fn what_is_not_the_stores_is_told_apart() {
        let right = Hash::new([7; 32]);
        assert_eq!(at_ten(&published(11, 10, Hash::new([8; 32]))), Judgement::WrongHash);
        assert_eq!(at_ten(&event(STORE, 11, Visibility::Private, right)), Judgement::Private);
        let found = StoreId::from_bytes([9; 16]);
        for position in [5, 11, 20] {
            let visibility = Visibility::Published { previous: Position::new(position - 1) };
            assert_eq!(at_ten(&event(found, position, visibility, right)), Judgement::OtherStore { found });
        }
    }
}
