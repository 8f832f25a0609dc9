// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What the token keeps of an account (or of its supply), in one word: a transfer reads and writes one slot at
/// each end.
/// @dev From the lowest bit: balance 104, encumbered 104, epoch 14, checkpoints 14, first epoch 14, flags 6, of which two
/// are in use: frozen, retired.
type Account is uint256;

using AccountFields for Account global;

/// @title AccountFields
/// @notice Reads and writes the fields of an {Account}. The `with` functions expect values that fit.
library AccountFields {
    /// @dev Largest balance, supply, or sum of frozen and held units: 2.0e31.
    uint256 internal constant UNITS_MAX = type(uint104).max;

    uint256 private constant ENCUMBERED_AT = 104;
    uint256 private constant EPOCH_AT = 208;
    uint256 private constant CHECKPOINTS_AT = 222;
    uint256 private constant FIRST_EPOCH_AT = 236;
    uint256 private constant EPOCH_MASK = 0x3fff;
    uint256 private constant FROZEN_FLAG = 1 << 250;
    uint256 private constant RETIRED_FLAG = 1 << 251;

    /// @notice Units of the account, encumbered ones included.
    function balance(Account self) internal pure returns (uint256) {
        return Account.unwrap(self) & UNITS_MAX;
    }

    /// @notice Sum of frozen and held units; may exceed the balance, since more than there is may be frozen.
    function encumbered(Account self) internal pure returns (uint256) {
        return (Account.unwrap(self) >> ENCUMBERED_AT) & UNITS_MAX;
    }

    /// @notice Units that may leave.
    function free(Account self) internal pure returns (uint256) {
        (uint256 has, uint256 bound) = (self.balance(), self.encumbered());
        return has > bound ? has - bound : 0;
    }

    /// @notice How many record dates were over when the account last changed.
    function epoch(Account self) internal pure returns (uint256) {
        return (Account.unwrap(self) >> EPOCH_AT) & EPOCH_MASK;
    }

    /// @notice How many checkpoints the account has.
    function checkpoints(Account self) internal pure returns (uint256) {
        return (Account.unwrap(self) >> CHECKPOINTS_AT) & EPOCH_MASK;
    }

    /// @notice How many record dates were over before the account first had anything.
    function firstEpoch(Account self) internal pure returns (uint256) {
        return (Account.unwrap(self) >> FIRST_EPOCH_AT) & EPOCH_MASK;
    }

    /// @notice Whether the whole wallet is frozen.
    function isFrozen(Account self) internal pure returns (bool) {
        return Account.unwrap(self) & FROZEN_FLAG != 0;
    }

    /// @notice Whether a recovery took the wallet out of use.
    function isRetired(Account self) internal pure returns (bool) {
        return Account.unwrap(self) & RETIRED_FLAG != 0;
    }

    /// @dev The word with `units` more; the sum fits.
    function plus(Account self, uint256 units) internal pure returns (Account) {
        return Account.wrap(Account.unwrap(self) + units);
    }

    /// @dev The word with `units` fewer; there are as many.
    function minus(Account self, uint256 units) internal pure returns (Account) {
        return Account.wrap(Account.unwrap(self) - units);
    }

    /// @dev The word with another sum of frozen and held units.
    function withEncumbered(Account self, uint256 value) internal pure returns (Account) {
        return _with(self, ENCUMBERED_AT, UNITS_MAX, value);
    }

    /// @dev The word with another epoch.
    function withEpoch(Account self, uint256 value) internal pure returns (Account) {
        return _with(self, EPOCH_AT, EPOCH_MASK, value);
    }

    /// @dev The word with another number of checkpoints.
    function withCheckpoints(Account self, uint256 value) internal pure returns (Account) {
        return _with(self, CHECKPOINTS_AT, EPOCH_MASK, value);
    }

    /// @dev The word with another first epoch.
    function withFirstEpoch(Account self, uint256 value) internal pure returns (Account) {
        return _with(self, FIRST_EPOCH_AT, EPOCH_MASK, value);
    }

    /// @dev The word of a wallet that is frozen as a whole, or not.
    function withFrozen(Account self, bool value) internal pure returns (Account) {
        uint256 word = Account.unwrap(self) & ~FROZEN_FLAG;
        return Account.wrap(value ? word | FROZEN_FLAG : word);
    }

    /// @dev The word of a wallet that a recovery took out of use, for good.
    function withRetired(Account self) internal pure returns (Account) {
        return Account.wrap(Account.unwrap(self) | RETIRED_FLAG);
    }

    function _with(Account self, uint256 shift, uint256 mask, uint256 value) private pure returns (Account) {
        return Account.wrap((Account.unwrap(self) & ~(mask << shift)) | (value << shift));
    }
}
