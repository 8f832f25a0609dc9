// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {RoleChecks} from "../access/RoleChecks.sol";
import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {Account} from "./Account.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {Hold, HoldStatus, IHolds} from "./IHolds.sol";
import {TokenLedger} from "./TokenLedger.sol";
import {TokenData} from "./TokenStorage.sol";

/// @title TokenHolds
/// @notice Units set aside for a receiver at a notary's word.
/// @dev A notary has NOTARY_ROLE when the hold is created and when it is executed: nobody puts units out of the reach of
/// orders by holding them for himself. Of a notary that lost the role, anybody may release.
abstract contract TokenHolds is RoleChecks, TokenLedger, IHolds {
    /// @inheritdoc IHolds
    function createHold(bytes32 creatorReference, address recipient, uint256 amount, address notary, uint48 expiry)
        external
        returns (bytes32 holdId)
    {
        return _createHold(creatorReference, msg.sender, recipient, amount, notary, expiry);
    }

    /// @inheritdoc IHolds
    function createHoldFrom(
        bytes32 creatorReference,
        address holder,
        address recipient,
        uint256 amount,
        address notary,
        uint48 expiry
    ) external returns (bytes32 holdId) {
        _spendAllowance(holder, msg.sender, amount);
        return _createHold(creatorReference, holder, recipient, amount, notary, expiry);
    }

    /// @inheritdoc IHolds
    function executeHold(bytes32 holdId, uint256 amount) external onlyRole(Duties.NOTARY) {
        Hold storage hold = _activeHold(holdId);
        if (msg.sender != hold.notary) revert HoldNotNotary(holdId, msg.sender, hold.notary);
        if (block.timestamp >= hold.expiry) revert HoldExpired(holdId, hold.expiry, block.timestamp);
        uint104 held = hold.amount;
        if (amount == 0 || amount > held) revert HoldAmountInvalid(holdId, amount, held);
        uint104 remaining = held - uint104(amount);
        hold.amount = remaining;
        if (remaining == 0) hold.status = HoldStatus.Executed;
        _token().encumbrances[hold.holder].held -= uint104(amount);
        _transferHeld(hold.holder, hold.recipient, amount);
        emit HoldExecuted(holdId, amount, remaining);
    }

    /// @inheritdoc IHolds
    function releaseHold(bytes32 holdId) external {
        Hold storage hold = _activeHold(holdId);
        bool isOpen = block.timestamp >= hold.expiry || !_hasRole(Duties.NOTARY, hold.notary);
        if (msg.sender != hold.notary && !isOpen) revert HoldNotNotary(holdId, msg.sender, hold.notary);
        uint104 amount = hold.amount;
        address holder = hold.holder;
        hold.amount = 0;
        hold.status = HoldStatus.Released;
        TokenData storage data = _token();
        data.encumbrances[holder].held -= amount;
        data.accounts[holder] = data.accounts[holder].withEncumbered(data.accounts[holder].encumbered() - amount);
        emit HoldReleased(holdId, msg.sender, amount);
    }

    /// @inheritdoc IHolds
    function holdOf(bytes32 holdId) external view returns (Hold memory) {
        return _token().holds[holdId];
    }

    /// @inheritdoc IHolds
    function heldBalanceOf(address account) external view returns (uint256) {
        return _token().encumbrances[account].held;
    }

    /// @inheritdoc IHolds
    function holdIdOf(address creator, bytes32 creatorReference) public pure returns (bytes32 holdId) {
        return keccak256(abi.encode(creator, creatorReference));
    }

    function _createHold(
        bytes32 creatorReference,
        address holder,
        address recipient,
        uint256 amount,
        address notary,
        uint48 expiry
    ) private returns (bytes32 holdId) {
        _checkRole(Duties.NOTARY, notary);
        holdId = holdIdOf(msg.sender, creatorReference);
        if (_token().holds[holdId].status != HoldStatus.None) revert HoldExists(holdId);
        if (expiry <= block.timestamp) revert HoldExpiryInThePast(expiry, block.timestamp);
        if (amount == 0) revert HoldAmountInvalid(holdId, amount, 0);
        if (recipient == address(0)) revert ERC20InvalidReceiver(recipient);
        _encumber(holder, amount);
        _token().holds[holdId] = Hold(holder, HoldStatus.Active, expiry, recipient, notary, uint104(amount));
        emit HoldCreated(holdId, holder, recipient, notary, amount, expiry);
    }

    /// @dev Adds to what is held of a holder, who has as much free.
    function _encumber(address holder, uint256 amount) private {
        TokenData storage data = _token();
        Account account = data.accounts[holder];
        if (data.head.isPaused()) revert TokenPaused();
        if (account.isFrozen()) revert TokenWalletFrozen(holder);
        if (IIdentityScreen(data.registry).screenOne(holder, 0).isRetired()) {
            revert IERC7943Fungible.ERC7943CannotSend(holder);
        }
        if (account.balance() < amount) revert ERC20InsufficientBalance(holder, account.balance(), amount);
        if (account.free() < amount) {
            revert IERC7943Fungible.ERC7943InsufficientUnfrozenBalance(holder, amount, account.free());
        }
        data.encumbrances[holder].held += uint104(amount);
        data.accounts[holder] = account.withEncumbered(account.encumbered() + amount);
    }

    function _activeHold(bytes32 holdId) private view returns (Hold storage hold) {
        hold = _token().holds[holdId];
        if (hold.status != HoldStatus.Active) revert HoldNotActive(holdId, hold.status);
    }
}
