//! A person's pause of a lane: nothing new is stored in it, by no process, until a person resumes it. What is stored already is
//! still sent, and ends.

use std::fmt;

use alloy_primitives::Address;
use messages::Timestamp;

use crate::chain::{Chain, Core, LaneState};
use crate::intent::IntentKey;
use crate::lane::SubmitError;
use crate::retirement::KeyRetirement;
use crate::store::{Bar, LaneRow, PauseChange, Store, StoreError};

/// The longest reason and the longest name that an operator gives, in bytes.
pub const OPERATOR_TEXT_BYTES_MAX: usize = 500;

/// A reason, or a person's name, as an operator gives it and the store keeps it: 1 to [`OPERATOR_TEXT_BYTES_MAX`] bytes without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorText(String);

/// The text says nothing, or is none that is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text has {bytes} bytes, is blank or has control characters; 1 to {max} bytes in one line are kept", max = OPERATOR_TEXT_BYTES_MAX)]
pub struct OperatorTextError {
    bytes: usize,
}

impl OperatorText {
    /// Reads a text; blanks around it are left out.
    ///
    /// # Errors
    ///
    /// It is blank, too long, or has control characters.
    pub fn parse(text: &str) -> Result<Self, OperatorTextError> {
        let kept = text.trim();
        if kept.is_empty() || kept.len() > OPERATOR_TEXT_BYTES_MAX || kept.chars().any(char::is_control) {
            return Err(OperatorTextError { bytes: text.len() });
        }
        Ok(Self(kept.to_owned()))
    }
}

impl fmt::Display for OperatorText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A pause as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePause {
    /// Why.
    pub reason: String,
    /// Who ordered it.
    pub who: String,
    /// Since when, by the store's clock.
    pub since: Timestamp,
}

/// What became of a wish to pause a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paused {
    /// It is paused now.
    Now,
    /// It was paused before, and keeps that pause.
    Before(LanePause),
}

/// What became of a wish to resume a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It is not paused any more.
    Now,
    /// The same, and the retirement of its key that was begun is given up.
    GivenUp,
    /// It was not paused.
    Before,
}

/// A lane was neither paused nor resumed.
#[derive(Debug, thiserror::Error)]
pub enum PauseError {
    /// No process ever took this lane in this store.
    #[error("the store has no lane of {sender}")]
    NoSuchLane {
        /// The sender.
        sender: Address,
    },
    /// Somebody else did the opposite at the same moment. Look, and do it again.
    #[error("somebody else pauses and resumes the lane of {sender} too")]
    Contended {
        /// The sender.
        sender: Address,
    },
    /// Its key is retired, for ever. Nothing was changed; use its successor.
    #[error("{retirement}")]
    Retired {
        /// The sender.
        sender: Address,
        /// Since when, and by whose order.
        retirement: Box<KeyRetirement>,
    },
    /// The store failed.
    #[error("cannot pause or resume a lane in the store")]
    Store(#[source] StoreError),
}

impl Chain {
    /// Pauses the lane for every process that shares the store, and until [`Chain::resume_lane`]: nothing new is stored in it.
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
        pause(&self.core.store, sender, why, who).await
    }

    /// Lifts a person's pause, and gives up a retirement that is begun and not finished. A pause by a node's answer is
    /// [`Lane::resume`](crate::Lane::resume)'s.
    ///
    /// # Errors
    ///
    /// There is no such lane, its key is retired, or the store failed.
    pub async fn resume_lane(&self, sender: Address, who: &OperatorText) -> Result<Resumed, PauseError> {
        resume(&self.core.store, sender, who).await
    }
}

pub(crate) async fn pause(
    store: &Store,
    sender: Address,
    why: &OperatorText,
    who: &OperatorText,
) -> Result<Paused, PauseError> {
    let pause = LanePause { reason: why.to_string(), who: who.to_string(), since: store.time() };
    match store.pause(sender, &pause).await.map_err(PauseError::Store)? {
        PauseChange::Done => Ok(Paused::Now),
        PauseChange::Stands(Some(before)) => Ok(Paused::Before(before)),
        PauseChange::Stands(None) => Err(PauseError::Contended { sender }),
        PauseChange::NoLane => Err(PauseError::NoSuchLane { sender }),
    }
}

pub(crate) async fn resume(store: &Store, sender: Address, who: &OperatorText) -> Result<Resumed, PauseError> {
    let begun = store.retirement_of(sender).await.map_err(PauseError::Store)?;
    match store.resume(sender, &who.to_string()).await.map_err(PauseError::Store)? {
        PauseChange::Done if begun.is_some() => Ok(Resumed::GivenUp),
        PauseChange::Done => Ok(Resumed::Now),
        PauseChange::Stands(None) => Ok(Resumed::Before),
        PauseChange::Stands(Some(_)) => match store.retirement_of(sender).await.map_err(PauseError::Store)? {
            Some(retired) if retired.retired.is_some() => {
                Err(PauseError::Retired { sender, retirement: Box::new(retired) })
            }
            _ => Err(PauseError::Contended { sender }),
        },
        PauseChange::NoLane => Err(PauseError::NoSuchLane { sender }),
    }
}

impl Core {
    /// Refuses what is new in a lane that somebody paused, or whose key is retired or awaits its turn. The row is as of when the lane
    /// was read; whether that was lifted since, the store says. What came since, the statement finds that stores a transaction.
    pub(crate) async fn check_not_barred(
        &self,
        lane: &LaneState,
        row: &mut LaneRow,
        key: &IntentKey,
    ) -> Result<(), SubmitError> {
        if row.bar.is_none() {
            return Ok(());
        }
        let bar = self.store.bar(lane.sender).await;
        row.bar = bar.map_err(|source| SubmitError::Store { key: key.clone(), source })?;
        let sender = lane.sender;
        match &row.bar {
            None => Ok(()),
            Some(Bar::Paused { reason }) => Err(SubmitError::Paused { sender, reason: reason.clone() }),
            Some(Bar::Awaits { predecessor }) => {
                let reason = format!("its key comes after that of {predecessor}, whose retirement is not finished");
                Err(SubmitError::Paused { sender, reason })
            }
            Some(Bar::Retired(retirement)) => {
                Err(SubmitError::Retired { key: key.clone(), retirement: retirement.clone() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operator_says_is_in_one_line() {
        assert_eq!(OperatorText::parse("  audit of the key ").unwrap().to_string(), "audit of the key");
        for bad in ["", "  ", "two\nlines", &"a".repeat(OPERATOR_TEXT_BYTES_MAX + 1)] {
            assert!(OperatorText::parse(bad).is_err(), "{bad}");
        }
    }
}
