//! Follows a network's blocks: each final block once, in order, with its receipts and logs, to whoever stores it.
//!
//! It reads only. Whoever stores a block's effects stores the block's [`Cursor`] in the same unit of work, and begins a new
//! [`Follower`] from the stored cursor: so each block has its effects exactly once, wherever the process dies.
//!
//! ```no_run
//! use chain::follower::{FollowSettings, FollowedLedger, FollowedNode, Follower};
//! use chain::{HttpTransport, Profile, Rpc, Rules};
//! # use chain::follower::{Cursor, FollowedBlock};
//! # struct Store;
//! # impl Store {
//! #     fn cursor(&self) -> Option<Cursor> { None }
//! #     fn commit(&self, block: &FollowedBlock, cursor: Cursor) {}
//! # }
//! # async fn follow(store: Store, ledger: FollowedLedger) -> Result<(), Box<dyn std::error::Error>> {
//! let profile = Profile::embedded(ledger.chain_id, Rules::Berlin, 30_000_000);
//! let mut nodes = Vec::new();
//! for url in ["http://10.0.0.1:8545", "http://10.0.0.2:8545", "http://10.0.0.3:8545"] {
//!     let transport = HttpTransport::new(url)?;
//!     nodes.push(FollowedNode::new(transport.shown_url().to_owned(), Rpc::new(std::sync::Arc::new(transport))));
//! }
//! let settings = FollowSettings::of(&profile, nodes.len());
//! let cursor = store.cursor().unwrap_or_else(|| ledger.beginning());
//! let mut follower = Follower::new(nodes, ledger, cursor, settings)?;
//! loop {
//!     let block = follower.next().await?;
//!     store.commit(&block, block.cursor()); // effects and cursor, together
//! }
//! # }
//! ```
//!
//! # The way of a block
//!
//! ```text
//!  head of a node ≥ n + finality ──► block n by number ──► receipts by its HASH ──► parts fit each other? ──no──► node lied
//!  (poll, or newHeads)               (each node, several blocks at once)              │ places, bloom, receipts root
//!                                                                                     ▼
//!      node lied ◄── its own block before n is ours ◄── no ── parent is the block given last? ──► examine the node
//!                                                             │ yes                                     │ chain id, genesis,
//!                                                             ▼                                         ▼ our last block
//!      node lied ◄── others gave something else ◄── QUORUM gave the same ──► next()          it is on ANOTHER LEDGER; if a
//!                                                                                             quorum is: the follower stops
//! ```
//!
//! # What it must not know
//!
//! Stores, contracts, keys, lanes: it gives all transactions and logs of a block, and who wants some picks them.
//!
//! # Invariants
//!
//! A block is given only if its parent is the block given before and a quorum of nodes gave the same contents. Nothing is
//! skipped. A node is named a liar only for what its own answers show, or a quorum's. Blocks that wait are bounded by number and
//! bytes. What stands still is told: [`FollowError::Stalled`], and each node's [`NodeStatus`].
//!
//! # How it is tested
//!
//! `simulation` plays seeded lives against a model of nodes that lose, delay, lag, lie in each way that [`Lie`] names, fork, are
//! rewound and made anew, with this process killed in between and the caller's wait dropped at any point.

mod block;
mod error;
mod fetch;
mod lie;
mod node;
mod round;
mod settings;
mod shared;
mod subscription;
mod verify;

#[cfg(test)]
mod simulation;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use alloy_primitives::B256;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

pub use self::block::{Cursor, FollowedBlock, FollowedLedger, FollowedTransaction};
pub use self::error::{FollowError, LedgerChange};
use self::fetch::{FetchFault, Standing};
pub use self::lie::{Lie, NodeLied};
use self::node::Node;
pub use self::node::{FollowedNode, HEAD_POLL_WHILE_TOLD, HINT_PAUSE_MIN, NodeHealth, NodeStatus};
use self::round::{Round, Stance};
pub use self::settings::{BLOCKS_AHEAD_MAX, BYTES_AHEAD_MAX, FETCHES_MAX, FollowSettings};
use self::shared::Shared;
pub use self::shared::{FINDINGS_MAX, FollowView, HeadHint, Progress};
pub use self::subscription::{SubscriptionHealth, SubscriptionStatus};
use self::verify::Verified;

