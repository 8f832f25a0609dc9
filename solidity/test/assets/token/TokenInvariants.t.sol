// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRegulatedToken} from "../../../src/assets/token/IRegulatedToken.sol";
import {Test} from "../../base/Test.sol";
import {TokenBooks} from "./TokenBooks.sol";

/// @title TokenInvariantsTest
/// @notice What holds after any sequence of orders.
contract TokenInvariantsTest is Test {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    TokenBooks private _books;
    IRegulatedToken private _token;

    function setUp() public {
        _books = new TokenBooks();
        _books.setUp();
        _token = IRegulatedToken(_books.asset());
    }

    /// @dev Only the books' orders are drawn.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory orders = new bytes4[](19);
        orders[0] = _books.pay.selector;
        orders[1] = _books.payByAllowance.selector;
        orders[2] = _books.payInBatch.selector;
        orders[3] = _books.promise_.selector;
        orders[4] = _books.execute.selector;
        orders[5] = _books.release.selector;
        orders[6] = _books.issue.selector;
        orders[7] = _books.redeem.selector;
        orders[8] = _books.freeze.selector;
        orders[9] = _books.freezeWallet.selector;
        orders[10] = _books.force.selector;
        orders[11] = _books.setVersion.selector;
        orders[12] = _books.passDate.selector;
        orders[13] = _books.payApproved.selector;
        orders[14] = _books.pauseOrNot.selector;
        orders[15] = _books.change.selector;
        orders[16] = _books.removeOrNot.selector;
        orders[17] = _books.lose.selector;
        orders[18] = _books.recover.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_books), orders);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_books);
    }

    function invariant_supply_is_the_sum_of_balances_and_of_snapshots() public view {
        address[] memory holders = _books.holders();
        (uint256 sum, uint256 count) = (0, 0);
        for (uint256 i = 0; i < holders.length; ++i) {
            uint256 balance = _token.balanceOf(holders[i]);
            sum += balance;
            if (balance != 0) ++count;
        }
        assertEq(_token.totalSupply(), sum, "balances");
        assertEq(_token.totalSupply(), _books.issued(), "issued");
        assertEq(_token.holderCount(), count, "holders");
        uint48[] memory dates = _books.dates();
        for (uint256 d = 0; d < dates.length; ++d) {
            sum = 0;
            for (uint256 i = 0; i < holders.length; ++i) {
                sum += _token.balanceAt(holders[i], dates[d]);
            }
            assertEq(_token.totalSupplyAt(dates[d]), sum, "snapshots");
        }
    }

    function invariant_what_is_bound_is_there_and_what_is_free_is_the_rest() public view {
        address[] memory holders = _books.holders();
        for (uint256 i = 0; i < holders.length; ++i) {
            uint256 balance = _token.balanceOf(holders[i]);
            uint256 held = _token.heldBalanceOf(holders[i]);
            uint256 frozen = _token.getFrozenTokens(holders[i]);
            assertLe(held, balance, "held units are there");
            assertEq(held, _books.promised(holders[i]), "each is of an active hold");
            uint256 free = balance < held + frozen ? 0 : balance - held - frozen;
            assertEq(_token.freeBalanceOf(holders[i]), free, "free");
        }
    }

    function invariant_no_path_does_what_the_rules_forbid() public view {
        assertEq(_books.violations(), 0, "violations");
    }

    /// The books would hold of themselves if every order were refused.
    function test_orders_are_carried_out() public {
        _books.pay(0, 1, 10);
        _books.payByAllowance(1, 2, 10);
        _books.payInBatch(0, 3, 10);
        _books.promise_(0, 1, 10, 1 days);
        _books.execute(0, 10);
        _books.issue(2, 10);
        _books.redeem(2, 10);
        _books.passDate(1);
        // All seven rules: Tuesdays, up to 900,050 units, approvals from 50 on.
        _books.setVersion(127 << 7 | 127, 900_050);
        _books.payApproved(0, 1, 200);
        _books.lose(0, 0);
        _books.recover(0);
        assertEq(_books.movements(), 5, "each path moved");
        assertEq(_books.dates().length, 1, "a date passed");
        assertEq(_books.recoveries(), 1, "a wallet was recovered");
        assertEq(_books.violations(), 0, "as is allowed");
    }
}
