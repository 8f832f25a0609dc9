// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../base/Test.sol";
import {ActionBooks} from "./ActionBooks.sol";

contract ActionInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    ActionBooks private _books;

    function setUp() public {
        _books = new ActionBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn; those that must come in turn more often.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](16);
        orders[0] = _books.plan.selector;
        orders[1] = _books.trade.selector;
        orders[2] = _books.trade.selector;
        orders[3] = _books.promise_.selector;
        orders[4] = _books.payIn.selector;
        orders[5] = _books.payIn.selector;
        orders[6] = _books.claim.selector;
        orders[7] = _books.claim.selector;
        orders[8] = _books.claim.selector;
        orders[9] = _books.claimThrough.selector;
        orders[10] = _books.end.selector;
        orders[11] = _books.callOff.selector;
        orders[12] = _books.blockPayee.selector;
        orders[13] = _books.litter.selector;
        orders[14] = _books.wait.selector;
        orders[15] = _books.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_each_action_pays_its_total_and_the_contract_keeps_what_it_owes() public view {
        _books.assertBooks();
    }

    /// The books would hold of themselves if every order were refused.
    function test_the_books_carry_payments_to_their_end() public {
        _books.plan(3, 1_037, 1, 0);
        _books.trade(0, 3, 12_345);
        _books.wait(6 hours);
        _books.trade(0, 1, 1);
        _books.payIn(0);
        _books.wait(8 hours);
        _books.wait(8 hours);
        _books.payIn(0);
        _books.payIn(1);
        for (uint256 i = 0; i < 4; ++i) {
            _books.claim(0, i, i % 2 == 0);
        }
        _books.claim(0, 4, false);
        _books.claimThrough(0, 0, 30_001);
        _books.end(0);
        _books.trade(1, 0, 1);
        _books.blockPayee(0);
        _books.claim(1, 0, false);
        _books.claim(1, 1, false);
        _books.wait(7);
        _books.end(1);
        _books.litter(4);
        _books.assertBooks();
        // Batches count neither way.
        assertEq(_books.done(), 7, "two funded, three paid, two closed");
        assertEq(_books.refusals(), 4, "too early, a custodian, a blocked payee, one who sold");
    }
}
