//! The end of a key: its lane takes nothing new for ever, in no process, and the store says since when, by whose order and who
//! comes after it.
//!
//! ```text
//!  pause ──► begun: who, why, successor, approvals ──► what is open ends ──► retired: what was spent goes to the successor
//!              │                                                             (refused while anything is open)
//!              └── resumed: given up, as if it had not been begun
//! ```
//!
//! Each step is one unit of work in the store, and the statement that stores signed bytes looks at what it wrote. So whoever dies
//! between two of them leaves a lane that takes nothing new, and the same order again goes on. Until its predecessor is retired a
//! successor stores nothing new either: a limit of a day, or of one transaction at a time, is never had by both.
//!
//! ```no_run
//! use std::time::Duration;
//! use alloy_primitives::Address;
//! use chain::{Chain, KeyRetirement, OperatorText, RetireError, RetirementOrder};
//! # async fn retire(chain: Chain, sender: Address, successor: Address) -> Result<KeyRetirement, Box<dyn std::error::Error>> {
//! let (why, who) = (OperatorText::parse("the officer has left")?, OperatorText::parse("ana")?);
//! let order = RetirementOrder { sender, successor: Some(successor), why: &why, who: &who, consent: None };
//! let _ = chain.begin_retirement(&order).await?;
//! loop {
//!     match chain.finish_retirement(sender).await {
//!         // Each intent that is open ends, or its outcome is an error that says why not yet.
//!         Err(RetireError::Open { lowest, .. }) => drop(chain.outcome(&lowest, Duration::from_secs(60)).await?),
//!         ended => return Ok(ended?),
//!     }
//! }
//! # }
//! ```

use std::fmt;

use alloy_primitives::Address;
use custody::policy::{Approval, Authorisation, Policy, Refusal};
use messages::Timestamp;

use crate::chain::{Chain, Core, LaneError};
use crate::intent::IntentKey;
use crate::pause::{OperatorText, PauseError, Paused, pause};
use crate::store::{Carried, PolicyMark, Store, StoreError};

/// How often a retirement is finished anew because the successor's policy was changed at the same moment.
const FINISHES_MAX: u32 = 8;

/// The retirement of a key as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRetirement {
    /// The key's address.
    pub sender: Address,
    /// The address that comes after it, if one does.
    pub successor: Option<Address>,
    /// Why.
    pub reason: String,
    /// Who ordered it.
    pub who: String,
    /// When it was begun, by the store's clock.
    pub begun: Timestamp,
    /// Since when it is retired; `None` while something in its lane may be open.
    pub retired: Option<Timestamp>,
}

impl fmt::Display for KeyRetirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.retired.is_some() { "is retired" } else { "is being retired" };
        write!(f, "the key of {} {state}, by {}: {}; ", self.sender, self.who, self.reason)?;
        match self.successor {
            Some(successor) => write!(f, "its successor is {successor}"),
            None => f.write_str("it has no successor"),
        }
    }
}

/// Which key is to be retired, and who wants that.
#[derive(Debug, Clone, Copy)]
pub struct RetirementOrder<'a> {
    /// The key's address.
    pub sender: Address,
    /// The address that comes after it, if one does: what the key has spent today under its policy counts as spent by that one.
    pub successor: Option<Address>,
    /// Why; whoever submits is told.
    pub why: &'a OperatorText,
    /// Who orders it.
    pub who: &'a OperatorText,
    /// Who agrees; `None` if the key has no policy, which could ask for anybody.
    pub consent: Option<Consent<'a>>,
}

/// Two persons' agreement to the end of a key that has a policy.
#[derive(Debug, Clone, Copy)]
pub struct Consent<'a> {
    /// The policy that the key was used under last.
    pub policy: &'a Policy,
    /// Approvals of [`Policy::retirement_hash`].
    pub approvals: &'a [Approval],
}

/// A retirement was begun, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetirementBegun {
    /// As it stands.
    pub retirement: KeyRetirement,
    /// The pause that the lane has; `None` if the retirement was begun before.
    pub paused: Option<Paused>,
}

