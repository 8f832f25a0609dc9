//! What the store's log tells of a lane. How transactions end is published ([`messages::ledger`]); the rest stays here.

use alloy_primitives::{Address, B256, Bytes, Log, U256, hex};
use custody::policy::{Approval, Refusal, Spent};
use journal::{Audience, NewEvent};
use messages::ledger::{ApprovalRecord, LogRecord, TransactionEnded, TransactionMined, TransactionRefused};
use messages::{EventBody as _, EventId, EventType, Payload, PayloadError};
use serde::{Deserialize, Serialize};

use super::rows::{Filler, NewTransaction, StoredIntent, kept};
use super::spent::PolicyMark;
use crate::intent::{Intent, IntentKey};
use crate::outcome::Mined;
use crate::retirement::KeyRetirement;

/// The most bytes of logs, as they are written, that an event has; an event's payload may have 64 KiB in all. Longer logs are
/// read from the ledger, by the block's hash.
const EVENT_LOGS_BYTES_MAX: usize = 48 * 1024;

/// Something that happened in a lane and concerns nobody else.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum LaneEvent {
    /// The lane has a holder.
    Taken {
        /// The sender.
        sender: String,
        /// The holder, as it calls itself.
        holder: String,
        /// How many transactions the ledger knew of the sender.
        nonce_min: u64,
    },
    /// A transaction is signed; from now on it may leave.
    Signed {
        /// The intent's key.
        key: String,
        /// The attempt's number.
        attempt: i64,
        /// The sender.
        sender: String,
        /// The nonce.
        nonce: u64,
        /// The transaction's hash.
        hash: String,
        /// What makes two intents the same.
        fingerprint: String,
    },
    /// An empty transaction is to use the nonce instead.
    Cancelling {
        /// The intent's key.
        key: String,
        /// The attempt's number.
        attempt: i64,
        /// The nonce.
        nonce: u64,
        /// Hash of the empty transaction.
        filler_hash: String,
        /// Why.
        reason: String,
    },
    /// The same is offered at a higher price; a block may take either.
    Repriced {
        /// The intent's key.
        key: String,
        /// The attempt's number.
        attempt: i64,
        /// The nonce.
        nonce: u64,
        /// The transaction's hash.
        hash: String,
        /// Its hash at the price before.
        replaced_hash: String,
    },
    /// Persons approved a transaction that the key's policy does not let be signed without them.
    Approved {
        /// The intent's key.
        key: String,
        /// The attempt's number.
        attempt: i64,
        /// What they signed for.
        approvals: Vec<ApprovalRecord>,
    },
    /// The key's policy refused an intent; nothing was signed.
    PolicyRefused {
        /// The intent's key.
        key: String,
        /// The sender.
        sender: String,
        /// Why, as `docs/policy.md` lists it.
        code: String,
        /// Why, in words.
        reason: String,
    },
    /// The key has its first policy.
    PolicySet {
        /// The key's address.
        sender: String,
        /// The policy's number.
        policy_version: u64,
        /// Hash of its text.
        policy_hash: String,
    },
    /// Another policy is in the place of the key's.
    PolicyChanged {
        /// The key's address.
        sender: String,
        /// The number of the policy before.
        from_version: u64,
        /// Hash of its text.
        from_hash: String,
        /// The number of the policy now.
        to_version: u64,
        /// Hash of its text.
        to_hash: String,
        /// Who approved it.
        approvals: Vec<ApprovalRecord>,
    },
    /// A service's request waits for its lane.
    RequestTaken {
        /// The intent's key.
        key: String,
        /// Which keys may sign it.
        lane_group: String,
        /// What its order matters to; empty for nothing.
        order_subject: String,
        /// keccak-256 of what is to be done, as it is kept until it is signed.
        content_hash: String,
    },
    /// A service reads what a contract logs from now on.
    AddressWatched {
        /// The contract.
        address: String,
        /// The service.
        requester: String,
    },
    /// It does not read it any more.
    AddressUnwatched {
        /// The contract.
        address: String,
        /// The service.
        requester: String,
        /// That this is the end of a watch: it keeps the two forms apart.
        is_ended: bool,
    },
    /// Somebody paused the lane: nothing new is stored in it.
    Paused {
        /// The sender.
        sender: String,
        /// Who did.
        who: String,
        /// Why.
        reason: String,
    },
    /// Somebody lifted the pause. A retirement that was begun is given up by it.
    Resumed {
        /// The sender.
        sender: String,
        /// Who did.
        who: String,
    },
    /// The key's end is ordered: nothing new is stored in its lane.
    RetirementBegun {
        /// The key's address.
        sender: String,
        /// The address that comes after it, if one does.
        successor: Option<String>,
        /// Who ordered it.
        who: String,
        /// Why.
        reason: String,
        /// Hash of the policy that was asked, if the key has one.
        policy_hash: Option<String>,
        /// Who approved it.
        approvals: Vec<ApprovalRecord>,
    },
    /// The key is retired; nothing in its lane was open.
    KeyRetired {
        /// The key's address.
        sender: String,
        /// The address that comes after it, if one does.
        successor: Option<String>,
        /// What the successor has spent on this day with the key's part, which is of the same day.
        carried: Vec<AmountRecord>,
    },
}

