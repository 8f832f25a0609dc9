//! Idempotency: a state per key, so that a repeated request has the answer of the first and no second effect.
//!
//! ```text
//! (free) ──accept──► accepted ──► acting ──► done
//!    ▲                  │            └─────► refused
//!    └─────release──────┘   (also straight from accepted to done or refused)
//! ```
//!
//! A refusal before any effect could leave is answered but not kept: the key is *released*, and the same request is decided anew.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use messages::names::NameError;
use messages::{CommandId, Fingerprint, Position, TenantId, Timestamp};

/// The most bytes that a client's key may have.
pub const KEY_BYTES_MAX: usize = 255;

/// The most bytes of a location.
pub const LOCATION_BYTES_MAX: usize = 500;

/// The most bytes of a kept answer.
pub const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Whose key it is, and which: two clients of one tenant do not share keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyScope {
    /// It comes first: two keys are told apart by it without a look at their texts.
    narrow: i64,
    tenant: TenantId,
    client: Arc<str>,
    key: Arc<str>,
}

impl KeyScope {
    /// The key `key` of the application `client` of `tenant`.
    ///
    /// # Errors
    ///
    /// If key or client is empty, longer than [`KEY_BYTES_MAX`], or has a control character.
    pub fn new(tenant: TenantId, client: &str, key: &str) -> Result<Self, NameError> {
        for (what, text) in [("idempotency key", key), ("client", client)] {
            check_text(what, text)?;
        }
        let narrow = crate::narrow::hash(&[tenant.as_str(), client, key]);
        Ok(Self { narrow, tenant, client: client.into(), key: key.into() })
    }

    /// Whose it is.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The application.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.client
    }

    /// The key's text.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What the index on keys is made of.
    pub(crate) const fn narrow(&self) -> i64 {
        self.narrow
    }
}

impl Hash for KeyScope {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.narrow.hash(state);
    }
}

fn check_text(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > KEY_BYTES_MAX {
        return Err(NameError::TooLong { what, bytes: text.len(), bytes_max: KEY_BYTES_MAX });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at_byte, character)) => {
            Err(NameError::Character { what, character, at_byte, allowed: "all but control characters" })
        }
        None => Ok(()),
    }
}

/// How far the command under a key has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is recorded; no effect has left yet.
    Accepted,
    /// Its effect may have left, to a ledger for instance.
    Acting,
    /// It is done for good.
    Done,
    /// It is refused for good, after its effect could have left.
    Refused,
}

impl KeyState {
    /// Whether nothing will change any more. Only such keys expire.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Refused)
    }

    /// Its name, as it is shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Acting => "acting",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// Its number in the store.
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Accepted => 0,
            Self::Acting => 1,
            Self::Done => 2,
            Self::Refused => 3,
        }
    }

    /// The state with this number.
    pub(crate) const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Accepted),
            1 => Some(Self::Acting),
            2 => Some(Self::Done),
            3 => Some(Self::Refused),
            _ => None,
        }
    }
}

/// A key that a command uses for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUse {
    /// The key.
    pub scope: KeyScope,
    /// What the request was.
    pub fingerprint: Fingerprint,
    /// The command that it became.
    pub command: CommandId,
    /// [`KeyState::Accepted`], or [`KeyState::Done`] if the unit of work is the whole effect.
    pub state: KeyState,
    /// Where the command's resource is to be found, as in the answer's `Location`. At most [`LOCATION_BYTES_MAX`].
    pub location: Box<str>,
    /// The answer that a repetition gets, if it is final already. At most [`ANSWER_BYTES_MAX`].
    pub answer: Option<Box<[u8]>>,
}

/// What becomes of a key that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// From accepted: an effect may leave from now on.
    Act,
    /// From accepted or acting: done, with the answer that repetitions get.
    Finish(Option<Box<[u8]>>),
    /// From accepted or acting: refused for good, with the answer that repetitions get.
    Refuse(Option<Box<[u8]>>),
    /// From accepted: no effect has left and none will; the key is free again.
    Release,
}

impl KeyChange {
    /// The answer that repetitions get from now on, if it brings one.
    pub(crate) fn answer(&self) -> Option<&[u8]> {
        match self {
            Self::Finish(answer) | Self::Refuse(answer) => answer.as_deref(),
            Self::Act | Self::Release => None,
        }
    }

    /// The state after it, `None` if the key is free; an error if `from` does not allow it.
    pub(crate) const fn apply(&self, from: KeyState) -> Result<Option<KeyState>, KeyState> {
        match (self, from) {
            (Self::Act, KeyState::Accepted) => Ok(Some(KeyState::Acting)),
            (Self::Finish(_), KeyState::Accepted | KeyState::Acting) => Ok(Some(KeyState::Done)),
            (Self::Refuse(_), KeyState::Accepted | KeyState::Acting) => Ok(Some(KeyState::Refused)),
            (Self::Release, KeyState::Accepted) => Ok(None),
            _ => Err(from),
        }
    }
}

/// A key in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key.
    pub scope: KeyScope,
    /// What the first request was.
    pub fingerprint: Fingerprint,
    /// The command that it became.
    pub command: CommandId,
    /// How far it has come.
    pub state: KeyState,
    /// Where its resource is.
    pub location: Box<str>,
    /// The answer that a repetition gets, once it is final.
    pub answer: Option<Box<[u8]>>,
    /// The place of the last event of the unit that took the key; a view that has it shows the command's effect.
    pub position: Position,
    /// When the state changed last.
    pub changed: Timestamp,
}
