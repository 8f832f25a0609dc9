//! Stores how intents ended, from the blocks that a [`Follower`] gives: nobody need wait for an intent for its end to be known.
//!
//! The ends of a block and the place that was reached are one decision: what was stored is not stored again, wherever this process
//! dies, and of two processes that follow for one store each end comes from one. Whoever waits with [`Chain::outcome`] is told.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::chain::{Chain, Core};
use crate::follower::{
    Cursor, FollowError, FollowSettings, FollowSetupError, FollowView, FollowedBlock, FollowedLedger, FollowedNode,
    FollowedTransaction, Follower,
};
use crate::intent::IntentKey;
use crate::new_heads::NewHeads;
use crate::outcome::{Execution, Mined, Outcome, Refusal};
use crate::rpc::Rpc;
use crate::store::{self, Brought, LogRun, StoreError, StoredIntent};
use crate::transport::RpcTransport;

/// How often a block is decided anew because somebody stored one of its ends meanwhile.
const ATTEMPTS_MAX: u32 = 16;

/// How many blocks without ends of ours are passed over before it is stored that they were reached: what is read once more at most
/// when this begins anew.
const BLOCKS_WITHOUT_ENDS_MAX: u64 = 256;

/// How long a node is asked why transactions of one block reverted, where the followed nodes do not keep it. What is not said by
/// then stays unexplained: ends of later blocks are worth more.
const EXPLAINING_MAX: Duration = Duration::from_secs(5);

/// The pause after the store failed, doubled each time up to the longest.
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause after the store failed.
const STORE_PAUSE_MAX: Duration = Duration::from_secs(10);

/// A node to follow: its name without secrets, and the way to it.
#[derive(Clone)]
pub struct SettlingNode {
    /// What it is called.
    pub name: String,
    /// The way to it.
    pub transport: Arc<dyn RpcTransport>,
    /// Where it tells of new heads; `None`: it is polled alone.
    pub new_heads: Option<NewHeads>,
}

/// Stores ends until it is dropped.
pub struct Settlement {
    core: Arc<Core>,
    task: JoinHandle<()>,
    state: watch::Receiver<SettlementState>,
    delays: Arc<Delays>,
}

/// How long the newest blocks took until their ends were stored.
#[derive(Default)]
struct Delays(Mutex<VecDeque<Duration>>);

impl Delays {
    fn add(&self, delay: Duration) {
        let mut delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        delays.push_back(delay);
        if delays.len() > DELAYS_MAX {
            let _ = delays.pop_front();
        }
    }
}

/// How it stands.
#[derive(Clone)]
pub enum SettlementState {
    /// It stores what the nodes give.
    Following(FollowView),
    /// No node gives the next block, or the store fails; it tries on.
    Waiting {
        /// Why.
        reason: String,
    },
    /// The ledger is another than was followed. Lanes are paused, and nothing goes on before a person has looked.
    Stopped {
        /// What happened, and what to do.
        reason: String,
    },
}

