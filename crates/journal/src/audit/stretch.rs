//! A stretch of consecutive events, checked on its own: many at once, and joined in order afterwards.
//!
//! An event's hash needs of the event before only the hash that this *says* it has. So stretches are checked side by side, each
//! from what the event before it says; that event's own stretch shows whether it says the truth.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use messages::frame::Frame;
use messages::header::Visibility;
use messages::{Hash, Metadata, Position, StoreId, StreamName, StreamVersion, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};

use super::export::Scope;
use super::head::Head;
use super::report::Wrong;

/// What the event before a stretch says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Border {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
    /// `None` before the first event that is known.
    pub(crate) recorded: Option<Timestamp>,
}

/// What all stretches of an audit are checked against.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) store: StoreId,
    pub(crate) scope: Scope,
    /// All that are given for a place, also if they contradict each other.
    pub(crate) anchors: BTreeMap<Position, Vec<Hash>>,
}

impl Rules {
    pub(crate) fn new(store: StoreId, scope: Scope, anchors: &[Head]) -> Self {
        let mut by_place: BTreeMap<Position, Vec<Hash>> = BTreeMap::new();
        for anchor in anchors {
            by_place.entry(anchor.position).or_default().push(anchor.hash);
        }
        Self { store, scope, anchors: by_place }
    }

    /// How many anchors agree with the hash at a place, or the first that does not.
    pub(crate) fn compare(&self, position: Position, found: Hash) -> Result<u64, Hash> {
        let anchors = self.anchors.get(&position).map_or(&[][..], Vec::as_slice);
        match anchors.iter().find(|expected| **expected != found) {
            Some(expected) => Err(*expected),
            None => Ok(anchors.len() as u64),
        }
    }
}

/// A stream by the first 16 bytes of a SHA-256: a map of these is smaller than one of names.
pub(crate) type StreamDigest = [u8; 16];

fn digest(metadata: &Metadata) -> StreamDigest {
    let mut hasher = Sha256::new();
    hasher.update(metadata.tenant.as_str());
    // No tenant's name has this byte, so that no two pairs give the same text.
    hasher.update([0]);
    hasher.update(metadata.stream.as_str());
    let hash: [u8; 32] = hasher.finalize().into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    first
}

/// What a stretch has of a stream. The name is kept for what is said if it does not fit the stretch before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamPart {
    pub(crate) at: Position,
    pub(crate) tenant: TenantId,
    pub(crate) stream: StreamName,
    pub(crate) first: StreamVersion,
    pub(crate) last: StreamVersion,
}

/// A published event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublishedLink {
    pub(crate) at: Position,
    pub(crate) previous: Position,
}

/// What was found in a stretch.
#[derive(Debug)]
pub(crate) struct Stretch {
    rules: Arc<Rules>,
    pub(crate) last: Border,
    pub(crate) first_recorded: Option<Timestamp>,
    pub(crate) events: u64,
    pub(crate) sealed: u64,
    pub(crate) published: u64,
    pub(crate) anchors: u64,
    pub(crate) first_published: Option<PublishedLink>,
    pub(crate) last_published: Position,
    pub(crate) streams: HashMap<StreamDigest, StreamPart>,
    pub(crate) tenants: BTreeMap<TenantId, u64>,
    /// The first event that is wrong by itself; nothing after it was looked at.
    pub(crate) wrong: Option<(Position, Wrong)>,
}

impl Stretch {
    /// A stretch that begins after `before`.
    pub(crate) fn after(rules: Arc<Rules>, before: Border) -> Self {
        Self {
            rules,
            last: before,
            first_recorded: None,
            events: 0,
            sealed: 0,
            published: 0,
            anchors: 0,
            first_published: None,
            last_published: Position::START,
            streams: HashMap::new(),
            tenants: BTreeMap::new(),
            wrong: None,
        }
    }

