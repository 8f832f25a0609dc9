//! What one node's answer proves by itself: pure, no other node is needed.
//!
//! The header's receipts root covers status, gas and logs of every receipt (yellow paper, section 4.4.2; typed receipts:
//! EIP-2718), so whoever changes one of them is found out unless the header is false too. The bloom is a part of the receipts
//! and adds nothing to that; it is checked first because it says in words what is wrong: logs are missing.

use alloy_consensus::proofs::ordered_trie_root_with_encoder;
use alloy_consensus::{Eip658Value, Receipt, ReceiptWithBloom};
use alloy_primitives::{B256, Bloom, Keccak256, Log, logs_bloom};
use alloy_rlp::{BufMut as _, Encodable as _};

use super::block::{FollowedBlock, FollowedTransaction};
use super::lie::Lie;
use crate::rpc::{SealedBlock, SealedReceipt};

/// A block whose parts fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) block: FollowedBlock,
    /// Over everything that nodes must agree on: all but the reverts' bytes, which only some nodes keep.
    pub(super) digest: B256,
}

/// The block is the one that was asked for.
pub(super) fn check_number(asked: u64, block: &SealedBlock) -> Result<(), Lie> {
    if block.number == asked { Ok(()) } else { Err(Lie::OtherNumber { found: block.number }) }
}

/// The receipts are those of this block's transactions, in their order, by what they say of themselves.
pub(super) fn check_places(block: &SealedBlock, receipts: &[SealedReceipt]) -> Result<(), Lie> {
    if receipts.len() != block.transactions.len() {
        return Err(Lie::ReceiptCount { transactions: block.transactions.len(), receipts: receipts.len() });
    }
    let mut gas = 0;
    for (transaction, receipt) in block.transactions.iter().zip(receipts) {
        let transaction = transaction.hash;
        check_place(block.hash, transaction, receipt)?;
        if receipt.cumulative_gas_used < gas {
            return Err(Lie::GasFalls { transaction });
        }
        gas = receipt.cumulative_gas_used;
    }
    Ok(())
}

fn check_place(block_hash: B256, transaction: B256, receipt: &SealedReceipt) -> Result<(), Lie> {
    let other_transaction = |found| Lie::ReceiptOfOtherTransaction { transaction, found };
    let other_block = |found| Lie::ReceiptOfOtherBlock { transaction, found };
    if receipt.transaction_hash != transaction {
        return Err(other_transaction(receipt.transaction_hash));
    }
    if receipt.block_hash != block_hash {
        return Err(other_block(receipt.block_hash));
    }
    for log in &receipt.logs {
        if log.transaction_hash != transaction {
            return Err(other_transaction(log.transaction_hash));
        }
        if log.block_hash != block_hash {
            return Err(other_block(log.block_hash));
        }
    }
    Ok(())
}

/// The receipts are those that the header names.
pub(super) fn check_contents(block: &SealedBlock, receipts: &[SealedReceipt]) -> Result<(), Lie> {
    let blooms: Vec<Bloom> =
        receipts.iter().map(|receipt| logs_bloom(receipt.logs.iter().map(|log| &log.log))).collect();
    if blooms.iter().fold(Bloom::ZERO, |all, &bloom| all | bloom) != block.logs_bloom {
        return Err(Lie::LogsBloom);
    }
    let leaves: Vec<Vec<u8>> = (0..receipts.len()).map(|index| leaf(block, receipts, &blooms, index)).collect();
    let found = ordered_trie_root_with_encoder(&leaves, |leaf, out| out.put_slice(leaf));
    if found == block.receipts_root { Ok(()) } else { Err(Lie::ReceiptsRoot { header: block.receipts_root, found }) }
}

