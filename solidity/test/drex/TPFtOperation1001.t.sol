// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtOperation} from "../../src/drex/TPFtOperation.sol";
import {TPFtOperation1001} from "../../src/drex/TPFtOperation1001.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {TPFtData} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract TPFtOperation1001Test is DrexSuite {
    function test_a_series_is_created_and_issued_to_the_treasury() public {
        TPFtData memory data = TPFtData("NTN-F", "950199", MATURITY);
        vm.startPrank(authority);
        vm.expectEmit(address(tpft));
        emit TPFt.TPFtCreated(2, "NTN-F", "950199", MATURITY);
        op1001.createTPFt(data);
        vm.expectEmit(address(op1001));
        emit TPFtOperation1001.OperationMintEvent(7, treasury, data, 12_345, "ATU", NOW);
        op1001.mint(7, data, 12_345);
        assertEq(tpft.balanceOf(treasury, 2), 12_345, "balance");
        assertEq(ids.operationOf(7), address(op1001), "number is taken");
    }

    function test_only_the_central_bank_creates_and_issues() public {
        bytes memory refusal = missingRole(admin, op1001.MINTER_ROLE());
        assertRefused(admin, address(op1001), abi.encodeCall(op1001.createTPFt, (ltn())), refusal);
        assertRefused(admin, address(op1001), abi.encodeCall(op1001.mint, (7, ltn(), 1)), refusal);
    }

    function test_a_bond_matures_in_the_future() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationMatured.selector, NOW, NOW));
        op1001.createTPFt(TPFtData("LTN", "100000", NOW));
        op1001.createTPFt(TPFtData("LTN", "100000", NOW + 1));

        vm.warp(MATURITY);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationMatured.selector, MATURITY, MATURITY));
        op1001.mint(7, ltn(), 1);
    }

    function test_an_amount_is_something_that_a_balance_can_hold() public {
        vm.startPrank(authority);
        uint256 max = type(uint120).max;
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, 0, max));
        op1001.mint(7, ltn(), 0);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, max + 1, max));
        op1001.mint(7, ltn(), max + 1);
    }

    function test_a_number_is_used_once_in_the_network() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 1, address(op1001)));
        op1001.mint(1, ltn(), 1);
        op1002.auctionPlacement(8, STN, BANK_A, SENDER, ltn(), 100, 10e8);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 8, address(op1002)));
        op1001.mint(8, ltn(), 1);
    }

    function test_bonds_of_no_series_are_not_issued_and_their_number_stays_free() public {
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(TPFt.TPFtSeriesUnknown.selector, "LTN", "X", MATURITY));
        op1001.mint(7, TPFtData("LTN", "X", MATURITY), 1);
        assertEq(ids.operationOf(7), address(0), "number");
    }

    function test_without_a_treasury_nothing_is_issued() public {
        TPFtOperation1001 ours = new TPFtOperation1001(tpft, ids, newDefaults(), authority, admin);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, STN));
        vm.prank(authority);
        ours.mint(7, ltn(), 1);
    }

    function test_pause_stops_creation_and_issue() public {
        vm.prank(admin);
        op1001.pause();
        bytes memory refusal = abi.encodeWithSelector(Pausable.EnforcedPause.selector);
        assertRefused(authority, address(op1001), abi.encodeCall(op1001.createTPFt, (ltn())), refusal);
        assertRefused(authority, address(op1001), abi.encodeCall(op1001.mint, (7, ltn(), 1)), refusal);
        vm.prank(admin);
        op1001.unpause();
        vm.prank(authority);
        op1001.mint(7, ltn(), 1);

        assertRefused(authority, address(op1001), abi.encodeCall(op1001.pause, ()), missingRole(authority, 0));
        assertRefused(authority, address(op1001), abi.encodeCall(op1001.unpause, ()), missingRole(authority, 0));
    }
}
