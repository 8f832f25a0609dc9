// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

import {IAccountStorage} from "./IAccountStorage.sol";
import {NonZeroAddress} from "./NonZeroAddress.sol";

/// @title AccountStorage
/// @notice The list of accounts that `AccountRules` keeps. New rules take it over by a grant.
contract AccountStorage is IAccountStorage, AccessControl {
    using NonZeroAddress for address;

    /// @notice Role of the contract that keeps the list: `AccountRules`.
    bytes32 public constant WRITER_ROLE = keccak256("WRITER_ROLE");

    /// @dev The list, in no order.
    address[] private _accounts;

    /// @dev Account to its place on the list, counted from 1; zero if it is not on it.
    mapping(address account => uint256 place) private _placeOf;

    /// @notice No account has the place.
    /// @param index The place.
    /// @param size How many accounts are on the list.
    error AccountStorageIndexOutOfRange(uint256 index, uint256 size);

    /// @dev Reverts with `DrexZeroAddress` if `admin_` is zero.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE: grants WRITER_ROLE.
    constructor(address admin_) {
        admin_.check("admin");
        _grantRole(DEFAULT_ADMIN_ROLE, admin_);
    }

    /// @inheritdoc IAccountStorage
    /// @dev Requires WRITER_ROLE. The rules emit the event.
    function add(address account) external onlyRole(WRITER_ROLE) returns (bool) {
        if (_placeOf[account] != 0) return false;
        _accounts.push(account);
        _placeOf[account] = _accounts.length;
        return true;
    }

    /// @inheritdoc IAccountStorage
    /// @dev The last account takes the place that becomes free. Requires WRITER_ROLE. The rules emit the event.
    function remove(address account) external onlyRole(WRITER_ROLE) returns (bool) {
        uint256 place = _placeOf[account];
        if (place == 0) return false;
        address last = _accounts[_accounts.length - 1];
        _accounts[place - 1] = last;
        _placeOf[last] = place;
        delete _placeOf[account];
        _accounts.pop();
        return true;
    }

    /// @inheritdoc IAccountStorage
    function exists(address account) external view returns (bool) {
        return _placeOf[account] != 0;
    }

    /// @inheritdoc IAccountStorage
    function size() external view returns (uint256) {
        return _accounts.length;
    }

    /// @inheritdoc IAccountStorage
    /// @dev Reverts with {AccountStorageIndexOutOfRange}.
    function getByIndex(uint256 index) external view returns (address) {
        if (index >= _accounts.length) revert AccountStorageIndexOutOfRange(index, _accounts.length);
        return _accounts[index];
    }

    /// @inheritdoc IAccountStorage
    function getAccounts() external view returns (address[] memory) {
        return _accounts;
    }
}
