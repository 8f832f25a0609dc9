// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title IERC7943Fungible
/// @notice ERC-7943 (uRWA), fungible form, interface id `0x3edbb4c4`.
/// @dev By the text of status Final: accounts are asked about by {canSend} and {canReceive}. Drafts before it had one
/// `canTransact` instead, and `canTransfer` without the two; who wrote against those must follow the final text.
interface IERC7943Fungible is IERC165 {
    /// @notice Units were taken from one account and given to another by order, not by the holder.
    /// @param from Whose units.
    /// @param to Who received them.
    /// @param amount Units of the token's smallest part.
    event ForcedTransfer(address indexed from, address indexed to, uint256 amount);

    /// @notice The frozen units of an account changed.
    /// @param account Whose units.
    /// @param amount The new total, not the difference.
    event Frozen(address indexed account, uint256 amount);

    /// @notice The account may not send.
    /// @param account Who.
    error ERC7943CannotSend(address account);

    /// @notice The account may not receive.
    /// @param account Who.
    error ERC7943CannotReceive(address account);

    /// @notice A rule of the token forbids this transfer.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param amount Units.
    error ERC7943CannotTransfer(address from, address to, uint256 amount);

    /// @notice The account has the units, but not free.
    /// @param account Whose units.
    /// @param amount What was to leave.
    /// @param unfrozen What may leave.
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 amount, uint256 unfrozen);

    /// @notice Takes units from one account and gives them to another by order.
    /// @dev Restricted. Emits {ForcedTransfer} and the base standard's transfer event; {Frozen} before it if frozen
    /// units are taken. Reverts if the receiver may not receive or the units are not there.
    /// @param from Whose units.
    /// @param to Who receives.
    /// @param amount Units.
    /// @return result Always true.
    function forcedTransfer(address from, address to, uint256 amount) external returns (bool result);

    /// @notice Sets how many units of an account are frozen, in place of what was before.
    /// @dev Restricted. Emits {Frozen}. More than the account holds may be frozen.
    /// @param account Whose units.
    /// @param amount The new total, in units.
    /// @return result Always true.
    function setFrozenTokens(address account, uint256 amount) external returns (bool result);

    /// @notice Whether the account may send at all. Never reverts.
    /// @param account Who.
    /// @return allowed True if it may.
    function canSend(address account) external view returns (bool allowed);

    /// @notice Whether the account may receive at all. Never reverts.
    /// @param account Who.
    /// @return allowed True if it may.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice The frozen units of an account; may exceed what it holds.
    /// @param account Whose units.
    /// @return amount Units.
    function getFrozenTokens(address account) external view returns (uint256 amount);

    /// @notice Whether this transfer is possible by the token's rules and the sender's free units. Never reverts.
    /// @param from Who would send.
    /// @param to Who would receive.
    /// @param amount Units.
    /// @return allowed True if it is.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool allowed);
}
