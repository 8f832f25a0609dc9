// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Duties} from "./Duties.sol";

/// @title RoleChecks
/// @notice Who has which role: the part of `DutyRoles` that the parts of a contract share.
abstract contract RoleChecks {
    /// @custom:storage-location erc7201:lastro.assets.DutyRoles
    struct RolesStorage {
        mapping(bytes32 role => mapping(address account => bool)) members;
        address admin;
        address pendingAdmin;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("lastro.assets.DutyRoles")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant ROLES_STORAGE = 0x7b72838aa3f9492b4315de49e95c9687e59d0849c3335b69ed0b2a2237f1a500;

    modifier onlyRole(bytes32 role) {
        _checkRole(role, msg.sender);
        _;
    }

    /// @dev Whether the account has the role.
    function _hasRole(bytes32 role, address account) internal view returns (bool) {
        return role == Duties.ADMIN ? account == _rolesStorage().admin : _rolesStorage().members[role][account];
    }

    /// @dev Reverts with `AccessControlUnauthorizedAccount` if the account has not the role.
    function _checkRole(bytes32 role, address account) internal view {
        if (!_hasRole(role, account)) revert IAccessControl.AccessControlUnauthorizedAccount(account, role);
    }

    function _rolesStorage() internal pure returns (RolesStorage storage roles) {
        assembly ("memory-safe") {
            roles.slot := ROLES_STORAGE
        }
    }
}
