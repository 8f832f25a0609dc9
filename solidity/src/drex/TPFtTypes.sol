// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What tells one series of federal bonds from another. Strings are case-sensitive, the date counts to the
/// second.
struct TPFtData {
    /// Kind of bond, such as `LTN`.
    string acronym;
    /// Code of the bond at the settlement system, such as `100000`.
    string code;
    /// Day of maturity, in seconds since 1970 (UTC). A value of 13 digits is in milliseconds, and wrong.
    uint256 maturityDate;
}

/// @notice For which side of an operation its caller speaks.
enum CallerPart {
    /// The one who delivers bonds: the seller (cedente).
    TPFtSender,
    /// The one who receives bonds: the buyer (cessionário).
    TPFtReceiver
}
