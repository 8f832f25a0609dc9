// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title AuthorityControl
/// @notice Two people from the first block on: an *authority*, who works, and an *admin*, who says who works.
/// @dev The deployer gets no role: whoever sends the deployment keeps nothing unless the constructor names it.
abstract contract AuthorityControl is AccessControl {
    using NonZeroAddress for address;

    /// @notice Role of the authority that keeps the contract's list: enables accounts, registers addresses, approves.
    bytes32 public constant ACCESS_ROLE = keccak256("ACCESS_ROLE");

    /// @dev Reverts with `DrexZeroAddress` if either is zero. Emits `RoleGranted` twice.
    /// @param authority_ Receives ACCESS_ROLE.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: grants and revokes every role, its own included.
    constructor(address authority_, address admin_) {
        authority_.check("authority");
        admin_.check("admin");
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
        _grantRole(ACCESS_ROLE, authority_);
    }
}
