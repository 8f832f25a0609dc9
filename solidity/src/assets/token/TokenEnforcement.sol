// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {RoleChecks} from "../access/RoleChecks.sol";
import {IIdentityRegistry} from "../identity/IIdentityRegistry.sol";
import {IIdentityScreen} from "../identity/IIdentityScreen.sol";
import {WalletSuccession} from "../identity/WalletSuccession.sol";
import {Account, AccountFields} from "./Account.sol";
import {IERC3643} from "./IERC3643.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {TokenAnswers} from "./TokenAnswers.sol";
import {Encumbrance, TOKEN_BATCH_ENTRIES_MAX, TokenData} from "./TokenStorage.sol";

/// @title TokenEnforcement
/// @notice What agents do to wallets by order: freeze, move, recover, stop.
/// @dev Frozen units do not stop an order: they are freed by it, and `Frozen` says so before `Transfer`. Held units do:
/// somebody else was promised them, and their notary must release them first.
abstract contract TokenEnforcement is RoleChecks, TokenAnswers {
    /// @notice Stops transfers and holds. Issue, redemption and orders go on.
    /// @dev Requires AGENT_ROLE. Emits `Paused`. Reverts with `TokenPaused`.
    function pause() external onlyRole(Duties.AGENT) {
        TokenData storage data = _token();
        if (data.head.isPaused()) revert TokenPaused();
        data.head = data.head.withPaused(true);
        emit IERC3643.Paused(msg.sender);
    }

    /// @notice Lets transfers and holds go on.
    /// @dev Requires AGENT_ROLE. Emits `Unpaused`. Reverts with `TokenNotPaused`.
    function unpause() external onlyRole(Duties.AGENT) {
        TokenData storage data = _token();
        if (!data.head.isPaused()) revert TokenNotPaused();
        data.head = data.head.withPaused(false);
        emit IERC3643.Unpaused(msg.sender);
    }

    /// @notice Freezes or frees a whole wallet: nothing enters or leaves it but by order.
    /// @dev Requires AGENT_ROLE. Emits `AddressFrozen`.
    /// @param userAddress The wallet.
    /// @param freeze Whether it is to be frozen.
    function setAddressFrozen(address userAddress, bool freeze) external onlyRole(Duties.AGENT) {
        _setWalletFrozen(userAddress, freeze);
    }

    /// @notice Freezes further units of a wallet that are free.
    /// @dev Requires AGENT_ROLE. Emits `TokensFrozen`, `Frozen`. Reverts with `ERC7943InsufficientUnfrozenBalance`.
    /// @param userAddress The wallet.
    /// @param amount Units to add to what is frozen.
    function freezePartialTokens(address userAddress, uint256 amount) external onlyRole(Duties.AGENT) {
        _freezeFurther(userAddress, amount);
    }

    /// @notice Frees frozen units of a wallet.
    /// @dev Requires AGENT_ROLE. Emits `TokensUnfrozen`, `Frozen`. Reverts with `TokenInsufficientFrozen`.
    /// @param userAddress The wallet.
    /// @param amount Units to take from what is frozen.
    function unfreezePartialTokens(address userAddress, uint256 amount) external onlyRole(Duties.AGENT) {
        _unfreeze(userAddress, amount);
    }

    /// @notice Sets how many units of an account are frozen; may be more than it has, so that later receipts freeze too.
    /// @dev Requires AGENT_ROLE. Emits `TokensFrozen` or `TokensUnfrozen`, and `Frozen`. Reverts with
    /// `TokenAmountTooLarge`.
    /// @param account Whose units.
    /// @param amount The new total, in units.
    /// @return result Always true.
    function setFrozenTokens(address account, uint256 amount) external onlyRole(Duties.AGENT) returns (bool result) {
        _setFrozen(account, amount);
        return true;
    }

    /// @notice Moves units by order, frozen ones too, held ones not. The rules are not asked, but told.
    /// @dev Requires AGENT_ROLE. Emits `Frozen` and `TokensUnfrozen` if frozen units are taken, `Transfer`,
    /// `ForcedTransfer`. Reverts with `ERC20InsufficientBalance`, `TokenUnitsHeld`, `ERC7943CannotReceive`.
    /// @param from Whose units.
    /// @param to Who receives; verified, and not frozen.
    /// @param amount Units.
    /// @return result Always true.
    function forcedTransfer(address from, address to, uint256 amount)
        external
        onlyRole(Duties.AGENT)
        returns (bool result)
    {
        _forceTransfer(from, to, amount);
        return true;
    }

    /// @notice Moves what an investor has from a lost wallet to the one that took its place by the registry, however many
    /// stood between. Freezes follow: frozen units stay frozen there, and if the lost wallet was frozen as a whole, so is
    /// the new one. What is held stays behind until its notary decides, and can be moved by a second call.
    /// @dev The first call takes the lost wallet out of use and freezes it; that freeze is no order, and a second call
    /// does not carry it over. Who froze a wallet only because it was lost frees it before.
    ///
    /// Requires AGENT_ROLE. Emits `TokensUnfrozen` and `Frozen` of the lost wallet and `TokensFrozen` and `Frozen` of the
    /// new one if any is frozen, `Transfer`, `ForcedTransfer`, by the first call `AddressFrozen` of the lost wallet or, if
    /// that was frozen, of the new one, and `RecoverySuccess`. Reverts with `TokenRecoveryUnproven`,
    /// `ERC7943CannotReceive`, `TokenAmountTooLarge`, `InvestorSuccessionsTooMany`.
    /// @param lostWallet From.
    /// @param newWallet To; verified, and may be frozen.
    /// @param investorOnchainID Whose: the identity of the new wallet.
    /// @return Always true.
    function recoveryAddress(address lostWallet, address newWallet, address investorOnchainID)
        external
        onlyRole(Duties.AGENT)
        returns (bool)
    {
        TokenData storage data = _token();
        _checkSuccessor(data.registry, lostWallet, newWallet, investorOnchainID);
        Encumbrance memory encumbrance = data.encumbrances[lostWallet];
        if (encumbrance.frozen != 0) _setFrozen(lostWallet, 0);
        uint256 amount = data.accounts[lostWallet].balance() - encumbrance.held;
        _order(lostWallet, newWallet, amount);
        emit ForcedTransfer(lostWallet, newWallet, amount);
        if (encumbrance.frozen != 0) {
            _setFrozen(newWallet, uint256(data.encumbrances[newWallet].frozen) + encumbrance.frozen);
        }
        _retire(lostWallet, newWallet);
        emit IERC3643.RecoverySuccess(lostWallet, newWallet, investorOnchainID);
        return true;
    }

    /// @notice {forcedTransfer} per entry; all or none.
    /// @dev Requires AGENT_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param fromList Whose units, at most `BATCH_ENTRIES_MAX`.
    /// @param toList Who receives.
    /// @param amounts Units.
    function batchForcedTransfer(address[] calldata fromList, address[] calldata toList, uint256[] calldata amounts)
        external
        onlyRole(Duties.AGENT)
    {
        _checkBatch(fromList.length, toList.length);
        _checkBatch(fromList.length, amounts.length);
        for (uint256 i = 0; i < fromList.length; ++i) {
            _forceTransfer(fromList[i], toList[i], amounts[i]);
        }
    }

    /// @notice {setAddressFrozen} per entry; all or none.
    /// @dev Requires AGENT_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param userAddresses The wallets, at most `BATCH_ENTRIES_MAX`.
    /// @param freeze Whether each is to be frozen.
    function batchSetAddressFrozen(address[] calldata userAddresses, bool[] calldata freeze)
        external
        onlyRole(Duties.AGENT)
    {
        _checkBatch(userAddresses.length, freeze.length);
        for (uint256 i = 0; i < userAddresses.length; ++i) {
            _setWalletFrozen(userAddresses[i], freeze[i]);
        }
    }

    /// @notice {freezePartialTokens} per entry; all or none.
    /// @dev Requires AGENT_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param userAddresses The wallets, at most `BATCH_ENTRIES_MAX`.
    /// @param amounts Units to add to what is frozen of each.
    function batchFreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyRole(Duties.AGENT)
    {
        _checkBatch(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < userAddresses.length; ++i) {
            _freezeFurther(userAddresses[i], amounts[i]);
        }
    }

    /// @notice {unfreezePartialTokens} per entry; all or none.
    /// @dev Requires AGENT_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param userAddresses The wallets, at most `BATCH_ENTRIES_MAX`.
    /// @param amounts Units to take from what is frozen of each.
    function batchUnfreezePartialTokens(address[] calldata userAddresses, uint256[] calldata amounts)
        external
        onlyRole(Duties.AGENT)
    {
        _checkBatch(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < userAddresses.length; ++i) {
            _unfreeze(userAddresses[i], amounts[i]);
        }
    }

    /// @notice Whether transfers are stopped.
    /// @return True if they are.
    function paused() external view returns (bool) {
        return _token().head.isPaused();
    }

    /// @notice Whether a whole wallet is frozen.
    /// @param userAddress The wallet.
    /// @return True if it is.
    function isFrozen(address userAddress) external view returns (bool) {
        return _token().accounts[userAddress].isFrozen();
    }

    /// @inheritdoc IERC7943Fungible
    function getFrozenTokens(address account) external view returns (uint256) {
        return _token().encumbrances[account].frozen;
    }

    /// @dev Makes units takeable that are frozen but not held. Reverts with `ERC20InsufficientBalance`,
    /// `TokenUnitsHeld`.
    function _seize(address from, uint256 amount) internal {
        Account account = _token().accounts[from];
        uint256 balance = account.balance();
        if (balance < amount) revert ERC20InsufficientBalance(from, balance, amount);
        if (account.free() >= amount) return;
        Encumbrance memory encumbrance = _token().encumbrances[from];
        uint256 unheld = balance - encumbrance.held;
        if (unheld < amount) revert TokenUnitsHeld(from, amount, unheld);
        _setFrozen(from, encumbrance.frozen - (amount - account.free()));
    }

    /// @dev Reverts with `TokenBatchInvalid` unless both lists are of one length within the limit.
    function _checkBatch(uint256 length, uint256 otherLength) internal pure {
        if (length != otherLength || length > TOKEN_BATCH_ENTRIES_MAX) {
            revert TokenBatchInvalid(length, TOKEN_BATCH_ENTRIES_MAX);
        }
    }

    function _forceTransfer(address from, address to, uint256 amount) private {
        _seize(from, amount);
        if (_token().accounts[to].isFrozen()) revert ERC7943CannotReceive(to);
        _order(from, to, amount);
        emit ForcedTransfer(from, to, amount);
    }

    /// @dev Reverts with `TokenRecoveryUnproven` unless the new wallet is the one that the investor has now.
    function _checkSuccessor(address registry, address lostWallet, address newWallet, address identity) private view {
        bool isSuccessor =
            newWallet != lostWallet && WalletSuccession.currentOf(IIdentityScreen(registry), lostWallet) == newWallet;
        if (!isSuccessor || IIdentityRegistry(registry).identity(newWallet) != identity) {
            revert TokenRecoveryUnproven(lostWallet, newWallet, identity);
        }
    }

    function _freezeFurther(address account, uint256 amount) private {
        uint256 free = _token().accounts[account].free();
        if (free < amount) revert ERC7943InsufficientUnfrozenBalance(account, amount, free);
        _setFrozen(account, _token().encumbrances[account].frozen + amount);
    }

    function _unfreeze(address account, uint256 amount) private {
        uint256 frozen = _token().encumbrances[account].frozen;
        if (frozen < amount) revert TokenInsufficientFrozen(account, frozen, amount);
        _setFrozen(account, frozen - amount);
    }

    function _setFrozen(address account, uint256 amount) private {
        TokenData storage data = _token();
        Encumbrance memory encumbrance = data.encumbrances[account];
        uint256 max = AccountFields.UNITS_MAX - encumbrance.held;
        if (amount > max) revert TokenAmountTooLarge(encumbrance.held, amount, AccountFields.UNITS_MAX);
        data.encumbrances[account].frozen = uint104(amount);
        data.accounts[account] = data.accounts[account].withEncumbered(amount + encumbrance.held);
        if (amount > encumbrance.frozen) emit IERC3643.TokensFrozen(account, amount - encumbrance.frozen);
        if (amount < encumbrance.frozen) emit IERC3643.TokensUnfrozen(account, encumbrance.frozen - amount);
        emit Frozen(account, amount);
    }

    /// @dev Takes a recovered wallet out of use, once: freezes it, or if an order had, its successor, so that no order is
    /// escaped by losing the wallet.
    function _retire(address lostWallet, address newWallet) private {
        TokenData storage data = _token();
        Account lost = data.accounts[lostWallet];
        if (lost.isRetired()) return;
        data.accounts[lostWallet] = lost.withRetired();
        _setWalletFrozen(lost.isFrozen() ? newWallet : lostWallet, true);
    }

    function _setWalletFrozen(address wallet, bool freeze) private {
        _token().accounts[wallet] = _token().accounts[wallet].withFrozen(freeze);
        emit IERC3643.AddressFrozen(wallet, freeze, msg.sender);
    }
}
