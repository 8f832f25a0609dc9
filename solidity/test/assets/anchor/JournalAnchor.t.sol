// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {JournalAnchor, JournalHead} from "../../../src/assets/anchor/JournalAnchor.sol";
import {Test} from "../../base/Test.sol";

contract JournalAnchorTest is Test {
    uint256 private constant NOW = 1_788_264_000;
    bytes16 private constant STORE = 0x0190a6d2c3b47f008000000000000001;
    bytes16 private constant OTHER = 0x0190a6d2c3b47f008000000000000002;

    address private immutable admin = wallet("admin");
    address private immutable anchorer = wallet("anchorer");

    JournalAnchor private anchors;

    function setUp() public {
        vm.warp(NOW);
        anchors = new JournalAnchor(2 days, admin);
        vm.startPrank(admin);
        anchors.grantRole(anchors.anchorRoleOf(STORE), anchorer);
        vm.stopPrank();
    }

    function one(bytes16 storeId, uint64 position, bytes32 eventHash)
        private
        pure
        returns (JournalHead[] memory heads)
    {
        heads = new JournalHead[](1);
        heads[0] = JournalHead(storeId, position, eventHash);
    }

    function anchor(JournalHead[] memory heads) private {
        vm.prank(anchorer);
        anchors.anchor(heads);
    }

    function assertHead(bytes16 storeId, uint64 position, bytes32 eventHash, uint256 anchoredAt) private view {
        (uint64 isPosition, bytes32 isHash, uint64 isAnchoredAt) = anchors.headOf(storeId);
        assertEq(isPosition, position, "position");
        assertEq(isHash, eventHash, "hash");
        assertEq(isAnchoredAt, anchoredAt, "when");
    }

    function assertAnchorRefused(JournalHead[] memory heads, bytes memory revertData) private {
        assertRefused(anchorer, address(anchors), abi.encodeCall(anchors.anchor, (heads)), revertData);
    }

    function test_heads_follow_each_other() public {
        assertHead(STORE, 0, 0, 0);
        vm.expectEmit(address(anchors));
        emit JournalAnchor.HeadAnchored(STORE, 10, 0, keccak256("ten"), anchorer);
        anchor(one(STORE, 10, keccak256("ten")));
        assertHead(STORE, 10, keccak256("ten"), NOW);
        vm.warp(NOW + 60);
        vm.expectEmit(address(anchors));
        emit JournalAnchor.HeadAnchored(STORE, 25, 10, keccak256("twenty-five"), anchorer);
        anchor(one(STORE, 25, keccak256("twenty-five")));
        assertHead(STORE, 25, keccak256("twenty-five"), NOW + 60);
    }

    function test_positions_only_grow() public {
        anchor(one(STORE, 10, keccak256("ten")));
        for (uint64 position = 9; position <= 10; ++position) {
            assertAnchorRefused(
                one(STORE, position, keccak256("else")),
                abi.encodeWithSelector(JournalAnchor.AnchorPositionNotGrowing.selector, STORE, position, 10)
            );
        }
        assertHead(STORE, 10, keccak256("ten"), NOW);
    }

    function test_a_first_position_is_at_least_one_and_has_a_hash() public {
        assertAnchorRefused(
            one(STORE, 0, keccak256("none")),
            abi.encodeWithSelector(JournalAnchor.AnchorPositionNotGrowing.selector, STORE, 0, 0)
        );
        assertAnchorRefused(
            one(STORE, 1, 0), abi.encodeWithSelector(JournalAnchor.AnchorHashMissing.selector, STORE, 1)
        );
    }

    function test_a_store_is_anchored_by_its_own_role_alone() public {
        assertTrue(anchors.anchorRoleOf(STORE) != anchors.anchorRoleOf(OTHER), "a role each");
        assertAnchorRefused(one(OTHER, 1, keccak256("one")), missingRole(anchorer, anchors.anchorRoleOf(OTHER)));
        assertRefused(
            admin,
            address(anchors),
            abi.encodeCall(anchors.anchor, (one(STORE, 1, keccak256("one")))),
            missingRole(admin, anchors.anchorRoleOf(STORE))
        );
    }

    function test_several_heads_stand_or_fall_together() public {
        JournalHead[] memory heads = new JournalHead[](2);
        heads[0] = JournalHead(STORE, 10, keccak256("ten"));
        heads[1] = JournalHead(OTHER, 3, keccak256("three"));
        assertAnchorRefused(heads, missingRole(anchorer, anchors.anchorRoleOf(OTHER)));
        assertHead(STORE, 0, 0, 0);
        vm.startPrank(admin);
        anchors.grantRole(anchors.anchorRoleOf(OTHER), anchorer);
        vm.stopPrank();
        anchor(heads);
        assertHead(STORE, 10, keccak256("ten"), NOW);
        assertHead(OTHER, 3, keccak256("three"), NOW);
    }

    function test_heads_are_counted() public {
        JournalHead[] memory heads = new JournalHead[](64);
        for (uint64 i = 0; i < 64; ++i) {
            heads[i] = JournalHead(STORE, i + 1, keccak256("event"));
        }
        anchor(heads);
        assertHead(STORE, 64, keccak256("event"), NOW);
        for (uint256 count = 0; count <= 65; count += 65) {
            assertAnchorRefused(
                new JournalHead[](count),
                abi.encodeWithSelector(JournalAnchor.AnchorHeadCountInvalid.selector, count, 64)
            );
        }
    }

    function testFuzz_the_head_is_the_highest_position(uint64[8] calldata positions) public {
        uint64 highest;
        for (uint256 i = 0; i < 8; ++i) {
            vm.prank(anchorer);
            (bool answered,) = address(anchors)
                .call(abi.encodeCall(anchors.anchor, (one(STORE, positions[i], keccak256(abi.encode(positions[i]))))));
            assertTrue(answered == (positions[i] > highest), "grows");
            if (answered) highest = positions[i];
        }
        if (highest != 0) assertHead(STORE, highest, keccak256(abi.encode(highest)), NOW);
    }
}
