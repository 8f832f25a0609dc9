// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IRecordDateBalances
/// @notice What every holder had at a record date (data-base), without any loop over holders.
/// @dev A record date is announced before it comes. The balance at a date is the one after all blocks whose timestamp is
/// at most that date; it can be asked for as soon as a later block exists. Between dates nothing is written: an account
/// keeps its old balance at its first movement after a date, and only then. Dates that nobody announced cannot be
/// answered for.
interface IRecordDateBalances {
    /// @notice A record date was announced.
    /// @param timepoint Seconds since 1970, not in the past.
    event RecordDateScheduled(uint48 indexed timepoint);

    /// @notice A record date was withdrawn before it came.
    /// @param timepoint Seconds since 1970.
    event RecordDateCancelled(uint48 indexed timepoint);

    /// @notice Nobody announced this record date, or it was withdrawn.
    /// @param timepoint What was asked for, in seconds since 1970.
    error RecordDateUnknown(uint48 timepoint);

    /// @notice The record date is not over: balances of its second may still change.
    /// @param timepoint What was asked for, in seconds since 1970.
    /// @param timestamp Time of the block.
    error RecordDateNotOver(uint48 timepoint, uint256 timestamp);

    /// @notice A date in the past can be neither announced nor withdrawn.
    /// @param timepoint What was given, in seconds since 1970.
    /// @param timestamp Time of the block.
    error RecordDateInThePast(uint48 timepoint, uint256 timestamp);

    /// @notice The date is announced already.
    /// @param timepoint What was given, in seconds since 1970.
    error RecordDateKnown(uint48 timepoint);

    /// @notice There are as many record dates as the token takes.
    /// @param count How many there are: of those to come, or of all if that is the limit reached.
    /// @param max The limit.
    error RecordDateTooMany(uint256 count, uint256 max);

    /// @notice Announces a record date, in any order.
    /// @dev Requires TREASURY_ROLE. Emits {RecordDateScheduled}. Reverts with {RecordDateInThePast} if the date is
    /// before this block, {RecordDateKnown}, {RecordDateTooMany}.
    /// @param timepoint Seconds since 1970; this block's own time is the earliest.
    function scheduleRecordDate(uint48 timepoint) external;

    /// @notice Withdraws a record date that has not come.
    /// @dev Requires TREASURY_ROLE. Emits {RecordDateCancelled}. Reverts with {RecordDateUnknown},
    /// {RecordDateInThePast}.
    /// @param timepoint Seconds since 1970.
    function cancelRecordDate(uint48 timepoint) external;

    /// @notice What the account had at a record date, frozen and held units included.
    /// @dev Reverts with {RecordDateUnknown}, {RecordDateNotOver}.
    /// @param account Whose balance.
    /// @param timepoint An announced record date that is over, in seconds since 1970.
    /// @return Units.
    function balanceAt(address account, uint48 timepoint) external view returns (uint256);

    /// @notice The sum of all balances at a record date.
    /// @dev Reverts with {RecordDateUnknown}, {RecordDateNotOver}.
    /// @param timepoint An announced record date that is over, in seconds since 1970.
    /// @return Units.
    function totalSupplyAt(uint48 timepoint) external view returns (uint256);

    /// @notice Whether this record date is announced.
    /// @param timepoint Seconds since 1970.
    /// @return True if it is, past or to come.
    function isRecordDate(uint48 timepoint) external view returns (bool);

    /// @notice All announced record dates, oldest first.
    /// @return Seconds since 1970.
    function recordDates() external view returns (uint48[] memory);
}
