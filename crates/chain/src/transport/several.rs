//! One sender's way over several nodes: one of them is in front, the others stand by and get copies of what it took.
//!
//! # Who is asked
//!
//! Every request goes to the node in front. If that certainly did not get it ([`TransportError::NotSent`]), the next one is asked at
//! once, and so on, each node once. Any other end is the request's end, an answer that is an error too.
//!
//! **A transaction is refused by one node alone, and no other may have it.** After a refusal of the very first offer a lane gives the
//! nonce to something else, so a refusal must never be given back while a second node may have the bytes:
//!
//! * After [`TransportError::OutcomeUnknown`] nobody else is asked in the same call: the first node may have the bytes, and a refusal
//!   by the second would hide that. The lane offers the same bytes again then, and no refusal of a second offer is certain.
//! * Copies leave only after a node said that it has the transaction. So what was refused at its first offer was never copied.
//!
//! # Who is in front
//!
//! After [`FAILURES_IN_A_ROW_MAX`] failures in a row, of either kind, the next node is in front that did not fail in the last
//! [`FAILED_NODE_REST`]; if there is none, the front stays. The first node is the one to return to: while another one is in front and
//! somebody asks something, it is looked at 30 s after it was left and every 30 s from then on, and returned to if it is on the same
//! ledger and at most [`RETURN_LAG_BLOCKS_MAX`] blocks behind. A return that lasts for less than 10 minutes did not hold: the pause
//! doubles with each of those in a row, and after [`RETURNS_MAX`] of them the first node is left alone until the process starts anew.
//! So the front cannot go to and fro without end. Each move is logged as a warning.
//!
//! To whoever asks, a move of the front looks like one address behind which nodes differ: a head may go back, a count of transactions
//! may be older, a transaction that was seen may be missing for a while. Lanes and followers believe no such answer more than it
//! proves. Only at the start a node that is far behind can be taken for a rewound ledger, and is refused.
//!
//! A node that answers stays in front, also where it stands still: copies carry transactions past it, and a follower of several nodes
//! sees the blocks.
//!
//! # Which ledger a node is on
//!
//! Before it is asked or sent anything else, each node says its chain id and its first block's hash. The first node that does
//! decides; one that differs is logged as an error and not used any more. A node that the front left is asked this again.

mod front;
mod ledger;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout};

pub use self::front::{FAILED_NODE_REST, FAILURES_IN_A_ROW_MAX, RETURNS_MAX};
use self::front::{Front, Move};
use self::ledger::{LedgerName, NotThere};
use super::{RpcTransport, TransportError, TransportFuture};
use crate::rpc::{self, Rpc};

/// A transaction goes to so many nodes: the one that took it, and copies to two others. Besu does not gossip a transaction that it
/// dropped once; two others that have it from us make up for one such node, and for one that is away besides.
pub const NODES_PER_TRANSACTION: usize = 3;

/// So many copies are on their way to a node at once; what comes meanwhile is not copied to it, and counted.
pub const COPIES_AT_ONCE_MAX: usize = 64;

/// A copy that is not answered within this time is given up.
pub const COPY_TIME_MAX: Duration = Duration::from_secs(5);

/// The first node is returned to if it is at most so many blocks behind the one in front: as many as come while both are asked.
pub const RETURN_LAG_BLOCKS_MAX: u64 = 2;

/// A look at the first node takes no longer.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// A way to a ledger over several of its nodes, which is one for whoever asks and sends. It is cheap to make, and works within a tokio
/// runtime. Dropping it ends the copies that are on their way.
///
/// ```
/// # use std::sync::Arc;
/// use chain::{HttpTransport, SeveralNodes};
/// # fn two() -> Result<SeveralNodes, chain::HttpTransportError> {
/// let (first, second) = (HttpTransport::new("http://10.0.0.1:8545")?, HttpTransport::new("http://10.0.0.2:8545")?);
/// let (one, two) = (first.shown_url().to_owned(), second.shown_url().to_owned());
/// Ok(SeveralNodes::first(one, Arc::new(first)).then(two, Arc::new(second)))
/// # }
/// ```
pub struct SeveralNodes {
    nodes: Nodes,
    /// Copies, and a look at the first node.
    tasks: Mutex<JoinSet<()>>,
    #[cfg(test)]
    pub(crate) mutant: Option<crate::simulation::Mutant>,
}

/// What the tasks share with their owner.
#[derive(Clone)]
struct Nodes {
    each: Vec<Arc<Node>>,
    front: Arc<Mutex<Front>>,
    ledger: Arc<LedgerName>,
}

struct Node {
    name: String,
    transport: Arc<dyn RpcTransport>,
    is_examined: std::sync::atomic::AtomicBool,
    answers: AtomicU64,
    not_sent: AtomicU64,
    unknown: AtomicU64,
    last_failure: Mutex<Option<String>>,
    copying: Arc<Semaphore>,
    copies_answered: AtomicU64,
    copies_unanswered: AtomicU64,
    copies_dropped: AtomicU64,
}

