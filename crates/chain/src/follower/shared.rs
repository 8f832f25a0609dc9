//! What a follower, its tasks and those who look at it share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::block::{Cursor, FollowedLedger};
use super::lie::NodeLied;
use super::node::{Node, NodeStatus};
use super::settings::FollowSettings;

/// How many findings are kept; the oldest goes first. All are counted in [`NodeStatus::lies`] and are in the log.
pub const FINDINGS_MAX: usize = 256;

/// Over how many of the newest blocks the rate is measured.
const RATE_BLOCKS: usize = 512;

/// Of how many of the newest heads is known when they were heard of.
const HEARD_MAX: usize = 1_024;

/// What speaks for asking nodes for their heads now. A subscription that names heads which do not exist makes each further word of
/// it a reason to ask, and no more than that.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    /// The highest head that somebody heard of.
    pub(super) highest: u64,
    /// How often a subscription began or ended: nobody knows what was not told meanwhile.
    pub(super) gaps: u64,
}

/// What a follower, its tasks and those who look at it share.
pub(super) struct Shared {
    pub(super) nodes: Vec<Node>,
    pub(super) ledger: FollowedLedger,
    pub(super) settings: FollowSettings,
    pub(super) hints: watch::Sender<Hints>,
    /// A node said something, or failed to.
    pub(super) tick: watch::Sender<()>,
    record: Mutex<Record>,
    #[cfg(test)]
    pub(super) mutant: Option<super::simulation::Mutant>,
}

struct Record {
    given: Cursor,
    times: VecDeque<Instant>,
    waiting_blocks: usize,
    waiting_bytes: usize,
    findings: VecDeque<NodeLied>,
    /// Heads that were higher than all before, and when the first node named them.
    heard: VecDeque<(u64, Instant)>,
}

impl Shared {
    pub(super) fn new(nodes: Vec<Node>, ledger: FollowedLedger, cursor: Cursor, settings: FollowSettings) -> Self {
        let record = Record {
            given: cursor,
            times: VecDeque::new(),
            waiting_blocks: 0,
            waiting_bytes: 0,
            findings: VecDeque::new(),
            heard: VecDeque::new(),
        };
        Self {
            nodes,
            ledger,
            settings,
            hints: watch::Sender::new(Hints::default()),
            tick: watch::Sender::new(()),
            record: Mutex::new(record),
            #[cfg(test)]
            mutant: None,
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody heard of a block with this number.
    pub(super) fn hint(&self, number: u64) {
        self.hints.send_modify(|hints| hints.highest = hints.highest.max(number));
    }

    /// A subscription began or ended.
    pub(super) fn hint_gap(&self) {
        self.hints.send_modify(|hints| hints.gaps += 1);
    }

    pub(super) fn gave(&self, cursor: Cursor) {
        let mut record = self.record();
        record.given = cursor;
        record.times.push_back(Instant::now());
        if record.times.len() > RATE_BLOCKS {
            let _ = record.times.pop_front();
        }
    }

    pub(super) fn heard(&self, head: u64) {
        let mut record = self.record();
        if record.heard.back().is_none_or(|(highest, _)| *highest < head) {
            record.heard.push_back((head, Instant::now()));
            if record.heard.len() > HEARD_MAX {
                let _ = record.heard.pop_front();
            }
        }
    }

    pub(super) fn waits(&self, blocks: usize, bytes: usize) {
        let mut record = self.record();
        (record.waiting_blocks, record.waiting_bytes) = (blocks, bytes);
    }

    pub(super) fn found(&self, finding: NodeLied) {
        let NodeLied { node, block, what } = &finding;
        tracing::error!(node, block, %what, "a node lied");
        let mut record = self.record();
        record.findings.push_back(finding);
        if record.findings.len() > FINDINGS_MAX {
            drop(record.findings.pop_front());
        }
    }

    /// The highest head that a quorum has reached.
    pub(super) fn quorum_head(&self) -> Option<u64> {
        let mut heads: Vec<u64> = self
            .nodes
            .iter()
            .filter_map(|node| {
                let state = node.state();
                state.head.filter(|_| state.change.is_none())
            })
            .collect();
        heads.sort_unstable_by(|one, other| other.cmp(one));
        heads.get(self.settings.quorum.get() - 1).copied()
    }

    pub(super) fn status(&self) -> Vec<NodeStatus> {
        let head_max = self.nodes.iter().filter_map(|node| node.state().head).max();
        let status = |node: &Node| node.status(head_max, self.settings.pace);
        self.nodes.iter().map(status).collect()
    }
}

/// How far a follower is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last block that was given.
    pub block: u64,
    /// The highest head that a quorum of nodes has reached; `None` until so many have answered.
    pub head: Option<u64>,
    /// Blocks a minute, over the newest 512 that were given; 0 until two were given.
    pub blocks_per_minute: u64,
    /// Blocks that are asked for or wait for their turn.
    pub waiting_blocks: usize,
    /// What those that wait take in memory, in bytes.
    pub waiting_bytes: usize,
}

/// Looks at a follower while it works. Cheap to clone.
#[derive(Clone)]
pub struct FollowView {
    pub(super) shared: Arc<Shared>,
}

impl FollowView {
    /// What each node does, in the order in which they were given.
    pub fn nodes(&self) -> Vec<NodeStatus> {
        self.shared.status()
    }

    /// The newest findings, oldest first, at most [`FINDINGS_MAX`].
    pub fn findings(&self) -> Vec<NodeLied> {
        self.shared.record().findings.iter().cloned().collect()
    }

    /// When a node named this block or a later one as its head first; `None` for a block that was there long before.
    pub fn heard_at(&self, number: u64) -> Option<Instant> {
        let record = self.shared.record();
        let is_before = record.heard.front().is_some_and(|(first, _)| *first <= number);
        let heard = record.heard.iter().find(|(head, _)| *head >= number).map(|(_, at)| *at);
        heard.filter(|_| is_before)
    }

    /// How far the follower is.
    pub fn progress(&self) -> Progress {
        let head = self.shared.quorum_head();
        let record = self.shared.record();
        let since = record.times.front().map_or(0, |first| first.elapsed().as_millis());
        let blocks = record.times.len().saturating_sub(1) as u128;
        let rate = (blocks * 60_000).checked_div(since).unwrap_or(0);
        Progress {
            block: record.given.number,
            head,
            blocks_per_minute: u64::try_from(rate).unwrap_or(u64::MAX),
            waiting_blocks: record.waiting_blocks,
            waiting_bytes: record.waiting_bytes,
        }
    }
}

/// Tells a follower of a new head before its next poll, as a subscription to `newHeads` does. A hint is never believed: it makes
/// the follower ask, at most once in [`HINT_PAUSE_MIN`](super::HINT_PAUSE_MIN). Cheap to clone.
#[derive(Clone)]
pub struct HeadHint {
    pub(super) shared: Arc<Shared>,
}

impl HeadHint {
    /// Somebody heard of a block with this number.
    pub fn heard_of(&self, number: u64) {
        self.shared.hint(number);
    }
}
