// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {ApprovedDigitalCurrency} from "../../src/drex/ApprovedDigitalCurrency.sol";
import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapBetweenBanks} from "../../src/drex/SwapBetweenBanks.sol";
import {SwapOneStep} from "../../src/drex/SwapOneStep.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

contract SwapOneStepTest is SwapSuite {
    function pay(uint256 amount) private {
        vm.prank(clientA);
        oneStep.executeSwap(tokenA, tokenB, clientB, amount);
    }

    function test_three_movements_are_one() public {
        vm.expectEmit(address(oneStep));
        emit SwapOneStep.SwapExecuted(BANK_A, BANK_B, clientA, clientB, 1234);
        pay(1234);
        assertMoney(5_000_000 - 1234, 10_000_000 - 1234, 5_000_000 + 1234, 10_000_000 + 1234);
        assertEq(tokenA.totalSupply(), 5_000_000 - 1234, "payer's bank owes less");
        assertEq(tokenB.totalSupply(), 5_000_000 + 1234, "receiver's bank owes more");
        assertEq(tokenA.allowance(clientA, address(oneStep)), 5_000_000 - 1234, "payer's allowance");
        assertEq(real.allowance(reserveA, address(oneStep)), 10_000_000 - 1234, "reserve's allowance");
    }

    function testFuzz_each_bank_stays_backed_as_it_was(uint256 amount) public {
        amount = bound(amount, 0, 5_000_000);
        pay(amount);
        assertEq(real.balanceOf(reserveA) - tokenA.totalSupply(), 5_000_000, "bank A");
        assertEq(real.balanceOf(reserveB) - tokenB.totalSupply(), 5_000_000, "bank B");
    }

    function test_without_the_payer_s_allowance_nothing_moves() public {
        vm.prank(clientA);
        tokenA.approve(address(oneStep), 99);
        expectAllowance(99);
        pay(100);
    }

    function test_without_the_reserve_s_allowance_nothing_moves() public {
        vm.prank(reserveA);
        real.approve(address(oneStep), 99);
        expectAllowance(99);
        pay(100);
        assertMoney(5_000_000, 10_000_000, 5_000_000, 10_000_000);
    }

    function expectAllowance(uint256 allowance) private {
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(oneStep), allowance, 100)
        );
    }

    function test_a_reserve_without_money_pays_nobody() public {
        vm.prank(reserveA);
        real.transfer(bankA, 9_999_901);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, reserveA, 99, 100));
        pay(100);
    }

    function test_every_wallet_on_the_way_must_be_enabled() public {
        vm.prank(bankB);
        tokenB.disableAccount(clientB);
        expectNotEnabled(clientB);
        pay(1);
        vm.prank(authority);
        real.disableAccount(reserveB);
        expectNotEnabled(reserveB);
        pay(1);
        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        expectNotEnabled(clientA);
        pay(1);
    }

    function expectNotEnabled(address account) private {
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account));
    }

    function test_nobody_is_paid_nothing() public {
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        vm.prank(clientA);
        oneStep.executeSwap(tokenA, tokenB, address(0), 1);
    }

    function test_customers_of_one_bank_do_not_swap() public {
        expectError(abi.encodeWithSelector(SwapBetweenBanks.SwapSameToken.selector, address(tokenA)));
        vm.prank(clientA);
        oneStep.executeSwap(tokenA, tokenA, bankA, 1);
    }

    function test_both_tokens_must_be_on_the_list() public {
        vm.prank(authority);
        oneStep.setDigitalCurrencyApproval(address(tokenB), false);
        expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, address(tokenB)));
        pay(1);
        vm.prank(authority);
        oneStep.setDigitalCurrencyApproval(address(tokenA), false);
        expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, address(tokenA)));
        pay(1);
    }

    function test_the_swap_has_no_role_on_real_digital() public view {
        assertFalse(real.hasRole(real.MOVER_ROLE(), address(oneStep)), "MOVER");
        assertFalse(real.hasRole(real.BURNER_ROLE(), address(oneStep)), "BURNER");
        assertFalse(real.hasRole(real.MINTER_ROLE(), address(oneStep)), "MINTER");
    }

    function test_the_swap_takes_the_admin_first() public {
        assertTrue(oneStep.hasRole(bytes32(0), admin) && oneStep.hasRole(oneStep.ACCESS_ROLE(), authority), "roles");
        assertFalse(oneStep.hasRole(bytes32(0), address(this)), "the deployer has nothing");
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new SwapOneStep(admin, authority, RealDigital(address(0)));
    }
}
