// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAccountIngress
/// @notice What `AccountRules` asks of the contract that nodes ask: which contracts answer for permissions.
interface IAccountIngress {
    /// @notice The contract that is registered under a name.
    /// @param name The name in ASCII, filled up with zeros on the right, such as `administration`.
    /// @return The contract; zero if there is none.
    function getContractAddress(bytes32 name) external view returns (address);
}
