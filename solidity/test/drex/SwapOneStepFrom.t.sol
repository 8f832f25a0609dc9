// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {ApprovedDigitalCurrency} from "../../src/drex/ApprovedDigitalCurrency.sol";
import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {SwapBetweenBanks} from "../../src/drex/SwapBetweenBanks.sol";
import {SwapOneStepFrom} from "../../src/drex/SwapOneStepFrom.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract SwapOneStepFromTest is DrexSuite {
    address private immutable till = wallet("till");

    function setUp() public override {
        super.setUp();
        vm.prank(clientA);
        tokenA.approve(till, 5_000_000);
    }

    function pay(uint256 amount) private {
        vm.prank(till);
        swap.executeSwapFrom(tokenA, tokenB, clientA, clientB, amount);
    }

    function test_three_movements_are_one() public {
        vm.expectEmit(address(swap));
        emit SwapOneStepFrom.SwapExecuted(BANK_A, BANK_B, clientA, clientB, 1234);
        pay(1234);
        assertEq(tokenA.balanceOf(clientA), 5_000_000 - 1234, "payer");
        assertEq(tokenB.balanceOf(clientB), 5_000_000 + 1234, "receiver");
        assertEq(real.balanceOf(reserveA), 10_000_000 - 1234, "payer's reserve");
        assertEq(real.balanceOf(reserveB), 10_000_000 + 1234, "receiver's reserve");
        assertEq(tokenA.totalSupply(), 5_000_000 - 1234, "payer's bank owes less");
        assertEq(tokenB.totalSupply(), 5_000_000 + 1234, "receiver's bank owes more");
        assertEq(tokenA.allowance(clientA, till), 5_000_000 - 1234, "payer's allowance");
        assertEq(real.allowance(reserveA, address(swap)), 10_000_000 - 1234, "reserve's allowance");
    }

    function testFuzz_each_bank_stays_backed_as_it_was(uint256 amount) public {
        amount = bound(amount, 0, 5_000_000);
        pay(amount);
        assertEq(real.balanceOf(reserveA) - tokenA.totalSupply(), 5_000_000, "bank A");
        assertEq(real.balanceOf(reserveB) - tokenB.totalSupply(), 5_000_000, "bank B");
    }

    function test_without_the_payer_s_allowance_nothing_moves() public {
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, stranger, 0, 1));
        vm.prank(stranger);
        swap.executeSwapFrom(tokenA, tokenB, clientA, stranger, 1);
    }

    function test_without_the_reserve_s_allowance_nothing_moves() public {
        vm.prank(reserveA);
        real.approve(address(swap), 99);
        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(swap), 99, 100));
        pay(100);
        assertEq(tokenA.balanceOf(clientA), 5_000_000, "payer");
    }

    function test_the_swap_has_no_role_on_real_digital() public view {
        assertFalse(real.hasRole(real.MOVER_ROLE(), address(swap)), "MOVER");
        assertFalse(real.hasRole(real.BURNER_ROLE(), address(swap)), "BURNER");
        assertFalse(real.hasRole(real.MINTER_ROLE(), address(swap)), "MINTER");
    }

    function test_every_wallet_on_the_way_must_be_enabled() public {
        vm.prank(bankB);
        tokenB.disableAccount(clientB);
        expectNotEnabled(clientB);
        pay(1);

        vm.prank(bankA);
        tokenA.disableAccount(clientA);
        expectNotEnabled(clientA);
        pay(1);

        vm.prank(bankA);
        tokenA.enableAccount(clientA);
        vm.prank(authority);
        real.disableAccount(reserveB);
        expectNotEnabled(reserveB);
        pay(1);
    }

    function expectNotEnabled(address account) private {
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, account));
    }

    function test_customers_of_one_bank_do_not_swap() public {
        expectError(abi.encodeWithSelector(SwapBetweenBanks.SwapSameToken.selector, address(tokenA)));
        vm.prank(till);
        swap.executeSwapFrom(tokenA, tokenA, clientA, bankA, 1);
    }

    function test_both_tokens_must_be_on_the_list() public {
        approve(address(tokenB), false);
        expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, address(tokenB)));
        pay(1);
        approve(address(tokenB), true);
        approve(address(tokenA), false);
        expectError(abi.encodeWithSelector(ApprovedDigitalCurrency.SwapTokenNotApproved.selector, address(tokenA)));
        pay(1);
    }

    function approve(address token, bool approved) private {
        vm.expectEmit(address(swap));
        emit ApprovedDigitalCurrency.DigitalCurrencyApprovalChanged(token, approved);
        vm.prank(authority);
        swap.setDigitalCurrencyApproval(token, approved);
        assertTrue(swap.isDigitalCurrencyApproved(token) == approved, "list");
    }

    function test_only_the_authority_keeps_the_list() public {
        expectMissingRole(bankA, swap.ACCESS_ROLE());
        vm.prank(bankA);
        swap.setDigitalCurrencyApproval(address(tokenA), false);
    }

    function test_the_swap_takes_the_admin_first_and_its_base_the_authority() public {
        SwapOneStepFrom ours = new SwapOneStepFrom(admin, authority, real);
        assertTrue(ours.hasRole(bytes32(0), admin) && ours.hasRole(ours.ACCESS_ROLE(), authority), "swap");
        ApprovedDigitalCurrency list = new ApprovedDigitalCurrency(authority, admin);
        assertTrue(list.hasRole(bytes32(0), admin) && list.hasRole(list.ACCESS_ROLE(), authority), "list");
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new SwapOneStepFrom(admin, authority, RealDigital(address(0)));
    }
}
