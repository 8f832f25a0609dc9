//! From the ledger's errors to Besu's words.

use crate::executor::InvalidReason;
use crate::node::SubmitError;
use crate::pool::PoolError;
use crate::transaction::TransactionError;
use alloy_primitives::Bytes;
use jsonrpsee::types::ErrorObjectOwned;
use node_errors::Meaning;

/// Besu's code and message, with our explanation as data.
pub(super) fn answer(meaning: Meaning, explanation: &str) -> ErrorObjectOwned {
    let besu = node_errors::besu(meaning);
    ErrorObjectOwned::owned(code(besu.code), besu.message, Some(explanation))
}

/// Besu's code and message alone.
pub(super) fn plain(meaning: Meaning) -> ErrorObjectOwned {
    let besu = node_errors::besu(meaning);
    ErrorObjectOwned::owned::<()>(code(besu.code), besu.message, None)
}

/// A revert: the returned bytes are the data, and a reason in words follows the message, as in Besu.
pub(super) fn reverted(output: &Bytes) -> ErrorObjectOwned {
    let besu = node_errors::besu(Meaning::ExecutionReverted);
    let message = match reason_text(output) {
        Some(reason) => format!("{}: {reason}", besu.message),
        None => besu.message.to_owned(),
    };
    ErrorObjectOwned::owned(code(besu.code), message, Some(output))
}

fn code(code: i64) -> i32 {
    i32::try_from(code).unwrap_or(i32::MIN)
}

/// The text of `Error(string)` (selector 0x08c379a0), if the bytes are one.
fn reason_text(output: &Bytes) -> Option<String> {
    let body = output.strip_prefix(&[0x08, 0xc3, 0x79, 0xa0])?;
    let length_word = body.get(32..64)?;
    let length = usize::from(u16::from_be_bytes([length_word[30], length_word[31]]));
    if length_word[..30].iter().any(|byte| *byte != 0) {
        return None;
    }
    String::from_utf8(body.get(64..64 + length)?.to_vec()).ok()
}

/// What Besu means when it refuses a transaction for the same reason.
pub(super) fn submit_meaning(error: &SubmitError) -> Meaning {
    match error {
        SubmitError::Transaction(error) => transaction_meaning(error),
        SubmitError::Pool(error) => pool_meaning(error),
        SubmitError::AlreadyMined { .. } => Meaning::NonceTooLow,
        SubmitError::IntrinsicGas { .. } => Meaning::IntrinsicGasExceedsLimit,
        SubmitError::BlockGasLimit { .. } => Meaning::ExceedsBlockGasLimit,
        SubmitError::TransactionGasLimit { .. } => Meaning::ExceedsTransactionGasLimit,
        SubmitError::InitcodeTooLong { .. } => Meaning::InitcodeTooLarge,
        SubmitError::BelowBaseFee { .. } => Meaning::GasPriceBelowBaseFee,
        SubmitError::SenderIsContract { .. } => Meaning::SenderNotAuthorized,
        SubmitError::PriorityFee => Meaning::PriorityFeeAboveMaxFee,
        SubmitError::Balance { .. } => Meaning::UpfrontCostExceedsBalance,
    }
}

fn transaction_meaning(error: &TransactionError) -> Meaning {
    match error {
        TransactionError::TooLong { .. } => Meaning::ExceedsTransactionSize,
        TransactionError::Malformed | TransactionError::NoAuthorizations => Meaning::InvalidTransactionParams,
        TransactionError::Type { .. } => Meaning::InvalidTransactionType,
        TransactionError::WrongChain { .. } => Meaning::WrongChainId,
        TransactionError::NoChainId => Meaning::ChainIdRequired,
        TransactionError::Signature => Meaning::InvalidSignature,
    }
}

fn pool_meaning(error: &PoolError) -> Meaning {
    match error {
        PoolError::AlreadyKnown => Meaning::AlreadyKnown,
        PoolError::NonceTooLow { .. } => Meaning::NonceTooLow,
        PoolError::NonceTooDistant { .. } => Meaning::NonceTooDistant,
        PoolError::ReplacementUnderpriced { .. } => Meaning::ReplacementUnderpriced,
        PoolError::Full { .. } => Meaning::PoolFull,
    }
}

/// What Besu means when a call cannot begin for the same reason.
pub(super) fn invalid_meaning(reason: &InvalidReason) -> Meaning {
    match reason {
        InvalidReason::NonceTooLow { .. } => Meaning::NonceTooLow,
        InvalidReason::NonceTooHigh { .. } => Meaning::NonceTooHigh,
        InvalidReason::Balance { .. } => Meaning::UpfrontCostExceedsBalance,
        InvalidReason::IntrinsicGas { .. } => Meaning::IntrinsicGasExceedsLimit,
        InvalidReason::BelowBaseFee => Meaning::GasPriceBelowBaseFee,
        InvalidReason::InitcodeTooLarge => Meaning::InitcodeTooLarge,
        InvalidReason::Other(_) => Meaning::InvalidCallParams,
    }
}