/// A key was not retired. Unless it says otherwise nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// No process ever took the key's lane in this store.
    #[error("the store has no lane of {sender}")]
    NoSuchLane {
        /// The key's address.
        sender: Address,
    },
    /// A key does not come after itself. Name another.
    #[error("{sender} cannot be its own successor")]
    OwnSuccessor {
        /// The key's address.
        sender: Address,
    },
    /// Who is to come after it is at its own end. Name another.
    #[error("{0}, and so succeeds nobody")]
    SuccessorRetired(Box<KeyRetirement>),
    /// The key is itself the successor of one whose retirement is not finished. Finish that one first.
    #[error("{0}, and that is to be finished first")]
    PredecessorOpen(Box<KeyRetirement>),
    /// The key is retired, or being retired, in favour of another successor. One that is only begun is given up by
    /// [`Chain::resume_lane`].
    #[error("{0}")]
    OtherSuccessor(Box<KeyRetirement>),
    /// The key was used under a policy, and another or none is given; or it was used under none, and one is given.
    #[error("{}", policy_words(*sender, *stored, *found))]
    OtherPolicy {
        /// The key's address.
        sender: Address,
        /// Version of the policy that the key was used under last.
        stored: Option<u64>,
        /// That of the policy given.
        found: Option<u64>,
    },
    /// The key's policy refuses: two persons in the role `policy` must approve this very retirement.
    #[error("the policy of {sender} refuses its retirement, whose hash is {subject}")]
    Refused {
        /// The key's address.
        sender: Address,
        /// What is to be approved.
        subject: alloy_primitives::B256,
        /// Why.
        source: Box<Refusal>,
    },
    /// The retirement was not begun, or was given up by somebody who resumed the lane.
    #[error("no retirement of {sender} was begun, or its lane was resumed since")]
    NotBegun {
        /// The key's address.
        sender: Address,
    },
    /// Something is without an end. It stays begun: wait for these, then finish it.
    #[error("{count} of the lane of {sender} are without an end, first of all intent `{lowest}`")]
    Open {
        /// The key's address.
        sender: Address,
        /// How many.
        count: u64,
        /// The one that all others wait for.
        lowest: IntentKey,
    },
    /// Somebody resumed the lane, or changed a policy, at the same moment; the lane may be paused. Look, and do it again.
    #[error("somebody else changes the lane of {sender} or a policy too")]
    Contended {
        /// The key's address.
        sender: Address,
    },
    /// The store failed. Order it again: what was written stands.
    #[error("cannot store the retirement of a key")]
    Store(#[source] StoreError),
}

fn policy_words(sender: Address, stored: Option<u64>, found: Option<u64>) -> String {
    match (stored, found) {
        (None, _) => format!("the key of {sender} was used under no policy here, so that none is asked"),
        (Some(stored), None) => {
            format!("the key of {sender} was used under its policy of version {stored}, which is to be asked")
        }
        (Some(stored), Some(found)) => format!(
            "the key of {sender} was used under its policy of version {stored} and another text than the one given, version {found}"
        ),
    }
}

impl Chain {
    /// Begins the end of a key: its lane is paused for every process that shares the store, and the store notes who wants what and
    /// who agreed. What is open is still sent, cancelled and waited for. Nothing new is stored in the successor's lane until
    /// [`Chain::finish_retirement`]. The same order again changes nothing, and takes no approvals; [`Chain::resume_lane`] gives it up.
    ///
    /// # Errors
    ///
    /// See [`RetireError`].
    ///
    /// # Cancel safety
    ///
    /// When dropped, the lane may be paused, and the retirement begun. Order it again to know.
    pub async fn begin_retirement(&self, order: &RetirementOrder<'_>) -> Result<RetirementBegun, RetireError> {
        let store = &self.core.store;
        let sender = order.sender;
        if order.successor == Some(sender) {
            return Err(RetireError::OwnSuccessor { sender });
        }
        if let Some(stored) = store.retirement_of(sender).await.map_err(RetireError::Store)? {
            return order.begun_before(stored);
        }
        let policy = self.core.check_consent(order).await?;
        let paused = pause(store, sender, order.why, order.who).await.map_err(|error| match error {
            PauseError::NoSuchLane { sender } => RetireError::NoSuchLane { sender },
            PauseError::Contended { sender } | PauseError::Retired { sender, .. } => RetireError::Contended { sender },
            PauseError::Store(source) => RetireError::Store(source),
        })?;
        let retirement = KeyRetirement {
            sender,
            successor: order.successor,
            reason: order.why.to_string(),
            who: order.who.to_string(),
            begun: store.time(),
            retired: None,
        };
        let approvals = order.consent.map_or(&[][..], |consent| consent.approvals);
        if store.begin_retirement(&retirement, policy, approvals).await.map_err(RetireError::Store)? {
            return Ok(RetirementBegun { retirement, paused: Some(paused) });
        }
        not_begun(store, order).await
    }