/// How several nodes stand, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeveralNodesView {
    /// The name of the node in front.
    pub in_front: String,
    /// How often another node came in front.
    pub moves: u64,
    /// How many more returns to the first node there are if none of them holds.
    pub returns_left: u32,
    /// Each node, in the order in which they were given.
    pub nodes: Vec<NodeOfSeveral>,
}

/// How one of several nodes did so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOfSeveral {
    /// Its name.
    pub name: String,
    /// Whether it is on another ledger than the others, so that it is not used.
    pub is_on_other_ledger: bool,
    /// Requests that it answered, with an error too.
    pub answers: u64,
    /// Requests that it certainly did not get.
    pub not_sent: u64,
    /// Requests of which nobody knows whether it got them.
    pub unknown: u64,
    /// What happened at its last failure.
    pub last_failure: Option<String>,
    /// Copies of transactions that it answered, whatever it said.
    pub copies_answered: u64,
    /// Copies that it did not get or did not answer in time.
    pub copies_unanswered: u64,
    /// Copies that were not sent because too many were on their way to it.
    pub copies_dropped: u64,
}

impl SeveralNodes {
    /// The first node, which is in front at the start, and is returned to. The name stands in logs and errors: a URL without user
    /// name and password, as [`HttpTransport::shown_url`](crate::HttpTransport::shown_url) gives it.
    pub fn first(name: impl Into<String>, transport: Arc<dyn RpcTransport>) -> Self {
        Self {
            nodes: Nodes {
                each: vec![Arc::new(Node::new(name.into(), transport))],
                front: Arc::new(Mutex::new(Front::of(1))),
                ledger: Arc::default(),
            },
            tasks: Mutex::default(),
            #[cfg(test)]
            mutant: None,
        }
    }

    /// The same with a further node behind the others.
    #[must_use]
    pub fn then(mut self, name: impl Into<String>, transport: Arc<dyn RpcTransport>) -> Self {
        self.nodes.each.push(Arc::new(Node::new(name.into(), transport)));
        self.nodes.front = Arc::new(Mutex::new(Front::of(self.nodes.each.len())));
        self
    }

    /// How they stand now.
    pub fn view(&self) -> SeveralNodesView {
        let front = self.nodes.front();
        let each = self.nodes.each.iter().enumerate();
        SeveralNodesView {
            in_front: self.nodes.each[front.index()].name.clone(),
            moves: front.moves(),
            returns_left: front.returns_left(),
            nodes: each.map(|(index, node)| node.view(front.is_barred(index))).collect(),
        }
    }

    /// The answer, and the place of the node that gave it.
    async fn ask(&self, request: &str) -> Result<(String, usize), TransportError> {
        self.look_at_the_first();
        let (mut reasons, order) = (Vec::new(), self.nodes.front().order());
        for index in order {
            match self.nodes.ask(index, request).await {
                Ok(answer) => return Ok((answer, index)),
                Err(TransportError::NotSent { reason }) => reasons.push(reason),
                #[cfg(test)]
                Err(TransportError::OutcomeUnknown { reason })
                    if self.mutant == Some(crate::simulation::Mutant::AnotherNodeAfterUnknown) =>
                {
                    reasons.push(reason);
                }
                Err(unknown) => return Err(unknown),
            }
        }
        if reasons.is_empty() {
            reasons.push("no node is on the ledger".to_owned());
        }
        Err(TransportError::NotSent { reason: reasons.join("; ") })
    }

    async fn send_and_copy(&self, request: String) -> Result<String, TransportError> {
        #[cfg(test)]
        if self.mutant == Some(crate::simulation::Mutant::CopiedBeforeItsAnswer) {
            self.copy(&request, 0);
        }
        let (answer, taken_by) = self.ask(&request).await?;
        if rpc::is_taken(&answer) {
            self.copy(&request, taken_by);
        }
        Ok(answer)
    }

    /// Lets others have what this node took. Nobody waits for it, and what they answer decides nothing.
    fn copy(&self, request: &str, taken_by: usize) {
        let others = self.nodes.front().others(taken_by);
        for index in others.into_iter().take(NODES_PER_TRANSACTION - 1) {
            let node = &self.nodes.each[index];
            let Ok(turn) = Arc::clone(&node.copying).try_acquire_owned() else {
                count(&node.copies_dropped);
                continue;
            };
            let (nodes, request) = (self.nodes.clone(), request.to_owned());
            self.spawn(async move {
                nodes.give_copy(index, request).await;
                drop(turn);
            });
        }
    }

    fn look_at_the_first(&self) {
        if self.nodes.front().takes_a_look(Instant::now()) {
            let nodes = self.nodes.clone();
            self.spawn(async move { nodes.look().await });
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        let _ = tasks.spawn(task);
    }
}

impl RpcTransport for SeveralNodes {
    fn send<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(async move { self.ask(&request).await.map(|(answer, _)| answer) })
    }

    fn send_transaction<'a>(&'a self, request: String) -> TransportFuture<'a> {
        Box::pin(self.send_and_copy(request))
    }

    fn server_date(&self) -> Option<String> {
        let index = self.nodes.front().index();
        self.nodes.each[index].transport.server_date()
    }
}

