// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DocumentRegistry} from "../../../src/assets/anchor/DocumentRegistry.sol";
import {Test} from "../../base/Test.sol";

contract DocumentRegistryTest is Test {
    uint256 private constant NOW = 1_788_264_000;
    bytes32 private constant ASSET = keccak256("ast_1");
    bytes32 private constant PROSPECTUS = keccak256("prospectus");
    bytes32 private constant FIRST = keccak256("first text");
    bytes32 private constant SECOND = keccak256("second text");
    bytes32 private constant URI = keccak256("https://documents.example/1");

    address private immutable admin = wallet("admin");
    address private immutable registrar = wallet("registrar");

    DocumentRegistry private documents;

    function setUp() public {
        vm.warp(NOW);
        documents = new DocumentRegistry(2 days, admin);
        vm.startPrank(admin);
        documents.grantRole(documents.REGISTRAR_ROLE(), registrar);
        vm.stopPrank();
    }

    function register(uint32 version, bytes32 contentHash) private {
        vm.prank(registrar);
        documents.register(ASSET, PROSPECTUS, version, contentHash, URI);
    }

    function assertRegisterRefused(uint32 version, bytes32 contentHash, bytes memory revertData) private {
        assertRefused(
            registrar,
            address(documents),
            abi.encodeCall(documents.register, (ASSET, PROSPECTUS, version, contentHash, URI)),
            revertData
        );
    }

    function assertDocument(uint32 version, bytes32 contentHash, uint256 registeredAt, uint32 supersededBy)
        private
        view
    {
        (DocumentRegistry.Document memory document, uint32 isSupersededBy) =
            documents.getDocument(ASSET, PROSPECTUS, version);
        assertEq(document.contentHash, contentHash, "content");
        assertEq(document.uriHash, URI, "URI");
        assertEq(document.registrar, registrar, "registrar");
        assertEq(document.registeredAt, registeredAt, "when");
        assertEq(isSupersededBy, supersededBy, "superseded by");
    }

    function test_a_version_is_in_force_until_the_next() public {
        assertFalse(documents.isInForce(ASSET, PROSPECTUS, 0), "nothing is in force");
        vm.expectEmit(address(documents));
        emit DocumentRegistry.DocumentRegistered(ASSET, PROSPECTUS, 1, FIRST, URI, registrar);
        register(1, FIRST);
        assertDocument(1, FIRST, NOW, 0);
        assertTrue(documents.isInForce(ASSET, PROSPECTUS, FIRST), "in force");
        vm.warp(NOW + 1);
        register(2, SECOND);
        assertDocument(1, FIRST, NOW, 2);
        assertDocument(2, SECOND, NOW + 1, 0);
        assertFalse(documents.isInForce(ASSET, PROSPECTUS, FIRST), "superseded");
        assertTrue(documents.isInForce(ASSET, PROSPECTUS, SECOND), "in force");
        assertEq(documents.newestVersion(ASSET, PROSPECTUS), 2, "newest");
    }

    function test_subjects_and_kinds_are_apart() public {
        register(1, FIRST);
        vm.startPrank(registrar);
        documents.register(ASSET, keccak256("contract"), 1, FIRST, 0);
        documents.register(keccak256("ast_2"), PROSPECTUS, 1, FIRST, 0);
        vm.stopPrank();
        register(2, SECOND);
        assertEq(documents.newestVersion(ASSET, keccak256("contract")), 1, "another kind");
        assertEq(documents.newestVersion(keccak256("ast_2"), PROSPECTUS), 1, "another subject");
    }

    function test_only_the_next_version_is_registered() public {
        for (uint32 newest = 0; newest < 3; ++newest) {
            for (uint32 version = 0; version < 6; ++version) {
                if (version == newest + 1) continue;
                assertRegisterRefused(
                    version,
                    SECOND,
                    abi.encodeWithSelector(
                        DocumentRegistry.DocumentVersionNotNext.selector, ASSET, PROSPECTUS, version, newest + 1
                    )
                );
            }
            register(newest + 1, keccak256(abi.encode(newest)));
        }
    }

    function test_a_version_has_a_hash_and_changes_something() public {
        assertRegisterRefused(
            1, 0, abi.encodeWithSelector(DocumentRegistry.DocumentHashInvalid.selector, ASSET, PROSPECTUS, bytes32(0))
        );
        register(1, FIRST);
        assertRegisterRefused(
            2, FIRST, abi.encodeWithSelector(DocumentRegistry.DocumentHashInvalid.selector, ASSET, PROSPECTUS, FIRST)
        );
        register(2, SECOND);
        register(3, FIRST);
        assertTrue(documents.isInForce(ASSET, PROSPECTUS, FIRST), "an old text may come back");
    }

    function test_only_known_versions_are_told() public {
        register(1, FIRST);
        for (uint32 version = 0; version <= 2; version += 2) {
            assertRefused(
                admin,
                address(documents),
                abi.encodeCall(documents.getDocument, (ASSET, PROSPECTUS, version)),
                abi.encodeWithSelector(DocumentRegistry.DocumentUnknown.selector, ASSET, PROSPECTUS, version, 1)
            );
        }
    }

    function test_only_registrars_register() public {
        assertRefused(
            admin,
            address(documents),
            abi.encodeCall(documents.register, (ASSET, PROSPECTUS, 1, FIRST, URI)),
            missingRole(admin, documents.REGISTRAR_ROLE())
        );
    }
}
