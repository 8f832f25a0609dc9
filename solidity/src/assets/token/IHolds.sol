// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Where a hold stands.
enum HoldStatus {
    None,
    Active,
    Executed,
    Released
}

/// @notice Units set aside for one receiver, at a notary's word.
struct Hold {
    /// Whose units; they stay the holder's, and count for coupons and votes, until they move.
    address holder;
    HoldStatus status;
    /// From this second on the hold cannot be executed and anybody may release it. Seconds since 1970.
    uint48 expiry;
    /// Who receives on execution.
    address recipient;
    /// Who decides.
    address notary;
    /// Units that are still held; 0 once executed or released.
    uint104 amount;
}

/// @title IHolds
/// @notice Holds: units promised but not moved, such as one leg of a settlement whose other leg is elsewhere.
/// @dev Held units cannot be transferred, held again, frozen away from the notary or taken by force: the notary can rely
/// on them until expiry, also when the holder's wallet is frozen or replaced meanwhile. Therefore a notary needs
/// NOTARY_ROLE. Registry and rules are asked when a hold is executed, as for any transfer, and may refuse then; so does a
/// pause, and a freeze of the recipient.
interface IHolds {
    /// @notice Units were set aside.
    /// @param holdId {holdIdOf} of creator and reference.
    /// @param holder Whose units.
    /// @param recipient Who receives on execution.
    /// @param notary Who decides.
    /// @param amount Units.
    /// @param expiry End of the hold, in seconds since 1970.
    event HoldCreated(
        bytes32 indexed holdId,
        address indexed holder,
        address indexed recipient,
        address notary,
        uint256 amount,
        uint48 expiry
    );

    /// @notice Held units went to the recipient.
    /// @param holdId Which hold.
    /// @param amount Units that moved.
    /// @param remaining Units that are still held.
    event HoldExecuted(bytes32 indexed holdId, uint256 amount, uint256 remaining);

    /// @notice What was still held is free again.
    /// @param holdId Which hold.
    /// @param by Who released it.
    /// @param amount Units set free.
    event HoldReleased(bytes32 indexed holdId, address indexed by, uint256 amount);

    /// @notice The creator used this reference before.
    /// @param holdId Which hold.
    error HoldExists(bytes32 holdId);

    /// @notice There is no such hold, or it is executed or released.
    /// @param holdId Which hold.
    /// @param status Where it stands.
    error HoldNotActive(bytes32 holdId, HoldStatus status);

    /// @notice The end of the hold is not after this block.
    /// @param expiry What was given, in seconds since 1970.
    /// @param timestamp Time of the block.
    error HoldExpiryInThePast(uint48 expiry, uint256 timestamp);

    /// @notice The hold is past its end and can only be released.
    /// @param holdId Which hold.
    /// @param expiry Its end, in seconds since 1970.
    /// @param timestamp Time of the block.
    error HoldExpired(bytes32 holdId, uint48 expiry, uint256 timestamp);

    /// @notice Only the notary may do this now.
    /// @param holdId Which hold.
    /// @param caller Who asked.
    /// @param notary Who may.
    error HoldNotNotary(bytes32 holdId, address caller, address notary);

    /// @notice More, or nothing, was to be executed.
    /// @param holdId Which hold.
    /// @param amount What was asked for, in units.
    /// @param held What is held, in units.
    error HoldAmountInvalid(bytes32 holdId, uint256 amount, uint256 held);

    /// @notice Sets units of the caller aside.
    /// @dev Emits {HoldCreated}. Reverts with {HoldExists}, {HoldExpiryInThePast}, {HoldAmountInvalid} for nothing,
    /// `AccessControlUnauthorizedAccount` if the notary lacks NOTARY_ROLE, `ERC20InvalidReceiver` for zero,
    /// `TokenPaused`, `TokenWalletFrozen`, `ERC7943CannotSend` for a wallet that was replaced, or for want of free units.
    /// @param creatorReference The caller's own name of the hold, new to the caller.
    /// @param recipient Who receives on execution.
    /// @param amount Units.
    /// @param notary Who decides.
    /// @param expiry End of the hold, in seconds since 1970.
    /// @return holdId {holdIdOf} of caller and reference.
    function createHold(bytes32 creatorReference, address recipient, uint256 amount, address notary, uint48 expiry)
        external
        returns (bytes32 holdId);

    /// @notice Sets units of somebody else aside, within the allowance that the holder gave to the caller.
    /// @dev As {createHold}; the allowance is spent now, and given back by nobody if the hold is released.
    /// @param creatorReference The caller's own name of the hold, new to the caller.
    /// @param holder Whose units.
    /// @param recipient Who receives on execution.
    /// @param amount Units.
    /// @param notary Who decides.
    /// @param expiry End of the hold, in seconds since 1970.
    /// @return holdId {holdIdOf} of caller and reference.
    function createHoldFrom(
        bytes32 creatorReference,
        address holder,
        address recipient,
        uint256 amount,
        address notary,
        uint48 expiry
    ) external returns (bytes32 holdId);

    /// @notice Moves held units to the recipient. What is not executed stays held.
    /// @dev Requires to be the hold's notary, with NOTARY_ROLE still. Emits {HoldExecuted} and `Transfer`. Reverts with
    /// {HoldNotActive}, {HoldNotNotary}, {HoldExpired}, {HoldAmountInvalid}, or as a transfer does but for the holder's own
    /// freeze or replacement.
    /// @param holdId Which hold.
    /// @param amount Units, at least 1 and at most what is held.
    function executeHold(bytes32 holdId, uint256 amount) external;

    /// @notice Sets free what is still held. The notary may at any time, anybody from the end on.
    /// @dev Emits {HoldReleased}. Reverts with {HoldNotActive}, {HoldNotNotary}. Works while the token is paused.
    /// @param holdId Which hold.
    function releaseHold(bytes32 holdId) external;

    /// @notice The hold as it stands; all zero if there is none.
    /// @param holdId Which hold.
    /// @return The hold.
    function holdOf(bytes32 holdId) external view returns (Hold memory);

    /// @notice Units of an account that are set aside.
    /// @param account Whose units.
    /// @return Units, at most the account's balance.
    function heldBalanceOf(address account) external view returns (uint256);

    /// @notice The id of a creator's hold. Nobody else can take it: the creator is part of it.
    /// @param creator Who called {createHold} or {createHoldFrom}.
    /// @param creatorReference The creator's own name of the hold.
    /// @return holdId keccak256 of the two, ABI encoded.
    function holdIdOf(address creator, bytes32 creatorReference) external pure returns (bytes32 holdId);
}
