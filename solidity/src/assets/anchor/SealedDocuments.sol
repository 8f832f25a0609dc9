// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {MerkleInclusion} from "./MerkleInclusion.sol";

/// @title SealedDocuments
/// @notice Binds documents to a point in time by one hash for many: the root of a Merkle tree of their hashes. Whoever
/// has a document and its proof shows that it existed then as it is now; who has not learns nothing about it.
/// @dev The tree is that of `MerkleInclusion`; its entries are the SHA-256 of the documents' bytes. A single document
/// is a tree of one entry, with an empty proof. What must not be guessed from its hash carries a salt.
contract SealedDocuments is AccessControlDefaultAdminRules {
    /// @notice What is kept of a seal; one slot.
    struct Seal {
        /// Who sealed; zero if nobody did.
        address sealer;
        /// When, in seconds since 1970.
        uint32 sealedAt;
        /// How many documents.
        uint64 size;
    }

    /// @notice Role that seals.
    bytes32 public constant SEALER_ROLE = keccak256("SEALER_ROLE");

    /// @dev Root to seal.
    mapping(bytes32 root => Seal seal_) private _seals;

    /// @notice Documents were sealed.
    /// @param root Root of the tree of their hashes.
    /// @param size How many documents.
    /// @param sealer Who sealed.
    event DocumentsSealed(bytes32 indexed root, uint64 size, address indexed sealer);

    /// @notice The root is zero, or of no documents.
    /// @param root The root given.
    /// @param size How many documents were given.
    error SealInvalid(bytes32 root, uint64 size);

    /// @notice The root was sealed before.
    /// @param root The root.
    /// @param sealedAt When, in seconds since 1970.
    error SealExists(bytes32 root, uint256 sealedAt);

    /// @dev Reverts with `AccessControlInvalidDefaultAdmin` if the admin is zero.
    /// @param adminDelay How long a transfer of the admin's role waits, in seconds.
    /// @param admin Receives DEFAULT_ADMIN_ROLE: grants SEALER_ROLE.
    constructor(uint48 adminDelay, address admin) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /// @notice Seals documents, for good.
    /// @dev Requires SEALER_ROLE. Emits {DocumentsSealed}. Reverts with {SealInvalid} or {SealExists}.
    /// @param root Root of the tree of their hashes.
    /// @param size How many documents.
    function seal(bytes32 root, uint64 size) external onlyRole(SEALER_ROLE) {
        if (root == 0 || size == 0) revert SealInvalid(root, size);
        Seal storage kept = _seals[root];
        if (kept.sealer != address(0)) revert SealExists(root, kept.sealedAt);
        _seals[root] = Seal(msg.sender, uint32(block.timestamp), size); // until the year 2106
        emit DocumentsSealed(root, size, msg.sender);
    }

    /// @notice What is kept of a seal.
    /// @param root Root of the tree.
    /// @return The seal; all zero if there is none.
    function getSeal(bytes32 root) external view returns (Seal memory) {
        return _seals[root];
    }

    /// @notice Whether a document was sealed, and when.
    /// @param root Root of the tree.
    /// @param index Place of the document, counted from 0.
    /// @param contentHash SHA-256 of the document's bytes.
    /// @param proof Hashes of the neighbours on the way up, from the leaf on.
    /// @return isSealed Whether it was.
    /// @return sealedAt When, in seconds since 1970; zero if it was not.
    function verify(bytes32 root, uint64 index, bytes32 contentHash, bytes32[] calldata proof)
        external
        view
        returns (bool isSealed, uint256 sealedAt)
    {
        Seal storage kept = _seals[root];
        isSealed = MerkleInclusion.isIncluded(root, kept.size, index, contentHash, proof);
        sealedAt = isSealed ? kept.sealedAt : 0;
    }

    /// @notice The hash of a leaf, for those who build trees.
    /// @param contentHash SHA-256 of a document's bytes.
    /// @return `SHA-256(0x00 ‖ contentHash)`, which is also the root of a tree of this document alone.
    function leafHash(bytes32 contentHash) external pure returns (bytes32) {
        return MerkleInclusion.leafHash(contentHash);
    }
}
