// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Refusal} from "../../../src/assets/compliance/ITransferRules.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {WalletSuccession} from "../../../src/assets/identity/WalletSuccession.sol";
import {IERC3643} from "../../../src/assets/token/IERC3643.sol";
import {IERC7943Fungible} from "../../../src/assets/token/IERC7943Fungible.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title TokenEnforcementTest
/// @notice Freezes, orders, recovery, pause.
contract TokenEnforcementTest is AssetSuite {
    function test_a_pause_stops_holders_and_nobody_else() public {
        vm.startPrank(agent);
        expectError(abi.encodeWithSelector(TokenErrors.TokenNotPaused.selector));
        token.unpause();
        token.pause();
        assertTrue(token.paused(), "paused");
        expectError(paused());
        token.pause();
        token.forcedTransfer(alice, bob, 1);
        vm.stopPrank();
        refuse(alice, abi.encodeCall(token.transfer, (bob, 1)), paused());
        refuse(alice, abi.encodeCall(token.createHold, ("leg", bob, 1, notary, type(uint48).max)), paused());
        vm.prank(issuer);
        token.mint(alice, 1);
        vm.prank(agent);
        token.unpause();
        transfer(alice, bob, 1);
    }

    function test_a_frozen_wallet_neither_sends_nor_receives() public {
        (address[] memory list, bool[] memory freeze) = (new address[](2), new bool[](2));
        (list[0], list[1], freeze[0]) = (alice, bob, true);
        vm.prank(agent);
        token.batchSetAddressFrozen(list, freeze);
        assertTrue(token.isFrozen(alice) && !token.isFrozen(bob), "one of two");
        bytes memory frozen = abi.encodeWithSelector(TokenErrors.TokenWalletFrozen.selector, alice);
        refuse(alice, abi.encodeCall(token.transfer, (bob, 1)), frozen);
        refuse(bob, abi.encodeCall(token.transfer, (alice, 1)), frozen);
        refuse(issuer, abi.encodeCall(token.mint, (alice, 1)), frozen);
        refuse(alice, abi.encodeCall(token.createHold, ("leg", bob, 1, notary, type(uint48).max)), frozen);
        bytes memory cannot = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, alice);
        refuse(agent, abi.encodeCall(token.forcedTransfer, (bob, alice, 1)), cannot);
        assertFalse(token.canSend(alice), "cannot send");
        assertFalse(token.canReceive(alice), "cannot receive");
        vm.prank(agent);
        token.forcedTransfer(alice, bob, 1);
    }

    function test_frozen_units_stay_and_the_rest_moves() public {
        vm.prank(agent);
        token.freezePartialTokens(alice, ALICE_UNITS - 10);
        refuse(alice, abi.encodeCall(token.transfer, (bob, 11)), unfree(alice, 11, 10));
        refuse(agent, abi.encodeCall(token.freezePartialTokens, (alice, 11)), unfree(alice, 11, 10));
        transfer(alice, bob, 10);
        assertEq(token.freeBalanceOf(alice), 0, "nothing free");
        vm.prank(agent);
        token.unfreezePartialTokens(alice, 5);
        transfer(alice, bob, 5);
        refuse(
            agent,
            abi.encodeCall(token.unfreezePartialTokens, (alice, ALICE_UNITS)),
            abi.encodeWithSelector(TokenErrors.TokenInsufficientFrozen.selector, alice, ALICE_UNITS - 15, ALICE_UNITS)
        );
    }

    function test_more_may_be_frozen_than_there_is_and_receipts_freeze() public {
        vm.prank(agent);
        token.setFrozenTokens(bob, BOB_UNITS + 100);
        transfer(alice, bob, 60);
        refuse(bob, abi.encodeCall(token.transfer, (alice, 1)), unfree(bob, 1, 0));
        transfer(alice, bob, 50);
        transfer(bob, alice, 10);
        assertEq(token.getFrozenTokens(bob), BOB_UNITS + 100, "as set");
        uint256 max = type(uint104).max;
        vm.startPrank(agent);
        token.setFrozenTokens(bob, max);
        expectError(abi.encodeWithSelector(TokenErrors.TokenAmountTooLarge.selector, 0, max + 1, max));
        token.setFrozenTokens(bob, max + 1);
        token.setFrozenTokens(bob, 0);
        vm.stopPrank();
        assertEq(token.freeBalanceOf(bob), BOB_UNITS + 100, "all free");
    }

    function test_units_are_frozen_and_freed_in_batches() public {
        (address[] memory list, uint256[] memory amounts) = (new address[](2), new uint256[](2));
        (list[0], list[1], amounts[0], amounts[1]) = (alice, bob, 5, 6);
        vm.startPrank(agent);
        token.batchFreezePartialTokens(list, amounts);
        assertEq(token.getFrozenTokens(bob), 6, "frozen");
        token.batchUnfreezePartialTokens(list, amounts);
        vm.stopPrank();
        assertEq(token.getFrozenTokens(alice), 0, "freed");
    }

    function test_an_order_takes_frozen_units_and_says_so_first() public {
        vm.startPrank(agent);
        token.freezePartialTokens(alice, ALICE_UNITS - 10);
        vm.expectEmit(address(token));
        emit IERC3643.TokensUnfrozen(alice, 20);
        vm.expectEmit(address(token));
        emit IERC7943Fungible.Frozen(alice, ALICE_UNITS - 30);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(alice, bob, 30);
        vm.expectEmit(address(token));
        emit IERC7943Fungible.ForcedTransfer(alice, bob, 30);
        token.forcedTransfer(alice, bob, 30);
        vm.stopPrank();
        assertEq(token.getFrozenTokens(alice), ALICE_UNITS - 30, "what was free went first");
        assertEq(token.balanceOf(bob), BOB_UNITS + 30, "moved");
    }

    function test_an_order_passes_by_the_rules_and_not_by_the_registry() public {
        setRules(one(rule(RuleKind.BalanceMax, 1)));
        vm.startPrank(agent);
        token.forcedTransfer(alice, bob, 30);
        bytes memory cannot = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, stranger);
        expectError(cannot);
        token.forcedTransfer(alice, stranger, 1);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bob, BOB_UNITS + 30, 1e9));
        token.forcedTransfer(bob, alice, 1e9);
        vm.stopPrank();
    }

    function test_orders_come_in_batches() public {
        (address[] memory from, address[] memory to) = (new address[](2), new address[](2));
        uint256[] memory amounts = new uint256[](2);
        (from[0], from[1], to[0], to[1]) = (alice, bob, bob, alice);
        (amounts[0], amounts[1]) = (5, 7);
        vm.prank(agent);
        token.batchForcedTransfer(from, to, amounts);
        assertEq(token.balanceOf(alice), ALICE_UNITS + 2, "both");
    }

    function test_held_units_are_out_of_the_reach_of_orders_until_released() public {
        vm.prank(alice);
        bytes32 id = token.createHold("leg", bob, ALICE_UNITS - 5, notary, uint48(NOW + 1 days));
        bytes memory held = abi.encodeWithSelector(TokenErrors.TokenUnitsHeld.selector, alice, 6, 5);
        refuse(agent, abi.encodeCall(token.forcedTransfer, (alice, bob, 6)), held);
        refuse(issuer, abi.encodeCall(token.burn, (alice, 6)), held);
        vm.prank(agent);
        token.forcedTransfer(alice, bob, 5);
        vm.prank(notary);
        token.releaseHold(id);
        vm.prank(issuer);
        token.burn(alice, ALICE_UNITS - 5);
    }

    function test_a_lost_wallet_is_recovered_along_the_registry_s_path() public {
        vm.startPrank(agent);
        token.freezePartialTokens(alice, 100);
        refuseRecovery(carol, identityOf(1));
        registry.replaceWallet(alice, carol);
        refuseRecovery(bob, identityOf(2));
        refuseRecovery(carol, identityOf(2));
        vm.expectEmit(address(token));
        emit IERC3643.RecoverySuccess(alice, carol, identityOf(1));
        token.recoveryAddress(alice, carol, identityOf(1));
        vm.stopPrank();
        assertEq(token.balanceOf(alice), 0, "nothing left");
        assertEq(token.balanceOf(carol), ALICE_UNITS, "all there");
        assertEq(token.getFrozenTokens(alice), 0, "not frozen there");
        assertEq(token.getFrozenTokens(carol), 100, "still frozen here");
        assertTrue(token.isFrozen(alice), "the lost wallet is frozen");
    }

    function refuseRecovery(address to, address identity) private {
        expectError(abi.encodeWithSelector(TokenErrors.TokenRecoveryUnproven.selector, alice, to, identity));
        token.recoveryAddress(alice, to, identity);
    }

    function holdForTheNotary() private returns (bytes32) {
        vm.prank(alice);
        return token.createHold("leg", bob, 40, notary, uint48(NOW + 1 days));
    }

    function loseAndRecover() private {
        vm.startPrank(agent);
        registry.replaceWallet(alice, carol);
        token.recoveryAddress(alice, carol, identityOf(1));
        vm.stopPrank();
    }

    function recoverWhatWasHeld(bytes32 id) private {
        vm.prank(notary);
        token.releaseHold(id);
        vm.prank(agent);
        token.recoveryAddress(alice, carol, identityOf(1));
    }

    function test_what_is_held_is_recovered_once_released() public {
        bytes32 id = holdForTheNotary();
        loseAndRecover();
        assertEq(token.balanceOf(alice), 40, "held units stay");
        recoverWhatWasHeld(id);
        assertEq(token.balanceOf(carol), ALICE_UNITS, "all there");
    }

    function test_a_freeze_of_a_whole_wallet_follows_its_investor() public {
        bytes32 id = holdForTheNotary();
        vm.startPrank(agent);
        token.setAddressFrozen(alice, true);
        registry.replaceWallet(alice, carol);
        vm.expectEmit(address(token));
        emit IERC3643.AddressFrozen(carol, true, agent);
        token.recoveryAddress(alice, carol, identityOf(1));
        vm.stopPrank();
        assertTrue(token.isFrozen(alice) && token.isFrozen(carol), "both are frozen");
        bytes memory frozen = abi.encodeWithSelector(TokenErrors.TokenWalletFrozen.selector, carol);
        refuse(carol, abi.encodeCall(token.transfer, (bob, 1)), frozen);
        recoverWhatWasHeld(id);
        assertEq(token.balanceOf(carol), ALICE_UNITS, "what was held follows too");
    }

    function test_the_freeze_of_a_lost_wallet_is_no_order_on_its_investor() public {
        bytes32 id = holdForTheNotary();
        loseAndRecover();
        assertTrue(token.isFrozen(alice) && !token.isFrozen(carol), "the lost one alone");
        recoverWhatWasHeld(id);
        assertFalse(token.isFrozen(carol), "nor by the second call");
        transfer(carol, bob, ALICE_UNITS);
    }

    function test_two_losses_in_a_row_are_recovered_at_once() public {
        vm.startPrank(agent);
        registry.replaceWallet(alice, carol);
        registry.replaceWallet(carol, dave);
        refuseRecovery(alice, identityOf(1));
        refuseRecovery(alice, address(0));
        refuseRecovery(carol, identityOf(1));
        refuseRecovery(carol, address(0));
        token.recoveryAddress(alice, dave, identityOf(1));
        vm.stopPrank();
        assertEq(token.balanceOf(dave), ALICE_UNITS, "all there");
    }

    function test_a_wallet_replaced_too_often_is_not_recovered() public {
        address last = alice;
        vm.startPrank(agent);
        for (uint256 i = 1; i <= 16; ++i) {
            address next = address(uint160(0xA11CE000 + i));
            registry.replaceWallet(last, next);
            last = next;
        }
        token.recoveryAddress(alice, last, identityOf(1));
        registry.replaceWallet(last, carol);
        bytes4 tooMany = WalletSuccession.InvestorSuccessionsTooMany.selector;
        expectError(abi.encodeWithSelector(tooMany, alice, 16));
        token.recoveryAddress(alice, carol, identityOf(1));
        vm.stopPrank();
    }

    function test_a_replaced_wallet_sends_and_promises_nothing() public {
        vm.prank(agent);
        registry.replaceWallet(alice, carol);
        bytes memory cannot = abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotSend.selector, alice);
        refuse(alice, abi.encodeCall(token.transfer, (bob, 1)), cannot);
        refuse(alice, abi.encodeCall(token.createHold, ("leg", bob, 1, notary, type(uint48).max)), cannot);
        assertFalse(token.canSend(alice), "cannot send");
        assertTrue(token.canSend(bob) && token.canSend(carol), "others can");
        Refusal[] memory reasons = token.transferRefusals(alice, bob, 1);
        assertEq(reasons.length, 1, "one reason");
        assertEq(reasons[0].reason, ReasonCodes.SENDER_REPLACED, "which");
        assertEq(reasons[0].argument, uint160(alice), "whose");
    }

    function unfree(address account, uint256 amount, uint256 free) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IERC7943Fungible.ERC7943InsufficientUnfrozenBalance.selector, account, amount, free);
    }

    function paused() private pure returns (bytes memory) {
        return abi.encodeWithSelector(TokenErrors.TokenPaused.selector);
    }

    function refuse(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(token), call, revertData);
    }
}
