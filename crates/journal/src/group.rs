//! What a group of units does to a store, decided without the store: who is refused and why, and the rows of the others.
//!
//! Units are admitted one after another, each on what the store holds *and* what the units before it in the group do. A refused
//! unit leaves no trace. This module is pure: the same head, findings and units give the same rows.

mod claims;
mod keys;
mod refusal;
mod timers;

use std::collections::HashMap;

use messages::header::Visibility;
use messages::{EventId, Header, Metadata, Position, RecordedEvent, StreamName, StreamVersion, Timestamp, chain};

use self::claims::Claims;
use self::keys::Keys;
pub use self::refusal::Refusal;
use self::timers::Timers;
use crate::cursor::Cursor;
use crate::mutant::{Mutant, is_planted};
use crate::store::{Found, Head, Newest, Rows, StreamKey, Wanted};
use crate::unit::{Append, Audience, Expected, NewEvent, Seal, UnitOfWork};

/// What an admitted unit wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The place of the unit's last event; that of the event before the unit, if it has none. A view that has come so far shows
    /// the unit.
    pub position: Position,
    /// How many events it wrote; they end at `position`.
    pub events: u64,
    /// The version of each stream after each of the unit's appends, in their order.
    pub versions: Vec<StreamVersion>,
    /// When it was recorded.
    pub recorded: Timestamp,
}

/// Adds to `wanted` what a unit depends on.
pub(crate) fn want(unit: &UnitOfWork, wanted: &mut Wanted) {
    for append in &unit.appends {
        let _ = wanted.streams.insert(append.key.clone());
    }
    let confirmed = unit.confirmed.iter();
    wanted.streams.extend(confirmed.map(|(tenant, stream, _)| StreamKey::new(tenant.clone(), stream.clone())));
    wanted.keys.extend(unit.key_free.iter().map(|(scope, _)| scope.clone()));
    wanted.keys.extend(unit.key.iter().map(|key| key.scope.clone()));
    wanted.keys.extend(unit.key_changes.iter().map(|(scope, _)| scope.clone()));
    wanted.claims.extend(unit.claims.iter().chain(&unit.claims_released).map(|(claim, _)| claim.clone()));
    wanted.timers.extend(unit.timers.iter().map(|change| change.name().clone()));
    wanted.consumers.extend(unit.advances.iter().map(|advance| advance.consumer.clone()));
}

/// A group in the making.
pub(crate) struct Admission {
    head: Head,
    /// The head before this group.
    before: Head,
    newest: HashMap<StreamKey, Newest>,
    keys: Keys,
    claims: Claims,
    timers: Timers,
    cursors: HashMap<Box<str>, Cursor>,
    cursors_moved: Vec<Box<str>>,
    rows: Rows,
}

impl Admission {
    /// A group on a store with this head, where this was found. `now` is the clock's time; recorded is never before the head's.
    pub(crate) fn new(head: Head, found: Found, now: Timestamp) -> Self {
        Self {
            head: Head { recorded: head.recorded.max(now), ..head },
            before: head,
            newest: found.newest,
            keys: Keys::new(found.keys),
            claims: Claims::new(found.claims),
            timers: Timers::new(found.timers),
            cursors: found.cursors,
            cursors_moved: Vec::new(),
            rows: Rows::default(),
        }
    }

    /// Admits a unit, whose place among the group's units is `index`.
    ///
    /// # Errors
    ///
    /// If it is refused; then the group is as if it had not been there.
    pub(crate) fn admit(&mut self, index: usize, unit: &UnitOfWork) -> Result<Appended, Refusal> {
        // A repeated key is told before anything that the first use of it changed.
        self.keys.check(unit)?;
        let after = self.check_streams(unit)?;
        self.claims.check(unit)?;
        self.timers.check(unit)?;
        self.check_cursors(unit)?;
        let before = self.head.position;
        for append in &unit.appends {
            self.append(append);
        }
        self.keys.apply(unit, self.head.position, self.head.recorded);
        self.claims.apply(unit);
        self.timers.apply(unit);
        for advance in &unit.advances {
            let _ = self.cursors.insert(advance.consumer.clone(), advance.to);
            self.cursors_moved.push(advance.consumer.clone());
        }
        self.rows.statements.extend(unit.statements.iter().map(|statement| (index, statement.clone())));
        let position = self.head.position;
        let events = position.number() - before.number();
        Ok(Appended { position, events, versions: after, recorded: self.head.recorded })
    }

    /// The events of the units admitted since the last time, which no later unit changes: they may be written already.
    pub(crate) fn take_events(&mut self) -> Vec<RecordedEvent> {
        std::mem::take(&mut self.rows.events)
    }

