// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {CBDCAccessControl} from "../../src/drex/CBDCAccessControl.sol";
import {SwapOneStepFrom} from "../../src/drex/SwapOneStepFrom.sol";
import {TPFtDvP} from "../../src/drex/TPFtDvP.sol";
import {TPFtOperation1052} from "../../src/drex/TPFtOperation1052.sol";
import {TPFtTwoCommandOperation} from "../../src/drex/TPFtTwoCommandOperation.sol";
import {CallerPart} from "../../src/drex/TPFtTypes.sol";
import {DrexSuite} from "../base/DrexSuite.sol";

/// @dev Trades by wallet and trades with customers; trades by CNPJ are in `TwoCommands.t.sol`, auctions in a file of
/// their own.
contract TPFtOperation1052Test is DrexSuite {
    uint256 private constant OP = 66;
    uint256 private constant AMOUNT = 250;
    uint256 private constant PRICE = 10e8;
    uint256 private constant VALUE = 2500;

    function setUp() public override {
        super.setUp();
        place(2, BANK_A, bankA, 10_000);
    }

    // By wallet.

    function trade(address caller, CallerPart part) private {
        vm.prank(caller);
        op1052.trade(OP, bankA, bankB, part, ltn(), AMOUNT, PRICE);
    }

    function expectTrade(string memory status) private {
        vm.expectEmit(address(op1052));
        emit TPFtOperation1052.OperationTradeEvent(OP, bankA, bankB, ltn(), AMOUNT, PRICE, VALUE, status, NOW);
    }

    function test_banks_trade_by_wallet() public {
        expectTrade("CON");
        trade(bankB, RECEIVER);
        expectTrade("ATU");
        trade(bankA, SENDER);
        assertEq(tpft.balanceOf(bankB, 1), AMOUNT, "bonds");
        assertEq(real.balanceOf(bankB), 10_000_000 - VALUE, "money");
    }

    function test_a_command_by_cnpj_is_answered_by_wallet() public {
        vm.prank(bankA);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE);
        expectTrade("ATU");
        trade(bankB, RECEIVER);
        assertEq(tpft.balanceOf(bankB, 1), AMOUNT, "bonds");
    }

    function test_each_side_speaks_for_itself() public {
        expectCaller(bankB, bankA);
        trade(bankB, SENDER);
        expectCaller(bankA, bankB);
        trade(bankA, RECEIVER);
        expectCaller(bankB, bankA);
        vm.prank(bankB);
        op1052.trade(OP, BANK_A, BANK_B, SENDER, ltn(), AMOUNT, PRICE);
        expectCaller(bankB, clientA);
        vm.prank(bankB);
        op1052.trade(OP, clientA, address(tokenA), bankB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
    }

    function expectCaller(address caller, address expected) private {
        expectError(
            abi.encodeWithSelector(TPFtTwoCommandOperation.TPFtOperationInvalidCaller.selector, OP, caller, expected)
        );
    }

    function test_a_third_part_does_not_exist() public {
        vm.prank(bankA);
        (bool answered,) = address(op1052)
            .call(
                abi.encodeWithSignature(
                    "trade(uint256,address,address,uint8,(string,string,uint256),uint256,uint256)",
                    OP,
                    bankA,
                    bankB,
                    2,
                    ltn(),
                    AMOUNT,
                    PRICE
                )
            );
        assertFalse(answered, "callerPart is 0 or 1");
    }

    // With customers.

    function expectClientTrade(string memory status) private {
        vm.expectEmit(address(op1052));
        emit TPFtOperation1052.OperationClientTradeEvent(
            OP, bankA, address(tokenA), clientA, address(tokenA), ltn(), AMOUNT, PRICE, VALUE, status, NOW
        );
    }

    function test_a_bank_sells_to_its_own_customer() public {
        expectClientTrade("LAN");
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
        expectClientTrade("ATU");
        vm.prank(clientA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), RECEIVER, ltn(), AMOUNT, PRICE);
        assertEq(tpft.balanceOf(clientA, 1), AMOUNT, "bonds");
        assertEq(tokenA.balanceOf(clientA), 5_000_000 - VALUE, "customer pays in the bank's token");
        assertEq(tokenA.balanceOf(bankA), VALUE, "bank is paid in it");
        assertEq(real.balanceOf(reserveA), 10_000_000, "no reserve moves");
    }

    function test_customers_of_two_banks_trade_by_way_of_the_reserves() public {
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
        vm.prank(clientA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), RECEIVER, ltn(), AMOUNT, PRICE);
        vm.prank(clientA);
        op1052.trade(OP + 1, clientA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
        vm.expectEmit(address(swap));
        emit SwapOneStepFrom.SwapExecuted(191, BANK_A, clientB, clientA, VALUE);
        vm.prank(clientB);
        op1052.trade(OP + 1, clientA, address(tokenA), clientB, address(tokenB), RECEIVER, ltn(), AMOUNT, PRICE);
        assertEq(tpft.balanceOf(clientB, 1), AMOUNT, "bonds");
        assertEq(tokenB.balanceOf(clientB), 5_000_000 - VALUE, "buyer's token is burned");
        assertEq(tokenA.balanceOf(clientA), 5_000_000, "seller's token is minted");
        assertEq(real.balanceOf(reserveB), 10_000_000 - VALUE, "buyer's bank pays");
        assertEq(real.balanceOf(reserveA), 10_000_000 + VALUE, "seller's bank is paid");
        assertEq(tokenA.totalSupply() - 5_000_000, real.balanceOf(reserveA) - 10_000_000, "bank A is backed");
    }

    function test_a_reserve_that_cannot_pay_keeps_the_bonds_where_they_are() public {
        vm.prank(reserveB);
        real.approve(address(swap), VALUE - 1);
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
        expectError(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(swap), VALUE - 1, VALUE)
        );
        vm.prank(clientB);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), RECEIVER, ltn(), AMOUNT, PRICE);
        assertEq(tpft.balanceOf(bankA, 1), 10_000, "bonds");
        assertEq(tokenB.balanceOf(clientB), 5_000_000, "money");
    }

    function test_a_participant_that_sells_to_a_customer_must_be_enabled_in_its_own_token() public {
        vm.prank(bankA);
        tokenA.disableAccount(bankA);
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), AMOUNT, PRICE);
        expectError(abi.encodeWithSelector(CBDCAccessControl.CBDCAccountNotEnabled.selector, bankA));
        vm.prank(clientB);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), RECEIVER, ltn(), AMOUNT, PRICE);
    }

    function test_both_tokens_are_named() public {
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1052.TPFtOperation1052TokenMissing.selector, address(0), address(tokenA)
            )
        );
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(0), clientA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
        expectError(
            abi.encodeWithSelector(
                TPFtOperation1052.TPFtOperation1052TokenMissing.selector, address(tokenA), address(0)
            )
        );
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(0), SENDER, ltn(), AMOUNT, PRICE);
    }

    function test_each_token_is_a_term() public {
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
        uint256 dvpId = dvp.getTotalDvPs();
        vm.startPrank(clientA);
        for (uint256 i = 0; i < 2; ++i) {
            (address sellerToken, address buyerToken) =
                i == 0 ? (address(tokenA), address(tokenB)) : (address(tokenB), address(tokenA));
            try op1052.trade(OP, bankA, sellerToken, clientA, buyerToken, RECEIVER, ltn(), AMOUNT, PRICE) {
                assertTrue(false, "another token must not match");
            } catch (bytes memory reason) {
                assertEq(bytes4(reason), TPFtDvP.DvPIncompatible.selector, "error");
            }
        }
        assertEq(dvp.getTotalDvPs(), dvpId, "records");
    }

    function test_a_token_that_is_no_bank_s_is_no_money() public {
        vm.prank(authority);
        swap.setDigitalCurrencyApproval(address(tokenA), false);
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), SENDER, ltn(), AMOUNT, PRICE);
        expectError(abi.encodeWithSelector(TPFtDvP.DvPTokenNotApproved.selector, address(tokenA)));
        vm.prank(clientA);
        op1052.trade(OP, bankA, address(tokenA), clientA, address(tokenA), RECEIVER, ltn(), AMOUNT, PRICE);
    }

    function testFuzz_a_trade_between_customers_leaves_each_bank_backed_as_it_was(uint256 amount, uint256 price)
        public
    {
        amount = bound(amount, 1, 10_000);
        price = bound(price, 1e8, 100e8);
        vm.prank(bankA);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), SENDER, ltn(), amount, price);
        vm.prank(clientB);
        op1052.trade(OP, bankA, address(tokenA), clientB, address(tokenB), RECEIVER, ltn(), amount, price);
        assertEq(real.balanceOf(reserveA) - tokenA.totalSupply(), 5_000_000, "bank A");
        assertEq(real.balanceOf(reserveB) - tokenB.totalSupply(), 5_000_000, "bank B");
        assertEq(tpft.balanceOf(clientB, 1), amount, "bonds");
    }
}
