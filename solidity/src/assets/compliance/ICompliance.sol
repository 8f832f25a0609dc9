// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ICompliance
/// @notice The rules of a token by the final text of ERC-3643. Amounts are units of the token's smallest part.
interface ICompliance {
    /// @notice The rules were bound to a token.
    /// @param token Which.
    event TokenBound(address token);

    /// @notice The rules were freed from a token.
    /// @param token Which.
    event TokenUnbound(address token);

    /// @notice Binds the rules to a token.
    function bindToken(address token) external;

    /// @notice Frees the rules from their token.
    function unbindToken(address token) external;

    /// @notice Whether the rules are bound to this token.
    function isTokenBound(address token) external view returns (bool);

    /// @notice The token that the rules are bound to, zero if none.
    function getTokenBound() external view returns (address);

    /// @notice Whether the rules permit this transfer. What the token alone knows (pause, freezes) is not asked here.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool);

    /// @notice Told by the token after a transfer.
    function transferred(address from, address to, uint256 amount) external;

    /// @notice Told by the token after an issue.
    function created(address to, uint256 amount) external;

    /// @notice Told by the token after a redemption.
    function destroyed(address from, uint256 amount) external;
}
