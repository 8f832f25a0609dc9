// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {Cnpj8} from "../../src/drex/Cnpj8.sol";
import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {RealTokenizado} from "../../src/drex/RealTokenizado.sol";
import {MoneyBehaviour} from "./MoneyBehaviour.sol";

contract RealTokenizadoTest is MoneyBehaviour {
    address private immutable reserve = wallet("reserve");

    function deploy() internal override returns (RealDigital) {
        return create(11_111_111, reserve);
    }

    function create(uint256 cnpj8, address reserve_) private returns (RealTokenizado) {
        return new RealTokenizado("RealTokenizado@11111111", "DREX@11111111", authority, admin, "Bank", cnpj8, reserve_);
    }

    function bank() private view returns (RealTokenizado) {
        return RealTokenizado(address(token));
    }

    function test_it_knows_its_bank() public view {
        assertEq(token.name(), "RealTokenizado@11111111", "name");
        assertEq(token.symbol(), "DREX@11111111", "symbol");
        assertEq(bank().participant(), "Bank", "participant");
        assertEq(bank().cnpj8(), 11_111_111, "cnpj8");
        assertEq(bank().reserve(), reserve, "reserve");
    }

    function test_a_bank_without_reserve_or_with_a_wrong_cnpj_has_no_token() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "reserve"));
        create(11_111_111, address(0));
        expectError(abi.encodeWithSelector(Cnpj8.Cnpj8Invalid.selector, 100_000_000));
        create(100_000_000, reserve);
    }

    function test_the_reserve_changes_and_no_money_moves() public {
        vm.expectEmit(address(token));
        emit RealTokenizado.ReserveUpdated(reserve, bob);
        vm.prank(authority);
        bank().updateReserve(bob);
        assertEq(bank().reserve(), bob, "reserve");
        assertEq(token.balanceOf(bob), 0, "balance");
    }

    function test_only_the_authority_names_a_reserve_and_never_nobody() public {
        expectMissingRole(admin, token.ACCESS_ROLE());
        vm.prank(admin);
        bank().updateReserve(bob);
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "newReserve"));
        vm.prank(authority);
        bank().updateReserve(address(0));
    }

    function test_an_allowance_is_used_up_for_its_spender() public {
        vm.prank(alice);
        token.approve(bob, 100);
        vm.prank(authority);
        bank().spendAllowanceFrom(alice, bob, 60);
        assertEq(token.allowance(alice, bob), 40, "allowance");
        assertEq(token.balanceOf(alice), 1000, "no money moves");

        expectError(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, bob, 40, 41));
        vm.prank(authority);
        bank().spendAllowanceFrom(alice, bob, 41);

        expectMissingRole(bob, token.BURNER_ROLE());
        vm.prank(bob);
        bank().spendAllowanceFrom(alice, bob, 1);
    }
}
