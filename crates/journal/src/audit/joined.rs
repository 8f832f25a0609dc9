//! Joins stretches in their order: what one stretch alone cannot know.

use std::collections::{BTreeMap, HashMap};

use messages::{Position, StreamVersion, TenantId, Timestamp};

use super::head::Head;
use super::report::{Progress, Report, VerifyError, VerifyOptions, Wrong};
use super::stretch::{Border, Rules, StreamDigest, Stretch, wrong_version};

/// What was found in all stretches so far.
///
/// Its memory grows with the number of streams, about 50 bytes for each.
#[derive(Debug)]
pub(crate) struct Joined {
    after: Position,
    last: Border,
    last_published: Position,
    streams: HashMap<StreamDigest, StreamVersion>,
    tenants: BTreeMap<TenantId, u64>,
    first: Option<Timestamp>,
    events: u64,
    sealed: u64,
    published: u64,
    anchors: u64,
    /// The last place of the range: only then is an audit complete.
    up_to: Position,
}

impl Joined {
    /// Begins after `border`, with `published` the last published event up to there, and goes to `up_to`. Anchors may stand at the
    /// border too.
    pub(crate) fn begin(
        border: Border,
        published: Position,
        up_to: Position,
        rules: &Rules,
    ) -> Result<Self, VerifyError> {
        let anchors = rules.compare(border.position, border.hash).map_err(|expected| VerifyError::End {
            what: "the hash before the first event",
            expected: format!("{expected}, as anchored"),
            found: border.hash.to_string(),
        })?;
        Ok(Self {
            after: border.position,
            last: border,
            last_published: published,
            streams: HashMap::new(),
            tenants: BTreeMap::new(),
            first: None,
            events: 0,
            sealed: 0,
            published: 0,
            anchors,
            up_to,
        })
    }

    /// The last event so far.
    pub(crate) const fn last(&self) -> Border {
        self.last
    }

    /// The last published event so far.
    pub(crate) const fn last_published(&self) -> Position {
        self.last_published
    }

    /// How many are sealed so far.
    pub(crate) const fn sealed(&self) -> u64 {
        self.sealed
    }

    /// How far it has come.
    pub(crate) fn progress(&self) -> Progress {
        Progress { events: self.events, events_total: self.up_to.number() - self.after.number() }
    }

    /// Takes the next stretch. The first wrong place wins, whoever found it.
    pub(crate) fn add(&mut self, stretch: Stretch) -> Result<(), VerifyError> {
        let candidates = [self.wrong_link(&stretch), self.wrong_stream(&stretch), stretch.wrong.clone()];
        if let Some((position, wrong)) = candidates.into_iter().flatten().min_by_key(|(position, _)| *position) {
            return Err(VerifyError::Event { position, wrong });
        }
        for (digest, part) in stretch.streams {
            let _ = self.streams.insert(digest, part.last);
        }
        for (tenant, events) in stretch.tenants {
            *self.tenants.entry(tenant).or_default() += events;
        }
        if stretch.first_published.is_some() {
            self.last_published = stretch.last_published;
        }
        self.first = self.first.or(stretch.first_recorded);
        self.last = stretch.last;
        self.events += stretch.events;
        self.sealed += stretch.sealed;
        self.published += stretch.published;
        self.anchors += stretch.anchors;
        Ok(())
    }

    fn wrong_link(&self, stretch: &Stretch) -> Option<(Position, Wrong)> {
        let link = stretch.first_published.filter(|link| link.previous != self.last_published)?;
        Some((link.at, Wrong::PublishedLink { expected: self.last_published, found: link.previous }))
    }

    /// A stream begins with version 1, unless its beginning may lie before the range.
    fn wrong_stream(&self, stretch: &Stretch) -> Option<(Position, Wrong)> {
        let wrong = stretch.streams.iter().filter_map(|(digest, part)| {
            let expected = match self.streams.get(digest) {
                Some(last) => last.next(),
                None if self.after == Position::START => StreamVersion::EMPTY.next(),
                None => part.first.max(StreamVersion::EMPTY.next()),
            };
            (part.first != expected).then(|| (part.at, wrong_version(part, expected, part.first)))
        });
        wrong.min_by_key(|(position, _)| *position)
    }

    /// Ends the audit: everything that was promised is there.
    pub(crate) fn finish(self, rules: &Rules, rows: u64) -> Result<Report, VerifyError> {
        if self.last.position != self.up_to {
            let (expected, found) = (self.last.position.to_string(), self.up_to.to_string());
            return Err(VerifyError::End { what: "the place of the last event", expected, found });
        }
        Ok(Report {
            store: rules.store,
            after: self.after,
            head: Head { store: rules.store, position: self.last.position, hash: self.last.hash },
            events: self.events,
            published: self.published,
            sealed: self.sealed,
            streams: self.streams.len() as u64,
            tenants: self.tenants,
            first: self.first,
            last: self.last.recorded,
            anchors: self.anchors,
            rows,
        })
    }

    /// Tells the progress, and whether the caller breaks it off.
    pub(crate) fn tell(&self, options: &mut VerifyOptions) -> Result<(), VerifyError> {
        let progress = self.progress();
        if (options.on_progress)(progress).is_break() {
            let Progress { events, events_total } = progress;
            return Err(VerifyError::BrokenOff { events, events_total });
        }
        Ok(())
    }
}

/// Refuses anchors that the range cannot show to be right or wrong. It can show the hash that it begins with.
pub(crate) fn check_anchors(anchors: &[Head], after: Position, last: Head) -> Result<(), VerifyError> {
    let is_beyond = |anchor: &&Head| anchor.store != last.store || !(after..=last.position).contains(&anchor.position);
    match anchors.iter().find(is_beyond) {
        Some(anchor) => {
            Err(VerifyError::AnchorBeyond { anchor: *anchor, store: last.store, after, up_to: last.position })
        }
        None => Ok(()),
    }
}
