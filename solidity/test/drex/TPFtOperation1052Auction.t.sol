// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {TPFtOperation1052} from "../../src/drex/TPFtOperation1052.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

contract TPFtOperation1052AuctionTest is DrexSuite {
    uint256 private constant OP = 88;
    uint256 private constant PRICE = 10e8;
    string private constant NOTICE = "2026/0042";

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 10_000);
        place(3, BANK_B, bankB, 10_000);
        vm.startPrank(authority);
        real.mint(bacen, 1_000_000);
        real.mint(treasury, 1_000_000);
        vm.stopPrank();
        vm.prank(bacen);
        real.approve(address(dvp), 1_000_000);
        vm.prank(treasury);
        real.approve(address(dvp), 1_000_000);
        vm.prank(bacen);
        tpft.setApprovalForAll(address(dvp), true);
    }

    function auction(address caller, uint256 seller, uint256 buyer, CallerPart part, string memory notice) private {
        vm.prank(caller);
        op1052.trade(OP, seller, buyer, part, ltn(), 100, PRICE, notice);
    }

    function expectEvent(uint256 cnpj8S, address seller, uint256 cnpj8B, address buyer, string memory status) private {
        vm.expectEmit(address(op1052));
        emit TPFtOperation1052.AuctionOperationEvent(
            OP, cnpj8S, seller, cnpj8B, buyer, ltn(), 100, PRICE, 1000, status, NOW, NOTICE
        );
    }

    function sellToBacen() private {
        vm.prank(bankA);
        op1052.trade(4, BANK_A, BACEN, SENDER, ltn(), 500, PRICE);
        vm.prank(bacen);
        op1052.trade(4, BANK_A, BACEN, RECEIVER, ltn(), 500, PRICE);
    }

    function test_the_role_name_is_the_published_hash() public view {
        assertEq(op1052.AUCTION_ROLE(), 0xc5e2d1653feba496cf5ce3a744b90ea18acf0df3d036aba9b2f85992a1467906, "AUCTION");
    }

    function test_1005_the_central_bank_sells() public {
        sellToBacen();
        expectEvent(BACEN, bacen, BANK_B, bankB, "LAN");
        auction(bacen, BACEN, BANK_B, SENDER, NOTICE);
        expectEvent(BACEN, bacen, BANK_B, bankB, "ATU");
        auction(bankB, BACEN, BANK_B, RECEIVER, NOTICE);
        assertEq(tpft.balanceOf(bankB, 1), 10_100, "bonds");
        assertEq(real.balanceOf(bankB), 9_900_000 - 1000, "money");
    }

    function test_1005_the_central_bank_s_wallet_needs_the_role() public {
        vm.prank(admin);
        op1052.revokeRole(keccak256("AUCTION_ROLE"), bacen);
        expectMissingRole(bacen, op1052.AUCTION_ROLE());
        auction(bacen, BACEN, BANK_B, SENDER, NOTICE);
    }

    function test_1005_the_role_does_not_replace_the_wallet() public {
        vm.prank(admin);
        op1052.grantRole(keccak256("AUCTION_ROLE"), authority);
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, authority, bacen)
        );
        auction(authority, BACEN, BANK_B, SENDER, NOTICE);
    }

    function test_1005_the_seller_does_not_buy() public {
        expectError(abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationSameParty.selector, bacen));
        auction(bacen, BACEN, BACEN, RECEIVER, NOTICE);
    }

    function test_1006_the_central_bank_buys() public {
        expectEvent(BANK_A, bankA, BACEN, bacen, "CON");
        auction(bacen, BANK_A, BACEN, RECEIVER, NOTICE);
        expectEvent(BANK_A, bankA, BACEN, bacen, "ATU");
        auction(bankA, BANK_A, BACEN, SENDER, NOTICE);
        assertEq(tpft.balanceOf(bacen, 1), 100, "bonds");
        assertEq(real.balanceOf(bacen), 999_000, "money");
    }

    function test_1006_the_treasury_buys() public {
        auction(bankA, BANK_A, STN, SENDER, NOTICE);
        auction(treasury, BANK_A, STN, RECEIVER, NOTICE);
        assertEq(real.balanceOf(treasury), 1_000_000 + 200_000 - 1000, "money");
    }

    function test_1006_participants_hold_no_auction_among_themselves() public {
        bytes memory refusal = abi.encodeWithSelector(
            TPFtOperation1052.TPFtOperation1052AuctionBetweenParticipants.selector, BANK_A, BANK_B
        );
        expectError(refusal);
        auction(bankA, BANK_A, BANK_B, SENDER, NOTICE);
        expectError(refusal);
        auction(bankB, BANK_A, BANK_B, RECEIVER, NOTICE);
    }

    function test_the_notice_is_a_term() public {
        auction(bankA, BANK_A, BACEN, SENDER, NOTICE);
        assertIncompatible(
            abi.encodeWithSignature(
                "trade(uint256,uint256,uint256,uint8,(string,string,uint256),uint256,uint256,string)",
                OP,
                BANK_A,
                BACEN,
                1,
                ltn(),
                100,
                PRICE,
                "2026/0043"
            )
        );
        auction(bacen, BANK_A, BACEN, RECEIVER, NOTICE);
    }

    function test_a_plain_trade_does_not_answer_an_auction_not_even_without_notice() public {
        auction(bankA, BANK_A, BACEN, SENDER, "");
        assertIncompatible(
            abi.encodeWithSignature(
                "trade(uint256,uint256,uint256,uint8,(string,string,uint256),uint256,uint256)",
                OP,
                BANK_A,
                BACEN,
                1,
                ltn(),
                100,
                PRICE
            )
        );
        auction(bacen, BANK_A, BACEN, RECEIVER, "");
    }

    function assertIncompatible(bytes memory call) private {
        vm.prank(bacen);
        (bool answered, bytes memory reason) = address(op1052).call(call);
        assertFalse(answered, "must not match");
        assertEq(bytes4(reason), TPFtDvP.DvPIncompatible.selector, "error");
    }
}
