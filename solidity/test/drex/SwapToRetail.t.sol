// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {ApprovedDigitalCurrency} from "../../src/drex/ApprovedDigitalCurrency.sol";
import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapToRetail} from "../../src/drex/SwapToRetail.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

contract SwapToRetailTest is SwapSuite {
    function setUp() public override {
        super.setUp();
        vm.prank(bankA);
        real.approve(address(toRetail), 10_000_000);
    }

    function pay(uint256 amount) private {
        vm.prank(bankA);
        toRetail.executeSwapToRetail(tokenB, clientB, amount);
    }

    function test_the_bank_gets_real_digital_and_its_customer_the_bank_s_token() public {
        vm.expectEmit(address(toRetail));
        emit SwapToRetail.SwapToRetailExecuted(BANK_B, bankA, clientB, 1234);
        pay(1234);
        assertEq(real.balanceOf(bankA), 10_000_000 - 1234, "payer");
        assertMoney(5_000_000, 10_000_000, 5_000_000 + 1234, 10_000_000 + 1234);
        assertEq(real.balanceOf(address(toRetail)), 0, "nothing stays");
    }

    function testFuzz_the_bank_stays_backed_as_it_was(uint256 amount) public {
        amount = bound(amount, 0, 10_000_000);
        pay(amount);
        assertEq(real.balanceOf(reserveB) - tokenB.totalSupply(), 5_000_000, "bank B");
    }

    function test_the_caller_pays_and_nobody_else() public {
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(toRetail), 0, 1));
        vm.prank(bankB);
        toRetail.executeSwapToRetail(tokenB, clientB, 1);
    }

    function test_payer_reserve_and_customer_must_be_enabled() public {
        vm.prank(bankB);
        tokenB.disableAccount(clientB);
        expectNotEnabled(clientB);
        pay(1);
        vm.prank(authority);
        real.disableAccount(reserveB);
        expectNotEnabled(reserveB);
        pay(1);
        vm.prank(authority);
        real.disableAccount(bankA);
        expectNotEnabled(bankA);
        pay(1);
    }

    function expectNotEnabled(address account) private {
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account));
    }

    function test_the_token_must_be_on_the_list() public {
        vm.prank(authority);
        toRetail.setDigitalCurrencyApproval(address(tokenB), false);
        expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, address(tokenB)));
        pay(1);
    }

    function test_the_swap_takes_the_admin_first() public {
        assertTrue(toRetail.hasRole(bytes32(0), admin), "admin");
        assertTrue(toRetail.hasRole(toRetail.ACCESS_ROLE(), authority), "authority");
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new SwapToRetail(admin, authority, RealDigital(address(0)));
    }
}
