// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {Duties} from "./Duties.sol";
import {DutyRoles} from "./DutyRoles.sol";

/// @title UpgradeSwitch
/// @notice One contract, two ways of deployment: plain, for good, or as the implementation behind an ERC-1967 proxy.
/// @dev Each concrete contract takes its terms in the constructor. With an admin in them it initializes itself: it is
/// plain, and there is nothing to upgrade, since UUPS functions work behind a proxy alone. Without one it locks its
/// initializer: it is an implementation, and each proxy is initialized with its own terms.
abstract contract UpgradeSwitch is Initializable, UUPSUpgradeable, DutyRoles {
    /// @dev Replacing the implementation requires UPGRADER_ROLE. All storage is by ERC-7201.
    function _authorizeUpgrade(address) internal view override onlyRole(Duties.UPGRADER) {}
}
