//! The rows, and the two ways to read them: by answer ([`classify`]) and by meaning ([`besu`]).
//!
//! Where a row's source says `RpcErrorType`, that is
//! `ethereum/api/src/main/java/org/hyperledger/besu/ethereum/api/jsonrpc/internal/response/RpcErrorType.java` of besu-eth/besu at
//! commit 85e3577; `JsonRpcErrorConverter`, of the same commit, says which refusals of the pool have words of their own. "Notes
//! of" a release is its section of besu-eth/besu's `CHANGELOG.md`, read at commit 00fe97c, and "pull request" one of that
//! repository: Besu's rows were last walked against 26.9.0 and what was merged after it (22 November 2026). geth's sources are
//! those of ethereum/go-ethereum, by file; Quorum's those of Consensys/quorum.
//!
//! No row can say what follows, so that whoever reads answers must know it:
//!
//! * A plugin that refuses a transaction answers `eth_sendRawTransaction` with code -32000 and words of its own
//!   (`EthSendRawTransaction`). They are in no row, so the same bytes are sent again until somebody looks at the log.
//! * Since 25.12 Besu answers a question about the state, or the receipts, of a block that it does not have with the result `null`,
//!   no error (notes of 25.12, pull request 9303). `eth_estimateGas` and `eth_getLogs` by hash still say `Block not found`.
//! * Besu before mid-2023 answered `Invalid params` where it says `Internal error` since (pull request 5506): to a pool without a
//!   chain head as well as to a transaction that can never be valid.

use crate::Meaning;

/// A family of nodes that answers in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Hyperledger Besu.
    Besu,
    /// go-ethereum and what descends from it (Quorum, most RPC services).
    Geth,
}

/// Which releases give an answer. Release names are the node's own, like `25.12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versions {
    /// The first release that gives the answer; `None` where it was always there or the first is not known.
    pub since: Option<&'static str>,
    /// The first release that no longer gives it; `None` where the newest does.
    pub before: Option<&'static str>,
}

impl Versions {
    /// The newest release gives the answer; since when is not known.
    const ALL: Self = Self { since: None, before: None };

    const fn since(release: &'static str) -> Self {
        Self { since: Some(release), before: None }
    }

    const fn before(release: &'static str) -> Self {
        Self { since: None, before: Some(release) }
    }

    /// Whether the newest release gives the answer.
    pub const fn reach_the_newest(self) -> bool {
        self.before.is_none()
    }
}

/// One answer of one family of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Who says it.
    pub family: Family,
    /// The JSON-RPC error code.
    pub code: i64,
    /// The message, or how it begins: nodes add particulars after it (`nonce too low: next nonce 5`, and, in Besu since
    /// pull request 8129 of 2025, in parentheses: `Execution reverted (ERC20: …)`).
    pub message: &'static str,
    /// Which releases say it.
    pub versions: Versions,
    /// What it says.
    pub meaning: Meaning,
    /// Where this was read.
    pub source: &'static str,
}

/// An error as a node sends it: code and message, without data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The JSON-RPC error code.
    pub code: i64,
    /// The message. Particulars, where Besu adds them, follow it: in parentheses, and after `": "` before 2025.
    pub message: &'static str,
}

const fn row(family: Family, code: i64, message: &'static str, meaning: Meaning, source: &'static str) -> Row {
    Row { family, code, message, versions: Versions::ALL, meaning, source }
}

/// A row of the newest Besu, read in `RpcErrorType`.
const fn b(code: i64, message: &'static str, meaning: Meaning) -> Row {
    row(Family::Besu, code, message, meaning, "RpcErrorType")
}

const fn g(code: i64, message: &'static str, meaning: Meaning, source: &'static str) -> Row {
    row(Family::Geth, code, message, meaning, source)
}

const fn in_versions(row: Row, versions: Versions, source: &'static str) -> Row {
    Row { versions, source, ..row }
}

/// Besu's answer to what it has no words for, also to refusals of its pool (`JsonRpcErrorConverter`, default branch).
const BESU_INTERNAL_ERROR: Row = b(-32603, "Internal error", Meaning::InternalError);

/// Besu 26.9 checks the gas and the value against the balance one after the other, each with its own words; 26.9.0 was seen to
/// answer so. A table that knew the old words alone would take a sender without money for a node with a fault.
const BESU_BALANCE: &str = "pull request 11272, answers of 26.9.0";
const GETH_POOL: &str = "core/txpool/errors.go";
const GETH_CORE: &str = "core/error.go";
const GETH_RPC: &str = "rpc/errors.go";
const GETH_API: &str = "internal/ethapi";

