// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ApprovedDigitalCurrency} from "../../src/drex/ApprovedDigitalCurrency.sol";
import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {STR} from "../../src/drex/STR.sol";
import {SwapOneStep} from "../../src/drex/SwapOneStep.sol";
import {SwapToRetail} from "../../src/drex/SwapToRetail.sol";
import {SwapTwoSteps} from "../../src/drex/SwapTwoSteps.sol";
import {SwapTwoStepsReserve} from "../../src/drex/SwapTwoStepsReserve.sol";
import {DrexSuite} from "./DrexSuite.sol";

/// @title SwapSuite
/// @notice The family with the swaps that customers send, and the reserve transfer system.
abstract contract SwapSuite is DrexSuite {
    STR internal str;
    SwapOneStep internal oneStep;
    SwapTwoSteps internal twoSteps;
    SwapTwoStepsReserve internal twoStepsReserve;
    SwapToRetail internal toRetail;

    function setUp() public virtual override {
        super.setUp();
        str = new STR(real);
        oneStep = new SwapOneStep(admin, authority, real);
        twoSteps = new SwapTwoSteps(admin, authority, real);
        twoStepsReserve = new SwapTwoStepsReserve(admin, authority, real);
        toRetail = new SwapToRetail(admin, authority, real);
        vm.startPrank(admin);
        real.grantRole(real.MINTER_ROLE(), address(str));
        real.grantRole(real.MOVER_ROLE(), address(str));
        vm.stopPrank();
        admitSwap(oneStep, true);
        admitSwap(twoSteps, true);
        admitSwap(twoStepsReserve, true);
        admitSwap(toRetail, false);
        vm.prank(authority);
        real.enableAccount(address(twoStepsReserve));
        vm.prank(bankA);
        tokenA.enableAccount(address(twoStepsReserve));
        vm.prank(bankB);
        tokenB.enableAccount(address(twoStepsReserve));
    }

    /// @dev A swap with its grants, both banks' tokens on its list, and what customers and reserves approve.
    function admitSwap(ApprovedDigitalCurrency admitted, bool isBetweenBanks) private {
        for (uint256 i = 0; i < 2; ++i) {
            RealTokenizado token = i == 0 ? tokenA : tokenB;
            vm.startPrank(admin);
            token.grantRole(token.MINTER_ROLE(), address(admitted));
            if (isBetweenBanks) token.grantRole(token.BURNER_ROLE(), address(admitted));
            vm.stopPrank();
            vm.prank(authority);
            admitted.setDigitalCurrencyApproval(address(token), true);
            if (!isBetweenBanks) continue;
            vm.prank(i == 0 ? clientA : clientB);
            token.approve(address(admitted), 5_000_000);
            vm.prank(token.reserve());
            real.approve(address(admitted), 10_000_000);
        }
    }

    /// @dev What customers and reserves of the two banks hold: A's, then B's.
    function assertMoney(uint256 customerA, uint256 reserveOfA, uint256 customerB, uint256 reserveOfB) internal view {
        assertEq(tokenA.balanceOf(clientA), customerA, "customer of A");
        assertEq(real.balanceOf(reserveA), reserveOfA, "reserve of A");
        assertEq(tokenB.balanceOf(clientB), customerB, "customer of B");
        assertEq(real.balanceOf(reserveB), reserveOfB, "reserve of B");
    }
}
