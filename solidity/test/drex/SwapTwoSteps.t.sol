// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapProposals} from "../../src/drex/SwapProposals.sol";
import {SwapTwoSteps} from "../../src/drex/SwapTwoSteps.sol";
import {SwapProposalsBehaviour} from "./SwapProposalsBehaviour.sol";

contract SwapTwoStepsTest is SwapProposalsBehaviour {
    function setUp() public override {
        super.setUp();
        swaps = twoSteps;
    }

    function assertPaid2() internal view override {
        assertPaid();
    }

    function test_a_proposal_takes_nothing_and_asks_for_no_allowance() public {
        vm.prank(clientA);
        tokenA.approve(address(twoSteps), 0);
        vm.prank(reserveA);
        real.approve(address(twoSteps), 0);
        start();
        assertUnpaid();

        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(twoSteps), 0, AMOUNT)
        );
        execute(clientB, 0);
        vm.prank(clientA);
        tokenA.approve(address(twoSteps), AMOUNT);
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(twoSteps), 0, AMOUNT)
        );
        execute(clientB, 0);
        assertUnpaid();
        assertStatus(0, SwapProposals.SwapStatus.PENDING);

        vm.prank(reserveA);
        real.approve(address(twoSteps), AMOUNT);
        execute(clientB, 0);
        assertPaid();
    }

    function test_payer_and_reserve_hold_the_amount_when_it_is_proposed() public {
        vm.prank(reserveA);
        real.transfer(bankA, 10_000_000 - AMOUNT + 1);
        expectError(
            abi.encodeWithSelector(
                SwapTwoSteps.SwapInsufficientBalance.selector, address(real), reserveA, AMOUNT - 1, AMOUNT
            )
        );
        start();
        vm.prank(clientA);
        tokenA.transfer(bankA, 5_000_000 - AMOUNT + 1);
        expectError(
            abi.encodeWithSelector(
                SwapTwoSteps.SwapInsufficientBalance.selector, address(tokenA), clientA, AMOUNT - 1, AMOUNT
            )
        );
        start();
    }

    function test_money_that_was_spent_meanwhile_pays_nobody() public {
        start();
        vm.prank(clientA);
        tokenA.transfer(bankA, 5_000_000);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, clientA, 0, AMOUNT));
        execute(clientB, 0);
    }

    function test_reserves_are_those_of_the_execution() public {
        start();
        vm.prank(bankB);
        tokenB.updateReserve(bankB);
        execute(clientB, 0);
        assertEq(real.balanceOf(bankB), 10_000_000 + AMOUNT, "the new reserve");
        assertEq(real.balanceOf(reserveB), 10_000_000, "the old one");
    }

    function test_no_money_no_swap() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new SwapTwoSteps(admin, authority, RealDigital(address(0)));
    }
}
