// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title MerkleInclusion
/// @notice Whether a hash is an entry of a Merkle tree of RFC 6962 (Certificate Transparency), by the check of RFC
/// 9162, section 2.1.3.2.
/// @dev SHA-256, the hash of the platform's audit chains, so that the same proof is checked here and offline, by common
/// tools. A leaf is `SHA-256(0x00 ‖ entry)`, a node `SHA-256(0x01 ‖ left ‖ right)`: neither can be taken for the
/// other. Index and size are part of what is proved: an entry has one place.
library MerkleInclusion {
    /// @dev Hash of a leaf.
    /// @param entry What the leaf stands for, a SHA-256 here.
    /// @return `SHA-256(0x00 ‖ entry)`.
    function leafHash(bytes32 entry) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", entry));
    }

    /// @dev Hash of a node.
    /// @param left Hash of its left child.
    /// @param right Hash of its right child.
    /// @return `SHA-256(0x01 ‖ left ‖ right)`.
    function nodeHash(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }

    /// @dev Whether `entry` is the `index`th of the `size` entries under `root`.
    /// @param root Hash of the whole tree.
    /// @param size How many entries the tree has.
    /// @param index Place of the entry, counted from 0.
    /// @param entry The entry.
    /// @param proof Hashes of the neighbours on the way up, from the leaf on.
    /// @return Whether it is.
    function isIncluded(bytes32 root, uint64 size, uint64 index, bytes32 entry, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        if (index >= size) return false;
        (uint64 place, uint64 last) = (index, size - 1);
        bytes32 hash = leafHash(entry);
        for (uint256 i = 0; i < proof.length; ++i) {
            // The top is reached: a proof is never longer than the tree is high, at most 64.
            if (last == 0) return false;
            if (place & 1 == 1 || place == last) {
                hash = nodeHash(proof[i], hash);
                // The last node of a level without a neighbour rises as it is, until it is a right child. It becomes one:
                // here `place` is odd, or it is `last`, which is not zero.
                while (place & 1 == 0) (place, last) = (place >> 1, last >> 1);
            } else {
                hash = nodeHash(hash, proof[i]);
            }
            (place, last) = (place >> 1, last >> 1);
        }
        return last == 0 && hash == root;
    }
}
