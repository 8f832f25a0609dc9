// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SwapProposals} from "../../src/drex/SwapProposals.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

/// @title SwapGasTest
/// @notice Gas of what customers and participants send to swaps and to the reserve transfer system, measured as in
/// `DrexGas.t.sol`.
contract SwapGasTest is SwapSuite {
    function test_str() public {
        vm.prank(bankA);
        str.requestToMint(123_456_78);
        record("STR.requestToMint");
        vm.prank(bankA);
        str.requestToBurn(123_456_78);
        record("STR.requestToBurn");
    }

    function test_one_step() public {
        vm.prank(clientA);
        oneStep.executeSwap(tokenA, tokenB, clientB, 123_456);
        record("SwapOneStep.executeSwap");
    }

    function test_to_retail() public {
        vm.prank(bankA);
        real.approve(address(toRetail), 10_000_000);
        vm.prank(bankA);
        toRetail.executeSwapToRetail(tokenB, clientB, 123_456);
        record("SwapToRetail.executeSwapToRetail");
    }

    function test_two_steps() public {
        propose(twoSteps);
        propose(twoSteps);
        record("SwapTwoSteps.startSwap");
        vm.prank(clientB);
        twoSteps.executeSwap(0);
        record("SwapTwoSteps.executeSwap");
        vm.prank(clientB);
        twoSteps.cancelSwap(1, "typing error");
        record("SwapTwoSteps.cancelSwap");
    }

    function test_two_steps_with_a_reserve() public {
        propose(twoStepsReserve);
        propose(twoStepsReserve);
        record("SwapTwoStepsReserve.startSwap");
        vm.prank(clientB);
        twoStepsReserve.executeSwap(0);
        record("SwapTwoStepsReserve.executeSwap");
        propose(twoStepsReserve);
        vm.prank(clientB);
        twoStepsReserve.cancelSwap(1, "typing error");
        record("SwapTwoStepsReserve.cancelSwap");
        vm.warp(NOW + 61);
        twoStepsReserve.expireSwap(2);
        record("SwapTwoStepsReserve.expireSwap");
    }

    function propose(SwapProposals swaps) private {
        vm.prank(clientA);
        swaps.startSwap(tokenA, tokenB, clientB, 123_456);
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("drex", name);
    }
}
