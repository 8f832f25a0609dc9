// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DocumentRegistry} from "../../../src/assets/anchor/DocumentRegistry.sol";
import {JournalAnchor, JournalHead} from "../../../src/assets/anchor/JournalAnchor.sol";
import {SealedDocuments} from "../../../src/assets/anchor/SealedDocuments.sol";
import {Test} from "../../base/Test.sol";
import {NaiveTree} from "./NaiveTree.sol";

/// @title AnchorGasTest
/// @notice Gas of whole transactions that bind hashes, as a receipt shows it.
contract AnchorGasTest is Test {
    address private immutable admin = wallet("admin");
    address private immutable worker = wallet("worker");

    function test_anchor() public {
        JournalAnchor anchors = new JournalAnchor(0, admin);
        bytes16 store = 0x0190a6d2c3b47f008000000000000001;
        vm.startPrank(admin);
        anchors.grantRole(anchors.anchorRoleOf(store), worker);
        vm.stopPrank();
        JournalHead[] memory heads = new JournalHead[](1);
        for (uint64 i = 1; i <= 2; ++i) {
            heads[0] = JournalHead(store, i * 1000, keccak256(abi.encode(i)));
            vm.prank(worker);
            anchors.anchor(heads);
            record(i == 1 ? "first head of a store" : "next head of a store");
        }
    }

    function test_seal() public {
        SealedDocuments documents = new SealedDocuments(0, admin);
        vm.startPrank(admin);
        documents.grantRole(documents.SEALER_ROLE(), worker);
        vm.stopPrank();
        bytes32[] memory entries = new bytes32[](1024);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = keccak256(abi.encode(i));
        }
        bytes32 root = NaiveTree.root(entries);
        vm.prank(worker);
        documents.seal(root, 1024);
        record("seal of 1,024 documents");
        bytes32[] memory proof = NaiveTree.path(entries, 700);
        documents.verify(root, 700, entries[700], proof);
        record("proof of one of 1,024 documents");
    }

    function test_register() public {
        DocumentRegistry documents = new DocumentRegistry(0, admin);
        vm.startPrank(admin);
        documents.grantRole(documents.REGISTRAR_ROLE(), worker);
        vm.stopPrank();
        vm.prank(worker);
        documents.register(keccak256("asset"), keccak256("kind"), 1, keccak256("text"), keccak256("uri"));
        record("first version of a document");
    }

    function record(string memory name) private {
        vm.snapshotGasLastCall("anchor", name);
    }
}
