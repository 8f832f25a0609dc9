//! Why custody does not do what it is asked for: a key that is not there, is not shown, does not sign, or does not get a policy.

use alloy_primitives::Address;

use crate::key::{KeyLabel, Purpose};
use crate::network::ProfileName;
use crate::policy::Refusal;
use crate::token::{TokenError, TokenStep};

/// There is no key with this label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no key `{label}`: open it from its key store first")]
pub struct UnknownKey {
    pub(super) label: KeyLabel,
}

/// A key is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevealError {
    /// There is no such key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// It is somebody's secret. Only what anybody can derive is shown.
    #[error("key `{label}` is no test key, so it is shown to nobody")]
    Secret {
        /// The key.
        label: KeyLabel,
    },
}

/// Nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// There is no such key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// The key is there for something else.
    #[error("key `{label}` is for {purpose}, not for transactions")]
    WrongPurpose {
        /// The key.
        label: KeyLabel,
        /// What it may sign.
        purpose: Purpose,
    },
    /// The key is a test key, and the network is not the embedded ledger.
    #[error("test key `{label}` does not sign on profile `{profile}` with chain id {chain_id}")]
    TestKey {
        /// The key.
        label: KeyLabel,
        /// The network's profile.
        profile: ProfileName,
        /// The network's chain id.
        chain_id: u64,
    },
    /// The bytes are no unsigned transaction in its one canonical form. A defect of the caller.
    #[error("the {length_bytes} bytes to sign are not one unsigned transaction in canonical form: {reason}")]
    NotATransaction {
        /// How many bytes there are.
        length_bytes: usize,
        /// What the decoder says.
        reason: String,
    },
    /// The type is one that custody does not sign: blobs, and EIP-7702, which hands the account to other code.
    #[error("transactions of type {transaction_type} are not signed, only 0, 1 and 2")]
    Type {
        /// The type's number (EIP-2718).
        transaction_type: u8,
    },
    /// The transaction is for no chain in particular, and could be replayed on any.
    #[error("the transaction names no chain id (EIP-155)")]
    NoChainId,
    /// The transaction, or the caller, names another chain than the network's.
    #[error("the transaction is for chain {found}, not for {expected}")]
    WrongChain {
        /// The chain id that was found.
        found: u64,
        /// The network's.
        expected: u64,
    },
    /// The key has a policy, so it signs by
    /// [`Custody::sign_transaction_approved`](crate::Custody::sign_transaction_approved) alone.
    #[error("key `{label}` has a policy and signs only what that is asked about")]
    PolicyNotAsked {
        /// The key.
        label: KeyLabel,
    },
    /// The key has no policy to ask. Set one.
    #[error("key `{label}` has no policy")]
    NoPolicy {
        /// The key.
        label: KeyLabel,
    },
    /// The key's policy refuses.
    #[error("the policy of key `{label}` refuses")]
    Policy {
        /// The key.
        label: KeyLabel,
        /// Why.
        source: Box<Refusal>,
    },
    /// A transaction was to be signed anew at a higher price, and is not that. A defect of the caller.
    #[error("key `{label}` does not sign the transaction anew: {what}")]
    NotDearer {
        /// The key.
        label: KeyLabel,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The key is for transactions, and this is a statement.
    #[error("key `{label}` is for {purpose}, not for statements")]
    NotForStatements {
        /// The key.
        label: KeyLabel,
        /// What it may sign.
        purpose: Purpose,
    },
    /// The statement names another approver than the key.
    #[error("the statement is of {approver}, and key `{label}` is of {address}")]
    OtherApprover {
        /// The key.
        label: KeyLabel,
        /// The key's address.
        address: Address,
        /// Whom the statement names.
        approver: Address,
    },
    /// Who keeps the key does not answer now. The same call may succeed later; nothing is wrong with the transaction.
    #[error("key `{label}` cannot sign now")]
    Unavailable {
        /// The key.
        label: KeyLabel,
        /// Why not.
        source: TokenError,
    },
    /// Who keeps the key refuses, and would again until a person mends it. Nothing is wrong with the transaction.
    #[error("key `{label}` does not sign")]
    Refused {
        /// The key.
        label: KeyLabel,
        /// Why not.
        source: TokenError,
    },
}

impl SignError {
    pub(super) fn of_token(label: &KeyLabel, source: TokenError) -> Self {
        let label = label.clone();
        match source.next_step() {
            TokenStep::TryAgain => Self::Unavailable { label, source },
            TokenStep::AskAPerson => Self::Refused { label, source },
        }
    }
}

/// A key did not get the policy. What it had stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetPolicyError {
    /// There is no such key.
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
    /// The key signs no transactions, and policies judge nothing else. Name the key that the policy is meant for.
    #[error("key `{label}` is for {purpose}, and policies are for keys of transactions")]
    WrongPurpose {
        /// The key.
        label: KeyLabel,
        /// What it may sign.
        purpose: Purpose,
    },
    /// The key has a policy, perhaps set by another of its labels. It takes approvals to change:
    /// [`Custody::change_policy`](crate::Custody::change_policy).
    #[error("key `{label}` has version {version} of a policy already")]
    AlreadySet {
        /// The key.
        label: KeyLabel,
        /// Version of its policy.
        version: u64,
    },
    /// The key has no policy that could be changed: [`Custody::set_policy`](crate::Custody::set_policy).
    #[error("key `{label}` has no policy to change")]
    NotSet {
        /// The key.
        label: KeyLabel,
    },
    /// The policy that the key has refuses the change.
    #[error("the policy of key `{label}` refuses its change")]
    Refused {
        /// The key.
        label: KeyLabel,
        /// Why.
        source: Box<Refusal>,
    },
}