/// Every answer we know, Besu first. Where one meaning has several rows of Besu, the first that the newest release says is
/// the one that [`besu`] gives.
pub const TABLE: &[Row] = &[
    // The transaction and its nonce.
    b(-32001, "Nonce too low", Meaning::NonceTooLow),
    b(-32006, "Nonce too high", Meaning::NonceTooHigh),
    b(-32000, "Transaction nonce is too distant from current sender nonce", Meaning::NonceTooDistant),
    b(-32000, "Known transaction", Meaning::AlreadyKnown),
    b(-32000, "Replacement transaction underpriced", Meaning::ReplacementUnderpriced),
    // The words are still in `RpcErrorType`; the memory of refused nonces, which led to them, is gone.
    in_versions(
        b(-32000, "An invalid transaction with a lower nonce exists", Meaning::LowerNonceInvalid),
        Versions::before("23.10.2"),
        "RpcErrorType, notes of 23.10.2 (pull request 6148)",
    ),
    b(
        -32002,
        "Transaction pool not enabled. (Either txpool explicitly disabled, or node not yet in sync).",
        Meaning::PoolDisabled,
    ),
    // Never valid as it stands.
    b(-32002, "Invalid signature", Meaning::InvalidSignature),
    b(-32000, "Wrong chainId", Meaning::WrongChainId),
    b(-32000, "ChainId not supported", Meaning::ChainIdNotSupported),
    b(-32000, "ChainId is required", Meaning::ChainIdRequired),
    b(-32602, "Invalid transaction type", Meaning::InvalidTransactionType),
    b(-32003, "Intrinsic gas exceeds gas limit", Meaning::IntrinsicGasExceedsLimit),
    b(-32005, "Transaction gas limit exceeds block gas limit", Meaning::ExceedsBlockGasLimit),
    b(-32005, "Transaction gas limit cap exceeded", Meaning::ExceedsTransactionGasLimit),
    in_versions(
        b(-32000, "Transaction size exceeds the maximum allowed size", Meaning::ExceedsTransactionSize),
        Versions::since("26.8.1"),
        "RpcErrorType, notes of 26.8.1",
    ),
    b(-32000, "Max priority fee per gas exceeds max fee per gas", Meaning::PriorityFeeAboveMaxFee),
    b(-32000, "Transaction fee cap exceeded", Meaning::FeeCapExceeded),
    b(-32603, "blobs failed kzg validation", Meaning::InvalidBlobs),
    b(-32000, "Total blob gas too high", Meaning::InvalidBlobs),
    // In `RpcErrorType` alone: `JsonRpcErrorConverter` gives it to nobody, the pool says that the blobs failed.
    b(-32602, "Invalid blob count (blob transactions must have at least one blob)", Meaning::InvalidBlobs),
    b(-32000, "Plugin has marked the transaction as invalid", Meaning::PluginRefused),
    b(-32000, "Plugin has marked the transaction as not acceptable by the transaction pool", Meaning::PluginRefused),
    // The sender.
    in_versions(
        b(-32004, "Upfront gas cost exceeds account balance", Meaning::UpfrontCostExceedsBalance),
        Versions::since("26.9"),
        BESU_BALANCE,
    ),
    in_versions(
        b(-32004, "Upfront cost exceeds account balance", Meaning::UpfrontCostExceedsBalance),
        Versions::before("26.9"),
        "RpcErrorType, pull request 11272",
    ),
    in_versions(
        b(-32004, "Insufficient funds for transfer", Meaning::InsufficientFundsForTransfer),
        Versions::since("26.9"),
        BESU_BALANCE,
    ),
    b(-32007, "Sender account not authorized to send transactions", Meaning::SenderNotAuthorized),
    // The price.
    b(-32009, "Gas price below configured minimum gas price", Meaning::GasPriceTooLow),
    b(-32009, "Gas price below current base fee", Meaning::GasPriceBelowBaseFee),
    b(-32009, "blob gas price below current blob base fee", Meaning::BlobGasPriceTooLow),
    // Execution.
    in_versions(
        b(3, "Execution reverted", Meaning::ExecutionReverted),
        Versions::since("25.12"),
        "RpcErrorType, notes of 25.12",
    ),
    in_versions(
        b(-32000, "Execution reverted", Meaning::ExecutionReverted),
        Versions::before("25.12"),
        "notes of 25.12",
    ),
    b(-32000, "Transaction processing could not be completed due to an exception", Meaning::ExecutionHalted),
    // State and blocks.
    b(-32008, "Initial sync is still in progress", Meaning::StateNotAvailable),
    b(-32000, "World state unavailable", Meaning::WorldStateUnavailable),
    b(-32000, "Block not found", Meaning::BlockNotFound),
    b(-39001, "Unknown block", Meaning::UnknownBlock),
    b(-32000, "Parent block not found", Meaning::ParentBlockNotFound),
    in_versions(
        b(-32000, "genesis is not traceable", Meaning::GenesisNotTraceable),
        Versions::since("26.4"),
        "RpcErrorType, notes of 26.4",
    ),
    b(-32000, "Transaction not found", Meaning::TransactionNotFound),
    b(-32000, "Account not found", Meaning::AccountNotFound),
    b(-32001, "Resource not found", Meaning::ResourceNotFound),
    b(4444, "Pruned history unavailable", Meaning::PrunedHistoryUnavailable),
    // Limits.
    b(-32005, "Requested range exceeds maximum RPC range limit", Meaning::ExceedsBlockRange),
    b(-32005, "Number of requests exceeds max batch size", Meaning::ExceedsBatchSize),
    in_versions(
        b(-32005, "Maximum number of active subscriptions exceeded", Meaning::ExceedsSubscriptions),
        Versions::since("26.7.1"),
        "RpcErrorType, notes of 26.7.1",
    ),
    in_versions(
        b(-32005, "Maximum number of active filters exceeded", Meaning::ExceedsFilters),
        Versions::since("26.7.1"),
        "RpcErrorType, notes of 26.7.1",
    ),
    in_versions(
        b(-32005, "Filter address count exceeds limit", Meaning::ExceedsFilterAddresses),
        Versions::since("26.8.1"),
        "RpcErrorType, notes of 26.8.1",
    ),
    b(-32603, "Timeout expired", Meaning::RequestTimedOut),
    // Filters and subscriptions.
    b(-32000, "Filter not found", Meaning::FilterNotFound),
    b(-32000, "Logs filter not found", Meaning::LogsFilterNotFound),
    b(-32000, "Subscription not found", Meaning::SubscriptionNotFound),
    // The request.
    b(-32700, "Parse error", Meaning::ParseError),
    b(-32600, "Invalid Request", Meaning::InvalidRequest),
    b(-32601, "Method not found", Meaning::MethodNotFound),
    b(-32604, "Method not enabled", Meaning::MethodNotEnabled),
    b(
        -32604,
        "The method eth_sendTransaction is not supported. Use eth_sendRawTransaction to send a signed transaction to Besu.",
        Meaning::SendTransactionNotSupported,
    ),
    b(-40100, "Unauthorized", Meaning::Unauthorized),
    b(-32602, "Invalid params", Meaning::InvalidParams),
    b(-32602, "Invalid account params", Meaning::InvalidAccountParams),
    b(-32602, "Invalid address params", Meaning::InvalidAddressParams),
    // Also what a query for logs beyond the head, or with its ends reversed, gets since 26.1.
    in_versions(
        b(-32602, "Invalid block param (block not found)", Meaning::InvalidBlockParams),
        Versions::since("25.3"),
        "RpcErrorType, notes of 25.3",
    ),
    // Also what a raw transaction that does not decode got: `EthSendRawTransaction` of that time.
    in_versions(
        b(-32602, "Invalid block, unable to parse RLP", Meaning::InvalidBlockParams),
        Versions::before("25.3"),
        "RpcErrorType of 4759b67, notes of 25.3",
    ),
    b(-32602, "Invalid block count params", Meaning::InvalidBlockCountParams),
    b(-32602, "Invalid block hash params", Meaning::InvalidBlockHashParams),
    b(-32602, "Invalid block index params", Meaning::InvalidBlockIndexParams),
    b(-32602, "Invalid block number params", Meaning::InvalidBlockNumberParams),
    b(-32602, "Invalid call params", Meaning::InvalidCallParams),
    b(-32602, "Invalid data params", Meaning::InvalidDataParams),
    b(-32602, "Invalid filter params", Meaning::InvalidFilterParams),
    b(-32602, "Invalid ID params", Meaning::InvalidFilterIdParams),
    b(-32602, "Invalid log filter params", Meaning::InvalidLogFilterParams),
    b(-32602, "Invalid position params", Meaning::InvalidPositionParams),
    b(-32602, "Invalid return complete transaction params", Meaning::InvalidReturnCompleteTransactionParams),
    b(-32602, "Invalid reward percentiles params", Meaning::InvalidRewardPercentilesParams),
    b(-32602, "Invalid storage keys params", Meaning::InvalidStorageKeysParams),
    b(-32602, "Invalid subscription params", Meaning::InvalidSubscriptionParams),
    b(-32602, "Invalid transaction index params", Meaning::InvalidTransactionIndexParams),
    b(-32602, "Invalid transaction hash params", Meaning::InvalidTransactionHashParams),
    b(-32602, "Invalid transaction params (missing or incorrect)", Meaning::InvalidTransactionParams),
    b(-32602, "Invalid number of params", Meaning::InvalidParamCount),
    // The node.
    BESU_INTERNAL_ERROR,
    b(-32603, "Unknown internal error", Meaning::InternalError),
    b(-32603, "Plugin internal error", Meaning::InternalError),
    // geth: the pool.
    g(-32000, "already known", Meaning::AlreadyKnown, GETH_POOL),
    g(-32000, "nonce too low", Meaning::NonceTooLow, GETH_CORE),
    g(-32000, "nonce too high", Meaning::NonceTooHigh, GETH_CORE),
    g(-32000, "nonce has max value", Meaning::NonceOverflow, GETH_CORE),
    g(-32000, "replacement transaction underpriced", Meaning::ReplacementUnderpriced, GETH_POOL),
    g(-32000, "future transaction tries to replace pending", Meaning::ReplacementUnderpriced, GETH_POOL),
    g(-32000, "txpool is full", Meaning::PoolFull, "core/txpool/legacypool/legacypool.go"),
    g(-32000, "account limit exceeded", Meaning::TooManyOfSender, GETH_POOL),
    g(
        -32000,
        "in-flight transaction limit reached for delegated accounts",
        Meaning::TooManyOfSender,
        "core/txpool/legacypool/legacypool.go",
    ),
    g(
        -32000,
        "invalid sender: invalid chain id for signer",
        Meaning::WrongChainId,
        "core/types/transaction_signing.go",
    ),
    g(-32000, "invalid transaction v, r, s values", Meaning::InvalidSignature, "core/types/transaction.go"),
    g(-32000, "rlp", Meaning::InvalidParams, "rlp/decode.go"),
    g(-32000, "invalid sender", Meaning::InvalidSignature, GETH_POOL),
    g(-32000, "only replay-protected (EIP-155) transactions allowed over RPC", Meaning::ChainIdRequired, GETH_API),
    g(-32000, "transaction type not supported", Meaning::InvalidTransactionType, "core/types/transaction.go"),
    g(-32000, "intrinsic gas too low", Meaning::IntrinsicGasExceedsLimit, GETH_CORE),
    g(-32000, "insufficient gas for floor data gas cost", Meaning::IntrinsicGasExceedsLimit, GETH_CORE),
    g(-32000, "exceeds block gas limit", Meaning::ExceedsBlockGasLimit, GETH_POOL),
    g(-32000, "transaction gas limit too high", Meaning::ExceedsTransactionGasLimit, GETH_CORE),
    g(-32000, "max initcode size exceeded", Meaning::InitcodeTooLarge, GETH_CORE),
    g(-32000, "oversized data", Meaning::ExceedsTransactionSize, GETH_POOL),
    g(-32000, "max priority fee per gas higher than max fee per gas", Meaning::PriorityFeeAboveMaxFee, GETH_CORE),
    g(-32000, "tx fee", Meaning::FeeCapExceeded, GETH_API),
    g(-32000, "insufficient funds for gas * price + value", Meaning::UpfrontCostExceedsBalance, GETH_CORE),
    g(-32000, "insufficient funds for transfer", Meaning::InsufficientFundsForTransfer, GETH_CORE),
    g(-32000, "sender not an eoa", Meaning::SenderNotAuthorized, GETH_CORE),
    g(-32000, "transaction underpriced", Meaning::GasPriceTooLow, GETH_POOL),
    g(-32000, "Gas price not 0", Meaning::GasPriceMustBeZero, "Quorum, core/tx_pool.go"),
    g(-32000, "max fee per gas less than block base fee", Meaning::GasPriceBelowBaseFee, GETH_CORE),
    g(-32000, "max fee per blob gas less than block blob gas fee", Meaning::BlobGasPriceTooLow, GETH_CORE),
    // geth: execution, state, limits.
    g(3, "execution reverted", Meaning::ExecutionReverted, GETH_API),
    g(-32000, "execution reverted", Meaning::ExecutionReverted, GETH_API),
    g(-32000, "out of gas", Meaning::ExecutionHalted, "core/vm/errors.go"),
    g(-32000, "invalid opcode", Meaning::ExecutionHalted, "core/vm/errors.go"),
    g(-32000, "gas required exceeds allowance", Meaning::GasAllowanceExceeded, GETH_API),
    g(-32000, "header not found", Meaning::BlockNotFound, "eth/api_backend.go"),
    g(-32000, "unknown block", Meaning::UnknownBlock, "eth/filters/api.go"),
    g(-32000, "missing trie node", Meaning::WorldStateUnavailable, "trie/errors.go"),
    g(-32000, "transaction indexing is in progress", Meaning::StateNotAvailable, "internal/ethapi/errors.go"),
    g(4444, "pruned history unavailable", Meaning::PrunedHistoryUnavailable, "core/history/historymode.go"),
    g(-32000, "filter not found", Meaning::FilterNotFound, "eth/filters/api.go"),
    g(-32002, "request timed out", Meaning::RequestTimedOut, GETH_RPC),
    g(-32003, "response too large", Meaning::ResponseTooLarge, GETH_RPC),
    g(-32600, "batch too large", Meaning::ExceedsBatchSize, GETH_RPC),
    g(-32601, "the method", Meaning::MethodNotFound, GETH_RPC),
    g(-32602, "invalid argument", Meaning::InvalidParams, "rpc/json.go"),
    g(-32602, "missing value for required argument", Meaning::InvalidParamCount, "rpc/json.go"),
    g(-32602, "too many arguments", Meaning::InvalidParamCount, "rpc/json.go"),
    g(-32603, "method handler crashed", Meaning::InternalError, GETH_RPC),
    // What stands before a node counts requests in the words of EIP-1474.
    g(-32005, "limit exceeded", Meaning::TooManyRequests, "EIP-1474"),
];

