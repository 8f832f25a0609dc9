// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {Identity} from "../identity/Identity.sol";

/// @notice A movement of units that is asked about, with all that a rule usually wants to know, so that no rule has to
/// ask for itself. Everything is as it is before the movement.
struct Movement {
    /// Whose units.
    address token;
    /// Who sends; zero when units are issued.
    address from;
    /// Who receives.
    address to;
    /// Units.
    uint256 amount;
    /// What the sender has, in units, frozen and held ones included; 0 when issued.
    uint256 fromBalance;
    /// What the receiver has, in units.
    uint256 toBalance;
    /// Accounts with a balance.
    uint256 holders;
    /// What the registry knows of the sender; zero if nothing. Of a wallet that was removed, its investor's number alone.
    Identity fromIdentity;
    /// What the registry knows of the receiver; zero if nothing.
    Identity toIdentity;
}

/// @notice One reason why a movement is refused.
struct Refusal {
    /// Who refuses: the token itself, its rules, or a module of somebody else.
    address module;
    /// Why, by the list in `ReasonCodes`.
    uint16 reason;
    /// What the reason is about, in the unit that `ReasonCodes` gives for it.
    uint256 argument;
}

/// @title ITransferRules
/// @notice What a token of this family asks of its rules, beside ERC-3643's `ICompliance`: one question with everything
/// in it, and an answer that says why.
interface ITransferRules is IERC165 {
    /// @notice The movement is against a rule: the first in the order of the rules in force.
    /// @param module Who refuses.
    /// @param reason Why, by `ReasonCodes`.
    /// @param argument What the reason is about.
    error ComplianceRefused(address module, uint16 reason, uint256 argument);

    /// @notice Returns if the rules in force permit the movement.
    /// @dev Reverts with {ComplianceRefused}. Believes what it is told: the answer is worth what the caller's facts are.
    /// @param movement What would move.
    /// @return recordNeeded Whether a rule in force keeps books, so that the token must tell when it has moved.
    function check(Movement calldata movement) external view returns (bool recordNeeded);

    /// @notice Every reason against the movement, from every rule in force. Never reverts for what a module does.
    /// @param movement What would move.
    /// @return Empty if the movement is permitted.
    function refusals(Movement calldata movement) external view returns (Refusal[] memory);

    /// @notice Whether a rule in force keeps books of what was issued to whom. They are in units: what changes the meaning
    /// of a unit makes nonsense of them.
    /// @return True if one does.
    function recordsIssues() external view returns (bool);

    /// @notice Shortest time between announcing other rules and their coming into force. The token keeps it too when these
    /// rules as a whole, its registry or its required topics are to be changed.
    /// @return Seconds.
    function noticeSeconds() external view returns (uint48);
}
