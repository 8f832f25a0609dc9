//! What is known of each node, and asking it for its head.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::error::LedgerChange;
use super::shared::{Hints, Shared};
use super::subscription::{Subscription, SubscriptionStatus};
use crate::new_heads::NewHeads;
use crate::profile::Pace;
use crate::rpc::Rpc;

/// How long a node that lied is not asked: this, doubled with each lie since its last right answer.
const LIE_PAUSE: Pace =
    Pace { first_pause: Duration::from_secs(1), pause_max: Duration::from_secs(60), attempts_max: u32::MAX };

/// How long a node that is on another ledger is left alone before it is examined again: it may be repaired.
const ELSEWHERE_PAUSE: Duration = Duration::from_secs(1);

/// How often each node is asked again which ledger it is on, though nothing speaks for a change.
const EXAMINED_EVERY: Duration = Duration::from_secs(30);

/// How often a node is asked for its head at most because somebody heard of one: whoever tells of heads cannot make a node be
/// asked without end.
pub const HINT_PAUSE_MIN: Duration = Duration::from_millis(10);

/// How often a node is asked for its head that its own subscription told of: a silent subscription is found out by that.
pub const HEAD_POLL_WHILE_TOLD: Duration = Duration::from_secs(5);

/// A node to follow: its name, and the way to it.
pub struct FollowedNode {
    name: String,
    rpc: Rpc,
    new_heads: Option<NewHeads>,
}

impl FollowedNode {
    /// The name stands in logs and errors: a URL without user name and password, as
    /// [`HttpTransport::shown_url`](crate::HttpTransport::shown_url) gives it.
    pub fn new(name: impl Into<String>, rpc: Rpc) -> Self {
        Self { name: name.into(), rpc, new_heads: None }
    }

    /// Listens there for new heads, so that a block is noticed when it is told of; polling stays behind it.
    #[must_use]
    pub fn told_by(mut self, new_heads: NewHeads) -> Self {
        self.new_heads = Some(new_heads);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a node does, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// Whether it is asked, and if not, why.
    pub health: NodeHealth,
    /// The newest block that it says it has.
    pub head: Option<u64>,
    /// By how many blocks its head is behind the highest head of all.
    pub lag_blocks: Option<u64>,
    /// How long ago it last answered anything.
    pub answered_ago: Option<Duration>,
    /// How often it failed since its last answer of the same kind.
    pub failures_in_a_row: u32,
    /// What happened at its last failure.
    pub last_failure: Option<String>,
    /// How often it lied so far.
    pub lies: u64,
    /// How its subscription to new heads stands; `None` where it is polled alone.
    pub new_heads: Option<SubscriptionStatus>,
}

impl fmt::Display for NodeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.health)?;
        match self.head {
            Some(head) => write!(f, ", head {head}"),
            None => Ok(()),
        }
    }
}

/// Whether a node is asked, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeHealth {
    /// It was not heard of yet.
    Unknown,
    /// It answers.
    Answering,
    /// It fails, and is tried again after a pause.
    Failing,
    /// It failed more often in a row than the pace allows. It is still tried, with the longest pause.
    Down,
    /// It lied, and is not asked for a while.
    Distrusted,
    /// It is on another ledger than the one that is followed.
    OnOtherLedger,
}

impl fmt::Display for NodeHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "was not heard of yet",
            Self::Answering => "answers",
            Self::Failing => "fails",
            Self::Down => "is down",
            Self::Distrusted => "lied and is not asked for a while",
            Self::OnOtherLedger => "is on another ledger",
        })
    }
}

/// Failures of one kind in a row, and until when nothing is tried after them.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) in_a_row: u32,
    until: Instant,
    pub(super) why: Option<String>,
}

impl Trouble {
    pub(super) fn none(now: Instant) -> Self {
        Self { in_a_row: 0, until: now, why: None }
    }

    pub(super) fn end(&mut self) {
        self.in_a_row = 0;
    }

    pub(super) fn add(&mut self, why: String, pace: Pace) -> Duration {
        self.in_a_row = self.in_a_row.saturating_add(1);
        let pause = pace.pause_after(self.in_a_row);
        self.until = Instant::now() + pause;
        self.why = Some(why);
        pause
    }

    fn is_over(&self, now: Instant) -> bool {
        self.until <= now
    }
}