/// A receipt as the receipts trie holds it.
fn leaf(block: &SealedBlock, receipts: &[SealedReceipt], blooms: &[Bloom], index: usize) -> Vec<u8> {
    let receipt = &receipts[index];
    let mut bytes = Vec::new();
    let ty = receipt.ty.or(block.transactions[index].ty).unwrap_or(0);
    if let Ok(ty @ 1..) = u8::try_from(ty) {
        bytes.push(ty);
    }
    let logs: Vec<Log> = receipt.logs.iter().map(|log| log.log.clone()).collect();
    let status = Eip658Value::Eip658(receipt.is_success);
    let receipt = Receipt { status, cumulative_gas_used: receipt.cumulative_gas_used, logs };
    ReceiptWithBloom { receipt, logs_bloom: blooms[index] }.encode(&mut bytes);
    bytes
}

/// Puts the block together as it is given. The places must have been checked.
pub(super) fn assemble(block: SealedBlock, receipts: Vec<SealedReceipt>) -> Verified {
    let digest = digest(&block);
    let (mut gas, mut first_log_index) = (0, 0);
    let both = block.transactions.into_iter().zip(receipts);
    let transactions = (0..).zip(both).map(|(index, (transaction, receipt))| {
        let is_creation = transaction.to.is_none() && receipt.is_success;
        let followed = FollowedTransaction {
            hash: transaction.hash,
            index,
            from: transaction.from,
            to: transaction.to,
            nonce: transaction.nonce,
            is_success: receipt.is_success,
            gas_used: receipt.cumulative_gas_used.saturating_sub(gas),
            created_address: is_creation.then(|| transaction.from.create(transaction.nonce)),
            revert_data: receipt.revert_data,
            first_log_index,
            logs: receipt.logs.into_iter().map(|log| log.log).collect(),
        };
        gas = receipt.cumulative_gas_used;
        first_log_index += followed.logs.len() as u64;
        followed
    });
    let block = FollowedBlock {
        transactions: transactions.collect(),
        number: block.number,
        hash: block.hash,
        parent_hash: block.parent_hash,
        timestamp_seconds: block.timestamp_seconds,
    };
    Verified { block, digest }
}

