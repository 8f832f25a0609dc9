//! Looking at lanes and their transactions without a key and without a node: what an operator does first.
//!
//! ```no_run
//! use chain::{Inspection, OperatorText, Which};
//! use journal::Place;
//! # async fn look() -> Result<(), Box<dyn std::error::Error>> {
//! let inspection = Inspection::open(&Place::Sqlite { path: "chain.db".into() }).await?;
//! for open in inspection.transactions(Which { is_open: true, sender: None }, 50).await?.lines {
//!     println!("{} waits with nonce {} of {}", open.key, open.nonce, open.sender);
//!     let (why, who) = (OperatorText::parse("the ledger is under repair")?, OperatorText::parse("ana")?);
//!     let _ = inspection.pause_lane(open.sender, &why, &who).await?;
//! }
//! inspection.close().await;
//! # Ok(()) }
//! ```

use alloy_primitives::{Address, B256, Bytes};
use journal::Place;
use messages::Timestamp;

use crate::intent::IntentKey;
use crate::outcome::Outcome;
use crate::pause::{LanePause, OperatorText, PauseError, Paused, Resumed, pause, resume};
use crate::retirement::KeyRetirement;
use crate::store::{Store, StoreError, StoreOpenError};

/// The most transactions or lanes of a list.
pub const LIST_LINES_MAX: usize = 1_000;

/// The most attempts at a key that are shown, the newest ones.
pub const ATTEMPTS_SHOWN_MAX: usize = 100;

/// A store of lanes that is looked at. It must not be open in another process if it is a SQLite file.
pub struct Inspection {
    store: Store,
    chain_id: u64,
    genesis: B256,
}

/// A store cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is no store, or it is another service's. Nothing was made.
    #[error("there is no store of lanes in `{store}`")]
    NoStore {
        /// The place, without secrets.
        store: String,
    },
    /// It cannot be opened.
    #[error("cannot open the store")]
    Open(#[source] StoreOpenError),
    /// It cannot be read.
    #[error("cannot read the store")]
    Read(#[source] StoreError),
}

/// Which transactions a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Which {
    /// Those without an end alone.
    pub is_open: bool,
    /// Those of this sender alone.
    pub sender: Option<Address>,
}

/// A list that may have been cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The lines.
    pub lines: Vec<T>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionState {
    /// It may have left, and has no end.
    Sent,
    /// An empty transaction competes for its nonce, and neither has won.
    Cancelling,
    /// It is mined, and did what it was to do.
    Succeeded,
    /// It is mined, and changed nothing.
    Reverted,
    /// It has no effect and never will have.
    Refused,
}

impl TransactionState {
    /// Its name, the same in every language.
    pub fn code(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Reverted => "reverted",
            Self::Refused => "refused",
        }
    }
}

/// An attempt at an intent, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionLine {
    /// The intent's key.
    pub key: IntentKey,
    /// The how manieth attempt at it, from 1.
    pub attempt: u64,
    /// Where it stands.
    pub state: TransactionState,
    /// Who sends.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// The block that it is in.
    pub block_number: Option<u64>,
    /// What it is, for people.
    pub subject: String,
    /// When it was stored; `None` if an older release stored it.
    pub signed: Option<Timestamp>,
}

/// The empty transaction that competes with an attempt, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelling {
    /// Why the attempt is not wanted any more.
    pub reason: String,
    /// The empty transaction's hash.
    pub hash: B256,
    /// Its signed bytes.
    pub raw: Bytes,
}

/// An attempt at an intent with all that is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionDetail {
    /// The intent's key.
    pub key: IntentKey,
    /// The how manieth attempt at it, from 1.
    pub attempt: u64,
    /// Who sends.
    pub sender: Address,
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: B256,
    /// Its signed bytes.
    pub raw: Bytes,
    /// Its hashes at lower prices, the first one first: a block may have taken any of them.
    pub earlier_hashes: Vec<B256>,
    /// What makes two intents the same.
    pub fingerprint: B256,
    /// What it is, for people.
    pub subject: String,
    /// Where the contract stands or would stand that it creates.
    pub created_address: Option<Address>,
    /// When it was stored; `None` if an older release stored it.
    pub signed: Option<Timestamp>,
    /// Whether more than its first delivery has begun to send it.
    pub is_sent_again: bool,
    /// The empty transaction that competes with it, or did.
    pub cancelling: Option<Cancelling>,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// Whether the outcome has its logs: longer ones are on the ledger alone.
    pub has_logs: bool,
}

impl TransactionDetail {
    /// Where it stands.
    pub fn state(&self) -> TransactionState {
        match (&self.outcome, &self.cancelling) {
            (Some(Outcome::Mined(mined)), _) if mined.execution.is_success() => TransactionState::Succeeded,
            (Some(Outcome::Mined(_)), _) => TransactionState::Reverted,
            (Some(Outcome::Refused(_)), _) => TransactionState::Refused,
            (None, Some(_)) => TransactionState::Cancelling,
            (None, None) => TransactionState::Sent,
        }
    }
}

/// Something that the log tells of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was recorded.
    pub at: Timestamp,
    /// The attempt's number; 0 if none came to be.
    pub attempt: u64,
    /// What happened.
    pub what: Told,
}

