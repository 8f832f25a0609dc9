// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RealDigital} from "../../src/drex/RealDigital.sol";
import {Test} from "../base/Test.sol";
import {DrexBooks} from "./DrexBooks.sol";

contract DrexInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    DrexBooks private _books;

    function setUp() public {
        _books = new DrexBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](11);
        orders[0] = _books.pay.selector;
        orders[1] = _books.issueMoney.selector;
        orders[2] = _books.withdrawMoney.selector;
        orders[3] = _books.setFrozen.selector;
        orders[4] = _books.setEnabled.selector;
        orders[5] = _books.setApproval.selector;
        orders[6] = _books.issueBonds.selector;
        orders[7] = _books.cancel.selector;
        // Three times as often: two commands make one trade.
        orders[8] = _books.command.selector;
        orders[9] = _books.command.selector;
        orders[10] = _books.command.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_supply_is_the_sum_of_balances() public view {
        address[] memory owners = _books.owners();
        for (uint256 i = 0; i < 3; ++i) {
            RealDigital token = _books.token(i);
            uint256 sum = 0;
            for (uint256 j = 0; j < owners.length; ++j) {
                sum += token.balanceOf(owners[j]);
            }
            assertEq(token.totalSupply(), sum, "money");
            assertEq(token.totalSupply(), _books.issued(address(token)), "money issued");
        }
        uint256 bonds = 0;
        for (uint256 j = 0; j < owners.length; ++j) {
            bonds += _books.bondBalance(owners[j]);
        }
        assertEq(_books.bondSupply(), bonds, "bonds");
        assertEq(_books.bondSupply(), _books.bondsIssued(), "bonds issued");
    }

    function invariant_money_and_bonds_are_where_the_books_say() public view {
        address[] memory owners = _books.owners();
        for (uint256 j = 0; j < owners.length; ++j) {
            for (uint256 i = 0; i < 3; ++i) {
                RealDigital token = _books.token(i);
                assertEq(token.balanceOf(owners[j]), _books.money(address(token), owners[j]), "money");
            }
            assertEq(_books.bondBalance(owners[j]), _books.bonds(owners[j]), "bonds");
        }
    }

    function test_the_orders_of_the_books_can_settle_between_banks_and_between_customers() public {
        for (uint256 number = 0; number < 12; ++number) {
            _books.command(number, true, false);
            _books.command(number, false, true);
            _books.command(number, false, false);
            _books.cancel(number, true);
        }
        assertEq(_books.settled(), 12, "settled");
        assertEq(_books.refused(), 24, "each wrong price and each late cancellation");
        invariant_money_and_bonds_are_where_the_books_say();
    }
}
