// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlement} from "../../../src/assets/settlement/Settlement.sol";
import {SettlementLeg, SettlementTerms} from "../../../src/assets/settlement/SettlementTypes.sol";
import {TokenStandard} from "../../../src/assets/settlement/TokenStandard.sol";
import {CBDCAccessControl} from "../../../src/drex/CBDCAccessControl.sol";
import {DrexSuite} from "../../base/DrexSuite.sol";

/// @dev The Drex family's money and bonds as legs. The bonds let the settlement operate; the money admits it where it
/// keeps legs for a notary.
contract SettlementDrexTest is DrexSuite {
    uint64 private constant DEADLINE = uint64(NOW + 1 hours);

    Settlement private settlement;

    function setUp() public override {
        super.setUp();
        settlement = new Settlement();
        place(2, BANK_A, bankA, 10_000);
        vm.startPrank(admin);
        tpft.grantRole(tpft.OPERATOR_ROLE(), address(settlement));
        vm.stopPrank();
        vm.prank(bankA);
        tpft.setApprovalForAll(address(settlement), true);
        vm.prank(bankB);
        real.approve(address(settlement), 1_000_000);
        vm.prank(clientA);
        tokenA.approve(address(settlement), 1_000_000);
        vm.startPrank(bankB);
        tokenB.mint(bankB, 1_000_000);
        tokenB.approve(address(settlement), 1_000_000);
        vm.stopPrank();
    }

    /// @dev 1.50 bonds of bank A against R$ 15,00 of bank B.
    function bondsForMoney() private view returns (SettlementTerms memory terms) {
        terms.legs = new SettlementLeg[](2);
        terms.legs[0] = SettlementLeg(TokenStandard.ERC1155, address(tpft), bankA, bankB, 1, 150);
        terms.legs[1] = SettlementLeg(TokenStandard.ERC20, address(real), bankB, bankA, 0, 1500);
        terms.deadline = DEADLINE;
    }

    function confirm(address party, SettlementTerms memory terms) private {
        vm.prank(party);
        settlement.confirm(terms);
    }

    function test_bonds_settle_against_real_digital() public {
        SettlementTerms memory terms = bondsForMoney();
        uint256 before = real.balanceOf(bankA);
        confirm(bankA, terms);
        confirm(bankB, terms);
        assertEq(tpft.balanceOf(bankB, 1), 150, "bonds");
        assertEq(real.balanceOf(bankA), before + 1500, "money");
    }

    function test_money_of_two_banks_settles_against_each_other() public {
        SettlementTerms memory terms;
        terms.legs = new SettlementLeg[](2);
        vm.prank(bankA);
        tokenA.enableAccount(bankB);
        vm.prank(bankB);
        tokenB.enableAccount(clientA);
        terms.legs[0] = SettlementLeg(TokenStandard.ERC20, address(tokenA), clientA, bankB, 0, 700);
        terms.legs[1] = SettlementLeg(TokenStandard.ERC20, address(tokenB), bankB, clientA, 0, 690);
        terms.deadline = DEADLINE;
        confirm(clientA, terms);
        confirm(bankB, terms);
        assertEq(tokenA.balanceOf(bankB), 700, "money of A");
        assertEq(tokenB.balanceOf(clientA), 690, "money of B");
    }

    function test_bonds_and_money_wait_for_a_notary_where_the_money_admits_it() public {
        SettlementTerms memory terms = bondsForMoney();
        (terms.notary, terms.expiry) = (stranger, DEADLINE);
        confirm(bankA, terms);
        assertRefused(
            bankB,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, address(settlement))
        );
        vm.prank(authority);
        real.enableAccount(address(settlement));
        confirm(bankB, terms);
        assertEq(tpft.balanceOf(address(settlement), 1), 150, "bonds kept");
        assertEq(real.balanceOf(address(settlement)), 1500, "money kept");
        vm.prank(stranger);
        settlement.execute(terms);
        assertEq(tpft.balanceOf(bankB, 1), 150, "bonds");
        assertEq(real.balanceOf(address(settlement)), 0, "money");
    }

    function test_frozen_money_leaves_the_bonds_where_they_are() public {
        SettlementTerms memory terms = bondsForMoney();
        confirm(bankA, terms);
        uint256 balance = real.balanceOf(bankB);
        vm.prank(authority);
        real.increaseFrozenBalance(bankB, balance);
        assertRefused(
            bankB,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            abi.encodeWithSignature(
                "RealDigitalBalanceFrozen(address,uint256,uint256,uint256)", bankB, balance, balance, 1500
            )
        );
        assertEq(tpft.balanceOf(bankA, 1), 10_000, "bonds");
    }

    function test_bonds_need_the_operator_s_role() public {
        SettlementTerms memory terms = bondsForMoney();
        vm.startPrank(admin);
        tpft.revokeRole(tpft.OPERATOR_ROLE(), address(settlement));
        vm.stopPrank();
        confirm(bankA, terms);
        assertRefused(
            bankB,
            address(settlement),
            abi.encodeCall(settlement.confirm, (terms)),
            missingRole(address(settlement), tpft.OPERATOR_ROLE())
        );
    }
}