/// The receipts root stands for what was checked against it.
fn digest(block: &SealedBlock) -> B256 {
    let mut hasher = Keccak256::new();
    for part in [block.hash, block.parent_hash, block.receipts_root] {
        hasher.update(part);
    }
    hasher.update(block.number.to_be_bytes());
    hasher.update(block.timestamp_seconds.to_be_bytes());
    for transaction in &block.transactions {
        hasher.update(transaction.hash);
        hasher.update(transaction.from);
        hasher.update([u8::from(transaction.to.is_some())]);
        hasher.update(transaction.to.unwrap_or_default());
        hasher.update(transaction.nonce.to_be_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, LogData};

    use super::*;
    use crate::rpc::wire::{SealedLog, SealedTransaction};

    const HASH: B256 = B256::repeat_byte(1);
    const TRANSACTION: B256 = B256::repeat_byte(2);

    fn receipt() -> SealedReceipt {
        let log = Log { address: Address::repeat_byte(3), data: LogData::new_unchecked(vec![HASH], [4].into()) };
        SealedReceipt {
            transaction_hash: TRANSACTION,
            block_hash: HASH,
            cumulative_gas_used: 30_000,
            is_success: true,
            ty: None,
            revert_data: None,
            logs: vec![SealedLog { log, block_hash: HASH, transaction_hash: TRANSACTION }],
        }
    }

    fn block() -> SealedBlock {
        let (from, to) = (Address::repeat_byte(5), None);
        let mut block = SealedBlock {
            number: 7,
            hash: HASH,
            parent_hash: B256::ZERO,
            timestamp_seconds: 9,
            logs_bloom: logs_bloom([&receipt().logs[0].log]),
            receipts_root: B256::ZERO,
            transactions: vec![SealedTransaction { hash: TRANSACTION, from, to, nonce: 3, ty: Some(2) }],
        };
        if let Err(Lie::ReceiptsRoot { found, .. }) = check_contents(&block, &[receipt()]) {
            block.receipts_root = found;
        }
        block
    }

    /// What is found of a receipt that was changed like this.
    fn found(change: impl Fn(&mut SealedReceipt)) -> Result<(), Lie> {
        let mut receipt = receipt();
        change(&mut receipt);
        check_places(&block(), std::slice::from_ref(&receipt))?;
        check_contents(&block(), &[receipt])
    }

    #[test]
    fn a_receipt_passes_as_it_is_and_not_with_anything_changed() {
        assert_eq!(found(|_| {}), Ok(()));
        assert_eq!(found(|receipt| receipt.revert_data = Some([1].into())), Ok(()));
        let other = B256::repeat_byte(9);
        let other_block = Err(Lie::ReceiptOfOtherBlock { transaction: TRANSACTION, found: other });
        let other_transaction = Err(Lie::ReceiptOfOtherTransaction { transaction: TRANSACTION, found: other });
        assert_eq!(found(|receipt| receipt.block_hash = other), other_block);
        assert_eq!(found(|receipt| receipt.logs[0].block_hash = other), other_block);
        assert_eq!(found(|receipt| receipt.transaction_hash = other), other_transaction);
        assert_eq!(found(|receipt| receipt.logs[0].transaction_hash = other), other_transaction);
        assert_eq!(found(|receipt| receipt.logs.clear()), Err(Lie::LogsBloom));
        for in_the_root_alone in [
            |receipt: &mut SealedReceipt| receipt.is_success = false,
            |receipt: &mut SealedReceipt| receipt.cumulative_gas_used += 1,
            |receipt: &mut SealedReceipt| receipt.ty = Some(1),
            |receipt: &mut SealedReceipt| receipt.logs.push(receipt.logs[0].clone()),
            |receipt: &mut SealedReceipt| receipt.logs[0].log.data.data = [5].into(),
        ] {
            let lie = found(in_the_root_alone);
            assert!(matches!(lie, Err(Lie::ReceiptsRoot { .. })), "{lie:?}");
        }
    }

    #[test]
    fn receipts_are_counted_and_their_gas_rises() {
        let (transactions, receipts) = (1, 0);
        assert_eq!(check_places(&block(), &[]), Err(Lie::ReceiptCount { transactions, receipts }));
        let mut two = block();
        two.transactions.push(two.transactions[0].clone());
        let less = SealedReceipt { cumulative_gas_used: 29_999, ..receipt() };
        let falls = check_places(&two, &[receipt(), less]);
        assert_eq!(falls, Err(Lie::GasFalls { transaction: TRANSACTION }));
        assert_eq!(check_number(8, &two), Err(Lie::OtherNumber { found: 7 }));
    }

    #[test]
    fn a_created_contract_is_named_only_where_it_was_created() {
        let (block, receipt) = (block(), receipt());
        let given = assemble(block.clone(), vec![receipt.clone()]);
        let address = block.transactions[0].from.create(3);
        assert_eq!(given.block.transactions[0].created_address, Some(address));
        let failed = SealedReceipt { is_success: false, ..receipt };
        assert_eq!(assemble(block, vec![failed]).block.transactions[0].created_address, None);
    }

    #[test]
    fn reverts_are_no_part_of_the_digest_and_all_else_is() {
        let digest = |block: SealedBlock| assemble(block, vec![receipt()]).digest;
        let with_revert = SealedReceipt { revert_data: Some([1].into()), ..receipt() };
        assert_eq!(assemble(block(), vec![with_revert]).digest, digest(block()));
        let changes: [fn(&mut SealedBlock); 8] = [
            |block| block.number += 1,
            |block| block.hash = TRANSACTION,
            |block| block.parent_hash = TRANSACTION,
            |block| block.timestamp_seconds += 1,
            |block| block.receipts_root = TRANSACTION,
            |block| block.transactions[0].from = Address::ZERO,
            |block| block.transactions[0].to = Some(Address::ZERO),
            |block| block.transactions[0].nonce += 1,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut changed = block();
            change(&mut changed);
            assert_ne!(digest(changed), digest(block()), "{index}");
        }
    }
}
