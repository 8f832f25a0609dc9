// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IPermissionAdmin
/// @notice What `AccountRules` asks of the contract that knows the administrators of permissions.
interface IPermissionAdmin {
    /// @notice Whether an account administers permissions.
    /// @param account The account.
    /// @return Whether it does.
    function isAuthorized(address account) external view returns (bool);
}
