// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IAgentRole
/// @notice Agents by the final text of ERC-3643: here the accounts with AGENT_ROLE.
interface IAgentRole {
    /// @notice An agent was appointed.
    /// @param agent Who.
    event AgentAdded(address indexed agent);

    /// @notice An agent was removed.
    /// @param agent Who.
    event AgentRemoved(address indexed agent);

    /// @notice Appoints an agent.
    /// @dev Requires the admin. Emits {AgentAdded}.
    /// @param agent Who.
    function addAgent(address agent) external;

    /// @notice Removes an agent.
    /// @dev Requires the admin. Emits {AgentRemoved}.
    /// @param agent Who.
    function removeAgent(address agent) external;

    /// @notice Whether the account is an agent.
    /// @param agent Who.
    /// @return True if it is.
    function isAgent(address agent) external view returns (bool);
}
