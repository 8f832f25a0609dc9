// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ApprovedDigitalCurrency} from "./ApprovedDigitalCurrency.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";
import {RealTokenizado} from "./RealTokenizado.sol";

/// @title SwapBetweenBanks
/// @notice What the swaps share that pay a customer of one bank from a customer of another: the payer's token is
/// burned, Real Digital moves between the banks' reserves, the receiver's token is minted.
/// @dev No swap has a role on Real Digital: the paying bank's reserve gives an allowance there. Whoever holds the paying
/// bank's token and pays through a swap uses that allowance: it is the bank's standing order to settle its customers'
/// payments.
abstract contract SwapBetweenBanks is ApprovedDigitalCurrency {
    using NonZeroAddress for address;

    /// @notice The money that moves between the reserves.
    RealDigital public immutable realDigital;

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

    /// @dev Reverts with {SwapSameToken} or `SwapTokenNotApproved` (sender, receiver) unless both are banks' tokens, of
    /// two banks.
    function _requirePair(RealTokenizado tokenSender, RealTokenizado tokenReceiver) internal view {
        if (address(tokenSender) == address(tokenReceiver)) {
            revert SwapSameToken(address(tokenSender));
        }
        _requireApproved(address(tokenSender));
        _requireApproved(address(tokenReceiver));
    }
}
