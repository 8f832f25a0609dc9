// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title NonZeroAddress
/// @notice The one check, and the one error, of the Drex family for an address that must not be zero.
library NonZeroAddress {
    /// @notice An argument that must name somebody was the zero address.
    /// @param parameter Name of the argument, as in the function's or constructor's signature.
    error DrexZeroAddress(string parameter);

    /// @dev Reverts with {DrexZeroAddress} if `value` is zero.
    /// @param value The address given.
    /// @param parameter Name of the argument, for the error.
    function check(address value, string memory parameter) internal pure {
        if (value == address(0)) revert DrexZeroAddress(parameter);
    }
}
