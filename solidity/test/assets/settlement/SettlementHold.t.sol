// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementStatus, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenCustody} from "../../../src/assets/settlement/TokenCustody.sol";
import {SettlementSuite} from "./SettlementSuite.sol";

contract SettlementHoldTest is SettlementSuite {
    function hold() private returns (SettlementTerms memory terms) {
        terms = heldSale();
        confirmSale(terms);
    }

    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(settlement), call, revertData);
    }

    /// @dev What lies in the contract.
    function assertKept(uint256 papers, uint256 price) private view {
        assertEq(paper.balanceOf(address(settlement), PAPER_ID), papers, "papers kept");
        assertEq(money.balanceOf(address(settlement)), price, "money kept");
    }

    function test_nothing_is_taken_before_the_last_confirmation() public {
        SettlementTerms memory terms = heldSale();
        confirm(seller, terms);
        assertKept(0, 0);
        bytes32 orderId = settlement.orderIdOf(terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementHeld(orderId, notary, EXPIRY);
        assertEq(uint256(confirm(buyer, terms)), uint256(SettlementStatus.Held), "held");
        assertKept(PAPERS, PRICE);
        assertOrder(terms, SettlementStatus.Held, 3, 3);
    }

    function test_the_notary_executes_until_the_expiry() public {
        SettlementTerms memory terms = hold();
        vm.warp(EXPIRY);
        bytes32 orderId = settlement.orderIdOf(terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementExecuted(orderId);
        vm.prank(notary);
        settlement.execute(terms);
        assertSold(true);
        assertKept(0, 0);
        assertOrder(terms, SettlementStatus.Executed, 3, 0);
    }

    function test_the_notary_executes_no_second_later() public {
        SettlementTerms memory terms = hold();
        vm.warp(EXPIRY + 1);
        refused(
            notary,
            abi.encodeCall(settlement.execute, (terms)),
            abi.encodeWithSelector(
                Settlement.SettlementExpiryPassed.selector, settlement.orderIdOf(terms), EXPIRY, EXPIRY + 1
            )
        );
    }

    function test_the_notary_releases_and_anybody_gives_back_leg_by_leg() public {
        SettlementTerms memory terms = hold();
        bytes32 orderId = settlement.orderIdOf(terms);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementReleased(orderId, notary);
        vm.prank(notary);
        settlement.release(terms);
        assertKept(PAPERS, PRICE);

        vm.expectEmit(address(settlement));
        emit Settlement.SettlementLegReturned(orderId, 1);
        vm.prank(stranger);
        settlement.giveBack(terms, 2);
        assertKept(PAPERS, 0);
        assertOrder(terms, SettlementStatus.Released, 3, 1);
        refusedLegs(terms, 2, 1);
        refusedLegs(terms, 3, 1);
        refusedLegs(terms, 4, 1);
        refusedLegs(terms, 0, 1);
        settlement.giveBack(terms, 1);
        assertSold(false);
        assertKept(0, 0);
        refusedLegs(terms, 1, 0);
    }

    function refusedLegs(SettlementTerms memory terms, uint16 asked, uint16 held) private {
        refused(
            stranger,
            abi.encodeCall(settlement.giveBack, (terms, asked)),
            abi.encodeWithSelector(Settlement.SettlementLegsNotHeld.selector, settlement.orderIdOf(terms), asked, held)
        );
    }

    function test_after_the_expiry_anybody_gives_back() public {
        SettlementTerms memory terms = hold();
        bytes32 orderId = settlement.orderIdOf(terms);
        vm.warp(EXPIRY);
        refused(
            seller,
            abi.encodeCall(settlement.giveBack, (terms, 3)),
            abi.encodeWithSelector(Settlement.SettlementExpiryAwaited.selector, orderId, EXPIRY, EXPIRY)
        );
        vm.warp(EXPIRY + 1);
        vm.expectEmit(address(settlement));
        emit Settlement.SettlementExpired(orderId);
        vm.prank(stranger);
        settlement.giveBack(terms, 1);
        assertOrder(terms, SettlementStatus.Expired, 3, 2);
        refused(
            notary,
            abi.encodeCall(settlement.release, (terms)),
            abi.encodeWithSelector(Settlement.SettlementNotHeld.selector, orderId, SettlementStatus.Expired)
        );
        settlement.giveBack(terms, 2);
        assertSold(false);
    }

    function test_the_notary_may_release_also_after_the_expiry() public {
        SettlementTerms memory terms = hold();
        vm.warp(EXPIRY + 1);
        vm.prank(notary);
        settlement.release(terms);
        settlement.giveBack(terms, 3);
        assertSold(false);
    }

    function test_only_the_notary_decides() public {
        SettlementTerms memory terms = hold();
        bytes memory notNotary =
            abi.encodeWithSelector(Settlement.SettlementNotNotary.selector, settlement.orderIdOf(terms), buyer, notary);
        refused(buyer, abi.encodeCall(settlement.execute, (terms)), notNotary);
        refused(buyer, abi.encodeCall(settlement.release, (terms)), notNotary);
    }

    function test_nobody_cancels_what_is_held() public {
        SettlementTerms memory terms = hold();
        refused(
            buyer,
            abi.encodeCall(settlement.cancel, (terms)),
            abi.encodeWithSelector(
                Settlement.SettlementNotOpen.selector, settlement.orderIdOf(terms), SettlementStatus.Held
            )
        );
    }

    function test_what_is_not_held_is_neither_executed_nor_released_nor_given_back() public {
        SettlementTerms memory terms = heldSale();
        for (uint256 i = 0; i < 2; ++i) {
            SettlementStatus status = i == 0 ? SettlementStatus.None : SettlementStatus.Open;
            bytes memory notHeld =
                abi.encodeWithSelector(Settlement.SettlementNotHeld.selector, settlement.orderIdOf(terms), status);
            refused(notary, abi.encodeCall(settlement.execute, (terms)), notHeld);
            refused(notary, abi.encodeCall(settlement.release, (terms)), notHeld);
            refused(notary, abi.encodeCall(settlement.giveBack, (terms, 3)), notHeld);
            if (i == 0) confirm(seller, terms);
        }
        vm.warp(DEADLINE);
        confirm(buyer, terms);
        vm.prank(notary);
        settlement.execute(terms);
        bytes memory isOver = abi.encodeWithSelector(
            Settlement.SettlementNotHeld.selector, settlement.orderIdOf(terms), SettlementStatus.Executed
        );
        refused(notary, abi.encodeCall(settlement.execute, (terms)), isOver);
        refused(notary, abi.encodeCall(settlement.giveBack, (terms, 3)), isOver);
    }

    function test_an_order_of_another_notary_is_another_order() public {
        SettlementTerms memory terms = hold();
        terms.notary = stranger;
        refused(
            stranger,
            abi.encodeCall(settlement.execute, (terms)),
            abi.encodeWithSelector(
                Settlement.SettlementNotHeld.selector, settlement.orderIdOf(terms), SettlementStatus.None
            )
        );
    }

    function test_a_deed_is_kept_and_moves_or_goes_back() public {
        for (uint256 i = 0; i < 2; ++i) {
            SettlementTerms memory terms = order(deedLeg(seller, buyer), moneyLeg(buyer, seller, PRICE));
            (terms.notary, terms.expiry, terms.salt) = (notary, EXPIRY, i);
            confirmSale(terms);
            assertEq(deed.ownerOf(DEED_ID), address(settlement), "kept");
            vm.startPrank(notary);
            if (i == 0) settlement.release(terms);
            else settlement.execute(terms);
            vm.stopPrank();
            if (i == 0) settlement.giveBack(terms, 3);
            assertEq(deed.ownerOf(DEED_ID), i == 0 ? seller : buyer, "decided");
        }
    }

    function test_dust_sent_to_the_contract_changes_no_order() public {
        vm.prank(third);
        money.transfer(address(settlement), 1);
        SettlementTerms memory terms = hold();
        vm.prank(third);
        money.transfer(address(settlement), 1);
        vm.prank(notary);
        settlement.execute(terms);
        assertSold(true);
        assertKept(0, 2);
    }

    /// @dev Whoever calls may say anything: also that the contract itself had moved a token, while it moves none.
    function test_a_token_that_says_the_contract_had_asked_is_not_believed() public {
        bytes memory unasked =
            abi.encodeWithSelector(TokenCustody.TokenCustodyUnasked.selector, stranger, address(settlement), third);
        bytes memory call = abi.encodeCall(settlement.onERC1155Received, (address(settlement), third, PAPER_ID, 1, ""));
        assertRefused(stranger, address(settlement), call, unasked);
        call = abi.encodeCall(settlement.onERC721Received, (address(settlement), third, DEED_ID, ""));
        assertRefused(stranger, address(settlement), call, unasked);
    }

    function test_tokens_that_nobody_asked_for_are_refused_where_the_contract_is_asked() public {
        bytes memory call = abi.encodeCall(paper.safeTransferFrom, (third, address(settlement), PAPER_ID, 1, ""));
        bytes memory unasked =
            abi.encodeWithSelector(TokenCustody.TokenCustodyUnasked.selector, address(paper), third, third);
        assertRefused(third, address(paper), call, unasked);
        uint256[] memory ids = new uint256[](2);
        uint256[] memory amounts = new uint256[](2);
        (ids[0], ids[1], amounts[0], amounts[1]) = (PAPER_ID, PAPER_ID, 1, 1);
        call = abi.encodeCall(paper.safeBatchTransferFrom, (third, address(settlement), ids, amounts, ""));
        assertRefused(third, address(paper), call, unasked);
        call =
            abi.encodeWithSignature("safeTransferFrom(address,address,uint256)", seller, address(settlement), DEED_ID);
        assertRefused(
            seller,
            address(deed),
            call,
            abi.encodeWithSelector(TokenCustody.TokenCustodyUnasked.selector, address(deed), seller, seller)
        );
    }

    function test_the_contract_says_that_it_receives() public view {
        assertTrue(settlement.supportsInterface(0x4e2312e0), "ERC-1155 receiver");
        assertTrue(settlement.supportsInterface(0x01ffc9a7), "ERC-165");
        assertFalse(settlement.supportsInterface(0xffffffff), "no interface");
    }

    function test_two_orders_in_the_same_token_do_not_mix() public {
        SettlementTerms memory first = hold();
        SettlementTerms memory second = heldSale();
        (second.salt, second.legs[1].amount) = (1, 3 * PRICE);
        confirmSale(second);
        assertKept(2 * PAPERS, 4 * PRICE);
        vm.prank(notary);
        settlement.release(first);
        settlement.giveBack(first, 3);
        assertKept(PAPERS, 3 * PRICE);
        vm.prank(notary);
        settlement.execute(second);
        assertKept(0, 0);
        assertEq(money.balanceOf(seller), FUNDS + 3 * PRICE, "the second alone was paid");
    }
}
