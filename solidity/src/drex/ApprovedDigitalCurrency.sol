// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityControl} from "./AuthorityControl.sol";

/// @title ApprovedDigitalCurrency
/// @notice The list of banks' tokens that a swap works with. Each swap is one and keeps its own.
/// @dev DANGER: an approved token is trusted code: it is called in the middle of a settlement, and its word that money
/// moved is believed.
contract ApprovedDigitalCurrency is AuthorityControl {
    /// @dev Tokens on the list.
    mapping(address asset => bool isApproved) private _isApproved;

    /// @notice A token was put on the list or taken off it. Emitted also when nothing changed.
    /// @param asset The token.
    /// @param approved Whether it is on the list from now on.
    event DigitalCurrencyApprovalChanged(address indexed asset, bool approved);

    /// @notice The token is not on the list.
    /// @param asset The token.
    error SwapTokenNotApproved(address asset);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero. DANGER: the swaps take the admin first.
    /// @param authority_ Receives ACCESS_ROLE: keeps the list.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(address authority_, address admin_) AuthorityControl(authority_, admin_) {}

    /// @notice Puts a token on the list or takes it off.
    /// @dev Requires ACCESS_ROLE. Emits {DigitalCurrencyApprovalChanged}.
    /// @param asset The token, a `RealTokenizado`.
    /// @param approved Whether it is on the list from now on.
    function setDigitalCurrencyApproval(address asset, bool approved) external onlyRole(ACCESS_ROLE) {
        _isApproved[asset] = approved;
        emit DigitalCurrencyApprovalChanged(asset, approved);
    }

    /// @notice Whether a token is on the list.
    /// @param asset The token.
    /// @return Whether it is.
    function isDigitalCurrencyApproved(address asset) external view returns (bool) {
        return _isApproved[asset];
    }

    /// @dev Reverts with {SwapTokenNotApproved} unless `asset` is on the list.
    function _requireApproved(address asset) internal view {
        if (!_isApproved[asset]) revert SwapTokenNotApproved(asset);
    }
}
