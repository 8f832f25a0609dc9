// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {SwapBetweenBanks} from "./SwapBetweenBanks.sol";

/// @title SwapProposals
/// @notice A swap in two steps: the paying customer proposes, the receiving customer executes within a minute; until
/// then either cancels, and after it anybody closes what nobody executed.
/// @dev
/// ```
/// (none) ── startSwap, by the payer ──────────────────────────────────► PENDING
/// PENDING ── executeSwap, by the receiver, within 60 s ───────────────► EXECUTED
/// PENDING ── cancelSwap, by payer or receiver, at any time ───────────► CANCELLED
/// PENDING ── expireSwap, by anybody, after 60 s ──────────────────────► EXPIRED
/// ```
/// The last three are final. Proposals are numbered from 0 in each contract.
abstract contract SwapProposals is SwapBetweenBanks {
    using NonZeroAddress for address;

    /// @notice Where a proposal stands. The first three are the kit's.
    enum SwapStatus {
        /// Waits for the receiver.
        PENDING,
        /// Paid.
        EXECUTED,
        /// Called off by payer or receiver.
        CANCELLED,
        /// Closed after its time.
        EXPIRED
    }

    /// @notice A proposal; four slots.
    struct SwapProposal {
        /// The payer's Real Tokenizado.
        RealTokenizado tokenSender;
        /// Time of the block that it was made in, in seconds since 1970.
        uint64 timestamp;
        /// Where it stands.
        SwapStatus status;
        /// The receiver's Real Tokenizado.
        RealTokenizado tokenReceiver;
        /// Cents.
        uint96 amount;
        /// The payer.
        address sender;
        /// The receiver.
        address receiver;
    }

    /// @notice For how long a proposal can be executed, in seconds after the block that it was made in.
    uint256 public constant PROPOSAL_SECONDS_MAX = 60;

    /// @notice Largest amount of a proposal, in cents: some 7.9e26 reais.
    uint256 public constant SWAP_AMOUNT_MAX = type(uint96).max;

    /// @notice How many proposals were made; the ids go from 0 to one less.
    uint256 public proposalCount;

    /// @dev Id to proposal.
    mapping(uint256 proposalId => SwapProposal proposal) private _proposals;

    /// @notice A customer proposed to pay a customer of another bank.
    /// @param proposalId The proposal.
    /// @param senderNumber Root of the CNPJ of the payer's bank.
    /// @param receiverNumber Root of the CNPJ of the receiver's bank.
    /// @param sender The payer.
    /// @param receiver The receiver.
    /// @param amount Cents.
    event SwapStarted(
        uint256 indexed proposalId,
        uint256 indexed senderNumber,
        uint256 indexed receiverNumber,
        address sender,
        address receiver,
        uint256 amount
    );

    /// @notice A proposal was paid.
    /// @param proposalId The proposal.
    /// @param senderNumber Root of the CNPJ of the payer's bank.
    /// @param receiverNumber Root of the CNPJ of the receiver's bank.
    /// @param sender The payer.
    /// @param receiver The receiver.
    /// @param amount Cents.
    event SwapExecuted(
        uint256 indexed proposalId,
        uint256 indexed senderNumber,
        uint256 indexed receiverNumber,
        address sender,
        address receiver,
        uint256 amount
    );

    /// @notice A proposal was called off.
    /// @param proposalId The proposal.
    /// @param reason Why, in the words of who cancelled.
    event SwapCancelled(uint256 indexed proposalId, string reason);

    /// @notice A proposal was closed after its time.
    /// @param proposalId The proposal.
    event ExpiredProposal(uint256 indexed proposalId);

    /// @notice No proposal has the number.
    /// @param proposalId The number.
    /// @param proposalCount How many proposals were made.
    error SwapProposalUnknown(uint256 proposalId, uint256 proposalCount);

    /// @notice The proposal is no longer pending.
    /// @param proposalId The proposal.
    /// @param status Where it stands, for good.
    error SwapProposalClosed(uint256 proposalId, SwapStatus status);

    /// @notice The proposal's time is over: it can be cancelled or closed, not executed.
    /// @param proposalId The proposal.
    /// @param deadline Last second that it could be executed in, since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    error SwapProposalExpired(uint256 proposalId, uint256 deadline, uint256 timestamp);

    /// @notice The proposal's time is not over: payer and receiver alone may close it.
    /// @param proposalId The proposal.
    /// @param deadline Last second that it can be executed in, since 1970.
    /// @param timestamp Time of the block, in seconds since 1970.
    error SwapProposalNotExpired(uint256 proposalId, uint256 deadline, uint256 timestamp);

    /// @notice Somebody else must call.
    /// @param proposalId The proposal.
    /// @param caller Who called.
    error SwapInvalidCaller(uint256 proposalId, address caller);

    /// @notice The receiver is not enabled in its bank's token.
    /// @param token The token.
    /// @param receiver The receiver.
    error SwapReceiverNotEnabled(address token, address receiver);

    /// @notice The amount is too large.
    /// @param amount Cents.
    /// @param max {SWAP_AMOUNT_MAX}.
    error SwapAmountTooLarge(uint256 amount, uint256 max);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    constructor(address admin_, address authority_, RealDigital token) SwapBetweenBanks(admin_, authority_, token) {}

    /// @notice Proposes to pay `receiver` from what the caller holds.
    /// @dev Open to every holder. Emits {SwapStarted}, and what {_start} emits. Reverts with `SwapSameToken`,
    /// `SwapTokenNotApproved`, `DrexZeroAddress` (receiver), {SwapReceiverNotEnabled}, {SwapAmountTooLarge}, or as
    /// {_start} does.
    /// @param tokenSender The payer's Real Tokenizado.
    /// @param tokenReceiver The receiver's Real Tokenizado.
    /// @param receiver The receiver; the only one who may execute.
    /// @param amount Cents.
    function startSwap(RealTokenizado tokenSender, RealTokenizado tokenReceiver, address receiver, uint256 amount)
        external
    {
        _requirePair(tokenSender, tokenReceiver);
        receiver.check("receiver");
        if (!tokenReceiver.verifyAccount(receiver)) revert SwapReceiverNotEnabled(address(tokenReceiver), receiver);
        if (amount > SWAP_AMOUNT_MAX) revert SwapAmountTooLarge(amount, SWAP_AMOUNT_MAX);
        uint256 proposalId = proposalCount++;
        SwapProposal memory proposal = SwapProposal({
            tokenSender: tokenSender,
            timestamp: uint64(block.timestamp),
            status: SwapStatus.PENDING,
            tokenReceiver: tokenReceiver,
            amount: uint96(amount),
            sender: msg.sender,
            receiver: receiver
        });
        _proposals[proposalId] = proposal;
        emit SwapStarted(proposalId, tokenSender.cnpj8(), tokenReceiver.cnpj8(), msg.sender, receiver, amount);
        _start(proposal);
    }

    /// @notice Takes what was proposed: the payer's token is burned, Real Digital reaches the receiving bank's reserve,
    /// the receiver's token is minted.
    /// @dev Requires the receiver's wallet. Emits {SwapExecuted}, and the tokens' `Transfer` events. Reverts with
    /// {SwapProposalUnknown}, {SwapProposalClosed}, {SwapInvalidCaller}, {SwapProposalExpired}, `SwapTokenNotApproved`
    /// (a token that was taken off the list), or as each token's movement does.
    /// @param proposalId The proposal.
    function executeSwap(uint256 proposalId) external {
        SwapProposal memory proposal = _pending(proposalId);
        if (msg.sender != proposal.receiver) revert SwapInvalidCaller(proposalId, msg.sender);
        uint256 deadline = proposal.timestamp + PROPOSAL_SECONDS_MAX;
        if (block.timestamp > deadline) revert SwapProposalExpired(proposalId, deadline, block.timestamp);
        _requirePair(proposal.tokenSender, proposal.tokenReceiver);
        _proposals[proposalId].status = SwapStatus.EXECUTED;
        emit SwapExecuted(
            proposalId,
            proposal.tokenSender.cnpj8(),
            proposal.tokenReceiver.cnpj8(),
            proposal.sender,
            proposal.receiver,
            proposal.amount
        );
        _execute(proposal);
        proposal.tokenReceiver.mint(proposal.receiver, proposal.amount);
    }

    /// @notice Calls off a proposal, also after its time.
    /// @dev Requires the payer or the receiver. Emits {SwapCancelled}, and what {_release} emits. Reverts with
    /// {SwapProposalUnknown}, {SwapProposalClosed}, {SwapInvalidCaller}, or as {_release} does.
    /// @param proposalId The proposal.
    /// @param reason Why, for the event.
    function cancelSwap(uint256 proposalId, string calldata reason) external {
        SwapProposal memory proposal = _pending(proposalId);
        if (msg.sender != proposal.sender && msg.sender != proposal.receiver) {
            revert SwapInvalidCaller(proposalId, msg.sender);
        }
        _proposals[proposalId].status = SwapStatus.CANCELLED;
        emit SwapCancelled(proposalId, reason);
        _release(proposal);
    }

    /// @notice Closes a proposal after its time, so that nothing stays locked when both customers are silent.
    /// @dev Open to anybody. Emits {ExpiredProposal}, and what {_release} emits. Reverts with {SwapProposalUnknown},
    /// {SwapProposalClosed}, {SwapProposalNotExpired}, or as {_release} does.
    /// @param proposalId The proposal.
    function expireSwap(uint256 proposalId) external {
        SwapProposal memory proposal = _pending(proposalId);
        uint256 deadline = proposal.timestamp + PROPOSAL_SECONDS_MAX;
        if (block.timestamp <= deadline) revert SwapProposalNotExpired(proposalId, deadline, block.timestamp);
        _proposals[proposalId].status = SwapStatus.EXPIRED;
        emit ExpiredProposal(proposalId);
        _release(proposal);
    }

    /// @notice A proposal as it is stored. A pending one whose time is over reads as pending until it is closed.
    /// @dev Reverts with {SwapProposalUnknown}.
    /// @param proposalId The proposal.
    /// @return The proposal.
    function swapProposals(uint256 proposalId) external view returns (SwapProposal memory) {
        _requireKnown(proposalId);
        return _proposals[proposalId];
    }

    /// @dev What a proposal takes or asks when it is made.
    function _start(SwapProposal memory proposal) internal virtual;

    /// @dev Burns the payer's token and brings Real Digital to the receiving bank's reserve.
    function _execute(SwapProposal memory proposal) internal virtual;

    /// @dev Gives back what a proposal took when it was made.
    function _release(SwapProposal memory proposal) internal virtual;

    /// @dev The proposal if it is pending; else reverts with {SwapProposalUnknown} or {SwapProposalClosed}.
    function _pending(uint256 proposalId) private view returns (SwapProposal memory proposal) {
        _requireKnown(proposalId);
        proposal = _proposals[proposalId];
        if (proposal.status != SwapStatus.PENDING) revert SwapProposalClosed(proposalId, proposal.status);
    }

    /// @dev Reverts with {SwapProposalUnknown} unless a proposal has the number.
    function _requireKnown(uint256 proposalId) private view {
        if (proposalId >= proposalCount) revert SwapProposalUnknown(proposalId, proposalCount);
    }
}
