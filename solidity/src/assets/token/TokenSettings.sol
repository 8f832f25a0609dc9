// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {Duties} from "../access/Duties.sol";
import {RoleChecks} from "../access/RoleChecks.sol";
import {ICompliance} from "../compliance/ICompliance.sol";
import {ITransferRules} from "../compliance/ITransferRules.sol";
import {IERC3643} from "./IERC3643.sol";
import {TokenInformation} from "./TokenInformation.sol";

/// @title TokenSettings
/// @notice Names, registry, rules, and the auditor's word.
abstract contract TokenSettings is RoleChecks, TokenInformation {
    /// @notice Other topics are required of receivers.
    /// @param topics A set of indices of the registry.
    event RequiredTopicsSet(uint8 topics);

    /// @notice An auditor says to have found the books in order as they are now.
    /// @param auditor Who.
    /// @param supply Units in issue.
    /// @param holders Accounts with a balance.
    /// @param evidence Hash of the report.
    event SupplyAttested(address indexed auditor, uint256 supply, uint256 holders, bytes32 indexed evidence);

    /// @notice Changes the name. Permits signed under the old one are worth nothing any more.
    /// @dev Requires ISSUER_ROLE. Emits `UpdatedTokenInformation`.
    /// @param name_ The new name.
    function setName(string calldata name_) external onlyRole(Duties.ISSUER) {
        _token().name = name_;
        _announce();
    }

    /// @notice Changes the symbol.
    /// @dev Requires ISSUER_ROLE. Emits `UpdatedTokenInformation`.
    /// @param symbol_ The new symbol.
    function setSymbol(string calldata symbol_) external onlyRole(Duties.ISSUER) {
        _token().symbol = symbol_;
        _announce();
    }

    /// @notice Changes the token's own identity.
    /// @dev Requires ISSUER_ROLE. Emits `UpdatedTokenInformation`.
    /// @param onchainID_ The new identity, or zero.
    function setOnchainID(address onchainID_) external onlyRole(Duties.ISSUER) {
        _token().onchainID = onchainID_;
        _announce();
    }

    /// @notice Sets who knows the investors.
    /// @dev Requires COMPLIANCE_ROLE. Emits `IdentityRegistryAdded`. Reverts with `TokenRegistryInvalid`. Investor numbers
    /// are the registry's own: rules that keep books per investor must be new ones too.
    /// @param identityRegistry_ A registry with `IIdentityScreen`.
    function setIdentityRegistry(address identityRegistry_) external onlyRole(Duties.COMPLIANCE) {
        _setRegistry(identityRegistry_);
    }

    /// @notice Sets who knows the rules.
    /// @dev Requires COMPLIANCE_ROLE. Emits `ComplianceAdded`. Reverts with `TokenRulesInvalid`.
    /// @param compliance_ Rules with `ITransferRules`, bound to this token.
    function setCompliance(address compliance_) external onlyRole(Duties.COMPLIANCE) {
        if (!ERC165Checker.supportsInterface(compliance_, type(ITransferRules).interfaceId)) {
            revert TokenRulesInvalid(compliance_);
        }
        if (!ICompliance(compliance_).isTokenBound(address(this))) revert TokenRulesInvalid(compliance_);
        _token().head = _token().head.withRules(compliance_);
        emit IERC3643.ComplianceAdded(compliance_);
    }

    /// @notice Sets the topics that receivers need claims on, beside those of the registry.
    /// @dev Requires COMPLIANCE_ROLE. Emits {RequiredTopicsSet}.
    /// @param topics A set of indices of the registry; one that it does not know lets nobody receive.
    function setRequiredTopics(uint8 topics) external onlyRole(Duties.COMPLIANCE) {
        _token().head = _token().head.withRequiredTopics(topics);
        emit RequiredTopicsSet(topics);
    }

    /// @notice Says that the books were found in order as they are now.
    /// @dev Requires AUDITOR_ROLE. Emits {SupplyAttested}.
    /// @param evidence Hash of the report.
    function attestSupply(bytes32 evidence) external onlyRole(Duties.AUDITOR) {
        emit SupplyAttested(msg.sender, _token().supply.balance(), _token().head.holders(), evidence);
    }
}
