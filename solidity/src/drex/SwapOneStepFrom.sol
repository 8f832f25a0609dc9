// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";
import {SwapBetweenBanks} from "./SwapBetweenBanks.sol";

/// @title SwapOneStepFrom
/// @notice Pays a customer of one bank from a customer of another, called by a contract that the payer gave an
/// allowance. All or nothing.
/// @dev Needs BURNER, MOVER and MINTER on each approved Real Tokenizado, and the allowance of the paying bank's reserve
/// on Real Digital.
contract SwapOneStepFrom is SwapBetweenBanks {
    /// @notice A customer of one bank paid a customer of another.
    /// @param senderNumber Root of the CNPJ of the payer's bank.
    /// @param receiverNumber Root of the CNPJ of the receiver's bank.
    /// @param sender The payer.
    /// @param receiver The receiver.
    /// @param amount Cents.
    event SwapExecuted(
        uint256 indexed senderNumber, uint256 indexed receiverNumber, address sender, address receiver, uint256 amount
    );

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Admin first, as in all swaps of the kit.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list of approved tokens.
    /// @param token Real Digital.
    constructor(address admin_, address authority_, RealDigital token) SwapBetweenBanks(admin_, authority_, token) {}

    /// @notice Pays `receiver` from what `sender` holds, within the allowance that `sender` gave to the caller.
    /// @dev Open to any caller with that allowance. Emits {SwapExecuted}, and the tokens' `Transfer` events. Reverts
    /// with `SwapSameToken`, `SwapTokenNotApproved`, `ERC20InsufficientAllowance` (the payer's to the caller, or the
    /// reserve's to this contract), and as each token's movement does: both customers must be enabled in their tokens,
    /// both reserves in Real Digital.
    /// @param tokenSender The payer's Real Tokenizado.
    /// @param tokenReceiver The receiver's Real Tokenizado.
    /// @param sender The payer.
    /// @param receiver The receiver.
    /// @param amount Cents.
    function executeSwapFrom(
        RealTokenizado tokenSender,
        RealTokenizado tokenReceiver,
        address sender,
        address receiver,
        uint256 amount
    ) external {
        _requirePair(tokenSender, tokenReceiver);
        emit SwapExecuted(tokenSender.cnpj8(), tokenReceiver.cnpj8(), sender, receiver, amount);

        tokenSender.spendAllowanceFrom(sender, msg.sender, amount);
        tokenSender.moveAndBurn(sender, amount);
        // Real Digital reverts when it does not move: its answer is always true.
        realDigital.transferFrom(tokenSender.reserve(), tokenReceiver.reserve(), amount);
        tokenReceiver.mint(receiver, amount);
    }
}
