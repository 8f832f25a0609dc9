// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {NonZeroAddress} from "../../src/drex/NonZeroAddress.sol";
import {RealDigital} from "../../src/drex/RealDigital.sol";
import {STR} from "../../src/drex/STR.sol";
import {SwapSuite} from "../base/SwapSuite.sol";

contract STRTest is SwapSuite {
    function test_a_participant_turns_reserves_into_money_and_back_without_an_allowance() public {
        vm.startPrank(bankA);
        vm.expectEmit(address(real));
        emit IERC20.Transfer(address(0), bankA, 1234);
        str.requestToMint(1234);
        assertEq(real.balanceOf(bankA), 10_001_234, "minted");

        vm.expectEmit(address(real));
        emit IERC20.Transfer(bankA, address(0), 34);
        str.requestToBurn(34);
        assertEq(real.balanceOf(bankA), 10_001_200, "burned");
        assertEq(real.allowance(bankA, address(str)), 0, "no allowance");
    }

    function test_others_are_refused_in_the_published_words() public {
        bytes memory refusal =
            abi.encodeWithSignature("Error(string)", "RealDigitalDefaultAccount: Not authorized Account");
        assertRefused(stranger, address(str), abi.encodeCall(str.requestToMint, (1)), refusal);
        assertRefused(stranger, address(str), abi.encodeCall(str.requestToBurn, (1)), refusal);
        assertRefused(clientA, address(str), abi.encodeCall(str.requestToMint, (1)), refusal);
    }

    function test_nobody_burns_more_than_it_holds_or_what_is_frozen() public {
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bankA, 10_000_000, 10_000_001)
        );
        vm.prank(bankA);
        str.requestToBurn(10_000_001);

        vm.prank(authority);
        real.increaseFrozenBalance(bankA, 10_000_000);
        expectError(
            abi.encodeWithSelector(RealDigital.RealDigitalBalanceFrozen.selector, bankA, 10_000_000, 10_000_000, 1)
        );
        vm.prank(bankA);
        str.requestToBurn(1);
    }

    function testFuzz_a_request_changes_the_caller_s_balance_and_the_supply_alike(uint256 minted, uint256 burned)
        public
    {
        minted = bound(minted, 0, type(uint112).max);
        burned = bound(burned, 0, minted);
        uint256 supply = real.totalSupply();
        vm.startPrank(bankA);
        str.requestToMint(minted);
        str.requestToBurn(burned);
        assertEq(real.balanceOf(bankA), 10_000_000 + minted - burned, "balance");
        assertEq(real.totalSupply(), supply + minted - burned, "supply");
        assertEq(real.balanceOf(bankB), 10_000_000, "another's");
    }

    function test_no_money_no_system() public {
        expectError(abi.encodeWithSelector(NonZeroAddress.DrexZeroAddress.selector, "token"));
        new STR(RealDigital(address(0)));
    }
}
