// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What every transfer asks of the token itself, in one word.
/// @dev From the lowest bit: rules 160, next record date 48, holders 32, required topics 8, paused 8.
type TokenHead is uint256;

using TokenHeadFields for TokenHead global;

/// @title TokenHeadFields
/// @notice Reads and writes the fields of a {TokenHead}.
library TokenHeadFields {
    uint256 private constant NEXT_AT = 160;
    uint256 private constant HOLDERS_AT = 208;
    uint256 private constant TOPICS_AT = 240;
    uint256 private constant PAUSED_AT = 248;

    /// @notice Who knows the rules; zero if not set.
    function rules(TokenHead self) internal pure returns (address) {
        return address(uint160(TokenHead.unwrap(self)));
    }

    /// @notice The earliest record date that no movement has passed yet, in seconds since 1970; 0 if there is none.
    function nextRecordDate(TokenHead self) internal pure returns (uint48) {
        return uint48(TokenHead.unwrap(self) >> NEXT_AT);
    }

    /// @notice Accounts with a balance.
    function holders(TokenHead self) internal pure returns (uint32) {
        return uint32(TokenHead.unwrap(self) >> HOLDERS_AT);
    }

    /// @notice Topics that receivers need claims on, beside those of the registry.
    function requiredTopics(TokenHead self) internal pure returns (uint8) {
        return uint8(TokenHead.unwrap(self) >> TOPICS_AT);
    }

    /// @notice Whether transfers are stopped.
    function isPaused(TokenHead self) internal pure returns (bool) {
        return TokenHead.unwrap(self) >> PAUSED_AT != 0;
    }

    /// @dev The word with other rules.
    function withRules(TokenHead self, address value) internal pure returns (TokenHead) {
        return _with(self, 0, type(uint160).max, uint160(value));
    }

    /// @dev The word with another next record date.
    function withNextRecordDate(TokenHead self, uint48 value) internal pure returns (TokenHead) {
        return _with(self, NEXT_AT, type(uint48).max, value);
    }

    /// @dev The word with another number of holders.
    function withHolders(TokenHead self, uint32 value) internal pure returns (TokenHead) {
        return _with(self, HOLDERS_AT, type(uint32).max, value);
    }

    /// @dev The word with other required topics.
    function withRequiredTopics(TokenHead self, uint8 value) internal pure returns (TokenHead) {
        return _with(self, TOPICS_AT, type(uint8).max, value);
    }

    /// @dev The word of a token whose transfers are stopped, or go on.
    function withPaused(TokenHead self, bool value) internal pure returns (TokenHead) {
        return _with(self, PAUSED_AT, type(uint8).max, value ? 1 : 0);
    }

    function _with(TokenHead self, uint256 shift, uint256 mask, uint256 value) private pure returns (TokenHead) {
        return TokenHead.wrap((TokenHead.unwrap(self) & ~(mask << shift)) | (value << shift));
    }
}
