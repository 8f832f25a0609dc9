// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../base/Test.sol";
import {OfferingBooks} from "./OfferingBooks.sol";

contract OfferingInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    OfferingBooks private _books;

    function setUp() public {
        _books = new OfferingBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn; those that must come in turn more often.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](16);
        orders[0] = _books.offer.selector;
        orders[1] = _books.order.selector;
        orders[2] = _books.order.selector;
        orders[3] = _books.order.selector;
        orders[4] = _books.withdraw.selector;
        orders[5] = _books.allotSome.selector;
        orders[6] = _books.allotSome.selector;
        orders[7] = _books.issue.selector;
        orders[8] = _books.issue.selector;
        orders[9] = _books.refund.selector;
        orders[10] = _books.collect.selector;
        orders[11] = _books.callOff.selector;
        orders[12] = _books.freeze.selector;
        orders[13] = _books.wait.selector;
        orders[14] = _books.wait.selector;
        orders[15] = _books.litter.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_money_in_is_money_out_and_units_are_the_allotment() public view {
        _books.assertBooks();
    }

    /// The books would hold of themselves if every order were refused.
    function test_the_books_carry_offerings_to_each_end() public {
        _books.order(0, 0, 600);
        _books.order(0, 1, 300);
        _books.order(0, 2, 100);
        _books.withdraw(0, 0, true);
        _books.withdraw(0, 1, false);
        _books.order(0, 0, 600);
        _books.offer(500, 250);
        _books.order(1, 3, 249);
        _books.litter(3);
        for (uint256 i = 0; i < 4; ++i) {
            _books.wait(18 hours);
        }
        _books.freeze(1);
        _books.allotSome(0, 2);
        _books.allotSome(0, 2);
        _books.freeze(1);
        _books.allotSome(1, 1);
        _books.issue(0, 0, false);
        _books.issue(0, 1, true);
        _books.refund(0, 0);
        _books.refund(1, 3);
        _books.collect(0);
        for (uint256 i = 0; i < 4; ++i) {
            _books.wait(18 hours);
        }
        _books.refund(0, 2);
        _books.assertBooks();
        assertEq(_books.done(), 14, "done");
        assertEq(_books.refusals(), 1, "refused");
    }
}
