// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Duties} from "./Duties.sol";
import {IAgentRole} from "./IAgentRole.sol";
import {RoleChecks} from "./RoleChecks.sol";

/// @title DutyRoles
/// @notice Roles by duty, given by one admin, who is replaced in two steps.
/// @dev The face of OpenZeppelin's AccessControl, ERC-173 and ERC-3643's `IAgentRole`, with ERC-7201 storage and without
/// what regulated assets must not have: a second admin, admins of single roles, an admin by mere grant.
abstract contract DutyRoles is RoleChecks, IAccessControl, IAgentRole {
    /// @notice The admin's role. Its holder alone grants and revokes.
    bytes32 public constant DEFAULT_ADMIN_ROLE = Duties.ADMIN;

    /// @notice A successor was named and may accept. Zero: none any more.
    /// @param admin Who named it.
    /// @param pendingAdmin The successor.
    event AdminTransferStarted(address indexed admin, address indexed pendingAdmin);

    /// @notice The admin changed (ERC-173).
    /// @param previousOwner Who it was.
    /// @param newOwner Who it is.
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    /// @notice The admin's role is passed on by {transferOwnership} and {acceptOwnership} alone.
    /// @param account To or from whom it was to be given or taken.
    error RolesAdminIsTransferredOnly(address account);

    /// @notice Only the named successor accepts.
    /// @param caller Who tried.
    /// @param pendingAdmin Who may; zero if nobody was named.
    error RolesNotPendingAdmin(address caller, address pendingAdmin);

    /// @notice An account is zero where one is needed.
    error RolesZeroAccount();

    /// @notice Gives a role.
    /// @dev Requires the admin. Emits `RoleGranted` (and `AgentAdded`) if the account did not have it. Reverts with
    /// {RolesAdminIsTransferredOnly}, {RolesZeroAccount}.
    /// @param role Which, one of `Duties`.
    /// @param account To whom.
    function grantRole(bytes32 role, address account) external onlyRole(Duties.ADMIN) {
        if (role == Duties.ADMIN) revert RolesAdminIsTransferredOnly(account);
        _grant(role, account);
    }

    /// @notice Takes a role away.
    /// @dev Requires the admin. Emits `RoleRevoked` (and `AgentRemoved`) if the account had it. Reverts with
    /// {RolesAdminIsTransferredOnly}.
    /// @param role Which.
    /// @param account From whom.
    function revokeRole(bytes32 role, address account) external onlyRole(Duties.ADMIN) {
        _revoke(role, account);
    }

    /// @notice Gives a role of the caller's own back.
    /// @dev Emits `RoleRevoked` (and `AgentRemoved`) if the caller had it. Reverts with {RolesAdminIsTransferredOnly}, or
    /// `AccessControlBadConfirmation` if the confirmation is not the caller.
    /// @param role Which.
    /// @param callerConfirmation The caller's own address.
    function renounceRole(bytes32 role, address callerConfirmation) external {
        if (callerConfirmation != msg.sender) revert AccessControlBadConfirmation();
        _revoke(role, msg.sender);
    }

    /// @inheritdoc IAgentRole
    function addAgent(address agent) external onlyRole(Duties.ADMIN) {
        _grant(Duties.AGENT, agent);
    }

    /// @inheritdoc IAgentRole
    function removeAgent(address agent) external onlyRole(Duties.ADMIN) {
        _revoke(Duties.AGENT, agent);
    }

    /// @notice Names a successor of the admin (ERC-173). Nothing else changes until the successor accepts.
    /// @dev Requires the admin. Emits {AdminTransferStarted}.
    /// @param newOwner The successor; zero takes a former naming back.
    function transferOwnership(address newOwner) external onlyRole(Duties.ADMIN) {
        _rolesStorage().pendingAdmin = newOwner;
        emit AdminTransferStarted(msg.sender, newOwner);
    }

    /// @notice Takes the admin's role over.
    /// @dev Requires the named successor. Emits `RoleRevoked`, `RoleGranted`, {OwnershipTransferred}. Reverts with
    /// {RolesNotPendingAdmin}.
    function acceptOwnership() external {
        address pending = _rolesStorage().pendingAdmin;
        if (msg.sender != pending) revert RolesNotPendingAdmin(msg.sender, pending);
        emit RoleRevoked(Duties.ADMIN, _rolesStorage().admin, msg.sender);
        _setAdmin(msg.sender);
    }

    /// @notice The admin (ERC-173).
    /// @return Never zero once initialized.
    function owner() external view returns (address) {
        return _rolesStorage().admin;
    }

    /// @notice The named successor of the admin.
    /// @return Zero if there is none.
    function pendingOwner() external view returns (address) {
        return _rolesStorage().pendingAdmin;
    }

    /// @inheritdoc IAgentRole
    function isAgent(address agent) external view returns (bool) {
        return _hasRole(Duties.AGENT, agent);
    }

    /// @notice Who grants a role: always the admin.
    /// @return {DEFAULT_ADMIN_ROLE}.
    function getRoleAdmin(bytes32) external pure returns (bytes32) {
        return Duties.ADMIN;
    }

    /// @notice Whether the account has the role.
    /// @param role Which.
    /// @param account Who.
    /// @return True if it has.
    function hasRole(bytes32 role, address account) external view returns (bool) {
        return _hasRole(role, account);
    }

    /// @dev Sets the first admin, or the next.
    function _setAdmin(address admin) internal {
        if (admin == address(0)) revert RolesZeroAccount();
        RolesStorage storage roles = _rolesStorage();
        emit OwnershipTransferred(roles.admin, admin);
        emit RoleGranted(Duties.ADMIN, admin, msg.sender);
        roles.admin = admin;
        delete roles.pendingAdmin;
    }

    function _grant(bytes32 role, address account) private {
        if (account == address(0)) revert RolesZeroAccount();
        if (_hasRole(role, account)) return;
        _rolesStorage().members[role][account] = true;
        emit RoleGranted(role, account, msg.sender);
        if (role == Duties.AGENT) emit AgentAdded(account);
    }

    function _revoke(bytes32 role, address account) private {
        if (role == Duties.ADMIN) revert RolesAdminIsTransferredOnly(account);
        if (!_hasRole(role, account)) return;
        delete _rolesStorage().members[role][account];
        emit RoleRevoked(role, account, msg.sender);
        if (role == Duties.AGENT) emit AgentRemoved(account);
    }
}
