// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {DutyRoles} from "../../../src/assets/access/DutyRoles.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {Test} from "../../base/Test.sol";
import {AssetVm} from "./AssetVm.sol";

/// @title DutyRolesTest
/// @notice Roles by duty, the admin's succession, and the two ways of deployment, shown on the registry.
contract DutyRolesTest is Test {
    bytes32 private constant IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    address private immutable admin = wallet("admin");
    address private immutable successor = wallet("successor");
    address private immutable agent = wallet("agent");
    address private immutable upgrader = wallet("upgrader");

    IdentityRegistry private plain;
    IdentityRegistry private proxied;

    function setUp() public {
        vm.warp(1_788_264_000);
        plain = new IdentityRegistry(admin);
        address implementation = address(new IdentityRegistry(address(0)));
        bytes memory call = abi.encodeCall(IdentityRegistry.initialize, (admin));
        proxied = IdentityRegistry(address(new ERC1967Proxy(implementation, call)));
    }

    function test_only_the_admin_grants_and_revokes() public {
        expectMissingRole(agent, Duties.ADMIN);
        vm.prank(agent);
        plain.grantRole(Duties.AGENT, agent);
        vm.startPrank(admin);
        plain.grantRole(Duties.AGENT, agent);
        plain.grantRole(Duties.AGENT, agent);
        assertTrue(plain.hasRole(Duties.AGENT, agent) && plain.isAgent(agent), "the agent is an agent");
        plain.revokeRole(Duties.AGENT, agent);
        plain.revokeRole(Duties.AGENT, agent);
        vm.stopPrank();
        assertFalse(plain.isAgent(agent), "no more");
        expectMissingRole(agent, Duties.ADMIN);
        vm.prank(agent);
        plain.revokeRole(Duties.AGENT, admin);
        assertEq(plain.getRoleAdmin(Duties.AGENT), plain.DEFAULT_ADMIN_ROLE(), "the admin is over every role");
    }

    function test_agents_come_and_go_as_erc_3643_has_it() public {
        vm.startPrank(admin);
        plain.addAgent(agent);
        assertTrue(plain.isAgent(agent), "added");
        plain.removeAgent(agent);
        vm.stopPrank();
        assertFalse(plain.isAgent(agent), "removed");
        assertRefused(agent, address(plain), abi.encodeCall(plain.addAgent, (agent)), missingRole(agent, Duties.ADMIN));
        assertRefused(
            agent, address(plain), abi.encodeCall(plain.removeAgent, (agent)), missingRole(agent, Duties.ADMIN)
        );
    }

    function test_a_role_is_given_back_by_its_holder_alone() public {
        vm.prank(admin);
        plain.grantRole(Duties.AGENT, agent);
        expectError(abi.encodeWithSelector(IAccessControl.AccessControlBadConfirmation.selector));
        vm.prank(admin);
        plain.renounceRole(Duties.AGENT, agent);
        vm.prank(agent);
        plain.renounceRole(Duties.AGENT, agent);
        assertFalse(plain.isAgent(agent), "given back");
    }

    function test_the_admin_is_neither_granted_nor_lost() public {
        vm.startPrank(admin);
        expectError(abi.encodeWithSelector(DutyRoles.RolesAdminIsTransferredOnly.selector, successor));
        plain.grantRole(Duties.ADMIN, successor);
        expectError(abi.encodeWithSelector(DutyRoles.RolesAdminIsTransferredOnly.selector, admin));
        plain.revokeRole(Duties.ADMIN, admin);
        expectError(abi.encodeWithSelector(DutyRoles.RolesAdminIsTransferredOnly.selector, admin));
        plain.renounceRole(Duties.ADMIN, admin);
        expectError(abi.encodeWithSelector(DutyRoles.RolesZeroAccount.selector));
        plain.grantRole(Duties.AGENT, address(0));
        vm.stopPrank();
        address implementation = address(new IdentityRegistry(address(0)));
        expectError(abi.encodeWithSelector(DutyRoles.RolesZeroAccount.selector));
        new ERC1967Proxy(implementation, abi.encodeCall(IdentityRegistry.initialize, (address(0))));
    }

    function test_the_admin_is_replaced_in_two_steps() public {
        expectMissingRole(agent, Duties.ADMIN);
        vm.prank(agent);
        plain.transferOwnership(agent);
        vm.prank(admin);
        plain.transferOwnership(successor);
        assertEq(plain.owner(), admin, "nothing changes before acceptance");
        assertEq(plain.pendingOwner(), successor, "named");
        expectError(abi.encodeWithSelector(DutyRoles.RolesNotPendingAdmin.selector, agent, successor));
        vm.prank(agent);
        plain.acceptOwnership();
        vm.prank(successor);
        plain.acceptOwnership();
        assertEq(plain.owner(), successor, "accepted");
        assertEq(plain.pendingOwner(), address(0), "nobody waits");
        assertFalse(plain.hasRole(Duties.ADMIN, admin), "the old admin is none");
        expectError(abi.encodeWithSelector(DutyRoles.RolesNotPendingAdmin.selector, successor, address(0)));
        vm.prank(successor);
        plain.acceptOwnership();
    }

    function test_a_naming_is_taken_back() public {
        vm.startPrank(admin);
        plain.transferOwnership(successor);
        plain.transferOwnership(address(0));
        vm.stopPrank();
        expectError(abi.encodeWithSelector(DutyRoles.RolesNotPendingAdmin.selector, successor, address(0)));
        vm.prank(successor);
        plain.acceptOwnership();
    }

    function test_a_plain_contract_cannot_be_set_up_again_or_upgraded() public {
        expectError(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        plain.initialize(agent);
        vm.prank(admin);
        plain.grantRole(Duties.UPGRADER, upgrader);
        address next = address(new IdentityRegistry(address(0)));
        expectError(abi.encodeWithSelector(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector));
        vm.prank(upgrader);
        plain.upgradeToAndCall(next, "");
    }

    function test_an_implementation_belongs_to_nobody() public {
        IdentityRegistry implementation = new IdentityRegistry(address(0));
        expectError(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        implementation.initialize(agent);
        assertEq(implementation.owner(), address(0), "no admin");
    }

    function test_only_the_upgrader_upgrades_a_proxy_and_its_data_stays() public {
        address next = address(new IdentityRegistry(address(0)));
        expectMissingRole(admin, Duties.UPGRADER);
        vm.prank(admin);
        proxied.upgradeToAndCall(next, "");
        vm.startPrank(admin);
        proxied.grantRole(Duties.UPGRADER, upgrader);
        proxied.grantRole(Duties.AGENT, agent);
        vm.stopPrank();
        vm.prank(agent);
        proxied.registerIdentity(successor, address(0x1D), 76);
        expectError(abi.encodeWithSelector(ERC1967Utils.ERC1967InvalidImplementation.selector, this));
        vm.prank(upgrader);
        proxied.upgradeToAndCall(address(this), "");
        vm.prank(upgrader);
        proxied.upgradeToAndCall(next, "");
        bytes32 word = AssetVm(address(vm)).load(address(proxied), IMPLEMENTATION_SLOT);
        assertEq(address(uint160(uint256(word))), next, "the new implementation");
        assertTrue(proxied.contains(successor), "the data stayed");
        assertEq(proxied.owner(), admin, "so did the admin");
        expectError(abi.encodeWithSelector(Initializable.InvalidInitialization.selector));
        proxied.initialize(agent);
    }

    function test_a_timelock_as_admin_makes_every_appointment_wait() public {
        address[] memory council = new address[](1);
        council[0] = successor;
        TimelockController lock = new TimelockController(2 days, council, council, address(0));
        vm.prank(admin);
        plain.transferOwnership(address(lock));
        lockedCall(lock, abi.encodeCall(plain.acceptOwnership, ()));
        assertEq(plain.owner(), address(lock), "the timelock is the admin");
        lockedCall(lock, abi.encodeCall(plain.grantRole, (Duties.COMPLIANCE, address(lock))));
        lockedCall(lock, abi.encodeCall(plain.addClaimTopic, (7)));
        assertEq(plain.getClaimTopics()[0], 7, "the rule came through the timelock");
        expectMissingRole(successor, Duties.COMPLIANCE);
        vm.prank(successor);
        plain.removeClaimTopic(7);
    }

    /// @dev Proposes a call, sees it refused before its time, and makes it after.
    function lockedCall(TimelockController lock, bytes memory call) private {
        vm.prank(successor);
        lock.schedule(address(plain), 0, call, bytes32(0), bytes32(0), 2 days);
        bytes32 id = lock.hashOperation(address(plain), 0, call, bytes32(0), bytes32(0));
        expectError(
            abi.encodeWithSelector(
                TimelockController.TimelockUnexpectedOperationState.selector, id, bytes32(uint256(1 << 2))
            )
        );
        vm.prank(successor);
        lock.execute(address(plain), 0, call, bytes32(0), bytes32(0));
        vm.warp(block.timestamp + 2 days);
        vm.prank(successor);
        lock.execute(address(plain), 0, call, bytes32(0), bytes32(0));
    }
}
