// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

/// @notice The head of an audit chain: the newest event of a store, and by its hash all events before it.
struct JournalHead {
    /// The store, a UUID.
    bytes16 storeId;
    /// Position of the event in the store, from 1.
    uint64 position;
    /// Hash of the event, which covers the hash of the event before.
    bytes32 eventHash;
}

/// @title JournalAnchor
/// @notice Heads of audit chains on the ledger: who keeps a journal states from time to time where it stands, and
/// cannot state anything else about the same events later.
/// @dev Positions of a store only grow. Each store has a role of its own ({anchorRoleOf}), so that a key that is lost
/// harms its own store alone. DANGER: who has the role can state a position that is never reached, and then nothing can
/// follow; the cure is a new store. Earlier heads are in the events.
contract JournalAnchor is AccessControlDefaultAdminRules {
    /// @dev The newest head of a store; two slots.
    struct Anchor {
        /// Position of the event.
        uint64 position;
        /// When it was stated, in seconds since 1970.
        uint64 anchoredAt;
        /// Hash of the event.
        bytes32 eventHash;
    }

    /// @notice Most heads in one call.
    uint256 public constant HEADS_MAX = 64;

    /// @dev Store to its newest head.
    mapping(bytes16 storeId => Anchor anchor) private _anchors;

    /// @notice A store stands there.
    /// @param storeId The store.
    /// @param position Position of its newest event.
    /// @param previousPosition Position that was stated before; zero if none was.
    /// @param eventHash Hash of the newest event.
    /// @param anchorer Who states it.
    event HeadAnchored(
        bytes16 indexed storeId,
        uint64 indexed position,
        uint64 previousPosition,
        bytes32 eventHash,
        address indexed anchorer
    );

    /// @notice No heads were given, or too many.
    /// @param count How many.
    /// @param max {HEADS_MAX}.
    error AnchorHeadCountInvalid(uint256 count, uint256 max);

    /// @notice The position does not grow.
    /// @param storeId The store.
    /// @param position The position given.
    /// @param anchored The position stated before.
    error AnchorPositionNotGrowing(bytes16 storeId, uint64 position, uint64 anchored);

    /// @notice The hash is zero, which no event has.
    /// @param storeId The store.
    /// @param position The position given.
    error AnchorHashMissing(bytes16 storeId, uint64 position);

    /// @dev Reverts with `AccessControlInvalidDefaultAdmin` if the admin is zero.
    /// @param adminDelay How long a transfer of the admin's role waits, in seconds.
    /// @param admin Receives DEFAULT_ADMIN_ROLE: grants the stores' roles.
    constructor(uint48 adminDelay, address admin) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /// @notice States where stores stand, all or none.
    /// @dev Requires {anchorRoleOf} of each store. Emits {HeadAnchored} for each. Reverts with
    /// {AnchorHeadCountInvalid}, `AccessControlUnauthorizedAccount`, {AnchorPositionNotGrowing} or {AnchorHashMissing}.
    /// @param heads The heads; of one store several, if they grow.
    function anchor(JournalHead[] calldata heads) external {
        uint256 count = heads.length;
        if (count == 0 || count > HEADS_MAX) revert AnchorHeadCountInvalid(count, HEADS_MAX);
        for (uint256 i = 0; i < count; ++i) {
            _anchor(heads[i]);
        }
    }

    /// @notice The newest head of a store.
    /// @param storeId The store.
    /// @return position Position of the event; zero if none was stated.
    /// @return eventHash Hash of the event.
    /// @return anchoredAt When it was stated, in seconds since 1970.
    function headOf(bytes16 storeId) external view returns (uint64 position, bytes32 eventHash, uint64 anchoredAt) {
        Anchor storage newest = _anchors[storeId];
        return (newest.position, newest.eventHash, newest.anchoredAt);
    }

    /// @notice The role that states where a store stands.
    /// @param storeId The store.
    /// @return `keccak256(abi.encode("ANCHOR_ROLE", storeId))`.
    function anchorRoleOf(bytes16 storeId) public pure returns (bytes32) {
        return keccak256(abi.encode("ANCHOR_ROLE", storeId));
    }

    /// @dev States where one store stands.
    function _anchor(JournalHead calldata head) private {
        _checkRole(anchorRoleOf(head.storeId));
        Anchor storage newest = _anchors[head.storeId];
        uint64 previous = newest.position;
        if (head.position <= previous) revert AnchorPositionNotGrowing(head.storeId, head.position, previous);
        if (head.eventHash == 0) revert AnchorHashMissing(head.storeId, head.position);
        (newest.position, newest.anchoredAt) = (head.position, uint64(block.timestamp));
        newest.eventHash = head.eventHash;
        emit HeadAnchored(head.storeId, head.position, previous, head.eventHash, msg.sender);
    }
}
