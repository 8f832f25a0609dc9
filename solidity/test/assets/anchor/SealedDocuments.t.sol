// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SealedDocuments} from "../../../src/assets/anchor/SealedDocuments.sol";
import {Test} from "../../base/Test.sol";
import {NaiveTree} from "./NaiveTree.sol";

contract SealedDocumentsTest is Test {
    uint256 private constant NOW = 1_788_264_000;

    address private immutable admin = wallet("admin");
    address private immutable sealer = wallet("sealer");

    SealedDocuments private documents;

    function setUp() public {
        vm.warp(NOW);
        documents = new SealedDocuments(2 days, admin);
        vm.startPrank(admin);
        documents.grantRole(documents.SEALER_ROLE(), sealer);
        vm.stopPrank();
    }

    function entriesOf(uint256 count) private pure returns (bytes32[] memory entries) {
        entries = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            entries[i] = sha256(abi.encode("document", i));
        }
    }

    function seal(bytes32[] memory entries) private returns (bytes32 root) {
        root = NaiveTree.root(entries);
        vm.prank(sealer);
        documents.seal(root, uint64(entries.length));
    }

    function isSealed(bytes32 root, uint256 index, bytes32 entry, bytes32[] memory proof) private view returns (bool) {
        (bool answer, uint256 sealedAt) = documents.verify(root, uint64(index), entry, proof);
        assertEq(sealedAt, answer ? NOW : 0, "when");
        return answer;
    }

    function test_every_document_of_every_tree_is_proved_at_its_place_alone() public {
        for (uint256 size = 1; size <= 17; ++size) {
            bytes32[] memory entries = entriesOf(size);
            bytes32 root = seal(entries);
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory proof = NaiveTree.path(entries, index);
                for (uint256 place = 0; place <= size; ++place) {
                    assertTrue(isSealed(root, place, entries[index], proof) == (place == index), "its place alone");
                }
            }
        }
    }

    function test_a_size_that_is_not_the_tree_s_proves_nothing_at_other_places() public {
        bytes32[] memory entries = entriesOf(2);
        bytes32 root = NaiveTree.root(entries);
        vm.prank(sealer);
        documents.seal(root, 1);
        bytes32[] memory proof = NaiveTree.path(entries, 1);
        assertFalse(isSealed(root, 0, entries[1], proof), "a tree of one has no neighbours");
        assertFalse(isSealed(root, 1, entries[1], proof), "and one place");
    }

    function test_a_known_tree_of_RFC_6962_has_its_published_shape() public {
        // Three entries: the third rises alone, so that the root is node(node(a, b), c).
        bytes32[] memory entries = entriesOf(3);
        bytes32 left = sha256(
            bytes.concat(hex"01", sha256(bytes.concat(hex"00", entries[0])), sha256(bytes.concat(hex"00", entries[1])))
        );
        bytes32 right = sha256(bytes.concat(hex"00", entries[2]));
        bytes32 root = seal(entries);
        assertEq(root, sha256(bytes.concat(hex"01", left, right)), "root");
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = left;
        assertTrue(isSealed(root, 2, entries[2], proof), "proof of the third");
        assertEq(documents.leafHash(entries[2]), right, "leaf");
    }

    function test_a_single_document_is_its_own_tree() public {
        bytes32 entry = sha256("contract");
        bytes32 root = documents.leafHash(entry);
        vm.expectEmit(address(documents));
        emit SealedDocuments.DocumentsSealed(root, 1, sealer);
        vm.prank(sealer);
        documents.seal(root, 1);
        assertTrue(isSealed(root, 0, entry, new bytes32[](0)), "proved");
        assertFalse(isSealed(root, 0, root, new bytes32[](0)), "a leaf is no entry");
        SealedDocuments.Seal memory kept = documents.getSeal(root);
        assertEq(kept.sealer, sealer, "sealer");
        assertEq(kept.sealedAt, NOW, "when");
        assertEq(kept.size, 1, "size");
    }

    function test_a_node_is_no_document() public {
        bytes32[] memory entries = entriesOf(4);
        bytes32 root = seal(entries);
        bytes32 left = NaiveTree.root(entriesOf(2));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = NaiveTree.path(entries, 0)[1];
        for (uint256 index = 0; index < 4; ++index) {
            assertFalse(isSealed(root, index, left, proof), "no node passes for an entry");
        }
    }

    function test_what_was_not_sealed_is_not_proved() public view {
        bytes32[] memory entries = entriesOf(1);
        assertFalse(isSealed(NaiveTree.root(entries), 0, entries[0], new bytes32[](0)), "unknown root");
    }

    function test_a_proof_is_as_long_as_the_tree_is_high() public {
        bytes32[] memory entries = entriesOf(8);
        bytes32 root = seal(entries);
        bytes32[] memory proof = NaiveTree.path(entries, 3);
        bytes32[] memory longer = new bytes32[](4);
        bytes32[] memory shorter = new bytes32[](2);
        for (uint256 i = 0; i < 3; ++i) {
            longer[i] = proof[i];
            if (i < 2) shorter[i] = proof[i];
        }
        assertTrue(isSealed(root, 3, entries[3], proof), "exact");
        assertFalse(isSealed(root, 3, entries[3], longer), "longer");
        assertFalse(isSealed(root, 3, entries[3], shorter), "shorter");
        assertFalse(isSealed(root, 3, entries[3], new bytes32[](65)), "too long to be read");
    }

    function test_the_largest_tree_is_proved() public {
        bytes32 entry = sha256("last of 2^64 - 1");
        bytes32 hash = documents.leafHash(entry);
        // The last of 2^64 - 1 entries is a left child at the bottom that has no neighbour, and a right child above.
        bytes32[] memory proof = new bytes32[](63);
        for (uint256 i = 0; i < 63; ++i) {
            proof[i] = bytes32(i);
            hash = sha256(bytes.concat(hex"01", proof[i], hash));
        }
        vm.prank(sealer);
        documents.seal(hash, type(uint64).max);
        assertTrue(isSealed(hash, type(uint64).max - 1, entry, proof), "proved");
    }

    function test_a_root_is_sealed_once_and_is_of_something() public {
        bytes32 root = seal(entriesOf(2));
        vm.warp(NOW + 1);
        refused(
            sealer,
            abi.encodeCall(documents.seal, (root, 3)),
            abi.encodeWithSelector(SealedDocuments.SealExists.selector, root, NOW)
        );
        refused(
            sealer,
            abi.encodeCall(documents.seal, (0, 3)),
            abi.encodeWithSelector(SealedDocuments.SealInvalid.selector, bytes32(0), 3)
        );
        bytes32 other = sha256("other");
        refused(
            sealer,
            abi.encodeCall(documents.seal, (other, 0)),
            abi.encodeWithSelector(SealedDocuments.SealInvalid.selector, other, 0)
        );
        refused(admin, abi.encodeCall(documents.seal, (other, 1)), missingRole(admin, documents.SEALER_ROLE()));
    }

    function refused(address caller, bytes memory call, bytes memory revertData) private {
        assertRefused(caller, address(documents), call, revertData);
    }

    function testFuzz_a_changed_proof_proves_nothing(uint256 size, uint256 index, uint256 what, uint256 bit) public {
        size = bound(size, 2, 40);
        index = bound(index, 0, size - 1);
        bytes32[] memory entries = entriesOf(size);
        bytes32 root = seal(entries);
        bytes32[] memory proof = NaiveTree.path(entries, index);
        assertTrue(isSealed(root, index, entries[index], proof), "as it is");
        bytes32 flip = bytes32(1 << bound(bit, 0, 255));
        what = bound(what, 0, proof.length);
        if (what == proof.length) {
            assertFalse(isSealed(root, index, entries[index] ^ flip, proof), "another entry");
        } else {
            proof[what] ^= flip;
            assertFalse(isSealed(root, index, entries[index], proof), "another proof");
        }
    }
}
