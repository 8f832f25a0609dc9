// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {EntryBatch} from "../../../src/assets/actions/EntryBatch.sol";
import {EscrowedMoney} from "../../../src/assets/actions/EscrowedMoney.sol";
import {OfferingTerms, OrderStatus} from "../../../src/assets/offering/OfferingTypes.sol";
import {Offerings} from "../../../src/assets/offering/Offerings.sol";
import {TokenMovement} from "../../../src/assets/settlement/TokenMovement.sol";
import {RealDigital} from "../../../src/drex/RealDigital.sol";
import {OverdrawingMoney, SelectiveMoney} from "../actions/HostileMoney.sol";
import {CallingMoney, FeeMoney, IdleMoney, RefusingMoney} from "../settlement/HostileTokens.sol";
import {OpenMoney} from "../settlement/OpenTokens.sol";
import {OfferingSuite} from "./OfferingSuite.sol";

/// @dev Money that cheats or calls back, investors whose money is blocked, and the money of the Drex family.
contract OfferingHostileTest is OfferingSuite {
    uint256 private constant PRICE = 200 * uint256(LOT_PRICE);

    function openIn(OpenMoney currency) private returns (uint256) {
        OfferingTerms memory terms = prospectus();
        terms.currency = address(currency);
        address[4] memory all = investors();
        for (uint256 i = 0; i < all.length; ++i) {
            provide(currency, all[i]);
        }
        return open(terms);
    }

    function assertOrderRefused(OpenMoney currency, bytes memory refusal) private {
        vm.warp(NOW);
        uint256 offeringId = openIn(currency);
        refused(alice, abi.encodeCall(offerings.placeOrder, (offeringId, 200)), refusal);
        assertEq(offerings.orderCount(offeringId), 0, "no order");
        assertEq(offerings.getOffering(offeringId).escrow, 0, "no money");
    }

    function receiptDiffers(OpenMoney currency, uint256 received) private view returns (bytes memory) {
        bytes4 selector = TokenMovement.TokenMovementReceiptDiffers.selector;
        return abi.encodeWithSelector(selector, currency, 0, offerings, received, PRICE);
    }

    function test_money_that_does_not_arrive_whole_orders_nothing() public {
        FeeMoney fee = new FeeMoney();
        assertOrderRefused(fee, receiptDiffers(fee, PRICE - PRICE / 100));
        IdleMoney idle = new IdleMoney();
        assertOrderRefused(idle, receiptDiffers(idle, 0));
        RefusingMoney refusing = new RefusingMoney();
        assertOrderRefused(
            refusing, abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(refusing))
        );
    }

    function test_a_fee_that_comes_later_locks_nobody_in() public {
        FeeMoney fee = new FeeMoney();
        fee.setCharging(false);
        uint256 offeringId = openIn(fee);
        place(offeringId, alice, 200);
        fee.setCharging(true);
        withdraw(offeringId, alice);
        assertEq(fee.balanceOf(alice), FUNDS - PRICE / 100, "what the money leaves");
    }

    function test_money_that_takes_more_than_it_is_told_touches_no_other_order() public {
        OverdrawingMoney currency = new OverdrawingMoney();
        uint256 offeringId = openIn(currency);
        place(offeringId, alice, 200);
        place(offeringId, bob, 200);
        currency.setExtra(1);
        refused(
            alice,
            abi.encodeCall(offerings.withdrawOrder, (offeringId, alice)),
            abi.encodeWithSelector(EscrowedMoney.MoneyDebitDiffers.selector, address(currency), PRICE + 1, PRICE)
        );
        assertEq(currency.balanceOf(address(offerings)), 2 * PRICE, "both are whole");
    }

    function test_a_blocked_investor_waits_and_the_others_are_paid_back() public {
        SelectiveMoney currency = new SelectiveMoney();
        uint256 offeringId = openIn(currency);
        place(offeringId, alice, 50);
        place(offeringId, bob, 20);
        currency.block_(alice, true);
        currency.burnGas(carol);
        place(offeringId, carol, 10);
        place(offeringId, dave, 10);
        closeAndAllot(offeringId);
        vm.expectEmit(address(offerings));
        emit Offerings.OrderEntrySkipped(
            offeringId, alice, abi.encodeWithSelector(SelectiveMoney.MoneyBlocked.selector, alice)
        );
        assertEq(offerings.refundMany(offeringId, listAll()), 2, "bob and dave");
        assertOrder(offeringId, alice, OrderStatus.Placed);
        currency.block_(alice, false);
        offerings.refund(offeringId, alice);
        assertEq(currency.balanceOf(alice), FUNDS, "later, in full");
    }

    function test_no_step_can_be_taken_within_a_payment() public {
        CallingMoney currency = new CallingMoney();
        uint256 offeringId = openIn(currency);
        vm.startPrank(admin);
        token.grantRole(keccak256("TREASURY_ROLE"), address(currency));
        token.grantRole(keccak256("ISSUER_ROLE"), address(currency));
        vm.stopPrank();
        place(offeringId, bob, 200);
        bytes[12] memory calls = [
            abi.encodeCall(offerings.announce, (prospectus())),
            abi.encodeCall(offerings.approve, (offeringId, bytes32(0))),
            abi.encodeCall(offerings.cancel, (offeringId)),
            abi.encodeCall(offerings.placeOrder, (offeringId, 2)),
            abi.encodeCall(offerings.withdrawOrder, (offeringId, bob)),
            abi.encodeCall(offerings.allot, (offeringId, 1)),
            abi.encodeCall(offerings.issue, (offeringId, bob)),
            abi.encodeCall(offerings.issueMany, (offeringId, list(bob))),
            abi.encodeCall(offerings.refund, (offeringId, bob)),
            abi.encodeCall(offerings.refundMany, (offeringId, list(bob))),
            abi.encodeCall(offerings.payProceeds, (offeringId)),
            abi.encodeCall(offerings.refundEntry, (offeringId, bob))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            currency.plan(address(offerings), calls[i]);
            place(offeringId, alice, 2);
            assertRefusedWithin(currency, i == 11);
            withdraw(offeringId, alice);
            assertRefusedWithin(currency, i == 11);
        }
        assertEq(currency.balanceOf(address(offerings)), PRICE, "bob's order alone is here");
    }

    function assertRefusedWithin(CallingMoney currency, bool isEntry) private view {
        assertFalse(currency.wasAnswered(), "refused within");
        bytes4 expected =
            isEntry ? EntryBatch.BatchEntryOnly.selector : ReentrancyGuard.ReentrancyGuardReentrantCall.selector;
        assertEq(bytes4(currency.answer()), expected, "for being within");
    }

    function test_real_digital_pays_for_units() public {
        address authority = wallet("authority");
        RealDigital real = new RealDigital("Real Digital", "BRL", authority, authority);
        vm.startPrank(authority);
        real.enableAccount(alice);
        real.enableAccount(address(offerings));
        real.enableAccount(proceedsAccount);
        real.mint(alice, PRICE);
        vm.stopPrank();
        OfferingTerms memory terms = prospectus();
        (terms.currency, terms.lotsMax, terms.orderLotsMax) = (address(real), 150, 150);
        terms.lotsMin = 1;
        uint256 offeringId = open(terms);
        vm.prank(alice);
        real.approve(address(offerings), PRICE);
        place(offeringId, alice, 150);
        closeAndAllot(offeringId);
        offerings.issue(offeringId, alice);
        offerings.payProceeds(offeringId);
        assertEq(real.balanceOf(proceedsAccount), 150 * uint256(LOT_PRICE), "paid");
        assertEq(token.balanceOf(alice), ALICE_UNITS + 15_000, "issued");
    }
}
