// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {IRegulatedToken} from "../token/IRegulatedToken.sol";

/// @title TokenDuties
/// @notice What works for one regulated token, and asks that token who is in duty.
/// @dev There is no list of roles here, and no administrator: whoever loses a duty at the token loses it here at once.
abstract contract TokenDuties {
    /// @notice The token.
    IRegulatedToken public immutable token;

    /// @notice There is no contract at the token's address.
    /// @param token The address.
    error TokenDutiesNoToken(address token);

    modifier onlyDuty(bytes32 role) {
        _checkDuty(role, msg.sender);
        _;
    }

    /// @dev Reverts with {TokenDutiesNoToken}.
    constructor(IRegulatedToken token_) {
        if (address(token_).code.length == 0) revert TokenDutiesNoToken(address(token_));
        token = token_;
    }

    /// @dev Reverts with `AccessControlUnauthorizedAccount` unless the token knows the account in this duty.
    function _checkDuty(bytes32 role, address account) internal view {
        if (!token.hasRole(role, account)) revert IAccessControl.AccessControlUnauthorizedAccount(account, role);
    }
}
