//! A node that said what cannot be, or what the others contradict.

use alloy_primitives::B256;

use super::error::LedgerChange;

/// A node said something false. It is not asked for a while, and the finding stays to be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("node `{node}` lied about block {block}")]
pub struct NodeLied {
    /// The node's name.
    pub node: String,
    /// The block's number.
    pub block: u64,
    /// What it said.
    #[source]
    pub what: Lie,
}

/// What a node said that is false. The first seven are found from one answer alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// It gave another block than the one that was asked for.
    #[error("it gave block {found} instead")]
    OtherNumber {
        /// The number of the block it gave.
        found: u64,
    },
    /// The block does not have as many receipts as transactions.
    #[error("it gave {receipts} receipts of {transactions} transactions")]
    ReceiptCount {
        /// Transactions in the block.
        transactions: usize,
        /// Receipts that were given.
        receipts: usize,
    },
    /// A receipt is of another transaction than the one at its place.
    #[error("at transaction {transaction} it gave the receipt of {found}")]
    ReceiptOfOtherTransaction {
        /// The transaction at this place.
        transaction: B256,
        /// The one that the receipt names.
        found: B256,
    },
    /// A receipt, or a log in it, says that it belongs elsewhere.
    #[error("the receipt of {transaction}, or a log in it, is of block {found}")]
    ReceiptOfOtherBlock {
        /// The transaction.
        transaction: B256,
        /// The block that is named.
        found: B256,
    },
    /// The gas used up to a transaction is less than up to the one before it.
    #[error("the gas used up to {transaction} is less than before it")]
    GasFalls {
        /// The transaction.
        transaction: B256,
    },
    /// The logs do not make the header's bloom: some are missing, or some are added.
    #[error("the logs are not those of the header's bloom")]
    LogsBloom,
    /// The receipts do not make the header's receipts root: a status, an amount of gas or a log is false.
    #[error("the receipts make root {found}, the header says {header}")]
    ReceiptsRoot {
        /// The header's root.
        header: B256,
        /// The receipts' root.
        found: B256,
    },
    /// The block names a parent that the node itself does not have.
    #[error("its block names parent {named}, and its own block before it is {own}")]
    ParentNotItsOwn {
        /// The parent that the block names.
        named: B256,
        /// The block that the node has before it.
        own: B256,
    },
    /// A quorum agreed on another block.
    #[error("it says {given}, the quorum says {agreed}")]
    OtherBlock {
        /// What this node says the block's hash is.
        given: B256,
        /// What the quorum says.
        agreed: B256,
    },
    /// A quorum agreed on this block with other contents.
    #[error("it gives block {hash} with other contents than the quorum")]
    OtherContent {
        /// The block's hash.
        hash: B256,
    },
    /// The node is on another ledger than the quorum.
    #[error("it is on another ledger than the quorum")]
    OtherLedger(#[source] LedgerChange),
}
