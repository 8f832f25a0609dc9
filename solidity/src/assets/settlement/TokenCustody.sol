// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {IERC721Receiver} from "@openzeppelin/contracts/token/ERC721/IERC721Receiver.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {RegisteredHolders} from "./RegisteredHolders.sol";
import {TokenMovement} from "./TokenMovement.sol";
import {TokenStandard} from "./TokenStandard.sol";

/// @title TokenCustody
/// @notice What keeps tokens for others, and takes them only while it moves them itself.
/// @dev What somebody sends unasked would lie here for ever, so it is refused where the standard asks the receiver.
/// ERC-20 and the plain transfer of ERC-721 do not ask: such tokens stay, belong to nobody, and change no record.
abstract contract TokenCustody is ReentrancyGuard, ERC165, IERC721Receiver, IERC1155Receiver {
    /// @notice Tokens came that nobody here asked for.
    /// @param token The token.
    /// @param operator Who sent them.
    /// @param from Whose they were.
    error TokenCustodyUnasked(address token, address operator, address from);

    /// @notice Takes an ERC-721 while this contract moves it.
    /// @dev Called by the token. Reverts with {TokenCustodyUnasked}.
    /// @param operator Who moved it.
    /// @param from Whose it was.
    /// @return The selector of this function.
    function onERC721Received(address operator, address from, uint256, bytes calldata) external view returns (bytes4) {
        _requireAsked(operator, from);
        return this.onERC721Received.selector;
    }

    /// @notice Takes an amount of an ERC-1155 while this contract moves it.
    /// @dev Called by the token. Reverts with {TokenCustodyUnasked}.
    /// @param operator Who moved it.
    /// @param from Whose it was.
    /// @return The selector of this function.
    function onERC1155Received(address operator, address from, uint256, uint256, bytes calldata)
        external
        view
        returns (bytes4)
    {
        _requireAsked(operator, from);
        return this.onERC1155Received.selector;
    }

    /// @notice Takes no batches: this contract never moves one.
    /// @dev Called by the token. Always reverts with {TokenCustodyUnasked}.
    /// @param operator Who moved them.
    /// @param from Whose they were.
    /// @return Never.
    function onERC1155BatchReceived(
        address operator,
        address from,
        uint256[] calldata,
        uint256[] calldata,
        bytes calldata
    ) external view returns (bytes4) {
        revert TokenCustodyUnasked(msg.sender, operator, from);
    }

    /// @notice ERC-165: receiver of ERC-1155.
    /// @param interfaceId The interface.
    /// @return Whether it is supported.
    function supportsInterface(bytes4 interfaceId) public view override(ERC165, IERC165) returns (bool) {
        return interfaceId == type(IERC1155Receiver).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev Gives back what this contract took from a holder: to the wallet that took its place, if the token's registry
    /// knows one. Reverts as `RegisteredHolders.currentOf` and `TokenMovement.giveBack` do.
    function _giveBack(TokenStandard standard, address token, address holder, uint256 id, uint256 amount) internal {
        TokenMovement.giveBack(standard, token, RegisteredHolders.currentOf(token, holder), id, amount);
    }

    /// @dev Reverts with {TokenCustodyUnasked} unless this contract is the one that moves.
    function _requireAsked(address operator, address from) private view {
        if (operator != address(this) || !_reentrancyGuardEntered()) {
            revert TokenCustodyUnasked(msg.sender, operator, from);
        }
    }
}
