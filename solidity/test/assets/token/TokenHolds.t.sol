// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Duties} from "../../../src/assets/access/Duties.sol";
import {ReasonCodes} from "../../../src/assets/compliance/ReasonCodes.sol";
import {Rule, RuleKind} from "../../../src/assets/compliance/RuleBook.sol";
import {Hold, HoldStatus, IHolds} from "../../../src/assets/token/IHolds.sol";
import {IERC7943Fungible} from "../../../src/assets/token/IERC7943Fungible.sol";
import {TokenErrors} from "../../../src/assets/token/TokenErrors.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title TokenHoldsTest
/// @notice Units promised to somebody: kept, moved or set free at a notary's word.
contract TokenHoldsTest is AssetSuite {
    uint48 private constant END = uint48(NOW + 1 days);

    function test_held_units_stay_the_holder_s_and_do_not_move() public {
        bytes32 id = hold(400);
        Hold memory made = token.holdOf(id);
        assertEq(made.holder, alice, "holder");
        assertEq(made.recipient, bob, "recipient");
        assertEq(made.notary, notary, "notary");
        assertEq(made.amount, 400, "amount");
        assertEq(made.expiry, END, "end");
        assertTrue(made.status == HoldStatus.Active, "active");
        assertEq(token.balanceOf(alice), ALICE_UNITS, "still the holder's");
        assertEq(token.heldBalanceOf(alice), 400, "held");
        assertEq(token.freeBalanceOf(alice), ALICE_UNITS - 400, "not free");
        refuse(
            alice,
            abi.encodeCall(token.transfer, (bob, ALICE_UNITS - 399)),
            abi.encodeWithSelector(
                IERC7943Fungible.ERC7943InsufficientUnfrozenBalance.selector,
                alice,
                ALICE_UNITS - 399,
                ALICE_UNITS - 400
            )
        );
    }

    function test_a_hold_is_executed_in_parts() public {
        bytes32 id = hold(400);
        vm.startPrank(notary);
        token.executeHold(id, 150);
        assertEq(token.balanceOf(bob), BOB_UNITS + 150, "moved");
        assertEq(token.heldBalanceOf(alice), 250, "still held");
        expectError(abi.encodeWithSelector(IHolds.HoldAmountInvalid.selector, id, 251, 250));
        token.executeHold(id, 251);
        expectError(abi.encodeWithSelector(IHolds.HoldAmountInvalid.selector, id, 0, 250));
        token.executeHold(id, 0);
        token.executeHold(id, 250);
        expectError(abi.encodeWithSelector(IHolds.HoldNotActive.selector, id, HoldStatus.Executed));
        token.executeHold(id, 1);
        expectError(abi.encodeWithSelector(IHolds.HoldNotActive.selector, id, HoldStatus.Executed));
        token.releaseHold(id);
        vm.stopPrank();
        assertEq(token.freeBalanceOf(alice), ALICE_UNITS - 400, "nothing else moved");
    }

    function test_a_hold_outlasts_a_freeze_of_units() public {
        bytes32 id = hold(400);
        vm.prank(agent);
        token.setFrozenTokens(alice, 2 * ALICE_UNITS);
        vm.prank(notary);
        token.executeHold(id, 400);
        assertEq(token.balanceOf(bob), BOB_UNITS + 400, "what was promised moved");
        assertEq(token.freeBalanceOf(alice), 0, "the rest is frozen");
    }

    function test_a_hold_outlasts_a_freeze_of_the_wallet() public {
        bytes32 id = hold(400);
        vm.startPrank(agent);
        token.setAddressFrozen(alice, true);
        token.setAddressFrozen(bob, true);
        vm.stopPrank();
        bytes memory call = abi.encodeCall(token.executeHold, (id, 400));
        refuse(notary, call, abi.encodeWithSelector(TokenErrors.TokenWalletFrozen.selector, bob));
        vm.prank(agent);
        token.setAddressFrozen(bob, false);
        vm.prank(notary);
        token.executeHold(id, 400);
        assertEq(token.balanceOf(bob), BOB_UNITS + 400, "what was promised moved");
    }

    function test_a_hold_outlasts_a_recovery_of_its_holder() public {
        bytes32 id = hold(400);
        vm.startPrank(agent);
        registry.replaceWallet(alice, carol);
        token.recoveryAddress(alice, carol, identityOf(1));
        token.pause();
        bytes memory call = abi.encodeCall(token.executeHold, (id, 400));
        vm.stopPrank();
        refuse(notary, call, abi.encodeWithSelector(TokenErrors.TokenPaused.selector));
        vm.prank(agent);
        token.unpause();
        vm.prank(notary);
        token.executeHold(id, 400);
        assertEq(token.balanceOf(bob), BOB_UNITS + 400, "what was promised moved");
        assertEq(token.balanceOf(carol), ALICE_UNITS - 400, "the rest was recovered");
        assertEq(token.balanceOf(alice), 0, "nothing is left");
    }

    function test_a_hold_ends() public {
        bytes32 id = hold(400);
        vm.warp(END);
        refuse(
            notary,
            abi.encodeCall(token.executeHold, (id, 1)),
            abi.encodeWithSelector(IHolds.HoldExpired.selector, id, END, END)
        );
        assertEq(token.heldBalanceOf(alice), 400, "held until somebody says so");
        vm.prank(stranger);
        token.releaseHold(id);
        assertEq(token.freeBalanceOf(alice), ALICE_UNITS, "free");
        assertTrue(token.holdOf(id).status == HoldStatus.Released, "released");
    }

    function test_before_its_end_only_the_notary_decides() public {
        bytes32 id = hold(400);
        bytes memory notNotary = abi.encodeWithSelector(IHolds.HoldNotNotary.selector, id, alice, notary);
        refuse(alice, abi.encodeCall(token.releaseHold, (id)), notNotary);
        vm.prank(admin);
        token.grantRole(Duties.NOTARY, stranger);
        notNotary = abi.encodeWithSelector(IHolds.HoldNotNotary.selector, id, stranger, notary);
        refuse(stranger, abi.encodeCall(token.executeHold, (id, 1)), notNotary);
        vm.prank(notary);
        token.releaseHold(id);
        assertEq(token.freeBalanceOf(alice), ALICE_UNITS, "free");
    }

    function test_a_notary_that_lost_the_role_decides_nothing_and_blocks_nobody() public {
        bytes32 id = hold(400);
        vm.prank(admin);
        token.revokeRole(Duties.NOTARY, notary);
        refuse(notary, abi.encodeCall(token.executeHold, (id, 1)), missingRole(notary, Duties.NOTARY));
        vm.prank(alice);
        token.releaseHold(id);
        assertEq(token.heldBalanceOf(alice), 0, "free");
    }

    function test_a_hold_is_created_within_an_allowance() public {
        vm.prank(alice);
        token.approve(bob, 500);
        vm.prank(bob);
        bytes32 id = token.createHoldFrom("leg", alice, bob, 400, notary, END);
        assertEq(id, token.holdIdOf(bob, "leg"), "the creator's own name");
        assertEq(token.allowance(alice, bob), 100, "spent");
        refuse(
            bob,
            abi.encodeCall(token.createHoldFrom, ("other", alice, bob, 101, notary, END)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, 100, 101)
        );
    }

    function test_nobody_takes_another_s_reference() public {
        vm.prank(bob);
        token.createHold("leg", alice, 1, notary, END);
        bytes32 id = hold(400);
        bytes memory exists = abi.encodeWithSelector(IHolds.HoldExists.selector, id);
        refuse(alice, abi.encodeCall(token.createHold, ("leg", bob, 1, notary, END)), exists);
        vm.prank(notary);
        token.releaseHold(id);
        refuse(alice, abi.encodeCall(token.createHold, ("leg", bob, 1, notary, END)), exists);
    }

    function test_what_cannot_be_held() public {
        bytes32 id = token.holdIdOf(alice, "leg");
        refuseHold(bob, 1, stranger, END, missingRole(stranger, Duties.NOTARY));
        refuseHold(bob, 1, notary, uint48(NOW), abi.encodeWithSelector(IHolds.HoldExpiryInThePast.selector, NOW, NOW));
        refuseHold(bob, 0, notary, END, abi.encodeWithSelector(IHolds.HoldAmountInvalid.selector, id, 0, 0));
        refuseHold(
            address(0), 1, notary, END, abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0))
        );
        uint256 more = ALICE_UNITS + 1;
        bytes memory few =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, ALICE_UNITS, more);
        refuseHold(bob, more, notary, END, few);
        vm.prank(agent);
        token.freezePartialTokens(alice, 10);
        bytes memory frozen = abi.encodeWithSelector(
            IERC7943Fungible.ERC7943InsufficientUnfrozenBalance.selector, alice, ALICE_UNITS, ALICE_UNITS - 10
        );
        refuseHold(bob, ALICE_UNITS, notary, END, frozen);
    }

    function refuseHold(address to, uint256 amount, address by, uint48 expiry, bytes memory revertData) private {
        refuse(alice, abi.encodeCall(token.createHold, ("leg", to, amount, by, expiry)), revertData);
    }

    function test_what_was_never_held_is_neither_executed_nor_released() public {
        bytes memory none = abi.encodeWithSelector(IHolds.HoldNotActive.selector, bytes32(0), HoldStatus.None);
        refuse(notary, abi.encodeCall(token.executeHold, (bytes32(0), 1)), none);
        refuse(notary, abi.encodeCall(token.releaseHold, (bytes32(0))), none);
    }

    function test_an_execution_is_asked_of_everybody_and_a_refusal_moves_nothing() public {
        bytes32 id = hold(400);
        setRules(one(rule(RuleKind.BalanceMax, BOB_UNITS)));
        bytes memory call = abi.encodeCall(token.executeHold, (id, 1));
        refuse(notary, call, refused(ReasonCodes.BALANCE_MAX, BOB_UNITS));
        setRules(new Rule[](0));
        vm.prank(agent);
        registry.deleteIdentity(bob);
        refuse(notary, call, abi.encodeWithSelector(IERC7943Fungible.ERC7943CannotReceive.selector, bob));
        assertEq(token.heldBalanceOf(alice), 400, "still held");
    }

    function test_an_approved_transfer_by_hold_uses_the_approval_up() public {
        bytes32 id = hold(400);
        setRules(one(rule(RuleKind.Approval, 0)));
        vm.prank(officer);
        rules.approveTransfer(alice, bob, 400, END);
        vm.prank(notary);
        token.executeHold(id, 400);
        assertEq(rules.approvedUntil(alice, bob, 400), 0, "used up");
    }

    function hold(uint256 amount) private returns (bytes32) {
        vm.prank(alice);
        return token.createHold("leg", bob, amount, notary, END);
    }

    function refuse(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(token), call, revertData);
    }
}
