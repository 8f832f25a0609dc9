//! What an answer says, and what whoever sent the request does next.

/// Declares an enum whose values can be walked and named: a test that goes through [`Meaning::ALL`] cannot miss one.
macro_rules! walkable {
    ($(#[$outer:meta])* pub enum $name:ident { $($(#[$inner:meta])* $variant:ident,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $name {
            /// All values, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value's name as written in the source, for logs and metric labels.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }
        }
    };
}

walkable! {
    /// What a node's error says, whatever words it uses.
    pub enum Meaning {
        // --- The transaction and its nonce -------------------------------------------------------------------------
        /// The sender's account has used this nonce: by this very transaction, or by another.
        NonceTooLow,
        /// The nonce lies further ahead than the pool keeps for one sender.
        NonceTooDistant,
        /// The nonce is ahead of the account's, where the node wants it exact.
        NonceTooHigh,
        /// The nonce has the greatest value that an account can reach; the sender is used up.
        NonceOverflow,
        /// The pool holds this very transaction.
        AlreadyKnown,
        /// The pool holds another transaction with this nonce, and this one does not pay enough to replace it.
        ReplacementUnderpriced,
        /// The pool refused a lower nonce of this sender, so it will not take a higher one.
        LowerNonceInvalid,
        /// The pool holds as many transactions of this sender as it takes.
        TooManyOfSender,
        /// The pool has no room for anybody.
        PoolFull,
        /// The node takes no transactions: its pool is switched off, or it is not in sync yet.
        PoolDisabled,

        // --- The transaction can never be valid as it stands --------------------------------------------------------
        /// The signature does not recover, or its `s` is high.
        InvalidSignature,
        /// The transaction was signed for another chain.
        WrongChainId,
        /// The network's rules do not know chain ids in signatures (older than EIP-155).
        ChainIdNotSupported,
        /// The node wants a chain id in the signature.
        ChainIdRequired,
        /// The network's rules do not know this type of transaction, or its fields contradict each other.
        InvalidTransactionType,
        /// The gas limit is below what the transaction costs before its first instruction.
        IntrinsicGasExceedsLimit,
        /// The gas limit is above that of a block.
        ExceedsBlockGasLimit,
        /// The gas limit is above the network's cap for one transaction (EIP-7825) or the node's own.
        ExceedsTransactionGasLimit,
        /// The creation code is longer than EIP-3860 allows.
        InitcodeTooLarge,
        /// The transaction is longer than the node takes.
        ExceedsTransactionSize,
        /// The priority fee is above the greatest fee of the same transaction.
        PriorityFeeAboveMaxFee,
        /// Gas limit times price is above what this node's operator allows.
        FeeCapExceeded,
        /// The blobs of the transaction are wrong, too many or missing.
        InvalidBlobs,
        /// A plugin of the node refuses the transaction by its own rule.
        PluginRefused,

        // --- The sender cannot pay or is not allowed ---------------------------------------------------------------
        /// The balance does not cover gas limit times price, plus value; in Besu since 26.9 without the value.
        UpfrontCostExceedsBalance,
        /// The balance does not cover the value that is moved, by itself or after the gas.
        InsufficientFundsForTransfer,
        /// The network's permissioning does not let this account send.
        SenderNotAuthorized,

        // --- The price ---------------------------------------------------------------------------------------------
        /// The price is below the least that the node takes.
        GasPriceTooLow,
        /// The price is below the base fee of the present block.
        GasPriceBelowBaseFee,
        /// The network is free of gas, and the transaction names a price.
        GasPriceMustBeZero,
        /// The blob price is below the present one.
        BlobGasPriceTooLow,

        // --- Execution ---------------------------------------------------------------------------------------------
        /// The call was executed and reverted; the answer's `data` holds the bytes.
        ExecutionReverted,
        /// The call was executed and stopped by an exception (out of gas, invalid instruction, stack).
        ExecutionHalted,
        /// No gas limit within the allowance makes the call succeed.
        GasAllowanceExceeded,

        // --- State and blocks --------------------------------------------------------------------------------------
        /// The node is in its initial sync and does not know the head's state, or is still indexing what it was asked for.
        StateNotAvailable,
        /// The node does not keep the state of the block that was asked about.
        WorldStateUnavailable,
        /// The block is not there (methods that debug and trace, calls at a block).
        BlockNotFound,
        /// The block is not there (Besu's own code for block queries by tag or number).
        UnknownBlock,
        /// The parent of the block is not there.
        ParentBlockNotFound,
        /// The genesis block has no transactions to trace.
        GenesisNotTraceable,
        /// The transaction is not there.
        TransactionNotFound,
        /// The account is not there.
        AccountNotFound,
        /// What was asked for is not there.
        ResourceNotFound,
        /// The history that was asked about was pruned.
        PrunedHistoryUnavailable,

        // --- Limits of the node ------------------------------------------------------------------------------------
        /// The range of blocks in a log query is longer than the node answers.
        ExceedsBlockRange,
        /// The batch has more requests than the node answers.
        ExceedsBatchSize,
        /// The connection has as many subscriptions as the node allows.
        ExceedsSubscriptions,
        /// The node keeps as many filters as it allows.
        ExceedsFilters,
        /// The filter names more addresses than the node allows.
        ExceedsFilterAddresses,
        /// The answer would be longer than the node sends.
        ResponseTooLarge,
        /// The node, or what stands before it, counts requests and has had enough for now.
        TooManyRequests,
        /// The node gave up working on the request; for a transaction the outcome is unknown.
        RequestTimedOut,

        // --- Filters and subscriptions -----------------------------------------------------------------------------
        /// The filter is gone or never was.
        FilterNotFound,
        /// The filter is gone, or is not one of logs.
        LogsFilterNotFound,
        /// The subscription is gone or never was.
        SubscriptionNotFound,

        // --- The request itself ------------------------------------------------------------------------------------
        /// The body is not JSON.
        ParseError,
        /// The body is JSON, yet no request.
        InvalidRequest,
        /// The node does not know the method.
        MethodNotFound,
        /// The node knows the method, and its operator has not enabled it.
        MethodNotEnabled,
        /// The node holds no keys: only signed transactions can be sent.
        SendTransactionNotSupported,
        /// The credentials are missing or not good for this method.
        Unauthorized,
        /// Parameters are missing or malformed; a raw transaction that does not decode is answered so.
        InvalidParams,
        /// The account parameter is malformed.
        InvalidAccountParams,
        /// The address parameter is malformed.
        InvalidAddressParams,
        /// The block parameter names no block.
        InvalidBlockParams,
        /// The block count is malformed.
        InvalidBlockCountParams,
        /// The block hash is malformed.
        InvalidBlockHashParams,
        /// The block index is malformed.
        InvalidBlockIndexParams,
        /// The block number or tag is malformed.
        InvalidBlockNumberParams,
        /// The call object is malformed.
        InvalidCallParams,
        /// The data parameter is malformed.
        InvalidDataParams,
        /// The filter object is malformed.
        InvalidFilterParams,
        /// The filter's id is malformed.
        InvalidFilterIdParams,
        /// The log filter is malformed.
        InvalidLogFilterParams,
        /// The storage position is malformed.
        InvalidPositionParams,
        /// The flag for whole transactions is malformed.
        InvalidReturnCompleteTransactionParams,
        /// The percentiles of a fee history are malformed.
        InvalidRewardPercentilesParams,
        /// The storage keys of a proof are malformed.
        InvalidStorageKeysParams,
        /// The subscription's kind or options are malformed.
        InvalidSubscriptionParams,
        /// The transaction's index is malformed.
        InvalidTransactionIndexParams,
        /// The transaction's hash is malformed.
        InvalidTransactionHashParams,
        /// The transaction parameter is missing or malformed.
        InvalidTransactionParams,
        /// There are too many or too few parameters.
        InvalidParamCount,

        // --- The node itself ---------------------------------------------------------------------------------------
        /// The node failed, or says so: Besu also answers a refusal for which it has no text of its own with this.
        InternalError,
    }
}

