// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Duties
/// @notice The roles of regulated assets, one per duty. No role includes another.
library Duties {
    /// @dev Appoints and removes; does nothing else. One account, passed on in two steps; a timelock may hold it.
    bytes32 internal constant ADMIN = 0x00;

    /// @dev Issues and redeems units, names the asset.
    bytes32 internal constant ISSUER = keccak256("ISSUER_ROLE");

    /// @dev Acts on wallets: registers, freezes, moves by order, recovers, pauses.
    bytes32 internal constant AGENT = keccak256("AGENT_ROLE");

    /// @dev Sets rules: which registry, which topics and issuers, which rules of compliance.
    bytes32 internal constant COMPLIANCE = keccak256("COMPLIANCE_ROLE");

    /// @dev Announces record dates and pays what is due at them.
    bytes32 internal constant TREASURY = keccak256("TREASURY_ROLE");

    /// @dev Attests; changes no balance and no rule.
    bytes32 internal constant AUDITOR = keccak256("AUDITOR_ROLE");

    /// @dev Replaces the implementation behind a proxy.
    bytes32 internal constant UPGRADER = keccak256("UPGRADER_ROLE");

    /// @dev Decides on holds that name it.
    bytes32 internal constant NOTARY = keccak256("NOTARY_ROLE");
}
