// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ApprovedDigitalCurrency} from "../../src/drex/ApprovedDigitalCurrency.sol";
import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {SwapBetweenBanks} from "../../src/drex/SwapBetweenBanks.sol";
import {SwapProposals} from "../../src/drex/SwapProposals.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

/// @dev What both swaps in two steps do alike: the state machine row by row, its callers and its times. Customer of A
/// pays customer of B.
abstract contract SwapProposalsBehaviour is SwapSuite {
    uint256 internal constant AMOUNT = 1234;

    SwapProposals internal swaps;

    function start() internal {
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, clientB, AMOUNT);
    }

    function execute(address caller, uint256 proposalId) internal {
        vm.prank(caller);
        swaps.executeSwap(proposalId);
    }

    function cancel(address caller, uint256 proposalId) internal {
        vm.prank(caller);
        swaps.cancelSwap(proposalId, "changed my mind");
    }

    function assertStatus(uint256 proposalId, SwapProposals.SwapStatus status) internal view {
        assertTrue(swaps.swapProposals(proposalId).status == status, "status");
    }

    function assertPaid() internal view {
        assertMoney(5_000_000 - AMOUNT, 10_000_000 - AMOUNT, 5_000_000 + AMOUNT, 10_000_000 + AMOUNT);
        assertEq(tokenA.totalSupply(), 5_000_000 - AMOUNT, "payer's bank owes less");
        assertEq(tokenB.totalSupply(), 5_000_000 + AMOUNT, "receiver's bank owes more");
    }

    function assertUnpaid() internal view {
        assertMoney(5_000_000, 10_000_000, 5_000_000, 10_000_000);
        assertEq(tokenA.totalSupply(), 5_000_000, "payer's bank owes as before");
        assertEq(tokenB.totalSupply(), 5_000_000, "receiver's bank owes as before");
    }

    // The four arrows.

    function test_none_to_pending() public {
        vm.expectEmit(address(swaps));
        emit SwapProposals.SwapStarted(0, BANK_A, BANK_B, clientA, clientB, AMOUNT);
        start();
        SwapProposals.SwapProposal memory proposal = swaps.swapProposals(0);
        assertEq(address(proposal.tokenSender), address(tokenA), "tokenSender");
        assertEq(address(proposal.tokenReceiver), address(tokenB), "tokenReceiver");
        assertEq(proposal.sender, clientA, "sender");
        assertEq(proposal.receiver, clientB, "receiver");
        assertEq(proposal.amount, AMOUNT, "amount");
        assertEq(proposal.timestamp, NOW, "timestamp");
        assertStatus(0, SwapProposals.SwapStatus.PENDING);
    }

    function test_pending_to_executed_by_the_receiver() public {
        start();
        vm.expectEmit(address(swaps));
        emit SwapProposals.SwapExecuted(0, BANK_A, BANK_B, clientA, clientB, AMOUNT);
        execute(clientB, 0);
        assertStatus(0, SwapProposals.SwapStatus.EXECUTED);
        assertPaid();
    }

    function test_pending_to_cancelled_by_payer_or_receiver() public {
        for (uint256 i = 0; i < 2; ++i) {
            start();
            vm.expectEmit(address(swaps));
            emit SwapProposals.SwapCancelled(i, "changed my mind");
            cancel(i == 0 ? clientA : clientB, i);
            assertStatus(i, SwapProposals.SwapStatus.CANCELLED);
            assertUnpaid();
        }
    }

    function test_pending_to_expired_by_anybody() public {
        start();
        vm.warp(NOW + 61);
        vm.expectEmit(address(swaps));
        emit SwapProposals.ExpiredProposal(0);
        vm.prank(stranger);
        swaps.expireSwap(0);
        assertStatus(0, SwapProposals.SwapStatus.EXPIRED);
        assertUnpaid();
    }

    // Nothing follows an end.

    function test_nothing_follows_an_execution() public {
        start();
        execute(clientB, 0);
        assertClosed(SwapProposals.SwapStatus.EXECUTED);
        assertPaid();
    }

    function test_nothing_follows_a_cancellation() public {
        start();
        cancel(clientA, 0);
        assertClosed(SwapProposals.SwapStatus.CANCELLED);
        assertUnpaid();
    }

    function test_nothing_follows_an_expiry() public {
        start();
        vm.warp(NOW + 61);
        swaps.expireSwap(0);
        assertClosed(SwapProposals.SwapStatus.EXPIRED);
        assertUnpaid();
    }

    function assertClosed(SwapProposals.SwapStatus status) private {
        bytes memory refusal = abi.encodeWithSelector(SwapProposals.SwapProposalClosed.selector, 0, status);
        assertRefused(clientB, address(swaps), abi.encodeCall(swaps.executeSwap, (0)), refusal);
        assertRefused(clientA, address(swaps), abi.encodeCall(swaps.cancelSwap, (0, "")), refusal);
        assertRefused(stranger, address(swaps), abi.encodeCall(swaps.expireSwap, (0)), refusal);
    }

    function test_a_number_without_proposal_is_refused() public {
        start();
        bytes memory refusal = abi.encodeWithSelector(SwapProposals.SwapProposalUnknown.selector, 1, 1);
        assertRefused(clientB, address(swaps), abi.encodeCall(swaps.executeSwap, (1)), refusal);
        assertRefused(clientA, address(swaps), abi.encodeCall(swaps.cancelSwap, (1, "")), refusal);
        assertRefused(stranger, address(swaps), abi.encodeCall(swaps.expireSwap, (1)), refusal);
        assertRefused(stranger, address(swaps), abi.encodeCall(swaps.swapProposals, (1)), refusal);
    }

    // Who and when.

    function test_the_receiver_alone_executes() public {
        start();
        address[3] memory others = [clientA, bankB, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(abi.encodeWithSelector(SwapProposals.SwapInvalidCaller.selector, 0, others[i]));
            execute(others[i], 0);
        }
    }

    function test_payer_and_receiver_alone_cancel() public {
        start();
        address[3] memory others = [bankA, stranger, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(abi.encodeWithSelector(SwapProposals.SwapInvalidCaller.selector, 0, others[i]));
            cancel(others[i], 0);
        }
    }

    function test_a_minute_is_sixty_seconds_and_not_one_more() public {
        start();
        start();
        vm.warp(NOW + 60);
        expectError(abi.encodeWithSelector(SwapProposals.SwapProposalNotExpired.selector, 0, NOW + 60, NOW + 60));
        swaps.expireSwap(0);
        execute(clientB, 0);

        vm.warp(NOW + 61);
        expectError(abi.encodeWithSelector(SwapProposals.SwapProposalExpired.selector, 1, NOW + 60, NOW + 61));
        execute(clientB, 1);
        assertPaid2();
        cancel(clientB, 1);
        assertPaid();
    }

    /// @dev After one of two proposals was executed: the other may hold money or not.
    function assertPaid2() internal view virtual;

    // What a proposal is asked first.

    function test_customers_of_one_bank_do_not_swap() public {
        expectError(abi.encodeWithSelector(SwapBetweenBanks.SwapSameToken.selector, address(tokenA)));
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenA, bankA, 1);
    }

    function test_the_receiver_is_somebody_and_a_customer() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "receiver"));
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, address(0), 1);
        expectError(abi.encodeWithSelector(SwapProposals.SwapReceiverNotEnabled.selector, address(tokenB), stranger));
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, stranger, 1);
    }

    function test_the_amount_has_its_limit() public {
        uint256 max = type(uint96).max;
        expectError(abi.encodeWithSelector(SwapProposals.SwapAmountTooLarge.selector, max + 1, max));
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, clientB, max + 1);
    }

    function test_both_tokens_must_be_on_the_list_when_proposed_and_when_executed() public {
        start();
        for (uint256 i = 0; i < 2; ++i) {
            address token = i == 0 ? address(tokenA) : address(tokenB);
            setApproval(token, false);
            expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, token));
            start();
            expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, token));
            execute(clientB, 0);
            setApproval(token, true);
        }
        setApproval(address(tokenA), false);
        cancel(clientA, 0);
        assertUnpaid();
    }

    function setApproval(address token, bool approved) private {
        vm.prank(authority);
        swaps.setDigitalCurrencyApproval(token, approved);
    }

    function test_a_receiver_that_was_disabled_meanwhile_is_not_paid() public {
        start();
        vm.prank(bankB);
        tokenB.disableAccount(clientB);
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, clientB));
        execute(clientB, 0);
        assertStatus(0, SwapProposals.SwapStatus.PENDING);
        cancel(clientB, 0);
        assertUnpaid();
    }

    function testFuzz_banks_stay_backed_whatever_becomes_of_a_proposal(uint256 amount, uint256 end) public {
        amount = bound(amount, 0, 5_000_000);
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, clientB, amount);
        if (end % 3 == 0) execute(clientB, 0);
        if (end % 3 == 1) cancel(clientA, 0);
        if (end % 3 == 2) {
            vm.warp(NOW + 61);
            swaps.expireSwap(0);
        }
        assertEq(real.balanceOf(reserveA) - tokenA.totalSupply(), 5_000_000, "bank A");
        assertEq(real.balanceOf(reserveB) - tokenB.totalSupply(), 5_000_000, "bank B");
        assertEq(tokenA.balanceOf(clientA) + tokenB.balanceOf(clientB), 10_000_000, "customers");
        assertEq(real.balanceOf(address(swaps)) + tokenA.balanceOf(address(swaps)), 0, "nothing stays");
    }

    function test_the_swap_takes_the_admin_first_and_has_no_role_on_real_digital() public view {
        assertTrue(swaps.hasRole(bytes32(0), admin) && swaps.hasRole(swaps.ACCESS_ROLE(), authority), "roles");
        assertFalse(swaps.hasRole(bytes32(0), address(this)), "the deployer has nothing");
        assertFalse(real.hasRole(real.MOVER_ROLE(), address(swaps)), "MOVER");
        assertFalse(real.hasRole(real.BURNER_ROLE(), address(swaps)), "BURNER");
        assertFalse(real.hasRole(real.MINTER_ROLE(), address(swaps)), "MINTER");
    }
}
