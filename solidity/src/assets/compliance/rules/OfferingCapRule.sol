// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {LocalTime} from "../LocalTime.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";
import {RulesStorage} from "../RulesStorage.sol";

/// @title OfferingCapRule
/// @notice An investor is issued no more than so much in a calendar year, such as CVM Resolution 88 of 2022 (article 4)
/// sets for crowdfunding. Some classes are exempt, and so is infrastructure.
/// @dev One word, from the lowest bit: units 104; exempt classes 8 (bit `c` for class `c`); distance of the calendar
/// from UTC in minutes 16, signed. Books are kept per investor, so that a new wallet changes nothing.
library OfferingCapRule {
    uint256 internal constant WORDS = 1;

    /// @dev The word of a cap.
    function encode(uint104 units, uint8 exemptClasses, int16 offsetMinutes) internal pure returns (uint256) {
        return uint256(units) | (uint256(exemptClasses) << 104) | (uint256(uint16(offsetMinutes)) << 112);
    }

    /// @dev Whether a word describes a cap.
    function isValid(uint256 word) internal pure returns (bool) {
        int256 offset = int16(uint16(word >> 112));
        return word >> 128 == 0 && offset <= LocalTime.OFFSET_MINUTES_MAX && offset >= -LocalTime.OFFSET_MINUTES_MAX;
    }

    function check(Movement memory movement, RuleWords words) internal view returns (uint16 reason, uint256 argument) {
        uint256 word = words.word(0);
        bool isExempt = (word >> 104 >> movement.toIdentity.class()) & 1 != 0 && movement.toIdentity.class() < 8;
        if (movement.from != address(0) || isExempt || movement.toIdentity.isInfrastructure()) return (0, 0);
        uint256 issued = RulesStorage.data().issued[movement.toIdentity.number()][_year(word)];
        uint256 left = uint104(word) > issued ? uint104(word) - issued : 0;
        return movement.amount <= left ? (0, 0) : (ReasonCodes.OFFERING_CAP, left);
    }

    /// @dev Enters what was issued to an investor.
    function record(uint32 investor, uint256 amount, uint256 word) internal {
        RulesStorage.data().issued[investor][_year(word)] += amount;
    }

    function _year(uint256 word) private view returns (uint16) {
        return LocalTime.year(LocalTime.localSeconds(block.timestamp, int16(uint16(word >> 112))));
    }
}
