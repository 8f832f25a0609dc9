// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identity} from "./Identity.sol";

/// @notice A claim that the registry took: what is left of it after revocation is its time of issue.
struct StoredClaim {
    /// Who signed it; zero after revocation.
    address issuer;
    /// When it was issued, in seconds since 1970; a later claim must be newer.
    uint48 issuedAt;
    /// First day on which it no longer holds, in days of UTC since 1970-01-01.
    uint16 endDay;
    /// The issuer's place in the registry when the claim was taken.
    uint8 issuerIndex;
    /// Hash of the evidence, which is kept elsewhere.
    bytes32 dataHash;
    /// What the issuer signed.
    bytes32 digest;
}

/// @custom:storage-location erc7201:lastro.assets.IdentityRegistry
struct RegistryData {
    /// Topics that each issuer is trusted on, by the issuer's place, 32 in a slot. Place 0 is nobody's: it has the topics
    /// that `isVerified` requires, so that the usual question finds them in the slot that it needs anyway.
    uint8[256] topicsOf;
    mapping(address wallet => Identity) records;
    mapping(address wallet => address identity) identities;
    mapping(address identity => address wallet) wallets;
    /// Kept after removal: an investor who comes back has the same number.
    mapping(address identity => uint32 number) numbers;
    mapping(address oldWallet => address newWallet) successors;
    uint32 lastNumber;
    /// Topic of each index.
    uint256[] topics;
    /// Issuer of each place, from 1; removed ones stay, since a place is never given away again.
    address[] issuers;
    mapping(address issuer => uint8 place) placeOf;
    mapping(address identity => mapping(uint256 topicIndex => StoredClaim)) claims;
    mapping(address issuer => mapping(bytes32 digest => bool)) revoked;
    /// Which identity has a number now: one that was given up keeps its number, and must not be an investor again.
    mapping(uint32 number => address identity) identityOf;
}

/// @title RegistryStorage
/// @notice Where the registry's parts find their data, by ERC-7201.
abstract contract RegistryStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("lastro.assets.IdentityRegistry")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant REGISTRY_STORAGE = 0xe7fb7c78b32345ef8ec518be52e2a0591fd4f4abae84e15778e40c60e6468600;

    function _registry() internal pure returns (RegistryData storage data) {
        assembly ("memory-safe") {
            data.slot := REGISTRY_STORAGE
        }
    }

    /// @dev Days of UTC since 1970-01-01; fits 16 bits until the year 2149.
    function _today() internal view returns (uint256) {
        return block.timestamp / 1 days;
    }
}
