// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapProposals} from "../../src/drex/SwapProposals.sol";
import {SwapTwoStepsReserve} from "../../src/drex/SwapTwoStepsReserve.sol";
import {SwapProposalsBehaviour} from "./SwapProposalsBehaviour.sol";

contract SwapTwoStepsReserveTest is SwapProposalsBehaviour {
    function setUp() public override {
        super.setUp();
        swaps = twoStepsReserve;
    }

    function assertPaid2() internal view override {
        assertMoney(5_000_000 - 2 * AMOUNT, 10_000_000 - 2 * AMOUNT, 5_000_000 + AMOUNT, 10_000_000 + AMOUNT);
        assertLocked(AMOUNT);
    }

    function assertLocked(uint256 amount) private view {
        assertEq(tokenA.balanceOf(address(swaps)), amount, "payer's money is here");
        assertEq(real.balanceOf(address(swaps)), amount, "its bank's money is here");
    }

    function test_a_proposal_locks_both_monies() public {
        start();
        assertMoney(5_000_000 - AMOUNT, 10_000_000 - AMOUNT, 5_000_000, 10_000_000);
        assertLocked(AMOUNT);
        execute(clientB, 0);
        assertLocked(0);
    }

    function test_what_is_locked_pays_whatever_the_payer_does_meanwhile() public {
        start();
        vm.startPrank(clientA);
        tokenA.transfer(bankA, 5_000_000 - AMOUNT);
        tokenA.approve(address(swaps), 0);
        vm.stopPrank();
        vm.prank(reserveA);
        real.approve(address(swaps), 0);
        execute(clientB, 0);
        assertEq(tokenB.balanceOf(clientB), 5_000_000 + AMOUNT, "receiver");
    }

    function test_a_proposal_needs_both_allowances() public {
        vm.prank(reserveA);
        real.approve(address(swaps), AMOUNT - 1);
        expectAllowance();
        start();
        vm.prank(clientA);
        tokenA.approve(address(swaps), AMOUNT - 1);
        expectAllowance();
        start();
        assertUnpaid();
        assertEq(swaps.proposalCount(), 0, "no proposal");
    }

    function expectAllowance() private {
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(swaps), AMOUNT - 1, AMOUNT)
        );
    }

    function test_the_swap_must_be_enabled_in_both_monies() public {
        vm.prank(authority);
        real.disableAccount(address(swaps));
        expectNotEnabled(address(swaps));
        start();
        vm.prank(bankA);
        tokenA.disableAccount(address(swaps));
        expectNotEnabled(address(swaps));
        start();
    }

    function expectNotEnabled(address account) private {
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account));
    }

    function test_what_is_given_back_goes_to_the_reserve_of_then() public {
        start();
        vm.prank(bankA);
        tokenA.updateReserve(bankA);
        cancel(clientA, 0);
        assertEq(real.balanceOf(bankA), 10_000_000 + AMOUNT, "the new reserve");
        assertEq(real.balanceOf(reserveA), 10_000_000 - AMOUNT, "the old one");
    }

    function test_nothing_is_given_back_to_a_disabled_payer_until_it_is_enabled_again() public {
        start();
        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        expectNotEnabled(clientA);
        cancel(clientB, 0);
        assertLocked(AMOUNT);
        vm.prank(bankA);
        tokenA.enableAccount(clientA);
        cancel(clientB, 0);
        assertUnpaid();
    }

    function test_each_proposal_has_money_of_its_own() public {
        vm.prank(clientB);
        swaps.startSwap(tokenB, tokenA, clientA, 77);
        start();
        cancel(clientA, 1);
        assertStatus(0, SwapProposals.SwapStatus.PENDING);
        assertEq(real.balanceOf(address(swaps)), 77, "the other's Real Digital");
        assertEq(tokenB.balanceOf(address(swaps)), 77, "the other's money");
        execute(clientA, 0);
        assertMoney(5_000_077, 10_000_077, 4_999_923, 9_999_923);
    }

    function test_no_money_no_swap() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new SwapTwoStepsReserve(admin, authority, RealDigital(address(0)));
    }
}