/// What the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The key's policy refused it: nothing was signed, and there is no attempt.
    PolicyRefused {
        /// Why, as `docs/policy.md` lists it.
        code: String,
        /// Why, in words.
        reason: String,
    },
    /// Persons approved it, as the key's policy wants it.
    Approved {
        /// How many.
        count: usize,
    },
    /// It was signed and stored; from then on it may have left.
    Signed,
    /// No block took it, and it was signed anew at a higher price.
    Repriced {
        /// Its hash since then.
        hash: String,
    },
    /// An empty transaction was to use its nonce.
    Cancelling {
        /// Why.
        reason: String,
    },
    /// It was mined.
    Mined {
        /// The block.
        block_number: u64,
        /// Whether it did what it was to do.
        is_success: bool,
    },
    /// It was refused.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A lane, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneLine {
    /// Who sends.
    pub sender: Address,
    /// The next nonce that is given.
    pub next_nonce: u64,
    /// How often a process took the lane: its token.
    pub taken_count: u64,
    /// Until when its last holder has it, by the database's clock; `None` in a SQLite file, and where it was given free.
    pub leased_until: Option<Timestamp>,
    /// The pause that a person ordered.
    pub paused: Option<LanePause>,
    /// How many transactions have no end.
    pub open_count: u64,
    /// How many requests of services wait for it, of which nothing is signed yet.
    pub waiting_count: u64,
    /// The end of its key, if that is begun or over.
    pub retirement: Option<KeyRetirement>,
}

impl Inspection {
    /// Opens a store that is there, whichever ledger it belongs to. Tables of an older release are brought up to date.
    ///
    /// # Errors
    ///
    /// There is none, or another process has it.
    pub async fn open(place: &Place) -> Result<Self, InspectError> {
        let opened = Store::open_there(place).await.map_err(InspectError::Open)?;
        let store = opened.ok_or_else(|| InspectError::NoStore { store: place.short_name() })?;
        match store.written_identity().await {
            Ok((chain_id, genesis)) => Ok(Self { store, chain_id, genesis }),
            Err(error) => {
                // Its lock is free when the caller knows.
                store.close().await;
                Err(InspectError::Read(error))
            }
        }
    }

    /// Chain id of the ledger that the store was made for.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Hash of that ledger's block 0.
    pub fn genesis(&self) -> B256 {
        self.genesis
    }

    /// Transactions, the newest first, at most `limit` and [`LIST_LINES_MAX`].
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn transactions(&self, which: Which, limit: usize) -> Result<Listed<TransactionLine>, StoreError> {
        let limit = limit.min(LIST_LINES_MAX);
        Ok(cut(self.store.lines(which, one_more(limit)).await?, limit))
    }

    /// Attempts at the key, the newest first, at most [`ATTEMPTS_SHOWN_MAX`]; none if the key was never used.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn attempts(&self, key: &IntentKey) -> Result<Listed<TransactionDetail>, StoreError> {
        Ok(cut(self.store.details(key, one_more(ATTEMPTS_SHOWN_MAX)).await?, ATTEMPTS_SHOWN_MAX))
    }

    /// What the log tells of the key in the lane of the sender, in the order in which it happened. The lane's whole stream is
    /// read for it: seconds where it is long.
    ///
    /// # Errors
    ///
    /// The store failed, or has an event of a newer release.
    pub async fn told(&self, sender: Address, key: &IntentKey) -> Result<Vec<LogLine>, StoreError> {
        self.store.told(sender, key).await
    }

    /// The lanes, by address, at most [`LIST_LINES_MAX`].
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn lanes(&self) -> Result<Listed<LaneLine>, StoreError> {
        Ok(cut(self.store.lane_lines(one_more(LIST_LINES_MAX)).await?, LIST_LINES_MAX))
    }

    /// As [`Chain::retirement_of`](crate::Chain::retirement_of).
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn retirement_of(&self, sender: Address) -> Result<Option<KeyRetirement>, StoreError> {
        self.store.retirement_of(sender).await
    }

    /// As [`Chain::pause_lane`](crate::Chain::pause_lane).
    ///
    /// # Errors
    ///
    /// There is no such lane, or the store failed.
    pub async fn pause_lane(
        &self,
        sender: Address,
        why: &OperatorText,
        who: &OperatorText,
    ) -> Result<Paused, PauseError> {
        pause(&self.store, sender, why, who).await
    }

    /// As [`Chain::resume_lane`](crate::Chain::resume_lane).
    ///
    /// # Errors
    ///
    /// There is no such lane, its key is retired, or the store failed.
    pub async fn resume_lane(&self, sender: Address, who: &OperatorText) -> Result<Resumed, PauseError> {
        resume(&self.store, sender, who).await
    }

    /// Closes the store.
    pub async fn close(self) {
        self.store.close().await;
    }
}

/// Whether a list goes on is seen by one line more.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

fn cut<T>(mut lines: Vec<T>, limit: usize) -> Listed<T> {
    let has_more = lines.len() > limit;
    lines.truncate(limit);
    Listed { lines, has_more }
}
