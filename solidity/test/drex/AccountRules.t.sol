// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccountRules} from "../../src/drex/AccountRules.sol";
import {AccountStorage} from "../../src/drex/AccountStorage.sol";
import {IAccountIngress} from "../../src/drex/IAccountIngress.sol";
import {IAccountStorage} from "../../src/drex/IAccountStorage.sol";
import {IPermissionAdmin} from "../../src/drex/IPermissionAdmin.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {Test} from "../base/Test.sol";

/// @dev The network's side: the ingress, which is the administrators' contract as well.
contract Network is IAccountIngress, IPermissionAdmin {
    address private immutable _admin;
    bool public hasAdmins = true;

    constructor(address admin) {
        _admin = admin;
    }

    function removeAdmins() external {
        hasAdmins = false;
    }

    function getContractAddress(bytes32 name) external view returns (address) {
        return hasAdmins && name == "administration" ? address(this) : address(0);
    }

    function isAuthorized(address account) external view returns (bool) {
        return account == _admin;
    }
}

contract AccountRulesTest is Test {
    address private immutable admin = wallet("admin");
    address private immutable deployer = wallet("deployer");
    address private immutable sender = wallet("sender");
    address private immutable target = wallet("target");

    Network private network;
    AccountStorage private accounts;
    AccountRules private rules;

    function setUp() public {
        network = new Network(admin);
        accounts = new AccountStorage(admin);
        rules = new AccountRules(network, accounts);
        vm.startPrank(admin);
        accounts.grantRole(accounts.WRITER_ROLE(), address(rules));
        rules.addDeployer(deployer);
        vm.stopPrank();
    }

    function isAllowed(address from, address to) private view returns (bool) {
        return rules.transactionAllowed(from, to, 1, 2, 3, hex"04");
    }

    // What nodes ask, row by row.

    function test_administrators_and_deployers_send_anything() public view {
        assertTrue(isAllowed(admin, target) && isAllowed(admin, address(0)), "administrator");
        assertTrue(isAllowed(deployer, target) && isAllowed(deployer, address(0)), "deployer");
    }

    function test_others_send_to_enabled_targets_only() public {
        assertFalse(isAllowed(sender, target), "before");
        vm.prank(deployer);
        rules.addTarget(target);
        assertTrue(isAllowed(sender, target), "enabled");
        assertFalse(isAllowed(sender, address(0)), "creation");
        assertFalse(isAllowed(sender, sender), "another address");
        vm.prank(deployer);
        rules.removeTarget(target);
        assertFalse(isAllowed(sender, target), "disabled");
    }

    function test_the_list_of_accounts_is_asked_when_it_binds() public {
        vm.startPrank(admin);
        rules.addTarget(target);
        rules.addAccount(sender);
        rules.removeAccount(sender);
        assertTrue(isAllowed(sender, target), "as published, the list is not asked");
        vm.expectEmit(address(rules));
        emit AccountRules.AccountListBindingChanged(true);
        rules.setAccountListBinding(true);
        assertFalse(isAllowed(sender, target), "not on the list");
        assertTrue(isAllowed(admin, target) && isAllowed(deployer, target), "these are not asked");
        rules.addAccount(sender);
        assertTrue(isAllowed(sender, target), "on the list");
        rules.removeTarget(target);
        assertFalse(isAllowed(sender, target), "the target counts still");
        rules.setAccountListBinding(false);
        rules.addTarget(target);
        rules.removeAccount(sender);
        assertTrue(isAllowed(sender, target), "no longer asked");
    }

    function test_without_administrators_deployers_go_on_and_nobody_administers() public {
        network.removeAdmins();
        assertTrue(isAllowed(deployer, target), "deployer");
        assertFalse(isAllowed(admin, target), "administrator of before");
        expectError(abi.encodeWithSelector(AccountRules.AccountRulesNotAdmin.selector, admin));
        vm.prank(admin);
        rules.addDeployer(sender);
    }

    // Targets and deployers.

    function test_each_change_is_said_and_answers_whether_it_changed() public {
        vm.startPrank(admin);
        vm.expectEmit(address(rules));
        emit AccountRules.AddTarget("target enabled", target);
        assertTrue(rules.addTarget(target), "new");
        vm.expectEmit(address(rules));
        emit AccountRules.AddTarget("target was enabled before", target);
        assertFalse(rules.addTarget(target), "not new");
        assertTrue(rules.verifyTarget(target) && rules.targetsEnabled(target), "views");
        vm.expectEmit(address(rules));
        emit AccountRules.RemoveTarget("target disabled", target);
        rules.removeTarget(target);
        vm.expectEmit(address(rules));
        emit AccountRules.RemoveTarget("target was not enabled", target);
        rules.removeTarget(target);

        vm.expectEmit(address(rules));
        emit AccountRules.AddDeployer("deployer added", sender);
        assertTrue(rules.addDeployer(sender), "new");
        vm.expectEmit(address(rules));
        emit AccountRules.AddDeployer("deployer was added before", sender);
        assertFalse(rules.addDeployer(sender), "not new");
        assertTrue(rules.verifyDeployer(sender) && rules.deployers(sender), "views");
        vm.expectEmit(address(rules));
        emit AccountRules.RemoveDeployer("deployer removed", sender);
        rules.removeDeployer(sender);
        vm.expectEmit(address(rules));
        emit AccountRules.RemoveDeployer("deployer was none", sender);
        rules.removeDeployer(sender);
        assertFalse(isAllowed(sender, address(0)), "no deployer");
    }

    function test_nobody_is_no_target_no_deployer_and_no_account() public {
        vm.startPrank(admin);
        expectZero("target");
        rules.addTarget(address(0));
        expectZero("deployer");
        rules.addDeployer(address(0));
        expectZero("account");
        rules.addAccount(address(0));
    }

    // The list.

    function test_accounts_are_listed_and_taken_off() public {
        vm.startPrank(admin);
        vm.expectEmit(address(rules));
        emit AccountRules.AccountAdded(true, sender);
        assertTrue(rules.addAccount(sender), "new");
        vm.expectEmit(address(rules));
        emit AccountRules.AccountAdded(false, sender);
        assertFalse(rules.addAccount(sender), "not new");
        assertTrue(rules.accountPermitted(sender), "listed");
        assertEq(rules.getSize(), 1, "size");
        assertEq(rules.getByIndex(0), sender, "by index");
        assertEq(rules.getAccounts().length, 1, "all");
        vm.expectEmit(address(rules));
        emit AccountRules.AccountRemoved(true, sender);
        assertTrue(rules.removeAccount(sender), "was listed");
        vm.expectEmit(address(rules));
        emit AccountRules.AccountRemoved(false, sender);
        assertFalse(rules.removeAccount(sender), "was not");
        expectError(abi.encodeWithSelector(AccountStorage.AccountStorageIndexOutOfRange.selector, 0, 0));
        rules.getByIndex(0);
    }

    function test_many_accounts_are_listed_at_once() public {
        address[] memory many = new address[](2);
        (many[0], many[1]) = (sender, target);
        vm.startPrank(admin);
        assertTrue(rules.addAccounts(many), "all new");
        many[1] = deployer;
        vm.expectEmit(address(rules));
        emit AccountRules.AccountAdded(false, sender);
        vm.expectEmit(address(rules));
        emit AccountRules.AccountAdded(true, deployer);
        assertFalse(rules.addAccounts(many), "not all new");
        assertEq(rules.getSize(), 3, "size");
        assertTrue(rules.addAccounts(new address[](0)), "none is none too many");
    }

    function testFuzz_the_list_holds_what_was_put_on_it_and_not_taken_off(uint256 added, uint256 removed) public {
        uint256 size = 0;
        vm.startPrank(admin);
        for (uint160 i = 0; i < 12; ++i) {
            if (added >> i & 1 == 1) rules.addAccount(address(i + 1));
        }
        for (uint160 i = 0; i < 12; ++i) {
            bool isOn = added >> i & 1 == 1;
            if (removed >> i & 1 == 1) assertTrue(rules.removeAccount(address(i + 1)) == isOn, "was on it");
            if (isOn && removed >> i & 1 == 0) ++size;
        }
        assertEq(rules.getSize(), size, "size");
        for (uint256 i = 0; i < size; ++i) {
            uint256 number = uint160(rules.getByIndex(i)) - 1;
            assertTrue(added >> number & 1 == 1 && removed >> number & 1 == 0, "belongs there");
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(rules.getByIndex(j) != rules.getByIndex(i), "once");
            }
        }
    }

    function test_a_closed_list_is_not_changed() public {
        vm.startPrank(admin);
        vm.expectEmit(address(rules));
        emit AccountRules.ReadOnlyChanged(true);
        assertTrue(rules.enterReadOnly() && rules.isReadOnly(), "closed");
        vm.stopPrank();
        bytes memory refusal = abi.encodeWithSelector(AccountRules.AccountRulesReadOnly.selector, true);
        assertRefused(admin, address(rules), abi.encodeCall(rules.addAccount, (sender)), refusal);
        assertRefused(admin, address(rules), abi.encodeCall(rules.addAccounts, (new address[](1))), refusal);
        assertRefused(admin, address(rules), abi.encodeCall(rules.removeAccount, (sender)), refusal);
        assertRefused(admin, address(rules), abi.encodeCall(rules.enterReadOnly, ()), refusal);
        vm.startPrank(admin);
        vm.expectEmit(address(rules));
        emit AccountRules.ReadOnlyChanged(false);
        assertTrue(rules.exitReadOnly(), "opened");
        expectError(abi.encodeWithSelector(AccountRules.AccountRulesReadOnly.selector, false));
        rules.exitReadOnly();
    }

    // Who.

    function test_others_change_nothing() public {
        bytes[8] memory calls = [
            abi.encodeCall(rules.addDeployer, (sender)),
            abi.encodeCall(rules.removeDeployer, (sender)),
            abi.encodeCall(rules.addAccount, (sender)),
            abi.encodeCall(rules.addAccounts, (new address[](1))),
            abi.encodeCall(rules.removeAccount, (sender)),
            abi.encodeCall(rules.enterReadOnly, ()),
            abi.encodeCall(rules.exitReadOnly, ()),
            abi.encodeCall(rules.setAccountListBinding, (true))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes memory notAdmin = abi.encodeWithSelector(AccountRules.AccountRulesNotAdmin.selector, deployer);
            assertRefused(deployer, address(rules), calls[i], notAdmin);
        }
        bytes memory refusal = abi.encodeWithSelector(AccountRules.AccountRulesNotDeployer.selector, sender);
        assertRefused(sender, address(rules), abi.encodeCall(rules.addTarget, (sender)), refusal);
        assertRefused(sender, address(rules), abi.encodeCall(rules.removeTarget, (sender)), refusal);
        bytes memory missing = missingRole(sender, accounts.WRITER_ROLE());
        assertRefused(sender, address(accounts), abi.encodeCall(accounts.add, (sender)), missing);
        assertRefused(sender, address(accounts), abi.encodeCall(accounts.remove, (sender)), missing);
    }

    function test_the_rules_name_their_partners_and_their_version() public {
        assertEq(rules.getContractVersion(), 3_000_000, "version");
        expectZero("ingressContract");
        new AccountRules(IAccountIngress(address(0)), accounts);
        expectZero("storage");
        new AccountRules(network, IAccountStorage(address(0)));
        expectZero("admin");
        new AccountStorage(address(0));
    }

    function expectZero(string memory parameter) private {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, parameter));
    }
}
