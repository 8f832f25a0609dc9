// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {TPFt} from "../../src/drex/TPFt.sol";
import {TPFtOperation} from "../../src/drex/TPFtOperation.sol";
import {TPFtOperation1070} from "../../src/drex/TPFtOperation1070.sol";
import {TPFtOperationId} from "../../src/drex/TPFtOperationId.sol";
import {TPFtData} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract TPFtOperation1070Test is DrexSuite {
    uint256 private constant OP = 1070;

    TPFtOperation1070 private op1070;

    function setUp() public override {
        super.setUp();
        op1070 = new TPFtOperation1070(tpft, ids, defaults, authority, admin);
        vm.startPrank(admin);
        tpft.grantRole(tpft.DIRECT_PLACEMENT_ROLE(), address(op1070));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1070));
        vm.stopPrank();
    }

    function test_bonds_are_placed_without_approval_and_without_money() public {
        vm.prank(treasury);
        tpft.setApprovalForAll(address(dvp), false);
        vm.expectEmit(address(op1070));
        emit TPFtOperation1070.OperationDirectPlacementEvent(OP, BANK_A, treasury, bankA, ltn(), 12_345, "ATU", NOW);
        vm.prank(authority);
        op1070.directPlacement(OP, BANK_A, ltn(), 12_345);
        assertEq(tpft.balanceOf(bankA, 1), 12_345, "bank");
        assertEq(tpft.balanceOf(treasury, 1), 100_000 - 12_345, "Treasury");
        assertEq(real.balanceOf(bankA), 10_000_000, "money");
        assertEq(ids.operationOf(OP), address(op1070), "number");
    }

    function testFuzz_what_is_placed_leaves_the_treasury(uint256 amount) public {
        amount = bound(amount, 1, 100_001);
        if (amount > 100_000) {
            expectError(
                abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, treasury, 100_000, amount, 1)
            );
        }
        vm.prank(authority);
        op1070.directPlacement(OP, BANK_B, ltn(), amount);
        assertEq(tpft.balanceOf(bankB, 1) + tpft.balanceOf(treasury, 1), 100_000, "supply");
        assertEq(tpft.totalSupply(1), 100_000, "supply");
    }

    function test_only_the_role_places() public {
        address[2] memory others = [treasury, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            assertRefused(
                others[i],
                address(op1070),
                abi.encodeCall(op1070.directPlacement, (OP, BANK_A, ltn(), 1)),
                missingRole(others[i], op1070.DIRECT_PLACEMENT_ROLE())
            );
        }
    }

    function test_checks_come_in_their_order() public {
        TPFtData memory unknown = TPFtData("LTN", "unknown", NOW);
        vm.prank(admin);
        op1070.pause();
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        op1070.directPlacement(1, 5, unknown, 0);
        vm.stopPrank();
        vm.prank(admin);
        op1070.unpause();

        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationAmountOutOfRange.selector, 0, type(uint120).max));
        op1070.directPlacement(1, 5, unknown, 0);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationMatured.selector, NOW, NOW));
        op1070.directPlacement(1, 5, unknown, 1);
        unknown.maturityDate = MATURITY;
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, 5));
        op1070.directPlacement(1, 5, unknown, 1);
        expectError(abi.encodeWithSelector(TPFtOperation1070.TPFtOperation1070SameParty.selector, STN, treasury));
        op1070.directPlacement(1, STN, unknown, 1);
        vm.stopPrank();
        vm.prank(admin);
        tpft.disableAddress(bankA);
        vm.startPrank(authority);
        expectError(abi.encodeWithSelector(TPFt.TPFtAddressNotEnabled.selector, bankA));
        op1070.directPlacement(1, BANK_A, unknown, 1);
        expectError(abi.encodeWithSelector(TPFt.TPFtSeriesUnknown.selector, "LTN", "unknown", MATURITY));
        op1070.directPlacement(1, BANK_B, unknown, 1);
        expectError(abi.encodeWithSelector(TPFtOperationId.TPFtOperationIdUsed.selector, 1, address(op1001)));
        op1070.directPlacement(1, BANK_B, ltn(), 1);
    }

    function test_without_a_treasury_nothing_is_placed() public {
        TPFtOperation1070 ours = new TPFtOperation1070(tpft, ids, newDefaults(), authority, admin);
        expectError(abi.encodeWithSelector(TPFtOperation.TPFtOperationUnknownInstitution.selector, STN));
        vm.prank(authority);
        ours.directPlacement(OP, BANK_A, ltn(), 1);
    }

    function test_a_grant_at_the_bonds_is_needed_too() public {
        vm.startPrank(admin);
        tpft.revokeRole(tpft.DIRECT_PLACEMENT_ROLE(), address(op1070));
        vm.stopPrank();
        expectError(abi.encodeWithSelector(TPFt.OnlyDirectPlacementContract.selector));
        vm.prank(authority);
        op1070.directPlacement(OP, BANK_A, ltn(), 1);
    }
}
