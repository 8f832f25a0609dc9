// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementStatus, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {SettlementSuite} from "./SettlementSuite.sol";

contract SettlementTest is SettlementSuite {
    function test_the_last_confirmation_moves_everything() public {
        SettlementTerms memory terms = sale();
        bytes32 orderId = settlement.orderIdOf(terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementProposed(orderId, terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementConfirmed(orderId, seller);
        assertEq(uint256(confirm(seller, terms)), uint256(SettlementStatus.Open), "awaits the buyer");
        assertSold(false);
        assertOrder(terms, SettlementStatus.Open, 1, 0);

        vm.expectEmit(address(settlement));
        emit Settlement.SettlementConfirmed(orderId, buyer);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementExecuted(orderId);
        assertEq(uint256(confirm(buyer, terms)), uint256(SettlementStatus.Executed), "settled");
        assertSold(true);
        assertOrder(terms, SettlementStatus.Executed, 3, 0);
    }

    function test_the_buyer_may_confirm_first() public {
        SettlementTerms memory terms = sale();
        confirm(buyer, terms);
        assertOrder(terms, SettlementStatus.Open, 2, 0);
        confirm(seller, terms);
        assertSold(true);
    }

    function test_currencies_change_hands_against_each_other() public {
        SettlementTerms memory terms = order(moneyLeg(buyer, seller, 500), currencyLeg(seller, buyer, 90));
        confirmSale(terms);
        assertEq(money.balanceOf(seller), FUNDS + 500, "money");
        assertEq(currency.balanceOf(buyer), FUNDS + 90, "currency");
    }

    function test_a_ring_of_three_parties_and_three_standards_settles() public {
        SettlementLeg[] memory legs = new SettlementLeg[](4);
        legs[0] = deedLeg(seller, buyer);
        legs[1] = moneyLeg(buyer, third, PRICE);
        legs[2] = paperLeg(third, seller, PAPERS);
        legs[3] = currencyLeg(third, seller, 11);
        SettlementTerms memory terms = order(legs);
        confirm(third, terms);
        assertOrder(terms, SettlementStatus.Open, 12, 0);
        confirm(seller, terms);
        confirm(buyer, terms);
        assertEq(deed.ownerOf(DEED_ID), buyer, "deed");
        assertEq(money.balanceOf(third), FUNDS + PRICE, "money");
        assertEq(paper.balanceOf(seller, PAPER_ID), 1000 + PAPERS, "papers");
        assertEq(currency.balanceOf(seller), FUNDS + 11, "currency");
    }

    function test_what_a_leg_brings_a_later_leg_may_pass_on() public {
        address poor = wallet("poor");
        vm.prank(poor);
        money.approve(address(settlement), PRICE);
        SettlementTerms memory terms = order(moneyLeg(buyer, poor, PRICE), moneyLeg(poor, seller, PRICE));
        confirm(poor, terms);
        confirm(buyer, terms);
        assertEq(money.balanceOf(seller), FUNDS + PRICE, "passed on");
    }

    function test_a_gift_needs_only_who_gives() public {
        SettlementLeg[] memory legs = new SettlementLeg[](1);
        legs[0] = moneyLeg(buyer, stranger, 5);
        confirm(buyer, order(legs));
        assertEq(money.balanceOf(stranger), 5, "given");
    }

    function test_nothing_moves_if_one_leg_cannot() public {
        SettlementTerms memory terms = sale();
        confirm(seller, terms);
        vm.prank(buyer);
        money.approve(address(settlement), PRICE - 1);
        expectError(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(settlement), PRICE - 1, PRICE
            )
        );
        confirm(buyer, terms);
        assertSold(false);
        assertOrder(terms, SettlementStatus.Open, 1, 0);

        vm.prank(buyer);
        money.approve(address(settlement), PRICE);
        confirm(buyer, terms);
        assertSold(true);
    }

    function test_an_order_settles_once_and_a_salt_makes_another() public {
        SettlementTerms memory terms = sale();
        confirmSale(terms);
        bytes memory notOpen = abi.encodeWithSelector(
            Settlement.SettlementNotOpen.selector, settlement.orderIdOf(terms), SettlementStatus.Executed
        );
        assertRefused(seller, address(settlement), abi.encodeCall(settlement.confirm, (terms)), notOpen);
        assertRefused(seller, address(settlement), abi.encodeCall(settlement.cancel, (terms)), notOpen);
        terms.salt = 1;
        confirmSale(terms);
        assertEq(money.balanceOf(seller), FUNDS + 2 * PRICE, "settled twice as two orders");
    }

    function test_any_other_term_is_another_order() public view {
        bytes32 orderId = settlement.orderIdOf(sale());
        for (uint256 i = 0; i < 11; ++i) {
            SettlementTerms memory terms = sale();
            if (i == 0) terms.legs[1].standard = TokenStandard.ERC1155;
            if (i == 1) terms.legs[1].token = address(currency);
            if (i == 2) terms.legs[1].from = third;
            if (i == 3) terms.legs[1].to = third;
            if (i == 4) terms.legs[0].id = 8;
            if (i == 5) terms.legs[0].amount = 26;
            if (i == 6) terms.notary = notary;
            if (i == 7) terms.deadline += 1;
            if (i == 8) terms.expiry += 1;
            if (i == 9) terms.offLedgerHash = keccak256("else");
            if (i == 10) (terms.legs[0], terms.legs[1]) = (terms.legs[1], terms.legs[0]);
            assertTrue(settlement.orderIdOf(terms) != orderId, "another order");
        }
    }

    function test_giver_and_receiver_may_cancel_until_the_last_confirmation() public {
        SettlementLeg[] memory legs = new SettlementLeg[](2);
        // Who only receives does so in another leg than the first.
        legs[0] = paperLeg(seller, buyer, 1);
        legs[1] = moneyLeg(buyer, third, 5);
        address[3] memory parties = [seller, buyer, third];
        for (uint256 i = 0; i < 6; ++i) {
            SettlementTerms memory terms = order(legs);
            terms.salt = i;
            if (i % 2 == 0) confirm(seller, terms);
            bytes32 orderId = settlement.orderIdOf(terms);
            vm.expectEmit(address(settlement));
            emit Settlement.SettlementCancelled(orderId, parties[i % 3]);
            vm.prank(parties[i % 3]);
            settlement.cancel(terms);
            assertRefused(
                buyer,
                address(settlement),
                abi.encodeCall(settlement.confirm, (terms)),
                abi.encodeWithSelector(Settlement.SettlementNotOpen.selector, orderId, SettlementStatus.Cancelled)
            );
        }
    }

    function test_others_neither_confirm_nor_cancel() public {
        SettlementTerms memory terms = sale();
        bytes memory notParty =
            abi.encodeWithSelector(Settlement.SettlementNotParty.selector, settlement.orderIdOf(terms), stranger);
        assertRefused(stranger, address(settlement), abi.encodeCall(settlement.confirm, (terms)), notParty);
        assertRefused(stranger, address(settlement), abi.encodeCall(settlement.cancel, (terms)), notParty);
        SettlementTerms memory held = heldSale();
        assertRefused(
            notary,
            address(settlement),
            abi.encodeCall(settlement.cancel, (held)),
            abi.encodeWithSelector(Settlement.SettlementNotParty.selector, settlement.orderIdOf(held), notary)
        );
    }

    function test_who_only_receives_does_not_confirm() public {
        SettlementLeg[] memory legs = new SettlementLeg[](1);
        legs[0] = moneyLeg(buyer, seller, 5);
        SettlementTerms memory terms = order(legs);
        assertRefused(
            seller,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(Settlement.SettlementNotParty.selector, settlement.orderIdOf(terms), seller)
        );
    }

    function test_a_party_confirms_once() public {
        SettlementTerms memory terms = sale();
        confirm(seller, terms);
        assertRefused(
            seller,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(Settlement.SettlementAlreadyConfirmed.selector, settlement.orderIdOf(terms), seller)
        );
    }

    function test_the_deadline_is_the_last_second() public {
        SettlementTerms memory terms = sale();
        confirm(seller, terms);
        vm.warp(DEADLINE + 1);
        assertRefused(
            buyer,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(
                Settlement.SettlementDeadlinePassed.selector, settlement.orderIdOf(terms), DEADLINE, DEADLINE + 1
            )
        );
        vm.warp(DEADLINE);
        confirm(buyer, terms);
        assertSold(true);
    }

    function test_an_order_has_one_to_sixteen_legs() public {
        SettlementLeg[] memory legs = new SettlementLeg[](16);
        for (uint256 i = 0; i < 16; ++i) {
            legs[i] = i % 2 == 0 ? moneyLeg(buyer, seller, i + 1) : paperLeg(seller, buyer, 1);
        }
        SettlementTerms memory terms = order(legs);
        confirmSale(terms);
        assertOrder(terms, SettlementStatus.Executed, type(uint16).max, 0);
        assertEq(money.balanceOf(seller), FUNDS + 64, "1 + 3 + 5 and so on");

        assertLegCountRefused(0);
        assertLegCountRefused(17);
    }

    function assertLegCountRefused(uint256 count) private {
        SettlementLeg[] memory legs = new SettlementLeg[](count);
        for (uint256 i = 0; i < count; ++i) {
            legs[i] = moneyLeg(buyer, seller, 1);
        }
        assertRefused(
            buyer,
            address(settlement),
            abi.encodeCall(settlement.confirm, (order(legs))),
            abi.encodeWithSelector(Settlement.SettlementLegCountInvalid.selector, count, 16)
        );
    }

    function test_legs_are_between_two_parties() public {
        assertPartiesRefused(address(0), buyer);
        assertPartiesRefused(seller, address(0));
        assertPartiesRefused(seller, seller);
        assertPartiesRefused(seller, address(settlement));
        assertPartiesRefused(address(settlement), seller);
        assertPartiesRefused(notary, seller);
        assertPartiesRefused(seller, notary);
    }

    function assertPartiesRefused(address from, address to) private {
        SettlementTerms memory terms = heldSale();
        (terms.legs[1].from, terms.legs[1].to) = (from, to);
        assertRefused(
            seller,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(Settlement.SettlementLegPartiesInvalid.selector, 1, from, to)
        );
    }

    function test_amounts_and_ids_fit_the_standard() public {
        assertAmountRefused(TokenStandard.ERC20, 0, 0);
        assertAmountRefused(TokenStandard.ERC20, 1, 1);
        assertAmountRefused(TokenStandard.ERC721, 1, 0);
        assertAmountRefused(TokenStandard.ERC721, 1, 2);
        assertAmountRefused(TokenStandard.ERC1155, 1, 0);
    }

    function assertAmountRefused(TokenStandard standard, uint256 id, uint256 amount) private {
        SettlementTerms memory terms = sale();
        (terms.legs[0].standard, terms.legs[0].id, terms.legs[0].amount) = (standard, id, amount);
        assertRefused(
            seller,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(Settlement.SettlementLegAmountInvalid.selector, 0, standard, id, amount)
        );
    }

    function test_an_expiry_is_for_a_notary_and_not_before_the_deadline() public {
        assertExpiryRefused(address(0), 1);
        assertExpiryRefused(address(0), EXPIRY);
        assertExpiryRefused(notary, 0);
        assertExpiryRefused(notary, DEADLINE - 1);
        SettlementTerms memory terms = heldSale();
        terms.expiry = DEADLINE;
        confirm(seller, terms);
    }

    function assertExpiryRefused(address notary_, uint64 expiry) private {
        SettlementTerms memory terms = sale();
        (terms.notary, terms.expiry) = (notary_, expiry);
        assertRefused(
            seller,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(Settlement.SettlementExpiryInvalid.selector, notary_, DEADLINE, expiry)
        );
    }

    function testFuzz_all_or_nothing(uint256 papers, uint256 price, uint256 allowed) public {
        papers = bound(papers, 1, 2000);
        price = bound(price, 1, 2 * FUNDS);
        vm.prank(buyer);
        money.approve(address(settlement), allowed);
        SettlementTerms memory terms = order(paperLeg(seller, buyer, papers), moneyLeg(buyer, seller, price));
        confirm(seller, terms);
        bool isPossible = papers <= 1000 && price <= FUNDS && price <= allowed;
        vm.prank(buyer);
        (bool answered,) = address(settlement).call(abi.encodeCall(settlement.confirm, (terms)));
        assertTrue(answered == isPossible, "settles exactly if every leg can");
        assertEq(paper.balanceOf(buyer, PAPER_ID), 1000 + (isPossible ? papers : 0), "papers");
        assertEq(money.balanceOf(seller), FUNDS + (isPossible ? price : 0), "money");
    }
}