/// What was spent by a function of a contract.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AmountRecord {
    contract: String,
    function: String,
    /// In the contract's units, as decimal digits.
    amount: String,
}

fn records_of(approvals: &[Approval]) -> Vec<ApprovalRecord> {
    let record = |approval: &Approval| ApprovalRecord {
        approver: text(approval.statement.approver.as_slice()),
        role: approval.statement.role.clone(),
        subject: text(approval.statement.subject.as_slice()),
        issued_at: approval.statement.issued_at.0,
        expires_at: approval.statement.expires_at.0,
        signature: text(&approval.signature.as_bytes()),
    };
    approvals.iter().map(record).collect()
}

impl LaneEvent {
    pub(super) fn taken(sender: Address, holder: &[u8], nonce_min: u64) -> Self {
        Self::Taken { sender: text(sender.as_slice()), holder: text(holder), nonce_min }
    }

    pub(super) fn request_taken(key: &IntentKey, lane_group: &str, order_subject: &str, content_hash: B256) -> Self {
        Self::RequestTaken {
            key: key.to_string(),
            lane_group: lane_group.to_owned(),
            order_subject: order_subject.to_owned(),
            content_hash: text(content_hash.as_slice()),
        }
    }

    pub(super) fn address_watched(address: Address, requester: &str) -> Self {
        Self::AddressWatched { address: text(address.as_slice()), requester: requester.to_owned() }
    }

    pub(super) fn address_unwatched(address: Address, requester: &str) -> Self {
        Self::AddressUnwatched { address: text(address.as_slice()), requester: requester.to_owned(), is_ended: true }
    }

    pub(super) fn signed(new: &NewTransaction) -> Self {
        Self::Signed {
            key: new.key.to_string(),
            attempt: new.attempt,
            sender: text(new.sender.as_slice()),
            nonce: new.nonce,
            hash: text(new.hash.as_slice()),
            fingerprint: text(new.fingerprint.as_slice()),
        }
    }

