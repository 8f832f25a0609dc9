//! Why a policy refuses. In order of precedence: of several reasons the first is given. Approvals are judged one after the other, so
//! of several that do not hold it is the first that is told.

use alloy_primitives::{Address, B256, U256, hex};

use crate::policy::time::UnixTime;

/// A transaction, or a change of a policy, that the policy refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A policy is followed by the one with the next version.
    #[error("version {found} does not follow version {current}")]
    VersionNotNext {
        /// The new policy's.
        found: u64,
        /// The present one's.
        current: u64,
    },
    /// The transaction is for another chain than the policy.
    #[error("chain {found} is not the policy's, {allowed}")]
    ChainNotAllowed {
        /// The transaction's.
        found: u64,
        /// The policy's.
        allowed: u64,
    },
    /// Nothing is signed now.
    #[error("{now} after 1970 lies in none of the policy's {windows} time windows")]
    OutsideTimeWindow {
        /// The time: the caller's clock, or the latest that was stored.
        now: UnixTime,
        /// How many windows there are.
        windows: usize,
    },
    /// The transaction would move the chain's own coin, which no policy allows.
    #[error("the transaction would send {value_wei} wei, and 0 are allowed")]
    ValueNotAllowed {
        /// How much.
        value_wei: U256,
    },
    /// The transaction would create a contract.
    #[error("the policy allows no creation of contracts")]
    CreationNotAllowed,
    /// The contract is not one that the policy names.
    #[error("contract {target} is not one that the policy allows")]
    TargetNotAllowed {
        /// The contract.
        target: Address,
    },
    /// The function is not one that the policy names for this contract.
    #[error("function 0x{} of {target} is not one that the policy allows", hex::encode(selector))]
    FunctionNotAllowed {
        /// The contract.
        target: Address,
        /// What stands where the selector does: fewer than four bytes if there are no more.
        selector: Vec<u8>,
    },
    /// The arguments are not those of the function, or are written in a way that no encoder writes.
    #[error("the {length_bytes} bytes of the call are not its function's arguments in canonical form")]
    CallMalformed {
        /// Length of the call.
        length_bytes: usize,
    },
    /// The amount is above the limit of one transaction.
    #[error("amount {amount} is above the limit of {max} for one transaction")]
    AmountAboveLimit {
        /// The amount.
        amount: U256,
        /// The limit.
        max: U256,
    },
    /// The amount, with what was spent on this day of UTC, is above the limit of a day.
    #[error("amount {amount} and the {spent} of this day are above the limit of {max} for one day")]
    DayAmountAboveLimit {
        /// The amount.
        amount: U256,
        /// Spent on this day before.
        spent: U256,
        /// The limit.
        max: U256,
    },
    /// This very command, with its reference, was approved and signed before. Ask for approvals with another reference.
    #[error("command {command} was signed before")]
    CommandUsed {
        /// Hash of the command.
        command: B256,
    },
    /// An approval is for something else.
    #[error("the approval of {approver} is for {found}, not for {expected}")]
    ApprovalForOther {
        /// Who approved.
        approver: Address,
        /// What.
        found: B256,
        /// What is to be approved.
        expected: B256,
    },
    /// An approval was not signed by the one whom it names.
    #[error("the approval of {approver} does not have that key's signature")]
    ApprovalForged {
        /// Who is named.
        approver: Address,
    },
    /// The policy does not know the approver in this role.
    #[error("{approver} is no approver in the role `{role}`")]
    ApproverUnknown {
        /// Who approved.
        approver: Address,
        /// The role that the approval names.
        role: String,
    },
    /// The approval would count for longer than any may. Ask for one that expires earlier.
    #[error("the approval of `{person}` is good for {life_s} s, and {max_s} s are allowed")]
    ApprovalLifeTooLong {
        /// Who approved.
        person: String,
        /// From when it was issued until it expires.
        life_s: u64,
        /// [`APPROVAL_LIFE_S_MAX`](crate::policy::APPROVAL_LIFE_S_MAX).
        max_s: u64,
    },
    /// The approval does not count yet.
    #[error("the approval of `{person}` was issued at {issued_at}, which is after {now}")]
    ApprovalNotYet {
        /// Who approved.
        person: String,
        /// When.
        issued_at: UnixTime,
        /// The time: the caller's clock, or the latest that was stored.
        now: UnixTime,
    },
    /// The approval does not count any more.
    #[error("the approval of `{person}` expired at {expires_at}, and it is {now}")]
    ApprovalExpired {
        /// Who approved.
        person: String,
        /// When it expired.
        expires_at: UnixTime,
        /// The time: the caller's clock, or the latest that was stored.
        now: UnixTime,
    },
    /// One person approved twice, perhaps with two keys or in two roles.
    #[error("`{person}` approved twice, and a person counts once")]
    ApproverRepeated {
        /// Who.
        person: String,
    },
    /// There are too few approvals of a role.
    #[error("{found} approvals of role `{role}`, and {needed} are needed")]
    ApprovalsMissing {
        /// The role.
        role: String,
        /// How many there are.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
}

impl Refusal {
    /// The stable name of the reason.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::VersionNotNext { .. } => "version_not_next",
            Self::ChainNotAllowed { .. } => "chain_not_allowed",
            Self::OutsideTimeWindow { .. } => "outside_time_window",
            Self::ValueNotAllowed { .. } => "value_not_allowed",
            Self::CreationNotAllowed => "creation_not_allowed",
            Self::TargetNotAllowed { .. } => "target_not_allowed",
            Self::FunctionNotAllowed { .. } => "function_not_allowed",
            Self::CallMalformed { .. } => "call_malformed",
            Self::AmountAboveLimit { .. } => "amount_above_limit",
            Self::DayAmountAboveLimit { .. } => "day_amount_above_limit",
            Self::CommandUsed { .. } => "command_used",
            Self::ApprovalForOther { .. } => "approval_for_other",
            Self::ApprovalForged { .. } => "approval_forged",
            Self::ApproverUnknown { .. } => "approver_unknown",
            Self::ApprovalLifeTooLong { .. } => "approval_life_too_long",
            Self::ApprovalNotYet { .. } => "approval_not_yet",
            Self::ApprovalExpired { .. } => "approval_expired",
            Self::ApproverRepeated { .. } => "approver_repeated",
            Self::ApprovalsMissing { .. } => "approvals_missing",
        }
    }
}
