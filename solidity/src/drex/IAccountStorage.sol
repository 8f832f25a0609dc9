// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAccountStorage
/// @notice The list of accounts of `AccountRules`, in a contract of its own so that it outlives the rules.
interface IAccountStorage {
    /// @notice Puts an account on the list.
    /// @param account The account.
    /// @return Whether it was not on it.
    function add(address account) external returns (bool);

    /// @notice Takes an account off the list.
    /// @param account The account.
    /// @return Whether it was on it.
    function remove(address account) external returns (bool);

    /// @notice Whether an account is on the list.
    /// @param account The account.
    /// @return Whether it is.
    function exists(address account) external view returns (bool);

    /// @notice How many accounts are on the list.
    /// @return The number.
    function size() external view returns (uint256);

    /// @notice An account of the list. Removals change the order.
    /// @param index Its place, from 0.
    /// @return The account.
    function getByIndex(uint256 index) external view returns (address);

    /// @notice The whole list.
    /// @return The accounts, in no order.
    function getAccounts() external view returns (address[] memory);
}