    pub(super) fn cancelling(intent: &StoredIntent, filler: &Filler, reason: &str) -> Self {
        Self::Cancelling {
            key: intent.key.to_string(),
            attempt: intent.attempt,
            nonce: intent.nonce,
            filler_hash: text(filler.hash.as_slice()),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn repriced(intent: &StoredIntent, dearer: &StoredIntent) -> Self {
        Self::Repriced {
            key: intent.key.to_string(),
            attempt: intent.attempt,
            nonce: intent.nonce,
            hash: text(dearer.hash.as_slice()),
            replaced_hash: text(intent.hash.as_slice()),
        }
    }

    pub(super) fn approved(new: &NewTransaction) -> Self {
        Self::Approved { key: new.key.to_string(), attempt: new.attempt, approvals: records_of(&new.approvals) }
    }

    pub(super) fn policy_refused(sender: Address, intent: &Intent, refusal: &Refusal) -> Self {
        Self::PolicyRefused {
            key: intent.key.to_string(),
            sender: text(sender.as_slice()),
            code: refusal.code().to_owned(),
            reason: kept(&refusal.to_string()),
        }
    }

    pub(super) fn policy_set(sender: Address, policy: PolicyMark) -> Self {
        Self::PolicySet {
            sender: text(sender.as_slice()),
            policy_version: policy.version,
            policy_hash: text(policy.hash.as_slice()),
        }
    }

    pub(crate) fn policy_changed(sender: Address, [from, to]: [PolicyMark; 2], approvals: &[Approval]) -> Self {
        Self::PolicyChanged {
            sender: text(sender.as_slice()),
            from_version: from.version,
            from_hash: text(from.hash.as_slice()),
            to_version: to.version,
            to_hash: text(to.hash.as_slice()),
            approvals: records_of(approvals),
        }
    }

    pub(super) fn paused(sender: Address, who: &str, reason: &str) -> Self {
        Self::Paused { sender: text(sender.as_slice()), who: who.to_owned(), reason: reason.to_owned() }
    }

    pub(super) fn resumed(sender: Address, who: &str) -> Self {
        Self::Resumed { sender: text(sender.as_slice()), who: who.to_owned() }
    }

    pub(super) fn retirement_begun(begun: &KeyRetirement, policy: Option<PolicyMark>, approvals: &[Approval]) -> Self {
        Self::RetirementBegun {
            sender: text(begun.sender.as_slice()),
            successor: begun.successor.map(|successor| text(successor.as_slice())),
            who: begun.who.clone(),
            reason: begun.reason.clone(),
            policy_hash: policy.map(|mark| text(mark.hash.as_slice())),
            approvals: records_of(approvals),
        }
    }

    pub(super) fn key_retired(retired: &KeyRetirement, carried: Option<&Spent>) -> Self {
        let record = |(&(contract, selector), amount): (&(Address, [u8; 4]), &U256)| AmountRecord {
            contract: text(contract.as_slice()),
            function: text(&selector),
            amount: amount.to_string(),
        };
        Self::KeyRetired {
            sender: text(retired.sender.as_slice()),
            successor: retired.successor.map(|successor| text(successor.as_slice())),
            carried: carried.map(|spent| spent.amounts.iter().map(record).collect()).unwrap_or_default(),
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "chain.lane_taken",
            Self::Signed { .. } => "chain.transaction_signed",
            Self::Cancelling { .. } => "chain.transaction_cancelling",
            Self::Repriced { .. } => "chain.transaction_repriced",
            Self::Approved { .. } => "chain.transaction_approved",
            Self::PolicyRefused { .. } => "chain.policy_refused",
            Self::PolicySet { .. } => "chain.policy_set",
            Self::PolicyChanged { .. } => "chain.policy_changed",
            Self::RequestTaken { .. } => "chain.request_taken",
            Self::AddressWatched { .. } => "chain.address_watched",
            Self::AddressUnwatched { .. } => "chain.address_unwatched",
            Self::Paused { .. } => "chain.lane_paused",
            Self::Resumed { .. } => "chain.lane_resumed",
            Self::RetirementBegun { .. } => "chain.retirement_begun",
            Self::KeyRetired { .. } => "chain.key_retired",
        }
    }

    /// As it is appended.
    pub(super) fn appended(&self, id: EventId) -> Result<NewEvent, PayloadError> {
        let (event_type, payload) = (EventType::of(self.name()), Payload::of(self)?);
        Ok(NewEvent { id, event_type, type_version: 1, payload, audience: Audience::Private })
    }
}

/// The end of a transaction, as it is published.
pub(super) fn ended(body: &TransactionEnded, id: EventId) -> Result<NewEvent, PayloadError> {
    let (event_type, type_version, payload) = body.encode()?;
    Ok(NewEvent { id, event_type, type_version, payload, audience: Audience::Published })
}

/// The transaction was mined.
pub(super) fn mined(intent: &StoredIntent, mined: &Mined) -> TransactionEnded {
    TransactionEnded::Mined(TransactionMined {
        key: intent.key.to_string(),
        attempt: intent.attempt.unsigned_abs(),
        sender: text(intent.sender.as_slice()),
        nonce: intent.nonce,
        hash: text(mined.hash.as_slice()),
        block_number: mined.block_number,
        block_hash: text(mined.block_hash.as_slice()),
        transaction_index: mined.transaction_index,
        gas_used: mined.gas_used,
        is_success: mined.execution.is_success(),
        created_address: mined.created_address.map(|address| text(address.as_slice())),
        revert_data: mined.execution.revert_data().filter(is_short).map(|data| text(data)),
        log_count: mined.logs.len() as u64,
        logs: records(&mined.logs),
    })
}

/// The intent was refused.
pub(super) fn refused(intent: &StoredIntent, reason: &str) -> TransactionEnded {
    TransactionEnded::Refused(TransactionRefused {
        key: intent.key.to_string(),
        attempt: intent.attempt.unsigned_abs(),
        sender: text(intent.sender.as_slice()),
        nonce: intent.nonce,
        hash: text(intent.hash.as_slice()),
        reason: reason.to_owned(),
    })
}

/// The logs, or none if they are longer than an event may be.
fn records(logs: &[Log]) -> Vec<LogRecord> {
    let written = |log: &Log| 64 + 70 * (1 + log.topics().len()) + 2 * log.data.data.len();
    if logs.iter().map(written).sum::<usize>() > EVENT_LOGS_BYTES_MAX {
        return Vec::new();
    }
    let record = |log: &Log| LogRecord {
        address: text(log.address.as_slice()),
        topics: log.topics().iter().map(|topic| text(topic.as_slice())).collect(),
        data: text(&log.data.data),
    };
    logs.iter().map(record).collect()
}

/// A revert says what went wrong in some hundred bytes; one that would fill an event is left on the ledger.
pub(super) fn is_short(data: &&Bytes) -> bool {
    data.len() <= 4 * 1024
}

pub(super) fn text(bytes: &[u8]) -> String {
    hex::encode_prefixed(bytes)
}

/// The stream that tells of a lane.
pub(super) fn stream(sender: Address) -> String {
    format!("lane/{}", text(sender.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms as they are in stores: they stay readable for ever.
    #[test]
    fn each_stored_form_is_read_and_written_as_it_is() {
        let stored = [
            ("chain.lane_taken", r#"{"sender":"0x01","holder":"0x02","nonce_min":3}"#),
            (
                "chain.transaction_signed",
                r#"{"key":"mint/1","attempt":1,"sender":"0x01","nonce":7,"hash":"0x02","fingerprint":"0x03"}"#,
            ),
            (
                "chain.transaction_cancelling",
                r#"{"key":"mint/1","attempt":1,"nonce":7,"filler_hash":"0x02","reason":"no"}"#,
            ),
            (
                "chain.transaction_repriced",
                r#"{"key":"mint/1","attempt":1,"nonce":7,"hash":"0x03","replaced_hash":"0x02"}"#,
            ),
            (
                "chain.transaction_approved",
                r#"{"key":"mint/1","attempt":1,"approvals":[{"approver":"0x01","role":"risk","subject":"0x02","issued_at":3,"expires_at":4,"signature":"0x05"}]}"#,
            ),
            ("chain.policy_refused", r#"{"key":"mint/1","sender":"0x01","code":"amount_above_limit","reason":"no"}"#),
            ("chain.policy_set", r#"{"sender":"0x01","policy_version":1,"policy_hash":"0x02"}"#),
            (
                "chain.policy_changed",
                r#"{"sender":"0x01","from_version":1,"from_hash":"0x02","to_version":2,"to_hash":"0x03","approvals":[]}"#,
            ),
            (
                "chain.request_taken",
                r#"{"key":"tokens/mint/1","lane_group":"treasury","order_subject":"","content_hash":"0x02"}"#,
            ),
            ("chain.address_watched", r#"{"address":"0x01","requester":"tokens"}"#),
            ("chain.address_unwatched", r#"{"address":"0x01","requester":"tokens","is_ended":true}"#),
            ("chain.lane_paused", r#"{"sender":"0x01","who":"ana","reason":"no"}"#),
            ("chain.lane_resumed", r#"{"sender":"0x01","who":"ana"}"#),
            (
                "chain.retirement_begun",
                r#"{"sender":"0x01","successor":"0x02","who":"ana","reason":"no","policy_hash":null,"approvals":[]}"#,
            ),
            (
                "chain.key_retired",
                r#"{"sender":"0x01","successor":null,"carried":[{"contract":"0x02","function":"0x03","amount":"4"}]}"#,
            ),
        ];
        for (name, stored) in stored {
            let event: LaneEvent = serde_json::from_str(stored).unwrap();
            assert_eq!((event.name(), serde_json::to_string(&event).unwrap().as_str()), (name, stored));
        }
    }

    #[test]
    fn logs_are_in_an_event_whole_or_not_at_all() {
        let log = |bytes: usize| Log::new_unchecked(Address::ZERO, vec![B256::ZERO], vec![0xff; bytes].into());
        assert_eq!(records(&[log(100), log(20_000)]).len(), 2);
        assert!(records(&[log(100), log(30_000)]).is_empty());
    }
}
