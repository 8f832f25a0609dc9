// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title LocalTime
/// @notice Clock and calendar at a fixed distance from UTC, such as -180 minutes for Brasília, which has had no summer
/// time since 2019 (Decree 9,772 of 2019).
library LocalTime {
    /// @dev Largest distance from UTC, in minutes.
    int256 internal constant OFFSET_MINUTES_MAX = 14 * 60;

    /// @dev Seconds since 1970-01-01 on the local clock.
    function localSeconds(uint256 timestamp, int16 offsetMinutes) internal pure returns (uint256) {
        return uint256(int256(timestamp) + int256(offsetMinutes) * 60);
    }

    /// @dev Day of the week of a local time: 0 is Monday, 6 is Sunday. 1970-01-01 was a Thursday.
    function weekday(uint256 local) internal pure returns (uint256) {
        return (local / 1 days + 3) % 7;
    }

    /// @dev Year of a local time, by the Gregorian calendar.
    /// Counts from 1968-03-01, so that a leap day is the last of its year of four; exact until 2100-02-28, as no century
    /// falls between, and so far beyond the life of what uses it.
    function year(uint256 local) internal pure returns (uint16) {
        uint256 day = local / 1 days + 671;
        uint256 marchYear = (day * 4 + 3) / 1461;
        uint256 dayOfMarchYear = day - marchYear * 1461 / 4;
        // The last 59 (in leap years 60) days of a year from March are January and February of the next.
        return uint16(1968 + marchYear + (dayOfMarchYear >= 306 ? 1 : 0));
    }
}
