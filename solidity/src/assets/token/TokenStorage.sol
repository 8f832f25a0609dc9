// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Account} from "./Account.sol";
import {Hold} from "./IHolds.sol";
import {TokenHead} from "./TokenHead.sol";

/// @dev Largest number of entries in a batch, whichever part of the token runs it.
uint256 constant TOKEN_BATCH_ENTRIES_MAX = 256;

/// @notice What an account had until some record dates were over: from the lowest bit, units 104 and an epoch of 24, the
/// number of record dates that were over when the balance changed. The units are those of the last of these dates, and
/// of those before it back to the checkpoint before. Half a slot, so that two share one.
type Checkpoint is uint128;

/// @notice Why units of an account are not free; the sum of the two is in its {Account}.
struct Encumbrance {
    /// Units frozen by order; may exceed the balance.
    uint104 frozen;
    /// Units held for others; never more than the balance.
    uint104 held;
}

/// @custom:storage-location erc7201:lastro.assets.RegulatedToken
struct TokenData {
    TokenHead head;
    address registry;
    /// Number of record dates that movements have passed.
    uint16 epoch;
    uint8 decimals;
    /// The supply, with its own checkpoints, which stand under the zero address.
    Account supply;
    mapping(address account => Account) accounts;
    /// Two in a slot, and no length of their own: the account's word has it.
    mapping(address account => Checkpoint[4096]) checkpoints;
    mapping(address account => Encumbrance) encumbrances;
    mapping(address owner => mapping(address spender => uint256)) allowances;
    mapping(address owner => uint256) nonces;
    mapping(bytes32 holdId => Hold) holds;
    /// Sorted, past and to come, in seconds since 1970.
    uint48[] recordDates;
    string name;
    string symbol;
    address onchainID;
    /// From when an announced change of registry, rules or topics may be made, by the hash of its call; 0 if it was not
    /// announced. Seconds since 1970.
    mapping(bytes32 callHash => uint48 effectiveFrom) announced;
}

/// @title TokenStorage
/// @notice Where the token's parts find their data, by ERC-7201.
abstract contract TokenStorage {
    /// @dev keccak256(abi.encode(uint256(keccak256("lastro.assets.RegulatedToken")) - 1)) & ~bytes32(uint256(0xff))
    bytes32 private constant TOKEN_STORAGE = 0xf55829cb4ae5b56c8e1eaa56f7ed21c2ccc3849e401b6a12abf34da5b7ba6100;

    function _token() internal pure returns (TokenData storage data) {
        assembly ("memory-safe") {
            data.slot := TOKEN_STORAGE
        }
    }
}
