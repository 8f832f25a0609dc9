// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {AgreedTerms} from "../../../src/assets/actions/AgreedTerms.sol";
import {TokenDuties} from "../../../src/assets/actions/TokenDuties.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {OfferingErrors} from "../../../src/assets/offering/OfferingErrors.sol";
import {
    Offering,
    OfferingStatus,
    OfferingTerms,
    Order,
    OrderStatus
} from "../../../src/assets/offering/OfferingTypes.sol";
import {Offerings} from "../../../src/assets/offering/Offerings.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {OfferingSuite} from "./OfferingSuite.sol";

/// @dev Terms, duties, and orders until the close.
contract OfferingOrdersTest is OfferingSuite {
    // Terms.

    function test_an_offering_says_its_terms_and_binds_when_two_agree() public {
        OfferingTerms memory terms = prospectus();
        vm.expectEmit(address(offerings));
        emit Offerings.OfferingAnnounced(1, address(money), terms);
        assertEq(propose(terms), 1, "the first");
        assertEq(offerings.offeringCount(), 1, "one");
        assertEq(offerings.proposerOf(1), issuer, "proposer");
        bytes32 termsHash = keccak256(abi.encode(terms));
        assertEq(keccak256(abi.encode(offerings.getOffering(1).terms)), termsHash, "terms");
        vm.warp(OPENS_AT);
        refused(alice, abi.encodeCall(offerings.placeOrder, (1, 2)), statusError(1, OfferingStatus.Announced));
        vm.expectEmit(address(offerings));
        emit AgreedTerms.TermsAgreed(1, issuer, treasurer, termsHash);
        vm.prank(treasurer);
        offerings.approve(1, termsHash);
        place(1, alice, 2);
    }

    function test_terms_are_agreed_to_before_the_close_by_another() public {
        uint256 offeringId = propose(prospectus());
        bytes32 termsHash = keccak256(abi.encode(prospectus()));
        bytes memory approval = abi.encodeCall(offerings.approve, (offeringId, termsHash));
        refused(
            treasurer,
            abi.encodeCall(offerings.approve, (offeringId, ~termsHash)),
            abi.encodeWithSelector(AgreedTerms.TermsDiffer.selector, offeringId, ~termsHash, termsHash)
        );
        vm.prank(admin);
        token.grantRole(Duties.TREASURY, issuer);
        refused(
            issuer, approval, abi.encodeWithSelector(AgreedTerms.TermsApprovedByProposer.selector, offeringId, issuer)
        );
        vm.warp(CLOSES_AT);
        refused(treasurer, approval, periodError(offeringId, 0, CLOSES_AT));
        vm.warp(CLOSES_AT - 1);
        vm.prank(treasurer);
        offerings.approve(offeringId, termsHash);
        refused(treasurer, approval, statusError(offeringId, OfferingStatus.Open));
    }

    function test_money_that_is_none_is_refused() public {
        assertMoneyRefused(stranger, proceedsAccount, 1);
        assertMoneyRefused(address(token), proceedsAccount, 1);
        assertMoneyRefused(address(money), address(0), 1);
        assertMoneyRefused(address(money), address(offerings), 1);
        assertMoneyRefused(address(money), proceedsAccount, 0);
    }

    function assertMoneyRefused(address currency, address account, uint128 price) private {
        OfferingTerms memory terms = prospectus();
        (terms.currency, terms.proceedsAccount, terms.lotPrice) = (currency, account, price);
        refused(
            issuer,
            abi.encodeCall(offerings.announce, (terms)),
            abi.encodeWithSelector(OfferingErrors.OfferingMoneyInvalid.selector, currency, account, price)
        );
    }

    function test_times_are_in_order_and_bounded() public {
        uint48 now_ = uint48(NOW);
        assertPeriodRefused(now_ - 1, CLOSES_AT, ISSUE_BY);
        assertPeriodRefused(OPENS_AT, OPENS_AT, ISSUE_BY);
        assertPeriodRefused(now_, now_ + 180 days + 1, now_ + 190 days);
        assertPeriodRefused(OPENS_AT, CLOSES_AT, CLOSES_AT + 1 days - 1);
        assertPeriodRefused(OPENS_AT, CLOSES_AT, CLOSES_AT + 30 days + 1);
        OfferingTerms memory terms = prospectus();
        (terms.opensAt, terms.closesAt, terms.issueBy) = (now_, now_ + 180 days, now_ + 210 days);
        assertEq(propose(terms), 1, "the longest");
        (terms.closesAt, terms.issueBy) = (now_ + 1, now_ + 1 + 1 days);
        assertEq(propose(terms), 2, "the shortest");
    }

    function assertPeriodRefused(uint48 opensAt, uint48 closesAt, uint48 issueBy) private {
        OfferingTerms memory terms = prospectus();
        (terms.opensAt, terms.closesAt, terms.issueBy) = (opensAt, closesAt, issueBy);
        refused(
            issuer,
            abi.encodeCall(offerings.announce, (terms)),
            abi.encodeWithSelector(OfferingErrors.OfferingPeriodInvalid.selector, opensAt, closesAt, issueBy, NOW)
        );
    }

    function test_sizes_are_possible() public {
        assertSizeRefused(0, 1, 1);
        assertSizeRefused(1, 0, 0);
        assertSizeRefused(1, 10, 11);
        assertSizeRefused(type(uint104).max, 2, 1);
        assertLimitsRefused(0, 5, 4);
        assertLimitsRefused(6, 5, 4);
        assertLimitsRefused(2, LOTS_MAX + 1, 4);
        assertLimitsRefused(2, 5, 0);
        assertLimitsRefused(2, 5, 100_001);
        OfferingTerms memory terms = prospectus();
        (terms.lotUnits, terms.lotsMax, terms.lotsMin) = (type(uint104).max, 1, 1);
        (terms.orderLotsMin, terms.orderLotsMax, terms.ordersMax) = (1, 1, 100_000);
        assertEq(propose(terms), 1, "the widest");
    }

    function assertSizeRefused(uint104 lotUnits, uint64 lotsMax, uint64 lotsMin) private {
        OfferingTerms memory terms = prospectus();
        (terms.lotUnits, terms.lotsMax, terms.lotsMin) = (lotUnits, lotsMax, lotsMin);
        refused(
            issuer,
            abi.encodeCall(offerings.announce, (terms)),
            abi.encodeWithSelector(OfferingErrors.OfferingSizeInvalid.selector, lotUnits, lotsMax, lotsMin)
        );
    }

    function assertLimitsRefused(uint64 least, uint64 most, uint32 ordersMax) private {
        OfferingTerms memory terms = prospectus();
        (terms.orderLotsMin, terms.orderLotsMax, terms.ordersMax) = (least, most, ordersMax);
        bytes4 selector = OfferingErrors.OfferingOrderLimitsInvalid.selector;
        refused(
            issuer,
            abi.encodeCall(offerings.announce, (terms)),
            abi.encodeWithSelector(selector, least, most, ordersMax, 100_000)
        );
    }

    function test_only_who_is_in_duty_offers() public {
        uint256 offeringId = announce(prospectus());
        bytes memory approval = abi.encodeCall(offerings.approve, (offeringId, bytes32(0)));
        address[8] memory people = [admin, treasurer, agent, officer, auditor, upgrader, notary, stranger];
        for (uint256 i = 0; i < people.length; ++i) {
            bytes memory refusal = missingRole(people[i], Duties.ISSUER);
            refused(people[i], abi.encodeCall(offerings.announce, (prospectus())), refusal);
            refused(people[i], abi.encodeCall(offerings.cancel, (offeringId)), refusal);
            if (people[i] != treasurer) refused(people[i], approval, missingRole(people[i], Duties.TREASURY));
        }
        refused(issuer, approval, missingRole(issuer, Duties.TREASURY));
        vm.warp(OPENS_AT);
        place(offeringId, alice, LOTS_MIN);
        vm.warp(CLOSES_AT);
        for (uint256 i = 0; i < people.length; ++i) {
            bytes memory refusal = missingRole(people[i], Duties.ISSUER);
            refused(people[i], abi.encodeCall(offerings.allot, (offeringId, 1)), refusal);
        }
        expectError(abi.encodeWithSelector(TokenDuties.TokenDutiesNoToken.selector, stranger));
        new Offerings(IRegulatedToken(stranger));
    }

    // Orders.

    function test_an_order_is_paid_and_can_be_withdrawn() public {
        uint256 offeringId = open();
        vm.expectEmit(address(offerings));
        emit Offerings.OrderPlaced(offeringId, alice, 10, 102_500);
        place(offeringId, alice, 10);
        place(offeringId, bob, 20);
        place(offeringId, carol, 30);
        assertEq(money.balanceOf(alice), FUNDS - 102_500, "paid");
        assertEq(money.balanceOf(address(offerings)), 615_000, "all is here");
        assertEq(offerings.getOffering(offeringId).escrow, 615_000, "and known");
        assertEq(offerings.getOffering(offeringId).lotsOrdered, 60, "lots");
        vm.expectEmit(address(offerings));
        emit Offerings.OrderWithdrawn(offeringId, alice, alice, 102_500);
        withdraw(offeringId, alice);
        assertEq(money.balanceOf(alice), FUNDS, "paid back");
        assertEq(offerings.getOffering(offeringId).escrow, 512_500, "escrow");
        assertEq(offerings.getOffering(offeringId).lotsOrdered, 50, "lots left");
        assertList(offeringId, carol, bob);
        assertEq(offerings.getOrder(offeringId, carol).place, 1, "the last one took the place");
        place(offeringId, alice, 5);
        withdraw(offeringId, bob);
        withdraw(offeringId, alice);
        withdraw(offeringId, carol);
        assertEq(offerings.orderCount(offeringId), 0, "none");
        assertEq(money.balanceOf(address(offerings)), 0, "nothing");
        assertOrder(offeringId, alice, OrderStatus.None);
    }

    function assertList(uint256 offeringId, address first, address second) private view {
        address[] memory all = offerings.investorsOf(offeringId, 0, 100);
        assertEq(all.length, 2, "two");
        assertEq(all[0], first, "first");
        assertEq(all[1], second, "second");
    }

    function test_the_list_is_read_by_pages() public {
        uint256 offeringId = overSubscribed();
        assertEq(offerings.orderCount(offeringId), 4, "four");
        address[] memory page = offerings.investorsOf(offeringId, 1, 2);
        assertEq(page.length, 2, "two");
        assertEq(page[0], bob, "the second one");
        assertEq(page[1], carol, "the third one");
        assertEq(offerings.investorsOf(offeringId, 3, 100).length, 1, "the rest");
        assertEq(offerings.investorsOf(offeringId, 4, 1).length, 0, "beyond the end");
        assertEq(offerings.investorsOf(offeringId, 0, type(uint256).max).length, 4, "all");
    }

    function test_a_page_is_bounded() public {
        OfferingTerms memory terms = prospectus();
        terms.ordersMax = 101;
        uint256 offeringId = open(terms);
        for (uint256 i = 0; i < 101; ++i) {
            address investor = address(uint160(0x14E5700000 + i));
            enter(investor, 1_000 + i);
            provide(money, investor);
            place(offeringId, investor, 2);
        }
        assertEq(offerings.investorsOf(offeringId, 0, type(uint256).max).length, 100, "a page of the most");
        assertEq(offerings.investorsOf(offeringId, 100, 100).length, 1, "the next one");
    }

    function test_orders_are_taken_in_their_period() public {
        uint256 offeringId = announce(prospectus());
        bytes memory call = abi.encodeCall(offerings.placeOrder, (offeringId, 2));
        vm.warp(OPENS_AT - 1);
        refused(alice, call, periodError(offeringId, OPENS_AT, CLOSES_AT));
        vm.warp(OPENS_AT);
        place(offeringId, alice, 2);
        vm.warp(CLOSES_AT - 1);
        place(offeringId, bob, 2);
        vm.warp(CLOSES_AT);
        refused(carol, call, periodError(offeringId, OPENS_AT, CLOSES_AT));
        refused(
            alice,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, alice)),
            periodError(offeringId, OPENS_AT, CLOSES_AT)
        );
    }

    function test_orders_are_within_their_limits() public {
        OfferingTerms memory terms = prospectus();
        terms.ordersMax = 2;
        uint256 offeringId = open(terms);
        assertSizeRefused(offeringId, 1);
        assertSizeRefused(offeringId, 801);
        assertSizeRefused(offeringId, type(uint64).max);
        place(offeringId, alice, 2);
        place(offeringId, bob, 800);
        refused(
            carol,
            abi.encodeCall(offerings.placeOrder, (offeringId, 2)),
            abi.encodeWithSelector(OfferingErrors.OfferingOrdersTooMany.selector, offeringId, 2)
        );
        withdraw(offeringId, alice);
        place(offeringId, carol, 2);
    }

    function assertSizeRefused(uint256 offeringId, uint64 lots) private {
        refused(
            alice,
            abi.encodeCall(offerings.placeOrder, (offeringId, lots)),
            abi.encodeWithSelector(OfferingErrors.OfferingOrderSizeInvalid.selector, offeringId, lots, 2, 800)
        );
    }

    function test_an_investor_has_one_order_whatever_its_wallet() public {
        uint256 offeringId = open();
        place(offeringId, alice, 800);
        refused(
            alice,
            abi.encodeCall(offerings.placeOrder, (offeringId, 2)),
            orderError(offeringId, alice, OrderStatus.Placed)
        );
        address found = wallet("alice's new wallet");
        vm.prank(agent);
        registry.replaceWallet(alice, found);
        provide(money, found);
        refused(
            found,
            abi.encodeCall(offerings.placeOrder, (offeringId, 2)),
            abi.encodeWithSelector(OfferingErrors.OfferingInvestorHasOrder.selector, offeringId, found, alice)
        );
        refused(
            alice,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, alice)),
            abi.encodeWithSelector(OfferingErrors.OfferingNotInvestor.selector, alice, alice, found)
        );
        vm.expectEmit(address(offerings));
        emit Offerings.OrderWithdrawn(offeringId, alice, found, 800 * uint256(LOT_PRICE));
        vm.prank(found);
        offerings.withdrawOrder(offeringId, alice);
        assertEq(money.balanceOf(found), FUNDS + 800 * uint256(LOT_PRICE), "the new wallet has the money");
        place(offeringId, found, 2);
    }

    function test_nobody_withdraws_the_order_of_another() public {
        uint256 offeringId = open();
        place(offeringId, alice, 2);
        refused(
            bob,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, alice)),
            abi.encodeWithSelector(OfferingErrors.OfferingNotInvestor.selector, alice, bob, alice)
        );
        refused(
            bob,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, bob)),
            orderError(offeringId, bob, OrderStatus.None)
        );
    }

    function test_orders_are_taken_from_whom_registry_and_rules_admit() public {
        uint256 offeringId = open();
        bytes memory call = abi.encodeCall(offerings.placeOrder, (offeringId, 11));
        refused(stranger, call, abi.encodeWithSelector(OfferingErrors.OfferingInvestorNotAdmitted.selector, stranger));
        vm.prank(agent);
        token.setAddressFrozen(alice, true);
        refused(alice, call, abi.encodeWithSelector(OfferingErrors.OfferingInvestorNotAdmitted.selector, alice));
        setRules(one(rule(RuleKind.BalanceMax, BOB_UNITS + 1_099)));
        refused(bob, call, refused(ReasonCodes.BALANCE_MAX, BOB_UNITS + 1_099));
        place(offeringId, bob, 10);
    }

    // Withdrawal of the whole.

    function test_the_issuer_withdraws_until_orders_are_gone_through() public {
        uint256 proposed = propose(prospectus());
        uint256 begun = open();
        vm.expectEmit(address(offerings));
        emit Offerings.OfferingCancelled(proposed, issuer);
        cancel(issuer, proposed);
        bytes memory refusal = statusError(proposed, OfferingStatus.Cancelled);
        refused(issuer, abi.encodeCall(offerings.cancel, (proposed)), refusal);
        refused(treasurer, abi.encodeCall(offerings.approve, (proposed, bytes32(0))), refusal);
        place(begun, alice, 200);
        place(begun, bob, 200);
        vm.warp(CLOSES_AT);
        allot(begun, 1);
        refused(
            issuer,
            abi.encodeCall(offerings.cancel, (begun)),
            abi.encodeWithSelector(OfferingErrors.OfferingAllotmentBegun.selector, begun, 1)
        );
    }

    function test_what_is_not_allotted_in_time_anybody_ends() public {
        uint256 offeringId = open();
        place(offeringId, alice, 200);
        place(offeringId, bob, 200);
        vm.warp(CLOSES_AT);
        allot(offeringId, 1);
        vm.warp(ISSUE_BY - 1);
        refused(stranger, abi.encodeCall(offerings.cancel, (offeringId)), missingRole(stranger, Duties.ISSUER));
        vm.warp(ISSUE_BY);
        refused(issuer, abi.encodeCall(offerings.allot, (offeringId, 1)), periodError(offeringId, CLOSES_AT, ISSUE_BY));
        vm.expectEmit(address(offerings));
        emit Offerings.OfferingCancelled(offeringId, stranger);
        cancel(stranger, offeringId);
        assertEq(offerings.refundMany(offeringId, listAll()), 2, "both are paid back");
        assertEq(money.balanceOf(alice), FUNDS, "what was allotted");
        assertEq(money.balanceOf(bob), FUNDS, "and what was not");
    }

    function cancel(address caller, uint256 offeringId) private {
        vm.prank(caller);
        offerings.cancel(offeringId);
    }

    function test_a_withdrawn_offering_pays_all_back() public {
        uint256 offeringId = overSubscribed();
        cancel(issuer, offeringId);
        refused(
            alice,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, alice)),
            statusError(offeringId, OfferingStatus.Cancelled)
        );
        assertEq(offerings.refundableTo(offeringId, alice), 800 * uint256(LOT_PRICE), "all of it");
        vm.prank(stranger);
        offerings.refund(offeringId, alice);
        assertEq(money.balanceOf(alice), FUNDS, "paid back");
        refused(
            alice,
            abi.encodeCall(offerings.refund, (offeringId, alice)),
            orderError(offeringId, alice, OrderStatus.Done)
        );
        Order memory order = offerings.getOrder(offeringId, bob);
        assertEq(order.lots, 500, "bob's is still there");
        assertEq(offerings.refundMany(offeringId, listAll()), 3, "the others");
        Offering memory offering = offerings.getOffering(offeringId);
        assertEq(offering.escrow + offering.proceeds + money.balanceOf(address(offerings)), 0, "nothing stays");
    }

    function test_there_is_no_offering_that_was_not_announced() public {
        bytes memory refusal = statusError(1, OfferingStatus.None);
        refused(issuer, abi.encodeCall(offerings.cancel, (1)), refusal);
        refused(treasurer, abi.encodeCall(offerings.approve, (1, bytes32(0))), refusal);
        refused(alice, abi.encodeCall(offerings.placeOrder, (1, 2)), refusal);
        refused(alice, abi.encodeCall(offerings.withdrawOrder, (1, alice)), refusal);
        refused(issuer, abi.encodeCall(offerings.allot, (1, 1)), refusal);
        refused(alice, abi.encodeCall(offerings.issue, (1, alice)), refusal);
        refused(alice, abi.encodeCall(offerings.refund, (1, alice)), orderError(1, alice, OrderStatus.None));
        refused(
            alice,
            abi.encodeCall(offerings.payProceeds, (1)),
            abi.encodeWithSelector(OfferingErrors.OfferingNoProceeds.selector, 1)
        );
    }
}
