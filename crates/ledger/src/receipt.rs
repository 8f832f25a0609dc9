//! What a transaction left behind: status, gas, logs, and why it was reverted.

use alloy_consensus::{Eip658Value, Receipt as ConsensusReceipt, ReceiptEnvelope, ReceiptWithBloom, TxType};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log};
use alloy_rlp::{RlpDecodable, RlpEncodable};

/// Revert bytes longer than this are cut before they are stored: reasons are short, and a contract chooses the length.
pub(crate) const REVERT_BYTES_MAX: usize = 4_096;

/// The receipt of one transaction, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub(crate) struct Receipt {
    /// EIP-2718 type of the transaction.
    pub ty: u8,
    /// False if the transaction was reverted or ran out of gas.
    pub is_success: bool,
    /// Gas used by this transaction alone.
    pub gas_used: u64,
    /// Gas used by the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// Logs in order; empty if not successful.
    pub logs: Vec<Log>,
    /// Address of the contract that the transaction created; zero where it created none.
    pub created: Address,
    /// What `REVERT` returned, cut at [`REVERT_BYTES_MAX`]; empty where there is none.
    pub revert: Bytes,
}

impl Receipt {
    /// Bloom over addresses and topics of the logs.
    pub(crate) fn bloom(&self) -> Bloom {
        alloy_primitives::logs_bloom(&self.logs)
    }

    /// The created contract's address, if one was created.
    pub(crate) fn contract_address(&self) -> Option<Address> {
        (!self.created.is_zero()).then_some(self.created)
    }

    fn consensus(&self) -> ReceiptEnvelope {
        let receipt = ConsensusReceipt {
            status: Eip658Value::Eip658(self.is_success),
            cumulative_gas_used: self.cumulative_gas_used,
            logs: self.logs.clone(),
        };
        let receipt = ReceiptWithBloom { receipt, logs_bloom: self.bloom() };
        ReceiptEnvelope::from_typed(TxType::try_from(self.ty).unwrap_or(TxType::Legacy), receipt)
    }
}

/// Root of the receipts trie of a block.
pub(crate) fn receipts_root(receipts: &[Receipt]) -> B256 {
    alloy_trie::root::ordered_trie_root_with_encoder(receipts, |receipt, out| receipt.consensus().encode_2718(out))
}

/// Root of the transactions trie of a block, over raw transactions.
pub(crate) fn transactions_root(raw: &[&Bytes]) -> B256 {
    alloy_trie::root::ordered_trie_root_with_encoder(raw, |transaction, out| out.extend_from_slice(transaction))
}

/// Bloom of a whole block.
pub(crate) fn block_bloom(receipts: &[Receipt]) -> Bloom {
    receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::constants::{EMPTY_RECEIPTS, EMPTY_TRANSACTIONS};
    use alloy_primitives::{LogData, keccak256};
    use alloy_rlp::Decodable;

    #[test]
    fn empty_blocks_have_the_empty_roots() {
        assert_eq!((receipts_root(&[]), transactions_root(&[])), (EMPTY_RECEIPTS, EMPTY_TRANSACTIONS));
    }

    #[test]
    fn a_receipt_survives_its_encoding() {
        let log =
            Log { address: Address::ZERO, data: LogData::new_unchecked(vec![keccak256(b"t")], Bytes::from("data")) };
        let receipt = Receipt {
            ty: 2,
            is_success: true,
            gas_used: 5,
            cumulative_gas_used: 9,
            logs: vec![log],
            ..Default::default()
        };
        let bytes = alloy_rlp::encode(&receipt);
        assert_eq!(Receipt::decode(&mut &bytes[..]), Ok(receipt));
    }
}