/// What is known of one node.
#[derive(Debug)]
pub(super) struct NodeState {
    pub(super) head: Option<u64>,
    /// In being asked for its head; in being asked for blocks; in being examined; in the truth.
    pub(super) head_trouble: Trouble,
    pub(super) fetch_trouble: Trouble,
    pub(super) examine_trouble: Trouble,
    lie_trouble: Trouble,
    lies: u64,
    answered_at: Option<Instant>,
    /// How the ledger it is on differs, as it was last examined.
    pub(super) change: Option<LedgerChange>,
    /// Whether it was named for that.
    pub(super) is_named: bool,
    examined_at: Option<Instant>,
    pub(super) is_examining: bool,
    /// Something speaks for a change, so it is examined now.
    pub(super) is_suspect: bool,
    /// Since when its head is below the followed height.
    pub(super) below_since: Option<Instant>,
    /// Whether its head went below the followed height since it was last found on the same ledger.
    pub(super) went_below: bool,
    pub(super) fetches: usize,
    /// It does not know `eth_getBlockReceipts`.
    pub(super) is_one_by_one: bool,
    pub(super) subscription: Subscription,
}

impl NodeState {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            head: None,
            head_trouble: Trouble::none(now),
            fetch_trouble: Trouble::none(now),
            examine_trouble: Trouble::none(now),
            lie_trouble: Trouble::none(now),
            lies: 0,
            answered_at: None,
            change: None,
            is_named: false,
            examined_at: None,
            is_examining: false,
            is_suspect: false,
            below_since: None,
            went_below: false,
            fetches: 0,
            is_one_by_one: false,
            subscription: Subscription::none(now),
        }
    }

    pub(super) fn was_examined(&self) -> bool {
        self.examined_at.is_some()
    }

    /// Whether blocks may be asked of it now.
    pub(super) fn is_usable(&self, now: Instant) -> bool {
        self.was_examined() && self.change.is_none() && self.fetch_trouble.is_over(now) && self.lie_trouble.is_over(now)
    }

    /// Whether it may still speak for the ledger that is followed: it is not elsewhere, not silent, not distrusted.
    pub(super) fn is_live(&self, now: Instant) -> bool {
        let troubles = [&self.head_trouble, &self.fetch_trouble, &self.examine_trouble];
        self.change.is_none() && troubles.iter().all(|trouble| trouble.in_a_row == 0) && self.lie_trouble.is_over(now)
    }

    pub(super) fn is_examination_due(&self, now: Instant) -> bool {
        let is_long_ago = self.examined_at.is_none_or(|at| now >= at + EXAMINED_EVERY);
        let is_wanted = self.is_suspect || is_long_ago || self.change.is_some();
        !self.is_examining && is_wanted && self.examine_trouble.is_over(now)
    }

    /// When something that is waited for is over.
    pub(super) fn next_turn(&self, now: Instant) -> Option<Instant> {
        let troubles = [&self.fetch_trouble, &self.lie_trouble, &self.examine_trouble];
        troubles.iter().map(|trouble| trouble.until).filter(|until| *until > now).min()
    }

    pub(super) fn answered(&mut self) {
        self.answered_at = Some(Instant::now());
    }

    pub(super) fn saw_head(&mut self, head: u64) {
        self.answered();
        self.head_trouble.end();
        self.is_suspect |= self.head.is_some_and(|before| head < before);
        self.head = Some(head);
    }

    pub(super) fn fetched(&mut self) {
        self.answered();
        self.fetch_trouble.end();
    }

    pub(super) fn fetch_failed(&mut self, why: String, pace: Pace) {
        let _ = self.fetch_trouble.add(why, pace);
    }

    pub(super) fn examined(&mut self, change: Option<LedgerChange>) {
        let now = Instant::now();
        self.answered();
        self.examine_trouble.end();
        self.examined_at = Some(now);
        self.is_suspect = false;
        // It may know the method by now.
        self.is_one_by_one = false;
        self.is_named &= change.is_some();
        if change.is_some() {
            self.examine_trouble.until = now + ELSEWHERE_PAUSE;
        }
        self.change = change;
    }

    /// It has the block that was given last.
    pub(super) fn is_where_we_are(&mut self) {
        (self.below_since, self.went_below) = (None, false);
        self.examined(None);
    }

    pub(super) fn examination_failed(&mut self, why: String, pace: Pace) {
        let _ = self.examine_trouble.add(why, pace);
    }

    pub(super) fn lied(&mut self) {
        self.lies += 1;
        let _ = self.lie_trouble.add(String::new(), LIE_PAUSE);
    }

    /// It gave what the quorum agreed on.
    pub(super) fn told_the_truth(&mut self) {
        self.lie_trouble.end();
    }

    fn troubles(&self) -> [&Trouble; 3] {
        [&self.head_trouble, &self.fetch_trouble, &self.examine_trouble]
    }

    pub(super) fn status(&self, name: &str, head_max: Option<u64>, pace: Pace) -> NodeStatus {
        let now = Instant::now();
        let worst = self.troubles().into_iter().max_by_key(|trouble| trouble.in_a_row);
        let failures_in_a_row = worst.map_or(0, |trouble| trouble.in_a_row);
        let health = match failures_in_a_row {
            _ if self.change.is_some() => NodeHealth::OnOtherLedger,
            _ if !self.lie_trouble.is_over(now) => NodeHealth::Distrusted,
            0 if self.answered_at.is_some() => NodeHealth::Answering,
            0 => NodeHealth::Unknown,
            failures if failures >= pace.attempts_max => NodeHealth::Down,
            _ => NodeHealth::Failing,
        };
        NodeStatus {
            name: name.to_owned(),
            health,
            head: self.head,
            lag_blocks: self.head.zip(head_max).map(|(head, max)| max.saturating_sub(head)),
            answered_ago: self.answered_at.map(|at| now.saturating_duration_since(at)),
            failures_in_a_row,
            last_failure: worst.and_then(|trouble| trouble.why.clone()),
            lies: self.lies,
            new_heads: None,
        }
    }
}

