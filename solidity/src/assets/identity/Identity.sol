// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the registry knows of an investor, in one word, so that one read and one argument carry it.
/// @dev From the lowest bit: country 16, class 8, flags 8, investor number 32, end of registration 16, spare 8, then 7
/// claims of 24 each (end 16, issuer 8).
type Identity is uint256;

using IdentityFields for Identity global;

/// @notice Classes of investors by CVM Resolution 30 of 2021, articles 11 and 12. Each includes those before it.
enum InvestorClass {
    None,
    General,
    Qualified,
    Professional
}

/// @title IdentityFields
/// @notice Reads and writes the fields of an {Identity}.
library IdentityFields {
    /// @dev The investor is in the registry.
    uint8 internal constant REGISTERED = 1;

    /// @dev Given by the registry's answer, never stored: all that was asked for is there and valid now.
    uint8 internal constant VERIFIED = 2;

    /// @dev No investor but a part of the market, such as a settlement contract or a depositary's account: quantities per
    /// investor do not bind it.
    uint8 internal constant INFRASTRUCTURE = 4;

    /// @dev Another wallet took the place of this one, which is no investor's any more.
    uint8 internal constant RETIRED = 8;

    /// @dev How many claims a word holds.
    uint256 internal constant CLAIMS_MAX = 7;

    uint256 private constant CLASS_AT = 16;
    uint256 private constant FLAGS_AT = 24;
    uint256 private constant NUMBER_AT = 32;
    uint256 private constant EXPIRY_AT = 64;
    uint256 private constant CLAIMS_AT = 88;
    uint256 private constant CLAIM_BITS = 24;

    /// @notice Country of residence by ISO 3166-1 numeric, such as 76 for Brazil.
    function country(Identity self) internal pure returns (uint16) {
        return uint16(Identity.unwrap(self));
    }

    /// @notice Class of the investor, as the number of an {InvestorClass}.
    function class(Identity self) internal pure returns (uint8) {
        return uint8(Identity.unwrap(self) >> CLASS_AT);
    }

    /// @notice Number of the investor in this registry, from 1; the same after a change of wallet. A wallet keeps it when it
    /// is removed or replaced: what it holds still is the investor's.
    function number(Identity self) internal pure returns (uint32) {
        return uint32(Identity.unwrap(self) >> NUMBER_AT);
    }

    /// @notice First day on which the registration no longer holds, in days of UTC since 1970-01-01.
    function expiryDay(Identity self) internal pure returns (uint16) {
        return uint16(Identity.unwrap(self) >> EXPIRY_AT);
    }

    /// @notice Whether the investor is in the registry, verified or not.
    function isRegistered(Identity self) internal pure returns (bool) {
        return _has(self, REGISTERED);
    }

    /// @notice Whether the registry answered that all that was asked for is there and valid.
    function isVerified(Identity self) internal pure returns (bool) {
        return _has(self, VERIFIED);
    }

    /// @notice Whether this is a part of the market and no investor.
    function isInfrastructure(Identity self) internal pure returns (bool) {
        return _has(self, INFRASTRUCTURE);
    }

    /// @notice Whether another wallet took the place of this one.
    function isRetired(Identity self) internal pure returns (bool) {
        return _has(self, RETIRED);
    }

    /// @notice The claim on the topic of this index: who issued it, 0 if nobody, and the first day on which it no longer
    /// holds.
    function claim(Identity self, uint256 topicIndex) internal pure returns (uint8 issuerIndex, uint16 endDay) {
        // Beyond the last index the shift leaves nothing: no claim.
        unchecked {
            uint256 bits = Identity.unwrap(self) >> (CLAIMS_AT + topicIndex * CLAIM_BITS);
            return (uint8(bits >> 16), uint16(bits));
        }
    }

    /// @dev The word with another country.
    function withCountry(Identity self, uint16 value) internal pure returns (Identity) {
        return _with(self, 0, type(uint16).max, value);
    }

    /// @dev The word with another class.
    function withClass(Identity self, InvestorClass value) internal pure returns (Identity) {
        return _with(self, CLASS_AT, type(uint8).max, uint8(value));
    }

    /// @dev The word with other flags.
    function withFlags(Identity self, uint8 value) internal pure returns (Identity) {
        return _with(self, FLAGS_AT, type(uint8).max, value);
    }

    /// @dev The word with one more flag.
    function withFlag(Identity self, uint8 flag) internal pure returns (Identity) {
        return Identity.wrap(Identity.unwrap(self) | (uint256(flag) << FLAGS_AT));
    }

    /// @dev The word with another investor number.
    function withNumber(Identity self, uint32 value) internal pure returns (Identity) {
        return _with(self, NUMBER_AT, type(uint32).max, value);
    }

    /// @dev The word with another end of registration.
    function withExpiryDay(Identity self, uint16 value) internal pure returns (Identity) {
        return _with(self, EXPIRY_AT, type(uint16).max, value);
    }

    /// @dev The word with another claim on one topic.
    function withClaim(Identity self, uint256 topicIndex, uint8 issuerIndex, uint16 endDay)
        internal
        pure
        returns (Identity)
    {
        uint256 bits = (uint256(issuerIndex) << 16) | endDay;
        return _with(self, CLAIMS_AT + topicIndex * CLAIM_BITS, type(uint24).max, bits);
    }

    function _has(Identity self, uint8 flag) private pure returns (bool) {
        return (Identity.unwrap(self) >> FLAGS_AT) & flag != 0;
    }

    function _with(Identity self, uint256 shift, uint256 mask, uint256 value) private pure returns (Identity) {
        return Identity.wrap((Identity.unwrap(self) & ~(mask << shift)) | (value << shift));
    }
}
