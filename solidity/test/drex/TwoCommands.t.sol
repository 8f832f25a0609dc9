// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors, IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {DvPSide, DvPStatus, DvPTerms} from "../../src/drex/TPFtDvPTypes.sol";
import {TPFtOperation} from "../../src/drex/TPFtOperation.sol";
import {TPFtOperation1052} from "../../src/drex/TPFtOperation1052.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {TPFtPricedOperation} from "../../src/drex/TPFtPricedOperation.sol";
import {TPFtTradeOperation} from "../../src/drex/TPFtTradeOperation.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart, TPFtData} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @dev The state machine that 1002 and 1052 share, row by row, played on trades between two banks by CNPJ: bank A
/// sells.
contract TwoCommandsTest is DrexSuite {
    uint256 private constant OP = 77;
    uint256 private constant AMOUNT = 150;
    uint256 private constant PRICE = 10e8;
    uint256 private constant VALUE = 1500;
    uint256 private constant BONDS_A = 10_000;
    uint256 private constant MONEY = 10_000_000;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, BONDS_A);
        vm.prank(treasury);
        real.transfer(bankA, 100_000); // what bank A paid for its bonds
    }

    function command(CallerPart part, uint256 operationId) private {
        vm.prank(part == SENDER ? bankA : bankB);
        op1052.trade(operationId, BANK_A, BANK_B, part, ltn(), AMOUNT, PRICE);
    }

    function expectEvent(string memory status) private {
        vm.expectEmit(address(op1052));
        emit TPFtTradeOperation.OperationEvent(
            OP, BANK_A, BANK_B, bankA, bankB, ltn(), AMOUNT, PRICE, VALUE, status, NOW
        );
    }

    function cancel(address caller, uint256 operationId) private {
        vm.prank(caller);
        op1052.cancel(operationId, "typo");
    }

    function assertNothingMoved() private view {
        assertMoved(0, 0);
    }

    function assertMoved(uint256 bonds, uint256 money) private view {
        assertEq(tpft.balanceOf(bankA, 1), BONDS_A - bonds, "seller's bonds");
        assertEq(tpft.balanceOf(bankB, 1), bonds, "buyer's bonds");
        assertEq(real.balanceOf(bankA), MONEY + money, "seller's money");
        assertEq(real.balanceOf(bankB), MONEY - money, "buyer's money");
    }

    function dvpIdOf(uint256 operationId) private view returns (uint256 dvpId) {
        (, dvpId) = op1052.getOperation(operationId);
    }

    function statusOf(uint256 operationId) private view returns (DvPStatus status) {
        (status,) = dvp.getDvPOperation(dvpIdOf(operationId));
    }

    // The four arrows.

    function test_none_to_lan_to_atu() public {
        expectEvent("LAN");
        command(SENDER, OP);
        assertNothingMoved();
        assertTrue(statusOf(OP) == DvPStatus.SellGiven, "record");
        expectEvent("ATU");
        command(RECEIVER, OP);
        assertMoved(AMOUNT, VALUE);
        assertTrue(statusOf(OP) == DvPStatus.Executed, "record");
    }

    function test_none_to_con_to_atu() public {
        expectEvent("CON");
        command(RECEIVER, OP);
        assertNothingMoved();
        assertTrue(statusOf(OP) == DvPStatus.BuyGiven, "record");
        expectEvent("ATU");
        command(SENDER, OP);
        assertMoved(AMOUNT, VALUE);
    }

    function test_lan_and_con_to_can_by_whoever_commanded() public {
        for (uint256 i = 0; i < 2; ++i) {
            command(i == 0 ? SENDER : RECEIVER, OP + i);
            vm.expectEmit(address(op1052));
            emit TPFtTradeOperation.OperationCancelEvent(OP + i, "CAN", "typo", NOW);
            cancel(i == 0 ? bankA : bankB, OP + i);
            assertTrue(statusOf(OP + i) == DvPStatus.Cancelled, "record");
        }
        assertNothingMoved();
    }

    // The refusals of the table.

    function test_the_same_side_twice_is_refused() public {
        command(SENDER, OP);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPSideAlreadyGiven.selector, dvpIdOf(OP), DvPSide.Sell));
        command(SENDER, OP);
        command(RECEIVER, OP + 1);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPSideAlreadyGiven.selector, dvpIdOf(OP + 1), DvPSide.Buy));
        command(RECEIVER, OP + 1);
    }

    function test_each_term_must_be_the_same_and_the_record_waits() public {
        command(SENDER, OP);
        TPFtData memory other = TPFtData("LTN", "100001", MATURITY);
        vm.prank(authority);
        op1001.createTPFt(other);
        address other_ = wallet("other seller");
        vm.prank(admin);
        tpft.enableAddress(other_);

        expectIncompatible(terms(bankA, ltn(), AMOUNT + 1, PRICE, VALUE + 10));
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT + 1, PRICE);
        expectIncompatible(terms(bankA, ltn(), AMOUNT, PRICE + 1, VALUE));
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, RECEIVER, ltn(), AMOUNT, PRICE + 1);
        expectIncompatible(terms(bankA, other, AMOUNT, PRICE, VALUE));
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, RECEIVER, other, AMOUNT, PRICE);
        expectIncompatible(terms(other_, ltn(), AMOUNT, PRICE, VALUE));
        vm.prank(bankB);
        op1052.trade(OP, other_, bankB, RECEIVER, ltn(), AMOUNT, PRICE);

        assertTrue(statusOf(OP) == DvPStatus.SellGiven, "record");
        command(RECEIVER, OP);
        assertMoved(AMOUNT, VALUE);
    }

    function expectIncompatible(DvPTerms memory given) private {
        (, bytes31 stored) = dvp.getDvPOperation(dvpIdOf(OP));
        bytes31 digest = dvp.digestOf(address(op1052), given);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPIncompatible.selector, dvpIdOf(OP), stored, digest));
    }

    function terms(address seller, TPFtData memory data, uint256 amount, uint256 price, uint256 value)
        private
        view
        returns (DvPTerms memory)
    {
        return DvPTerms(bankB, address(0), seller, address(0), data, amount, price, value, "");
    }

    function test_a_default_wallet_that_changes_between_the_commands_breaks_the_match() public {
        command(SENDER, OP);
        vm.prank(bankA);
        defaults.updateDefaultWallet(BANK_A, reserveA);
        vm.prank(admin);
        tpft.enableAddress(reserveA);
        expectIncompatible(terms(reserveA, ltn(), AMOUNT, PRICE, VALUE));
        command(RECEIVER, OP);
    }

    function test_nothing_follows_a_cancellation() public {
        command(SENDER, OP);
        cancel(bankA, OP);
        bytes memory refusal = abi.encodeWithSelector(TPFtDvP.DvPCancelled.selector, dvpIdOf(OP));
        expectError(refusal);
        cancel(bankA, OP);
        expectError(refusal);
        command(RECEIVER, OP);
        expectError(refusal);
        command(SENDER, OP);
        assertNothingMoved();
    }

    function test_nothing_follows_a_settlement() public {
        command(SENDER, OP);
        command(RECEIVER, OP);
        bytes memory refusal = abi.encodeWithSelector(TPFtDvP.DvPExecuted.selector, dvpIdOf(OP));
        expectError(refusal);
        cancel(bankA, OP);
        expectError(refusal);
        command(RECEIVER, OP);
        expectError(refusal);
        command(SENDER, OP);
        assertMoved(AMOUNT, VALUE);
    }

    function test_a_number_stays_bound_to_its_operation() public {
        command(SENDER, OP);
        cancel(bankA, OP);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, OP, address(op1052)));
        vm.prank(authority);
        op1002.auctionPlacement(OP, STN, BANK_A, SENDER, ltn(), 100, PRICE);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 2, address(op1002)));
        command(SENDER, 2);
    }

    function test_an_unknown_number_is_not_cancelled() public {
        expectError(abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationUnknown.selector, OP));
        cancel(bankA, OP);
    }

    function test_the_other_party_does_not_cancel() public {
        command(SENDER, OP);
        address[3] memory others = [bankB, stranger, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(
                abi.encodeWithSelector(
                    TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, others[i], bankA
                )
            );
            cancel(others[i], OP);
        }
    }

    // What fails at the second command leaves the first as it was, and can be tried again.

    function test_a_buyer_without_allowance_moves_nothing_and_may_try_again() public {
        vm.prank(bankB);
        real.approve(address(dvp), VALUE - 1);
        command(SENDER, OP);
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(dvp), VALUE - 1, VALUE)
        );
        command(RECEIVER, OP);
        assertNothingMoved();
        assertTrue(statusOf(OP) == DvPStatus.SellGiven, "record");

        vm.prank(bankB);
        real.approve(address(dvp), VALUE);
        command(RECEIVER, OP);
        assertMoved(AMOUNT, VALUE);
    }

    function test_a_buyer_without_money_moves_nothing() public {
        vm.prank(bankB);
        real.transfer(reserveB, MONEY - 1);
        command(SENDER, OP);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bankB, 1, VALUE));
        command(RECEIVER, OP);
        assertEq(tpft.balanceOf(bankA, 1), BONDS_A, "seller's bonds");
    }

    function test_a_seller_without_bonds_gets_no_money() public {
        command(RECEIVER, OP);
        vm.startPrank(bankA);
        op1052.trade(OP + 1, BANK_A, STN, SENDER, ltn(), BONDS_A - AMOUNT + 1, PRICE);
        vm.stopPrank();
        vm.prank(treasury);
        real.approve(address(dvp), MONEY);
        vm.prank(authority);
        real.mint(treasury, MONEY);
        vm.prank(treasury);
        op1052.trade(OP + 1, BANK_A, STN, RECEIVER, ltn(), BONDS_A - AMOUNT + 1, PRICE);
        uint256 money = real.balanceOf(bankA);

        expectError(
            abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, bankA, AMOUNT - 1, AMOUNT, 1)
        );
        command(SENDER, OP);
        assertEq(real.balanceOf(bankA), money, "seller's money");
        assertEq(real.balanceOf(bankB), MONEY, "buyer's money");
    }

    function test_a_seller_that_approved_nobody_gets_no_money() public {
        vm.prank(bankA);
        tpft.setApprovalForAll(address(dvp), false);
        command(SENDER, OP);
        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155MissingApprovalForAll.selector, address(dvp), bankA));
        command(RECEIVER, OP);
        assertNothingMoved();
    }

    function test_frozen_bonds_and_disabled_wallets_settle_nothing() public {
        command(SENDER, OP);
        vm.startPrank(authority);
        tpft.increaseFrozenBalance(bankA, ltn(), BONDS_A);
        vm.stopPrank();
        expectError(abi.encodeWithSelector(TPFt.TPFtBalanceFrozen.selector, bankA, 1, BONDS_A, BONDS_A, AMOUNT));
        command(RECEIVER, OP);
        vm.prank(authority);
        real.disableAccount(bankA);
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, bankA));
        command(RECEIVER, OP);
        assertNothingMoved();
    }

    // What every command is asked first, in this order.

    function test_checks_come_in_their_order() public {
        TPFtData memory unknown = TPFtData("LTN", "unknown", NOW);
        vm.prank(admin);
        op1052.pause();
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        op1052.trade(2, stranger, stranger, SENDER, unknown, 0, 0);
        vm.prank(admin);
        op1052.unpause();

        expectError(
            abi.encodeWithSelector(
                TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, 2, address(this), stranger
            )
        );
        op1052.trade(2, stranger, stranger, SENDER, unknown, 0, 0);

        vm.startPrank(stranger);
        uint256 amountMax = type(uint120).max;
        uint256 priceMax = 99_999_999_999_999;
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, 0, amountMax));
        op1052.trade(2, stranger, stranger, SENDER, unknown, 0, 0);
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationUnitPriceOutOfRange.selector, 0, priceMax));
        op1052.trade(2, stranger, stranger, SENDER, unknown, 1, 0);
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationValueZero.selector, 1, 1));
        op1052.trade(2, stranger, stranger, SENDER, unknown, 1, 1);
        expectError(abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationSameParty.selector, stranger));
        op1052.trade(2, stranger, stranger, SENDER, unknown, 1, PRICE);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationMatured.selector, NOW, NOW));
        op1052.trade(2, stranger, reserveA, SENDER, unknown, 1, PRICE);
        unknown.maturityDate = NOW + 1;
        expectError(abi.encodeWithSelector(TPFt.TPFtAddressNotEnabled.selector, stranger));
        op1052.trade(2, stranger, reserveA, SENDER, unknown, 1, PRICE);
        vm.stopPrank();
        vm.prank(admin);
        tpft.enableAddress(stranger);
        vm.startPrank(stranger);
        expectError(abi.encodeWithSelector(TPFt.TPFtAddressNotEnabled.selector, reserveA));
        op1052.trade(2, stranger, reserveA, SENDER, unknown, 1, PRICE);
        expectError(abi.encodeWithSelector(TPFt.TPFtSeriesUnknown.selector, "LTN", "unknown", NOW + 1));
        op1052.trade(2, stranger, bankA, SENDER, unknown, 1, PRICE);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 2, address(op1002)));
        op1052.trade(2, stranger, bankA, SENDER, ltn(), 1, PRICE);
    }

    function test_the_price_has_its_limits() public {
        uint256 max = 99_999_999_999_999;
        expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationUnitPriceOutOfRange.selector, max + 1, max));
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), 1, max + 1);
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), 1, max);
    }

    function test_the_amount_has_its_limit() public {
        uint256 max = type(uint120).max;
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, max + 1, max));
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), max + 1, PRICE);
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), max, 99_999_999_999_999);
    }

    function test_a_matured_bond_is_not_settled() public {
        command(SENDER, OP);
        vm.warp(MATURITY - 1);
        command(SENDER, OP + 1);
        vm.warp(MATURITY);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationMatured.selector, MATURITY, MATURITY));
        command(RECEIVER, OP);
        cancel(bankA, OP);
    }

    function test_a_command_under_a_cnpj_without_wallet_is_refused() public {
        bytes memory refusal = abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, 5);
        expectError(refusal);
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, 5, SENDER, ltn(), AMOUNT, PRICE);
        expectError(refusal);
        vm.prank(bankA);
        op1052.trade(OP, 5, BANK_A, RECEIVER, ltn(), AMOUNT, PRICE);
    }

    function test_pause_stops_commands_and_not_cancellations() public {
        command(SENDER, OP);
        vm.prank(admin);
        op1052.pause();
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        command(RECEIVER, OP);
        cancel(bankA, OP);
        assertRefused(bankA, address(op1052), abi.encodeCall(op1052.pause, ()), missingRole(bankA, 0));
        assertRefused(bankA, address(op1052), abi.encodeCall(op1052.unpause, ()), missingRole(bankA, 0));
    }

    // Values.

    function testFuzz_the_value_is_price_times_amount_rounded_down_and_both_move_or_neither(
        uint256 amount,
        uint256 price
    ) public {
        amount = bound(amount, 1, BONDS_A);
        price = bound(price, 1, 1_000e8);
        uint256 value = amount * price / 1e8;
        if (value == 0) {
            expectError(abi.encodeWithSelector(TPFtPricedOperation.TPFtOperationValueZero.selector, amount, price));
            vm.prank(bankA);
            op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), amount, price);
            return;
        }
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), amount, price);
        if (value > MONEY) {
            expectError(
                abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(dvp), MONEY, value)
            );
        }
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, RECEIVER, ltn(), amount, price);
        assertMoved(value > MONEY ? 0 : amount, value > MONEY ? 0 : value);
    }

    function test_a_hundredth_of_a_bond_is_worth_its_cents() public {
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), 1, 199e6); // R$ 1,99: 1.99 cents for a hundredth
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, RECEIVER, ltn(), 1, 199e6);
        assertMoved(1, 1);
    }

    function test_terms_as_the_event_shows_them_can_be_checked() public {
        DvPTerms memory agreed = terms(bankA, ltn(), AMOUNT, PRICE, VALUE);
        assertVerified(0, agreed, DvPStatus.None, false);
        command(SENDER, OP);
        uint256 dvpId = dvpIdOf(OP);
        assertVerified(dvpId, agreed, DvPStatus.SellGiven, true);
        command(RECEIVER, OP);
        assertVerified(dvpId, agreed, DvPStatus.Executed, true);
        agreed.unitPrice += 1;
        assertVerified(dvpId, agreed, DvPStatus.Executed, false);
        assertEq(dvp.getTotalDvPs(), dvpId, "records");
    }

    function assertVerified(uint256 dvpId, DvPTerms memory given, DvPStatus status, bool isMatch) private view {
        (DvPStatus stored, bool matches) = dvp.getDvPOperation(dvpId, address(op1052), given);
        assertTrue(stored == status, "status");
        assertTrue(matches == isMatch, "match");
        (, matches) = dvp.getDvPOperation(dvpId, address(op1002), given);
        assertFalse(matches, "another operation's terms are others");
    }
}
