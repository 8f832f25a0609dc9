// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ApprovedDigitalCurrency} from "./ApprovedDigitalCurrency.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";

/// @title SwapToRetail
/// @notice Pays a bank's customer from Real Digital: the bank's reserve gets the Real Digital, the customer the bank's
/// token. All or nothing.
/// @dev Needs MINTER on each approved Real Tokenizado; no role on Real Digital: who pays gives this contract an allowance
/// there. Redemptions pay customers so.
contract SwapToRetail is ApprovedDigitalCurrency {
    using NonZeroAddress for address;

    /// @notice The money that is paid in.
    RealDigital public immutable realDigital;

    /// @notice A bank's customer was paid from Real Digital.
    /// @param receiverNumber Root of the CNPJ of the customer's bank.
    /// @param sender Who paid Real Digital.
    /// @param receiver The customer.
    /// @param amount Cents.
    event SwapToRetailExecuted(uint256 indexed receiverNumber, address sender, address receiver, uint256 amount);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. Admin first, as in all swaps of the kit.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list of approved tokens.
    /// @param token Real Digital.
    constructor(address admin_, address authority_, RealDigital token) ApprovedDigitalCurrency(authority_, admin_) {
        address(token).check("token");
        realDigital = token;
    }

    /// @notice Pays `receiver` in its bank's token from Real Digital that the caller holds.
    /// @dev Open to every holder. Emits {SwapToRetailExecuted}, and the tokens' `Transfer` events. Reverts with
    /// `SwapTokenNotApproved`, `ERC20InsufficientAllowance` (the caller's to this contract on Real Digital), and as each
    /// token's movement does: caller and reserve must be enabled in Real Digital, the receiver in its token.
    /// @param tokenReceiver The receiver's Real Tokenizado.
    /// @param receiver The receiver.
    /// @param amount Cents.
    function executeSwapToRetail(RealTokenizado tokenReceiver, address receiver, uint256 amount) external {
        _requireApproved(address(tokenReceiver));
        emit SwapToRetailExecuted(tokenReceiver.cnpj8(), msg.sender, receiver, amount);

        // Real Digital reverts when it does not move: its answer is always true.
        realDigital.transferFrom(msg.sender, tokenReceiver.reserve(), amount);
        tokenReceiver.mint(receiver, amount);
    }
}
