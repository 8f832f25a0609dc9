// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ICompliance} from "../compliance/ICompliance.sol";
import {ITransferRules, Movement} from "../compliance/ITransferRules.sol";
import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {Identity} from "../identity/Identity.sol";
import {Account, AccountFields} from "./Account.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {RecordDateKeeping} from "./RecordDateKeeping.sol";
import {TokenErrors} from "./TokenErrors.sol";
import {TokenHead} from "./TokenHead.sol";
import {TokenData} from "./TokenStorage.sol";

/// @title TokenLedger
/// @notice Balances, and the only ways in which they change.
/// @dev Five ways, all through {_move}: a holder's transfer is asked of everybody (pause, freezes, registry, rules), and
/// so is the execution of a hold, but for what was ordered of the holder since; an issue is asked of the registry and
/// the rules; an order and a recovery are asked of the registry alone; a redemption of nobody. ERC-3643 lets an issue pass
/// by the rules; here it does not, or caps of supply and offering would be of no use.
///
/// Registry and rules are asked by calls that cannot change anything, then balances change, then rules that keep books
/// are told: there is no moment at which somebody called could find the books half changed.
abstract contract TokenLedger is RecordDateKeeping, TokenErrors, IERC20Errors {
    /// @dev A holder's own transfer. In this order reverts with {TokenPaused}, `ERC20InvalidReceiver`,
    /// {TokenWalletFrozen}, `ERC20InsufficientBalance`, `ERC7943InsufficientUnfrozenBalance`, `ERC7943CannotReceive`,
    /// `ERC7943CannotSend` for a wallet that was replaced, {TokenRulesInvalid}, `ComplianceRefused`.
    function _transfer(address from, address to, uint256 amount) internal {
        TokenHead head = _token().head;
        Account sender = _token().accounts[from];
        _checkReceiver(head, to);
        if (sender.isFrozen()) revert TokenWalletFrozen(from);
        uint256 balance = sender.balance();
        if (balance < amount) revert ERC20InsufficientBalance(from, balance, amount);
        if (sender.free() < amount) {
            revert IERC7943Fungible.ERC7943InsufficientUnfrozenBalance(from, amount, sender.free());
        }
        (Identity fromIdentity, Identity toIdentity) = _screen(head, from, to);
        if (fromIdentity.isRetired()) revert IERC7943Fungible.ERC7943CannotSend(from);
        bool recordNeeded = _checkRules(head, _movement(from, to, amount, fromIdentity, toIdentity));
        _move(from, to, amount);
        if (recordNeeded) ICompliance(head.rules()).transferred(from, to, amount);
    }

    /// @dev The transfer of units that are held: they are there, and no longer encumbered once they moved. Reverts as
    /// {_transfer} does, except for want of units, and for what was ordered of the holder after the promise: a freeze, or
    /// another wallet.
    function _transferHeld(address from, address to, uint256 amount) internal {
        TokenHead head = _token().head;
        Account sender = _token().accounts[from];
        _checkReceiver(head, to);
        (Identity fromIdentity, Identity toIdentity) = _screen(head, from, to);
        bool recordNeeded = _checkRules(head, _movement(from, to, amount, fromIdentity, toIdentity));
        _token().accounts[from] = sender.withEncumbered(sender.encumbered() - amount);
        _move(from, to, amount);
        if (recordNeeded) ICompliance(head.rules()).transferred(from, to, amount);
    }

    /// @dev Issues units. Reverts with {TokenAmountTooLarge}, `ERC20InvalidReceiver`, {TokenWalletFrozen},
    /// `ERC7943CannotReceive`, {TokenRulesInvalid}, `ComplianceRefused`.
    function _issue(address to, uint256 amount) internal {
        TokenHead head = _token().head;
        uint256 supply = _token().supply.balance();
        uint256 max = AccountFields.UNITS_MAX;
        if (amount > max - supply) revert TokenAmountTooLarge(supply, amount, max);
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        if (_token().accounts[to].isFrozen()) revert TokenWalletFrozen(to);
        (Identity fromIdentity, Identity toIdentity) = _screen(head, address(0), to);
        bool recordNeeded = _checkRules(head, _movement(address(0), to, amount, fromIdentity, toIdentity));
        _move(address(0), to, amount);
        if (recordNeeded) ICompliance(head.rules()).created(to, amount);
    }

    /// @dev Moves units by order. They are there and neither frozen nor held. Reverts with `ERC7943CannotReceive`.
    function _order(address from, address to, uint256 amount) internal {
        TokenHead head = _token().head;
        _screen(head, from, to);
        _move(from, to, amount);
        if (head.rules() != address(0)) ICompliance(head.rules()).transferred(from, to, amount);
    }

    /// @dev Redeems units. They are there and neither frozen nor held.
    function _redeem(address from, uint256 amount) internal {
        _move(from, address(0), amount);
        address rules = _token().head.rules();
        if (rules != address(0)) ICompliance(rules).destroyed(from, amount);
    }

    /// @dev Takes from an allowance. Reverts with `ERC20InsufficientAllowance`.
    function _spendAllowance(address owner, address spender, uint256 value) internal {
        uint256 allowed = _token().allowances[owner][spender];
        if (allowed == type(uint256).max) return;
        if (allowed < value) revert ERC20InsufficientAllowance(spender, allowed, value);
        _token().allowances[owner][spender] = allowed - value;
    }

    /// @dev The only place where balances, supply and the number of holders change. The sender has the units (or the
    /// supply has room), and they are not encumbered. Emits `Transfer`.
    function _move(address from, address to, uint256 amount) private {
        TokenData storage data = _token();
        TokenHead head = data.head;
        (uint256 epoch, TokenHead newHead) = _epochNow(head);
        uint32 holders = newHead.holders();
        if (from == address(0)) {
            data.supply = _keep(data.supply, from, epoch).plus(amount);
        } else {
            Account sender = _keep(data.accounts[from], from, epoch).minus(amount);
            data.accounts[from] = sender;
            if (amount != 0 && sender.balance() == 0) --holders;
        }
        if (to == address(0)) {
            data.supply = _keep(data.supply, to, epoch).minus(amount);
        } else {
            // Read after the sender is written: the two may be one.
            Account receiver = _keep(data.accounts[to], to, epoch);
            if (amount != 0 && receiver.balance() == 0) ++holders;
            data.accounts[to] = receiver.plus(amount);
        }
        newHead = newHead.withHolders(holders);
        if (TokenHead.unwrap(newHead) != TokenHead.unwrap(head)) data.head = newHead;
        emit IERC20.Transfer(from, to, amount);
    }

    /// @dev Not stopped, and a receiver at all, whose wallet is not frozen.
    function _checkReceiver(TokenHead head, address to) private view {
        if (head.isPaused()) revert TokenPaused();
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        if (_token().accounts[to].isFrozen()) revert TokenWalletFrozen(to);
    }

    /// @dev Asks the registry, which must verify the receiver.
    function _screen(TokenHead head, address from, address to)
        private
        view
        returns (Identity fromIdentity, Identity toIdentity)
    {
        (fromIdentity, toIdentity) = IIdentityScreen(_token().registry).screen(from, to, head.requiredTopics());
        if (!toIdentity.isVerified()) revert IERC7943Fungible.ERC7943CannotReceive(to);
    }

    /// @dev Asks the rules. Returns whether they must be told.
    function _checkRules(TokenHead head, Movement memory movement) private view returns (bool) {
        if (head.rules() == address(0)) revert TokenRulesInvalid(address(0));
        return ITransferRules(head.rules()).check(movement);
    }

    /// @dev The facts of a movement.
    function _movement(address from, address to, uint256 amount, Identity fromIdentity, Identity toIdentity)
        internal
        view
        returns (Movement memory movement)
    {
        TokenData storage data = _token();
        movement.token = address(this);
        (movement.from, movement.to, movement.amount) = (from, to, amount);
        movement.fromBalance = from == address(0) ? 0 : data.accounts[from].balance();
        movement.toBalance = data.accounts[to].balance();
        movement.holders = data.head.holders();
        (movement.fromIdentity, movement.toIdentity) = (fromIdentity, toIdentity);
    }
}