    /// The rows of all admitted units but events that were taken, the head after them, and the newest events of the streams that
    /// they asked for.
    pub(crate) fn finish(mut self) -> (Rows, Head, HashMap<StreamKey, Newest>) {
        self.keys.write(&mut self.rows);
        self.claims.write(&mut self.rows);
        self.timers.write(&mut self.rows);
        self.cursors_moved.sort_unstable();
        self.cursors_moved.dedup();
        for consumer in self.cursors_moved {
            if let Some(cursor) = self.cursors.get(&consumer) {
                self.rows.cursors.push((consumer, *cursor));
            }
        }
        if self.head.position == self.before.position {
            // The head's time is that of the newest event, so that an audit can tell it from the log.
            self.head.recorded = self.before.recorded;
        }
        (self.rows, self.head, self.newest)
    }

    /// The version after each append, or the first that its stream refuses.
    fn check_streams(&self, unit: &UnitOfWork) -> Result<Vec<StreamVersion>, Refusal> {
        for (tenant, stream, expected) in &unit.confirmed {
            let key = StreamKey::new(tenant.clone(), stream.clone());
            check_expected(stream, *expected, self.newest.get(&key).copied())?;
        }
        let mut mine: HashMap<StreamKey, Newest> = HashMap::new();
        let mut after = Vec::with_capacity(unit.appends.len());
        for append in &unit.appends {
            let key = append.key.clone();
            let newest = mine.get(&key).or_else(|| self.newest.get(&key)).copied();
            check_expected(&append.key.stream, append.expected, newest)?;
            let version = newest.map_or(StreamVersion::EMPTY, |newest| newest.version);
            let version = StreamVersion::new(version.number() + append.events.len() as u64);
            if let Some(last) = append.events.last() {
                let _ = mine.insert(key, Newest { version, event: last.id });
            }
            after.push(version);
        }
        Ok(after)
    }

    fn check_cursors(&self, unit: &UnitOfWork) -> Result<(), Refusal> {
        for (index, advance) in unit.advances.iter().enumerate() {
            let earlier = unit.advances[..index].iter().rev().find(|other| other.consumer == advance.consumer);
            let stands_at =
                earlier.map_or_else(|| self.cursors.get(&advance.consumer).copied(), |other| Some(other.to));
            if stands_at != advance.from && !is_planted(Mutant::CursorUnfenced) {
                let (expected, stands_at) = (advance.from.map(Box::new), stands_at.map(Box::new));
                return Err(Refusal::CursorMoved { consumer: advance.consumer.clone(), expected, stands_at });
            }
        }
        Ok(())
    }

    fn append(&mut self, append: &Append) {
        let key = append.key.clone();
        let mut version = self.newest.get(&key).map_or(StreamVersion::EMPTY, |newest| newest.version);
        for (event, seal) in append.events.iter().zip(&append.seals) {
            version = version.next();
            let recorded = self.record(append, version, event, seal);
            self.rows.events.push(recorded);
        }
        if let Some(last) = append.events.last() {
            let _ = self.newest.insert(key, Newest { version, event: last.id });
        }
    }

    /// Gives the event its place at the end of the log.
    fn record(
        &mut self,
        append: &Append,
        stream_version: StreamVersion,
        event: &NewEvent,
        seal: &Seal,
    ) -> RecordedEvent {
        let metadata = metadata(append, stream_version, event);
        let metadata_bytes = metadata.encode();
        let position = self.head.position.next();
        let visibility = match event.audience {
            Audience::Private => Visibility::Private,
            Audience::Published => {
                Visibility::Published { previous: std::mem::replace(&mut self.head.published, position) }
            }
        };
        let header =
            Header { store: self.head.store, position, event: event.id, recorded: self.head.recorded, visibility };
        let content = chain::content(&seal.salt, &metadata_bytes);
        self.head.position = position;
        self.head.hash = chain::event(self.head.hash, &header, content, seal.payload);
        RecordedEvent {
            header,
            metadata,
            metadata_bytes: metadata_bytes.into(),
            payload: event.payload.clone(),
            salt: seal.salt,
            hash: self.head.hash,
        }
    }
}

fn metadata(append: &Append, stream_version: StreamVersion, event: &NewEvent) -> Metadata {
    let cause = &append.cause;
    Metadata {
        tenant: cause.tenant.clone(),
        stream: append.key.stream.clone(),
        stream_version,
        event_type: event.event_type.clone(),
        type_version: event.type_version,
        actor: cause.actor.clone(),
        command: cause.command,
        correlation: cause.correlation,
        causation: cause.causation,
        trace_parent: cause.trace_parent.clone(),
    }
}

fn check_expected(stream: &StreamName, expected: Expected, newest: Option<Newest>) -> Result<(), Refusal> {
    let found = newest.map_or(StreamVersion::EMPTY, |newest| newest.version);
    let found_event: Option<EventId> = newest.map(|newest| newest.event);
    let (expected, is_met) = match expected {
        Expected::Any => return Ok(()),
        Expected::Version(version) => (version, version == found),
        Expected::After(version, event) => (version, version == found && found_event == Some(event)),
    };
    if is_met { Ok(()) } else { Err(Refusal::VersionConflict { stream: stream.clone(), expected, found }) }
}

#[cfg(test)]
mod tests;