/// Following cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// The nodes given do not make a quorum.
    #[error("the nodes cannot be followed")]
    Setup(#[source] FollowSetupError),
    /// The store failed.
    #[error("the place that was reached cannot be read")]
    Store(#[source] StoreError),
}

impl Chain {
    /// The same by the node alone that this chain sends to: what that says is believed.
    ///
    /// # Errors
    ///
    /// See [`SettlementError`].
    pub async fn settle(&self) -> Result<Settlement, SettlementError> {
        self.settle_told_by(None).await
    }

    /// The same, with that node's new heads as it tells of them there.
    ///
    /// # Errors
    ///
    /// See [`SettlementError`].
    pub async fn settle_told_by(&self, new_heads: Option<NewHeads>) -> Result<Settlement, SettlementError> {
        let transport = self.core.rpc.transport();
        self.settle_from(vec![SettlingNode { name: "the node".to_owned(), transport, new_heads }]).await
    }

    /// Begins to store ends, from where the store stands: a new one at the head of the day it was made.
    ///
    /// # Errors
    ///
    /// See [`SettlementError`].
    pub async fn settle_from(&self, nodes: Vec<SettlingNode>) -> Result<Settlement, SettlementError> {
        let cursor = self.core.store.cursor().await.map_err(SettlementError::Store)?;
        // Made once before the task is, so that what is wrong with the nodes is told here.
        let follower = self.core.follower(&nodes, cursor).map_err(SettlementError::Setup)?;
        let (sender, state) = watch::channel(SettlementState::Following(follower.view()));
        let _ = self.core.followers.fetch_add(1, Ordering::Relaxed);
        let delays = Arc::new(Delays::default());
        let settling = Settling { core: Arc::clone(&self.core), nodes, delays: Arc::clone(&delays) };
        let task = tokio::spawn(settling.run(follower, cursor, sender));
        Ok(Settlement { core: Arc::clone(&self.core), task, state, delays })
    }
}

impl Settlement {
    /// How it stands now, and a wake-up whenever that changes.
    pub fn state(&self) -> watch::Receiver<SettlementState> {
        self.state.clone()
    }

    /// How long each of the newest blocks with ends took, from the first node that named it until its ends were stored; at most
    /// [`DELAYS_MAX`], the oldest first. Blocks that were there before this began are not counted.
    pub fn delays(&self) -> Vec<Duration> {
        self.delays.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Ends it, and waits until it holds nothing any more.
    pub async fn stop(mut self) {
        self.task.abort();
        drop((&mut self.task).await);
    }
}

impl Drop for Settlement {
    fn drop(&mut self) {
        self.task.abort();
        let _ = self.core.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of an attempt, and how it ended.
pub(crate) type End = (i64, Outcome);

/// Those who wait for ends, by key.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    by_key: HashMap<IntentKey, watch::Sender<Option<End>>>,
    /// How many there were when those whom nobody listens to any more were removed last.
    kept: usize,
}

impl Waiters {
    /// Sees the intent's end if it is stored from now on.
    pub(crate) fn wait(&self, key: &IntentKey) -> watch::Receiver<Option<End>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // When they have doubled, so that each is looked at once or twice, however many wait.
        if waiting.by_key.len() >= WAITERS_KEPT.max(2 * waiting.kept) {
            waiting.by_key.retain(|_, sender| sender.receiver_count() > 0);
            waiting.kept = waiting.by_key.len();
        }
        waiting.by_key.entry(key.clone()).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }

    pub(crate) fn tell(&self, ends: &[(StoredIntent, Outcome)]) {
        for (intent, outcome) in ends {
            let waiter = self.0.lock().unwrap_or_else(PoisonError::into_inner).by_key.remove(&intent.key);
            if let Some(waiter) = waiter {
                let _ = waiter.send_replace(Some((intent.attempt, outcome.clone())));
            }
        }
    }

    fn are_there(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).by_key.is_empty()
    }
}

/// Of how many of the newest blocks the delay is kept.
pub const DELAYS_MAX: usize = 4_096;

/// From how many keys on those are removed whom nobody waits for.
const WAITERS_KEPT: usize = 1_024;

/// What became of a block.
enum Step {
    /// It has no ends of ours, and is passed over: whoever begins anew reads it once more.
    Nothing,
    /// Its ends are stored, and that it was reached.
    Stored,
    /// Another process stored later ones: this is where the store stands.
    Elsewhere(Cursor),
}

/// What the task has.
struct Settling {
    core: Arc<Core>,
    nodes: Vec<SettlingNode>,
    delays: Arc<Delays>,
}

impl Settling {
    /// `stored` is what the store says was reached; the follower may be some blocks without ends of ours ahead of it.
    async fn run(self, mut follower: Follower, mut stored: Cursor, state: watch::Sender<SettlementState>) {
        let Self { core, nodes, delays } = self;
        loop {
            let block = match follower.next().await {
                Ok(block) => block,
                Err(error) => {
                    let reason = with_causes(&error);
                    if !error.may_go_on() {
                        core.stop(&reason).await;
                        let _ = state.send_replace(SettlementState::Stopped { reason });
                        return;
                    }
                    tracing::warn!(reason, "no block can be followed");
                    let _ = state.send_replace(SettlementState::Waiting { reason });
                    continue;
                }
            };
            match core.settle_stubbornly(&block, stored, &state).await {
                Step::Nothing => {}
                Step::Stored => {
                    stored = block.cursor();
                    if let Some(heard) = follower.view().heard_at(block.number) {
                        delays.add(heard.elapsed());
                    }
                }
                Step::Elsewhere(reached) => {
                    stored = reached;
                    // What ended in the blocks between, those who wait read from the store.
                    core.turns.send_modify(|turns| *turns += 1);
                    match core.follower(&nodes, stored) {
                        Ok(anew) => follower = anew,
                        Err(error) => unreachable!("the same nodes made a quorum before: {error}"),
                    }
                }
            }
            let _ = state.send_if_modified(|state| {
                let is_new = !matches!(state, SettlementState::Following(_));
                *state = SettlementState::Following(follower.view());
                is_new
            });
        }
    }
}

fn with_causes(error: &FollowError) -> String {
    match error {
        FollowError::LedgerChanged { change, .. } => format!("{error}: {change}"),
        FollowError::Stalled { .. } => error.to_string(),
    }
}

impl Core {
    fn follower(&self, nodes: &[SettlingNode], cursor: Cursor) -> Result<Follower, FollowSetupError> {
        let settings = FollowSettings::of(&self.profile, nodes.len());
        let node = |node: &SettlingNode| {
            let followed = FollowedNode::new(node.name.clone(), Rpc::new(Arc::clone(&node.transport)));
            match node.new_heads.clone() {
                Some(new_heads) => followed.told_by(new_heads),
                None => followed,
            }
        };
        let ledger = FollowedLedger { chain_id: self.profile.chain_id, genesis_hash: self.store.genesis() };
        Follower::new(nodes.iter().map(node).collect(), ledger, cursor, settings)
    }

    /// Stores the block's ends, however often the store fails: without them nothing later may be stored.
    async fn settle_stubbornly(
        &self,
        block: &FollowedBlock,
        from: Cursor,
        state: &watch::Sender<SettlementState>,
    ) -> Step {
        let mut pause = STORE_PAUSE;
        loop {
            match self.settle_block(block, from).await {
                Ok(step) => return step,
                Err(error) => {
                    tracing::error!(block = block.number, %error, "the ends in a block were not stored, trying on");
                    let _ = state.send_replace(SettlementState::Waiting { reason: error.to_string() });
                    tokio::time::sleep(pause).await;
                    pause = STORE_PAUSE_MAX.min(pause * 2);
                }
            }
        }
    }

    async fn settle_block(&self, block: &FollowedBlock, mut from: Cursor) -> Result<Step, StoreError> {
        for _ in 0..ATTEMPTS_MAX {
            let (logs, logs_from) = self.watched_logs_in(block, from).await?;
            let brought = Brought { ends: self.ends_in(block).await?, logs, logs_from };
            let is_nothing = brought.ends.is_empty() && brought.logs.is_empty() && logs_from == 0;
            if is_nothing && block.number < from.number + BLOCKS_WITHOUT_ENDS_MAX {
                return Ok(Step::Nothing);
            }
            if self.store.settle_block(&brought, from, block.cursor()).await? {
                self.waiters.tell(&brought.ends);
                return Ok(Step::Stored);
            }
            let reached = self.store.cursor().await?;
            if reached == block.cursor() {
                // Another process stored the same block, and so the same ends.
                self.waiters.tell(&brought.ends);
                return Ok(Step::Stored);
            }
            if reached.number > block.number {
                return Ok(Step::Elsewhere(reached));
            }
            // Another process stored blocks before this one, in which nothing of ours was open any more when they were read here.
            from = reached;
        }
        Err(StoreError::Damaged {
            what: "block's ends",
            why: format!("somebody stored one of them before, {ATTEMPTS_MAX} times"),
        })
    }

    /// What watched contracts logged in a block, as far as it is not stored, and from which log on that is.
    async fn watched_logs_in(&self, block: &FollowedBlock, from: Cursor) -> Result<(Vec<LogRun>, u64), StoreError> {
        if block.transactions.iter().all(|transaction| transaction.logs.is_empty()) {
            return Ok((Vec::new(), 0));
        }
        let logs_from = self.store.logs_below(from).await?;
        Ok((store::runs(block, &self.store.watched().await?, logs_from), logs_from))
    }

    /// The ends of our intents in a block.
    async fn ends_in(&self, block: &FollowedBlock) -> Result<Vec<(StoredIntent, Outcome)>, StoreError> {
        if block.transactions.is_empty() {
            return Ok(Vec::new());
        }
        let ours = self.store.senders().await?;
        let mut by_sender: BTreeMap<Address, BTreeMap<u64, &FollowedTransaction>> = BTreeMap::new();
        for transaction in block.transactions.iter().filter(|transaction| ours.contains(&transaction.from)) {
            let _ = by_sender.entry(transaction.from).or_default().insert(transaction.nonce, transaction);
        }
        let deadline = Instant::now() + EXPLAINING_MAX;
        let mut ends = Vec::new();
        for (sender, transactions) in by_sender {
            let (Some((first, _)), Some((last, _))) = (transactions.first_key_value(), transactions.last_key_value())
            else {
                continue;
            };
            let open = self.store.open_between(sender, *first, *last).await?;
            if open.len() < transactions.len() && self.waiters.are_there() {
                self.tell_of_others(sender, *first, *last).await?;
            }
            for intent in open {
                let Some(transaction) = transactions.get(&intent.nonce) else { continue };
                let outcome = match end_of(&intent, transaction, block) {
                    Outcome::Mined(mined) => Outcome::Mined(self.explained(&intent, mined, deadline).await),
                    refused @ Outcome::Refused(_) => refused,
                };
                ends.push((intent, outcome));
            }
        }
        Ok(ends)
    }

    /// Tells those who wait here of ends that another process stored, or an earlier unit of the same block.
    async fn tell_of_others(&self, sender: Address, first: u64, last: u64) -> Result<(), StoreError> {
        let ended = self.store.ended_between(sender, first, last).await?;
        // What a row does not hold, whoever waits reads for itself.
        let whole = ended.into_iter().filter(|intent| !intent.is_without_logs);
        let told = whole.filter_map(|mut intent| intent.outcome.take().map(|outcome| (intent, outcome)));
        self.waiters.tell(&told.collect::<Vec<_>>());
        Ok(())
    }

    /// With the revert's bytes, if the nodes that were followed do not keep them and the node says them in time.
    async fn explained(&self, intent: &StoredIntent, mined: Mined, deadline: Instant) -> Mined {
        if mined.execution != (Execution::Reverted { data: None }) {
            return mined;
        }
        let data = timeout_at(deadline, self.revert_by_call(intent, mined.block_number)).await;
        Mined { execution: Execution::reverted(data.ok().flatten()), ..mined }
    }
}

/// How an open intent ended, now that its nonce was used in a final block.
fn end_of(intent: &StoredIntent, used: &FollowedTransaction, block: &FollowedBlock) -> Outcome {
    if intent.is_own(used.hash) {
        let execution =
            if used.is_success { Execution::Succeeded } else { Execution::reverted(used.revert_data.clone()) };
        return Outcome::Mined(Mined {
            hash: used.hash,
            block_number: block.number,
            block_hash: block.hash,
            transaction_index: used.index,
            gas_used: used.gas_used,
            created_address: used.created_address,
            execution,
            logs: used.logs.clone(),
        });
    }
    match &intent.cancelling {
        Some((reason, filler)) if filler.hash == used.hash => Outcome::Refused(Refusal { reason: reason.clone() }),
        _ => {
            let reason = displaced(intent.nonce, used.hash);
            tracing::error!(sender = %intent.sender, key = %intent.key, reason, "somebody else sends with our key");
            Outcome::Refused(Refusal { reason })
        }
    }
}

/// Why an intent has no effect whose nonce a foreign transaction used.
pub(crate) fn displaced(nonce: u64, by: B256) -> String {
    format!("nonce {nonce} was used by transaction {by}, which is not ours")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Filler;

    const OURS: B256 = B256::repeat_byte(1);
    const FILLER: B256 = B256::repeat_byte(2);

    fn intent(cancelling: bool) -> StoredIntent {
        let filler = Filler { hash: FILLER, raw: vec![2].into() };
        StoredIntent {
            key: IntentKey::parse("k").unwrap(),
            attempt: 1,
            fingerprint: B256::ZERO,
            subject: String::new(),
            sender: Address::ZERO,
            nonce: 7,
            hash: OURS,
            raw: vec![1].into(),
            earlier: Vec::new(),
            created_address: None,
            cancelling: cancelling.then(|| ("refused by the node".to_owned(), filler)),
            outcome: None,
            is_without_logs: false,
            origin: None,
        }
    }

    fn told(is_cancelling: bool, hash: B256, is_success: bool) -> String {
        let used = FollowedTransaction {
            hash,
            index: 3,
            from: Address::ZERO,
            to: None,
            nonce: 7,
            is_success,
            gas_used: 21_000,
            created_address: None,
            revert_data: None,
            first_log_index: 0,
            logs: Vec::new(),
        };
        let block = FollowedBlock {
            number: 5,
            hash: B256::repeat_byte(9),
            parent_hash: B256::ZERO,
            timestamp_seconds: 0,
            transactions: vec![used.clone()],
        };
        match end_of(&intent(is_cancelling), &used, &block) {
            Outcome::Mined(mined) => {
                format!("block {} index {} {:?}", mined.block_number, mined.transaction_index, mined.execution)
            }
            Outcome::Refused(refusal) => refusal.reason,
        }
    }

    #[test]
    fn a_used_nonce_ends_an_intent_by_whose_transaction_used_it() {
        assert_eq!(told(false, OURS, true), "block 5 index 3 Succeeded");
        assert_eq!(told(true, OURS, false), "block 5 index 3 Reverted { data: None }");
        assert_eq!(told(true, FILLER, true), "refused by the node");
        for is_cancelling in [false, true] {
            assert_eq!(told(is_cancelling, B256::repeat_byte(3), true), displaced(7, B256::repeat_byte(3)));
        }
    }

    #[test]
    fn whoever_waits_is_told_and_nobody_else_is_kept() {
        let waiters = Waiters::default();
        let key = |number: usize| IntentKey::parse(&number.to_string()).unwrap();
        let waiting = waiters.wait(&intent(false).key);
        for number in 1..3 * WAITERS_KEPT {
            drop(waiters.wait(&key(number)));
        }
        assert!(waiters.0.lock().unwrap().by_key.len() <= WAITERS_KEPT);
        let end = Outcome::Refused(Refusal { reason: "no".to_owned() });
        waiters.tell(&[(intent(false), end.clone())]);
        assert_eq!(waiting.borrow().as_ref(), Some(&(1, end)));
    }
}
