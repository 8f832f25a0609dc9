// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Duties} from "../access/Duties.sol";
import {RoleChecks} from "../access/RoleChecks.sol";
import {Account} from "./Account.sol";
import {IRecordDateBalances} from "./IRecordDateBalances.sol";
import {RecordDateKeeping} from "./RecordDateKeeping.sol";
import {Checkpoint, TokenData} from "./TokenStorage.sol";

/// @title RecordDates
/// @notice Balances at record dates.
/// @dev How they are kept: `RecordDateKeeping`.
abstract contract RecordDates is RoleChecks, RecordDateKeeping, IRecordDateBalances {
    /// @notice Largest number of record dates in the token's life.
    uint256 public constant RECORD_DATES_MAX = 4_096;

    /// @notice Largest number of record dates to come: bounds what a single movement may have to pass.
    uint256 public constant RECORD_DATES_PENDING_MAX = 64;

    /// @inheritdoc IRecordDateBalances
    function scheduleRecordDate(uint48 timepoint) external onlyRole(Duties.TREASURY) {
        if (timepoint < block.timestamp) revert RecordDateInThePast(timepoint, block.timestamp);
        uint256 passed = _passDates();
        uint48[] storage dates = _token().recordDates;
        uint256 length = dates.length;
        if (length == RECORD_DATES_MAX) revert RecordDateTooMany(length, RECORD_DATES_MAX);
        if (length - passed == RECORD_DATES_PENDING_MAX) {
            revert RecordDateTooMany(length - passed, RECORD_DATES_PENDING_MAX);
        }
        dates.push(timepoint);
        uint256 place = length;
        for (; place != passed && dates[place - 1] >= timepoint; --place) {
            if (dates[place - 1] == timepoint) revert RecordDateKnown(timepoint);
            dates[place] = dates[place - 1];
        }
        dates[place] = timepoint;
        _setNext(passed);
        emit RecordDateScheduled(timepoint);
    }

    /// @inheritdoc IRecordDateBalances
    function cancelRecordDate(uint48 timepoint) external onlyRole(Duties.TREASURY) {
        if (timepoint < block.timestamp) revert RecordDateInThePast(timepoint, block.timestamp);
        uint256 passed = _passDates();
        uint48[] storage dates = _token().recordDates;
        // Before the last place is counted: of no dates there is none.
        uint256 place = _dateNumber(timepoint) - 1;
        for (uint256 last = dates.length - 1; place < last; ++place) {
            dates[place] = dates[place + 1];
        }
        dates.pop();
        _setNext(passed);
        emit RecordDateCancelled(timepoint);
    }

    /// @inheritdoc IRecordDateBalances
    function balanceAt(address account, uint48 timepoint) external view returns (uint256) {
        // The checkpoints of the zero address are the supply's; nobody has a balance there.
        if (account == address(0)) return 0;
        return _at(_token().accounts[account], account, timepoint);
    }

    /// @inheritdoc IRecordDateBalances
    function totalSupplyAt(uint48 timepoint) external view returns (uint256) {
        return _at(_token().supply, address(0), timepoint);
    }

    /// @inheritdoc IRecordDateBalances
    function isRecordDate(uint48 timepoint) external view returns (bool) {
        (, bool found) = _findDate(timepoint);
        return found;
    }

    /// @inheritdoc IRecordDateBalances
    function recordDates() external view returns (uint48[] memory) {
        return _token().recordDates;
    }

    function _passDates() private returns (uint256 epoch) {
        TokenData storage data = _token();
        (epoch, data.head) = _epochNow(data.head);
    }

    function _setNext(uint256 passed) private {
        TokenData storage data = _token();
        uint48 next = passed == data.recordDates.length ? 0 : data.recordDates[passed];
        data.head = data.head.withNextRecordDate(next);
    }

    function _at(Account account, address owner, uint48 timepoint) private view returns (uint256) {
        uint256 number = _dateNumber(timepoint);
        if (timepoint >= block.timestamp) revert RecordDateNotOver(timepoint, block.timestamp);
        if (number > account.epoch()) return account.balance();
        if (number <= account.firstEpoch() || account.checkpoints() == 0) return 0;
        Checkpoint[4096] storage list = _token().checkpoints[owner];
        (uint256 low, uint256 high) = (0, account.checkpoints() - 1);
        // The first checkpoint whose epoch is not before the date; the last one's is the account's epoch.
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (Checkpoint.unwrap(list[middle]) >> 104 < number) low = middle + 1;
            else high = middle;
        }
        return uint104(Checkpoint.unwrap(list[low]));
    }

    /// @dev Number of an announced date, from 1.
    function _dateNumber(uint48 timepoint) private view returns (uint256) {
        (uint256 place, bool found) = _findDate(timepoint);
        if (!found) revert RecordDateUnknown(timepoint);
        return place + 1;
    }

    function _findDate(uint48 timepoint) private view returns (uint256 place, bool found) {
        uint48[] storage dates = _token().recordDates;
        uint256 high = dates.length;
        while (place < high) {
            uint256 middle = (place + high) / 2;
            if (dates[middle] < timepoint) place = middle + 1;
            else high = middle;
        }
        found = place < dates.length && dates[place] == timepoint;
    }
}
