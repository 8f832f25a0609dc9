// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../base/Test.sol";
import {SwapBooks} from "./SwapBooks.sol";

contract SwapInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    SwapBooks private _books;

    function setUp() public {
        _books = new SwapBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](5);
        orders[0] = _books.payAtOnce.selector;
        orders[1] = _books.propose.selector;
        orders[2] = _books.execute.selector;
        orders[3] = _books.close.selector;
        orders[4] = _books.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_money_is_where_the_books_say_and_every_bank_stays_backed() public view {
        _books.assertBooks();
    }

    function test_the_orders_of_the_books_can_execute_and_release() public {
        for (uint256 i = 0; i < 4; ++i) {
            _books.propose(i % 2 == 0, 1000 + i, i > 1);
        }
        _books.execute(0, false, false);
        _books.execute(0, false, true);
        _books.execute(1, true, true);
        _books.close(0, true, false);
        _books.wait(40);
        _books.close(1, false, true);
        _books.wait(40);
        _books.close(1, false, true);
        _books.assertBooks();
        assertEq(_books.executed(), 2, "executed");
        assertEq(_books.released(), 2, "released");
        assertEq(_books.refused(), 2, "the payer's execution and the early expiry");
    }
}
