// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {RealDigital} from "../../../src/drex/RealDigital.sol";
import {AssetSuite} from "../token/AssetSuite.sol";

/// @title SettlementFamiliesGasTest
/// @notice Gas of delivery versus payment across the families: units of a regulated token, its typical four rules in
/// force, against Real Digital. Whole transactions, as a receipt shows them, every account and slot cold.
contract SettlementFamiliesGasTest is AssetSuite {
    uint256 private constant UNITS = 123_456;
    uint256 private constant CENTS = 9_876_543;

    Settlement private settlement;
    RealDigital private real;

    function setUp() public override {
        super.setUp();
        settlement = new Settlement();
        real = new RealDigital("Real Digital", "BRL", admin, admin);
        vm.startPrank(admin);
        real.enableAccount(alice);
        real.enableAccount(bob);
        real.mint(alice, 1_000_000_000);
        real.mint(bob, 1_000_000_000);
        vm.stopPrank();
        vm.prank(alice);
        token.approve(address(settlement), 1_000_000);
        vm.prank(bob);
        real.approve(address(settlement), 1_000_000_000);
    }

    function test_regulated_units_against_real_digital() public {
        SettlementTerms memory terms;
        terms.legs = new SettlementLeg[](2);
        terms.legs[0] = SettlementLeg(TokenStandard.ERC20, address(token), alice, bob, 0, UNITS);
        terms.legs[1] = SettlementLeg(TokenStandard.ERC20, address(real), bob, alice, 0, CENTS);
        terms.deadline = uint64(NOW + 1 hours);
        vm.prank(alice);
        settlement.confirm(terms);
        record("DvP of regulated units against Real Digital, first confirmation");
        vm.prank(bob);
        settlement.confirm(terms);
        record("DvP of regulated units against Real Digital, second confirmation");
        assertEq(token.balanceOf(bob), BOB_UNITS + UNITS, "units");
        assertEq(real.balanceOf(alice), 1_000_000_000 + CENTS, "money");
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("settlement", name);
    }
}