/// The row that an answer belongs to; `None` if it is in no row, which the caller logs whole and counts.
///
/// A message matches a row if it is the row's, or begins with it and goes on with something that is no letter or digit: nodes
/// add particulars (`nonce too low: next nonce 5, tx nonce 3`). Of several rows the one with the longest message wins.
///
/// ```
/// use node_errors::{Meaning, classify};
///
/// let row = classify(3, "Execution reverted (ERC20: transfer amount exceeds balance)").expect("it is in the table");
/// assert_eq!(row.meaning, Meaning::ExecutionReverted);
/// assert!(classify(3, "Execution revertedly").is_none());
/// ```
pub fn classify(code: i64, message: &str) -> Option<&'static Row> {
    TABLE
        .iter()
        .filter(|row| row.code == code && begins_with_the_words(message, row.message))
        .max_by_key(|row| row.message.len())
}

fn begins_with_the_words(message: &str, words: &str) -> bool {
    match message.strip_prefix(words) {
        None => false,
        Some(rest) => !rest.starts_with(char::is_alphanumeric),
    }
}

/// What the newest Besu answers when it means this. Where Besu has no words of its own (a pool without room, a creation
/// code that is too long), that is `Internal error`, as in its `JsonRpcErrorConverter`.
pub fn besu(meaning: Meaning) -> Answer {
    let row = own_words_of_besu(meaning).unwrap_or(&BESU_INTERNAL_ERROR);
    Answer { code: row.code, message: row.message }
}

