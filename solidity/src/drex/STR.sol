// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ParticipantGuard} from "./ParticipantGuard.sol";
import {RealDigital} from "./RealDigital.sol";

/// @title STR
/// @notice Stands for the reserve transfer system: a participant turns reserves into Real Digital here, and back.
/// @dev Needs MINTER_ROLE and MOVER_ROLE on Real Digital. DANGER: nothing asks whether the reserves were paid in: any
/// participant issues any amount to itself, as on the pilot's network. A network whose money is worth something grants
/// these roles to a contract that settles with the reserve system.
///
/// Burning needs no allowance, and only the caller's own money burns. The money's `Transfer` events say what happened.
contract STR is ParticipantGuard {
    /// @dev Reverts with `DrexZeroAddress` if `token` is zero.
    /// @param token Real Digital.
    constructor(RealDigital token) ParticipantGuard(token) {}

    /// @notice Issues Real Digital to the caller.
    /// @dev Requires a participant; others get the kit's text. Emits `Transfer` from zero at Real Digital. Reverts as
    /// Real Digital does.
    /// @param amount Cents.
    function requestToMint(uint256 amount) external onlyParticipant {
        realDigital.mint(msg.sender, amount);
    }

    /// @notice Burns Real Digital of the caller, without an allowance.
    /// @dev Requires a participant; others get the kit's text. Emits `Transfer` to zero at Real Digital. Reverts as Real
    /// Digital does.
    /// @param amount Cents.
    function requestToBurn(uint256 amount) external onlyParticipant {
        realDigital.moveAndBurn(msg.sender, amount);
    }
}
