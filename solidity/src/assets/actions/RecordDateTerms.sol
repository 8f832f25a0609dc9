// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TokenDuties} from "./TokenDuties.sol";

/// @title RecordDateTerms
/// @notice Terms that count the balances of a record date: made before the date is over, binding from then on.
abstract contract RecordDateTerms is TokenDuties {
    /// @notice The record date is not announced at the token, or over.
    /// @param recordDate The date given, in seconds since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error TermsRecordDateInvalid(uint48 recordDate, uint256 time);

    /// @notice The record date is over: holders count on the terms, or it is too late to agree to them.
    /// @param id What the terms are of.
    /// @param recordDate The date, in seconds since 1970.
    /// @param time Time of the block, in seconds since 1970.
    error TermsRecordDateOver(uint256 id, uint48 recordDate, uint256 time);

    /// @dev Reverts with {TermsRecordDateInvalid} unless terms may name the date.
    function _checkRecordDate(uint48 recordDate) internal view {
        if (block.timestamp > recordDate || !token.isRecordDate(recordDate)) {
            revert TermsRecordDateInvalid(recordDate, block.timestamp);
        }
    }

    /// @dev Reverts with {TermsRecordDateOver} once it is too late to agree.
    function _checkAgreeable(uint256 id, uint48 recordDate) internal view {
        if (block.timestamp > recordDate) revert TermsRecordDateOver(id, recordDate, block.timestamp);
    }

    /// @dev Reverts with {TermsRecordDateOver} once holders count on what was agreed to, unless the token no longer knows
    /// the date.
    function _checkWithdrawable(uint256 id, uint48 recordDate) internal view {
        if (block.timestamp > recordDate && token.isRecordDate(recordDate)) {
            revert TermsRecordDateOver(id, recordDate, block.timestamp);
        }
    }
}
