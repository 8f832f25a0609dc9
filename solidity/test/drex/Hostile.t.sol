// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors, IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {DvPSide, DvPTerms} from "../../src/drex/TPFtDvPTypes.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @dev A buyer that is a contract: when bonds arrive, it makes the call that it was told to, and keeps the answer.
contract Buyer {
    address private _target;
    bytes private _call;
    bool public wasAnswered;
    bytes public answer;

    function plan(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function run(address target, bytes calldata call) external {
        (bool answered, bytes memory result) = target.call(call);
        if (!answered) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external returns (bytes4) {
        if (_target != address(0)) (wasAnswered, answer) = _target.call(_call);
        return this.onERC1155Received.selector;
    }
}

/// @dev A token that says yes to everything and moves nothing.
contract FakeMoney {
    function transferFrom(address, address, uint256) external pure returns (bool) {
        return true;
    }
}

contract HostileTest is DrexSuite {
    uint256 private constant OP = 99;
    uint256 private constant PRICE = 10e8;

    Buyer private buyer;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 10_000);
        buyer = new Buyer();
        vm.startPrank(authority);
        real.enableAccount(address(buyer));
        real.mint(address(buyer), 1_000_000);
        vm.stopPrank();
        vm.prank(admin);
        tpft.enableAddress(address(buyer));
        buyer.run(address(real), abi.encodeCall(real.approve, (address(dvp), 1_000_000)));
    }

    function trade(uint256 operationId, address receiver, CallerPart part) private view returns (bytes memory) {
        return abi.encodeWithSignature(
            "trade(uint256,address,address,uint8,(string,string,uint256),uint256,uint256)",
            operationId,
            bankA,
            receiver,
            part,
            ltn(),
            100,
            PRICE
        );
    }

    function sell(uint256 operationId) private {
        vm.prank(bankA);
        op1052.trade(operationId, bankA, address(buyer), SENDER, ltn(), 100, PRICE);
    }

    function settle(uint256 operationId) private {
        buyer.run(address(op1052), trade(operationId, address(buyer), RECEIVER));
    }

    function test_a_receiver_does_not_settle_twice_from_within() public {
        sell(OP);
        buyer.plan(address(op1052), trade(OP, address(buyer), RECEIVER));
        settle(OP);
        assertRefusedInside();
    }

    function test_a_receiver_does_not_settle_another_operation_from_within() public {
        sell(OP);
        sell(OP + 1);
        buyer.plan(address(op1052), trade(OP + 1, address(buyer), RECEIVER));
        settle(OP);
        assertRefusedInside();
        settle(OP + 1);
    }

    function test_a_receiver_does_not_cancel_from_within() public {
        sell(OP);
        buyer.run(address(op1052), trade(OP + 1, address(buyer), RECEIVER));
        buyer.plan(address(op1052), abi.encodeCall(op1052.cancel, (OP + 1, "late")));
        settle(OP);
        assertRefusedInside();
    }

    function assertRefusedInside() private view {
        assertFalse(buyer.wasAnswered(), "the call from within was refused");
        assertEq(bytes4(buyer.answer()), TPFtDvP.DvPReentered.selector, "by the guard");
        assertEq(tpft.balanceOf(address(buyer), 1), 100, "bonds moved once");
        assertEq(real.balanceOf(address(buyer)), 999_000, "money moved once");
    }

    function test_a_receiver_that_takes_no_bonds_pays_nothing() public {
        vm.startPrank(authority);
        real.enableAccount(address(op1002));
        real.mint(address(op1002), 1_000_000);
        vm.stopPrank();
        vm.prank(admin);
        tpft.enableAddress(address(op1002));
        vm.prank(address(op1002));
        real.approve(address(dvp), 1_000_000);
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(op1002), SENDER, ltn(), 100, PRICE);

        expectError(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(op1002)));
        vm.prank(address(op1002));
        op1052.trade(OP, bankA, address(op1002), RECEIVER, ltn(), 100, PRICE);
        assertEq(real.balanceOf(address(op1002)), 1_000_000, "money");
    }

    function test_money_of_one_s_own_making_buys_nothing() public {
        address fake = address(new FakeMoney());
        vm.prank(bankA); // careless: agrees to be paid in it
        op1052.trade(OP, bankA, fake, bankB, fake, SENDER, ltn(), 100, PRICE);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokenNotApproved.selector, fake));
        vm.prank(bankB);
        op1052.trade(OP, bankA, fake, bankB, fake, RECEIVER, ltn(), 100, PRICE);
        assertEq(tpft.balanceOf(bankA, 1), 10_000, "bonds");
    }

    function test_an_approval_of_the_settlement_is_used_by_nobody_else() public {
        assertRefused(
            stranger,
            address(dvp),
            abi.encodeCall(dvp.dvpParticipant, (0, DvPSide.Buy, dvpTerms())),
            missingRole(stranger, dvp.OPERATOR_ROLE())
        );
        assertRefused(
            stranger,
            address(tpft),
            abi.encodeWithSignature(
                "safeTransferFrom(address,address,uint256,uint256,bytes)", bankA, stranger, 1, 1, ""
            ),
            missingRole(stranger, tpft.OPERATOR_ROLE())
        );
        assertRefused(
            stranger,
            address(real),
            abi.encodeCall(real.transferFrom, (bankA, stranger, 1)),
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, stranger, 0, 1)
        );
    }

    function dvpTerms() private view returns (DvPTerms memory) {
        return DvPTerms(stranger, address(0), bankA, address(0), ltn(), 100, PRICE, 1, "");
    }
}
