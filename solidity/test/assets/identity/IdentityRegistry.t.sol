// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {IIdentityScreen} from "../../../src/assets/identity/IIdentityScreen.sol";
import {IIdentityRegistry} from "../../../src/assets/identity/IIdentityRegistry.sol";
import {Identity, InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {IdentityRegistry} from "../../../src/assets/identity/IdentityRegistry.sol";
import {RegistrySuite} from "./RegistrySuite.sol";

/// @title IdentityRegistryTest
/// @notice Wallets, identities, countries and classes.
contract IdentityRegistryTest is RegistrySuite {
    function test_an_investor_is_registered_with_all_that_is_known() public {
        vm.prank(agent);
        registry.registerInvestor(alice, id(1), 76, InvestorClass.Professional, today() + 10);
        Identity record = registry.screenOne(alice, 0);
        assertEq(record.country(), 76, "country");
        assertEq(record.class(), uint8(InvestorClass.Professional), "class");
        assertEq(record.expiryDay(), today() + 10, "end");
        assertEq(record.number(), 1, "number");
        assertTrue(record.isRegistered() && !record.isInfrastructure(), "flags");
        assertTrue(registry.contains(alice), "contains");
        assertEq(registry.identity(alice), id(1), "identity");
        assertEq(registry.walletOf(id(1)), alice, "wallet");
        assertEq(registry.investorCountry(alice), 76, "country by the standard's name");
        assertFalse(registry.contains(bob), "nobody else");
    }

    function test_a_registration_ends_on_its_day() public {
        vm.prank(agent);
        registry.registerInvestor(alice, id(1), 76, InvestorClass.General, today() + 1);
        assertTrue(registry.isVerified(alice), "on the last day");
        vm.warp((uint256(today()) + 1) * 1 days - 1);
        assertTrue(registry.isVerified(alice), "in its last second");
        vm.warp(block.timestamp + 1);
        assertFalse(registry.isVerified(alice), "over");
    }

    function test_a_batch_registers_all_or_none() public {
        (address[] memory wallets, address[] memory identities, uint16[] memory countries) = batch();
        vm.startPrank(agent);
        registry.batchRegisterIdentity(wallets, identities, countries);
        assertTrue(registry.contains(alice) && registry.contains(bob), "both");
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityBatchInvalid.selector, 2, 256));
        registry.batchRegisterIdentity(wallets, identities, new uint16[](1));
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityBatchInvalid.selector, 2, 256));
        registry.batchRegisterIdentity(wallets, new address[](3), countries);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityBatchInvalid.selector, 257, 256));
        registry.batchRegisterIdentity(new address[](257), new address[](257), new uint16[](257));
        vm.stopPrank();
    }

    function batch() private view returns (address[] memory wallets, address[] memory identities, uint16[] memory c) {
        (wallets, identities, c) = (new address[](2), new address[](2), new uint16[](2));
        (wallets[0], wallets[1]) = (alice, bob);
        (identities[0], identities[1]) = (id(1), id(2));
        (c[0], c[1]) = (76, 840);
    }

    function test_what_cannot_be_registered() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        refuse(address(0), id(2), 76, abi.encodeWithSelector(IdentityRegistry.IdentityZeroAddress.selector));
        refuse(bob, address(0), 76, abi.encodeWithSelector(IdentityRegistry.IdentityZeroAddress.selector));
        refuse(alice, id(2), 76, abi.encodeWithSelector(IdentityRegistry.IdentityWalletTaken.selector, alice));
        refuse(bob, id(1), 76, abi.encodeWithSelector(IdentityRegistry.IdentityTaken.selector, id(1), alice));
        refuse(bob, id(2), 0, abi.encodeWithSelector(IdentityRegistry.IdentityCountryInvalid.selector, 0, 999));
        refuse(bob, id(2), 1000, abi.encodeWithSelector(IdentityRegistry.IdentityCountryInvalid.selector, 1000, 999));
        vm.stopPrank();
    }

    function refuse(address account, address identity, uint16 country, bytes memory revertData) private {
        expectError(revertData);
        registry.registerIdentity(account, identity, country);
    }

    function test_changes_are_seen_at_once() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        registry.updateCountry(alice, 840);
        registry.updateInvestor(alice, InvestorClass.Qualified, today() + 5, true);
        vm.stopPrank();
        Identity record = registry.screenOne(alice, 0);
        assertEq(record.country(), 840, "country");
        assertEq(record.class(), uint8(InvestorClass.Qualified), "class");
        assertTrue(record.isInfrastructure() && record.isRegistered() && record.isVerified(), "flags");
        vm.prank(agent);
        registry.updateInvestor(alice, InvestorClass.Qualified, today(), false);
        assertFalse(registry.screenOne(alice, 0).isInfrastructure(), "an investor again");
        assertFalse(registry.isVerified(alice), "and over");
    }

    function test_who_is_not_registered_cannot_change() public {
        bytes memory unknown = abi.encodeWithSelector(IdentityRegistry.IdentityNotRegistered.selector, alice);
        assertRefused(agent, address(registry), abi.encodeCall(registry.updateCountry, (alice, 76)), unknown);
        assertRefused(agent, address(registry), abi.encodeCall(registry.deleteIdentity, (alice)), unknown);
        assertRefused(agent, address(registry), abi.encodeCall(registry.updateIdentity, (alice, id(2))), unknown);
        assertRefused(agent, address(registry), abi.encodeCall(registry.replaceWallet, (alice, bob)), unknown);
        bytes memory call = abi.encodeCall(registry.updateInvestor, (alice, InvestorClass.None, 1, false));
        assertRefused(agent, address(registry), call, unknown);
    }

    function test_a_country_must_exist_when_it_changes() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityCountryInvalid.selector, 1000, 999));
        registry.updateCountry(alice, 1000);
        vm.stopPrank();
    }

    function test_who_comes_back_has_the_same_number() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        registry.registerIdentity(bob, id(2), 76);
        registry.deleteIdentity(alice);
        assertFalse(registry.contains(alice), "removed");
        assertEq(registry.identity(alice), address(0), "no identity");
        registry.registerIdentity(carol, id(1), 76);
        vm.stopPrank();
        assertEq(registry.screenOne(carol, 0).number(), 1, "the number follows the identity");
    }

    function test_a_new_identity_has_the_old_number_and_no_claims() public {
        requireKyc();
        enterWithKyc(alice, 1);
        assertTrue(registry.isVerified(alice), "verified");
        vm.startPrank(agent);
        registry.updateIdentity(alice, id(9));
        assertEq(registry.identity(alice), id(9), "identity");
        assertEq(registry.walletOf(id(1)), address(0), "the old one is free");
        assertEq(registry.screenOne(alice, 0).number(), 1, "number");
        assertFalse(registry.isVerified(alice), "claims are about the old identity");
        registry.registerIdentity(bob, id(2), 76);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityTaken.selector, id(2), bob));
        registry.updateIdentity(alice, id(2));
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityTaken.selector, id(1), address(0)));
        registry.updateIdentity(alice, id(1));
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityZeroAddress.selector));
        registry.updateIdentity(alice, address(0));
        vm.stopPrank();
    }

    function test_an_identity_that_was_given_up_is_nobody_s_again() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        registry.updateIdentity(alice, id(9));
        bytes memory taken = abi.encodeWithSelector(IdentityRegistry.IdentityTaken.selector, id(1), address(0));
        refuse(bob, id(1), 76, taken);
        registry.deleteIdentity(alice);
        refuse(bob, id(1), 76, taken);
        registry.registerIdentity(bob, id(9), 76);
        vm.stopPrank();
        assertEq(registry.screenOne(bob, 0).number(), 1, "the identity that took its place has the number");
    }

    function test_a_wallet_keeps_its_investor_s_number_when_it_is_taken_away() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        registry.registerIdentity(bob, id(2), 76);
        registry.deleteIdentity(alice);
        registry.replaceWallet(bob, carol);
        vm.stopPrank();
        Identity removed = registry.screenOne(alice, 0);
        assertEq(Identity.unwrap(removed), Identity.unwrap(Identity.wrap(0).withNumber(1)), "the number alone");
        assertFalse(removed.isRetired(), "may come back");
        (Identity replaced,) = registry.screen(bob, alice, 0);
        Identity expected = Identity.wrap(0).withNumber(2).withFlags(8);
        assertEq(Identity.unwrap(replaced), Identity.unwrap(expected), "the number, and that it is retired");
        assertTrue(replaced.isRetired() && !replaced.isRegistered(), "for good");
    }

    function test_a_new_wallet_takes_everything_over_and_the_old_one_is_retired() public {
        requireKyc();
        enterWithKyc(alice, 1);
        vm.startPrank(agent);
        registry.replaceWallet(alice, bob);
        assertTrue(registry.isVerified(bob) && !registry.contains(alice), "moved with its claims");
        assertEq(registry.successorOf(alice), bob, "successor");
        assertEq(registry.screenOne(bob, 0).number(), 1, "number");
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityWalletTaken.selector, alice));
        registry.registerIdentity(alice, id(5), 76);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityWalletTaken.selector, alice));
        registry.replaceWallet(bob, alice);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityWalletTaken.selector, bob));
        registry.replaceWallet(bob, bob);
        expectError(abi.encodeWithSelector(IdentityRegistry.IdentityZeroAddress.selector));
        registry.replaceWallet(bob, address(0));
        vm.stopPrank();
    }

    function test_only_agents_touch_investors() public {
        bytes memory missing = missingRole(officer, Duties.AGENT);
        address[] memory none = new address[](0);
        bytes[8] memory calls = [
            abi.encodeCall(registry.registerIdentity, (alice, id(1), 76)),
            abi.encodeCall(registry.registerInvestor, (alice, id(1), 76, InvestorClass.None, 1)),
            abi.encodeCall(registry.batchRegisterIdentity, (none, none, new uint16[](0))),
            abi.encodeCall(registry.deleteIdentity, (alice)),
            abi.encodeCall(registry.updateCountry, (alice, 76)),
            abi.encodeCall(registry.updateInvestor, (alice, InvestorClass.None, 1, false)),
            abi.encodeCall(registry.updateIdentity, (alice, id(1))),
            abi.encodeCall(registry.replaceWallet, (alice, bob))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            assertRefused(officer, address(registry), calls[i], missing);
        }
    }

    function test_the_registry_is_whole() public {
        assertEq(registry.identityStorage(), address(registry), "storage");
        assertEq(registry.issuersRegistry(), address(registry), "issuers");
        assertEq(registry.topicsRegistry(), address(registry), "topics");
        bytes memory whole = abi.encodeWithSelector(IdentityRegistry.IdentityRegistryIsWhole.selector);
        assertRefused(admin, address(registry), abi.encodeCall(registry.setIdentityRegistryStorage, (alice)), whole);
        assertRefused(admin, address(registry), abi.encodeCall(registry.setClaimTopicsRegistry, (alice)), whole);
        assertRefused(admin, address(registry), abi.encodeCall(registry.setTrustedIssuersRegistry, (alice)), whole);
        assertTrue(registry.supportsInterface(0x01ffc9a7), "ERC-165");
        assertTrue(registry.supportsInterface(type(IIdentityScreen).interfaceId), "screen");
        assertTrue(registry.supportsInterface(type(IIdentityRegistry).interfaceId), "ERC-3643");
        assertFalse(registry.supportsInterface(0xffffffff), "not everything");
    }

    function test_two_ends_are_screened_at_once() public {
        vm.startPrank(agent);
        registry.registerIdentity(alice, id(1), 76);
        registry.registerIdentity(bob, id(2), 840);
        vm.stopPrank();
        (Identity left, Identity right) = registry.screen(alice, bob, 0);
        assertEq(Identity.unwrap(left), Identity.unwrap(registry.screenOne(alice, 0)), "left");
        assertEq(Identity.unwrap(right), Identity.unwrap(registry.screenOne(bob, 0)), "right");
        (left, right) = registry.screen(address(0), carol, 0);
        assertEq(Identity.unwrap(left) | Identity.unwrap(right), 0, "nobody");
    }

    function testFuzz_fields_of_an_identity_do_not_touch(
        uint256 word,
        uint16 country,
        uint32 number,
        uint16 endDay,
        uint8 place
    ) public pure {
        Identity before = Identity.wrap(word);
        Identity changed = before.withCountry(country).withNumber(number).withExpiryDay(endDay);
        changed = changed.withClass(InvestorClass.Qualified).withFlags(5);
        for (uint256 i = 0; i < 7; ++i) {
            changed = changed.withClaim(i, place, endDay ^ uint16(i));
        }
        assertEq(changed.country(), country, "country");
        assertEq(changed.number(), number, "number");
        assertEq(changed.expiryDay(), endDay, "end");
        assertEq(changed.class(), 2, "class");
        assertTrue(changed.isRegistered() && !changed.isVerified() && changed.isInfrastructure(), "flags");
        for (uint256 i = 0; i < 7; ++i) {
            (uint8 claimPlace, uint16 claimEnd) = changed.claim(i);
            assertEq(claimPlace, place, "place");
            assertEq(claimEnd, endDay ^ uint16(i), "claim's end");
        }
        (uint8 none, uint16 noEnd) = changed.claim(7);
        assertEq(uint256(none) | noEnd, 0, "there is no eighth claim");
    }
}
