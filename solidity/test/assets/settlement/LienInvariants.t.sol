// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../base/Test.sol";
import {LienBooks} from "./LienBooks.sol";

contract LienInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    LienBooks private _books;

    function setUp() public {
        _books = new LienBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](6);
        orders[0] = _books.order.selector;
        orders[1] = _books.release.selector;
        orders[2] = _books.enforce.selector;
        orders[3] = _books.declareDefault.selector;
        orders[4] = _books.lapse.selector;
        orders[5] = _books.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_liens_never_exceed_what_is_kept_and_are_taken_only_on_their_condition() public view {
        _books.assertBooks();
    }

    function test_the_orders_of_the_books_can_enforce_and_release() public {
        for (uint256 i = 1; i < 7; ++i) {
            _books.order(i, 1000 * i, 0, 0, i % 2 == 0);
        }
        _books.enforce(0, 500);
        _books.enforce(2, 500);
        _books.declareDefault(2);
        _books.enforce(2, 500);
        _books.release(3, 4000);
        for (uint256 i = 0; i < 4; ++i) {
            _books.wait(3 days);
        }
        _books.lapse(5);
        _books.assertBooks();
        assertEq(_books.enforced(), 2, "enforced");
        assertEq(_books.released(), 2, "released");
        assertEq(_books.refusals(), 1, "the early enforcement");
    }
}
