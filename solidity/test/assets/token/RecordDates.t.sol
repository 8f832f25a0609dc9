// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rule} from "../../../src/assets/compliance/RuleBook.sol";
import {IRecordDateBalances} from "../../../src/assets/token/IRecordDateBalances.sol";
import {AssetSuite} from "./AssetSuite.sol";

/// @title RecordDatesTest
/// @notice Balances at record dates, against a naive twin that writes everything down.
contract RecordDatesTest is AssetSuite {
    uint48 private constant START = uint48(NOW);

    function startRules() internal pure override returns (Rule[] memory) {
        return new Rule[](0);
    }

    function test_a_date_has_the_balances_after_its_last_second() public {
        schedule(START + 100);
        vm.warp(NOW + 100);
        transfer(alice, bob, 10);
        vm.warp(NOW + 101);
        assertEq(token.balanceAt(alice, START + 100), ALICE_UNITS - 10, "a movement of the date's own second counts");
        transfer(alice, bob, 5);
        assertEq(token.balanceAt(alice, START + 100), ALICE_UNITS - 10, "later ones do not");
        assertEq(token.balanceAt(bob, START + 100), BOB_UNITS + 10, "at both ends");
        assertEq(token.totalSupplyAt(START + 100), ALICE_UNITS + BOB_UNITS, "supply");
        assertEq(token.balanceAt(stranger, START + 100), 0, "nobody else");
        assertEq(token.balanceAt(address(0), START + 100), 0, "the supply is no account");
    }

    function test_frozen_and_held_units_count() public {
        schedule(START + 100);
        vm.prank(agent);
        token.freezePartialTokens(alice, 50);
        vm.prank(alice);
        bytes32 id = token.createHold("leg", bob, 40, notary, START + 1_000);
        vm.warp(NOW + 200);
        vm.prank(notary);
        token.executeHold(id, 40);
        assertEq(token.balanceAt(alice, START + 100), ALICE_UNITS, "all of it");
        assertEq(token.balanceAt(bob, START + 100), BOB_UNITS, "and no more");
    }

    function test_who_first_receives_after_a_date_had_nothing_then() public {
        enter(carol, 3);
        schedule(START + 100);
        schedule(START + 200);
        vm.warp(NOW + 150);
        transfer(alice, carol, 7);
        vm.warp(NOW + 250);
        assertEq(token.balanceAt(carol, START + 100), 0, "before");
        assertEq(token.balanceAt(carol, START + 200), 7, "after");
        transfer(carol, bob, 7);
        assertEq(token.balanceAt(carol, START + 100), 0, "still");
        assertEq(token.balanceAt(carol, START + 200), 7, "still");
    }

    function test_dates_may_be_announced_in_any_order_and_withdrawn() public {
        schedule(START + 300);
        schedule(START + 100);
        schedule(START + 200);
        uint48[] memory dates = token.recordDates();
        assertTrue(dates[0] == START + 100 && dates[1] == START + 200 && dates[2] == START + 300, "sorted");
        vm.prank(treasurer);
        token.cancelRecordDate(START + 100);
        assertFalse(token.isRecordDate(START + 100), "withdrawn");
        vm.warp(NOW + 150);
        transfer(alice, bob, 1);
        vm.warp(NOW + 250);
        transfer(alice, bob, 2);
        assertEq(token.balanceAt(alice, START + 200), ALICE_UNITS - 1, "the next date is the first");
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, START + 100));
        token.balanceAt(alice, START + 100);
        vm.prank(treasurer);
        token.cancelRecordDate(START + 300);
        assertEq(token.recordDates().length, 1, "one left");
    }

    function test_of_no_dates_none_is_withdrawn() public {
        bytes memory unknown = abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, START + 1);
        assertRefused(treasurer, address(token), abi.encodeCall(token.cancelRecordDate, (START + 1)), unknown);
    }

    function test_what_cannot_be_announced_withdrawn_or_asked() public {
        schedule(START + 100);
        vm.startPrank(treasurer);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateKnown.selector, START + 100));
        token.scheduleRecordDate(START + 100);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateInThePast.selector, START - 1, NOW));
        token.scheduleRecordDate(START - 1);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateInThePast.selector, START - 1, NOW));
        token.cancelRecordDate(START - 1);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, START + 50));
        token.cancelRecordDate(START + 50);
        vm.stopPrank();
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateNotOver.selector, START + 100, NOW));
        token.balanceAt(alice, START + 100);
        vm.warp(NOW + 100);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateNotOver.selector, START + 100, NOW + 100));
        token.totalSupplyAt(START + 100);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateUnknown.selector, START + 99));
        token.totalSupplyAt(START + 99);
    }

    function test_a_movement_passes_many_dates_at_once() public {
        for (uint48 i = 1; i <= 64; ++i) {
            schedule(START + i * 10);
        }
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateTooMany.selector, 64, 64));
        vm.prank(treasurer);
        token.scheduleRecordDate(START + 5);
        vm.warp(NOW + 10_000);
        transfer(alice, bob, 9);
        for (uint48 i = 1; i <= 64; ++i) {
            assertEq(token.balanceAt(alice, START + i * 10), ALICE_UNITS, "at each of them");
        }
        schedule(START + 10_000);
        vm.warp(NOW + 10_001);
        assertEq(token.balanceAt(alice, START + 10_000), ALICE_UNITS - 9, "and after");
    }

    function test_there_is_a_last_record_date() public {
        for (uint48 i = 0; i < 4_096; ++i) {
            vm.warp(NOW + i);
            schedule(START + i);
        }
        vm.warp(NOW + 5_000);
        expectError(abi.encodeWithSelector(IRecordDateBalances.RecordDateTooMany.selector, 4_096, 4_096));
        vm.prank(treasurer);
        token.scheduleRecordDate(START + 5_000);
        transfer(alice, bob, 1);
        assertEq(token.balanceAt(alice, START + 4_095), ALICE_UNITS, "the last one works");
    }

    struct Step {
        uint8 kind;
        uint8 who;
        uint24 amount;
        uint8 pause;
    }

    address[3] private _holders;
    uint48[] private _dates;
    mapping(uint48 date => mapping(address holder => uint256)) private _balancesAt;
    mapping(uint48 date => uint256) private _supplyAt;

    /// The twin writes every balance down at each date; the token must answer the same, at the end, for all of them.
    function testFuzz_every_date_is_answered_as_the_naive_twin_does(Step[24] memory steps) public {
        enter(carol, 3);
        _holders = [alice, bob, carol];
        for (uint256 i = 0; i < steps.length; ++i) {
            take(steps[i]);
        }
        vm.warp(block.timestamp + 1_000);
        for (uint256 i = 0; i < _dates.length; ++i) {
            uint48 date = _dates[i];
            uint256 sum;
            for (uint256 j = 0; j < 3; ++j) {
                uint256 balance = token.balanceAt(_holders[j], date);
                assertEq(balance, _balancesAt[date][_holders[j]], "balance");
                sum += balance;
            }
            assertEq(token.totalSupplyAt(date), sum, "the sum of snapshots is the supply");
            assertEq(sum, _supplyAt[date], "as the twin has it");
        }
    }

    function take(Step memory step) private {
        address from = _holders[step.who % 3];
        uint256 amount = bound(step.amount, 0, token.balanceOf(from));
        if (step.kind % 4 == 0) {
            uint48 date = uint48(block.timestamp);
            if (!token.isRecordDate(date)) {
                schedule(date);
                _dates.push(date);
                writeDown(date);
            }
            vm.warp(block.timestamp + 1 + step.pause);
        } else if (step.kind % 4 == 1) {
            vm.prank(issuer);
            token.mint(from, step.amount);
        } else if (step.kind % 4 == 2) {
            vm.prank(issuer);
            token.burn(from, amount);
        } else {
            transfer(from, _holders[(step.who >> 4) % 3], amount);
        }
    }

    function writeDown(uint48 date) private {
        for (uint256 j = 0; j < 3; ++j) {
            _balancesAt[date][_holders[j]] = token.balanceOf(_holders[j]);
        }
        _supplyAt[date] = token.totalSupply();
    }

    function schedule(uint48 timepoint) private {
        vm.prank(treasurer);
        token.scheduleRecordDate(timepoint);
    }
}
