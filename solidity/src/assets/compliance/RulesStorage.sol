// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A version of the rules.
struct RulesVersion {
    /// Where the rules are, by `RuleBook`.
    address book;
    /// From this second on they are in force, until the next version is. Seconds since 1970.
    uint48 effectiveFrom;
}

/// @notice Units that were issued to an investor and are not yet free to leave.
struct Lot {
    /// Units.
    uint104 amount;
    /// When they were issued; of several issues in one lot the last. Seconds since 1970.
    uint48 issuedAt;
}

/// @custom:storage-location erc7201:lastro.assets.ComplianceRules
struct RulesData {
    /// Rules in force, unless `nextFrom` is reached.
    address book;
    /// When the version that waits comes into force; 0 if none waits. Seconds since 1970.
    uint48 nextFrom;
    /// Rules that wait.
    address nextBook;
    /// The token that these rules are for.
    address token;
    /// Shortest time between setting rules and their coming into force, in seconds.
    uint48 noticeSeconds;
    RulesVersion[] versions;
    mapping(uint32 investor => Lot[]) lots;
    mapping(uint32 investor => mapping(uint16 year => uint256 units)) issued;
    /// Until when a transfer is approved, by {ApprovalRule}'s key. Seconds since 1970.
    mapping(bytes32 key => uint48 validUntil) approvals;
}

/// @title RulesStorage
/// @notice Where the rules' parts find their data, by ERC-7201.
library RulesStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("lastro.assets.ComplianceRules")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant RULES_STORAGE = 0x85fa6eb8c27f1975f8b37eb62085a75750c2ee49524a5cf85261e056ab286200;

    function data() internal pure returns (RulesData storage rules) {
        assembly ("memory-safe") {
            rules.slot := RULES_STORAGE
        }
    }
}
