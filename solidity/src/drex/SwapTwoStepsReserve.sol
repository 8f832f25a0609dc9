// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigital} from "./RealDigital.sol";
import {SwapProposals} from "./SwapProposals.sol";

/// @title SwapTwoStepsReserve
/// @notice A customer of one bank proposes to pay a customer of another, who accepts. A proposal locks the payer's money
/// and its bank's Real Digital here until it is executed, cancelled or expired.
/// @dev Needs BURNER and MINTER on each approved Real Tokenizado; it must be enabled in each and in Real Digital. The
/// payer gives it an allowance on its token, the paying bank's reserve on Real Digital, before the proposal.
///
/// What is given back goes to the payer, and to the reserve that the payer's token names then: a bank that lost its
/// reserve's key names another. If the payer's bank disabled the payer meanwhile, nothing is given back until it enables
/// it again: a disabled wallet receives nothing.
contract SwapTwoStepsReserve is SwapProposals {
    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Admin first, as in all swaps of the kit.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list of approved tokens.
    /// @param token Real Digital.
    constructor(address admin_, address authority_, RealDigital token) SwapProposals(admin_, authority_, token) {}

    /// @dev Takes the payer's money and its bank's Real Digital, both by allowance. The tokens revert when they do not
    /// move, here and below: their answers are always true.
    function _start(SwapProposal memory proposal) internal override {
        proposal.tokenSender.transferFrom(proposal.sender, address(this), proposal.amount);
        realDigital.transferFrom(proposal.tokenSender.reserve(), address(this), proposal.amount);
    }

    /// @dev Burns what the payer gave and hands the Real Digital on.
    function _execute(SwapProposal memory proposal) internal override {
        proposal.tokenSender.burn(proposal.amount);
        realDigital.transfer(proposal.tokenReceiver.reserve(), proposal.amount);
    }

    /// @dev Gives back what the payer and its bank gave.
    function _release(SwapProposal memory proposal) internal override {
        realDigital.transfer(proposal.tokenSender.reserve(), proposal.amount);
        proposal.tokenSender.transfer(proposal.sender, proposal.amount);
    }
}
