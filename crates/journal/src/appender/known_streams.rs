//! What the writer knows of streams from its own groups, so that a stream that is written often is not looked up each time.
//!
//! Whether somebody else has appended since is said by the head, under its lock: a head with the same place and hash is that of
//! the same log, event by event. Of events that others appended the streams alone are read, in one stretch, and forgotten here.

use std::collections::HashMap;

use messages::{Hash, Position};

use crate::store::{Head, Newest, StreamKey, Stretch, Wanted};

/// How many streams are known at most, at about 150 bytes each. Beyond it, all are forgotten.
const KNOWN_STREAMS_MAX: usize = 65_536;

/// How many events of others are followed at most. Beyond it, all streams are forgotten.
const FOLLOWED_EVENTS_MAX: u64 = 4_096;

/// The newest events of streams, as of some end of the log.
#[derive(Debug, Default)]
pub(crate) struct KnownStreams {
    /// Place and hash of that end; `None` before the first group.
    end: Option<(Position, Hash)>,
    /// By what the index on events is made of. Two streams can have one hash.
    newest: HashMap<i64, Vec<(StreamKey, Newest)>>,
}

impl KnownStreams {
    /// The known end, if others have appended behind it and what they did is worth reading. Whoever gets `None` need not read:
    /// nothing was appended, or too much.
    pub(crate) fn behind(&mut self, head: &Head) -> Option<Position> {
        let (position, hash) = self.end?;
        if (position, hash) == (head.position, head.hash) {
            return None;
        }
        let appended = head.position.number().checked_sub(position.number());
        let is_worth_reading = appended.is_some_and(|count| count <= FOLLOWED_EVENTS_MAX);
        if is_worth_reading && position != Position::START && !self.newest.is_empty() {
            return Some(position);
        }
        self.newest.clear();
        None
    }

    /// Forgets the streams of events that others appended, up to this head. If they do not begin with the known end, or some are
    /// missing, all.
    pub(crate) fn follow(&mut self, head: &Head, stretch: &Stretch) {
        let is_same_log = self.end.is_some_and(|(position, hash)| {
            let appended = head.position.number().checked_sub(position.number());
            stretch.start == Some(hash) && appended == u64::try_from(stretch.streams.len()).ok()
        });
        if is_same_log {
            for stream in &stretch.streams {
                drop(self.newest.remove(stream));
            }
        } else {
            self.newest.clear();
        }
        self.end = Some((head.position, head.hash));
    }

    /// Takes out of `wanted` the streams that are known, and gives what is known of them.
    pub(crate) fn take(&mut self, wanted: &mut Wanted) -> HashMap<StreamKey, Newest> {
        let mut known = HashMap::new();
        if !self.newest.is_empty() {
            wanted.streams.retain(|stream| match self.take_one(stream) {
                Some((stream, newest)) => known.insert(stream, newest).is_some(),
                None => true,
            });
        }
        known
    }

    fn take_one(&mut self, stream: &StreamKey) -> Option<(StreamKey, Newest)> {
        let same_hash = self.newest.get_mut(&stream.narrow())?;
        let place = same_hash.iter().position(|(known, _)| known == stream)?;
        Some(same_hash.swap_remove(place))
    }

    /// Notes the streams of a group that was committed and left the store with this head.
    pub(crate) fn note(&mut self, head: &Head, newest: HashMap<StreamKey, Newest>) {
        if self.newest.len() + newest.len() > KNOWN_STREAMS_MAX {
            self.newest.clear();
        }
        for (stream, newest) in newest {
            let same_hash = self.newest.entry(stream.narrow()).or_default();
            same_hash.retain(|(known, _)| *known != stream);
            same_hash.push((stream, newest));
        }
        self.end = Some((head.position, head.hash));
    }
}

#[cfg(test)]
mod tests {
    use messages::{EventId, StoreId, StreamName, StreamVersion, TenantId, Timestamp};

    use super::*;

    fn head(position: u64, hash: u8) -> Head {
        Head {
            store: StoreId::from_bytes([1; 16]),
            position: Position::new(position),
            hash: Hash::new([hash; 32]),
            recorded: Timestamp::from_micros(0),
            published: Position::START,
        }
    }

    fn stream(name: &str) -> StreamKey {
        StreamKey::new(TenantId::parse("bank-a").unwrap(), StreamName::parse(name).unwrap())
    }

    fn newest(version: u64) -> Newest {
        Newest { version: StreamVersion::new(version), event: EventId::from_bytes([7; 16]) }
    }

    fn knowing(names: &[&str]) -> KnownStreams {
        let mut known = KnownStreams::default();
        known.note(&head(3, 3), names.iter().map(|name| (stream(name), newest(3))).collect());
        known
    }

    fn taken(known: &mut KnownStreams, names: &[&str]) -> (usize, usize) {
        let mut wanted = Wanted { streams: names.iter().map(|name| stream(name)).collect(), ..Wanted::default() };
        (known.take(&mut wanted).len(), wanted.streams.len())
    }

    fn stretch(start: Option<u8>, names: &[&str]) -> Stretch {
        let start = start.map(|hash| Hash::new([hash; 32]));
        Stretch { start, streams: names.iter().map(|name| stream(name).narrow()).collect() }
    }

    #[test]
    fn what_is_known_is_not_wanted() {
        assert_eq!(taken(&mut KnownStreams::default(), &["a", "b"]), (0, 2));
        let mut known = knowing(&["a"]);
        assert_eq!(known.behind(&head(3, 3)), None);
        assert_eq!(taken(&mut known, &["a", "b"]), (1, 1));
        assert_eq!(taken(&mut known, &["a", "b"]), (0, 2), "what was taken is given back when its group is committed");
    }

    #[test]
    fn the_streams_that_others_appended_to_are_forgotten_alone() {
        let mut known = knowing(&["a", "b", "c"]);
        assert_eq!(known.behind(&head(5, 5)), Some(Position::new(3)));
        known.follow(&head(5, 5), &stretch(Some(3), &["a", "x"]));
        assert_eq!(known.behind(&head(5, 5)), None);
        assert_eq!(taken(&mut known, &["a", "b", "c", "x"]), (2, 2));
    }

    #[test]
    fn another_log_and_a_long_way_behind_forget_everything() {
        for (start, names) in [(None, &[][..]), (Some(9), &["a"][..]), (Some(3), &[][..]), (Some(3), &["a", "x"][..])] {
            let mut known = knowing(&["a", "c"]);
            let stretch = stretch(start, names);
            known.follow(&head(4, 4), &stretch);
            assert_eq!(taken(&mut known, &["a", "c"]), (0, 2), "{stretch:?}");
        }
        for far in [head(3 + FOLLOWED_EVENTS_MAX + 1, 1), head(2, 2)] {
            let mut known = knowing(&["c"]);
            assert_eq!(known.behind(&far), None);
            assert_eq!(taken(&mut known, &["c"]), (0, 1));
        }
    }
}
