// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {TokenMovement} from "../settlement/TokenMovement.sol";
import {TokenStandard} from "../settlement/TokenStandard.sol";

/// @title EscrowedMoney
/// @notice Money that a contract takes and keeps for others, of a token that may lie.
/// @dev What comes and goes is measured on balances: the answer of a token is worth nothing, and a contract that keeps
/// money for many must not find out at the last of them. Nothing is moved for an amount of zero.
///
/// DANGER: the token is called and may call back. The calling contract must be guarded against that, and must have
/// written its state before.
library EscrowedMoney {
    /// @notice The token took more or less from this contract than it was told to.
    /// @param currency The token.
    /// @param debited By how much this contract's balance fell, in the token's smallest unit; zero if it rose.
    /// @param promised By how much it should have fallen.
    error MoneyDebitDiffers(address currency, uint256 debited, uint256 promised);

    /// @dev Takes money within the allowance that the payer gave to this contract. Reverts as `TokenMovement.take` does.
    function collect(address currency, address from, uint256 amount) internal {
        if (amount != 0) TokenMovement.take(TokenStandard.ERC20, currency, from, 0, amount);
    }

    /// @dev Pays exactly: the receiver has so much more, and this contract so much less. Reverts with
    /// {MoneyDebitDiffers}, or as `TokenMovement.moveExactly` does.
    function pay(address currency, address to, uint256 amount) internal {
        if (amount == 0) return;
        uint256 before = IERC20(currency).balanceOf(address(this));
        TokenMovement.moveExactly(TokenStandard.ERC20, currency, address(this), to, 0, amount);
        _checkDebit(currency, before, amount);
    }

    /// @dev Gives back what somebody paid in, or what is left. What arrives is not compared: a token that began to keep
    /// a fee must not lock it in. Reverts with {MoneyDebitDiffers}, or as `TokenMovement.giveBack` does.
    function giveBack(address currency, address to, uint256 amount) internal {
        if (amount == 0) return;
        uint256 before = IERC20(currency).balanceOf(address(this));
        TokenMovement.giveBack(TokenStandard.ERC20, currency, to, 0, amount);
        _checkDebit(currency, before, amount);
    }

    function _checkDebit(address currency, uint256 before, uint256 promised) private view {
        uint256 afterwards = IERC20(currency).balanceOf(address(this));
        uint256 debited = before > afterwards ? before - afterwards : 0;
        if (debited != promised) revert MoneyDebitDiffers(currency, debited, promised);
    }
}
