// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NonZeroAddress} from "./NonZeroAddress.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title ParticipantGuard
/// @notice What is open to participants only: a participant is a wallet that is enabled in Real Digital, whatever its
/// roles.
abstract contract ParticipantGuard {
    using NonZeroAddress for address;

    /// @dev The one revert text that the kit published. Scripts compare it letter by letter, in every contract of the
    /// family, so it is a string and not a custom error, and names the same contract everywhere.
    string internal constant NOT_AUTHORIZED = "RealDigitalDefaultAccount: Not authorized Account";

    /// @notice The token whose list says who is a participant.
    RealDigital public immutable realDigital;

    /// @dev Passes for wallets that are enabled in Real Digital; for others reverts with {NOT_AUTHORIZED}.
    modifier onlyParticipant() {
        _checkParticipant();
        _;
    }

    /// @dev Reverts with `DrexZeroAddress` if `token` is zero. Calls nothing, so `token` may be deployed later.
    constructor(RealDigital token) {
        address(token).check("token");
        realDigital = token;
    }

    /// @dev Reverts with {NOT_AUTHORIZED} unless the caller is a participant.
    function _checkParticipant() internal view {
        require(realDigital.verifyAccount(msg.sender), NOT_AUTHORIZED);
    }
}
