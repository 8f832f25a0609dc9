// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC165Checker} from "@openzeppelin/contracts/utils/introspection/ERC165Checker.sol";

import {TokenStandard} from "./TokenStandard.sol";

/// @title TokenMovement
/// @notice Moves a token of any of the three standards, from somebody who approved the calling contract, or from the
/// calling contract itself.
/// @dev DANGER: receivers of ERC-721 and ERC-1155, and every token that is not known, are called and may call back. The
/// calling contract must be guarded against that, and must have written its state before.
library TokenMovement {
    using SafeERC20 for IERC20;

    /// @notice There is no contract at the token's address.
    /// @param token The address.
    error TokenMovementNoContract(address token);

    /// @notice The token is an ERC-721, and was named as an ERC-20: the two share the call that takes, but not the one
    /// that gives back.
    /// @param token The token.
    error TokenMovementNotFungible(address token);

    /// @notice The receiver did not get what the movement promised: the token keeps a fee, moves nothing, or its
    /// receiver passed it on within the movement.
    /// @param token The token.
    /// @param id Which of its ids; zero for an ERC-20.
    /// @param to The receiver.
    /// @param received By how much its balance rose; zero if it fell.
    /// @param promised By how much it should have risen, in the token's smallest unit.
    error TokenMovementReceiptDiffers(address token, uint256 id, address to, uint256 received, uint256 promised);

    /// @dev Moves, and compares what the receiver has before and after: a token may answer true and keep a fee. Reverts
    /// with {TokenMovementNoContract}, {TokenMovementReceiptDiffers}, `SafeERC20FailedOperation`, or as the token does.
    /// @param standard The token's interface.
    /// @param token The token.
    /// @param from Who delivers.
    /// @param to Who receives; not `from`.
    /// @param id Which of its ids; not read for an ERC-20.
    /// @param amount In the token's smallest unit; 1 for an ERC-721.
    function moveExactly(TokenStandard standard, address token, address from, address to, uint256 id, uint256 amount)
        internal
    {
        uint256 before = holding(standard, token, to, id);
        _move(standard, token, from, to, id, amount, true);
        uint256 afterwards = holding(standard, token, to, id);
        uint256 received = afterwards > before ? afterwards - before : 0;
        if (received != amount) revert TokenMovementReceiptDiffers(token, id, to, received, amount);
    }

    /// @dev Takes into the calling contract, as {moveExactly} does, and refuses what could not be given back: reverts
    /// also with {TokenMovementNotFungible}.
    /// @param standard The token's interface.
    /// @param token The token.
    /// @param from Who delivers.
    /// @param id Which of its ids; not read for an ERC-20.
    /// @param amount In the token's smallest unit; 1 for an ERC-721.
    function take(TokenStandard standard, address token, address from, uint256 id, uint256 amount) internal {
        if (
            standard == TokenStandard.ERC20
                && ERC165Checker.supportsERC165InterfaceUnchecked(token, type(IERC721).interfaceId)
        ) revert TokenMovementNotFungible(token);
        moveExactly(standard, token, from, address(this), id, amount);
    }

    /// @dev Gives back what the calling contract keeps. What arrives is not compared: a token that began to keep a fee
    /// must not lock in what is left. An ERC-721 goes back without asking its receiver, who had it before. Reverts with
    /// {TokenMovementNoContract}, `SafeERC20FailedOperation`, or as the token does.
    /// @param standard The token's interface.
    /// @param token The token.
    /// @param to Who receives.
    /// @param id Which of its ids; not read for an ERC-20.
    /// @param amount In the token's smallest unit; not read for an ERC-721.
    function giveBack(TokenStandard standard, address token, address to, uint256 id, uint256 amount) internal {
        _requireContract(token);
        _move(standard, token, address(this), to, id, amount, false);
    }

    /// @dev What an account holds, as the token says: an amount, or 0 and 1 for an ERC-721. Reverts with
    /// {TokenMovementNoContract}, or as the token does; an ERC-721 that nobody holds reverts.
    /// @param standard The token's interface.
    /// @param token The token.
    /// @param account The account.
    /// @param id Which of its ids; not read for an ERC-20.
    /// @return In the token's smallest unit.
    function holding(TokenStandard standard, address token, address account, uint256 id)
        internal
        view
        returns (uint256)
    {
        _requireContract(token);
        if (standard == TokenStandard.ERC20) return IERC20(token).balanceOf(account);
        if (standard == TokenStandard.ERC1155) return IERC1155(token).balanceOf(account, id);
        return IERC721(token).ownerOf(id) == account ? 1 : 0;
    }

    /// @dev The call that moves.
    function _move(
        TokenStandard standard,
        address token,
        address from,
        address to,
        uint256 id,
        uint256 amount,
        bool isAsking
    ) private {
        if (standard == TokenStandard.ERC1155) {
            IERC1155(token).safeTransferFrom(from, to, id, amount, "");
        } else if (standard == TokenStandard.ERC721) {
            if (isAsking) IERC721(token).safeTransferFrom(from, to, id);
            else IERC721(token).transferFrom(from, to, id);
        } else if (from == address(this)) {
            IERC20(token).safeTransfer(to, amount);
        } else {
            IERC20(token).safeTransferFrom(from, to, amount);
        }
    }

    /// @dev Reverts with {TokenMovementNoContract} unless there is code.
    function _requireContract(address token) private view {
        if (token.code.length == 0) revert TokenMovementNoContract(token);
    }
}
