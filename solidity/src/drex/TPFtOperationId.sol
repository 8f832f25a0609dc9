// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title TPFtOperationId
/// @notice The network's registry of operation numbers: the first command of an operation takes its number, and no
/// other operation, of whatever kind, has it ever again.
/// @dev Only operation contracts take numbers: on the pilot's network anyone could, and so block another's operation. A
/// number is an institution's own number followed by the date as `yyyyMMdd`; the form is not checked.
contract TPFtOperationId is AccessControl {
    using NonZeroAddress for address;

    /// @notice Role of the operation contracts.
    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    /// @notice Operation number to the contract of the operation that took it; zero if it is free.
    mapping(uint256 operationId => address operation) public operationOf;

    /// @notice The number is taken.
    /// @param operationId The number.
    /// @param operation The contract of the operation that took it.
    error TPFtOperationIdUsed(uint256 operationId, address operation);

    /// @dev Reverts with `DrexZeroAddress` if `admin_` is zero.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: grants OPERATOR_ROLE.
    constructor(address admin_) {
        admin_.check("admin");
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
    }

    /// @notice Takes a number for the calling operation contract. The operation's own event follows in the same
    /// transaction.
    /// @dev Requires OPERATOR_ROLE. Reverts with {TPFtOperationIdUsed}.
    /// @param operationId The number.
    /// @return Always true.
    function validOperationId(uint256 operationId) external onlyRole(OPERATOR_ROLE) returns (bool) {
        address operation = operationOf[operationId];
        if (operation != address(0)) revert TPFtOperationIdUsed(operationId, operation);
        operationOf[operationId] = msg.sender;
        return true;
    }
}
