//! What services and ledger integration say to each other: a service publishes that it wants a transaction, ledger integration
//! publishes how it ended.
//!
//! Ends are final. Whoever asked decodes logs and revert bytes itself; here they are raw. Hashes and addresses are lower-case
//! hexadecimal with `0x`, byte strings too, so that a reader in any language has them without a library.

use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, EventBody, decode_payload};
use crate::names::EventType;
use crate::payload::{Payload, PayloadError};

/// A service wants a transaction. It is answered by exactly one [`TransactionEnded`] with its key.
///
/// With all else a payload of 64 KiB holds some 31 KiB of data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionRequested {
    /// The idempotency key: the same key is the same transaction, for ever. It begins with the service's name and `/`, as in
    /// `tokens/mint/ord_018f…`, and has 1 to 200 printable ASCII characters. After a refusal it is free again.
    pub key: String,
    /// The network. Ledger integration of another one passes over the request.
    pub chain_id: u64,
    /// Which keys may sign it, as the configuration names them.
    pub lane_group: String,
    /// What its order matters to, an asset and a holder for instance: requests of one lane group and one subject are carried out in
    /// the order in which they were published. Without one, in any order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_subject: Option<String>,
    /// The contract that is called; without one, the data are creation code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Calldata, or creation code with its arguments.
    pub data: String,
    /// The network's coin that goes with it, in wei, as decimal digits; none is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_wei: Option<String>,
    /// The most gas that it may use. Without it the node is asked before the transaction is signed, and half as much is added; that is
    /// for contracts whose need nobody has measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gas_limit: Option<u64>,
    /// Keys of requests of the same service, published before this one, at most 16: where the call fails when its gas is estimated, that
    /// counts only when each of them has ended. What has the same order subject need not be named. Without effect where the gas is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// What it is, for people who look at a list of transactions. Nothing personal.
    pub description: String,
    /// Approvals of it, where the key's policy takes some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<ApprovalRecord>,
}

impl TransactionRequested {
    /// Its type; version 1.
    pub const TYPE: &'static str = "ledger.transaction_requested";
}

impl EventBody for TransactionRequested {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok((EventType::of(Self::TYPE), 1, Payload::of(self)?))
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        match event_type.as_str() {
            Self::TYPE => decode_payload(event_type, version, payload, &[]),
            _ => Err(DecodeError::UnknownType { event_type: event_type.clone() }),
        }
    }
}

/// A person's approval with its signature. What it is an approval of stands where this does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRecord {
    /// The address of the approver's key.
    pub approver: String,
    /// In which role.
    pub role: String,
    /// Hash of what is approved.
    pub subject: String,
    /// When it was made, in seconds since 1970.
    pub issued_at: u64,
    /// From when on it does not count any more, in seconds since 1970.
    pub expires_at: u64,
    /// The signature, 65 bytes.
    pub signature: String,
}

/// A transaction is in a final block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionMined {
    /// The intent's idempotency key.
    pub key: String,
    /// Number of the attempt at the intent, from 1.
    pub attempt: u64,
    /// Who sent it.
    pub sender: String,
    /// Its nonce.
    pub nonce: u64,
    /// Its hash.
    pub hash: String,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: String,
    /// Its place in the block, from 0.
    pub transaction_index: u64,
    /// The gas it used.
    pub gas_used: u64,
    /// Whether it did what it was to do; if not, it changed nothing but its sender's nonce.
    pub is_success: bool,
    /// The contract that it created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_address: Option<String>,
    /// The raw error, if it reverted and the node could tell it. One above 4 KiB is left out, since it would fill the event: ask a
    /// node that traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_data: Option<String>,
    /// How many logs it has.
    pub log_count: u64,
    /// The logs in order, all of them or none: those that are longer than an event may be are read from the ledger, by the
    /// block's hash.
    pub logs: Vec<LogRecord>,
}

/// A log as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRecord {
    /// The contract.
    pub address: String,
    /// The topics, 32 bytes each.
    pub topics: Vec<String>,
    /// The data.
    pub data: String,
}

/// An intent has no effect on the ledger and never will have. Its key is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionRefused {
    /// The intent's idempotency key.
    pub key: String,
    /// Number of the attempt at the intent, from 1.
    pub attempt: u64,
    /// Who was to send it.
    pub sender: String,
    /// The nonce that it had.
    pub nonce: u64,
    /// The hash that it had.
    pub hash: String,
    /// What the node said, or what was found on the ledger.
    pub reason: String,
}

/// A service wants to read what a contract logs, whoever calls it, or does not want to any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressWatched {
    /// The network. Ledger integration of another one passes over this.
    pub chain_id: u64,
    /// The contract.
    pub address: String,
}

