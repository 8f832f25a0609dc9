// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ApprovedDigitalCurrency} from "./ApprovedDigitalCurrency.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";

/// @title SwapOneStepFrom
/// @notice Pays a customer of one bank from a customer of another, called by a contract that the payer gave an
/// allowance: the payer's token is burned, Real Digital moves between the banks' reserves, the receiver's token is
/// minted. All or nothing.
/// @dev Needs BURNER, MOVER and MINTER on each approved Real Tokenizado; no role on Real Digital: the paying bank's
/// reserve gives this contract an allowance there. Whoever holds the paying bank's token and pays through a swap uses
/// that allowance: it is the bank's standing order to settle its customers' payments.
contract SwapOneStepFrom is ApprovedDigitalCurrency {
    using NonZeroAddress for address;

    /// @notice The money that moves between the reserves.
    RealDigital public immutable realDigital;

    /// @notice A customer of one bank paid a customer of another.
    /// @param senderNumber Root of the CNPJ of the payer's bank.
    /// @param receiverNumber Root of the CNPJ of the receiver's bank.
    /// @param sender The payer.
    /// @param receiver The receiver.
    /// @param amount Cents.
    event SwapExecuted(
        uint256 indexed senderNumber, uint256 indexed receiverNumber, address sender, address receiver, uint256 amount
    );

    /// @notice Both customers are of one bank: that is a transfer, not a swap.
    /// @param token The bank's token.
    error SwapSameToken(address token);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Admin first, as in all swaps of the kit.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list of approved tokens.
    /// @param token Real Digital.
    constructor(address admin_, address authority_, RealDigital token) ApprovedDigitalCurrency(authority_, admin_) {
        address(token).check("token");
        realDigital = token;
    }

    /// @notice Pays `receiver` from what `sender` holds, within the allowance that `sender` gave to the caller.
    /// @dev Open to any caller with that allowance. Emits {SwapExecuted}, and the tokens' `Transfer` events. Reverts
    /// with {SwapSameToken}, `SwapTokenNotApproved`, `ERC20InsufficientAllowance` (the payer's to the caller, or the
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
        if (address(tokenSender) == address(tokenReceiver)) {
            revert SwapSameToken(address(tokenSender));
        }
        _requireApproved(address(tokenSender));
        _requireApproved(address(tokenReceiver));
        emit SwapExecuted(tokenSender.cnpj8(), tokenReceiver.cnpj8(), sender, receiver, amount);

        tokenSender.spendAllowanceFrom(sender, msg.sender, amount);
        tokenSender.moveAndBurn(sender, amount);
        // Real Digital reverts when it does not move: its answer is always true.
        realDigital.transferFrom(tokenSender.reserve(), tokenReceiver.reserve(), amount);
        tokenReceiver.mint(receiver, amount);
    }
}