/// What to do after an answer. It is the same whichever node gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextStep {
    /// The node has the transaction: wait for its receipt by hash.
    AwaitReceipt,
    /// Nobody knows whether the node has the transaction: send the same bytes again, at once or after a short pause.
    SendSameBytesAgain,
    /// The node will take the transaction when it has room: wait, then the same bytes.
    WaitAndSendSameBytes,
    /// The node has as many of the sender as it takes, or none so far ahead: offer fewer at once; the same bytes when others of the
    /// sender are mined.
    ShrinkWindow,
    /// The nonce is used: look for our own hash first. Only the receipt of another transaction proves that it was not ours.
    LookUpByHash,
    /// An earlier transaction of the sender is missing at the node: send that one first, then this one, same bytes both.
    RepairLowerNonce,
    /// The price is too low now: wait for it to fall, or sign again with the *same nonce* where prices exist.
    Reprice,
    /// The transaction can never be valid as it stands, and has used no nonce: it ends, with its reason.
    Refuse,
    /// Everything of this sender would be answered like this: stop sending, tell a person, go on with the same bytes.
    PauseSender,
    /// Wrong network, wrong signature or wrong credentials: nothing that is sent again would help. Stop and wake a person.
    StopAndAlarm,
    /// This node cannot serve now: ask another, or the same one later.
    OtherNode,
    /// The call failed by the contract's own rule: decode the bytes, that is the answer.
    DecodeRevert,
    /// The question is too large for the node: ask for less at a time.
    AskForLess,
    /// What was asked about is not there (yet): that is the answer.
    NotThere,
    /// The filter or subscription is gone: make a new one and read what was missed.
    SubscribeAgain,
    /// The node does not offer the method: use another method, or another node.
    OtherMethod,
    /// We asked wrongly: a defect on our side, not to be repeated.
    FixRequest,
}