/// What a service wants to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watch {
    /// From now on: the first logs are those of the block after the last one whose ends are stored.
    Begun(AddressWatched),
    /// No longer.
    Ended(AddressWatched),
}

impl Watch {
    /// Type of [`Watch::Begun`]; version 1.
    pub const BEGUN: &'static str = "ledger.address_watched";
    /// Type of [`Watch::Ended`]; version 1.
    pub const ENDED: &'static str = "ledger.address_unwatched";
}

impl EventBody for Watch {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok(match self {
            Self::Begun(watched) => (EventType::of(Self::BEGUN), 1, Payload::of(watched)?),
            Self::Ended(watched) => (EventType::of(Self::ENDED), 1, Payload::of(watched)?),
        })
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        match event_type.as_str() {
            Self::BEGUN => decode_payload(event_type, version, payload, &[]).map(Self::Begun),
            Self::ENDED => decode_payload(event_type, version, payload, &[]).map(Self::Ended),
            _ => Err(DecodeError::UnknownType { event_type: event_type.clone() }),
        }
    }
}

/// Logs of a watched contract that follow each other in one transaction of a final block. Each log of a contract is in one of these, in
/// the order of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogsSeen {
    /// The contract.
    pub address: String,
    /// The block's number.
    pub block_number: u64,
    /// The block's hash.
    pub block_hash: String,
    /// When the block was made, in seconds since 1970.
    pub block_timestamp: u64,
    /// The transaction.
    pub transaction_hash: String,
    /// Its place in the block, from 0.
    pub transaction_index: u64,
    /// The logs, at least one.
    pub logs: Vec<SeenLog>,
}

/// A log of a watched contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenLog {
    /// Its number among all logs of the block, from 0.
    pub index: u64,
    /// The topics, 32 bytes each.
    pub topics: Vec<String>,
    /// The data; left out where it is longer than an event may be: it is read from the ledger then, by the block's hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl LogsSeen {
    /// Its type; version 1.
    pub const TYPE: &'static str = "ledger.logs_seen";
}

impl EventBody for LogsSeen {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok((EventType::of(Self::TYPE), 1, Payload::of(self)?))
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        match event_type.as_str() {
            Self::TYPE => decode_payload(event_type, version, payload, &[]),
            _ => Err(DecodeError::UnknownType { event_type: event_type.clone() }),
        }
    }
}

/// A request was refused before it was a transaction: it has no nonce, and nothing was signed. If its key was free, it still is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestRefused {
    /// The request's key.
    pub key: String,
    /// Identifier of the event that requested it, a UUID: two requests may have used one key.
    pub request: String,
    /// Why, as `docs/ledger-integration.md` lists it.
    pub code: String,
    /// Why, in words.
    pub reason: String,
    /// The raw error of the call that was tried, if it reverted. One above 4 KiB is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revert_data: Option<String>,
}

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionEnded {
    /// In a final block, successfully or not.
    Mined(TransactionMined),
    /// Without an effect.
    Refused(TransactionRefused),
    /// Before it was one.
    RequestRefused(RequestRefused),
}

impl TransactionEnded {
    /// Type of [`TransactionMined`]; version 1.
    pub const MINED: &'static str = "ledger.transaction_mined";
    /// Type of [`TransactionRefused`]; version 1.
    pub const REFUSED: &'static str = "ledger.transaction_refused";
    /// Type of [`RequestRefused`]; version 1.
    pub const REQUEST_REFUSED: &'static str = "ledger.request_refused";

    /// The key of the intent or request that ended.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Mined(TransactionMined { key, .. })
            | Self::Refused(TransactionRefused { key, .. })
            | Self::RequestRefused(RequestRefused { key, .. }) => key,
        }
    }
}

