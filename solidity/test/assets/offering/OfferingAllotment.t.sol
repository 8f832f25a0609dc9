// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntryBatch} from "../../../src/assets/actions/EntryBatch.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {CountryRule} from "../../../src/assets/compliance/rules/CountryRule.sol";
import {OfferingErrors} from "../../../src/assets/offering/OfferingErrors.sol";
import {Offering, OfferingStatus, OfferingTerms, OrderStatus} from "../../../src/assets/offering/OfferingTypes.sol";
import {Offerings} from "../../../src/assets/offering/Offerings.sol";
import {OfferingSuite} from "./OfferingSuite.sol";

/// @dev Permits everything, and uses all but a little of the gas of an answer.
contract WastefulModule {
    fallback() external {
        while (gasleft() > 2_000) {}
        assembly {
            mstore(0, 0)
            mstore(0x20, 0)
            return(0, 0x40)
        }
    }
}

/// @dev From the close to the last cent.
contract OfferingAllotmentTest is OfferingSuite {
    // Allotment.

    function test_all_that_is_ordered_is_given_where_there_is_enough() public {
        uint256 offeringId = open();
        place(offeringId, alice, 600);
        place(offeringId, bob, 400);
        vm.warp(CLOSES_AT);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, alice, 600, 600, "");
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, bob, 400, 400, "");
        vm.expectEmit(address(offerings));
        emit Offerings.OfferingDecided(offeringId, OfferingStatus.Allotted, 1_000, 1_000);
        assertEq(uint256(allot(offeringId, 256)), uint256(OfferingStatus.Allotted), "decided");
        vm.expectEmit(address(offerings));
        emit Offerings.OrderIssued(offeringId, alice, alice, 60_000, 6_150_000);
        vm.prank(stranger);
        offerings.issue(offeringId, alice);
        assertEq(token.balanceOf(alice), ALICE_UNITS + 60_000, "units");
        assertOrder(offeringId, alice, OrderStatus.Done);
        offerings.issueMany(offeringId, list(bob));
        vm.expectEmit(address(offerings));
        emit Offerings.ProceedsPaid(offeringId, proceedsAccount, 10_250_000);
        offerings.payProceeds(offeringId);
        assertEq(money.balanceOf(proceedsAccount), 10_250_000, "proceeds");
        assertEq(money.balanceOf(address(offerings)), 0, "nothing stays");
        refused(
            alice,
            abi.encodeCall(offerings.payProceeds, (offeringId)),
            abi.encodeWithSelector(OfferingErrors.OfferingNoProceeds.selector, offeringId)
        );
    }

    function test_an_order_is_asked_of_as_many_rules_as_there_can_be() public {
        uint256 offeringId = open();
        place(offeringId, alice, 200);
        WastefulModule module = new WastefulModule();
        Rule[] memory list = new Rule[](rules.RULES_MAX());
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = Rule(RuleKind.External, new uint256[](2));
            list[i].words[0] = uint160(address(module));
        }
        (list[3], list[4]) = (rule(RuleKind.HoldingPeriod, 1 days), rule(RuleKind.OfferingCap, type(uint104).max));
        uint16[] memory countries = new uint16[](0);
        for (uint256 i = 5; i < list.length; ++i) {
            list[i] = Rule(RuleKind.Country, CountryRule.encode(countries, true));
        }
        setRules(list);
        assertEq(uint256(closeAndAllot(offeringId)), uint256(OfferingStatus.Allotted), "decided");
        assertOrder(offeringId, alice, OrderStatus.Allotted);
    }

    function test_what_is_ordered_too_much_is_cut_for_all_alike() public {
        uint256 offeringId = overSubscribed();
        vm.warp(CLOSES_AT);
        assertEq(uint256(allot(offeringId, 3)), uint256(OfferingStatus.Open), "one is left");
        assertEq(uint256(allot(offeringId, 1)), uint256(OfferingStatus.Allotted), "none is left");
        // Of 800, 1,300, 1,600 and 1,607 lots of 1,607 the parts of 1,000 are 497, 808, 995 and 1,000.
        uint64[4] memory parts = [uint64(497), 311, 187, 5];
        uint64[4] memory ordered = [uint64(800), 500, 300, 7];
        address[4] memory all = investors();
        assertEq(offerings.issueMany(offeringId, listAll()), 4, "issued");
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(offerings.getOrder(offeringId, all[i]).lotsAllotted, parts[i], "part");
            uint256 rest = uint256(ordered[i] - parts[i]) * LOT_PRICE;
            assertEq(offerings.refundableTo(offeringId, all[i]), rest, "rest");
            vm.expectEmit(address(offerings));
            emit Offerings.OrderRefunded(offeringId, all[i], all[i], rest);
            offerings.refund(offeringId, all[i]);
            assertEq(money.balanceOf(all[i]), FUNDS - uint256(parts[i]) * LOT_PRICE, "paid for its part");
        }
        assertEq(token.totalSupply(), ALICE_UNITS + BOB_UNITS + 1_000 * LOT_UNITS, "the cap, to the last lot");
        offerings.payProceeds(offeringId);
        assertEq(money.balanceOf(proceedsAccount), 1_000 * uint256(LOT_PRICE), "proceeds");
    }

    function test_too_little_ordered_is_decided_by_anybody_and_goes_back() public {
        uint256 offeringId = open();
        place(offeringId, alice, LOTS_MIN - 1);
        vm.warp(CLOSES_AT - 1);
        refused(
            stranger, abi.encodeCall(offerings.allot, (offeringId, 1)), periodError(offeringId, CLOSES_AT, ISSUE_BY)
        );
        vm.warp(CLOSES_AT);
        vm.expectEmit(address(offerings));
        emit Offerings.OfferingDecided(offeringId, OfferingStatus.Failed, LOTS_MIN - 1, 0);
        vm.prank(stranger);
        offerings.allot(offeringId, 1);
        refused(
            alice, abi.encodeCall(offerings.issue, (offeringId, alice)), statusError(offeringId, OfferingStatus.Failed)
        );
        offerings.refund(offeringId, alice);
        assertEq(money.balanceOf(alice), FUNDS, "all of it");
    }

    function test_just_the_minimum_is_enough() public {
        uint256 offeringId = open();
        place(offeringId, alice, LOTS_MIN);
        assertEq(uint256(closeAndAllot(offeringId)), uint256(OfferingStatus.Allotted), "reached");
        offerings.issue(offeringId, alice);
        assertEq(token.balanceOf(alice), ALICE_UNITS + 10_000, "issued");
    }

    function test_who_is_refused_in_the_end_gets_nothing_and_all_money_back() public {
        uint256 offeringId = overSubscribed();
        vm.prank(agent);
        token.setAddressFrozen(bob, true);
        vm.warp(CLOSES_AT);
        bytes memory reason = abi.encodeWithSelector(OfferingErrors.OfferingInvestorNotAdmitted.selector, bob);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, alice, 800, 497, "");
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, bob, 500, 0, reason);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, carol, 300, 187, "");
        allot(offeringId, 256);
        assertEq(offerings.getOffering(offeringId).lotsAllotted, 689, "nobody else gets it");
        offerings.refund(offeringId, bob);
        assertEq(money.balanceOf(bob), FUNDS, "all of it");
    }

    function test_what_is_left_after_refusals_reaches_the_minimum() public {
        assertDecided(LOTS_MIN, OfferingStatus.Allotted);
    }

    function test_what_is_left_after_refusals_misses_the_minimum() public {
        assertDecided(LOTS_MIN - 1, OfferingStatus.Failed);
    }

    /// @dev Alice is refused in the end; what is left is Bob's order.
    function assertDecided(uint64 lotsOfBob, OfferingStatus status) private {
        uint256 offeringId = open();
        place(offeringId, alice, 50);
        place(offeringId, bob, lotsOfBob);
        setRules(one(rule(RuleKind.BalanceMax, ALICE_UNITS)));
        vm.warp(CLOSES_AT);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderAllotted(offeringId, alice, 50, 0, refused(ReasonCodes.BALANCE_MAX, ALICE_UNITS));
        assertEq(uint256(allot(offeringId, 256)), uint256(status), "decided");
        bool isAllotted = status == OfferingStatus.Allotted;
        assertEq(offerings.refundMany(offeringId, listAll()), isAllotted ? 1 : 2, "who is paid back at once");
        assertEq(money.balanceOf(alice), FUNDS, "alice is");
    }

    function test_a_share_of_less_than_a_lot_is_none() public {
        OfferingTerms memory terms = prospectus();
        (terms.lotsMax, terms.lotsMin, terms.orderLotsMin, terms.orderLotsMax) = (2, 0, 1, 2);
        uint256 offeringId = open(terms);
        place(offeringId, alice, 1);
        place(offeringId, bob, 2);
        place(offeringId, carol, 1);
        closeAndAllot(offeringId);
        assertEq(offerings.getOrder(offeringId, alice).lotsAllotted, 0, "half a lot");
        assertEq(offerings.getOrder(offeringId, bob).lotsAllotted, 1, "a lot");
        assertEq(offerings.getOrder(offeringId, carol).lotsAllotted, 1, "half a lot and the other half");
        assertOrder(offeringId, alice, OrderStatus.Refundable);
        offerings.refund(offeringId, alice);
        assertEq(money.balanceOf(alice), FUNDS, "all of it");
    }

    function test_an_offering_without_orders_or_minimum_issues_nothing() public {
        OfferingTerms memory terms = prospectus();
        terms.lotsMin = 0;
        uint256 offeringId = open(terms);
        assertEq(uint256(closeAndAllot(offeringId)), uint256(OfferingStatus.Allotted), "decided");
        refused(
            alice, abi.encodeCall(offerings.issue, (offeringId, alice)), orderError(offeringId, alice, OrderStatus.None)
        );
    }

    // Issue and refund.

    function test_nothing_is_issued_or_paid_back_twice() public {
        uint256 offeringId = overSubscribed();
        closeAndAllot(offeringId);
        offerings.issueMany(offeringId, listAll());
        bytes memory refusal = orderError(offeringId, alice, OrderStatus.Refundable);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderEntrySkipped(offeringId, alice, refusal);
        assertEq(offerings.issueMany(offeringId, list(alice)), 0, "nor in a batch");
        refused(alice, abi.encodeCall(offerings.issue, (offeringId, alice)), refusal);
        offerings.refund(offeringId, alice);
        refusal = orderError(offeringId, alice, OrderStatus.Done);
        refused(alice, abi.encodeCall(offerings.refund, (offeringId, alice)), refusal);
        assertEq(offerings.refundMany(offeringId, listAll()), 3, "the others");
        refused(
            issuer, abi.encodeCall(offerings.allot, (offeringId, 1)), statusError(offeringId, OfferingStatus.Allotted)
        );
    }

    function test_nothing_goes_back_before_it_is_decided_or_issued() public {
        uint256 offeringId = overSubscribed();
        bytes memory call = abi.encodeCall(offerings.refund, (offeringId, alice));
        refused(alice, call, orderError(offeringId, alice, OrderStatus.Placed));
        vm.warp(CLOSES_AT);
        allot(offeringId, 1);
        refused(alice, call, orderError(offeringId, alice, OrderStatus.Allotted));
        assertEq(offerings.refundableTo(offeringId, alice), 0, "nothing yet");
        allot(offeringId, 256);
        refused(alice, call, orderError(offeringId, alice, OrderStatus.Allotted));
        offerings.issue(offeringId, alice);
        offerings.refund(offeringId, alice);
    }

    function test_who_has_not_received_by_the_end_of_issue_gets_the_money_back() public {
        uint256 offeringId = overSubscribed();
        closeAndAllot(offeringId);
        vm.prank(agent);
        token.setAddressFrozen(alice, true);
        assertEq(offerings.issueMany(offeringId, listAll()), 3, "alice waits");
        vm.warp(ISSUE_BY - 1);
        assertEq(offerings.refundableTo(offeringId, alice), 0, "not yet");
        vm.warp(ISSUE_BY);
        refused(
            alice, abi.encodeCall(offerings.issue, (offeringId, alice)), periodError(offeringId, CLOSES_AT, ISSUE_BY)
        );
        offerings.refund(offeringId, alice);
        assertEq(money.balanceOf(alice), FUNDS, "all of it");
        assertEq(offerings.getOrder(offeringId, alice).lotsAllotted, 0, "given up");
        Offering memory offering = offerings.getOffering(offeringId);
        assertEq(offering.lotsAllotted, 503, "by the offering too");
        assertEq(offering.lotsIssued, 503, "all others have theirs");
        assertEq(offering.proceeds, 503 * uint256(LOT_PRICE), "the issuer earned what is issued");
    }

    function test_the_wallet_that_took_the_place_of_a_lost_one_receives() public {
        uint256 offeringId = overSubscribed();
        address found = wallet("alice's new wallet");
        vm.prank(agent);
        registry.replaceWallet(alice, found);
        closeAndAllot(offeringId);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderIssued(offeringId, alice, found, 49_700, 497 * uint256(LOT_PRICE));
        offerings.issue(offeringId, alice);
        assertEq(token.balanceOf(found), 49_700, "units");
        vm.expectEmit(address(offerings));
        emit Offerings.OrderRefunded(offeringId, alice, found, 303 * uint256(LOT_PRICE));
        offerings.refund(offeringId, alice);
        assertEq(money.balanceOf(found), 303 * uint256(LOT_PRICE), "money");
    }

    function test_batches_are_bounded_and_entries_are_for_batches_alone() public {
        uint256 offeringId = overSubscribed();
        vm.warp(CLOSES_AT);
        bytes memory none = abi.encodeWithSelector(EntryBatch.BatchInvalid.selector, 0, 256);
        bytes memory many = abi.encodeWithSelector(EntryBatch.BatchInvalid.selector, 257, 256);
        refused(issuer, abi.encodeCall(offerings.allot, (offeringId, 0)), none);
        refused(issuer, abi.encodeCall(offerings.allot, (offeringId, 257)), many);
        refused(alice, abi.encodeCall(offerings.issueMany, (offeringId, new address[](0))), none);
        refused(alice, abi.encodeCall(offerings.refundMany, (offeringId, new address[](257))), many);
        bytes memory entry = abi.encodeWithSelector(EntryBatch.BatchEntryOnly.selector, alice);
        refused(alice, abi.encodeCall(offerings.issueEntry, (offeringId, alice)), entry);
        refused(alice, abi.encodeCall(offerings.refundEntry, (offeringId, alice)), entry);
        vm.prank(issuer);
        (bool done, bytes memory answer) =
            address(offerings).call{gas: 900_000}(abi.encodeCall(offerings.allot, (offeringId, 256)));
        assertFalse(done, "refused");
        assertEq(bytes4(answer), EntryBatch.BatchGasInsufficient.selector, "nobody is refused for want of gas");
    }

    function test_another_offering_is_another_matter() public {
        uint256 first = announce(prospectus());
        uint256 second = open();
        place(first, alice, 200);
        place(second, alice, 99);
        vm.warp(CLOSES_AT);
        allot(second, 1);
        allot(first, 1);
        offerings.refund(second, alice);
        assertEq(offerings.getOffering(first).escrow, 200 * uint256(LOT_PRICE), "the first one's money is here");
        assertEq(money.balanceOf(address(offerings)), 200 * uint256(LOT_PRICE), "all of it");
        offerings.issue(first, alice);
        assertEq(token.balanceOf(alice), ALICE_UNITS + 20_000, "issued");
    }

    // Any orders.

    function testFuzz_parts_are_the_cap_and_fair(uint64[4] memory orders, uint64 cap) public {
        setRules(new Rule[](0));
        OfferingTerms memory terms = prospectus();
        terms.lotsMax = uint64(bound(cap, 1, type(uint32).max));
        (terms.lotsMin, terms.orderLotsMin, terms.orderLotsMax) = (0, 1, terms.lotsMax);
        terms.lotPrice = 3;
        uint256 offeringId = open(terms);
        address[4] memory all = investors();
        uint256 ordered;
        for (uint256 i = 0; i < 4; ++i) {
            orders[i] = uint64(bound(orders[i], 1, terms.lotsMax));
            ordered += orders[i];
            place(offeringId, all[i], orders[i]);
        }
        closeAndAllot(offeringId);
        uint256 given;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 part = offerings.getOrder(offeringId, all[i]).lotsAllotted;
            given += part;
            uint256 whole = ordered <= terms.lotsMax ? ordered : terms.lotsMax;
            // The exact share is orders * whole / ordered; the part is less than a lot away from it.
            assertLe(part * ordered, uint256(orders[i]) * whole + ordered - 1, "not a lot more");
            assertLe(uint256(orders[i]) * whole, part * ordered + ordered - 1, "not a lot less");
            assertLe(part, orders[i], "not more than ordered");
        }
        assertEq(given, ordered <= terms.lotsMax ? ordered : terms.lotsMax, "the cap or all, to the last lot");
        offerings.issueMany(offeringId, listAll());
        offerings.refundMany(offeringId, listAll());
        offerings.payProceeds(offeringId);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 part = offerings.getOrder(offeringId, all[i]).lotsAllotted;
            assertEq(money.balanceOf(all[i]), FUNDS - part * 3, "paid for its part");
        }
        assertEq(money.balanceOf(proceedsAccount), given * 3, "proceeds");
        assertEq(money.balanceOf(address(offerings)), 0, "nothing stays");
    }
}
