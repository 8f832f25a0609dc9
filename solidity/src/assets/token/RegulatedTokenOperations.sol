// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IERC3643} from "./IERC3643.sol";
import {IERC7943Fungible} from "./IERC7943Fungible.sol";
import {IHolds} from "./IHolds.sol";
import {IRecordDateBalances} from "./IRecordDateBalances.sol";
import {RecordDates} from "./RecordDates.sol";
import {TokenIssue} from "./TokenIssue.sol";
import {TokenSettings} from "./TokenSettings.sol";

/// @title RegulatedTokenOperations
/// @notice The part of `RegulatedToken` that is not on the way of a transfer: one contract would exceed the 24,576 bytes
/// of EIP-170.
/// @dev Runs by delegatecall on a token's storage, which both parts see by ERC-7201. It has no storage, no admin and no
/// units of its own: called for itself it refuses whatever needs a role or units. One serves any number of tokens.
contract RegulatedTokenOperations is TokenIssue, TokenSettings, RecordDates {
    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IERC7943Fungible).interfaceId
            || interfaceId == type(IERC3643).interfaceId || interfaceId == type(IERC20).interfaceId
            || interfaceId == type(IERC20Metadata).interfaceId || interfaceId == type(IERC20Permit).interfaceId
            || interfaceId == type(IHolds).interfaceId || interfaceId == type(IRecordDateBalances).interfaceId;
    }
}