    /// Ends what [`Chain::begin_retirement`] began, once nothing in the lane is open: from now on no process opens the lane or stores
    /// anything in it. What the key has spent today is spent by its successor then. The same again says what is stored.
    ///
    /// # Errors
    ///
    /// [`RetireError::Open`] while something has no end; else see [`RetireError`].
    ///
    /// # Cancel safety
    ///
    /// When dropped, it may be finished. Call it again to know.
    pub async fn finish_retirement(&self, sender: Address) -> Result<KeyRetirement, RetireError> {
        let store = &self.core.store;
        for _ in 0..FINISHES_MAX {
            let stored = store.retirement_of(sender).await.map_err(RetireError::Store)?;
            let begun = stored.ok_or(RetireError::NotBegun { sender })?;
            if begun.retired.is_some() {
                return Ok(begun);
            }
            let open = store.open_of(sender).await.map_err(RetireError::Store)?;
            if let Some(lowest) = open.lowest {
                return Err(RetireError::Open { sender, count: open.count, lowest });
            }
            let carried = self.core.carried(&begun).await.map_err(RetireError::Store)?;
            let retired = KeyRetirement { retired: Some(store.time()), ..begun };
            if store.finish_retirement(&retired, carried.as_ref()).await.map_err(RetireError::Store)? {
                return Ok(retired);
            }
        }
        Err(RetireError::Contended { sender })
    }

    /// The retirement of the key, if it has one.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn retirement_of(&self, sender: Address) -> Result<Option<KeyRetirement>, StoreError> {
        self.core.store.retirement_of(sender).await
    }
}

impl RetirementOrder<'_> {
    /// What was begun or finished before, if it is this.
    fn begun_before(&self, stored: KeyRetirement) -> Result<RetirementBegun, RetireError> {
        if stored.successor == self.successor {
            Ok(RetirementBegun { retirement: stored, paused: None })
        } else {
            Err(RetireError::OtherSuccessor(Box::new(stored)))
        }
    }
}

/// Why the store took no retirement: somebody else's is there, or one that this one would cross.
async fn not_begun(store: &Store, order: &RetirementOrder<'_>) -> Result<RetirementBegun, RetireError> {
    let sender = order.sender;
    if let Some(stored) = store.retirement_of(sender).await.map_err(RetireError::Store)? {
        return order.begun_before(stored);
    }
    if let Some(successor) = order.successor
        && let Some(stored) = store.retirement_of(successor).await.map_err(RetireError::Store)?
    {
        return Err(RetireError::SuccessorRetired(Box::new(stored)));
    }
    match store.predecessor_of(sender).await.map_err(RetireError::Store)? {
        Some(stored) => Err(RetireError::PredecessorOpen(Box::new(stored))),
        None => Err(RetireError::Contended { sender }),
    }
}

impl Core {
    /// Refuses to open the lane of a key that is retired.
    pub(crate) async fn check_not_retired(&self, sender: Address) -> Result<(), LaneError> {
        let retirement = self.store.retirement_of(sender).await.map_err(LaneError::Store)?;
        match retirement.filter(|retirement| retirement.retired.is_some()) {
            Some(retirement) => Err(LaneError::Retired { retirement: Box::new(retirement) }),
            None => Ok(()),
        }
    }

    /// The policy that was asked, if the key has one, and that lets the key go.
    async fn check_consent(&self, order: &RetirementOrder<'_>) -> Result<Option<PolicyMark>, RetireError> {
        let sender = order.sender;
        let stored = self.store.policy(sender).await.map_err(RetireError::Store)?;
        let found = order.consent.map(|consent| PolicyMark::of(consent.policy));
        if stored != found {
            let [stored, found] = [stored, found].map(|mark| mark.map(|mark| mark.version));
            return Err(RetireError::OtherPolicy { sender, stored, found });
        }
        if let Some(Consent { policy, approvals }) = order.consent {
            let spent = self.store.spent(sender).await.map_err(RetireError::Store)?;
            let by = Authorisation { now: self.store.now(), approvals, spent: &spent };
            policy.check_retirement(sender, order.successor, &by).map_err(|refusal| RetireError::Refused {
                sender,
                subject: policy.retirement_hash(sender, order.successor),
                source: Box::new(refusal),
            })?;
        }
        Ok(found)
    }

    /// What the successor has spent once the key's part counts as its own; `None` if there is nothing to carry.
    async fn carried(&self, begun: &KeyRetirement) -> Result<Option<Carried>, StoreError> {
        let Some(successor) = begun.successor else { return Ok(None) };
        let predecessor = self.store.spent(begun.sender).await?;
        if predecessor.amounts.is_empty() {
            return Ok(None);
        }
        let before = self.store.spent(successor).await?;
        let after = before.following(&predecessor, self.store.now());
        Ok(Some(Carried { before, after }))
    }
}
