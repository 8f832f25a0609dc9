//! Published by ledger integration: how the transactions that services asked for have ended.
//!
//! Both are final. Whoever asked decodes logs and revert bytes itself; here they are raw. Hashes and addresses are lower-case
//! hexadecimal with `0x`, byte strings too, so that a reader in any language has them without a library.

use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, EventBody, decode_payload};
use crate::names::EventType;
use crate::payload::{Payload, PayloadError};

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

/// How a transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionEnded {
    /// In a final block, successfully or not.
    Mined(TransactionMined),
    /// Without an effect.
    Refused(TransactionRefused),
}

impl TransactionEnded {
    /// Type of [`TransactionMined`]; version 1.
    pub const MINED: &'static str = "ledger.transaction_mined";
    /// Type of [`TransactionRefused`]; version 1.
    pub const REFUSED: &'static str = "ledger.transaction_refused";
}

impl EventBody for TransactionEnded {
    fn encode(&self) -> Result<(EventType, u32, Payload), PayloadError> {
        Ok(match self {
            Self::Mined(mined) => (EventType::of(Self::MINED), 1, Payload::of(mined)?),
            Self::Refused(refused) => (EventType::of(Self::REFUSED), 1, Payload::of(refused)?),
        })
    }

    fn decode(event_type: &EventType, version: u32, payload: &Payload) -> Result<Self, DecodeError> {
        match event_type.as_str() {
            Self::MINED => decode_payload(event_type, version, payload, &[]).map(Self::Mined),
            Self::REFUSED => decode_payload(event_type, version, payload, &[]).map(Self::Refused),
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

    #[test]
    fn each_stored_form_is_read_and_written_as_it_is() {
        for (name, stored) in [(TransactionEnded::MINED, MINED), (TransactionEnded::REFUSED, REFUSED)] {
            let (event_type, payload) = (EventType::of(name), Payload::parse(stored.as_bytes()).unwrap());
            let read = TransactionEnded::decode(&event_type, 1, &payload).unwrap();
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
