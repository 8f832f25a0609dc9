// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IERC5192
/// @notice ERC-5192: tells whether a token stays with its holder. Interface id `0xb45a3c0e`.
interface IERC5192 {
    /// @notice The token stays with its holder from now on.
    /// @param tokenId The token.
    event Locked(uint256 tokenId);

    /// @notice The token can be transferred from now on.
    /// @param tokenId The token.
    event Unlocked(uint256 tokenId);

    /// @notice Whether a token stays with its holder.
    /// @dev Reverts if nobody holds the token.
    /// @param tokenId The token.
    /// @return Whether it stays.
    function locked(uint256 tokenId) external view returns (bool);
}
