//! What an operator does for a lane without any key: sends stored bytes again, and waits until nothing is open.

use alloy_primitives::Address;

use crate::chain::Chain;
use crate::intent::IntentKey;
use crate::lane::{SubmitError, Submitted};
use crate::store::StoreError;

/// What a lane has without an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOfLane {
    /// How many.
    pub count: u64,
    /// The one with the lowest nonce, for which all others wait; `None` if there is none.
    pub lowest: Option<IntentKey>,
}

/// Stored bytes were not sent again, or nobody knows whether the node has them.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// Nothing was ever submitted under this key.
    #[error("there is no intent `{key}`")]
    NoSuchIntent {
        /// The key.
        key: IntentKey,
    },
    /// The store cannot be read.
    #[error("cannot read intent `{key}`")]
    Store {
        /// The key.
        key: IntentKey,
        /// Why not.
        source: StoreError,
    },
    /// As when it is submitted.
    #[error(transparent)]
    Delivery(SubmitError),
}

impl Chain {
    /// Sends what is stored for the intent again, the same bytes: the empty transaction's where it is being cancelled. Nothing is
    /// sent for one that has ended. Where custody has the sender's key and the node refuses the bytes for good, an empty transaction
    /// is stored and sent, as when the key is submitted again; without the key nothing is ever signed.
    ///
    /// # Errors
    ///
    /// See [`RetryError`].
    ///
    /// # Cancel safety
    ///
    /// Can be dropped at any time; the node may have the bytes then.
    pub async fn retry(&self, key: &IntentKey) -> Result<Submitted, RetryError> {
        let stored = self.core.store.intent(key).await;
        let stored = stored.map_err(|source| RetryError::Store { key: key.clone(), source })?;
        let stored = stored.ok_or_else(|| RetryError::NoSuchIntent { key: key.clone() })?;
        self.core.deliver_again(stored).await.map_err(RetryError::Delivery)
    }

    /// What the sender has without an end.
    ///
    /// # Errors
    ///
    /// The store failed.
    pub async fn open_of(&self, sender: Address) -> Result<OpenOfLane, StoreError> {
        self.core.store.open_of(sender).await
    }
}
