// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Movement} from "./ITransferRules.sol";

/// @title IMovementSource
/// @notice What the rules ask of their token when somebody asks them without the facts.
interface IMovementSource {
    /// @notice The facts of a movement, as they are now.
    /// @param from Who would send; zero for an issue.
    /// @param to Who would receive.
    /// @param amount Units.
    /// @return What the rules are asked.
    function movementOf(address from, address to, uint256 amount) external view returns (Movement memory);

    /// @notice Number of an investor in the token's registry.
    /// @param account Whose wallet.
    /// @return 0 if it never was registered; a wallet keeps the number when it is removed or replaced.
    function investorNumber(address account) external view returns (uint32);
}
