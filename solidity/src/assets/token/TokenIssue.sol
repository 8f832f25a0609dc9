// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {TokenEnforcement} from "./TokenEnforcement.sol";

/// @title TokenIssue
/// @notice Issue and redemption.
abstract contract TokenIssue is TokenEnforcement {
    /// @notice Issues units. Registry and rules are asked; a pause does not matter.
    /// @dev Requires ISSUER_ROLE. Emits `Transfer` from zero. Reverts with `TokenAmountTooLarge`, `ERC20InvalidReceiver`,
    /// `TokenWalletFrozen`, `ERC7943CannotReceive`, `TokenRulesInvalid`, `ComplianceRefused`.
    /// @param to Who receives.
    /// @param amount Units.
    function mint(address to, uint256 amount) external onlyRole(Duties.ISSUER) {
        _issue(to, amount);
    }

    /// @notice Redeems units of a holder, frozen ones too, held ones not. Nobody is asked; a pause does not matter.
    /// @dev Requires ISSUER_ROLE. Emits `Frozen` and `TokensUnfrozen` if frozen units are taken, `Transfer` to zero.
    /// Reverts with `ERC20InsufficientBalance`, `TokenUnitsHeld`.
    /// @param userAddress Whose units.
    /// @param amount Units.
    function burn(address userAddress, uint256 amount) external onlyRole(Duties.ISSUER) {
        _seize(userAddress, amount);
        _redeem(userAddress, amount);
    }

    /// @notice {mint} per entry; all or none.
    /// @dev Requires ISSUER_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param toList Who receives, at most `BATCH_ENTRIES_MAX`.
    /// @param amounts Units.
    function batchMint(address[] calldata toList, uint256[] calldata amounts) external onlyRole(Duties.ISSUER) {
        _checkBatch(toList.length, amounts.length);
        for (uint256 i = 0; i < toList.length; ++i) {
            _issue(toList[i], amounts[i]);
        }
    }

    /// @notice {burn} per entry; all or none.
    /// @dev Requires ISSUER_ROLE. Reverts also with `TokenBatchInvalid`.
    /// @param userAddresses Whose units, at most `BATCH_ENTRIES_MAX`.
    /// @param amounts Units.
    function batchBurn(address[] calldata userAddresses, uint256[] calldata amounts) external onlyRole(Duties.ISSUER) {
        _checkBatch(userAddresses.length, amounts.length);
        for (uint256 i = 0; i < userAddresses.length; ++i) {
            _seize(userAddresses[i], amounts[i]);
            _redeem(userAddresses[i], amounts[i]);
        }
    }
}
