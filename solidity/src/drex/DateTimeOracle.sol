// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityControl} from "./AuthorityControl.sol";

/// @title DateTimeOracle
/// @notice Says which day it is for operations that fall due on a day.
/// @dev A day is its midnight in UTC, in seconds since 1970, as scripts write a date. Without a word of the authority it
/// is the calendar's day in Brasília (UTC−3, without daylight saving time since 2019). The authority may set the day, as
/// the settlement system of federal bonds sets its day of movement; DANGER: a day that is set stays until it is set
/// anew, and moving it makes repurchases fall due, or overdue.
contract DateTimeOracle is AuthorityControl {
    /// @notice What Brasília's time is behind UTC, in seconds.
    uint256 public constant SECONDS_BEHIND_UTC = 3 hours;

    /// @notice The day that the authority set; zero if the calendar's holds.
    uint256 public dateSet;

    /// @notice The day was set, or given back to the calendar.
    /// @param date The day; zero for the calendar's.
    event DateChanged(uint256 date);

    /// @notice A day is given by its midnight in UTC.
    /// @param date What was given, in seconds since 1970.
    error DateTimeOracleNotMidnight(uint256 date);

    /// @dev Reverts with `DrexZeroAddress` if an address is zero.
    /// @param authority_ Receives ACCESS_ROLE: sets the day.
    /// @param admin_ Receives DEFAULT_ADMIN_ROLE.
    constructor(address authority_, address admin_) AuthorityControl(authority_, admin_) {}

    /// @notice Sets the day, or gives it back to the calendar.
    /// @dev Requires ACCESS_ROLE. Emits {DateChanged}. Reverts with {DateTimeOracleNotMidnight}.
    /// @param date Midnight of the day in UTC, in seconds since 1970; zero for the calendar's.
    function setDate(uint256 date) external onlyRole(ACCESS_ROLE) {
        if (date % 1 days != 0) revert DateTimeOracleNotMidnight(date);
        dateSet = date;
        emit DateChanged(date);
    }

    /// @notice The day.
    /// @return Its midnight in UTC, in seconds since 1970.
    function today() external view returns (uint256) {
        if (dateSet != 0) return dateSet;
        uint256 time = block.timestamp - SECONDS_BEHIND_UTC;
        return time - time % 1 days;
    }
}
