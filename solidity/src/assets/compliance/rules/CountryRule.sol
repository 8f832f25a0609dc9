// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "../ITransferRules.sol";
import {ReasonCodes} from "../ReasonCodes.sol";
import {RuleWords} from "../RuleBook.sol";

/// @title CountryRule
/// @notice The receiver lives in a country that is permitted. Who moved to another may still sell.
/// @dev Four words: bit `c % 256` of word `c / 256` permits the country of code `c` (ISO 3166-1 numeric). A list of
/// countries that are denied is the same with all bits turned.
library CountryRule {
    uint256 internal constant WORDS = 4;

    /// @dev The words of a list: it permits these countries, or denies these and permits all others.
    function encode(uint16[] memory countries, bool denies) internal pure returns (uint256[] memory words) {
        words = new uint256[](WORDS);
        for (uint256 i = 0; i < countries.length; ++i) {
            words[countries[i] >> 8] |= 1 << (countries[i] & 0xff);
        }
        for (uint256 i = 0; denies && i < WORDS; ++i) {
            words[i] = ~words[i];
        }
    }

    function check(Movement memory movement, RuleWords words) internal pure returns (uint16 reason, uint256 argument) {
        uint256 country = movement.toIdentity.country();
        if (country >> 10 == 0 && (words.word(country >> 8) >> (country & 0xff)) & 1 != 0) return (0, 0);
        return (ReasonCodes.COUNTRY, country);
    }
}
