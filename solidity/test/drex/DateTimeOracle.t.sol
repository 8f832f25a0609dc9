// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DateTimeOracle} from "../../src/drex/DateTimeOracle.sol";
import {Test} from "../base/Test.sol";

contract DateTimeOracleTest is Test {
    uint256 private constant MIDNIGHT = 1_788_220_800; // 2026-09-01 in UTC

    address private immutable authority = wallet("authority");
    DateTimeOracle private immutable oracle = new DateTimeOracle(authority, wallet("admin"));

    function test_a_day_in_brasilia_begins_at_three_in_utc() public {
        vm.warp(MIDNIGHT + 3 hours - 1);
        assertEq(oracle.today(), MIDNIGHT - 1 days, "the day before");
        vm.warp(MIDNIGHT + 3 hours);
        assertEq(oracle.today(), MIDNIGHT, "the day");
        vm.warp(MIDNIGHT + 27 hours - 1);
        assertEq(oracle.today(), MIDNIGHT, "its last second");
    }

    function testFuzz_a_day_is_a_midnight_and_holds_the_time_in_brasilia(uint256 time) public {
        time = bound(time, 3 hours, type(uint64).max);
        vm.warp(time);
        assertEq(oracle.today() % 1 days, 0, "midnight");
        assertLe(oracle.today(), time - 3 hours, "begun");
        assertLe(time - 3 hours, oracle.today() + 1 days - 1, "not over");
    }

    function test_the_authority_sets_the_day_and_gives_it_back() public {
        vm.warp(MIDNIGHT + 12 hours);
        vm.expectEmit(address(oracle));
        emit DateTimeOracle.DateChanged(MIDNIGHT + 2 days);
        vm.prank(authority);
        oracle.setDate(MIDNIGHT + 2 days);
        vm.warp(MIDNIGHT + 20 days);
        assertEq(oracle.today(), MIDNIGHT + 2 days, "stays");
        vm.prank(authority);
        oracle.setDate(0);
        assertEq(oracle.today(), MIDNIGHT + 19 days, "the calendar's: midnight in UTC is the evening before");
    }

    function test_only_the_authority_sets_the_day_and_only_to_a_midnight() public {
        expectMissingRole(address(this), oracle.ACCESS_ROLE());
        oracle.setDate(MIDNIGHT);
        expectError(abi.encodeWithSelector(DateTimeOracle.DateTimeOracleNotMidnight.selector, MIDNIGHT + 1));
        vm.prank(authority);
        oracle.setDate(MIDNIGHT + 1);
    }
}