impl EventBody for TransactionEnded {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok(match self {
            Self::Mined(mined) => (EventType::of(Self::MINED), 1, Payload::of(mined)?),
            Self::Refused(refused) => (EventType::of(Self::REFUSED), 1, Payload::of(refused)?),
            Self::RequestRefused(refused) => (EventType::of(Self::REQUEST_REFUSED), 1, Payload::of(refused)?),
        })
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        match event_type.as_str() {
            Self::MINED => decode_payload(event_type, version, payload, &[]).map(Self::Mined),
            Self::REFUSED => decode_payload(event_type, version, payload, &[]).map(Self::Refused),
            Self::REQUEST_REFUSED => decode_payload(event_type, version, payload, &[]).map(Self::RequestRefused),
            _ => Err(DecodeError::UnknownType { event_type: event_type.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms as they are in stores: they stay readable for ever.
    const MINED: &str = r#"{"key":"mint/1","attempt":1,"sender":"0x01","nonce":7,"hash":"0x02","block_number":9,"block_hash":"0x03","transaction_index":0,"gas_used":21000,"is_success":true,"log_count":1,"logs":[{"address":"0x04","topics":["0x05"],"data":"0x"}]}"#;
    const REFUSED: &str =
        r#"{"key":"mint/1","attempt":2,"sender":"0x01","nonce":7,"hash":"0x02","reason":"Nonce too low (-32001)"}"#;
    const REQUEST_REFUSED: &str = r#"{"key":"tokens/mint/1","request":"018f0000-0000-7000-8000-000000000000","code":"unknown_lane_group","reason":"no"}"#;
    const WOULD_FAIL: &str = r#"{"key":"tokens/mint/1","request":"018f0000-0000-7000-8000-000000000000","code":"would_fail","reason":"no","revert_data":"0x01"}"#;
    const WATCHED: &str = r#"{"chain_id":1337,"address":"0x01"}"#;
    const SEEN: &str = r#"{"address":"0x01","block_number":9,"block_hash":"0x02","block_timestamp":7,"transaction_hash":"0x03","transaction_index":0,"logs":[{"index":4,"topics":["0x05"],"data":"0x"},{"index":5,"topics":[]}]}"#;
    const REQUESTED: [&str; 3] = [
        r#"{"key":"tokens/mint/1","chain_id":1337,"lane_group":"treasury","data":"0x","gas_limit":53000,"description":"a contract"}"#,
        r#"{"key":"tokens/mint/1","chain_id":1337,"lane_group":"treasury","order_subject":"ast_1/0x01","target":"0x02","data":"0x03","value_wei":"4","gas_limit":5,"description":"mint","approvals":[{"approver":"0x06","role":"risk","subject":"0x07","issued_at":8,"expires_at":9,"signature":"0x0a"}]}"#,
        r#"{"key":"tokens/mint/2","chain_id":1337,"lane_group":"treasury","target":"0x02","data":"0x03","depends_on":["tokens/mint/1"],"description":"mint"}"#,
    ];

    #[test]
    fn each_stored_form_is_read_and_written_as_it_is() {
        for (name, stored) in [
            (TransactionEnded::MINED, MINED),
            (TransactionEnded::REFUSED, REFUSED),
            (TransactionEnded::REQUEST_REFUSED, REQUEST_REFUSED),
            (TransactionEnded::REQUEST_REFUSED, WOULD_FAIL),
        ] {
            let (event_type, payload) = (EventType::of(name), Payload::parse(stored.as_bytes()).unwrap());
            let read = TransactionEnded::decode(&event_type, 1, &payload).unwrap();
            assert_eq!(read.encode().unwrap(), (event_type, 1, payload));
        }
        for name in [Watch::BEGUN, Watch::ENDED] {
            let (event_type, payload) = (EventType::of(name), Payload::parse(WATCHED.as_bytes()).unwrap());
            let read = Watch::decode(&event_type, 1, &payload).unwrap();
            assert_eq!(read.encode().unwrap(), (event_type, 1, payload));
        }
        let (event_type, payload) = (EventType::of(LogsSeen::TYPE), Payload::parse(SEEN.as_bytes()).unwrap());
        let read = LogsSeen::decode(&event_type, 1, &payload).unwrap();
        assert_eq!(read.encode().unwrap(), (event_type, 1, payload));
        for stored in REQUESTED {
            let (event_type, payload) =
                (EventType::of(TransactionRequested::TYPE), Payload::parse(stored.as_bytes()).unwrap());
            let read = TransactionRequested::decode(&event_type, 1, &payload).unwrap();
            assert_eq!(read.encode().unwrap(), (event_type, 1, payload));
        }
    }

    #[test]
    fn other_types_versions_and_fields_are_refused() {
        let (mined, payload) = (EventType::of(TransactionEnded::MINED), Payload::parse(MINED.as_bytes()).unwrap());
        let later = TransactionEnded::decode(&mined, 2, &payload);
        assert!(matches!(later, Err(DecodeError::UnknownVersion { found: 2, known: 1, .. })), "{later:?}");
        let other = TransactionEnded::decode(&EventType::of("ledger.other"), 1, &payload);
        assert!(matches!(other, Err(DecodeError::UnknownType { .. })), "{other:?}");
        let refused = TransactionEnded::decode(&EventType::of(TransactionEnded::REFUSED), 1, &payload);
        assert!(matches!(refused, Err(DecodeError::Form { .. })), "{refused:?}");
    }
}
