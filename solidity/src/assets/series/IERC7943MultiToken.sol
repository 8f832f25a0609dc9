// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title IERC7943MultiToken
/// @notice ERC-7943 (uRWA), form of tokens with ids, interface id `0x41c4fbad`.
/// @dev By the text of status Final: accounts are asked about by {canSend} and {canReceive}. Drafts before it had one
/// `canTransact` instead; who wrote against those must follow the final text.
interface IERC7943MultiToken is IERC165 {
    /// @notice Units were taken from one account and given to another by order, not by the holder.
    /// @param from Whose units.
    /// @param to Who received them.
    /// @param tokenId Of which id.
    /// @param amount Units.
    event ForcedTransfer(address indexed from, address indexed to, uint256 indexed tokenId, uint256 amount);

    /// @notice The frozen units of an account changed.
    /// @param account Whose units.
    /// @param tokenId Of which id.
    /// @param amount The new total, not the difference.
    event Frozen(address indexed account, uint256 indexed tokenId, uint256 amount);

    /// @notice The account may not send.
    /// @param account Who.
    error ERC7943CannotSend(address account);

    /// @notice The account may not receive.
    /// @param account Who.
    error ERC7943CannotReceive(address account);

    /// @notice A rule of the token forbids this transfer.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param tokenId Of which id.
    /// @param amount Units.
    error ERC7943CannotTransfer(address from, address to, uint256 tokenId, uint256 amount);

    /// @notice The account has the units, but not free.
    /// @param account Whose units.
    /// @param tokenId Of which id.
    /// @param amount What was to leave.
    /// @param unfrozen What may leave.
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 tokenId, uint256 amount, uint256 unfrozen);

    /// @notice Takes units from one account and gives them to another, without the holder's word.
    /// @param from Whose units.
    /// @param to Who receives them.
    /// @param tokenId Of which id.
    /// @param amount Units.
    /// @return result Always true: it reverts otherwise.
    function forcedTransfer(address from, address to, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Sets how many units of an account must remain; may be more than it holds.
    /// @param account Whose units.
    /// @param tokenId Of which id.
    /// @param amount The new total, not the difference.
    /// @return result Always true: it reverts otherwise.
    function setFrozenTokens(address account, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Whether an account may send at all. Never reverts.
    /// @param account Who.
    /// @return allowed Whether it may.
    function canSend(address account) external view returns (bool allowed);

    /// @notice Whether an account may receive at all. Never reverts.
    /// @param account Who.
    /// @return allowed Whether it may.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice How many units of an account must remain.
    /// @param account Whose units.
    /// @param tokenId Of which id.
    /// @return amount Units; may be more than it holds.
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount);

    /// @notice Whether the token's rules allow a transfer now. Never reverts.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param tokenId Of which id.
    /// @param amount Units.
    /// @return allowed Whether they do.
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool allowed);
}
