// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

import {Vm} from "./Vm.sol";

/// @title Test
/// @notice What every test has at hand: cheatcodes, comparisons that say what they compare, and named wallets.
abstract contract Test {
    /// @dev Where forge answers cheatcodes.
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev A wallet that nobody has a key of, the same for the same name, shown by name in traces.
    function wallet(string memory name) internal returns (address account) {
        account = address(uint160(uint256(keccak256(bytes.concat("lastro test wallet ", bytes(name))))));
        vm.label(account, name);
    }

    /// @dev `value` folded into the range from `min` to `max`, both included; what is in the range stays.
    function bound(uint256 value, uint256 min, uint256 max) internal pure returns (uint256) {
        if (value >= min && value <= max) return value;
        uint256 size = max - min;
        return size == type(uint256).max ? value : min + value % (size + 1);
    }

    /// @dev The next call reverts with exactly these bytes: the error and its arguments.
    function expectError(bytes memory revertData) internal {
        vm.expectRevert(revertData);
    }

    /// @dev The next call reverts for want of a role.
    function expectMissingRole(address account, bytes32 role) internal {
        vm.expectRevert(missingRole(account, role));
    }

    /// @dev What a call without the role reverts with.
    function missingRole(address account, bytes32 role) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    /// @dev The call, given as its bytes, reverts with exactly `revertData` when `caller` makes it.
    function assertRefused(address caller, address target, bytes memory call, bytes memory revertData) internal {
        vm.expectRevert(revertData);
        vm.prank(caller);
        (bool answered,) = target.call(call);
        vm.assertTrue(answered, "forge answers in place of a revert that was expected");
    }

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(address left, address right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(bytes32 left, bytes32 right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertEq(string memory left, string memory right, string memory what) internal pure {
        vm.assertEq(left, right, what);
    }

    function assertLe(uint256 left, uint256 right, string memory what) internal pure {
        vm.assertLe(left, right, what);
    }

    function assertTrue(bool condition, string memory what) internal pure {
        vm.assertTrue(condition, what);
    }

    function assertFalse(bool condition, string memory what) internal pure {
        vm.assertTrue(!condition, what);
    }
}