fn own_words_of_besu(meaning: Meaning) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.family == Family::Besu && row.meaning == meaning && row.versions.reach_the_newest())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::NextStep;

    #[test]
    fn code_and_message_are_unique() {
        let mut seen = HashSet::new();
        for row in TABLE {
            assert!(seen.insert((row.code, row.message)), "twice: {} {}", row.code, row.message);
        }
    }

    #[test]
    fn every_row_classifies_to_itself_with_and_without_particulars() {
        for row in TABLE {
            assert_eq!(classify(row.code, row.message), Some(row));
            assert_eq!(classify(row.code, &format!("{}: particulars 1", row.message)), Some(row));
            assert_eq!(classify(row.code, &format!("{} (particulars)", row.message)), Some(row));
            assert_ne!(classify(row.code, &format!("{}ly", row.message)), Some(row), "{}", row.message);
            assert_eq!(classify(row.code - 1_000_000, row.message), None, "a code that nobody uses");
        }
    }

    #[test]
    fn what_besu_says_means_what_was_asked_for() {
        for &meaning in Meaning::ALL {
            let answer = besu(meaning);
            let row = classify(answer.code, answer.message).expect("an answer of the table");
            assert_eq!(row.family, Family::Besu);
            if own_words_of_besu(meaning).is_some() {
                assert_eq!(row.meaning, meaning);
            } else {
                assert_eq!(row.meaning, Meaning::InternalError, "{} has no words of its own", meaning.name());
            }
        }
    }

    #[test]
    fn every_meaning_is_said_by_somebody() {
        for &meaning in Meaning::ALL {
            assert!(TABLE.iter().any(|row| row.meaning == meaning), "nobody says {}", meaning.name());
        }
    }

    #[test]
    fn a_shared_code_is_told_apart_by_its_message() {
        let meanings =
            |code| TABLE.iter().filter(|row| row.code == code).map(|row| row.meaning).collect::<HashSet<_>>();
        assert_eq!(meanings(-32001).len(), 2);
        assert!(meanings(-32005).len() >= 6);
        assert!(meanings(-32000).len() >= 30);
    }

    #[test]
    fn besu_and_geth_mean_the_same_in_their_own_words() {
        for (code, message, meaning) in [
            (-32000, "nonce too low: next nonce 5, tx nonce 3", Meaning::NonceTooLow),
            (
                -32000,
                "insufficient funds for gas * price + value: balance 0, tx cost 1",
                Meaning::UpfrontCostExceedsBalance,
            ),
            (-32000, "tx fee (2.10 ether) exceeds the configured cap (1.00 ether)", Meaning::FeeCapExceeded),
            (-32601, "the method eth_foo does not exist/is not available", Meaning::MethodNotFound),
            (-32602, "invalid argument 0: hex string has length 3", Meaning::InvalidParams),
            (-32000, "Known transaction", Meaning::AlreadyKnown),
            (-32000, "already known", Meaning::AlreadyKnown),
        ] {
            assert_eq!(classify(code, message).map(|row| row.meaning), Some(meaning), "{message}");
        }
    }

    /// Networks run old releases for years: what a release put in other words, or another code, is read in both.
    #[test]
    fn words_that_besu_changed_are_read_in_every_release() {
        for (before, since, meaning) in [
            ((-32000, "Execution reverted: no"), (3, "Execution reverted (no)"), Meaning::ExecutionReverted),
            (
                (-32004, "Upfront cost exceeds account balance"),
                (-32004, "Upfront gas cost exceeds account balance (transaction up-front gas cost 0x2 exceeds …)"),
                Meaning::UpfrontCostExceedsBalance,
            ),
            (
                (-32602, "Invalid block, unable to parse RLP"),
                (-32602, "Invalid block param (block not found)"),
                Meaning::InvalidBlockParams,
            ),
        ] {
            let read = |(code, message)| classify(code, message).expect(message);
            let (old, new) = (read(before), read(since));
            assert_eq!((old.meaning, new.meaning), (meaning, meaning));
            assert!(!old.versions.reach_the_newest() && new.versions.reach_the_newest(), "{meaning:?}");
            assert_eq!(old.versions.before, new.versions.since, "no release is left out: {meaning:?}");
            assert_eq!((besu(meaning).code, besu(meaning).message), (new.code, new.message));
        }
        assert_eq!(besu(Meaning::LowerNonceInvalid).message, "Internal error", "the newest has no such refusal");
    }

    #[test]
    fn nothing_that_may_have_been_taken_is_refused_for_good() {
        for meaning in [Meaning::InternalError, Meaning::RequestTimedOut, Meaning::AlreadyKnown, Meaning::NonceTooLow] {
            assert_ne!(meaning.next_step(), NextStep::Refuse, "{}", meaning.name());
        }
    }
}
