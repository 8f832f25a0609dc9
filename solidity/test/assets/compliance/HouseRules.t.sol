// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LocalTime} from "../../../src/assets/compliance/LocalTime.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {CountryRule} from "../../../src/assets/compliance/rules/CountryRule.sol";
import {OfferingCapRule} from "../../../src/assets/compliance/rules/OfferingCapRule.sol";
import {TransferWindowRule} from "../../../src/assets/compliance/rules/TransferWindowRule.sol";
import {InvestorClass} from "../../../src/assets/identity/Identity.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @title HouseRulesTest
/// @notice Each rule of the house: what it permits, what it refuses, and what is not its business.
contract HouseRulesTest is AssetSuite {
    uint256 private constant PERIOD = 90 days;

    /// Holds created so far, for references of their own.
    uint256 private _holds;

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    // Country.

    function test_a_country_list_denies_or_permits() public {
        enterAs(carol, 3, CUBA, InvestorClass.General);
        uint16[] memory list = new uint16[](2);
        (list[0], list[1]) = (CUBA, 999);
        setRules(one(Rule(RuleKind.Country, CountryRule.encode(list, true))));
        refuseTransfer(alice, carol, 1, ReasonCodes.COUNTRY, CUBA);
        refuseMint(carol, 1, ReasonCodes.COUNTRY, CUBA);
        transfer(alice, bob, 1);
        setRules(one(Rule(RuleKind.Country, CountryRule.encode(list, false))));
        transfer(alice, carol, 1);
        refuseTransfer(alice, bob, 1, ReasonCodes.COUNTRY, BRAZIL);
        transfer(carol, carol, 1);
    }

    function testFuzz_a_country_is_permitted_if_it_is_listed(uint16[5] memory listed, uint16 country, bool denies)
        public
    {
        uint16[] memory list = new uint16[](5);
        bool isListed;
        country = uint16(bound(country, 1, 999));
        for (uint256 i = 0; i < 5; ++i) {
            list[i] = uint16(bound(listed[i], 1, 999));
            isListed = isListed || list[i] == country;
        }
        setRules(one(Rule(RuleKind.Country, CountryRule.encode(list, denies))));
        vm.prank(agent);
        registry.updateCountry(bob, country);
        assertTrue(token.canTransfer(alice, bob, 1) == (isListed != denies), "permitted as listed");
    }

    // Class.

    function test_a_class_is_permitted_or_not_and_infrastructure_always() public {
        setRules(one(rule(RuleKind.InvestorClass, 1 << uint8(InvestorClass.Professional))));
        refuseTransfer(alice, bob, 1, ReasonCodes.INVESTOR_CLASS, uint8(InvestorClass.Qualified));
        setClass(bob, InvestorClass.Professional, false);
        transfer(alice, bob, 1);
        setClass(bob, InvestorClass.None, true);
        transfer(alice, bob, 1);
    }

    // Largest balance.

    function test_nobody_but_infrastructure_has_more_than_the_largest_balance() public {
        setRules(one(rule(RuleKind.BalanceMax, BOB_UNITS + 10)));
        transfer(alice, bob, 10);
        transfer(alice, bob, 0);
        refuseTransfer(alice, bob, 1, ReasonCodes.BALANCE_MAX, BOB_UNITS + 10);
        refuseMint(bob, 1, ReasonCodes.BALANCE_MAX, BOB_UNITS + 10);
        refuseTransfer(bob, alice, 1, ReasonCodes.BALANCE_MAX, BOB_UNITS + 10);
        transfer(alice, alice, 5);
        setClass(bob, InvestorClass.None, true);
        transfer(alice, bob, 1);
    }

    // Number of holders.

    function test_places_are_taken_by_new_holders_and_freed_by_those_who_leave() public {
        enter(carol, 3);
        enter(dave, 4);
        setRules(one(holders(3, 0)));
        transfer(alice, carol, 1);
        assertEq(token.holderCount(), 3, "full");
        refuseTransfer(alice, dave, 1, ReasonCodes.HOLDERS_MAX, 3);
        refuseMint(dave, 1, ReasonCodes.HOLDERS_MAX, 3);
        transfer(alice, dave, 0);
        transfer(carol, dave, 1);
        assertEq(token.holderCount(), 3, "one went, one came");
        transfer(dave, bob, 1);
        assertEq(token.holderCount(), 2, "one went");
        transfer(alice, alice, ALICE_UNITS - 1);
        assertEq(token.holderCount(), 2, "who sends to himself stays one");
    }

    function test_dust_takes_no_place() public {
        enter(carol, 3);
        setRules(one(holders(100, 1_000)));
        refuseTransfer(alice, carol, 999, ReasonCodes.RECEIVER_BALANCE_MIN, 1_000);
        refuseMint(carol, 999, ReasonCodes.RECEIVER_BALANCE_MIN, 1_000);
        transfer(alice, carol, 1_000);
        transfer(alice, carol, 1);
        refuseTransfer(carol, bob, 2, ReasonCodes.SENDER_BALANCE_MIN, 1_000);
        transfer(carol, bob, 1_001);
        assertEq(token.holderCount(), 2, "all or enough");
    }

    function test_a_balance_may_come_to_the_smallest_and_no_less() public {
        enter(carol, 3);
        transfer(alice, carol, 400);
        setRules(one(holders(100, 1_000)));
        refuseTransfer(alice, carol, 599, ReasonCodes.RECEIVER_BALANCE_MIN, 1_000);
        transfer(alice, carol, 600);
        transfer(alice, carol, 1);
        transfer(carol, bob, 1);
        refuseTransfer(carol, bob, 1, ReasonCodes.SENDER_BALANCE_MIN, 1_000);
        setRules(one(holders(100, type(uint104).max)));
        refuseMint(carol, 1, ReasonCodes.RECEIVER_BALANCE_MIN, type(uint104).max);
    }

    // Supply.

    function test_no_more_is_issued_than_the_cap() public {
        uint256 cap = ALICE_UNITS + BOB_UNITS + 5;
        setRules(one(rule(RuleKind.SupplyCap, cap)));
        refuseMint(alice, 6, ReasonCodes.SUPPLY_MAX, cap);
        mint(alice, 5);
        mint(alice, 0);
        refuseMint(alice, 1, ReasonCodes.SUPPLY_MAX, cap);
        transfer(alice, bob, 100);
        vm.prank(issuer);
        token.burn(alice, 3);
        mint(bob, 3);
        setRules(one(rule(RuleKind.SupplyCap, 1)));
        refuseMint(alice, 0, ReasonCodes.SUPPLY_MAX, 1);
    }

    // Holding period.

    function test_issued_units_stay_for_their_period_and_bought_ones_do_not() public {
        enter(carol, 3);
        setRules(one(rule(RuleKind.HoldingPeriod, PERIOD)));
        mint(carol, 100);
        transfer(alice, carol, 50);
        refuseTransfer(carol, bob, 51, ReasonCodes.HOLDING_PERIOD, 100);
        transfer(carol, bob, 50);
        vm.warp(NOW + 10 days);
        mint(carol, 30);
        vm.warp(NOW + PERIOD - 1);
        assertEq(rules.lockedUnits(3, PERIOD), 130, "both lots");
        refuseTransfer(carol, bob, 1, ReasonCodes.HOLDING_PERIOD, 130);
        vm.warp(NOW + PERIOD);
        refuseTransfer(carol, bob, 101, ReasonCodes.HOLDING_PERIOD, 30);
        transfer(carol, bob, 100);
        vm.warp(NOW + PERIOD + 10 days);
        transfer(carol, bob, 30);
    }

    function test_the_period_follows_the_investor_to_a_new_wallet() public {
        enter(carol, 3);
        setRules(one(rule(RuleKind.HoldingPeriod, PERIOD)));
        mint(carol, 100);
        vm.startPrank(agent);
        registry.replaceWallet(carol, dave);
        token.recoveryAddress(carol, dave, identityOf(3));
        vm.stopPrank();
        refuseTransfer(dave, bob, 1, ReasonCodes.HOLDING_PERIOD, 100);
    }

    function test_the_period_binds_a_wallet_that_was_removed() public {
        enter(carol, 3);
        setRules(one(rule(RuleKind.HoldingPeriod, PERIOD)));
        mint(carol, 100);
        vm.prank(agent);
        registry.deleteIdentity(carol);
        assertEq(token.investorNumber(carol), 3, "still the investor's");
        refuseTransfer(carol, bob, 1, ReasonCodes.HOLDING_PERIOD, 100);
        vm.warp(NOW + PERIOD);
        transfer(carol, bob, 100);
    }

    function test_lots_are_joined_when_there_are_too_many() public {
        enter(carol, 3);
        setRules(one(rule(RuleKind.HoldingPeriod, PERIOD)));
        for (uint256 i = 0; i < 20; ++i) {
            vm.warp(NOW + i * 1 days);
            mint(carol, 10);
            mint(carol, 1);
        }
        assertEq(rules.lockedUnits(3, PERIOD), 220, "nothing is lost");
        vm.warp(NOW + PERIOD);
        assertEq(rules.lockedUnits(3, PERIOD), 209, "the first lot is free");
        vm.warp(NOW + 18 days + PERIOD);
        assertEq(rules.lockedUnits(3, PERIOD), 55, "the last five are one, as late as the last");
        vm.warp(NOW + 19 days + PERIOD);
        assertEq(rules.lockedUnits(3, PERIOD), 0, "all free");
    }

    function test_a_lot_that_is_free_in_this_second_makes_room_for_another() public {
        enter(carol, 3);
        setRules(one(rule(RuleKind.HoldingPeriod, PERIOD)));
        for (uint256 i = 0; i < 16; ++i) {
            vm.warp(NOW + i);
            mint(carol, 10);
        }
        vm.warp(NOW + PERIOD);
        mint(carol, 1);
        vm.warp(NOW + 15 + PERIOD);
        assertEq(rules.lockedUnits(3, PERIOD), 1, "the last of the sixteen was not joined with the new one");
    }

    // Transfer window.

    function test_transfers_are_made_in_the_window_and_issues_always() public {
        // Monday to Friday, 10:00 to 17:00 in Brasília, until 2026-12-31.
        setRules(
            one(
                rule(
                    RuleKind.TransferWindow,
                    TransferWindowRule.encode(0x1f, 10 hours, 17 hours, -180, uint48(NOW + 60), uint48(NOW + 121 days))
                )
            )
        );
        refuseTransfer(alice, bob, 1, ReasonCodes.OUTSIDE_PERIOD, NOW + 60);
        vm.warp(NOW + 60);
        transfer(alice, bob, 1);
        vm.warp(NOW + 5 hours - 1);
        transfer(alice, bob, 1);
        vm.warp(NOW + 5 hours);
        refuseTransfer(alice, bob, 1, ReasonCodes.WINDOW_CLOSED, 17 hours);
        mint(alice, 1);
        vm.warp(NOW + 1 days - 2 hours - 1);
        refuseTransfer(alice, bob, 1, ReasonCodes.WINDOW_CLOSED, 10 hours - 1);
        vm.warp(NOW + 1 days - 2 hours);
        transfer(alice, bob, 1);
        vm.warp(NOW + 4 days);
        refuseTransfer(alice, bob, 1, ReasonCodes.WINDOW_CLOSED, 12 hours);
        vm.warp(NOW + 6 days);
        transfer(alice, bob, 1);
        vm.warp(NOW + 121 days);
        refuseTransfer(alice, bob, 1, ReasonCodes.OUTSIDE_PERIOD, NOW + 121 days);
    }

    function test_a_window_in_which_nothing_is_possible_is_no_rule() public pure {
        uint48 end = type(uint48).max;
        assertTrue(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days, 840, 0, end)), "the widest");
        assertTrue(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days, -840, 0, end)), "as far west");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(0, 0, 1 days, 0, 0, end)), "no day");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(128, 0, 1 days, 0, 0, end)), "eighth day");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(1, 5, 5, 0, 0, end)), "no second");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days + 1, 0, 0, end)), "too late");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days, 841, 0, end)), "too far east");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days, -841, 0, end)), "too far west");
        assertFalse(TransferWindowRule.isValid(TransferWindowRule.encode(1, 0, 1 days, 0, 9, 9)), "no period");
        assertFalse(TransferWindowRule.isValid(1 << 184 | TransferWindowRule.encode(1, 0, 9, 0, 0, 9)), "more bits");
    }

    // Approval.

    function test_an_approval_is_for_one_transfer_once_and_in_time() public {
        setRules(one(rule(RuleKind.Approval, 1_000)));
        transfer(alice, bob, 999);
        refuseTransfer(alice, bob, 1_000, ReasonCodes.APPROVAL_MISSING, 1_000);
        approve(bob, 1_000, uint48(NOW + 10));
        refuseTransfer(alice, bob, 1_001, ReasonCodes.APPROVAL_MISSING, 1_000);
        refuseTransfer(bob, alice, 1_000, ReasonCodes.APPROVAL_MISSING, 1_000);
        transfer(alice, bob, 1_000);
        refuseTransfer(alice, bob, 1_000, ReasonCodes.APPROVAL_MISSING, 1_000);
        approve(bob, 1_000, uint48(NOW + 10));
        vm.warp(NOW + 10);
        refuseTransfer(alice, bob, 1_000, ReasonCodes.APPROVAL_MISSING, 1_000);
        approve(bob, 1_000, uint48(NOW + 20));
        assertEq(rules.approvedUntil(alice, bob, 1_000), NOW + 20, "approved");
        approve(bob, 1_000, 0);
        refuseTransfer(alice, bob, 1_000, ReasonCodes.APPROVAL_MISSING, 1_000);
        mint(bob, 5_000);
    }

    function approve(address to, uint256 amount, uint48 until) private {
        vm.prank(officer);
        rules.approveTransfer(alice, to, amount, until);
    }

    // Offering cap.

    function test_an_investor_is_issued_so_much_in_a_year_and_no_more() public {
        enter(carol, 3);
        uint8 professionals = uint8(1 << uint8(InvestorClass.Professional));
        setRules(one(rule(RuleKind.OfferingCap, OfferingCapRule.encode(100, professionals, -180))));
        mint(carol, 60);
        refuseMint(carol, 41, ReasonCodes.OFFERING_CAP, 40);
        mint(carol, 40);
        assertEq(rules.issuedInYear(3, 2026), 100, "entered");
        refuseMint(carol, 1, ReasonCodes.OFFERING_CAP, 0);
        transfer(alice, carol, 500);
        setClass(carol, InvestorClass.Professional, false);
        mint(carol, 1_000);
        setClass(carol, InvestorClass.General, false);
        // 2027-01-01 00:00 in Brasília is 03:00 in UTC.
        vm.warp(1_798_772_400 - 1);
        refuseMint(carol, 1, ReasonCodes.OFFERING_CAP, 0);
        vm.warp(1_798_772_400);
        mint(carol, 100);
        assertEq(rules.issuedInYear(3, 2027), 100, "a new year");
    }

    function test_a_cap_must_make_sense() public pure {
        assertTrue(OfferingCapRule.isValid(OfferingCapRule.encode(1, 255, 840)), "east");
        assertTrue(OfferingCapRule.isValid(OfferingCapRule.encode(1, 0, -840)), "west");
        assertFalse(OfferingCapRule.isValid(OfferingCapRule.encode(1, 0, 841)), "too far east");
        assertFalse(OfferingCapRule.isValid(OfferingCapRule.encode(1, 0, -841)), "too far west");
    }

    // Calendar.

    function test_days_and_years_of_the_calendar() public pure {
        assertEq(LocalTime.weekday(0), 3, "1970-01-01 was a Thursday");
        assertEq(LocalTime.weekday(1_788_264_000), 1, "2026-09-01 is a Tuesday");
        assertEq(LocalTime.year(0), 1970, "first second");
        assertEq(LocalTime.year(1_709_164_800), 2024, "2024-02-29");
        assertEq(LocalTime.year(1_735_689_599), 2024, "last second of a leap year");
        assertEq(LocalTime.year(1_735_689_600), 2025, "first second after it");
        assertEq(LocalTime.localSeconds(10_800, -180), 0, "three hours behind");
    }

    function testFuzz_a_year_begins_where_counting_years_says(uint256 year) public pure {
        year = bound(year, 1971, 2099);
        uint256 dayCount;
        for (uint256 y = 1970; y < year; ++y) {
            dayCount += y % 4 == 0 ? 366 : 365;
        }
        assertEq(LocalTime.year(dayCount * 1 days), year, "first second");
        assertEq(LocalTime.year(dayCount * 1 days - 1), year - 1, "the second before");
    }

    function holders(uint256 max, uint256 balanceMin) private pure returns (Rule memory made) {
        made = Rule(RuleKind.HolderCount, new uint256[](2));
        (made.words[0], made.words[1]) = (max, balanceMin);
    }

    function setClass(address account, InvestorClass class, bool isInfrastructure) private {
        vm.prank(agent);
        registry.updateInvestor(account, class, today() + 1_000, isInfrastructure);
    }

    function mint(address to, uint256 amount) private {
        vm.prank(issuer);
        token.mint(to, amount);
    }

    function refuseMint(address to, uint256 amount, uint16 reason, uint256 argument) private {
        assertRefused(issuer, address(token), abi.encodeCall(token.mint, (to, amount)), refused(reason, argument));
    }

    /// @dev Refused by every path that a holder has, and said so beforehand.
    function refuseTransfer(address from, address to, uint256 amount, uint16 reason, uint256 argument) private {
        bytes memory why = refused(reason, argument);
        assertFalse(token.canTransfer(from, to, amount), "said beforehand");
        assertRefused(from, address(token), abi.encodeCall(token.transfer, (to, amount)), why);
        vm.prank(from);
        token.approve(stranger, amount);
        assertRefused(stranger, address(token), abi.encodeCall(token.transferFrom, (from, to, amount)), why);
        address[] memory toList = new address[](1);
        uint256[] memory amounts = new uint256[](1);
        (toList[0], amounts[0]) = (to, amount);
        assertRefused(from, address(token), abi.encodeCall(token.batchTransfer, (toList, amounts)), why);
        refuseHold(from, to, amount, why);
    }

    function refuseHold(address from, address to, uint256 amount, bytes memory why) private {
        vm.prank(from);
        bytes32 id = token.createHold(bytes32(++_holds), to, amount, notary, type(uint48).max);
        assertRefused(notary, address(token), abi.encodeCall(token.executeHold, (id, amount)), why);
        vm.prank(notary);
        token.releaseHold(id);
    }
}
