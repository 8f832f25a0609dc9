// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pages
/// @notice How much of a list one call gives.
library Pages {
    /// @dev How many entries a page has: those asked for, as far as there are any, and no more than a call gives.
    /// @param length How many the list has.
    /// @param first Place of the first one asked for, counted from 0.
    /// @param count How many are asked for.
    /// @param max How many a call gives at most.
    /// @return The number; 0 beyond the end.
    function size(uint256 length, uint256 first, uint256 count, uint256 max) internal pure returns (uint256) {
        if (first >= length) return 0;
        uint256 left = length - first;
        if (count > left) count = left;
        return count > max ? max : count;
    }
}
