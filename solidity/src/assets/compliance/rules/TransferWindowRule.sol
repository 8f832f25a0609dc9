// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {LocalTime} from "../LocalTime.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title TransferWindowRule
/// @notice Transfers are made within a period, on some days of the week, at some time of the day. Issues are not bound.
/// @dev One word, from the lowest bit: weekdays 8 (bit 0 is Monday); opening 32 and closing 32, seconds of the local
/// day, the closing one excluded; distance from UTC in minutes 16, signed; first second of the period 48; first second
/// after it 48. Holidays are not known here.
library TransferWindowRule {
    uint256 internal constant WORDS = 1;

    /// @dev The word of a window.
    function encode(
        uint8 weekdays,
        uint32 opensAt,
        uint32 closesAt,
        int16 offsetMinutes,
        uint48 periodFrom,
        uint48 periodUntil
    ) internal pure returns (uint256) {
        return uint256(weekdays) | (uint256(opensAt) << 8) | (uint256(closesAt) << 40)
            | (uint256(uint16(offsetMinutes)) << 72) | (uint256(periodFrom) << 88) | (uint256(periodUntil) << 136);
    }

    /// @dev Whether a word describes a window in which a transfer is possible at all.
    function isValid(uint256 word) internal pure returns (bool) {
        int256 offset = int16(uint16(word >> 72));
        return word >> 184 == 0 && uint8(word) != 0 && uint8(word) < 128 && uint32(word >> 8) < uint32(word >> 40)
            && uint32(word >> 40) <= 1 days && uint48(word >> 88) < uint48(word >> 136)
            && offset <= LocalTime.OFFSET_MINUTES_MAX && offset >= -LocalTime.OFFSET_MINUTES_MAX;
    }

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        if (movement.from == address(0)) return (0, 0);
        uint256 word = words.word(0);
        uint256 from = uint48(word >> 88);
        uint256 until = uint48(word >> 136);
        if (block.timestamp < from) return (ReasonCodes.OUTSIDE_PERIOD, from);
        if (block.timestamp >= until) return (ReasonCodes.OUTSIDE_PERIOD, until);
        uint256 local = LocalTime.localSeconds(block.timestamp, int16(uint16(word >> 72)));
        uint256 second = local % 1 days;
        bool isOpen = second >= uint32(word >> 8) && second < uint32(word >> 40);
        bool isDay = (word >> LocalTime.weekday(local)) & 1 != 0;
        return isOpen && isDay ? (0, 0) : (ReasonCodes.WINDOW_CLOSED, second);
    }
}