/// A node with what is known of it.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) rpc: Rpc,
    /// Where it tells of new heads.
    pub(super) new_heads: Option<NewHeads>,
    state: Mutex<NodeState>,
}

impl Node {
    pub(super) fn new(node: FollowedNode) -> Self {
        let FollowedNode { name, rpc, new_heads } = node;
        Self { name, rpc, new_heads, state: Mutex::new(NodeState::new()) }
    }

    pub(super) fn status(&self, head_max: Option<u64>, pace: Pace) -> NodeStatus {
        let state = self.state();
        let new_heads = self.new_heads.as_ref().map(|new_heads| state.subscription.status(new_heads));
        NodeStatus { new_heads, ..state.status(&self.name, head_max, pace) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, NodeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It did not say its head. Gives the pause before it is asked again.
    fn silent(&self, why: String, pace: Pace) -> Duration {
        let mut state = self.state();
        let pause = state.head_trouble.add(why, pace);
        if state.head_trouble.in_a_row == pace.attempts_max {
            tracing::warn!(node = self.name, why = state.head_trouble.why, "a node is down, and is still tried");
        }
        pause
    }
}

/// Asks the node for its head for ever: at each poll, and when somebody heard of one that it is not known to have.
pub(super) async fn watch_head(shared: std::sync::Arc<Shared>, node: usize) {
    let mut hints = shared.hints.subscribe();
    let node = &shared.nodes[node];
    let settings = &shared.settings;
    loop {
        let asked = Instant::now();
        // What is heard of from now on may be newer than the answer.
        let gaps = hints.borrow_and_update().gaps;
        let answer = timeout(settings.fetch_time_max, node.rpc.block_number()).await;
        let pause = match answer {
            Ok(Ok(head)) => {
                let mut state = node.state();
                state.saw_head(head);
                let is_told = state.subscription.told_of(head);
                drop(state);
                shared.heard(head);
                if is_told { settings.head_poll.max(HEAD_POLL_WHILE_TOLD) } else { settings.head_poll }
            }
            Ok(Err(error)) => node.silent(error.to_string(), settings.pace),
            Err(_) => node.silent("it does not say its head in time".to_owned(), settings.pace),
        };
        shared.tick.send_replace(());
        tokio::select! {
            () = sleep(pause) => {}
            () = hinted(&mut hints, node, gaps, asked + HINT_PAUSE_MIN), if answer_is_fresh(node) => {}
        }
    }
}

/// Until somebody hears of a head that the node is not known to have, or may have missed one; and not before this time.
async fn hinted(hints: &mut watch::Receiver<Hints>, node: &Node, gaps: u64, not_before: Instant) {
    let known = node.state().head.unwrap_or(0);
    loop {
        // Only a new word counts: one that no node can make true must not be asked for again and again. The sender lives as long
        // as what is shared.
        drop(hints.changed().await);
        let heard = *hints.borrow_and_update();
        if heard.highest > known || heard.gaps != gaps {
            break;
        }
    }
    sleep_until(not_before).await;
}

/// A node that fails is tried again after its pause, whatever is hinted.
fn answer_is_fresh(node: &Node) -> bool {
    node.state().head_trouble.in_a_row == 0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::HttpTransport;

    #[tokio::test(start_paused = true)]
    async fn a_hint_brings_a_question_no_sooner_than_the_last_one_allows() {
        let rpc = Rpc::new(Arc::new(HttpTransport::new("http://127.0.0.1:1").unwrap()));
        let node = Node::new(FollowedNode::new("node", rpc));
        let hints = watch::Sender::new(Hints::default());
        let (mut heard, asked) = (hints.subscribe(), Instant::now());
        let hinting = async {
            tokio::task::yield_now().await;
            hints.send_modify(|hints| hints.highest = 7);
        };
        tokio::join!(hinted(&mut heard, &node, 0, asked + HINT_PAUSE_MIN), hinting);
        assert_eq!(asked.elapsed(), HINT_PAUSE_MIN);
    }
}
