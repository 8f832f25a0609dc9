// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VoteOutcome} from "../../../src/assets/actions/HolderVoteTypes.sol";
import {Test} from "../../base/Test.sol";
import {VoteBooks} from "./VoteBooks.sol";

contract VoteInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    VoteBooks private _books;

    function setUp() public {
        _books = new VoteBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn; votes most often.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](10);
        orders[0] = _books.put.selector;
        orders[1] = _books.trade.selector;
        orders[2] = _books.trade.selector;
        orders[3] = _books.say.selector;
        orders[4] = _books.say.selector;
        orders[5] = _books.say.selector;
        orders[6] = _books.say.selector;
        orders[7] = _books.finish.selector;
        orders[8] = _books.wait.selector;
        orders[9] = _books.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_votes_are_units_of_the_record_date_once_each() public view {
        _books.assertBooks();
    }

    /// The books would hold of themselves if every order were refused.
    function test_the_books_carry_a_question_to_its_end() public {
        _books.trade(0, 3, 1_000);
        _books.wait(5 hours);
        _books.say(0, 0, 1, true);
        _books.say(0, 1, 2, true);
        _books.say(0, 1, 1, true);
        _books.say(0, 2, 1, false);
        _books.say(0, 3, 0, true);
        for (uint256 i = 0; i < 3; ++i) {
            _books.wait(8 hours);
        }
        _books.finish(0);
        _books.finish(0);
        _books.assertBooks();
        assertEq(_books.done(), 4, "votes");
        assertEq(_books.refusals(), 1, "refused");
        assertEq(_books.found(VoteOutcome.Carried), 1, "carried");
    }
}
