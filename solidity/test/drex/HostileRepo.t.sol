// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {TPFtRepoStorage} from "../../src/drex/TPFtRepoStorage.sol";
import {RepoStatus} from "../../src/drex/TPFtRepoTypes.sol";
import {RepoSuite} from "../base/RepoSuite.sol";
import {Buyer} from "./Hostile.t.sol";

/// @dev A party that is a contract and calls from within a settlement, when bonds arrive.
contract HostileRepoTest is RepoSuite {
    Buyer private buyer;

    function setUp() public override {
        super.setUp();
        buyer = new Buyer();
        vm.startPrank(authority);
        real.enableAccount(address(buyer));
        real.mint(address(buyer), 1_000_000);
        vm.stopPrank();
        vm.prank(admin);
        tpft.enableAddress(address(buyer));
        buyer.run(address(real), abi.encodeCall(real.approve, (address(dvp), 1_000_000)));
        buyer.run(address(tpft), abi.encodeCall(tpft.setApprovalForAll, (address(dvp), true)));
    }

    function lend(uint256 operationId, address sender, address receiver, bool isSender)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSignature(
            "tradeRepoIntraday(uint256,address,address,uint8,(string,string,uint256),uint256,uint256)",
            operationId,
            sender,
            receiver,
            isSender ? SENDER : RECEIVER,
            ltn(),
            AMOUNT,
            PRICE
        );
    }

    function assertRefusedInside(bytes memory refusal) private view {
        assertFalse(buyer.wasAnswered(), "the call from within was refused");
        assertEq(keccak256(buyer.answer()), keccak256(refusal), "by its reason");
    }

    function test_a_receiver_returns_nothing_before_the_forward_leg_is_over() public {
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, address(buyer), SENDER, ltn(), AMOUNT, PRICE);
        buyer.plan(address(op1056), abi.encodeCall(op1056.tradeReverseRepo, (OP, BACK)));
        buyer.run(address(op1054), lend(OP, bankA, address(buyer), false));
        assertRefusedInside(abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, OP, RepoStatus.None));
        assertTrue(repos.getRepo(OP).status == RepoStatus.Open, "owed");
    }

    function test_a_receiver_opens_no_second_repo_from_within() public {
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP, bankA, address(buyer), SENDER, ltn(), AMOUNT, PRICE);
        buyer.plan(address(op1054), lend(OP, bankA, address(buyer), false));
        buyer.run(address(op1054), lend(OP, bankA, address(buyer), false));
        assertRefusedInside(abi.encodeWithSelector(TPFtDvP.DvPReentered.selector));
        assertEq(tpft.balanceOf(address(buyer), 1), AMOUNT, "bonds moved once");
    }

    function test_bonds_that_come_back_do_not_come_back_twice() public {
        place(3, BANK_B, bankB, BONDS); // enough to deliver a second time
        vm.prank(bankA);
        op1054.tradeRepoIntraday(OP + 1, bankA, address(buyer), SENDER, ltn(), AMOUNT, PRICE);
        buyer.run(address(op1054), lend(OP + 1, bankA, address(buyer), false));
        buyer.run(address(op1054), lend(OP, address(buyer), bankB, true));
        vm.prank(bankB);
        op1054.tradeRepoIntraday(OP, address(buyer), bankB, RECEIVER, ltn(), AMOUNT, PRICE);

        back(bankB, BACK);
        buyer.plan(address(op1056), abi.encodeCall(op1056.tradeReverseRepo, (OP, BACK + 1)));
        buyer.run(address(op1056), abi.encodeCall(op1056.tradeReverseRepo, (OP, BACK)));
        assertRefusedInside(abi.encodeWithSelector(TPFtRepoStorage.RepoNotOpen.selector, OP, RepoStatus.Returned));
        assertEq(tpft.balanceOf(address(buyer), 1), AMOUNT, "bonds came back once");
        assertEq(tpft.balanceOf(bankB, 1), BONDS, "the other's bonds");
    }
}
