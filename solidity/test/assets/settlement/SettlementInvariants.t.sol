// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "../../base/Test.sol";
import {SettlementBooks} from "./SettlementBooks.sol";

contract SettlementInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    SettlementBooks private _books;

    function setUp() public {
        _books = new SettlementBooks();
        _books.setUp();
    }

    /// @dev Only the books' orders are drawn; confirmations most often, since they are what moves.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](9);
        orders[0] = _books.propose.selector;
        orders[1] = _books.agree.selector;
        orders[2] = _books.agree.selector;
        orders[3] = _books.agree.selector;
        orders[4] = _books.callOff.selector;
        orders[5] = _books.decide.selector;
        orders[6] = _books.giveBack.selector;
        orders[7] = _books.wait.selector;
        orders[8] = _books.litter.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_orders_move_all_or_nothing_and_the_contract_keeps_what_is_held() public view {
        _books.assertBooks();
    }

    function test_the_orders_of_the_books_can_execute_and_go_back() public {
        for (uint256 i = 0; i < 6; ++i) {
            _books.propose(i, 100 + i, 10, i > 2);
            _books.agree(i, 0, true);
            _books.agree(i, 1, false);
            _books.agree(i, 2, false);
        }
        _books.decide(4, true);
        _books.decide(5, false);
        _books.giveBack(5, 3);
        _books.litter(3);
        for (uint256 i = 0; i < 6; ++i) {
            _books.wait(1 hours);
        }
        _books.giveBack(3, 1);
        _books.callOff(0, 0);
        _books.assertBooks();
        assertEq(_books.executed(), 4, "executed");
        assertEq(_books.returned(), 2, "returned");
        assertTrue(_books.refused() > 0, "refused");
    }
}