    /// Takes the next event, or what is wrong with it. Says whether the stretch goes on.
    pub(crate) fn add(&mut self, frame: Result<&Frame, Wrong>) -> bool {
        let position = self.last.position.next();
        if let Err(wrong) = frame.and_then(|frame| self.check(frame)) {
            self.wrong = Some((position, wrong));
        }
        self.wrong.is_none()
    }

    fn check(&mut self, frame: &Frame) -> Result<(), Wrong> {
        self.check_place(frame)?;
        self.check_published(frame)?;
        match frame {
            Frame::Whole(event) => self.check_stream(&event.metadata)?,
            Frame::Sealed(_) => self.check_sealed()?,
        }
        let header = frame.header();
        self.last = Border { position: header.position, hash: frame.hash(), recorded: Some(header.recorded) };
        self.first_recorded = self.first_recorded.or(Some(header.recorded));
        self.events += 1;
        Ok(())
    }

    fn check_place(&mut self, frame: &Frame) -> Result<(), Wrong> {
        let (header, before) = (frame.header(), self.last);
        if header.store != self.rules.store {
            return Err(Wrong::Store { expected: self.rules.store, found: header.store });
        }
        if header.position != before.position.next() {
            return Err(Wrong::Position { expected: before.position.next(), found: header.position });
        }
        let (expected, found) = (frame.hash_after(before.hash), frame.hash());
        if expected != found {
            return Err(Wrong::Hash { expected, found });
        }
        if let Some(earliest) = before.recorded.filter(|earliest| *earliest > header.recorded) {
            return Err(Wrong::Time { earliest, found: header.recorded });
        }
        let compared = self.rules.compare(header.position, found);
        self.anchors += compared.map_err(|expected| Wrong::Anchor { expected, found })?;
        Ok(())
    }

    fn check_published(&mut self, frame: &Frame) -> Result<(), Wrong> {
        let at = frame.header().position;
        let Visibility::Published { previous } = frame.header().visibility else { return Ok(()) };
        if self.first_published.is_none() {
            self.first_published = Some(PublishedLink { at, previous });
        } else if previous != self.last_published {
            return Err(Wrong::PublishedLink { expected: self.last_published, found: previous });
        }
        self.last_published = at;
        self.published += 1;
        Ok(())
    }

    fn check_stream(&mut self, metadata: &Metadata) -> Result<(), Wrong> {
        if let Scope::Tenant(tenant) = &self.rules.scope
            && *tenant != metadata.tenant
        {
            return Err(Wrong::Scope { found: "a whole event of another tenant", scope: format!("tenant `{tenant}`") });
        }
        let (found, at, digest) = (metadata.stream_version, self.last.position.next(), digest(metadata));
        match self.streams.get_mut(&digest) {
            Some(part) if part.last.next() != found => return Err(wrong_version(part, part.last.next(), found)),
            Some(part) => part.last = found,
            None => {
                let (tenant, stream) = (metadata.tenant.clone(), metadata.stream.clone());
                let part = StreamPart { at, tenant, stream, first: found, last: found };
                let _ = self.streams.insert(digest, part);
            }
        }
        match self.tenants.get_mut(&metadata.tenant) {
            Some(events) => *events += 1,
            None => drop(self.tenants.insert(metadata.tenant.clone(), 1)),
        }
        Ok(())
    }

    fn check_sealed(&mut self) -> Result<(), Wrong> {
        if self.rules.scope == Scope::Whole {
            return Err(Wrong::Scope { found: "a sealed event", scope: "everybody's events".to_owned() });
        }
        self.sealed += 1;
        Ok(())
    }
}

/// The error that a stream goes on with another version than it should.
pub(crate) fn wrong_version(part: &StreamPart, expected: StreamVersion, found: StreamVersion) -> Wrong {
    let (tenant, stream) = (part.tenant.clone(), part.stream.clone());
    Wrong::StreamVersion { tenant, stream, expected, found }
}
