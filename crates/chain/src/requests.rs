//! Intents as events of other services: a service publishes [`TransactionRequested`], and learns how it ended from what this crate
//! publishes.
//!
//! ```text
//!  service's log ── ledger.transaction_requested ──► taken: a row in the store, and the cursor past the event, in one unit of work
//!                                                      │  (or ledger.request_refused)
//!                                                      ▼
//!                                     waits for its lane: that of its subject's others, or the one of its group with the least to do
//!                                                      │
//!                                                      ▼
//!                       signed: the row goes away in the unit of work that stores the signed bytes (or ledger.request_refused)
//!                                                      │
//!                                                      ▼
//!  service ◄── ledger.transaction_mined, ledger.transaction_refused ── settlement
//! ```
//!
//! * *Once.* Whatever dies between two of these steps, each is one unit of work: a request is taken once and signed once.
//! * *In order.* Requests of one group and one subject are in one lane as long as any of them has no end, in the order of their
//!   events: nonce order is ledger order, and nobody waits for an end. What has another subject, or none, goes side by side.
//! * *Gas that is not given is estimated.* What fails then is refused only when nothing is in flight that it may need, by a node that knows
//!   how all of that ended; until then its subject waits, and others go on.
//! * *A lane that cannot go on keeps what waits for it*, and others go on: a person's pause, an unfunded account and a token that does
//!   not answer refuse nothing. What can never be signed is refused, with a code ([`TransactionRequested`] is answered in any case).
//! * *Ends are stored by whoever follows* ([`Chain::settle`](crate::Chain::settle) and its likes): without a follower nobody is told.
//!
//! Several processes may take requests for one store in PostgreSQL: one of them takes them, each lane is sent by whoever holds it.
//!
//! [`TransactionRequested`]: messages::ledger::TransactionRequested

mod bell;
mod door;
mod estimate;
mod groups;
mod part;
mod reading;
mod sending;

use std::sync::Arc;

use alloy_primitives::Address;
use custody::{KeyLabel, UnknownKey};
use journal::consumer::{ConsumerError, ConsumerStatus};
use journal::{Consumer, Feed, Task};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use self::bell::Bell;
use self::door::Door;
use self::groups::Groups;
pub use self::groups::{LANE_GROUP_NAME_BYTES_MAX, LaneGroup, LaneGroupError};
pub use self::reading::REQUEST_DEPENDENCIES_MAX;
use crate::chain::Chain;

/// The longest name of a service, in bytes: with `/` it is the beginning of its keys.
pub const REQUESTER_BYTES_MAX: usize = 40;

/// A service whose requests are carried out.
#[derive(Debug, Clone)]
pub struct Requester {
    name: String,
    feed: Feed,
}

/// The text names no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no service: a name has 1 to {max} lower-case letters, digits and `_`", max = REQUESTER_BYTES_MAX)]
pub struct RequesterNameError {
    text: String,
}

impl Requester {
    /// The service of this name, with the feed of what it publishes. All its keys begin with the name and `/`.
    ///
    /// # Errors
    ///
    /// The name is empty, too long, or has other characters than lower-case letters, digits and `_`.
    pub fn new(name: &str, feed: Feed) -> Result<Self, RequesterNameError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || name.len() > REQUESTER_BYTES_MAX || !name.bytes().all(is_plain) {
            return Err(RequesterNameError { text: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), feed })
    }
}

/// Requests cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum RequestsError {
    /// A group is not as it must be.
    #[error("the lane groups cannot be used")]
    Groups(#[source] LaneGroupError),
    /// Two services have one name.
    #[error("two services are named `{name}`")]
    TwiceNamed {
        /// The name.
        name: String,
    },
    /// Custody does not have a key of a group.
    #[error("lane group `{group}` has a key that is not there")]
    Key {
        /// The group.
        group: String,
        /// Which key.
        source: UnknownKey,
    },
}

/// What the sending of a lane is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaneActivity {
    /// It sends, or waits for requests.
    Sending,
    /// Another process that shares the store has the lane.
    HeldElsewhere,
    /// It cannot go on now, and keeps what waits for it.
    Waiting {
        /// Why.
        reason: String,
    },
    /// Its key is retired, and another lane has what waited for it.
    Retired,
}

/// How a lane stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneStanding {
    /// Its group.
    pub group: String,
    /// Its key.
    pub label: KeyLabel,
    /// Its sender.
    pub sender: Address,
    /// What is done for it here.
    pub activity: LaneActivity,
}

/// Takes requests and sends them until it is stopped or dropped.
pub struct Requests {
    takers: Vec<Taker>,
    groups: Arc<Groups>,
    /// One for each lane, and the bell.
    senders: JoinSet<()>,
    /// Deliveries under way.
    underway: Arc<Mutex<JoinSet<()>>>,
}

struct Taker {
    requester: String,
    status: watch::Receiver<ConsumerStatus>,
    task: Task<ConsumerError>,
}

impl Chain {
    /// Takes the requests of these services from now on, from the first that was not taken, and sends them through the lanes of
    /// these groups. The lanes are opened as they come free.
    ///
    /// # Errors
    ///
    /// See [`RequestsError`].
    pub fn take_requests(&self, requesters: Vec<Requester>, groups: Vec<LaneGroup>) -> Result<Requests, RequestsError> {
        let groups = Arc::new(Groups::of(groups, &self.core.custody)?);
        let mut takers: Vec<Taker> = Vec::new();
        let (bell, mut senders) = (Arc::new(Bell::new()), JoinSet::new());
        for Requester { name, feed } in requesters {
            if takers.iter().any(|taker| taker.requester == name) {
                return Err(RequestsError::TwiceNamed { name });
            }
            let door = Door::new(&name, Arc::clone(&self.core), Arc::clone(&groups));
            let journal = self.core.store.journal().clone();
            let consumer = Arc::new(Consumer::new(&format!("requests of {name}"), feed, journal, door));
            takers.push(Taker { requester: name, status: consumer.status(), task: consumer.start() });
        }
        let _ = senders.spawn(bell::ring(Arc::clone(&self.core), Arc::clone(&groups), Arc::clone(&bell)));
        let underway = Arc::new(Mutex::new(JoinSet::new()));
        for place in groups.places() {
            let (chain, groups, bell, underway) =
                (self.clone(), Arc::clone(&groups), Arc::clone(&bell), Arc::clone(&underway));
            let _ = senders.spawn(sending::send(chain, groups, place, bell, underway));
        }
        Ok(Requests { takers, groups, senders, underway })
    }
}

impl Requests {
    /// How the taking stands, by service.
    pub fn taking(&self) -> Vec<(String, ConsumerStatus)> {
        self.takers.iter().map(|taker| (taker.requester.clone(), taker.status.borrow().clone())).collect()
    }

    /// How the lanes stand.
    pub fn lanes(&self) -> Vec<LaneStanding> {
        self.groups.standing()
    }

    /// Ends it: what is being taken is finished, what waits stays in the store, and what is signed goes on to its end.
    ///
    /// # Errors
    ///
    /// Why the taking of a service's requests ended before.
    pub async fn stop(mut self) -> Result<(), ConsumerError> {
        let mut ended = Ok(());
        for taker in self.takers.drain(..) {
            ended = ended.and(taker.task.stop().await);
        }
        self.senders.shutdown().await;
        self.underway.lock().await.shutdown().await;
        ended
    }
}

/// The error with its causes, in one line.
fn with_cause(error: &dyn std::error::Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
