// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../../../src/assets/access/Duties.sol";
import {
    CashAction,
    CashActionKind,
    CashActionStatus,
    CashActionTerms
} from "../../../src/assets/actions/CashActionTypes.sol";
import {CashActions} from "../../../src/assets/actions/CashActions.sol";
import {EntryBatch} from "../../../src/assets/actions/EntryBatch.sol";
import {HolderSettlement} from "../../../src/assets/actions/HolderSettlement.sol";
import {RecordDateTerms} from "../../../src/assets/actions/RecordDateTerms.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {WalletSuccession} from "../../../src/assets/identity/WalletSuccession.sol";
import {IRecordDateBalances} from "../../../src/assets/token/IRecordDateBalances.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {ActionSuite} from "./ActionSuite.sol";

contract CashActionsTest is ActionSuite {
    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(actions), call, revertData);
    }

    function assertTermsRefused(CashActionTerms memory terms, bytes memory revertData) private {
        refused(treasurer, abi.encodeCall(actions.announce, (terms)), revertData);
    }

    // Coupons.

    function test_a_coupon_is_paid_on_the_units_of_the_record_date() public {
        vm.prank(agent);
        token.freezePartialTokens(alice, 400_000);
        vm.prank(bob);
        token.createHold("leg", alice, 100_000, notary, uint48(NOW + 300 days));
        uint256 actionId = announce(coupon());
        vm.warp(RECORD_DATE + 1);
        transfer(alice, carol, 500_000);
        uint256 total = SUPPLY * 137 / 100;
        vm.expectEmit(address(actions));
        emit CashActions.CashActionFunded(actionId, treasurer, total, SUPPLY);
        fund(actionId);
        assertEq(money.balanceOf(address(actions)), total, "the whole is here");
        vm.warp(PAYABLE_FROM);
        vm.expectEmit(address(actions));
        emit CashActions.CashActionPaid(actionId, alice, alice, ALICE_UNITS, 1_370_000, 0);
        vm.prank(stranger);
        actions.settle(actionId, alice);
        assertEq(actions.settleMany(actionId, list(bob, carol, carol)), 2, "once each");
        assertEq(money.balanceOf(alice), 1_370_000, "frozen and sold units count");
        assertEq(money.balanceOf(bob), 685_000, "held units count");
        assertEq(money.balanceOf(carol), 9, "rounded down, and bought units do not count");
        assertEq(token.totalSupply(), SUPPLY, "units stay");
    }

    function test_an_announced_coupon_says_its_terms() public {
        vm.expectEmit(address(actions));
        emit CashActions.CashActionAnnounced(1, RECORD_DATE, coupon());
        assertEq(propose(coupon()), 1, "the first");
        assertEq(actions.proposerOf(1), treasurer, "who proposed");
        assertEq(announce(coupon()), 2, "the second, of the same date");
        assertEq(actions.actionCount(), 2, "two");
        CashAction memory action = actions.getAction(2);
        assertEq(keccak256(abi.encode(action.terms)), keccak256(abi.encode(coupon())), "terms");
        assertStatus(1, CashActionStatus.Announced);
        assertStatus(2, CashActionStatus.Approved);
    }

    function test_nobody_is_paid_twice() public {
        uint256 actionId = bringToPayment(coupon());
        actions.settle(actionId, alice);
        (uint256 units, uint256 amount, uint256 burnt) = actions.dueTo(actionId, alice);
        assertEq(units + amount + burnt, 0, "nothing due");
        bytes memory refusal =
            abi.encodeWithSelector(HolderSettlement.ActionNothingDue.selector, actionId, alice, ALICE_UNITS);
        refused(alice, abi.encodeCall(actions.settle, (actionId, alice)), refusal);
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, alice, refusal);
        assertEq(actions.settleMany(actionId, list(alice)), 0, "nor in a batch");
        refused(
            stranger,
            abi.encodeCall(actions.settle, (actionId, stranger)),
            abi.encodeWithSelector(HolderSettlement.ActionNothingDue.selector, actionId, stranger, 0)
        );
    }

    function test_what_rounding_leaves_goes_to_the_issuer_when_all_are_paid() public {
        CashActionTerms memory terms = coupon();
        terms.claimsEnd = 0;
        uint256 actionId = bringToPayment(terms);
        actions.settleMany(actionId, list(alice, bob, carol));
        refused(
            treasurer,
            abi.encodeCall(actions.close, (actionId)),
            abi.encodeWithSelector(
                CashActions.CashActionStillClaimable.selector, actionId, DEPOT_UNITS, 0, block.timestamp
            )
        );
        settleThrough(actionId, dave, 1);
        settleThrough(actionId, alice, DEPOT_UNITS - 1);
        uint256 paid = 1_370_000 + 685_000 + 9 + 1 + 41_100;
        uint256 remainder = SUPPLY * 137 / 100 - paid;
        vm.expectEmit(address(actions));
        emit CashActions.CashActionClosed(actionId, remainder, 0);
        close(actionId);
        assertEq(money.balanceOf(issuerAccount), remainder, "to the last unit");
        assertEq(money.balanceOf(address(actions)), 0, "nothing stays");
        refused(
            stranger,
            abi.encodeCall(actions.settle, (actionId, alice)),
            abi.encodeWithSelector(HolderSettlement.ActionNothingDue.selector, actionId, alice, ALICE_UNITS)
        );
    }

    function test_what_nobody_claims_goes_to_the_issuer_after_the_end_of_claims_and_not_before() public {
        uint256 actionId = bringToPayment(coupon());
        actions.settle(actionId, alice);
        vm.warp(CLAIMS_END - 1);
        refused(
            treasurer,
            abi.encodeCall(actions.close, (actionId)),
            abi.encodeWithSelector(
                CashActions.CashActionStillClaimable.selector,
                actionId,
                SUPPLY - ALICE_UNITS,
                CLAIMS_END,
                CLAIMS_END - 1
            )
        );
        vm.warp(CLAIMS_END);
        actions.settle(actionId, bob);
        vm.expectEmit(address(actions));
        emit CashActions.CashActionClosed(actionId, SUPPLY * 137 / 100 - 2_055_000, CAROL_UNITS + DEPOT_UNITS);
        close(actionId);
        refused(
            carol, abi.encodeCall(actions.settle, (actionId, carol)), statusError(actionId, CashActionStatus.Closed)
        );
        refused(treasurer, abi.encodeCall(actions.close, (actionId)), statusError(actionId, CashActionStatus.Closed));
    }

    function test_a_supply_of_nothing_is_paid_nothing() public {
        vm.startPrank(issuer);
        token.burn(alice, ALICE_UNITS);
        token.burn(bob, BOB_UNITS);
        token.burn(carol, CAROL_UNITS);
        token.burn(depository, DEPOT_UNITS);
        vm.stopPrank();
        uint256 actionId = bringToPayment(coupon());
        close(actionId);
        assertEq(actions.getAction(actionId).funded, 0, "no money moved");
    }

    function test_a_payment_of_less_than_a_cent_settles_the_holder() public {
        CashActionTerms memory terms = coupon();
        terms.moneyPerLot = 1;
        uint256 actionId = bringToPayment(terms);
        actions.settle(actionId, carol);
        assertEq(money.balanceOf(carol), 0, "nothing to pay");
        assertEq(actions.unsettledOf(actionId, carol), 0, "settled");
        assertEq(actions.getAction(actionId).unitsSettled, CAROL_UNITS, "counted");
    }

    // Redemption and amortisation.

    function test_a_redemption_burns_all_units_with_the_payment() public {
        uint256 actionId = bringToPayment(redemption());
        vm.prank(agent);
        token.pause();
        vm.expectEmit(address(actions));
        emit CashActions.CashActionPaid(actionId, alice, alice, ALICE_UNITS, 103_750_000, ALICE_UNITS);
        actions.settle(actionId, alice);
        actions.settleMany(actionId, list(bob, carol, dave));
        settleThrough(actionId, dave, DEPOT_UNITS);
        close(actionId);
        assertEq(token.totalSupply(), 0, "all units are gone");
        assertEq(money.balanceOf(carol), 726, "rounded down");
        assertEq(money.balanceOf(dave), 3_112_603, "the owner is paid");
    }

    function test_who_sold_the_units_is_not_redeemed() public {
        uint256 actionId = bringToPayment(redemption());
        transfer(alice, bob, 1);
        bytes memory refusal = abi.encodeWithSignature(
            "ERC20InsufficientBalance(address,uint256,uint256)", alice, ALICE_UNITS - 1, ALICE_UNITS
        );
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, alice, refusal);
        assertEq(actions.settleMany(actionId, list(alice, bob, carol)), 2, "the others are");
        assertEq(money.balanceOf(alice), 0, "not paid");
        assertEq(actions.unsettledOf(actionId, alice), ALICE_UNITS, "still due");
        transfer(bob, alice, 1);
        actions.settle(actionId, alice);
        assertEq(money.balanceOf(alice), 103_750_000, "paid against the units");
    }

    function test_held_units_are_redeemed_once_released() public {
        vm.prank(alice);
        bytes32 hold = token.createHold("leg", bob, 10, notary, uint48(NOW + 300 days));
        uint256 actionId = bringToPayment(redemption());
        refused(
            alice,
            abi.encodeCall(actions.settle, (actionId, alice)),
            abi.encodeWithSelector(TokenErrors.TokenUnitsHeld.selector, alice, ALICE_UNITS, ALICE_UNITS - 10)
        );
        vm.prank(notary);
        token.releaseHold(hold);
        actions.settle(actionId, alice);
        assertEq(token.balanceOf(alice), 0, "burnt");
    }

    function test_an_amortisation_burns_a_part_or_none() public {
        CashActionTerms memory terms = redemption();
        terms.kind = CashActionKind.Amortisation;
        terms.burnPerLot = 250;
        uint256 first = announce(terms);
        terms.burnPerLot = 0;
        uint256 second = bringToPayment(terms);
        fund(first);
        (uint256 units, uint256 amount, uint256 burnt) = actions.dueTo(first, carol);
        assertEq(units, CAROL_UNITS, "units due");
        assertEq(amount, 726, "money due");
        assertEq(burnt, 1, "a quarter, rounded down");
        actions.settle(first, alice);
        actions.settle(second, alice);
        assertEq(token.balanceOf(alice), 750_000, "three quarters stay");
        assertEq(money.balanceOf(alice), 2 * 103_750_000, "paid twice, for two actions");
    }

    function test_a_kind_that_burns_needs_the_role_before_it_is_funded() public {
        uint256 burning = announce(redemption());
        uint256 plain = announce(coupon());
        vm.prank(admin);
        token.revokeRole(Duties.ISSUER, address(actions));
        vm.warp(RECORD_DATE + 1);
        refused(treasurer, abi.encodeCall(actions.fund, (burning)), missingRole(address(actions), Duties.ISSUER));
        fund(plain);
        assertStatus(plain, CashActionStatus.Funded);
    }

    // Lost wallets and custodians.

    function test_the_wallet_that_took_the_place_of_a_lost_one_is_paid() public {
        uint256 actionId = announce(redemption());
        vm.warp(RECORD_DATE + 1);
        fund(actionId);
        address found = wallet("alice's new wallet");
        replaceWallet(alice, found);
        vm.warp(PAYABLE_FROM);
        vm.expectEmit(address(actions));
        emit CashActions.CashActionPaid(actionId, alice, found, ALICE_UNITS, 103_750_000, ALICE_UNITS);
        actions.settle(actionId, alice);
        assertEq(money.balanceOf(found), 103_750_000, "the new wallet");
        assertEq(token.balanceOf(alice), 0, "units burnt where they lay");
    }

    function test_units_that_were_recovered_are_burnt_where_they_are() public {
        uint256 actionId = bringToPayment(redemption());
        address found = wallet("alice's new wallet");
        replaceWallet(alice, found);
        vm.prank(agent);
        token.recoveryAddress(alice, found, identityOf(1));
        actions.settle(actionId, alice);
        assertEq(token.balanceOf(found), 0, "burnt");
        assertEq(money.balanceOf(found), 103_750_000, "paid");
    }

    function test_a_wallet_replaced_too_often_is_not_followed() public {
        uint256 actionId = bringToPayment(coupon());
        address current = alice;
        for (uint256 i = 0; i < 17; ++i) {
            if (i == 16) actions.settle(actionId, alice);
            address next = address(uint160(0xA11CE000 + i));
            replaceWallet(current, next);
            current = next;
        }
        assertEq(money.balanceOf(address(uint160(0xA11CE000 + 15))), 1_370_000, "sixteen are followed");
        uint256 another = actions.actionCount() + 1;
        scheduleRecordDate(uint48(block.timestamp));
        CashActionTerms memory terms = coupon();
        (terms.recordDate, terms.payableFrom) = (uint48(block.timestamp), uint48(block.timestamp + 1));
        announce(terms);
        vm.warp(block.timestamp + 1);
        fund(another);
        refused(
            stranger,
            abi.encodeCall(actions.settle, (another, alice)),
            abi.encodeWithSelector(WalletSuccession.InvestorSuccessionsTooMany.selector, alice, 16)
        );
    }

    function test_a_custodian_is_not_paid_but_its_owners_are() public {
        uint256 actionId = bringToPayment(coupon());
        refused(
            stranger,
            abi.encodeCall(actions.settle, (actionId, depository)),
            abi.encodeWithSelector(HolderSettlement.ActionHolderIsCustodian.selector, actionId, depository)
        );
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionOwnerNamed(actionId, depository, dave, agent, 10_000);
        vm.prank(agent);
        actions.nameOwner(actionId, depository, dave, 10_000);
        (address namedBy, uint256 named) = actions.namedOf(actionId, depository, dave);
        assertEq(namedBy, agent, "who named");
        assertEq(named, 10_000, "what was named");
        vm.expectEmit(address(actions));
        emit CashActions.CashActionPaid(actionId, depository, dave, 10_000, 13_700, 0);
        vm.prank(treasurer);
        actions.settleThrough(actionId, depository, dave, 10_000);
        assertOwnerRefused(actionId, dave, 20_002);
        assertOwnerRefused(actionId, dave, 0);
        assertOwnerRefused(actionId, address(0), 1);
        assertOwnerRefused(actionId, depository, 1);
        assertOwnerRefused(actionId, address(actions), 1);
        refused(
            treasurer,
            abi.encodeCall(actions.settleThrough, (actionId, alice, dave, 1)),
            abi.encodeWithSelector(HolderSettlement.ActionHolderIsNoCustodian.selector, actionId, alice)
        );
        setInfrastructure(depository, false);
        actions.settle(actionId, depository);
        assertEq(money.balanceOf(depository), 27_401, "an investor again is paid for the rest");
    }

    function assertOwnerRefused(uint256 actionId, address owner, uint256 units) private {
        refused(
            treasurer,
            abi.encodeCall(actions.settleThrough, (actionId, depository, owner, units)),
            abi.encodeWithSelector(HolderSettlement.ActionOwnerInvalid.selector, actionId, owner, units, 20_001)
        );
    }

    // Order of steps.

    function test_nothing_is_paid_before_the_money_is_here_and_the_day_has_come() public {
        uint256 actionId = announce(coupon());
        refused(
            treasurer,
            abi.encodeCall(actions.fund, (actionId)),
            abi.encodeWithSelector(IRecordDateBalances.RecordDateNotOver.selector, RECORD_DATE, block.timestamp)
        );
        vm.warp(RECORD_DATE + 1);
        refused(
            alice, abi.encodeCall(actions.settle, (actionId, alice)), statusError(actionId, CashActionStatus.Approved)
        );
        fund(actionId);
        refused(
            alice,
            abi.encodeCall(actions.settle, (actionId, alice)),
            abi.encodeWithSelector(CashActions.CashActionNotPayable.selector, actionId, PAYABLE_FROM, RECORD_DATE + 1)
        );
        refused(treasurer, abi.encodeCall(actions.fund, (actionId)), statusError(actionId, CashActionStatus.Funded));
        refused(treasurer, abi.encodeCall(actions.cancel, (actionId)), statusError(actionId, CashActionStatus.Funded));
        vm.warp(PAYABLE_FROM - 1);
        assertEq(actions.settleMany(actionId, list(alice)), 0, "nor in a batch");
        vm.warp(PAYABLE_FROM);
        assertEq(actions.settleMany(actionId, list(alice)), 1, "from the first second on");
    }

    function test_a_payment_is_withdrawn_until_its_record_date_is_over() public {
        uint256 early = announce(coupon());
        uint256 late = announce(coupon());
        vm.warp(RECORD_DATE);
        vm.expectEmit(address(actions));
        emit CashActions.CashActionCancelled(early);
        vm.prank(treasurer);
        actions.cancel(early);
        assertStatus(early, CashActionStatus.Cancelled);
        vm.warp(RECORD_DATE + 1);
        refused(
            treasurer,
            abi.encodeCall(actions.cancel, (late)),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateOver.selector, late, RECORD_DATE, RECORD_DATE + 1)
        );
        refused(treasurer, abi.encodeCall(actions.fund, (early)), statusError(early, CashActionStatus.Cancelled));
    }

    function test_a_payment_whose_record_date_was_withdrawn_can_be_withdrawn_later() public {
        uint256 actionId = announce(coupon());
        vm.prank(treasurer);
        token.cancelRecordDate(RECORD_DATE);
        vm.warp(RECORD_DATE + 1);
        refused(
            treasurer,
            abi.encodeCall(actions.fund, (actionId)),
            abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, RECORD_DATE)
        );
        vm.prank(treasurer);
        actions.cancel(actionId);
        assertStatus(actionId, CashActionStatus.Cancelled);
    }

    function test_there_is_no_action_that_was_not_announced() public {
        bytes memory refusal = statusError(1, CashActionStatus.None);
        refused(treasurer, abi.encodeCall(actions.fund, (1)), refusal);
        refused(treasurer, abi.encodeCall(actions.cancel, (1)), refusal);
        refused(treasurer, abi.encodeCall(actions.close, (1)), refusal);
        refused(issuer, abi.encodeCall(actions.approve, (1, bytes32(0))), refusal);
        refused(agent, abi.encodeCall(actions.nameOwner, (1, depository, dave, 1)), refusal);
        refused(alice, abi.encodeCall(actions.settle, (1, alice)), refusal);
        refused(alice, abi.encodeCall(actions.dueTo, (1, alice)), refusal);
    }

    // Terms.

    function test_money_that_is_none_is_refused() public {
        CashActionTerms memory terms = coupon();
        address[2] memory currencies = [stranger, address(token)];
        for (uint256 i = 0; i < 2; ++i) {
            terms.currency = currencies[i];
            assertTermsRefused(
                terms,
                abi.encodeWithSelector(CashActions.CashActionMoneyInvalid.selector, currencies[i], terms.issuerAccount)
            );
        }
        address[2] memory accounts = [address(0), address(actions)];
        for (uint256 i = 0; i < 2; ++i) {
            terms = coupon();
            terms.issuerAccount = accounts[i];
            assertTermsRefused(
                terms, abi.encodeWithSelector(CashActions.CashActionMoneyInvalid.selector, terms.currency, accounts[i])
            );
        }
    }

    function test_rates_that_do_not_fit_the_kind_are_refused() public {
        assertRateRefused(CashActionKind.Coupon, 0, 1, 0);
        assertRateRefused(CashActionKind.Coupon, 1, 0, 0);
        assertRateRefused(CashActionKind.Coupon, 1, 2, 1);
        assertRateRefused(CashActionKind.Dividend, 1, 2, 2);
        assertRateRefused(CashActionKind.Amortisation, 1, 2, 2);
        assertRateRefused(CashActionKind.Redemption, 1, 2, 1);
        assertRateRefused(CashActionKind.Redemption, 1, 2, 3);
        CashActionTerms memory terms = coupon();
        terms.kind = CashActionKind.Dividend;
        assertEq(announce(terms), 1, "a dividend");
    }

    function assertRateRefused(CashActionKind kind, uint128 rate, uint104 lot, uint104 burn) private {
        CashActionTerms memory terms = coupon();
        (terms.kind, terms.moneyPerLot, terms.lotUnits, terms.burnPerLot) = (kind, rate, lot, burn);
        assertTermsRefused(
            terms, abi.encodeWithSelector(CashActions.CashActionRateInvalid.selector, kind, rate, lot, burn)
        );
    }

    function test_a_record_date_is_announced_at_the_token_before_it_is_over() public {
        CashActionTerms memory terms = coupon();
        terms.recordDate = RECORD_DATE + 1;
        assertTermsRefused(
            terms, abi.encodeWithSelector(RecordDateTerms.TermsRecordDateInvalid.selector, RECORD_DATE + 1, NOW)
        );
        vm.warp(RECORD_DATE);
        assertEq(announce(coupon()), 1, "in its last second, agreed as well");
        vm.warp(RECORD_DATE + 1);
        assertTermsRefused(
            coupon(),
            abi.encodeWithSelector(RecordDateTerms.TermsRecordDateInvalid.selector, RECORD_DATE, RECORD_DATE + 1)
        );
    }

    function test_holders_have_time_to_claim() public {
        assertPeriodRefused(RECORD_DATE, CLAIMS_END);
        assertPeriodRefused(PAYABLE_FROM, PAYABLE_FROM + 30 days - 1);
        assertPeriodRefused(type(uint48).max, CLAIMS_END);
        CashActionTerms memory terms = coupon();
        (terms.payableFrom, terms.claimsEnd) = (RECORD_DATE + 1, RECORD_DATE + 1 + 30 days);
        assertEq(announce(terms), 1, "the shortest");
    }

    function assertPeriodRefused(uint48 payableFrom, uint48 claimsEnd) private {
        CashActionTerms memory terms = coupon();
        (terms.payableFrom, terms.claimsEnd) = (payableFrom, claimsEnd);
        assertTermsRefused(
            terms,
            abi.encodeWithSelector(CashActions.CashActionPeriodInvalid.selector, RECORD_DATE, payableFrom, claimsEnd)
        );
    }

    // Batches.

    function test_batches_are_bounded_and_entries_are_for_batches_alone() public {
        uint256 actionId = bringToPayment(coupon());
        refused(
            stranger,
            abi.encodeCall(actions.settleMany, (actionId, new address[](0))),
            abi.encodeWithSelector(EntryBatch.BatchInvalid.selector, 0, 256)
        );
        refused(
            stranger,
            abi.encodeCall(actions.settleMany, (actionId, new address[](257))),
            abi.encodeWithSelector(EntryBatch.BatchInvalid.selector, 257, 256)
        );
        assertEq(actions.settleMany(actionId, new address[](256)), 0, "as many as may be");
        refused(
            alice,
            abi.encodeCall(actions.settleEntry, (actionId, alice)),
            abi.encodeWithSelector(EntryBatch.BatchEntryOnly.selector, alice)
        );
    }

    function test_a_batch_with_too_little_gas_skips_nobody() public {
        uint256 actionId = bringToPayment(coupon());
        bytes memory call = abi.encodeCall(actions.settleMany, (actionId, list(alice, bob, carol)));
        (bool done, bytes memory answer) = address(actions).call{gas: 900_000}(call);
        assertFalse(done, "refused");
        assertEq(bytes4(answer), EntryBatch.BatchGasInsufficient.selector, "for want of gas");
        assertEq(actions.unsettledOf(actionId, alice), ALICE_UNITS, "nothing was done");
    }

    function testFuzz_payments_and_remainder_are_the_total(uint128 rate, uint104 lot, uint96 units, uint96 other)
        public
    {
        CashActionTerms memory terms = coupon();
        (terms.moneyPerLot, terms.lotUnits) = (uint128(bound(rate, 1, 1e20)), uint104(bound(lot, 1, 1e12)));
        setRules(new Rule[](0));
        vm.startPrank(issuer);
        token.mint(alice, bound(units, 0, 1e8));
        token.mint(bob, bound(other, 0, 1e8));
        vm.stopPrank();
        uint256 total = token.totalSupply() * terms.moneyPerLot / terms.lotUnits;
        uint256 actionId = bringToPayment(terms);
        assertEq(money.balanceOf(address(actions)), total, "paid in");
        actions.settleMany(actionId, list(alice, bob, carol));
        settleThrough(actionId, dave, DEPOT_UNITS);
        uint256 paid = money.balanceOf(alice) + money.balanceOf(bob) + money.balanceOf(carol) + money.balanceOf(dave);
        assertEq(actions.getAction(actionId).paid, paid, "paid");
        close(actionId);
        assertEq(paid + money.balanceOf(issuerAccount), total, "payments and remainder");
        assertLe(money.balanceOf(issuerAccount), 4, "less than one for each holder");
    }
}
