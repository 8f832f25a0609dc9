// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cnpj8} from "../../src/drex/Cnpj8.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealDigitalDefaultAccount} from "../../src/drex/RealDigitalDefaultAccount.sol";
import {RealDigitalEnableAccount} from "../../src/drex/RealDigitalEnableAccount.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract DefaultAndEnabledAccountsTest is DrexSuite {
    uint256 private constant BANK_C = 60_746_948;

    string private constant NOT_AUTHORIZED = "RealDigitalDefaultAccount: Not authorized Account";

    function test_a_default_wallet_is_named_and_enabled() public {
        vm.expectEmit(address(defaults));
        emit RealDigitalDefaultAccount.DefaultAccountChanged(BANK_C, stranger);
        vm.prank(authority);
        defaults.addDefaultAccount(BANK_C, stranger);
        assertEq(defaults.defaultAccount(BANK_C), stranger, "default wallet");
        assertTrue(real.verifyAccount(stranger), "enabled");
    }

    function test_the_authority_replaces_a_lost_wallet() public {
        vm.prank(authority);
        defaults.addDefaultAccount(BANK_A, stranger);
        assertEq(defaults.defaultAccount(BANK_A), stranger, "default wallet");
        assertTrue(real.verifyAccount(bankA), "the old one stays enabled");
    }

    function test_only_the_authority_names_a_first_wallet() public {
        expectMissingRole(bankA, defaults.ACCESS_ROLE());
        vm.prank(bankA);
        defaults.addDefaultAccount(BANK_C, bankA);
    }

    function test_a_wrong_root_or_nobody_is_not_named() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(Cnpj8.Cnpj8Invalid.selector, 123_456_789));
        defaults.addDefaultAccount(123_456_789, stranger);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "wallet"));
        defaults.addDefaultAccount(BANK_C, address(0));
    }

    function test_an_institution_hands_its_place_on() public {
        vm.expectEmit(address(defaults));
        emit RealDigitalDefaultAccount.DefaultAccountChanged(BANK_A, stranger);
        vm.prank(bankA);
        defaults.updateDefaultWallet(BANK_A, stranger);
        assertEq(defaults.defaultAccount(BANK_A), stranger, "default wallet");
        assertTrue(real.verifyAccount(stranger) && real.verifyAccount(bankA), "both are enabled");

        expectError(abi.encodeWithSignature("Error(string)", NOT_AUTHORIZED));
        vm.prank(bankA);
        defaults.updateDefaultWallet(BANK_A, bankA);
    }

    function test_both_refusals_have_the_published_text() public {
        expectError(abi.encodeWithSignature("Error(string)", NOT_AUTHORIZED));
        vm.prank(bankB); // enabled, but another institution's
        defaults.updateDefaultWallet(BANK_A, bankB);

        vm.prank(authority);
        real.disableAccount(bankA);
        expectError(abi.encodeWithSignature("Error(string)", NOT_AUTHORIZED));
        vm.prank(bankA); // the default wallet, but not enabled
        defaults.updateDefaultWallet(BANK_A, stranger);
    }

    function test_nobody_is_no_default_wallet() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "newWallet"));
        vm.prank(bankA);
        defaults.updateDefaultWallet(BANK_A, address(0));
    }

    function test_a_participant_sponsors_a_wallet_and_is_named() public {
        vm.expectEmit(address(enabling));
        emit RealDigitalEnableAccount.AccountSponsored(bankA, stranger);
        vm.prank(bankA);
        enabling.enableAccount(stranger);
        assertTrue(real.verifyAccount(stranger), "enabled");
    }

    function test_who_is_not_enabled_sponsors_nobody() public {
        expectError(abi.encodeWithSelector(RealDigitalEnableAccount.EnableAccountSponsorNotEnabled.selector, stranger));
        vm.prank(stranger);
        enabling.enableAccount(stranger);

        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "member"));
        vm.prank(bankA);
        enabling.enableAccount(address(0));
    }

    function test_anyone_takes_its_own_wallet_off_the_list() public {
        vm.prank(bankA);
        enabling.disableAccount();
        assertFalse(real.verifyAccount(bankA), "disabled");
        vm.prank(stranger);
        enabling.disableAccount();
        assertFalse(real.verifyAccount(stranger), "was not on it");
    }

    function test_a_freeze_outlives_sponsoring() public {
        vm.startPrank(authority);
        real.increaseFrozenBalance(bankB, type(uint120).max);
        real.disableAccount(bankB);
        vm.stopPrank();
        vm.prank(bankA);
        enabling.enableAccount(bankB);
        expectError(
            abi.encodeWithSelector(
                RealDigital.RealDigitalBalanceFrozen.selector, bankB, 10_000_000, type(uint120).max, 1
            )
        );
        vm.prank(bankB);
        real.transfer(bankA, 1);
    }

    function test_no_token_no_list() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new RealDigitalEnableAccount(RealDigital(address(0)));
    }
}
