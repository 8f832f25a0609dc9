// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigital} from "./RealDigital.sol";
import {SwapProposals} from "./SwapProposals.sol";

/// @title SwapTwoSteps
/// @notice A customer of one bank proposes to pay a customer of another, who accepts. A proposal reserves nothing:
/// money moves when the receiver executes, or not at all.
/// @dev Needs BURNER and MINTER on each approved Real Tokenizado, and when a proposal is executed the payer's allowance
/// on its own and the allowance of the paying bank's reserve on Real Digital. DANGER: a proposal is no payment: the
/// payer may spend the money meanwhile, and the execution then reverts. `SwapTwoStepsReserve` locks it.
contract SwapTwoSteps is SwapProposals {
    /// @notice Who would pay does not hold the amount.
    /// @param token The token.
    /// @param wallet Who would pay: the customer, or the bank's reserve.
    /// @param balance What it holds, in cents.
    /// @param amount What it would pay, in cents.
    error SwapInsufficientBalance(address token, address wallet, uint256 balance, uint256 amount);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Admin first, as in all swaps of the kit.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list of approved tokens.
    /// @param token Real Digital.
    constructor(address admin_, address authority_, RealDigital token) SwapProposals(admin_, authority_, token) {}

    /// @dev Reverts with {SwapInsufficientBalance} unless the payer and its bank's reserve hold the amount now. Takes
    /// nothing.
    function _start(SwapProposal memory proposal) internal view override {
        _requireBalance(proposal.tokenSender, proposal.sender, proposal.amount);
        _requireBalance(realDigital, proposal.tokenSender.reserve(), proposal.amount);
    }

    /// @dev Burns from the payer and moves between the reserves, both by allowance. Real Digital reverts when it does
    /// not move: its answer is always true.
    function _execute(SwapProposal memory proposal) internal override {
        proposal.tokenSender.burnFrom(proposal.sender, proposal.amount);
        realDigital.transferFrom(proposal.tokenSender.reserve(), proposal.tokenReceiver.reserve(), proposal.amount);
    }

    /// @dev Nothing was taken.
    function _release(SwapProposal memory) internal override {}

    /// @dev Reverts with {SwapInsufficientBalance} unless `wallet` holds `amount`.
    function _requireBalance(RealDigital token, address wallet, uint256 amount) private view {
        uint256 balance = token.balanceOf(wallet);
        if (balance < amount) revert SwapInsufficientBalance(address(token), wallet, balance, amount);
    }
}
