//! A block with everything that belongs to it, and its form in the log.

use crate::header::SealedHeader;
use crate::receipt::Receipt;
use crate::state::StateDiff;
use crate::transaction::{SignedTransaction, TransactionError};
use alloy_consensus::Header;
use alloy_primitives::{Address, Bytes};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use std::sync::Arc;

/// A sealed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Header and hash.
    pub header: Arc<SealedHeader>,
    /// Transactions in order.
    pub transactions: Vec<Arc<SignedTransaction>>,
    /// One receipt per transaction.
    pub receipts: Vec<Receipt>,
}

/// What the log keeps of a block: enough to show it and to redo its effect without executing it.
#[derive(Debug, RlpEncodable, RlpDecodable)]
struct Record {
    header: Header,
    transactions: Vec<StoredTransaction>,
    receipts: Vec<Receipt>,
    diff: StateDiff,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct StoredTransaction {
    sender: Address,
    raw: Bytes,
}

/// A record that passed its checksum is not a block that this version wrote.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    /// The record's structure is not this format's.
    #[error("the record is not a block of this format: {0}")]
    Rlp(alloy_rlp::Error),
    /// A stored transaction cannot be decoded.
    #[error("a stored transaction cannot be decoded")]
    Transaction(#[source] TransactionError),
    /// There must be one receipt per transaction.
    #[error("the record has {transactions} transactions, but {receipts} receipts")]
    Counts {
        /// Transactions in the record.
        transactions: usize,
        /// Receipts in the record.
        receipts: usize,
    },
}

/// The bytes of a log record.
pub(crate) fn encode_record(block: &Block, diff: StateDiff) -> Vec<u8> {
    let stored = |transaction: &Arc<SignedTransaction>| StoredTransaction {
        sender: transaction.sender(),
        raw: transaction.raw().clone(),
    };
    alloy_rlp::encode(Record {
        header: block.header.header().clone(),
        transactions: block.transactions.iter().map(stored).collect(),
        receipts: block.receipts.clone(),
        diff,
    })
}

/// A block and its effect from a log record. `seal` makes the sealed header: by checking the seals, or by trusting them.
pub(crate) fn decode_record(
    payload: &[u8],
    seal: impl FnOnce(Header) -> SealedHeader,
) -> Result<(Block, StateDiff), RecordError> {
    let record = Record::decode(&mut &payload[..]).map_err(RecordError::Rlp)?;
    let (transactions, receipts) = (record.transactions.len(), record.receipts.len());
    if transactions != receipts {
        return Err(RecordError::Counts { transactions, receipts });
    }
    let decode = |stored: StoredTransaction| SignedTransaction::from_stored(stored.raw, stored.sender).map(Arc::new);
    let transactions: Result<Vec<_>, _> = record.transactions.into_iter().map(decode).collect();
    let block = Block {
        header: Arc::new(seal(record.header)),
        transactions: transactions.map_err(RecordError::Transaction)?,
        receipts: record.receipts,
    };
    Ok((block, record.diff))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::testing::call;
    use alloy_primitives::TxKind;
    use proptest::prelude::*;

    fn block() -> Block {
        Block {
            header: Arc::new(SealedHeader::genesis(Header { number: 0, gas_used: 3, ..Default::default() })),
            transactions: vec![Arc::new(call("ana", 0, TxKind::Create, Bytes::from("code")))],
            receipts: vec![Receipt { is_success: true, gas_used: 3, ..Default::default() }],
        }
    }

    #[test]
    fn a_block_survives_its_record() {
        let bytes = encode_record(&block(), StateDiff::default());
        let (decoded, diff) = decode_record(&bytes, SealedHeader::genesis).unwrap();
        assert_eq!((decoded, diff), (block(), StateDiff::default()));
    }

    proptest! {
        #[test]
        fn hostile_records_are_an_error_and_never_a_panic(at in 0..200_usize, bit in 0..8_u8) {
            let mut bytes = encode_record(&block(), StateDiff::default());
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let _ = decode_record(&bytes, SealedHeader::genesis);
            let _ = decode_record(&bytes[..at], SealedHeader::genesis);
        }
    }
}