impl Nodes {
    fn front(&self) -> MutexGuard<'_, Front> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, index: usize, request: &str) -> Result<String, TransportError> {
        self.examine(index).await?;
        let node = &self.each[index];
        match node.transport.send(request.to_owned()).await {
            Ok(answer) => {
                count(&node.answers);
                self.front().answered(index);
                Ok(answer)
            }
            Err(TransportError::NotSent { reason }) => {
                count(&node.not_sent);
                self.failed(index, &reason);
                Err(TransportError::NotSent { reason: node.says(&reason) })
            }
            Err(TransportError::OutcomeUnknown { reason }) => {
                count(&node.unknown);
                self.failed(index, &reason);
                Err(TransportError::OutcomeUnknown { reason: node.says(&reason) })
            }
        }
    }

    /// Makes sure that the node is on the ledger. If that is not so or not known, the request that is waiting for this was not sent.
    async fn examine(&self, index: usize) -> Result<(), TransportError> {
        let node = &self.each[index];
        if node.is_examined.load(Ordering::Relaxed) {
            return Ok(());
        }
        let reason = match self.ledger.is_of(&node.transport).await {
            Ok(()) => {
                node.is_examined.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Err(NotThere::Silent(reason)) => {
                count(&node.not_sent);
                self.failed(index, &reason);
                reason
            }
            Err(NotThere::Elsewhere(reason)) => {
                tracing::error!(node = node.name, reason, "a node is on another ledger, and is not used any more");
                *node.last_failure() = Some(reason.clone());
                let moved = self.front().bar(index, Instant::now());
                self.tell(moved, &reason);
                reason
            }
        };
        Err(TransportError::NotSent { reason: node.says(&reason) })
    }

    fn failed(&self, index: usize, reason: &str) {
        *self.each[index].last_failure() = Some(reason.to_owned());
        let moved = self.front().failed(index, Instant::now());
        if let Some(Move { from, .. }) = moved {
            // It may come back as another.
            self.each[from].is_examined.store(false, Ordering::Relaxed);
        }
        self.tell(moved, reason);
    }

    fn tell(&self, moved: Option<Move>, reason: &str) {
        if let Some(Move { from, to }) = moved {
            let (from, to) = (&self.each[from].name, &self.each[to].name);
            tracing::warn!(from, to, reason, "another node is in front now");
        }
    }

    async fn give_copy(&self, index: usize, request: String) {
        let node = &self.each[index];
        let giving = async {
            self.examine(index).await?;
            node.transport.send(request).await
        };
        count(match timeout(COPY_TIME_MAX, giving).await {
            Ok(Ok(_)) => &node.copies_answered,
            Ok(Err(_)) | Err(_) => &node.copies_unanswered,
        });
    }

    /// Looks at the first node, and returns to it if it is fit.
    async fn look(&self) {
        let is_fit = timeout(LOOK_TIME_MAX, self.is_first_fit()).await.unwrap_or(false);
        let moved = self.front().looked(is_fit, Instant::now());
        self.tell(moved, "the first node answers again");
    }

    async fn is_first_fit(&self) -> bool {
        if self.examine(0).await.is_err() {
            return false;
        }
        let head = |index: usize| Rpc::new(Arc::clone(&self.each[index].transport));
        let (first, front) = (head(0), head(self.front().index()));
        match tokio::join!(first.block_number(), front.block_number()) {
            (Ok(first), Ok(front)) => first.saturating_add(RETURN_LAG_BLOCKS_MAX) >= front,
            (Ok(_), Err(_)) => true,
            (Err(_), _) => false,
        }
    }
}

impl Node {
    fn new(name: String, transport: Arc<dyn RpcTransport>) -> Self {
        Self {
            name,
            transport,
            is_examined: false.into(),
            answers: AtomicU64::new(0),
            not_sent: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            last_failure: Mutex::default(),
            copying: Arc::new(Semaphore::new(COPIES_AT_ONCE_MAX)),
            copies_answered: AtomicU64::new(0),
            copies_unanswered: AtomicU64::new(0),
            copies_dropped: AtomicU64::new(0),
        }
    }

    fn last_failure(&self) -> MutexGuard<'_, Option<String>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn says(&self, reason: &str) -> String {
        format!("{}: {reason}", self.name)
    }

    fn view(&self, is_on_other_ledger: bool) -> NodeOfSeveral {
        let counted = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NodeOfSeveral {
            name: self.name.clone(),
            is_on_other_ledger,
            answers: counted(&self.answers),
            not_sent: counted(&self.not_sent),
            unknown: counted(&self.unknown),
            last_failure: self.last_failure().clone(),
            copies_answered: counted(&self.copies_answered),
            copies_unanswered: counted(&self.copies_unanswered),
            copies_dropped: counted(&self.copies_dropped),
        }
    }
}

fn count(counter: &AtomicU64) {
    let _ = counter.fetch_add(1, Ordering::Relaxed);
}
