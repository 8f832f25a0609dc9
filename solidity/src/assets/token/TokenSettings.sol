// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {Duties} from "../access/Duties.sol";
import {RoleChecks} from "../access/RoleChecks.sol";
import {ICompliance} from "../compliance/ICompliance.sol";
import {ITransferRules} from "../compliance/ITransferRules.sol";
import {IERC3643} from "./IERC3643.sol";
import {TokenInformation} from "./TokenInformation.sol";
import {TokenData} from "./TokenStorage.sol";

/// @title TokenSettings
/// @notice Names, registry, rules, and the auditor's word.
/// @dev What a transfer is asked (registry, rules, required topics) changes as rules themselves do: announced, and not
/// before the notice of the rules in force is over. Before the first rules are set nothing can move, and nothing waits.
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

    /// @notice A change of registry, rules or required topics was announced.
    /// @param callHash keccak256 of the call.
    /// @param call The call that will make it.
    /// @param effectiveFrom From when it may be made, in seconds since 1970.
    event ChangeAnnounced(bytes32 indexed callHash, bytes call, uint48 effectiveFrom);

    /// @notice An announced change was withdrawn.
    /// @param callHash keccak256 of the call.
    event ChangeWithdrawn(bytes32 indexed callHash);

    /// @dev Once rules are set, lets only an announced change pass, once, after its notice.
    modifier afterNotice() {
        _useNotice();
        _;
    }

    /// @notice Announces a change of registry, rules or required topics, for as long ahead as the rules in force want.
    /// @dev Requires COMPLIANCE_ROLE. Emits {ChangeAnnounced}. Reverts with `TokenRulesInvalid` before rules are set.
    /// Announced again, it waits again.
    /// @param call The call of {setIdentityRegistry}, {setCompliance} or {setRequiredTopics}, byte for byte.
    function announceChange(bytes calldata call) external onlyRole(Duties.COMPLIANCE) {
        address rules = _token().head.rules();
        if (rules == address(0)) revert TokenRulesInvalid(rules);
        uint48 effectiveFrom = uint48(block.timestamp) + ITransferRules(rules).noticeSeconds();
        bytes32 callHash = keccak256(call);
        _token().announced[callHash] = effectiveFrom;
        emit ChangeAnnounced(callHash, call, effectiveFrom);
    }

    /// @notice Withdraws an announced change.
    /// @dev Requires COMPLIANCE_ROLE. Emits {ChangeWithdrawn}. Reverts with `TokenChangeNotAnnounced`.
    /// @param callHash keccak256 of the call.
    function withdrawChange(bytes32 callHash) external onlyRole(Duties.COMPLIANCE) {
        if (_token().announced[callHash] == 0) revert TokenChangeNotAnnounced(callHash);
        delete _token().announced[callHash];
        emit ChangeWithdrawn(callHash);
    }

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
    /// @dev Requires COMPLIANCE_ROLE and, once rules are set, its notice. Emits `IdentityRegistryAdded`. Reverts with
    /// `TokenChangeNotAnnounced`, `TokenChangeTooSoon`, `TokenRegistryInvalid`. Investor numbers are the registry's own:
    /// rules that keep books per investor must be new ones too.
    /// @param identityRegistry_ A registry with `IIdentityScreen`.
    function setIdentityRegistry(address identityRegistry_) external onlyRole(Duties.COMPLIANCE) afterNotice {
        _setRegistry(identityRegistry_);
    }

    /// @notice Sets who knows the rules.
    /// @dev Requires COMPLIANCE_ROLE and, once rules are set, its notice. Emits `ComplianceAdded`. Reverts with
    /// `TokenChangeNotAnnounced`, `TokenChangeTooSoon`, `TokenRulesInvalid`.
    /// @param compliance_ Rules with `ITransferRules`, bound to this token.
    function setCompliance(address compliance_) external onlyRole(Duties.COMPLIANCE) afterNotice {
        if (!ERC165Checker.supportsInterface(compliance_, type(ITransferRules).interfaceId)) {
            revert TokenRulesInvalid(compliance_);
        }
        if (!ICompliance(compliance_).isTokenBound(address(this))) revert TokenRulesInvalid(compliance_);
        _token().head = _token().head.withRules(compliance_);
        emit IERC3643.ComplianceAdded(compliance_);
    }

    /// @notice Sets the topics that receivers need claims on, beside those of the registry.
    /// @dev Requires COMPLIANCE_ROLE and, once rules are set, its notice. Emits {RequiredTopicsSet}. Reverts with
    /// `TokenChangeNotAnnounced`, `TokenChangeTooSoon`.
    /// @param topics A set of indices of the registry; one that it does not know lets nobody receive.
    function setRequiredTopics(uint8 topics) external onlyRole(Duties.COMPLIANCE) afterNotice {
        _token().head = _token().head.withRequiredTopics(topics);
        emit RequiredTopicsSet(topics);
    }

    /// @notice From when an announced change may be made.
    /// @param callHash keccak256 of the call.
    /// @return Seconds since 1970; 0 if it was not announced, was made or withdrawn.
    function announcedChange(bytes32 callHash) external view returns (uint48) {
        return _token().announced[callHash];
    }

    /// @notice Says that the books were found in order as they are now.
    /// @dev Requires AUDITOR_ROLE. Emits {SupplyAttested}.
    /// @param evidence Hash of the report.
    function attestSupply(bytes32 evidence) external onlyRole(Duties.AUDITOR) {
        emit SupplyAttested(msg.sender, _token().supply.balance(), _token().head.holders(), evidence);
    }

    function _useNotice() private {
        TokenData storage data = _token();
        address rules = data.head.rules();
        if (rules == address(0) || ITransferRules(rules).noticeSeconds() == 0) return;
        bytes32 callHash = keccak256(msg.data);
        uint48 effectiveFrom = data.announced[callHash];
        if (effectiveFrom == 0) revert TokenChangeNotAnnounced(callHash);
        if (block.timestamp < effectiveFrom) revert TokenChangeTooSoon(callHash, effectiveFrom, block.timestamp);
        delete data.announced[callHash];
    }
}
