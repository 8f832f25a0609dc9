// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RepaymentPartners} from "../../src/drex/RepaymentRoute.sol";
import {TPFtOperation1012} from "../../src/drex/TPFtOperation1012.sol";
import {TPFtRepaymentReserve} from "../../src/drex/TPFtRepaymentReserve.sol";
import {SwapSuite} from "./SwapSuite.sol";

/// @title RepaymentSuite
/// @notice The family on the day of maturity: bonds lie with a bank, a customer of each bank and a wallet that nobody
/// knows, the banks' tokens are in the directory, and the Treasury has the money.
abstract contract RepaymentSuite is SwapSuite {
    bytes32 internal constant KEY_A = keccak256("customer of A");
    bytes32 internal constant KEY_B = keccak256("customer of B");

    /// What each of the four holds, in hundredths of a bond.
    uint256 internal constant BONDS = 1_500;

    TPFtRepaymentReserve internal repaymentReserve;
    TPFtOperation1012 internal op1012;

    function setUp() public virtual override {
        super.setUp();
        repaymentReserve = new TPFtRepaymentReserve(partners(), tpft, authority, admin);
        op1012 = new TPFtOperation1012(partners(), repaymentReserve, tpft, ids, defaults, treasury, admin);
        vm.startPrank(admin);
        tpft.grantRole(tpft.REPAYMENT_ROLE(), address(op1012));
        ids.grantRole(ids.OPERATOR_ROLE(), address(op1012));
        repaymentReserve.grantRole(repaymentReserve.DEPOSITOR_ROLE(), address(op1012));
        vm.stopPrank();
        vm.startPrank(authority);
        real.enableAccount(address(op1012));
        real.enableAccount(address(repaymentReserve));
        discovery.updateAddress(keccak256("RealTokenizado@11111111"), address(tokenA));
        discovery.updateAddress(keccak256("RealTokenizado@00000191"), address(tokenB));
        vm.stopPrank();
        vm.prank(bankA);
        keys.addAccount(KEY_A, 1, 2, 3, 4, clientA, BANK_A);
        vm.prank(bankB);
        keys.addAccount(KEY_B, 1, 2, 3, 4, clientB, BANK_B);
        deliver();
        vm.prank(authority);
        real.mint(treasury, 100_000_000);
        vm.prank(treasury);
        real.approve(address(op1012), 200_000_000);
        vm.warp(MATURITY);
    }

    function partners() internal view returns (RepaymentPartners memory) {
        return RepaymentPartners(real, keys, discovery, toRetail);
    }

    /// @dev Bonds to the four holders, without money: the Treasury's operator has the role for once.
    function deliver() private {
        address operator = wallet("operator");
        vm.startPrank(admin);
        tpft.grantRole(tpft.OPERATOR_ROLE(), operator);
        vm.stopPrank();
        vm.prank(treasury);
        tpft.setApprovalForAll(operator, true);
        vm.startPrank(operator);
        tpft.safeTransferFrom(treasury, bankA, 1, BONDS, "");
        tpft.safeTransferFrom(treasury, clientA, 1, BONDS, "");
        tpft.safeTransferFrom(treasury, clientB, 1, BONDS, "");
        tpft.safeTransferFrom(treasury, stranger, 1, BONDS, "");
        vm.stopPrank();
        vm.startPrank(admin);
        tpft.revokeRole(tpft.OPERATOR_ROLE(), operator);
        vm.stopPrank();
    }
}
