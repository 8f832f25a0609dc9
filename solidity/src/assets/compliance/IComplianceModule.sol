// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "./ITransferRules.sol";

/// @title IComplianceModule
/// @notice A rule of somebody else's making, beside those of the house.
/// @dev One module may serve many tokens: what differs between them is the configuration, which is handed in.
interface IComplianceModule {
    /// @notice Judges a movement.
    /// @dev Called with a bounded amount of gas. A call that fails counts as a refusal.
    /// @param movement What would move.
    /// @param configuration As in the rules in force.
    /// @return reason 0 if permitted; otherwise the module's own number, at least 1,000.
    /// @return argument What the reason is about.
    function check(Movement calldata movement, bytes32 configuration)
        external
        view
        returns (uint16 reason, uint256 argument);
}
