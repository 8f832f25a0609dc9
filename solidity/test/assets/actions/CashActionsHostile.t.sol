// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

import {CashActionStatus, CashActionTerms} from "../../../src/assets/actions/CashActionTypes.sol";
import {EntryBatch} from "../../../src/assets/actions/EntryBatch.sol";
import {EscrowedMoney} from "../../../src/assets/actions/EscrowedMoney.sol";
import {HolderSettlement} from "../../../src/assets/actions/HolderSettlement.sol";
import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {TokenMovement} from "../../../src/assets/settlement/TokenMovement.sol";
import {IERC7943Fungible} from "../../../src/assets/token/IERC7943Fungible.sol";
import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {CBDCAccessControl} from "../../../src/drex/CBDCAccessControl.sol";
import {RealDigital} from "../../../src/drex/RealDigital.sol";
import {CallingMoney, FeeMoney, IdleMoney, RefusingMoney, SilentMoney} from "../settlement/HostileTokens.sol";
import {OpenDeed, OpenMoney} from "../settlement/OpenTokens.sol";
import {ActionSuite} from "./ActionSuite.sol";
import {CreatingMoney, DenyingMoney, OverdrawingMoney, SelectiveMoney} from "./HostileMoney.sol";

/// @dev Money that cheats, payees that are blocked, and the money of the Drex family.
contract CashActionsHostileTest is ActionSuite {
    uint256 private constant ALICE_MONEY = ALICE_UNITS * 137 / 100;
    uint256 private constant BOB_MONEY = BOB_UNITS * 137 / 100;

    function couponIn(address currency) private view returns (CashActionTerms memory terms) {
        terms = coupon();
        terms.currency = currency;
    }

    /// @dev A coupon in a money that was honest when it was paid in.
    function couponOf(OpenMoney currency) private returns (uint256) {
        provide(currency);
        return bringToPayment(couponIn(address(currency)));
    }

    function assertSettleRefused(uint256 actionId, address holder, bytes memory refusal) private {
        assertRefused(stranger, address(actions), abi.encodeCall(actions.settle, (actionId, holder)), refusal);
    }

    function assertFundRefused(address currency, bytes memory refusal) private {
        uint256 actionId = announce(couponIn(currency));
        vm.warp(RECORD_DATE + 1);
        assertRefused(treasurer, address(actions), abi.encodeCall(actions.fund, (actionId)), refusal);
        assertStatus(actionId, CashActionStatus.Approved);
        vm.warp(NOW);
    }

    function receiptDiffers(address currency, address to, uint256 received, uint256 promised)
        private
        pure
        returns (bytes memory)
    {
        bytes4 selector = TokenMovement.TokenMovementReceiptDiffers.selector;
        return abi.encodeWithSelector(selector, currency, 0, to, received, promised);
    }

    // Money that cheats when it is paid in.

    function test_money_that_does_not_arrive_whole_funds_nothing() public {
        uint256 whole = SUPPLY * 137 / 100;
        FeeMoney fee = new FeeMoney();
        provide(fee);
        assertFundRefused(address(fee), receiptDiffers(address(fee), address(actions), whole - whole / 100, whole));
        IdleMoney idle = new IdleMoney();
        assertFundRefused(address(idle), receiptDiffers(address(idle), address(actions), 0, whole));
        RefusingMoney refusing = new RefusingMoney();
        assertFundRefused(
            address(refusing), abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(refusing))
        );
        OpenDeed deed = new OpenDeed();
        assertFundRefused(
            address(deed), abi.encodeWithSelector(TokenMovement.TokenMovementNotFungible.selector, address(deed))
        );
        assertFundRefused(
            address(new OpenMoney()),
            abi.encodeWithSignature("ERC20InsufficientAllowance(address,uint256,uint256)", address(actions), 0, whole)
        );
    }

    function test_money_that_says_nothing_is_taken_and_paid() public {
        SilentMoney silent = new SilentMoney();
        silent.mint(treasurer, SUPPLY * 137 / 100);
        uint256 actionId = bringToPayment(couponIn(address(silent)));
        actions.settle(actionId, alice);
        assertEq(silent.balanceOf(alice), ALICE_MONEY, "paid");
    }

    // Money that turns bad after it was paid in.

    function test_a_fee_that_comes_later_pays_nobody_less_and_lets_the_rest_go_back() public {
        FeeMoney fee = new FeeMoney();
        fee.setCharging(false);
        uint256 actionId = couponOf(fee);
        fee.setCharging(true);
        bytes memory refusal = receiptDiffers(address(fee), alice, ALICE_MONEY - ALICE_MONEY / 100, ALICE_MONEY);
        assertSettleRefused(actionId, alice, refusal);
        assertEq(actions.unsettledOf(actionId, alice), ALICE_UNITS, "still due");
        vm.warp(CLAIMS_END);
        close(actionId);
        assertEq(fee.balanceOf(address(actions)), 0, "nothing is locked in");
    }

    function test_money_that_takes_more_than_it_is_told_touches_no_other_action() public {
        OverdrawingMoney currency = new OverdrawingMoney();
        provide(currency);
        uint256 other = announce(couponIn(address(currency)));
        uint256 actionId = bringToPayment(couponIn(address(currency)));
        fund(other);
        currency.setExtra(1);
        bytes memory refusal = abi.encodeWithSelector(
            EscrowedMoney.MoneyDebitDiffers.selector, address(currency), ALICE_MONEY + 1, ALICE_MONEY
        );
        assertSettleRefused(actionId, alice, refusal);
        vm.warp(CLAIMS_END);
        assertEq(currency.balanceOf(address(actions)), 2 * (SUPPLY * 137 / 100), "both are whole");
        uint256 whole = SUPPLY * 137 / 100;
        assertRefused(
            treasurer,
            address(actions),
            abi.encodeCall(actions.close, (actionId)),
            abi.encodeWithSelector(EscrowedMoney.MoneyDebitDiffers.selector, address(currency), whole + 1, whole)
        );
    }

    function test_money_made_from_nothing_does_not_pay() public {
        CreatingMoney currency = new CreatingMoney();
        uint256 actionId = couponOf(currency);
        currency.setCreating(true);
        assertSettleRefused(
            actionId,
            alice,
            abi.encodeWithSelector(EscrowedMoney.MoneyDebitDiffers.selector, address(currency), 0, ALICE_MONEY)
        );
    }

    function test_a_false_answer_does_not_settle() public {
        DenyingMoney currency = new DenyingMoney();
        uint256 actionId = couponOf(currency);
        currency.setDenying(true);
        bytes memory refusal = abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(currency));
        assertSettleRefused(actionId, alice, refusal);
        currency.setDenying(false);
        assertEq(actions.settleMany(actionId, list(alice)), 1, "later");
    }

    // Payees that are blocked, and those who spoil batches.

    function test_a_blocked_payee_waits_and_the_others_are_paid() public {
        SelectiveMoney currency = new SelectiveMoney();
        uint256 actionId = couponOf(currency);
        currency.block_(alice, true);
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(
            actionId, alice, abi.encodeWithSelector(SelectiveMoney.MoneyBlocked.selector, alice)
        );
        assertEq(actions.settleMany(actionId, list(alice, bob, carol)), 2, "the others");
        assertEq(currency.balanceOf(bob), BOB_MONEY, "paid");
        (uint256 units, uint256 amount,) = actions.dueTo(actionId, alice);
        assertEq(units, ALICE_UNITS, "units wait");
        assertEq(amount, ALICE_MONEY, "money waits");
        currency.block_(alice, false);
        actions.settle(actionId, alice);
        assertEq(currency.balanceOf(alice), ALICE_MONEY, "paid in full");
    }

    function test_a_frozen_wallet_is_paid() public {
        uint256 actionId = bringToPayment(coupon());
        vm.prank(agent);
        token.setAddressFrozen(alice, true);
        actions.settle(actionId, alice);
        assertEq(money.balanceOf(alice), ALICE_MONEY, "its money is for the money's issuer to freeze");
    }

    function test_an_entry_that_burns_gas_or_answers_without_end_spoils_itself_alone() public {
        SelectiveMoney currency = new SelectiveMoney();
        uint256 actionId = couponOf(currency);
        currency.burnGas(alice);
        currency.answerLong(carol, 100_000);
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, alice, "");
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, carol, new bytes(256));
        uint256 before = gasleft();
        assertEq(actions.settleMany(actionId, list(alice, carol, bob)), 1, "the last one");
        assertLe(before - gasleft(), 1_500_000, "gas of the whole");
        assertEq(currency.balanceOf(bob), BOB_MONEY, "paid");
    }

    // Reentrancy.

    function test_no_step_can_be_taken_within_a_payment() public {
        CallingMoney currency = new CallingMoney();
        uint256 actionId = couponOf(currency);
        giveAllRoles(address(currency));
        bytes[9] memory calls = [
            abi.encodeCall(actions.announce, (coupon())),
            abi.encodeCall(actions.approve, (actionId, bytes32(0))),
            abi.encodeCall(actions.cancel, (actionId)),
            abi.encodeCall(actions.fund, (actionId)),
            abi.encodeCall(actions.close, (actionId)),
            abi.encodeCall(actions.settle, (actionId, bob)),
            abi.encodeCall(actions.settleMany, (actionId, list(bob))),
            abi.encodeCall(actions.settleThrough, (actionId, depository, dave, 1)),
            abi.encodeCall(actions.settleEntry, (actionId, bob))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            currency.plan(address(actions), calls[i]);
            vm.prank(agent);
            actions.nameOwner(actionId, depository, dave, 10 + i);
            vm.prank(treasurer);
            actions.settleThrough(actionId, depository, dave, 10 + i);
            assertFalse(currency.wasAnswered(), "refused within");
            bytes4 expected =
                i == 8 ? EntryBatch.BatchEntryOnly.selector : ReentrancyGuard.ReentrancyGuardReentrantCall.selector;
            assertEq(bytes4(currency.answer()), expected, "for being within");
        }
        currency.plan(address(actions), calls[5]);
        actions.settleMany(actionId, list(alice));
        assertFalse(currency.wasAnswered(), "nor within a batch");
        assertEq(actions.unsettledOf(actionId, bob), BOB_UNITS, "bob was not paid");
    }

    function giveAllRoles(address account) private {
        vm.startPrank(admin);
        token.grantRole(keccak256("TREASURY_ROLE"), account);
        token.grantRole(keccak256("ISSUER_ROLE"), account);
        token.grantRole(keccak256("AGENT_ROLE"), account);
        vm.stopPrank();
    }

    // Other tokens of the house.

    function test_a_regulated_token_pays_and_who_lost_the_registration_waits() public {
        IRegulatedToken currency = deployToken(tokenTerms(admin));
        bindRules(currency, deployRules(0, new Rule[](0)));
        enter(treasurer, 7);
        enter(address(actions), 8);
        vm.prank(issuer);
        currency.mint(treasurer, SUPPLY * 137 / 100);
        vm.prank(treasurer);
        currency.approve(address(actions), type(uint256).max);
        uint256 actionId = bringToPayment(couponIn(address(currency)));
        vm.prank(agent);
        registry.deleteIdentity(bob);
        bytes memory refusal = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, bob);
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, bob, refusal);
        assertEq(actions.settleMany(actionId, list(alice, bob, carol)), 2, "the others");
        assertEq(currency.balanceOf(alice), ALICE_MONEY, "paid in units of the other token");
    }

    // The Drex family's money.

    function test_real_digital_pays_and_who_has_no_enabled_account_waits() public {
        address authority = wallet("authority");
        RealDigital real = new RealDigital("Real Digital", "BRL", authority, authority);
        uint256 whole = SUPPLY * 137 / 100;
        vm.startPrank(authority);
        real.enableAccount(treasurer);
        real.enableAccount(alice);
        real.enableAccount(issuerAccount);
        real.mint(treasurer, whole);
        vm.stopPrank();
        vm.prank(treasurer);
        real.approve(address(actions), whole);
        uint256 actionId = announce(couponIn(address(real)));
        vm.warp(RECORD_DATE + 1);
        assertRefused(
            treasurer, address(actions), abi.encodeCall(actions.fund, (actionId)), notEnabled(address(actions))
        );
        vm.prank(authority);
        real.enableAccount(address(actions));
        fund(actionId);
        vm.warp(PAYABLE_FROM);
        vm.expectEmit(address(actions));
        emit HolderSettlement.ActionEntrySkipped(actionId, bob, notEnabled(bob));
        assertEq(actions.settleMany(actionId, list(alice, bob)), 1, "alice alone");
        assertEq(real.balanceOf(alice), ALICE_MONEY, "paid");
        vm.warp(CLAIMS_END);
        close(actionId);
        assertEq(real.balanceOf(issuerAccount), whole - ALICE_MONEY, "the rest");
    }

    function notEnabled(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account);
    }
}