/// How many given blocks are remembered by their digests, to hold late answers against.
const REMEMBERED_MAX: usize = 1_024;

/// Gives each final block of a ledger once, in order. See the module's page.
pub struct Follower {
    shared: Arc<Shared>,
    /// The block that was given last.
    given: Cursor,
    /// The blocks after it that are asked for or wait for their turn.
    rounds: BTreeMap<u64, Round>,
    work: JoinSet<Done>,
    /// One for each node and one for each subscription, from the first call of `next` on.
    watchers: JoinSet<()>,
    ticks: watch::Receiver<()>,
    remembered: VecDeque<Remembered>,
    /// What a block takes in memory: the longest of late.
    usual_bytes: usize,
    /// Since when nothing moved, while somebody waits.
    still_since: Option<Instant>,
    stopped: Option<FollowError>,
}

/// A block that was given.
struct Remembered {
    number: u64,
    hash: B256,
    digest: B256,
}

/// A task's end.
enum Done {
    Fetched {
        node: usize,
        number: u64,
        answer: Result<Verified, FetchFault>,
    },
    /// `stranger` is the parent that the node's next block named, where that is why it was examined.
    Examined {
        node: usize,
        given: Cursor,
        stranger: Option<B256>,
        answer: Result<Standing, FetchFault>,
    },
}

/// A follower cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowSetupError {
    /// More nodes must agree than there are.
    #[error("{quorum} nodes must agree, and there are {nodes}")]
    QuorumTooLarge {
        /// How many must agree.
        quorum: usize,
        /// How many there are.
        nodes: usize,
    },
    /// Two nodes have one name: one node would count twice.
    #[error("two nodes have the name `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
}

impl Follower {
    /// Begins after the block that the caller has stored last. Nothing is asked before the first call of [`next`](Self::next).
    ///
    /// # Errors
    ///
    /// There are fewer nodes than must agree, or two of one name.
    pub fn new(
        nodes: Vec<FollowedNode>,
        ledger: FollowedLedger,
        cursor: Cursor,
        settings: FollowSettings,
    ) -> Result<Self, FollowSetupError> {
        let quorum = settings.quorum.get();
        if quorum > nodes.len() {
            return Err(FollowSetupError::QuorumTooLarge { quorum, nodes: nodes.len() });
        }
        let mut names = HashSet::new();
        if let Some(twice) = nodes.iter().find(|node| !names.insert(node.name().to_owned())) {
            return Err(FollowSetupError::SameName { name: twice.name().to_owned() });
        }
        let nodes = nodes.into_iter().map(Node::new).collect();
        Ok(Self::of(Shared::new(nodes, ledger, cursor, settings), cursor))
    }

    fn of(shared: Shared, given: Cursor) -> Self {
        Self {
            given,
            rounds: BTreeMap::new(),
            work: JoinSet::new(),
            watchers: JoinSet::new(),
            ticks: shared.tick.subscribe(),
            remembered: VecDeque::new(),
            usual_bytes: 0,
            still_since: None,
            stopped: None,
            shared: Arc::new(shared),
        }
    }

    /// For looking at the follower while it works.
    pub fn view(&self) -> FollowView {
        FollowView { shared: Arc::clone(&self.shared) }
    }

    /// For telling the follower of new heads before it asks.
    pub fn hint(&self) -> HeadHint {
        HeadHint { shared: Arc::clone(&self.shared) }
    }

    /// The next final block, as soon as a quorum of nodes gives it. Waits as long as there is none.
    ///
    /// # Errors
    ///
    /// [`FollowError::LedgerChanged`] is the end: it is the answer to all later calls. After [`FollowError::Stalled`] ask again.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped at any time and called again: no block is lost or given twice. What was asked goes on meanwhile.
    pub async fn next(&mut self) -> Result<FollowedBlock, FollowError> {
        if let Some(stopped) = &self.stopped {
            return Err(stopped.clone());
        }
        self.start();
        loop {
            let now = Instant::now();
            self.look_for_rewind(now);
            if let Some(error) = self.stop_if_changed(now) {
                return Err(error);
            }
            self.suspect_strangers();
            let block = self.take_agreed();
            self.ask(now);
            if let Some(block) = block {
                return Ok(block);
            }
            if let Some(stalled) = self.stalled(now) {
                return Err(stalled);
            }
            self.wait(now).await;
        }
    }