impl Meaning {
    /// What to do after an answer with this meaning.
    ///
    /// Two rules stand behind them: after a byte may have left, only the same signed bytes are sent again; and a nonce is
    /// given to something else only after proof that it was not used.
    // One meaning to a line would make the page longer and no clearer.
    #[rustfmt::skip]
    pub const fn next_step(self) -> NextStep {
        match self {
            Self::NonceTooLow => NextStep::LookUpByHash,
            Self::AlreadyKnown => NextStep::AwaitReceipt,
            Self::NonceTooDistant | Self::NonceTooHigh | Self::TooManyOfSender => NextStep::ShrinkWindow,
            Self::PoolFull => NextStep::WaitAndSendSameBytes,
            Self::LowerNonceInvalid => NextStep::RepairLowerNonce,
            // Another transaction holds the nonce in this node's pool. With one lane per sender that is our own earlier
            // one, or a foreign sender's with our key: the hash decides which.
            Self::ReplacementUnderpriced => NextStep::LookUpByHash,
            Self::GasPriceTooLow | Self::GasPriceBelowBaseFee | Self::BlobGasPriceTooLow => NextStep::Reprice,
            Self::InvalidTransactionType
            | Self::IntrinsicGasExceedsLimit
            | Self::ExceedsBlockGasLimit
            | Self::ExceedsTransactionGasLimit
            | Self::InitcodeTooLarge
            | Self::ExceedsTransactionSize
            | Self::PriorityFeeAboveMaxFee
            | Self::FeeCapExceeded
            | Self::InvalidBlobs
            | Self::PluginRefused => NextStep::Refuse,
            Self::UpfrontCostExceedsBalance
            | Self::InsufficientFundsForTransfer
            | Self::SenderNotAuthorized
            | Self::GasPriceMustBeZero => NextStep::PauseSender,
            Self::InvalidSignature
            | Self::WrongChainId
            | Self::ChainIdNotSupported
            | Self::ChainIdRequired
            | Self::NonceOverflow
            | Self::Unauthorized => NextStep::StopAndAlarm,
            Self::PoolDisabled
            | Self::StateNotAvailable
            | Self::WorldStateUnavailable
            | Self::PrunedHistoryUnavailable
            | Self::TooManyRequests => NextStep::OtherNode,
            Self::InternalError | Self::RequestTimedOut => NextStep::SendSameBytesAgain,
            Self::ExecutionReverted | Self::ExecutionHalted | Self::GasAllowanceExceeded => NextStep::DecodeRevert,
            Self::ExceedsBlockRange
            | Self::ExceedsBatchSize
            | Self::ExceedsSubscriptions
            | Self::ExceedsFilters
            | Self::ExceedsFilterAddresses
            | Self::ResponseTooLarge => NextStep::AskForLess,
            Self::BlockNotFound
            | Self::UnknownBlock
            | Self::ParentBlockNotFound
            | Self::GenesisNotTraceable
            | Self::TransactionNotFound
            | Self::AccountNotFound
            | Self::ResourceNotFound => NextStep::NotThere,
            Self::FilterNotFound | Self::LogsFilterNotFound | Self::SubscriptionNotFound => NextStep::SubscribeAgain,
            Self::MethodNotFound | Self::MethodNotEnabled | Self::SendTransactionNotSupported => NextStep::OtherMethod,
            Self::ParseError | Self::InvalidRequest | Self::InvalidParams | Self::InvalidAccountParams
            | Self::InvalidAddressParams | Self::InvalidBlockParams | Self::InvalidBlockCountParams
            | Self::InvalidBlockHashParams | Self::InvalidBlockIndexParams | Self::InvalidBlockNumberParams
            | Self::InvalidCallParams | Self::InvalidDataParams | Self::InvalidFilterParams
            | Self::InvalidFilterIdParams | Self::InvalidLogFilterParams | Self::InvalidPositionParams
            | Self::InvalidReturnCompleteTransactionParams | Self::InvalidRewardPercentilesParams
            | Self::InvalidStorageKeysParams | Self::InvalidSubscriptionParams | Self::InvalidTransactionIndexParams
            | Self::InvalidTransactionHashParams | Self::InvalidTransactionParams
            | Self::InvalidParamCount => NextStep::FixRequest,
        }
    }
}
