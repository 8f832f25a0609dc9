// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title NaiveTree
/// @notice A Merkle tree by the words of RFC 6962, section 2.1: recursive, with no thought of cost. The twin that
/// `MerkleInclusion` is tested against.
library NaiveTree {
    function root(bytes32[] memory entries) internal pure returns (bytes32) {
        return rootOf(entries, 0, entries.length);
    }

    /// @dev The neighbours' hashes from the leaf on.
    function path(bytes32[] memory entries, uint256 index) internal pure returns (bytes32[] memory) {
        return pathOf(entries, 0, entries.length, index);
    }

    function rootOf(bytes32[] memory entries, uint256 from, uint256 size) private pure returns (bytes32) {
        if (size == 0) return sha256("");
        if (size == 1) return sha256(bytes.concat(hex"00", entries[from]));
        uint256 k = split(size);
        return sha256(bytes.concat(hex"01", rootOf(entries, from, k), rootOf(entries, from + k, size - k)));
    }

    function pathOf(bytes32[] memory entries, uint256 from, uint256 size, uint256 index)
        private
        pure
        returns (bytes32[] memory)
    {
        if (size <= 1) return new bytes32[](0);
        uint256 k = split(size);
        if (index < k) return append(pathOf(entries, from, k, index), rootOf(entries, from + k, size - k));
        return append(pathOf(entries, from + k, size - k, index - k), rootOf(entries, from, k));
    }

    /// @dev The largest power of two below `size`.
    function split(uint256 size) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < size) k *= 2;
    }

    function append(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
