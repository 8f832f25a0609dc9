//! Who makes a key's signatures: this process, or the token that keeps the key.

use alloy_primitives::{Address, B256, Signature};

use crate::secret::Secret;
use crate::token::{TokenError, TokenKey};

/// What signs for a key.
#[derive(Debug)]
pub(crate) enum Signer {
    /// The key is in this process.
    Process(Secret),
    /// The key is in a token, and never in this process.
    Token(TokenKey),
}

impl Signer {
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Process(secret) => secret.address(),
            Self::Token(key) => key.address(),
        }
    }

    /// Signs the hash, with a low `s`. What comes back recovers to [`Signer::address`].
    ///
    /// # Errors
    ///
    /// The token does not sign. A key in this process always does.
    pub(crate) fn sign(&self, hash: B256) -> Result<Signature, TokenError> {
        match self {
            Self::Process(secret) => Ok(secret.sign(hash)),
            Self::Token(key) => key.sign(hash),
        }
    }
}
