// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../base/Test.sol";
import {SeriesBooks} from "./SeriesBooks.sol";

contract SeriesInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    SeriesBooks private _books;

    function setUp() public {
        _books = new SeriesBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](6);
        orders[0] = _books.transfer.selector;
        orders[1] = _books.force.selector;
        orders[2] = _books.issue.selector;
        orders[3] = _books.redeem.selector;
        orders[4] = _books.freezeSome.selector;
        orders[5] = _books.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_the_supply_is_the_sum_of_balances_and_no_rule_is_passed_by() public view {
        _books.assertBooks();
    }

    function test_the_orders_of_the_books_can_move_and_be_refused() public {
        _books.issue(0, 100);
        _books.transfer(6, 50);
        _books.freezeSome(0, 2 * 1_000);
        _books.transfer(6, 1);
        _books.force(6, 10);
        _books.force(12, 10);
        _books.freezeSome(0, 0);
        _books.redeem(0, 10);
        _books.redeem(1, 10);
        _books.assertBooks();
        assertEq(_books.moved(), 2, "moved");
        assertEq(_books.refusals(), 3, "refused");
    }
}
