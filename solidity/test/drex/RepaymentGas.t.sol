// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TPFtOperation1070} from "../../src/drex/TPFtOperation1070.sol";
import {RepaymentSuite} from "../base/RepaymentSuite.sol";

/// @title RepaymentGasTest
/// @notice Gas of redemption by each way, of withdrawals and of a direct placement, measured as in `DrexGas.t.sol`.
contract RepaymentGasTest is RepaymentSuite {
    uint256 private constant OP = 123456789020260901;

    function test_redemption() public {
        redeem(bankA, OP);
        record("1012 to a participant");
        redeem(clientB, OP + 1);
        record("1012 to a customer");
        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        redeem(clientA, OP + 2);
        record("1012 to a customer's bank");
        redeem(stranger, OP + 3);
        record("1012 to the reserve");
    }

    function test_withdrawal() public {
        redeem(stranger, OP);
        vm.prank(bankB);
        enabling.enableAccount(stranger);
        vm.prank(stranger);
        repaymentReserve.withdraw(1);
        record("TPFtRepaymentReserve.withdraw");
    }

    function test_direct_placement() public {
        vm.warp(NOW);
        TPFtOperation1070 op1070 = new TPFtOperation1070(tpft, ids, defaults, authority, admin);
        vm.startPrank(admin);
        tpft.grantRole(tpft.DIRECT_PLACEMENT_ROLE(), address(op1070));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1070));
        vm.stopPrank();
        vm.prank(authority);
        op1070.directPlacement(OP, BANK_A, ltn(), 12_345);
        record("1070 directPlacement");
    }

    function redeem(address holder, uint256 operationId) private {
        vm.prank(treasury);
        op1012.repayment(holder, operationId, ltn(), 100_000_000_000);
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("drex", name);
    }
}