    fn start(&mut self) {
        let _ = self.still_since.get_or_insert_with(Instant::now);
        if self.watchers.is_empty() {
            for node in 0..self.shared.nodes.len() {
                let _ = self.watchers.spawn(node::watch_head(Arc::clone(&self.shared), node));
                if self.shared.nodes[node].new_heads.is_some() {
                    let _ = self.watchers.spawn(subscription::keep(Arc::clone(&self.shared), node));
                }
            }
        }
    }

    /// Until something happens, or a pause is over. All that is waited for here may be dropped.
    async fn wait(&mut self, now: Instant) {
        let settings = &self.shared.settings;
        let turns = self.shared.nodes.iter().filter_map(|node| node.state().next_turn(now));
        let stalls = self.still_since.unwrap_or(now) + settings.stall_max;
        let until = turns.min().map_or(stalls, |turn| turn.min(stalls));
        tokio::select! {
            biased;
            Some(done) = self.work.join_next() => self.take(done),
            // The sender lives as long as what is shared.
            _ = self.ticks.changed() => {}
            () = sleep_until(until) => {}
        }
    }

    fn take(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Fetched { node, number, answer }) => self.take_fetched(node, number, answer),
            Ok(Done::Examined { node, given, stranger, answer }) => self.take_examined(node, given, stranger, answer),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => unreachable!("nobody aborts a task while the follower lives"),
            },
        }
    }

    fn take_fetched(&mut self, node: usize, number: u64, answer: Result<Verified, FetchFault>) {
        let mut state = self.shared.nodes[node].state();
        state.fetches -= 1;
        let is_elsewhere = state.change.is_some();
        let fault = match answer {
            Ok(verified) => {
                state.fetched();
                drop(state);
                return self.take_verified(node, number, verified, is_elsewhere);
            }
            Err(fault) => fault,
        };
        if let FetchFault::Silent(why) = &fault {
            tracing::debug!(node = self.shared.nodes[node].name, number, why, "a block cannot be read");
            state.fetch_failed(why.clone(), self.shared.settings.pace);
        }
        drop(state);
        if let Some(round) = self.rounds.get_mut(&number) {
            round.forget(node);
        }
        if let FetchFault::Lied(lie) = fault {
            self.name(node, number, lie);
        }
        #[cfg(test)]
        simulation::after_fault(self, node, number);
    }

    fn take_verified(&mut self, node: usize, number: u64, verified: Verified, is_elsewhere: bool) {
        if number > self.given.number {
            let bytes = verified.block.bytes();
            self.usual_bytes = bytes.max(self.usual_bytes - self.usual_bytes / 8);
            let Some(round) = self.rounds.get_mut(&number) else { return };
            if is_elsewhere { round.forget(node) } else { round.give(node, verified) }
        } else if let Some(known) = self.remembered.iter().find(|known| known.number == number)
            && known.digest != verified.digest
        {
            self.name(node, number, round::difference(verified.block.hash, known.hash));
        }
    }

    fn take_examined(
        &mut self,
        node: usize,
        given: Cursor,
        stranger: Option<B256>,
        answer: Result<Standing, FetchFault>,
    ) {
        // Once others have agreed on the block after it, this node's has been compared with theirs.
        let stranger = stranger.filter(|_| given == self.given);
        let settings = &self.shared.settings;
        let mut state = self.shared.nodes[node].state();
        state.is_examining = false;
        let mut lie = None;
        match answer {
            Ok(Standing::Same) => {
                state.is_where_we_are();
                lie = stranger.map(|named| Lie::ParentNotItsOwn { named, own: given.hash });
            }
            Ok(Standing::Below { head, hash }) => {
                let is_long = state.below_since.is_some_and(|since| since.elapsed() >= settings.rewind_patience);
                let Cursor { number, hash: followed } = given;
                let rewound = LedgerChange::Rewound { number, followed, head, found: hash };
                match stranger {
                    // It gave the next block and does not have this one: which of both is false is seen later.
                    Some(_) if !is_long => state.examination_failed(format!("its head is block {head}"), settings.pace),
                    _ => state.examined(is_long.then_some(rewound)),
                }
            }
            Ok(Standing::Elsewhere(change)) => state.examined(Some(change)),
            Err(FetchFault::Silent(why)) => return state.examination_failed(why, settings.pace),
            Err(FetchFault::Lied(found)) => {
                state.examination_failed(found.to_string(), settings.pace);
                lie = Some(found);
            }
        }
        let is_elsewhere = state.change.is_some();
        drop(state);
        if is_elsewhere {
            self.rounds.values_mut().for_each(|round| round.forget(node));
        } else if lie.is_some()
            && let Some(round) = self.rounds.get_mut(&(given.number + 1))
        {
            round.forget(node);
        }
        if let Some(lie) = lie {
            self.name(node, given.number + 1, lie);
        }
    }

    /// Heads below the followed height, and since when. A node that stays there is examined.
    fn look_for_rewind(&self, now: Instant) {
        for node in &self.shared.nodes {
            let mut state = node.state();
            let is_below = state.head.is_some_and(|head| head < self.given.number);
            if !is_below {
                state.below_since = None;
            } else if state.head_trouble.in_a_row == 0 {
                state.went_below = true;
                let since = *state.below_since.get_or_insert(now);
                state.is_suspect |= state.change.is_none() && now >= since + self.shared.settings.rewind_patience;
            }
        }
    }

    /// Stops if a quorum says the same change, and more nodes are elsewhere than can be heard of the ledger that is followed.
    fn stop_if_changed(&mut self, now: Instant) -> Option<FollowError> {
        let (mut changes, mut live) = (Vec::new(), 0);
        for node in &self.shared.nodes {
            let state = node.state();
            live += usize::from(state.is_live(now));
            changes.extend(state.change.clone().map(|change| (node.name.clone(), change)));
        }
        if changes.len() <= live {
            return None;
        }
        // One node may be elsewhere for reasons of its own.
        let alike = |change: &LedgerChange| changes.iter().filter(|(_, other)| other.is_like(change)).count();
        let counts: Vec<usize> = changes.iter().map(|(_, change)| alike(change)).collect();
        let place = counts.iter().position(|count| *count >= self.shared.settings.quorum.get())?;
        let (node, change) = changes.swap_remove(place);
        let stopped = FollowError::LedgerChanged { node, nodes: counts[place], change };
        self.stopped = Some(stopped.clone());
        (self.work, self.watchers) = (JoinSet::new(), JoinSet::new());
        Some(stopped)
    }

    /// A node whose next block does not follow on the one that was given is examined.
    fn suspect_strangers(&self) {
        for (node, _) in self.strangers() {
            self.shared.nodes[node].state().is_suspect = true;
        }
    }

    fn strangers(&self) -> Vec<(usize, B256)> {
        let round = self.rounds.get(&(self.given.number + 1));
        round.map_or_else(Vec::new, |round| round.strangers(self.given.hash).collect())
    }

    /// Takes the next block if a quorum agrees on it, and names those who gave something else.
    fn take_agreed(&mut self) -> Option<FollowedBlock> {
        let number = self.given.number + 1;
        let elsewhere = self.shared.nodes.iter().filter(|node| node.state().change.is_some()).count();
        let (parent, quorum) = (self.given.hash, self.shared.settings.quorum.get());
        #[cfg(test)]
        let (parent, quorum) = simulation::mutated(self, parent, quorum);
        let digest = self.rounds.get(&number)?.agreed(parent, quorum, elsewhere)?;
        let (block, stances) = self.rounds.remove(&number)?.close(digest);
        for (node, stance) in stances {
            match stance {
                Stance::Agrees => self.shared.nodes[node].state().told_the_truth(),
                Stance::Differs(lie) => self.name(node, number, lie),
            }
        }
        self.name_those_elsewhere(number);
        self.given = block.cursor();
        self.remembered.push_back(Remembered { number, hash: block.hash, digest });
        if self.remembered.len() > REMEMBERED_MAX {
            let _ = self.remembered.pop_front();
        }
        self.still_since = None;
        self.shared.gave(self.given);
        Some(block)
    }

    /// A quorum has gone on without them.
    fn name_those_elsewhere(&self, number: u64) {
        for node in 0..self.shared.nodes.len() {
            let mut state = self.shared.nodes[node].state();
            let change = state.change.clone().filter(|_| !state.is_named);
            state.is_named |= change.is_some();
            drop(state);
            if let Some(change) = change {
                self.name(node, number, Lie::OtherLedger(change));
            }
        }
    }

    fn name(&self, node: usize, block: u64, what: Lie) {
        let node = &self.shared.nodes[node];
        node.state().lied();
        self.shared.found(NodeLied { node: node.name.clone(), block, what });
    }

    /// Asks each node that may be asked for what is wanted of it.
    fn ask(&mut self, now: Instant) {
        let strangers = self.strangers();
        let waiting = self.rounds.values().map(Round::bytes).sum::<usize>();
        let mut held = waiting + self.work.len() * self.usual_bytes;
        for node in 0..self.shared.nodes.len() {
            let mut state = self.shared.nodes[node].state();
            let is_due = state.is_examination_due(now);
            #[cfg(test)]
            let is_due = is_due && !simulation::keeps_from_examining(&self.shared, &state);
            state.is_examining |= is_due;
            let head = state.head.filter(|_| state.is_usable(now));
            drop(state);
            if is_due {
                let stranger = strangers.iter().find(|(stranger, _)| *stranger == node);
                self.examine(node, stranger.map(|(_, parent)| *parent));
            }
            if let Some(last) = head.and_then(|head| head.checked_sub(self.shared.settings.finality_blocks)) {
                self.ask_for_blocks(node, last, &mut held);
            }
        }
        self.shared.waits(self.rounds.len(), waiting);
    }

    /// Asks the node for blocks up to the last, as far as there is room. For the next block there always is.
    fn ask_for_blocks(&mut self, node: usize, last: u64, held: &mut usize) {
        let next = self.given.number + 1;
        let ahead_max = u64::try_from(self.shared.settings.blocks_ahead_max.get()).unwrap_or(u64::MAX);
        for number in next..=last.min(self.given.number.saturating_add(ahead_max)) {
            let has_room = number == next || *held + self.usual_bytes <= self.shared.settings.bytes_ahead_max;
            let mut state = self.shared.nodes[node].state();
            if !has_room || state.fetches >= self.shared.settings.fetches_max.get() {
                return;
            }
            let round = self.rounds.entry(number).or_default();
            if !round.is_asked(node) {
                round.ask(node);
                state.fetches += 1;
                drop(state);
                *held += self.usual_bytes;
                self.fetch(node, number);
            }
        }
    }

    fn fetch(&mut self, node: usize, number: u64) {
        let shared = Arc::clone(&self.shared);
        let _ = self.work.spawn(async move {
            let answer = timeout(shared.settings.fetch_time_max, fetch::fetch(&shared, node, number)).await;
            Done::Fetched { node, number, answer: answer.unwrap_or_else(|_| Err(FetchFault::too_slow())) }
        });
    }

    fn examine(&mut self, node: usize, stranger: Option<B256>) {
        let (shared, given) = (Arc::clone(&self.shared), self.given);
        let _ = self.work.spawn(async move {
            let answer = timeout(shared.settings.fetch_time_max, fetch::examine(&shared, node, given)).await;
            Done::Examined { node, given, stranger, answer: answer.unwrap_or_else(|_| Err(FetchFault::too_slow())) }
        });
    }

    /// Whether nothing moved for too long though there is something to follow, or nobody says whether there is.
    fn stalled(&mut self, now: Instant) -> Option<FollowError> {
        let Shared { nodes, settings, .. } = &*self.shared;
        let quorum = settings.quorum.get();
        let live = nodes.iter().filter(|node| node.state().is_live(now)).count();
        let last = self.shared.quorum_head().map(|head| head.saturating_sub(settings.finality_blocks));
        if live >= quorum && last.is_some_and(|last| last <= self.given.number) {
            self.still_since = Some(now);
            return None;
        }
        let waited = now.saturating_duration_since(self.still_since.unwrap_or(now));
        if waited < settings.stall_max {
            return None;
        }
        // Where they differ, they may think otherwise by now.
        self.rounds.clear();
        self.still_since = None;
        let block = self.given.number + 1;
        Some(FollowError::Stalled { block, waited_ms: waited.as_millis(), quorum, nodes: self.shared.status() })
    }
}
