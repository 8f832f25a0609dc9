// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMovementSource} from "../compliance/IMovementSource.sol";
import {ITransferRules, Movement, Refusal} from "../compliance/ITransferRules.sol";
import {ReasonCodes} from "../compliance/ReasonCodes.sol";
import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {Identity} from "../identity/Identity.sol";
import {Account} from "./Account.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {TokenLedger} from "./TokenLedger.sol";
import {TokenData} from "./TokenStorage.sol";

/// @title TokenAnswers
/// @notice Whether a transfer would be possible, and every reason why not.
abstract contract TokenAnswers is TokenLedger, IERC7943Fungible, IMovementSource {
    /// @dev Most refusals of the token itself: four of its own books, one of the receiver or the registry, one of the
    /// sender.
    uint256 private constant OWN_REFUSALS_MAX = 6;

    /// @notice What of an account may leave: neither frozen nor held.
    /// @param account Whose units.
    /// @return Units.
    function freeBalanceOf(address account) external view returns (uint256) {
        return _token().accounts[account].free();
    }

    /// @notice Number of accounts with a balance.
    /// @return Accounts.
    function holderCount() external view returns (uint256) {
        return _token().head.holders();
    }

    /// @inheritdoc IERC7943Fungible
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        return transferRefusals(from, to, amount).length == 0;
    }

    /// @inheritdoc IERC7943Fungible
    function canSend(address account) external view returns (bool) {
        if (account == address(0) || _token().accounts[account].isFrozen()) return false;
        (bool answered, Identity identity,) = _tryScreen(account, address(0));
        return answered && !identity.isRetired();
    }

    /// @inheritdoc IERC7943Fungible
    function canReceive(address account) external view returns (bool) {
        if (_token().accounts[account].isFrozen()) return false;
        (bool answered,, Identity identity) = _tryScreen(address(0), account);
        return answered && identity.isVerified();
    }

    /// @inheritdoc IMovementSource
    function movementOf(address from, address to, uint256 amount) external view returns (Movement memory) {
        (, Identity fromIdentity, Identity toIdentity) = _tryScreen(from, to);
        return _movement(from, to, amount, fromIdentity, toIdentity);
    }

    /// @inheritdoc IMovementSource
    function investorNumber(address account) external view returns (uint32) {
        return IIdentityScreen(_token().registry).screenOne(account, 0).number();
    }

    /// @notice Every reason why a holder's transfer would be refused now: the token's own and those of every rule.
    /// @dev Never reverts. Allowances are not asked.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param amount Units.
    /// @return list Empty if the transfer is permitted; the reasons are those of `ReasonCodes`.
    function transferRefusals(address from, address to, uint256 amount) public view returns (Refusal[] memory list) {
        (bool answered, Identity fromIdentity, Identity toIdentity) = _tryScreen(from, to);
        Refusal[] memory ofRules = _refusalsOfRules(_movement(from, to, amount, fromIdentity, toIdentity));
        list = new Refusal[](ofRules.length + OWN_REFUSALS_MAX);
        uint256 count = _ownRefusals(list, from, to, amount);
        if (!answered) {
            list[count++] = Refusal(address(this), ReasonCodes.RULES_UNAVAILABLE, 0);
        } else if (!toIdentity.isVerified()) {
            list[count++] = Refusal(address(this), ReasonCodes.RECEIVER_NOT_VERIFIED, uint160(to));
        }
        if (fromIdentity.isRetired()) {
            list[count++] = Refusal(address(this), ReasonCodes.SENDER_REPLACED, uint160(from));
        }
        for (uint256 i = 0; i < ofRules.length; ++i) {
            list[count++] = ofRules[i];
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function _ownRefusals(Refusal[] memory list, address from, address to, uint256 amount)
        private
        view
        returns (uint256 count)
    {
        TokenData storage data = _token();
        Account sender = data.accounts[from];
        if (data.head.isPaused()) list[count++] = Refusal(address(this), ReasonCodes.PAUSED, 0);
        if (sender.isFrozen()) list[count++] = Refusal(address(this), ReasonCodes.SENDER_FROZEN, uint160(from));
        if (data.accounts[to].isFrozen()) {
            list[count++] = Refusal(address(this), ReasonCodes.RECEIVER_FROZEN, uint160(to));
        }
        if (sender.free() < amount) {
            list[count++] = Refusal(address(this), ReasonCodes.FREE_UNITS_INSUFFICIENT, sender.free());
        }
    }

    /// @dev What the rules say, or that they say nothing.
    function _refusalsOfRules(Movement memory movement) private view returns (Refusal[] memory list) {
        address rules = _token().head.rules();
        if (rules.code.length != 0) {
            try ITransferRules(rules).refusals(movement) returns (Refusal[] memory answer) {
                return answer;
            } catch {}
        }
        list = new Refusal[](1);
        list[0] = Refusal(address(this), ReasonCodes.RULES_UNAVAILABLE, 0);
    }

    /// @dev What the registry says, or that it says nothing.
    function _tryScreen(address from, address to)
        private
        view
        returns (bool answered, Identity fromIdentity, Identity toIdentity)
    {
        TokenData storage data = _token();
        try IIdentityScreen(data.registry).screen(from, to, data.head.requiredTopics()) returns (
            Identity ofFrom, Identity ofTo
        ) {
            return (true, ofFrom, ofTo);
        } catch {
            return (false, Identity.wrap(0), Identity.wrap(0));
        }
    }
}
