// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {IAgentRole} from "../access/IAgentRole.sol";
import {IMovementSource} from "../compliance/IMovementSource.sol";
import {Refusal} from "../compliance/ITransferRules.sol";
import {IERC3643} from "./IERC3643.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {IHolds} from "./IHolds.sol";
import {IRecordDateBalances} from "./IRecordDateBalances.sol";

/// @title IRegulatedToken
/// @notice All that a regulated token answers, at one address, whichever of its two parts runs it.
/// @dev What callers and bindings use. Who may call, what is emitted and when it reverts stands at the implementations.
interface IRegulatedToken is
    IERC3643,
    IERC7943Fungible,
    IHolds,
    IRecordDateBalances,
    IERC20Metadata,
    IERC20Permit,
    IMovementSource,
    IAccessControl,
    IAgentRole
{
    /// @notice See `TokenSettings`.
    event RequiredTopicsSet(uint8 topics);

    /// @notice See `TokenSettings`.
    event SupplyAttested(address indexed auditor, uint256 supply, uint256 holders, bytes32 indexed evidence);

    /// @notice See `TokenSettings`.
    event ChangeAnnounced(bytes32 indexed callHash, bytes call, uint48 effectiveFrom);

    /// @notice See `TokenSettings`.
    event ChangeWithdrawn(bytes32 indexed callHash);

    /// @notice Announces a change of registry, rules or required topics. Requires COMPLIANCE_ROLE.
    function announceChange(bytes calldata call) external;

    /// @notice Withdraws an announced change. Requires COMPLIANCE_ROLE.
    function withdrawChange(bytes32 callHash) external;

    /// @notice From when an announced change may be made; 0 if there is none.
    function announcedChange(bytes32 callHash) external view returns (uint48);

    /// @notice Sets the topics that receivers need claims on, beside those of the registry. Requires COMPLIANCE_ROLE.
    function setRequiredTopics(uint8 topics) external;

    /// @notice Says that the books were found in order as they are now. Requires AUDITOR_ROLE.
    function attestSupply(bytes32 evidence) external;

    /// @notice Names a successor of the admin. Requires the admin.
    function transferOwnership(address newOwner) external;

    /// @notice Takes the admin's role over. Requires the named successor.
    function acceptOwnership() external;

    /// @notice Replaces the implementation behind a proxy. Requires UPGRADER_ROLE.
    function upgradeToAndCall(address newImplementation, bytes calldata data) external payable;

    /// @notice The admin.
    function owner() external view returns (address);

    /// @notice The named successor of the admin.
    function pendingOwner() external view returns (address);

    /// @notice Topics that receivers need claims on, beside those of the registry.
    function requiredTopics() external view returns (uint8);

    /// @notice What of an account may leave: neither frozen nor held.
    function freeBalanceOf(address account) external view returns (uint256);

    /// @notice Number of accounts with a balance.
    function holderCount() external view returns (uint256);

    /// @notice Every reason why a holder's transfer would be refused now.
    function transferRefusals(address from, address to, uint256 amount) external view returns (Refusal[] memory list);

    /// @notice Moves units by order. Requires AGENT_ROLE.
    function forcedTransfer(address from, address to, uint256 amount)
        external
        override(IERC3643, IERC7943Fungible)
        returns (bool result);

    /// @notice How many units of an account are frozen.
    function getFrozenTokens(address account)
        external
        view
        override(IERC3643, IERC7943Fungible)
        returns (uint256 amount);
}
