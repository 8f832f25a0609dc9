// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {TPFtOperation1002} from "../../src/drex/TPFtOperation1002.sol";
import {TPFtTradeOperation} from "../../src/drex/TPFtTradeOperation.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract TPFtOperation1002Test is DrexSuite {
    uint256 private constant OP = 55;
    uint256 private constant AMOUNT = 10_000;
    uint256 private constant PRICE = 857_123_456_78; // R$ 857,12345678
    uint256 private constant VALUE = 8_571_234; // 857.12345678 * 100 bonds, in cents, rounded down

    function command(address caller, CallerPart part) private {
        vm.prank(caller);
        op1002.auctionPlacement(OP, STN, BANK_A, part, ltn(), AMOUNT, PRICE);
    }

    function expectEvent(string memory status) private {
        vm.expectEmit(address(op1002));
        emit TPFtTradeOperation.OperationEvent(
            OP, STN, BANK_A, treasury, bankA, ltn(), AMOUNT, PRICE, VALUE, status, NOW
        );
    }

    function cancel(address caller) private {
        vm.prank(caller);
        op1002.cancel(OP, "withdrawn");
    }

    function test_the_role_name_is_the_published_hash() public view {
        assertEq(
            op1002.AUCTION_PLACEMENT_ROLE(),
            0xda77f6231fec42b4d28b0cb4169b6957269348cad2424fc7119fb6ab7cf4f0f0,
            "AUCTION_PLACEMENT"
        );
    }

    function test_the_treasury_delivers_and_the_bank_pays() public {
        expectEvent("LAN");
        command(authority, SENDER);
        expectEvent("ATU");
        command(bankA, RECEIVER);
        assertEq(tpft.balanceOf(bankA, 1), AMOUNT, "bank's bonds");
        assertEq(tpft.balanceOf(treasury, 1), 100_000 - AMOUNT, "Treasury's bonds");
        assertEq(real.balanceOf(bankA), 10_000_000 - VALUE, "bank's money");
        assertEq(real.balanceOf(treasury), VALUE, "Treasury's money");
    }

    function test_the_bank_may_be_first() public {
        expectEvent("CON");
        command(bankA, RECEIVER);
        expectEvent("ATU");
        command(authority, SENDER);
        assertEq(tpft.balanceOf(bankA, 1), AMOUNT, "bank's bonds");
    }

    function test_the_treasury_s_side_is_commanded_by_the_role_alone() public {
        bytes32 role = op1002.AUCTION_PLACEMENT_ROLE();
        expectMissingRole(treasury, role);
        command(treasury, SENDER);
        expectMissingRole(bankA, role);
        command(bankA, SENDER);
    }

    function test_the_bank_s_side_is_commanded_by_its_default_wallet_alone() public {
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, authority, bankA)
        );
        command(authority, RECEIVER);
    }

    function test_the_seller_is_the_treasury() public {
        expectError(abi.encodeWithSelector(TPFtOperation1002.TPFtOperation1002SenderNotTreasury.selector, BANK_B, STN));
        vm.prank(authority);
        op1002.auctionPlacement(OP, BANK_B, BANK_A, SENDER, ltn(), AMOUNT, PRICE);
    }

    function test_bonds_are_placed_whole() public {
        for (uint256 amount = 99; amount <= 101; amount += 2) {
            expectError(abi.encodeWithSelector(TPFtOperation1002.TPFtOperation1002FractionalAmount.selector, amount));
            vm.prank(authority);
            op1002.auctionPlacement(OP, STN, BANK_A, SENDER, ltn(), amount, PRICE);
        }
        vm.prank(authority);
        op1002.auctionPlacement(OP, STN, BANK_A, SENDER, ltn(), 100, PRICE);
    }

    function test_what_was_commanded_for_the_treasury_is_cancelled_by_role_holders_and_the_treasury() public {
        command(authority, SENDER);
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, bankA, authority)
        );
        cancel(bankA);
        vm.expectEmit(address(op1002));
        emit TPFtTradeOperation.OperationCancelEvent(OP, "CAN", "withdrawn", NOW);
        cancel(treasury);
    }

    function test_another_holder_of_the_role_cancels_too() public {
        command(authority, SENDER);
        vm.prank(admin);
        op1002.grantRole(keccak256("AUCTION_PLACEMENT_ROLE"), stranger);
        cancel(stranger);
    }

    function test_what_the_bank_commanded_is_cancelled_by_the_bank_alone() public {
        command(bankA, RECEIVER);
        address[2] memory others = [authority, treasury];
        for (uint256 i = 0; i < others.length; ++i) {
            expectError(
                abi.encodeWithSelector(
                    TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, others[i], bankA
                )
            );
            cancel(others[i]);
        }
        cancel(bankA);
    }

    function test_pause_stops_placements() public {
        vm.prank(admin);
        op1002.pause();
        expectError(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        command(authority, SENDER);
        vm.prank(admin);
        op1002.unpause();
        command(authority, SENDER);
    }
}
