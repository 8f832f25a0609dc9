// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ReasonCodes
/// @notice Why a movement is refused. The numbers are part of the interface: none changes its meaning.
/// @dev 1-19 are the token's, 20-99 the rules', from 1,000 on a module's own.
library ReasonCodes {
    /// @dev The token is paused. Argument: 0.
    uint16 internal constant PAUSED = 1;

    /// @dev The sender's wallet is frozen. Argument: the wallet.
    uint16 internal constant SENDER_FROZEN = 2;

    /// @dev The receiver's wallet is frozen. Argument: the wallet.
    uint16 internal constant RECEIVER_FROZEN = 3;

    /// @dev The registry does not verify the receiver. Argument: the wallet.
    uint16 internal constant RECEIVER_NOT_VERIFIED = 4;

    /// @dev The sender has less free. Argument: the sender's free units.
    uint16 internal constant FREE_UNITS_INSUFFICIENT = 5;

    /// @dev Registry or rules are not set or do not answer. Argument: 0.
    uint16 internal constant RULES_UNAVAILABLE = 6;

    /// @dev The sender's wallet was replaced by another in the registry. Argument: the wallet.
    uint16 internal constant SENDER_REPLACED = 7;

    /// @dev The receiver's country is not permitted. Argument: the country by ISO 3166-1 numeric.
    uint16 internal constant COUNTRY = 20;

    /// @dev The receiver's class is not permitted. Argument: the class.
    uint16 internal constant INVESTOR_CLASS = 21;

    /// @dev The receiver would have too much. Argument: the largest balance in units.
    uint16 internal constant BALANCE_MAX = 22;

    /// @dev There would be too many holders. Argument: the largest number of them.
    uint16 internal constant HOLDERS_MAX = 23;

    /// @dev The receiver would have too little to be a holder. Argument: the smallest balance in units.
    uint16 internal constant RECEIVER_BALANCE_MIN = 24;

    /// @dev The sender would be left with too little to be a holder. Argument: the smallest balance in units.
    uint16 internal constant SENDER_BALANCE_MIN = 25;

    /// @dev More would be in issue than may. Argument: the largest supply in units.
    uint16 internal constant SUPPLY_MAX = 26;

    /// @dev The sender must keep units for their holding period. Argument: units that must stay.
    uint16 internal constant HOLDING_PERIOD = 27;

    /// @dev Transfers are not made at this time of day or day of week. Argument: second of the local day.
    uint16 internal constant WINDOW_CLOSED = 28;

    /// @dev The period of transfers has not begun or is over. Argument: its nearer end, in seconds since 1970.
    uint16 internal constant OUTSIDE_PERIOD = 29;

    /// @dev A transfer of this size needs an approval. Argument: from how many units on.
    uint16 internal constant APPROVAL_MISSING = 30;

    /// @dev The investor would get more in this year than may be offered. Argument: units that may still be issued.
    uint16 internal constant OFFERING_CAP = 31;

    /// @dev A module failed or answered nonsense. Argument: the module.
    uint16 internal constant MODULE_FAILED = 32;
}
